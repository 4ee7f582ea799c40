use proptest::prelude::*;

use super::*;

fn user(text: &str) -> (Keymap, Vec<String>) {
    let find = |name: &str| (name == "mine").then(|| KeymapFile { file: "mine.toml".into(), text: text.into() });
    let (keymap, problems) = Keymap::load("mine", &find);
    (keymap, problems.iter().map(ToString::to_string).collect())
}

fn chords(text: &str) -> Vec<Chord> {
    text.split(' ').map(|word| word.parse().unwrap()).collect()
}

fn never(_: Condition) -> bool {
    false
}

#[test]
fn the_built_in_keymaps_have_no_problems_and_read_back_as_themselves() {
    for (name, _) in BUILTIN {
        let (keymap, problems) = Keymap::load(name, &|_| None);
        assert!(problems.is_empty(), "{name}: {problems:?}");
        let text = keymap.to_toml();
        let find = |_: &str| Some(KeymapFile { file: "again".into(), text: text.clone() });
        let (again, problems) = Keymap::load(name, &find);
        assert!(problems.is_empty(), "{name}: {problems:?}");
        assert_eq!(again, keymap);
    }
}

#[test]
fn every_command_has_a_key_somewhere() {
    for (name, _) in BUILTIN {
        let keymap = Keymap::builtin(name);
        for command in CommandId::ALL {
            let has_key = Context::ALL.into_iter().any(|context| !keymap.keys(*command, context).is_empty());
            assert!(has_key, "{name}: no key for {command}");
        }
    }
}

#[test]
fn a_wrong_file_is_explained_with_line_and_suggestion() {
    let cases = [
        (
            "[global]\n\"a\" = \"acknowlege\"",
            "mine.toml:2:7: there is no command 'acknowlege'; did you mean 'acknowledge'?",
        ),
        ("[globl]\n", "mine.toml:1:2: there is no context 'globl'; did you mean 'global'?"),
        ("[global]\n\"pgdown\" = \"page-down\"", "mine.toml:2:1: unknown key 'pgdown'; did you mean 'pagedown'?"),
        ("[global]\n\"ctrl-i\" = \"open\"", "mine.toml:2:1: terminals send 'ctrl-i' as 'tab'; choose another key"),
        (
            "[global]\n\"G\" = \"open\"\n\"shift-g\" = \"copy\"",
            "mine.toml:3:1: 'shift-g' is the key of line 2 again; keep one of the two; the first is used",
        ),
        (
            "[global]\n\"g g\" = \"move-first\"",
            "mine.toml:2:1: 'g g' cannot be typed: 'g' alone is 'move-first' in [global]; take it away with \"g\" = \"none\", or choose other keys",
        ),
        (
            "[global]\n\"esc\" = { command = \"back\", when = \"filterd\" }",
            "mine.toml:2:36: there is no condition 'filterd'; did you mean 'filtered'?",
        ),
        (
            "[text]\n\"x\" = \"back\"",
            "mine.toml:2:1: 'x' is text where people type; use a key with ctrl or alt, or a named key",
        ),
        ("inherits = \"vi\"", "mine.toml:1:12: there is no keymap 'vi' to inherit from; did you mean 'vim'?"),
        (
            "[global]\n\"q\" = 3",
            "mine.toml:2:7: a key's command is not integer; write a command, or { command = \"…\", when = \"…\" }",
        ),
    ];
    for (text, wanted) in cases {
        let (_, problems) = user(text);
        assert!(problems.iter().any(|problem| problem == wanted), "{text}\nwanted: {wanted}\n   got: {problems:?}");
    }
}

#[test]
fn quit_and_help_stay_within_reach() {
    let (keymap, problems) = user(
        "[global]\n\"q\" = \"none\"\n\"ctrl-c\" = \"none\"\n\"?\" = \"copy\"\n\"f1\" = { command = \"help\", when = \"zoomed\" }",
    );
    assert_eq!(problems.len(), 2, "{problems:?}");
    for context in [Context::Incidents, Context::Runbook] {
        assert_eq!(keymap.meaning(context, &[Chord::ctrl('c')], &never), Meaning::Command(CommandId::Quit));
        assert_eq!(keymap.meaning(context, &[Chord::plain(Key::F(1))], &never), Meaning::Command(CommandId::Help));
    }
}

#[test]
fn a_sequence_waits_and_tells_what_may_follow() {
    let keymap = Keymap::builtin("vim");
    let Meaning::Pending(next) = keymap.meaning(Context::Incidents, &chords("ctrl-w"), &never) else { panic!() };
    assert!(next.contains(&(Chord::char('w'), Leads::To(CommandId::FocusNext))), "{next:?}");
    assert_eq!(keymap.meaning(Context::Incidents, &chords("g g"), &never), Meaning::Command(CommandId::MoveFirst));
    assert_eq!(keymap.meaning(Context::Incidents, &chords("g j"), &never), Meaning::Nothing);
}

#[test]
fn conditions_choose_among_rules() {
    let keymap = Keymap::default();
    let esc = [Chord::plain(Key::Esc)];
    let filtered = |condition| condition == Condition::Filtered;
    assert_eq!(keymap.meaning(Context::Incidents, &esc, &filtered), Meaning::Command(CommandId::ClearFilter));
    assert_eq!(keymap.meaning(Context::Incidents, &esc, &never), Meaning::Command(CommandId::Back));
    assert_eq!(keymap.meaning(Context::Runbook, &chords("space"), &never), Meaning::Command(CommandId::Tick));
}

proptest! {
    #[test]
    fn any_text_gives_a_keymap_that_can_be_left(text in "\\PC{0,200}", words in proptest::collection::vec("[a-z -]{1,12}", 0..6)) {
        let bindings: String = words.iter().map(|word| format!("\"{word}\" = \"none\"\n")).collect();
        for text in [text, format!("[global]\n{bindings}")] {
            let (keymap, _) = user(&text);
            prop_assert!(!keymap.keys(CommandId::Quit, Context::Incidents).is_empty());
            prop_assert!(!keymap.keys(CommandId::Help, Context::Panels).is_empty());
        }
    }

    #[test]
    fn chords_survive_their_text(symbol in any::<char>().prop_filter("typed", |symbol| !symbol.is_control() && !symbol.is_whitespace()), ctrl: bool, alt: bool) {
        let chord = Chord { key: Key::Char(symbol), ctrl, alt, shift: false }.normal();
        let text = serde_json::to_string(&chord).unwrap();
        prop_assert_eq!(serde_json::from_str::<Chord>(&text).unwrap(), chord);
    }
}

use super::*;

fn one(name: &'static str, text: &'static str) -> impl Fn(&str) -> Option<ThemeFile> {
    move |wanted| (wanted == name).then(|| ThemeFile { file: format!("themes/{name}.toml"), text: text.into() })
}

fn told(name: &'static str, text: &'static str) -> Vec<String> {
    let (_, problems) = Theme::load(name, &one(name, text));
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn built_in_themes_are_without_fault() {
    for (name, _) in BUILTIN {
        let (theme, problems) = Theme::load(name, &|_| None);
        assert_eq!(problems, Vec::new(), "{name}");
        assert_eq!(theme.name(), name);
    }
}

#[test]
fn every_role_has_a_word_of_its_own() {
    for role in Role::ALL {
        assert_eq!(Role::parse(role.word()), Some(*role));
    }
}

#[test]
fn wrong_files_are_told_with_line_and_suggestion() {
    let cases = [
        (
            "inherits = \"dark\"\n[roles]\n\"severity.critcal\" = \"red\"\n",
            "themes/mine.toml:3:1: there is no role 'severity.critcal'; did you mean 'severity.critical'?",
        ),
        (
            "inherits = \"dark\"\n[palette]\nred = \"#ff00\"\n",
            "themes/mine.toml:3:7: '#ff00' is not a colour; write #rrggbb, 0 to 255, or a name such as bright-red",
        ),
        (
            "inherits = \"dark\"\n[roles]\ntext = \"acent\"\n",
            "themes/mine.toml:3:8: 'acent' is neither in the palette nor a colour; did you mean 'accent'?",
        ),
        (
            "inherits = \"drak\"\n",
            "themes/mine.toml:1:12: there is no theme 'drak' to inherit from; did you mean 'dark'?",
        ),
        ("inherits = \"dark\"\npalete = 1\n", "themes/mine.toml:2:1: a theme has no 'palete'; did you mean 'palette'?"),
        (
            "inherits = \"dark\"\n[roles]\ntext = { fg = \"red\", blink = true }\n",
            "themes/mine.toml:3:22: a look has no 'blink'; it has fg, bg, bold, dim, italic, underline, reverse",
        ),
        (
            "inherits = \"dark\"\n[roles]\n\"text.dim\" = \"#202020\"\n",
            "themes/mine.toml:3:1: 'text.dim' on the background has a contrast of 1.1:1; text needs at least 4.5:1",
        ),
        (
            "inherits = \"dark\"\n[roles]\n\"severity.low\" = { fg = \"yellow\" }\n",
            "themes/mine.toml:3:1: 'severity.low' looks like 'severity.medium'; give each severity its own look",
        ),
    ];
    for (text, wanted) in cases {
        let told = told("mine", text);
        assert!(told.iter().any(|line| line == wanted), "wanted {wanted:?} in {told:#?}");
    }
}

#[test]
fn a_circle_is_told_and_ends() {
    let find = |name: &str| match name {
        "a" => Some(ThemeFile { file: "a.toml".into(), text: "inherits = \"b\"\n".into() }),
        "b" => Some(ThemeFile { file: "b.toml".into(), text: "inherits = \"a\"\n".into() }),
        _ => None,
    };
    let (theme, problems) = Theme::load("a", &find);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(&"b.toml:1:12: themes inherit in a circle: a → b → a; take one 'inherits' out".into()),
        "{told:#?}"
    );
    assert_eq!(theme.look(Role::Text), Theme::default().look(Role::Text), "what is missing looks as in the dark theme");
}

#[test]
fn a_broken_file_keeps_what_can_be_read() {
    let text = "inherits = \"dark\"\n[roles]\naccent = \"#ffffff\"\n\"text\" = = \"x\"\n";
    let (theme, problems) = Theme::load("mine", &one("mine", text));
    assert!(problems.iter().any(|problem| problem.at.is_some_and(|(line, _)| line == 4)), "{problems:?}");
    assert_eq!(theme.look(Role::Accent).fg.map(|shade| shade.full), Some(Colour::Rgb(255, 255, 255)));
}

#[test]
fn an_unknown_name_falls_back_to_dark() {
    let (theme, problems) = Theme::load("drak", &|_| None);
    assert_eq!(theme, Theme::default());
    assert_eq!(problems[0].to_string(), "[room] theme: there is no theme 'drak'; did you mean 'dark'?");
}

#[test]
fn a_user_file_of_a_built_in_name_may_inherit_it() {
    let text = "inherits = \"dark\"\n[palette]\naccent = \"#ffffff\"\n";
    let (theme, problems) = Theme::load("dark", &one("dark", text));
    assert_eq!(problems, Vec::new());
    assert_eq!(theme.look(Role::FocusBorder).fg.map(|shade| shade.full), Some(Colour::Rgb(255, 255, 255)));
}

#[test]
fn the_key_walks_through_all_of_them() {
    let mut name = "dark";
    for (known, _) in BUILTIN {
        assert_eq!(name, known);
        name = Theme::after(name);
    }
    assert_eq!((name, Theme::after("mine")), ("dark", "dark"));
}

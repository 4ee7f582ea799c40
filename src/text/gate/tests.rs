//! The gate against what attackers send and what people write.

use std::collections::BTreeSet;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::class::{is_hidden, is_pictograph, is_skin_tone};
use super::*;

fn clean(text: &str) -> String {
    Untrusted::from(text).clean().as_str().to_owned()
}

/// An oracle of its own: what may be in clean text, told without the gate's code.
fn offence(text: &str) -> Option<String> {
    let symbols: Vec<char> = text.chars().collect();
    for (at, symbol) in symbols.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| symbols[at]);
        let next = symbols.get(at + 1).copied();
        let is_joined = *symbol == '\u{200d}'
            && before.is_some_and(|before| is_pictograph(before) || is_skin_tone(before) || before == '\u{fe0f}')
            && next.is_some_and(is_pictograph);
        let is_selected = matches!(symbol, '\u{fe0e}' | '\u{fe0f}')
            && before.is_some_and(|before| is_pictograph(before) || "0123456789#*".contains(before));
        if is_hidden(*symbol) && !is_joined && !is_selected {
            return Some(format!("U+{:04X} at {at}", u32::from(*symbol)));
        }
    }
    text.graphemes(true)
        .find(|cell| cell.chars().count() > 8 || cell.len() > 32)
        .map(|cell| format!("a cell of {} code points, {} bytes", cell.chars().count(), cell.len()))
}

#[test]
fn every_code_point_alone_and_between_letters() {
    // Planes 2 to 13 are ideographs and nothing: a sample of them is enough.
    let codes =
        (0..0x2_0000).chain((0x2_0000..0xe_0000).step_by(997)).chain(0xe_0000..0xe_1100).chain([0xf_0000, 0x10_ffff]);
    for symbol in codes.filter_map(char::from_u32) {
        let text = format!("{symbol} a{symbol}b");
        let shown = clean(&text);
        assert_eq!(offence(&shown), None, "{text:?} → {shown:?}");
    }
}

#[test]
fn what_is_hidden_is_shown() {
    let table = [
        ("a\u{1b}[2Jb", "a‹U+001B›[2Jb"),
        ("a\u{1b}\u{1b}\u{1b}b", "a‹U+001B ×3›b"),
        ("line\nnext\r\nlast\r", "line⏎next⏎last‹U+000D›"),
        ("a\tb", "a⇥b"),
        ("\u{9b}31m", "‹U+009B›31m"),
        ("web-\u{202e}gnp.0-bd\u{202c}", "web-‹U+202E›gnp.0-bd‹U+202C›"),
        ("pay\u{200b}ments", "pay‹U+200B›ments"),
        ("a\u{e0067}\u{e0067}", "a‹U+E0067 ×2›"),
        ("vs\u{fe0f}\u{fe0e}", "vs‹U+FE0F›‹U+FE0E›"),
        ("\u{301}x", "‹U+0301›x"),
        ("\u{f8ff}", "‹U+F8FF›"),
        ("\u{2800}", "‹U+2800›"),
    ];
    for (text, expected) in table {
        assert_eq!(clean(text), expected, "{text:?}");
    }
}

#[test]
fn what_people_write_stays() {
    for text in [
        "שלום עולם",
        "مرحبا بالعالم",
        "नमस्ते दुनिया क्षि",
        "ถั่ว ำ",
        "한국어 \u{1112}\u{1161}\u{11ab}",
        "漢字かな交じり文",
        "e\u{301} naïve Überlast ﬁ ﷽",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦 👩🏽\u{200d}🚒 🇩🇪 ☎\u{fe0f} ⚠\u{fe0e} 1\u{fe0f}\u{20e3} 🏳\u{fe0f}\u{200d}🌈",
        "a\u{a0}b",
        "schon ‹U+202E› sauber ⏎",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn floods_collapse() {
    let flood = format!("z{}", "\u{301}".repeat(50_000));
    assert_eq!(clean(&flood), format!("z{}‹U+0301 ×49993›", "\u{301}".repeat(7)));
    assert_eq!(clean(&format!("x{}", "\u{200d}".repeat(50_000))), "x‹U+200D ×50000›");
    let jamo = clean(&"\u{1100}".repeat(100));
    assert_eq!(offence(&jamo), None);
    assert!(jamo.starts_with(&format!("{}‹+›", "\u{1100}".repeat(8))), "{jamo}");
    let alternating = clean(&"\u{301}\u{302}".repeat(100_000));
    assert!(alternating.len() <= LINE_BYTES, "{} bytes", alternating.len());
}

#[test]
fn long_lines_say_how_much_is_missing() {
    let exact = "x".repeat(LINE_BYTES);
    assert_eq!(clean(&exact), exact);
    let long = clean(&"x".repeat(1 << 20));
    assert!(long.len() <= LINE_BYTES);
    let kept = long.find('‹').expect("a mark");
    assert_eq!(long.get(kept..), Some(&*format!("‹+{} bytes›", (1 << 20) - kept)));
    assert_eq!(clean(&long), long);
    let wide = clean(&"漢".repeat(1 << 18));
    assert!(wide.len() <= LINE_BYTES && wide.ends_with(" bytes›"));
}

#[test]
fn many_lines_keep_their_breaks_and_their_whole_text() {
    let shown = Untrusted::from("one\r\n\ttwo\n\nthree\u{1b}").clean_lines();
    let shown: Vec<&str> = shown.iter().map(Clean::as_str).collect();
    assert_eq!(shown, ["one", "    two", "", "three‹U+001B›"]);
    assert!(Untrusted::from("").clean_lines().is_empty());
    let long = "word ".repeat(10_000);
    let whole: String = Untrusted::from(&*long).clean_lines().iter().map(Clean::as_str).collect();
    assert_eq!(whole, long);
    let flood = Untrusted::from(&*"x\n".repeat(5_000)).clean_lines();
    assert_eq!(flood.len(), MAX_LINES + 1);
    assert_eq!(flood.last().map(Clean::as_str), Some("‹+5999 bytes›"));
}

#[test]
fn marks_are_found_again() {
    let text = Untrusted::from("a\u{1b}[2J\nb ‹no mark› \u{200d}\u{200d}").clean();
    let pieces: Vec<_> = text.pieces().collect();
    let expected =
        [("a", false), ("‹U+001B›", true), ("[2J", false), ("⏎", true), ("b ‹no mark› ", false), ("‹U+200D ×2›", true)];
    assert_eq!(pieces, expected);
    assert_eq!(Clean::default().pieces().count(), 0);
}

#[test]
fn journals_edited_by_hand_pass_the_gate_again() {
    let read: Clean = serde_json::from_str("\"a\\u001b[2J\"").expect("a string");
    assert_eq!(read.as_str(), "a‹U+001B›[2J");
}

/// Every string of every hostile file, raw and as JSON gives it.
#[test]
fn the_hostile_corpus() {
    let shared = std::env::var_os("WARROOM_SHARED").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")),
        std::path::PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(shared.join("corpus/hostile")) else {
        println!("shared corpus absent: not run");
        return;
    };
    let mut seen = 0;
    for file in files.flatten() {
        let bytes = std::fs::read(file.path()).expect("a corpus file");
        let text = String::from_utf8_lossy(&bytes);
        let mut strings: BTreeSet<String> = [text.to_string()].into();
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
            gather(&value, &mut strings);
        }
        let mut shown = BTreeSet::new();
        for string in &strings {
            let one = clean(string);
            assert_eq!(offence(&one), None, "{}: {string:?}", file.path().display());
            assert_eq!(clean(&one), one, "{}: not stable", file.path().display());
            for line in Untrusted::from(&**string).clean_lines() {
                assert_eq!(offence(line.as_str()), None, "{}", file.path().display());
            }
            shown.insert(one);
        }
        assert_eq!(shown.len(), strings.len(), "{}: two strings became one", file.path().display());
        seen += 1;
    }
    assert!(seen >= 20, "{seen} files");
}

fn gather(value: &serde_json::Value, into: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => drop(into.insert(text.clone())),
        serde_json::Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, item)| {
            into.insert(name.clone());
            gather(item, into);
        }),
        _ => {}
    }
}

/// Text in which the dangerous is frequent.
fn hostile() -> impl Strategy<Value = String> {
    let picked = prop::sample::select(vec![
        'a',
        ' ',
        '\u{1b}',
        '\n',
        '\r',
        '\t',
        '\u{7f}',
        '\u{9b}',
        '\u{200b}',
        '\u{200d}',
        '\u{202e}',
        '\u{2066}',
        '\u{301}',
        '\u{fe0f}',
        '\u{fe0e}',
        '\u{20e3}',
        '👩',
        '👦',
        '🏽',
        '🇩',
        '🇪',
        '\u{e0067}',
        '\u{e000}',
        '1',
        'ש',
        'क',
        '\u{94d}',
        'ष',
        '\u{93f}',
        '\u{1100}',
        '\u{1161}',
        '\u{11a8}',
        '각',
        '\u{600}',
        '‹',
        '›',
        '⏎',
        '漢',
        '\u{ad}',
    ]);
    prop::collection::vec(prop_oneof![9 => picked, 1 => any::<char>()], 0..60)
        .prop_map(|symbols| symbols.into_iter().collect())
}

proptest! {
    #[test]
    fn nothing_hidden_survives_and_clean_text_stays(text in hostile()) {
        let shown = clean(&text);
        prop_assert_eq!(offence(&shown), None, "{:?} → {:?}", text, shown);
        prop_assert_eq!(clean(&shown), shown.clone());
        let parts: String = Untrusted::from(text).clean().pieces().map(|(piece, _)| piece).collect();
        prop_assert_eq!(parts, shown);
    }

    #[test]
    fn two_strings_stay_two(one in "[ab\u{200b}\u{202e}\u{1b}\u{301}]{0,12}", other in "[ab\u{200b}\u{202e}\u{1b}\u{301}]{0,12}") {
        prop_assert_eq!(one == other, clean(&one) == clean(&other), "{:?} {:?}", one, other);
    }

    #[test]
    fn lines_hold_what_one_line_holds(text in hostile()) {
        for line in Untrusted::from(text).clean_lines() {
            prop_assert_eq!(offence(line.as_str()), None);
            prop_assert_eq!(clean(line.as_str()), line.as_str());
        }
    }
}

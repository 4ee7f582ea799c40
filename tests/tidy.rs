//! The house's rules that the compiler cannot see: who may know whom, how long a file may be, which words are banned.
//!
//! The table of rooms is the one of ARCHITECTURE.md; change both together.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test ends loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room → rooms of ours that it may import, and crates it must not.
fn rooms() -> BTreeMap<&'static str, (&'static [&'static str], &'static [&'static str])> {
    const SCREEN: &[&str] = &["ratatui", "crossterm", "tui_textarea"];
    const NETWORK: &[&str] = &["reqwest", "axum", "hyper", "sqlx"];
    const SYNCHRONOUS: &[&str] = &["tokio", "reqwest", "axum", "hyper", "sqlx", "ratatui", "crossterm", "tui_textarea"];
    const IMPURE: &[&str] = &[
        "tokio",
        "reqwest",
        "ratatui",
        "crossterm",
        "sqlx",
        "axum",
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
    ];
    BTreeMap::from([
        ("text", (&[][..], IMPURE)),
        ("domain", (&["text"][..], IMPURE)),
        ("runbook", (&["domain", "text"][..], IMPURE)),
        ("dashboard", (&["domain", "text"][..], IMPURE)),
        ("config", (&["domain", "text", "runbook", "dashboard"][..], NETWORK)),
        ("sources", (&["domain", "text"][..], SCREEN)),
        ("store", (&["domain", "text"][..], SCREEN)),
        ("step", (&["domain", "text"][..], SYNCHRONOUS)),
        ("engine", (&["domain", "text", "config", "runbook", "dashboard", "sources", "store", "step"][..], SCREEN)),
        ("tui", (&["domain", "config", "text", "runbook", "dashboard"][..], NETWORK)),
        ("sim", (&["domain", "text", "sources", "dashboard", "runbook"][..], SCREEN)),
    ])
}

/// Files of `tui` that may touch the terminal and the drawing library; all others are the pure core of the screen.
const DRAWING: &[&str] =
    &["view", "widgets", "style", "terminal", "input", "run", "ports", "export", "layout", "canvas"];

/// Longest file, in lines that are neither blank, comment nor test.
const MAX_CODE_LINES: usize = 400;

/// Files that may be longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("a source can be read");
                found.push((path.strip_prefix(&root).expect("below src").to_path_buf(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "src was not found");
    found
}

fn room_of(path: &Path) -> String {
    let first = path.components().next().expect("a path").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The part of a file before its tests: what the rules are about.
fn shipped(text: &str) -> &str {
    text.find("\n#[cfg(test)]").map_or(text, |at| &text[..at])
}

/// Whole files that exist for tests only.
fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_below_tests =
        path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "simulation")));
    is_below_tests
        || name == "tests"
        || name.ends_with("_tests")
        || matches!(&*name, "testing" | "oracle" | "simulation")
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    shipped(text).lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//")
    })
}

#[test]
fn every_room_knows_only_whom_it_may() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test_file(path)) {
        let room = room_of(&path);
        let Some((may, must_not)) = rooms.get(room.as_str()) else { continue };
        for (at, line) in code_lines(&text) {
            for (at_use, _) in line.match_indices("crate::") {
                let known: String = line[at_use + 7..]
                    .chars()
                    .take_while(|symbol| symbol.is_alphanumeric() || *symbol == '_')
                    .collect();
                let is_room = rooms.contains_key(known.as_str()) || known == "cli";
                if is_room && known != room && !may.contains(&known.as_str()) {
                    wrong.push(format!("src/{}:{}: {room} must not know {known}", path.display(), at + 1));
                }
            }
            for name in *must_not {
                let is_used = line.contains(&format!("{name}::")) || line.trim() == format!("use {name};");
                if is_used && !is_part_of_word(line, name) {
                    wrong.push(format!("src/{}:{}: {room} must not use {name}", path.display(), at + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_part_of_word(line: &str, name: &str) -> bool {
    let at = line.find(&format!("{name}::")).unwrap_or(0);
    line[..at].chars().last().is_some_and(|before| before.is_alphanumeric() || before == '_')
}

#[test]
fn the_core_of_the_screen_draws_nothing_and_waits_for_nothing() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if room_of(&path) != "tui" || is_test_file(&path) {
            continue;
        }
        let names: Vec<String> = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned())
            .collect();
        if names.iter().any(|name| DRAWING.contains(&name.as_str())) {
            continue;
        }
        for (at, line) in code_lines(&text) {
            for name in ["ratatui::", "crossterm::", "tokio::"] {
                if line.contains(name) {
                    wrong.push(format!("src/{}:{}: {name} in the pure core", path.display(), at + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = if is_test_file(&path) { 0 } else { code_lines(&text).count() };
        let name = path.display().to_string();
        let excused = LONG.iter().any(|(long, _)| *long == name);
        if lines > MAX_CODE_LINES && !excused {
            wrong.push(format!("src/{name}: {lines} code lines, more than {MAX_CODE_LINES}"));
        }
        if excused && lines <= MAX_CODE_LINES {
            wrong.push(format!("src/{name} is short again: take it off the list"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !is_test_file(path) && !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no //! at the top: {silent:?}");
}

#[test]
fn nothing_unfinished_and_no_vague_names() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let name = path.display().to_string();
        let words: Vec<&str> = name.split(|symbol: char| !symbol.is_alphanumeric()).collect();
        for vague in ["util", "utils", "helper", "helpers", "manager", "misc", "common"] {
            if words.contains(&vague) {
                wrong.push(format!("src/{name}: '{vague}' names nothing"));
            }
        }
        if name.ends_with("mod.rs") {
            wrong.push(format!("src/{name}: name.rs beside name/, no mod.rs"));
        }
        for (at, line) in shipped(&text).lines().enumerate() {
            for word in ["todo!(", "unimplemented!(", "FIXME", "XXX:", "#[ignore"] {
                if line.contains(word) {
                    wrong.push(format!("src/{name}:{}: {word}", at + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

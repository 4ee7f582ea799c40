//! The configuration file: valid fixtures load without a word, invalid ones with exactly the expected words, and the
//! documented example is complete and true.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use warroom::config::Config;
use warroom::config::defaults;
use warroom::config::files::Places;
use warroom::config::load::over;

fn environment(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/home/ana".to_owned())
}

fn load(path: &Path, bytes: &[u8]) -> (Config, Vec<String>) {
    let places = Places { config: "/config".into(), state: "/state".into() };
    let mut config = defaults::config(&places, &environment);
    let problems = over(&mut config, path, bytes, &environment);
    (config, problems.iter().map(ToString::to_string).collect())
}

fn fixtures(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(folder);
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures are there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    found
}

fn read(path: &Path) -> (Config, Vec<String>) {
    load(Path::new("config.toml"), &fs::read(path).expect("a fixture can be read"))
}

#[test]
fn valid_files_load_without_a_word() {
    let fixtures = fixtures("valid");
    assert!(fixtures.len() >= 10, "{}", fixtures.len());
    for (name, path) in fixtures {
        assert_eq!(read(&path).1, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn invalid_files_are_told_with_place_and_fix() {
    let fixtures = fixtures("invalid");
    assert!(fixtures.len() >= 18, "{}", fixtures.len());
    let mut told = String::new();
    for (name, path) in fixtures {
        let (_, problems) = read(&path);
        assert!(!problems.is_empty(), "{name} is not invalid");
        let _ = writeln!(told, "{name}");
        for problem in problems {
            assert!(!problem.contains("hunter2") && !problem.contains("AbCdEfGh"), "a secret is repeated: {problem}");
            assert!(!problem.contains(char::is_control), "an escape is repeated: {problem:?}");
            let _ = writeln!(told, "  {problem}");
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_wrong_does_not_cost_what_is_right() {
    let (config, _) = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/invalid/not-toml.toml")));
    assert_eq!((config.room.theme.as_str(), config.room.name.as_str()), ("light", "war room"));
    let (config, _) = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/invalid/wrong-types.toml")));
    assert!(config.room.read_only, "an unreadable read_only must not allow actions");
    let (config, _) =
        read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/invalid/secret-unencrypted.toml")));
    assert!(config.pagerduty.is_none() && config.prometheus.is_empty(), "a secret would go out unencrypted");
    assert_eq!(config.alertmanagers.len(), 1);
}

/// The example with every `#key` uncommented; `# words` stay comments.
fn example() -> String {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.example.toml")).expect("the example");
    let is_key =
        |line: &str| line.strip_prefix('#').is_some_and(|rest| !rest.is_empty() && !rest.starts_with([' ', '#']));
    text.lines().map(|line| if is_key(line) { &line[1..] } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_as_it_is_changes_nothing_and_uncommented_it_loads() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.example.toml"));
    assert_eq!(load(path, &fs::read(path).expect("the example")).1, Vec::<String>::new());
    let (config, problems) = load(path, example().as_bytes());
    assert_eq!(problems, Vec::<String>::new());
    assert!(config.pagerduty.is_some() && config.slack.is_some() && config.statuspage.is_some());
    assert_eq!((config.alertmanagers.len(), config.prometheus.len(), config.services.len()), (1, 1, 1));
}

#[test]
fn the_defaults_in_the_example_are_the_defaults() {
    let places = Places { config: "/config".into(), state: "/state".into() };
    let built_in = defaults::config(&places, &environment);
    let (written, _) = load(Path::new("/config/config.toml"), example().as_bytes());
    assert_eq!(format!("{:#?}", written.severities), format!("{:#?}", built_in.severities));
    assert_eq!(written.targets, built_in.targets);
    assert_eq!(written.calendar.days, built_in.calendar.days);
    assert_eq!(
        (written.room.name, written.room.theme, written.room.keymap),
        (built_in.room.name, built_in.room.theme, built_in.room.keymap)
    );
}

/// Each line alone can be left out: nothing else depends on it but what is required.
#[test]
fn every_line_of_the_example_stands_for_itself() {
    let text = example();
    let lines: Vec<&str> = text.lines().collect();
    let mut tried = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#')) {
        let without: Vec<&str> =
            lines.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, line)| *line).collect();
        let (_, problems) = load(Path::new("config.toml"), without.join("\n").as_bytes());
        let key = line.split(' ').next().expect("a key");
        let is_expected = |problem: &String| {
            problem.contains(&format!("has no '{key}'")) || problem.contains("names no [[prometheus]]")
        };
        assert!(problems.iter().all(is_expected), "without {line:?}: {problems:?}");
        tried += 1;
    }
    assert!(tried > 90, "{tried}");
}

/// An unknown key makes a section tell the keys it knows: each must stand in the example.
#[test]
fn the_example_has_every_key_of_every_section() {
    let text = example();
    // Under [secrets] every name is free.
    let sections: Vec<&str> = text.lines().filter(|line| line.starts_with('[') && *line != "[secrets]").collect();
    let mut keys = 0;
    for section in sections {
        let probe = "qqqqqqqqqqqq";
        let with_probe = text.replace(&format!("\n{section}\n"), &format!("\n{section}\n{probe} = 1\n"));
        let (_, problems) = load(Path::new("config.toml"), with_probe.as_bytes());
        let told = problems.iter().find(|problem| problem.contains(probe)).expect("the probe is unknown");
        let known = told.split("known are ").nth(1).expect("the known keys are told");
        let begin = text.find(&format!("\n{section}\n")).expect("the section") + section.len() + 1;
        let body = text[begin..].split("\n[").next().unwrap_or_default();
        for key in known.split(", ") {
            assert!(
                body.contains(&format!("\n{key} = ")) || body.contains(&format!("   {key} = ")),
                "{section} lacks {key}"
            );
            keys += 1;
        }
    }
    assert!(keys > 100, "{keys}");
    let (_, problems) = load(Path::new("config.toml"), format!("qqqqqqqqqqqq = 1\n{text}").as_bytes());
    for section in problems[0].split("known are ").nth(1).expect("sections").split(", ") {
        let is_there = [format!("[{section}]"), format!("[[{section}]]"), format!("[{section}.")]
            .iter()
            .any(|head| text.contains(head));
        assert!(is_there, "no section {section}");
    }
}

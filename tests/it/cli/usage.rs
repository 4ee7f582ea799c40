//! Help, usage errors, completions and the manual.

use std::fmt::Write as _;

use super::home::Home;

#[test]
fn help_of_every_subcommand() {
    let home = Home::new("");
    let mut all = String::new();
    for arguments in [
        &["--help"][..],
        &["init", "--help"],
        &["check", "--help"],
        &["doctor", "--help"],
        &["incidents", "--help"],
        &["incidents", "list", "--help"],
        &["incidents", "show", "--help"],
        &["incidents", "ack", "--help"],
        &["incidents", "escalate", "--help"],
        &["incidents", "resolve", "--help"],
        &["incidents", "reassign", "--help"],
        &["incidents", "snooze", "--help"],
        &["incidents", "merge", "--help"],
        &["incidents", "note", "--help"],
        &["incidents", "declare", "--help"],
        &["alerts", "list", "--help"],
        &["silences", "list", "--help"],
        &["oncall", "--help"],
    ] {
        let ran = home.run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
        let _ = write!(all, "$ warroom {}\n{}\n", arguments.join(" "), ran.out);
    }
    assert!(home.files().len() == 1, "help leaves no file behind");
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_usage_is_exit_2_with_words() {
    let home = Home::new("");
    for (arguments, words) in [
        (&["incidnets"][..], "a similar subcommand exists: 'incidents'"),
        (&["incidents", "ack"], "required arguments were not provided"),
        (&["incidents", "list", "--severity", "worst"], "possible values: critical, high, medium, low"),
        (&["incidents", "snooze", "P1", "--for", "soon"], "write a number and a unit, such as 30s, 5m or 4h"),
        (&["incidents", "reassign", "P1"], "--to"),
        (&["--fps", "10", "check"], "--record and --fps belong to the room"),
        (
            &["incidents", "list"],
            "no usable [pagerduty] with a token, or [[alertmanager]] is in HOME/config/warroom/config.toml; run 'warroom init'",
        ),
        (&["alerts", "list"], "no usable [[alertmanager]]"),
        (&["oncall"], "no usable [pagerduty]"),
        (
            &["--config", "/nonexistent.toml", "oncall"],
            "/nonexistent.toml: there is no such file; write one with 'warroom init'",
        ),
    ] {
        let ran = home.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(home.steady(&ran.err).contains(words), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn completions_and_manual_name_the_subcommands() {
    let home = Home::new("");
    for arguments in [["completions", "bash"], ["completions", "zsh"], ["completions", "fish"]] {
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("incidents") && ran.out.contains("doctor"), "{arguments:?}");
    }
    let ran = home.run(&["man"]);
    assert!(ran.code == Some(0) && ran.out.contains(".TH warroom"), "{}", ran.out);
    let folder = home.path("man");
    let ran = home.run(&["man", "--out", &folder.display().to_string()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(folder.join("warroom-incidents-ack.1").exists());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = Home::new("");
    let mut child = home.command(&["completions", "bash"]).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let ran = Home::finish(child, None);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

//! A session of the real binary, recorded, replayed and proved: the demo with keys, sizes and actions.

use std::path::Path;

use pty_process::Command;

use super::{PATIENCE, Terminal};
use crate::cli::home::Home;

fn program(home: &Home, arguments: &[&str], columns: u16, rows: u16) -> Terminal {
    let command = Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path(""))
        .env("XDG_CONFIG_HOME", home.path("config"))
        .env("XDG_STATE_HOME", home.path("state"))
        .env("USER", "ana")
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8");
    Terminal::start(command, columns, rows)
}

fn verify(home: &Home, file: &Path) -> serde_json::Value {
    let ran = home.run(&["replay", file.to_str().unwrap(), "--verify", "--json"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recorded_demo_replays_to_the_same_effects_and_frames() {
    let home = Home::new("");
    let file = home.path("session.warroom");
    let name = file.to_str().unwrap();
    let mut terminal = program(&home, &["demo", "--record", name], 120, 40);
    terminal.wait_text("listed").await;
    terminal.wait_text("critical").await;
    for keys in ["j", "j", "k", "z", "z", "2", "j", "1", "k"] {
        terminal.send(keys).await;
        terminal.drain(std::time::Duration::from_millis(50)).await;
    }
    terminal.resize(100, 30);
    terminal
        .wait("a frame of the new size", |terminal| {
            terminal.text().lines().nth(29).is_some_and(|hints| hints.contains("? help"))
        })
        .await;
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
    let verdict = verify(&home, &file);
    assert_eq!((&verdict["same"], &verdict["complete"]), (&true.into(), &true.into()), "{verdict}");
    assert!(verdict["messages"].as_u64() >= Some(10) && verdict["frames"].as_u64() >= Some(1), "{verdict}");

    let last = home.run(&["replay", name, "--format", "text"]);
    assert_eq!(last.out.lines().count(), 30, "the last frame has the last size:\n{}", last.out);
    let mut player = program(&home, &["replay", name], 120, 40);
    player.wait_text("REPLAY").await;
    player.send("G").await;
    player.wait_text("REPLAY END").await;
    player.send("g").await;
    player.wait("the beginning again", |player| !player.text().contains("REPLAY END")).await;
    player.send("q").await;
    assert_eq!(player.exit(PATIENCE).await.0, Some(0));
    player.assert_restored();
}

#[test]
fn a_recording_is_private_never_overwritten_and_told_when_it_is_none() {
    let home = Home::new("");
    std::fs::write(home.path("other"), "{\"no\":1}\n").unwrap();
    let other = home.path("other");
    for (arguments, words) in [
        (vec!["replay", other.to_str().unwrap()], "this is no recording"),
        (vec!["replay", "/nonexistent/file"], "cannot be read"),
    ] {
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
}

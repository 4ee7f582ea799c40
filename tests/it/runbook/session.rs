//! A session step in the room itself: a real program on a real terminal, seen, sent a line and typed into by keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::stage::{Stage, answer};
use crate::pty::Terminal;

const REMOTE: &str = "#!/bin/sh\nprintf 'ready> '\nwhile read -r line; do echo \"told: $line\"; stty size; printf 'ready> '; done\necho 'good bye'\n";

const STEP: &str = "Open the shell";

const STEPS: &str = "runbooks:\n  talk:\n    title: Talk\n    trigger: {alertname: '*', labels: {alertname: '*'}}\n    steps:\n      - {name: Open the shell, session: [remote, 'df -h']}\n      - manual: Think\n";

fn stage(config: &str) -> Stage {
    let stage = Stage::configured(config);
    stage.runbook("talk.yaml", STEPS);
    let remote = stage.home.path("bin").join("remote");
    fs::write(&remote, REMOTE).expect("a file");
    fs::set_permissions(&remote, fs::Permissions::from_mode(0o755)).expect("a mode");
    stage
}

/// Runs the session and opens its terminal.
async fn begin(terminal: &mut Terminal) {
    terminal.send("r").await;
    terminal.wait_text("does it").await;
    answer(terminal, "y").await;
    terminal.wait_text("r opens its terminal").await;
    terminal.send("r").await;
    terminal.wait_text("ready>").await;
    terminal.wait_text("staged 1/1 df -h").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_seen_sent_a_staged_line_and_typed_into() {
    let world = warroom::sim::serve(warroom::sim::SimOptions::default()).await.expect("a world");
    let stage = stage(&world.config_toml);
    let mut terminal = stage.room(&[], STEP).await;
    begin(&mut terminal).await;
    terminal.send("\r").await;
    terminal.wait_text("told: df -h").await;
    terminal.wait_text("17 76").await;
    terminal.send("i").await;
    terminal.wait_text("takes the keys back").await;
    terminal.send("quit?").await;
    terminal.wait_text("ready> quit?").await;
    terminal.send("\r").await;
    terminal.wait_text("told: quit?").await;
    // The end of input ends the program, and the room says so.
    terminal.send("\x04").await;
    terminal.wait_text("good bye").await;
    terminal.wait_text("done").await;
    terminal.send("\x1d").await;
    terminal.wait_text("Esc leaves").await;
    terminal.send("\x1b").await;
    terminal.wait("the terminal to close", |terminal| !terminal.text().contains("Esc leaves")).await;
    terminal.send("q").await;
    world.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_room_sees_a_session_that_was_left_running_and_types_nothing_into_it() {
    let world = warroom::sim::serve(warroom::sim::SimOptions::default()).await.expect("a world");
    let stage = stage(&world.config_toml);
    let mut terminal = stage.room(&[], STEP).await;
    begin(&mut terminal).await;
    terminal.send("\x1b").await;
    terminal.wait("the terminal to close", |terminal| !terminal.text().contains("Esc leaves")).await;
    terminal.send("q").await;
    terminal.exit(Duration::from_secs(20)).await;

    let mut terminal = stage.room(&["--read-only"], STEP).await;
    // The world went on: the incident of the run need not be the first one any more.
    for _ in 0..30 {
        terminal.drain(Duration::from_millis(400)).await;
        if terminal.text().contains("r opens its terminal") {
            break;
        }
        terminal.send("1j4").await;
    }
    terminal.send("r").await;
    terminal.wait_text("ready>").await;
    terminal.send("\r").await;
    terminal.wait_text("this room is read-only").await;
    assert!(!terminal.text().contains("told:"), "{}", terminal.text());
    assert!(terminal.text().contains("staged 1/1 df -h"), "{}", terminal.text());
    terminal.send("\x1b").await;
    terminal.wait("the terminal to close", |terminal| !terminal.text().contains("Esc leaves")).await;
    terminal.send("X").await;
    terminal.wait_text("cancelled").await;
    terminal.send("q").await;
    world.shutdown().await;
}

//! Disks that are full, read-only or fail: the action is refused before it is sent, with the cause; nothing is sent later.

use warroom::domain::action::Delivery;

use super::has_strace;
use super::world::{World, journal, outbox, traced};

/// Which pwrite64 and which sync of the journal's thread are the first of the intent: those before make the file.
fn first_of_the_intent(world: &World) -> (usize, usize) {
    let home = world.home();
    let id = world.incident();
    let trace = home.path("trace");
    let options = [
        "-o",
        trace.to_str().expect("a path"),
        "-y",
        "-s",
        "96",
        "-e",
        "trace=pwrite64,fsync,fdatasync,sendto,writev,write",
    ];
    let ran = traced(&home, &options, &["incidents", "note", &id, "--message", "x"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let lines: Vec<&str> = trace.lines().collect();
    let sent = lines.iter().position(|line| line.contains("/notes HTTP")).expect("the note is sent");
    let syncs: Vec<usize> = (0..sent).filter(|at| lines[*at].contains("sync(")).collect();
    // The last two before the send are those of the intent and of its being about to leave.
    let before = syncs[syncs.len() - 3];
    let writes = lines[..before].iter().filter(|line| line.contains(" pwrite64(")).count();
    (writes + 1, syncs.len() - 1)
}

async fn refused(world: &World, fault: &str, says: &[&str]) {
    assert!(was_refused(world, fault, says).await, "{fault}: it was not refused");
}

/// Acts on such a disk. Either it is refused with these words, now and later, or it is done once and said so.
async fn was_refused(world: &World, fault: &str, says: &[&str]) -> bool {
    let home = world.home();
    let id = world.incident();
    world.forget();
    let ran = traced(
        &home,
        &["-o", "/dev/null", "-e", "trace=pwrite64,fsync,fdatasync", "-e", fault],
        &["incidents", "note", &id, "--message", "x"],
    );
    let notes = |world: &World| world.effects().iter().filter(|(_, path, _)| path.ends_with("/notes")).count();
    if ran.code == Some(0) {
        assert_eq!(notes(world), 1, "{fault}: {ran:?}");
        return false;
    }
    assert_eq!(ran.code, Some(1), "{fault}: {ran:?}");
    for word in says {
        assert!(ran.err.contains(word), "{fault}: {word}: {ran:?}");
    }
    assert_eq!(notes(world), 0, "{fault}: {ran:?}");
    // The disk is well again: what was refused stays refused.
    let resumed = home.run(&["outbox", "send", "--timeout", "20s"]);
    assert_eq!(notes(world), 0, "{fault}: {resumed:?}");
    for row in if journal(&home).exists() { outbox(&home).await } else { Vec::new() } {
        assert!(matches!(row.delivery, Delivery::Failed { .. } | Delivery::Dropped), "{fault}: {row:?}");
    }
    let again = home.run(&["incidents", "note", &id, "--message", "y"]);
    assert_eq!((again.code, notes(world)), (Some(0), 1), "{fault}: {again:?}");
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_refuses_the_action_before_it_is_sent() {
    if !has_strace() {
        return;
    }
    let world = World::start().await;
    let (write, sync) = first_of_the_intent(&world);
    let nothing = "nothing was sent";
    refused(&world, &format!("inject=pwrite64:error=ENOSPC:when={write}+"), &["full", nothing]).await;
    refused(&world, &format!("inject=pwrite64:error=EIO:when={write}+"), &["disk I/O error", nothing]).await;
    refused(&world, &format!("inject=pwrite64:error=EROFS:when={write}+"), &[nothing]).await;
    // Appends that wait for each other share a sync, so that the intent's may come one earlier than in the undisturbed run.
    let mut refusals = 0;
    for sync in [sync - 1, sync] {
        let fault = format!("inject=fsync,fdatasync:error=EIO:when={sync}");
        refusals += usize::from(was_refused(&world, &fault, &["nothing was sent"]).await);
    }
    assert!(refusals >= 1, "a failed sync of the intent refuses it");
    // A disk whose syncs fail from then on until the console ends: docs/journal.md, "Known limits".
}

/// Reading goes on and so does the console: only what cannot be written down is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_room_stays_usable_on_a_full_disk() {
    if !has_strace() {
        return;
    }
    let world = World::start().await;
    let home = world.home();
    let id = world.incident();
    let plain = home.command(&[]);
    let command = pty_process::Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC"])
        .arg(plain.get_program())
        .env_clear()
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", "xterm-256color");
    let mut terminal = crate::pty::Terminal::start(command, 120, 40);
    terminal.wait_text("a drill").await;
    world.forget();
    terminal.send("a").await;
    terminal.wait_text("nothing was sent").await;
    terminal.send("?").await;
    terminal.wait_text("Act on incidents").await;
    // An escape with a letter right behind it would be alt and that letter.
    terminal.send("\x1b").await;
    terminal.wait("the help to close", |terminal| !terminal.text().contains("Act on incidents")).await;
    assert!(world.effects().is_empty(), "{:?} for {id}", world.effects());
    terminal.send("q").await;
    let (code, _) = terminal.exit(crate::pty::PATIENCE).await;
    assert_eq!(code, Some(0));
}

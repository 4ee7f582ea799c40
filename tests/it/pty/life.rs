//! Beginning and end: sizes, signals, suspend, editor, panic, a terminal that is gone or takes nothing.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{PATIENCE, Terminal, room};

/// Threads' voluntary switches so far: how often the program woke.
fn wake_ups(terminal: &Terminal) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", terminal.pid().as_raw_nonzero())).expect("its threads");
    let count = |task: std::fs::DirEntry| {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    tasks.flatten().map(count).sum()
}

fn is_stopped(terminal: &Terminal) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", terminal.pid().as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_first_frame_comes_at_once_and_quitting_leaves_the_terminal_as_it_was() {
    let mut terminal = room::start("quiet", 80, 24);
    terminal.wait_text("acts=0").await;
    assert!(terminal.screen().alternate_screen() && terminal.screen().hide_cursor());
    terminal.wait_text("pd:PINC5").await;
    let text = String::from_utf8_lossy(&terminal.raw).into_owned();
    let frames = text.matches("\x1b[?2026h").count();
    assert!(frames >= 1 && frames == text.matches("\x1b[?2026l").count(), "every frame is one synchronized update");
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
    terminal.assert_restored();
    assert!(!terminal.screen().alternate_screen());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_storm_of_sizes_ends_with_the_last_one() {
    let mut terminal = room::open("quiet", 80, 24).await;
    let before = String::from_utf8_lossy(&terminal.raw).matches("\x1b[?2026h").count();
    for step in 0..500_u16 {
        terminal.resize(1 + step * 7 % 300, 1 + step * 3 % 100);
        tokio::time::sleep(Duration::from_millis(2)).await;
        if step % 10 == 0 {
            terminal.drain(Duration::from_millis(1)).await;
        }
    }
    terminal.resize(132, 43);
    terminal.wait_text("size=132x43").await;
    terminal
        .wait("the far corner", |terminal| terminal.screen().cell(42, 131).is_some_and(|cell| cell.contents() == "#"))
        .await;
    let frames = String::from_utf8_lossy(&terminal.raw).matches("\x1b[?2026h").count() - before;
    assert!(frames <= 90, "{frames} frames for 500 sizes in a second and more");
    for size in [(1, 1), (20, 5), (80, 24)] {
        terminal.resize(size.0, size.1);
        terminal.drain(Duration::from_millis(100)).await;
    }
    terminal.wait_text("size=80x24").await;
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
}

/// crossterm's source is edge-triggered and forgot a key that came in the same breath as a new size.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_that_comes_with_a_new_size_is_not_lost() {
    let mut terminal = room::open("quiet", 100, 30).await;
    for round in 0..20_u16 {
        let (key, focus) = if round % 2 == 0 { ("2", "focus=Timeline") } else { ("1", "focus=Incidents") };
        terminal.resize(101 + round, 30);
        terminal.send(key).await;
        terminal.wait_text(&format!("size={}x30", 101 + round)).await;
        terminal.wait_text(focus).await;
    }
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_terminal_that_is_closed_while_it_is_drawn_on_ends_the_program() {
    for role in ["flood", "quiet"] {
        let mut terminal = room::open(role, 200, 50).await;
        for _ in 0..20 {
            terminal.drain(Duration::from_millis(10)).await;
        }
        terminal.hang_up();
        let (code, took) = terminal.exit_unread(Duration::from_secs(10)).await;
        assert_eq!(code, Some(129), "{role}");
        assert!(took < Duration::from_secs(2), "{role}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_terminal_that_takes_nothing_holds_up_no_signal() {
    let mut terminal = room::open("flood", 200, 50).await;
    // Nothing is read any more; the pipe fills up within a second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    terminal.signal(Signal::TERM);
    let (code, took) = terminal.exit_unread(Duration::from_secs(10)).await;
    assert_eq!(code, Some(143));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn signals_end_it_with_their_codes_and_restore_the_terminal() {
    for (signal, wanted) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::QUIT, 131), (Signal::HUP, 129)] {
        let mut terminal = room::open("quiet", 80, 24).await;
        terminal.signal(signal);
        let (code, took) = terminal.exit(PATIENCE).await;
        assert_eq!(code, Some(wanted));
        assert!(took < Duration::from_secs(2), "{took:?}");
        if signal != Signal::HUP {
            terminal.assert_restored();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn half_an_escape_sequence_does_not_keep_it_from_leaving() {
    let mut terminal = room::open("quiet", 80, 24).await;
    terminal.send("\x1b[1;").await;
    terminal.drain(Duration::from_millis(100)).await;
    terminal.signal(Signal::TERM);
    let (code, took) = terminal.exit(PATIENCE).await;
    assert_eq!(code, Some(143));
    assert!(took < Duration::from_secs(2), "{took:?}");
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn suspend_and_resume_three_times() {
    let mut terminal = room::open("quiet", 80, 24).await;
    for (round, selected) in (0..3_u16).zip([2, 3, 5]) {
        if round == 1 {
            terminal.signal(Signal::TSTP);
        } else {
            terminal.send("\x1a").await;
        }
        terminal.wait("the program to stop", is_stopped).await;
        terminal.drain(Duration::from_millis(50)).await;
        terminal.assert_restored();
        // The shell writes over everything.
        terminal.screen.process(b"\x1b[2J\x1b[Hshell$ ");
        terminal.resize(90 + round, 30);
        terminal.signal(Signal::CONT);
        terminal.wait_text(&format!("size={}x30", 90 + round)).await;
        assert!(terminal.screen().alternate_screen() && !terminal.text().contains("shell$"));
        terminal.send("j").await;
        terminal.wait_text(&format!("IncidentId(pd:PINC{selected})")).await;
    }
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_editor_gets_the_terminal_and_gives_the_text() {
    let mut terminal = room::open("quiet", 120, 30).await;
    terminal.wait_text("pd:PINC1").await;
    terminal.send("N").await;
    terminal.wait_text("question: Write the note?").await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    terminal.drain(Duration::from_millis(50)).await;
    terminal.send("y").await;
    terminal.wait_text("acts=1").await;
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_panic_while_drawing_leaves_a_usable_terminal_and_the_message_on_it() {
    let mut terminal = room::open("panic", 120, 30).await;
    terminal.send("/").await;
    terminal.drain(Duration::from_millis(100)).await;
    for key in ["b", "o", "o", "m"] {
        terminal.send(key).await;
        terminal.drain(Duration::from_millis(30)).await;
    }
    let (code, _) = terminal.exit(PATIENCE).await;
    assert_ne!(code, Some(0));
    terminal.assert_restored();
    assert!(!terminal.screen().alternate_screen());
    assert!(terminal.text().contains("drawing went wrong on purpose"), "{}", terminal.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_idle_room_hardly_wakes() {
    let mut terminal = room::open("quiet", 80, 24).await;
    terminal.wait_text("pd:PINC5").await;
    for _ in 0..30 {
        terminal.drain(Duration::from_millis(50)).await;
    }
    let (before, began) = (wake_ups(&terminal), Instant::now());
    while began.elapsed() < Duration::from_secs(4) {
        terminal.drain(Duration::from_millis(200)).await;
    }
    let rate = (wake_ups(&terminal) - before) as f64 / began.elapsed().as_secs_f64();
    println!("idle: {rate:.2} wake-ups a second");
    assert!(rate <= 4.0, "{rate} wake-ups a second");
    terminal.send("q").await;
    terminal.exit(PATIENCE).await;
}

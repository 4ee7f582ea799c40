//! From a key to the first byte of its answer, and to the right cell on a real screen, while the world burns.

use std::time::Duration;

use crate::clock::{load, quantile};
use crate::pty::Terminal;
use crate::stage::ROLE;

/// Presses in a run.
const PRESSES: usize = 1_000;

pub fn run() {
    let floor = floor();
    for role in ["calm", "storm", "storm", "storm"] {
        println!("   load {}", load());
        measure(role, Pane::Incidents, PRESSES, floor);
    }
    for _ in 0..3 {
        measure("storm", Pane::Timeline, PRESSES, floor);
    }
    let slow = measure("slow", Pane::Incidents, 60, floor);
    println!(
        "negative control (every row made anew for each frame): the harness {}",
        if slow > 2.0 { "sees it" } else { "IS BLIND" }
    );
}

/// Where the cursor moves.
#[derive(Clone, Copy, PartialEq)]
enum Pane {
    /// From incident to incident; panels are asked for where it rests.
    Incidents,
    /// Within one incident's entries, while its panels are answered and drawn anew.
    Timeline,
}

/// Median from key to first byte, in milliseconds.
fn measure(role: &str, pane: Pane, presses: usize, floor: (f64, f64)) -> f64 {
    let own = std::env::current_exe().expect("this bench");
    let own = own.to_string_lossy();
    let mut terminal = Terminal::start(&own, &[], &[(ROLE, role)], 200, 50);
    terminal.wait("the list", Duration::from_secs(60), |terminal| terminal.text().contains("case-00003"));
    if pane == Pane::Timeline {
        terminal.send(b"2");
    }
    terminal.read_for(Duration::from_secs(3));
    let before = terminal.bytes;
    let began = std::time::Instant::now();
    terminal.read_for(Duration::from_secs(5));
    let stream = (terminal.bytes - before) as f64 / 1024.0 / began.elapsed().as_secs_f64();
    let (mut first, mut shown, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut away: usize = 0;
    for press in 0..presses {
        // Away and back among the first rows, or the last entries, at moments that fit no clock.
        let is_away = (press / 25) % 2 == 0;
        away = if is_away { away + 1 } else { away - 1 };
        let (key, wanted) = match pane {
            Pane::Incidents => (if is_away { b"j" } else { b"k" }, format!("case-{away:05}")),
            Pane::Timeline if away == 0 => (b"j", "Kube".to_owned()),
            Pane::Timeline => (if is_away { b"k" } else { b"j" }, format!("entry {} of", 200 - away)),
        };
        let answer = terminal.press(key, &format!("the cursor on {wanted}"), |terminal| match pane {
            Pane::Incidents => terminal.cursor_row().is_some_and(|row| row.contains(&wanted)),
            Pane::Timeline => terminal.cursor_entry().is_some_and(|entry| entry.contains(&wanted)),
        });
        first.push(answer.first_byte.as_secs_f64() * 1000.0);
        shown.push(answer.shown.as_secs_f64() * 1000.0);
        bytes.push(answer.bytes as f64);
        terminal.read_for(Duration::from_millis(11 + (press * 7 % 23) as u64));
    }
    let p50 = quantile(&mut first, 0.5);
    let place = if pane == Pane::Timeline { ", beside panels that are answered" } else { "" };
    println!(
        "{role}{place}: {presses} keys, key to first byte p50 {p50:.2} ms (goal 2), p99 {:.2} ms (goal 8.3), max {:.1} ms; to the right \
         cell p50 {:.2}, p99 {:.2} ms; an echoing cat p50 {:.2}, p99 {:.2} ms; {:.0} bytes a key; {stream:.1} KiB/s without keys; {:.1} % \
         of a core; RSS {:.1} MiB",
        quantile(&mut first, 0.99),
        quantile(&mut first, 1.0),
        quantile(&mut shown, 0.5),
        quantile(&mut shown, 0.99),
        floor.0,
        floor.1,
        quantile(&mut bytes, 0.5),
        terminal.busy(),
        crate::pty::memory(terminal.pid()).0,
    );
    p50
}

/// What the terminal and the machine take by themselves: a `cat` that echoes.
fn floor() -> (f64, f64) {
    let mut terminal = Terminal::start("sh", &["-c", "stty raw -echo; exec cat -u"], &[], 200, 50);
    terminal.read_for(Duration::from_millis(500));
    let mut first = Vec::new();
    for press in 0..300 {
        let letter = [b'a' + (press % 26) as u8];
        let before = terminal.bytes;
        let answer = terminal.press(&letter, "the echo", |terminal| terminal.bytes > before);
        first.push(answer.first_byte.as_secs_f64() * 1000.0);
        terminal.read_for(Duration::from_millis(11 + (press * 7 % 23) as u64));
    }
    (quantile(&mut first, 0.5), quantile(&mut first, 0.99))
}

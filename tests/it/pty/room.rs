//! The screen's own loop in a terminal, without engine and sources: this test binary starts itself as the program. What
//! the loop hands to the engine is counted on the screen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pty_process::Command;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use warroom::domain::effect::Effect;
use warroom::domain::fact::Fact;
use warroom::tui::overlays::Overlay;
use warroom::tui::ports::{EFFECT_LANE, FACT_LANE, Ports};
use warroom::tui::run::{Options, run};
use warroom::tui::testing;
use warroom::tui::{Model, testing::setup};

use super::Terminal;

/// Set for the program; its value is what it does besides.
const ROLE: &str = "WARROOM_PTY_ROOM";

/// Starts the room. `role`: `quiet`, or `flood` (facts without end), or `panic` (drawing panics when the filter says so).
pub fn start(role: &str, columns: u16, rows: u16) -> Terminal {
    let own = std::env::current_exe().expect("this test binary");
    let command = Command::new(own)
        .args(["--exact", "pty::room::the_room_itself", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env("RUST_BACKTRACE", "0")
        .env("TERM", "xterm-256color");
    Terminal::start(command, columns, rows)
}

/// Starts the room and waits for its first frame.
pub async fn open(role: &str, columns: u16, rows: u16) -> Terminal {
    let mut terminal = start(role, columns, rows);
    terminal.wait_text("acts=0").await;
    terminal
}

/// The program. As a test of its own it does nothing.
#[test]
fn the_room_itself() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let code = runtime.block_on(room(role));
    std::process::exit(code);
}

async fn room(role: String) -> i32 {
    let (facts_in, facts) = mpsc::channel(FACT_LANE);
    let (effects, mut effects_out) = mpsc::channel(EFFECT_LANE);
    let (_keep, reloads) = mpsc::channel(1);
    for fact in testing::world() {
        facts_in.send(fact).await.unwrap();
    }
    let acts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&acts);
    let again = facts_in.clone();
    #[expect(clippy::disallowed_methods, reason = "the engine's place in this test")]
    tokio::spawn(async move {
        while let Some(effect) = effects_out.recv().await {
            if matches!(effect, Effect::Act(_)) {
                counted.fetch_add(1, Ordering::SeqCst);
                // Something is learned, so that the count is drawn.
                let health = testing::health("pagerduty", warroom::domain::source::SourceKind::PagerDuty);
                let _ = again.send(Fact::HealthChanged(health)).await;
            }
        }
    });
    if role == "flood" {
        #[expect(clippy::disallowed_methods, reason = "the engine's place in this test")]
        tokio::spawn(flood(facts_in));
    } else {
        std::mem::forget(facts_in);
    }
    let options = Options {
        fps: None,
        // An editor that only a terminal in its usual mode can run.
        editor: r#"sh -c 'stty -a | grep -q " icanon" && echo written by hand > "$1"' sh"#.to_owned(),
        environment: vec![("PATH".into(), std::env::var("PATH").unwrap_or_default())],
        recorder: None,
    };
    let panics = role == "panic";
    let ports = Ports { facts, effects, reloads };
    run(Model::new(setup(80, 24)), ports, options, move |model, buffer| draw(model, buffer, &acts, panics))
        .await
        .unwrap()
}

async fn flood(facts: mpsc::Sender<Fact>) {
    let mut number = 0_u64;
    loop {
        number += 1;
        let mut record = testing::record(1 + number % 50);
        record.number = number;
        let changed = vec![Arc::new(record)];
        let fact = Fact::IncidentsChanged { source: testing::source("pagerduty"), changed };
        if facts.send(fact).await.is_err() {
            return;
        }
        if number.is_multiple_of(64) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Lines that tests look for; the real view has snapshots of its own.
fn draw(model: &Model, buffer: &mut Buffer, acts: &AtomicUsize, panics: bool) {
    let area = buffer.area;
    let filter = model.incidents.filter.text();
    assert!(!(panics && filter == "boom"), "drawing went wrong on purpose");
    let mut lines = vec![
        format!(
            "acts={} size={}x{} selected={:?}",
            acts.load(Ordering::SeqCst),
            area.width,
            area.height,
            model.incidents.selected
        ),
        format!("filter={filter} focus={}", model.focus.title()),
    ];
    for toast in model.toasts.shown() {
        lines.push(format!("notice: {}", toast.text));
    }
    if let Some(overlay) = model.overlays.last() {
        lines.push(match overlay {
            Overlay::Confirm(confirm) => format!("question: {} | {:?}", confirm.title, confirm.will.first()),
            Overlay::Picker(picker) => format!("picker: {}", picker.title),
            Overlay::Prompt(prompt) => format!("prompt: {}", prompt.input.text()),
            Overlay::Declare(form) => format!("form: {}", form.title.text()),
            other => format!("overlay: {other:?}").chars().take(60).collect(),
        });
    }
    let rows = usize::from(area.height.saturating_sub(lines.len() as u16));
    for (row, id) in model.incidents.visible(&model.room, rows) {
        let number = model.room.incident(&id).and_then(|incident| incident.record.as_ref().map(|record| record.number));
        lines.push(format!("{row} {id} {number:?}"));
    }
    for (y, line) in lines.iter().take(usize::from(area.height)).enumerate() {
        let shown: String = line.chars().take(usize::from(area.width)).collect();
        buffer.set_string(0, y as u16, shown, ratatui::style::Style::default());
    }
    // The far corner proves that the last size was drawn.
    if area.width > 2 && area.height > 0 {
        let corner = Rect::new(area.width - 1, area.height - 1, 1, 1);
        buffer.set_string(corner.x, corner.y, "#", ratatui::style::Style::default());
    }
}

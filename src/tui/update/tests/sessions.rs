//! A step in a terminal of its own: what it shows, which keys reach it, what sends a staged line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::runs::{asked, id, moved, opened_with, running};
use crate::domain::fact::Fact;
use crate::domain::run::{Ending, Happened, Outcome, RunId, Wanted};
use crate::text::Clean;
use crate::tui::model::{Model, Size};
use crate::tui::msg::{Input, Msg};
use crate::tui::overlays::Overlay;
use crate::tui::testing::{learn, notice, press};
use crate::tui::update::{Step, update};

const SESSION: &str = "runbooks:\n  scale:\n    title: Scale\n    steps:\n      - {name: Look, id: look, session: ['ssh web-1', 'df -h', 'du -sh {folder}']}\n";

const EDITOR: &str = "runbooks:\n  scale:\n    title: Scale\n    steps:\n      - {name: Look, id: look, command: 'kubectl edit deployment web', interactive: true}\n";

fn typed(model: &mut Model, run: RunId, bytes: &[u8]) {
    learn(model, Fact::StepTyped { run, step: id("look"), bytes: bytes.to_vec() });
}

fn paste(model: &mut Model, text: &str) -> Step {
    let now = model.now;
    update(model, Msg::Input(Input::Paste(text.to_owned())), now)
}

/// The screen's lines.
fn drawn(model: &Model) -> Vec<String> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    let capabilities = crate::config::theme::Capabilities::FULL;
    crate::tui::view::draw(model, &mut crate::tui::view::RenderCache::new(capabilities), &mut buffer);
    crate::tui::export::text(&buffer).lines().map(str::to_owned).collect()
}

fn has(model: &Model, text: &str) -> bool {
    drawn(model).iter().any(|line| line.contains(text))
}

#[test]
fn a_session_shows_its_screen_and_sends_staged_lines_only_by_key() {
    let (mut model, run) = opened_with(SESSION);
    running(&mut model, run, "look");
    typed(&mut model, run, b"welcome to web-1\r\n\x1b[1;31m$\x1b[0m ");
    let orders = asked(&press(&mut model, "r"));
    let [(_, Wanted::Resize { columns, rows, .. })] = &orders[..] else { panic!("{orders:?}") };
    assert!(*columns > 100 && *rows > 30, "{columns}×{rows}: as large as the room allows");
    assert!(has(&model, "welcome to web-1") && has(&model, "staged 1/2 df -h"), "{:#?}", drawn(&model));
    // Letters mean nothing to the program now, and nothing to the panes below.
    assert!(asked(&press(&mut model, "a x d")).is_empty());
    let orders = asked(&press(&mut model, "enter"));
    assert_eq!(orders, [(run, Wanted::SendLine { step: id("look"), line: "df -h".to_owned() })]);
    assert!(has(&model, "staged 2/2 du -sh {folder}"));
    assert!(asked(&press(&mut model, "enter")).is_empty(), "a line with a blank is not sent as it is");
    assert!(notice(&model).contains("blanks"), "{}", notice(&model));
    press(&mut model, "esc");
    assert!(model.overlays.is_empty(), "it goes on without being watched");
}

#[test]
fn the_keys_go_to_the_program_until_they_are_taken_back() {
    let (mut model, run) = opened_with(SESSION);
    running(&mut model, run, "look");
    press(&mut model, "r i");
    for (chord, bytes) in [("q", "q"), ("esc", "\x1b"), ("ctrl-c", "\x03"), ("enter", "\r"), ("up", "\x1b[A")] {
        let orders = asked(&press(&mut model, chord));
        assert_eq!(orders, [(run, Wanted::Type { step: id("look"), bytes: bytes.into() })], "{chord}");
    }
    typed(&mut model, run, b"\x1b[?1h");
    let orders = asked(&press(&mut model, "up"));
    assert_eq!(orders, [(run, Wanted::Type { step: id("look"), bytes: "\x1bOA".into() })], "as the program asked");
    assert!(has(&model, "Ctrl-] takes the keys back"), "{:#?}", drawn(&model));
    assert!(asked(&press(&mut model, "ctrl-]")).is_empty());
    press(&mut model, "q");
    assert!(model.overlays.is_empty());
}

#[test]
fn a_paste_runs_nothing_in_a_shell_and_arrives_whole_where_pastes_are_asked_for() {
    let (mut model, run) = opened_with(EDITOR);
    running(&mut model, run, "look");
    press(&mut model, "r");
    let Some(Overlay::Terminal(terminal)) = model.overlays.last() else { panic!("{:?}", model.overlays) };
    assert!(terminal.has_keys, "a program without staged lines gets the keys at once");
    assert!(asked(&paste(&mut model, "rm -rf x\n")).is_empty());
    let wanted = |text: &str| [(run, Wanted::Type { step: id("look"), bytes: text.into() })];
    assert_eq!(asked(&paste(&mut model, "one\x1b[201~ line")), wanted("one[201~ line"));
    typed(&mut model, run, b"\x1b[?2004h");
    assert_eq!(asked(&paste(&mut model, "a\nb\x1b[201~")), wanted("\x1b[200~a\nb[201~\x1b[201~"));
}

#[test]
fn another_size_reaches_the_program_and_its_end_is_seen() {
    let (mut model, run) = opened_with(SESSION);
    running(&mut model, run, "look");
    press(&mut model, "r");
    let now = model.now;
    let step = update(&mut model, Msg::Input(Input::Resized(Size { width: 80, height: 24 })), now);
    let orders = asked(&step);
    let [(_, Wanted::Resize { columns: 60..=80, rows: 12..=22, .. })] = &orders[..] else { panic!("{orders:?}") };
    typed(&mut model, run, "a\u{202e}b hidden\r\n".as_bytes());
    assert!(!drawn(&model).concat().contains('\u{202e}'), "what turns text around is shown, not obeyed");
    let ending = Ending::Exit { code: 0 };
    let outcome = Outcome::Done { note: Clean::default() };
    moved(&mut model, run, Happened::Finished { step: id("look"), ending, millis: 5, outcome });
    assert!(asked(&press(&mut model, "enter")).is_empty());
    assert!(notice(&model).contains("nothing runs there any more"), "{}", notice(&model));
}

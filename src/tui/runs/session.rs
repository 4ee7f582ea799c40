//! A step in a terminal of its own: watched, sent staged lines one by one, or given the keys.

use super::order;
use crate::config::keymap::{Chord, Key};
use crate::domain::run::{RunId, StepState, Wanted};
use crate::runbook::model::Step as Line;
use crate::runbook::{Work, template};
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::terminal::{Terminal, bytes, takes_back};
use crate::tui::toast::Weight;
use crate::tui::update::Step;
use crate::tui::view::terminal_size;

/// Opens a step's terminal, in the size that is free for it.
pub(super) fn open(model: &mut Model, step: &mut Step, run: RunId, line: &Line) {
    let staged = match &line.work {
        // The first line opened it.
        Work::Session { lines } => lines.iter().skip(1).cloned().collect(),
        _ => Vec::new(),
    };
    let (id, title) = (line.id.clone(), line.title.clone());
    // A program without staged lines is there to be typed into.
    let has_keys = staged.is_empty() && !model.read_only;
    model.open(Overlay::Terminal(Box::new(Terminal { run, step: id, title, staged, next: 0, has_keys })));
    fit(model, step);
}

/// Gives the terminal that is open the size that is free for it.
pub fn fit(model: &mut Model, step: &mut Step) {
    let Some(Overlay::Terminal(terminal)) = model.overlays.last() else { return };
    let (run, id) = (terminal.run, terminal.step.clone());
    let (columns, rows) = terminal_size(model);
    model.runbook.screens.resize(run, &id, columns, rows);
    order(model, step, run, Wanted::Resize { step: id, columns, rows });
}

/// A key while a terminal is open.
pub fn press(model: &mut Model, step: &mut Step, chord: Chord, in_burst: bool) {
    let Some(Overlay::Terminal(terminal)) = model.overlays.last() else { return };
    let (run, id) = (terminal.run, terminal.step.clone());
    if terminal.has_keys {
        if takes_back(chord) {
            return keys(model, false);
        }
        let screen = model.runbook.screens.of(run, &id).map(|emulator| emulator.screen().application_cursor());
        let bytes = bytes(chord, screen.unwrap_or(false));
        if !bytes.is_empty() {
            order(model, step, run, Wanted::Type { step: id, bytes });
        }
        return;
    }
    match chord.key {
        Key::Esc | Key::Char('q') => drop(model.close()),
        Key::Char('c') if chord.ctrl => drop(model.close()),
        Key::Char('i') | Key::Enter if model.read_only => {
            model.toasts.say(Weight::Info, "this room is read-only: the program gets no keys from here", model.now);
        }
        Key::Char('i') => keys(model, true),
        Key::Down | Key::Char('j') => choose(model, 1),
        Key::Up | Key::Char('k') => choose(model, -1),
        // What came in one piece with other characters was pasted.
        Key::Enter if !in_burst => send(model, step),
        _ => {}
    }
}

fn keys(model: &mut Model, has_keys: bool) {
    if let Some(Overlay::Terminal(terminal)) = model.overlays.last_mut() {
        terminal.has_keys = has_keys;
    }
}

fn choose(model: &mut Model, by: isize) {
    if let Some(Overlay::Terminal(terminal)) = model.overlays.last_mut() {
        let last = terminal.staged.len().saturating_sub(1);
        terminal.next = terminal.next.saturating_add_signed(by).min(last);
    }
}

/// Sends the staged line that is shown, and shows the next one.
fn send(model: &mut Model, step: &mut Step) {
    let Some(Overlay::Terminal(terminal)) = model.overlays.last() else { return };
    let (run, id) = (terminal.run, terminal.step.clone());
    let Some(line) = terminal.line().cloned() else { return };
    let plan = model.room.run(run);
    let is_running = plan.is_some_and(|run| matches!(run.state(&id), StepState::Running { .. }));
    let runbook = plan.and_then(|run| model.runbooks.iter().find(|known| known.content_hash == run.content_hash));
    let has_holes = runbook.is_some_and(|known| known.is_native) && template::native(&line).holes().next().is_some();
    if !is_running {
        return model.toasts.say(Weight::Info, "nothing runs there any more: Esc leaves", model.now);
    }
    if has_holes {
        let says = "the line has blanks that only you can fill: press i and type it";
        return model.toasts.say(Weight::Warning, says, model.now);
    }
    order(model, step, run, Wanted::SendLine { step: id, line });
    if let Some(Overlay::Terminal(terminal)) = model.overlays.last_mut() {
        terminal.next += 1;
    }
}

/// A paste goes to the program that has the keys: in brackets where it asked for them, else as one line, so that no
/// pasted line end runs anything.
pub fn paste(model: &mut Model, step: &mut Step, text: &str) -> bool {
    let Some(Overlay::Terminal(terminal)) = model.overlays.last() else { return false };
    let (run, id) = (terminal.run, terminal.step.clone());
    let screen = model.runbook.screens.of(run, &id).map(|emulator| emulator.screen().bracketed_paste());
    let is_bracketed = screen.unwrap_or(false);
    // An escape could end the brackets early.
    let clean: String = text.chars().filter(|symbol| !symbol.is_control() || matches!(symbol, '\n' | '\t')).collect();
    if !terminal.has_keys || (clean.contains('\n') && !is_bracketed) {
        let says = "a paste of several lines goes only to a program that has the keys and asks for pastes";
        model.toasts.say(Weight::Info, says, model.now);
        return true;
    }
    let text = if is_bracketed { format!("\x1b[200~{clean}\x1b[201~") } else { clean };
    order(model, step, run, Wanted::Type { step: id, bytes: text.into_bytes() });
    true
}

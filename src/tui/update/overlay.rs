//! Commands and keys while something lies over the panes.

use super::{Step, act, commands};
use crate::config::keymap::Chord;
use crate::domain::command::CommandId as Id;
use crate::domain::effect::Effect;
use crate::domain::run::Wanted;
use crate::text::Clean;
use crate::tui::acts;
use crate::tui::command::blocked;
use crate::tui::model::Model;
use crate::tui::msg::TerminalEffect;
use crate::tui::overlays::confirm::{Then, Verdict};
use crate::tui::overlays::problems::{Line, lines};
use crate::tui::overlays::{Detail, Overlay, palette, picker, prompt};
use crate::tui::panes::incidents::update::Move;
use crate::tui::runs;
use crate::tui::textbox::TextBox;
use crate::tui::toast::Weight;

/// A key for the question on top.
pub(super) fn press_confirm(model: &mut Model, step: &mut Step, chord: Chord, in_burst: bool) {
    let now = model.now;
    let Some(Overlay::Confirm(confirm)) = model.overlays.last_mut() else { return };
    match confirm.press(chord, in_burst, now) {
        Verdict::Open => {}
        Verdict::Cancelled => {
            // Ctrl-C on the question whether to leave means it.
            let leaves = confirm.then == Then::Quit && chord == Chord::ctrl('c');
            model.close();
            if leaves {
                step.quit(0);
            }
        }
        Verdict::Confirmed => {
            if let Some(Overlay::Confirm(confirm)) = model.close() {
                match confirm.then {
                    Then::Act(intents) => {
                        step.act(model, intents);
                        model.incidents.marks.clear();
                    }
                    Then::Approve { run, step: id, digest, how, incident } => {
                        let situation = incident.map(|incident| model.room.situation(&incident)).unwrap_or_default();
                        let situation = Box::new(situation);
                        runs::order(model, step, run, Wanted::Approve { step: id, digest, how, situation });
                    }
                    Then::Order { run, what } => runs::order(model, step, run, *what),
                    Then::Quit => step.quit(0),
                }
            }
        }
    }
}

/// The text of the overlay on top changed.
pub(super) fn text_changed(model: &mut Model) {
    let text = match model.overlays.last_mut() {
        Some(Overlay::Picker(picker)) => {
            picker.narrow();
            return;
        }
        Some(Overlay::Palette(palette)) => palette.input.text(),
        _ => return,
    };
    let found = palette::find(model, &text);
    if let Some(Overlay::Palette(palette)) = model.overlays.last_mut() {
        palette.found = found;
        palette.at = 0;
    }
}

/// A command while something is open; false when nothing is, or when it is one for everywhere.
pub(super) fn run(model: &mut Model, step: &mut Step, id: Id) -> bool {
    let Some(top) = model.overlays.last() else { return false };
    match id {
        Id::Redraw | Id::Suspend => return false,
        Id::Quit => {
            model.close();
            commands::run(model, step, Id::Quit);
            return true;
        }
        Id::Back => {
            model.close();
            return true;
        }
        _ => {}
    }
    // The same key that opens these closes them.
    let closes = matches!((top, id), (Overlay::Help(_), Id::Help) | (Overlay::Problems(_), Id::Problems));
    if closes {
        model.close();
        return true;
    }
    match id {
        Id::MoveDown => move_by(model, Move::By(1)),
        Id::MoveUp => move_by(model, Move::By(-1)),
        Id::MoveFirst => move_by(model, Move::First),
        Id::MoveLast => move_by(model, Move::Last),
        Id::PageDown => move_by(model, Move::Pages(1)),
        Id::PageUp => move_by(model, Move::Pages(-1)),
        Id::FocusNext => next_part(model, 1),
        Id::FocusPrevious => next_part(model, -1),
        Id::Open => enter(model, step),
        Id::Copy => act::copy(model, step),
        Id::Filter => ask_find(model),
        Id::OpenLink => act::open_link(model, step),
        Id::Retry => on_action(model, step, Id::Retry),
        Id::GiveUp => on_action(model, step, Id::GiveUp),
        Id::EditAction => on_action(model, step, Id::EditAction),
        Id::Help | Id::Problems => return false,
        _ => {}
    }
    true
}

/// What to look for on this page?
fn ask_find(model: &mut Model) {
    let Some(Overlay::Detail(detail)) = model.overlays.last() else { return };
    let again = detail.find.as_ref().map_or(String::new(), |find| format!(", alone the next \u{201c}{find}\u{201d}"));
    model.open(Overlay::Prompt(prompt::Prompt {
        title: Clean::new("Find on this page"),
        hint: Clean::new(format!("Enter goes to the next line that has it{again} · Esc leaves")),
        input: TextBox::default(),
        purpose: prompt::Purpose::Find,
    }));
}

/// Goes to the next line that has the text, from the top again after the last one; without a text to the next one of
/// what was looked for before.
fn find(model: &mut Model, text: &str) {
    let Some(Overlay::Detail(detail)) = model.overlays.last_mut() else { return };
    let text = text.trim();
    let is_again = text.is_empty();
    if !is_again {
        detail.find = Some(Clean::new(text));
    }
    let Some(wanted) = detail.find.clone() else { return };
    let last = crate::tui::view::extent(model).map_or(0, |(lines, shown)| lines.saturating_sub(shown));
    let Some(Overlay::Detail(detail)) = model.overlays.last() else { return };
    let from = detail.offset.min(last) + usize::from(is_again);
    match crate::tui::view::line_with(model, &wanted, from) {
        Some(line) => {
            if let Some(Overlay::Detail(detail)) = model.overlays.last_mut() {
                detail.offset = line;
            }
        }
        None => model.toasts.say(Weight::Info, format!("no line here has \u{201c}{wanted}\u{201d}"), model.now),
    }
}

/// Lines that a page key moves in an overlay.
fn page(model: &Model) -> usize {
    usize::from(model.rects().body.height).saturating_sub(6).max(1)
}

fn move_by(model: &mut Model, how: Move) {
    let page = page(model);
    let all = match model.overlays.last() {
        Some(Overlay::Problems(_)) => lines(model),
        _ => Vec::new(),
    };
    // How long a page is depends on its width, so the view is asked.
    let last = crate::tui::view::extent(model).map_or(0, |(lines, shown)| lines.saturating_sub(shown));
    let scroll = |offset: usize| how.from(offset.min(last), last + 1, page);
    match model.overlays.last_mut() {
        Some(Overlay::Help(help)) => help.offset = scroll(help.offset),
        Some(Overlay::Detail(detail)) => detail.offset = scroll(detail.offset),
        Some(Overlay::Palette(palette)) => palette.at = how.from(palette.at, palette.found.len(), page),
        Some(Overlay::Picker(picker)) => picker.move_cursor(how),
        Some(Overlay::Problems(problems)) => problems.move_cursor(&all, how),
        Some(Overlay::Declare(form)) => match how {
            Move::By(lines) => form.move_field(lines.signum()),
            Move::Pages(_) | Move::First | Move::Last => {}
        },
        Some(Overlay::Confirm(_) | Overlay::Prompt(_) | Overlay::Terminal(_)) | None => {}
    }
}

fn next_part(model: &mut Model, by: isize) {
    match model.overlays.last_mut() {
        Some(Overlay::Declare(form)) => form.move_field(by),
        Some(Overlay::Picker(picker)) if picker.is_many => {
            picker.toggle();
            picker.move_cursor(Move::By(by));
        }
        Some(Overlay::Palette(palette)) => palette.at = Move::By(by).from(palette.at, palette.found.len(), 1),
        _ => {}
    }
}

/// Enter.
fn enter(model: &mut Model, step: &mut Step) {
    match model.overlays.last() {
        Some(Overlay::Palette(palette)) => {
            let Some(found) = palette.found.get(palette.at).cloned() else { return };
            if let Some(why) = blocked(model, found.command) {
                model.toasts.say(Weight::Warning, why, model.now);
                return;
            }
            model.close();
            commands::run(model, step, found.command);
        }
        Some(Overlay::Picker(_)) => pick(model, step),
        Some(Overlay::Prompt(_)) => {
            let Some(Overlay::Prompt(prompt)) = model.close() else { return };
            let text = prompt.input.text();
            match prompt.purpose {
                prompt::Purpose::Note(targets) => acts::note(model, step, targets, &text, false),
                prompt::Purpose::Instead(op, targets) => {
                    // The old one goes first: both never are on their way.
                    if !text.trim().is_empty() {
                        step.effects.push(Effect::Drop(op));
                    }
                    acts::note(model, step, targets, &text, false);
                }
                prompt::Purpose::Find => find(model, &text),
                prompt::Purpose::Run { run, step: id, why } => runs::typed(model, step, run, id, why, &text),
            }
        }
        Some(Overlay::Declare(_)) => act::declare_enter(model),
        Some(Overlay::Problems(_)) => open_action(model),
        Some(Overlay::Help(_) | Overlay::Detail(_)) => {
            model.close();
        }
        Some(Overlay::Confirm(_) | Overlay::Terminal(_)) | None => {}
    }
}

fn pick(model: &mut Model, step: &mut Step) {
    let Some(Overlay::Picker(picker)) = model.overlays.last() else { return };
    let values = picker.chosen();
    if values.is_empty() && !matches!(picker.purpose, picker::Purpose::Kinds) {
        return;
    }
    if let Some(Overlay::Picker(picker)) = model.close() {
        act::picked(model, step, &picker, values);
    }
}

fn selected_line(model: &Model) -> Option<Line> {
    let Some(Overlay::Problems(problems)) = model.overlays.last() else { return None };
    let all = lines(model);
    all.get(problems.row(&all)).cloned()
}

/// Tries an action again or gives it up.
fn on_action(model: &mut Model, step: &mut Step, id: Id) {
    let Some(Line::Action(op)) = selected_line(model) else {
        model.toasts.say(Weight::Info, "only actions can be tried again, given up or changed", model.now);
        return;
    };
    if let Some(why) = blocked(model, id) {
        model.toasts.say(Weight::Warning, why, model.now);
        return;
    }
    if id == Id::EditAction {
        return acts::edit_action(model, op);
    }
    let (effect, says) = match id {
        Id::Retry => (Effect::Retry(op), "trying again; what was done already is looked up first"),
        _ => (Effect::Drop(op), "given up"),
    };
    step.effects.push(effect);
    model.toasts.say(Weight::Info, says, model.now);
}

/// From an action to its incident.
fn open_action(model: &mut Model) {
    let Some(Line::Action(op)) = selected_line(model) else { return };
    let target = model.room.sendings().get(&op).map(|sending| sending.intent.target.clone());
    if let Some(crate::domain::action::Target::Incident { id, .. }) = target {
        let subject = crate::tui::overlays::Subject::Incident(id);
        model.open(Overlay::Detail(Detail { subject, offset: 0, find: None }));
    }
}

/// Copies a text and says so.
pub(super) fn said_copied(model: &mut Model, step: &mut Step, text: String) {
    // What is pasted into a shell later must not hold what a shell would act on.
    let text: String = text.chars().filter(|symbol| matches!(symbol, '\n' | '\t') || !symbol.is_control()).collect();
    let shown = acts::shortened(&text, 40);
    model.toasts.say(Weight::Info, format!("copied: {shown}"), model.now);
    step.terminal.push(TerminalEffect::Copy(text));
}

//! One arm for each command, when no overlay took it.

use super::{Step, act, overlay};
use crate::config::keymap::Context;
use crate::domain::command::CommandId as Id;
use crate::domain::effect::Effect;
use crate::tui::acts;
use crate::tui::command::{blocked, command};
use crate::tui::layout::{Pane, Shape};
use crate::tui::model::Model;
use crate::tui::msg::TerminalEffect;
use crate::tui::overlays::{Detail, Help, Overlay, Palette, Problems, Subject, palette};
use crate::tui::panes::incidents::update::{self as list, Move};
use crate::tui::panes::{panels, runbook, timeline};
use crate::tui::runs;
use crate::tui::toast::Weight;

/// How far one press moves the border of the first column, in thousandths.
const WIDEN_BY: i16 = 30;

/// Does a command, wherever it came from: a key, the palette, the mouse.
pub(super) fn run(model: &mut Model, step: &mut Step, id: Id) {
    if overlay::run(model, step, id) {
        return;
    }
    if model.incidents.is_filtering && run_in_filter(model, id) {
        return;
    }
    if let Some(says) = blocked(model, id) {
        model.toasts.say(Weight::Warning, says, model.now);
        return;
    }
    let contexts = command(id).contexts;
    if !contexts.is_empty()
        && let Some(pane) = contexts.iter().find_map(|context| pane_of(*context))
    {
        model.focus = pane;
    }
    match id {
        Id::MoveDown => move_cursor(model, Move::By(1)),
        Id::MoveUp => move_cursor(model, Move::By(-1)),
        Id::MoveFirst => move_cursor(model, Move::First),
        Id::MoveLast => move_cursor(model, Move::Last),
        Id::PageDown => move_cursor(model, Move::Pages(1)),
        Id::PageUp => move_cursor(model, Move::Pages(-1)),
        Id::FocusNext => model.focus = model.focus.next(),
        Id::FocusPrevious => model.focus = model.focus.previous(),
        Id::FocusIncidents => model.focus = Pane::Incidents,
        Id::FocusTimeline => model.focus = Pane::Timeline,
        Id::FocusPanels => model.focus = Pane::Panels,
        Id::FocusRunbook => model.focus = Pane::Runbook,
        Id::Zoom => model.zoom = !model.zoom,
        Id::Widen => widen(model, WIDEN_BY),
        Id::Narrow => widen(model, -WIDEN_BY),
        Id::Back => back(model),
        Id::Mark => list::mark(model),
        Id::MarkAll => list::mark_all(model),
        Id::Filter => {
            model.focus = Pane::Incidents;
            model.incidents.is_filtering = true;
        }
        Id::ClearFilter => list::filter_clear(model),
        Id::Open => open(model),
        Id::Explain => explain(model),
        Id::Help => model.open(Overlay::Help(Help::default())),
        Id::Problems => {
            model.problems_seen = true;
            model.open(Overlay::Problems(Problems::default()));
        }
        Id::Palette => {
            let found = palette::find(model, "");
            model.open(Overlay::Palette(Palette { found, ..Palette::default() }));
        }
        Id::RangeLonger => panels::update::change_range(model, 1),
        Id::RangeShorter => panels::update::change_range(model, -1),
        Id::FilterTimeline => timeline::update::ask_kinds(model),
        Id::Refresh => refresh(model, step),
        Id::NextTheme => next_theme(model),
        Id::Dismiss => {
            model.toasts.dismiss();
        }
        Id::Suspend => step.terminal.push(TerminalEffect::Suspend),
        Id::Redraw => step.terminal.push(TerminalEffect::Redraw),
        Id::Copy => act::copy(model, step),
        Id::OpenLink => act::open_link(model, step),
        Id::Tick => runbook::update::tick(model, step),
        Id::RunStep => runs::next(model, step),
        Id::CancelStep => runs::cancel(model, step),
        Id::SkipStep => runs::skip(model, step),
        Id::UndoStep => runs::undo(model),
        Id::HandRun => runs::hand::ask(model),
        Id::ChooseRunbook => runbook::update::ask_runbook(model),
        Id::Quit => acts::leave(model, step),
        Id::Acknowledge => acts::acknowledge(model, step),
        Id::Resolve => acts::resolve(model),
        Id::Escalate => act::escalate(model),
        Id::Snooze => acts::ask_snooze(model),
        Id::Silence => acts::ask_silence(model),
        Id::Reassign => acts::ask_reassign(model),
        Id::Merge => acts::merge(model),
        Id::Note => acts::ask_note(model),
        Id::NoteInEditor => acts::edit_note(model, step),
        Id::Declare => act::declare(model),
        Id::Undo => acts::undo(model),
        Id::TakeRole => acts::ask_role(model),
        // Only the problems view has lines to try again, give up or write anew.
        Id::Retry | Id::GiveUp | Id::EditAction => {
            model.toasts.say(Weight::Info, "choose the action in the problems view first", model.now);
            model.open(Overlay::Problems(Problems::default()));
        }
        // Commands of later versions were answered by `blocked`.
        Id::StatusUpdate | Id::Diagnose | Id::Review | Id::Handoff => {}
    }
}

fn pane_of(context: Context) -> Option<Pane> {
    match context {
        Context::Incidents => Some(Pane::Incidents),
        Context::Timeline => Some(Pane::Timeline),
        Context::Panels => Some(Pane::Panels),
        Context::Runbook => Some(Pane::Runbook),
        Context::Global | Context::Overlay | Context::Problems | Context::Text => None,
    }
}

/// Keys that the filter's line answers.
fn run_in_filter(model: &mut Model, id: Id) -> bool {
    match id {
        Id::Open => list::filter_done(model),
        Id::Back | Id::Quit => {
            // The first Esc leaves the line, and clears it when nothing fits.
            let is_useless = model.incidents.len(&model.room) == 0 || model.incidents.filter.is_empty();
            if is_useless { list::filter_clear(model) } else { list::filter_done(model) }
        }
        Id::MoveDown => list::move_cursor(model, Move::By(1)),
        Id::MoveUp => list::move_cursor(model, Move::By(-1)),
        Id::PageDown => list::move_cursor(model, Move::Pages(1)),
        Id::PageUp => list::move_cursor(model, Move::Pages(-1)),
        Id::FocusNext | Id::FocusPrevious => list::filter_done(model),
        _ => return false,
    }
    true
}

/// Moves the cursor of the pane that has the keys.
pub(super) fn move_cursor(model: &mut Model, how: Move) {
    match model.focus {
        Pane::Incidents => list::move_cursor(model, how),
        Pane::Timeline => timeline::update::move_cursor(model, how),
        Pane::Panels => panels::update::move_cursor(model, how),
        Pane::Runbook => runbook::update::move_cursor(model, how),
    }
}

fn widen(model: &mut Model, by: i16) {
    let shape = Shape::of(model.size.width, model.size.height);
    model.splits = model.splits.widened(shape, by);
}

/// One thing at a time: the zoom, then the marks, then the way back to the list.
fn back(model: &mut Model) {
    if model.zoom {
        model.zoom = false;
    } else if model.focus != Pane::Incidents {
        model.focus = Pane::Incidents;
    } else {
        model.incidents.marks.clear();
    }
}

fn open(model: &mut Model) {
    let Some(incident) = model.incidents.selected.clone() else { return };
    let subject = match model.focus {
        Pane::Timeline => timeline::update::selected(model).map(|entry| Subject::Entry(incident, entry)),
        Pane::Incidents => Some(Subject::Incident(incident)),
        Pane::Panels => {
            model.zoom = !model.zoom;
            None
        }
        Pane::Runbook => match runbook::update::printed(model) {
            Some((run, step)) => {
                // The newest lines are what one wants to see.
                let subject = Subject::Output(run, step);
                model.open(Overlay::Detail(Detail { subject, offset: usize::MAX, find: None }));
                None
            }
            None => {
                model.zoom = !model.zoom;
                None
            }
        },
    };
    if let Some(subject) = subject {
        model.open(Overlay::Detail(Detail { subject, offset: 0, find: None }));
    }
}

fn explain(model: &mut Model) {
    if let Some(incident) = model.incidents.selected.clone() {
        model.open(Overlay::Detail(Detail { subject: Subject::Explain(incident), offset: 0, find: None }));
    }
}

fn refresh(model: &mut Model, step: &mut Step) {
    step.effects.push(Effect::Refresh);
    panels::update::ask_again(model);
    model.toasts.say(Weight::Info, "asking every source again", model.now);
}

fn next_theme(model: &mut Model) {
    let at = model.themes.iter().position(|theme| theme.name() == model.theme.name()).unwrap_or(0);
    let count = model.themes.len().max(1);
    if let Some(theme) = model.themes.get((at + 1) % count) {
        model.theme = std::sync::Arc::clone(theme);
        model.toasts.say(Weight::Info, format!("theme {}", model.theme.name()), model.now);
    }
}

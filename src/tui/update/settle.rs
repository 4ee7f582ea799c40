//! After every message: what is derived from the room is brought in line, and questions that are due are asked.

use super::Step;
use crate::domain::action::Target;
use crate::domain::effect::Effect;
use crate::tui::acts;
use crate::tui::model::Model;
use crate::tui::panes::incidents::update as list;
use crate::tui::panes::{panels, runbook, timeline};
use crate::tui::toast::Weight;

/// Brings everything in line.
pub(super) fn settle(model: &mut Model, step: &mut Step) {
    let now = model.now;
    if model.incidents.search.step(&mut model.incidents.found, &model.room, now) {
        step.redraw = true;
    }
    follow(model);
    go_to_opened(model);
    let stamp = Some((model.room.board().version(), model.incidents.offset, model.incidents.search.text().to_owned()));
    if model.incidents.found.is_some() && stamp != model.incidents.matched {
        list::find_matches(model);
        model.incidents.matched = stamp;
    }
    attend(model, step);
    timeline::update::settle(model);
    runbook::update::settle(model);
    step.effects.extend(panels::update::due(model));
    if model.toasts.fade(now) {
        step.redraw = true;
    }
}

/// The cursor follows its incident; when that leaves the list it is said once, and nothing else moves.
fn follow(model: &mut Model) {
    let had_left = model.incidents.has_left;
    let title = model.selected().map(acts::label);
    list::follow(model);
    let by_filter = model.incidents.found.is_some();
    if model.incidents.has_left && !had_left && !by_filter {
        let what = title.unwrap_or_else(|| "the selected incident".to_owned());
        model.toasts.say(
            Weight::Info,
            format!("{what} left the list; the cursor stays on it until you move"),
            model.now,
        );
    }
}

/// The cursor goes to the incident that the person declared, once it is there.
fn go_to_opened(model: &mut Model) {
    let row = model.awaited.as_ref().and_then(|pager| model.room.row_of(pager)).cloned();
    if let Some(row) = row.filter(|_| model.overlays.is_empty()) {
        model.awaited = None;
        list::select(model, Some(row));
    }
}

/// The engine keeps fresh what people look at.
fn attend(model: &mut Model, step: &mut Step) {
    let target: Option<Target> = model.selected().map(|incident| acts::target(model, incident));
    model.attention.rests_on(target, model.now);
    if let Some(told) = model.attention.due(model.now) {
        step.effects.push(Effect::Focus(told));
    }
}

//! Moving in the panels, their range, and answers.

use std::sync::Arc;

use super::ask::{cells, choose, dashboard, make};
use super::state::RANGES_S;
use crate::domain::effect::{Effect, QueryId};
use crate::domain::failure::Failure;
use crate::domain::series::QueryResult;
use crate::domain::time::Timestamp;
use crate::tui::layout::Pane;
use crate::tui::model::Model;
use crate::tui::panes::incidents::update::Move;
use crate::tui::toast::Weight;

/// What stands on screen decides what is asked: other places, other questions.
pub fn due(model: &mut Model) -> Vec<Effect> {
    choose(model);
    let geometry = (model.size, model.rects().inside(Pane::Panels), model.panels.offset, model.panels.range_s);
    if model.panels.asked_for != Some(geometry) {
        model.panels.asked_for = Some(geometry);
        model.panels.next_due = None;
    }
    if geometry.1.is_empty() {
        return Vec::new();
    }
    super::ask::due(model)
}

/// When the next question is due, while panels can be seen.
#[must_use]
pub fn next_due(model: &Model) -> Option<Timestamp> {
    let is_seen = !model.rects().inside(Pane::Panels).is_empty() && dashboard(model).is_some();
    model.panels.next_due.filter(|_| is_seen)
}

/// An answer came. One to a question that nobody waits for any more is dropped. True when it is on screen.
pub fn answered(model: &mut Model, id: QueryId, at: Timestamp, result: Result<Arc<QueryResult>, Failure>) -> bool {
    let waits = |query: &&mut super::QueryState| query.waiting.is_some_and(|(waiting, _)| waiting == id);
    let mut queries = model.panels.panels.iter_mut().flat_map(|panel| panel.queries.iter_mut());
    let Some(query) = queries.find(waits) else { return false };
    query.waiting = None;
    match result {
        Ok(answer) => {
            query.answer = Some((at, answer));
            query.failure = None;
        }
        Err(failure) => query.failure = Some(failure),
    }
    true
}

/// The panel the cursor is on: the first one while it is on none.
#[must_use]
pub fn selected(model: &Model) -> Option<usize> {
    let wanted = model.panels.selected.as_ref();
    let found = wanted.and_then(|wanted| model.panels.panels.iter().position(|panel| panel.id == *wanted));
    found.or((!model.panels.panels.is_empty()).then_some(0))
}

/// Moves the cursor, and scrolls so that it can be seen.
pub fn move_cursor(model: &mut Model, how: Move) {
    let Some(at) = selected(model) else { return };
    let page = cells(model).len().max(1);
    let next = how.from(at, model.panels.panels.len(), page);
    model.panels.selected = model.panels.panels.get(next).map(|panel| panel.id.clone());
    if next < model.panels.offset {
        model.panels.offset = next;
    }
    // Panels have different sizes, so the offset is tried until the cursor is in sight.
    while model.panels.offset < next && !cells(model).iter().any(|(shown, _)| *shown == next) {
        model.panels.offset += 1;
    }
}

/// A longer or shorter range.
pub fn change_range(model: &mut Model, by: isize) {
    let now = model.panels.range_s;
    let nearest = RANGES_S.iter().enumerate().min_by_key(|(_, range)| (**range - now).abs()).map_or(3, |(at, _)| at);
    let at = nearest.saturating_add_signed(by).min(RANGES_S.len() - 1);
    let Some(range) = RANGES_S.get(at).copied() else { return };
    model.panels.range_chosen = Some(range);
    make(model);
    ask_again(model);
    model.toasts.say(Weight::Info, format!("panels show {}", span(range)), model.now);
}

fn span(seconds: i64) -> String {
    match seconds {
        ..3_600 => format!("{} minutes", seconds / 60),
        3_600..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Asks every visible question again now; answers on screen stay until the new ones come.
pub fn ask_again(model: &mut Model) {
    for query in model.panels.panels.iter_mut().flat_map(|panel| panel.queries.iter_mut()) {
        query.waiting = None;
        query.asked_at = None;
    }
    model.panels.next_due = None;
}

/// The expression of the selected panel, to be copied.
#[must_use]
pub fn query_text(model: &Model) -> Option<String> {
    let panel = model.panels.panels.get(selected(model)?)?;
    let all: Vec<&str> = panel.queries.iter().filter_map(|query| query.promql.as_deref()).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

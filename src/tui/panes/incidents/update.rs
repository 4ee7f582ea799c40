//! Moving, marking and filtering in the incident list.

use std::collections::BTreeMap;

use chrono::Duration;

use super::Matches;
use crate::domain::id::IncidentId;
use crate::domain::source::{Reach, SourceHealth};
use crate::tui::model::Model;

/// How long the first answers of all sources may take until the cursor stays where it is.
const SETTLES: Duration = Duration::seconds(5);

/// How a cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// So many lines; up is negative.
    By(isize),
    /// So many pages; up is negative.
    Pages(isize),
    /// To the first line.
    First,
    /// To the last line.
    Last,
}

impl Move {
    /// The line that it leads to, from `at`, among `count` lines.
    #[must_use]
    pub fn from(self, at: usize, count: usize, page: usize) -> usize {
        let last = count.saturating_sub(1);
        match self {
            Self::By(lines) => at.saturating_add_signed(lines).min(last),
            Self::Pages(pages) => {
                let lines = isize::try_from(page.max(1)).unwrap_or(1).saturating_mul(pages);
                at.saturating_add_signed(lines).min(last)
            }
            Self::First => 0,
            Self::Last => last,
        }
    }
}

/// Rows that the list shows at once.
#[must_use]
pub fn height(model: &Model) -> usize {
    model.rects().incidents_shown(model.incidents.has_filter())
}

/// Moves the cursor. From an incident that left the list it goes on at the row where that one was.
pub fn move_cursor(model: &mut Model, how: Move) {
    let count = model.incidents.len(&model.room);
    let page = height(model);
    if count == 0 {
        return;
    }
    let selected = model.incidents.selected.clone();
    let listed = selected.as_ref().and_then(|id| model.incidents.row_of(&model.room, id));
    let row = match (listed, how) {
        (Some(row), how) => how.from(row, count, page),
        // What stood below it stands in its row now.
        (None, Move::By(lines)) if lines > 0 => Move::By(lines - 1).from(model.incidents.row, count, page),
        (None, how) => how.from(model.incidents.row, count, page),
    };
    let id = model.incidents.get(&model.room, row).cloned();
    select(model, id);
}

/// Puts the cursor on an incident.
pub fn select(model: &mut Model, id: Option<IncidentId>) {
    if let Some(row) = id.as_ref().and_then(|id| model.incidents.row_of(&model.room, id)) {
        model.incidents.row = row;
        model.incidents.has_left = false;
    }
    model.incidents.selected = id;
    show_cursor(model);
}

/// Moves what is visible, not the cursor; the cursor follows at the edge, as the wheel does everywhere.
pub fn scroll(model: &mut Model, lines: isize) {
    let height = height(model);
    let count = model.incidents.len(&model.room);
    let most = count.saturating_sub(height);
    model.incidents.offset = model.incidents.offset.saturating_add_signed(lines).min(most);
    let offset = model.incidents.offset;
    let row = model.incidents.row;
    let kept = row.clamp(offset, offset.saturating_add(height.saturating_sub(1)));
    if kept != row {
        let id = model.incidents.get(&model.room, kept).cloned();
        select(model, id);
    }
}

/// Scrolls so that the cursor is visible.
pub fn show_cursor(model: &mut Model) {
    let height = height(model).max(1);
    let count = model.incidents.len(&model.room);
    let state = &mut model.incidents;
    let row = state.row.min(count.saturating_sub(1));
    if row < state.offset {
        state.offset = row;
    } else if row >= state.offset.saturating_add(height) {
        state.offset = row + 1 - height;
    }
    state.offset = state.offset.min(count.saturating_sub(height.min(count)));
}

/// Marks or unmarks the selected incident, and moves on.
pub fn mark(model: &mut Model) {
    let Some(id) = model.incidents.selected.clone() else { return };
    if !model.incidents.marks.remove(&id) {
        model.incidents.marks.insert(id);
    }
    move_cursor(model, Move::By(1));
}

/// Marks everything that is listed, or takes every mark away.
pub fn mark_all(model: &mut Model) {
    if !model.incidents.marks.is_empty() {
        model.incidents.marks.clear();
        return;
    }
    let count = model.incidents.len(&model.room);
    let all = (0..count).filter_map(|row| model.incidents.get(&model.room, row).cloned()).collect();
    model.incidents.marks = all;
}

/// The filter's text changed.
pub fn filter_changed(model: &mut Model) {
    let text = model.incidents.filter.text();
    let found = model.incidents.found.take();
    model.incidents.found = model.incidents.search.ask(&text, found, &model.room);
    let now = model.now;
    model.incidents.search.step(&mut model.incidents.found, &model.room, now);
    model.incidents.offset = 0;
    follow(model);
}

/// Keys leave the filter; the list stays filtered. The cursor goes to the first match when it is on none.
pub fn filter_done(model: &mut Model) {
    model.incidents.is_filtering = false;
    let selected = model.incidents.selected.as_ref();
    if selected.is_none_or(|id| model.incidents.row_of(&model.room, id).is_none()) {
        let first = model.incidents.get(&model.room, 0).cloned();
        if first.is_some() {
            select(model, first);
        }
    }
}

/// Lists everything again; the cursor stays on its incident.
pub fn filter_clear(model: &mut Model) {
    model.incidents.filter = crate::tui::textbox::TextBox::default();
    model.incidents.is_filtering = false;
    filter_changed(model);
    show_cursor(model);
}

/// Brings selection, marks and scrolling in line with the room after it changed: the cursor stays on its incident,
/// through the rows it was joined with, and on its line of the screen while the list is scrolled.
pub fn follow(model: &mut Model) {
    rename(model);
    let room = &model.room;
    let state = &mut model.incidents;
    if state.selected.is_none() && state.found.is_none() {
        state.selected = room.board().get(0).cloned();
        state.row = 0;
        let is_silent = |health: &SourceHealth| matches!(health.reach, Reach::Unasked);
        let settles = state.selected.is_some() && room.sources().values().any(is_silent);
        state.settles_until = settles.then(|| model.now + SETTLES);
    }
    if state.settles_until.is_some_and(|until| model.now < until) {
        state.selected = room.board().get(0).cloned().or(state.selected.take());
    }
    let Some(selected) = state.selected.clone() else { return };
    match state.row_of(room, &selected) {
        Some(row) => {
            if state.offset > 0 && state.frozen.is_none() {
                let line = state.row.saturating_sub(state.offset);
                state.offset = row.saturating_sub(line);
            }
            state.row = row;
            state.has_left = false;
            if state.frozen.is_none() {
                show_cursor(model);
            }
        }
        None => state.has_left = true,
    }
}

/// Rows that were joined go on under another name.
fn rename(model: &mut Model) {
    let room = &model.room;
    let state = &mut model.incidents;
    if let Some(selected) = state.selected.as_mut() {
        let known = room.resolve_alias(selected);
        if known != selected {
            *selected = known.clone();
        }
    }
    if state.marks.iter().any(|id| room.resolve_alias(id) != id) {
        state.marks = state.marks.iter().map(|id| room.resolve_alias(id).clone()).collect();
    }
}

/// Finds where the filter matches in the visible rows.
pub fn find_matches(model: &mut Model) {
    if model.incidents.found.is_none() {
        model.incidents.matches.clear();
        return;
    }
    let visible = model.incidents.visible(&model.room, height(model));
    let mut matches: BTreeMap<IncidentId, Matches> = BTreeMap::new();
    for (_, id) in visible {
        if let Some(found) = model.room.incident(&id).and_then(|incident| model.incidents.search.matches(incident)) {
            matches.insert(id, found);
        }
    }
    model.incidents.matches = matches;
}

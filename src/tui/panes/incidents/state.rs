//! What the incident list remembers. Selection and marks are identities, never rows.

use std::collections::{BTreeMap, BTreeSet};

use super::search::Search;
use crate::domain::id::IncidentId;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::tui::textbox::TextBox;

/// What the incident list remembers. The rows are the room's board, or what the filter found of it.
#[derive(Debug, Default)]
pub struct IncidentsState {
    /// The incident the cursor is on. It stays when it leaves the list, until the person moves.
    pub selected: Option<IncidentId>,
    /// The row the cursor was on last: where it goes on when the selected incident is not listed any more.
    pub row: usize,
    /// First visible row.
    pub offset: usize,
    /// Marked for bulk actions.
    pub marks: BTreeSet<IncidentId>,
    /// The filter as typed; empty lists everything.
    pub filter: TextBox,
    /// Whether keys go into the filter.
    pub is_filtering: bool,
    /// What the filter found, in the board's order; `None` without a filter.
    pub found: Option<Vec<IncidentId>>,
    /// The filter at work.
    pub search: Search,
    /// Where the filter matches in what is shown, for the visible rows.
    pub matches: BTreeMap<IncidentId, Matches>,
    /// What `matches` was made from: the board's version, the first row, the query.
    pub matched: Option<(u64, usize, String)>,
    /// The visible rows as they were when a question about them appeared: the list stands still under it.
    pub frozen: Option<Vec<IncidentId>>,
    /// The selected incident was listed and is no more.
    pub has_left: bool,
    /// Until then the cursor stays on the first row: nobody has touched anything yet, and sources are still telling for
    /// the first time what is worst.
    pub settles_until: Option<Timestamp>,
}

/// Where the filter matches in a row: character positions, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// In the title.
    pub title: Vec<u32>,
    /// In the service.
    pub service: Vec<u32>,
}

impl IncidentsState {
    /// Whether the list has the line of the filter.
    #[must_use]
    pub fn has_filter(&self) -> bool {
        self.is_filtering || self.found.is_some()
    }

    /// How many rows are listed.
    #[must_use]
    pub fn len(&self, room: &Room) -> usize {
        self.found.as_ref().map_or_else(|| room.board().len(), Vec::len)
    }

    /// The incident in a row, 0 first.
    #[must_use]
    pub fn get<'a>(&'a self, room: &'a Room, row: usize) -> Option<&'a IncidentId> {
        match &self.found {
            Some(found) => found.get(row),
            None => room.board().get(row),
        }
    }

    /// The row of an incident, while it is listed.
    #[must_use]
    pub fn row_of(&self, room: &Room, id: &IncidentId) -> Option<usize> {
        let Some(found) = &self.found else { return room.board().rank_of(id) };
        // The cursor rarely jumps far, so its last row is looked at first.
        if found.get(self.row) == Some(id) {
            return Some(self.row);
        }
        found.iter().position(|known| known == id)
    }

    /// The rows to draw, at most `height`, with their row numbers. Costs as much as is visible.
    #[must_use]
    pub fn visible(&self, room: &Room, height: usize) -> Vec<(usize, IncidentId)> {
        if let Some(frozen) = &self.frozen {
            return frozen.iter().take(height).cloned().enumerate().map(|(at, id)| (self.offset + at, id)).collect();
        }
        let rows = self.offset..self.offset.saturating_add(height);
        rows.map_while(|row| self.get(room, row).map(|id| (row, id.clone()))).collect()
    }
}

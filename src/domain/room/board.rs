//! The board: the rows in order, without building them.

use std::ops::Range;

use super::Room;
use crate::domain::id::IncidentId;
use crate::domain::incident::Incident;

/// The live list: open before suppressed before resolved, worst first, triggered before acknowledged, then by start.
#[derive(Clone, Copy, Debug)]
pub struct Board<'a> {
    pub(super) room: &'a Room,
}

impl<'a> Board<'a> {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.room.world.rows.ranked.len()
    }

    /// True when there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a rank, 0 = first.
    #[must_use]
    pub fn get(&self, rank: usize) -> Option<&'a IncidentId> {
        self.room.world.rows.ranked.get(rank).map(|entry| &entry.id)
    }

    /// The incident at a rank.
    #[must_use]
    pub fn incident(&self, rank: usize) -> Option<&'a Incident> {
        self.from(rank).next()
    }

    /// The rank of an incident, by any name it ever had.
    #[must_use]
    pub fn rank_of(&self, id: &IncidentId) -> Option<usize> {
        self.room.world.rows.rank_of(self.room.find(id)?)
    }

    /// The rows of a range of ranks; what is beyond the end is left out.
    pub fn slice(&self, ranks: Range<usize>) -> impl Iterator<Item = &'a IncidentId> + use<'a> {
        self.room.world.rows.ranked.from(ranks.start).take(ranks.len()).map(|entry| &entry.id)
    }

    /// The incidents of a range of ranks.
    pub fn incidents(&self, ranks: Range<usize>) -> impl Iterator<Item = &'a Incident> + use<'a> {
        self.from(ranks.start).take(ranks.len())
    }

    /// All incidents, first to last.
    pub fn iter(&self) -> impl Iterator<Item = &'a Incident> + use<'a> {
        self.from(0)
    }

    /// Changes whenever order or contents of the rows change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.room.world.rows.version
    }

    fn from(&self, rank: usize) -> impl Iterator<Item = &'a Incident> + use<'a> {
        let rows = &self.room.world.rows;
        rows.ranked.from(rank).filter_map(|entry| Some(&rows.slab.get(entry.row)?.incident))
    }
}

//! What the timeline remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::id::{EventId, IncidentId, SourceId};
use crate::domain::time::Timestamp;
use crate::domain::timeline::{EventKind, TimelineEvent};

/// One entry, by identity.
pub type EntryKey = (SourceId, EventId);

/// What the timeline remembers.
#[derive(Debug, Default)]
pub struct TimelineState {
    /// The incident that cursor and scrolling belong to.
    pub incident: Option<IncidentId>,
    /// The entry the cursor is on; `None` follows the newest.
    pub selected: Option<EntryKey>,
    /// First visible entry, counted from the newest.
    pub offset: usize,
    /// Kinds that are not shown.
    pub hidden: BTreeSet<EventKind>,
    /// What is shown of the room's timeline, oldest first: made again only when `made_of` says so, since a storm's timeline
    /// costs as much as a frame.
    pub shown: Vec<Arc<TimelineEvent>>,
    /// What `shown` was made of.
    pub made_of: Option<MadeOf>,
    /// Up to when a person has seen the entries of an incident: later ones are marked as new.
    pub seen: BTreeMap<IncidentId, Timestamp>,
}

/// What the shown entries were made of: the incident, the version of its timeline, the kinds that are left out.
pub type MadeOf = (IncidentId, u64, BTreeSet<EventKind>);

impl TimelineState {
    /// Whether the filter lets `event` through.
    #[must_use]
    pub fn shows(&self, event: &TimelineEvent) -> bool {
        !self.hidden.contains(&event.kind)
    }

    /// Whether `event` came after the person looked last.
    #[must_use]
    pub fn is_new(&self, incident: &IncidentId, event: &TimelineEvent) -> bool {
        self.seen.get(incident).is_some_and(|seen| event.recorded_at > *seen)
    }
}

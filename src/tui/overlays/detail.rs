//! Everything about one thing; also why an incident is rated, tied and escalated as it is.

use crate::domain::id::IncidentId;
use crate::tui::panes::timeline::EntryKey;

/// Everything about one thing.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Which thing.
    pub subject: Subject,
    /// First visible line.
    pub offset: usize,
}

/// Which thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An incident: its record, alerts with labels, people, links.
    Incident(IncidentId),
    /// Why this severity, why these alerts, who escalates when.
    Explain(IncidentId),
    /// A timeline entry of an incident, in full.
    Entry(IncidentId, EntryKey),
}

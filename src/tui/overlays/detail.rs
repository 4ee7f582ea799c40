//! Everything about one thing; also why an incident is rated, tied and escalated as it is.

use crate::domain::id::{IncidentId, StepId};
use crate::domain::run::RunId;
use crate::text::Clean;
use crate::tui::panes::timeline::EntryKey;

/// Everything about one thing.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Which thing.
    pub subject: Subject,
    /// First visible line.
    pub offset: usize,
    /// What was looked for last; its lines stand out.
    pub find: Option<Clean>,
}

/// Which thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An incident: its record, alerts with labels, people, links.
    Incident(IncidentId),
    /// Why this severity, why these alerts, who escalates when.
    Explain(IncidentId),
    /// What a step of a run printed.
    Output(RunId, StepId),
    /// A timeline entry of an incident, in full.
    Entry(IncidentId, EntryKey),
}

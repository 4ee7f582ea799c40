//! Who did what when, from every source, in one order.

use serde::{Deserialize, Serialize};

use super::id::{EventId, SourceId};
use super::time::Timestamp;
use crate::text::{Clean, Untrusted};

/// Who is behind an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "name")]
pub enum Actor {
    /// A person.
    Human(Clean),
    /// A service, an integration, a timer.
    Machine(Clean),
}

/// What kind of thing happened; the filters of the timeline pane. In causal order: when two entries carry the same
/// second, the lower kind comes first (apis.md 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A deploy or another change.
    Change,
    /// An alert began or ended.
    Alert,
    /// The incident was opened.
    Trigger,
    /// Somebody was told.
    Notify,
    /// Somebody said that they work on it.
    Acknowledge,
    /// The acknowledgement lapsed.
    Unacknowledge,
    /// It moved to a level or to people.
    Escalate,
    /// It was assigned.
    Assign,
    /// It was put off.
    Snooze,
    /// Something people wrote.
    Note,
    /// Priority, urgency, title or a field changed.
    Edit,
    /// A checklist or runbook step.
    Step,
    /// What this console sent and what became of it.
    Action,
    /// It ended.
    Resolve,
    /// Anything else the source told.
    Other,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// The provider's id, or ours; one entry per (source, id).
    pub id: EventId,
    /// Where it comes from.
    pub source: SourceId,
    /// What kind.
    pub kind: EventKind,
    /// Who.
    pub actor: Actor,
    /// What, in one line.
    pub text: Clean,
    /// More lines: a note's text, a change's details.
    pub body: Vec<Clean>,
    /// When it happened, by the source's clock.
    pub happened_at: Timestamp,
    /// When we learned of it.
    pub recorded_at: Timestamp,
    /// Links it carries.
    pub links: Vec<Untrusted>,
}

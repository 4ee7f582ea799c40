//! The shapes of the simulated PagerDuty account. People, services and incidents are indices into their lists.

use serde_json::Value;

use crate::domain::time::Timestamp;

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Status {
    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// A person.
    Person(usize),
    /// A service: PagerDuty itself.
    Service(usize),
    /// The Events integration of a service.
    Integration(usize),
}

/// How an incident got its assignees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By its escalation policy.
    Policy,
    /// Directly; then it never escalates.
    Direct,
}

/// An incident.
#[derive(Clone, Debug)]
pub struct Incident {
    /// PagerDuty's id.
    pub id: String,
    /// The number people say.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// High urgency.
    pub is_urgent: bool,
    /// Index of its priority.
    pub priority: Option<usize>,
    /// Index of its service.
    pub service: usize,
    /// Index of its policy.
    pub policy: usize,
    /// Level it stands at, from 0.
    pub level: usize,
    /// How often the policy was repeated.
    pub loops_done: u32,
    /// The policy ran out and nobody reacted.
    pub is_exhausted: bool,
    /// Opened.
    pub created_at: Timestamp,
    /// Last change of any kind.
    pub updated_at: Timestamp,
    /// Last change of status.
    pub changed_at: Timestamp,
    /// Who made it.
    pub changed_by: Agent,
    /// Resolved.
    pub resolved_at: Option<Timestamp>,
    /// How it got its assignees.
    pub via: Via,
    /// Who has it, since when.
    pub assignments: Vec<(Timestamp, usize)>,
    /// Who acknowledged it, when.
    pub acknowledgements: Vec<(Timestamp, Agent)>,
    /// The next level is called.
    pub escalate_at: Option<Timestamp>,
    /// The acknowledgement or the snooze runs out.
    pub unacknowledge_at: Option<Timestamp>,
    /// It resolves by itself.
    pub resolve_at: Option<Timestamp>,
    /// It sleeps until [`Incident::unacknowledge_at`].
    pub is_snoozed: bool,
    /// Its key.
    pub incident_key: Option<String>,
    /// Details given by whoever declared it.
    pub body: Option<String>,
    /// `conference_bridge`.
    pub conference: Option<Value>,
    /// The incident it was merged into.
    pub merged_into: Option<usize>,
    /// A person declared it.
    pub is_manual: bool,
    /// Index of its first log entry.
    pub first_entry: usize,
}

impl Incident {
    /// Not resolved.
    pub fn is_open(&self) -> bool {
        self.status != Status::Resolved
    }
}

/// An alert.
#[derive(Clone, Debug)]
pub struct PagerAlert {
    /// PagerDuty's id.
    pub id: String,
    /// Dedup key.
    pub key: String,
    /// Its incident now; a merge moves it.
    pub incident: usize,
    /// Service of the integration it came by.
    pub service: usize,
    /// The event that opened it.
    pub event: Event,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}

/// A log entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// PagerDuty's id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Index of its incident.
    pub incident: usize,
    /// `…_log_entry`.
    pub kind: &'static str,
    /// Who.
    pub agent: Agent,
    /// How.
    pub channel: Value,
    /// Whom it was given to.
    pub assignees: Vec<usize>,
    /// Who was notified.
    pub user: Option<usize>,
    /// A note that came with it.
    pub note: Option<String>,
    /// Acknowledgement timeout or snooze.
    pub seconds: Option<i64>,
}

/// A note.
#[derive(Clone, Debug)]
pub struct Note {
    /// PagerDuty's id.
    pub id: String,
    /// Index of its incident.
    pub incident: usize,
    /// Who wrote it.
    pub by: usize,
    /// Text.
    pub content: String,
    /// When.
    pub at: Timestamp,
}

/// A change event.
#[derive(Clone, Debug)]
pub struct Change {
    /// PagerDuty's id.
    pub id: String,
    /// When it says it happened.
    pub at: Timestamp,
    /// One line.
    pub summary: String,
    /// Where it came from.
    pub source: String,
    /// Service of the integration.
    pub service: usize,
    /// Details.
    pub details: Value,
    /// Links.
    pub links: Value,
}

/// What an Events v2 event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAction {
    /// Opens an alert or appends to it.
    Trigger,
    /// Acknowledges the alert's incident.
    Acknowledge,
    /// Resolves the alert.
    Resolve,
}

/// An accepted Events v2 event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Service of the routing key.
    pub service: usize,
    /// What it does.
    pub action: EventAction,
    /// Dedup key.
    pub key: String,
    /// One line.
    pub summary: String,
    /// What is broken.
    pub source: String,
    /// `critical`, `error`, `warning`, `info`.
    pub severity: String,
    /// Custom details.
    pub details: Value,
    /// `component`, `group`, `class`, and what else the payload has.
    pub payload: Value,
    /// The monitoring client.
    pub client: Option<String>,
    /// Its page.
    pub client_url: Option<String>,
    /// Links and images as alert contexts.
    pub contexts: Vec<Value>,
}

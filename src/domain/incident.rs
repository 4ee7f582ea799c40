//! PagerDuty's record of an incident, and the incident people work on: that record and the alerts that belong to it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::{AlertKey, Fingerprint};
use super::id::{DedupKey, IncidentId, PagerId, PolicyId, PriorityId, ServiceId, TeamId, UserId};
use super::severity::Severity;
use super::time::Timestamp;
use crate::text::{Clean, Untrusted};

/// Where an incident stands. Moves: triggered ⇄ acknowledged (a timeout falls back), either → resolved, resolved →
/// triggered (reopened).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has said that they work on it.
    Triggered,
    /// Somebody has.
    Acknowledged,
    /// Over.
    Resolved,
}

/// PagerDuty's urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Does not escalate.
    Low,
    /// Escalates.
    High,
}

/// A provider's object by id and by the name people know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named<I> {
    /// The provider's id.
    pub id: I,
    /// The name, cleaned.
    pub name: Clean,
}

/// Who acknowledged, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: Clean,
    /// When.
    pub at: Timestamp,
}

/// What PagerDuty will do by itself, and when (`pending_actions`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingAction {
    /// What.
    pub kind: PendingKind,
    /// When.
    pub at: Timestamp,
}

/// The kinds of [`PendingAction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingKind {
    /// The acknowledgement or snooze runs out.
    Unacknowledge,
    /// The next level is called.
    Escalate,
    /// It resolves by timeout.
    Resolve,
    /// Its urgency changes.
    UrgencyChange,
}

/// An incident as PagerDuty last told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagerIncident {
    /// PagerDuty's id.
    pub id: PagerId,
    /// The number people say.
    pub number: u64,
    /// One line.
    pub title: Clean,
    /// Where it stands.
    pub status: Status,
    /// Its urgency.
    pub urgency: Urgency,
    /// Its priority: the name, and the index in the account's list, worst first.
    pub priority: Option<Priority>,
    /// Its service.
    pub service: Option<Named<ServiceId>>,
    /// The escalation policy that runs it.
    pub policy: Option<Named<PolicyId>>,
    /// The escalation level it stands at, 1-based, where known from log entries or the on-call list.
    pub level: Option<u32>,
    /// Whether it was assigned to people directly: such an incident never escalates.
    pub assigned_directly: bool,
    /// Who has it now.
    pub assignees: Vec<Named<UserId>>,
    /// Who acknowledged it, oldest first; empty unless acknowledged.
    pub acknowledgements: Vec<Acknowledgement>,
    /// Teams.
    pub teams: Vec<Named<TeamId>>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub changed_at: Timestamp,
    /// What PagerDuty will do by itself, soonest first.
    pub pending: Vec<PendingAction>,
    /// `incident_key`, and the `alert_key`s of its alerts where they were read: ties it to Alertmanager groups.
    pub keys: Vec<DedupKey>,
    /// Alertmanager's alerts that its alerts told of, where they were read: ties it to alerts whose group is not known.
    #[serde(default)]
    pub fingerprints: Vec<Fingerprint>,
    /// Alerts by PagerDuty's count: triggered, resolved.
    pub alert_counts: (u32, u32),
    /// The incident it was merged into.
    pub merged_into: Option<PagerId>,
    /// Whether PagerDuty would merge it.
    pub is_mergeable: bool,
    /// Its page on the web.
    pub html_url: Option<Untrusted>,
    /// Worst severity of its alerts, where they were read.
    pub alert_severity: Option<Severity>,
}

/// An account's priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// PagerDuty's id.
    pub id: PriorityId,
    /// The account's name for it, such as `P1`.
    pub name: Clean,
    /// Position in `GET /priorities`, 0 = worst; `None` while that list is not known.
    pub rank: Option<usize>,
}

/// Why an incident has the severity it has; shown on request, so that nobody has to guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The severity.
    pub severity: Severity,
    /// Such as "priority P1" or "alert label severity=page".
    pub because: Clean,
}

/// One thing people work on: what PagerDuty knows of it, and the alerts that belong to it. A row of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its identity for as long as the room lives.
    pub id: IncidentId,
    /// PagerDuty's record, when it has one.
    pub record: Option<Arc<PagerIncident>>,
    /// The alerts that belong to it, and why each does.
    pub alerts: Vec<(AlertKey, Link)>,
    /// One line.
    pub title: Clean,
    /// The service it concerns: the config's name where a rule ties it, else the provider's.
    pub service: Option<Clean>,
    /// How bad, and why.
    pub assessment: Assessment,
    /// Where it stands.
    pub status: Status,
    /// When it began: the earlier of PagerDuty's creation and the first alert's start.
    pub started_at: Timestamp,
    /// All its alerts are silenced or inhibited, and PagerDuty does not have it.
    pub is_suppressed: bool,
}

/// Why an alert belongs to an incident; shown, so that a probable tie is not taken for a certain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The Alertmanager group's dedup key is the incident's key.
    DedupKey,
    /// The PagerDuty alert's details carry the alert's fingerprint.
    Fingerprint,
    /// A configured rule ties it to the same service.
    ServiceRule,
    /// Same Alertmanager group.
    Group,
    /// Same service and alert name, started within five minutes.
    Probable,
}

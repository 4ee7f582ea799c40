//! What PagerDuty sends. Nothing is required here: `map` decides what cannot be done without.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::time::Timestamp;
use crate::sources::listing::{Each, Soft};

/// `…_reference`, or the whole object where it was included.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// Identity.
    pub id: Soft<String>,
    /// Such as `user_reference`.
    #[serde(rename = "type")]
    pub kind: Soft<String>,
    /// The name people know.
    pub summary: Soft<String>,
    /// The same, on whole objects.
    pub name: Soft<String>,
    /// Its page.
    pub html_url: Soft<String>,
    /// Users only.
    pub email: Soft<String>,
    /// Users only.
    pub role: Soft<String>,
}

/// An incident.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own (apis.md 2)")]
pub struct Incident {
    pub id: Soft<String>,
    pub incident_number: Soft<u64>,
    pub title: Soft<String>,
    pub summary: Soft<String>,
    pub status: Soft<String>,
    pub urgency: Soft<String>,
    pub priority: Soft<Reference>,
    pub service: Soft<Reference>,
    pub escalation_policy: Soft<Reference>,
    pub assigned_via: Soft<String>,
    pub assignments: Each<Assignment>,
    pub acknowledgements: Each<Acknowledgement>,
    pub teams: Each<Reference>,
    pub created_at: Soft<Timestamp>,
    pub last_status_change_at: Soft<Timestamp>,
    pub last_status_change_by: Soft<Reference>,
    pub pending_actions: Each<PendingAction>,
    pub incident_key: Soft<String>,
    pub alert_counts: Soft<AlertCounts>,
    pub is_mergeable: Soft<bool>,
    pub resolve_reason: Soft<ResolveReason>,
    pub html_url: Soft<String>,
}

/// Who has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Assignment {
    /// Who.
    pub assignee: Reference,
}

/// Who said that they work on it.
#[derive(Clone, Debug, Deserialize)]
pub struct Acknowledgement {
    /// When.
    pub at: Timestamp,
    /// Who: a user, or a service for acknowledgements by event.
    pub acknowledger: Reference,
}

/// What will happen by itself.
#[derive(Clone, Debug, Deserialize)]
pub struct PendingAction {
    /// `unacknowledge`, `escalate`, `resolve` or `urgency_change`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub at: Timestamp,
}

/// How many alerts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertCounts {
    /// Firing.
    pub triggered: Soft<u32>,
    /// Over.
    pub resolved: Soft<u32>,
}

/// Why it is over.
#[derive(Clone, Debug, Deserialize)]
pub struct ResolveReason {
    /// `merge_resolve_reason`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The incident it was merged into.
    #[serde(default)]
    pub incident: Soft<Reference>,
}

/// An alert of an incident.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own")]
pub struct Alert {
    pub id: Soft<String>,
    pub summary: Soft<String>,
    pub status: Soft<String>,
    pub alert_key: Soft<String>,
    pub severity: Soft<String>,
    pub created_at: Soft<Timestamp>,
    pub body: Soft<AlertBody>,
}

/// What the event carried.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertBody {
    /// `custom_details`, any JSON.
    pub details: Value,
}

/// A note.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Note {
    /// Identity.
    pub id: Soft<String>,
    /// Who wrote it.
    pub user: Soft<Reference>,
    /// Its text.
    pub content: Soft<String>,
    /// When.
    pub created_at: Soft<Timestamp>,
}

/// A log entry of any type; the fields of all types, most of them absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own (apis.md 2, log entries)")]
pub struct LogEntry {
    pub id: Soft<String>,
    #[serde(rename = "type")]
    pub kind: Soft<String>,
    pub summary: Soft<String>,
    pub created_at: Soft<Timestamp>,
    pub agent: Soft<Reference>,
    pub channel: Soft<Channel>,
    pub note: Soft<String>,
    pub user: Soft<Reference>,
    pub assignees: Each<Reference>,
    pub contexts: Each<Context>,
    pub acknowledgement_timeout: Soft<i64>,
    pub changed_actions: Each<PendingAction>,
    pub event_details: Soft<EventDetails>,
    pub changeset: Each<String>,
}

/// How it was done; polymorphic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own")]
pub struct Channel {
    #[serde(rename = "type")]
    pub kind: Soft<String>,
    pub summary: Soft<String>,
    pub subject: Soft<String>,
    pub description: Soft<String>,
    pub content: Soft<String>,
    pub notification: Soft<Notification>,
    pub duration: Soft<i64>,
}

/// How somebody was told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Notification {
    /// `email`, `phone`, `sms`, `ios_push_notification`…
    #[serde(rename = "type")]
    pub kind: Soft<String>,
    /// `success`, `in_progress`, `blocked`…
    pub status: Soft<String>,
}

/// What the trigger said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EventDetails {
    /// One line.
    pub description: Soft<String>,
}

/// A link or image of an event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Context {
    /// A link's address.
    pub href: Soft<String>,
    /// An image's address.
    pub src: Soft<String>,
}

/// A policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own")]
pub struct EscalationPolicy {
    pub id: Soft<String>,
    pub name: Soft<String>,
    pub summary: Soft<String>,
    pub num_loops: Soft<u32>,
    pub escalation_rules: Each<EscalationRule>,
}

/// A level of a policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EscalationRule {
    /// How long before the next level is called.
    pub escalation_delay_in_minutes: Soft<i64>,
    /// Users and schedules.
    pub targets: Each<Reference>,
}

/// Somebody on call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own")]
pub struct OnCall {
    pub user: Soft<Reference>,
    pub schedule: Soft<Reference>,
    pub escalation_policy: Soft<Reference>,
    pub escalation_level: Soft<u32>,
    pub end: Soft<Timestamp>,
}

/// A change event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names and meanings are PagerDuty's own")]
pub struct ChangeEvent {
    pub id: Soft<String>,
    pub summary: Soft<String>,
    pub timestamp: Soft<Timestamp>,
    pub source: Soft<String>,
    pub custom_details: Soft<BTreeMap<String, Value>>,
    pub links: Each<Context>,
    pub correlation_reason: Soft<Correlation>,
}

/// Why a change is tied to an incident.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Correlation {
    /// `most_recent`, `related_service` or `intelligent`.
    pub reason: Soft<String>,
}

/// An incident like this one.
#[derive(Clone, Debug, Deserialize)]
pub struct PastIncident {
    /// The incident, hardly more than its id.
    pub incident: Reference,
}

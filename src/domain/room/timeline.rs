//! One incident's timeline: what sources told, alerts' beginnings and ends, this console's actions and ticks, in one
//! order, each entry once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::history::{Ended, describe};
use super::operations::Sending;
use super::{Room, rows::Row};
use crate::domain::action::{Action, Assignee, Delivery};
use crate::domain::alert::AlertKey;
use crate::domain::id::{EventId, IncidentId, SourceId};
use crate::domain::incident::Link;
use crate::domain::time::Timestamp;
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::text::Clean;

/// Beginnings of alerts that get an entry each; in a storm the rest are one entry.
const MAX_ALERT_ENTRIES: usize = 300;

/// Ends from before an incident was opened belong to it only when they are this near (an alert may flap just before).
const LEAD_IN: chrono::Duration = chrono::Duration::hours(1);

type Entries = BTreeMap<(SourceId, EventId), Arc<TimelineEvent>>;

impl Room {
    /// An incident's entries by (when, kind, id); the order in which same-second entries caused each other is that of
    /// [`EventKind`]. Built anew: keep it until [`Room::timeline_version`] changes.
    #[must_use]
    pub fn timeline(&self, id: &IncidentId) -> Vec<Arc<TimelineEvent>> {
        let mut entries = Entries::new();
        let row = self.row(id);
        if let Some(row) = row {
            self.add_starts(row, &mut entries);
        }
        for name in self.names_of(id) {
            if let Some(log) = self.world.history.log(&name) {
                for (key, event) in &log.events {
                    entries.insert(key.clone(), Arc::clone(event));
                }
                let since = row.map(|row| row.incident.started_at - LEAD_IN);
                for ended in log.ended.iter().filter(|ended| since.is_none_or(|since| ended.ended_at >= since)) {
                    add(&mut entries, start_entry(&ended.key, &ended.name, ended.started_at, None));
                    add(&mut entries, end_entry(ended));
                }
            }
            for sending in self.operations.of(&name) {
                add_sending(sending, &mut entries);
            }
            self.add_ticks(&name, &mut entries);
            self.add_runs(&name, &console(), &mut entries);
        }
        let mut sorted: Vec<_> = entries.into_values().collect();
        sorted.sort_by(|one, other| {
            let rank = |event: &TimelineEvent| (event.happened_at, event.kind);
            rank(one).cmp(&rank(other)).then_with(|| one.id.cmp(&other.id))
        });
        sorted
    }

    /// Changes whenever [`Room::timeline`] would.
    #[must_use]
    pub fn timeline_version(&self, id: &IncidentId) -> u64 {
        let names = self.names_of(id);
        let logs = names.iter().filter_map(|name| self.world.history.log(name)).map(|log| log.version);
        // Each part only grows while the incident lives, so a sum cannot come back to a value it had.
        let row = self.row(id).map_or(0, |row| row.alerts_version);
        logs.sum::<u64>() + row + self.operations.version + self.checklists_version + self.runs.version
    }

    fn add_starts(&self, row: &Row, entries: &mut Entries) {
        let alerts = row.incident.alerts.iter().filter_map(|(key, link)| Some((self.world.alerts.alert(key)?, *link)));
        let mut alerts: Vec<_> = alerts.collect();
        alerts.sort_by(|(one, _), (other, _)| (one.starts_at, &one.key).cmp(&(other.starts_at, &other.key)));
        let rest = alerts.split_off(alerts.len().min(MAX_ALERT_ENTRIES));
        for (alert, link) in alerts {
            add(entries, start_entry(&alert.key, &describe(alert), alert.starts_at, Some(link)));
        }
        if let (Some((first, _)), Some((last, _))) = (rest.first(), rest.last()) {
            let text = format!(
                "{} more alerts began, the last one {}",
                rest.len(),
                last.starts_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            );
            let mut entry = start_entry(&first.key, &Clean::new(text), first.starts_at, None);
            entry.id = event_id("alerts", &first.key, first.starts_at);
            add(entries, entry);
        }
    }

    fn add_ticks(&self, name: &IncidentId, entries: &mut Entries) {
        for checklist in self.checklists.get(name).into_iter().flatten() {
            for (step, tick) in &checklist.ticks {
                let id = format!("{}:{step}", checklist.runbook);
                let entry = TimelineEvent {
                    id: EventId::derived("tick", &id),
                    source: console(),
                    kind: EventKind::Step,
                    actor: Actor::Human(tick.by.clone()),
                    text: Clean::new(format!("ticked step {step} of runbook {}", checklist.runbook)),
                    body: Vec::new(),
                    happened_at: tick.at,
                    recorded_at: tick.at,
                    links: Vec::new(),
                };
                add(entries, entry);
            }
        }
    }
}

fn add_sending(sending: &Sending, entries: &mut Entries) {
    let intent = &sending.intent;
    let asked = describe_action(&intent.action);
    let entry = |part: &str, text: String, at: Timestamp| TimelineEvent {
        id: EventId::derived("op", &format!("{}:{part}", intent.op)),
        source: console(),
        kind: EventKind::Action,
        actor: Actor::Human(intent.by.clone()),
        text: Clean::new(text),
        body: Vec::new(),
        happened_at: at,
        recorded_at: at,
        links: Vec::new(),
    };
    add(entries, entry("asked", format!("{asked}: asked"), intent.at));
    for (step, (at, delivery)) in sending.steps.iter().enumerate() {
        if let Some(became) = describe_delivery(delivery) {
            add(entries, entry(&step.to_string(), format!("{asked}: {became}"), *at));
        }
    }
}

fn add(entries: &mut Entries, event: TimelineEvent) {
    entries.insert((event.source.clone(), event.id.clone()), Arc::new(event));
}

fn console() -> SourceId {
    SourceId::derived("room", "console")
}

fn event_id(what: &str, key: &AlertKey, at: Timestamp) -> EventId {
    EventId::derived(what, &format!("{}@{}", key.fingerprint, at.timestamp_millis()))
}

fn start_entry(key: &AlertKey, name: &Clean, at: Timestamp, link: Option<Link>) -> TimelineEvent {
    let guess = if link == Some(Link::Probable) { " (probably of this incident)" } else { "" };
    alert_entry(event_id("began", key, at), key, format!("{name} fires{guess}"), at)
}

fn end_entry(ended: &Ended) -> TimelineEvent {
    let id = event_id("ended", &ended.key, ended.started_at);
    alert_entry(id, &ended.key, format!("{} ended", ended.name), ended.ended_at)
}

fn alert_entry(id: EventId, key: &AlertKey, text: String, at: Timestamp) -> TimelineEvent {
    TimelineEvent {
        id,
        source: key.cluster.clone(),
        kind: EventKind::Alert,
        actor: Actor::Machine(Clean::new(key.cluster.as_str())),
        text: Clean::new(text),
        body: Vec::new(),
        happened_at: at,
        recorded_at: at,
        links: Vec::new(),
    }
}

fn names(list: &[Clean]) -> String {
    list.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ")
}

/// An action in a few words, such as "escalate to level 2 (Ana)".
#[must_use]
pub fn describe_action(action: &Action) -> String {
    match action {
        Action::Acknowledge => "acknowledge".into(),
        Action::Resolve { resolution: None } => "resolve".into(),
        Action::Resolve { resolution: Some(text) } => format!("resolve ({})", text.clean()),
        Action::Trigger => "trigger again".into(),
        Action::Escalate { level, to } if to.is_empty() => format!("escalate to level {level}"),
        Action::Escalate { level, to } => format!("escalate to level {level} ({})", names(to)),
        Action::Reassign { to: Assignee::Users(users) } => {
            let people: Vec<Clean> = users.iter().map(|user| user.name.clone()).collect();
            format!("reassign to {}", names(&people))
        }
        Action::Reassign { to: Assignee::Policy(policy) } => format!("reassign to policy {}", policy.name),
        Action::Snooze { span } => format!("snooze for {} s", span.0),
        Action::Merge { source } => format!("merge {source} into it"),
        Action::Note { text } => format!("note: {}", text.clean()),
        Action::Declare(declaration) => format!("declare: {}", declaration.title.clean()),
        Action::Silence(silencing) => format!("silence alerts in {} for {} s", silencing.cluster, silencing.span.0),
        Action::Unsilence { cluster, id } => format!("end silence {id} in {cluster}"),
        Action::Tick { step, done: true, .. } => format!("tick step {step}"),
        Action::Tick { step, done: false, .. } => format!("untick step {step}"),
        Action::Role { role, from: None, to: Some(to) } => format!("{role}: {to}"),
        Action::Role { role, from: Some(from), to: Some(to) } => format!("{role}: {to}, from {from}"),
        Action::Role { role, to: None, .. } => format!("{role}: nobody"),
    }
}

fn describe_delivery(delivery: &Delivery) -> Option<String> {
    match delivery {
        Delivery::Queued { waits_until: None } => None,
        Delivery::Queued { waits_until: Some(at) } => {
            Some(format!("waits until {}", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
        }
        Delivery::Sent => Some("sent".into()),
        Delivery::Confirmed { says } if says.as_str().is_empty() => Some("done".into()),
        Delivery::Confirmed { says } => Some(format!("done: {says}")),
        Delivery::Failed { failure } => Some(format!("failed: {}", failure.cause)),
        Delivery::Unknown { check } => Some(format!("not known whether it was done: {check}")),
        Delivery::Dropped => Some("given up".into()),
    }
}

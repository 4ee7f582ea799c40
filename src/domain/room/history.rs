//! What happened to each incident: entries that sources told, alerts that ended. Kept under the name that was used at
//! the time; a row's timeline gathers all the names it had.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::alert::{Alert, AlertKey};
use crate::domain::id::{EventId, IncidentId, SourceId};
use crate::domain::time::Timestamp;
use crate::domain::timeline::TimelineEvent;
use crate::text::Clean;

/// Most ended alerts remembered for one name: a flapping alert must not fill the memory. Older ones are counted.
const MAX_ENDED: usize = 500;

/// Most entries for one name; PagerDuty itself stops at 10,000.
const MAX_EVENTS: usize = 10_000;

/// An alert that is over.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub key: AlertKey,
    pub name: Clean,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
}

impl Ended {
    pub fn of(alert: &Alert, ended_at: Timestamp) -> Self {
        Self { key: alert.key.clone(), name: describe(alert), started_at: alert.starts_at, ended_at }
    }
}

/// An alert in few words: its name and what tells it from its siblings.
pub(super) fn describe(alert: &Alert) -> Clean {
    let name = alert.labels.get("alertname").map(|name| name.clean()).unwrap_or_default();
    let place = ["instance", "pod", "node", "service", "job"]
        .into_iter()
        .find_map(|label| Some((label, alert.labels.get(label).filter(|value| !value.is_empty())?)));
    match place {
        Some((label, value)) => Clean::new(format!("{name} {label}={}", value.clean())),
        None => name,
    }
}

/// What is known under one name.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub events: BTreeMap<(SourceId, EventId), Arc<TimelineEvent>>,
    pub ended: Vec<Ended>,
    /// Ended alerts that are only counted.
    pub dropped: usize,
    pub version: u64,
}

/// Logs by name.
#[derive(Debug, Default)]
pub(super) struct History {
    logs: HashMap<IncidentId, Log>,
    acknowledged: HashMap<IncidentId, Timestamp>,
}

impl History {
    pub fn log(&self, id: &IncidentId) -> Option<&Log> {
        self.logs.get(id)
    }

    pub fn remember_end(&mut self, id: &IncidentId, ended: Ended) {
        let log = self.logs.entry(id.clone()).or_default();
        if log.ended.len() >= MAX_ENDED {
            log.ended.remove(0);
            log.dropped += 1;
        } else if log.ended.is_empty() {
            log.ended.reserve_exact(1);
        }
        log.ended.push(ended);
        log.version += 1;
    }

    pub fn add_events(&mut self, id: &IncidentId, events: &[TimelineEvent]) {
        let log = self.logs.entry(id.clone()).or_default();
        for event in events {
            let key = (event.source.clone(), event.id.clone());
            if log.events.len() < MAX_EVENTS || log.events.contains_key(&key) {
                let known = log.events.get(&key);
                if known.is_none_or(|known| !is_same(known, event)) {
                    log.events.insert(key, Arc::new(event.clone()));
                    log.version += 1;
                }
            }
        }
    }

    /// For incidents that PagerDuty does not have: when this console acknowledged them.
    pub fn local_acknowledgement(&self, id: &IncidentId) -> Option<Timestamp> {
        self.acknowledged.get(id).copied()
    }

    pub fn set_local_acknowledgement(&mut self, id: &IncidentId, at: Option<Timestamp>) {
        match at {
            Some(at) => self.acknowledged.insert(id.clone(), at),
            None => self.acknowledged.remove(id),
        };
    }

    pub fn forget(&mut self, id: &IncidentId) {
        self.logs.remove(id);
        self.acknowledged.remove(id);
    }
}

/// Equal but for the time we heard of it: a poll repeats what it told.
fn is_same(known: &TimelineEvent, new: &TimelineEvent) -> bool {
    let TimelineEvent { id: _, source: _, kind, actor, text, body, happened_at, recorded_at: _, links } = new;
    known.kind == *kind
        && known.actor == *actor
        && known.text == *text
        && known.body == *body
        && known.happened_at == *happened_at
        && known.links == *links
}

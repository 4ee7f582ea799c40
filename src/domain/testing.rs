//! Small worlds for tests of the core: the one place that knows how to fill the big structs.

use std::sync::Arc;

use super::alert::{Alert, AlertKey, AlertState, GroupRef, Labels};
use super::correlate::fingerprint;
use super::id::{DedupKey, PagerId, ServiceId, SourceId};
use super::incident::{Named, PagerIncident, Status, Urgency};
use super::time::Timestamp;
use crate::text::{Clean, Untrusted};

/// An instant from RFC 3339.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant in RFC 3339")
}

/// Noon, plus so many seconds.
pub(crate) fn noon(seconds: i64) -> Timestamp {
    at("2026-03-02T12:00:00Z") + chrono::Duration::seconds(seconds)
}

/// A triggered incident, opened at noon, on service PSVC "checkout", without keys.
pub(crate) fn pager(id: &str) -> PagerIncident {
    PagerIncident {
        id: PagerId::parse(id).expect("an identity"),
        number: 1,
        title: Clean::new(format!("incident {id}")),
        status: Status::Triggered,
        urgency: Urgency::High,
        priority: None,
        service: Some(Named { id: ServiceId::parse("PSVC").expect("an identity"), name: Clean::new("checkout") }),
        policy: None,
        level: None,
        assigned_directly: false,
        assignees: Vec::new(),
        acknowledgements: Vec::new(),
        teams: Vec::new(),
        created_at: noon(0),
        changed_at: noon(0),
        pending: Vec::new(),
        keys: Vec::new(),
        alert_counts: (0, 0),
        merged_into: None,
        fingerprints: Vec::new(),
        is_mergeable: true,
        html_url: None,
        alert_severity: None,
    }
}

/// A source's name.
pub(crate) fn source(name: &str) -> SourceId {
    SourceId::parse(name).expect("an identity")
}

/// A dedup key.
pub(crate) fn key(name: &str) -> DedupKey {
    DedupKey::parse(name).expect("an identity")
}

/// An active alert that began at noon, in the named groups (a leading `!` marks one that pages).
pub(crate) fn alert(cluster: &str, labels: &[(&str, &str)], groups: &[&str]) -> Alert {
    let labels: Labels = labels.iter().copied().collect();
    Alert {
        key: AlertKey { cluster: source(cluster), fingerprint: fingerprint(&labels) },
        labels,
        annotations: Labels::default(),
        starts_at: noon(0),
        updated_at: noon(0),
        generator_url: Untrusted::from(""),
        state: AlertState::Active,
        groups: groups.iter().map(|group| group_ref(group)).collect(),
    }
}

fn group_ref(group: &str) -> GroupRef {
    let name = group.trim_start_matches('!');
    GroupRef { receiver: Arc::from("receiver"), key: key(name), pages: group.starts_with('!') }
}

//! Alerts that must always fire (`severity="none"`, such as Watchdog): no incidents, but their absence is a fault.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::alert::{Alert, Fingerprint};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::SourceId;
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// More kinds of heartbeats than this are not followed: nobody has them, a hostile cluster might.
const MAX_HEARTBEATS: usize = 64;

/// How the problems of heartbeats are called.
pub(super) const HEARTBEAT: &str = "heartbeat:";

#[derive(Debug, Default)]
struct Heartbeat {
    present: BTreeSet<Fingerprint>,
    missing_since: Option<Timestamp>,
}

/// Heartbeats by cluster and name.
#[derive(Debug, Default)]
pub(super) struct Heartbeats(BTreeMap<(SourceId, Clean), Heartbeat>);

impl Heartbeats {
    pub fn seen(&mut self, alert: &Alert) {
        let name = (alert.key.cluster.clone(), name_of(alert));
        if self.0.len() >= MAX_HEARTBEATS && !self.0.contains_key(&name) {
            return;
        }
        let heartbeat = self.0.entry(name).or_default();
        heartbeat.present.insert(alert.key.fingerprint);
        heartbeat.missing_since = None;
    }

    pub fn gone(&mut self, alert: &Alert, at: Timestamp) {
        if let Some(heartbeat) = self.0.get_mut(&(alert.key.cluster.clone(), name_of(alert))) {
            heartbeat.present.remove(&alert.key.fingerprint);
            if heartbeat.present.is_empty() {
                heartbeat.missing_since = Some(at);
            }
        }
    }

    /// What is missing at `now`, when a cluster has just answered: those seen before and, of `expected`, those never seen.
    pub fn problems(&self, expected: &[String], now: Timestamp) -> Vec<(String, Failure, Timestamp)> {
        let gone = self.0.iter().filter_map(|((cluster, name), heartbeat)| {
            let since = heartbeat.missing_since?;
            let failure = missing(name, &Clean::new(cluster.as_str()), "it stopped firing");
            Some((format!("{HEARTBEAT}{cluster}:{name}"), failure, since))
        });
        let is_unseen = |name: &&String| !self.0.keys().any(|(_, known)| known.as_str() == name.as_str());
        let unseen = expected.iter().filter(is_unseen).map(|name| {
            let failure = missing(&Clean::new(name), &Clean::new("every Alertmanager"), "it never fired here");
            (format!("{HEARTBEAT}{name}"), failure, now)
        });
        gone.chain(unseen).collect()
    }
}

fn name_of(alert: &Alert) -> Clean {
    alert.labels.get("alertname").map(|name| name.clean()).unwrap_or_default()
}

fn missing(name: &Clean, cluster: &Clean, cause: &str) -> Failure {
    Failure {
        kind: FailureKind::NotFound,
        what: Clean::new(format!("heartbeat {name} at")),
        target: cluster.clone(),
        cause: Clean::new(format!("{cause}: alerts may be lost on their way")),
        remedy: Clean::new("check that Prometheus runs, evaluates its rules and reaches Alertmanager"),
    }
}

//! What keeps an alert from being told: silences, and a region that is down.

use std::collections::BTreeMap;

use super::route::Destination;
use super::silence::Silence;
use super::{Alerting, AmAlert, label};
use crate::domain::time::Timestamp;

/// Why an alert is suppressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppression {
    /// Ids of silences.
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts.
    pub inhibited_by: Vec<String>,
}

impl Suppression {
    /// Whether anything suppresses.
    pub fn is_any(&self) -> bool {
        !self.silenced_by.is_empty() || !self.inhibited_by.is_empty()
    }
}

/// Active silences and inhibiting alerts.
#[derive(Debug)]
pub struct Suppressor<'a> {
    silences: Vec<&'a Silence>,
    /// Regions that are down, with the fingerprint of the alert that says so.
    down: BTreeMap<&'a str, &'a str>,
}

impl Suppressor<'_> {
    /// What suppresses an alert.
    pub fn of(&self, alert: &AmAlert) -> Suppression {
        let covers = |silence: &&&Silence| silence.matchers.iter().all(|matcher| matcher.matches(&alert.labels));
        let silenced_by = self.silences.iter().filter(covers).map(|silence| silence.id.clone()).collect();
        let is_target = matches!(label(&alert.labels, "severity"), "high" | "medium" | "low");
        let source = is_target.then(|| self.down.get(label(&alert.labels, "region"))).flatten();
        Suppression { silenced_by, inhibited_by: source.map(|id| (*id).to_owned()).into_iter().collect() }
    }
}

impl Alerting {
    /// What suppresses alerts now: made once and asked for each alert.
    pub fn suppressor(&self, now: Timestamp) -> Suppressor<'_> {
        let silences = self.silences.all().iter().filter(|silence| silence.state(now) == "active").collect();
        let mut down = BTreeMap::new();
        let is_region_down =
            |to: &Destination| to.group_labels.get("alertname").is_some_and(|name| name == "RegionDown");
        for id in self.groups.iter().filter(|(to, _)| is_region_down(to)).flat_map(|(_, group)| &group.members) {
            if let Some(region) =
                self.alerts.get(id).filter(|one| one.ended_at.is_none()).and_then(|one| one.labels.get("region"))
            {
                down.insert(region.as_str(), id.as_str());
            }
        }
        Suppressor { silences, down }
    }
}

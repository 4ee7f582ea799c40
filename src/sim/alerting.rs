//! The simulated Alertmanager: alerts, groups, silences, inhibition, and what it tells PagerDuty and when. Pure.
//!
//! Notifications follow the real pipeline: a group waits, is flushed at its interval, tells what changed, stays silent
//! about silenced alerts (so that an alert resolved under a silence is never reported as resolved), and never
//! acknowledges.

pub mod matcher;
mod notify;
pub mod route;
pub mod silence;
mod suppress;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::agenda::Agenda;
use super::dice::Dice;
use super::metrics::LabelSet;
use crate::domain::time::Timestamp;
pub use notify::Notification;
use route::{Destination, GROUP_INTERVAL_S, GROUP_WAIT_S, REPEAT_INTERVAL_S, Route};
use silence::Silences;
pub use suppress::{Suppression, Suppressor};

/// Seconds after which an alert without an end, posted by a client, is taken as resolved.
pub const RESOLVE_TIMEOUT_S: i64 = 300;
/// Which Alertmanager is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shape {
    /// 0.34: muted-by, receivers with labels, JSON details.
    #[default]
    Current,
    /// 0.25, as in Debian 12.
    Old,
}

/// An alert.
#[derive(Clone, Debug)]
pub struct AmAlert {
    /// Labels, external ones included.
    pub labels: LabelSet,
    /// Annotations.
    pub annotations: LabelSet,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it was last heard of; only for posted alerts, Prometheus repeats its own each minute.
    pub posted_at: Option<Timestamp>,
    /// When it ends unless it is heard of again; only for posted alerts.
    pub lease_until: Option<Timestamp>,
    /// Where it came from.
    pub generator_url: String,
    /// Where it goes.
    pub destinations: Vec<Destination>,
}

#[derive(Clone, Debug, Default)]
struct Group {
    members: BTreeSet<String>,
    is_due: bool,
    told_firing: BTreeSet<String>,
    told_resolved: BTreeSet<String>,
    told_at: Option<Timestamp>,
}

/// The Alertmanager.
#[derive(Debug)]
pub struct Alerting {
    /// Which version's answers are given.
    pub shape: Shape,
    tree: Route,
    alerts: BTreeMap<String, AmAlert>,
    groups: BTreeMap<Destination, Group>,
    due: Agenda<Due>,
    silences: Silences,
    dice: Dice,
    version: u64,
}

#[derive(Clone, Debug)]
enum Due {
    Flush(Destination),
    Lease(String),
}

impl Alerting {
    /// An Alertmanager with this routing tree.
    pub fn new(tree: Route, seed: u64, shape: Shape) -> Self {
        Self {
            shape,
            tree,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            due: Agenda::default(),
            silences: Silences::default(),
            dice: Dice::new(seed, "alerting"),
            version: 0,
        }
    }

    /// The routing tree.
    pub fn tree(&self) -> &Route {
        &self.tree
    }

    /// Silences.
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// Silences, to change them; `new_id` is a fresh id for one.
    pub fn silences_mut(&mut self) -> (&mut Silences, String) {
        self.version += 1;
        (&mut self.silences, self.dice.uuid())
    }

    /// A number that changes with everything that can change an answer, but for time.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Alerts that have not ended, by fingerprint.
    pub fn firing(&self) -> impl Iterator<Item = (&String, &AmAlert)> {
        self.alerts.iter().filter(|(_, alert)| alert.ended_at.is_none())
    }

    /// Takes an alert in, or hears of it again. A posted one carries `lease_until` or an end.
    pub fn receive(&mut self, mut alert: AmAlert, now: Timestamp) {
        self.version += 1;
        let id = fingerprint(&alert.labels);
        if let Some(until) = alert.lease_until {
            self.due.put(until, Due::Lease(id.clone()));
        }
        if let Some(known) = self.alerts.get(&id).filter(|known| known.ended_at.is_none()) {
            alert.starts_at = alert.starts_at.min(known.starts_at);
        } else if alert.ended_at.is_some() {
            return; // the end of something that was never known
        }
        alert.destinations = self.tree.destinations(&alert.labels);
        for destination in alert.destinations.clone() {
            self.join(&id, destination, now);
        }
        self.alerts.insert(id, alert);
    }

    fn join(&mut self, id: &str, destination: Destination, now: Timestamp) {
        let group = self.groups.entry(destination.clone()).or_default();
        group.members.insert(id.to_owned());
        if !group.is_due {
            group.is_due = true;
            self.due.put(now + TimeDelta::seconds(GROUP_WAIT_S), Due::Flush(destination));
        }
    }

    /// The alert with these labels has ended.
    pub fn end(&mut self, labels: &LabelSet, now: Timestamp) {
        self.version += 1;
        if let Some(alert) = self.alerts.get_mut(&fingerprint(labels)) {
            alert.ended_at.get_or_insert(now);
        }
    }

    /// When something happens by itself next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.next()
    }

    /// Does what is due; answers what PagerDuty is told.
    pub fn run(&mut self, now: Timestamp) -> Vec<Notification> {
        let mut told = Vec::new();
        while let Some(due) = self.due.take_due(now) {
            match due {
                Due::Flush(destination) => told.extend(self.flush(&destination, now)),
                Due::Lease(id) => {
                    let ended =
                        self.alerts.get_mut(&id).filter(|alert| alert.lease_until.is_some_and(|until| until <= now));
                    if let Some(alert) = ended.filter(|alert| alert.ended_at.is_none()) {
                        alert.ended_at = Some(now);
                        self.version += 1;
                    }
                }
            }
        }
        told
    }

    fn flush(&mut self, destination: &Destination, now: Timestamp) -> Option<Notification> {
        let group = self.groups.get(destination)?;
        let suppressor = self.suppressor(now);
        let (mut firing, mut resolved) = (BTreeSet::new(), BTreeSet::new());
        for id in &group.members {
            let Some(alert) = self.alerts.get(id) else { continue };
            if suppressor.of(alert).is_any() {
                continue;
            }
            let set = if alert.ended_at.is_some() { &mut resolved } else { &mut firing };
            set.insert(id.clone());
        }
        let is_new = !firing.is_subset(&group.told_firing);
        let is_over = firing.is_empty() && !group.told_firing.is_empty() && !resolved.is_empty();
        let is_less = !firing.is_empty() && !resolved.is_empty() && !resolved.is_subset(&group.told_resolved);
        let is_old = group.told_at.is_some_and(|at| now - at >= TimeDelta::seconds(REPEAT_INTERVAL_S));
        let is_told = is_new || is_over || is_less || (is_old && !firing.is_empty());
        let notification = is_told.then(|| self.notification(destination, &firing, &resolved));
        let ended: BTreeSet<String> = group
            .members
            .iter()
            .filter(|id| self.alerts.get(*id).is_none_or(|alert| alert.ended_at.is_some()))
            .cloned()
            .collect();
        if let Some(group) = self.groups.get_mut(destination) {
            if is_told {
                (group.told_firing, group.told_resolved, group.told_at) = (firing, resolved, Some(now));
            }
            group.members.retain(|id| !ended.contains(id));
            if group.members.is_empty() {
                self.groups.remove(destination);
            } else {
                self.due.put(now + TimeDelta::seconds(GROUP_INTERVAL_S), Due::Flush(destination.clone()));
            }
        }
        self.forget(&ended);
        notification.filter(|told| told.receiver.starts_with("pagerduty-"))
    }

    fn forget(&mut self, ended: &BTreeSet<String>) {
        for id in ended {
            let destinations = self.alerts.get(id).map(|alert| alert.destinations.clone()).unwrap_or_default();
            let is_member = |to| self.groups.get(to).is_some_and(|group| group.members.contains(id));
            if !destinations.iter().any(is_member) {
                self.alerts.remove(id);
                self.version += 1;
            }
        }
    }
}

/// A label's value, empty when it is missing.
pub fn label<'a>(labels: &'a LabelSet, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}

/// RFC 3339 with milliseconds, as Alertmanager writes instants.
pub fn millis(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Alertmanager's fingerprint: FNV-1a over the sorted labels.
pub fn fingerprint(labels: &LabelSet) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for (name, value) in labels {
        name.bytes().for_each(&mut feed);
        feed(0xff);
        value.bytes().for_each(&mut feed);
        feed(0xff);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests;

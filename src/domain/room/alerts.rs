//! Every alert that has not ended, and the rows it is in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::slab::Slab;
use crate::domain::alert::{Alert, AlertKey, AlertState, Fingerprint};
use crate::domain::correlate::ServiceTie;
use crate::domain::id::SourceId;
use crate::domain::incident::Link;
use crate::domain::severity::{LabelVerdict, Severity, SeverityRules, severity_label};

/// The rows an alert is in: nearly always one, none for a heartbeat, several when several PagerDuty incidents carry it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Homes {
    #[default]
    None,
    One(u32, Link),
    Many(Box<[(u32, Link)]>),
}

impl Homes {
    pub fn of(mut homes: Vec<(u32, Link)>) -> Self {
        match homes.as_slice() {
            [] => Self::None,
            [(row, link)] => Self::One(*row, *link),
            _ => {
                homes.sort_unstable();
                homes.dedup_by_key(|(row, _)| *row);
                Self::Many(homes.into())
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, Link)> {
        let (one, many) = match self {
            Self::None => (None, [].as_slice()),
            Self::One(row, link) => (Some((*row, *link)), [].as_slice()),
            Self::Many(homes) => (None, &**homes),
        };
        one.into_iter().chain(many.iter().copied())
    }

    pub fn link_to(&self, wanted: u32) -> Option<Link> {
        self.iter().find(|(row, _)| *row == wanted).map(|(_, link)| link)
    }
}

/// What the rows need to know of an alert, worked out once.
#[derive(Debug)]
pub(super) struct AlertSlot {
    pub alert: Arc<Alert>,
    /// Compared name of its service.
    pub service: Option<Arc<str>>,
    pub homes: Homes,
    pub label: LabelVerdict,
    /// Silenced, inhibited or muted.
    pub is_quiet: bool,
    pub is_folded: bool,
}

impl AlertSlot {
    pub fn new(alert: Arc<Alert>, tie: Option<&ServiceTie>, rules: &SeverityRules) -> Self {
        Self {
            service: tie.map(|tie| Arc::clone(&tie.key)),
            is_folded: tie.is_some_and(|tie| tie.is_folded),
            homes: Homes::None,
            label: rules.of_label(severity_label(&alert.labels)),
            is_quiet: is_quiet(&alert),
            alert,
        }
    }

    /// Order of the alerts of a row; the least one gives the row its title.
    pub fn lead_key(&self) -> LeadKey {
        let badness = match self.label {
            LabelVerdict::Is(severity) => severity.rank() as u8,
            LabelVerdict::Unknown | LabelVerdict::Heartbeat => Severity::ALL.len() as u8,
        };
        (self.is_quiet, badness, self.alert.starts_at.timestamp_millis(), self.alert.key.fingerprint)
    }
}

/// Worst first, then the one that began first.
pub(super) type LeadKey = (bool, u8, i64, Fingerprint);

pub(super) fn is_quiet(alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Suppressed { .. })
}

/// Alerts by number and by key.
#[derive(Debug, Default)]
pub(super) struct AlertBook {
    pub slots: Slab<AlertSlot>,
    clusters: BTreeMap<SourceId, HashMap<Fingerprint, u32>>,
}

impl AlertBook {
    pub fn find(&self, key: &AlertKey) -> Option<u32> {
        self.clusters.get(&key.cluster)?.get(&key.fingerprint).copied()
    }

    /// Alerts with this fingerprint, one a cluster at most.
    pub fn with_fingerprint(&self, fingerprint: Fingerprint) -> impl Iterator<Item = u32> {
        self.clusters.values().filter_map(move |known| known.get(&fingerprint).copied())
    }

    pub fn insert(&mut self, slot: AlertSlot) -> u32 {
        let key = slot.alert.key.clone();
        let at = self.slots.insert(slot);
        self.clusters.entry(key.cluster).or_default().insert(key.fingerprint, at);
        at
    }

    pub fn remove(&mut self, at: u32) -> Option<AlertSlot> {
        let slot = self.slots.remove(at)?;
        let key = &slot.alert.key;
        if let Some(cluster) = self.clusters.get_mut(&key.cluster) {
            cluster.remove(&key.fingerprint);
        }
        Some(slot)
    }

    pub fn alert(&self, key: &AlertKey) -> Option<&Arc<Alert>> {
        Some(&self.slots.get(self.find(key)?)?.alert)
    }
}

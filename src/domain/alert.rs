//! Alerts as Alertmanager tells them. Fifty thousand of them must fit: what alerts have alike is shared, what is their own
//! is packed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::{DedupKey, SilenceId, SourceId};
pub use super::labels::Labels;
use super::time::Timestamp;
use crate::text::{Untrusted, UntrustedStr};

/// FNV-1a-64 over the sorted labels, as Alertmanager computes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Fingerprint({self})")
    }
}

/// One alert: the cluster (or lone instance) that has it, and its fingerprint there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    /// The Alertmanager cluster by its configured name; replicas of one cluster share it.
    pub cluster: SourceId,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

/// Whether an alert notifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AlertState {
    /// Alertmanager has not looked at it yet.
    Unprocessed,
    /// It notifies.
    Active,
    /// It does not.
    Suppressed(Box<Suppression>),
}

/// What keeps an alert from notifying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Silences that match it.
    pub silenced_by: Vec<SilenceId>,
    /// Alerts that inhibit it.
    pub inhibited_by: Vec<Fingerprint>,
    /// Time intervals that mute it (0.28 and newer).
    pub muted_by: Vec<Arc<str>>,
}

/// One Alertmanager group an alert is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GroupRef {
    /// The receiver of the route.
    pub receiver: Arc<str>,
    /// What Alertmanager's PagerDuty integration calls the group: sha256 of its group key (apis.md 3).
    pub key: DedupKey,
    /// Whether that receiver pages through PagerDuty; only such a key can be an incident's.
    pub pages: bool,
}

/// An alert that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its identity.
    pub key: AlertKey,
    /// Labels, with Prometheus's external labels.
    pub labels: Labels,
    /// Annotations: summary, description, `runbook_url`…
    pub annotations: Labels,
    /// When it began firing (after `for:`).
    pub starts_at: Timestamp,
    /// When Alertmanager last heard of it.
    pub updated_at: Timestamp,
    /// The expression's page on the Prometheus that fired it.
    pub generator_url: Untrusted,
    /// Whether it notifies.
    pub state: AlertState,
    /// The groups it is in, in route order; shared by the alerts of the same groups.
    pub groups: Arc<[GroupRef]>,
}

impl Alert {
    /// The `alertname` label.
    #[must_use]
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", UntrustedStr::expose)
    }

    /// Equal but for when Alertmanager last heard of it: Prometheus repeats every alert each minute, and nobody sees that.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.starts_at == other.starts_at
                && self.state == other.state
                && self.labels == other.labels
                && self.annotations == other.annotations
                && self.generator_url == other.generator_url
                && self.groups == other.groups
    }
}

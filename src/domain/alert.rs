//! Alerts as Alertmanager tells them. Fifty thousand of them must fit: strings are shared, not copied.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::{DedupKey, SilenceId, SourceId};
use super::time::Timestamp;
use crate::text::Untrusted;

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

/// Sorted name/value pairs. Names and values are shared between alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(Arc<[(Arc<str>, Untrusted)]>);

impl Labels {
    /// Sorts by name; of two values for one name the last wins.
    pub fn new(pairs: impl IntoIterator<Item = (Arc<str>, Untrusted)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        // Alertmanager and Prometheus send them sorted.
        if pairs.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Self(pairs.into());
        }
        let sorted: std::collections::BTreeMap<Arc<str>, Untrusted> = pairs.into_iter().collect();
        Self(sorted.into_iter().collect())
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Untrusted> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Names and values, sorted by name. Names come from outside too: clean them before showing.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Untrusted)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        Self::new(pairs.into_iter().map(|(name, value)| (Arc::from(name), Untrusted::from(value))))
    }
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
    Suppressed {
        /// Silences that match it.
        silenced_by: Vec<SilenceId>,
        /// Alerts that inhibit it.
        inhibited_by: Vec<Fingerprint>,
        /// Time intervals that mute it (0.28 and newer).
        muted_by: Vec<Arc<str>>,
    },
}

/// One Alertmanager group an alert is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The groups it is in, in route order.
    pub groups: Vec<GroupRef>,
}

impl Alert {
    /// The `alertname` label.
    #[must_use]
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", Untrusted::expose)
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

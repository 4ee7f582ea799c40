//! The indexes by which alerts and PagerDuty incidents find each other, whichever comes first: group keys,
//! fingerprints, words of titles, folded services. Numbers are places in the slabs of alerts, records and rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::slab::Slab;
use crate::domain::alert::Fingerprint;
use crate::domain::id::{DedupKey, IncidentId, PagerId, SourceId};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// How far a probable tie's two beginnings may be apart, in milliseconds (apis.md 3: five minutes).
const PROBABLE_MS: i64 = 5 * 60 * 1000;

/// Most incidents that one alert is compared with: a probable tie among more than this is a guess anyway, and the cost of
/// a storm stays bounded.
const MAX_NEAR: usize = 256;

/// Most words of a title that are looked at; alert names stand near the front.
const MAX_WORDS: usize = 24;

/// A group: under a paging key it is one everywhere (PagerDuty folds it too); any other is its cluster's own.
pub(super) type NodeName = (Option<SourceId>, DedupKey);

/// A group of Alertmanager, known from its alerts or from an incident that has its key.
#[derive(Debug)]
pub(super) struct Node {
    pub name: NodeName,
    pub id: IncidentId,
    pub members: BTreeSet<u32>,
    pub records: Vec<u32>,
    pub row: Option<u32>,
    /// It had members while this room looked.
    pub was_active: bool,
}

/// Beginnings in order: milliseconds, and who.
pub(super) type Beginnings = BTreeSet<(i64, u32)>;

/// A service whose alerts are one row.
#[derive(Debug)]
pub(super) struct Fold {
    pub name: Clean,
    pub id: IncidentId,
    pub alerts: BTreeSet<u32>,
    /// Open incidents of the service, oldest first.
    pub records: BTreeSet<(Timestamp, PagerId, u32)>,
    pub row: Option<u32>,
}

/// All indexes.
#[derive(Debug, Default)]
pub(super) struct Ties {
    pub nodes: Slab<Node>,
    by_name: HashMap<NodeName, u32>,
    by_id: HashMap<IncidentId, u32>,
    /// Service → alert name → alerts.
    namesakes: HashMap<Arc<str>, HashMap<Arc<str>, Beginnings>>,
    /// Service → incidents that take alerts.
    opened: HashMap<Arc<str>, Beginnings>,
    /// Fingerprint → incidents whose PagerDuty alerts tell of that alert.
    tellers: HashMap<Fingerprint, Vec<u32>>,
    pub folds: HashMap<Arc<str>, Fold>,
}

impl Ties {
    pub fn node(&self, name: &NodeName) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub fn node_by_id(&self, id: &IncidentId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub fn node_or_new(&mut self, name: NodeName) -> u32 {
        if let Some(known) = self.node(&name) {
            return known;
        }
        let id = node_id(&name);
        let node = Node {
            name: name.clone(),
            id: id.clone(),
            members: BTreeSet::new(),
            records: Vec::new(),
            row: None,
            was_active: false,
        };
        let at = self.nodes.insert(node);
        self.by_name.insert(name, at);
        self.by_id.insert(id, at);
        at
    }

    /// Forgets a node that nothing holds any more.
    pub fn prune_node(&mut self, at: u32) {
        let is_idle = |node: &Node| node.members.is_empty() && node.records.is_empty() && node.row.is_none();
        if self.nodes.get(at).is_some_and(is_idle)
            && let Some(node) = self.nodes.remove(at)
        {
            self.by_name.remove(&node.name);
            self.by_id.remove(&node.id);
        }
    }

    /// A service's compared name in the allocation that its other alerts have too.
    pub fn shared(&self, service: Arc<str>) -> Arc<str> {
        self.namesakes.get_key_value(&service).map_or(service, |(known, _)| Arc::clone(known))
    }

    pub fn add_alert_name(&mut self, service: &Arc<str>, name: &str, start_ms: i64, alert: u32) {
        let names = self.namesakes.entry(Arc::clone(service)).or_default();
        if !names.contains_key(name) {
            names.insert(Arc::from(name), Beginnings::default());
        }
        if let Some(known) = names.get_mut(name) {
            known.insert((start_ms, alert));
        }
    }

    pub fn remove_alert_name(&mut self, service: &str, name: &str, start_ms: i64, alert: u32) {
        let Some(names) = self.namesakes.get_mut(service) else { return };
        if let Some(known) = names.get_mut(name) {
            known.remove(&(start_ms, alert));
            if known.is_empty() {
                names.remove(name);
            }
        }
        if names.is_empty() {
            self.namesakes.remove(service);
        }
    }

    /// Alerts of a service whose name stands in a title and that began near an instant.
    pub fn alerts_named_in(&self, service: &str, title: &str, near_ms: i64) -> Vec<u32> {
        let Some(names) = self.namesakes.get(service) else { return Vec::new() };
        let known = words(title).filter_map(|word| names.get(word));
        known.flat_map(|alerts| alerts.range(near(near_ms))).map(|(_, alert)| *alert).collect()
    }

    pub fn add_opened(&mut self, service: &Arc<str>, created_ms: i64, record: u32) {
        self.opened.entry(Arc::clone(service)).or_default().insert((created_ms, record));
    }

    pub fn remove_opened(&mut self, service: &str, created_ms: i64, record: u32) {
        let Some(known) = self.opened.get_mut(service) else { return };
        known.remove(&(created_ms, record));
        if known.is_empty() {
            self.opened.remove(service);
        }
    }

    /// Incidents of a service that were opened near an instant; at most [`MAX_NEAR`] are looked at.
    pub fn opened_near(&self, service: &str, near_ms: i64) -> impl Iterator<Item = (i64, u32)> {
        self.opened.get(service).into_iter().flat_map(move |known| known.range(near(near_ms))).take(MAX_NEAR).copied()
    }

    pub fn add_teller(&mut self, fingerprint: Fingerprint, record: u32) {
        let known = self.tellers.entry(fingerprint).or_default();
        if !known.contains(&record) {
            known.push(record);
        }
    }

    pub fn remove_teller(&mut self, fingerprint: Fingerprint, record: u32) {
        let Some(known) = self.tellers.get_mut(&fingerprint) else { return };
        known.retain(|known| *known != record);
        if known.is_empty() {
            self.tellers.remove(&fingerprint);
        }
    }

    /// Incidents that tell of an alert.
    pub fn tellers(&self, fingerprint: Fingerprint) -> &[u32] {
        self.tellers.get(&fingerprint).map_or(&[], Vec::as_slice)
    }

    pub fn fold(&mut self, key: &Arc<str>, name: &Clean) -> &mut Fold {
        self.folds.entry(Arc::clone(key)).or_insert_with(|| Fold {
            name: name.clone(),
            id: IncidentId::derived("svc", key),
            alerts: BTreeSet::new(),
            records: BTreeSet::new(),
            row: None,
        })
    }
}

/// `am:` and the first 16 hex digits of the key: short enough to type, 64 bits of a sha256.
pub(super) fn node_id((cluster, key): &NodeName) -> IncidentId {
    let short = key.as_str().get(..16).filter(|_| key.as_str().len() == 64).unwrap_or(key.as_str());
    match cluster {
        Some(cluster) => IncidentId::derived("am", &format!("{cluster}:{short}")),
        None => IncidentId::derived("am", short),
    }
}

/// Words of a title that could be an alert's name.
pub(super) fn words(title: &str) -> impl Iterator<Item = &str> {
    let is_part = |symbol: char| symbol.is_alphanumeric() || matches!(symbol, '_' | '-' | '.');
    title
        .split(move |symbol| !is_part(symbol))
        .map(|word| word.trim_matches(['-', '.']))
        .filter(|word| word.len() > 1)
        .take(MAX_WORDS)
}

fn near(at_ms: i64) -> std::ops::RangeInclusive<(i64, u32)> {
    (at_ms.saturating_sub(PROBABLE_MS), 0)..=(at_ms.saturating_add(PROBABLE_MS), u32::MAX)
}

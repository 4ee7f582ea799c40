//! PagerDuty's incidents: which rows they are, and which keys, words and services they hold while they are open.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::rows::Anchor;
use super::slab::Slab;
use super::ties::node_id;
use super::world::{LINGER, World, blank};
use crate::domain::correlate::ServiceTie;
use crate::domain::id::{IncidentId, PagerId, SourceId};
use crate::domain::incident::{PagerIncident, Status};
use crate::domain::time::Timestamp;

/// Merges are followed so far; PagerDuty does not let an incident be merged twice, so a chain is a lie or a loop.
const MAX_MERGES: usize = 8;

/// One incident of PagerDuty.
#[derive(Debug)]
pub(super) struct RecordSlot {
    pub record: Arc<PagerIncident>,
    pub source: SourceId,
    pub tie: Option<ServiceTie>,
    pub row: Option<u32>,
    /// It takes alerts: open, or resolved a moment ago.
    pub is_holding: bool,
}

/// Incidents by number and by PagerDuty's id.
#[derive(Debug, Default)]
pub(super) struct RecordBook {
    pub slab: Slab<RecordSlot>,
    by_pager: HashMap<PagerId, u32>,
    /// Target → incidents merged into it.
    merged: HashMap<PagerId, BTreeSet<u32>>,
    /// When a resolved one lets its alerts go.
    lingering: BTreeSet<(Timestamp, u32)>,
}

impl RecordBook {
    pub fn find(&self, pager: &PagerId) -> Option<u32> {
        self.by_pager.get(pager).copied()
    }

    pub fn next_release(&self) -> Option<Timestamp> {
        self.lingering.first().map(|(at, _)| *at)
    }

    /// The incident that a chain of merges ends in, as far as it is known; itself where the chain is a loop, so that no
    /// incident can vanish.
    pub fn target_of(&self, at: u32) -> u32 {
        let mut here = at;
        for _ in 0..MAX_MERGES {
            match self.slab.get(here).and_then(|slot| self.find(slot.record.merged_into.as_ref()?)) {
                Some(next) => here = next,
                None => return here,
            }
        }
        at
    }

    /// It and everything merged into it.
    pub fn family(&self, at: u32) -> Vec<u32> {
        let mut family = vec![at];
        let mut next = 0;
        while let Some(member) = family.get(next).copied() {
            next += 1;
            let Some(slot) = self.slab.get(member) else { continue };
            let merged = self.merged.get(&slot.record.id).into_iter().flatten();
            for source in merged {
                if family.len() < 1_000 && !family.contains(source) {
                    family.push(*source);
                }
            }
        }
        family
    }
}

/// What a change of an incident can concern.
#[derive(Debug, Default)]
struct Concern {
    /// Node → who held it before.
    nodes: BTreeMap<u32, Option<u32>>,
    /// Alerts whose name stands in its title, or of which its alerts tell.
    alerts: BTreeSet<u32>,
    folds: BTreeSet<Arc<str>>,
}

impl World {
    /// Takes a new or changed incident. An answer that is older than what is known (a poll that was overtaken by an
    /// action's own answer) is left aside.
    pub fn put_record(&mut self, source: &SourceId, record: &Arc<PagerIncident>, now: Timestamp) {
        let known = self.records.find(&record.id);
        let slot = known.and_then(|at| self.records.slab.get(at));
        if slot.is_some_and(|slot| slot.record == *record || slot.record.changed_at > record.changed_at) {
            return;
        }
        if record.status == Status::Resolved && record.changed_at + self.settings.keep_resolved <= now {
            return known.map_or((), |at| self.remove_record(at));
        }
        let is_holding = holds(record, now);
        let stays = slot.is_some_and(|slot| slot.is_holding == is_holding && is_tied_alike(&slot.record, record));
        let mut concern = Concern::default();
        self.gather_merged(&record.id, &mut concern);
        let at = match known {
            Some(at) => {
                if !stays {
                    self.detach(at, &mut concern);
                }
                if let Some(slot) = self.records.slab.get_mut(at) {
                    slot.record = Arc::clone(record);
                    slot.source = source.clone();
                    slot.is_holding = is_holding;
                    slot.tie = self.services.of_record(record);
                }
                at
            }
            None => {
                let tie = self.services.of_record(record);
                let slot =
                    RecordSlot { record: Arc::clone(record), source: source.clone(), tie, row: None, is_holding };
                let at = self.records.slab.insert(slot);
                self.records.by_pager.insert(record.id.clone(), at);
                at
            }
        };
        self.records.lingering.retain(|(_, record)| *record != at);
        if is_holding && record.status == Status::Resolved {
            self.records.lingering.insert((record.changed_at + LINGER, at));
        }
        if stays {
            return self.touch_record(at);
        }
        self.attach(at, &mut concern);
        self.settle_concern(&concern);
    }

    /// Forgets an incident. Its alerts find other homes before its row goes, because numbers of rows are given again.
    pub fn remove_record(&mut self, at: u32) {
        let mut concern = Concern::default();
        self.detach(at, &mut concern);
        self.records.lingering.retain(|(_, record)| *record != at);
        let family = self.records.family(at);
        let Some(slot) = self.records.slab.remove(at) else { return };
        self.records.by_pager.remove(&slot.record.id);
        if let Some(row) = slot.row {
            self.evict(row);
        }
        // What was merged into it is over with it; what only claims to be is an incident of its own again.
        for member in family.into_iter().filter(|member| *member != at) {
            if self.records.slab.get(member).is_some_and(|slot| slot.record.status == Status::Resolved) {
                self.remove_record(member);
            } else {
                self.sync_row(member);
            }
        }
        self.settle_concern(&concern);
        self.history.forget(&IncidentId::of_pager(&slot.record.id));
        for key in &slot.record.keys {
            let name = (None, key.clone());
            if self.ties.node(&name).is_none() {
                self.history.forget(&node_id(&name));
            }
        }
    }

    /// Resolved incidents whose time is over let their alerts go.
    pub fn release_lingering(&mut self, now: Timestamp) {
        while let Some((_, at)) = self.records.lingering.first().copied().filter(|(until, _)| *until <= now) {
            self.records.lingering.pop_first();
            let mut concern = Concern::default();
            self.detach(at, &mut concern);
            if let Some(slot) = self.records.slab.get_mut(at) {
                slot.is_holding = false;
            }
            self.attach(at, &mut concern);
            self.settle_concern(&concern);
        }
    }

    /// The incident that holds a group's key.
    pub fn holder_of(&self, node: u32) -> Option<u32> {
        self.holder_among(&self.ties.nodes.get(node)?.records)
    }

    /// Of incidents that claim the same: an open one before a resolved one, the newest of several.
    pub fn holder_among(&self, claims: &[u32]) -> Option<u32> {
        let targets = claims.iter().map(|record| self.records.target_of(*record));
        targets
            .filter_map(|at| Some((at, self.records.slab.get(at)?)))
            .filter(|(_, slot)| slot.is_holding)
            .max_by(|(_, one), (_, other)| {
                let rank = |slot: &RecordSlot| (slot.record.status != Status::Resolved, slot.record.created_at);
                rank(one).cmp(&rank(other)).then_with(|| one.record.id.cmp(&other.record.id))
            })
            .map(|(at, _)| at)
    }

    /// Takes an incident out of the indexes.
    fn detach(&mut self, at: u32, concern: &mut Concern) {
        self.gather(at, concern);
        let Some(slot) = self.records.slab.get(at) else { return };
        let record = Arc::clone(&slot.record);
        for key in &record.keys {
            if let Some(node) = self.ties.node(&(None, key.clone())).and_then(|node| self.ties.nodes.get_mut(node)) {
                node.records.retain(|known| *known != at);
            }
        }
        for fingerprint in &record.fingerprints {
            self.ties.remove_teller(*fingerprint, at);
        }
        if let Some(service) = self.service_key(at) {
            self.ties.remove_opened(&service, record.created_at.timestamp_millis(), at);
        }
        if let Some(fold) = self.fold_key(at).and_then(|key| self.ties.folds.get_mut(&key)) {
            fold.records.remove(&(record.created_at, record.id.clone(), at));
        }
        if let Some(target) = &record.merged_into
            && let Some(sources) = self.records.merged.get_mut(target)
        {
            sources.remove(&at);
            if sources.is_empty() {
                self.records.merged.remove(target);
            }
        }
    }

    /// Enters an incident in the indexes.
    fn attach(&mut self, at: u32, concern: &mut Concern) {
        let Some(slot) = self.records.slab.get(at) else { return };
        let (record, is_holding) = (Arc::clone(&slot.record), slot.is_holding);
        if let Some(target) = &record.merged_into {
            self.records.merged.entry(target.clone()).or_default().insert(at);
        }
        for key in &record.keys {
            let node_at = self.ties.node_or_new((None, key.clone()));
            concern.nodes.entry(node_at).or_insert(None);
            if let Some(node) = self.ties.nodes.get_mut(node_at)
                && !node.records.contains(&at)
            {
                node.records.push(at);
            }
        }
        for fingerprint in &record.fingerprints {
            self.ties.add_teller(*fingerprint, at);
        }
        let takes_alerts = is_holding && record.merged_into.is_none();
        if takes_alerts {
            if let Some(service) = self.service_key(at) {
                self.ties.add_opened(&service, record.created_at.timestamp_millis(), at);
            }
            if let Some((key, name)) = self.fold_key(at).zip(slot_name(&self.records, at)) {
                let fold = self.ties.fold(&key, &name);
                fold.records.insert((record.created_at, record.id.clone(), at));
            }
        }
        self.gather(at, concern);
        for member in self.records.family(at) {
            self.sync_row(member);
        }
    }

    /// Notes what an incident holds; for groups, who holds them before the change.
    fn gather(&self, at: u32, concern: &mut Concern) {
        for member in self.records.family(at) {
            let Some(slot) = self.records.slab.get(member) else { continue };
            for key in &slot.record.keys {
                if let Some(node) = self.ties.node(&(None, key.clone())) {
                    concern.nodes.entry(node).or_insert_with(|| self.holder_of(node));
                }
            }
            self.gather_told(slot, concern);
        }
        let Some(slot) = self.records.slab.get(at) else { return };
        if let Some(tie) = &slot.tie {
            let created = slot.record.created_at.timestamp_millis();
            let named = self.ties.alerts_named_in(&tie.key, slot.record.title.as_str(), created);
            concern.alerts.extend(named);
        }
        concern.folds.extend(self.fold_key(at));
    }

    /// What was merged into an incident changes hands when that one appears.
    fn gather_merged(&self, pager: &PagerId, concern: &mut Concern) {
        let sources = self.records.merged.get(pager).into_iter().flatten();
        for member in sources.flat_map(|source| self.records.family(*source)) {
            let Some(slot) = self.records.slab.get(member) else { continue };
            for key in &slot.record.keys {
                if let Some(node) = self.ties.node(&(None, key.clone())) {
                    concern.nodes.entry(node).or_insert_with(|| self.holder_of(node));
                }
            }
            self.gather_told(slot, concern);
        }
    }

    fn gather_told(&self, slot: &RecordSlot, concern: &mut Concern) {
        let told = slot.record.fingerprints.iter();
        concern.alerts.extend(told.flat_map(|fingerprint| self.alerts.with_fingerprint(*fingerprint)));
    }

    fn settle_concern(&mut self, concern: &Concern) {
        for (node, before) in &concern.nodes {
            if self.holder_of(*node) != *before {
                self.rehome_node(*node);
            }
            self.ties.prune_node(*node);
        }
        for alert in &concern.alerts {
            self.rehome(*alert);
        }
        for service in &concern.folds {
            self.rehome_fold(service);
        }
    }

    /// An incident has a row, unless it was merged into one that is known.
    fn sync_row(&mut self, at: u32) {
        let wants = self.records.target_of(at) == at;
        let Some(slot) = self.records.slab.get_mut(at) else { return };
        match (wants, slot.row) {
            (true, None) => {
                let id = IncidentId::of_pager(&slot.record.id);
                slot.row = Some(self.rows.insert(Anchor::Record(at), blank(id)));
            }
            (true, Some(row)) => self.rows.touch(row),
            (false, Some(row)) => {
                slot.row = None;
                self.evict(row);
            }
            (false, None) => {}
        }
    }

    /// Takes a row away whose alerts must find another home first.
    fn evict(&mut self, row: u32) {
        let members = self.rows.members_of(row);
        for member in members.iter().filter_map(|key| self.alerts.find(key)).collect::<Vec<_>>() {
            self.rehome(member);
        }
        self.remove_row(row);
    }

    fn touch_record(&mut self, at: u32) {
        if let Some(row) = self.records.slab.get(at).and_then(|slot| slot.row) {
            self.rows.touch(row);
        }
    }

    /// Every incident is assessed again: the account's priorities became known.
    pub fn touch_records(&mut self) {
        let rows: Vec<u32> = self.records.slab.iter().filter_map(|(_, slot)| slot.row).collect();
        for row in rows {
            self.rows.touch(row);
        }
    }

    pub(super) fn refresh_record_row(&mut self, at: u32, record_at: u32) {
        let Some(slot) = self.records.slab.get(record_at) else { return };
        let Some(row) = self.rows.slab.get_mut(at) else { return };
        let record = &slot.record;
        let rank = record.priority.as_ref().and_then(|priority| {
            priority.rank.or_else(|| self.priority_ranks.iter().position(|known| *known == priority.id))
        });
        row.incident.title = record.title.clone();
        row.incident.service = slot.tie.as_ref().map(|tie| tie.name.clone());
        row.incident.assessment = self.settings.severities.assess(Some(record), rank, row.worst_label());
        row.incident.status = record.status;
        row.incident.started_at = row.earliest.map_or(record.created_at, |earliest| earliest.min(record.created_at));
        row.incident.record = Some(Arc::clone(record));
        let is_over = record.status == Status::Resolved;
        let expires = is_over.then(|| record.changed_at + self.settings.keep_resolved);
        self.rows.place(at, self.settings.order, expires);
    }

    fn service_key(&self, at: u32) -> Option<Arc<str>> {
        self.records.slab.get(at)?.tie.as_ref().map(|tie| Arc::clone(&tie.key))
    }

    fn fold_key(&self, at: u32) -> Option<Arc<str>> {
        let tie = self.records.slab.get(at)?.tie.as_ref()?;
        tie.is_folded.then(|| Arc::clone(&tie.key))
    }
}

fn slot_name(records: &RecordBook, at: u32) -> Option<crate::text::Clean> {
    records.slab.get(at)?.tie.as_ref().map(|tie| tie.name.clone())
}

fn holds(record: &PagerIncident, now: Timestamp) -> bool {
    record.status != Status::Resolved || record.changed_at + LINGER > now
}

/// Whether a change leaves everything as it is that ties alerts to an incident.
fn is_tied_alike(one: &PagerIncident, other: &PagerIncident) -> bool {
    one.keys == other.keys
        && one.fingerprints == other.fingerprints
        && one.title == other.title
        && one.service == other.service
        && one.created_at == other.created_at
        && one.merged_into == other.merged_into
        && (one.status == Status::Resolved) == (other.status == Status::Resolved)
}

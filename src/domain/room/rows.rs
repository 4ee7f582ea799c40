//! The rows of the board: made, filled, ordered, counted, each at the cost of what changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::alerts::{AlertSlot, LeadKey};
use super::ranked::{Entry, Ranked};
use super::settings::StartOrder;
use super::slab::Slab;
use crate::domain::alert::AlertKey;
use crate::domain::id::IncidentId;
use crate::domain::incident::{Incident, Link, Status};
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;

/// Edits up to this many are put in one by one; more are merged in one pass.
const FEW_EDITS: usize = 8;

/// What a row stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// A PagerDuty incident.
    Record(u32),
    /// A group of Alertmanager.
    Node(u32),
    /// One alert in no group.
    Alone(AlertKey),
    /// A folded service.
    Fold(Arc<str>),
}

/// Open incidents of one severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeverityCount {
    /// Nobody works on them.
    pub triggered: usize,
    /// Somebody does.
    pub acknowledged: usize,
}

impl SeverityCount {
    /// Both.
    #[must_use]
    pub fn open(self) -> usize {
        self.triggered + self.acknowledged
    }
}

/// What the header counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_severity: [SeverityCount; 4],
    /// Rows whose alerts are all silenced or inhibited.
    pub suppressed: usize,
    /// Resolved ones that are still shown.
    pub resolved: usize,
}

impl Counts {
    /// Open, not suppressed incidents of a severity.
    #[must_use]
    pub fn of(&self, severity: Severity) -> SeverityCount {
        self.by_severity.get(severity.rank()).copied().unwrap_or_default()
    }

    /// Open, not suppressed incidents.
    #[must_use]
    pub fn open(&self) -> usize {
        self.by_severity.iter().map(|count| count.open()).sum()
    }

    fn cell(&mut self, key: u64) -> Option<&mut usize> {
        match key >> 62 {
            1 => return Some(&mut self.suppressed),
            2 => return Some(&mut self.resolved),
            _ => {}
        }
        let count = self.by_severity.get_mut((key >> 60 & 3) as usize)?;
        Some(if key >> 59 & 1 == 0 { &mut count.triggered } else { &mut count.acknowledged })
    }
}

/// A row and what keeps it cheap to change.
#[derive(Debug)]
pub(super) struct Row {
    pub incident: Incident,
    pub anchor: Anchor,
    /// Members that came (with their link) or went since the last refresh.
    edits: Vec<(AlertKey, Option<Link>)>,
    /// How many alerts it has, edits included.
    pub members: u32,
    /// Members that do not notify.
    quiet: u32,
    pub lead: Option<(LeadKey, u32)>,
    /// Earliest start among members.
    pub earliest: Option<Timestamp>,
    /// The lead or the earliest left: look through all members.
    needs_scan: bool,
    is_dirty: bool,
    /// Where it stands on the board.
    key: Option<u64>,
    /// When its last member ended.
    pub ended_at: Option<Timestamp>,
    expires: Option<Timestamp>,
    /// Raised with every change of its members.
    pub alerts_version: u64,
}

impl Row {
    fn tally(&mut self, slot: &AlertSlot, by: i32) {
        self.members = self.members.saturating_add_signed(by);
        if slot.is_quiet {
            self.quiet = self.quiet.saturating_add_signed(by);
        }
    }

    pub fn is_all_quiet(&self) -> bool {
        self.quiet == self.members
    }

    /// The worst severity label: of the alerts that notify, or of the silent ones where none does.
    pub fn worst_label(&self) -> Option<Severity> {
        let (_, badness, _, _) = self.lead?.0;
        Severity::ALL.into_iter().find(|severity| severity.rank() == usize::from(badness))
    }

    fn note(&mut self, at: u32, slot: &AlertSlot) {
        let candidate = (slot.lead_key(), at);
        if self.lead.is_none_or(|lead| candidate < lead) {
            self.lead = Some(candidate);
        }
        if self.earliest.is_none_or(|earliest| slot.alert.starts_at < earliest) {
            self.earliest = Some(slot.alert.starts_at);
        }
    }

    /// Puts the edits into the sorted list of members.
    fn flush(&mut self) {
        let members = &mut self.incident.alerts;
        if self.edits.len() <= FEW_EDITS {
            for (key, link) in self.edits.drain(..) {
                match (members.binary_search_by(|(known, _)| known.cmp(&key)), link) {
                    (Ok(at), Some(link)) => {
                        if let Some(member) = members.get_mut(at) {
                            member.1 = link;
                        }
                    }
                    (Ok(at), None) => drop(members.remove(at)),
                    (Err(at), Some(link)) => {
                        // Most rows have few: doubling would leave a third of their memory unused.
                        if members.len() < FEW_EDITS {
                            members.reserve_exact(1);
                        }
                        members.insert(at, (key, link));
                    }
                    (Err(_), None) => {}
                }
            }
        } else {
            // Later edits win: they come last among equals, and the map keeps the last.
            let mut merged: std::collections::BTreeMap<AlertKey, Option<Link>> = self.edits.drain(..).collect();
            members.retain(|(key, _)| !merged.contains_key(key));
            merged.retain(|_, link| link.is_some());
            members.extend(merged.into_iter().filter_map(|(key, link)| Some((key, link?))));
            members.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            members.shrink_to_fit();
        }
        self.edits.shrink_to_fit();
    }
}

/// All rows, by number, by identity, in order.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub slab: Slab<Row>,
    by_id: HashMap<IncidentId, u32>,
    pub ranked: Ranked,
    pub counts: Counts,
    dirty: Vec<u32>,
    expiries: BTreeSet<(Timestamp, u32)>,
    pub version: u64,
}

impl Rows {
    pub fn by_id(&self, id: &IncidentId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub fn rank_of(&self, at: u32) -> Option<usize> {
        let row = self.slab.get(at)?;
        self.ranked.rank_of(row.key?, &row.incident.id)
    }

    /// A new row; it comes on the board at the next refresh.
    pub fn insert(&mut self, anchor: Anchor, incident: Incident) -> u32 {
        let id = incident.id.clone();
        let row = Row {
            incident,
            anchor,
            edits: Vec::new(),
            members: 0,
            quiet: 0,
            lead: None,
            earliest: None,
            needs_scan: false,
            is_dirty: false,
            key: None,
            ended_at: None,
            expires: None,
            alerts_version: 0,
        };
        let at = self.slab.insert(row);
        self.by_id.insert(id, at);
        self.touch(at);
        at
    }

    /// It must be looked at before this fact is done.
    pub fn touch(&mut self, at: u32) {
        if let Some(row) = self.slab.get_mut(at)
            && !row.is_dirty
        {
            row.is_dirty = true;
            self.dirty.push(at);
        }
    }

    pub fn join(&mut self, at: u32, alert: u32, slot: &AlertSlot, link: Link) {
        let Some(row) = self.slab.get_mut(at) else { return };
        row.tally(slot, 1);
        row.note(alert, slot);
        row.edits.push((slot.alert.key.clone(), Some(link)));
        row.ended_at = None;
        self.touch(at);
    }

    /// `ended` tells when, for an alert that is over and did not only move to another row.
    pub fn leave(&mut self, at: u32, alert: u32, slot: &AlertSlot, ended: Option<Timestamp>) {
        let Some(row) = self.slab.get_mut(at) else { return };
        row.tally(slot, -1);
        row.needs_scan |= row.lead.is_some_and(|(_, lead)| lead == alert) || row.earliest == Some(slot.alert.starts_at);
        row.edits.push((slot.alert.key.clone(), None));
        row.ended_at = ended;
        self.touch(at);
    }

    /// Its state changed, its place did not.
    pub fn requiet(&mut self, at: u32, alert: u32, slot: &AlertSlot) {
        let Some(row) = self.slab.get_mut(at) else { return };
        row.quiet = row.quiet.saturating_add_signed(if slot.is_quiet { 1 } else { -1 });
        // Quiet alerts never lead before loud ones, so the order of all of them may have changed.
        row.needs_scan |= row.lead.is_some_and(|(_, lead)| lead == alert);
        row.note(alert, slot);
        self.touch(at);
    }

    /// The alerts of a row, edits included.
    pub fn members_of(&mut self, at: u32) -> Vec<AlertKey> {
        let Some(row) = self.slab.get_mut(at) else { return Vec::new() };
        row.flush();
        row.alerts_version += 1;
        row.incident.alerts.iter().map(|(key, _)| key.clone()).collect()
    }

    pub fn take_dirty(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.dirty)
    }

    /// Members, lead and earliest start are right after this.
    pub fn settle(&mut self, at: u32, find: impl Fn(&AlertKey) -> Option<(u32, LeadKey, Timestamp)>) {
        let Some(row) = self.slab.get_mut(at) else { return };
        row.is_dirty = false;
        if !row.edits.is_empty() {
            row.flush();
            row.alerts_version += 1;
        }
        if row.needs_scan {
            row.needs_scan = false;
            let members = || row.incident.alerts.iter().filter_map(|(key, _)| find(key));
            row.lead = members().map(|(alert, key, _)| (key, alert)).min();
            row.earliest = members().map(|(_, _, start)| start).min();
        }
    }

    /// Puts the row where it belongs now; `expires` takes it off the board.
    pub fn place(&mut self, at: u32, order: StartOrder, expires: Option<Timestamp>) {
        let Some(row) = self.slab.get_mut(at) else { return };
        self.version += 1;
        if row.expires != expires {
            row.expires.take().map(|old| self.expiries.remove(&(old, at)));
            row.expires = expires;
            expires.map(|new| self.expiries.insert((new, at)));
        }
        let key = sort_key(&row.incident, order);
        let before = row.key.replace(key);
        if before == Some(key) {
            return;
        }
        let id = row.incident.id.clone();
        self.unplace(before, &id);
        self.counts.cell(key).map(|count| *count += 1);
        self.ranked.insert(Entry { key, id, row: at });
    }

    fn unplace(&mut self, key: Option<u64>, id: &IncidentId) {
        if let Some(key) = key {
            self.counts.cell(key).map(|count| *count -= 1);
            self.ranked.remove(key, id);
        }
    }

    pub fn remove(&mut self, at: u32) -> Option<Row> {
        let row = self.slab.remove(at)?;
        self.version += 1;
        row.expires.map(|expires| self.expiries.remove(&(expires, at)));
        self.by_id.remove(&row.incident.id);
        self.unplace(row.key, &row.incident.id);
        Some(row)
    }

    pub fn next_expiry(&self) -> Option<(Timestamp, u32)> {
        self.expiries.first().copied()
    }
}

/// Open, suppressed, resolved; worst first; triggered before acknowledged; then by start. Ties fall to the identity.
/// Bits: 2 tier, 2 severity, 1 status, 59 start.
fn sort_key(incident: &Incident, order: StartOrder) -> u64 {
    const START_BITS: u64 = (1 << 59) - 1;
    let tier = match incident.status {
        Status::Resolved => 2,
        _ if incident.is_suppressed => 1,
        _ => 0,
    };
    let is_acknowledged = incident.status == Status::Acknowledged;
    let start = incident.started_at.timestamp_millis().saturating_add(1 << 58).clamp(0, START_BITS as i64) as u64;
    let start = if order == StartOrder::OldestFirst { start } else { START_BITS - start };
    tier << 62 | (incident.assessment.severity.rank() as u64) << 60 | u64::from(is_acknowledged) << 59 | start
}

//! What PagerDuty told of incidents so far, so that only what changed becomes a fact.
//!
//! Absence closes nothing: an incident that left the open list is named by [`Incidents::missing`] and read by its id.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::alert::Fingerprint;
use crate::domain::escalation::OnCall;
use crate::domain::id::{DedupKey, PagerId};
use crate::domain::incident::{PagerIncident, Status};
use crate::domain::severity::Severity;
use crate::sources::pagerduty::level_by_oncall;

/// Resolved incidents stay known this long, so that a late list cannot bring their open past back.
const RESOLVED_KEPT: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Incidents with keys whose alerts are read too, newest first: for their severity, and for the fingerprints that tie them
/// where Alertmanager's routes cannot be read. A room with more open ones has other troubles than these.
const MOST_READ: usize = 200;

/// What the alerts of an incident told about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FromAlerts {
    /// Their keys.
    pub(crate) keys: Vec<DedupKey>,
    /// Alertmanager's alerts that they tell of.
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// The worst of their severities.
    pub(crate) severity: Option<Severity>,
    /// The incident's alert counts at that time; read again when they change.
    pub(crate) counts: (u32, u32),
}

#[derive(Debug)]
struct Known {
    told: Arc<PagerIncident>,
    /// When the answer that told it was asked for: an answer to an older question does not undo it.
    asked_at: Instant,
}

/// What is known of PagerDuty's incidents.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    known: HashMap<PagerId, Known>,
    from_alerts: HashMap<PagerId, FromAlerts>,
    /// Who is on call at which level of which policy: tells at which level an incident stands, which no list does.
    on_call: Vec<OnCall>,
}

impl Incidents {
    /// Takes records in that were asked for at `asked_at`; returns the new and changed ones.
    pub(crate) fn learn(
        &mut self,
        records: impl IntoIterator<Item = Arc<PagerIncident>>,
        asked_at: Instant,
    ) -> Vec<Arc<PagerIncident>> {
        let mut changed = Vec::new();
        for record in records {
            if self.known.get(&record.id).is_some_and(|known| known.asked_at > asked_at) {
                continue;
            }
            let record = self.completed(record);
            match self.known.get_mut(&record.id) {
                // Polls repeat themselves: the copy that the room has too is kept.
                Some(known) if *known.told == *record => known.asked_at = asked_at,
                _ => {
                    changed.push(Arc::clone(&record));
                    self.known.insert(record.id.clone(), Known { told: record, asked_at });
                }
            }
        }
        changed
    }

    /// What an earlier console was told, for incidents that nothing is known of yet; returns what is new of it. Asked for
    /// before `before`: every answer knows better.
    pub(crate) fn recall(&mut self, records: Vec<Arc<PagerIncident>>, before: Instant) -> Vec<Arc<PagerIncident>> {
        let asked_at = before.checked_sub(std::time::Duration::from_millis(1)).unwrap_or(before);
        let is_new = |record: &Arc<PagerIncident>| !self.known.contains_key(&record.id);
        let new: Vec<Arc<PagerIncident>> = records.into_iter().filter(is_new).collect();
        for record in &new {
            self.known.insert(record.id.clone(), Known { told: Arc::clone(record), asked_at });
            // Only the alerts of an incident tell these: they were read, and are read again when their number changes.
            if !record.fingerprints.is_empty() || record.alert_severity.is_some() {
                let told = FromAlerts {
                    keys: record.keys.clone(),
                    fingerprints: record.fingerprints.clone(),
                    severity: record.alert_severity,
                    counts: record.alert_counts,
                };
                self.from_alerts.insert(record.id.clone(), told);
            }
        }
        new
    }

    /// Everything that is open, newest first.
    pub(crate) fn open(&self) -> Vec<Arc<PagerIncident>> {
        let is_open = |known: &&Known| known.told.status != Status::Resolved;
        let mut open: Vec<_> = self.known.values().filter(is_open).map(|known| Arc::clone(&known.told)).collect();
        open.sort_by_key(|told| std::cmp::Reverse((told.created_at, told.number)));
        open
    }

    /// Open incidents that a list which tells all (asked for at `asked_at`) did not name: to be read by id.
    pub(crate) fn missing(&self, listed: &HashSet<PagerId>, asked_at: Instant) -> Vec<PagerId> {
        let is_missing = |known: &&Known| {
            known.told.status != Status::Resolved && known.asked_at < asked_at && !listed.contains(&known.told.id)
        };
        let mut missing: Vec<PagerId> =
            self.known.values().filter(is_missing).map(|known| known.told.id.clone()).collect();
        missing.sort_unstable();
        missing
    }

    /// Open incidents without keys whose alerts were not read yet (or not since their number changed), newest first.
    pub(crate) fn keyless(&self) -> Vec<PagerId> {
        let wanting = self.without_alerts();
        wanting.into_iter().filter(|told| told.keys.is_empty()).map(|told| told.id.clone()).collect()
    }

    /// Open incidents whose alerts should be read: those without keys and those read before first, then some others.
    pub(crate) fn unread(&self) -> Vec<PagerId> {
        let is_needed = |told: &&PagerIncident| told.keys.is_empty() || self.from_alerts.contains_key(&told.id);
        let (needed, mut others): (Vec<_>, Vec<_>) = self.without_alerts().into_iter().partition(is_needed);
        others.truncate(MOST_READ.saturating_sub(self.from_alerts.len()));
        needed.into_iter().chain(others).map(|told| told.id.clone()).collect()
    }

    /// Newest first.
    fn without_alerts(&self) -> Vec<&PagerIncident> {
        let wants = |told: &&PagerIncident| {
            let is_read = self.from_alerts.get(&told.id).is_some_and(|read| read.counts == told.alert_counts);
            told.status != Status::Resolved && told.alert_counts != (0, 0) && !is_read
        };
        let mut wanting: Vec<&PagerIncident> = self.known.values().map(|known| &*known.told).filter(wants).collect();
        wanting.sort_by_key(|told| std::cmp::Reverse((told.created_at, told.number)));
        wanting
    }

    /// Takes in what the alerts of `id` told; returns its record when that changed it.
    pub(crate) fn learn_alerts(&mut self, id: &PagerId, told: FromAlerts) -> Option<Arc<PagerIncident>> {
        self.from_alerts.insert(id.clone(), told);
        self.refresh(id)
    }

    /// Takes in who is on call; returns the records that this changed.
    pub(crate) fn learn_on_call(&mut self, on_call: &[OnCall]) -> Vec<Arc<PagerIncident>> {
        self.on_call = on_call.to_vec();
        let mut ids: Vec<PagerId> = self.known.keys().cloned().collect();
        ids.sort_unstable();
        ids.iter().filter_map(|id| self.refresh(id)).collect()
    }

    /// The record of `id` as it was told last.
    pub(crate) fn get(&self, id: &PagerId) -> Option<Arc<PagerIncident>> {
        self.known.get(id).map(|known| Arc::clone(&known.told))
    }

    /// Forgets incidents that have long been resolved.
    pub(crate) fn prune(&mut self, now: Instant) {
        let keeps = |known: &Known| {
            known.told.status != Status::Resolved || now.saturating_duration_since(known.asked_at) < RESOLVED_KEPT
        };
        self.known.retain(|_, known| keeps(known));
        let known = &self.known;
        self.from_alerts.retain(|id, _| known.contains_key(id));
    }

    fn refresh(&mut self, id: &PagerId) -> Option<Arc<PagerIncident>> {
        let told = self.get(id)?;
        let completed = self.completed(Arc::clone(&told));
        if *completed == *told {
            return None;
        }
        self.known.get_mut(id)?.told = Arc::clone(&completed);
        Some(completed)
    }

    /// The record with what other answers told about the same incident. A list does not carry these.
    fn completed(&self, record: Arc<PagerIncident>) -> Arc<PagerIncident> {
        let mut full = record;
        let level = level_by_oncall(&full, &self.on_call);
        if full.level != level && !self.on_call.is_empty() {
            Arc::make_mut(&mut full).level = level;
        }
        let Some(read) = self.from_alerts.get(&full.id) else { return full };
        let has_all = read.keys.iter().all(|key| full.keys.contains(key));
        let severity = full.alert_severity.max(read.severity);
        if !has_all || full.alert_severity != severity || full.fingerprints != read.fingerprints {
            let owned = Arc::make_mut(&mut full);
            owned.fingerprints.clone_from(&read.fingerprints);
            for key in &read.keys {
                if !owned.keys.contains(key) {
                    owned.keys.push(key.clone());
                }
            }
            owned.alert_severity = severity;
        }
        full
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::id::{PolicyId, UserId};
    use crate::domain::incident::Named;
    use crate::engine::testing::{pager_id, record};
    use crate::text::Clean;

    fn ids(changed: &[Arc<PagerIncident>]) -> Vec<&str> {
        changed.iter().map(|record| record.id.as_str()).collect()
    }

    fn open(id: &str) -> Arc<PagerIncident> {
        Arc::new(record(id, Status::Triggered))
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_changed_is_told() {
        let mut known = Incidents::default();
        let now = Instant::now();
        assert_eq!(ids(&known.learn([open("P1"), open("P2")], now)), ["P1", "P2"]);
        let acknowledged = Arc::new(record("P2", Status::Acknowledged));
        assert_eq!(ids(&known.learn([open("P1"), acknowledged], now)), ["P2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_to_an_old_question_does_not_undo_an_action() {
        let mut known = Incidents::default();
        let asked = Instant::now();
        let later = asked + Duration::from_secs(1);
        known.learn([Arc::new(record("P1", Status::Acknowledged))], later);
        assert_eq!(ids(&known.learn([open("P1")], asked)), Vec::<&str>::new());
        assert_eq!(known.get(&pager_id("P1")).unwrap().status, Status::Acknowledged);
        assert_eq!(known.missing(&HashSet::new(), asked), [], "the old list cannot make it missing either");
    }

    #[tokio::test(start_paused = true)]
    async fn alerts_are_read_of_those_without_keys_first_and_of_some_others() {
        let mut known = Incidents::default();
        let one = |number: usize| {
            let mut record = record(&format!("P{number}"), Status::Triggered);
            record.number = number as u64;
            record.keys = if number == 1 { Vec::new() } else { vec![DedupKey::parse("k").unwrap()] };
            Arc::new(record)
        };
        known.learn((1..=MOST_READ + 50).map(one), Instant::now());
        assert_eq!(known.keyless(), [pager_id("P1")]);
        let mut read = 0;
        while let Some(next) = known.unread().first() {
            assert!(read > 0 || *next == pager_id("P1"));
            known.learn_alerts(&next.clone(), FromAlerts { counts: (1, 0), ..FromAlerts::default() });
            read += 1;
        }
        assert_eq!(read, MOST_READ);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_on_call_tells_the_level_and_a_later_list_does_not_forget_it() {
        let mut known = Incidents::default();
        let held = |by: &str| {
            let mut record = record("P1", Status::Triggered);
            record.assignees = vec![Named { id: UserId::parse(by).unwrap(), name: Clean::new(by) }];
            record.policy = Some(Named { id: PolicyId::parse("PEP").unwrap(), name: Clean::new("ops") });
            Arc::new(record)
        };
        let at = |level: u32, by: &str| OnCall {
            user: Named { id: UserId::parse(by).unwrap(), name: Clean::new(by) },
            policy: Named { id: PolicyId::parse("PEP").unwrap(), name: Clean::new("ops") },
            level,
            schedule: None,
            until: None,
        };
        known.learn([held("UANA")], Instant::now());
        let changed = known.learn_on_call(&[at(1, "UBEN"), at(2, "UANA")]);
        assert_eq!(changed.iter().map(|record| record.level).collect::<Vec<_>>(), [Some(2)]);
        assert_eq!(ids(&known.learn([held("UANA")], Instant::now())), Vec::<&str>::new());
        let changed = known.learn([held("UBEN")], Instant::now());
        assert_eq!(changed.iter().map(|record| record.level).collect::<Vec<_>>(), [Some(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_earlier_console_was_told_is_open_until_it_is_read_by_its_id() {
        let mut known = Incidents::default();
        let now = Instant::now();
        known.learn([Arc::new(record("P1", Status::Acknowledged))], now);
        let mut read = record("P3", Status::Triggered);
        read.fingerprints = vec![Fingerprint(7)];
        let recalled = known.recall(vec![open("P1"), open("P2"), Arc::new(read)], now);
        assert_eq!(ids(&recalled), ["P2", "P3"], "what was told here knows better");
        assert_eq!(known.get(&pager_id("P1")).unwrap().status, Status::Acknowledged);
        assert_eq!(known.missing(&HashSet::from([pager_id("P1"), pager_id("P3")]), now), [pager_id("P2")]);
        assert!(!known.unread().contains(&pager_id("P3")), "its alerts were read");
        assert_eq!(ids(&known.learn([Arc::new(record("P2", Status::Resolved))], now)), ["P2"]);
        assert_eq!(ids(&known.open()).len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_left_the_list_is_named_and_not_closed() {
        let mut known = Incidents::default();
        let asked = Instant::now();
        known.learn([open("P1"), open("P2"), Arc::new(record("P3", Status::Resolved))], asked);
        let listed = HashSet::from([pager_id("P2")]);
        let later = asked + Duration::from_secs(10);
        assert_eq!(known.missing(&listed, later), [pager_id("P1")]);
        assert_eq!(known.get(&pager_id("P1")).unwrap().status, Status::Triggered);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_from_alerts_stay_and_are_read_again_when_the_number_of_alerts_changes() {
        let mut known = Incidents::default();
        let now = Instant::now();
        known.learn([open("P1")], now);
        assert_eq!(known.keyless(), [pager_id("P1")]);
        let key = DedupKey::parse("k1").unwrap();
        let told = FromAlerts {
            keys: vec![key.clone()],
            fingerprints: vec![Fingerprint(7)],
            severity: Some(Severity::Critical),
            counts: (1, 0),
        };
        let changed = known.learn_alerts(&pager_id("P1"), told.clone()).unwrap();
        assert_eq!((changed.keys.as_slice(), changed.alert_severity), ([key].as_slice(), Some(Severity::Critical)));
        assert_eq!(changed.fingerprints, [Fingerprint(7)]);
        assert_eq!(known.learn_alerts(&pager_id("P1"), told), None);
        assert_eq!(known.keyless(), []);
        assert_eq!(ids(&known.learn([open("P1")], now)), Vec::<&str>::new(), "a list without keys changes nothing");
        let mut more = record("P1", Status::Triggered);
        more.alert_counts = (2, 0);
        known.learn([Arc::new(more)], now);
        assert_eq!(known.unread(), [pager_id("P1")], "it has a key now, but its alerts are others");
    }
}

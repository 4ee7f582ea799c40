//! The rules of correlation once more, written for reading and not for speed: everything is worked out anew from all
//! alerts and incidents. The room must say the same, whatever the order in which it heard of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RoomSettings;
use super::ties::{node_id, words};
use super::world::{LINGER, alone_id};
use crate::domain::alert::{Alert, AlertKey, AlertState};
use crate::domain::correlate::ServiceRules;
use crate::domain::id::{IncidentId, PagerId};
use crate::domain::incident::{Link, PagerIncident, Status};
use crate::domain::severity::{LabelVerdict, Severity, severity_label};
use crate::domain::time::Timestamp;

/// What is compared of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub members: BTreeSet<(AlertKey, Link)>,
    pub status: Status,
    pub severity: Severity,
    pub started_at: Timestamp,
    pub is_suppressed: bool,
}

/// All that is known.
pub(super) struct Oracle<'a> {
    pub settings: &'a RoomSettings,
    pub alerts: &'a BTreeMap<AlertKey, Arc<Alert>>,
    pub records: &'a BTreeMap<PagerId, Arc<PagerIncident>>,
    pub now: Timestamp,
}

impl Oracle<'_> {
    /// Every row by identity.
    pub fn rows(&self) -> BTreeMap<IncidentId, Seen> {
        let mut members: BTreeMap<IncidentId, BTreeSet<(AlertKey, Link)>> = BTreeMap::new();
        for record in self.records.values().filter(|record| self.target(record).id == record.id) {
            members.entry(IncidentId::of_pager(&record.id)).or_default();
        }
        for alert in self.alerts.values() {
            for (row, link) in self.homes(alert) {
                members.entry(row).or_default().insert((alert.key.clone(), link));
            }
        }
        members.into_iter().map(|(id, members)| (id.clone(), self.seen(&id, members))).collect()
    }

    fn seen(&self, id: &IncidentId, members: BTreeSet<(AlertKey, Link)>) -> Seen {
        let record = self.records.values().find(|record| IncidentId::of_pager(&record.id) == *id);
        let alerts: Vec<&Arc<Alert>> = members.iter().map(|(key, _)| &self.alerts[key]).collect();
        let is_quiet = |alert: &&&Arc<Alert>| matches!(alert.state, AlertState::Suppressed { .. });
        let is_all_quiet = alerts.iter().all(|alert| is_quiet(&alert));
        let counted = alerts.iter().filter(|alert| is_all_quiet || !is_quiet(alert));
        let labels =
            counted.filter_map(|alert| match self.settings.severities.of_label(severity_label(&alert.labels)) {
                LabelVerdict::Is(severity) => Some(severity),
                LabelVerdict::Heartbeat | LabelVerdict::Unknown => None,
            });
        let starts = alerts.iter().map(|alert| alert.starts_at).chain(record.map(|record| record.created_at));
        Seen {
            status: record.map_or(Status::Triggered, |record| record.status),
            severity: self.settings.severities.assess(record.map(|record| &**record), None, labels.max()).severity,
            started_at: starts.min().expect("a row has a beginning"),
            is_suppressed: record.is_none() && is_all_quiet,
            members,
        }
    }

    fn homes(&self, alert: &Alert) -> Vec<(IncidentId, Link)> {
        if self.settings.severities.of_label(severity_label(&alert.labels)) == LabelVerdict::Heartbeat {
            return Vec::new();
        }
        let rules = ServiceRules::new(self.settings.services.clone());
        let tie = rules.of_alert(&alert.labels);
        let paging: Vec<_> = alert.groups.iter().filter(|group| group.pages).collect();
        let exact: BTreeSet<IncidentId> = paging.iter().filter_map(|group| self.holder(&group.key)).collect();
        if !exact.is_empty() {
            return exact.into_iter().map(|row| (row, Link::DedupKey)).collect();
        }
        let tells = |record: &&Arc<PagerIncident>| record.fingerprints.contains(&alert.key.fingerprint);
        if let Some(row) = self.holder_among(self.records.values().filter(tells)) {
            return vec![(row, Link::Fingerprint)];
        }
        let of_service = || {
            let taking = self.records.values().filter(|record| self.holds(record) && record.merged_into.is_none());
            taking.filter(|record| {
                tie.as_ref().is_some_and(|tie| rules.of_record(record).is_some_and(|other| other.key == tie.key))
            })
        };
        if let Some(tie) = tie.as_ref().filter(|tie| tie.is_folded) {
            let first = of_service()
                .min_by_key(|record| (record.status == Status::Resolved, record.created_at, record.id.clone()));
            let row =
                first.map_or_else(|| IncidentId::derived("svc", &tie.key), |record| IncidentId::of_pager(&record.id));
            return vec![(row, Link::ServiceRule)];
        }
        let apart = |record: &PagerIncident| (record.created_at - alert.starts_at).num_milliseconds().abs();
        let probable = of_service()
            .filter(|record| apart(record) <= 5 * 60 * 1000)
            .filter(|record| paging.is_empty() || record.keys.is_empty())
            .filter(|record| !alert.name().is_empty() && words(record.title.as_str()).any(|word| word == alert.name()))
            .min_by_key(|record| (apart(record), record.id.clone()));
        if let Some(record) = probable {
            return vec![(IncidentId::of_pager(&record.id), Link::Probable)];
        }
        let row = match (paging.first(), alert.groups.first()) {
            (Some(group), _) => node_id(&(None, group.key.clone())),
            (None, Some(group)) => node_id(&(Some(alert.key.cluster.clone()), group.key.clone())),
            (None, None) => alone_id(&alert.key),
        };
        vec![(row, Link::Group)]
    }

    fn holder(&self, key: &crate::domain::id::DedupKey) -> Option<IncidentId> {
        self.holder_among(self.records.values().filter(|record| record.keys.contains(key)))
    }

    fn holder_among<'a>(&'a self, claims: impl Iterator<Item = &'a Arc<PagerIncident>>) -> Option<IncidentId> {
        claims
            .map(|record| self.target(record))
            .filter(|record| self.holds(record))
            .max_by_key(|record| (record.status != Status::Resolved, record.created_at, record.id.clone()))
            .map(|record| IncidentId::of_pager(&record.id))
    }

    fn holds(&self, record: &PagerIncident) -> bool {
        record.status != Status::Resolved || record.changed_at + LINGER > self.now
    }

    fn target<'a>(&'a self, record: &'a Arc<PagerIncident>) -> &'a Arc<PagerIncident> {
        let mut here = record;
        for _ in 0..8 {
            match here.merged_into.as_ref().and_then(|target| self.records.get(target)) {
                Some(next) => here = next,
                None => return here,
            }
        }
        record
    }
}

//! Everything readers ask a room.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::Anchor;
use super::{Board, Counts, Room, RoomSettings, Sending};
use crate::domain::action::{Action, Delivery};
use crate::domain::alert::{Alert, AlertKey, AlertState, Fingerprint, Labels};
use crate::domain::checklist::Checklist;
use crate::domain::clock::{Clock, ClockInput, clock};
use crate::domain::correlate::LabelMatcher;
use crate::domain::effect::QueryId;
use crate::domain::escalation::{EscalationPolicy, OnCall};
use crate::domain::failure::Failure;
use crate::domain::freshness::Freshness;
use crate::domain::id::{DedupKey, IncidentId, OpId, PagerId, PolicyId, RunbookId, ServiceId, SourceId, UserId};
use crate::domain::incident::{Incident, Link, Named, PagerIncident, PendingKind, Priority};
use crate::domain::series::QueryResult;
use crate::domain::severity::Severity;
use crate::domain::silence::{Silence, SilenceState};
use crate::domain::source::SourceHealth;
use crate::domain::time::Timestamp;
use crate::domain::timeline::EventKind;
use crate::text::Clean;

impl Room {
    /// The rules it works by.
    #[must_use]
    pub fn settings(&self) -> &RoomSettings {
        &self.world.settings
    }

    /// Rises with every fact.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The live list.
    #[must_use]
    pub fn board(&self) -> Board<'_> {
        Board { room: self }
    }

    /// How many incidents are on the board.
    #[must_use]
    pub fn len(&self) -> usize {
        self.board().len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.board().is_empty()
    }

    /// An incident by any name it ever had; [`Incident::id`] is the one it has now.
    #[must_use]
    pub fn incident(&self, id: &IncidentId) -> Option<&Incident> {
        self.row(id).map(|row| &row.incident)
    }

    /// The row of PagerDuty's incident, or of the one it was merged into.
    #[must_use]
    pub fn row_of(&self, pager: &PagerId) -> Option<&IncidentId> {
        Some(&self.world.rows.slab.get(self.find_pager(pager)?)?.incident.id)
    }

    /// Open incidents by severity, worst first; suppressed ones do not count.
    #[must_use]
    pub fn counts(&self) -> [(Severity, usize); 4] {
        Severity::ALL.map(|severity| (severity, self.tally().of(severity).open()))
    }

    /// Incidents by severity and status.
    #[must_use]
    pub fn tally(&self) -> &Counts {
        &self.world.rows.counts
    }

    /// An alert that has not ended.
    #[must_use]
    pub fn alert(&self, key: &AlertKey) -> Option<&Arc<Alert>> {
        self.world.alerts.alert(key)
    }

    /// Every alert that has not ended, in no useful order.
    pub fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.world.alerts.slots.iter().map(|(_, slot)| &slot.alert)
    }

    /// How many alerts have not ended.
    #[must_use]
    pub fn alert_count(&self) -> usize {
        self.world.alerts.slots.len()
    }

    /// The alerts of an incident that have not ended, by cluster and fingerprint.
    pub fn alerts_of(&self, id: &IncidentId) -> impl Iterator<Item = &Arc<Alert>> {
        self.members_of(id).map(|(alert, _)| alert)
    }

    /// The key an incident was raised with: PagerDuty's own, else that of the paging group of its alerts.
    #[must_use]
    pub fn key_of(&self, incident: &Incident) -> Option<DedupKey> {
        let own = incident.record.as_ref().and_then(|record| record.keys.first().cloned());
        own.or_else(|| {
            let paging = |alert: &Arc<Alert>| Some(alert.groups.iter().find(|group| group.pages)?.key.clone());
            self.alerts_of(&incident.id).find_map(paging)
        })
    }

    /// The alerts of an incident, and why each belongs to it.
    pub fn members_of(&self, id: &IncidentId) -> impl Iterator<Item = (&Arc<Alert>, Link)> {
        let members = self.row(id).map(|row| row.incident.alerts.as_slice()).unwrap_or_default();
        members.iter().filter_map(|(key, link)| Some((self.alert(key)?, *link)))
    }

    /// The rows an alert is in.
    pub fn incidents_of_alert(&self, key: &AlertKey) -> impl Iterator<Item = &Incident> {
        let slot = self.world.alerts.find(key).and_then(|at| self.world.alerts.slots.get(at));
        slot.into_iter()
            .flat_map(|slot| slot.homes.iter())
            .filter_map(|(row, _)| self.world.rows.slab.get(row).map(|row| &row.incident))
    }

    /// The labels that all alerts of an incident have alike: what fills placeholders of panels and runbooks.
    #[must_use]
    pub fn common_labels(&self, id: &IncidentId) -> Labels {
        let mut alerts = self.alerts_of(id).map(|alert| &alert.labels);
        let Some(first) = alerts.next() else { return Labels::default() };
        let mut common: Vec<_> = first.iter().collect();
        for labels in alerts {
            common.retain(|(name, value)| labels.get(name) == Some(*value));
        }
        Labels::new(common)
    }

    /// The silences of every cluster.
    pub fn silences(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.silences.values().flatten()
    }

    /// The silences that work, or will work, on an alert: those its cluster names, and pending ones that match it.
    #[must_use]
    pub fn silences_of(&self, alert: &Alert) -> Vec<&Arc<Silence>> {
        let named = match &alert.state {
            AlertState::Suppressed(by) => by.silenced_by.as_slice(),
            AlertState::Unprocessed | AlertState::Active => &[],
        };
        let works = |silence: &&Arc<Silence>| {
            named.contains(&silence.id) || silence.state == SilenceState::Pending && silence_matches(silence, alert)
        };
        self.silences.get(&alert.key.cluster).into_iter().flatten().filter(works).collect()
    }

    /// The alerts that inhibit an alert, as far as they are known.
    #[must_use]
    pub fn inhibitors_of(&self, alert: &Alert) -> Vec<&Arc<Alert>> {
        let AlertState::Suppressed(by) = &alert.state else { return Vec::new() };
        let key =
            |fingerprint: &Fingerprint| AlertKey { cluster: alert.key.cluster.clone(), fingerprint: *fingerprint };
        by.inhibited_by.iter().filter_map(|fingerprint| self.alert(&key(fingerprint))).collect()
    }

    /// Who is on call now.
    #[must_use]
    pub fn on_calls(&self) -> &[OnCall] {
        &self.on_calls
    }

    /// A policy, once it is known.
    #[must_use]
    pub fn policy(&self, id: &PolicyId) -> Option<&EscalationPolicy> {
        self.policies.get(id)
    }

    /// Every policy that is known.
    pub fn policies(&self) -> impl Iterator<Item = &EscalationPolicy> {
        self.policies.values()
    }

    /// The account's services.
    #[must_use]
    pub fn services(&self) -> &[Named<ServiceId>] {
        &self.services
    }

    /// The account's people.
    #[must_use]
    pub fn users(&self) -> &[Named<UserId>] {
        &self.users
    }

    /// The account's priorities, worst first.
    #[must_use]
    pub fn priorities(&self) -> &[Priority] {
        &self.priorities
    }

    /// Incidents like this one.
    #[must_use]
    pub fn past(&self, id: &IncidentId) -> &[Arc<PagerIncident>] {
        self.names_of(id).iter().find_map(|name| self.past.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every source's health, by name.
    #[must_use]
    pub fn sources(&self) -> &BTreeMap<SourceId, SourceHealth> {
        &self.sources
    }

    /// How far what a source told can be trusted; a cluster is as fresh as its freshest instance.
    #[must_use]
    pub fn freshness_of(&self, source: &SourceId, now: Timestamp) -> Freshness {
        if let Some(health) = self.sources.get(source) {
            return Freshness::of(health, now, false);
        }
        let members = self.settings().clusters.iter().filter(|(_, cluster)| *cluster == source);
        let known = members.filter_map(|(instance, _)| self.sources.get(instance));
        known.map(|health| Freshness::of(health, now, false)).min().unwrap_or(Freshness::Unknown)
    }

    /// How far a row can be trusted: as far as the worst of the sources it comes from.
    #[must_use]
    pub fn freshness(&self, id: &IncidentId, now: Timestamp) -> Freshness {
        let Some(row) = self.row(id) else { return Freshness::Unknown };
        let record = match row.anchor {
            Anchor::Record(at) => self.world.records.slab.get(at).map(|slot| &slot.source),
            _ => None,
        };
        // Members are sorted by cluster: look at the first of each.
        let mut clusters: Vec<&SourceId> = Vec::new();
        let mut rest = row.incident.alerts.as_slice();
        while let Some(((key, _), _)) = rest.split_first() {
            clusters.push(&key.cluster);
            let same = rest.partition_point(|(other, _)| other.cluster <= key.cluster);
            rest = rest.get(same..).unwrap_or_default();
        }
        let sources = record.into_iter().chain(clusters);
        sources.map(|source| self.freshness_of(source, now)).max().unwrap_or(Freshness::Unknown)
    }

    /// Actions that are remembered, oldest first.
    #[must_use]
    pub fn sendings(&self) -> &BTreeMap<OpId, Sending> {
        self.operations.all()
    }

    /// What was asked for an incident, newest first, under all the names it had.
    #[must_use]
    pub fn sendings_of(&self, id: &IncidentId) -> Vec<&Sending> {
        let names = self.names_of(id);
        let mut found: Vec<_> = names.iter().flat_map(|name| self.operations.of(name)).collect();
        found.sort_by_key(|sending| std::cmp::Reverse(sending.intent.op));
        found
    }

    /// The last action on an incident.
    #[must_use]
    pub fn sending_of(&self, id: &IncidentId) -> Option<&Sending> {
        if self.operations.all().is_empty() {
            return None;
        }
        let names = self.names_of(id);
        names.iter().filter_map(|name| self.operations.of(name).next_back()).max_by_key(|sending| sending.intent.op)
    }

    /// Actions that are not settled.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        self.operations.pending()
    }

    /// Changes with every action and delivery.
    #[must_use]
    pub fn sendings_version(&self) -> u64 {
        self.operations.version
    }

    /// What is wrong besides sources and actions, by name: problems that were told, heartbeats that are missing.
    #[must_use]
    pub fn problems(&self) -> &BTreeMap<String, (Failure, Timestamp)> {
        &self.problems
    }

    /// The answer to a query.
    #[must_use]
    pub fn answer(&self, id: QueryId) -> Option<&(Timestamp, Result<Arc<QueryResult>, Failure>)> {
        self.answers.get(&id)
    }

    /// Forgets answers that nobody shows any more.
    pub fn keep_answers(&mut self, wanted: &BTreeSet<QueryId>) {
        self.answers.retain(|id, _| wanted.contains(id));
    }

    /// What is ticked of a runbook for an incident, under all the names it had; built anew only where there are several.
    #[must_use]
    pub fn checklist(&self, id: &IncidentId, runbook: &RunbookId) -> Option<Cow<'_, Checklist>> {
        let names = self.names_of(id);
        let mut lists =
            names.iter().filter_map(|name| self.checklists.get(name)).flatten().filter(|list| list.runbook == *runbook);
        let mut merged = Cow::Borrowed(lists.next()?);
        for list in lists {
            merged.to_mut().ticks.extend(list.ticks.iter().map(|(step, tick)| (step.clone(), tick.clone())));
        }
        Some(merged)
    }

    /// The runbooks that have ticks for an incident.
    #[must_use]
    pub fn ticked_runbooks(&self, id: &IncidentId) -> Vec<RunbookId> {
        let lists = self.names_of(id);
        let mut found: Vec<_> = lists
            .iter()
            .filter_map(|name| self.checklists.get(name))
            .flatten()
            .map(|list| list.runbook.clone())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The running clock of an incident.
    #[must_use]
    pub fn clock(&self, id: &IncidentId, now: Timestamp) -> Option<Clock> {
        let incident = self.incident(id)?;
        let policy = incident.record.as_ref().and_then(|record| record.policy.as_ref());
        let settings = self.settings();
        let input = ClockInput {
            incident,
            policy: policy.and_then(|policy| self.policies.get(&policy.id)),
            local_policy: settings.local_policy.as_ref(),
            level: incident.record.as_ref().and_then(|record| self.level_of(record)),
            severities: &settings.severities,
            calendar: &settings.calendar,
            snoozed_until: self.snoozed_until(incident),
            on_call: self.on_calls(),
        };
        Some(clock(&input, now))
    }

    /// The level of its policy that an incident stands at: PagerDuty's lists do not say it, so it is the highest one at
    /// which somebody who has the incident is on call. `None` where that is not known either.
    #[must_use]
    pub fn level_of(&self, record: &PagerIncident) -> Option<u32> {
        if record.level.is_some() || record.assigned_directly {
            return record.level;
        }
        let policy = record.policy.as_ref()?;
        let has_it = |call: &&OnCall| record.assignees.iter().any(|assignee| assignee.id == call.user.id);
        let calls = self.on_calls.iter().filter(|call| call.policy.id == policy.id);
        calls.filter(has_it).map(|call| call.level).max()
    }

    /// Who is on call at a level of a policy: people, where the policy itself may only name a schedule.
    #[must_use]
    pub fn people_at(&self, policy: &PolicyId, level: u32) -> Vec<Clean> {
        let calls = self.on_calls.iter().filter(|call| call.policy.id == *policy && call.level == level);
        let mut names: Vec<Clean> = Vec::new();
        for call in calls {
            if !names.contains(&call.user.name) {
                names.push(call.user.name.clone());
            }
        }
        names
    }

    /// PagerDuty does not say whether an acknowledgement that runs out is a snooze: this console's own snoozes and the
    /// timeline's do.
    fn snoozed_until(&self, incident: &Incident) -> Option<Timestamp> {
        let record = incident.record.as_ref()?;
        let lapses = record.pending.iter().find(|action| action.kind == PendingKind::Unacknowledge);
        if lapses.is_none() && self.operations.all().is_empty() {
            return None;
        }
        let names = self.names_of(&incident.id);
        let ours = names.iter().flat_map(|name| self.operations.of(name)).filter_map(|sending| {
            let Action::Snooze { span } = sending.intent.action else { return None };
            matches!(sending.delivery, Delivery::Confirmed { .. }).then(|| sending.at + span.duration())
        });
        if let Some(until) = ours.max() {
            return Some(until);
        }
        let since = record.acknowledgements.last().map_or(record.changed_at, |last| last.at);
        let told = names.iter().filter_map(|name| self.world.history.log(name)).flat_map(|log| log.events.values());
        let is_snoozed = told.into_iter().any(|event| event.kind == EventKind::Snooze && event.happened_at >= since);
        lapses.filter(|_| is_snoozed).map(|lapse| lapse.at)
    }

    /// The next instant after `now` at which something derived here changes by the mere passing of time: a source gets
    /// older, a resolved row leaves, an incident lets its alerts go. Clocks of single rows: [`Clock::next_change`], for
    /// those that are visible.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let ageing = self.sources.values().filter_map(|health| Freshness::next_change(health, now));
        let expiry = self.world.rows.next_expiry().map(|(at, _)| at);
        let release = self.world.records.next_release();
        // What is due already waits for the next fact, not for the screen.
        ageing.chain(expiry).chain(release).filter(|at| *at > now).min()
    }
}

fn silence_matches(silence: &Silence, alert: &Alert) -> bool {
    let holds = |matcher| LabelMatcher::of_silence(matcher).is_ok_and(|matcher| matcher.matches(&alert.labels));
    silence.matchers.iter().all(holds)
}

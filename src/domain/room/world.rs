//! Alerts, PagerDuty's incidents, and the rows they make together. Which row an alert is in depends on what is known
//! and not on what was known first: [`World::homes_of`] is a pure function of the indexes, and every change of an index
//! asks it again for the alerts that the change can concern.

use std::sync::Arc;

use chrono::Duration;

use super::alerts::{AlertBook, AlertSlot, Homes, is_quiet};
use super::heartbeats::Heartbeats;
use super::history::{Ended, History};
use super::records::RecordBook;
use super::rows::{Anchor, Rows};
use super::settings::RoomSettings;
use super::ties::{Fold, NodeName, Ties, words};
use crate::domain::alert::{Alert, AlertKey, GroupRef};
use crate::domain::correlate::{ServiceRules, ServiceTie};
use crate::domain::id::{IncidentId, PriorityId};
use crate::domain::incident::{Assessment, Incident, Link, Status};
use crate::domain::severity::{LabelVerdict, Severity};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// How long a just resolved PagerDuty incident keeps its alerts: Alertmanager drops an alert before it tells PagerDuty,
/// but our next poll of it may come later than the one of PagerDuty, and a false "fires again" would ring the bell. After
/// that, alerts that still fire are a row of their own: a resolved incident must not hide them.
pub(super) const LINGER: Duration = Duration::seconds(90);

/// Where an alert belongs, before the row is known to exist.
enum Home {
    Row(u32),
    Node(NodeName),
    Fold(Arc<str>, Clean),
    Alone,
}

/// Alerts, incidents, rows and the indexes between them.
#[derive(Debug)]
pub(super) struct World {
    pub settings: RoomSettings,
    pub services: ServiceRules,
    pub alerts: AlertBook,
    pub records: RecordBook,
    pub ties: Ties,
    pub rows: Rows,
    pub history: History,
    pub heartbeats: Heartbeats,
    /// The account's priorities, worst first.
    pub priority_ranks: Vec<PriorityId>,
}

impl World {
    pub fn new(settings: RoomSettings) -> Self {
        Self {
            services: ServiceRules::new(settings.services.clone()),
            settings,
            alerts: AlertBook::default(),
            records: RecordBook::default(),
            ties: Ties::default(),
            rows: Rows::default(),
            history: History::default(),
            heartbeats: Heartbeats::default(),
            priority_ranks: Vec::new(),
        }
    }

    /// Takes a new or changed alert.
    pub fn put_alert(&mut self, alert: &Arc<Alert>) {
        let Some(at) = self.alerts.find(&alert.key) else {
            let at = self.alerts.insert(self.slot_of(alert));
            self.link(at);
            return self.rehome(at);
        };
        let Some(slot) = self.alerts.slots.get_mut(at) else { return };
        let old = Arc::clone(&slot.alert);
        if old == *alert {
            return;
        }
        let stays = old.labels == alert.labels && old.starts_at == alert.starts_at && old.groups == alert.groups;
        if stays {
            slot.alert = Arc::clone(alert);
            let was_quiet = std::mem::replace(&mut slot.is_quiet, is_quiet(alert));
            for (row, _) in slot.homes.iter() {
                if slot.is_quiet == was_quiet {
                    self.rows.touch(row);
                } else {
                    self.rows.requiet(row, at, slot);
                }
            }
            return;
        }
        if alert.starts_at > old.starts_at {
            self.remember_end(at, alert.starts_at);
        }
        self.unlink(at, None);
        let fresh = self.slot_of(alert);
        if let Some(slot) = self.alerts.slots.get_mut(at) {
            *slot = fresh;
        }
        self.link(at);
        self.rehome(at);
    }

    fn slot_of(&self, alert: &Arc<Alert>) -> AlertSlot {
        let tie = self.services.of_alert(&alert.labels);
        let tie = tie.map(|tie| ServiceTie { key: self.ties.shared(tie.key), ..tie });
        AlertSlot::new(Arc::clone(alert), tie.as_ref(), &self.settings.severities)
    }

    /// Takes an alert away that was missing from a complete answer.
    pub fn end_alert(&mut self, key: &AlertKey, ended_at: Timestamp) {
        let Some(at) = self.alerts.find(key) else { return };
        self.remember_end(at, ended_at);
        self.unlink(at, Some(ended_at));
        if let Some(slot) = self.alerts.remove(at).filter(|slot| slot.label == LabelVerdict::Heartbeat) {
            self.heartbeats.gone(&slot.alert, ended_at);
        }
    }

    fn remember_end(&mut self, at: u32, ended_at: Timestamp) {
        let Some(slot) = self.alerts.slots.get(at) else { return };
        for (row, _) in slot.homes.iter() {
            if let Some(row) = self.rows.slab.get(row) {
                self.history.remember_end(&row.incident.id, Ended::of(&slot.alert, ended_at));
            }
        }
    }

    /// Enters an alert in the indexes; its homes come after.
    fn link(&mut self, at: u32) {
        let Some(slot) = self.alerts.slots.get(at) else { return };
        if slot.label == LabelVerdict::Heartbeat {
            return self.heartbeats.seen(&slot.alert);
        }
        for group in slot.alert.groups.iter() {
            let node = self.ties.node_or_new(node_name(&slot.alert.key, group));
            if let Some(node) = self.ties.nodes.get_mut(node) {
                node.members.insert(at);
                node.was_active = true;
            }
        }
        if let Some((service, name)) = name_key(slot) {
            self.ties.add_alert_name(service, name, slot.alert.starts_at.timestamp_millis(), at);
        }
        if slot.is_folded
            && let Some(service) = &slot.service
        {
            let name = self.services.of_alert(&slot.alert.labels).map(|tie| tie.name).unwrap_or_default();
            self.ties.fold(service, &name).alerts.insert(at);
        }
    }

    /// Takes an alert out of its rows and of the indexes.
    fn unlink(&mut self, at: u32, ended: Option<Timestamp>) {
        let Some(slot) = self.alerts.slots.get_mut(at) else { return };
        let homes = std::mem::take(&mut slot.homes);
        for (row, _) in homes.iter() {
            self.rows.leave(row, at, slot, ended);
        }
        for group in slot.alert.groups.iter() {
            let Some(node_at) = self.ties.node(&node_name(&slot.alert.key, group)) else { continue };
            if let Some(node) = self.ties.nodes.get_mut(node_at) {
                node.members.remove(&at);
            }
            self.ties.prune_node(node_at);
        }
        if let Some((service, name)) = name_key(slot) {
            self.ties.remove_alert_name(service, name, slot.alert.starts_at.timestamp_millis(), at);
        }
        if let Some(fold) = slot.service.as_ref().and_then(|service| self.ties.folds.get_mut(service)) {
            fold.alerts.remove(&at);
        }
    }

    /// Puts an alert into the rows where it belongs now.
    pub fn rehome(&mut self, at: u32) {
        let wanted: Vec<(u32, Link)> =
            self.homes_of(at).into_iter().filter_map(|(home, link)| Some((self.row_of(at, home)?, link))).collect();
        let wanted = Homes::of(wanted);
        let Some(slot) = self.alerts.slots.get_mut(at) else { return };
        if slot.homes == wanted {
            return;
        }
        let old = std::mem::take(&mut slot.homes);
        for (row, _) in old.iter().filter(|(row, _)| wanted.link_to(*row).is_none()) {
            self.rows.leave(row, at, slot, None);
        }
        for (row, link) in wanted.iter().filter(|(row, link)| old.link_to(*row) != Some(*link)) {
            if old.link_to(row).is_some() {
                self.rows.leave(row, at, slot, None);
            }
            self.rows.join(row, at, slot, link);
        }
        slot.homes = wanted;
    }

    /// The rules of apis.md 3, in order: exact key, fingerprint, folded service, probable, own group.
    fn homes_of(&self, at: u32) -> Vec<(Home, Link)> {
        let Some(slot) = self.alerts.slots.get(at) else { return Vec::new() };
        if slot.label == LabelVerdict::Heartbeat {
            return Vec::new();
        }
        let alert = &slot.alert;
        let mut exact: Vec<(Home, Link)> = Vec::new();
        for group in alert.groups.iter().filter(|group| group.pages) {
            let holder = self.ties.node(&(None, group.key.clone())).and_then(|node| self.holder_of(node));
            if let Some(row) = holder.and_then(|record| self.records.slab.get(record)?.row) {
                exact.push((Home::Row(row), Link::DedupKey));
            }
        }
        if !exact.is_empty() {
            return exact;
        }
        let told_by = self.holder_among(self.ties.tellers(alert.key.fingerprint));
        if let Some(row) = told_by.and_then(|record| self.records.slab.get(record)?.row) {
            return vec![(Home::Row(row), Link::Fingerprint)];
        }
        if let Some(fold) = slot.service.as_ref().filter(|_| slot.is_folded).and_then(|key| self.ties.folds.get(key)) {
            let record = self.holder_of_fold(fold);
            let home = slot.service.clone().map(|service| Home::Fold(service, fold.name.clone()));
            return record.map(Home::Row).or(home).map(|home| (home, Link::ServiceRule)).into_iter().collect();
        }
        if let Some(row) = self.probable_row(slot) {
            return vec![(Home::Row(row), Link::Probable)];
        }
        let primary = alert.groups.iter().find(|group| group.pages).or_else(|| alert.groups.first());
        let home = primary.map_or(Home::Alone, |group| Home::Node(node_name(&alert.key, group)));
        vec![(home, Link::Group)]
    }

    /// The oldest open incident of a folded service; a just resolved one only where none is open.
    pub(super) fn holder_of_fold(&self, fold: &Fold) -> Option<u32> {
        let records = || fold.records.iter().filter_map(|(_, _, at)| self.records.slab.get(*at));
        let open = records().find(|slot| slot.record.status != Status::Resolved);
        open.or_else(|| records().next())?.row
    }

    /// The incident nearest in time on the same service whose title names the alert. An incident whose keys were read
    /// takes no alert that has a paging key: those can be told apart exactly.
    fn probable_row(&self, slot: &AlertSlot) -> Option<u32> {
        let (service, name) = name_key(slot)?;
        let start = slot.alert.starts_at.timestamp_millis();
        let pages = slot.alert.groups.iter().any(|group| group.pages);
        self.ties
            .opened_near(service, start)
            .filter_map(|(created, at)| Some((created, self.records.slab.get(at)?)))
            .filter(|(_, record)| !pages || record.record.keys.is_empty())
            .filter(|(_, record)| words(record.record.title.as_str()).any(|word| word == name))
            .min_by_key(|(created, record)| ((created - start).abs(), record.record.id.clone()))
            .and_then(|(_, record)| record.row)
    }

    /// The row of a home, made if need be.
    fn row_of(&mut self, at: u32, home: Home) -> Option<u32> {
        match home {
            Home::Row(row) => Some(row),
            Home::Node(name) => {
                let node = self.ties.node_or_new(name);
                let node_ref = self.ties.nodes.get_mut(node)?;
                if node_ref.row.is_none() {
                    node_ref.row = Some(self.rows.insert(Anchor::Node(node), blank(node_ref.id.clone())));
                }
                node_ref.row
            }
            Home::Fold(service, name) => {
                let fold = self.ties.fold(&service, &name);
                if fold.row.is_none() {
                    let row = self.rows.insert(Anchor::Fold(service), blank(fold.id.clone()));
                    fold.row = Some(row);
                }
                fold.row
            }
            Home::Alone => {
                let key = self.alerts.slots.get(at)?.alert.key.clone();
                let id = alone_id(&key);
                let known = self.rows.by_id(&id);
                Some(known.unwrap_or_else(|| self.rows.insert(Anchor::Alone(key), blank(id))))
            }
        }
    }

    /// Brings every touched row up to date; the last step of every fact.
    pub fn refresh(&mut self, now: Timestamp) {
        for at in self.rows.take_dirty() {
            let alerts = &self.alerts;
            self.rows.settle(at, |key| {
                let found = alerts.find(key)?;
                let slot = alerts.slots.get(found)?;
                Some((found, slot.lead_key(), slot.alert.starts_at))
            });
            match self.rows.slab.get(at).map(|row| row.anchor.clone()) {
                Some(Anchor::Record(record)) => self.refresh_record_row(at, record),
                Some(_) => self.refresh_alert_row(at, now),
                None => {}
            }
        }
    }

    fn refresh_alert_row(&mut self, at: u32, now: Timestamp) {
        let keep = self.settings.keep_resolved;
        let Some(row) = self.rows.slab.get_mut(at) else { return };
        let lead = row.lead.and_then(|(_, lead)| self.alerts.slots.get(lead));
        let Some(slot) = lead.filter(|_| row.members > 0) else {
            let ended = row.ended_at.filter(|ended| *ended + keep > now);
            return if let Some(ended) = ended {
                row.incident.status = Status::Resolved;
                row.incident.is_suppressed = false;
                self.rows.place(at, self.settings.order, Some(ended + keep));
            } else {
                self.remove_row(at);
            };
        };
        row.incident.status = Status::Triggered;
        row.incident.title = title_of(&slot.alert);
        row.incident.service = self.services.of_alert(&slot.alert.labels).map(|tie| tie.name);
        row.incident.assessment = assess_alerts(&self.settings, row.worst_label());
        row.incident.started_at = row.earliest.unwrap_or(slot.alert.starts_at);
        row.incident.is_suppressed = row.is_all_quiet();
        if let Some(acknowledged) = self.history.local_acknowledgement(&row.incident.id)
            && acknowledged >= row.incident.started_at
        {
            row.incident.status = Status::Acknowledged;
        }
        self.rows.place(at, self.settings.order, None);
    }

    /// Takes a row away, and with it what only it needed.
    pub fn remove_row(&mut self, at: u32) {
        let Some(row) = self.rows.remove(at) else { return };
        match row.anchor {
            Anchor::Node(node_at) => {
                if let Some(node) = self.ties.nodes.get_mut(node_at) {
                    node.row = None;
                }
                self.ties.prune_node(node_at);
            }
            Anchor::Fold(service) => {
                if let Some(fold) = self.ties.folds.get_mut(&service) {
                    fold.row = None;
                }
            }
            Anchor::Record(_) | Anchor::Alone(_) => {}
        }
        if row.ended_at.is_some() || row.incident.status == Status::Resolved {
            self.history.forget(&row.incident.id);
        }
    }

    /// Lets go of what has been over for long enough.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some((at, row)) = self.rows.next_expiry().filter(|(at, _)| *at <= now) {
            let anchor = self.rows.slab.get(row).map(|row| row.anchor.clone());
            match anchor {
                Some(Anchor::Record(record)) => self.remove_record(record),
                _ => self.remove_row(row),
            }
            // A row that could not be removed must not hold the loop.
            if self.rows.next_expiry() == Some((at, row)) {
                break;
            }
        }
        self.release_lingering(now);
    }

    /// Asks again for every alert of a group.
    pub fn rehome_node(&mut self, node: u32) {
        let members: Vec<u32> =
            self.ties.nodes.get(node).map(|node| node.members.iter().copied().collect()).unwrap_or_default();
        for member in members {
            self.rehome(member);
        }
        // A resolved leftover of a group that an incident holds now is that incident's past.
        let row = self.ties.nodes.get(node).and_then(|node| node.row);
        if let Some(row) = row.filter(|_| self.holder_of(node).is_some()) {
            if let Some(row) = self.rows.slab.get_mut(row) {
                row.ended_at = None;
            }
            self.rows.touch(row);
        }
    }

    /// Asks again for every alert of a folded service.
    pub fn rehome_fold(&mut self, service: &Arc<str>) {
        let alerts: Vec<u32> =
            (self.ties.folds.get(service)).map(|fold| fold.alerts.iter().copied().collect()).unwrap_or_default();
        for alert in alerts {
            self.rehome(alert);
        }
    }
}

/// The identity of the row of an alert in no group.
pub(super) fn alone_id(key: &AlertKey) -> IncidentId {
    IncidentId::derived("al", &format!("{}:{}", key.cluster, key.fingerprint))
}

fn node_name(key: &AlertKey, group: &GroupRef) -> NodeName {
    ((!group.pages).then(|| key.cluster.clone()), group.key.clone())
}

fn name_key(slot: &AlertSlot) -> Option<(&Arc<str>, &str)> {
    let name = slot.alert.labels.get("alertname").filter(|name| !name.is_empty())?;
    Some((slot.service.as_ref()?, name.expose()))
}

/// A row before its first refresh.
pub(super) fn blank(id: IncidentId) -> Incident {
    Incident {
        id,
        record: None,
        alerts: Vec::new(),
        title: Clean::default(),
        service: None,
        assessment: Assessment { severity: Severity::High, because: Clean::default() },
        status: Status::Triggered,
        started_at: Timestamp::default(),
        is_suppressed: false,
    }
}

fn assess_alerts(settings: &RoomSettings, label: Option<Severity>) -> Assessment {
    settings.severities.assess(None, None, label)
}

/// What an alert says of itself in one line: its name and its summary.
fn title_of(alert: &Alert) -> Clean {
    let name = alert.labels.get("alertname").map(|name| name.clean()).unwrap_or_default();
    let told = ["summary", "message", "description"].into_iter().find_map(|name| alert.annotations.get(name));
    let told = told.or_else(|| alert.labels.get("instance")).filter(|text| !text.is_empty());
    match (name.as_str().is_empty(), told) {
        (_, None) => name,
        (true, Some(told)) => told.clean(),
        (false, Some(told)) => Clean::new(format!("{name}: {}", told.clean())),
    }
}

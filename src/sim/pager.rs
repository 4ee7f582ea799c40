//! The simulated PagerDuty account: incidents, alerts, log entries, notes and change events, and the timers that move
//! them. Pure: [`Pager::set_now`] says what time it is.
//!
//! `model` holds the shapes, `flow` what happens by itself (events, escalation, timeouts), `deeds` what people do.

mod deeds;
mod flow;
pub mod model;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::agenda::Agenda;
use super::company::Company;
use super::dice::Dice;
use crate::domain::time::Timestamp;
pub use deeds::{Declaration, Refused, Update};
use model::{Agent, Change, Entry, Event, Incident, Note, PagerAlert, Status, Via};

/// The account.
#[derive(Debug)]
pub struct Pager {
    /// Who works here.
    pub company: Company,
    now: Timestamp,
    dice: Dice,
    incidents: Vec<Incident>,
    alerts: Vec<PagerAlert>,
    entries: Vec<Entry>,
    notes: Vec<Note>,
    changes: Vec<Change>,
    by_id: BTreeMap<String, usize>,
    /// Open alerts by integration (its service) and dedup key.
    open_alerts: BTreeMap<(usize, String), usize>,
    due: Agenda<Due>,
    next_number: u64,
}

#[derive(Clone, Debug)]
enum Due {
    /// An event that was accepted becomes visible.
    Deliver(Box<Event>),
    /// A change event becomes visible.
    DeliverChange(Box<Change>),
    /// One of an incident's own timers may have run out.
    Look(usize),
}

impl Pager {
    /// An account without incidents.
    pub fn new(company: Company, seed: u64, now: Timestamp) -> Self {
        Self {
            company,
            now,
            dice: Dice::new(seed, "pager"),
            incidents: Vec::new(),
            alerts: Vec::new(),
            entries: Vec::new(),
            notes: Vec::new(),
            changes: Vec::new(),
            by_id: BTreeMap::new(),
            open_alerts: BTreeMap::new(),
            due: Agenda::default(),
            next_number: 4_118,
        }
    }

    /// Time passes; timers do not run before [`Pager::run`].
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// All incidents, oldest first.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// An incident by id or number.
    pub fn find(&self, id: &str) -> Option<usize> {
        let by_number =
            || id.parse().ok().and_then(|number: u64| self.incidents.iter().position(|one| one.number == number));
        self.by_id.get(id).copied().or_else(by_number)
    }

    /// An incident by index.
    pub fn incident(&self, index: usize) -> Option<&Incident> {
        self.incidents.get(index)
    }

    /// All alerts, oldest first.
    pub fn alerts(&self) -> &[PagerAlert] {
        &self.alerts
    }

    /// Alerts of an incident.
    pub fn alerts_of(&self, incident: usize) -> impl Iterator<Item = &PagerAlert> {
        self.alerts.iter().filter(move |alert| alert.incident == incident)
    }

    /// All log entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Notes of an incident, oldest first.
    pub fn notes_of(&self, incident: usize) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(move |note| note.incident == incident)
    }

    /// All change events, oldest first.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The open incident that has an open alert with this key.
    pub fn open_incident_with_key(&self, key: &str) -> Option<usize> {
        let alert = self.open_alerts.iter().find(|((_, known), _)| known == key).map(|(_, alert)| *alert)?;
        self.alerts.get(alert).map(|alert| alert.incident)
    }

    /// When something happens by itself next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.next()
    }

    /// Milliseconds that an event takes to become visible.
    pub(super) fn event_delay(&mut self) -> TimeDelta {
        TimeDelta::milliseconds(self.dice.between(200, 500))
    }

    /// A dedup key for an event that brings none.
    pub fn fresh_dedup_key(&mut self) -> String {
        self.dice.uuid().replace('-', "")
    }

    fn fresh_id(&mut self, first: char, length: usize) -> String {
        self.dice.pager_id(first, length)
    }

    fn log(&mut self, incident: usize, kind: &'static str, agent: Agent, channel: Value) -> &mut Entry {
        let entry = Entry {
            id: self.fresh_id('R', 26),
            at: self.now,
            incident,
            kind,
            agent,
            channel,
            assignees: Vec::new(),
            user: None,
            note: None,
            seconds: None,
        };
        if let Some(incident) = self.incidents.get_mut(incident) {
            incident.updated_at = self.now;
        }
        let index = self.entries.len();
        self.entries.push(entry);
        #[expect(clippy::indexing_slicing, reason = "pushed on the line above")]
        &mut self.entries[index]
    }

    /// Opens an incident for a service and calls its first level.
    fn open(&mut self, draft: Draft) -> usize {
        let index = self.incidents.len();
        let service = self.company.services.get(draft.service);
        let (policy, auto_resolve_s) = service.map_or((0, None), |service| (service.policy, service.auto_resolve_s));
        let policy = draft.policy.unwrap_or(policy);
        let id = self.fresh_id('Q', 14);
        self.next_number += 1;
        self.by_id.insert(id.clone(), index);
        self.incidents.push(Incident {
            id,
            number: self.next_number,
            title: draft.title,
            status: Status::Triggered,
            is_urgent: draft.is_urgent,
            priority: draft.priority,
            service: draft.service,
            policy,
            level: 0,
            loops_done: 0,
            is_exhausted: false,
            created_at: self.now,
            updated_at: self.now,
            changed_at: self.now,
            changed_by: draft.agent,
            resolved_at: None,
            via: Via::Policy,
            assignments: Vec::new(),
            acknowledgements: Vec::new(),
            escalate_at: None,
            unacknowledge_at: None,
            resolve_at: auto_resolve_s.map(|seconds| self.now + TimeDelta::seconds(seconds)),
            is_snoozed: false,
            incident_key: draft.key,
            body: draft.body,
            conference: draft.conference,
            merged_into: None,
            is_manual: draft.is_manual,
            first_entry: self.entries.len(),
        });
        self.log(index, "trigger_log_entry", draft.agent, draft.channel);
        self.call_level(index, 0, Agent::Service(draft.service), "assign_log_entry", "auto");
        self.wake(index);
        index
    }

    /// Assigns the incident to whomever `level` calls, and notifies them.
    fn call_level(&mut self, index: usize, level: usize, agent: Agent, kind: &'static str, channel: &str) {
        let Some(policy) = self.incidents.get(index).map(|incident| incident.policy) else { return };
        let people = self.company.called(policy, level, self.now);
        let delay = self
            .company
            .policies
            .get(policy)
            .and_then(|policy| policy.levels.get(level))
            .map_or(30, |level| level.delay_min);
        let now = self.now;
        if let Some(incident) = self.incidents.get_mut(index) {
            incident.level = level;
            incident.via = Via::Policy;
            incident.is_exhausted = false;
            incident.assignments = people.iter().map(|person| (now, *person)).collect();
            // Low urgency uses the low-urgency rules: nobody is escalated to.
            incident.escalate_at = incident.is_urgent.then(|| now + TimeDelta::minutes(delay));
        }
        self.log(index, kind, agent, json!({"type": channel})).assignees.clone_from(&people);
        for person in people {
            self.notify(index, person);
        }
        self.wake(index);
    }

    fn notify(&mut self, index: usize, person: usize) {
        let Some(incident) = self.incidents.get(index) else { return };
        let (how, address) =
            if incident.is_urgent { ("push_notification", "phone") } else { ("email_notification", "e-mail") };
        let service = incident.service;
        let channel = json!({"type": "auto", "notification": {"type": how, "address": address, "status": "success"}});
        self.log(index, "notify_log_entry", Agent::Service(service), channel).user = Some(person);
    }

    /// Makes sure that the incident is looked at when its next timer runs out.
    fn wake(&mut self, index: usize) {
        let Some(incident) = self.incidents.get(index) else { return };
        let next = [incident.escalate_at, incident.unacknowledge_at, incident.resolve_at].into_iter().flatten().min();
        if let Some(at) = next {
            self.due.put(at, Due::Look(index));
        }
    }
}

/// What an incident is opened with.
struct Draft {
    service: usize,
    title: String,
    is_urgent: bool,
    priority: Option<usize>,
    policy: Option<usize>,
    agent: Agent,
    channel: Value,
    key: Option<String>,
    body: Option<String>,
    conference: Option<Value>,
    is_manual: bool,
}

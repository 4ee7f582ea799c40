//! What people do to incidents. Everything is checked first and then done whole, so that a bulk update is all or nothing.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::model::{Agent, Note, Status, Via};
use super::{Draft, Pager};

/// A refusal with PagerDuty's code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// PagerDuty's code.
    pub code: u32,
    /// Its text.
    pub message: &'static str,
    /// The details in `errors`.
    pub errors: Vec<String>,
}

impl Refused {
    /// A refusal with one detail.
    pub fn new(code: u32, message: &'static str, detail: impl Into<String>) -> Self {
        Self { code, message, errors: vec![detail.into()] }
    }

    /// Code 2001 with one detail.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(2001, "Invalid Input Provided", detail)
    }
}

/// What a PUT asks of one incident.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The incident.
    pub incident: usize,
    /// Another status.
    pub status: Option<Status>,
    /// Why it is resolved.
    pub resolution: Option<String>,
    /// The level to call, from 1.
    pub level: Option<usize>,
    /// The people to give it to.
    pub people: Option<Vec<usize>>,
    /// The policy to give it to.
    pub policy: Option<usize>,
    /// Another priority; `Some(None)` takes it away.
    pub priority: Option<Option<usize>>,
    /// High urgency or not.
    pub is_urgent: Option<bool>,
    /// Another title.
    pub title: Option<String>,
    /// Another service.
    pub service: Option<usize>,
    /// `conference_bridge`.
    pub conference: Option<Value>,
}

/// What a declaration gives.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// One line.
    pub title: String,
    /// The service.
    pub service: usize,
    /// The priority.
    pub priority: Option<usize>,
    /// High urgency.
    pub is_urgent: bool,
    /// Idempotency key.
    pub key: Option<String>,
    /// Details.
    pub body: Option<String>,
    /// The people it is given to.
    pub people: Vec<usize>,
    /// The policy it is given to.
    pub policy: Option<usize>,
    /// `conference_bridge`.
    pub conference: Option<Value>,
}

impl Pager {
    /// Whether an update would be done.
    pub fn check(&self, update: &Update) -> Result<(), Refused> {
        let Some(incident) = self.incidents.get(update.incident) else {
            return Err(Refused::new(2100, "Not Found", "Incident Not Found"));
        };
        if !incident.is_open() {
            if update.status == Some(Status::Resolved) {
                return Err(Refused::new(1001, "Incident Already Resolved", "Incident Already Resolved"));
            }
            let moves = update.level.is_some() || update.people.is_some() || update.policy.is_some();
            if moves && update.status.is_none() {
                return Err(Refused::new(1001, "Incident Already Resolved", "Incident Already Resolved"));
            }
            if update.status.is_some() && incident.merged_into.is_some() {
                return Err(Refused::new(1019, "Incident Already Merged", "Incident Already Merged"));
            }
        }
        if let Some(level) = update.level {
            let levels = self.company.policies.get(incident.policy).map_or(0, |policy| policy.levels.len());
            if level == 0 || level > levels {
                return Err(Refused::new(1006, "Cannot Escalate", format!("Escalation level {level} does not exist")));
            }
            if self.company.called(incident.policy, level - 1, self.now).is_empty() {
                return Err(Refused::new(1015, "Escalation Policy Has No User On Call", "Nobody is on call"));
            }
        }
        if update.people.as_ref().is_some_and(Vec::is_empty) {
            return Err(Refused::new(1011, "Cannot process reassign action", "Assignments cannot be empty"));
        }
        Ok(())
    }

    /// Does an update that was checked.
    pub fn apply(&mut self, update: Update, agent: Agent, channel: &str) {
        let index = update.incident;
        let was_open = self.incidents.get(index).is_some_and(super::Incident::is_open);
        self.edit(&update, agent, channel);
        match update.status {
            Some(Status::Resolved) => return self.resolve(index, agent, channel, update.resolution),
            Some(status) if !was_open => self.reopen(index, agent, channel, status),
            Some(Status::Acknowledged) => self.acknowledge(index, agent, channel),
            Some(Status::Triggered) => self.give_up(index, agent, channel),
            None => {}
        }
        if let Some(policy) = update.policy {
            self.retrigger(index, agent);
            if let Some(incident) = self.incidents.get_mut(index) {
                (incident.policy, incident.loops_done) = (policy, 0);
            }
            self.call_level(index, 0, agent, "delegate_log_entry", channel);
        }
        if let Some(level) = update.level {
            self.retrigger(index, agent);
            self.call_level(index, level - 1, agent, "escalate_log_entry", channel);
        }
        if let Some(people) = update.people {
            self.assign(index, &people, agent, channel);
        }
    }

    fn edit(&mut self, update: &Update, agent: Agent, channel: &str) {
        let index = update.incident;
        let Some(incident) = self.incidents.get_mut(index) else { return };
        let mut fields = Vec::new();
        if let Some(title) = &update.title {
            fields
                .push(json!({"name": "title", "old_value": incident.title, "value": title, "namespace": "incidents"}));
            incident.title.clone_from(title);
        }
        if let Some(service) = update.service {
            let name = |index: usize| self.company.services.get(index).map(|service| service.id.clone());
            fields.push(json!({"name": "service", "old_value": name(incident.service), "value": name(service), "namespace": "incidents"}));
            incident.service = service;
        }
        if let Some(priority) = update.priority.filter(|priority| *priority != incident.priority) {
            let name = |index: Option<usize>| {
                index.and_then(|index| self.company.priorities.get(index)).map(|priority| priority.name)
            };
            fields.push(json!({"name": "priority", "old_value": name(incident.priority), "value": name(priority), "namespace": "incidents"}));
            incident.priority = priority;
        }
        if let Some(conference) = &update.conference {
            incident.conference = Some(conference.clone());
        }
        let urgency = update.is_urgent.filter(|is_urgent| *is_urgent != incident.is_urgent);
        if let Some(is_urgent) = urgency {
            incident.is_urgent = is_urgent;
            incident.escalate_at = incident.escalate_at.filter(|_| is_urgent);
        }
        if !fields.is_empty() {
            let channel = json!({"type": channel, "changeset": {"application_fields": fields}});
            self.log(index, "field_value_change_log_entry", agent, channel);
        }
        if let Some(is_urgent) = urgency {
            let (old, new) = if is_urgent { ("low", "high") } else { ("high", "low") };
            self.log(
                index,
                "urgency_change_log_entry",
                agent,
                json!({"type": channel, "old_urgency": old, "new_urgency": new}),
            );
            if is_urgent
                && self
                    .incidents
                    .get(index)
                    .is_some_and(|one| one.status == Status::Triggered && one.via == Via::Policy)
            {
                let level = self.incidents.get(index).map_or(0, |incident| incident.level);
                self.call_level(index, level, agent, "assign_log_entry", "auto");
            }
        }
    }

    /// Acknowledges an open incident.
    pub fn acknowledge(&mut self, index: usize, agent: Agent, channel: &str) {
        let Some(service) = self.incidents.get(index).map(|incident| incident.service) else { return };
        let deadline = self.ack_deadline(service);
        let now = self.now;
        let Some(incident) = self.incidents.get_mut(index) else { return };
        let is_change = incident.status != Status::Acknowledged;
        incident.status = Status::Acknowledged;
        incident.acknowledgements.retain(|(_, who)| *who != agent);
        incident.acknowledgements.push((now, agent));
        (incident.escalate_at, incident.is_snoozed) = (None, false);
        incident.unacknowledge_at = deadline.map(|(_, at)| at);
        if is_change {
            (incident.changed_at, incident.changed_by) = (now, agent);
        }
        self.log(index, "acknowledge_log_entry", agent, json!({"type": channel})).seconds =
            deadline.map(|(seconds, _)| seconds);
        self.wake(index);
    }

    /// Resolves an open incident and its alerts.
    pub fn resolve(&mut self, index: usize, agent: Agent, channel: &str, resolution: Option<String>) {
        let now = self.now;
        let Some(incident) = self.incidents.get_mut(index).filter(|incident| incident.is_open()) else { return };
        incident.status = Status::Resolved;
        (incident.resolved_at, incident.changed_at, incident.changed_by) = (Some(now), now, agent);
        (incident.escalate_at, incident.unacknowledge_at, incident.resolve_at) = (None, None, None);
        incident.is_snoozed = false;
        incident.assignments.clear();
        incident.acknowledgements.clear();
        self.log(index, "resolve_log_entry", agent, json!({"type": channel})).note = resolution;
        for alert in self.alerts.iter_mut().filter(|alert| alert.incident == index && alert.resolved_at.is_none()) {
            alert.resolved_at = Some(now);
            self.open_alerts.remove(&(alert.service, alert.key.clone()));
        }
    }

    fn reopen(&mut self, index: usize, agent: Agent, channel: &str, status: Status) {
        let now = self.now;
        let Some(incident) = self.incidents.get_mut(index) else { return };
        let auto = self.company.services.get(incident.service).and_then(|service| service.auto_resolve_s);
        incident.status = Status::Triggered;
        (incident.resolved_at, incident.changed_at, incident.changed_by) = (None, now, agent);
        (incident.loops_done, incident.resolve_at) = (0, auto.map(|seconds| now + TimeDelta::seconds(seconds)));
        self.log(index, "trigger_log_entry", agent, json!({"type": channel, "summary": "Reopened"}));
        match (status, agent) {
            (Status::Acknowledged, Agent::Person(person)) => {
                self.assign(index, &[person], agent, channel);
                self.acknowledge(index, agent, channel);
            }
            _ => self.call_level(index, 0, agent, "assign_log_entry", channel),
        }
    }

    /// An acknowledged incident is put back to triggered by hand.
    fn give_up(&mut self, index: usize, agent: Agent, channel: &str) {
        if self.incidents.get(index).is_some_and(|incident| incident.status == Status::Acknowledged) {
            self.retrigger(index, agent);
            self.log(index, "unacknowledge_log_entry", agent, json!({"type": channel}));
            let level = self.incidents.get(index).map_or(0, |incident| incident.level);
            self.call_level(index, level, agent, "assign_log_entry", "auto");
        }
    }

    fn retrigger(&mut self, index: usize, agent: Agent) {
        let now = self.now;
        let Some(incident) = self.incidents.get_mut(index) else { return };
        if incident.status == Status::Acknowledged {
            incident.status = Status::Triggered;
            (incident.changed_at, incident.changed_by) = (now, agent);
        }
        incident.acknowledgements.clear();
        (incident.unacknowledge_at, incident.is_snoozed) = (None, false);
    }

    fn assign(&mut self, index: usize, people: &[usize], agent: Agent, channel: &str) {
        self.retrigger(index, agent);
        let now = self.now;
        if let Some(incident) = self.incidents.get_mut(index) {
            incident.via = Via::Direct;
            incident.escalate_at = None;
            incident.assignments = people.iter().map(|person| (now, *person)).collect();
        }
        self.log(index, "assign_log_entry", agent, json!({"type": channel})).assignees = people.to_vec();
        self.notify_assignees(index);
    }

    /// Lets an acknowledged incident sleep.
    pub fn snooze(&mut self, index: usize, seconds: i64, agent: Agent, channel: &str) -> Result<(), Refused> {
        if !(1..=604_800).contains(&seconds) {
            let detail = "Duration must be between 1 and 604800 seconds";
            return Err(Refused::new(1013, "Snooze Duration is Invalid", detail));
        }
        let until = self.now + TimeDelta::seconds(seconds);
        match self.incidents.get_mut(index) {
            Some(incident) if incident.status == Status::Acknowledged => {
                (incident.unacknowledge_at, incident.is_snoozed) = (Some(until), true);
            }
            Some(incident) if !incident.is_open() => {
                return Err(Refused::new(1001, "Incident Already Resolved", "Incident Already Resolved"));
            }
            _ => {
                return Err(Refused::new(
                    1012,
                    "Incident is not Acknowledged",
                    "Incident must be acknowledged to be snoozed",
                ));
            }
        }
        let at = until.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let changed = json!([{"type": "unacknowledge", "at": at}]);
        self.log(index, "snooze_log_entry", agent, json!({"type": channel, "duration": seconds})).seconds =
            Some(seconds);
        if let Some(entry) = self.entries.last_mut() {
            entry.channel = json!({"type": channel, "duration": seconds, "changed_actions": changed});
        }
        self.wake(index);
        Ok(())
    }

    /// Writes a note; answers its index.
    pub fn note(&mut self, index: usize, by: usize, content: &str) -> Note {
        let note = Note { id: self.fresh_id('P', 14), incident: index, by, content: content.to_owned(), at: self.now };
        self.notes.push(note.clone());
        let channel = json!({"type": "note", "summary": content});
        self.log(index, "annotate_log_entry", Agent::Person(by), channel).note = Some(content.to_owned());
        note
    }

    /// Merges incidents into `target`: their alerts move and keep their keys, they resolve.
    pub fn merge(&mut self, target: usize, sources: &[usize], agent: Agent) -> Result<(), Refused> {
        let refuse = |detail: &str| Err(Refused::invalid(detail));
        let is_mergeable = |index: usize| {
            self.incidents.get(index).is_some_and(|one| one.is_manual) || self.alerts_of(index).next().is_some()
        };
        if !self.incidents.get(target).is_some_and(super::Incident::is_open) {
            return refuse("Target incident must be open");
        }
        if sources.is_empty() || sources.contains(&target) {
            return refuse("Source incidents must be other incidents");
        }
        for source in sources {
            if self.incidents.get(*source).is_some_and(|one| one.merged_into.is_some()) {
                return Err(Refused::new(1019, "Incident Already Merged", "Incident Already Merged"));
            }
            if !is_mergeable(*source) || !is_mergeable(target) {
                return refuse("Only incidents with alerts, or manually created ones, can be merged");
            }
        }
        let moved =
            self.alerts.iter().filter(|alert| sources.contains(&alert.incident) || alert.incident == target).count();
        if moved > 1000 {
            return refuse("An incident can hold 1000 alerts at most");
        }
        for alert in self.alerts.iter_mut().filter(|alert| sources.contains(&alert.incident)) {
            alert.incident = target;
        }
        for source in sources {
            if self.incidents.get(*source).is_some_and(super::Incident::is_open) {
                self.resolve(*source, agent, "api", None);
            }
            if let Some(source) = self.incidents.get_mut(*source) {
                source.merged_into = Some(target);
            }
        }
        self.log(
            target,
            "annotate_log_entry",
            agent,
            json!({"type": "note", "summary": "Incidents were merged into this one"}),
        );
        Ok(())
    }

    /// Opens an incident by hand.
    pub fn declare(&mut self, draft: Declaration, by: usize, channel: &str) -> Result<usize, Refused> {
        let is_same =
            |one: &super::Incident| one.is_open() && one.service == draft.service && one.incident_key == draft.key;
        if draft.key.is_some() && self.incidents.iter().any(is_same) {
            let detail = "Open incident already exists with this incident key on this service";
            return Err(Refused { code: 2002, message: "Arguments Caused Error", errors: vec![detail.to_owned()] });
        }
        let key = draft.key.or_else(|| Some(self.dice.uuid().replace('-', "")));
        let agent = Agent::Person(by);
        let index = self.open(Draft {
            service: draft.service,
            title: draft.title.clone(),
            is_urgent: draft.is_urgent,
            priority: draft.priority,
            policy: draft.policy,
            agent,
            channel: json!({"type": channel, "summary": draft.title}),
            key,
            body: draft.body,
            conference: draft.conference,
            is_manual: true,
        });
        if !draft.people.is_empty() {
            self.assign(index, &draft.people, agent, channel);
            if draft.people == [by] {
                self.acknowledge(index, agent, channel);
            }
        }
        Ok(index)
    }

    /// Resolves alerts by hand, or moves them to another incident.
    pub fn update_alert(&mut self, alert: usize, to: Option<usize>, is_resolved: bool, agent: Agent) {
        if let (Some(to), Some(alert)) = (to, self.alerts.get_mut(alert)) {
            alert.incident = to;
        }
        if is_resolved {
            self.resolve_alert(alert, agent, "api");
        }
    }

    /// Changes or removes a note; answers false when there is none.
    pub fn edit_note(&mut self, id: &str, content: Option<&str>) -> bool {
        let Some(at) = self.notes.iter().position(|note| note.id == id) else { return false };
        match (content, self.notes.get_mut(at)) {
            (Some(content), Some(note)) => content.clone_into(&mut note.content),
            _ => drop(self.notes.remove(at)),
        }
        true
    }
}

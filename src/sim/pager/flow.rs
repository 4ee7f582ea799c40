//! What happens in the account by itself: events arrive, timers run out.

use chrono::TimeDelta;
use serde_json::json;

use super::model::{Agent, Change, Event, EventAction, PagerAlert, Status, Via};
use super::{Draft, Due, Pager};

impl Pager {
    /// Takes an event in; it becomes visible a moment later.
    pub fn enqueue(&mut self, event: Event) {
        let at = self.now + self.event_delay();
        self.due.put(at, Due::Deliver(Box::new(event)));
    }

    /// Takes a change event in; it becomes visible a moment later.
    pub fn enqueue_change(&mut self, mut change: Change) {
        change.id = self.fresh_id('0', 26);
        let at = self.now + self.event_delay();
        self.due.put(at, Due::DeliverChange(Box::new(change)));
    }

    /// Does everything that is due at the time set.
    pub fn run(&mut self) {
        while let Some(due) = self.due.take_due(self.now) {
            match due {
                Due::Deliver(event) => self.deliver(*event),
                Due::DeliverChange(change) => self.changes.push(*change),
                Due::Look(index) => self.look(index),
            }
        }
    }

    fn deliver(&mut self, event: Event) {
        let known = self.open_alerts.get(&(event.service, event.key.clone())).copied();
        match (event.action, known) {
            (EventAction::Trigger, None) => self.open_by_event(event),
            (EventAction::Trigger, Some(alert)) => {
                // The alert has it in its own log; the incident only looks touched.
                if let Some(incident) = self.alerts.get(alert).and_then(|alert| self.incidents.get_mut(alert.incident))
                {
                    incident.updated_at = self.now;
                }
            }
            (EventAction::Acknowledge, Some(alert)) => {
                let incident = self.alerts.get(alert).map(|alert| alert.incident);
                if let Some(index) =
                    incident.filter(|index| self.incidents.get(*index).is_some_and(super::Incident::is_open))
                {
                    self.acknowledge(index, Agent::Integration(event.service), "api");
                }
            }
            (EventAction::Resolve, Some(alert)) => self.resolve_alert(alert, Agent::Integration(event.service), "api"),
            // Without an open alert they are dropped, though the sender was told 202.
            (EventAction::Acknowledge | EventAction::Resolve, None) => {}
        }
    }

    fn open_by_event(&mut self, event: Event) {
        let tier = self.company.services.get(event.service).map_or(3, |service| service.tier);
        // The account's event orchestration: the worse the event and the more the service matters, the higher.
        let priority = match (event.severity.as_str(), tier) {
            ("critical", 1) => Some(0),
            ("critical", _) | ("error", 1) => Some(1),
            ("error", 2) => Some(2),
            _ => None,
        };
        let channel = json!({
            "type": "api",
            "summary": event.summary,
            "incident_key": event.key,
            "description": event.summary,
            "details": event.details,
            "client": event.client,
            "client_url": event.client_url,
        });
        let index = self.open(Draft {
            service: event.service,
            title: event.summary.clone(),
            is_urgent: matches!(event.severity.as_str(), "critical" | "error"),
            priority,
            policy: None,
            agent: Agent::Integration(event.service),
            channel,
            key: Some(event.key.clone()),
            body: None,
            conference: None,
            is_manual: false,
        });
        let id = self.fresh_id('P', 14);
        self.open_alerts.insert((event.service, event.key.clone()), self.alerts.len());
        let (key, service, created_at) = (event.key.clone(), event.service, self.now);
        self.alerts.push(PagerAlert { id, key, incident: index, service, event, created_at, resolved_at: None });
    }

    /// Resolves an alert, and its incident when it was the last open one.
    pub(super) fn resolve_alert(&mut self, alert: usize, agent: Agent, channel: &str) {
        let now = self.now;
        let Some(alert) = self.alerts.get_mut(alert).filter(|alert| alert.resolved_at.is_none()) else { return };
        alert.resolved_at = Some(now);
        let (incident, place) = (alert.incident, (alert.service, alert.key.clone()));
        self.open_alerts.remove(&place);
        let is_last = self.alerts_of(incident).all(|alert| alert.resolved_at.is_some());
        let is_open = self.incidents.get(incident).is_some_and(super::Incident::is_open);
        if is_last && is_open {
            self.resolve(incident, agent, channel, None);
        } else if let Some(incident) = self.incidents.get_mut(incident) {
            incident.updated_at = now;
        }
    }

    fn look(&mut self, index: usize) {
        let Some(incident) = self.incidents.get(index).filter(|incident| incident.is_open()) else { return };
        let is_over = |at: Option<chrono::DateTime<chrono::Utc>>| at.is_some_and(|at| at <= self.now);
        let (escalate, unacknowledge, resolve) =
            (is_over(incident.escalate_at), is_over(incident.unacknowledge_at), is_over(incident.resolve_at));
        let service = Agent::Service(incident.service);
        if resolve {
            self.resolve(index, service, "timeout", None);
        } else if unacknowledge {
            self.unacknowledge(index);
        } else if escalate {
            self.escalate_by_timeout(index);
        }
        self.wake(index);
    }

    fn unacknowledge(&mut self, index: usize) {
        let Some(incident) = self.incidents.get_mut(index) else { return };
        let service = Agent::Service(incident.service);
        incident.status = Status::Triggered;
        incident.acknowledgements.clear();
        (incident.unacknowledge_at, incident.is_snoozed) = (None, false);
        (incident.changed_at, incident.changed_by) = (self.now, service);
        let (via, level) = (incident.via, incident.level);
        self.log(index, "unacknowledge_log_entry", service, json!({"type": "timeout"}));
        match via {
            Via::Policy => self.call_level(index, level, service, "assign_log_entry", "auto"),
            Via::Direct => self.notify_assignees(index),
        }
    }

    pub(super) fn notify_assignees(&mut self, index: usize) {
        let people: Vec<usize> = self
            .incidents
            .get(index)
            .map(|incident| incident.assignments.iter().map(|(_, who)| *who).collect())
            .unwrap_or_default();
        for person in people {
            self.notify(index, person);
        }
    }

    fn escalate_by_timeout(&mut self, index: usize) {
        let Some(incident) = self.incidents.get_mut(index) else { return };
        incident.escalate_at = None;
        if incident.status != Status::Triggered || incident.via == Via::Direct {
            return;
        }
        let (service, level, loops_done) = (Agent::Service(incident.service), incident.level, incident.loops_done);
        let policy = self.company.policies.get(incident.policy);
        let (levels, loops) = policy.map_or((0, 0), |policy| (policy.levels.len(), policy.loops));
        if level + 1 < levels {
            self.call_level(index, level + 1, service, "escalate_log_entry", "timeout");
        } else if loops_done < loops {
            incident.loops_done += 1;
            self.log(index, "repeat_escalation_path_log_entry", service, json!({"type": "timeout"}));
            self.call_level(index, 0, service, "escalate_log_entry", "timeout");
        } else if !incident.is_exhausted {
            incident.is_exhausted = true;
            self.log(index, "exhaust_escalation_path_log_entry", service, json!({"type": "timeout"}));
        }
    }

    /// When the acknowledgement of an incident of this service made now runs out.
    pub(super) fn ack_deadline(&self, service: usize) -> Option<(i64, chrono::DateTime<chrono::Utc>)> {
        let seconds = self.company.services.get(service)?.ack_timeout_s?;
        Some((seconds, self.now + TimeDelta::seconds(seconds)))
    }
}

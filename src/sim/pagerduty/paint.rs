//! The account's objects as the API shows them: references, or whole objects where `include[]` asks for them.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::super::http::{Ask, Reply};
use super::super::pager::Pager;
use super::super::pager::model::{Agent, Change, Entry, Incident, Note, PagerAlert, Status, Via};
use super::error;
use crate::domain::time::Timestamp;

/// Renders for one request.
#[derive(Debug)]
pub struct Paint<'a> {
    /// The account.
    pub pager: &'a Pager,
    base: &'a str,
    include: BTreeSet<&'a str>,
    zone: Tz,
}

impl<'a> Paint<'a> {
    /// With the request's includes and time zone.
    pub fn new(pager: &'a Pager, ask: &'a Ask) -> Result<Self, Box<Reply>> {
        let zone = match ask.param("time_zone") {
            None | Some("") => Tz::UTC,
            Some(name) => {
                name.parse().map_err(|_| error(400, "Invalid Input Provided", 2001, &["Time zone is invalid"]))?
            }
        };
        let mut include: BTreeSet<&str> = ask.set("include").into_iter().collect();
        include.extend(ask.query.iter().filter(|(key, _)| key == "include").map(|(_, value)| value.as_str()));
        Ok(Self { pager, base: &ask.base, include, zone })
    }

    /// Whether `include[]` names it.
    pub fn includes(&self, name: &str) -> bool {
        self.include.contains(name)
    }

    /// An instant: whole seconds, with an offset where a zone was asked for.
    pub fn time(&self, at: Timestamp) -> String {
        let local = at.with_timezone(&self.zone);
        let text = local.format("%Y-%m-%dT%H:%M:%S%:z").to_string();
        text.strip_suffix("+00:00").map(|bare| format!("{bare}Z")).unwrap_or(text)
    }

    /// The fields that every object has.
    pub fn stub(&self, kind: &str, folder: &str, id: &str, summary: &str) -> Value {
        let web = format!("{}/web/{folder}/{id}", self.base);
        json!({"id": id, "type": kind, "summary": summary, "self": format!("{}/{folder}/{id}", self.base), "html_url": web})
    }

    pub fn user_ref(&self, index: usize) -> Value {
        let Some(person) = self.pager.company.people.get(index) else { return Value::Null };
        self.stub("user_reference", "users", &person.id, person.name)
    }

    pub fn team_ref(&self, index: usize) -> Value {
        let Some(team) = self.pager.company.teams.get(index) else { return Value::Null };
        self.stub("team_reference", "teams", &team.id, team.name)
    }

    pub fn service_ref(&self, index: usize) -> Value {
        let Some(service) = self.pager.company.services.get(index) else { return Value::Null };
        self.stub("service_reference", "services", &service.id, service.name)
    }

    pub fn policy_ref(&self, index: usize) -> Value {
        let Some(policy) = self.pager.company.policies.get(index) else { return Value::Null };
        self.stub("escalation_policy_reference", "escalation_policies", &policy.id, &policy.name)
    }

    pub fn schedule_ref(&self, index: usize) -> Value {
        let Some(schedule) = self.pager.company.schedules.get(index) else { return Value::Null };
        self.stub("schedule_reference", "schedules", &schedule.id, &schedule.name)
    }

    pub fn integration_ref(&self, service: usize) -> Value {
        let Some(service) = self.pager.company.services.get(service) else { return Value::Null };
        let folder = format!("services/{}/integrations", service.id);
        self.stub("events_api_v2_inbound_integration_reference", &folder, &service.integration_id, "Events API v2")
    }

    pub fn incident_ref(&self, incident: &Incident) -> Value {
        self.stub("incident_reference", "incidents", &incident.id, &headline(incident))
    }

    /// Who did it, in a log entry.
    pub fn agent(&self, agent: Agent) -> Value {
        match agent {
            Agent::Person(person) => self.user_ref(person),
            Agent::Service(service) | Agent::Integration(service) => self.service_ref(service),
        }
    }

    fn acknowledger(&self, agent: Agent) -> Value {
        match agent {
            Agent::Person(person) if self.includes("acknowledgers") || self.includes("users") => self.user(person),
            other => self.agent(other),
        }
    }

    /// An incident.
    pub fn incident(&self, index: usize) -> Value {
        let Some(one) = self.pager.incident(index) else { return Value::Null };
        let service = self.pager.company.services.get(one.service);
        let team = service.map_or(0, |service| service.team);
        let mut out = fields(self.stub("incident", "incidents", &one.id, &headline(one)));
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("incident_number", json!(one.number));
        put("title", json!(one.title));
        put("description", json!(one.title));
        put("created_at", json!(self.time(one.created_at)));
        put("updated_at", json!(self.time(one.updated_at)));
        put("status", json!(one.status.word()));
        put("incident_key", json!(one.incident_key));
        put(
            "service",
            if self.includes("services") { self.service(one.service) } else { self.service_ref(one.service) },
        );
        put("assignments", self.assignments(one));
        put("assigned_via", json!(if one.via == Via::Policy { "escalation_policy" } else { "direct_assignment" }));
        put("last_status_change_at", json!(self.time(one.changed_at)));
        put("last_status_change_by", self.agent(one.changed_by));
        put("resolved_at", one.resolved_at.map_or(Value::Null, |at| json!(self.time(at))));
        put("first_trigger_log_entry", self.first_entry(one));
        put("alert_counts", self.alert_counts(index));
        put("is_mergeable", json!(one.is_open() && (one.is_manual || self.pager.alerts_of(index).next().is_some())));
        put("incident_type", json!({"name": "incident_default"}));
        put(
            "escalation_policy",
            if self.includes("escalation_policies") { self.policy(one.policy) } else { self.policy_ref(one.policy) },
        );
        put("teams", json!([if self.includes("teams") { self.team(team) } else { self.team_ref(team) }]));
        put("pending_actions", self.pending(one));
        let acks = one
            .acknowledgements
            .iter()
            .map(|(at, who)| json!({"at": self.time(*at), "acknowledger": self.acknowledger(*who)}));
        put("acknowledgements", if one.status == Status::Acknowledged { acks.collect() } else { json!([]) });
        put("priority", one.priority.map_or(Value::Null, |index| self.priority(index)));
        put("resolve_reason", self.resolve_reason(one));
        put("conference_bridge", one.conference.clone().unwrap_or(Value::Null));
        put("incidents_responders", json!([]));
        put("responder_requests", json!([]));
        put("urgency", json!(if one.is_urgent { "high" } else { "low" }));
        if let (true, Some(details)) = (self.includes("body"), &one.body) {
            put("body", json!({"type": "incident_body", "details": details}));
        }
        Value::Object(out)
    }

    fn assignments(&self, one: &Incident) -> Value {
        let whole = self.includes("assignees") || self.includes("users");
        let person = |index| if whole { self.user(index) } else { self.user_ref(index) };
        one.assignments.iter().map(|(at, who)| json!({"at": self.time(*at), "assignee": person(*who)})).collect()
    }

    fn first_entry(&self, one: &Incident) -> Value {
        match self.pager.entries().get(one.first_entry) {
            Some(entry) if self.includes("first_trigger_log_entries") => self.entry(entry),
            Some(entry) => {
                self.stub("trigger_log_entry_reference", "log_entries", &entry.id, &self.entry_summary(entry))
            }
            None => Value::Null,
        }
    }

    fn alert_counts(&self, index: usize) -> Value {
        let (mut all, mut resolved) = (0, 0);
        for alert in self.pager.alerts_of(index) {
            all += 1;
            resolved += usize::from(alert.resolved_at.is_some());
        }
        json!({"all": all, "triggered": all - resolved, "resolved": resolved})
    }

    fn pending(&self, one: &Incident) -> Value {
        let actions =
            [("unacknowledge", one.unacknowledge_at), ("escalate", one.escalate_at), ("resolve", one.resolve_at)];
        let mut due: Vec<(Timestamp, &str)> =
            actions.into_iter().filter_map(|(kind, at)| at.map(|at| (at, kind))).collect();
        due.sort_unstable();
        due.into_iter().map(|(at, kind)| json!({"type": kind, "at": self.time(at)})).collect()
    }

    fn resolve_reason(&self, one: &Incident) -> Value {
        let target = one.merged_into.and_then(|target| self.pager.incident(target));
        target.map_or(
            Value::Null,
            |target| json!({"type": "merge_resolve_reason", "incident": self.incident_ref(target)}),
        )
    }

    /// An alert.
    pub fn alert(&self, alert: &PagerAlert) -> Value {
        let Some(one) = self.pager.incident(alert.incident) else { return Value::Null };
        let folder = format!("incidents/{}/alerts", one.id);
        let mut out = fields(self.stub("alert", &folder, &alert.id, &alert.event.summary));
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("html_url", json!(format!("{}/web/alerts/{}", self.base, alert.id)));
        put("created_at", json!(self.time(alert.created_at)));
        put("updated_at", json!(self.time(alert.resolved_at.unwrap_or(alert.created_at))));
        put("resolved_at", alert.resolved_at.map_or(Value::Null, |at| json!(self.time(at))));
        put("status", json!(if alert.resolved_at.is_some() { "resolved" } else { "triggered" }));
        put("alert_key", json!(alert.key));
        put(
            "service",
            if self.includes("services") { self.service(alert.service) } else { self.service_ref(alert.service) },
        );
        put(
            "incident",
            if self.includes("incidents") { self.incident(alert.incident) } else { self.incident_ref(one) },
        );
        put("suppressed", json!(false));
        put("severity", json!(alert.event.severity));
        put("integration", self.integration_ref(alert.service));
        let event = &alert.event;
        let details = if event.details.is_null() { json!({}) } else { event.details.clone() };
        let cef = json!({"message": event.summary, "description": event.summary, "details": details, "dedup_key": event.key,
            "severity": event.severity, "source_origin": event.source, "client": event.client, "client_url": event.client_url,
            "event_class": event.payload.get("class"), "source_component": event.payload.get("component"),
            "service_group": event.payload.get("group")});
        put("body", json!({"type": "alert_body", "contexts": event.contexts, "details": details, "cef_details": cef}));
        Value::Object(out)
    }

    /// One line about a log entry.
    pub fn entry_summary(&self, entry: &Entry) -> String {
        let name = |index: usize| self.pager.company.people.get(index).map_or("somebody", |person| person.name);
        let who = match entry.agent {
            Agent::Person(person) => format!("by {}", name(person)),
            Agent::Service(_) | Agent::Integration(_) if entry.channel["type"] == "timeout" => {
                "due to timeout".to_owned()
            }
            Agent::Service(_) | Agent::Integration(_) => "through the API".to_owned(),
        };
        let people: Vec<&str> = entry.assignees.iter().map(|index| name(*index)).collect();
        match entry.kind.trim_end_matches("_log_entry") {
            "trigger" => format!("Triggered {who}"),
            "acknowledge" => format!("Acknowledged {who}"),
            "unacknowledge" => format!("Unacknowledged {who}"),
            "resolve" => format!("Resolved {who}"),
            "assign" => format!("Assigned to {}", people.join(", ")),
            "escalate" => format!("Escalated to {} {who}", people.join(", ")),
            "delegate" => format!("Delegated to {} {who}", people.join(", ")),
            "notify" => format!("Notified {}", entry.user.map_or("somebody", name)),
            "annotate" => format!("Note added {who}"),
            "snooze" => format!("Snoozed for {} seconds {who}", entry.seconds.unwrap_or(0)),
            "repeat_escalation_path" => "Escalation path repeated".to_owned(),
            "exhaust_escalation_path" => "Escalation path exhausted, nobody acknowledged".to_owned(),
            "urgency_change" => {
                format!("Urgency changed to {} {who}", entry.channel["new_urgency"].as_str().unwrap_or("another"))
            }
            _ => self.changed_fields(entry, &who),
        }
    }

    fn changed_fields(&self, entry: &Entry, who: &str) -> String {
        let changed =
            entry.channel["changeset"]["application_fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let line = |field: &Value| {
            format!(
                "{} set to {}",
                field["name"].as_str().unwrap_or("field"),
                field["value"].as_str().unwrap_or("none")
            )
        };
        format!("{} {who}", changed.iter().map(line).collect::<Vec<_>>().join(", "))
    }

    /// A log entry.
    pub fn entry(&self, entry: &Entry) -> Value {
        let Some(one) = self.pager.incident(entry.incident) else { return Value::Null };
        let summary = self.entry_summary(entry);
        let mut out = fields(self.stub(entry.kind, "log_entries", &entry.id, &summary));
        let team = self.pager.company.services.get(one.service).map_or(0, |service| service.team);
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("created_at", json!(self.time(entry.at)));
        put("agent", self.agent(entry.agent));
        put(
            "channel",
            if self.includes("channels") { self.channel(entry) } else { json!({"type": entry.channel["type"]}) },
        );
        put(
            "service",
            if self.includes("services") { self.service(one.service) } else { self.service_ref(one.service) },
        );
        put(
            "incident",
            if self.includes("incidents") { self.incident(entry.incident) } else { self.incident_ref(one) },
        );
        put("teams", json!([if self.includes("teams") { self.team(team) } else { self.team_ref(team) }]));
        put("contexts", self.contexts(entry));
        match entry.kind {
            "assign_log_entry" | "escalate_log_entry" | "delegate_log_entry" => {
                put("assignees", entry.assignees.iter().map(|person| self.user_ref(*person)).collect());
            }
            "notify_log_entry" => put("user", entry.user.map_or(Value::Null, |person| self.user_ref(person))),
            "acknowledge_log_entry" => put("acknowledgement_timeout", json!(entry.seconds)),
            "trigger_log_entry" => put("event_details", json!({"description": one.title})),
            "snooze_log_entry" => put("changed_actions", entry.channel["changed_actions"].clone()),
            _ => {}
        }
        if let Some(note) = &entry.note {
            put("note", json!(note));
        }
        Value::Object(out)
    }

    fn channel(&self, entry: &Entry) -> Value {
        let mut channel = entry.channel.clone();
        if let (Some(person), Some(notification)) =
            (entry.user, channel.get_mut("notification").and_then(Value::as_object_mut))
        {
            let email = self.pager.company.people.get(person).map(|person| person.email.clone());
            notification.insert("user".to_owned(), self.user_ref(person));
            notification.insert("address".to_owned(), json!(email));
        }
        channel
    }

    fn contexts(&self, entry: &Entry) -> Value {
        if entry.kind != "trigger_log_entry" {
            return json!([]);
        }
        let alert = self.pager.alerts_of(entry.incident).next();
        alert.map_or_else(|| json!([]), |alert| json!(alert.event.contexts))
    }

    /// A note.
    pub fn note(&self, note: &Note) -> Value {
        json!({
            "id": note.id,
            "user": self.user_ref(note.by),
            "channel": {"summary": "The PagerDuty website or APIs"},
            "content": note.content,
            "created_at": self.time(note.at),
            "updated_at": self.time(note.at),
        })
    }

    /// A change event.
    pub fn change(&self, change: &Change) -> Value {
        let mut out = fields(self.stub("change_event", "change_events", &change.id, &change.summary));
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("timestamp", json!(self.time(change.at)));
        put("source", json!(change.source));
        let mut integration = fields(self.integration_ref(change.service));
        integration.insert("type".to_owned(), json!("inbound_integration_reference"));
        put("integration", Value::Object(integration));
        put("services", json!([self.service_ref(change.service)]));
        put("custom_details", if change.details.is_object() { change.details.clone() } else { json!({}) });
        put("links", if change.links.is_array() { change.links.clone() } else { json!([]) });
        put("images", json!([]));
        Value::Object(out)
    }
}

/// The line with the number.
pub fn headline(incident: &Incident) -> String {
    format!("[#{}] {}", incident.number, incident.title)
}

/// The fields of an object.
pub fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

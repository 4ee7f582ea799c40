//! What hardly changes: users, teams, services, escalation policies, schedules, who is on call, priorities, abilities.

use serde_json::{Value, json};

use super::super::company::{ABILITIES, Target};
use super::super::http::Reply;
use super::super::pager::model::Status;
use super::page::Page;
use super::paint::{Paint, fields};
use super::{Answer, Caller, Desk, error, not_found};

/// Answers a GET of the directory.
pub(super) fn answer(desk: &Desk<'_>, path: &[&str]) -> Answer {
    let paint = desk.paint()?;
    let company = &desk.pager.company;
    match path {
        ["users", "me"] => match desk.caller {
            Caller::Person(person) => one("user", paint.user(person)),
            // With a key of the account `error` is a string and not an object.
            Caller::Account | Caller::Reader => {
                let text = "The requested resource is not available with an account-level access token";
                Ok(Reply::json(400, &json!({"error": text})))
            }
        },
        ["users"] => list(
            desk,
            "users",
            company.people.len(),
            |index| {
                company
                    .people
                    .get(index)
                    .is_some_and(|person| asked_for(desk, &[person.name, &person.email]) && in_team(desk, person.team))
            },
            |index| paint.user(*index),
        ),
        ["users", id] => show("user", company.people.iter().position(|one| one.id == *id), |index| paint.user(index)),
        ["teams"] => list(
            desk,
            "teams",
            company.teams.len(),
            |index| company.teams.get(index).is_some_and(|team| asked_for(desk, &[team.name])),
            |index| paint.team(*index),
        ),
        ["teams", id] => show("team", company.teams.iter().position(|one| one.id == *id), |index| paint.team(index)),
        ["teams", id, "members"] => members(desk, &paint, id),
        ["services"] => {
            let name = desk.ask.param("name");
            list(
                desk,
                "services",
                company.services.len(),
                |index| {
                    company.services.get(index).is_some_and(|one| {
                        asked_for(desk, &[one.name])
                            && name.is_none_or(|name| name == one.name)
                            && in_team(desk, one.team)
                    })
                },
                |index| paint.service(*index),
            )
        }
        ["services", id] => {
            show("service", company.services.iter().position(|one| one.id == *id), |index| paint.service(index))
        }
        ["escalation_policies"] => list(
            desk,
            "escalation_policies",
            company.policies.len(),
            |index| {
                company.policies.get(index).is_some_and(|one| asked_for(desk, &[&one.name]) && in_team(desk, one.team))
            },
            |index| paint.policy(*index),
        ),
        ["escalation_policies", id] => {
            show("escalation_policy", company.policies.iter().position(|one| one.id == *id), |index| {
                paint.policy(index)
            })
        }
        ["schedules"] => list(
            desk,
            "schedules",
            company.schedules.len(),
            |index| company.schedules.get(index).is_some_and(|one| asked_for(desk, &[&one.name])),
            |index| paint.schedule(*index),
        ),
        ["schedules", id] => {
            show("schedule", company.schedules.iter().position(|one| one.id == *id), |index| paint.schedule(index))
        }
        ["schedules", id, "users"] => {
            let schedule =
                company.schedules.iter().find(|one| one.id == *id).ok_or_else(|| not_found("Schedule Not Found"))?;
            let users: Vec<Value> = schedule.people.iter().map(|person| paint.user(*person)).collect();
            Ok(Reply::json(200, &json!({"users": users})))
        }
        ["priorities"] => list(desk, "priorities", company.priorities.len(), |_| true, |index| paint.priority(*index)),
        ["oncalls"] => oncalls(desk, &paint),
        ["abilities"] => Ok(Reply::json(200, &json!({"abilities": ABILITIES}))),
        ["abilities", name] => match *name {
            known if ABILITIES.contains(&known) => Ok(Reply::empty(204)),
            "event_rules" | "preview_intelligent_alert_grouping" | "stakeholder_users" => {
                Err(error(402, "Missing Account Ability", 2014, &["Your account does not have this ability"]))
            }
            _ => Err(not_found("Ability Not Found")),
        },
        ["maintenance_windows"] => list(desk, "maintenance_windows", 0, |_| true, |_| Value::Null),
        ["notifications"] => list(desk, "notifications", 0, |_| true, |_| Value::Null),
        ["webhook_subscriptions"] => list(desk, "webhook_subscriptions", 0, |_| true, |_| Value::Null),
        _ => Err(not_found("Not Found")),
    }
}

fn one(key: &str, value: Value) -> Answer {
    Ok(Reply::json(200, &json!({key: value})))
}

fn show(key: &str, index: Option<usize>, paint: impl Fn(usize) -> Value) -> Answer {
    index.map_or_else(|| Err(not_found("Not Found")), |index| one(key, paint(index)))
}

fn list(
    desk: &Desk<'_>,
    key: &str,
    count: usize,
    keep: impl Fn(usize) -> bool,
    paint: impl Fn(&usize) -> Value,
) -> Answer {
    let items: Vec<usize> = (0..count).filter(|index| keep(*index)).collect();
    Page::of(desk.ask)?.answer(key, &items, paint)
}

/// `query=`: part of one of the names.
fn asked_for(desk: &Desk<'_>, names: &[&str]) -> bool {
    let Some(query) = desk.ask.param("query") else { return true };
    names.iter().any(|name| name.to_lowercase().contains(&query.to_lowercase()))
}

fn in_team(desk: &Desk<'_>, team: usize) -> bool {
    let wanted = desk.ask.set("team_ids");
    wanted.is_empty() || desk.pager.company.teams.get(team).is_some_and(|team| wanted.contains(&team.id.as_str()))
}

fn members(desk: &Desk<'_>, paint: &Paint<'_>, id: &str) -> Answer {
    let company = &desk.pager.company;
    let team = company.teams.iter().position(|one| one.id == id).ok_or_else(|| not_found("Team Not Found"))?;
    let people: Vec<usize> =
        (0..company.people.len()).filter(|index| company.people.get(*index).is_some_and(|p| p.team == team)).collect();
    let role = |index: usize| {
        company
            .people
            .get(index)
            .map_or("responder", |person| if person.role == "admin" { "manager" } else { "responder" })
    };
    Page::of(desk.ask)?.answer(
        "members",
        &people,
        |index| json!({"user": paint.user_ref(*index), "role": role(*index)}),
    )
}

fn oncalls(desk: &Desk<'_>, paint: &Paint<'_>) -> Answer {
    struct Row {
        policy: usize,
        level: usize,
        person: usize,
        schedule: Option<usize>,
        span: Option<(crate::domain::time::Timestamp, crate::domain::time::Timestamp)>,
    }
    let company = &desk.pager.company;
    let (policies, users, schedules) =
        (desk.ask.set("escalation_policy_ids"), desk.ask.set("user_ids"), desk.ask.set("schedule_ids"));
    let mut rows = Vec::new();
    for (index, policy) in company
        .policies
        .iter()
        .enumerate()
        .filter(|(_, one)| policies.is_empty() || policies.contains(&one.id.as_str()))
    {
        for (level, rule) in policy.levels.iter().enumerate() {
            for target in &rule.targets {
                rows.extend(match target {
                    Target::Person(person) => {
                        Some(Row { policy: index, level, person: *person, schedule: None, span: None })
                    }
                    Target::Schedule(schedule) => {
                        company.turn(*schedule, desk.pager.now()).map(|(person, from, to)| Row {
                            policy: index,
                            level,
                            person,
                            schedule: Some(*schedule),
                            span: Some((from, to)),
                        })
                    }
                });
            }
        }
    }
    let known = |ids: &[&str], id: Option<&String>| ids.is_empty() || id.is_some_and(|id| ids.contains(&id.as_str()));
    rows.retain(|row| {
        known(&users, company.people.get(row.person).map(|person| &person.id))
            && known(&schedules, row.schedule.and_then(|index| company.schedules.get(index)).map(|one| &one.id))
    });
    Page::of(desk.ask)?.answer("oncalls", &rows, |row| {
        let time = |at: Option<_>| at.map_or(Value::Null, |at| json!(paint.time(at)));
        json!({
            "user": if paint.includes("users") { paint.user(row.person) } else { paint.user_ref(row.person) },
            "schedule": row.schedule.map_or(Value::Null, |index| {
                if paint.includes("schedules") { paint.schedule(index) } else { paint.schedule_ref(index) }
            }),
            "escalation_policy": if paint.includes("escalation_policies") { paint.policy(row.policy) } else { paint.policy_ref(row.policy) },
            "escalation_level": row.level + 1,
            "start": time(row.span.map(|span| span.0)),
            "end": time(row.span.map(|span| span.1)),
        })
    })
}

impl Paint<'_> {
    pub fn user(&self, index: usize) -> Value {
        let Some(person) = self.pager.company.people.get(index) else { return Value::Null };
        let mut out = fields(self.stub("user", "users", &person.id, person.name));
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("name", json!(person.name));
        put("email", json!(person.email));
        put("time_zone", json!(person.time_zone));
        put("color", json!("teal"));
        put("role", json!(person.role));
        put("avatar_url", json!("https://pd-static-assets.pagerduty.com/users/blank-avatar.png"));
        put("description", Value::Null);
        put("invitation_sent", json!(false));
        put("created_via_sso", json!(true));
        put("job_title", json!(person.title));
        put("teams", json!([self.team_ref(person.team)]));
        let folder = format!("users/{}/contact_methods", person.id);
        let contact = self.stub("email_contact_method_reference", &folder, &format!("{}C", person.id), "Work");
        put("contact_methods", json!([contact]));
        put("notification_rules", json!([]));
        Value::Object(out)
    }

    pub fn team(&self, index: usize) -> Value {
        let Some(team) = self.pager.company.teams.get(index) else { return Value::Null };
        let mut out = fields(self.stub("team", "teams", &team.id, team.name));
        out.insert("name".to_owned(), json!(team.name));
        out.insert("description".to_owned(), Value::Null);
        out.insert("default_role".to_owned(), json!("manager"));
        Value::Object(out)
    }

    pub fn priority(&self, index: usize) -> Value {
        let Some(priority) = self.pager.company.priorities.get(index) else { return Value::Null };
        let mut out = fields(self.stub("priority", "priorities", &priority.id, priority.name));
        out.insert("name".to_owned(), json!(priority.name));
        out.insert("description".to_owned(), json!(priority.description));
        Value::Object(out)
    }

    pub fn service(&self, index: usize) -> Value {
        let company = &self.pager.company;
        let Some(service) = company.services.get(index) else { return Value::Null };
        let mut open = self.pager.incidents().iter().filter(|one| one.service == index && one.is_open());
        let last =
            self.pager.incidents().iter().rev().find(|one| one.service == index).map(|one| self.time(one.created_at));
        let status = match (open.clone().next(), open.any(|one| one.status == Status::Triggered)) {
            (None, _) => "active",
            (Some(_), true) => "critical",
            (Some(_), false) => "warning",
        };
        let mut out = fields(self.stub("service", "services", &service.id, service.name));
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("name", json!(service.name));
        put("description", json!(service.description));
        put("auto_resolve_timeout", json!(service.auto_resolve_s));
        put("acknowledgement_timeout", json!(service.ack_timeout_s));
        put("created_at", json!("2023-02-06T09:12:51Z"));
        put("status", json!(status));
        put("last_incident_timestamp", json!(last));
        put("alert_creation", json!("create_alerts_and_incidents"));
        put(
            "escalation_policy",
            if self.includes("escalation_policies") {
                self.policy(service.policy)
            } else {
                self.policy_ref(service.policy)
            },
        );
        put("teams", json!([self.team_ref(service.team)]));
        put("integrations", json!([self.integration_ref(index)]));
        put("incident_urgency_rule", json!({"type": "constant", "urgency": "severity_based"}));
        put("support_hours", Value::Null);
        put("scheduled_actions", json!([]));
        put("addons", json!([]));
        Value::Object(out)
    }

    pub fn policy(&self, index: usize) -> Value {
        let company = &self.pager.company;
        let Some(policy) = company.policies.get(index) else { return Value::Null };
        let target = |target: &Target| match target {
            Target::Schedule(schedule) => self.schedule_ref(*schedule),
            Target::Person(person) => self.user_ref(*person),
        };
        let rules = policy.levels.iter().map(|level| {
            let targets: Vec<Value> = level.targets.iter().map(target).collect();
            json!({"id": level.id, "escalation_delay_in_minutes": level.delay_min, "targets": targets})
        });
        let services =
            (0..company.services.len()).filter(|one| company.services.get(*one).is_some_and(|one| one.policy == index));
        let mut out = fields(self.stub("escalation_policy", "escalation_policies", &policy.id, &policy.name));
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("name", json!(policy.name));
        put("escalation_rules", rules.collect());
        put("services", services.map(|service| self.service_ref(service)).collect());
        put("num_loops", json!(policy.loops));
        put("teams", json!([self.team_ref(policy.team)]));
        put("on_call_handoff_notifications", json!("if_has_services"));
        put("description", Value::Null);
        Value::Object(out)
    }

    pub fn schedule(&self, index: usize) -> Value {
        let company = &self.pager.company;
        let Some(schedule) = company.schedules.get(index) else { return Value::Null };
        let mut out = fields(self.stub("schedule", "schedules", &schedule.id, &schedule.name));
        let policies = company.policies.iter().enumerate().filter(|(_, policy)| {
            policy.levels.iter().flat_map(|level| &level.targets).any(|target| *target == Target::Schedule(index))
        });
        let policies: Vec<Value> = policies.map(|(policy, _)| self.policy_ref(policy)).collect();
        out.insert("name".to_owned(), json!(schedule.name));
        out.insert("time_zone".to_owned(), json!("UTC"));
        out.insert("description".to_owned(), Value::Null);
        out.insert("escalation_policies".to_owned(), json!(policies));
        out.insert("users".to_owned(), schedule.people.iter().map(|person| self.user_ref(*person)).collect());
        out.insert("teams".to_owned(), json!([]));
        Value::Object(out)
    }
}

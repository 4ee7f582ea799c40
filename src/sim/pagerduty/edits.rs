//! Changing incidents. What is asked is read and checked whole before the first byte of it is done.

use serde_json::{Value, json};

use super::super::http::Reply;
use super::super::pager::model::{Agent, Status};
use super::super::pager::{Declaration, Update};
use super::{Answer, Desk, error, invalid, not_found, refused};

/// Incidents and alerts that one request may change.
const MOST: usize = 250;
/// Characters of a note.
const NOTE_CHARS: usize = 2_000;

fn too_large() -> Box<Reply> {
    error(413, "Request Entity Too Large", 2001, &["At most 250 objects can be updated at once"])
}

/// `PUT /incidents`: all or nothing.
pub(super) fn update_many(desk: &mut Desk<'_>) -> Answer {
    let agent = Agent::Person(desk.sender()?);
    let body = desk.field("incidents")?;
    let wanted = body.as_array().ok_or_else(|| invalid("Incidents must be an array"))?;
    if wanted.len() > MOST {
        return Err(too_large());
    }
    let mut updates = Vec::with_capacity(wanted.len());
    for one in wanted {
        let id =
            one["id"].as_str().ok_or_else(|| error(400, "Invalid ID Provided", 1004, &["Incident id is required"]))?;
        let incident = desk.pager.find(id).ok_or_else(|| not_found("Incident Not Found"))?;
        let update = read_update(desk, incident, one, false)?;
        desk.pager.check(&update).map_err(|no| refused(&no))?;
        updates.push(update);
    }
    let touched: Vec<usize> = updates.iter().map(|update| update.incident).collect();
    for update in updates {
        desk.pager.apply(update, agent, "api");
    }
    let paint = desk.paint()?;
    let shown: Vec<Value> = touched.into_iter().map(|index| paint.incident(index)).collect();
    Ok(Reply::json(200, &json!({"incidents": shown})))
}

/// `PUT /incidents/{id}`.
pub(super) fn update_one(desk: &mut Desk<'_>, id: &str) -> Answer {
    let agent = Agent::Person(desk.sender()?);
    let incident = desk.incident(id)?;
    let body = desk.field("incident")?;
    let update = read_update(desk, incident, &body, true)?;
    desk.pager.check(&update).map_err(|no| refused(&no))?;
    desk.pager.apply(update, agent, "api");
    Ok(Reply::json(200, &json!({"incident": desk.paint()?.incident(incident)})))
}

/// What an incident object in a PUT asks for.
fn read_update(desk: &Desk<'_>, incident: usize, one: &Value, is_single: bool) -> Result<Update, Box<Reply>> {
    let company = &desk.pager.company;
    if !matches!(one["type"].as_str(), Some("incident" | "incident_reference")) {
        return Err(invalid("Incident type is invalid: expected incident or incident_reference"));
    }
    let text = |name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut update = Update { incident, resolution: text("resolution"), title: text("title"), ..Update::default() };
    update.status = match one.get("status").filter(|status| !status.is_null()) {
        None => None,
        Some(word) => Some(match word.as_str() {
            Some("triggered") => Status::Triggered,
            Some("acknowledged") => Status::Acknowledged,
            Some("resolved") => Status::Resolved,
            _ => return Err(error(400, "Invalid Status Provided", 1003, &["Status is invalid"])),
        }),
    };
    if let Some(level) = one.get("escalation_level").filter(|level| !level.is_null()) {
        let level = level.as_u64().and_then(|level| usize::try_from(level).ok());
        update.level = Some(level.ok_or_else(|| invalid("Escalation level must be a positive integer"))?);
    }
    if let Some(given) = one.get("assignments").and_then(Value::as_array) {
        let person =
            |given: &Value| company.people.iter().position(|person| given["assignee"]["id"] == person.id.as_str());
        let people: Option<Vec<usize>> = given.iter().map(person).collect();
        update.people = Some(
            people.ok_or_else(|| error(400, "Assigned To User Not Found", 1007, &["Assigned To User Not Found"]))?,
        );
    }
    if let Some(policy) = one.get("escalation_policy").filter(|policy| !policy.is_null()) {
        let found = company.policies.iter().position(|known| policy["id"] == known.id.as_str());
        update.policy = Some(
            found.ok_or_else(|| error(400, "Escalation Policy Not Found", 1014, &["Escalation Policy Not Found"]))?,
        );
    }
    if let Some(priority) = one.get("priority") {
        update.priority = Some(read_priority(desk, priority)?);
    }
    update.is_urgent = read_urgency(one)?;
    update.conference = one.get("conference_bridge").filter(|bridge| bridge.is_object()).cloned();
    if let Some(service) = one.get("service").filter(|_| is_single) {
        let found = company.services.iter().position(|known| service["id"] == known.id.as_str());
        update.service = Some(found.ok_or_else(|| error(400, "Service Not Found", 2001, &["Service Not Found"]))?);
    }
    Ok(update)
}

/// A priority by reference or by name; null takes it away.
fn read_priority(desk: &Desk<'_>, given: &Value) -> Result<Option<usize>, Box<Reply>> {
    if given.is_null() {
        return Ok(None);
    }
    let word = given.as_str().or_else(|| given["id"].as_str()).unwrap_or_default();
    let found = desk.pager.company.priorities.iter().position(|known| known.id == word || known.name == word);
    found.map(Some).ok_or_else(|| error(400, "Invalid Priority", 1020, &["Priority is invalid"]))
}

fn read_urgency(given: &Value) -> Result<Option<bool>, Box<Reply>> {
    match given.get("urgency").filter(|word| !word.is_null()) {
        None => Ok(None),
        Some(word) if word == "high" => Ok(Some(true)),
        Some(word) if word == "low" => Ok(Some(false)),
        Some(_) => Err(invalid("Urgency is invalid: expected high or low")),
    }
}

/// `POST /incidents`.
pub(super) fn declare(desk: &mut Desk<'_>) -> Answer {
    let by = desk.sender()?;
    let given = desk.field("incident")?;
    let company = &desk.pager.company;
    if given["type"] != "incident" {
        return Err(invalid("Incident type is invalid: expected incident"));
    }
    let title = given["title"]
        .as_str()
        .map(str::trim)
        .filter(|title| !title.is_empty())
        .ok_or_else(|| invalid("Title cannot be empty"))?;
    if title.chars().count() > 1024 {
        return Err(invalid("Title is too long (maximum is 1024 characters)"));
    }
    let service = company.services.iter().position(|known| given["service"]["id"] == known.id.as_str());
    let service = service.ok_or_else(|| error(400, "Incident could not be created", 2001, &["Service Not Found"]))?;
    let mut update = read_update(
        desk,
        0,
        &json!({"type": "incident", "assignments": given.get("assignments"), "escalation_policy": given.get("escalation_policy")}),
        false,
    )?;
    if update.people.is_some() && update.policy.is_some() {
        return Err(invalid("An incident cannot have both assignments and an escalation policy"));
    }
    let draft = Declaration {
        title: title.to_owned(),
        service,
        priority: given.get("priority").map_or(Ok(None), |priority| read_priority(desk, priority))?,
        is_urgent: read_urgency(&given)?.unwrap_or(true),
        key: given["incident_key"].as_str().map(str::to_owned),
        body: given["body"]["details"].as_str().map(str::to_owned),
        people: update.people.take().unwrap_or_default(),
        policy: update.policy,
        conference: given.get("conference_bridge").filter(|bridge| bridge.is_object()).cloned(),
    };
    let index = desk.pager.declare(draft, by, "api").map_err(|no| refused(&no))?;
    Ok(Reply::json(201, &json!({"incident": desk.paint()?.incident(index)})))
}

/// `PUT /incidents/{id}/alerts`.
pub(super) fn update_alerts(desk: &mut Desk<'_>, id: &str) -> Answer {
    let agent = Agent::Person(desk.sender()?);
    let incident = desk.incident(id)?;
    let body = desk.field("alerts")?;
    let wanted = body.as_array().ok_or_else(|| invalid("Alerts must be an array"))?;
    if wanted.len() > MOST {
        return Err(too_large());
    }
    let mut updates = Vec::new();
    for one in wanted {
        let is_it = |alert: &super::super::pager::model::PagerAlert| {
            alert.incident == incident && one["id"] == alert.id.as_str()
        };
        let alert = desk.pager.alerts().iter().position(is_it).ok_or_else(|| not_found("Alert Not Found"))?;
        let to = match one["incident"]["id"].as_str() {
            Some(id) => Some(desk.incident(id)?),
            None => None,
        };
        let is_resolved = match one.get("status").and_then(Value::as_str) {
            None => false,
            Some("resolved") => true,
            Some(_) => return Err(invalid("Alert status can only be changed to resolved")),
        };
        updates.push((alert, to, is_resolved));
    }
    for (alert, to, is_resolved) in &updates {
        desk.pager.update_alert(*alert, *to, *is_resolved, agent);
    }
    let paint = desk.paint()?;
    let shown =
        updates.iter().filter_map(|(alert, ..)| desk.pager.alerts().get(*alert)).map(|alert| paint.alert(alert));
    Ok(Reply::json(200, &json!({"alerts": shown.collect::<Vec<_>>()})))
}

/// `PUT /incidents/{id}/merge`.
pub(super) fn merge(desk: &mut Desk<'_>, id: &str) -> Answer {
    let agent = Agent::Person(desk.sender()?);
    let target = desk.incident(id)?;
    let body = desk.field("source_incidents")?;
    let given = body.as_array().ok_or_else(|| invalid("Source incidents must be an array"))?;
    let sources: Result<Vec<usize>, _> =
        given.iter().map(|one| desk.incident(one["id"].as_str().unwrap_or_default())).collect();
    desk.pager.merge(target, &sources?, agent).map_err(|no| refused(&no))?;
    let paint = desk.paint()?;
    let shown = desk.pager.incident(target).map(|one| paint.incident_ref(one));
    Ok(Reply::json(200, &json!({"incident": shown})))
}

/// `POST /incidents/{id}/snooze`.
pub(super) fn snooze(desk: &mut Desk<'_>, id: &str) -> Answer {
    let agent = Agent::Person(desk.sender()?);
    let incident = desk.incident(id)?;
    let duration = desk.field("duration")?;
    let seconds = duration
        .as_i64()
        .ok_or_else(|| error(400, "Snooze Duration is Invalid", 1013, &["Duration must be an integer"]))?;
    desk.pager.snooze(incident, seconds, agent, "api").map_err(|no| refused(&no))?;
    Ok(Reply::json(201, &json!({"incident": desk.paint()?.incident(incident)})))
}

fn read_note(desk: &Desk<'_>) -> Result<String, Box<Reply>> {
    let note = desk.field("note")?;
    let content = note["content"].as_str().unwrap_or_default();
    if content.trim().is_empty() {
        return Err(invalid("Content cannot be empty"));
    }
    if content.chars().count() > NOTE_CHARS {
        return Err(invalid("Content is too long (maximum is 2000 characters)"));
    }
    Ok(content.to_owned())
}

/// `POST /incidents/{id}/notes`.
pub(super) fn note(desk: &mut Desk<'_>, id: &str) -> Answer {
    let by = desk.sender()?;
    let incident = desk.incident(id)?;
    let content = read_note(desk)?;
    let note = desk.pager.note(incident, by, &content);
    Ok(Reply::json(200, &json!({"note": desk.paint()?.note(&note)})))
}

/// `PUT` and `DELETE /incidents/{id}/notes/{note}`.
pub(super) fn edit_note(desk: &mut Desk<'_>, id: &str, note: &str) -> Answer {
    let incident = desk.incident(id)?;
    let content = if desk.ask.method == "PUT" { Some(read_note(desk)?) } else { None };
    if !desk.pager.notes_of(incident).any(|one| one.id == note) || !desk.pager.edit_note(note, content.as_deref()) {
        return Err(not_found("Note Not Found"));
    }
    let paint = desk.paint()?;
    let shown = desk.pager.notes_of(incident).find(|one| one.id == note).map(|one| paint.note(one));
    Ok(shown.map_or_else(|| Reply::empty(204), |note| Reply::json(200, &json!({"note": note}))))
}

/// `POST /incidents/{id}/status_updates`.
pub(super) fn status_update(desk: &mut Desk<'_>, id: &str) -> Answer {
    let by = desk.sender()?;
    let incident = desk.incident(id)?;
    let body = desk.body()?;
    let message = body["message"]
        .as_str()
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| invalid("Message cannot be empty"))?;
    if body.get("subject").is_some() != body.get("html_message").is_some() {
        return Err(invalid("Subject and html_message must be given together"));
    }
    let note = desk.pager.note(incident, by, &format!("Status update: {message}"));
    let paint = desk.paint()?;
    let mut shown =
        json!({"id": note.id, "message": message, "sender": paint.user_ref(by), "created_at": paint.time(note.at)});
    for name in ["subject", "html_message"] {
        if let (Some(text), Some(fields)) = (body.get(name), shown.as_object_mut()) {
            fields.insert(name.to_owned(), text.clone());
        }
    }
    Ok(Reply::json(200, &json!({"status_update": shown})))
}

//! Change events: all, of a service, and those that may have caused an incident.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::http::Reply;
use super::super::pager::model::Change;
use super::incidents::instant;
use super::page::Page;
use super::paint::fields;
use super::{Answer, Desk, not_found};

/// `GET /change_events` and `GET /services/{id}/change_events`, newest first.
pub(super) fn list(desk: &Desk<'_>, service: Option<&str>) -> Answer {
    let (page, paint) = (Page::of(desk.ask)?, desk.paint()?);
    let company = &desk.pager.company;
    let (since, until) = (instant(desk.ask, "since")?, instant(desk.ask, "until")?);
    let (teams, integrations) = (desk.ask.set("team_ids"), desk.ask.set("integration_ids"));
    if service.is_some_and(|id| !company.services.iter().any(|one| one.id == id)) {
        return Err(not_found("Service Not Found"));
    }
    let keep = |change: &&Change| {
        let Some(own) = company.services.get(change.service) else { return false };
        let team = company.teams.get(own.team).map_or("", |team| team.id.as_str());
        service.is_none_or(|id| id == own.id)
            && since.is_none_or(|since| change.at >= since)
            && until.is_none_or(|until| change.at < until)
            && (teams.is_empty() || teams.contains(&team))
            && (integrations.is_empty() || integrations.contains(&own.integration_id.as_str()))
    };
    let mut found: Vec<&Change> = desk.pager.changes().iter().filter(keep).collect();
    found.sort_by_key(|change| std::cmp::Reverse(change.at));
    page.answer("change_events", &found, |change| paint.change(change))
}

/// `GET /change_events/{id}`.
pub(super) fn show(desk: &Desk<'_>, id: &str) -> Answer {
    let change = desk
        .pager
        .changes()
        .iter()
        .find(|change| change.id == id)
        .ok_or_else(|| not_found("Change Event Not Found"))?;
    Ok(Reply::json(200, &json!({"change_event": desk.paint()?.change(change)})))
}

/// `GET /incidents/{id}/related_change_events`: of the service and of its team in the day before, newest first.
pub(super) fn related(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    let Some(one) = desk.pager.incident(index) else { return Err(not_found("Incident Not Found")) };
    let paint = desk.paint()?;
    let limit = desk.ask.param("limit").and_then(|text| text.parse().ok()).unwrap_or(25_usize);
    let team = |service: usize| desk.pager.company.services.get(service).map(|service| service.team);
    let near = |change: &&Change| {
        let before = one.created_at - change.at;
        before < TimeDelta::hours(24) && before > TimeDelta::minutes(-60) && team(change.service) == team(one.service)
    };
    let mut found: Vec<&Change> = desk.pager.changes().iter().filter(near).collect();
    found.sort_by_key(|change| (change.service != one.service, std::cmp::Reverse(change.at)));
    let show = |(at, change): (usize, &&Change)| {
        let reason = if at == 0 && change.service == one.service { "most_recent" } else { "related_service" };
        let mut out = fields(paint.change(change));
        out.insert("correlation_reason".to_owned(), json!({"reason": reason}));
        Value::Object(out)
    };
    let shown: Vec<Value> = found.iter().enumerate().take(limit).map(show).collect();
    Ok(Reply::json(200, &json!({"change_events": shown, "limit": null, "offset": null, "total": null, "more": false})))
}

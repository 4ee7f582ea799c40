//! Log entries, newest first.

use serde_json::json;

use super::super::http::Reply;
use super::super::pager::model::Entry;
use super::incidents::instant;
use super::page::Page;
use super::{Answer, Desk, not_found};

/// Kinds that `is_overview=true` leaves out.
const DETAILS: [&str; 3] = ["notify_log_entry", "assign_log_entry", "repeat_escalation_path_log_entry"];

/// `GET /incidents/{id}/log_entries`.
pub(super) fn of_incident(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    list(desk, |entry| entry.incident == index)
}

/// `GET /log_entries`.
pub(super) fn all(desk: &Desk<'_>) -> Answer {
    let teams = desk.ask.set("team_ids");
    let company = &desk.pager.company;
    list(desk, |entry| {
        let service = desk.pager.incident(entry.incident).and_then(|one| company.services.get(one.service));
        let team = service.and_then(|service| company.teams.get(service.team));
        teams.is_empty() || team.is_some_and(|team| teams.contains(&team.id.as_str()))
    })
}

fn list(desk: &Desk<'_>, keep: impl Fn(&Entry) -> bool) -> Answer {
    let (page, paint) = (Page::of(desk.ask)?, desk.paint()?);
    let (since, until) = (instant(desk.ask, "since")?, instant(desk.ask, "until")?);
    let is_overview = desk.ask.flag("is_overview");
    let mut found: Vec<&Entry> = desk.pager.entries().iter().filter(|entry| keep(entry)).collect();
    found.retain(|entry| since.is_none_or(|since| entry.at >= since) && until.is_none_or(|until| entry.at < until));
    found.retain(|entry| !(is_overview && DETAILS.contains(&entry.kind)));
    found.reverse();
    page.answer("log_entries", &found, |entry| paint.entry(entry))
}

/// `GET /log_entries/{id}`.
pub(super) fn show(desk: &Desk<'_>, id: &str) -> Answer {
    let entry =
        desk.pager.entries().iter().find(|entry| entry.id == id).ok_or_else(|| not_found("Log Entry Not Found"))?;
    Ok(Reply::json(200, &json!({"log_entry": desk.paint()?.entry(entry)})))
}

//! Reading incidents: the list with its filters, one incident, its alerts and notes, and those like it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;

use super::super::http::{Ask, Reply};
use super::super::pager::model::{Incident, PagerAlert};
use super::page::Page;
use super::{Answer, Desk, error, invalid, not_found};
use crate::domain::time::Timestamp;

/// `GET /incidents`.
pub(super) fn list(desk: &Desk<'_>) -> Answer {
    let page = Page::of(desk.ask)?;
    let paint = desk.paint()?;
    let filter = Filter::of(desk)?;
    let mut found: Vec<usize> = (0..desk.pager.incidents().len()).filter(|index| filter.keeps(desk, *index)).collect();
    sort(desk, &mut found)?;
    page.answer("incidents", &found, |index| paint.incident(*index))
}

struct Filter<'a> {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    statuses: Vec<&'a str>,
    urgencies: Vec<&'a str>,
    services: Vec<&'a str>,
    teams: Vec<&'a str>,
    users: Vec<&'a str>,
    /// Incidents that have the key themselves or by an alert.
    with_key: Option<BTreeSet<usize>>,
}

impl<'a> Filter<'a> {
    fn of(desk: &Desk<'a>) -> Result<Self, Box<Reply>> {
        let ask = desk.ask;
        let statuses = ask.set("statuses");
        if let Some(unknown) = statuses.iter().find(|word| !["triggered", "acknowledged", "resolved"].contains(word)) {
            return Err(invalid(&format!("Status '{unknown}' is invalid")));
        }
        let (since, until) = window(ask, desk.pager.now())?;
        let with_key = ask.param("incident_key").map(|key| {
            let of_alerts = desk.pager.alerts().iter().filter(|alert| alert.key == key).map(|alert| alert.incident);
            let own =
                desk.pager.incidents().iter().enumerate().filter(|(_, one)| one.incident_key.as_deref() == Some(key));
            of_alerts.chain(own.map(|(index, _)| index)).collect()
        });
        Ok(Self {
            since,
            until,
            statuses,
            urgencies: ask.set("urgencies"),
            services: ask.set("service_ids"),
            teams: ask.set("team_ids"),
            users: ask.set("user_ids"),
            with_key,
        })
    }

    fn keeps(&self, desk: &Desk<'_>, index: usize) -> bool {
        let company = &desk.pager.company;
        let Some(one) = desk.pager.incident(index) else { return false };
        let service = company.services.get(one.service);
        let is_in = |wanted: &[&str], id: Option<&str>| wanted.is_empty() || id.is_some_and(|id| wanted.contains(&id));
        let team = service.and_then(|service| company.teams.get(service.team)).map(|team| team.id.as_str());
        let is_theirs = || {
            let mut ids = one.assignments.iter().filter_map(|(_, person)| company.people.get(*person));
            one.is_open() && ids.any(|person| self.users.contains(&person.id.as_str()))
        };
        is_in(&self.statuses, Some(one.status.word()))
            && is_in(&self.urgencies, Some(if one.is_urgent { "high" } else { "low" }))
            && is_in(&self.services, service.map(|service| service.id.as_str()))
            && is_in(&self.teams, team)
            && self.since.is_none_or(|since| one.created_at >= since)
            && self.until.is_none_or(|until| one.created_at < until)
            && self.with_key.as_ref().is_none_or(|known| known.contains(&index))
            && (self.users.is_empty() || is_theirs())
    }
}

/// The date range: the last month unless told otherwise, six months at most, `date_range=all` lifts both.
fn window(ask: &Ask, now: Timestamp) -> Result<(Option<Timestamp>, Option<Timestamp>), Box<Reply>> {
    if ask.param("date_range") == Some("all") {
        return Ok((None, None));
    }
    let until = instant(ask, "until")?;
    let since = instant(ask, "since")?.unwrap_or_else(|| until.unwrap_or(now) - TimeDelta::days(30));
    let end = until.unwrap_or(now);
    if end < since || end - since > TimeDelta::days(184) {
        return Err(error(
            400,
            "Invalid Query Date Range",
            2005,
            &["The date range must be positive and 6 months at most"],
        ));
    }
    // What was opened this very moment is in.
    Ok((Some(since), Some(until.unwrap_or(now + TimeDelta::seconds(1)))))
}

/// An instant in the query: RFC 3339, or a bare date.
pub(super) fn instant(ask: &Ask, name: &str) -> Result<Option<Timestamp>, Box<Reply>> {
    let Some(text) = ask.param(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.replace(' ', "+") };
    let local = || chrono::NaiveDateTime::parse_from_str(&whole, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc());
    let parsed = chrono::DateTime::parse_from_rfc3339(&whole).map(|at| at.to_utc()).or_else(|_| local());
    parsed.map(Some).map_err(|_| error(400, "Invalid time values in 'since' and/or 'until' parameters", 2004, &[]))
}

fn sort(desk: &Desk<'_>, found: &mut [usize]) -> Result<(), Box<Reply>> {
    let words: Vec<&str> = desk.ask.param("sort_by").unwrap_or("created_at:asc").split(',').collect();
    if words.len() > 2 {
        return Err(invalid("sort_by takes two fields at most"));
    }
    for word in words.into_iter().rev() {
        let (field, direction) = word.split_once(':').unwrap_or((word, "asc"));
        let key = |one: &Incident| match field {
            "incident_number" => i64::try_from(one.number).unwrap_or(0),
            "resolved_at" => one.resolved_at.map_or(0, |at| at.timestamp()),
            "urgency" => i64::from(!one.is_urgent),
            _ => one.created_at.timestamp_millis(),
        };
        if !["incident_number", "created_at", "resolved_at", "urgency"].contains(&field)
            || !["asc", "desc"].contains(&direction)
        {
            return Err(invalid(&format!("sort_by '{word}' is invalid")));
        }
        found.sort_by_key(|index| {
            let key = desk.pager.incident(*index).map_or(0, key);
            if direction == "desc" { -key } else { key }
        });
    }
    Ok(())
}

/// `GET /incidents/{id}`.
pub(super) fn show(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    Ok(Reply::json(200, &json!({"incident": desk.paint()?.incident(index)})))
}

/// `GET /incidents/{id}/alerts`.
pub(super) fn alerts(desk: &Desk<'_>, id: &str) -> Answer {
    let (page, paint, index) = (Page::of(desk.ask)?, desk.paint()?, desk.incident(id)?);
    let statuses = desk.ask.set("statuses");
    let key = desk.ask.param("alert_key");
    let status = |alert: &PagerAlert| if alert.resolved_at.is_some() { "resolved" } else { "triggered" };
    let mut found: Vec<&PagerAlert> = desk.pager.alerts_of(index).collect();
    found.retain(|alert| {
        (statuses.is_empty() || statuses.contains(&status(alert))) && key.is_none_or(|key| key == alert.key)
    });
    if desk.ask.param("sort_by") == Some("created_at:desc") {
        found.reverse();
    }
    page.answer("alerts", &found, |alert| paint.alert(alert))
}

/// `GET /incidents/{id}/alerts/{alert}`.
pub(super) fn alert(desk: &Desk<'_>, id: &str, alert: &str) -> Answer {
    let index = desk.incident(id)?;
    let found = desk.pager.alerts_of(index).find(|one| one.id == alert).ok_or_else(|| not_found("Alert Not Found"))?;
    Ok(Reply::json(200, &json!({"alert": desk.paint()?.alert(found)})))
}

/// `GET /incidents/{id}/notes`: newest first, not in pages.
pub(super) fn notes(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    let paint = desk.paint()?;
    let mut notes: Vec<_> = desk.pager.notes_of(index).map(|note| paint.note(note)).collect();
    notes.reverse();
    Ok(Reply::json(200, &json!({"notes": notes})))
}

/// `GET /incidents/{id}/past_incidents`: resolved ones of the same service, those with a similar title first.
pub(super) fn past(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    let limit: usize = match desk.ask.param("limit").map(str::parse) {
        None => 5,
        Some(Ok(limit @ 1..=999)) => limit,
        Some(_) => return Err(invalid("Limit must be between 1 and 999")),
    };
    let Some(one) = desk.pager.incident(index) else { return Err(not_found("Incident Not Found")) };
    let words = |title: &str| title.split_whitespace().map(str::to_lowercase).collect::<BTreeSet<_>>();
    let own = words(&one.title);
    let like = |other: &Incident| {
        (own.intersection(&words(&other.title)).count() as f64 / own.len().max(1) as f64 * 60.0 * 1e4).round() / 1e4
    };
    let past = desk.pager.incidents().iter().filter(|other| {
        !other.is_open()
            && other.service == one.service
            && other.created_at < one.created_at
            && other.merged_into.is_none()
    });
    let mut scored: Vec<(f64, &Incident)> = past.map(|other| (like(other), other)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.created_at.cmp(&a.1.created_at)));
    let total = scored.len();
    let paint = desk.paint()?;
    let shown = scored.into_iter().take(limit).map(|(score, other)| {
        let own = format!("{}/incidents/{}", desk.ask.base, other.id);
        json!({"incident": {"id": other.id, "created_at": paint.time(other.created_at), "self": own, "title": other.title}, "score": score})
    });
    let shown: Vec<_> = shown.collect();
    let total = if desk.ask.flag("total") { json!(total) } else { serde_json::Value::Null };
    Ok(Reply::json(200, &json!({"past_incidents": shown, "total": total, "limit": limit})))
}

/// `GET /incidents/{id}/related_incidents`: open ones that began within ten minutes.
pub(super) fn related(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    let Some(one) = desk.pager.incident(index) else { return Err(not_found("Incident Not Found")) };
    let paint = desk.paint()?;
    let near = |other: &Incident| other.is_open() && (other.created_at - one.created_at).abs() < TimeDelta::minutes(10);
    let found = desk.pager.incidents().iter().enumerate().filter(|(at, other)| *at != index && near(other));
    let kind = json!([{"type": "machine_learning_inferred", "metadata": {"grouping_classification": "similar_contents", "user_feedback": {"positive_feedback_count": 0, "negative_feedback_count": 0}}}]);
    let found: Vec<_> = found.map(|(at, _)| json!({"incident": paint.incident(at), "relationships": kind})).collect();
    Ok(Reply::json(200, &json!({"related_incidents": found})))
}

/// `GET /incidents/{id}/outlier_incident`.
pub(super) fn outlier(desk: &Desk<'_>, id: &str) -> Answer {
    let index = desk.incident(id)?;
    let Some(one) = desk.pager.incident(index) else { return Err(not_found("Incident Not Found")) };
    let count = desk.pager.incidents().iter().filter(|other| other.title == one.title).count();
    let category = if count < 2 { "novel" } else { "frequent" };
    let paint = desk.paint()?;
    let (since, until) = (paint.time(one.created_at - TimeDelta::days(30)), paint.time(one.created_at));
    let occurrence = json!({"count": count, "frequency": 0.1, "category": category, "since": since, "until": until});
    let own = format!("{}/incidents/{}", desk.ask.base, one.id);
    let incident =
        json!({"id": one.id, "created_at": until, "self": own, "title": one.title, "occurrence": occurrence});
    let template = json!({"id": "PTEMPL1", "cluster_id": "PCLUST1", "mined_text": one.title});
    Ok(Reply::json(200, &json!({"outlier_incident": {"incident": incident, "incident_template": template}})))
}

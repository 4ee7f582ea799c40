//! `incidents show`.

use std::fmt::Write as _;

use super::ShowArgs;
use super::find::{Reference, find};
use super::list::status_word;
use crate::cli::desk::{Desk, tell_failures};
use crate::cli::exit::FAILED;
use crate::cli::json::{AlertJson, Answer, DetailsJson};
use crate::cli::print::{self, Style, Table, Tone, cell, paint};
use crate::cli::when;
use crate::domain::incident::Incident;
use crate::domain::room::Room;
use crate::domain::timeline::Actor;
use crate::text::Clean;

pub(super) async fn run(desk: &Desk, args: ShowArgs) -> color_eyre::Result<i32> {
    let limit = args.answering.timeout;
    desk.needs_incidents()?;
    let reference = Reference::parse(&args.id)?;
    let (room, failures, found) = match &reference {
        Reference::Row(id) => {
            let collected = desk.collect(&desk.incident_sources(), limit).await?;
            let found = collected.room.incident(id).cloned();
            (collected.room, collected.failures, found)
        }
        Reference::Pager(_) | Reference::Number(_) => {
            desk.needs_pagerduty()?;
            let search = find(desk, std::slice::from_ref(&args.id), true, limit).await?;
            let first = search.found.into_iter().next();
            let failures = first.iter().filter_map(|found| found.target.clone().err()).collect();
            (search.room, failures, first.and_then(|found| found.incident))
        }
    };
    let Some(incident) = found else {
        if failures.is_empty() {
            print::tell(format!("there is no open incident {}; see 'warroom incidents list'", Clean::new(&args.id)));
            return Ok(FAILED);
        }
        return Ok(tell_failures(&failures));
    };
    if args.answering.json {
        print::json(&Answer::new(DetailsJson::of(&incident, &room), &failures))?;
    } else {
        print::out(&words(desk, &incident, &room, Style::of_stdout()))?;
    }
    Ok(tell_failures(&failures))
}

fn words(desk: &Desk, incident: &Incident, room: &Room, style: Style) -> String {
    let zone = desk.config.room.time_zone;
    let details = DetailsJson::of(incident, room);
    let heading = |text: &str| paint(text, Some(Tone::Strong), style.is_coloured);
    let mut out = format!("{}\n", heading(incident.title.as_str()));
    let mut field = |name: &str, text: String| {
        if !text.is_empty() {
            let _ = writeln!(out, "{name:<13}{}", Clean::new(text));
        }
    };
    let json = &details.incident;
    let names = |list: &[Clean]| list.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
    let text = |text: &Option<Clean>| text.as_ref().map(ToString::to_string).unwrap_or_default();
    field("id", json.pagerduty_id.clone().unwrap_or_else(|| json.id.clone()));
    field("number", json.number.map(|number| format!("#{number}")).unwrap_or_default());
    field("severity", format!("{} ({})", json.severity, json.severity_because));
    field("status", status_word(incident.status).to_owned());
    field("service", text(&json.service));
    field("priority", text(&json.priority));
    field("assigned to", names(&json.assignees));
    field("acknowledged", names(&json.acknowledged_by));
    field(
        "started",
        format!("{} ({} ago)", when::local(incident.started_at, zone), when::age(desk.now(), incident.started_at)),
    );
    field(
        "escalates",
        json.escalates_at.map(|at| format!("{} by {}", when::local(at, zone), text(&json.policy))).unwrap_or_default(),
    );
    field("link", text(&json.url));
    section(&mut out, &heading("ESCALATION"), levels(&details, json.level), style);
    section(&mut out, &heading("ALERTS"), alerts(&details.alerts, desk), style);
    section(&mut out, &heading("TIMELINE"), timeline(incident, room, desk), style);
    out
}

fn section(out: &mut String, heading: &str, table: Option<Table>, style: Style) {
    if let Some(table) = table {
        let _ = write!(out, "\n{heading}\n{}", table.render(style));
    }
}

fn levels(details: &DetailsJson, now_at: Option<u32>) -> Option<Table> {
    let mut table = Table::new(&[">LEVEL", ">AFTER", "WHO"]);
    for level in &details.levels {
        let is_now = now_at.is_some_and(|now_at| usize::try_from(now_at) == Ok(level.level));
        let who = level.targets.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        let delay = when::span(chrono::Duration::seconds(level.delay_s));
        table.row([
            cell(format!("{}{}", if is_now { "> " } else { "" }, level.level)).tone(is_now.then_some(Tone::Strong)),
            cell(delay),
            cell(who),
        ]);
    }
    (!details.levels.is_empty()).then_some(table)
}

fn alerts(alerts: &[AlertJson], desk: &Desk) -> Option<Table> {
    let mut table = Table::new(&["STATE", ">AGE", "NAME", "LABELS"]);
    for alert in alerts {
        let labels = alert.labels.iter().filter(|(name, _)| name.as_str() != "alertname");
        let labels = labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
        table.row([
            cell(alert.state),
            cell(when::age(desk.now(), alert.starts_at)),
            cell(&alert.name),
            cell(labels.collect::<Vec<_>>().join(" ")),
        ]);
    }
    (!alerts.is_empty()).then_some(table)
}

fn timeline(incident: &Incident, room: &Room, desk: &Desk) -> Option<Table> {
    let events = room.timeline(&incident.id);
    let mut table = Table::new(&["TIME", "WHO", "WHAT"]);
    for event in &events {
        let (Actor::Human(who) | Actor::Machine(who)) = &event.actor;
        let tone = matches!(event.actor, Actor::Machine(_)).then_some(Tone::Faint);
        let time = when::local(event.happened_at, desk.config.room.time_zone);
        table.row([cell(time), cell(who).tone(tone), cell(&event.text)]);
        for line in &event.body {
            table.row([cell(""), cell(""), cell(format!("  {line}"))]);
        }
    }
    (!events.is_empty()).then_some(table)
}

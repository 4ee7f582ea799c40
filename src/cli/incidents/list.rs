//! `incidents list`.

use super::ListArgs;
use crate::cli::desk::{Desk, tell_failures};
use crate::cli::json::{Answer, IncidentJson};
use crate::cli::print::{self, Style, Table, Tone, cell};
use crate::cli::when;
use crate::domain::incident::{Incident, Status};
use crate::domain::room::Room;
use crate::domain::time::Timestamp;

#[derive(serde::Serialize)]
struct Listed {
    incidents: Vec<IncidentJson>,
}

pub(super) async fn run(desk: &Desk, args: ListArgs) -> color_eyre::Result<i32> {
    desk.needs_incidents()?;
    let collected = desk.collect(&desk.incident_sources(), args.answering.timeout).await?;
    let room = &collected.room;
    let chosen: Vec<&Incident> = incidents(room).into_iter().filter(|incident| is_wanted(incident, &args)).collect();
    if args.answering.json {
        let incidents = chosen.into_iter().map(IncidentJson::of).collect();
        print::json(&Answer::new(Listed { incidents }, &collected.failures))?;
    } else if chosen.is_empty() && collected.failures.is_empty() {
        print::out("no open incidents\n")?;
    } else if !chosen.is_empty() {
        print::out(&table(&chosen, desk.now()).render(Style::of_stdout()))?;
    }
    Ok(tell_failures(&collected.failures))
}

/// Every incident of the room in the order of the board, worst first.
pub(super) fn incidents(room: &Room) -> Vec<&Incident> {
    room.board().slice(0..room.len()).filter_map(|id| room.incident(id)).collect()
}

fn is_wanted(incident: &Incident, args: &ListArgs) -> bool {
    let by_status = if args.status.is_empty() {
        incident.status != Status::Resolved
    } else {
        args.status.iter().any(|word| word.means(incident.status))
    };
    let severity = incident.assessment.severity;
    let by_severity = args.severity.is_empty() || args.severity.iter().any(|word| word.severity() == severity);
    let by_service = args.service.as_ref().is_none_or(|text| {
        let service = incident.service.as_ref().map(|service| service.as_str().to_lowercase());
        service.is_some_and(|service| service.contains(&text.to_lowercase()))
    });
    by_status && by_severity && by_service
}

fn table(incidents: &[&Incident], now: Timestamp) -> Table {
    let mut table = Table::new(&["ID", ">NUMBER", "SEVERITY", "STATUS", ">AGE", "WHO", "SERVICE", "TITLE"]);
    for incident in incidents {
        let json = IncidentJson::of(incident);
        let who = if json.acknowledged_by.is_empty() { &json.assignees } else { &json.acknowledged_by };
        let who = who.iter().map(crate::text::Clean::as_str).collect::<Vec<_>>().join(", ");
        let severity = incident.assessment.severity;
        table.row([
            cell(json.pagerduty_id.as_deref().unwrap_or(&json.id)),
            cell(json.number.map(|number| format!("#{number}")).unwrap_or_default()).tone(Tone::Faint),
            cell(severity.word()).tone(Tone::of(severity)),
            status(incident),
            cell(when::age(now, incident.started_at)),
            cell(who),
            cell(incident.service.as_ref().map_or("", |service| service.as_str())),
            cell(&incident.title),
        ]);
    }
    table
}

/// An alert that is silenced or inhibited notifies nobody: it must not look like one that does.
fn status(incident: &Incident) -> crate::cli::print::Cell {
    if incident.is_suppressed {
        return cell("suppressed").tone(Tone::Faint);
    }
    cell(status_word(incident.status)).tone(status_tone(incident.status))
}

pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Triggered => "triggered",
        Status::Acknowledged => "acknowledged",
        Status::Resolved => "resolved",
    }
}

fn status_tone(status: Status) -> Tone {
    match status {
        Status::Triggered => Tone::Bad,
        Status::Acknowledged => Tone::Warning,
        Status::Resolved => Tone::Good,
    }
}

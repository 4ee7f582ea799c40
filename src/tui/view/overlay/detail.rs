//! Everything about one thing: an incident with its people, alerts and links, or an entry of its timeline in full.

use super::{Lines, explain};
use crate::config::theme::Role;
use crate::domain::alert::{Alert, AlertKey, AlertState, GroupRef, Labels};
use crate::domain::id::{IncidentId, StepId};
use crate::domain::incident::Incident;
use crate::domain::run::RunId;
use crate::domain::silence::SilenceState;
use crate::domain::timeline::Actor;
use crate::text::Clean;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::{Detail, Subject};
use crate::tui::panes::timeline::EntryKey;
use crate::tui::style::{Glyphs, severity_role};
use crate::tui::widgets::{Pen, Words, clock, words};

/// Alerts listed in full; a storm's others are counted.
const MOST_ALERTS: usize = 20;

fn columns(over: Area) -> u16 {
    104.min(over.width.saturating_sub(8)).max(30)
}

pub(super) fn draw(pen: &mut Pen<'_>, over: Area, model: &Model, detail: &Detail) {
    let (title, lines) = lines(pen.glyphs(), model, detail, over);
    lines.popup(pen, over, columns(over), &title, detail.offset);
}

/// Title and lines of the page.
pub(super) fn lines(glyphs: &Glyphs, model: &Model, detail: &Detail, over: Area) -> (Words, Lines) {
    let mut lines = Lines::default();
    let title = match &detail.subject {
        Subject::Incident(id) => incident(glyphs, &mut lines, model, id, columns(over)),
        Subject::Explain(id) => explain::tell(glyphs, &mut lines, model, id, columns(over)),
        Subject::Entry(id, key) => entry(&mut lines, model, id, key, columns(over)),
        Subject::Output(run, step) => printed(&mut lines, model, *run, step, columns(over)),
    };
    if let Some(find) = &detail.find {
        lines.mark(&find.as_str().to_lowercase());
    }
    (title, lines)
}

/// Output lines on the page: what is older is counted, so that a frame stays a frame while a step floods.
const MOST_OUTPUT: usize = 4_000;

/// What a step printed, with a mark at each place where something is missing.
fn printed(lines: &mut Lines, model: &Model, run: RunId, step: &StepId, columns: u16) -> Words {
    let Some(output) = model.runbook.outputs.of(run, step) else {
        lines.push(vec![(words!("Its output is not remembered any more."), Role::Empty)]);
        return words!("Output of {step}");
    };
    let older = output.lines.len().saturating_sub(MOST_OUTPUT);
    if older > 0 {
        lines.push(vec![(words!("… {older} earlier lines: y copies them too …"), Role::TextDim)]);
    }
    for line in output.lines.iter().skip(older) {
        match line {
            Ok(line) => lines.text(line, columns, Role::Text),
            Err(bytes) => lines.push(vec![(words!("… {bytes} bytes not shown …"), Role::TextStrong)]),
        }
    }
    words!("Output of {step}: {} bytes", output.bytes)
}

/// Severity, number and title: the first lines of every page about an incident.
pub(super) fn head(glyphs: &Glyphs, lines: &mut Lines, incident: &Incident, columns: u16) {
    let severity = incident.assessment.severity;
    lines.text(&incident.title, columns, Role::TextStrong);
    lines.push(vec![
        (words!("{} {}", glyphs.severity(severity), severity.word()), severity_role(severity)),
        (words!("   because {}", incident.assessment.because), Role::TextDim),
    ]);
}

pub(super) fn name(incident: &Incident) -> Words {
    incident.record.as_ref().map_or_else(|| words!("Alert group"), |record| words!("Incident #{}", record.number))
}

fn moment(model: &Model, at: crate::domain::time::Timestamp) -> Words {
    words!("{} {}, {} ago", clock::day(at, model.zone), clock::time(at, model.zone), clock::age(model.now - at))
}

fn incident(glyphs: &Glyphs, lines: &mut Lines, model: &Model, id: &IncidentId, columns: u16) -> Words {
    let Some(incident) = model.room.incident(id) else {
        lines.push(vec![(words!("This incident is not known any more."), Role::Empty)]);
        return words!("Incident");
    };
    head(glyphs, lines, incident, columns);
    lines.blank();
    lines.field("began", &moment(model, incident.started_at), columns, Role::Text);
    if let Some(service) = &incident.service {
        lines.field("service", service, columns, Role::Text);
    }
    if let Some(record) = &incident.record {
        let people = |names: Vec<&Clean>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let assigned = people(record.assignees.iter().map(|user| &user.name).collect());
        lines.field(
            "assigned to",
            &words!("{}", if assigned.is_empty() { "nobody" } else { &assigned }),
            columns,
            Role::Text,
        );
        for ack in &record.acknowledgements {
            lines.field(
                "acknowledged",
                &words!("{}, {}", ack.by, moment(model, ack.at)),
                columns,
                Role::StatusAcknowledged,
            );
        }
        if let Some(priority) = &record.priority {
            lines.field("priority", &priority.name, columns, Role::Text);
        }
        let urgency = match record.urgency {
            crate::domain::incident::Urgency::High => "high",
            crate::domain::incident::Urgency::Low => "low",
        };
        lines.field("urgency", &urgency, columns, Role::Text);
        if let Some(policy) = &record.policy {
            lines.field("policy", &policy.name, columns, Role::Text);
        }
        if !record.teams.is_empty() {
            let teams = people(record.teams.iter().map(|team| &team.name).collect());
            lines.field("teams", &words!("{teams}"), columns, Role::Text);
        }
        if let Some(url) = &record.html_url {
            lines.field("page", &url.clean(), columns, Role::Link);
        }
    }
    alerts(glyphs, lines, model, incident, columns);
    let past = model.room.past(id);
    if !past.is_empty() {
        lines.heading("Incidents like this one");
        for one in past.iter().take(5) {
            let took = clock::age(one.changed_at - one.created_at);
            let when = clock::day(one.created_at, model.zone);
            lines.text(&words!("#{} {when}, {took}: {}", one.number, one.title), columns, Role::Text);
        }
    }
    name(incident)
}

fn alerts(glyphs: &Glyphs, lines: &mut Lines, model: &Model, incident: &Incident, columns: u16) {
    if incident.alerts.is_empty() {
        return;
    }
    lines.heading("Alerts");
    for (key, _) in incident.alerts.iter().take(MOST_ALERTS) {
        let Some(alert) = model.room.alert(key) else { continue };
        one_alert(glyphs, lines, model, alert, columns);
    }
    let more = incident.alerts.len().saturating_sub(MOST_ALERTS);
    if more > 0 {
        lines.text(&words!("and {more} more"), columns, Role::TextDim);
    }
}

fn one_alert(glyphs: &Glyphs, lines: &mut Lines, model: &Model, alert: &Alert, columns: u16) {
    let (state, role) = match &alert.state {
        AlertState::Active => {
            (words!("{}", glyphs.severity(crate::domain::severity::Severity::High)), Role::StatusTriggered)
        }
        AlertState::Unprocessed => (words!("{}", glyphs.queued), Role::TextDim),
        AlertState::Suppressed(by) => {
            let why = if !by.silenced_by.is_empty() {
                words!("{} silenced", glyphs.silenced)
            } else if !by.inhibited_by.is_empty() {
                words!("{} inhibited", glyphs.silenced)
            } else {
                words!("{} muted {}", glyphs.silenced, by.muted_by.len())
            };
            (why, Role::StatusSuppressed)
        }
    };
    let name = crate::text::Untrusted::new(alert.name()).clean();
    lines.push(vec![
        (words!("{state} "), role),
        (words!("{name}"), Role::TextStrong),
        (words!("  {}  since {}", alert.key.cluster, clock::time(alert.starts_at, model.zone)), Role::TextDim),
    ]);
    why_quiet(lines, model, alert, columns);
    for wanted in ["summary", "description", "runbook_url"] {
        if let Some(text) = alert.annotations.get(wanted) {
            let role = if wanted == "runbook_url" { Role::Link } else { Role::Text };
            lines.indented(2, &text.clean(), columns, role);
        }
    }
    lines.indented(2, &words!("{}", pairs(&alert.labels)), columns, Role::TextDim);
    let group =
        |group: &GroupRef| format!("{}{}", Clean::new(&group.receiver), if group.pages { " (pages)" } else { "" });
    if !alert.groups.is_empty() {
        let receivers = alert.groups.iter().map(group).collect::<Vec<_>>().join(", ");
        lines.indented(2, &words!("notifies {receivers}"), columns, Role::TextDim);
    }
    lines.blank();
}

/// Which silences and which greater alerts keep it quiet, and until when.
fn why_quiet(lines: &mut Lines, model: &Model, alert: &Alert, columns: u16) {
    for silence in model.room.silences_of(alert) {
        let until = words!("{} {}", clock::day(silence.ends_at, model.zone), clock::time(silence.ends_at, model.zone));
        let how = if silence.state == SilenceState::Pending { "will be silenced" } else { "silenced" };
        let says = words!("{how} until {until} by {}: {}", silence.created_by, silence.comment);
        lines.indented(2, &says, columns, Role::StatusSuppressed);
    }
    let AlertState::Suppressed(by) = &alert.state else { return };
    for fingerprint in &by.inhibited_by {
        let key = AlertKey { cluster: alert.key.cluster.clone(), fingerprint: *fingerprint };
        let greater = model.room.alert(&key).map(|greater| Clean::new(greater.name()));
        let says = match greater {
            Some(name) => words!("inhibited by {name}"),
            None => words!("inhibited by alert {fingerprint}"),
        };
        lines.indented(2, &says, columns, Role::StatusSuppressed);
    }
}

fn pairs(labels: &Labels) -> String {
    let pair = |(name, value): (&str, crate::text::UntrustedStr<'_>)| format!("{}={}", Clean::new(name), value.clean());
    labels.iter().filter(|(name, _)| *name != "alertname").map(pair).collect::<Vec<_>>().join("  ")
}

fn entry(lines: &mut Lines, model: &Model, id: &IncidentId, key: &EntryKey, columns: u16) -> Words {
    let found = model.room.timeline(id).into_iter().find(|event| event.source == key.0 && event.id == key.1);
    let Some(event) = found else {
        lines.push(vec![(words!("This entry is not known any more."), Role::Empty)]);
        return words!("Entry");
    };
    lines.text(&event.text, columns, Role::TextStrong);
    lines.blank();
    let (who, what) = match &event.actor {
        Actor::Human(name) => (name, "person"),
        Actor::Machine(name) => (name, "machine"),
    };
    lines.field("by", &words!("{who} ({what})"), columns, Role::Text);
    lines.field("happened", &moment(model, event.happened_at), columns, Role::Text);
    let exact = event.happened_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    lines.field("", &words!("{exact}"), columns, Role::TextDim);
    let late = event.recorded_at - event.happened_at;
    lines.field("learned", &words!("{} later, from {}", clock::age(late), event.source), columns, Role::TextDim);
    if !event.body.is_empty() {
        lines.blank();
        for line in &event.body {
            lines.text(line, columns, Role::Text);
        }
    }
    if !event.links.is_empty() {
        lines.heading("Links");
        for link in &event.links {
            lines.text(&link.clean(), columns, Role::Link);
        }
    }
    words!("Entry of {}", clock::time(event.happened_at, model.zone))
}

//! Why an incident is rated, tied and escalated as it is; nobody has to guess or to trust.

use super::{Lines, detail};
use crate::config::theme::Role;
use crate::domain::id::IncidentId;
use crate::domain::incident::{Incident, Link, PagerIncident, PendingKind};
use crate::domain::severity::ResponseMode;
use crate::tui::model::Model;
use crate::tui::style::Glyphs;
use crate::tui::view::running;
use crate::tui::widgets::{Words, clock, words};

/// Ties listed one by one.
const MOST_TIES: usize = 12;

pub(super) fn tell(glyphs: &Glyphs, lines: &mut Lines, model: &Model, id: &IncidentId, columns: u16) -> Words {
    let Some(incident) = model.room.incident(id) else {
        lines.push(vec![(words!("This incident is not known any more."), Role::Empty)]);
        return words!("Why");
    };
    detail::head(glyphs, lines, incident, columns);
    severity(lines, model, incident, columns);
    lines.heading("Clock");
    match running(model, incident, glyphs) {
        Some(clock) => lines.push(vec![(words!("{} ", clock.left), clock.role), (clock.what, Role::Text)]),
        None => lines.push(vec![(words!("nothing runs"), Role::TextDim)]),
    }
    if let Some(record) = &incident.record {
        escalation(glyphs, lines, model, record, columns);
    }
    ties(lines, model, incident, columns);
    words!("Why: {}", detail::name(incident))
}

fn severity(lines: &mut Lines, model: &Model, incident: &Incident, columns: u16) {
    let Some(policy) = model.severities.get(&incident.assessment.severity) else { return };
    lines.heading("Severity");
    lines.text(&policy.description, columns, Role::Text);
    let mode = match policy.mode {
        ResponseMode::WarRoom => "war room",
        ResponseMode::Standard => "standard response",
        ResponseMode::Normal => "normal process",
    };
    lines.field("respond in", &words!("{}", clock::age(policy.response)), columns, Role::Text);
    lines.field("mode", &mode, columns, Role::Text);
}

fn escalation(glyphs: &Glyphs, lines: &mut Lines, model: &Model, record: &PagerIncident, columns: u16) {
    lines.heading("Escalation");
    if record.assigned_directly {
        lines.text(&"assigned to people directly: it never escalates", columns, Role::Ageing);
    }
    let policy = record.policy.as_ref().and_then(|policy| model.room.policy(&policy.id));
    let Some(policy) = policy else {
        lines.text(&"the policy is not known yet", columns, Role::Unknown);
        return;
    };
    let here = model.room.level_of(record);
    for (at, level) in (1_u32..).zip(&policy.levels) {
        let cursor = if Some(at) == here { glyphs.arrow } else { " " };
        let targets = level.targets.iter().map(|target| target.as_str()).collect::<Vec<_>>().join(", ");
        let people = model.room.people_at(&policy.id, at);
        let people = match people.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ") {
            same if same == targets || same.is_empty() => Words::default(),
            people => words!(": {people}"),
        };
        let role = if Some(at) == here { Role::TextStrong } else { Role::Text };
        lines.push(vec![
            (words!("{cursor} "), Role::Accent),
            (words!("level {at}  {targets}{people}"), role),
            (words!("  waits {}", clock::age(level.wait())), Role::TextDim),
        ]);
    }
    if policy.loops > 0 {
        lines.text(&words!("then again from level 1, {} times", policy.loops), columns, Role::TextDim);
    }
    for action in &record.pending {
        let what = match action.kind {
            PendingKind::Escalate => "the next level is called",
            PendingKind::Unacknowledge => "the acknowledgement lapses",
            PendingKind::Resolve => "it resolves by itself",
            PendingKind::UrgencyChange => "its urgency changes",
        };
        let at = clock::time(action.at, model.zone);
        lines.text(&words!("PagerDuty says: at {at} {what}"), columns, Role::Text);
    }
}

fn ties(lines: &mut Lines, model: &Model, incident: &Incident, columns: u16) {
    lines.heading("Why these alerts");
    if incident.alerts.is_empty() {
        lines.text(&"no alert is tied to it", columns, Role::TextDim);
    }
    for (key, link) in incident.alerts.iter().take(MOST_TIES) {
        let name = model.room.alert(key).map_or("", |alert| alert.name());
        let name = crate::text::Untrusted::new(name).clean();
        let (why, role) = match link {
            Link::DedupKey => ("its group's dedup key is the incident's key", Role::Text),
            Link::Fingerprint => ("PagerDuty's alert carries its fingerprint", Role::Text),
            Link::ServiceRule => ("a rule of the configuration ties it to the service", Role::Text),
            Link::Group => ("same Alertmanager group", Role::Text),
            Link::Probable => ("probable: same service and name, began within five minutes", Role::Ageing),
        };
        lines.push(vec![(words!("{name}  "), Role::TextStrong), (words!("{why}"), role)]);
    }
    let more = incident.alerts.len().saturating_sub(MOST_TIES);
    if more > 0 {
        lines.text(&words!("and {more} more"), columns, Role::TextDim);
    }
}

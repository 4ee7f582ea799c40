//! Moving, filtering and reading in the timeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::EntryKey;
use crate::domain::id::IncidentId;
use crate::domain::timeline::{EventKind, TimelineEvent};
use crate::text::{Clean, Untrusted};
use crate::tui::layout::Pane;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::picker::{Choice, Picker, Purpose, Value};
use crate::tui::panes::incidents::update::Move;

/// The kinds a person can choose, with the word on screen.
pub const KINDS: [(EventKind, &str); 15] = [
    (EventKind::Alert, "alerts"),
    (EventKind::Trigger, "opened"),
    (EventKind::Acknowledge, "acknowledged"),
    (EventKind::Unacknowledge, "acknowledgement lapsed"),
    (EventKind::Escalate, "escalations"),
    (EventKind::Assign, "assignments"),
    (EventKind::Notify, "notifications"),
    (EventKind::Snooze, "snoozes"),
    (EventKind::Note, "notes"),
    (EventKind::Change, "deploys and changes"),
    (EventKind::Edit, "edits"),
    (EventKind::Step, "runbook steps"),
    (EventKind::Action, "what this console did"),
    (EventKind::Resolve, "resolved"),
    (EventKind::Other, "everything else"),
];

/// How long the first answer of a timeline may take and still not count as new.
const FIRST_ANSWER: chrono::Duration = chrono::Duration::seconds(10);

/// The entries that are shown, oldest first.
#[must_use]
pub fn shown(model: &Model) -> &[Arc<TimelineEvent>] {
    &model.timeline.shown
}

fn key(event: &TimelineEvent) -> EntryKey {
    (event.source.clone(), event.id.clone())
}

/// The entry the cursor is on: the newest while it is on none.
#[must_use]
pub fn selected(model: &Model) -> Option<EntryKey> {
    let entries = shown(model);
    let wanted = model.timeline.selected.as_ref();
    let found = wanted.filter(|wanted| entries.iter().any(|event| key(event) == **wanted)).cloned();
    found.or_else(|| entries.last().map(|event| key(event)))
}

/// Moves the cursor; at the newest entry it follows.
pub fn move_cursor(model: &mut Model, how: Move) {
    let entries = shown(model);
    let Some(at) = selected(model).and_then(|wanted| entries.iter().position(|event| key(event) == wanted)) else {
        return;
    };
    let page = usize::from(model.rects().inside(Pane::Timeline).height.max(1));
    let next = how.from(at, entries.len(), page);
    let is_newest = next + 1 == entries.len();
    model.timeline.selected = if is_newest { None } else { entries.get(next).map(|event| key(event)) };
}

/// Which kinds? The shown ones are picked.
pub fn ask_kinds(model: &mut Model) {
    let choices = KINDS
        .iter()
        .map(|(kind, word)| Choice { label: Clean::new(word), detail: Clean::default(), value: Value::Kind(*kind) })
        .collect();
    let mut picker =
        Picker::new("Show in the timeline", "Tab picks · Enter shows these · Esc leaves", choices, Purpose::Kinds);
    picker.is_many = true;
    let is_shown = |kind: &EventKind| !model.timeline.hidden.contains(kind);
    picker.picked = KINDS.iter().enumerate().filter(|(_, (kind, _))| is_shown(kind)).map(|(at, _)| at).collect();
    model.open(Overlay::Picker(picker));
}

/// Shows these kinds and no others.
pub fn show_kinds(model: &mut Model, kinds: BTreeSet<EventKind>) {
    model.timeline.hidden = KINDS.iter().map(|(kind, _)| *kind).filter(|kind| !kinds.contains(kind)).collect();
}

fn entry(model: &Model, incident: &IncidentId, wanted: &EntryKey) -> Option<Arc<TimelineEvent>> {
    model.room.timeline(incident).into_iter().find(|event| key(event) == *wanted)
}

/// An entry as text.
#[must_use]
pub fn text_of(model: &Model, incident: &IncidentId, wanted: &EntryKey) -> Option<String> {
    let event = entry(model, incident, wanted)?;
    let body = event.body.iter().map(|line| format!("\n{line}")).collect::<String>();
    Some(format!("{} {}{body}", event.happened_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), event.text))
}

/// The links of an entry.
#[must_use]
pub fn links_of(model: &Model, incident: &IncidentId, wanted: &EntryKey) -> Vec<Untrusted> {
    entry(model, incident, wanted).map(|event| event.links.clone()).unwrap_or_default()
}

/// The cursor belongs to one incident; what was there when a person came to it is not new, and what came later is, until
/// they come again.
pub fn settle(model: &mut Model) {
    gather(model);
    let incident = model.incidents.selected.clone();
    if model.timeline.incident == incident {
        return;
    }
    // Left: everything that was there has been seen.
    if let Some(left) = model.timeline.incident.take() {
        model.timeline.seen.insert(left, model.now);
    }
    model.timeline.selected = None;
    model.timeline.offset = 0;
    if let Some(incident) = &incident
        && !model.timeline.seen.contains_key(incident)
    {
        // A first visit: the entries that come with the first answer are old news.
        model.timeline.seen.insert(incident.clone(), model.now + FIRST_ANSWER);
    }
    model.timeline.incident = incident;
}

/// Takes the room's entries when they, or what is shown of them, changed.
fn gather(model: &mut Model) {
    let (state, room) = (&mut model.timeline, &model.room);
    let Some(incident) = &model.incidents.selected else {
        state.made_of = None;
        state.shown.clear();
        return;
    };
    let version = room.timeline_version(incident);
    let is_made = state
        .made_of
        .as_ref()
        .is_some_and(|(known, made, hidden)| *made == version && known == incident && *hidden == state.hidden);
    if !is_made {
        state.shown = room.timeline(incident).into_iter().filter(|event| state.shows(event)).collect();
        state.made_of = Some((incident.clone(), version, state.hidden.clone()));
    }
}

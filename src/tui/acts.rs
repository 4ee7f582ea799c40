//! From a key to actions: what is chosen, what will happen, and the intents. Targets are fixed here, by identity, when the
//! key is pressed.

mod ask;
mod dialogs;
mod role;
mod silence;

pub use ask::{
    acknowledge, can_declare, declare, escalate, leave, merge, note, reassign, resolve, services, snooze, tick, undo,
};
pub use dialogs::{ask_escalate_level, ask_link, ask_note, ask_reassign, ask_snooze, edit_action, edit_note};
pub use role::{ask_role, take_role};
pub use silence::{ask_silence, silence};

use crate::domain::action::{Action, Intent, Target};
use crate::domain::id::{DedupKey, IncidentId};
use crate::domain::incident::Incident;
use crate::tui::model::Model;

/// From so many targets on a word must be typed.
pub const MANY: usize = 10;

/// What an action is called in notices and questions.
#[must_use]
pub fn verb(action: &Action) -> &'static str {
    match action {
        Action::Acknowledge => "acknowledge",
        Action::Resolve { .. } => "resolve",
        Action::Trigger => "reopen",
        Action::Escalate { .. } => "escalate",
        Action::Reassign { .. } => "reassign",
        Action::Snooze { .. } => "snooze",
        Action::Merge { .. } => "merge",
        Action::Note { .. } => "note",
        Action::Declare(_) => "declare",
        Action::Silence(_) => "silence",
        Action::Unsilence { .. } => "end silence",
        Action::Tick { done: true, .. } => "tick",
        Action::Tick { done: false, .. } => "untick",
        Action::Role { to: None, .. } => "give up a role",
        Action::Role { .. } => "take a role",
    }
}

/// The incidents a key acts on: the marked ones, in the order of the list, else the one under the cursor.
#[must_use]
pub fn chosen(model: &Model) -> Vec<IncidentId> {
    if model.incidents.marks.is_empty() {
        return model.selected().map(|incident| incident.id.clone()).into_iter().collect();
    }
    let mut marked: Vec<(usize, IncidentId)> = model
        .incidents
        .marks
        .iter()
        .filter(|id| model.room.incident(id).is_some())
        .map(|id| (model.room.board().rank_of(id).unwrap_or(usize::MAX), id.clone()))
        .collect();
    marked.sort();
    marked.into_iter().map(|(_, id)| id).collect()
}

/// The key an incident was raised with.
#[must_use]
pub fn key_of(model: &Model, incident: &Incident) -> Option<DedupKey> {
    model.room.key_of(incident)
}

/// An incident as the target of an action.
#[must_use]
pub fn target(model: &Model, incident: &Incident) -> Target {
    Target::Incident {
        id: incident.id.clone(),
        pager: incident.record.as_ref().map(|record| record.id.clone()),
        key: key_of(model, incident),
    }
}

/// How an incident is called in a question: number, title, service.
#[must_use]
pub fn label(incident: &Incident) -> String {
    let number = incident.record.as_ref().map_or_else(String::new, |record| format!("#{} ", record.number));
    let service = incident.service.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    format!("{number}{}{service}", shortened(incident.title.as_str(), 60))
}

/// At most `most` characters, the cut shown.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Intents of one key press: one for each target and action, sharing a batch.
pub fn intents(model: &mut Model, wanted: Vec<(Target, Action)>) -> Vec<Intent> {
    let now = model.now;
    let mut batch = None;
    let mut made = Vec::with_capacity(wanted.len());
    for (target, action) in wanted {
        let op = model.ops.next(now);
        let batch = *batch.get_or_insert(op);
        made.push(Intent { op, batch, target, action, by: model.operator.clone(), at: now });
    }
    made
}

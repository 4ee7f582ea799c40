//! Why a command cannot be done now, in one sentence: no key is ever silently dead.

use super::{Command, command};
use crate::domain::command::CommandId;
use crate::tui::acts;
use crate::tui::model::{Model, PagerAccess};

/// Why it cannot be done now; `None` when it can.
#[must_use]
pub fn blocked(model: &Model, id: CommandId) -> Option<String> {
    let entry = command(id);
    if let Some(says) = entry.later {
        return Some(says.to_owned());
    }
    if entry.needs.write && model.read_only {
        return Some(format!("{} is off: this room is read-only", entry.title));
    }
    if entry.needs.pager
        && let Some(says) = no_access(model, &entry)
    {
        return Some(says);
    }
    if !entry.needs.selection {
        return None;
    }
    let targets = acts::chosen(model);
    if targets.is_empty() {
        return Some(format!("{}: no incident is selected", entry.title));
    }
    let is_fit = |incident: &crate::domain::incident::Incident| {
        incident.record.is_some() || (!entry.needs.record && acts::key_of(model, incident).is_some())
    };
    let any_fit = targets.iter().filter_map(|id| model.room.incident(id)).any(is_fit);
    (entry.needs.pager && !any_fit).then(|| {
        format!("{}: only Alertmanager has this alert, PagerDuty has no incident for it; c declares one", entry.title)
    })
}

fn no_access(model: &Model, entry: &Command) -> Option<String> {
    match model.pager {
        PagerAccess::None => Some(format!("{}: PagerDuty is not configured", entry.title)),
        PagerAccess::EventsOnly if entry.needs.record => {
            Some(format!("{} needs a REST token; this room has a routing key only", entry.title))
        }
        _ => None,
    }
}

//! When the screen must be looked at again although nothing happened. No ticker: the next instant at which something that
//! can be seen changes, and not before.

use chrono::{Duration, Timelike};

use crate::domain::incident::Status;
use crate::domain::time::Timestamp;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::confirm::QUIET;
use crate::tui::panes::incidents::update::height;
use crate::tui::panes::panels;

impl Model {
    /// The next instant at which a visible text changes or a question is due.
    #[must_use]
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let armed = match self.overlays.last() {
            Some(Overlay::Confirm(confirm)) if !confirm.is_armed(now) => Some(confirm.quiet_since + QUIET),
            _ => None,
        };
        [
            self.incidents.search.next_wake(&self.room, now),
            self.attention.next_wake(),
            self.toasts.next_wake(),
            panels::update::next_due(self),
            armed,
            Some(self.text_due.unwrap_or(now)),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// Whether a message that only says that time went on changes what can be seen.
pub(super) fn is_visible(model: &Model, now: Timestamp) -> bool {
    let is_armed = matches!(model.overlays.last(), Some(Overlay::Confirm(confirm)) if confirm.is_armed(now));
    model.text_due.is_none_or(|due| due <= now) || is_armed
}

/// When the next age, countdown or clock changes, or a source gets older.
pub(super) fn next_text(model: &Model, now: Timestamp) -> Timestamp {
    let second = now.with_nanosecond(0).unwrap_or(now);
    let text = if counts_seconds(model, now) {
        second + Duration::seconds(1)
    } else {
        second.with_second(0).unwrap_or(second) + Duration::minutes(1)
    };
    model.room.next_change(now).map_or(text, |change| change.min(text))
}

/// Whether a countdown or an age in seconds can be seen: under an hour is left (or over), or it began this minute.
fn counts_seconds(model: &Model, now: Timestamp) -> bool {
    let ticks = |incident: &crate::domain::incident::Incident| {
        let target = model.room.clock(&incident.id, now).and_then(|clock| clock.target());
        let is_near = target.is_some_and(|at| at.signed_duration_since(now).abs() < Duration::hours(1));
        is_near || now.signed_duration_since(incident.started_at) < Duration::minutes(1)
    };
    let visible = model.incidents.visible(&model.room, height(model).max(1));
    let mut open =
        visible.iter().filter_map(|(_, id)| model.room.incident(id)).filter(|one| one.status != Status::Resolved);
    open.any(ticks)
}

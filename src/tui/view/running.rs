//! The clock that runs for a row, in words: time left to respond, then time left until the policy moves on, and to whom.

use chrono::Duration;

use crate::config::theme::Role;
use crate::domain::clock::{Basis, Phase};
use crate::domain::incident::Incident;
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::style::Glyphs;
use crate::tui::widgets::{Words, clock, words};

/// What runs, ready to be shown.
#[derive(Debug)]
pub(crate) struct Running {
    /// The time left or passed, at most six columns; nothing where nothing is counted.
    pub left: Words,
    /// What happens then: `to respond`, `↑ Bo Li`.
    pub what: Words,
    /// How it looks.
    pub role: Role,
}

/// The clock of a row.
pub(crate) fn running(model: &Model, incident: &Incident, glyphs: &Glyphs) -> Option<Running> {
    let clock = model.room.clock(&incident.id, model.now)?;
    let now = model.now;
    Some(match clock.phase {
        Phase::Respond { until, .. } => counted(until - now, words!("to respond"), Duration::minutes(2)),
        Phase::Escalate { at, level, to, basis } => {
            let who = match level {
                _ if !to.is_empty() => names(&to),
                Some(level) => words!("level {level}"),
                None => words!("next level"),
            };
            // A computed instant is not PagerDuty's word.
            let about = if basis == Basis::Told { "" } else { glyphs.probable };
            counted(at - now, words!("{about}{} {who}", glyphs.up), Duration::minutes(3))
        }
        Phase::Snoozed { until } => counted(until - now, words!("snoozed"), Duration::zero()),
        Phase::Lapses { at } => counted(at - now, words!("ack lapses"), Duration::minutes(5)),
        Phase::Working { .. } | Phase::Suppressed | Phase::Over { .. } => return None,
    })
}

fn counted(left: Duration, what: Words, soon: Duration) -> Running {
    let role = if left < Duration::zero() {
        Role::ClockOverdue
    } else if left < soon {
        Role::ClockSoon
    } else {
        Role::ClockOk
    };
    Running { left: clock::left(left), what, role }
}

/// `Ana Diaz`, `Ana Diaz +2`.
pub(crate) fn names(names: &[Clean]) -> Words {
    match names {
        [] => Words::default(),
        [one] => words!("{one}"),
        [one, others @ ..] => words!("{one} +{}", others.len()),
    }
}

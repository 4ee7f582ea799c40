//! Locks that a killed console left to its step: the command goes on in its supervisor, and the lock with it.

use chrono::TimeDelta;

use super::kit::Kit;
use crate::domain::id::StepId;
use crate::domain::run::{Run, RunId};
use crate::domain::time::Timestamp;
use crate::step::place::Place;
use crate::step::state::{self, StepState as Became};
use crate::text::Clean;

/// On another machine nobody here can look. A colleague who goes on with the run frees the lock; where nobody does, the
/// command is over by then: steps end after five minutes unless their author gave them longer.
const HOLDS_APART: TimeDelta = TimeDelta::hours(1);

/// A step that was let run under a lock, and whose end the journal does not have.
struct Left {
    place: Place,
    since: Timestamp,
    words: Clean,
}

/// Who has that lock besides living consoles: another step whose command runs, or may run, without a console.
pub(super) async fn holder_of(kit: &Kit, lock: &str, (run, step): (RunId, &StepId)) -> Option<Clean> {
    for left in begun_under(&kit.records.all(), lock, (run, step), kit) {
        let place = left.place.clone();
        let looked = tokio::task::spawn_blocking(move || state::state(&place)).await;
        let may_run = match looked.ok().and_then(Result::ok) {
            Some(Became::Nothing) => kit.room.is_some() && kit.clock.now() - left.since < HOLDS_APART,
            Some(Became::NotRun | Became::Refused { .. } | Became::Finished(_)) => false,
            Some(Became::Unknown { is_alive, .. }) => is_alive,
            Some(Became::Starting | Became::Running { .. }) | None => true,
        };
        if may_run {
            return Some(left.words);
        }
    }
    None
}

fn begun_under(runs: &[Run], lock: &str, (run, step): (RunId, &StepId), kit: &Kit) -> Vec<Left> {
    let mut found = Vec::new();
    for other in runs.iter().filter(|other| !other.is_closed) {
        for (number, planned) in (1..).zip(&other.plan) {
            let Some(stands) = other.steps.get(&planned.id).filter(|stands| stands.holds(lock)) else { continue };
            if (other.id, &planned.id) == (run, step) {
                continue;
            }
            let (title, holder) = (&planned.title, &other.holder);
            let words =
                format!("{lock} is locked: '{title}' of {holder}'s run is not over; wait, or go on with that run");
            found.push(Left {
                place: kit.place(other.id, number, stands.attempts),
                since: stands.approved.as_ref().map_or(other.moved_at, |(.., at)| *at),
                words: Clean::new(words),
            });
        }
    }
    found
}

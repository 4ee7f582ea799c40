//! One action from the outbox to its result.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use super::{Job, Road, rules};
use crate::domain::action::{Action, Delivery, Intent, Silencing, Target};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::PagerId;
use crate::engine::journal::Unkept;
use crate::sources::http::backoff::full_jitter;
use crate::sources::pagerduty::{Attempt, Outcome};
use crate::text::Clean;

/// First wait before it is tried again; doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// Longest wait of our own between tries; a provider's hint may be longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An action that waits for a better token tries again this often even when nobody tells of one: it begins with a look.
const TRIES_AGAIN: Duration = Duration::from_secs(300);

/// How often it is looked at after an answer was lost, before a person is asked.
const LOOKS: u32 = 4;

/// How an action's task ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// It may have been sent.
    pub(super) was_sent: bool,
    /// Nothing is left to retry or drop.
    pub(super) is_done: bool,
}

/// What comes after a try.
enum Next {
    Settle(Delivery, Option<PagerId>),
    /// Another console carries it on.
    Gone,
    Wait {
        failure: Failure,
        hint: Option<Duration>,
        attempt: Attempt,
    },
}

pub(super) async fn carry(road: Arc<Road>, job: Job) -> Ended {
    let mut attempt = job.attempt;
    let mut tries = 0;
    let mut looks = 0;
    if !job.lands.is_zero() {
        tokio::select! {
            biased;
            () = road.stop.cancelled() => {}
            () = job.give_up.cancelled() => {}
            () = sleep(job.lands) => {}
        }
    }
    let settled = loop {
        let next = match one_try(&road, &job, attempt).await {
            Some(next) => next,
            None => break None,
        };
        match next {
            Next::Settle(delivery, opened) => break Some((delivery, opened)),
            Next::Gone => {
                road.tell_as_it_is(&job.intent).await;
                return Ended { was_sent: true, is_done: false };
            }
            Next::Wait { failure, hint, attempt: then } => {
                attempt = then;
                if attempt == Attempt::Again && failure.kind != FailureKind::Held {
                    looks += 1;
                    if looks >= LOOKS {
                        break Some((Delivery::Unknown { check: check(&job.intent, &failure) }, None));
                    }
                }
                if !wait(&road, &job, attempt, tries, hint).await {
                    break None;
                }
                tries += 1;
            }
        }
    };
    let was_sent = attempt == Attempt::Again || settled.as_ref().is_some_and(|(delivery, _)| is_sent(delivery));
    let is_done = matches!(settled, Some((Delivery::Confirmed { .. } | Delivery::Dropped, _)));
    if let Some((delivery, opened)) = settled {
        road.settle(&job.intent, delivery, opened).await;
    } else if job.give_up.is_cancelled() {
        road.settle(&job.intent, Delivery::Dropped, None).await;
    }
    Ended { was_sent, is_done: is_done || job.give_up.is_cancelled() }
}

fn is_sent(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Confirmed { .. } | Delivery::Unknown { .. })
}

/// One send, or one look and send. `None`: given up or told to stop before anything left.
async fn one_try(road: &Arc<Road>, job: &Job, attempt: Attempt) -> Option<Next> {
    let intent = &job.intent;
    let slot = tokio::select! {
        biased;
        () = road.stop.cancelled() => return None,
        () = job.give_up.cancelled() => return None,
        slot = road.slots.acquire() => slot.ok()?,
    };
    match road.write(intent, &Delivery::Sent, None).await {
        Ok(()) => {}
        Err(Unkept::TakenOver) => return Some(Next::Gone),
        // The room cannot be asked whether somebody else did it; as long as that is so it is not sent.
        Err(Unkept::Failed(failure)) if failure.kind == FailureKind::Held => {
            return Some(Next::Wait { failure, hint: Some(Duration::ZERO), attempt });
        }
        Err(Unkept::Failed(failure)) => return Some(Next::Settle(not_done(intent, attempt, failure), None)),
    }
    road.delivered(intent, Delivery::Sent, None).await;
    let attempt = if job.looks_first.load(Ordering::SeqCst) { Attempt::Again } else { attempt };
    let until = road.door.holds_until().await;
    let outcome = road.carrier.perform(intent, attempt, until).await;
    drop(slot);
    Some(match outcome {
        Outcome::Done { says, incident, opened } | Outcome::AlreadyDone { says, incident, opened } => {
            let touched = opened.clone().or_else(|| pager(intent));
            road.learn(incident, touched).await;
            Next::Settle(Delivery::Confirmed { says }, opened)
        }
        Outcome::Refused(failure) => {
            road.learn(None, pager(intent)).await;
            Next::Settle(not_done(intent, attempt, failure), None)
        }
        Outcome::Held { failure, wait } => Next::Wait { failure, hint: wait, attempt },
        Outcome::Ambiguous { failure, check } if road.carrier.can_look(intent) => {
            tracing::warn!(op = %intent.op, %failure, %check, "an action's answer was lost; looking");
            Next::Wait { failure, hint: Some(Duration::ZERO), attempt: Attempt::Again }
        }
        Outcome::Ambiguous { check, .. } => {
            road.learn(None, pager(intent)).await;
            Next::Settle(Delivery::Unknown { check }, None)
        }
    })
}

/// It cannot be done now. That says nothing of an earlier send whose answer was lost: only a provider's state that rules
/// the action out does (seeds 30, 52 and 210 of the simulation told "not done" of notes that were there).
fn not_done(intent: &Intent, attempt: Attempt, failure: Failure) -> Delivery {
    if attempt == Attempt::Again && failure.kind != FailureKind::Refused {
        return Delivery::Unknown { check: check(intent, &failure) };
    }
    Delivery::Failed { failure }
}

/// Shows the wait and waits it out. False when it was given up or the console stops.
async fn wait(road: &Road, job: &Job, attempt: Attempt, tries: u32, hint: Option<Duration>) -> bool {
    let own = full_jitter(FIRST_WAIT, LONGEST_WAIT, tries, road.chance.number()).max(Duration::from_millis(250));
    let waits = hint.map(|hint| hint.max(own));
    let now = road.clock.now();
    let until = waits.and_then(|waits| TimeDelta::from_std(waits).ok()).and_then(|waits| now.checked_add_signed(waits));
    // Certainly not sent: that is durable, so that a console that starts after a crash may send it.
    if attempt == Attempt::First {
        let queued = Delivery::Queued { waits_until: until };
        let _ = road.write(&job.intent, &queued, None).await;
        road.delivered(&job.intent, queued, None).await;
    }
    let time = sleep(waits.unwrap_or(TRIES_AGAIN));
    tokio::select! {
        biased;
        () = road.stop.cancelled() => false,
        () = job.give_up.cancelled() => false,
        () = road.carrier.renewed() => true,
        () = time => true,
    }
}

fn pager(intent: &Intent) -> Option<PagerId> {
    match &intent.target {
        Target::Incident { pager, .. } => pager.clone(),
        Target::New => None,
    }
}

fn check(intent: &Intent, failure: &Failure) -> Clean {
    Clean::new(format!(
        "it could not be asked whether it was done ({}); {} Then retry (looks first) or drop",
        failure.cause,
        rules::look_at(intent)
    ))
}

/// What was tried, for a failure's sentence.
pub(super) fn verb(action: &Action) -> &'static str {
    match action {
        Action::Acknowledge => "acknowledge",
        Action::Resolve { .. } => "resolve",
        Action::Trigger => "reopen",
        Action::Escalate { .. } => "escalate",
        Action::Reassign { .. } => "reassign",
        Action::Snooze { .. } => "snooze",
        Action::Merge { .. } => "merge into",
        Action::Note { .. } => "write a note on",
        Action::Declare(_) => "declare",
        Action::Silence(_) => "silence alerts in",
        Action::Unsilence { .. } => "end a silence in",
        Action::Tick { .. } => "tick a step for",
        Action::Role { .. } => "take a role of",
    }
}

/// On what, for a failure's sentence.
pub(super) fn target(intent: &Intent) -> Clean {
    if let Action::Silence(Silencing { cluster, .. }) | Action::Unsilence { cluster, .. } = &intent.action {
        return Clean::new(cluster.as_str());
    }
    match &intent.target {
        Target::Incident { pager: Some(pager), .. } => Clean::new(pager.as_str()),
        Target::Incident { id, .. } => Clean::new(id.as_str()),
        Target::New => Clean::new("an incident"),
    }
}

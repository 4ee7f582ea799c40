//! Outcomes and their words.

use std::sync::Arc;

use crate::domain::action::{Action, Target};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::incident::{PagerIncident, PendingKind};
use crate::sources::SourceError;
use crate::sources::error::{Disposition, Fault, Rejection};
use crate::sources::pagerduty::{Outcome, map, wire};
use crate::text::Clean;

/// True when a look at the incident may tell more than the error does.
pub(super) fn worth_a_look(error: &SourceError) -> bool {
    match error.fault() {
        Fault::Rejected(Rejection { status: 400 | 409 | 422, .. }) | Fault::NotDone(_) => true,
        _ => error.disposition() == Disposition::Ambiguous,
    }
}

pub(super) fn opened(incident: Arc<PagerIncident>, before: bool) -> Outcome {
    let opened = Some(incident.id.clone());
    let says = Clean::new(format!("{}opened as #{}", if before { "already " } else { "" }, incident.number));
    if before {
        Outcome::AlreadyDone { says, incident: Some(incident), opened }
    } else {
        Outcome::Done { says, incident: Some(incident), opened }
    }
}

/// An error as an outcome. What cannot have happened may be tried again; what may have happened needs eyes.
pub(super) fn outcome_of(error: SourceError, what: &str, target: &str) -> Outcome {
    let disposition = error.disposition();
    let status = error.status();
    let code = match error.fault() {
        Fault::Rejected(rejection) => rejection.code.clone(),
        _ => None,
    };
    let mut failure = error.into_failure(what, target);
    if let Some(remedy) = code.as_ref().and_then(|code| remedy(code.as_str())) {
        failure.remedy = Clean::new(remedy);
    }
    match disposition {
        Disposition::RetryAfter(wait) => Outcome::Held { failure, wait: Some(wait.unwrap_or_default()) },
        Disposition::NeedsLogin if status == Some(401) => Outcome::Held { failure, wait: None },
        Disposition::NeedsLogin | Disposition::GiveUp => Outcome::Refused(failure),
        Disposition::Ambiguous => {
            let check =
                Clean::new(format!("look at {target} in PagerDuty whether it shows this, then retry or drop it"));
            Outcome::Ambiguous { failure, check }
        }
    }
}

/// What to do about PagerDuty's own error codes (apis.md 2), where it is more than their words say.
pub(super) fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "1005" => Some("somebody changed it meanwhile; look at it again"),
        "1006" => Some("choose another level, or reassign it to people"),
        "1008" => Some("set from under [pagerduty] to the e-mail of a user of this account"),
        "1015" => Some("choose another policy, or reassign it to people"),
        "1018" | "2010" => Some("use the token of a user who may do this"),
        "1019" => Some("it is merged already; act on the incident it went into"),
        "1020" => Some("choose a priority of this account"),
        "2014" => Some("the account's plan does not have this; do without"),
        "2018" => Some("it was resolved meanwhile and is not visible any more"),
        _ => None,
    }
}

pub(super) fn refused(what: &str, target: &str, cause: &str, remedy: &str) -> Outcome {
    Outcome::Refused(Failure {
        kind: FailureKind::Refused,
        what: Clean::new(what),
        target: Clean::new(target),
        cause: Clean::new(cause),
        remedy: Clean::new(remedy),
    })
}

pub(super) fn target_words(target: &Target) -> String {
    match target {
        Target::Incident { pager: Some(id), .. } => id.to_string(),
        Target::Incident { id, .. } => id.to_string(),
        Target::New => "an incident".to_owned(),
    }
}

pub(super) fn verb(action: &Action) -> &'static str {
    match action {
        Action::Acknowledge => "acknowledge",
        Action::Resolve { .. } => "resolve",
        Action::Trigger => "reopen",
        Action::Escalate { .. } => "escalate",
        Action::Reassign { .. } => "reassign",
        Action::Snooze { .. } => "snooze",
        Action::Merge { .. } => "merge",
        Action::Note { .. } => "write a note on",
        Action::Declare(_) => "declare",
        Action::Silence(_) => "silence alerts in",
        Action::Unsilence { .. } => "end a silence in",
        Action::Tick { .. } => "tick a step of",
        Action::Role { .. } => "take a role of",
    }
}

/// `acknowledged by Ana`, `resolved by Ben`, `triggered, with Cleo`.
pub(super) fn status_words(told: &wire::Incident, before: &str) -> String {
    let by = |who: Option<&wire::Reference>| who.map(|who| format!(" by {}", map::name(who))).unwrap_or_default();
    match told.status.as_deref() {
        Some("acknowledged") => {
            let last = told.acknowledgements.iter().max_by_key(|told| told.at).map(|told| &told.acknowledger);
            format!("{before}acknowledged{}", by(last))
        }
        Some("resolved") => format!("{before}resolved{}", by(told.last_status_change_by.as_ref())),
        _ => format!("{before}triggered, with {}", told_assignees(told)),
    }
}

pub(super) fn told_assignees(told: &wire::Incident) -> String {
    names(told.assignments.iter().map(|told| map::name(&told.assignee)))
}

pub(super) fn assignee_names(incident: &PagerIncident) -> String {
    names(incident.assignees.iter().map(|user| user.name.clone()))
}

pub(super) fn names(names: impl Iterator<Item = Clean>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

pub(super) fn snooze_end(incident: &PagerIncident) -> String {
    let end = incident.pending.iter().find(|pending| pending.kind == PendingKind::Unacknowledge);
    end.map(|end| format!(" until {}", end.at.format("%H:%M UTC"))).unwrap_or_default()
}

//! What each action would do to each target, in words and as an [`Action`] with an absolute wanted state.

use super::find::{Found, Search};
use super::list::status_word;
use super::{EscalateArgs, ReassignArgs};
use crate::cli::exit::Usage;
use crate::domain::action::{Action, Assignee, Target};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{PolicyId, UserId};
use crate::domain::incident::{Incident, Named};
use crate::domain::room::Room;
use crate::text::Clean;

/// One step of the plan: the action, or why there is none.
pub(in crate::cli) struct Step {
    pub word: String,
    pub planned: Result<(Target, Action), Failure>,
    /// What will happen, for the question.
    pub says: Option<Clean>,
}

impl Step {
    /// The same action for every target.
    pub(super) fn same(search: &Search, action: &Action, says: &str) -> Vec<Self> {
        search.found.iter().map(|found| Self::of(found, |_| Ok((action.clone(), says.to_owned())))).collect()
    }

    fn of(found: &Found, plan: impl FnOnce(Option<&Incident>) -> Result<(Action, String), Failure>) -> Self {
        let planned = found.target.clone().and_then(|target| {
            let (action, says) = plan(found.incident.as_ref())?;
            Ok((target, action, says))
        });
        let says = planned.as_ref().ok().map(|(_, _, says)| Clean::new(says.replace("{}", &described(found))));
        Self { word: found.word.clone(), planned: planned.map(|(target, action, _)| (target, action)), says }
    }
}

/// `PABC #12 "Checkout down" (acknowledged)`.
fn described(found: &Found) -> String {
    match &found.incident {
        Some(incident) => {
            let number = incident.record.as_ref().map(|record| format!(" #{}", record.number)).unwrap_or_default();
            format!("{}{number} \"{}\" ({})", found.word, incident.title, status_word(incident.status))
        }
        None => found.word.clone(),
    }
}

pub(super) fn escalate(search: &Search, args: &EscalateArgs) -> Vec<Step> {
    let plan = |incident: Option<&Incident>| {
        let record = incident.and_then(|incident| incident.record.as_ref());
        let policy = record.and_then(|record| record.policy.as_ref());
        let levels = policy.and_then(|policy| search.room.policy(&policy.id)).map(|policy| policy.levels.as_slice());
        let now_at = record.and_then(|record| record.level);
        let level = args
            .level
            .or_else(|| now_at.map(|level| level + 1))
            .ok_or_else(|| refused("the level it stands at is not known", "say which one: --level N"))?;
        let to = match levels {
            Some(levels) => {
                let level_at = usize::try_from(level).unwrap_or(usize::MAX).saturating_sub(1);
                let found = levels.get(level_at).ok_or_else(|| {
                    refused(&format!("its policy has {} levels", levels.len()), "say an earlier one: --level N")
                })?;
                found.targets.clone()
            }
            None => Vec::new(),
        };
        let names = to.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
        let whom = if names.is_empty() { String::new() } else { format!(": {names}") };
        Ok((Action::Escalate { level, to }, format!("escalate {{}} to level {level}{whom}")))
    };
    search.found.iter().map(|found| Step::of(found, plan)).collect()
}

/// Every other incident goes into the first one.
pub(super) fn merge(search: &Search) -> Vec<Step> {
    let Some((into, sources)) = search.found.split_first() else { return Vec::new() };
    let target = into.target.clone();
    let plan = |source: &Found| {
        let planned = target.clone().and_then(|target| match &source.target {
            Ok(Target::Incident { pager: Some(pager), .. }) if source.word != into.word => {
                Ok((target, Action::Merge { source: pager.clone() }))
            }
            Ok(_) => Err(refused("an incident cannot be merged into itself", "name another one")),
            Err(failure) => Err(failure.clone()),
        });
        let says = format!("merge {} into {}; the first is resolved", described(source), described(into));
        let says = planned.is_ok().then(|| Clean::new(says));
        Step { word: source.word.clone(), planned, says }
    };
    sources.iter().map(plan).collect()
}

/// # Errors
/// [`Usage`] when somebody is not known, with the nearest names.
pub(super) fn reassign(search: &Search, args: &ReassignArgs, room: &Room) -> Result<Vec<Step>, Usage> {
    let (to, words) = match &args.policy {
        Some(wanted) => {
            let policy = policy(wanted, search)?;
            (Assignee::Policy(policy.clone()), format!("the policy {}", policy.name))
        }
        None => {
            let people = args.to.iter().map(|wanted| user(wanted, room.users())).collect::<Result<Vec<_>, _>>()?;
            let words = people.iter().map(|user| user.name.as_str()).collect::<Vec<_>>().join(", ");
            (Assignee::Users(people), words)
        }
    };
    let action = Action::Reassign { to };
    Ok(Step::same(search, &action, &format!("give {{}} to {words}")))
}

fn user(wanted: &str, users: &[Named<UserId>]) -> Result<Named<UserId>, Usage> {
    let exact = |user: &&Named<UserId>| user.id.as_str() == wanted || user.name.as_str().eq_ignore_ascii_case(wanted);
    if let Some(user) = users.iter().find(exact) {
        return Ok(user.clone());
    }
    let lower = wanted.to_lowercase();
    let near: Vec<&Named<UserId>> =
        users.iter().filter(|user| user.name.as_str().to_lowercase().contains(&lower)).take(5).collect();
    match near.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Usage::new(format!("PagerDuty knows no user '{}': give a name or an id", Clean::new(wanted)))),
        several => {
            let names =
                several.iter().map(|user| format!("{} ({})", user.name, user.id)).collect::<Vec<_>>().join(", ");
            Err(Usage::new(format!("'{}' may be {names}: give one of them", Clean::new(wanted))))
        }
    }
}

fn policy(wanted: &str, search: &Search) -> Result<Named<PolicyId>, Usage> {
    let is_it = |policy: &&crate::domain::escalation::EscalationPolicy| {
        policy.id.as_str() == wanted || policy.name.as_str().eq_ignore_ascii_case(wanted)
    };
    if let Some(known) = search.room.policies().find(is_it) {
        return Ok(Named { id: known.id.clone(), name: known.name.clone() });
    }
    let is_named = |known: &&Named<PolicyId>| known.name.as_str().eq_ignore_ascii_case(wanted);
    if let Some(known) = search.room.on_calls().iter().map(|entry| &entry.policy).find(is_named) {
        return Ok(known.clone());
    }
    // PagerDuty has a policy list of any length; an id needs no list.
    let looks_like_id =
        wanted.len() >= 6 && wanted.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    PolicyId::parse(wanted).filter(|_| looks_like_id).map(|id| Named { id, name: Clean::new(wanted) }).ok_or_else(
        || {
            Usage::new(format!(
                "the policy '{}' is neither one of these incidents' nor one that somebody is on call for: give its id",
                Clean::new(wanted)
            ))
        },
    )
}

fn refused(cause: &str, remedy: &str) -> Failure {
    Failure {
        kind: FailureKind::Refused,
        what: Clean::new("plan"),
        target: Clean::new("the action"),
        cause: Clean::new(cause),
        remedy: Clean::new(remedy),
    }
}

//! What a person asks to change in the world, and what became of it: `queued → sent → confirmed | failed | unknown`.
//!
//! Every action names an absolute wanted state, never a relative one: "level 2", not "next level"; a second send of an
//! absolute state can be checked, of a relative one it doubles.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::id::{
    DedupKey, IncidentId, OpId, PagerId, PolicyId, PriorityId, RunbookId, ServiceId, SilenceId, SourceId, StepId,
    UserId,
};
use super::incident::{Named, Urgency};
use super::silence::Matcher;
use super::source::ChronoSeconds;
use super::time::Timestamp;
use crate::text::{Clean, Untrusted};

/// One wanted change on one target. Bulk is many intents with one [`Intent::batch`], so that each has its own result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// Say that we work on it.
    Acknowledge,
    /// Say that it is over.
    Resolve {
        /// Lands in the resolve log entry.
        resolution: Option<Untrusted>,
    },
    /// Undo a resolve, or give an acknowledged one back.
    Trigger,
    /// Call a level of its policy.
    Escalate {
        /// The absolute level, 1-based.
        level: u32,
        /// Who that is, as it was shown.
        to: Vec<Clean>,
    },
    /// Give it to people, or to a policy.
    Reassign {
        /// To whom.
        to: Assignee,
    },
    /// Put it off.
    Snooze {
        /// For how long: 1 s to 604,800 s.
        span: ChronoSeconds,
    },
    /// Move another incident's alerts into the target and resolve that one.
    Merge {
        /// The incident that goes away.
        source: PagerId,
    },
    /// Write a note.
    Note {
        /// Its text, as typed.
        text: Untrusted,
    },
    /// Open an incident; the target is [`Target::New`].
    Declare(Declaration),
    /// Silence alerts in an Alertmanager cluster, from when it was asked.
    Silence(Silencing),
    /// End a silence.
    Unsilence {
        /// The cluster that has it.
        cluster: SourceId,
        /// Which.
        id: SilenceId,
    },
    /// Tick or untick a step of the checklist; stays in this room.
    Tick {
        /// The runbook.
        runbook: RunbookId,
        /// The step.
        step: StepId,
        /// Ticked or not.
        done: bool,
    },
    /// Take a role, give it up, or hand it over; stays in this room. Refused when `from` is not who has it by then.
    Role {
        /// The role, as `[[role]]` names it.
        role: Clean,
        /// Who had it when this was asked.
        from: Option<Clean>,
        /// Who has it from now on.
        to: Option<Clean>,
    },
}

/// The action that takes `action` back, where PagerDuty lets that be: an acknowledged incident is given back, a resolved
/// one opened again. Notes, merges, calls to people and snoozes cannot be taken back.
#[must_use]
pub fn undo(action: &Action) -> Option<Action> {
    matches!(action, Action::Acknowledge | Action::Resolve { .. }).then_some(Action::Trigger)
}

/// Whom an incident can be given to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// People.
    Users(Vec<Named<UserId>>),
    /// A policy, from its first level.
    Policy(Named<PolicyId>),
}

/// What a silence needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silencing {
    /// In which cluster.
    pub cluster: SourceId,
    /// What it silences: alerts that all of these fit.
    pub matchers: Vec<Matcher>,
    /// For how long, from when it was asked: so its end is absolute.
    pub span: ChronoSeconds,
    /// Why.
    pub comment: Untrusted,
}

/// What a new incident needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// One line.
    pub title: Untrusted,
    /// On which service.
    pub service: Named<ServiceId>,
    /// Urgency.
    pub urgency: Urgency,
    /// Priority.
    pub priority: Option<Named<PriorityId>>,
    /// More text.
    pub details: Option<Untrusted>,
}

/// What an action acts on. Fixed when the key is pressed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A known incident.
    Incident {
        /// The row.
        id: IncidentId,
        /// PagerDuty's id, where PagerDuty has it.
        pager: Option<PagerId>,
        /// The key it was raised with: all that a room with only a routing key can act on.
        #[serde(default)]
        key: Option<DedupKey>,
    },
    /// Nothing yet: a declaration.
    New,
}

/// An action on its way: what, on what, by whom, when. Durable in the journal before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its identity.
    pub op: OpId,
    /// Shared by the intents of one key press.
    pub batch: OpId,
    /// On what.
    pub target: Target,
    /// What.
    pub action: Action,
    /// The operator.
    pub by: Clean,
    /// When it was asked.
    pub at: Timestamp,
}

/// How far an action got. Never shown as done before the journal holds the provider's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "delivery")]
pub enum Delivery {
    /// In the journal, not sent; `waits_until` while a rate limit or a dead source holds it.
    Queued {
        /// When the next try is made.
        waits_until: Option<Timestamp>,
    },
    /// The first byte may have left.
    Sent,
    /// The provider's answer shows the wanted state.
    Confirmed {
        /// What the answer says, such as "already acknowledged by Ana".
        says: Clean,
    },
    /// It was not done.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// It may or may not have been done.
    Unknown {
        /// What to look at.
        check: Clean,
    },
    /// A person gave it up.
    Dropped,
}

impl Delivery {
    /// True when nothing more happens by itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Queued { .. } | Self::Sent)
    }
}

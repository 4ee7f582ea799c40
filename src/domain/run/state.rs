//! What stands of a run after its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RunId;
use super::event::{
    Approval, BoundValue, Digest, Ending, Inverse, Judgement, OutputMark, PlannedStep, ProcessMark, Sample,
};
use super::propose::Level;
use crate::domain::id::{IncidentId, RunbookId, StepId};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// One execution of a runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Which.
    pub id: RunId,
    /// For which incident.
    pub incident: Option<IncidentId>,
    /// Of which runbook.
    pub runbook: RunbookId,
    /// The runbook's title.
    pub title: Clean,
    /// Sha-256 of the document it is pinned to.
    pub content_hash: String,
    /// Practice.
    pub is_drill: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When something happened to it last.
    pub moved_at: Timestamp,
    /// Who has it.
    pub holder: Clean,
    /// Nobody goes on.
    pub is_closed: bool,
    /// The document's steps in order.
    pub plan: Vec<PlannedStep>,
    /// Values by name, the newest each.
    pub values: BTreeMap<String, BoundValue>,
    /// What became of each step that anything happened to.
    pub steps: BTreeMap<StepId, StepRun>,
}

/// What became of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepRun {
    /// How it stands.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: u32,
    /// What was meant to run last.
    pub intended: Option<Intended>,
    /// Which digest was approved last, how, by whom, when.
    pub approved: Option<(Digest, Approval, Clean, Timestamp)>,
    /// Its process.
    pub process: Option<ProcessMark>,
    /// What it printed.
    pub output: Option<OutputMark>,
    /// How its process ended, and how long it took.
    pub ending: Option<(Ending, u64)>,
    /// The last answers to its condition, guard and verification.
    pub judgements: Vec<Judgement>,
    /// The alert's expression before and after.
    pub samples: Vec<Sample>,
    /// The way back.
    pub inverse: Option<Inverse>,
    /// It was taken back.
    pub is_undone: bool,
    /// Who moved it last, and when.
    pub moved: Option<(Clean, Timestamp)>,
}

/// What was meant to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intended {
    /// How dangerous it is.
    pub level: Level,
    /// The words of the command.
    pub words: Vec<Clean>,
    /// The shell's text.
    pub shell: Option<Clean>,
    /// Of all of it.
    pub digest: Digest,
    /// Where it acts.
    pub target: Clean,
    /// What it is given besides: standard input, secrets by their names.
    pub given: Vec<Clean>,
    /// The lock that it holds until its end is known.
    pub lock: Option<Clean>,
    /// Who asked for it.
    pub by: Clean,
}

/// How a step stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum StepState {
    /// Nothing was done.
    #[default]
    Pending,
    /// A person is needed.
    Waiting(Need),
    /// It runs.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// It came to an end.
    Ended(Outcome),
}

impl StepState {
    /// Done, or skipped on purpose: the next step may come.
    #[must_use]
    pub fn is_past(&self) -> bool {
        matches!(self, Self::Ended(Outcome::Done { .. } | Outcome::Skipped { .. }))
    }

    /// One word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting(Need::Value { .. }) => "needs a value",
            Self::Waiting(Need::Approval { .. }) => "needs approval",
            Self::Waiting(Need::SecondPerson { .. }) => "needs a second person",
            Self::Waiting(Need::Answer { .. }) => "needs an answer",
            Self::Waiting(Need::Certainty { .. }) => "can't tell",
            Self::Waiting(Need::Decision { .. }) => "needs a decision",
            Self::Running { .. } => "running",
            Self::Ended(outcome) => outcome.word(),
        }
    }
}

/// For what a step waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "need")]
pub enum Need {
    /// A value that nothing gives.
    Value {
        /// The variable.
        name: Clean,
        /// What to ask, or why what was found is refused.
        tried: Clean,
        /// Values that may be meant.
        suggestions: Vec<Clean>,
    },
    /// The key under the command.
    Approval {
        /// Of what.
        digest: Digest,
    },
    /// Somebody other than the one who asked.
    SecondPerson {
        /// For what.
        digest: Digest,
        /// Who asked.
        asked_by: Clean,
    },
    /// An answer to the step's question.
    Answer {
        /// The question.
        question: Clean,
    },
    /// Its condition is neither true nor false.
    Certainty {
        /// Why.
        cause: Clean,
    },
    /// It failed: try again, skip, or end.
    Decision {
        /// What happened.
        happened: Clean,
    },
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It did what it should.
    Done {
        /// A note, an answer, or what was verified.
        note: Clean,
    },
    /// It was left out.
    Skipped {
        /// Why.
        why: Clean,
    },
    /// It did not.
    Failed {
        /// Why.
        why: Clean,
    },
    /// It may or may not have.
    Unknown {
        /// What to look at.
        check: Clean,
    },
    /// It was not let.
    Refused {
        /// Why.
        why: Clean,
    },
}

/// What stands of a step between its good end and its verification.
const UNVERIFIED: &str = "it ended well; what it should bring about is not verified yet";

impl Outcome {
    /// Between its good end and its verification: a console that dies here leaves it unknown.
    #[must_use]
    pub fn unverified() -> Self {
        Self::Unknown { check: Clean::new(UNVERIFIED) }
    }

    /// Whether its verification is still to come.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        matches!(self, Self::Unknown { check } if check.as_str() == UNVERIFIED)
    }

    /// One word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } if self.is_unverified() => "verifying",
            Self::Unknown { .. } => "unknown",
            Self::Refused { .. } => "refused",
        }
    }

    /// The words that go with it.
    #[must_use]
    pub fn says(&self) -> &Clean {
        match self {
            Self::Done { note } => note,
            Self::Skipped { why } | Self::Failed { why } | Self::Refused { why } => why,
            Self::Unknown { check } => check,
        }
    }
}

impl Run {
    /// How a step stands.
    #[must_use]
    pub fn state(&self, step: &StepId) -> &StepState {
        static PENDING: StepState = StepState::Pending;
        self.steps.get(step).map_or(&PENDING, |step| &step.state)
    }

    /// The first automated step that is neither done nor skipped.
    #[must_use]
    pub fn next_automated(&self) -> Option<&PlannedStep> {
        self.plan.iter().find(|step| step.is_automated && !self.state(&step.id).is_past())
    }

    /// How many steps are done or skipped.
    #[must_use]
    pub fn past(&self) -> usize {
        self.plan.iter().filter(|step| self.state(&step.id).is_past()).count()
    }

    /// The step whose process runs and changes something.
    #[must_use]
    pub fn running_change(&self) -> Option<&StepId> {
        self.steps.iter().find_map(|(id, step)| {
            let changes = step.intended.as_ref().is_some_and(|intended| intended.level > Level::Read);
            (changes && matches!(step.state, StepState::Running { .. })).then_some(id)
        })
    }
}

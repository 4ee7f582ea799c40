//! One execution of a runbook: facts that are only ever appended ([`RunEvent`]), and what stands after them ([`Run`]).
//!
//! The fold is pure and total, so that a console that starts again, a colleague's console and a replay see the same run.

mod event;
mod fold;
mod order;
mod propose;
mod state;
mod words;

pub use event::{
    Approval, BoundValue, Digest, Ending, Evidence, Happened, Inverse, Judgement, OutputMark, PlannedStep, ProcessMark,
    Question, RunEvent, Sample, Side, Truth,
};
pub use order::{Decision, RunOrder, Situation, Wanted};
pub use propose::{Forecast, Level, Part, Printed, Proposal, Target, Word};
pub use state::{Intended, Need, Outcome, Run, StepRun, StepState};
pub use words::{describe, spell, went_well};

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::OpId;

/// One run. A UUIDv7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl From<OpId> for RunId {
    fn from(id: OpId) -> Self {
        Self(id.0)
    }
}

impl RunId {
    /// A run by its id as it is shown.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

#[cfg(test)]
mod tests;

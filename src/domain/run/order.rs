//! What a person asks of a run.

use serde::{Deserialize, Serialize};

use super::RunId;
use super::event::{Approval, Digest};
use crate::domain::alert::Labels;
use crate::domain::id::{IncidentId, RunbookId, StepId};
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;
use crate::text::{Clean, Untrusted};

/// Somebody asks something of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunOrder {
    /// Which run.
    pub run: RunId,
    /// Who asks.
    pub by: Clean,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Wanted,
}

/// What is known of the incident when the key is pressed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    /// The incident.
    pub incident: Option<IncidentId>,
    /// Its title.
    pub title: Option<Untrusted>,
    /// Its service.
    pub service: Option<Clean>,
    /// Its severity.
    pub severity: Option<Severity>,
    /// Labels that all its alerts share.
    pub labels: Labels,
    /// Annotations of its first alert.
    pub annotations: Labels,
    /// The alert's own expression.
    pub expression: Option<String>,
    /// Which Prometheus fired it.
    pub generator: Option<Untrusted>,
    /// It is over: a step that runs now must be meant.
    pub is_over: bool,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "want")]
pub enum Wanted {
    /// Open it.
    Open {
        /// Of which runbook.
        runbook: RunbookId,
        /// For what.
        situation: Box<Situation>,
        /// Practice.
        is_drill: bool,
    },
    /// Say what a step would do; the next automated one where none is named.
    Propose {
        /// Which.
        step: Option<StepId>,
        /// The incident now.
        situation: Box<Situation>,
        /// Only say it: nothing is written down.
        is_dry: bool,
    },
    /// Let it run.
    Approve {
        /// Which.
        step: StepId,
        /// Exactly what was shown.
        digest: Digest,
        /// How.
        how: Approval,
        /// The incident now.
        situation: Box<Situation>,
    },
    /// Agree as the second person, from any console of this journal.
    Second {
        /// Which.
        step: StepId,
        /// Exactly what.
        digest: Digest,
        /// Who asked.
        asked_by: Clean,
    },
    /// A value that nothing else gives, or that replaces what something gave.
    Give {
        /// The variable.
        name: String,
        /// Its value, as typed.
        value: Untrusted,
    },
    /// An answer to an `ask` step.
    Answer {
        /// Which.
        step: StepId,
        /// The answer.
        text: Untrusted,
    },
    /// A person did it.
    Tick {
        /// Which.
        step: StepId,
        /// What was seen.
        note: Option<Untrusted>,
    },
    /// Leave it out.
    Skip {
        /// Which.
        step: StepId,
        /// Why.
        reason: Untrusted,
    },
    /// Run it though its condition cannot be told.
    Insist {
        /// Which.
        step: StepId,
        /// Why.
        reason: Untrusted,
        /// The incident now.
        situation: Box<Situation>,
    },
    /// After a failure or an unknown end.
    Decide {
        /// Which.
        step: StepId,
        /// What.
        decision: Decision,
        /// Why.
        reason: Untrusted,
    },
    /// End its process.
    Cancel {
        /// Which.
        step: StepId,
    },
    /// Take the change back.
    Undo {
        /// Of which step.
        step: StepId,
    },
    /// Somebody else goes on.
    HandOver {
        /// Who.
        to: Clean,
    },
    /// Keys for a step in its terminal.
    Type {
        /// Which.
        step: StepId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A staged line for a step in its terminal.
    SendLine {
        /// Which.
        step: StepId,
        /// The line.
        line: String,
    },
    /// The step's terminal has another size.
    Resize {
        /// Which.
        step: StepId,
        /// Columns.
        columns: u16,
        /// Lines.
        rows: u16,
    },
    /// Nobody goes on.
    Close,
}

/// What a person says of a step whose end is bad or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was done.
    Done,
    /// It was not.
    Failed,
    /// Propose it again.
    Again,
}

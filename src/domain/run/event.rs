//! What can happen to a run, in the past tense. These are the rows of the journal: a payload must stay readable.

use serde::{Deserialize, Serialize};

use super::RunId;
use super::propose::Level;
use super::state::{Need, Outcome};
use crate::domain::id::{IncidentId, RunbookId, StepId};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// Something happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Which run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// Who did it or asked for it.
    pub by: Clean,
    /// What.
    pub what: Happened,
}

/// Sha-256, hex, of everything that decides what a step does. An approval counts for one digest only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The first eight digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "did")]
pub enum Happened {
    /// The run was opened, and pinned to the document as it was then.
    Opened {
        /// For which incident.
        incident: Option<IncidentId>,
        /// Of which runbook.
        runbook: RunbookId,
        /// The runbook's title.
        title: Clean,
        /// Sha-256 of the document, hex.
        content_hash: String,
        /// Its steps in order.
        steps: Vec<PlannedStep>,
        /// Practice: not counted anywhere.
        is_drill: bool,
    },
    /// A variable has a value now.
    Bound(BoundValue),
    /// A condition, a guard or a verification was evaluated.
    Judged {
        /// Of which step.
        step: StepId,
        /// The answer with its evidence.
        judgement: Judgement,
    },
    /// The step waits for a person.
    Waits {
        /// Which.
        step: StepId,
        /// For what.
        need: Need,
    },
    /// This is what will run, if it is let. Written before anything is started.
    Intended {
        /// Which step.
        step: StepId,
        /// Its how-manieth try, from 1.
        attempt: u32,
        /// How dangerous it is.
        level: Level,
        /// The words of the command, secrets masked.
        words: Vec<Clean>,
        /// The shell's text where one is needed.
        shell: Option<Clean>,
        /// Of all of it.
        digest: Digest,
        /// Where it acts: context, server, namespace.
        target: Clean,
        /// What it is given besides: standard input, secrets by their names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<Clean>,
        /// The lock that it holds until its end is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lock: Option<Clean>,
    },
    /// Somebody let exactly this run.
    Approved {
        /// Which step.
        step: StepId,
        /// Exactly what.
        digest: Digest,
        /// By which key or rule.
        how: Approval,
    },
    /// Its process runs, or may run: this is written before the command starts.
    Started {
        /// Which step.
        step: StepId,
        /// Which process.
        process: ProcessMark,
    },
    /// What it printed.
    Printed {
        /// Which step.
        step: StepId,
        /// How much, and the ends of it.
        output: OutputMark,
    },
    /// Its process ended.
    Finished {
        /// Which step.
        step: StepId,
        /// How.
        ending: Ending,
        /// How long it took.
        millis: u64,
        /// What that means for the step.
        outcome: Outcome,
    },
    /// The step came to an end, or to another one, without a process: ticked, skipped, answered, refused, decided.
    Settled {
        /// Which.
        step: StepId,
        /// How.
        outcome: Outcome,
    },
    /// The alert's own expression, beside a change.
    Sampled {
        /// Beside which step.
        step: StepId,
        /// The sample.
        sample: Sample,
    },
    /// How it was before the change, and what brings that back.
    Remembered {
        /// Before which step.
        step: StepId,
        /// The way back.
        inverse: Inverse,
    },
    /// The change was taken back.
    Undone {
        /// Of which step.
        step: StepId,
        /// With what.
        words: Vec<Clean>,
        /// How it went.
        outcome: Outcome,
    },
    /// Somebody else goes on.
    HandedOver {
        /// Who.
        to: Clean,
    },
    /// Nobody goes on.
    Closed,
}

impl Happened {
    /// The step it is about.
    #[must_use]
    pub fn step(&self) -> Option<&StepId> {
        match self {
            Self::Judged { step, .. }
            | Self::Waits { step, .. }
            | Self::Intended { step, .. }
            | Self::Approved { step, .. }
            | Self::Started { step, .. }
            | Self::Printed { step, .. }
            | Self::Finished { step, .. }
            | Self::Settled { step, .. }
            | Self::Sampled { step, .. }
            | Self::Remembered { step, .. }
            | Self::Undone { step, .. } => Some(step),
            Self::Opened { .. } | Self::Bound(_) | Self::HandedOver { .. } | Self::Closed => None,
        }
    }
}

/// A step as it stood in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its id.
    pub id: StepId,
    /// Its title.
    pub title: Clean,
    /// Whether the console can run it.
    pub is_automated: bool,
}

/// A variable with its value, and where that came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundValue {
    /// Its name.
    pub name: Clean,
    /// The value as it may be shown: a secret is masked.
    pub value: Clean,
    /// Where it came from, such as "alert label pod".
    pub source: Clean,
    /// For a query or a command: what exactly was asked.
    pub asked: Option<Clean>,
    /// How old it was.
    pub age_ms: Option<u64>,
    /// Somebody typed it for this run.
    #[serde(default)]
    pub is_typed: bool,
}

/// True, false, or why neither can be told. Unknown never runs anything by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told.
    Unknown {
        /// Why.
        cause: Clean,
    },
}

/// Which question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Whether to run the step.
    Condition,
    /// Whether it may run at all.
    Guard,
    /// Whether it had its effect.
    Verify,
}

impl Question {
    /// The word people use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Guard => "guard",
            Self::Verify => "verify",
        }
    }
}

/// A question, its answer, and on what that rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Which question.
    pub question: Question,
    /// As it stands in the document.
    pub expression: Clean,
    /// The answer.
    pub truth: Truth,
    /// The values it rests on.
    pub evidence: Vec<Evidence>,
}

/// One value a judgement rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The variable.
    pub name: Clean,
    /// Its value, or why there is none.
    pub value: Clean,
    /// What was asked, after substitution.
    pub asked: Clean,
    /// Who was asked.
    pub source: Clean,
    /// When the answer was true.
    pub at: Timestamp,
    /// How old it was when it was used.
    pub age_ms: u64,
}

/// Who let it run, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Approval {
    /// Enter on a step that only reads.
    Enter,
    /// The key under the exact command.
    Key,
    /// The target's name was typed.
    Name {
        /// What was typed.
        typed: Clean,
    },
    /// `--yes` on the command line.
    Flag,
    /// Somebody other than the one who asked.
    SecondPerson {
        /// Who asked.
        asked_by: Clean,
    },
    /// The same approval, for a retry that the document allows.
    Retry,
}

/// A process that can be told from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// Its number; 0 while it is not known yet.
    pub pid: u32,
    /// When it started, in the kernel's ticks since boot.
    pub start_time: u64,
    /// Which boot.
    pub boot: String,
    /// Where its output and its end are kept.
    pub folder: String,
}

/// What a step printed, without all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputMark {
    /// Everything, in bytes.
    pub bytes: u64,
    /// How many of them were not kept.
    pub dropped: u64,
    /// Sha-256 of what was kept, hex.
    pub sha256: String,
    /// The first lines.
    pub first: Vec<Clean>,
    /// The last lines, where there are more.
    pub last: Vec<Clean>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ended")]
pub enum Ending {
    /// By itself.
    Exit {
        /// With this code.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// Which.
        number: i32,
    },
    /// The time was over.
    TimedOut {
        /// After so long.
        limit_ms: u64,
    },
    /// Somebody cancelled it.
    Cancelled,
    /// It never began.
    NotStarted {
        /// Why.
        cause: Clean,
    },
    /// Nobody saw its end.
    Lost,
}

/// Before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before the step.
    Before,
    /// After it.
    After,
}

/// The alert's own expression at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Which side.
    pub side: Side,
    /// The expression.
    pub expression: Clean,
    /// What it gave, in words: "94.2", "no data".
    pub value: Clean,
}

/// The way back from a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inverse {
    /// What was before, such as "replicas 3".
    pub was: Clean,
    /// The words of the command that brings it back.
    pub words: Vec<String>,
}

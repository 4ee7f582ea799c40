//! A runbook as the rest of the program sees it, whatever it was written in.

mod handling;
mod param;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;

pub use self::handling::{
    Capture, Evidence, Expect, Handling, MaxRuns, OnFailure, Pick, Retries, ShellChoice, Stream, Target, Verify,
};
pub use self::param::{Fetch, Kind, MAX_VALUE_BYTES, Param, Reduce, Source, Unit, Variable};
use crate::domain::id::{RunbookId, StepId};
pub use crate::domain::level::Level;
use crate::domain::severity::Severity;
use crate::text::Clean;

/// Variables that several runbooks share, by name.
pub type Library = BTreeMap<String, Variable>;

/// A runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Runbook {
    /// Its key in the YAML, or its file stem.
    pub id: RunbookId,
    /// One line.
    pub title: Clean,
    /// What it is for.
    pub triggers: Vec<Trigger>,
    /// The severity it is written for.
    pub severity: Option<Severity>,
    /// How soon somebody must answer, as the document says.
    pub respond_within: Option<Duration>,
    /// How long until it is escalated, as the document says.
    pub escalate_after: Option<Duration>,
    /// Service it belongs to.
    pub service: Option<Clean>,
    /// Who keeps it.
    pub owner: Option<Clean>,
    /// When somebody last checked that it is true.
    pub last_verified: Option<NaiveDate>,
    /// How long such a check holds.
    pub review_every: Option<Duration>,
    /// Where it was read from, for people.
    pub origin: Clean,
    /// Whether it is one of ours; a foreign one never runs by itself and its `{x}` are text.
    pub is_native: bool,
    /// Sha-256 of the document's bytes, hex.
    pub content_hash: String,
    /// Prose before the first step, cleaned, a line each.
    pub intro: Vec<Clean>,
    /// Pages to open.
    pub links: Vec<Clean>,
    /// Which cluster it may touch.
    pub target: Option<Target>,
    /// Declared variables, in the document's order.
    pub params: Vec<Param>,
    /// Variables of the shared library: the document's own, then other documents' ([`crate::runbook::share`]).
    pub library: Arc<Library>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Line of the document it begins at, 1-based.
    pub line: usize,
}

impl Runbook {
    /// The declared variable of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// The step of that id, and its place.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<(usize, &Step)> {
        self.steps.iter().enumerate().find(|(_, step)| step.id.as_str() == id)
    }

    /// The unit that was declared for a variable, by its parameter or in the library.
    #[must_use]
    pub fn unit(&self, name: &str) -> Option<Unit> {
        let declared = self.param(name).and_then(|param| param.kind.unit());
        declared.or_else(|| self.library.get(name).and_then(|variable| variable.kind.unit()))
    }
}

/// What makes a runbook match.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Alert name, a glob.
    pub alertname: String,
    /// Labels that must match their globs.
    pub labels: Vec<(String, String)>,
    /// CEL over `alert`; a match whose condition is not true is offered later, with the reason.
    pub when: Option<String>,
}

/// A step: something to do and to tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its identity while the text stays.
    pub id: StepId,
    /// The heading it stands under.
    pub section: Option<Clean>,
    /// One line.
    pub title: Clean,
    /// More lines below the title.
    pub notes: Vec<Clean>,
    /// CEL condition, as written; evaluated by the runner.
    pub condition: Option<String>,
    /// What there is to do.
    pub work: Work,
    /// How it is done: timeouts, retries, what is checked afterwards.
    pub handling: Handling,
    /// What the document shows as its output.
    pub sample_output: Vec<String>,
    /// Line of the document it begins at, 1-based.
    pub line: usize,
}

/// What a step asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Something a person does.
    Manual,
    /// A command the console can run; as written, placeholders included.
    Automated {
        /// The command.
        command: String,
    },
    /// A command as an argument vector, never a shell's; each word may have placeholders.
    Argv {
        /// The words.
        words: Vec<String>,
    },
    /// A script for an interpreter, handed over by its standard input; values only in the environment.
    Script {
        /// The interpreter: `sh`, `bash`, `python3`…
        language: String,
        /// The text, constant.
        text: String,
    },
    /// A PromQL query to look at.
    Query {
        /// The expression.
        promql: String,
    },
    /// A question; the title asks it.
    Ask {
        /// The variable that takes the answer.
        into: String,
        /// What may be answered; empty for anything.
        choices: Vec<String>,
    },
    /// Somebody must agree before it goes on; the title says to what.
    Approve {
        /// Whether it must be somebody else than the one who runs it.
        by_another: bool,
    },
    /// Waits.
    Wait {
        /// How long at most.
        at_most: Duration,
        /// CEL condition that ends it earlier.
        until: Option<String>,
    },
    /// Words to read; nothing to do.
    Note,
    /// The steps of another runbook.
    Include {
        /// Which.
        runbook: String,
    },
    /// Lines for a remote shell: staged one by one, never run locally.
    Session {
        /// The lines.
        lines: Vec<String>,
    },
    /// Text to copy: not a shell command, or not safely one.
    CopyOnly {
        /// The text.
        text: String,
        /// The language it calls itself.
        language: String,
    },
}

impl Work {
    /// Whether the console itself starts something on this machine for it.
    #[must_use]
    pub fn runs_here(&self) -> bool {
        matches!(self, Self::Automated { .. } | Self::Argv { .. } | Self::Script { .. })
    }

    /// What there is to copy of it, as written; `None` when its title says everything.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Self::Automated { command } => command.clone(),
            Self::Argv { words } => shell_words::join(words),
            Self::Script { text, .. } | Self::CopyOnly { text, .. } => text.clone(),
            Self::Query { promql } => promql.clone(),
            Self::Session { lines } => lines.join("\n"),
            Self::Manual
            | Self::Ask { .. }
            | Self::Approve { .. }
            | Self::Wait { .. }
            | Self::Note
            | Self::Include { .. } => return None,
        })
    }

    /// Its kind in a word, as documents spell it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Automated { .. } => "command",
            Self::Argv { .. } => "argv",
            Self::Script { .. } => "script",
            Self::Query { .. } => "query",
            Self::Ask { .. } => "ask",
            Self::Approve { .. } => "approve",
            Self::Wait { .. } => "wait",
            Self::Note => "note",
            Self::Include { .. } => "include",
            Self::Session { .. } => "session",
            Self::CopyOnly { .. } => "copy",
        }
    }
}

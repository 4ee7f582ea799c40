//! How a step is done: limits, retries, what counts as success, what is kept, what is checked, how it is taken back.

use std::time::Duration;

use super::param::Kind;
use crate::domain::id::StepId;
use crate::domain::level::Level;
use crate::text::Clean;

/// Everything about a step that is neither its words nor its work. The default is what a bare command gets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handling {
    /// CEL that must be true right before it runs; false refuses the step (a condition skips it).
    pub guard: Option<String>,
    /// Whether a shell may be used.
    pub shell: ShellChoice,
    /// Working folder; may have placeholders.
    pub cwd: Option<String>,
    /// Environment besides the allowed one; values may have placeholders.
    pub env: Vec<(String, String)>,
    /// Names of configured secrets to put into the environment.
    pub secrets: Vec<String>,
    /// Text for the standard input; may have placeholders.
    pub stdin: Option<String>,
    /// Whether it wants a terminal.
    pub interactive: bool,
    /// Longest run; else [`Handling::timeout`].
    pub timeout: Option<Duration>,
    /// What to repeat.
    pub retries: Retries,
    /// What a failure leads to.
    pub on_failure: OnFailure,
    /// What counts as success.
    pub expect: Expect,
    /// What is kept of the output.
    pub capture: Vec<Capture>,
    /// What must become true afterwards.
    pub verify: Option<Verify>,
    /// The command that takes it back.
    pub rollback: Option<String>,
    /// The command that shows what it would do.
    pub dry_run: Option<String>,
    /// The level the document gives; it only raises the measured one.
    pub danger: Option<Level>,
    /// Whether a second run does no harm.
    pub idempotent: bool,
    /// Name of the lock it takes; may have placeholders.
    pub lock: Option<String>,
    /// How often it may run.
    pub max_runs: Option<MaxRuns>,
    /// Pause between two runs.
    pub cooldown: Option<Duration>,
    /// Read steps of one group may run at the same time.
    pub parallel: Option<String>,
    /// Which cluster it may touch; else the runbook's.
    pub target: Option<Target>,
    /// Pages to open.
    pub links: Vec<Clean>,
    /// What a person has to leave behind.
    pub evidence: Evidence,
}

impl Handling {
    /// How long it may run: as declared, else 60 s for what only looks and 300 s for what changes.
    #[must_use]
    pub fn timeout(&self, level: Level) -> Duration {
        let fallback = if level == Level::Read { 60 } else { 300 };
        self.timeout.unwrap_or(Duration::from_secs(fallback))
    }
}

/// `shell: false|sh|bash`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShellChoice {
    /// An argument vector where possible, else `bash`.
    #[default]
    WhenNeeded,
    /// An argument vector, or a refusal.
    Never,
    /// `sh`.
    Sh,
    /// `bash`.
    Bash,
}

/// What to repeat when it fails.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retries {
    /// How many more attempts.
    pub max: u32,
    /// Before the second attempt.
    pub delay: Duration,
    /// The delay grows by this factor; 0 and 1 keep it.
    pub backoff: u32,
}

/// What a failure leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// A person decides.
    #[default]
    Ask,
    /// The run ends.
    Stop,
    /// The next step is offered.
    Continue,
    /// That step is offered.
    Goto(StepId),
}

/// What counts as success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Exit statuses.
    pub exit: Vec<i32>,
    /// A regular expression that the standard output must have a match for.
    pub stdout: Option<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Self { exit: vec![0], stdout: None }
    }
}

/// A value kept for later steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The variable.
    pub name: String,
    /// Where from.
    pub from: Stream,
    /// Which part.
    pub pick: Pick,
    /// What it must be.
    pub kind: Kind,
}

/// What a capture reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
    /// The file `$RB_OUTPUT`: `KEY=VALUE` lines and `KEY<<EOF` blocks.
    File,
}

/// Which part of a text is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pick {
    /// All of it without the blank ends.
    #[default]
    Trim,
    /// A JSON pointer (RFC 6901).
    Json(String),
    /// The first group of a regular expression, or its match.
    Regex(String),
    /// The nth line, 1-based; negative counts from the end.
    Line(i64),
}

/// What must become true after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Verify {
    /// CEL.
    pub condition: String,
    /// For how long it is tried.
    pub within: Duration,
    /// How often it is looked at.
    pub every: Duration,
    /// How many times in a row it must be true: one good scrape proves nothing.
    pub count: u32,
}

/// How often a step may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxRuns {
    /// So many times
    pub count: u32,
    /// within this.
    pub per: Duration,
}

/// Which cluster a step may touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// `--context` for kubectl and its like; may have placeholders.
    pub kube_context: Option<String>,
    /// Glob the context in force must match.
    pub must_match: Option<String>,
}

/// What a person has to leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing.
    #[default]
    None,
    /// A note.
    Note,
    /// A link.
    Link,
}

//! Tests of runbooks: `NAME.test.yaml` beside a runbook says what the world looks like (labels, metrics, a table of fake
//! commands, answers) and what each step must then do, down to the exact words. Pure and offline; the clock comes in.

mod read;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::read::read;
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::runbook::bind::Sample;
use crate::runbook::model::Runbook;
use crate::runbook::value::{Cause, Facts};

/// One test.
#[derive(Clone, Debug, Default)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// The runbook's id; empty when the document has only one.
    pub runbook: String,
    /// The alert and the incident.
    pub facts: Facts,
    /// Values set by hand.
    pub values: BTreeMap<String, String>,
    /// Answers to questions and blanks.
    pub answers: BTreeMap<String, String>,
    /// Answers of queries, by the variable's name or the query after substitution.
    pub metrics: BTreeMap<String, Metric>,
    /// The same, from the moment the first change has run: what `verify` looks at.
    pub metrics_after: BTreeMap<String, Metric>,
    /// Fake commands; the first that matches answers.
    pub commands: Vec<FakeCommand>,
    /// Whether changes are allowed.
    pub read_only: bool,
    /// Whether a person agrees to what needs it.
    pub approves: bool,
    /// The instant of the test.
    pub at: Option<Timestamp>,
    /// What must happen.
    pub expect: Vec<Expectation>,
    /// Line of the document, 1-based.
    pub line: usize,
}

/// What a query answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Samples of that age.
    Values(Vec<f64>, Duration),
    /// No answer.
    Failed(String),
}

impl Metric {
    fn samples(&self, now: Timestamp) -> Result<Vec<Sample>, Cause> {
        match self {
            Self::Values(values, age) => {
                let at =
                    chrono::Duration::from_std(*age).ok().and_then(|age| now.checked_sub_signed(age)).unwrap_or(now);
                Ok(values.iter().map(|value| Sample { value: *value, at }).collect())
            }
            Self::Failed(words) if words == "timeout" => Err(Cause::TimedOut),
            Self::Failed(words) => Err(Cause::Unreachable(words.clone())),
        }
    }
}

/// A fake command: its joined words must match the pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeCommand {
    /// A regular expression.
    pub pattern: String,
    /// What it prints.
    pub stdout: String,
    /// What it prints to standard error.
    pub stderr: String,
    /// How it exits.
    pub exit: i32,
    /// How long it takes.
    pub delay: Duration,
    /// Whether it never ends.
    pub hangs: bool,
}

/// What a step must do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// The step's id.
    pub step: String,
    /// What happens to it.
    pub outcome: Option<Outcome>,
    /// The exact words.
    pub argv: Option<Vec<String>>,
    /// The text that a shell reads.
    pub shell: Option<String>,
    /// Its level.
    pub level: Option<Level>,
    /// Words that must stand in the reason.
    pub because: Option<String>,
    /// Line of the document, 1-based.
    pub line: usize,
}

/// What happens to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It runs, and what it did counts as success.
    Run,
    /// Its condition is false.
    Skip,
    /// Nobody can tell whether it should run.
    Unknown,
    /// A guard, `read_only`, a missing approval or a refused place stops it.
    Blocked,
    /// It runs after somebody agreed.
    Approved,
    /// It ran and failed.
    Failed,
    /// It ran and its verification became true.
    Verified,
    /// A person does it.
    Manual,
}

impl Outcome {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Run, "run"),
        (Self::Skip, "skip"),
        (Self::Unknown, "unknown"),
        (Self::Blocked, "blocked"),
        (Self::Approved, "approved"),
        (Self::Failed, "failed"),
        (Self::Verified, "verified"),
        (Self::Manual, "manual"),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, word)| word)
    }

    /// The outcome of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(outcome, _)| *outcome)
    }

    /// Whether this is what was asked for: `run` is content with every way of having run well.
    fn is(self, wanted: Self) -> bool {
        self == wanted
            || (wanted == Self::Run && matches!(self, Self::Approved | Self::Verified))
            || (wanted == Self::Approved && self == Self::Verified)
    }
}

/// What happened to a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// The step's id.
    pub step: String,
    /// What happened.
    pub outcome: Outcome,
    /// The words it ran or would run.
    pub argv: Vec<String>,
    /// The text a shell reads, when one does.
    pub shell: Option<String>,
    /// Its level.
    pub level: Level,
    /// Why.
    pub because: String,
}

/// A test's verdict.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The test.
    pub name: String,
    /// What happened to each step.
    pub happened: Vec<Happened>,
    /// What was expected and did not happen: line and words.
    pub wrong: Vec<(usize, String)>,
}

impl Verdict {
    /// Whether all went as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Runs a test against its runbook, among those of the document.
#[must_use]
pub fn run(test: &Test, runbooks: &[Runbook]) -> Verdict {
    let found = match runbooks {
        [only] if test.runbook.is_empty() => Some(only),
        many => many.iter().find(|runbook| runbook.id.as_str() == test.runbook),
    };
    let Some(runbook) = found else {
        let words = format!("no runbook '{}' in the document", test.runbook);
        return Verdict { name: test.name.clone(), happened: Vec::new(), wrong: vec![(test.line, words)] };
    };
    let happened = world::play(test, runbook);
    let wrong = test.expect.iter().flat_map(|expected| compare(expected, &happened)).collect();
    Verdict { name: test.name.clone(), happened, wrong }
}

fn compare(expected: &Expectation, happened: &[Happened]) -> Vec<(usize, String)> {
    let Some(found) = happened.iter().find(|happened| happened.step == expected.step) else {
        return vec![(expected.line, format!("there is no step '{}'", expected.step))];
    };
    let mut wrong = Vec::new();
    let mut say = |words: String| wrong.push((expected.line, format!("step {}: {words}", expected.step)));
    if let Some(outcome) = expected.outcome
        && !found.outcome.is(outcome)
    {
        say(format!("{}, not {} ({})", found.outcome.word(), outcome.word(), found.because));
    }
    if let Some(argv) = &expected.argv
        && *argv != found.argv
    {
        say(format!("its words are {:?}, not {argv:?}", found.argv));
    }
    if expected.shell.is_some() && expected.shell != found.shell {
        say(format!("a shell reads {:?}, not {:?}", found.shell, expected.shell));
    }
    if let Some(level) = expected.level
        && level != found.level
    {
        say(format!("its level is {}, not {level}", found.level));
    }
    if let Some(because) = &expected.because
        && !found.because.contains(because.as_str())
    {
        say(format!("the reason is '{}', without '{because}'", found.because));
    }
    wrong
}

#[cfg(test)]
mod tests;

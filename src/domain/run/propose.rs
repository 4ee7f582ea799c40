//! What the engine would do next, for people to look at before it does it. Not durable: made anew whenever asked.

use serde::{Deserialize, Serialize};

use super::RunId;
use super::event::{BoundValue, Digest, Inverse, Judgement};
use super::state::Need;
use crate::domain::id::StepId;
pub use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// What would become of a step if it were its turn now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "forecast")]
pub enum Forecast {
    /// It would run.
    WouldRun,
    /// Its condition is false.
    WouldSkip,
    /// Something is unknown.
    CantTell {
        /// Why.
        cause: Clean,
    },
    /// It would run after somebody approved it.
    NeedsApproval,
    /// It would not run whoever asks.
    Refused {
        /// Why.
        why: Clean,
    },
}

impl Forecast {
    /// The words of a dry run.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::WouldRun => "would run",
            Self::WouldSkip => "would skip",
            Self::CantTell { .. } => "can't tell",
            Self::NeedsApproval => "needs approval",
            Self::Refused { .. } => "refused",
        }
    }
}

/// One word of the command as it will be handed to the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The word; secrets masked, control characters as visible marks.
    pub text: Clean,
    /// The values in it, in order.
    pub parts: Vec<Part>,
}

/// A value inside a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The placeholder as written, such as `current_replicas + 1`.
    pub placeholder: Clean,
    /// What it became.
    pub value: Clean,
    /// Where that came from.
    pub source: Clean,
}

/// Where a command would act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The kubeconfig's context.
    pub context: Option<Clean>,
    /// Its server.
    pub server: Option<Clean>,
    /// Its namespace.
    pub namespace: Option<Clean>,
}

impl Target {
    /// One line: `context prod · server https://… · namespace shop`.
    #[must_use]
    pub fn line(&self) -> Clean {
        let parts = [("context", &self.context), ("server", &self.server), ("namespace", &self.namespace)];
        let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
        Clean::new(parts.collect::<Vec<_>>().join(" · "))
    }
}

/// What a step would do, with everything a person must see first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Of which run.
    pub run: RunId,
    /// Which step.
    pub step: StepId,
    /// The step's title.
    pub title: Clean,
    /// What would become of it.
    pub forecast: Forecast,
    /// How dangerous it is.
    pub level: Level,
    /// The words.
    pub words: Vec<Word>,
    /// The shell's text, where the syntax needs a shell.
    pub shell: Option<Clean>,
    /// What the command is given besides: standard input, secrets by their names.
    #[serde(default)]
    pub given: Vec<Clean>,
    /// The values it uses.
    pub values: Vec<BoundValue>,
    /// Condition and guard, answered.
    pub judgements: Vec<Judgement>,
    /// Where it acts.
    pub target: Target,
    /// What must be typed for a destructive step.
    pub name: Clean,
    /// What a person should know before.
    pub warnings: Vec<Clean>,
    /// What is missing from a person.
    pub need: Option<Need>,
    /// What would bring it back.
    pub inverse: Option<Inverse>,
    /// Of all of it.
    pub digest: Digest,
    /// An approval counts until then.
    pub until: Timestamp,
}

/// A helping of output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Printed {
    /// Of which run.
    pub run: RunId,
    /// Of which step.
    pub step: StepId,
    /// Whole lines, oldest first; SGR sequences and nothing else of a terminal's language are in them.
    pub lines: Vec<Clean>,
    /// Everything the step printed so far.
    pub bytes: u64,
    /// What was left out right before these lines.
    pub dropped: u64,
}

//! What a step is: the one order that the console gives and the supervisor carries, and the digest that binds the two.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::capture::Capture;

/// How long a command may take to end after SIGINT, and again after SIGTERM, before SIGKILL.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Everything the supervisor needs to know, but the values of secrets. It never changes between approval and exec: that
/// is what [`StepSpec::digest`] is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSpec {
    /// Which run it belongs to, for the record.
    pub run: String,
    /// Which step it is, for the record.
    pub step: String,
    /// What is executed.
    pub program: Program,
    /// Folder the command runs in.
    pub cwd: PathBuf,
    /// The whole environment (see [`super::environment`]); nothing else is inherited.
    pub env: BTreeMap<String, String>,
    /// Names of the secrets that are put in the environment too; their values travel beside this, never to disk.
    pub secrets: Vec<String>,
    /// When the ladder begins by itself; `None` for a step that may take forever.
    pub timeout: Option<Duration>,
    /// How the command is ended.
    pub ladder: Ladder,
    /// The size of its terminal; `None` for a step that gets pipes.
    pub terminal: Option<TerminalSize>,
    /// What becomes of processes that outlive a command which ended by itself.
    pub leftovers: Leftovers,
    /// What stands on its standard input; nothing when `None`. Only for a step on pipes: people type into a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// What is taken from its output.
    pub captures: Vec<Capture>,
    /// What the approval covers besides: cluster, server, namespace, runbook hash. Opaque here.
    pub bound: BTreeMap<String, String>,
}

/// What is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Argument vector, no shell.
    Argv(Vec<String>),
    /// A text for a shell; values come in through the environment only.
    Shell {
        /// Which one.
        interpreter: Interpreter,
        /// The text, constant per runbook.
        text: String,
    },
}

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpreter {
    /// `bash --noprofile --norc -euo pipefail -c TEXT`.
    Bash,
    /// `sh -eu -c TEXT`.
    Sh,
}

impl Program {
    /// What `execve` gets: the words that a person approves.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Argv(words) => words.clone(),
            Self::Shell { interpreter, text } => {
                let lead: &[&str] = match interpreter {
                    Interpreter::Bash => &["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c"],
                    Interpreter::Sh => &["sh", "-eu", "-c"],
                };
                lead.iter().map(|word| (*word).to_owned()).chain([text.clone()]).collect()
            }
        }
    }
}

/// How long each rung of the cancel ladder lasts: SIGINT, SIGTERM, then SIGKILL and the sweep of every descendant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// After SIGINT.
    pub interrupt: Duration,
    /// After SIGTERM.
    pub terminate: Duration,
}

impl Default for Ladder {
    fn default() -> Self {
        Self { interrupt: PATIENCE, terminate: PATIENCE }
    }
}

/// A terminal's size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Width.
    pub columns: u16,
    /// Height.
    pub rows: u16,
}

impl TerminalSize {
    /// No less than vt100 survives (a width of 1 panics, 0×0 divides by nothing) and no more than a screen has.
    #[must_use]
    pub fn within_reason(self) -> Self {
        Self { columns: self.columns.clamp(2, 1_000), rows: self.rows.clamp(2, 1_000) }
    }
}

/// What becomes of processes that outlive a command which ended by itself. After cancel and timeout they are always swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leftovers {
    /// They go on and are reported: a step may start a daemon on purpose.
    #[default]
    Report,
    /// They are killed.
    Sweep,
}

/// A secret that the command gets in its environment. Masked wherever the command writes it.
#[derive(Clone)]
pub struct Secret {
    /// Name of the variable.
    pub name: String,
    /// Its value.
    pub value: SecretString,
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "‹secret {}›", self.name)
    }
}

/// SHA-256 over everything that decides what will happen.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Hex, 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Digest({})", self.0)
    }
}

impl StepSpec {
    /// A step with the usual limits: no timeout, the usual ladder, pipes, an empty environment.
    #[must_use]
    pub fn new(program: Program, cwd: PathBuf) -> Self {
        Self {
            run: String::new(),
            step: String::new(),
            program,
            cwd,
            env: BTreeMap::new(),
            secrets: Vec::new(),
            timeout: None,
            ladder: Ladder::default(),
            terminal: None,
            leftovers: Leftovers::default(),
            stdin: None,
            captures: Vec::new(),
            bound: BTreeMap::new(),
        }
    }

    /// What an approval is bound to: every field, the values of the environment and of the secrets only as hashes. The
    /// console computes it when a person looks at the command, the supervisor again right before exec.
    #[must_use]
    pub fn digest(&self, secrets: &[Secret]) -> Digest {
        let mut told = self.clone();
        for value in told.env.values_mut() {
            *value = hex(&Sha256::digest(value.as_bytes()));
        }
        let mut hash = Sha256::new();
        // Field order is fixed by the type and maps are sorted, so the same order gives the same bytes.
        hash.update(serde_json::to_vec(&told).unwrap_or_default());
        for secret in secrets {
            hash.update([0]);
            hash.update(Sha256::digest(secret.name.as_bytes()));
            hash.update(Sha256::digest(secret.value.expose_secret().as_bytes()));
        }
        Digest(hex(&hash.finalize()))
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What goes through the pipe to the supervisor: the order, what was approved, and the values that no disk may see.
#[derive(Serialize, Deserialize)]
pub struct Handover {
    /// The order.
    pub spec: StepSpec,
    /// What was approved.
    pub approved: Digest,
    /// Values of the secrets, in the order of their names.
    pub values: Vec<String>,
}

impl fmt::Debug for Handover {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Handover({:?}, {} secrets)", self.spec, self.values.len())
    }
}

impl Handover {
    /// For a supervisor; `secrets` must be those that `spec` names.
    #[must_use]
    pub fn new(spec: StepSpec, approved: Digest, secrets: &[Secret]) -> Self {
        Self { spec, approved, values: secrets.iter().map(|secret| secret.value.expose_secret().to_owned()).collect() }
    }

    /// The secrets, name and value; `None` when there are not as many values as names.
    #[must_use]
    pub fn secrets(&self) -> Option<Vec<Secret>> {
        (self.spec.secrets.len() == self.values.len()).then(|| {
            let both = self.spec.secrets.iter().zip(&self.values);
            both.map(|(name, value)| Secret { name: name.clone(), value: SecretString::from(value.clone()) }).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::capture::{Capture, CaptureFrom, CaptureHow};

    fn spec() -> StepSpec {
        let mut spec =
            StepSpec::new(Program::Argv(vec!["kubectl".to_owned(), "get".to_owned()]), PathBuf::from("/srv"));
        spec.env.insert("RB_pod".to_owned(), "checkout-7d9f".to_owned());
        spec.bound.insert("server".to_owned(), "https://10.0.0.1".to_owned());
        spec
    }

    fn secret(value: &str) -> Secret {
        Secret { name: "TOKEN".to_owned(), value: SecretString::from(value) }
    }

    #[test]
    fn every_field_that_decides_changes_the_digest() {
        let first = spec().digest(&[secret("one")]);
        assert_eq!(first, spec().digest(&[secret("one")]), "the same order, the same digest");
        assert_eq!(first.as_str().len(), 64);
        type Change = fn(&mut StepSpec);
        let changes: Vec<(&str, Change)> = vec![
            ("argv", |spec| spec.program = Program::Argv(vec!["kubectl".to_owned(), "delete".to_owned()])),
            ("argv split", |spec| spec.program = Program::Argv(vec!["kubectl get".to_owned()])),
            ("shell", |spec| {
                spec.program = Program::Shell { interpreter: Interpreter::Sh, text: "kubectl get".to_owned() }
            }),
            ("cwd", |spec| spec.cwd = PathBuf::from("/tmp")),
            ("a value", |spec| drop(spec.env.insert("RB_pod".to_owned(), "other".to_owned()))),
            ("a name", |spec| drop(spec.env.insert("RB_node".to_owned(), String::new()))),
            ("a secret's name", |spec| spec.secrets.push("TOKEN".to_owned())),
            ("standard input", |spec| spec.stdin = Some(String::new())),
            ("timeout", |spec| spec.timeout = Some(Duration::from_secs(9))),
            ("terminal", |spec| spec.terminal = Some(TerminalSize { columns: 80, rows: 24 })),
            ("cluster", |spec| drop(spec.bound.insert("server".to_owned(), "https://10.0.0.2".to_owned()))),
            ("capture", |spec| {
                spec.captures.push(Capture {
                    name: "x".to_owned(),
                    from: CaptureFrom::Stdout,
                    how: CaptureHow::Whole,
                    trim: true,
                });
            }),
        ];
        for (what, change) in changes {
            let mut other = spec();
            change(&mut other);
            assert_ne!(first, other.digest(&[secret("one")]), "{what} is not covered");
        }
        assert_ne!(first, spec().digest(&[secret("two")]), "a secret's value is not covered");
    }

    #[test]
    fn an_order_says_nothing_of_its_secrets() {
        let mut order = spec();
        order.secrets.push("TOKEN".to_owned());
        let handover = Handover::new(order, spec().digest(&[]), &[secret("canary-value")]);
        assert!(!format!("{handover:?}{:?}", handover.secrets()).contains("canary-value"));
        assert!(!serde_json::to_string(&handover.spec).unwrap().contains("canary-value"));
    }
}

//! A command with holes becomes what is executed: an argument vector wherever no shell is needed, else a constant shell
//! text whose values stand in its environment. A value is never part of a text that anything parses again; where that
//! cannot be had, the command is refused when the document is read.

mod digest;
mod reinterpret;
mod shelltext;

use super::classify;
use super::expr::{Expr, World};
use super::grammar::{self, NotShell, Place};
use super::model::{Handling, Kind, Runbook, ShellChoice, Step, Work};
use super::template::{self, Fault, Hole, HoleKind, Piece, Template};
use super::value::{Bound, Cause, Origin, Trust, Value};
use crate::domain::level::Level;
use crate::text::Clean;

pub use self::digest::{Circumstances, digest};

/// What is executed.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The program and its words, or a text for a shell.
    pub run: Run,
    /// Environment besides the allowed one: `RB_…` and what the step declares.
    pub env: Vec<(String, String)>,
    /// Names of configured secrets that go into the environment under their own name.
    pub secrets: Vec<String>,
    /// Working folder.
    pub cwd: Option<String>,
    /// Text for the standard input.
    pub stdin: Option<String>,
    /// How much it can change.
    pub level: Level,
    /// Every value in it, by name.
    pub uses: Vec<(String, Bound)>,
}

/// The program and its words, or a text for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// Executed as it is.
    Argv(Vec<String>),
    /// Read by a shell; the same text whatever the values.
    Shell {
        /// Which.
        shell: Shell,
        /// The text.
        text: String,
    },
    /// Read by an interpreter from its standard input.
    Script {
        /// The interpreter.
        interpreter: String,
        /// The text.
        text: String,
    },
}

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `sh`
    Sh,
    /// `bash`
    Bash,
}

/// Why a command may not run, or not yet.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The text itself; nothing that is filled in helps.
    Fault(Fault),
    /// A value is missing or may not stand there.
    Value(Cause),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(fault) => write!(out, "{}; {}", fault.message, fault.fix),
            Self::Value(cause) => write!(out, "{cause}"),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Cause> for Refusal {
    fn from(cause: Cause) -> Self {
        Self::Value(cause)
    }
}

impl Invocation {
    /// The words for `execve`.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match &self.run {
            Run::Argv(words) => words.clone(),
            Run::Shell { shell: Shell::Bash, text } => {
                words(&["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", text])
            }
            Run::Shell { shell: Shell::Sh, text } => words(&["sh", "-eu", "-c", text]),
            Run::Script { interpreter, .. } => match interpreter.as_str() {
                "bash" => words(&["bash", "--noprofile", "--norc", "-euo", "pipefail", "-s"]),
                "sh" => words(&["sh", "-eu", "-s"]),
                other => words(&[other, "-"]),
            },
        }
    }

    /// The text for the standard input: the step's, or the script.
    #[must_use]
    pub fn input(&self) -> Option<&str> {
        match &self.run {
            Run::Script { text, .. } => Some(text),
            _ => self.stdin.as_deref(),
        }
    }

    /// Whether a shell reads it: the badge `sh`.
    #[must_use]
    pub fn needs_shell(&self) -> bool {
        !matches!(self.run, Run::Argv(_))
    }

    /// The words for people, one an entry; every control and format character is visible.
    #[must_use]
    pub fn shown(&self) -> Vec<Clean> {
        match &self.run {
            Run::Argv(words) => words.iter().map(Clean::new).collect(),
            Run::Shell { text, .. } | Run::Script { text, .. } => text.lines().map(Clean::new).collect(),
        }
    }

    /// What a person should know before agreeing: hidden characters, values from outside.
    #[must_use]
    pub fn warnings(&self) -> Vec<Clean> {
        let texts: Vec<&str> = match &self.run {
            Run::Argv(words) => words.iter().map(String::as_str).collect(),
            Run::Shell { text, .. } | Run::Script { text, .. } => text.lines().collect(),
        };
        let values = self.env.iter().map(|(_, value)| value.as_str());
        let hides = |text: &str| Clean::new(text).as_str() != text;
        let mut warnings = Vec::new();
        if texts.into_iter().chain(values).any(hides) {
            warnings.push(Clean::new("it has characters that a terminal would hide; they are shown as ‹…›"));
        }
        warnings
    }
}

/// How a template will be executed; the same for all values.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Each word with its pieces.
    Argv(Vec<Vec<Piece>>),
    /// A constant text and the holes that fill its environment.
    Shell {
        /// Which shell.
        shell: Shell,
        /// The text.
        text: String,
        /// Names in the environment and what fills them.
        env: Vec<(String, Hole)>,
    },
}

/// The template of a command of this runbook; `None` when it is no shell and only to be copied.
#[must_use]
pub fn template_of(runbook: &Runbook, command: &str) -> Option<Template> {
    if runbook.is_native { Some(template::native(command)) } else { template::foreign(command) }
}

/// Decides how a template is executed, and refuses places where no value may stand.
///
/// # Errors
/// What is wrong with the text.
pub fn plan(template: &Template, choice: ShellChoice, is_path: &dyn Fn(&str) -> bool) -> Result<Plan, Fault> {
    const MARK: &str = "RBHOLE";
    let holes: Vec<&Hole> = template.holes().collect();
    let mut at = 0;
    let marked = template.fill(|_| {
        at += 1;
        format!("{MARK}{}E", at - 1)
    });
    if template.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(MARK))) {
        return Err(fault(0, "the command has RBHOLE in it", "call it something else"));
    }
    let seen = grammar::read(&marked).map_err(|why| not_shell(&why))?;
    if seen.calls.is_empty() && seen.spots.is_empty() {
        return Err(fault(0, "the command runs nothing", "write a command"));
    }
    let words: Option<Vec<String>> = match seen.calls.as_slice() {
        [call] if seen.is_simple && !matches!(choice, ShellChoice::Sh | ShellChoice::Bash) => {
            call.words.iter().map(|raw| grammar::literal(raw)).collect()
        }
        _ => None,
    };
    if let Some(words) = words {
        let words: Vec<Vec<Piece>> = words.iter().map(|word| pieces_of(word, MARK, &holes)).collect();
        reinterpret::check_argv(&words)?;
        return Ok(Plan::Argv(words));
    }
    let shell = match choice {
        ShellChoice::Never => {
            return Err(fault(0, "the command needs a shell, and shell: false forbids one", "write plain words"));
        }
        ShellChoice::Sh => Shell::Sh,
        ShellChoice::WhenNeeded | ShellChoice::Bash => Shell::Bash,
    };
    let (text, env) = shelltext::rewrite(template)?;
    shelltext::verify(&text, &env, is_path)?;
    Ok(Plan::Shell { shell, text, env })
}

fn fault(at: usize, message: impl Into<String>, fix: impl Into<String>) -> Fault {
    Fault { at, message: message.into(), fix: fix.into() }
}

fn not_shell(why: &NotShell) -> Fault {
    match why {
        NotShell::TooLong => fault(0, "the command is too long to be looked at", "put it into a script file"),
        NotShell::TooDeep => fault(0, "the command nests too deep to be looked at", "put it into a script file"),
        NotShell::Unreadable => {
            fault(0, "this is not a shell command: a quote, bracket or word is missing", "correct it")
        }
    }
}

fn pieces_of(word: &str, mark: &str, holes: &[&Hole]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut parts = word.split(mark);
    if let Some(first) = parts.next().filter(|first| !first.is_empty()) {
        pieces.push(Piece::Text(first.to_owned()));
    }
    for part in parts {
        let Some((number, rest)) = part.split_once('E') else { continue };
        if let Some(hole) = number.parse::<usize>().ok().and_then(|number| holes.get(number)) {
            pieces.push(Piece::Hole((*hole).clone()));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
    }
    pieces
}

/// Expands a step.
///
/// # Errors
/// Why it may not run, or not yet.
pub fn step(runbook: &Runbook, step: &Step, world: &World<'_>) -> Result<Invocation, Refusal> {
    let mut invocation = match &step.work {
        Work::Automated { command } => return command_of(runbook, command, &step.handling, world),
        Work::Argv { words } => {
            let words: Vec<Vec<Piece>> = words.iter().map(|word| template::native(word).pieces).collect();
            reinterpret::check_argv(&words)?;
            bind(runbook, &Plan::Argv(words), world)?
        }
        Work::Script { language, text } => script(runbook, language, text, world)?,
        other => {
            let message = format!("a step of kind {} runs nothing", other.word());
            return Err(fault(0, message, "do it by hand").into());
        }
    };
    invocation.level = classify::step(step);
    finish(runbook, invocation, &step.handling, world)
}

/// Expands a command of a step: its own, its rollback, its dry run.
///
/// # Errors
/// Why it may not run, or not yet.
pub fn command_of(
    runbook: &Runbook,
    command: &str,
    handling: &Handling,
    world: &World<'_>,
) -> Result<Invocation, Refusal> {
    let Some(template) = template_of(runbook, command) else {
        return Err(not_shell(&NotShell::Unreadable).into());
    };
    let is_path = |name: &str| matches!(runbook.param(name).map(|param| &param.kind), Some(Kind::Path { .. }));
    let plan = plan(&template, handling.shell, &is_path)?;
    let mut invocation = bind(runbook, &plan, world)?;
    // The values are in: `--replicas={n}` that became 0 takes everything away.
    let measured = match &invocation.run {
        Run::Argv(words) => classify::argv(words).max(classify::text(command)),
        _ => classify::text(command),
    };
    invocation.level = measured.max(handling.danger.unwrap_or(Level::Read));
    finish(runbook, invocation, handling, world)
}

/// Fills words that are executed without a shell: a library variable's command.
///
/// # Errors
/// Why it may not run, or not yet.
pub fn words(runbook: &Runbook, words: &[String], world: &World<'_>) -> Result<Invocation, Refusal> {
    let words: Vec<Vec<Piece>> = words.iter().map(|word| template::native(word).pieces).collect();
    reinterpret::check_argv(&words)?;
    let mut invocation = bind(runbook, &Plan::Argv(words), world)?;
    if let Run::Argv(words) = &invocation.run {
        invocation.level = classify::argv(words);
    }
    Ok(invocation)
}

fn script(runbook: &Runbook, language: &str, text: &str, world: &World<'_>) -> Result<Invocation, Refusal> {
    // The text is the author's, byte for byte; it finds the values of every parameter in its environment.
    let mut env = Vec::new();
    let mut uses = Vec::new();
    for param in &runbook.params {
        let name = shelltext::env_name(&param.name);
        if text.contains(&name) {
            let bound = value_of(runbook, &param.name, HoleKind::Variable, world)?;
            env.push((name, rendered(runbook, &param.name, &bound)?));
            uses.push((param.name.clone(), bound));
        }
    }
    let run = Run::Script { interpreter: language.to_owned(), text: text.to_owned() };
    Ok(Invocation { run, env, uses, ..empty() })
}

fn empty() -> Invocation {
    Invocation {
        run: Run::Argv(Vec::new()),
        env: Vec::new(),
        secrets: Vec::new(),
        cwd: None,
        stdin: None,
        level: Level::Change,
        uses: Vec::new(),
    }
}

fn bind(runbook: &Runbook, plan: &Plan, world: &World<'_>) -> Result<Invocation, Refusal> {
    let mut uses: Vec<(String, Bound)> = Vec::new();
    let mut note = |hole: &Hole| -> Result<Bound, Cause> {
        let bound = value_of(runbook, &hole.text, hole.kind, world)?;
        if !uses.iter().any(|(name, _)| *name == hole.text) {
            uses.push((hole.text.clone(), bound.clone()));
        }
        Ok(bound)
    };
    let (run, env) = match plan {
        Plan::Argv(words) => {
            let mut argv = Vec::new();
            for word in words {
                if let [Piece::Hole(hole)] = word.as_slice()
                    && let Bound { value: Value::List(items), .. } = note(hole)?
                {
                    // A list that is a word of its own becomes as many words.
                    for item in items {
                        argv.push(checked(runbook, &hole.text, item)?);
                    }
                    continue;
                }
                let mut text = String::new();
                for piece in word {
                    match piece {
                        Piece::Text(part) => text.push_str(part),
                        Piece::Hole(hole) => text.push_str(&rendered(runbook, &hole.text, &note(hole)?)?),
                    }
                }
                argv.push(text);
            }
            (Run::Argv(argv), Vec::new())
        }
        Plan::Shell { shell, text, env } => {
            let env = env
                .iter()
                .map(|(name, hole)| Ok((name.clone(), rendered(runbook, &hole.text, &note(hole)?)?)))
                .collect::<Result<Vec<_>, Refusal>>()?;
            (Run::Shell { shell: *shell, text: text.clone() }, env)
        }
    };
    Ok(Invocation { run, env, uses, ..empty() })
}

/// The value of a hole.
fn value_of(runbook: &Runbook, text: &str, kind: HoleKind, world: &World<'_>) -> Result<Bound, Cause> {
    let named = |name: &str| match world.values.get(name) {
        Some(Ok(bound)) => Some(Ok(bound.clone())),
        Some(Err(cause)) => Some(Err(cause.clone().of(name))),
        None => None,
    };
    if let Some(found) = named(text) {
        return found;
    }
    if kind != HoleKind::Variable {
        return Err(Cause::Missing(text.to_owned()));
    }
    let expr = Expr::compile(text).map_err(|error| Cause::Expression(error.to_string()))?;
    let value = expr.value(world)?;
    let trusts = expr.references().variables.iter().filter_map(|name| world.values.get(name)?.as_ref().ok());
    let trust = if expr.references().reads_facts {
        Trust::Untrusted
    } else {
        trusts.map(|bound| bound.trust).min().unwrap_or(Trust::Checked)
    };
    let bound = Bound::new(value, Origin::Computed, trust);
    // A computed text is looked at like one that came in by itself.
    if let Value::Text(found) = &bound.value {
        super::bind::gate::admit(&Kind::default(), found, bound.trust, super::bind::gate::Allow::default())?;
    }
    let _ = runbook;
    Ok(bound)
}

/// A value as one word.
fn rendered(runbook: &Runbook, name: &str, bound: &Bound) -> Result<String, Refusal> {
    if let Value::Secret(secret) = &bound.value {
        let message = format!("{name} is the secret {secret}, and arguments are seen by everybody on the machine");
        return Err(fault(0, message, "name it under secrets: and read it from the environment").into());
    }
    if matches!(bound.value, Value::List(_)) {
        return Err(Cause::Refused(format!("{name} is a list; it must be a word of its own")).into());
    }
    checked(runbook, name, bound.value.to_string())
}

/// The last look at a word's value, whatever gave it.
fn checked(runbook: &Runbook, name: &str, text: String) -> Result<String, Refusal> {
    let allow = runbook.param(name).map_or_else(super::bind::gate::Allow::default, super::bind::gate::Allow::of);
    super::bind::gate::look(&text, allow).map_err(|cause| cause.of(name))?;
    Ok(text)
}

fn finish(
    runbook: &Runbook,
    mut invocation: Invocation,
    handling: &Handling,
    world: &World<'_>,
) -> Result<Invocation, Refusal> {
    let fill = |text: &str| -> Result<String, Refusal> {
        let mut wrong = None;
        let filled = template::native(text).fill(|hole| {
            let found = value_of(runbook, &hole.text, hole.kind, world).map_err(Refusal::from);
            found.and_then(|bound| rendered(runbook, &hole.text, &bound)).unwrap_or_else(|refusal| {
                wrong.get_or_insert(refusal);
                String::new()
            })
        });
        wrong.map_or(Ok(filled), Err)
    };
    invocation.cwd = handling.cwd.as_deref().map(fill).transpose()?;
    invocation.stdin = handling.stdin.as_deref().map(fill).transpose()?;
    for (name, value) in &handling.env {
        invocation.env.push((name.clone(), fill(value)?));
    }
    invocation.secrets.clone_from(&handling.secrets);
    Ok(invocation)
}

/// Text with holes that is nothing to execute: a lock's name, a context.
///
/// # Errors
/// Which value is missing.
pub fn words_of_text(runbook: &Runbook, text: &str, world: &World<'_>) -> Result<String, Refusal> {
    let bare = Handling { cwd: Some(text.to_owned()), ..Handling::default() };
    Ok(finish(runbook, empty(), &bare, world)?.cwd.unwrap_or_default())
}

/// Everything wrong with a command's text, found without any value.
#[must_use]
pub fn faults(runbook: &Runbook, command: &str, choice: ShellChoice) -> Vec<Fault> {
    let Some(template) = template_of(runbook, command) else { return vec![not_shell(&NotShell::Unreadable)] };
    let is_path = |name: &str| matches!(runbook.param(name).map(|param| &param.kind), Some(Kind::Path { .. }));
    plan(&template, choice, &is_path).err().into_iter().collect()
}

fn refused_place(place: Place) -> Option<&'static str> {
    match place {
        Place::Program => Some("as the name of a program"),
        Place::AssignmentName => Some("in the name of a variable"),
        Place::RedirectTarget => Some("as the file of a redirection"),
        Place::HereDocument => Some("in a here-document"),
        Place::Arithmetic => Some("where the shell computes"),
        Place::FunctionName => Some("in the name of a function"),
        Place::Argument | Place::AssignmentValue | Place::Subject => None,
    }
}

#[cfg(test)]
mod tests;

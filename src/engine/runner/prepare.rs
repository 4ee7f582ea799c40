//! What a step would do now: values, condition and guard, the exact words, where they act, how dangerous that is.

use chrono::TimeDelta;

use super::kit::Kit;
use super::resolve::{self, shown};
use super::scene::Scene;
use super::{judge, kube, secrets, words};
use crate::domain::id::{SourceId, StepId};
use crate::domain::run::{Digest, Forecast, Judgement, Level, Need, Proposal, Question, Target, Truth, Word};
use crate::runbook::bind::{Request, Resolution, promql, wants};
use crate::runbook::classify;
use crate::runbook::expand::{self, Invocation, Refusal, Run, Shell};
use crate::runbook::expr::World;
use crate::runbook::model::{Step, Work};
use crate::runbook::value::Cause;
use crate::step::spec::{Interpreter, Program, Secret, StepSpec, TerminalSize};
use crate::text::{Clean, Untrusted};

/// How long an approval counts after the command was shown.
pub(super) const COUNTS: TimeDelta = TimeDelta::minutes(2);

/// The size of a step's terminal until somebody looks at it.
const TERMINAL: TerminalSize = TerminalSize { columns: 80, rows: 24 };

/// What a step would do, ready to be done.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub proposal: Proposal,
    pub deed: Deed,
    /// What its process gets and nobody sees.
    pub secrets: Vec<Secret>,
}

/// How it is done.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// As a process.
    Process(Box<StepSpec>),
    /// By asking Prometheus.
    Query(SourceId, String),
    /// Not by us.
    Nothing,
}

/// Looks at a step.
pub(super) async fn prepare(kit: &Kit, scene: &Scene, step: &Step) -> Prepared {
    let found = resolve::values(kit, scene, &wants(&scene.runbook, step)).await;
    let mut judgements = Vec::new();
    for (question, expression) in [(Question::Condition, &step.condition), (Question::Guard, &step.handling.guard)] {
        // A foreign document's conditions are words.
        if let Some(expression) = expression.as_ref().filter(|_| scene.runbook.is_native) {
            judgements.push(judge::answer(kit, scene, question, expression, &found));
        }
    }
    let mut proposal = blank(kit, scene, step, judgements);
    proposal.values = found.values.iter().map(|(name, resolved)| shown(name, resolved)).collect();
    let deed = match &step.work {
        Work::Query { promql } => query(kit, scene, promql, &found, &mut proposal),
        Work::Automated { .. } | Work::Argv { .. } | Work::Script { .. } => {
            command(kit, scene, step, &found, &mut proposal).await
        }
        Work::Session { lines } if scene.runbook.is_native => {
            opening(kit, scene, step, lines, &found, &mut proposal).await
        }
        Work::Session { lines } => session(kit, scene, step, lines, &mut proposal).await,
        _ => Deed::Nothing,
    };
    let secrets = secrets::found(kit, &deed, &mut proposal).await;
    if let Deed::Process(spec) = &deed {
        proposal.digest = Digest(spec.digest(&secrets).to_string());
    }
    proposal.forecast = forecast(kit, scene, step, &proposal);
    proposal.need = need(kit, scene, step, &proposal, &found).await;
    Prepared { proposal, deed, secrets }
}

fn blank(kit: &Kit, scene: &Scene, step: &Step, judgements: Vec<Judgement>) -> Proposal {
    Proposal {
        run: scene.run,
        step: step.id.clone(),
        title: step.title.clone(),
        forecast: Forecast::WouldRun,
        level: Level::Read,
        words: Vec::new(),
        shell: None,
        given: Vec::new(),
        values: Vec::new(),
        judgements,
        target: Target::default(),
        name: Clean::default(),
        warnings: Vec::new(),
        need: None,
        inverse: None,
        digest: Digest(crate::runbook::content_hash(step.id.as_str())),
        until: kit.clock.now() + COUNTS,
    }
}

fn query(kit: &Kit, scene: &Scene, promql: &str, found: &Resolution, proposal: &mut Proposal) -> Deed {
    let mut value = |name: &str| match found.values.get(name) {
        Some(Ok(bound)) => Ok(bound.value.to_string()),
        Some(Err(cause)) => Err(cause.clone().of(name)),
        None => Err(Cause::Missing(name.to_owned())),
    };
    let generator = scene.situation.generator.as_ref().map(Untrusted::expose);
    match (promql::fill(promql, &mut value), kit.server(generator)) {
        (Ok(query), Some((server, _))) => {
            proposal.words = vec![Word { text: Clean::new(&query), parts: Vec::new() }];
            proposal.digest = Digest(crate::runbook::content_hash(&query));
            Deed::Query(server.clone(), query)
        }
        (Err(cause), _) => {
            lacking(proposal, &cause);
            Deed::Nothing
        }
        (_, None) => {
            lacking(proposal, &Cause::Unreachable("no Prometheus is configured".to_owned()));
            Deed::Nothing
        }
    }
}

async fn command(kit: &Kit, scene: &Scene, step: &Step, found: &Resolution, proposal: &mut Proposal) -> Deed {
    let facts = scene.facts();
    let now = kit.clock.now();
    let world = World { values: &found.values, promql: &found.promql, steps: &scene.steps, facts: &facts, now };
    proposal.level = classify::step(step);
    let invocation = match expand::step(&scene.runbook, step, &world) {
        Ok(invocation) => invocation,
        Err(Refusal::Value(cause)) => {
            lacking(proposal, &cause);
            return Deed::Nothing;
        }
        Err(Refusal::Fault(fault)) => {
            proposal.forecast = Forecast::Refused { why: Clean::new(format!("{}; {}", fault.message, fault.fix)) };
            return Deed::Nothing;
        }
    };
    proposal.level = proposal.level.max(invocation.level);
    proposal.warnings = invocation.warnings();
    proposal.words = words::words(&scene.runbook, step, &invocation);
    let program = match &invocation.run {
        Run::Argv(words) => Program::Argv(words.clone()),
        Run::Shell { shell, text } => {
            proposal.shell = Some(Clean::new(text));
            let interpreter = if *shell == Shell::Sh { Interpreter::Sh } else { Interpreter::Bash };
            Program::Shell { interpreter, text: text.clone() }
        }
        Run::Script { interpreter, text } => {
            proposal.shell = Some(Clean::new(text));
            match interpreter.as_str() {
                "sh" => Program::Shell { interpreter: Interpreter::Sh, text: text.clone() },
                "bash" => Program::Shell { interpreter: Interpreter::Bash, text: text.clone() },
                _ => Program::Argv(invocation.argv()),
            }
        }
    };
    let mut spec = spec(kit, scene, step, proposal, program, &invocation.env).await;
    if let Some(cwd) = &invocation.cwd {
        spec.cwd = cwd.into();
    }
    if spec.terminal.is_some() && invocation.stdin.is_some() {
        let why = "a step with a terminal is typed into: it has no stdin";
        proposal.forecast = Forecast::Refused { why: Clean::new(why) };
        return Deed::Nothing;
    }
    give(&invocation, &mut spec, proposal);
    Deed::Process(Box::new(spec))
}

/// What it gets besides its words, shown beside them: a person approves that too.
fn give(invocation: &Invocation, spec: &mut StepSpec, proposal: &mut Proposal) {
    // The two shells are given their script as a word, which leaves the standard input free for the step's own.
    spec.stdin = match &spec.program {
        Program::Shell { .. } => invocation.stdin.clone(),
        Program::Argv(_) => invocation.input().map(str::to_owned),
    };
    if let Some(text) = &invocation.stdin {
        proposal.given.extend(text.lines().map(|line| Clean::new(format!("stdin: {line}"))));
        proposal.given.extend(text.is_empty().then(|| Clean::new("stdin: empty")));
    }
    for name in &invocation.secrets {
        if !spec.secrets.contains(name) {
            spec.secrets.push(name.clone());
            proposal.given.push(Clean::new(format!("secret {name} in its environment")));
        }
    }
}

/// The first line opens the remote shell here, its values filled in and gated like any command's; the others are staged.
async fn opening(
    kit: &Kit,
    scene: &Scene,
    step: &Step,
    lines: &[String],
    found: &Resolution,
    proposal: &mut Proposal,
) -> Deed {
    let mut opens = step.clone();
    opens.work = Work::Automated { command: lines.first().cloned().unwrap_or_default() };
    opens.handling.interactive = true;
    let deed = command(kit, scene, &opens, found, proposal).await;
    // Whatever is sent to it later is not known when it is opened.
    proposal.level = proposal.level.max(Level::Change);
    deed
}

/// A foreign document's session is opened only by a line without blanks; nobody here knows what its braces mean.
async fn session(kit: &Kit, scene: &Scene, step: &Step, lines: &[String], proposal: &mut Proposal) -> Deed {
    let opening = lines.first().and_then(|line| shell_words::split(line).ok()).filter(|words| !words.is_empty());
    let Some(words) = opening else {
        proposal.forecast = Forecast::Refused { why: Clean::new("the session has no line that opens it") };
        return Deed::Nothing;
    };
    let has_hole = words.iter().any(|word| word.contains(['{', '<', '$']));
    if has_hole {
        let why = "the line that opens the session has blanks: copy it and fill them in your own shell";
        proposal.forecast = Forecast::Refused { why: Clean::new(why) };
        return Deed::Nothing;
    }
    proposal.level = Level::Change;
    proposal.words = words.iter().map(|word| Word { text: Clean::new(word), parts: Vec::new() }).collect();
    let spec = spec(kit, scene, step, proposal, Program::Argv(words), &[]).await;
    Deed::Process(Box::new(spec))
}

/// The order for the supervisor, and where it acts.
async fn spec(
    kit: &Kit,
    scene: &Scene,
    step: &Step,
    proposal: &mut Proposal,
    program: Program,
    env: &[(String, String)],
) -> StepSpec {
    let argv = match &program {
        Program::Argv(words) => words.clone(),
        Program::Shell { .. } => Vec::new(),
    };
    proposal.name = Clean::new(if argv.is_empty() { step.id.to_string() } else { kube::name_of(&argv) });
    let is_kube = kube::is_kube(&argv) || proposal.shell.as_ref().is_some_and(|text| text.as_str().contains("kubectl"));
    if is_kube {
        proposal.target = kube::target(kit, &argv).await;
        guard_target(scene, step, proposal);
    }
    if !scene.runbook.is_native {
        proposal.warnings.push(Clean::new("a foreign document: nobody here has written or checked this command"));
        proposal.level = proposal.level.max(Level::Change);
    }
    if scene.situation.is_over {
        proposal.warnings.push(Clean::new("the alert is over: run this only when you mean it"));
        proposal.level = proposal.level.max(Level::Change);
    }
    let mut spec = StepSpec::new(program, scene.cwd(kit));
    spec.run = scene.run.to_string();
    spec.step = step.id.to_string();
    spec.env = scene.environment(kit, env);
    spec.captures = step.handling.capture.iter().filter_map(words::capture).collect();
    let is_session = step.handling.interactive || matches!(step.work, Work::Session { .. });
    spec.timeout = (!is_session || step.handling.timeout.is_some()).then(|| step.handling.timeout(proposal.level));
    spec.terminal = is_session.then_some(TERMINAL);
    let bound = [
        ("context", proposal.target.context.as_ref()),
        ("server", proposal.target.server.as_ref()),
        ("namespace", proposal.target.namespace.as_ref()),
    ];
    for (name, value) in bound.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        spec.bound.insert(name.to_owned(), value.to_string());
    }
    spec.bound.insert("runbook".to_owned(), scene.runbook.content_hash.clone());
    spec.bound.insert("level".to_owned(), proposal.level.word().to_owned());
    // An approval dies when the alert resolves.
    let alert = if scene.situation.is_over { "over" } else { "firing" };
    spec.bound.insert("alert".to_owned(), alert.to_owned());
    spec
}

/// The wrong cluster needs a second person; one that the document rules out is refused below.
fn guard_target(scene: &Scene, step: &Step, proposal: &mut Proposal) {
    let cluster = scene.situation.labels.get("cluster").map(crate::text::UntrustedStr::expose);
    if let Some(why) = kube::mismatch(&proposal.target, cluster, None) {
        proposal.warnings.push(Clean::new(format!("{why}: a second person must agree")));
        if proposal.level > Level::Read {
            proposal.level = Level::TwoPerson;
        }
    }
    if ruled_out(scene, step, proposal).is_none() && proposal.target.context.is_none() {
        proposal.warnings.push(Clean::new("no kubeconfig names a context: the command decides where it acts"));
    }
}

fn ruled_out(scene: &Scene, step: &Step, proposal: &Proposal) -> Option<Clean> {
    let target = step.handling.target.as_ref().or(scene.runbook.target.as_ref())?;
    kube::mismatch(&proposal.target, None, target.must_match.as_deref())
}

/// Something has no value, or one that may not stand there.
fn lacking(proposal: &mut Proposal, cause: &Cause) {
    let words = Clean::new(cause.to_string());
    proposal.forecast = match cause.root() {
        Cause::Refused(_) => Forecast::Refused { why: words },
        _ => Forecast::CantTell { cause: words },
    };
}

/// One of five words. What is refused is refused whatever a condition says; what is skipped needs no approval.
fn forecast(kit: &Kit, scene: &Scene, step: &Step, proposal: &Proposal) -> Forecast {
    let answer = |question: Question| proposal.judgements.iter().find(|known| known.question == question);
    if let Some(Judgement { truth: Truth::False, .. }) = answer(Question::Condition) {
        return Forecast::WouldSkip;
    }
    if let Forecast::Refused { .. } = proposal.forecast {
        return proposal.forecast.clone();
    }
    if proposal.level > Level::Read && kit.config.room.read_only {
        return Forecast::Refused { why: Clean::new("this room is read-only, and the step may change something") };
    }
    if let Some(why) = ruled_out(scene, step, proposal) {
        return Forecast::Refused { why };
    }
    match answer(Question::Guard).map(|judgement| &judgement.truth) {
        Some(Truth::False) => {
            return Forecast::Refused { why: Clean::new("its guard is false: the runbook forbids it now") };
        }
        Some(Truth::Unknown { cause }) => {
            return Forecast::Refused { why: Clean::new(format!("its guard cannot be told: {cause}")) };
        }
        _ => {}
    }
    if let Some(Judgement { truth: Truth::Unknown { cause }, .. }) = answer(Question::Condition)
        && !scene.insisted.contains(&step.id)
    {
        return Forecast::CantTell { cause: cause.clone() };
    }
    if let Forecast::CantTell { .. } = proposal.forecast {
        return proposal.forecast.clone();
    }
    match &step.work {
        Work::Manual | Work::Note | Work::Ask { .. } | Work::Approve { .. } => Forecast::NeedsApproval,
        Work::CopyOnly { .. } => Forecast::Refused { why: Clean::new("text to copy: it is never run here") },
        Work::Include { runbook } => {
            Forecast::Refused { why: Clean::new(format!("the runbook '{runbook}' that it includes is not known")) }
        }
        _ if proposal.level == Level::Read => Forecast::WouldRun,
        _ => Forecast::NeedsApproval,
    }
}

/// What is missing from a person.
async fn need(kit: &Kit, scene: &Scene, step: &Step, proposal: &Proposal, found: &Resolution) -> Option<Need> {
    let question = found.requests.iter().find_map(|request| match request {
        Request::Ask(question) => Some(question),
        _ => None,
    });
    match (&proposal.forecast, &step.work) {
        // A refused value can be replaced by a better one.
        (Forecast::CantTell { .. } | Forecast::Refused { .. }, _) if question.is_some() => {
            Some(resolve::need(kit, scene, question?).await)
        }
        (Forecast::CantTell { cause }, _) => Some(Need::Certainty { cause: cause.clone() }),
        (Forecast::NeedsApproval, Work::Ask { .. }) => Some(Need::Answer { question: step.title.clone() }),
        (Forecast::NeedsApproval, _) => Some(Need::Approval { digest: proposal.digest.clone() }),
        _ => None,
    }
}

/// The id of a step, from its place.
pub(super) fn number(scene: &Scene, step: &StepId) -> usize {
    scene.runbook.step(step.as_str()).map_or(0, |(at, _)| at + 1)
}

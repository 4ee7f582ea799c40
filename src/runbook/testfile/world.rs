//! The pretended world of a test: every step is decided and expanded as the runner does it, and fake commands answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Happened, Outcome, Test};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::runbook::bind::{self, Fetched, Given, Request, Resolution, Wants};
use crate::runbook::capture::{self, Output};
use crate::runbook::expand::{self, Invocation, Run};
use crate::runbook::expr::{Expr, Truth, World};
use crate::runbook::model::{Runbook, Step, Work};
use crate::runbook::value::{StepResult, Values};

/// Most rounds of asking: a variable that needs a variable that needs a variable…
const MOST_ROUNDS: usize = 8;

/// Plays all steps in order.
pub(super) fn play(test: &Test, runbook: &Runbook) -> Vec<Happened> {
    let now = test.at.or_else(|| chrono::DateTime::from_timestamp(1_760_000_000, 0)).unwrap_or_default();
    let mut stage = Stage {
        test,
        runbook,
        now,
        captures: Values::new(),
        asked: test.answers.clone(),
        results: BTreeMap::new(),
        has_changed: false,
    };
    runbook.steps.iter().map(|step| stage.step(step)).collect()
}

struct Stage<'a> {
    test: &'a Test,
    runbook: &'a Runbook,
    now: Timestamp,
    captures: Values,
    asked: BTreeMap<String, String>,
    results: BTreeMap<String, StepResult>,
    has_changed: bool,
}

impl Stage<'_> {
    fn step(&mut self, step: &Step) -> Happened {
        let mut happened = Happened {
            step: step.id.as_str().to_owned(),
            outcome: Outcome::Manual,
            argv: Vec::new(),
            shell: None,
            level: crate::runbook::classify::step(step),
            because: String::new(),
        };
        let found = self.resolve(&bind::wants(self.runbook, step));
        let (outcome, because) = self.decide(step, &found, &mut happened);
        happened.outcome = outcome;
        happened.because = because;
        let state = happened.outcome.word().to_owned();
        let result = self.results.entry(happened.step.clone()).or_insert(StepResult {
            exit: None,
            state: state.clone(),
            stdout: String::new(),
        });
        result.state = state;
        happened
    }

    fn decide(&mut self, step: &Step, found: &Resolution, happened: &mut Happened) -> (Outcome, String) {
        if let Some(condition) = &step.condition {
            match self.judge(condition, found) {
                Truth::True => {}
                Truth::False => return (Outcome::Skip, format!("{condition} is false")),
                Truth::Unknown(cause) => return (Outcome::Unknown, cause.to_string()),
            }
        }
        if let Work::Ask { into, .. } = &step.work {
            return match self.test.answers.get(into) {
                Some(answer) => {
                    self.asked.insert(into.clone(), answer.clone());
                    (Outcome::Manual, format!("answered {answer}"))
                }
                None => (Outcome::Unknown, format!("{into} has no answer")),
            };
        }
        if !step.work.runs_here() {
            return (Outcome::Manual, format!("a step of kind {}", step.work.word()));
        }
        let world = self.world(found);
        let invocation = match expand::step(self.runbook, step, &world) {
            Ok(invocation) => invocation,
            Err(expand::Refusal::Fault(fault)) => return (Outcome::Blocked, fault.message),
            Err(expand::Refusal::Value(cause)) => return (Outcome::Unknown, cause.to_string()),
        };
        happened.argv = invocation.argv();
        happened.level = invocation.level;
        if let Run::Shell { text, .. } | Run::Script { text, .. } = &invocation.run {
            happened.shell = Some(text.clone());
        }
        if let Some(guard) = &step.handling.guard {
            match self.judge(guard, found) {
                Truth::True => {}
                Truth::False => return (Outcome::Blocked, format!("the guard {guard} is false")),
                Truth::Unknown(cause) => return (Outcome::Unknown, cause.to_string()),
            }
        }
        if invocation.level > Level::Read {
            if self.test.read_only {
                return (Outcome::Blocked, "read only".to_owned());
            }
            if !self.test.approves {
                return (Outcome::Blocked, "nobody agreed".to_owned());
            }
        }
        self.run(step, &invocation)
    }

    fn run(&mut self, step: &Step, invocation: &Invocation) -> (Outcome, String) {
        let words = match &invocation.run {
            Run::Argv(words) => words.join(" "),
            Run::Shell { text, .. } | Run::Script { text, .. } => text.clone(),
        };
        let limit = step.handling.timeout(invocation.level);
        let (exit, stdout, stderr) = match self.answer(&words, limit) {
            Ok(answer) => answer,
            Err(because) => {
                let outcome = if invocation.level > Level::Read && because.contains("in time") {
                    // A change that timed out may have happened.
                    Outcome::Unknown
                } else {
                    Outcome::Failed
                };
                return (outcome, because);
            }
        };
        let result = StepResult { exit: Some(exit), state: "done".to_owned(), stdout: stdout.clone() };
        self.results.insert(step.id.as_str().to_owned(), result);
        self.has_changed |= invocation.level > Level::Read;
        if !step.handling.expect.exit.contains(&exit) {
            return (Outcome::Failed, format!("exit {exit}"));
        }
        if let Some(pattern) = &step.handling.expect.stdout
            && !regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&stdout))
        {
            return (Outcome::Failed, format!("the output does not match {pattern}"));
        }
        for wanted in &step.handling.capture {
            let output = Output { stdout: &stdout, stderr: &stderr, file: "" };
            let taken = capture::take(wanted, &output, step.id.as_str());
            if let Err(cause) = &taken {
                return (Outcome::Failed, cause.to_string());
            }
            self.captures.insert(wanted.name.clone(), taken);
        }
        self.verified(step, invocation)
    }

    fn verified(&mut self, step: &Step, invocation: &Invocation) -> (Outcome, String) {
        let ran = if invocation.level > Level::Read { Outcome::Approved } else { Outcome::Run };
        let Some(verify) = &step.handling.verify else { return (ran, "exit as expected".to_owned()) };
        let found = self.resolve(&bind::wants_of(self.runbook, &[&verify.condition], &[]));
        match self.judge(&verify.condition, &found) {
            Truth::True => (Outcome::Verified, format!("{} is true", verify.condition)),
            Truth::False => (Outcome::Failed, format!("{} stayed false", verify.condition)),
            Truth::Unknown(cause) => (Outcome::Unknown, cause.to_string()),
        }
    }

    fn world<'w>(&'w self, found: &'w Resolution) -> World<'w> {
        World {
            values: &found.values,
            promql: &found.promql,
            steps: &self.results,
            facts: &self.test.facts,
            now: self.now,
        }
    }

    fn judge(&self, condition: &str, found: &Resolution) -> Truth {
        match Expr::compile(condition) {
            Ok(expr) => expr.judge(&self.world(found)).truth,
            Err(error) => Truth::Unknown(crate::runbook::value::Cause::Expression(error.to_string())),
        }
    }

    fn resolve(&self, wants: &Wants) -> Resolution {
        let mut fetched = BTreeMap::new();
        let mut found = Resolution::default();
        for _ in 0..MOST_ROUNDS {
            let given = Given {
                runbook: self.runbook,
                facts: &self.test.facts,
                overrides: &self.test.values,
                asked: &self.asked,
                captures: &self.captures,
                fetched: &fetched,
                now: self.now,
            };
            found = bind::resolve(&given, wants);
            if !found.is_waiting() {
                break;
            }
            let answers: Vec<(String, Fetched)> =
                found.requests.iter().filter_map(|request| self.fetch(request)).collect();
            fetched.extend(answers);
        }
        found
    }

    fn fetch(&self, request: &Request) -> Option<(String, Fetched)> {
        match request {
            Request::Query { key, variable } => {
                let after = self.has_changed.then_some(&self.test.metrics_after).into_iter();
                let tables = after.chain([&self.test.metrics]);
                let metric = tables.into_iter().find_map(|table| table.get(variable).or_else(|| table.get(key)));
                let samples = metric.map_or(Ok(Vec::new()), |metric| metric.samples(self.now));
                Some((key.clone(), Fetched::Samples { server: "test".to_owned(), samples }))
            }
            Request::Command { key, words, .. } => {
                let answer = self.answer(&words.join(" "), Duration::from_secs(60));
                let output = match answer {
                    Ok((0, stdout, _)) => Ok(stdout),
                    Ok((exit, ..)) => {
                        Err(crate::runbook::value::Cause::Unreachable(format!("{} exits {exit}", words.join(" "))))
                    }
                    Err(words) => Err(crate::runbook::value::Cause::Unreachable(words)),
                };
                Some((key.clone(), Fetched::Output(output)))
            }
            Request::Ask(_) => None,
        }
    }

    fn answer(&self, words: &str, limit: Duration) -> Result<(i32, String, String), String> {
        let fits =
            |fake: &&super::FakeCommand| regex::Regex::new(&fake.pattern).is_ok_and(|pattern| pattern.is_match(words));
        let Some(fake) = self.test.commands.iter().find(fits) else {
            return Err(format!("no fake command matches '{words}'"));
        };
        if fake.hangs || fake.delay > limit {
            return Err("it did not end in time".to_owned());
        }
        Ok((fake.exit, fake.stdout.clone(), fake.stderr.clone()))
    }
}

//! One step from its approval to its end: intent and approval durable, then the process, its output, its end, what was
//! verified, and what the alert's own expression did meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::aftermath::{mark, stdout};
use super::kit::Kit;
use super::kube;
use super::locks::Held;
use super::output::Lines;
use super::prepare::{Deed, Prepared, number};
use super::scene::Scene;
use crate::domain::fact::Fact;
use crate::domain::failure::Failure;
use crate::domain::run::{
    Approval, BoundValue, Ending, Happened, Level, Outcome, OutputMark, Printed, ProcessMark, Side,
};
use crate::domain::series::Answer;
use crate::engine::process::{Attached, StepError, StepEvent};
use crate::runbook::model::Step;
use crate::runbook::value::StepResult;
use crate::step::event::{End, Finished};
use crate::step::place::Place;
use crate::step::spec::{StepSpec, TerminalSize};
use crate::step::state::StepState;
use crate::text::Clean;

/// Output is told to the screen this often: as often as it draws while a step prints.
const TELL: Duration = Duration::from_millis(50);

/// Keys and orders that wait for a step: more than a person types while its journal takes a sync.
pub(super) const ASKS: usize = 256;

/// What people ask of a step that runs.
#[derive(Clone, Debug)]
pub(super) enum StepAsk {
    Cancel(Clean),
    Keys(Vec<u8>),
    Line(String),
    Resize(TerminalSize),
}

/// What came of it, for the run's memory.
#[derive(Debug)]
pub(super) struct Ran {
    pub result: StepResult,
    pub captured: Vec<(String, String)>,
    pub outcome: Outcome,
}

/// One try of a step.
pub(super) struct Job {
    pub kit: Arc<Kit>,
    pub scene: Scene,
    pub step: Step,
    pub prepared: Prepared,
    pub by: Clean,
    pub how: Approval,
    pub attempt: u32,
    pub asks: mpsc::Receiver<StepAsk>,
    pub lock: Option<Held>,
}

impl Job {
    /// From the approval to the end, with the retries that the document allows.
    pub async fn run(mut self) -> Ran {
        let mut wait = self.step.handling.retries.delay;
        let mut how = self.how.clone();
        let last = self.attempt + self.step.handling.retries.max;
        loop {
            let ran = match self.once(how).await {
                Ok(ran) => ran,
                Err(failure) => ended("refused", Outcome::Refused { why: Clean::new(failure.to_string()) }),
            };
            let is_over = !matches!(ran.outcome, Outcome::Failed { .. }) || self.attempt >= last;
            if is_over {
                if let Some(lock) = self.lock.take() {
                    lock.give_back().await;
                }
                self.after(&ran).await;
                return ran;
            }
            sleep(wait).await;
            wait = wait.saturating_mul(self.step.handling.retries.backoff.max(1));
            self.attempt += 1;
            how = Approval::Retry;
        }
    }

    pub(super) async fn write(&self, whats: Vec<Happened>) -> Result<(), Failure> {
        self.kit.records.write(self.scene.run, &self.by, whats).await
    }

    pub(super) fn changes(&self) -> bool {
        self.prepared.proposal.level > Level::Read
    }

    async fn once(&mut self, how: Approval) -> Result<Ran, Failure> {
        let proposal = &self.prepared.proposal;
        let (step, digest) = (self.step.id.clone(), proposal.digest.clone());
        let intended = Happened::Intended {
            step: step.clone(),
            attempt: self.attempt,
            level: proposal.level,
            words: proposal.words.iter().map(|word| word.text.clone()).collect(),
            shell: proposal.shell.clone(),
            digest: digest.clone(),
            target: proposal.target.line(),
            given: proposal.given.clone(),
            lock: self.lock.as_ref().map(|lock| Clean::new(lock.name())),
        };
        let mut whats: Vec<Happened> = proposal.values.iter().cloned().map(Happened::Bound).collect();
        if self.changes() {
            whats.extend(self.sample(Side::Before).await);
            if let Deed::Process(spec) = &self.prepared.deed
                && let Some(inverse) = kube::inverse(&self.kit, &self.scene, &spec.program.argv()).await
            {
                whats.push(Happened::Remembered { step: step.clone(), inverse });
            }
        }
        whats.push(intended);
        whats.push(Happened::Approved { step: step.clone(), digest, how });
        self.write(whats).await?;
        match self.prepared.deed.clone() {
            Deed::Process(spec) => self.process(*spec).await,
            Deed::Query(server, promql) => self.query(&server, &promql).await,
            Deed::Nothing => {
                let outcome = Outcome::Done { note: Clean::default() };
                self.kit.records.settle(self.scene.run, &self.by, &step, outcome.clone()).await?;
                Ok(ended("done", outcome))
            }
        }
    }

    async fn query(&mut self, server: &crate::domain::id::SourceId, promql: &str) -> Result<Ran, Failure> {
        let began = Instant::now();
        let step = self.step.id.clone();
        let process = ProcessMark { pid: 0, start_time: 0, boot: String::new(), folder: server.to_string() };
        self.write(vec![Happened::Started { step: step.clone(), process }]).await?;
        let (lines, outcome) = match self.kit.ask(server, promql).await {
            Ok(result) => (answer_lines(&result.answer), Outcome::Done { note: Clean::default() }),
            Err(super::kit::Asked::Failed(failure)) => {
                (Vec::new(), Outcome::Failed { why: Clean::new(failure.to_string()) })
            }
            Err(super::kit::Asked::Late) => (Vec::new(), Outcome::Failed { why: Clean::new("no answer in time") }),
        };
        let bytes = lines.iter().map(|line| line.as_str().len() as u64 + 1).sum();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.print(lines.clone(), bytes, 0).await;
        let output = OutputMark {
            bytes,
            dropped: 0,
            sha256: crate::runbook::content_hash(&text),
            first: lines.iter().take(5).cloned().collect(),
            last: Vec::new(),
        };
        let millis = began.elapsed().as_millis() as u64;
        let code = i32::from(!matches!(outcome, Outcome::Done { .. }));
        let finished =
            Happened::Finished { step: step.clone(), ending: Ending::Exit { code }, millis, outcome: outcome.clone() };
        self.write(vec![Happened::Printed { step, output }, finished]).await?;
        Ok(Ran {
            result: StepResult { exit: Some(code), state: outcome.word().to_owned(), stdout: text },
            captured: Vec::new(),
            outcome,
        })
    }

    async fn process(&mut self, spec: StepSpec) -> Result<Ran, Failure> {
        let place = self.kit.place(self.scene.run, number(&self.scene, &self.step.id), self.attempt);
        let secrets = self.prepared.secrets.clone();
        let approved = spec.digest(&secrets);
        let step = self.step.id.clone();
        let attached = match self.kit.launcher() {
            Ok(launcher) => launcher.start(&place, spec, &secrets, approved).await,
            Err(cause) => Err(StepError::Unreadable(cause)),
        };
        let attached = match attached {
            Ok(attached) => attached,
            // It may run: its folder tells, and a person must look.
            Err(StepError::Silent) => {
                let check = "its supervisor did not answer: look at the target before anything else";
                return self.lost(check).await;
            }
            Err(cause) => {
                let cause = Clean::new(cause.to_string());
                let outcome = Outcome::Failed { why: cause.clone() };
                let ending = Ending::NotStarted { cause };
                self.write(vec![Happened::Finished { step, ending, millis: 0, outcome: outcome.clone() }]).await?;
                return Ok(ended("failed", outcome));
            }
        };
        // It runs: whatever the journal says from here on, nobody may take it for one that did not.
        let followed = self.follow(attached, &place).await;
        followed.or_else(|failure| {
            let check = Clean::new(format!("{failure}: the command ran, look at the target"));
            Ok(ended("unknown", Outcome::Unknown { check }))
        })
    }

    /// Follows a process to its end, whoever started it.
    pub async fn follow(&mut self, mut attached: Attached, place: &Place) -> Result<Ran, Failure> {
        let mut lines = Lines::default();
        let mut beat = interval(TELL);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let is_terminal = matches!(&self.prepared.deed, Deed::Process(spec) if spec.terminal.is_some());
        loop {
            let event = tokio::select! {
                event = attached.next() => event,
                Some(ask) = self.asks.recv() => {
                    ask_of(&mut attached, ask).await;
                    continue;
                }
                _ = beat.tick() => {
                    self.tell(&mut lines).await;
                    continue;
                }
            };
            match event {
                Ok(Some(StepEvent::Running { process })) => {
                    if let Err(failure) = self.started(place, process).await {
                        tracing::warn!(%failure, "the start of a step is not in the journal");
                    }
                }
                Ok(Some(StepEvent::Output { bytes, .. })) => {
                    if is_terminal {
                        self.show_terminal(&bytes).await;
                    }
                    lines.feed(&bytes);
                }
                Ok(Some(StepEvent::Gap { bytes, .. })) => lines.skip(bytes),
                Ok(Some(StepEvent::Finished(finished))) => {
                    lines.finish();
                    self.tell(&mut lines).await;
                    return self.finished(&finished, place).await;
                }
                Ok(Some(StepEvent::Refused { why })) => {
                    let why = Clean::new(why);
                    let outcome = Outcome::Refused { why: why.clone() };
                    let ending = Ending::NotStarted { cause: why };
                    let step = self.step.id.clone();
                    self.write(vec![Happened::Finished { step, ending, millis: 0, outcome: outcome.clone() }]).await?;
                    return Ok(ended("refused", outcome));
                }
                Ok(Some(StepEvent::Lost(state))) => {
                    let alive = matches!(state, StepState::Unknown { is_alive: true, .. });
                    let check = if alive {
                        "its supervisor is gone but the command still runs: look at the process and at the target"
                    } else {
                        "its supervisor is gone and nobody saw the end: look at the target"
                    };
                    return self.lost(check).await;
                }
                Ok(Some(_)) => {}
                Ok(None) => return self.lost("its end was not seen: look at the target").await,
                Err(cause) => return self.lost(&format!("{cause}: look at the target")).await,
            }
        }
    }

    async fn show_terminal(&self, bytes: &[u8]) {
        let shown = Fact::StepTyped { run: self.scene.run, step: self.step.id.clone(), bytes: bytes.to_vec() };
        let _ = self.kit.facts.send(shown).await;
    }

    async fn started(&self, place: &Place, process: crate::step::event::ProcessId) -> Result<(), Failure> {
        let known = self.kit.records.run(self.scene.run);
        let mark = ProcessMark {
            pid: u32::try_from(process.pid).unwrap_or(0),
            start_time: process.start_time,
            boot: process.boot_id,
            folder: place.path().display().to_string(),
        };
        // A console that attaches again hears of the start again.
        let is_known = known
            .and_then(|run| run.steps.get(&self.step.id).map(|step| step.process.as_ref() == Some(&mark)))
            .unwrap_or(false);
        if is_known {
            return Ok(());
        }
        self.write(vec![Happened::Started { step: self.step.id.clone(), process: mark }]).await
    }

    async fn tell(&self, lines: &mut Lines) {
        if let Some((dropped, shown)) = lines.take() {
            self.print(shown, lines.bytes, dropped).await;
        }
    }

    async fn print(&self, lines: Vec<Clean>, bytes: u64, dropped: u64) {
        let printed = Printed { run: self.scene.run, step: self.step.id.clone(), lines, bytes, dropped };
        let _ = self.kit.facts.send(Fact::StepPrinted(Box::new(printed))).await;
    }

    async fn lost(&self, check: &str) -> Result<Ran, Failure> {
        let outcome = Outcome::Unknown { check: Clean::new(check) };
        let step = self.step.id.clone();
        let finished = Happened::Finished { step, ending: Ending::Lost, millis: 0, outcome: outcome.clone() };
        self.write(vec![finished]).await?;
        Ok(ended("unknown", outcome))
    }

    async fn finished(&self, finished: &Finished, place: &Place) -> Result<Ran, Failure> {
        let step = self.step.id.clone();
        let stdout = stdout(place).await;
        let (ending, outcome) = match self.outcome(finished, &stdout) {
            (ending, Outcome::Done { .. }) if self.step.handling.verify.is_some() => (ending, Outcome::unverified()),
            other => other,
        };
        let mut whats = vec![Happened::Printed { step: step.clone(), output: mark(finished) }];
        let captured: Vec<(String, String)> = finished
            .captures
            .iter()
            .chain(&finished.outputs)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in &captured {
            whats.push(Happened::Bound(BoundValue {
                name: Clean::new(name),
                value: Clean::new(value),
                source: Clean::new(format!("captured by step {step}")),
                asked: None,
                age_ms: None,
                is_typed: false,
            }));
        }
        let millis = finished.duration.as_millis() as u64;
        whats.push(Happened::Finished { step, ending, millis, outcome: outcome.clone() });
        self.write(whats).await?;
        let exit = match finished.end {
            End::Exit(code) => Some(code),
            _ => None,
        };
        Ok(Ran { result: StepResult { exit, state: outcome.word().to_owned(), stdout }, captured, outcome })
    }
}

async fn ask_of(attached: &mut Attached, ask: StepAsk) {
    let asked = match ask {
        StepAsk::Cancel(by) => attached.cancel(by.as_str()).await,
        StepAsk::Keys(bytes) => attached.keys(&bytes).await,
        StepAsk::Line(line) => attached.send_line(&line).await,
        StepAsk::Resize(size) => attached.resize(size).await,
    };
    if let Err(cause) = asked {
        tracing::warn!(%cause, "a step did not take what was asked");
    }
}

fn ended(state: &str, outcome: Outcome) -> Ran {
    let result = StepResult { exit: None, state: state.to_owned(), stdout: String::new() };
    Ran { result, captured: Vec::new(), outcome }
}

/// The answer of a query, a line for each series.
fn answer_lines(answer: &Answer) -> Vec<Clean> {
    match answer {
        Answer::Vector(samples) if samples.is_empty() => vec![Clean::new("no data")],
        Answer::Vector(samples) => samples
            .iter()
            .take(50)
            .map(|sample| {
                let labels: Vec<String> =
                    sample.labels.iter().map(|(name, value)| format!("{name}={}", value.clean())).collect();
                Clean::new(format!("{:>12}  {}", sample.value, labels.join(" ")))
            })
            .collect(),
        Answer::Text(text) => vec![text.clone()],
        Answer::Matrix { series, .. } => vec![Clean::new(format!("{} series", series.len()))],
    }
}

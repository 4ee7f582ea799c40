//! What people ask of a run, one arm each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::execute::{ASKS, Job, StepAsk};
use super::prepare::{COUNTS, Prepared, prepare};
use super::{Came, Live, Runner, Then, left, limits, locks};
use crate::domain::fact::Fact;
use crate::domain::id::StepId;
use crate::domain::run::{
    Approval, Digest, Forecast, Happened, Level, Need, Outcome, PlannedStep, Question, RunId, RunOrder, Situation,
    Wanted,
};
use crate::runbook::Runbook;
use crate::runbook::model::{Step, Work};
use crate::text::Clean;

impl Runner {
    pub(super) async fn take(&mut self, order: RunOrder) {
        let RunOrder { run, by, what, .. } = order;
        if let Wanted::Open { runbook, situation, is_drill } = what {
            return self.open(run, &by, runbook, *situation, is_drill).await;
        }
        if let Wanted::Second { step, digest, asked_by } = what {
            return self.second(run, &by, step, digest, asked_by).await;
        }
        if !self.live.contains_key(&run) && !self.take_over(run, &by).await {
            return;
        }
        match what {
            Wanted::Open { .. } | Wanted::Second { .. } => {}
            Wanted::Propose { step, situation, is_dry } => {
                self.situate(run, *situation);
                let then = if is_dry { Then::Dry } else { Then::Show };
                self.look(run, by, step, then);
            }
            Wanted::Approve { step, digest, how, situation } => {
                self.situate(run, *situation);
                self.approve(run, by, step, digest, how).await;
            }
            Wanted::Give { name, value } => self.give(run, &by, name, value).await,
            Wanted::Answer { step, text } => self.answer(run, &by, &step, text).await,
            Wanted::Tick { step, note } => self.tick(run, &by, &step, note).await,
            Wanted::Skip { step, reason } => {
                let why = Clean::new(format!("by {by}: {}", reason.clean()));
                self.settle(run, &by, &step, Outcome::Skipped { why }).await;
            }
            Wanted::Insist { step, reason, situation } => {
                self.situate(run, *situation);
                self.insist(run, by, step, &reason).await;
            }
            Wanted::Decide { step, decision, reason } => self.decide(run, by, step, decision, &reason).await,
            Wanted::Cancel { step } => self.ask(run, &step, StepAsk::Cancel(by)).await,
            // A step that an earlier console left running is attached to here too.
            Wanted::Type { step, .. } | Wanted::SendLine { step, .. } if self.kit.config.room.read_only => {
                self.refuse("type into", step.as_str(), "this room is read-only", "start without --read-only").await;
            }
            Wanted::Type { step, bytes } => self.ask(run, &step, StepAsk::Keys(bytes)).await,
            Wanted::SendLine { step, line } => self.ask(run, &step, StepAsk::Line(line)).await,
            Wanted::Resize { step, columns, rows } => {
                self.ask(run, &step, StepAsk::Resize(crate::step::spec::TerminalSize { columns, rows })).await;
            }
            Wanted::Undo { step } => self.undo(run, by, &step).await,
            Wanted::HandOver { to } => self.hand_over(run, &by, to).await,
            Wanted::Close => self.write(run, &by, vec![Happened::Closed]).await,
        }
    }

    fn situate(&mut self, run: RunId, situation: Situation) {
        if let Some(live) = self.live.get_mut(&run) {
            live.situation = situation;
        }
    }

    pub(super) async fn write(&self, run: RunId, by: &Clean, whats: Vec<Happened>) {
        if let Err(failure) = self.kit.records.write(run, by, whats).await {
            self.told(&failure).await;
        }
    }

    pub(super) async fn settle(&mut self, run: RunId, by: &Clean, step: &StepId, outcome: Outcome) {
        if let Some(live) = self.live.get_mut(&run) {
            live.offers.remove(step);
            let result = crate::runbook::value::StepResult {
                exit: None,
                state: outcome.word().to_owned(),
                stdout: String::new(),
            };
            live.steps.insert(step.to_string(), result);
        }
        self.write(run, by, vec![Happened::Settled { step: step.clone(), outcome }]).await;
    }

    async fn open(
        &mut self,
        run: RunId,
        by: &Clean,
        id: crate::domain::id::RunbookId,
        situation: Situation,
        is_drill: bool,
    ) {
        if self.live.contains_key(&run) {
            return;
        }
        let Some(runbook) = self.kit.setup.runbooks.iter().find(|runbook| runbook.id == id).cloned() else {
            return self
                .refuse("open runbook", id.as_str(), "there is none of this name", "look with: warroom runbook list")
                .await;
        };
        let opened = Happened::Opened {
            incident: situation.incident.clone(),
            runbook: id,
            title: runbook.title.clone(),
            content_hash: runbook.content_hash.clone(),
            steps: runbook.steps.iter().map(planned).collect(),
            is_drill,
        };
        match self.kit.records.write(run, by, vec![opened]).await {
            Ok(()) => {
                let mut live = live(runbook, situation);
                let taken_by = (by.as_str(), self.kit.clock.now());
                live.seat = locks::lock_new(self.kit.folder(), self.kit.room.as_ref(), &seat(run), taken_by).ok();
                self.live.insert(run, live);
            }
            Err(failure) => self.told(&failure).await,
        }
    }

    /// The step that is meant: the named one, else the next automated one.
    fn meant(&self, run: RunId, step: Option<StepId>) -> Option<Step> {
        let live = self.live.get(&run)?;
        let id = match step {
            Some(id) => id,
            None => self.kit.records.run(run)?.next_automated()?.id.clone(),
        };
        live.runbook.step(id.as_str()).map(|(_, step)| step.clone())
    }

    pub(super) fn look(&mut self, run: RunId, by: Clean, step: Option<StepId>, then: Then) {
        let (Some(step), Some(live)) = (self.meant(run, step), self.live.get(&run)) else { return };
        let (kit, scene) = (Arc::clone(&self.kit), live.scene(run));
        self.tasks.spawn(async move {
            let prepared = Box::new(prepare(&kit, &scene, &step).await);
            Came::Prepared { run, by, prepared, then }
        });
    }

    async fn approve(&mut self, run: RunId, by: Clean, step: StepId, digest: Digest, how: Approval) {
        let now = self.kit.clock.now();
        let shown = self.live.get(&run).and_then(|live| live.offers.get(&step)).cloned();
        let is_fresh = shown.as_ref().is_some_and(|(of, at)| *of == digest && now.signed_duration_since(*at) < COUNTS);
        if !is_fresh {
            let cause = if shown.is_some_and(|(of, _)| of == digest) {
                "the approval came more than two minutes after the command was shown"
            } else {
                "what was approved is not what was shown last"
            };
            self.refuse("run step", step.as_str(), cause, "look at the command again").await;
            return self.look(run, by, Some(step), Then::Show);
        }
        self.look(run, by, Some(step), Then::Go { digest, how });
    }

    /// A step was looked at: shown, skipped, or run.
    pub(super) async fn prepared(&mut self, run: RunId, by: Clean, mut prepared: Prepared, then: Then) {
        let step = prepared.proposal.step.clone();
        if !matches!(then, Then::Dry) {
            let judged = prepared.proposal.judgements.iter().cloned();
            let mut whats: Vec<Happened> =
                judged.map(|judgement| Happened::Judged { step: step.clone(), judgement }).collect();
            whats.extend(self.consequence(&prepared, &then));
            if !whats.is_empty() {
                self.write(run, &by, whats).await;
            }
        }
        self.look_around().await;
        let limit = self.limit(run, &prepared);
        if let (Some(why), Forecast::WouldRun | Forecast::NeedsApproval) = (limit, &prepared.proposal.forecast) {
            prepared.proposal.forecast = Forecast::Refused { why };
        }
        match then {
            Then::Go { digest, how } if self.may_go(run, &by, &mut prepared, &digest, &how).await => {
                self.go(run, by, prepared, how).await;
                return;
            }
            _ => {}
        }
        if let Some(live) = self.live.get_mut(&run) {
            live.offers.insert(step, (prepared.proposal.digest.clone(), self.kit.clock.now()));
        }
        let _ = self.kit.facts.send(Fact::StepProposed(Box::new(prepared.proposal))).await;
    }

    /// What a look means for the step's state.
    fn consequence(&self, prepared: &Prepared, then: &Then) -> Option<Happened> {
        let step = prepared.proposal.step.clone();
        match &prepared.proposal.forecast {
            Forecast::WouldSkip => {
                let condition = prepared.proposal.judgements.iter().find(|known| known.question == Question::Condition);
                let why = condition.map_or_else(String::new, |known| {
                    let seen: Vec<String> =
                        known.evidence.iter().map(|seen| format!("{} = {}", seen.name, seen.value)).collect();
                    format!("condition is false: {} ({})", known.expression, seen.join(", "))
                });
                Some(Happened::Settled { step, outcome: Outcome::Skipped { why: Clean::new(why) } })
            }
            Forecast::CantTell { .. } | Forecast::NeedsApproval if matches!(then, Then::Show) => {
                prepared.proposal.need.clone().map(|need| Happened::Waits { step, need })
            }
            Forecast::Refused { why } if matches!(then, Then::Go { .. }) => {
                Some(Happened::Settled { step, outcome: Outcome::Refused { why: why.clone() } })
            }
            _ => None,
        }
    }

    /// Too often, or too soon.
    fn limit(&self, run: RunId, prepared: &Prepared) -> Option<Clean> {
        let live = self.live.get(&run)?;
        let (_, step) = live.runbook.step(prepared.proposal.step.as_str())?;
        let handling = &step.handling;
        if handling.cooldown.is_none() && handling.max_runs.is_none() {
            return None;
        }
        let now = self.kit.clock.now();
        let starts = limits::starts(&self.kit.records.seen(), &live.runbook.id, &step.id);
        let most = handling.max_runs.as_ref().map(|most| (most.count, most.per));
        limits::too_often(&starts, handling.cooldown, most, now)
    }

    /// The last look before a step runs: it is what was approved, nothing else changes the incident, levels are kept.
    async fn may_go(
        &mut self,
        run: RunId,
        by: &Clean,
        prepared: &mut Prepared,
        digest: &Digest,
        how: &Approval,
    ) -> bool {
        let proposal = &mut prepared.proposal;
        if !matches!(proposal.forecast, Forecast::WouldRun | Forecast::NeedsApproval) {
            return false;
        }
        if self.live.get(&run).is_some_and(|live| live.running.contains_key(&proposal.step)) {
            proposal.forecast = Forecast::Refused { why: Clean::new("it runs already") };
            return false;
        }
        if proposal.digest != *digest {
            proposal.warnings.insert(0, Clean::new("it changed since you looked: look again"));
            return false;
        }
        let fits = match how {
            Approval::Enter => proposal.level == Level::Read,
            Approval::Key => proposal.level <= Level::Change,
            Approval::Flag => {
                proposal.level <= Level::Change && self.live.get(&run).is_some_and(|live| live.runbook.is_native)
            }
            Approval::Name { typed } => proposal.level <= Level::Destructive && *typed == proposal.name,
            Approval::SecondPerson { asked_by } => asked_by != by,
            Approval::Retry => false,
        };
        if !fits {
            if proposal.level == Level::TwoPerson {
                let need = Need::SecondPerson { digest: digest.clone(), asked_by: by.clone() };
                let step = proposal.step.clone();
                proposal.need = Some(need.clone());
                let intended = Happened::Intended {
                    step: step.clone(),
                    attempt: self.kit.records.attempts(run, &step),
                    level: proposal.level,
                    words: proposal.words.iter().map(|word| word.text.clone()).collect(),
                    shell: proposal.shell.clone(),
                    digest: digest.clone(),
                    target: proposal.target.line(),
                    given: proposal.given.clone(),
                    lock: None,
                };
                self.write(run, by, vec![intended, Happened::Waits { step, need }]).await;
            } else {
                let words = format!("this step is {}: it needs another confirmation", proposal.level.word());
                proposal.warnings.insert(0, Clean::new(words));
            }
            return false;
        }
        let incident = self.kit.records.run(run).and_then(|run| run.incident);
        let other = self.kit.records.all().into_iter().find_map(|other| {
            let same = other.id == run || (incident.is_some() && other.incident == incident);
            let step = other.running_change().filter(|_| same)?.clone();
            Some(step)
        });
        if let Some(other) = other.filter(|_| proposal.level > Level::Read) {
            let why = format!("step {other} still changes this incident: one change at a time");
            proposal.forecast = Forecast::Refused { why: Clean::new(why) };
            return false;
        }
        true
    }

    async fn go(&mut self, run: RunId, by: Clean, prepared: Prepared, how: Approval) {
        let Some(live) = self.live.get(&run) else { return };
        let Some((_, step)) = live.runbook.step(prepared.proposal.step.as_str()) else { return };
        let (step, scene) = (step.clone(), live.scene(run));
        let seat = self.live.get(&run).and_then(|live| live.seat.as_ref());
        if let Some(seat) = seat
            && !seat.is_ours().await
        {
            self.live.remove(&run);
            let remedy = "look at what they did; what was approved here did not run";
            return self
                .refuse("run step", step.id.as_str(), "a colleague's console has this run by now", remedy)
                .await;
        }
        let lock = match self.lock_of(run, &step, &prepared, &by).await {
            Ok(lock) => lock,
            Err(why) => return self.refuse("run step", step.id.as_str(), why.as_str(), "").await,
        };
        let attempt = self.kit.records.attempts(run, &step.id) + 1;
        let (tell, asks) = mpsc::channel(ASKS);
        let kit = Arc::clone(&self.kit);
        let reads = (prepared.proposal.level == Level::Read).then(|| Arc::clone(&self.kit.reads));
        if let Some(live) = self.live.get_mut(&run) {
            live.running.insert(step.id.clone(), tell);
        }
        let id = step.id.clone();
        let job = Job { kit, scene, step, prepared, by, how, attempt, asks, lock };
        self.tasks.spawn(async move {
            let _slot = match &reads {
                Some(reads) => reads.acquire().await.ok(),
                None => None,
            };
            Came::Ran { run, step: id, ran: Box::new(job.run().await) }
        });
    }

    /// The step's lock. The kernel and the lease let go of one whose console was killed, while its command goes on: what
    /// the journal has of other steps counts too, read once nobody else can take the lock any more.
    async fn lock_of(
        &mut self,
        run: RunId,
        step: &Step,
        prepared: &Prepared,
        by: &Clean,
    ) -> Result<Option<locks::Held>, Clean> {
        let Some(name) = &step.handling.lock else { return Ok(None) };
        let values: BTreeMap<&str, &str> =
            prepared.proposal.values.iter().map(|value| (value.name.as_str(), value.value.as_str())).collect();
        let name = values.iter().fold(name.clone(), |name, (of, value)| name.replace(&format!("{{{of}}}"), value));
        let taken_by = (by.as_str(), self.kit.clock.now());
        let held = locks::lock(self.kit.folder(), self.kit.room.as_ref(), &name, taken_by).await?;
        self.look_around().await;
        match left::holder_of(&self.kit, &name, (run, &step.id)).await {
            None => Ok(Some(held)),
            Some(why) => {
                held.give_back().await;
                Err(why)
            }
        }
    }

    async fn ask(&self, run: RunId, step: &StepId, ask: StepAsk) {
        if let Some(lane) = self.live.get(&run).and_then(|live| live.running.get(step)) {
            // One that has ended meanwhile needs nothing. A full lane drops no key without a word.
            if let Err(TrySendError::Full(_)) = lane.try_send(ask) {
                self.refuse("reach", step.as_str(), "it does not take what is sent", "wait, then send it again").await;
            }
        }
    }
}

/// A step as the run remembers it.
fn planned(step: &Step) -> PlannedStep {
    let is_automated = step.work.runs_here() || matches!(step.work, Work::Query { .. } | Work::Session { .. });
    PlannedStep { id: step.id.clone(), title: step.title.clone(), is_automated }
}

/// The lock of the console that has a run.
pub(super) fn seat(run: RunId) -> String {
    format!("run {run}")
}

/// A run that goes on from its beginning.
pub(super) fn live(runbook: Runbook, situation: Situation) -> Live {
    Live {
        runbook: Arc::new(runbook),
        situation,
        given: BTreeMap::new(),
        captured: BTreeMap::new(),
        steps: BTreeMap::new(),
        insisted: BTreeSet::new(),
        seconded: BTreeSet::new(),
        offers: HashMap::new(),
        seat: None,
        running: HashMap::new(),
    }
}

//! After a restart: runs as the journal has them, steps that still run attached to again, and the rest told as what it is.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::execute::{ASKS, Job};
use super::kit::Kit;
use super::prepare::{Deed, Prepared, number};
use super::take::{live, seat};
use super::{Came, Runner, locks};
use crate::domain::fact::Fact;
use crate::domain::id::StepId;
use crate::domain::run::{
    Approval, Ending, Forecast, Happened, Level, Outcome, Proposal, Run, RunId, Situation, StepRun, StepState, Target,
    Word,
};
use crate::engine::process::{Attached, StepEvent};
use crate::runbook::value::StepResult;
use crate::step::place::Place;
use crate::step::spec::StepSpec;
use crate::step::state::{self, StepState as Became};
use crate::text::{Clean, Untrusted};

/// How far back runs are told.
const KEPT: TimeDelta = TimeDelta::days(7);

impl Runner {
    /// Tells every run of the last days, and goes on with what an earlier console began.
    pub(super) async fn recover(&mut self) {
        let Ok(events) = self.kit.records.news().await else { return };
        let since = self.kit.clock.now() - KEPT;
        for event in events.into_iter().filter(|event| event.at >= since) {
            self.kit.records.take(&event);
            let _ = self.kit.facts.send(Fact::RunMoved(event)).await;
        }
        for run in self.kit.records.all().into_iter().filter(|run| !run.is_closed) {
            // In a shared room a run that was on another machine is a colleague's until somebody goes on with it here.
            if self.kit.room.is_none() || locks::was_here(self.kit.folder(), &seat(run.id)) {
                let _ = self.adopt(&run).await;
            }
        }
    }

    /// Goes on with a run that no console has any more, because somebody here asked for something of it. Says so in the
    /// run; says why where it cannot.
    pub(super) async fn take_over(&mut self, id: RunId, by: &Clean) -> bool {
        let Some(run) = self.kit.records.run(id) else {
            self.refuse("change run", &id.to_string(), "this console does not know it", "open the incident").await;
            return false;
        };
        match self.adopt(&run).await {
            Ok(()) => {
                if run.holder != *by {
                    self.write(id, by, vec![Happened::HandedOver { to: by.clone() }]).await;
                }
                true
            }
            Err(why) => {
                let remedy = "whoever has it hands it over, or closes their console";
                self.refuse("go on with the run of", run.title.as_str(), why.as_str(), remedy).await;
                false
            }
        }
    }

    /// Somebody else goes on: from here on this console only looks.
    pub(super) async fn hand_over(&mut self, run: RunId, by: &Clean, to: Clean) {
        let running = self.live.get(&run).and_then(|live| live.running.keys().next().cloned());
        if let Some(step) = running {
            let remedy = "wait for it or cancel it, then hand over";
            return self.refuse("hand over", step.as_str(), "this step still runs here", remedy).await;
        }
        self.write(run, by, vec![Happened::HandedOver { to }]).await;
        if let Some(seat) = self.live.remove(&run).and_then(|live| live.seat) {
            seat.give_back().await;
        }
    }

    async fn adopt(&mut self, run: &Run) -> Result<(), Clean> {
        if run.is_closed {
            return Err(Clean::new("it is closed"));
        }
        let known = self.kit.setup.runbooks.iter().find(|known| known.id == run.runbook);
        // Another text under the same name is another runbook: what was approved was not this one.
        let Some(runbook) = known.filter(|known| known.content_hash == run.content_hash).cloned() else {
            return Err(Clean::new("the runbook here is not the text that it was begun with"));
        };
        // Another console has it: its steps are followed there, and only looked at here.
        let taken_by = (run.holder.as_str(), self.kit.clock.now());
        let seat = locks::lock(self.kit.folder(), self.kit.room.as_ref(), &seat(run.id), taken_by).await?;
        let situation = Situation { incident: run.incident.clone(), ..Situation::default() };
        let mut live = live(runbook, situation);
        live.seat = Some(seat);
        for value in run.values.values().filter(|value| value.is_typed) {
            live.given.insert(value.name.as_str().to_owned(), Untrusted::from(value.value.as_str()));
        }
        for (step, stands) in &run.steps {
            if let StepState::Ended(outcome) = &stands.state {
                let result = StepResult { exit: None, state: outcome.word().to_owned(), stdout: String::new() };
                live.steps.insert(step.to_string(), result);
            }
        }
        self.live.insert(run.id, live);
        for (id, stands) in &run.steps {
            if stands.is_begun() {
                self.go_on(run, id, stands).await;
            }
        }
        Ok(())
    }

    /// A step that was approved and whose end the journal does not have: its folder tells.
    async fn go_on(&mut self, run: &Run, id: &StepId, stands: &StepRun) {
        let Some(live) = self.live.get(&run.id) else { return };
        let scene = live.scene(run.id);
        let Some((_, step)) = scene.runbook.step(id.as_str()) else { return };
        let step = step.clone();
        let place = self.kit.place(run.id, number(&scene, id), stands.attempts);
        let by = stands.approved.as_ref().map_or_else(|| run.holder.clone(), |(_, _, by, _)| by.clone());
        let looked = {
            let place = place.clone();
            tokio::task::spawn_blocking(move || state::state(&place)).await
        };
        let became = looked.ok().and_then(Result::ok).unwrap_or(Became::Nothing);
        let finish = |outcome: Outcome, ending: Ending| {
            vec![Happened::Finished { step: id.clone(), ending, millis: 0, outcome }]
        };
        match became {
            // It may have been another machine's step, and its folder is there.
            Became::Nothing if self.kit.room.is_some() => {
                let check = "the console that ran it is gone, and nothing of it is on this machine: look at the target";
                let outcome = Outcome::Unknown { check: Clean::new(check) };
                self.write(run.id, &by, finish(outcome, Ending::Lost)).await;
            }
            Became::Nothing | Became::NotRun => {
                // Written down, never executed: it is offered again, not run.
                let cause = Clean::new("the console ended before the command began");
                let outcome = Outcome::Failed { why: cause.clone() };
                self.write(run.id, &by, finish(outcome, Ending::NotStarted { cause })).await;
            }
            Became::Refused { why } => {
                let why = Clean::new(why);
                let outcome = Outcome::Refused { why: why.clone() };
                self.write(run.id, &by, finish(outcome, Ending::NotStarted { cause: why })).await;
            }
            Became::Starting | Became::Running { .. } | Became::Finished(_) | Became::Unknown { .. } => {
                self.attach(run, step, stands, &place, by);
            }
        }
    }

    /// Follows a process that an earlier console started, from its first byte.
    fn attach(&mut self, run: &Run, step: crate::runbook::model::Step, stands: &StepRun, place: &Place, by: Clean) {
        let Some(live) = self.live.get_mut(&run.id) else { return };
        let scene = live.scene(run.id);
        let (tell, asks) = mpsc::channel(ASKS);
        live.running.insert(step.id.clone(), tell);
        let spec = place.ordered().ok().flatten().map(|order| order.spec);
        let deed = spec.map_or(Deed::Nothing, |spec| Deed::Process(Box::new(spec)));
        let prepared = Prepared { proposal: remembered(run, &step.id, stands, &self.kit), deed, secrets: Vec::new() };
        let (kit, id, run, place) = (Arc::clone(&self.kit), step.id.clone(), run.id, place.clone());
        let how = Approval::Key;
        let attempt = stands.attempts;
        let mut job = Job { kit, scene, step, prepared, by, how, attempt, asks, lock: None };
        self.tasks.spawn(async move {
            let ran = job.follow(Attached::to(&place), &place).await;
            let ran = ran.unwrap_or_else(|failure| super::Ran {
                result: StepResult { exit: None, state: "unknown".to_owned(), stdout: String::new() },
                captured: Vec::new(),
                outcome: Outcome::Unknown { check: Clean::new(failure.to_string()) },
            });
            job.after(&ran).await;
            Came::Ran { run, step: id, ran: Box::new(ran) }
        });
    }
}

/// What the journal has of a step's approval.
fn remembered(run: &Run, id: &StepId, stands: &StepRun, kit: &Kit) -> Proposal {
    let intended = stands.intended.as_ref();
    let words = intended.map(|intended| intended.words.clone()).unwrap_or_default();
    Proposal {
        run: run.id,
        step: id.clone(),
        title: Clean::default(),
        forecast: Forecast::NeedsApproval,
        level: intended.map_or(Level::Change, |intended| intended.level),
        words: words.into_iter().map(|text| Word { text, parts: Vec::new() }).collect(),
        shell: intended.and_then(|intended| intended.shell.clone()),
        given: Vec::new(),
        values: Vec::new(),
        judgements: Vec::new(),
        target: Target::default(),
        name: Clean::default(),
        warnings: Vec::new(),
        need: None,
        inverse: None,
        digest: intended.map_or_else(|| crate::domain::run::Digest(String::new()), |intended| intended.digest.clone()),
        until: kit.clock.now(),
    }
}

/// Carries a command that has no step of its own: what takes a change back.
pub(super) async fn carried(kit: &Kit, spec: StepSpec, folder: std::path::PathBuf) -> Outcome {
    let failed = |cause: &dyn std::fmt::Display| Outcome::Failed { why: Clean::new(cause.to_string()) };
    let digest = spec.digest(&[]);
    let launcher = match kit.launcher() {
        Ok(launcher) => launcher,
        Err(cause) => return failed(&cause),
    };
    let mut attached = match launcher.start(&Place::new(folder), spec, &[], digest).await {
        Ok(attached) => attached,
        Err(cause) => return failed(&cause),
    };
    loop {
        match attached.next().await {
            Ok(Some(StepEvent::Finished(finished))) if finished.is_success() => {
                return Outcome::Done { note: Clean::default() };
            }
            Ok(Some(StepEvent::Finished(finished))) => return failed(&format!("{:?}", finished.end)),
            Ok(Some(StepEvent::Refused { why })) => return failed(&why),
            Ok(Some(StepEvent::Lost(_)) | None) | Err(_) => {
                return Outcome::Unknown { check: Clean::new("its end was not seen: look at the target") };
            }
            Ok(Some(_)) => {}
        }
    }
}

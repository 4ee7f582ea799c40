//! What only people can say to a run: values, answers, ticks, reasons, decisions, a second person's word, taking back.

use std::sync::Arc;

use super::{Came, Runner, Then};
use crate::domain::id::StepId;
use crate::domain::run::{Approval, Decision, Digest, Happened, Need, Outcome, RunId, StepState, spell};
use crate::runbook::model::{Evidence as Leaves, Work};
use crate::step::spec::{Program, StepSpec};
use crate::text::{Clean, Untrusted};

impl Runner {
    /// The second person's word. The console that has the run finds it in the journal.
    pub(super) async fn second(&mut self, run: RunId, by: &Clean, step: StepId, digest: Digest, asked_by: Clean) {
        let state = self.kit.records.run(run).map(|run| run.state(&step).clone());
        let is_wanted = matches!(&state,
            Some(StepState::Waiting(Need::SecondPerson { digest: waits, .. })) if *waits == digest);
        if !is_wanted || *by == asked_by {
            let remedy = "look at the run again; somebody other than the one who asked must agree";
            return self.refuse("approve", step.as_str(), "it does not wait for this approval", remedy).await;
        }
        let how = Approval::SecondPerson { asked_by };
        self.write(run, by, vec![Happened::Approved { step, digest, how }]).await;
    }

    pub(super) async fn give(&mut self, run: RunId, by: &Clean, name: String, value: Untrusted) {
        let told = crate::domain::run::BoundValue {
            name: Clean::new(&name),
            value: value.clean(),
            source: Clean::new(format!("given by {by}")),
            asked: None,
            age_ms: None,
            is_typed: true,
        };
        if let Some(live) = self.live.get_mut(&run) {
            live.given.insert(name, value);
            live.offers.clear();
        }
        self.write(run, by, vec![Happened::Bound(told)]).await;
    }

    pub(super) async fn answer(&mut self, run: RunId, by: &Clean, step: &StepId, text: Untrusted) {
        let found = self.live.get(&run).and_then(|live| live.runbook.step(step.as_str()));
        let Some(Work::Ask { into, choices }) = found.map(|(_, step)| step.work.clone()) else { return };
        if !choices.is_empty() && !choices.iter().any(|choice| choice == text.expose()) {
            let remedy = format!("answer one of: {}", choices.join(", "));
            return self.refuse("answer", step.as_str(), "that is none of the choices", &remedy).await;
        }
        let note = text.clean();
        self.give(run, by, into, text).await;
        self.settle(run, by, step, Outcome::Done { note }).await;
    }

    pub(super) async fn tick(&mut self, run: RunId, by: &Clean, step: &StepId, note: Option<Untrusted>) {
        let found = self.live.get(&run).and_then(|live| live.runbook.step(step.as_str()));
        let wants = found.map_or(Leaves::None, |(_, step)| step.handling.evidence);
        if wants != Leaves::None && note.as_ref().is_none_or(Untrusted::is_empty) {
            let remedy = "write what you saw with n, then tick it";
            return self.refuse("tick", step.as_str(), "the runbook wants a note or a link with it", remedy).await;
        }
        let note = note.map(|note| note.clean()).unwrap_or_default();
        self.settle(run, by, step, Outcome::Done { note }).await;
    }

    pub(super) async fn insist(&mut self, run: RunId, by: Clean, step: StepId, reason: &Untrusted) {
        let why = Clean::new(format!("goes on though its condition cannot be told: {}", reason.clean()));
        if let Some(live) = self.live.get_mut(&run) {
            live.insisted.insert(step.clone());
        }
        let need = Need::Decision { happened: why };
        self.write(run, &by, vec![Happened::Waits { step: step.clone(), need }]).await;
        self.look(run, by, Some(step), Then::Show);
    }

    pub(super) async fn decide(&mut self, run: RunId, by: Clean, step: StepId, decision: Decision, reason: &Untrusted) {
        let said = Clean::new(format!("by {by}: {}", reason.clean()));
        match decision {
            Decision::Done => self.settle(run, &by, &step, Outcome::Done { note: said }).await,
            Decision::Failed => self.settle(run, &by, &step, Outcome::Failed { why: said }).await,
            Decision::Again => self.look(run, by, Some(step), Then::Show),
        }
    }

    /// The exact inverse of a change that was made, as a step of its own that nobody has to write.
    pub(super) async fn undo(&mut self, run: RunId, by: Clean, step: &StepId) {
        let stands = self.kit.records.run(run).and_then(|run| run.steps.get(step).cloned());
        let Some(inverse) = stands.and_then(|step| step.inverse) else {
            return self
                .refuse("take back", step.as_str(), "nothing was remembered from before", "do it by hand")
                .await;
        };
        if self.kit.config.room.read_only {
            return self
                .refuse("take back", step.as_str(), "this room is read-only", "start without --read-only")
                .await;
        }
        let Some(live) = self.live.get(&run) else { return };
        let (kit, scene, step) = (Arc::clone(&self.kit), live.scene(run), step.clone());
        self.tasks.spawn(async move {
            let mut spec = StepSpec::new(Program::Argv(inverse.words.clone()), scene.cwd(&kit));
            spec.env = scene.environment(&kit, &[]);
            spec.timeout = Some(std::time::Duration::from_secs(300));
            let stamp = kit.clock.now().timestamp_micros();
            let folder = kit.folder().join(run.to_string()).join(format!("undo-{stamp}"));
            let outcome = super::recover::carried(&kit, spec, folder).await;
            let words = inverse.words.iter().map(Clean::new).collect::<Vec<_>>();
            tracing::info!(command = spell(&words), outcome = outcome.word(), "a change was taken back");
            let undone = Happened::Undone { step: step.clone(), words, outcome: outcome.clone() };
            let _ = kit.records.write(run, &by, vec![undone]).await;
            let result =
                crate::runbook::value::StepResult { exit: None, state: "undone".to_owned(), stdout: String::new() };
            Came::Ran { run, step, ran: Box::new(super::Ran { result, captured: Vec::new(), outcome }) }
        });
    }
}

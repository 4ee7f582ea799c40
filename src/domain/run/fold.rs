//! Events to what stands. Any event in any state: a journal that was cut, merged or told twice gives a run all the same,
//! and never a better one than the events prove.

use super::event::{Happened, RunEvent};
use super::state::{Intended, Outcome, Run, StepRun, StepState};
use crate::domain::id::StepId;
use crate::text::Clean;

impl Run {
    /// The run that an opening begins; nothing else begins one.
    #[must_use]
    pub fn begin(event: &RunEvent) -> Option<Self> {
        let Happened::Opened { incident, runbook, title, content_hash, steps, is_drill } = &event.what else {
            return None;
        };
        Some(Self {
            id: event.run,
            incident: incident.clone(),
            runbook: runbook.clone(),
            title: title.clone(),
            content_hash: content_hash.clone(),
            is_drill: *is_drill,
            opened_at: event.at,
            moved_at: event.at,
            holder: event.by.clone(),
            is_closed: false,
            plan: steps.clone(),
            values: std::collections::BTreeMap::new(),
            steps: std::collections::BTreeMap::new(),
        })
    }

    /// All events of one run, in order.
    #[must_use]
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e RunEvent>) -> Option<Self> {
        let mut run: Option<Self> = None;
        for event in events {
            match &mut run {
                Some(run) => run.apply(event),
                None => run = Self::begin(event),
            }
        }
        run
    }

    /// Takes an event in. One of another run changes nothing.
    pub fn apply(&mut self, event: &RunEvent) {
        if event.run != self.id {
            return;
        }
        self.moved_at = self.moved_at.max(event.at);
        match &event.what {
            Happened::Opened { .. } => {}
            Happened::Bound(value) => {
                self.values.insert(value.name.as_str().to_owned(), value.clone());
            }
            Happened::HandedOver { to } => self.holder = to.clone(),
            Happened::Closed => self.is_closed = true,
            what => {
                let Some(id) = what.step() else { return };
                self.at(id).take(event);
            }
        }
    }

    fn at(&mut self, id: &StepId) -> &mut StepRun {
        self.steps.entry(id.clone()).or_default()
    }
}

impl StepRun {
    /// It was let run, and its end is not in the journal. One that failed and waits for a decision has ended.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.approved.is_some() && self.ending.is_none() && !matches!(self.state, StepState::Ended(_))
    }

    /// Whether it holds that lock.
    #[must_use]
    pub fn holds(&self, lock: &str) -> bool {
        let of = self.intended.as_ref().and_then(|intended| intended.lock.as_ref());
        self.is_begun() && of.is_some_and(|of| of.as_str() == lock)
    }

    fn take(&mut self, event: &RunEvent) {
        self.moved = Some((event.by.clone(), event.at));
        match &event.what {
            Happened::Judged { judgement, .. } => {
                self.judgements.retain(|known| known.question != judgement.question);
                self.judgements.push(judgement.clone());
            }
            Happened::Waits { need, .. } => {
                if !matches!(self.state, StepState::Running { .. }) {
                    self.state = StepState::Waiting(need.clone());
                }
            }
            Happened::Intended { attempt, level, words, shell, digest, target, given, lock, .. } => {
                self.attempts = self.attempts.max(*attempt);
                self.intended = Some(Intended {
                    level: *level,
                    words: words.clone(),
                    shell: shell.clone(),
                    digest: digest.clone(),
                    target: target.clone(),
                    given: given.clone(),
                    lock: lock.clone(),
                    by: event.by.clone(),
                });
                self.approved = None;
            }
            Happened::Approved { digest, how, .. } => {
                self.approved = Some((digest.clone(), how.clone(), event.by.clone(), event.at));
                self.ending = None;
            }
            Happened::Started { process, .. } => self.start(event, process.clone()),
            Happened::Printed { output, .. } => self.output = Some(output.clone()),
            Happened::Finished { ending, millis, outcome, .. } => {
                self.ending = Some((ending.clone(), *millis));
                self.state = StepState::Ended(outcome.clone());
            }
            Happened::Settled { outcome, .. } => self.state = StepState::Ended(outcome.clone()),
            Happened::Sampled { sample, .. } => {
                self.samples.retain(|known| known.side != sample.side);
                self.samples.push(sample.clone());
            }
            Happened::Remembered { inverse, .. } => {
                self.inverse = Some(inverse.clone());
                self.is_undone = false;
            }
            Happened::Undone { outcome, .. } => self.is_undone = matches!(outcome, Outcome::Done { .. }),
            Happened::Opened { .. } | Happened::Bound(_) | Happened::HandedOver { .. } | Happened::Closed => {}
        }
    }

    /// A start counts as one only for exactly what was approved; any other is a thing to look into.
    fn start(&mut self, event: &RunEvent, process: super::event::ProcessMark) {
        let intended = self.intended.as_ref().map(|intended| &intended.digest);
        let approved = self.approved.as_ref().map(|(digest, ..)| digest);
        let is_approved = intended.is_some() && intended == approved;
        self.process = Some(process);
        self.ending = None;
        self.output = None;
        self.state = if is_approved {
            StepState::Running { since: event.at }
        } else {
            let check = "the journal has a start that nobody approved: look at the target yourself";
            StepState::Ended(Outcome::Unknown { check: Clean::new(check) })
        };
    }
}

//! What happened, first into the journal, then to everybody: no effect and no screen is ahead of the record.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::checklist::Tick;
use crate::domain::fact::Fact;
use crate::domain::failure::Failure;
use crate::domain::id::StepId;
use crate::domain::run::{Happened, Outcome, Run, RunEvent, RunId};
use crate::engine::clock::Clock;
use crate::engine::journal::{Door, Unkept};
use crate::store::Entry;
use crate::text::Clean;

/// The runs as the journal has them.
pub(super) struct Records {
    door: Arc<Door>,
    facts: tokio::sync::mpsc::Sender<Fact>,
    clock: Clock,
    runs: Mutex<BTreeMap<RunId, Run>>,
    /// The journal was read up to here.
    place: tokio::sync::Mutex<u64>,
    seen: Mutex<Vec<RunEvent>>,
}

impl Records {
    pub(super) fn new(door: Arc<Door>, facts: tokio::sync::mpsc::Sender<Fact>, clock: Clock) -> Self {
        Self {
            door,
            facts,
            clock,
            runs: Mutex::default(),
            place: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// The journal that they are in.
    pub(super) fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// Durable when it returns `Ok`: all of `whats`, or none.
    pub(super) async fn write(&self, run: RunId, by: &Clean, whats: Vec<Happened>) -> Result<(), Failure> {
        let at = self.clock.now();
        let events: Vec<RunEvent> = whats.into_iter().map(|what| RunEvent { run, at, by: by.clone(), what }).collect();
        let mut entries: Vec<Entry> = events.iter().cloned().map(Entry::Run).collect();
        let ticks: Vec<Fact> = events.iter().filter_map(|event| self.tick(event)).collect();
        for tick in &ticks {
            if let Fact::StepTicked { incident, runbook, step, tick } = tick {
                let (incident, runbook, step) = (incident.clone(), runbook.clone(), step.clone());
                entries.push(Entry::Ticked { incident, runbook, step, tick: tick.clone(), at });
            }
        }
        self.door.append("write down the step in", entries).await.map_err(Unkept::failure)?;
        for event in events {
            self.take(&event);
            let _ = self.facts.send(Fact::RunMoved(event)).await;
        }
        for tick in ticks {
            let _ = self.facts.send(tick).await;
        }
        Ok(())
    }

    /// A step that is done is ticked on the incident's checklist too: other consoles and the review read that.
    fn tick(&self, event: &RunEvent) -> Option<Fact> {
        let (step, outcome) = match &event.what {
            Happened::Settled { step, outcome } | Happened::Finished { step, outcome, .. } => (step, outcome),
            _ => return None,
        };
        let run = self.run(event.run)?;
        let incident = run.incident.filter(|_| matches!(outcome, Outcome::Done { .. }) && !run.is_drill)?;
        let tick = Some(Tick { by: event.by.clone(), at: event.at });
        Some(Fact::StepTicked { incident, runbook: run.runbook, step: step.clone(), tick })
    }

    /// An event that is in the journal already.
    pub(super) fn take(&self, event: &RunEvent) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        match runs.get_mut(&event.run) {
            Some(run) => run.apply(event),
            None => {
                if let Some(run) = Run::begin(event) {
                    runs.insert(event.run, run);
                }
            }
        }
    }

    /// What came into the journal since the last look: this console's own events too.
    pub(super) async fn news(&self) -> Result<Vec<RunEvent>, Failure> {
        let mut place = self.place.lock().await;
        let (events, last) = self.door.run_events(*place).await?;
        *place = last;
        drop(place);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(events.iter().cloned());
        Ok(events)
    }

    /// Everything that was read from the journal.
    pub(super) fn seen(&self) -> Vec<RunEvent> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A run as it stands.
    pub(super) fn run(&self, id: RunId) -> Option<Run> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// How often a step was tried.
    pub(super) fn attempts(&self, run: RunId, step: &StepId) -> u32 {
        self.run(run).and_then(|run| run.steps.get(step).map(|step| step.attempts)).unwrap_or(0)
    }

    /// Every run as it stands.
    pub(super) fn all(&self) -> Vec<Run> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A step ends, or another state of it.
    pub(super) async fn settle(&self, run: RunId, by: &Clean, step: &StepId, outcome: Outcome) -> Result<(), Failure> {
        self.write(run, by, vec![Happened::Settled { step: step.clone(), outcome }]).await
    }
}

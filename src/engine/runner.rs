//! Runs of runbooks: values, conditions, approvals, processes, evidence. Orders of people come in, [`Fact`]s go out; in
//! between everything is in the journal before it happens.
//!
//! One change at a time for each incident; a few reads side by side. What is unknown never runs by itself.

mod aftermath;
mod execute;
mod judge;
mod kit;
mod kube;
mod left;
mod limits;
mod locks;
mod output;
mod people;
mod prepare;
mod records;
mod recover;
mod resolve;
mod scene;
mod secrets;
mod take;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::execute::{Ran, StepAsk};
use self::kit::Kit;
pub use self::kit::RunSetup;
use self::prepare::Prepared;
use self::records::Records;
use self::scene::Scene;
use self::secrets::Vault;
use super::Secrets;
use super::clock::Clock;
use super::journal::Door;
use super::link::Link;
use crate::config::Config;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{SourceId, StepId};
use crate::domain::run::{Approval, Digest, Happened, Need, Run, RunId, RunOrder, Situation, StepState};
use crate::domain::time::Timestamp;
use crate::runbook::Runbook;
use crate::sources::prometheus::Client;
use crate::store::shared::SharedRoom;
use crate::text::{Clean, Untrusted};

/// How many orders may wait; people press keys slowly.
pub(crate) const ORDERS: usize = 256;

/// Steps that only look, at the same time.
const READS: usize = 4;

/// How often the journal is looked at for a second person's word.
const SECONDS: std::time::Duration = std::time::Duration::from_secs(1);

/// A run that goes on.
struct Live {
    runbook: Arc<Runbook>,
    situation: Situation,
    given: BTreeMap<String, Untrusted>,
    captured: BTreeMap<String, (String, String)>,
    steps: BTreeMap<String, crate::runbook::value::StepResult>,
    insisted: BTreeSet<StepId>,
    /// What a second person agreed to already: it goes once.
    seconded: BTreeSet<Digest>,
    /// What was shown, and when.
    offers: HashMap<StepId, (Digest, Timestamp)>,
    /// Held while this console has the run: another one looks, and does not follow its steps.
    seat: Option<locks::Held>,
    /// Steps whose process runs.
    running: HashMap<StepId, mpsc::Sender<StepAsk>>,
}

impl Live {
    fn scene(&self, run: RunId) -> Scene {
        Scene {
            run,
            runbook: Arc::clone(&self.runbook),
            situation: self.situation.clone(),
            given: self.given.clone(),
            captured: self.captured.clone(),
            steps: self.steps.clone(),
            insisted: self.insisted.clone(),
        }
    }
}

/// What a background part of the runner comes back with.
enum Came {
    /// A step was looked at.
    Prepared { run: RunId, by: Clean, prepared: Box<Prepared>, then: Then },
    /// A step ended.
    Ran { run: RunId, step: StepId, ran: Box<Ran> },
}

/// What the look was for.
enum Then {
    /// To be shown.
    Show,
    /// Only to be shown: nothing is written down.
    Dry,
    /// To run, if it is still what was approved.
    Go { digest: Digest, how: Approval },
}

/// Carries runs out.
pub(crate) struct Runner {
    kit: Arc<Kit>,
    live: HashMap<RunId, Live>,
    tasks: JoinSet<Came>,
}

/// What a runner is made from.
#[derive(Clone)]
pub(crate) struct Parts {
    pub setup: RunSetup,
    pub config: Arc<Config>,
    pub door: Arc<Door>,
    pub facts: mpsc::Sender<Fact>,
    pub clock: Clock,
    pub prometheus: BTreeMap<SourceId, Arc<Link<Client>>>,
    pub room: Option<Arc<SharedRoom>>,
    pub secrets: Secrets,
}

impl Runner {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { setup, config, door, facts, clock, prometheus, room, secrets } = parts;
        let vault = Vault::new(secrets);
        let records = Records::new(door, facts.clone(), clock.clone());
        let reads = Arc::new(Semaphore::new(READS));
        let kit = Arc::new(Kit { setup, config, records, facts, clock, prometheus, reads, vault, room });
        Self { kit, live: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Takes orders until there are no more or `stop`. Processes go on: the next console attaches to them.
    pub(crate) async fn run(mut self, orders: &mut mpsc::Receiver<RunOrder>, stop: CancellationToken, with_past: bool) {
        if with_past {
            self.recover().await;
        }
        let door = self.kit.records.door();
        let mut look = tokio::time::interval(SECONDS);
        // After a long sleep one look is enough.
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(came) = self.tasks.join_next(), if !self.tasks.is_empty() => self.came(came).await,
                _ = look.tick() => self.look_around().await,
                () = door.news_came() => self.look_around().await,
                order = orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None if self.tasks.is_empty() => return,
                    None => {
                        // Nobody asks any more; what runs is followed to its end.
                        while let Some(came) = self.tasks.join_next().await {
                            self.came(came).await;
                        }
                        return;
                    }
                },
            }
        }
    }

    async fn came(&mut self, came: Result<Came, JoinError>) {
        let came = match came {
            Ok(came) => came,
            Err(failed) => {
                tracing::error!(%failed, "a part of the runner panicked");
                let remedy = "look at the target, then at the step again; please report it with the log";
                return self.refuse("run step", "the step", "a fault of warroom", remedy).await;
            }
        };
        match came {
            Came::Prepared { run, by, prepared, then } => self.prepared(run, by, *prepared, then).await,
            Came::Ran { run, step, ran } => {
                let Some(live) = self.live.get_mut(&run) else { return };
                live.running.remove(&step);
                live.offers.remove(&step);
                live.insisted.remove(&step);
                for (name, value) in ran.captured {
                    live.captured.insert(name, (value, step.to_string()));
                }
                live.steps.insert(step.to_string(), ran.result);
            }
        }
    }

    /// What other consoles of this journal did: their runs are shown here, half-done checklists too.
    async fn look_around(&mut self) {
        let Ok(events) = self.kit.records.news().await else { return };
        for event in events {
            // This console's own events were taken when they were written.
            if self.live.contains_key(&event.run) {
                continue;
            }
            self.kit.records.take(&event);
            let _ = self.kit.facts.send(Fact::RunMoved(event)).await;
        }
        self.look_for_seconds();
    }

    /// Another console's approval of a step that waits for it here.
    fn look_for_seconds(&mut self) {
        let waits = |run: &Run| {
            let step = run.steps.iter().find_map(|(step, stands)| match &stands.state {
                StepState::Waiting(Need::SecondPerson { digest, asked_by }) => {
                    Some((step.clone(), digest.clone(), asked_by.clone()))
                }
                _ => None,
            })?;
            Some((run.id, step))
        };
        let waiting: Vec<_> =
            self.kit.records.all().iter().filter(|run| self.live.contains_key(&run.id)).filter_map(waits).collect();
        let events = if waiting.is_empty() { Vec::new() } else { self.kit.records.seen() };
        for (run, (step, digest, asked_by)) in waiting {
            let agreed = events.iter().rev().find(|event| {
                let is_this = event.run == run && event.by != asked_by;
                is_this
                    && matches!(&event.what, Happened::Approved { step: of, digest: what, how: Approval::SecondPerson { .. } }
                        if *of == step && *what == digest)
            });
            let is_new =
                agreed.is_some() && self.live.get_mut(&run).is_some_and(|live| live.seconded.insert(digest.clone()));
            if let Some(event) = agreed.filter(|_| is_new).cloned() {
                let how = Approval::SecondPerson { asked_by };
                self.look(run, event.by, Some(step), Then::Go { digest, how });
            }
        }
    }

    /// A refusal that belongs to no step.
    async fn refuse(&self, what: &str, target: &str, cause: &str, remedy: &str) {
        let failure = Failure {
            kind: FailureKind::Refused,
            what: Clean::new(what),
            target: Clean::new(target),
            cause: Clean::new(cause),
            remedy: Clean::new(remedy),
        };
        self.told(&failure).await;
    }

    /// Tells what could not be done; said once, because it is a person's own order that failed.
    async fn told(&self, failure: &Failure) {
        let key = format!("run:{}:{}", failure.target, self.kit.clock.now().timestamp_micros());
        let _ = self.kit.facts.send(Fact::RunRefused(failure.clone())).await;
        tracing::warn!(%failure, key, "an order for a run was not done");
    }
}

//! Orders to the runner and what it tells, one question at a time.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cli::print;
use crate::domain::fact::Fact;
use crate::domain::id::StepId;
use crate::domain::run::{Happened, Need, Proposal, Run, RunId, RunOrder, Situation, StepState, Wanted};
use crate::engine::clock::Clock;
use crate::text::Clean;

/// How long the runner may take to answer what needs no process: values have deadlines of their own.
const ANSWER: Duration = Duration::from_secs(90);

/// One conversation about one run.
pub(super) struct Talk {
    pub orders: mpsc::Sender<RunOrder>,
    pub facts: mpsc::Receiver<Fact>,
    pub run: RunId,
    pub by: Clean,
    pub clock: Clock,
    pub situation: Situation,
    /// What stands, as far as it was told.
    pub stands: Option<Run>,
}

/// What came.
pub(super) enum Heard {
    Proposed(Box<Proposal>),
    Moved,
    Refused(Clean),
    Other,
}

impl Talk {
    pub async fn order(&self, what: Wanted) {
        let order = RunOrder { run: self.run, by: self.by.clone(), at: self.clock.now(), what };
        let _ = self.orders.send(order).await;
    }

    /// The next thing told; `None` when the runner is gone.
    pub async fn hear(&mut self) -> Option<Heard> {
        Some(match self.facts.recv().await? {
            Fact::RunMoved(event) if event.run == self.run => {
                match &mut self.stands {
                    Some(stands) => stands.apply(&event),
                    None => self.stands = Run::begin(&event),
                }
                if let Happened::Opened { .. } = event.what {
                    return Some(Heard::Other);
                }
                Heard::Moved
            }
            Fact::StepProposed(proposal) if proposal.run == self.run => Heard::Proposed(proposal),
            Fact::StepPrinted(printed) if printed.run == self.run => {
                if printed.dropped > 0 {
                    print::note(&format!("    … {} bytes not shown here", printed.dropped));
                }
                for line in &printed.lines {
                    print::out(&format!("    {line}\n")).ok()?;
                }
                Heard::Other
            }
            Fact::RunRefused(failure) | Fact::ProblemFound { failure, .. } => {
                Heard::Refused(Clean::new(failure.to_string()))
            }
            _ => Heard::Other,
        })
    }

    /// Opens the run; false when it could not be.
    pub async fn open(&mut self, runbook: crate::domain::id::RunbookId, is_drill: bool) -> bool {
        let situation = Box::new(self.situation.clone());
        self.order(Wanted::Open { runbook, situation, is_drill }).await;
        let opening = async {
            while self.stands.is_none() {
                match self.hear().await {
                    Some(Heard::Refused(why)) => {
                        print::tell(why.as_str());
                        return false;
                    }
                    Some(_) => {}
                    None => return false,
                }
            }
            true
        };
        timeout(ANSWER, opening).await.unwrap_or(false)
    }

    /// What a step would do.
    pub async fn propose(&mut self, step: &StepId, is_dry: bool) -> Option<Box<Proposal>> {
        let situation = Box::new(self.situation.clone());
        self.order(Wanted::Propose { step: Some(step.clone()), situation, is_dry }).await;
        let waiting = async {
            loop {
                match self.hear().await? {
                    Heard::Proposed(proposal) if proposal.step == *step => return Some(proposal),
                    Heard::Refused(why) => print::tell(why.as_str()),
                    _ => {}
                }
            }
        };
        timeout(ANSWER, waiting).await.ok().flatten()
    }

    pub fn state(&self, step: &StepId) -> StepState {
        self.stands.as_ref().map(|run| run.state(step).clone()).unwrap_or_default()
    }

    /// Until the step came to an end, or waits for a decision, or is proposed again (what was approved is not what it is
    /// now).
    pub async fn until_ended(&mut self, step: &StepId) -> Option<Ended> {
        loop {
            match self.hear().await? {
                Heard::Proposed(proposal) if proposal.step == *step => return Some(Ended::Again(proposal)),
                Heard::Refused(why) => {
                    print::tell(why.as_str());
                    return Some(Ended::Refused);
                }
                Heard::Moved => match self.state(step) {
                    // Its verification is still to come.
                    StepState::Ended(outcome) if outcome.is_unverified() => {}
                    StepState::Ended(_) => return Some(Ended::Over),
                    StepState::Waiting(Need::Decision { .. }) => return Some(Ended::Over),
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

/// How waiting ended.
pub(super) enum Ended {
    Over,
    Refused,
    Again(Box<Proposal>),
}

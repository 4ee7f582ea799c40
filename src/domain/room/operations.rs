//! What this console was asked to do, and how far each of it got.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::action::{Delivery, Intent, Target};
use crate::domain::id::{IncidentId, OpId, PagerId};
use crate::domain::time::Timestamp;

/// Settled actions that are remembered; older ones are in the journal.
const MAX_SETTLED: usize = 2_000;

/// Steps of one action that are remembered: a dead source is tried for hours.
const MAX_STEPS: usize = 100;

/// An action and how far it got.
#[derive(Clone, Debug)]
pub struct Sending {
    /// What was asked.
    pub intent: Intent,
    /// How far it got.
    pub delivery: Delivery,
    /// When that was.
    pub at: Timestamp,
    /// Every state it reached and when, oldest first.
    pub steps: Vec<(Timestamp, Delivery)>,
    /// The incident that a declaration opened.
    pub opened: Option<PagerId>,
}

/// Actions by identity and by incident.
#[derive(Debug, Default)]
pub(super) struct Operations {
    all: BTreeMap<OpId, Sending>,
    by_incident: HashMap<IncidentId, BTreeSet<OpId>>,
    settled: BTreeSet<OpId>,
    pub version: u64,
}

impl Operations {
    /// An intent comes before its deliveries: the journal is written first. One that is told again (a replay) keeps its
    /// steps.
    pub fn record(&mut self, intent: &Intent) {
        self.version += 1;
        if let Target::Incident { id, .. } = &intent.target {
            self.by_incident.entry(id.clone()).or_default().insert(intent.op);
        }
        self.all.entry(intent.op).or_insert_with(|| Sending {
            intent: intent.clone(),
            delivery: Delivery::Queued { waits_until: None },
            at: intent.at,
            steps: Vec::new(),
            opened: None,
        });
    }

    /// A delivery of an unknown action (its intent was trimmed, or is another console's) changes nothing.
    pub fn deliver(&mut self, op: OpId, delivery: &Delivery, at: Timestamp, opened: Option<&PagerId>) {
        let Some(known) = self.all.get_mut(&op) else { return };
        self.version += 1;
        if let Some(opened) = opened {
            known.opened = Some(opened.clone());
        }
        known.delivery = delivery.clone();
        known.at = at;
        if known.steps.last().is_none_or(|(_, last)| last != delivery) {
            if known.steps.len() >= MAX_STEPS {
                known.steps.remove(0);
            }
            known.steps.push((at, delivery.clone()));
        }
        if delivery.is_settled() {
            self.settled.insert(op);
        } else {
            self.settled.remove(&op);
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.settled.len() > MAX_SETTLED
            && let Some(oldest) = self.settled.pop_first()
        {
            let target = self.all.remove(&oldest).map(|gone| gone.intent.target);
            if let Some(Target::Incident { id, .. }) = target
                && let Some(ops) = self.by_incident.get_mut(&id)
            {
                ops.remove(&oldest);
                if ops.is_empty() {
                    self.by_incident.remove(&id);
                }
            }
        }
    }

    pub fn all(&self) -> &BTreeMap<OpId, Sending> {
        &self.all
    }

    /// What was asked under this very name, oldest first.
    pub fn of(&self, id: &IncidentId) -> impl DoubleEndedIterator<Item = &Sending> {
        self.by_incident.get(id).into_iter().flatten().filter_map(|op| self.all.get(op))
    }

    pub fn pending(&self) -> usize {
        self.all.len() - self.settled.len()
    }
}

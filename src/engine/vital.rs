//! How one source does: kept by whoever asks it, told to the screen only when it changed.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use crate::domain::fact::Fact;
use crate::domain::id::SourceId;
use crate::domain::source::{ChronoSeconds, RateBudget, Reach, SourceHealth, SourceKind};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// Warnings kept for one source.
const MOST_WARNINGS: usize = 16;

/// One source's health.
#[derive(Debug)]
pub(crate) struct Vital {
    health: SourceHealth,
    told: Option<SourceHealth>,
    /// Warnings by the question whose answer carried them.
    warnings: BTreeMap<&'static str, Vec<Clean>>,
    facts: mpsc::Sender<Fact>,
}

impl Vital {
    pub(crate) fn new(id: SourceId, kind: SourceKind, every: chrono::Duration, facts: mpsc::Sender<Fact>) -> Self {
        let health = SourceHealth {
            id,
            kind,
            reach: Reach::Unasked,
            answered_at: None,
            is_recalled: false,
            asking_since: None,
            every: ChronoSeconds(every.num_seconds().max(1)),
            clock_skew: None,
            budget: None,
            version: None,
            warnings: Vec::new(),
        };
        Self { health, told: None, warnings: BTreeMap::new(), facts }
    }

    pub(crate) fn id(&self) -> &SourceId {
        &self.health.id
    }

    /// When this console was answered last.
    pub(crate) fn answered_at(&self) -> Option<Timestamp> {
        self.health.answered_at.filter(|_| !self.health.is_recalled)
    }

    /// An earlier console had its answer at `at`; this one has none yet.
    pub(crate) fn recalled(&mut self, at: Timestamp) {
        if self.health.answered_at.is_none() {
            (self.health.answered_at, self.health.is_recalled) = (Some(at), true);
        }
    }

    /// Its last complete state stays; the request that waits for an answer is shown.
    pub(crate) fn asking(&mut self, since: Option<Timestamp>) {
        self.health.asking_since = since;
    }

    /// The question that counts was answered at `at`.
    pub(crate) fn answered(&mut self, at: Timestamp, dropped: usize) {
        self.health.reach = if dropped == 0 { Reach::Up } else { Reach::Partial { dropped } };
        (self.health.answered_at, self.health.is_recalled) = (Some(at), false);
    }

    pub(crate) fn failed(&mut self, reach: Reach) {
        self.health.reach = reach;
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.health.reach, Reach::Up | Reach::Partial { .. })
    }

    pub(crate) fn reach(&self) -> &Reach {
        &self.health.reach
    }

    pub(crate) fn budget(&self) -> Option<RateBudget> {
        self.health.budget
    }

    /// What came beside an answer.
    pub(crate) fn beside(&mut self, budget: Option<RateBudget>, skew: Option<ChronoSeconds>, version: Option<Clean>) {
        self.health.budget = budget.or(self.health.budget);
        self.health.clock_skew = skew.or(self.health.clock_skew);
        self.health.version = version.or_else(|| self.health.version.take());
    }

    /// Replaces the warnings of one question.
    pub(crate) fn warn(&mut self, question: &'static str, warnings: Vec<Clean>) {
        if warnings.is_empty() {
            self.warnings.remove(question);
        } else {
            self.warnings.insert(question, warnings);
        }
        self.health.warnings = self.warnings.values().flatten().take(MOST_WARNINGS).cloned().collect();
    }

    /// Tells it when it changed.
    pub(crate) async fn tell(&mut self) {
        if self.told.as_ref() != Some(&self.health) {
            self.told = Some(self.health.clone());
            let _ = self.facts.send(Fact::HealthChanged(self.health.clone())).await;
        }
    }
}

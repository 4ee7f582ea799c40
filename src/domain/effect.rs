//! What the engine must do. `update` returns these; nothing in the core does them.

use serde::{Deserialize, Serialize};

use super::action::{Intent, Target};
use super::id::{OpId, SourceId};
use super::run::RunOrder;
use super::series::Range;
use super::time::Timestamp;

/// Ties an answer to the question that is still wanted: the asker counts, and drops answers to older questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueryId(pub u64);

/// When a query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryTime {
    /// At one instant.
    Instant(Timestamp),
    /// On a grid.
    Range(Range),
}

/// What the engine must do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Change the world: journal, outbox, source. Answers: [`super::fact::Fact::Delivered`].
    Act(Intent),
    /// Try a failed or unknown action again; reads back first.
    Retry(OpId),
    /// Give a queued, failed or unknown action up.
    Drop(OpId),
    /// People look at this incident ([`Target::Incident`]): keep its timeline, alerts, policy and changes fresh. `None`
    /// when at none. Sent again when the row learns PagerDuty's id.
    Focus(Option<Target>),
    /// Something is asked of a run of a runbook. Answers: [`super::fact::Fact::RunMoved`] and its like.
    Run(Box<RunOrder>),
    /// Ask every list again now (bounded by the rate budgets).
    Refresh,
    /// Ask a Prometheus.
    Query {
        /// Comes back with the answer.
        id: QueryId,
        /// Which Prometheus.
        source: SourceId,
        /// The expression, complete.
        promql: String,
        /// When.
        time: QueryTime,
    },
}

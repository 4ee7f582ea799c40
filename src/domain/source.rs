//! The outside systems, how well each answers, and what it still lets us ask.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::id::SourceId;
use super::time::Timestamp;
use crate::text::Clean;

/// Which kind of system a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// PagerDuty REST v2 and Events v2.
    PagerDuty,
    /// One Alertmanager instance, API v2.
    Alertmanager,
    /// Prometheus or anything that speaks its query API.
    Prometheus,
    /// This console and its colleagues on the same journal.
    Console,
}

/// Whether the last exchange with a source worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Reach {
    /// Nothing was asked yet.
    Unasked,
    /// The last answer was complete.
    Up,
    /// The last answer could be used in part: `dropped` elements were not understood.
    Partial {
        /// Elements that were left out.
        dropped: usize,
    },
    /// Not authorised: polls wait for a new token, data on screen stays.
    Forbidden {
        /// What was answered.
        failure: Failure,
    },
    /// The last exchange failed; data on screen stays, with its age.
    Down {
        /// What failed.
        failure: Failure,
        /// When the next try is made.
        retry_at: Option<Timestamp>,
    },
}

/// What is left of the provider's own rate limit, as its headers said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateBudget {
    /// Requests allowed in the window.
    pub limit: u32,
    /// Requests left in the window.
    pub remaining: u32,
    /// When the window ends.
    pub resets_at: Timestamp,
}

/// Everything the header and the problems view say about one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// The configured name.
    pub id: SourceId,
    /// What it is.
    pub kind: SourceKind,
    /// How the last exchange went.
    pub reach: Reach,
    /// When the last complete answer came.
    pub answered_at: Option<Timestamp>,
    /// That answer came to an earlier console: this one has none yet.
    #[serde(default)]
    pub is_recalled: bool,
    /// Since when a request has been waiting for its answer.
    pub asking_since: Option<Timestamp>,
    /// How often it is asked; three of these without an answer are stale.
    pub every: ChronoSeconds,
    /// The provider's clock minus ours, from its `Date` header.
    pub clock_skew: Option<ChronoSeconds>,
    /// What the provider's headers allow.
    pub budget: Option<RateBudget>,
    /// Version as it calls itself.
    pub version: Option<Clean>,
    /// Warnings the last answer carried (partial responses of Thanos and Mimir, for example).
    pub warnings: Vec<Clean>,
}

/// A span in whole seconds, as configs and reports write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChronoSeconds(pub i64);

impl ChronoSeconds {
    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::seconds(self.0)
    }
}

//! Escalation policies, their levels, and who is on call.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::id::{PolicyId, UserId};
use super::incident::Named;
use super::source::ChronoSeconds;
use super::time::Timestamp;
use crate::text::Clean;

/// A policy: levels in order, repeated `loops` times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationPolicy {
    /// PagerDuty's id.
    pub id: PolicyId,
    /// Its name.
    pub name: Clean,
    /// Level 1 first.
    pub levels: Vec<Level>,
    /// How often it starts again from level 1.
    pub loops: u32,
}

/// One level of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// How long it waits before the next level is called.
    pub delay: ChronoSeconds,
    /// Names of the people and schedules it calls.
    pub targets: Vec<Clean>,
}

impl Level {
    /// How long it waits.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.delay.duration()
    }
}

/// Somebody who is on call now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    /// Who.
    pub user: Named<UserId>,
    /// For which policy.
    pub policy: Named<PolicyId>,
    /// At which level, 1-based.
    pub level: u32,
    /// Through which schedule; `None` when the policy names the person.
    pub schedule: Option<Clean>,
    /// Until when; `None` is for good.
    pub until: Option<Timestamp>,
}

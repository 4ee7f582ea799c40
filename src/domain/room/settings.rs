//! What the room is told before the first fact: pure rules, taken from the configuration at the composition root.

use std::collections::BTreeMap;

use chrono::Duration;

use crate::domain::calendar::Calendar;
use crate::domain::correlate::ServiceRule;
use crate::domain::escalation::EscalationPolicy;
use crate::domain::id::SourceId;
use crate::domain::severity::SeverityRules;

/// Which of two equally bad rows stands first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartOrder {
    /// The one that has waited longest; new rows come in below, so what a person reads keeps its place.
    #[default]
    OldestFirst,
    /// The newest.
    NewestFirst,
}

/// The rules of a room.
#[derive(Clone, Debug)]
pub struct RoomSettings {
    /// Severities, their labels and clocks.
    pub severities: SeverityRules,
    /// Services, in order; the first rule that matches wins.
    pub services: Vec<ServiceRule>,
    /// Alertmanager instance → cluster.
    pub clusters: BTreeMap<SourceId, SourceId>,
    /// The PagerDuty source, when there is one.
    pub pagerduty: Option<SourceId>,
    /// How long a resolved incident stays on the board.
    pub keep_resolved: Duration,
    /// Order of equally bad rows.
    pub order: StartOrder,
    /// Business days.
    pub calendar: Calendar,
    /// Who is called, and when, for incidents that PagerDuty does not have.
    pub local_policy: Option<EscalationPolicy>,
    /// Alert names of heartbeats that must always fire; those seen once are expected without being named.
    pub heartbeats: Vec<String>,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            severities: SeverityRules::default(),
            services: Vec::new(),
            clusters: BTreeMap::new(),
            pagerduty: None,
            keep_resolved: Duration::minutes(30),
            order: StartOrder::default(),
            calendar: Calendar::default(),
            local_policy: None,
            heartbeats: Vec::new(),
        }
    }
}

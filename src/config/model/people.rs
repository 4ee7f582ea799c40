//! People and their agreements: teams, local escalation, roles, nudges, targets, working hours.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::domain::escalation::{EscalationPolicy, Level};
use crate::domain::id::PolicyId;
use crate::domain::severity::Severity;
use crate::domain::source::ChronoSeconds;
use crate::text::Clean;

/// `[[team]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamConfig {
    /// Its name.
    pub name: Clean,
    /// Who is called first.
    pub primary_oncall: Option<Clean>,
    /// Who is called next.
    pub secondary_oncall: Option<Clean>,
    /// Who decides when both are stuck.
    pub escalation_manager: Option<Clean>,
    /// Its policy: one of `[[escalation]]` or PagerDuty's, by name.
    pub policy: Option<Clean>,
}

/// `[[escalation]]`: a local policy, for rooms without PagerDuty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyConfig {
    /// Its name.
    pub name: Clean,
    /// How often it starts again from the first rule.
    pub num_loops: u32,
    /// Level 1 first.
    pub rules: Vec<RuleConfig>,
}

impl PolicyConfig {
    /// As the clock of an incident reads it.
    #[must_use]
    pub fn policy(&self) -> EscalationPolicy {
        let level =
            |rule: &RuleConfig| Level { delay: ChronoSeconds(rule.delay.num_seconds()), targets: rule.targets.clone() };
        EscalationPolicy {
            id: PolicyId::derived("local", self.name.as_str()),
            name: self.name.clone(),
            levels: self.rules.iter().map(level).collect(),
            loops: self.num_loops,
        }
    }
}

/// One level of a local policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleConfig {
    /// How long it waits before the next rule is called.
    pub delay: Duration,
    /// Whom it calls.
    pub targets: Vec<Clean>,
}

/// `[[role]]`: a part that somebody takes in an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleConfig {
    /// Its name.
    pub name: Clean,
    /// Whether who holds it leads the response.
    pub lead: bool,
    /// What it does, a line each.
    pub duties: Vec<Clean>,
}

/// `[[nudge]]`: a reminder when something that should happen has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NudgeConfig {
    /// What has not happened, such as `no-update`.
    pub condition: String,
    /// For how long.
    pub after: Duration,
    /// Who is reminded: a role or a person.
    pub to: Clean,
}

/// `[targets]`: what the team wants to reach.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetsConfig {
    /// Mean time to resolve, by severity.
    pub mttr: BTreeMap<Severity, Duration>,
    /// Mean time to acknowledge, by severity.
    pub mtta: BTreeMap<Severity, Duration>,
    /// Mean time between failures of one service, at least.
    pub mtbf: Duration,
    /// Share of false positives, 0 to 1, at most.
    pub false_positive_rate: f64,
}

/// `[calendar]`: what a business day is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarConfig {
    /// Working days.
    pub days: Vec<Weekday>,
    /// From and until.
    pub hours: (NaiveTime, NaiveTime),
    /// Days off.
    pub holidays: Vec<NaiveDate>,
    /// Zone of the hours; the room's when absent.
    pub time_zone: Option<Tz>,
}

/// `[notify]`: how the console calls for attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyConfig {
    /// Terminal bell.
    pub bell: bool,
    /// The terminal's desktop notification (OSC 9), which works over SSH.
    pub desktop: bool,
    /// From and until: neither bell nor notification, but for critical ones.
    pub quiet: Option<(NaiveTime, NaiveTime)>,
}

//! The running clock of an incident: time left to respond, then time left until the escalation policy moves on, and to
//! whom. Derived from what is known; nothing ticks here.

use super::calendar::Calendar;
use super::escalation::{EscalationPolicy, OnCall};
use super::incident::{Incident, PagerIncident, PendingAction, PendingKind, Status, Urgency};
use super::severity::{EscalateAfter, SeverityRules};
use super::time::Timestamp;
use crate::text::Clean;

/// How an instant of escalation is known; a computed one must not be taken for PagerDuty's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// PagerDuty says so (`pending_actions`).
    Told,
    /// The policy's delay, counted from the last change.
    Policy,
    /// The severity's escalation time in this room's configuration.
    Severity,
}

/// Why nobody further is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unescalated {
    /// It was assigned to people directly.
    AssignedDirectly,
    /// Its urgency is low.
    LowUrgency,
    /// Every level of every loop was called.
    Exhausted,
    /// Nothing is configured, or the policy is not known yet.
    NoPolicy,
}

impl Unescalated {
    /// The reason in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AssignedDirectly => "assigned directly: never escalates",
            Self::LowUrgency => "low urgency: never escalates",
            Self::Exhausted => "every level was called",
            Self::NoPolicy => "no escalation policy known",
        }
    }
}

/// What the clock of a row counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Somebody must respond until then.
    Respond {
        /// End of the response time.
        until: Timestamp,
        /// That time is over, and nothing escalates by itself.
        is_overdue: bool,
    },
    /// The next level is called then.
    Escalate {
        /// When.
        at: Timestamp,
        /// The level that will be called, 1-based; `None` while it is not known at which one the incident stands.
        level: Option<u32>,
        /// Who that is; empty while it is not known.
        to: Vec<Clean>,
        /// How it is known.
        basis: Basis,
    },
    /// Put off until then.
    Snoozed {
        /// When it comes back.
        until: Timestamp,
    },
    /// Acknowledged; the acknowledgement runs out then.
    Lapses {
        /// When it falls back to triggered.
        at: Timestamp,
    },
    /// Somebody works on it.
    Working {
        /// Since when.
        since: Timestamp,
    },
    /// All its alerts are silenced or inhibited.
    Suppressed,
    /// It is over.
    Over {
        /// Since when, where known.
        at: Option<Timestamp>,
    },
}

/// The running clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What it counts.
    pub phase: Phase,
    /// Why nobody further is called, where that is so.
    pub unescalated: Option<Unescalated>,
}

impl Clock {
    /// The instant it counts to, if any.
    #[must_use]
    pub fn target(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Respond { until, .. } | Phase::Snoozed { until } => Some(*until),
            Phase::Escalate { at, .. } | Phase::Lapses { at } => Some(*at),
            Phase::Working { .. } | Phase::Suppressed | Phase::Over { .. } => None,
        }
    }

    /// When its phase changes by the mere passing of time, after `now`.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.target().filter(|at| *at > now)
    }
}

/// What a clock is worked out from.
#[derive(Clone, Copy, Debug)]
pub struct ClockInput<'a> {
    /// The row.
    pub incident: &'a Incident,
    /// The policy that runs it, where it is known.
    pub policy: Option<&'a EscalationPolicy>,
    /// The policy for incidents that PagerDuty does not have.
    pub local_policy: Option<&'a EscalationPolicy>,
    /// Severities and their times.
    pub severities: &'a SeverityRules,
    /// Business days.
    pub calendar: &'a Calendar,
    /// Until when it is snoozed, where that is known.
    pub snoozed_until: Option<Timestamp>,
    /// Who is on call now.
    pub on_call: &'a [OnCall],
    /// The level of its policy that it stands at, where that is known.
    pub level: Option<u32>,
}

/// What comes next, when, and how it is known.
struct Escalation {
    at: Timestamp,
    level: Option<u32>,
    to: Vec<Clean>,
    basis: Basis,
}

/// The clock of an incident at `now`.
#[must_use]
pub fn clock(input: &ClockInput<'_>, now: Timestamp) -> Clock {
    let incident = input.incident;
    let record = incident.record.as_deref();
    let plain = |phase| Clock { phase, unescalated: None };
    match incident.status {
        Status::Resolved => plain(Phase::Over { at: record.map(|record| record.changed_at) }),
        Status::Acknowledged => plain(acknowledged(input, now)),
        Status::Triggered if incident.is_suppressed => plain(Phase::Suppressed),
        Status::Triggered => triggered(input, now),
    }
}

fn acknowledged(input: &ClockInput<'_>, now: Timestamp) -> Phase {
    if let Some(until) = input.snoozed_until.filter(|until| *until > now) {
        return Phase::Snoozed { until };
    }
    let record = input.incident.record.as_deref();
    let lapse = record.and_then(|record| pending(record, PendingKind::Unacknowledge));
    match lapse {
        Some(lapse) => Phase::Lapses { at: lapse.at },
        None => {
            let acknowledged = record.and_then(|record| Some(record.acknowledgements.last()?.at));
            let changed = record.map(|record| record.changed_at);
            Phase::Working { since: acknowledged.or(changed).unwrap_or(input.incident.started_at) }
        }
    }
}

fn triggered(input: &ClockInput<'_>, now: Timestamp) -> Clock {
    let incident = input.incident;
    let until = incident.started_at + input.severities.response(incident.assessment.severity);
    let escalation = match incident.record.as_deref() {
        Some(record) => pager_escalation(record, input),
        None => local_escalation(input, now),
    };
    let unescalated = escalation.as_ref().err().copied();
    let phase = match escalation {
        // A level that moves on before the response time is over is the nearer clock.
        Ok(next) if until <= now || next.at < until => {
            Phase::Escalate { at: next.at, level: next.level, to: next.to, basis: next.basis }
        }
        _ => Phase::Respond { until, is_overdue: until <= now },
    };
    Clock { phase, unescalated }
}

fn pending(record: &PagerIncident, kind: PendingKind) -> Option<&PendingAction> {
    record.pending.iter().filter(|action| action.kind == kind).min_by_key(|action| action.at)
}

/// PagerDuty's own word, else the policy's delay since the last change.
fn pager_escalation(record: &PagerIncident, input: &ClockInput<'_>) -> Result<Escalation, Unescalated> {
    let policy = input.policy;
    if record.assigned_directly {
        return Err(Unescalated::AssignedDirectly);
    }
    let level = input.level.unwrap_or(1).max(1);
    let (next, to) = match input.level {
        Some(level) => next_level(record, input, level.max(1)),
        // Whom it calls cannot be told from an unknown level, unless there is only one.
        None if policy.is_some_and(|policy| policy.levels.len() == 1) => next_level(record, input, 1),
        None => (None, Vec::new()),
    };
    if let Some(told) = pending(record, PendingKind::Escalate) {
        return Ok(Escalation { at: told.at, level: next, to, basis: Basis::Told });
    }
    if record.urgency == Urgency::Low {
        return Err(Unescalated::LowUrgency);
    }
    let policy = policy.ok_or(Unescalated::NoPolicy)?;
    let here = policy.levels.get(level as usize - 1).ok_or(Unescalated::NoPolicy)?;
    if policy.loops == 0 && level as usize >= policy.levels.len() {
        return Err(Unescalated::Exhausted);
    }
    Ok(Escalation { at: record.changed_at + here.wait(), level: next, to, basis: Basis::Policy })
}

/// The level after `level`, looping back to the first, and who it is: the people on call there now, else the schedules
/// that the policy names.
fn next_level(record: &PagerIncident, input: &ClockInput<'_>, level: u32) -> (Option<u32>, Vec<Clean>) {
    let on_call = || {
        let is_here = |entry: &&OnCall| record.policy.as_ref().is_some_and(|policy| policy.id == entry.policy.id);
        input.on_call.iter().filter(is_here)
    };
    let levels = input.policy.map(|policy| policy.levels.as_slice()).unwrap_or_default();
    let count = (levels.len() as u32).max(on_call().map(|entry| entry.level).max().unwrap_or(0));
    let next = if count == 0 { level + 1 } else { level % count + 1 };
    let mut to: Vec<Clean> =
        on_call().filter(|entry| entry.level == next).map(|entry| entry.user.name.clone()).collect();
    if to.is_empty() {
        to = levels.get(next as usize - 1).map(|level| level.targets.clone()).unwrap_or_default();
    }
    (Some(next), to)
}

/// Without PagerDuty: level 1 is called when the severity's policy says so, each further one after the delay of the one
/// before, as often as the local policy repeats.
fn local_escalation(input: &ClockInput<'_>, now: Timestamp) -> Result<Escalation, Unescalated> {
    let incident = input.incident;
    let policy = input.local_policy.filter(|policy| !policy.levels.is_empty()).ok_or(Unescalated::NoPolicy)?;
    let severity = input.severities.policy(incident.assessment.severity).ok_or(Unescalated::NoPolicy)?;
    let mut at = match severity.escalate {
        EscalateAfter::Now => incident.started_at,
        EscalateAfter::Span(span) => incident.started_at + span,
        EscalateAfter::NextBusinessDay => input.calendar.next_business_day(incident.started_at),
    };
    // PagerDuty allows nine loops of twenty levels; a configured million must not be walked.
    let loops = policy.loops.min(50) as usize + 1;
    let levels = policy.levels.iter().zip(1..).cycle().take(policy.levels.len() * loops);
    for (level, number) in levels {
        if at > now {
            return Ok(Escalation { at, level: Some(number), to: level.targets.clone(), basis: Basis::Severity });
        }
        at += level.wait().max(chrono::Duration::seconds(1));
    }
    Err(Unescalated::Exhausted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::escalation::Level;
    use crate::domain::id::{IncidentId, PolicyId, UserId};
    use crate::domain::incident::{Acknowledgement, Assessment, Named};
    use crate::domain::severity::Severity;
    use crate::domain::source::ChronoSeconds;
    use crate::domain::testing::{noon, pager};

    fn policy(loops: u32, delays: &[(i64, &str)]) -> EscalationPolicy {
        let level = |(delay, to): &(i64, &str)| Level { delay: ChronoSeconds(*delay), targets: vec![Clean::new(to)] };
        EscalationPolicy {
            id: PolicyId::parse("PEP").expect("an identity"),
            name: Clean::new("main"),
            levels: delays.iter().map(level).collect(),
            loops,
        }
    }

    fn row(record: Option<PagerIncident>, severity: Severity) -> Incident {
        Incident {
            id: IncidentId::derived("t", "1"),
            status: record.as_ref().map_or(Status::Triggered, |record| record.status),
            record: record.map(std::sync::Arc::new),
            alerts: Vec::new(),
            title: Clean::new("t"),
            service: None,
            assessment: Assessment { severity, because: Clean::default() },
            started_at: noon(0),
            is_suppressed: false,
        }
    }

    fn at(incident: &Incident, pager: Option<&EscalationPolicy>, local: Option<&EscalationPolicy>, now: i64) -> Clock {
        let severities = SeverityRules::default();
        let calendar = Calendar::default();
        let input = ClockInput {
            incident,
            policy: pager,
            local_policy: local,
            severities: &severities,
            calendar: &calendar,
            snoozed_until: None,
            on_call: &[],
            level: incident.record.as_ref().and_then(|record| record.level),
        };
        clock(&input, noon(now))
    }

    fn escalate(at: i64, level: u32, to: &str, basis: Basis) -> Phase {
        Phase::Escalate { at: noon(at), level: Some(level), to: vec![Clean::new(to)], basis }
    }

    #[test]
    fn first_respond_then_the_policy() {
        let policy = policy(1, &[(1_200, "ana"), (600, "ben")]);
        let incident = row(Some(PagerIncident { level: Some(1), ..pager("P1") }), Severity::High);
        let clock = at(&incident, Some(&policy), None, 10);
        assert_eq!(clock.phase, Phase::Respond { until: noon(900), is_overdue: false });
        assert_eq!(clock.next_change(noon(10)), Some(noon(900)));
        assert_eq!(at(&incident, Some(&policy), None, 901).phase, escalate(1_200, 2, "ben", Basis::Policy));
        let unknown = at(&incident, None, None, 901);
        assert_eq!(unknown.phase, Phase::Respond { until: noon(900), is_overdue: true });
        assert_eq!(unknown.unescalated, Some(Unescalated::NoPolicy));
    }

    #[test]
    fn what_pagerduty_says_beats_what_we_count_and_levels_loop() {
        let policy = policy(2, &[(600, "ana"), (600, "ben")]);
        let mut record = pager("P1");
        record.level = Some(2);
        record.pending = vec![PendingAction { kind: PendingKind::Escalate, at: noon(333) }];
        let clock = at(&row(Some(record), Severity::High), Some(&policy), None, 10);
        assert_eq!(clock.phase, escalate(333, 1, "ana", Basis::Told));
    }

    #[test]
    fn an_unknown_level_calls_nobody_by_name_and_people_stand_before_schedules() {
        let policy = policy(1, &[(600, "primary"), (600, "secondary")]);
        let mut record = pager("P1");
        record.pending = vec![PendingAction { kind: PendingKind::Escalate, at: noon(333) }];
        record.policy = Some(Named { id: policy.id.clone(), name: Clean::new("ops") });
        let on_call = [OnCall {
            user: Named { id: UserId::parse("UBEN").expect("an identity"), name: Clean::new("Ben") },
            policy: Named { id: policy.id.clone(), name: Clean::new("ops") },
            level: 2,
            schedule: None,
            until: None,
        }];
        let ask = |level: Option<u32>, on_call: &[OnCall], policy: Option<&EscalationPolicy>| {
            let incident = row(Some(PagerIncident { level, ..record.clone() }), Severity::High);
            let (severities, calendar) = (SeverityRules::default(), Calendar::default());
            let input = ClockInput {
                incident: &incident,
                policy,
                local_policy: None,
                severities: &severities,
                calendar: &calendar,
                snoozed_until: None,
                on_call,
                level,
            };
            match clock(&input, noon(10)).phase {
                Phase::Escalate { level, to, .. } => (level, to.first().map(ToString::to_string)),
                other => panic!("{other:?}"),
            }
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(ask(None, &on_call, Some(&policy)), (None, None));
        assert_eq!(ask(Some(1), &on_call, Some(&policy)), (Some(2), named("Ben")));
        assert_eq!(ask(Some(1), &[], Some(&policy)), (Some(2), named("secondary")));
        assert_eq!(ask(Some(1), &on_call, None), (Some(2), named("Ben")), "the policy itself was not read yet");
        assert_eq!(ask(Some(2), &on_call, Some(&policy)), (Some(1), named("primary")));
    }

    #[test]
    fn who_is_never_escalated_to() {
        let policy = policy(0, &[(60, "ana"), (60, "ben")]);
        let reason = |change: &dyn Fn(&mut PagerIncident)| {
            let mut record = pager("P1");
            change(&mut record);
            at(&row(Some(record), Severity::Critical), Some(&policy), None, 999).unescalated
        };
        assert_eq!(reason(&|record| record.assigned_directly = true), Some(Unescalated::AssignedDirectly));
        assert_eq!(reason(&|record| record.urgency = Urgency::Low), Some(Unescalated::LowUrgency));
        assert_eq!(reason(&|record| record.level = Some(2)), Some(Unescalated::Exhausted));
        assert_eq!(reason(&|record| record.level = Some(7)), Some(Unescalated::NoPolicy));
        assert_eq!(reason(&|_| ()), None);
    }

    #[test]
    fn acknowledged_lapses_or_works() {
        let mut record = pager("P1");
        record.status = Status::Acknowledged;
        record.acknowledgements = vec![Acknowledgement { by: Clean::new("ana"), at: noon(30) }];
        let working = at(&row(Some(record.clone()), Severity::High), None, None, 60);
        assert_eq!(working.phase, Phase::Working { since: noon(30) });
        record.pending = vec![PendingAction { kind: PendingKind::Unacknowledge, at: noon(1_800) }];
        let lapsing = at(&row(Some(record), Severity::High), None, None, 60);
        assert_eq!(lapsing.phase, Phase::Lapses { at: noon(1_800) });
    }

    #[test]
    fn without_pagerduty_the_severity_escalates() {
        let local = policy(1, &[(60, "ana"), (60, "ben")]);
        let critical = row(None, Severity::Critical);
        // Critical escalates at once: level 1 was called at the start, level 2 comes a minute later, then it loops.
        assert_eq!(at(&critical, None, Some(&local), 1).phase, escalate(60, 2, "ben", Basis::Severity));
        assert_eq!(at(&critical, None, Some(&local), 61).phase, escalate(120, 1, "ana", Basis::Severity));
        let over = at(&critical, None, Some(&local), 181);
        assert_eq!(over.unescalated, Some(Unescalated::Exhausted));
        let high = row(None, Severity::High);
        assert_eq!(at(&high, None, Some(&local), 901).phase, escalate(1_800, 1, "ana", Basis::Severity));
        // 2 March 2026 is a Monday.
        let low = at(&row(None, Severity::Low), None, Some(&local), 5 * 3_600);
        assert_eq!(low.phase, escalate(21 * 3_600, 1, "ana", Basis::Severity));
    }
}

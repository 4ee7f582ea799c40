//! PagerDuty's shapes to ours. Pure. An object without identity or time is refused with a reason; anything else that is
//! missing is absent.

use super::wire;
use super::{Me, PagerAlert, firing};
use crate::domain::escalation::{EscalationPolicy, Level, OnCall};
use crate::domain::id::{DedupKey, PagerId, PolicyId, PriorityId, TeamId, UserId};
use crate::domain::incident::{
    Acknowledgement, Named, PagerIncident, PendingAction, PendingKind, Priority, Status, Urgency,
};
use crate::domain::severity::Severity;
use crate::domain::source::ChronoSeconds;
use crate::sources::listing::{Soft, clean_or};
use crate::text::{Clean, Untrusted};

/// Reads the severity of an event or of an alert; PagerDuty's four words.
#[must_use]
pub fn severity(word: &str) -> Option<Severity> {
    match word {
        "critical" => Some(Severity::Critical),
        "error" => Some(Severity::High),
        "warning" => Some(Severity::Medium),
        "info" => Some(Severity::Low),
        _ => None,
    }
}

/// The word PagerDuty has for a severity.
#[must_use]
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "info",
    }
}

/// The word PagerDuty has for an urgency.
pub(super) fn urgency_word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "high",
        Urgency::Low => "low",
    }
}

/// An incident; `priorities` is the account's list, worst first.
pub(super) fn incident(told: &wire::Incident, priorities: &[PriorityId]) -> Result<PagerIncident, String> {
    let id = told.id.as_deref().and_then(PagerId::parse).ok_or("an incident without id")?;
    let changed = *told.last_status_change_at;
    let created_at = told.created_at.or(changed).ok_or_else(|| format!("incident {id} without time"))?;
    let status = status(told.status.as_deref());
    let mut pending: Vec<PendingAction> = told.pending_actions.iter().filter_map(pending_action).collect();
    pending.sort_by_key(|action| action.at);
    let mut acknowledgements: Vec<Acknowledgement> = told
        .acknowledgements
        .iter()
        .map(|told| Acknowledgement { by: name(&told.acknowledger), at: told.at })
        .collect();
    acknowledgements.sort_by_key(|acknowledgement| acknowledgement.at);
    let counts = told.alert_counts.clone().0.unwrap_or_default();
    Ok(PagerIncident {
        number: told.incident_number.unwrap_or(0),
        title: clean_or(told.title.as_deref().or(told.summary.as_deref()), "(no title)"),
        status,
        urgency: if told.urgency.as_deref() == Some("low") { Urgency::Low } else { Urgency::High },
        priority: told.priority.as_ref().and_then(|told| priority(told, priorities)),
        service: named(&told.service, crate::domain::id::ServiceId::parse),
        policy: named(&told.escalation_policy, PolicyId::parse),
        level: None,
        assigned_directly: told.assigned_via.as_deref() == Some("direct_assignment"),
        assignees: told.assignments.iter().filter_map(|told| named_ref(&told.assignee, UserId::parse)).collect(),
        acknowledgements,
        teams: told.teams.iter().filter_map(|told| named_ref(told, TeamId::parse)).collect(),
        created_at,
        changed_at: changed.unwrap_or(created_at),
        pending,
        keys: told.incident_key.as_deref().and_then(DedupKey::parse).into_iter().collect(),
        alert_counts: (counts.triggered.unwrap_or(0), counts.resolved.unwrap_or(0)),
        merged_into: merged_into(told),
        fingerprints: Vec::new(),
        is_mergeable: told.is_mergeable.unwrap_or(false),
        html_url: told.html_url.as_deref().map(Untrusted::from),
        alert_severity: None,
        id,
    })
}

/// A status we do not know is shown as the worst one rather than hidden.
fn status(word: Option<&str>) -> Status {
    match word {
        Some("resolved") => Status::Resolved,
        Some("acknowledged") => Status::Acknowledged,
        _ => Status::Triggered,
    }
}

fn pending_action(told: &wire::PendingAction) -> Option<PendingAction> {
    let kind = match told.kind.as_str() {
        "unacknowledge" => PendingKind::Unacknowledge,
        "escalate" => PendingKind::Escalate,
        "resolve" => PendingKind::Resolve,
        "urgency_change" => PendingKind::UrgencyChange,
        _ => return None,
    };
    Some(PendingAction { kind, at: told.at })
}

fn merged_into(told: &wire::Incident) -> Option<PagerId> {
    let reason = told.resolve_reason.as_ref().filter(|reason| reason.kind == "merge_resolve_reason")?;
    reason.incident.as_ref()?.id.as_deref().and_then(PagerId::parse)
}

fn priority(told: &wire::Reference, priorities: &[PriorityId]) -> Option<Priority> {
    let id = told.id.as_deref().and_then(PriorityId::parse)?;
    let rank = priorities.iter().position(|known| *known == id);
    Some(Priority { name: name(told), id, rank })
}

/// The account's priorities in the order they came, which is worst first.
pub(super) fn priorities(told: &[wire::Reference]) -> Vec<Priority> {
    told.iter()
        .filter_map(|told| priority(told, &[]))
        .enumerate()
        .map(|(rank, priority)| Priority { rank: Some(rank), ..priority })
        .collect()
}

/// The level an incident stands at: the only one whose people are exactly those who have it. `None` when two levels
/// have the same people, or none has these.
#[must_use]
pub fn level_by_oncall(incident: &PagerIncident, oncalls: &[OnCall]) -> Option<u32> {
    if incident.assigned_directly || incident.assignees.is_empty() {
        return None;
    }
    let policy = incident.policy.as_ref()?;
    let here = |oncall: &&OnCall| oncall.policy.id == policy.id;
    let levels: std::collections::BTreeSet<u32> = oncalls.iter().filter(here).map(|oncall| oncall.level).collect();
    let mut fitting = levels.into_iter().filter(|level| {
        let people = || oncalls.iter().filter(here).filter(|oncall| oncall.level == *level);
        people().all(|oncall| incident.assignees.iter().any(|user| user.id == oncall.user.id))
            && incident.assignees.iter().all(|user| people().any(|oncall| oncall.user.id == user.id))
    });
    fitting.next().filter(|_| fitting.next().is_none())
}

pub(super) fn alert(told: wire::Alert) -> Result<PagerAlert, String> {
    let id = told.id.0.ok_or("an alert without id")?;
    let created_at = told.created_at.ok_or_else(|| format!("alert {id} without time"))?;
    Ok(PagerAlert {
        key: told.alert_key.as_deref().and_then(DedupKey::parse),
        summary: clean_or(told.summary.as_deref(), "(no summary)"),
        is_open: told.status.as_deref() != Some("resolved"),
        severity: told.severity.as_deref().and_then(severity),
        created_at,
        fingerprints: told.body.0.map(|body| firing::fingerprints(&body.details)).unwrap_or_default(),
        id,
    })
}

pub(super) fn policy(told: &wire::EscalationPolicy) -> Result<EscalationPolicy, String> {
    let id = told.id.as_deref().and_then(PolicyId::parse).ok_or("a policy without id")?;
    let level = |rule: &wire::EscalationRule| Level {
        delay: ChronoSeconds(rule.escalation_delay_in_minutes.unwrap_or(0).clamp(0, 1_000_000) * 60),
        targets: rule.targets.iter().map(name).collect(),
    };
    Ok(EscalationPolicy {
        name: clean_or(told.name.as_deref().or(told.summary.as_deref()), id.as_str()),
        levels: told.escalation_rules.iter().map(level).collect(),
        loops: told.num_loops.unwrap_or(0),
        id,
    })
}

pub(super) fn oncall(told: &wire::OnCall) -> Result<OnCall, String> {
    Ok(OnCall {
        user: named(&told.user, UserId::parse).ok_or("an on-call without user")?,
        policy: named(&told.escalation_policy, PolicyId::parse).ok_or("an on-call without policy")?,
        level: told.escalation_level.ok_or("an on-call without level")?,
        schedule: told.schedule.as_ref().map(name),
        until: *told.end,
    })
}

pub(super) fn me(told: &wire::Reference) -> Result<Me, String> {
    let id = told.id.as_deref().and_then(UserId::parse).ok_or("a user without id")?;
    let email = told.email.as_deref().filter(|email| is_email(email)).ok_or("a user without e-mail")?.to_owned();
    Ok(Me { id, name: name(told), email, role: clean_or(told.role.as_deref(), "") })
}

/// Anything else could not be sent in a header.
pub(super) fn is_email(text: &str) -> bool {
    text.contains('@') && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An object by id and name.
pub(super) fn named_ref<I>(told: &wire::Reference, parse: fn(&str) -> Option<I>) -> Option<Named<I>> {
    Some(Named { id: parse(told.id.as_deref()?)?, name: name(told) })
}

fn named<I>(told: &Soft<wire::Reference>, parse: fn(&str) -> Option<I>) -> Option<Named<I>> {
    named_ref(told.as_ref()?, parse)
}

/// What people call an object.
pub(super) fn name(told: &wire::Reference) -> Clean {
    let known = told.summary.as_deref().or(told.name.as_deref()).or(told.id.as_deref());
    clean_or(known, "(nameless)")
}

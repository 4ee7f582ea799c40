//! The shapes of `--json`: stable field names, documented in docs/json.md. Times are RFC 3339 in UTC, texts have passed
//! the gate, what is not known is null. Fields are added, never renamed.

use serde::Serialize;

use crate::domain::action::{Delivery, Intent, Target};
use crate::domain::alert::{Alert, AlertState, GroupRef, Labels};
use crate::domain::escalation::OnCall;
use crate::domain::failure::Failure;
use crate::domain::incident::{Incident, PendingKind, Status};
use crate::domain::problem::Problem;
use crate::domain::room::Room;
use crate::domain::silence::{Silence, SilenceState};
use crate::domain::time::Timestamp;
use crate::domain::timeline::{Actor, TimelineEvent};
use crate::engine::headless::Outcome;
use crate::text::{Clean, Untrusted, UntrustedStr};

/// An answer: the list under its own name, whether it is all there is, and what failed.
#[derive(Debug, Serialize)]
pub struct Answer<T> {
    /// The list, the object…
    #[serde(flatten)]
    pub body: T,
    /// True when every source answered completely.
    pub complete: bool,
    /// What did not answer.
    pub failures: Vec<FailureJson>,
}

impl<T> Answer<T> {
    /// With the failures that go with it.
    pub fn new(body: T, failures: &[Failure]) -> Self {
        Self { body, complete: failures.is_empty(), failures: failures.iter().map(FailureJson::of).collect() }
    }
}

/// A failure.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct FailureJson {
    pub kind: crate::domain::failure::FailureKind,
    pub what: Clean,
    pub target: Clean,
    pub cause: Clean,
    pub remedy: Clean,
    pub sentence: String,
}

impl FailureJson {
    /// Of a failure.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        Self {
            kind: failure.kind,
            what: failure.what.clone(),
            target: failure.target.clone(),
            cause: failure.cause.clone(),
            remedy: failure.remedy.clone(),
            sentence: failure.to_string(),
        }
    }
}

/// An incident.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct IncidentJson {
    pub id: String,
    pub pagerduty_id: Option<String>,
    pub number: Option<u64>,
    pub title: Clean,
    pub severity: &'static str,
    pub severity_because: Clean,
    pub status: Status,
    pub service: Option<Clean>,
    pub urgency: Option<crate::domain::incident::Urgency>,
    pub priority: Option<Clean>,
    pub assignees: Vec<Clean>,
    pub acknowledged_by: Vec<Clean>,
    pub started_at: Timestamp,
    pub alerts: usize,
    pub suppressed: bool,
    pub policy: Option<Clean>,
    pub level: Option<u32>,
    pub escalates_at: Option<Timestamp>,
    pub url: Option<Clean>,
}

impl IncidentJson {
    /// Of an incident.
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        let record = incident.record.as_deref();
        let names = |list: Vec<&Clean>| list.into_iter().cloned().collect::<Vec<_>>();
        Self {
            id: incident.id.to_string(),
            pagerduty_id: record.map(|record| record.id.to_string()),
            number: record.map(|record| record.number),
            title: incident.title.clone(),
            severity: incident.assessment.severity.word(),
            severity_because: incident.assessment.because.clone(),
            status: incident.status,
            service: incident.service.clone(),
            urgency: record.map(|record| record.urgency),
            priority: record.and_then(|record| record.priority.as_ref()).map(|priority| priority.name.clone()),
            assignees: names(
                record.map(|record| record.assignees.iter().map(|who| &who.name).collect()).unwrap_or_default(),
            ),
            acknowledged_by: names(
                record.map(|record| record.acknowledgements.iter().map(|ack| &ack.by).collect()).unwrap_or_default(),
            ),
            started_at: incident.started_at,
            alerts: incident.alerts.len(),
            suppressed: incident.is_suppressed,
            policy: record.and_then(|record| record.policy.as_ref()).map(|policy| policy.name.clone()),
            level: record.and_then(|record| record.level),
            escalates_at: record.and_then(|record| {
                record.pending.iter().find(|pending| pending.kind == PendingKind::Escalate).map(|pending| pending.at)
            }),
            url: record.and_then(|record| record.html_url.as_ref()).map(Untrusted::clean),
        }
    }
}

/// One incident with what belongs to it.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct DetailsJson {
    pub incident: IncidentJson,
    pub timeline: Vec<EventJson>,
    pub alerts: Vec<AlertJson>,
    pub levels: Vec<LevelJson>,
    pub past: Vec<PastJson>,
}

impl DetailsJson {
    /// Of an incident of the room.
    #[must_use]
    pub fn of(incident: &Incident, room: &Room) -> Self {
        let policy = incident.record.as_ref().and_then(|record| record.policy.as_ref());
        let policy = policy.and_then(|policy| room.policy(&policy.id));
        let level = |(at, level): (usize, &crate::domain::escalation::Level)| LevelJson {
            level: at + 1,
            delay_s: level.delay.0,
            targets: level.targets.clone(),
        };
        Self {
            incident: IncidentJson::of(incident),
            timeline: room.timeline(&incident.id).iter().map(|event| EventJson::of(event)).collect(),
            alerts: room.alerts_of(&incident.id).map(|alert| AlertJson::of(alert)).collect(),
            levels: policy.map(|policy| policy.levels.iter().enumerate().map(level).collect()).unwrap_or_default(),
            past: room.past(&incident.id).iter().map(|past| PastJson::of(past)).collect(),
        }
    }
}

/// A level of the escalation policy.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct LevelJson {
    pub level: usize,
    pub delay_s: i64,
    pub targets: Vec<Clean>,
}

/// An incident like it.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct PastJson {
    pub pagerduty_id: String,
    pub number: u64,
    pub title: Clean,
    pub created_at: Timestamp,
}

impl PastJson {
    fn of(past: &crate::domain::incident::PagerIncident) -> Self {
        Self {
            pagerduty_id: past.id.to_string(),
            number: past.number,
            title: past.title.clone(),
            created_at: past.created_at,
        }
    }
}

/// A timeline entry.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct EventJson {
    pub at: Timestamp,
    pub kind: crate::domain::timeline::EventKind,
    pub source: String,
    pub actor: Clean,
    pub is_human: bool,
    pub text: Clean,
    pub body: Vec<Clean>,
}

impl EventJson {
    fn of(event: &TimelineEvent) -> Self {
        let (actor, is_human) = match &event.actor {
            Actor::Human(name) => (name, true),
            Actor::Machine(name) => (name, false),
        };
        Self {
            at: event.happened_at,
            kind: event.kind,
            source: event.source.to_string(),
            actor: actor.clone(),
            is_human,
            text: event.text.clone(),
            body: event.body.clone(),
        }
    }
}

/// An alert.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct AlertJson {
    pub fingerprint: String,
    pub cluster: String,
    pub name: Clean,
    pub severity: Option<Clean>,
    pub state: &'static str,
    pub silenced_by: Vec<String>,
    pub inhibited_by: Vec<String>,
    pub muted_by: Vec<Clean>,
    pub groups: Vec<GroupJson>,
    pub starts_at: Timestamp,
    pub labels: serde_json::Map<String, serde_json::Value>,
    pub annotations: serde_json::Map<String, serde_json::Value>,
    pub generator_url: Clean,
}

/// One Alertmanager group of an alert.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct GroupJson {
    pub receiver: Clean,
    pub pages: bool,
    pub dedup_key: String,
}

impl AlertJson {
    /// Of an alert.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        let (silenced_by, inhibited_by, muted_by) = match &alert.state {
            AlertState::Suppressed(by) => (
                by.silenced_by.iter().map(ToString::to_string).collect(),
                by.inhibited_by.iter().map(ToString::to_string).collect(),
                by.muted_by.iter().map(Clean::new).collect(),
            ),
            AlertState::Unprocessed | AlertState::Active => (Vec::new(), Vec::new(), Vec::new()),
        };
        let group = |group: &GroupRef| GroupJson {
            receiver: Clean::new(&group.receiver),
            pages: group.pages,
            dedup_key: group.key.to_string(),
        };
        Self {
            fingerprint: alert.key.fingerprint.to_string(),
            cluster: alert.key.cluster.to_string(),
            name: Clean::new(alert.name()),
            severity: alert.labels.get("severity").map(UntrustedStr::clean),
            state: state_word(&alert.state),
            silenced_by,
            inhibited_by,
            muted_by,
            groups: alert.groups.iter().map(group).collect(),
            starts_at: alert.starts_at,
            labels: pairs(&alert.labels),
            annotations: pairs(&alert.annotations),
            generator_url: alert.generator_url.clean(),
        }
    }
}

/// The word of an alert's state.
#[must_use]
pub fn state_word(state: &AlertState) -> &'static str {
    match state {
        AlertState::Unprocessed => "unprocessed",
        AlertState::Active => "active",
        AlertState::Suppressed { .. } => "suppressed",
    }
}

fn pairs(labels: &Labels) -> serde_json::Map<String, serde_json::Value> {
    let clean = |text: &str| Clean::new(text).as_str().to_owned();
    labels.iter().map(|(name, value)| (clean(name), clean(value.expose()).into())).collect()
}

/// A silence.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct SilenceJson {
    pub id: String,
    pub cluster: String,
    pub state: SilenceState,
    pub matchers: Vec<Clean>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub created_by: Clean,
    pub comment: Clean,
}

impl SilenceJson {
    /// Of a silence.
    #[must_use]
    pub fn of(silence: &Silence) -> Self {
        Self {
            id: silence.id.to_string(),
            cluster: silence.cluster.to_string(),
            state: silence.state,
            matchers: silence.matchers.iter().map(matcher).collect(),
            starts_at: silence.starts_at,
            ends_at: silence.ends_at,
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
        }
    }
}

/// A matcher as Alertmanager's own tools write it.
#[must_use]
pub fn matcher(matcher: &crate::domain::silence::Matcher) -> Clean {
    let operator = match (matcher.is_equal, matcher.is_regex) {
        (true, false) => "=",
        (true, true) => "=~",
        (false, false) => "!=",
        (false, true) => "!~",
    };
    Clean::new(format!("{}{operator}\"{}\"", matcher.name.expose(), matcher.value.expose()))
}

/// Somebody on call.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct OnCallJson {
    pub user_id: String,
    pub user: Clean,
    pub policy_id: String,
    pub policy: Clean,
    pub level: u32,
    pub schedule: Option<Clean>,
    pub until: Option<Timestamp>,
}

impl OnCallJson {
    /// Of an entry.
    #[must_use]
    pub fn of(entry: &OnCall) -> Self {
        Self {
            user_id: entry.user.id.to_string(),
            user: entry.user.name.clone(),
            policy_id: entry.policy.id.to_string(),
            policy: entry.policy.name.clone(),
            level: entry.level,
            schedule: entry.schedule.clone(),
            until: entry.until,
        }
    }
}

/// What became of one action.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct ResultJson {
    pub op: String,
    pub target: String,
    pub action: &'static str,
    pub delivery: &'static str,
    pub says: Option<Clean>,
    pub failure: Option<FailureJson>,
    pub opened: Option<String>,
}

impl ResultJson {
    /// Of an intent and its outcome.
    #[must_use]
    pub fn of(intent: &Intent, outcome: &Outcome) -> Self {
        let (says, failure) = match &outcome.delivery {
            Delivery::Confirmed { says } => (Some(says.clone()), None),
            Delivery::Unknown { check } => (Some(check.clone()), None),
            Delivery::Failed { failure } => (None, Some(FailureJson::of(failure))),
            Delivery::Queued { .. } | Delivery::Sent | Delivery::Dropped => (None, None),
        };
        Self {
            op: intent.op.to_string(),
            target: target_word(&intent.target),
            action: super::incidents::verb(&intent.action),
            delivery: delivery_word(&outcome.delivery),
            says,
            failure,
            opened: outcome.opened.as_ref().map(ToString::to_string),
        }
    }
}

/// What people call a target.
#[must_use]
pub fn target_word(target: &Target) -> String {
    match target {
        Target::Incident { pager: Some(pager), .. } => pager.to_string(),
        Target::Incident { id, .. } => id.to_string(),
        Target::New => "new incident".to_owned(),
    }
}

/// The word of a delivery state.
#[must_use]
pub fn delivery_word(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Queued { .. } => "queued",
        Delivery::Sent => "sent",
        Delivery::Confirmed { .. } => "confirmed",
        Delivery::Failed { .. } => "failed",
        Delivery::Unknown { .. } => "unknown",
        Delivery::Dropped => "dropped",
    }
}

/// A problem of a file of ours.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md says what each field means")]
pub struct ProblemJson {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub message: String,
    pub fix: String,
    pub is_error: bool,
}

impl ProblemJson {
    /// Of a problem.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        Self {
            file: problem.file.clone(),
            line: problem.at.map(|(line, _)| line),
            column: problem.at.map(|(_, column)| column),
            message: problem.message.clone(),
            fix: problem.fix.clone(),
            is_error: problem.is_error,
        }
    }
}

//! Log entries, notes and changes as timeline entries. Pure.

use chrono::TimeDelta;

use super::map::name;
use super::wire;
use crate::domain::id::{EventId, OpId, SourceId};
use crate::domain::time::Timestamp;
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::sources::listing::{Soft, clean_or};
use crate::text::{Clean, Untrusted};

/// How the marker of a note that we wrote begins.
pub const MARKER_OPEN: &str = "[warroom ";

/// A note and its log entry carry the same text within so long.
const SAME_NOTE: TimeDelta = TimeDelta::seconds(5);

/// The last line of a note that we wrote: names the action, so that it can be looked for before a second attempt.
#[must_use]
pub fn marker(op: OpId) -> String {
    format!("{MARKER_OPEN}{op}]")
}

/// A note's text without our marker.
fn without_marker(text: &str) -> &str {
    match text.rfind(MARKER_OPEN) {
        Some(start) if text.trim_end().ends_with(']') => text.get(..start).unwrap_or(text).trim_end(),
        _ => text,
    }
}

/// What every entry needs beside the shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorder<'a> {
    /// Who told.
    pub source: &'a SourceId,
    /// When we learned of it.
    pub now: Timestamp,
}

impl Recorder<'_> {
    fn event(&self, id: &str, kind: EventKind, actor: Actor, text: Clean, at: Timestamp) -> Option<TimelineEvent> {
        Some(TimelineEvent {
            id: EventId::parse(id)?,
            source: self.source.clone(),
            kind,
            actor,
            text,
            body: Vec::new(),
            happened_at: at,
            recorded_at: self.now,
            links: Vec::new(),
        })
    }

    /// A log entry of any type; of an unknown one the summary is told.
    pub fn log_entry(&self, told: &wire::LogEntry) -> Result<TimelineEvent, String> {
        let id = told.id.as_deref().ok_or("a log entry without id")?;
        let at = told.created_at.ok_or_else(|| format!("log entry {id} without time"))?;
        let (kind, text) = read_entry(told);
        let actor = actor(&told.agent);
        let mut event = self.event(id, kind, actor, text, at).ok_or("a log entry whose id is unusable")?;
        event.body = told.note.as_deref().map(lines).unwrap_or_default();
        event.body.extend(told.changeset.iter().map(Clean::new));
        event.links = links(&told.contexts);
        Ok(event)
    }

    /// A note.
    pub fn note(&self, told: &wire::Note) -> Result<TimelineEvent, String> {
        let id = told.id.as_deref().ok_or("a note without id")?;
        let at = told.created_at.ok_or_else(|| format!("note {id} without time"))?;
        let text = without_marker(told.content.as_deref().unwrap_or_default());
        let mut lines = lines(text).into_iter();
        let first = lines.next().unwrap_or_default();
        let id = format!("note:{id}");
        let mut event =
            self.event(&id, EventKind::Note, actor(&told.user), first, at).ok_or("a note whose id is unusable")?;
        event.body = lines.collect();
        Ok(event)
    }

    /// A change event.
    pub fn change(&self, told: &wire::ChangeEvent) -> Result<TimelineEvent, String> {
        let id = told.id.as_deref().ok_or("a change without id")?;
        let at = told.timestamp.ok_or_else(|| format!("change {id} without time"))?;
        let text = clean_or(told.summary.as_deref(), "a change");
        let who = Actor::Machine(clean_or(told.source.as_deref(), "change"));
        let mut event = self
            .event(&format!("change:{id}"), EventKind::Change, who, text, at)
            .ok_or("a change without usable id")?;
        for (key, value) in told.custom_details.iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            event.body.push(Clean::new(format!("{key}: {value}")));
        }
        let reason = told.correlation_reason.as_ref().and_then(|told| told.reason.as_deref());
        if let Some(reason) = reason {
            event.body.push(Clean::new(format!("tied to this incident: {}", reason.replace('_', " "))));
        }
        event.links = links(&told.links);
        Ok(event)
    }
}

/// Leaves out the log entries that only repeat a note, and puts everything in order.
pub(super) fn merge(entries: Vec<TimelineEvent>, notes: Vec<TimelineEvent>) -> Vec<TimelineEvent> {
    let repeats = |entry: &TimelineEvent| {
        entry.kind == EventKind::Note
            && notes.iter().any(|note| {
                let apart = entry.happened_at.signed_duration_since(note.happened_at).abs();
                apart <= SAME_NOTE && (entry.text == note.text || entry.text.as_str() == "wrote a note")
            })
    };
    let mut merged: Vec<TimelineEvent> = entries.into_iter().filter(|entry| !repeats(entry)).collect();
    merged.extend(notes);
    sort(&mut merged);
    merged
}

/// By time, then causal rank, then id: PagerDuty's own order is not specified, its times are whole seconds.
pub(super) fn sort(events: &mut [TimelineEvent]) {
    events.sort_by(|one, other| (one.happened_at, one.kind, &one.id).cmp(&(other.happened_at, other.kind, &other.id)));
}

/// Kind and words of a log entry. The actor stands beside the words, so the words do not name it.
fn read_entry(told: &wire::LogEntry) -> (EventKind, Clean) {
    let channel = told.channel.clone().0.unwrap_or_default();
    let by_timeout = matches!(channel.kind.as_deref(), Some("timeout" | "auto"));
    let kind = told.kind.as_deref().unwrap_or_default();
    let to = || people(told);
    match kind.strip_suffix("_log_entry").unwrap_or(kind) {
        "trigger" => (EventKind::Trigger, Clean::new(format!("triggered: {}", trigger_words(told, &channel)))),
        "acknowledge" | "acknowledgement" => (EventKind::Acknowledge, acknowledged(told, &channel)),
        "unacknowledge" if by_timeout => (EventKind::Unacknowledge, Clean::new("acknowledgement lapsed")),
        "unacknowledge" => (EventKind::Unacknowledge, Clean::new("acknowledgement withdrawn")),
        "resolve" if by_timeout => (EventKind::Resolve, Clean::new("resolved by timeout")),
        "resolve" => (EventKind::Resolve, Clean::new(format!("resolved{}", via(&channel)))),
        "assign" => (EventKind::Assign, Clean::new(format!("assigned to {}", to()))),
        "reassign" => (EventKind::Assign, Clean::new(format!("reassigned to {}", to()))),
        "delegate" => (EventKind::Assign, Clean::new(format!("handed over to {}", to()))),
        "escalate" if by_timeout => (EventKind::Escalate, Clean::new(format!("nobody reacted: escalated to {}", to()))),
        "escalate" => (EventKind::Escalate, Clean::new(format!("escalated to {}{}", to(), via(&channel)))),
        "repeat_escalation_path" => (EventKind::Escalate, Clean::new("the escalation policy starts again at level 1")),
        "exhaust_escalation_path" => {
            (EventKind::Escalate, Clean::new("the escalation policy is exhausted: nobody reacted"))
        }
        "notify" => (EventKind::Notify, notified(told, &channel)),
        "snooze" => (EventKind::Snooze, snoozed(told, &channel)),
        "annotate" => (EventKind::Note, annotated(told, &channel)),
        "reach_ack_limit" => (EventKind::Other, Clean::new("the limit of acknowledgements is reached")),
        "reach_trigger_limit" => (EventKind::Other, Clean::new("the limit of triggers is reached")),
        "urgency_change" | "field_value_change" | "custom_field_value_change" | "priority_change" => {
            (EventKind::Edit, summary(told, kind))
        }
        "responder_request" | "responder_accepted" | "responder_declined" => (EventKind::Notify, summary(told, kind)),
        _ => (EventKind::Other, summary(told, kind)),
    }
}

fn summary(told: &wire::LogEntry, kind: &str) -> Clean {
    match told.summary.as_deref() {
        Some(words) if !words.is_empty() => Untrusted::new(words).clean(),
        _ => Clean::new(kind.replace('_', " ")),
    }
}

fn trigger_words(told: &wire::LogEntry, channel: &wire::Channel) -> String {
    let details = told.event_details.as_ref().and_then(|details| details.description.as_deref());
    let words = channel.subject.as_deref().or(channel.description.as_deref()).or(channel.summary.as_deref());
    words.or(details).or(told.summary.as_deref()).unwrap_or("an event").to_owned()
}

fn acknowledged(told: &wire::LogEntry, channel: &wire::Channel) -> Clean {
    let lapse = told.acknowledgement_timeout.filter(|seconds| *seconds > 0).map(span);
    let lapse = lapse.map(|span| format!(" for {span}")).unwrap_or_default();
    Clean::new(format!("acknowledged{lapse}{}", via(channel)))
}

fn notified(told: &wire::LogEntry, channel: &wire::Channel) -> Clean {
    let who = told.user.as_ref().map_or_else(|| people(told), |user| name(user).to_string());
    let notification = channel.notification.clone().0.unwrap_or_default();
    let how = notification.kind.as_deref().map(|how| format!(" by {}", how.replace('_', " "))).unwrap_or_default();
    let outcome = notification.status.as_deref().filter(|status| *status != "success");
    let outcome = outcome.map(|status| format!(" ({})", status.replace('_', " "))).unwrap_or_default();
    Clean::new(format!("notified {who}{how}{outcome}"))
}

fn snoozed(told: &wire::LogEntry, channel: &wire::Channel) -> Clean {
    if let Some(seconds) = channel.duration.filter(|seconds| *seconds > 0) {
        return Clean::new(format!("snoozed for {}", span(seconds)));
    }
    let end = told.changed_actions.iter().find(|action| action.kind == "unacknowledge");
    let end = end.map(|action| format!(" until {}", action.at.format("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    Clean::new(format!("snoozed{end}"))
}

fn annotated(told: &wire::LogEntry, channel: &wire::Channel) -> Clean {
    let text = channel.content.as_deref().or(channel.summary.as_deref());
    match text.map(|text| lines(without_marker(text))).and_then(|lines| lines.into_iter().next()) {
        Some(first) if told.note.is_none() => first,
        _ => Clean::new("wrote a note"),
    }
}

fn people(told: &wire::LogEntry) -> String {
    let names: Vec<String> = told.assignees.iter().map(|who| name(who).to_string()).collect();
    if names.is_empty() { "somebody".to_owned() } else { names.join(", ") }
}

fn via(channel: &wire::Channel) -> &'static str {
    match channel.kind.as_deref() {
        Some("mobile") => " in the mobile app",
        Some("sms") => " by SMS",
        Some("phone") => " by phone",
        Some("email") => " by e-mail",
        Some("website" | "web_trigger") => " on the website",
        Some("api") => " through the API",
        _ => "",
    }
}

/// `45 s`, `30 min`, `4 h`, `2 d`.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        _ if seconds % 86_400 == 0 && seconds > 0 => format!("{} d", seconds / 86_400),
        _ if seconds % 3_600 == 0 && seconds > 0 => format!("{} h", seconds / 3_600),
        _ if seconds % 60 == 0 && seconds > 0 => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

fn actor(told: &Soft<wire::Reference>) -> Actor {
    let Some(told) = told.as_ref() else { return Actor::Machine(Clean::new("PagerDuty")) };
    match told.kind.as_deref() {
        Some("user" | "user_reference") => Actor::Human(name(told)),
        _ => Actor::Machine(name(told)),
    }
}

fn lines(text: &str) -> Vec<Clean> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(Clean::new).collect()
}

fn links(told: &[wire::Context]) -> Vec<Untrusted> {
    told.iter().filter_map(|link| link.href.as_deref().or(link.src.as_deref())).map(Untrusted::from).collect()
}

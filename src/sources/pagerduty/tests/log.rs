//! Log entries and notes: every kind, one order, nothing twice.

use serde_json::{Value, json};

use super::{client, id};
use crate::domain::id::{OpId, SourceId};
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::sources::pagerduty::timeline::{self, Recorder};
use crate::sources::pagerduty::{marker, wire};
use crate::sources::testing::{Server, now, ok};

fn entry(told: Value) -> TimelineEvent {
    let mut whole = json!({"id": "R1", "created_at": "2026-11-24T11:00:00Z",
        "agent": {"id": "PANA", "type": "user_reference", "summary": "Ana"}});
    whole.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
    let source = SourceId::parse("pagerduty").unwrap();
    let told: wire::LogEntry = serde_json::from_str(&whole.to_string()).unwrap();
    Recorder { source: &source, now: now() }.log_entry(&told).unwrap()
}

#[test]
fn every_type_of_log_entry_has_its_kind_and_words() {
    use EventKind as Kind;
    let ben = json!([{"id": "PBEN", "summary": "Ben"}, {"id": "PCLEO", "summary": "Cleo"}]);
    let timeout = json!({"type": "timeout"});
    let table = [
        (
            json!({"type": "trigger_log_entry", "channel": {"type": "api", "subject": "down"}}),
            Kind::Trigger,
            "triggered: down",
        ),
        (
            json!({"type": "trigger_log_entry", "event_details": {"description": "dup"}, "channel": null}),
            Kind::Trigger,
            "triggered: dup",
        ),
        (
            json!({"type": "trigger_log_entry", "summary": "Triggered through the API"}),
            Kind::Trigger,
            "triggered: Triggered through the API",
        ),
        (
            json!({"type": "acknowledge_log_entry", "acknowledgement_timeout": 1800, "channel": {"type": "phone"}}),
            Kind::Acknowledge,
            "acknowledged for 30 min by phone",
        ),
        (json!({"type": "acknowledgement_log_entry"}), Kind::Acknowledge, "acknowledged"),
        (json!({"type": "unacknowledge_log_entry", "channel": timeout}), Kind::Unacknowledge, "acknowledgement lapsed"),
        (json!({"type": "unacknowledge_log_entry"}), Kind::Unacknowledge, "acknowledgement withdrawn"),
        (
            json!({"type": "resolve_log_entry", "channel": {"type": "website"}}),
            Kind::Resolve,
            "resolved on the website",
        ),
        (json!({"type": "resolve_log_entry", "channel": timeout}), Kind::Resolve, "resolved by timeout"),
        (json!({"type": "assign_log_entry", "assignees": ben}), Kind::Assign, "assigned to Ben, Cleo"),
        (json!({"type": "assign_log_entry", "assignees": null}), Kind::Assign, "assigned to somebody"),
        (json!({"type": "reassign_log_entry", "assignees": ben}), Kind::Assign, "reassigned to Ben, Cleo"),
        (json!({"type": "delegate_log_entry", "assignees": ben}), Kind::Assign, "handed over to Ben, Cleo"),
        (
            json!({"type": "escalate_log_entry", "assignees": ben, "channel": timeout}),
            Kind::Escalate,
            "nobody reacted: escalated to Ben, Cleo",
        ),
        (
            json!({"type": "escalate_log_entry", "assignees": ben, "channel": {"type": "api"}}),
            Kind::Escalate,
            "escalated to Ben, Cleo through the API",
        ),
        (
            json!({"type": "repeat_escalation_path_log_entry"}),
            Kind::Escalate,
            "the escalation policy starts again at level 1",
        ),
        (
            json!({"type": "exhaust_escalation_path_log_entry"}),
            Kind::Escalate,
            "the escalation policy is exhausted: nobody reacted",
        ),
        (
            json!({"type": "notify_log_entry", "user": {"id": "PBEN", "summary": "Ben"},
            "channel": {"type": "auto", "notification": {"type": "phone", "address": "+1 555", "status": "no_answer"}}}),
            Kind::Notify,
            "notified Ben by phone (no answer)",
        ),
        (
            json!({"type": "notify_log_entry", "user": {"id": "PBEN", "summary": "Ben"}, "channel": {"notification": {"type": "sms", "status": "success"}}}),
            Kind::Notify,
            "notified Ben by sms",
        ),
        (
            json!({"type": "snooze_log_entry", "channel": {"type": "website", "duration": 14400}}),
            Kind::Snooze,
            "snoozed for 4 h",
        ),
        (
            json!({"type": "snooze_log_entry", "changed_actions": [{"type": "unacknowledge", "at": "2026-11-24T15:00:00Z"}]}),
            Kind::Snooze,
            "snoozed until 2026-11-24 15:00 UTC",
        ),
        (
            json!({"type": "annotate_log_entry", "channel": {"type": "note", "content": "db is back\nreally"}}),
            Kind::Note,
            "db is back",
        ),
        (json!({"type": "annotate_log_entry"}), Kind::Note, "wrote a note"),
        (
            json!({"type": "urgency_change_log_entry", "summary": "Urgency changed to low"}),
            Kind::Edit,
            "Urgency changed to low",
        ),
        (json!({"type": "priority_change_log_entry", "summary": "Priority P1"}), Kind::Edit, "Priority P1"),
        (json!({"type": "field_value_change_log_entry"}), Kind::Edit, "field value change log entry"),
        (
            json!({"type": "custom_field_value_change_log_entry", "summary": "x", "changeset": ["Updated a to 1"]}),
            Kind::Edit,
            "x",
        ),
        (json!({"type": "reach_ack_limit_log_entry"}), Kind::Other, "the limit of acknowledgements is reached"),
        (json!({"type": "reach_trigger_limit_log_entry"}), Kind::Other, "the limit of triggers is reached"),
        (json!({"type": "responder_request_log_entry", "summary": "Asked Ben"}), Kind::Notify, "Asked Ben"),
        (json!({"type": "event_rule_action_log_entry", "summary": "A rule did"}), Kind::Other, "A rule did"),
        (json!({"type": "something_new_log_entry"}), Kind::Other, "something new log entry"),
        (json!({"type": null}), Kind::Other, ""),
    ];
    for (told, kind, words) in table {
        let event = entry(told.clone());
        assert_eq!((event.kind, event.text.as_str()), (kind, words), "{told}");
    }
    let event = entry(json!({"type": "trigger_log_entry", "note": "one\ntwo", "changeset": ["three"],
        "contexts": [{"type": "link", "href": "https://g/1"}, {"type": "image", "src": "https://g/2"}, {}],
        "agent": {"id": "PSVC", "type": "service_reference", "summary": "Mail"}}));
    assert_eq!(event.actor, Actor::Machine(crate::text::Clean::new("Mail")));
    assert_eq!((event.body.len(), event.links.len()), (3, 2));
    assert!(matches!(entry(json!({"agent": null})).actor, Actor::Machine(_)));
}

#[tokio::test]
async fn the_timeline_is_one_order_without_doubles_and_without_our_marker() {
    let op = OpId("0190f5c4-0000-7000-8000-000000000001".parse().unwrap());
    let content = format!("rolled back v2\nwatch it\n{}", marker(op));
    let noted = content.clone();
    let server = Server::answering(move |asked| {
        if asked.has(&["/notes"]) {
            return ok(json!({"notes": [{"id": "N1", "user": {"id": "PANA", "type": "user_reference", "summary": "Ana"},
                "content": noted, "created_at": "2026-11-24T11:10:00Z"}]}));
        }
        assert!(asked.has(&["include[]=channels"]), "{}", asked.line);
        let at = |time: &str| format!("2026-11-24T{time}Z");
        ok(json!({"more": false, "log_entries": [
            {"id": "R5", "type": "resolve_log_entry", "created_at": at("11:20:00")},
            {"id": "R4", "type": "annotate_log_entry", "created_at": at("11:10:01"), "channel": {"type": "note", "summary": content}},
            {"id": "R3", "type": "acknowledge_log_entry", "created_at": at("11:05:00")},
            {"id": "R2", "type": "notify_log_entry", "created_at": at("11:00:00")},
            {"id": "R1", "type": "trigger_log_entry", "created_at": at("11:00:00")}]}))
    })
    .await;
    let timeline = client(&server, None).timeline(&id("P1")).await.unwrap();
    let ids: Vec<&str> = timeline.items.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["R1", "R2", "R3", "note:N1", "R5"]);
    let note = &timeline.items[3];
    assert_eq!((note.text.as_str(), note.body.len()), ("rolled back v2", 1));
    assert_eq!(note.body[0].as_str(), "watch it");
}

#[test]
fn other_notes_are_never_taken_for_a_doubled_one() {
    let annotate = |id: &str, at: &str, text: &str| {
        entry(json!({"id": id, "type": "annotate_log_entry", "created_at": at, "channel": {"content": text}}))
    };
    let note = TimelineEvent {
        id: crate::domain::id::EventId::parse("note:N").unwrap(),
        ..annotate("x", "2026-11-24T11:00:00Z", "a")
    };
    let kept = timeline::merge(
        vec![
            annotate("same", "2026-11-24T11:00:01Z", "a"),
            annotate("late", "2026-11-24T11:01:00Z", "a"),
            annotate("other", "2026-11-24T11:00:01Z", "b"),
        ],
        vec![note],
    );
    let ids: Vec<&str> = kept.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["note:N", "other", "late"]);
}

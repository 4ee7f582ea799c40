//! The account's state machine, told as short stories.

use chrono::TimeDelta;
use serde_json::Value;

use super::model::{Agent, Event, EventAction, Status, Via};
use super::{Declaration, Pager, Update};
use crate::domain::time::Timestamp;
use crate::sim::company::Company;

fn start() -> Timestamp {
    "2026-11-20T21:00:00Z".parse().unwrap()
}

fn pager() -> Pager {
    Pager::new(Company::new(start()), 7, start())
}

fn event(action: EventAction, service: usize, key: &str, severity: &str) -> Event {
    Event {
        service,
        action,
        key: key.into(),
        summary: format!("{key} burns"),
        source: "am".into(),
        severity: severity.into(),
        details: Value::Null,
        payload: Value::Null,
        client: None,
        client_url: None,
        contexts: vec![],
    }
}

/// Time passes, timers run at their own instants.
fn pass(pager: &mut Pager, span: TimeDelta) {
    let to = pager.now() + span;
    while let Some(at) = pager.next_due().filter(|at| *at <= to) {
        pager.set_now(at);
        pager.run();
    }
    pager.set_now(to);
}

fn open(pager: &mut Pager, key: &str) -> usize {
    pager.enqueue(event(EventAction::Trigger, 0, key, "critical"));
    pass(pager, TimeDelta::seconds(1));
    pager.incidents().len() - 1
}

fn kinds(pager: &Pager, incident: usize) -> Vec<&'static str> {
    let entries = pager.entries().iter().filter(|entry| entry.incident == incident);
    entries.map(|entry| entry.kind.trim_end_matches("_log_entry")).filter(|kind| *kind != "notify").collect()
}

#[test]
fn events_are_visible_a_moment_after_they_were_accepted() {
    let mut pager = pager();
    pager.enqueue(event(EventAction::Trigger, 0, "k", "critical"));
    pass(&mut pager, TimeDelta::milliseconds(199));
    assert_eq!(pager.incidents().len(), 0);
    pass(&mut pager, TimeDelta::milliseconds(301));
    assert_eq!(pager.incidents().len(), 1);
    assert_eq!(pager.incidents()[0].priority, Some(0));
}

#[test]
fn nobody_acknowledges_and_the_policy_runs_out() {
    let mut pager = pager();
    let incident = open(&mut pager, "k");
    assert_eq!(pager.incidents()[incident].level, 0);
    pass(&mut pager, TimeDelta::minutes(5));
    assert_eq!(pager.incidents()[incident].level, 1);
    pass(&mut pager, TimeDelta::minutes(10));
    assert_eq!(pager.incidents()[incident].level, 2);
    pass(&mut pager, TimeDelta::minutes(15 + 30 + 30));
    let expected = [
        "trigger",
        "assign",
        "escalate",
        "escalate",
        "repeat_escalation_path",
        "escalate",
        "escalate",
        "escalate",
        "repeat_escalation_path",
        "escalate",
        "escalate",
        "escalate",
        "exhaust_escalation_path",
    ];
    assert_eq!(kinds(&pager, incident), expected);
    pass(&mut pager, TimeDelta::hours(5));
    assert_eq!(kinds(&pager, incident).len(), expected.len(), "an exhausted policy stays quiet");
    let notified = pager.entries().iter().filter(|entry| entry.kind == "notify_log_entry").count();
    assert_eq!(notified, 9);
}

#[test]
fn acknowledging_stops_the_escalation_and_runs_out() {
    let mut pager = pager();
    let incident = open(&mut pager, "k");
    pager.acknowledge(incident, Agent::Person(0), "api");
    assert_eq!(pager.incidents()[incident].escalate_at, None);
    pass(&mut pager, TimeDelta::minutes(29));
    assert_eq!(pager.incidents()[incident].status, Status::Acknowledged);
    pass(&mut pager, TimeDelta::minutes(2));
    let one = &pager.incidents()[incident];
    assert_eq!((one.status, one.level, one.acknowledgements.len()), (Status::Triggered, 0, 0));
    assert_eq!(kinds(&pager, incident), ["trigger", "assign", "acknowledge", "unacknowledge", "assign"]);
}

#[test]
fn snooze_needs_an_acknowledgement_and_ends() {
    let mut pager = pager();
    let incident = open(&mut pager, "k");
    assert_eq!(pager.snooze(incident, 600, Agent::Person(0), "api").unwrap_err().code, 1012);
    pager.acknowledge(incident, Agent::Person(0), "api");
    assert_eq!(pager.snooze(incident, 0, Agent::Person(0), "api").unwrap_err().code, 1013);
    pager.snooze(incident, 7200, Agent::Person(0), "api").unwrap();
    pass(&mut pager, TimeDelta::minutes(60));
    assert!(pager.incidents()[incident].is_snoozed, "a snooze is longer than the acknowledgement timeout");
    pass(&mut pager, TimeDelta::minutes(61));
    assert_eq!(pager.incidents()[incident].status, Status::Triggered);
    pager.resolve(incident, Agent::Person(0), "api", None);
    assert_eq!(pager.snooze(incident, 600, Agent::Person(0), "api").unwrap_err().code, 1001);
}

#[test]
fn the_same_key_appends_until_resolved_and_then_opens_anew() {
    let mut pager = pager();
    let first = open(&mut pager, "k");
    assert_eq!(open(&mut pager, "k"), first);
    pager.enqueue(event(EventAction::Resolve, 1, "k", "critical"));
    pass(&mut pager, TimeDelta::seconds(1));
    assert!(pager.incidents()[first].is_open(), "another routing key must not resolve it");
    pager.enqueue(event(EventAction::Resolve, 0, "k", "critical"));
    pass(&mut pager, TimeDelta::seconds(1));
    assert!(!pager.incidents()[first].is_open());
    assert_eq!(open(&mut pager, "k"), first + 1);
}

#[test]
fn low_urgency_does_not_escalate_and_resolves_by_itself() {
    let mut pager = pager();
    pager.enqueue(event(EventAction::Trigger, 2, "slow", "warning"));
    pass(&mut pager, TimeDelta::hours(3));
    assert_eq!(kinds(&pager, 0), ["trigger", "assign"]);
    pass(&mut pager, TimeDelta::hours(2));
    assert_eq!(kinds(&pager, 0), ["trigger", "assign", "resolve"]);
    assert_eq!(pager.entries().last().unwrap().channel["type"], "timeout");
}

#[test]
fn escalating_and_reassigning_trigger_again() {
    let mut pager = pager();
    let incident = open(&mut pager, "k");
    pager.acknowledge(incident, Agent::Person(0), "api");
    let escalate = Update { incident, level: Some(3), ..Update::default() };
    pager.check(&escalate).unwrap();
    pager.apply(escalate, Agent::Person(0), "api");
    let one = &pager.incidents()[incident];
    assert_eq!((one.level, one.status, one.acknowledgements.len()), (2, Status::Triggered, 0));
    assert_eq!(pager.check(&Update { incident, level: Some(4), ..Update::default() }).unwrap_err().code, 1006);
    pager.apply(Update { incident, people: Some(vec![4]), ..Update::default() }, Agent::Person(0), "api");
    let one = &pager.incidents()[incident];
    assert_eq!((one.via, one.escalate_at), (Via::Direct, None));
    pass(&mut pager, TimeDelta::hours(2));
    assert_eq!(kinds(&pager, incident).last(), Some(&"assign"), "direct assignments never escalate");
}

#[test]
fn a_merge_moves_the_alerts_with_their_keys() {
    let mut pager = pager();
    let (target, source) = (open(&mut pager, "a"), open(&mut pager, "b"));
    pager.merge(target, &[source], Agent::Person(0)).unwrap();
    assert!(!pager.incidents()[source].is_open());
    assert_eq!(pager.incidents()[source].merged_into, Some(target));
    assert_eq!(pager.alerts_of(target).map(|alert| alert.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(pager.alerts_of(target).all(|alert| alert.resolved_at.is_none()), "moved alerts stay open");
    assert_eq!(pager.merge(target, &[source], Agent::Person(0)).unwrap_err().code, 1019);
    pager.enqueue(event(EventAction::Resolve, 0, "b", ""));
    pass(&mut pager, TimeDelta::seconds(1));
    assert!(pager.incidents()[target].is_open());
    pager.enqueue(event(EventAction::Resolve, 0, "a", ""));
    pass(&mut pager, TimeDelta::seconds(1));
    assert!(!pager.incidents()[target].is_open());
}

#[test]
fn resolved_ones_reopen_and_are_not_resolved_twice() {
    let mut pager = pager();
    let incident = open(&mut pager, "k");
    let resolve = Update { incident, status: Some(Status::Resolved), ..Update::default() };
    pager.apply(resolve.clone(), Agent::Person(0), "api");
    assert_eq!(pager.check(&resolve).unwrap_err().code, 1001);
    let reopen = Update { incident, status: Some(Status::Acknowledged), ..Update::default() };
    pager.check(&reopen).unwrap();
    pager.apply(reopen, Agent::Person(0), "api");
    let one = &pager.incidents()[incident];
    assert_eq!((one.status, one.via, one.resolved_at), (Status::Acknowledged, Via::Direct, None));
}

#[test]
fn declaring_is_idempotent_by_key_while_open() {
    let mut pager = pager();
    let draft = Declaration {
        title: "Shop is down".into(),
        service: 0,
        priority: Some(0),
        is_urgent: true,
        key: Some("one".into()),
        body: None,
        people: vec![],
        policy: None,
        conference: None,
    };
    let incident = pager.declare(draft.clone(), 0, "api").unwrap();
    assert_eq!(pager.declare(draft.clone(), 0, "api").unwrap_err().code, 2002);
    pager.resolve(incident, Agent::Person(0), "api", None);
    pager.declare(draft.clone(), 0, "api").unwrap();
    let own = Declaration { key: None, people: vec![0], ..draft };
    let born = pager.declare(own, 0, "api").unwrap();
    assert_eq!(pager.incidents()[born].status, Status::Acknowledged, "declared for oneself starts acknowledged");
}

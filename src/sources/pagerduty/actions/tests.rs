//! Actions against a PagerDuty that remembers what it was told: each is sent at most once, and believed only when shown.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::domain::action::{Action, Assignee, Declaration, Intent, Target};
use crate::domain::failure::FailureKind;
use crate::domain::id::{IncidentId, OpId, PolicyId, ServiceId, UserId};
use crate::domain::incident::{Named, Urgency};
use crate::domain::source::ChronoSeconds;
use crate::sources::pagerduty::tests::{client, id, incident};
use crate::sources::pagerduty::{Attempt, Outcome, marker};
use crate::sources::testing::{Asked, Say, Server, now, ok, status, with_head};
use crate::text::{Clean, Untrusted};

/// What the server keeps, and how it answers changes.
struct World {
    incident: Value,
    source: Value,
    notes: Vec<Value>,
    manner: Manner,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// As documented.
    Honest,
    /// Success without doing it.
    Idle,
    /// Does it, but the answer is lost.
    LosesAnswer,
    /// Does nothing, and the answer is lost.
    LosesRequest,
    /// Refuses with this status.
    Refuses(u16),
}

fn world(state: &str) -> World {
    let mut mine = incident("P1", state);
    if state == "acknowledged" {
        mine["acknowledgements"] =
            json!([{"at": "2026-11-24T11:30:00Z", "acknowledger": {"id": "PBEN", "summary": "Ben"}}]);
    }
    if state == "resolved" {
        mine["last_status_change_by"] = json!({"id": "PBEN", "summary": "Ben"});
    }
    World { incident: mine, source: incident("P2", "triggered"), notes: Vec::new(), manner: Manner::Honest }
}

impl World {
    fn answer(&mut self, asked: &Asked) -> Say {
        if asked.line.starts_with("GET ") {
            return self.tell(asked);
        }
        assert!(asked.head.to_ascii_lowercase().contains("from: ana@x.io"), "who acts: {}", asked.head);
        if let Manner::Refuses(code) = self.manner {
            return status(code, json!({"error": {"message": "No", "code": 1006}}));
        }
        if matches!(self.manner, Manner::Honest | Manner::LosesAnswer) {
            self.change(asked);
        }
        if matches!(self.manner, Manner::LosesAnswer | Manner::LosesRequest) {
            return with_head("HTTP/1.1 502 X", "<p>bad gateway");
        }
        if asked.has(&["/notes"]) {
            return ok(json!({"note": self.notes.last().cloned().unwrap_or(json!({"content": "other"}))}));
        }
        status(if asked.has(&["POST /incidents"]) { 201 } else { 200 }, json!({"incident": self.incident}))
    }

    fn tell(&self, asked: &Asked) -> Say {
        if asked.has(&["/notes"]) {
            return ok(json!({"notes": self.notes}));
        }
        if asked.has(&["/oncalls"]) {
            let row = |user: &str, level| {
                json!({"user": {"id": user, "summary": user}, "escalation_level": level,
                "escalation_policy": {"id": "PPOL", "summary": "Payments"}})
            };
            return ok(json!({"oncalls": [row("PANA", 1), row("PBEN", 2)], "more": false}));
        }
        if asked.has(&["incident_key="]) {
            let found = asked.has(&[self.incident["incident_key"].as_str().unwrap_or("-")]);
            return ok(json!({"incidents": if found { vec![self.incident.clone()] } else { vec![] }, "more": false}));
        }
        ok(json!({"incident": if asked.has(&["/P2"]) { &self.source } else { &self.incident }}))
    }

    fn change(&mut self, asked: &Asked) {
        let body = asked.json();
        if asked.has(&["/notes"]) {
            self.notes
                .push(json!({"id": "N1", "content": body["note"]["content"], "created_at": "2026-11-24T12:00:00Z"}));
        } else if asked.has(&["/snooze"]) {
            let end = now() + chrono::TimeDelta::seconds(body["duration"].as_i64().unwrap());
            self.incident["pending_actions"] = json!([{"type": "unacknowledge", "at": end}]);
        } else if asked.has(&["/merge"]) {
            self.source["status"] = json!("resolved");
            self.source["resolve_reason"] = json!({"type": "merge_resolve_reason", "incident": {"id": "P1"}});
        } else if asked.line == "POST /incidents" {
            self.incident["incident_key"] = body["incident"]["incident_key"].clone();
        } else {
            self.set(&body["incident"]);
        }
    }

    fn set(&mut self, wanted: &Value) {
        assert_eq!(wanted["type"], "incident_reference");
        if let Some(state) = wanted["status"].as_str() {
            self.incident["status"] = json!(state);
            self.incident["acknowledgements"] =
                json!([{"at": "2026-11-24T12:00:00Z", "acknowledger": {"id": "PANA", "summary": "Ana"}}]);
        }
        if wanted["escalation_level"] == 2 {
            self.incident["assignments"] = json!([{"assignee": {"id": "PBEN", "summary": "Ben"}}]);
        }
        if wanted["assignments"].is_array() {
            self.incident["assignments"] = wanted["assignments"].clone();
        }
        if wanted["escalation_policy"].is_object() {
            self.incident["escalation_policy"] = wanted["escalation_policy"].clone();
        }
    }
}

fn op() -> OpId {
    OpId("0190f5c4-0000-7000-8000-000000000001".parse().unwrap())
}

fn intent(action: Action) -> Intent {
    let target = match action {
        Action::Declare(_) => Target::New,
        _ => Target::Incident { id: IncidentId::parse("pd:P1").unwrap(), pager: Some(id("P1")), key: None },
    };
    Intent { op: op(), batch: op(), target, action, by: Clean::new("ana"), at: now() }
}

/// Performs it and gives the outcome with the changes that were sent.
async fn perform_as(world: World, action: Action, attempt: Attempt) -> (Outcome, Vec<Asked>) {
    let world = Arc::new(Mutex::new(world));
    let server = Server::answering(move |asked| world.lock().unwrap().answer(asked)).await;
    let outcome = client(&server, Some("ana@x.io")).perform(&intent(action), attempt).await;
    let changes = server.asked().into_iter().filter(|asked| !asked.line.starts_with("GET ")).collect();
    (outcome, changes)
}

async fn perform(world: World, action: Action) -> (Outcome, Vec<Asked>) {
    perform_as(world, action, Attempt::First).await
}

fn says(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { says, .. } => format!("done: {says}"),
        Outcome::AlreadyDone { says, .. } => format!("already: {says}"),
        Outcome::Refused(failure) => format!("refused: {failure}"),
        Outcome::Held { failure, wait } => format!("held {wait:?}: {failure}"),
        Outcome::Ambiguous { failure, .. } => format!("ambiguous: {failure}"),
    }
}

fn escalate() -> Action {
    Action::Escalate { level: 2, to: vec![Clean::new("Ben")] }
}

fn reassign() -> Action {
    Action::Reassign {
        to: Assignee::Users(vec![Named { id: UserId::parse("PBEN").unwrap(), name: Clean::new("Ben") }]),
    }
}

fn delegate(policy: &str) -> Action {
    Action::Reassign { to: Assignee::Policy(Named { id: PolicyId::parse(policy).unwrap(), name: Clean::new("x") }) }
}

fn snooze(seconds: i64) -> Action {
    Action::Snooze { span: ChronoSeconds(seconds) }
}

fn note(text: &str) -> Action {
    Action::Note { text: Untrusted::from(text) }
}

fn declare() -> Action {
    Action::Declare(Declaration {
        title: Untrusted::from("all is down"),
        service: Named { id: ServiceId::parse("PSVC").unwrap(), name: Clean::new("Checkout") },
        urgency: Urgency::High,
        priority: None,
        details: Some(Untrusted::from("more")),
    })
}

fn resolve() -> Action {
    Action::Resolve { resolution: None }
}

#[tokio::test]
async fn an_honest_answer_is_done_with_one_change_of_the_documented_shape() {
    let put = "PUT /incidents/P1";
    let table = [
        ("triggered", Action::Acknowledge, "done: acknowledged by Ana", put, json!({"status": "acknowledged"})),
        ("acknowledged", resolve(), "done: resolved", put, json!({"status": "resolved"})),
        ("resolved", Action::Trigger, "done: triggered, with Ana", put, json!({"status": "triggered"})),
        ("triggered", escalate(), "done: level 2 called: Ben", put, json!({"escalation_level": 2})),
        (
            "triggered",
            reassign(),
            "done: assigned to PBEN",
            put,
            json!({"assignments": [{"assignee": {"id": "PBEN", "type": "user_reference"}}]}),
        ),
        (
            "triggered",
            delegate("PPOL2"),
            "done: handed over: Ana",
            put,
            json!({"escalation_policy": {"id": "PPOL2", "type": "escalation_policy_reference"}}),
        ),
    ];
    for (state, action, words, line, fields) in table {
        let (outcome, changes) = perform(world(state), action).await;
        assert!(says(&outcome).starts_with(words), "{}", says(&outcome));
        assert_eq!((changes.len(), changes[0].line.as_str()), (1, line));
        let mut wanted = json!({"type": "incident_reference"});
        wanted.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(changes[0].json(), json!({"incident": wanted}));
    }
    let (outcome, changes) = perform(world("acknowledged"), snooze(3_600)).await;
    assert_eq!(says(&outcome), "done: snoozed for 1 h until 13:00 UTC");
    assert_eq!(
        (changes.len(), changes[0].line.as_str(), changes[0].json()),
        (1, "POST /incidents/P1/snooze", json!({"duration": 3600}))
    );
    let (outcome, changes) = perform(world("triggered"), Action::Merge { source: id("P2") }).await;
    assert_eq!(says(&outcome), "done: #7 merged into #7");
    assert_eq!(changes[0].json(), json!({"source_incidents": [{"id": "P2", "type": "incident_reference"}]}));
    let (outcome, changes) = perform(world("triggered"), note("db is back")).await;
    assert_eq!(says(&outcome), "done: noted");
    assert_eq!(changes[0].json(), json!({"note": {"content": format!("db is back\n{}", marker(op()))}}));
    let (outcome, changes) = perform(world("triggered"), declare()).await;
    assert!(matches!(&outcome, Outcome::Done { opened: Some(opened), .. } if *opened == id("P1")), "{outcome:?}");
    let sent = changes[0].json();
    assert_eq!(sent["incident"]["incident_key"], op().to_string());
    assert_eq!(
        (&sent["incident"]["title"], &sent["incident"]["body"]["details"]),
        (&json!("all is down"), &json!("more"))
    );
}

#[tokio::test]
async fn what_is_so_already_is_not_sent_again() {
    let table = [
        ("acknowledged", Action::Acknowledge, "already: already acknowledged by Ben"),
        ("resolved", Action::Acknowledge, "already: already resolved by Ben"),
        ("resolved", resolve(), "already: already resolved by Ben"),
        ("triggered", Action::Trigger, "already: already triggered, with Ana"),
        ("triggered", Action::Escalate { level: 1, to: Vec::new() }, "already: already at level 1: Ana"),
        (
            "triggered",
            Action::Reassign {
                to: Assignee::Users(vec![Named { id: UserId::parse("PANA").unwrap(), name: Clean::default() }]),
            },
            "already: already with Ana",
        ),
    ];
    for (state, action, words) in table {
        let (outcome, changes) = perform(world(state), action).await;
        assert_eq!((says(&outcome).as_str(), changes.len()), (words, 0));
    }
    let mut merged = world("triggered");
    merged.source["resolve_reason"] = json!({"type": "merge_resolve_reason", "incident": {"id": "P1"}});
    merged.source["status"] = json!("resolved");
    let (outcome, changes) = perform(merged, Action::Merge { source: id("P2") }).await;
    assert!(matches!(outcome, Outcome::AlreadyDone { .. }) && changes.is_empty());
}

#[tokio::test]
async fn a_second_attempt_looks_for_what_the_first_one_left() {
    let mut noted = world("triggered");
    noted.notes.push(json!({"id": "N1", "content": format!("db is back\n{}", marker(op()))}));
    let mut declared = world("triggered");
    declared.incident["incident_key"] = json!(op().to_string());
    let mut snoozed = world("acknowledged");
    snoozed.incident["pending_actions"] = json!([{"type": "unacknowledge", "at": "2026-11-24T13:00:05Z"}]);
    let mut delegated = world("triggered");
    delegated.incident["escalation_policy"] = json!({"id": "PPOL2", "summary": "x"});
    let table =
        [(noted, note("db is back")), (declared, declare()), (snoozed, snooze(3_600)), (delegated, delegate("PPOL2"))];
    for (world, action) in table {
        let (outcome, changes) = perform_as(world, action.clone(), Attempt::Again).await;
        assert!(matches!(outcome, Outcome::AlreadyDone { .. }) && changes.is_empty(), "{action:?}: {}", says(&outcome));
    }
    for action in [note("db is back"), declare(), snooze(3_600), delegate("PPOL2")] {
        let (outcome, changes) = perform_as(world("acknowledged"), action.clone(), Attempt::Again).await;
        assert!(matches!(outcome, Outcome::Done { .. }) && changes.len() == 1, "{action:?}: {}", says(&outcome));
    }
}

fn every_change() -> Vec<Action> {
    vec![
        Action::Acknowledge,
        resolve(),
        escalate(),
        reassign(),
        delegate("PPOL2"),
        Action::Merge { source: id("P2") },
        note("x"),
        declare(),
    ]
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking_and_a_lost_request_stays_unknown() {
    for action in every_change() {
        let (outcome, changes) =
            perform(World { manner: Manner::LosesAnswer, ..world("triggered") }, action.clone()).await;
        assert!(matches!(outcome, Outcome::Done { .. }) && changes.len() == 1, "{action:?}: {}", says(&outcome));
        let (outcome, changes) =
            perform(World { manner: Manner::LosesRequest, ..world("triggered") }, action.clone()).await;
        assert_eq!(changes.len(), 1, "{action:?} is sent once");
        let Outcome::Ambiguous { failure, check } = outcome else { panic!("{action:?}: {}", says(&outcome)) };
        assert!(failure.cause.as_str().contains("may have been done") && !check.as_str().is_empty(), "{failure}");
    }
}

#[tokio::test]
async fn success_that_did_not_do_it_is_a_failure() {
    let named: Vec<Action> =
        every_change().into_iter().filter(|action| !matches!(action, Action::Declare(_))).collect();
    for action in named.into_iter().chain([snooze(3_600)]) {
        let state = if matches!(action, Action::Snooze { .. }) { "acknowledged" } else { "triggered" };
        let (outcome, changes) = perform(World { manner: Manner::Idle, ..world(state) }, action.clone()).await;
        assert_eq!(changes.len(), 1, "{action:?}");
        match (&action, &outcome) {
            (Action::Merge { .. } | Action::Note { .. }, Outcome::Ambiguous { .. }) => {}
            (_, Outcome::Refused(failure)) => {
                assert!(failure.cause.as_str().contains("answered success, but it is"), "{failure}");
            }
            _ => panic!("{action:?}: {}", says(&outcome)),
        }
    }
}

#[tokio::test]
async fn refusals_are_told_apart_from_what_may_be_tried_later() {
    for action in every_change() {
        let (outcome, _) = perform(World { manner: Manner::Refuses(400), ..world("triggered") }, action.clone()).await;
        let Outcome::Refused(failure) = outcome else { panic!("{action:?}: {}", says(&outcome)) };
        assert_eq!(failure.remedy.as_str(), "choose another level, or reassign it to people", "the code's own remedy");
        let (outcome, _) = perform(World { manner: Manner::Refuses(429), ..world("triggered") }, action.clone()).await;
        assert!(matches!(outcome, Outcome::Held { wait: Some(_), .. }), "{action:?}: {}", says(&outcome));
        let (outcome, _) = perform(World { manner: Manner::Refuses(401), ..world("triggered") }, action.clone()).await;
        assert!(matches!(outcome, Outcome::Held { wait: None, .. }), "{action:?}: {}", says(&outcome));
        let (outcome, _) = perform(World { manner: Manner::Refuses(403), ..world("triggered") }, action.clone()).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{action:?}: {}", says(&outcome));
    }
}

#[tokio::test]
async fn what_cannot_work_is_not_sent() {
    let long = "x".repeat(2_000);
    let table = [
        ("resolved", escalate(), "it is resolved"),
        ("resolved", reassign(), "it is resolved"),
        ("resolved", delegate("PPOL2"), "it is resolved"),
        ("resolved", snooze(60), "it is resolved"),
        ("resolved", Action::Merge { source: id("P2") }, "the target is resolved"),
        ("triggered", Action::Merge { source: id("P1") }, "into itself"),
        ("triggered", Action::Escalate { level: 9, to: Vec::new() }, "nobody is on call at level 9 of Payments"),
        ("triggered", Action::Reassign { to: Assignee::Users(Vec::new()) }, "nobody was chosen"),
        ("triggered", snooze(0), "between 1 s and 7 days"),
        ("triggered", snooze(604_801), "between 1 s and 7 days"),
        ("triggered", note(" \n"), "it is empty"),
        ("triggered", note(&long), "characters"),
    ];
    for (state, action, cause) in table {
        let (outcome, changes) = perform(world(state), action.clone()).await;
        let Outcome::Refused(failure) = outcome else { panic!("{action:?}: {}", says(&outcome)) };
        assert!(failure.cause.as_str().contains(cause), "{failure}");
        assert!(changes.is_empty(), "{action:?}");
    }
}

#[tokio::test]
async fn a_triggered_incident_is_acknowledged_before_it_is_put_off() {
    let (outcome, changes) = perform(world("triggered"), snooze(3_600)).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{}", says(&outcome));
    let lines: Vec<&str> = changes.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(lines, ["PUT /incidents/P1", "POST /incidents/P1/snooze"]);
}

#[tokio::test]
async fn a_resolution_is_written_as_a_note_too() {
    let action = Action::Resolve { resolution: Some(Untrusted::from("rolled back v2")) };
    let (outcome, changes) = perform(world("acknowledged"), action.clone()).await;
    assert_eq!(says(&outcome), "done: resolved");
    let lines: Vec<&str> = changes.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(lines, ["PUT /incidents/P1", "POST /incidents/P1/notes"]);
    assert_eq!(changes[0].json()["incident"]["resolution"], "rolled back v2");
    let (outcome, changes) = perform(world("resolved"), action).await;
    assert!(
        matches!(outcome, Outcome::AlreadyDone { .. }) && changes.is_empty(),
        "a colleague's resolve gets no note of ours"
    );
}

#[tokio::test]
async fn nobody_acts_without_a_name() {
    let server = Server::answering(|asked| {
        if asked.has(&["/users/me"]) {
            status(400, json!({"error": "account-level access token"}))
        } else {
            ok(json!({"incident": incident("P1", "triggered")}))
        }
    })
    .await;
    let outcome = client(&server, None).perform(&intent(Action::Acknowledge), Attempt::First).await;
    let Outcome::Refused(failure) = outcome else { panic!("{}", says(&outcome)) };
    assert_eq!(failure.kind, FailureKind::Config);
    assert!(failure.remedy.as_str().contains("set from"), "{failure}");
}

#[tokio::test]
async fn an_unreachable_pagerduty_holds_every_action() {
    let server = Server::scripted(Vec::new()).await;
    let client = client(&server, Some("ana@x.io"));
    drop(server);
    for action in every_change() {
        let outcome = client.perform(&intent(action.clone()), Attempt::First).await;
        assert!(matches!(outcome, Outcome::Held { wait: Some(_), .. }), "{action:?}: {}", says(&outcome));
    }
}

#[tokio::test]
async fn nothing_that_changes_leaves_after_the_lease_has_ended() {
    for action in [Action::Acknowledge, Action::Resolve { resolution: None }, escalate(), reassign(), note("x")] {
        let world = Arc::new(Mutex::new(world("triggered")));
        let server = Server::answering(move |asked| world.lock().unwrap().answer(asked)).await;
        let late = client(&server, Some("ana@x.io")).until(Some(std::time::Instant::now()));
        let outcome = late.perform(&intent(action), Attempt::First).await;
        assert!(matches!(outcome, Outcome::Held { .. }), "{}", says(&outcome));
        assert!(server.asked().iter().all(|asked| asked.line.starts_with("GET ")), "{:?}", server.asked());
    }
}

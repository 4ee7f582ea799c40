//! The REST API, asked as a client asks it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::company::{ACCOUNT_TOKEN, Company, READ_ONLY_TOKEN, USER_TOKEN};
use super::super::http::{Ask, Reply};
use super::super::pager::Pager;
use super::super::pager::model::{Event, EventAction};
use super::answer;
use crate::domain::time::Timestamp;

fn start() -> Timestamp {
    "2026-11-20T21:00:00Z".parse().unwrap()
}

/// An account with `count` open incidents, a second apart.
fn pager(count: usize) -> Pager {
    let mut pager = Pager::new(Company::new(start()), 7, start());
    for index in 0..count {
        pager.enqueue(Event {
            service: index % 4,
            action: EventAction::Trigger,
            key: format!("key-{index}"),
            summary: format!("number {index} burns"),
            source: "db".into(),
            severity: if index % 2 == 0 { "critical" } else { "warning" }.into(),
            details: json!({"firing": "x"}),
            payload: Value::Null,
            client: None,
            client_url: None,
            contexts: vec![json!({"type": "link", "href": "https://x.example/", "text": "graph"})],
        });
        pass(&mut pager, 1);
    }
    pager
}

fn pass(pager: &mut Pager, seconds: i64) {
    let to = pager.now() + TimeDelta::seconds(seconds);
    while let Some(at) = pager.next_due().filter(|at| *at <= to) {
        pager.set_now(at);
        pager.run();
    }
    pager.set_now(to);
}

fn ask(method: &str, target: &str) -> Ask {
    Ask::new(method, target).with_header("Authorization", &format!("Token token={USER_TOKEN}"))
}

fn get(pager: &mut Pager, target: &str) -> Value {
    let reply = answer(pager, &ask("GET", target));
    assert_eq!(reply.status, 200, "{target}: {}", reply.value());
    reply.value()
}

fn change(pager: &mut Pager, method: &str, target: &str, body: &Value) -> Reply {
    let email = pager.company.people[0].email.clone();
    answer(pager, &ask(method, target).with_header("From", &email).with_json(body))
}

fn code(reply: &Reply) -> (u16, u64) {
    (reply.status, reply.value()["error"]["code"].as_u64().unwrap_or(0))
}

fn id(pager: &Pager, index: usize) -> String {
    pager.incidents()[index].id.clone()
}

#[test]
fn keys_decide_what_is_allowed() {
    let mut pager = pager(1);
    let bare = answer(&mut pager, &Ask::new("GET", "/incidents"));
    assert_eq!((bare.status, bare.body.as_ref()), (401, b"HTTP Token: Access denied.\n".as_ref()));
    let with = |header: &str| Ask::new("GET", "/users/me").with_header("Authorization", header);
    assert_eq!(code(&answer(&mut pager, &with("Token token=wrong"))), (401, 2006));
    assert_eq!(answer(&mut pager, &with(&format!("Bearer {USER_TOKEN}"))).value()["user"]["name"], "Ines Okafor");
    let account = answer(&mut pager, &with(&format!("Token token={ACCOUNT_TOKEN}")));
    assert_eq!(account.status, 400);
    assert!(account.value()["error"].as_str().unwrap().contains("account-level access token"));
    let write = Ask::new("PUT", "/incidents").with_header("Authorization", &format!("Token token={READ_ONLY_TOKEN}"));
    assert_eq!(code(&answer(&mut pager, &write)), (403, 2010));
}

#[test]
fn the_sender_is_asked_for() {
    let mut pager = pager(1);
    let body = json!({"incidents": []});
    let without = answer(&mut pager, &ask("PUT", "/incidents").with_json(&body));
    assert_eq!(code(&without), (400, 2001));
    assert_eq!(
        without.value()["error"]["errors"][0],
        "You must specify a user's email address in the \"From\" header to perform this action"
    );
    let unknown = ask("PUT", "/incidents").with_json(&body).with_header("From", "nobody@else.example");
    assert_eq!(code(&answer(&mut pager, &unknown)), (400, 1008));
    let email = pager.company.people[0].email.clone();
    let mut plain = ask("PUT", "/incidents").with_header("From", &email).with_header("content-type", "text/plain");
    plain.body = body.to_string().into_bytes();
    assert_eq!(answer(&mut pager, &plain).value()["error"]["errors"][0], "params must be a Hash");
}

#[test]
fn pages_go_to_the_end_and_not_beyond_ten_thousand() {
    let mut pager = pager(60);
    let first = get(&mut pager, "/incidents?total=true");
    assert_eq!(
        (first["limit"].as_u64(), first["more"].as_bool(), first["total"].as_u64()),
        (Some(25), Some(true), Some(60))
    );
    let last = get(&mut pager, "/incidents?limit=50&offset=50");
    assert_eq!((last["incidents"].as_array().unwrap().len(), last["more"].as_bool()), (10, Some(false)));
    assert!(last["total"].is_null());
    assert_eq!(get(&mut pager, "/incidents?limit=500")["limit"], 100);
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/incidents?limit=100&offset=9901"))), (400, 2001));
    assert_eq!(get(&mut pager, "/incidents?limit=100&offset=9900")["incidents"], json!([]));
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/incidents?limit=ten"))), (400, 2001));
}

#[test]
fn filters_and_order() {
    let mut pager = pager(8);
    let count = |pager: &mut Pager, query: &str| {
        get(pager, &format!("/incidents?{query}"))["incidents"].as_array().unwrap().len()
    };
    let first = id(&pager, 0);
    let ack = json!({"incident": {"type": "incident_reference", "status": "acknowledged"}});
    assert_eq!(change(&mut pager, "PUT", &format!("/incidents/{first}"), &ack).status, 200);
    let service = pager.company.services[1].id.clone();
    assert_eq!(count(&mut pager, "statuses[]=acknowledged"), 1);
    assert_eq!(count(&mut pager, "statuses[]=triggered&statuses[]=acknowledged&date_range=all"), 8);
    assert_eq!(count(&mut pager, "urgencies[]=low"), 4);
    assert_eq!(count(&mut pager, &format!("service_ids[]={service}")), 2);
    assert_eq!(count(&mut pager, "incident_key=key-3"), 1);
    assert_eq!(count(&mut pager, "incident_key=nothing"), 0);
    let user = pager.company.people[0].id.clone();
    assert_eq!(count(&mut pager, &format!("user_ids[]={user}")), 2);
    let newest = get(&mut pager, "/incidents?sort_by=created_at:desc&limit=1");
    assert_eq!(newest["incidents"][0]["title"], "number 7 burns");
    pass(&mut pager, 40 * 86_400);
    assert_eq!(count(&mut pager, "statuses[]=triggered"), 0, "the last month by default");
    assert!(count(&mut pager, "date_range=all") == 8);
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/incidents?since=2026-01-01&until=2026-12-01"))), (400, 2005));
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/incidents?since=yesterday"))), (400, 2004));
}

#[test]
fn references_become_objects_where_they_are_included() {
    let mut pager = pager(1);
    let incident = id(&pager, 0);
    let bare = get(&mut pager, &format!("/incidents/{incident}"));
    assert_eq!(bare["incident"]["service"]["type"], "service_reference");
    let whole = get(
        &mut pager,
        &format!("/incidents/{incident}?include[]=services&include[]=assignees&include[]=first_trigger_log_entries"),
    );
    assert_eq!(whole["incident"]["service"]["status"], "critical");
    assert_eq!(whole["incident"]["assignments"][0]["assignee"]["email"], "ines.okafor@meridian.example");
    assert_eq!(whole["incident"]["first_trigger_log_entry"]["type"], "trigger_log_entry");
    let zoned = get(&mut pager, &format!("/incidents/{incident}?time_zone=America/Lima"));
    assert!(zoned["incident"]["created_at"].as_str().unwrap().ends_with("-05:00"));
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/incidents?time_zone=Mars/Base"))), (400, 2001));
}

#[test]
fn a_bulk_update_is_all_or_nothing() {
    let mut pager = pager(3);
    let (a, b) = (id(&pager, 0), id(&pager, 1));
    let resolve =
        |id: &str| json!({"id": id, "type": "incident_reference", "status": "resolved", "resolution": "rolled back"});
    assert_eq!(change(&mut pager, "PUT", "/incidents", &json!({"incidents": [resolve(&a)]})).status, 200);
    let ack = json!({"id": b, "type": "incident_reference", "status": "acknowledged"});
    let mixed = change(&mut pager, "PUT", "/incidents", &json!({"incidents": [ack, resolve(&a)]}));
    assert_eq!(code(&mixed), (400, 1001));
    assert_eq!(get(&mut pager, &format!("/incidents/{b}"))["incident"]["status"], "triggered");
    let log = get(&mut pager, &format!("/incidents/{a}/log_entries?include[]=channels"));
    assert_eq!(log["log_entries"][0]["note"], "rolled back");
    let many: Vec<Value> = (0..251).map(|_| ack.clone()).collect();
    assert_eq!(change(&mut pager, "PUT", "/incidents", &json!({"incidents": many})).status, 413);
}

#[test]
fn escalating_snoozing_noting_and_merging_by_the_book() {
    let mut pager = pager(2);
    let (a, b) = (id(&pager, 0), id(&pager, 1));
    let put =
        |pager: &mut Pager, body: Value| change(pager, "PUT", &format!("/incidents/{a}"), &json!({"incident": body}));
    assert_eq!(code(&put(&mut pager, json!({"type": "incident_reference", "escalation_level": 9}))), (400, 1006));
    assert_eq!(put(&mut pager, json!({"type": "incident_reference", "escalation_level": 2})).status, 200);
    assert_eq!(code(&put(&mut pager, json!({"type": "incident_reference", "status": "asleep"}))), (400, 1003));
    assert_eq!(code(&put(&mut pager, json!({"type": "incident_reference", "priority": {"id": "PX"}}))), (400, 1020));
    let snooze = format!("/incidents/{a}/snooze");
    assert_eq!(code(&change(&mut pager, "POST", &snooze, &json!({"duration": 3600}))), (400, 1012));
    put(&mut pager, json!({"type": "incident_reference", "status": "acknowledged"}));
    assert_eq!(code(&change(&mut pager, "POST", &snooze, &json!({"duration": 604_801}))), (400, 1013));
    let snoozed = change(&mut pager, "POST", &snooze, &json!({"duration": 3600}));
    assert_eq!(
        (snoozed.status, &snoozed.value()["incident"]["pending_actions"][0]["type"]),
        (201, &json!("unacknowledge"))
    );
    let notes = format!("/incidents/{a}/notes");
    assert_eq!(code(&change(&mut pager, "POST", &notes, &json!({"note": {"content": "x".repeat(2001)}}))), (400, 2001));
    assert_eq!(
        change(&mut pager, "POST", &notes, &json!({"note": {"content": "on it"}})).value()["note"]["content"],
        "on it"
    );
    let sources = json!({"source_incidents": [{"id": b, "type": "incident_reference"}]});
    let merged = change(&mut pager, "PUT", &format!("/incidents/{a}/merge"), &sources);
    assert_eq!((merged.status, &merged.value()["incident"]["type"]), (200, &json!("incident_reference")));
    let source = get(&mut pager, &format!("/incidents/{b}"))["incident"].clone();
    assert_eq!(source["resolve_reason"]["incident"]["id"], a.as_str());
    assert_eq!(
        get(&mut pager, "/incidents?incident_key=key-1")["incidents"][0]["id"],
        a.as_str(),
        "the alert moved with its key"
    );
    let kinds = get(&mut pager, &format!("/incidents/{a}/log_entries?is_overview=true&limit=100"));
    let kinds: Vec<&str> =
        kinds["log_entries"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    let expected = ["annotate", "annotate", "snooze", "acknowledge", "escalate", "trigger"]
        .map(|kind| format!("{kind}_log_entry"));
    assert_eq!(kinds, expected);
}

#[test]
fn declaring() {
    let mut pager = pager(0);
    let service = pager.company.services[0].id.clone();
    let body = json!({"incident": {"type": "incident", "title": "Shop is down", "incident_key": "one",
        "service": {"id": service, "type": "service_reference"}, "urgency": "high", "body": {"type": "incident_body", "details": "all of it"}}});
    let made = change(&mut pager, "POST", "/incidents", &body);
    assert_eq!((made.status, &made.value()["incident"]["urgency"]), (201, &json!("high")));
    assert_eq!(change(&mut pager, "POST", "/incidents", &body).status, 400);
    let nowhere = json!({"incident": {"type": "incident", "title": "x", "service": {"id": "PNONE"}}});
    assert_eq!(code(&change(&mut pager, "POST", "/incidents", &nowhere)), (400, 2001));
}

#[test]
fn the_directory() {
    let mut pager = pager(1);
    let policy = pager.company.policies[0].id.clone();
    let oncalls = get(&mut pager, &format!("/oncalls?escalation_policy_ids[]={policy}&earliest=true&include[]=users"));
    let rows = oncalls["oncalls"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["escalation_level"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(rows[0]["user"]["email"], "ines.okafor@meridian.example");
    assert!(rows[2]["end"].is_null() && rows[2]["schedule"].is_null());
    assert_eq!(get(&mut pager, "/priorities")["priorities"][0]["name"], "P1");
    assert_eq!(get(&mut pager, "/services?query=check")["services"][0]["status"], "critical");
    assert_eq!(answer(&mut pager, &ask("GET", "/abilities/teams")).status, 204);
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/abilities/event_rules"))), (402, 2014));
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/nothing"))), (404, 2100));
    assert_eq!(code(&answer(&mut pager, &ask("GET", "/incidents/PNONE"))), (404, 2100));
    assert_eq!(get(&mut pager, "/users?limit=100")["users"].as_array().unwrap().len(), 17);
}

//! Lists, paging and mapping: what PagerDuty documents, what it sends beside that, and what it should never send.

mod log;

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::timeline::Recorder;
use super::{Client, Filter, Settings, map, wire};
use crate::domain::escalation::OnCall;
use crate::domain::id::{PagerId, PriorityId, SourceId};
use crate::domain::incident::{PagerIncident, PendingKind, Status, Urgency};
use crate::domain::severity::Severity;
use crate::domain::timeline::EventKind;
use crate::sources::error::Fault;
use crate::sources::testing::{Asked, Say, Server, now, ok, shared, status};

pub(super) fn client(server: &Server, from: Option<&str>) -> Client {
    let settings = Settings {
        id: SourceId::parse("pagerduty").unwrap(),
        http: server.settings(),
        token: "t0ken".into(),
        from: from.map(str::to_owned),
    };
    Client::new(settings).unwrap()
}

pub(super) fn id(text: &str) -> PagerId {
    PagerId::parse(text).unwrap()
}

pub(super) fn incident(id: &str, status: &str) -> Value {
    json!({
        "id": id, "type": "incident", "incident_number": 7, "title": "checkout is slow", "status": status, "urgency": "high",
        "created_at": "2026-11-24T11:00:00Z", "last_status_change_at": "2026-11-24T13:05:00+02:00",
        "priority": {"id": "PPRIO2", "type": "priority", "summary": "P2"},
        "service": {"id": "PSVC", "type": "service_reference", "summary": "Checkout"},
        "escalation_policy": {"id": "PPOL", "type": "escalation_policy_reference", "summary": "Payments"},
        "assigned_via": "escalation_policy",
        "assignments": [{"at": "2026-11-24T11:00:00Z", "assignee": {"id": "PANA", "type": "user_reference", "summary": "Ana"}}],
        "acknowledgements": [], "teams": [{"id": "PTEAM", "summary": "Payments"}],
        "pending_actions": [{"type": "resolve", "at": "2026-11-24T15:00:00Z"}, {"type": "escalate", "at": "2026-11-24T12:30:00Z"},
            {"type": "brew_coffee", "at": "2026-11-24T12:31:00Z"}],
        "incident_key": "abc", "alert_counts": {"all": 3, "triggered": 2, "resolved": 1}, "is_mergeable": true,
        "resolve_reason": null, "html_url": "https://x.pagerduty.com/incidents/P1", "a_new_field": {"deep": [1]}
    })
}

fn read(told: Value) -> Result<PagerIncident, String> {
    let told: wire::Incident = serde_json::from_value::<Value>(told)
        .and_then(|told| serde_json::from_str(&told.to_string()))
        .map_err(|error| error.to_string())?;
    map::incident(&told, &[PriorityId::parse("PPRIO1").unwrap(), PriorityId::parse("PPRIO2").unwrap()])
}

#[test]
fn an_incident_as_documented() {
    let read = read(incident("P1", "acknowledged")).unwrap();
    assert_eq!((read.id.as_str(), read.number, read.title.as_str()), ("P1", 7, "checkout is slow"));
    assert_eq!((read.status, read.urgency, read.alert_counts), (Status::Acknowledged, Urgency::High, (2, 1)));
    assert_eq!(read.priority.as_ref().map(|priority| (priority.name.as_str(), priority.rank)), Some(("P2", Some(1))));
    assert_eq!(read.changed_at, "2026-11-24T11:05:00Z".parse::<crate::domain::time::Timestamp>().unwrap());
    let kinds: Vec<_> = read.pending.iter().map(|pending| pending.kind).collect();
    assert_eq!(kinds, [PendingKind::Escalate, PendingKind::Resolve], "soonest first, unknown ones left out");
    assert_eq!(read.assignees.first().map(|user| user.name.as_str()), Some("Ana"));
    assert_eq!((read.is_mergeable, read.assigned_directly, read.keys.len()), (true, false, 1));
}

#[test]
fn any_field_may_be_null_missing_or_of_another_type_but_identity_and_time() {
    let whole = incident("P1", "triggered");
    for field in whole.as_object().unwrap().keys() {
        for nonsense in [Value::Null, json!(7), json!("x"), json!([null, 7, {"id": 1}]), json!({"id": [], "at": 1})] {
            let mut told = whole.clone();
            told[field] = nonsense.clone();
            let read = read(told);
            assert_eq!(read.is_ok(), field != "id" || nonsense == json!("x"), "{field} = {nonsense}: {read:?}");
        }
        let mut told = whole.clone();
        told.as_object_mut().unwrap().remove(field);
        assert_eq!(read(told).is_ok(), field != "id", "without {field}");
    }
    assert!(read(json!({"id": "P1", "status": "triggered"})).unwrap_err().contains("without time"));
    let merged = json!({"id": "P1", "status": "resolved", "created_at": "2026-11-24T11:00:00Z",
        "resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "P2"}}});
    assert_eq!(read(merged).unwrap().merged_into, Some(id("P2")));
}

#[tokio::test]
async fn the_open_list_is_asked_as_it_must_be_and_read_page_by_page() {
    let server = Server::answering(|asked| {
        if asked.has(&["offset=0"]) {
            let bad = json!({"id": "PBAD", "status": "triggered"});
            ok(json!({"incidents": [incident("P1", "triggered"), bad, 7, incident("P2", "acknowledged")], "more": true,
                "limit": 100, "offset": 0, "total": null}))
        } else {
            ok(json!({"incidents": [incident("P2", "acknowledged"), incident("P3", "triggered")], "more": false}))
        }
    })
    .await;
    let filter = Filter {
        teams: vec!["T1".into(), "T2".into()],
        services: vec!["S1".into()],
        users: vec!["U1".into()],
        urgency: Some(Urgency::Low),
        since: None,
    };
    let listing = client(&server, None).open_incidents(&filter).await.unwrap();
    let ids: Vec<&str> = listing.items.iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["P1", "P2", "P3"], "what comes twice is kept once");
    assert_eq!((listing.dropped, listing.complete, listing.tells_absence()), (2, true, false));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].has(&["offset=4"]), "on by what was received: {}", asked[1].line);
    for words in [
        "statuses[]=triggered&statuses[]=acknowledged",
        "date_range=all",
        "team_ids[]=T1&team_ids[]=T2",
        "service_ids[]=S1",
        "user_ids[]=U1",
        "urgencies[]=low",
        "limit=100",
        "time_zone=UTC",
    ] {
        assert!(asked[0].has(&[words]), "{words}: {}", asked[0].line);
    }
    let head = asked[0].head.to_ascii_lowercase();
    assert!(head.contains("authorization: token token=t0ken"), "{head}");
    assert!(head.contains("accept: application/vnd.pagerduty+json;version=2"), "{head}");
}

#[tokio::test]
async fn a_page_without_its_list_is_a_failure_and_never_an_empty_list() {
    for body in [json!({"more": false}), json!({"incidents": null}), json!({"incidents": {}}), json!([])] {
        let server = Server::scripted(vec![ok(body.clone())]).await;
        let error = client(&server, None).open_incidents(&Filter::default()).await.unwrap_err();
        assert!(matches!(error.fault(), Fault::Malformed(_)), "{body}: {error}");
    }
    let server = Server::scripted(vec![ok(json!({"incidents": [], "more": false}))]).await;
    assert!(client(&server, None).open_incidents(&Filter::default()).await.unwrap().tells_absence());
}

#[tokio::test]
async fn a_list_that_claims_more_for_ever_ends_and_is_not_complete() {
    let server = Server::answering(|_| ok(json!({"incidents": [incident("P1", "triggered")], "more": true}))).await;
    let listing = client(&server, None).open_incidents(&Filter::default()).await.unwrap();
    assert_eq!((listing.items.len(), listing.complete, server.asked().len()), (1, false, 2));
    let server =
        Server::answering(|_| ok(json!({"incidents": [], "more": true, "total": 1_000_000_000_000_000_000_u64}))).await;
    let listing = client(&server, None).open_incidents(&Filter::default()).await.unwrap();
    assert_eq!((listing.items.len(), listing.complete, server.asked().len()), (0, false, 1));
}

#[tokio::test]
async fn beyond_ten_thousand_it_goes_on_in_windows_by_date() {
    static SENT: AtomicUsize = AtomicUsize::new(0);
    let server = Server::answering(|asked: &Asked| {
        let offset: usize = asked.line.rsplit_once("offset=").unwrap().1.parse().unwrap();
        assert!(offset + 100 <= 10_000, "PagerDuty would refuse this");
        if asked.has(&["date_range=all"]) {
            let page: Vec<Value> = (0..100)
                .map(|_| {
                    let n = SENT.fetch_add(1, Ordering::Relaxed);
                    let at = "2026-01-01T00:00:00Z".parse::<crate::domain::time::Timestamp>().unwrap()
                        + TimeDelta::minutes(n as i64);
                    json!({"id": format!("P{n}"), "status": "triggered", "created_at": at})
                })
                .collect();
            return ok(json!({"incidents": page, "more": true}));
        }
        if asked.has(&["since=2026-01-07T22:39:00Z"]) {
            return ok(
                json!({"incidents": [{"id": "P9999", "status": "triggered", "created_at": "2026-01-07T22:39:00Z"},
                {"id": "PLAST", "status": "triggered", "created_at": "2026-01-08T00:00:00Z"}], "more": false}),
            );
        }
        ok(json!({"incidents": [], "more": false}))
    })
    .await;
    let listing = client(&server, None).open_incidents(&Filter::default()).await.unwrap();
    assert_eq!((listing.items.len(), listing.complete), (10_001, true));
    assert_eq!(listing.items.last().map(|incident| incident.id.as_str()), Some("PLAST"));
    let last = server.asked().pop().unwrap();
    assert!(last.has(&["until=2026-11-24T13:00:00Z"]), "to now and a little beyond: {}", last.line);
}

#[tokio::test]
async fn since_is_asked_in_windows_that_pagerduty_takes() {
    let server = Server::answering(|_| ok(json!({"incidents": [], "more": false}))).await;
    let filter = Filter { since: Some(TimeDelta::days(400)), ..Filter::default() };
    let listing = client(&server, None).open_incidents(&filter).await.unwrap();
    assert!(listing.complete);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[0].has(&["since=2025-10-20T12:00:00Z", "until=2026-04-08T12:00:00Z"]), "{}", asked[0].line);
    assert!(!asked.iter().any(|asked| asked.has(&["date_range"])));
}

#[tokio::test]
async fn an_accounts_token_belongs_to_nobody() {
    let account = status(400, json!({"error": "the \"me\" user cannot be used with account-level access token"}));
    let server = Server::scripted(vec![
        account.clone(),
        ok(json!({"user": {"id": "PANA", "summary": "Ana", "email": "ana@x.io", "role": "admin"}})),
    ])
    .await;
    let client = client(&server, None);
    assert_eq!(client.me().await.unwrap(), None);
    let me = client.me().await.unwrap().unwrap();
    assert_eq!((me.email.as_str(), me.name.as_str(), me.role.as_str()), ("ana@x.io", "Ana", "admin"));
    let server = Server::scripted(vec![status(400, json!({"error": {"message": "other", "code": 2001}}))]).await;
    assert!(super::tests::client(&server, None).me().await.is_err());
}

#[tokio::test]
async fn priorities_give_later_incidents_their_rank_and_may_be_missing() {
    let server = Server::answering(|asked| {
        if asked.has(&["/priorities"]) {
            ok(json!({"priorities": [{"id": "PPRIO1", "name": "P1"}, {"id": "PPRIO2", "name": "P2"}], "more": false}))
        } else {
            ok(json!({"incident": incident("P1", "triggered")}))
        }
    })
    .await;
    let client = client(&server, None);
    let rank = async || client.incident(&id("P1")).await.unwrap().priority.clone().unwrap().rank;
    assert_eq!(rank().await, None);
    let names: Vec<String> =
        client.priorities().await.unwrap().items.iter().map(|priority| priority.name.to_string()).collect();
    assert_eq!(names, ["P1", "P2"]);
    assert_eq!(rank().await, Some(1));
    let server = Server::scripted(vec![status(402, json!({"error": {"message": "no", "code": 2014}}))]).await;
    assert!(super::tests::client(&server, None).priorities().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn past_incidents_are_read_whole_and_only_once() {
    let server = Server::answering(|asked| {
        if asked.has(&["past_incidents"]) {
            ok(json!({"past_incidents": [{"incident": {"id": "POLD"}, "score": 46.8}, {"incident": {"id": "PGONE"}}, 3], "total": 2}))
        } else if asked.has(&["PGONE"]) {
            status(404, json!({"error": {"message": "Not Found", "code": 2100}}))
        } else {
            ok(json!({"incident": incident("POLD", "resolved")}))
        }
    })
    .await;
    let client = client(&server, None);
    for _ in 0..2 {
        let past = client.past_incidents(&id("P1")).await.unwrap();
        assert_eq!((past.items.len(), past.dropped), (1, 2));
        assert_eq!(past.items[0].status, Status::Resolved);
    }
    let reads = server.asked().iter().filter(|asked| asked.has(&["/incidents/POLD"])).count();
    assert_eq!(reads, 1);
}

#[test]
fn a_level_is_known_only_when_one_level_alone_has_these_people() {
    let oncall = |user: &str, level: u32| -> OnCall {
        let told = json!({"user": {"id": user, "summary": user}, "escalation_policy": {"id": "PPOL", "summary": "x"},
            "escalation_level": level, "end": null});
        map::oncall(&serde_json::from_str(&told.to_string()).unwrap()).unwrap()
    };
    let held = read(incident("P1", "triggered")).unwrap();
    let table = [
        (vec![oncall("PANA", 1), oncall("PBEN", 2)], Some(1)),
        (vec![oncall("PBEN", 1), oncall("PANA", 2)], Some(2)),
        (vec![oncall("PANA", 1), oncall("PANA", 2)], None),
        (vec![oncall("PANA", 1), oncall("PBEN", 1)], None),
        (vec![oncall("PANA", 1), oncall("PBEN", 2), oncall("PANA", 2)], Some(1)),
        (vec![], None),
    ];
    for (oncalls, level) in table {
        assert_eq!(map::level_by_oncall(&held, &oncalls), level, "{oncalls:?}");
    }
    let direct = PagerIncident { assigned_directly: true, ..held };
    assert_eq!(map::level_by_oncall(&direct, &[oncall("PANA", 1)]), None);
}

#[test]
fn an_alert_tells_its_key_its_severity_and_which_alerts_it_stands_for() {
    let told = json!({"id": "A1", "alert_key": "abc", "status": "triggered", "severity": "error", "created_at": "2026-11-24T11:00:00Z",
        "body": {"details": {"firing": "Labels:\n - alertname = Res\nAnnotations:\nSource: \n"}}});
    let alert = map::alert(serde_json::from_str(&told.to_string()).unwrap()).unwrap();
    assert_eq!(alert.key.as_ref().map(crate::domain::id::DedupKey::as_str), Some("abc"));
    assert_eq!((alert.severity, alert.is_open, alert.fingerprints.len()), (Some(Severity::High), true, 1));
    for severity in Severity::ALL {
        assert_eq!(map::severity(map::severity_word(severity)), Some(severity));
    }
}

#[test]
fn the_documents_own_examples_are_understood() {
    let Some(shared) = shared() else { return };
    let text = std::fs::read_to_string(shared.join("specs/fixtures/pagerduty-rest-examples.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let source = SourceId::parse("pagerduty").unwrap();
    let recorder = Recorder { source: &source, now: now() };
    fn each<T: serde::de::DeserializeOwned, U>(list: &Value, read: impl Fn(T) -> Result<U, String>) -> usize {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        for element in list {
            read(serde_json::from_str(&element.to_string()).unwrap()).unwrap();
        }
        list.len()
    }
    let mut counts = [0; 8];
    for example in file["examples"].as_object().unwrap().values() {
        for answers in ["200", "201"] {
            for body in example[answers].as_object().into_iter().flat_map(serde_json::Map::values) {
                counts[0] += each(&body["incidents"], |told| map::incident(&told, &[]));
                counts[1] += each(&body["log_entries"], |told| recorder.log_entry(&told));
                counts[2] += each(&body["notes"], |told| recorder.note(&told));
                counts[3] += each(&body["alerts"], map::alert);
                counts[4] += each(&body["oncalls"], |told| map::oncall(&told));
                counts[5] += each(&body["change_events"], |told| recorder.change(&told));
                counts[6] += each(&body["escalation_policies"], |told| map::policy(&told));
                counts[7] += each(&body["past_incidents"], |told: wire::PastIncident| {
                    told.incident.id.0.ok_or_else(String::new)
                });
            }
        }
    }
    println!("examples read: {counts:?}");
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!("2026-11-24T11:00:00+02:00")),
        Just(json!("-262143-01-01T00:00:00Z")),
    ];
    let name = prop::sample::select(vec![
        "id",
        "type",
        "summary",
        "created_at",
        "at",
        "status",
        "agent",
        "channel",
        "notification",
        "assignments",
        "assignee",
        "acknowledgements",
        "pending_actions",
        "alert_counts",
        "triggered",
        "content",
        "changed_actions",
        "duration",
        "escalation_rules",
        "escalation_delay_in_minutes",
        "timestamp",
        "links",
        "custom_details",
        "body",
        "details",
    ]);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone().prop_map(str::to_owned), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_whatsoever_is_a_panic(told in any_json()) {
        let text = told.to_string();
        let source = SourceId::parse("pagerduty").unwrap();
        let recorder = Recorder { source: &source, now: now() };
        let _ = serde_json::from_str(&text).map(|told| map::incident(&told, &[]));
        let _ = serde_json::from_str(&text).map(|told| recorder.log_entry(&told));
        let _ = serde_json::from_str(&text).map(|told| recorder.note(&told));
        let _ = serde_json::from_str(&text).map(|told| recorder.change(&told));
        let _ = serde_json::from_str(&text).map(|told| map::policy(&told));
        let _ = serde_json::from_str(&text).map(|told| map::oncall(&told));
        let _ = serde_json::from_str(&text).map(map::alert);
    }
}

#[tokio::test]
async fn the_rest_is_read_too() {
    let server = Server::answering(|asked| -> Say {
        let path = asked.line.trim_start_matches("GET ").split('?').next().unwrap_or_default().to_owned();
        ok(match path.as_str() {
            "/escalation_policies/PPOL" => json!({"escalation_policy": {"id": "PPOL", "name": "Payments", "num_loops": 2,
                "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [{"id": "PANA", "summary": "Ana", "type": "user_reference"}]},
                    {"escalation_delay_in_minutes": null, "targets": null}]}}),
            "/oncalls" => json!({"oncalls": [{"user": {"id": "PANA", "summary": "Ana"}, "schedule": null,
                "escalation_policy": {"id": "PPOL", "summary": "Payments"}, "escalation_level": 1, "start": null, "end": null},
                {"user": null}], "more": false}),
            "/users" => json!({"users": [{"id": "PANA", "name": "Ana"}, {"id": "é"}], "more": false}),
            "/services" => json!({"services": [{"id": "PSVC", "summary": "Checkout"}], "more": false}),
            "/abilities" => json!({"abilities": ["teams", 7]}),
            "/incidents/P1/related_change_events" => json!({"change_events": [{"id": "C1", "summary": "Deploy v2", "timestamp": "2026-11-24T10:58:00Z",
                "source": "ci", "custom_details": {"build": 7, "by": "Ben"}, "links": [{"href": "https://ci/7"}],
                "correlation_reason": {"reason": "related_service"}}], "limit": null, "offset": null, "more": false}),
            other => json!({"unexpected": other}),
        })
    })
    .await;
    let client = client(&server, None);
    let policy = client.policy(&crate::domain::id::PolicyId::parse("PPOL").unwrap()).await.unwrap();
    assert_eq!((policy.levels.len(), policy.levels[0].delay.0, policy.loops), (2, 1800, 2));
    assert_eq!(policy.levels[0].targets[0].as_str(), "Ana");
    let oncalls = client.oncalls(std::slice::from_ref(&policy.id)).await.unwrap();
    assert_eq!((oncalls.items.len(), oncalls.dropped, oncalls.items[0].until), (1, 1, None));
    assert!(server.asked().last().unwrap().has(&["escalation_policy_ids[]=PPOL", "earliest=true"]));
    let users = client.users().await.unwrap();
    assert_eq!((users.items.len(), users.dropped), (1, 1));
    assert_eq!(client.services().await.unwrap().items[0].name.as_str(), "Checkout");
    let abilities = client.abilities().await.unwrap();
    assert_eq!((abilities.items.len(), abilities.dropped), (1, 1));
    let changes = client.related_changes(&id("P1")).await.unwrap();
    let body: Vec<&str> = changes.items[0].body.iter().map(crate::text::Clean::as_str).collect();
    assert_eq!(body, ["build: 7", "by: Ben", "tied to this incident: related service"]);
    assert_eq!(changes.items[0].kind, EventKind::Change);
}

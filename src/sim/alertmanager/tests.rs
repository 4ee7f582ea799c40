//! The API, asked as clients ask it; texts are those that a real 0.25 answered.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Prepared, Replica, answer};
use crate::domain::time::Timestamp;
use crate::sim::alerting::Shape;
use crate::sim::http::{Ask, Reply};
use crate::sim::world::{World, WorldOptions};

fn world(scenario: &str, shape: Shape) -> World {
    let start: Timestamp = "2026-11-20T21:30:07Z".parse().unwrap();
    let history = TimeDelta::minutes(5);
    World::new(WorldOptions { scenario: scenario.to_owned(), history, shape, ..WorldOptions::new(start) })
}

fn call(world: &mut World, ask: &Ask) -> Reply {
    answer(world, &mut Prepared::default(), Replica::First, "http://h/events", ask)
}

fn get(world: &mut World, target: &str) -> (u16, Value) {
    let reply = call(world, &Ask::new("GET", target));
    (reply.status, reply.value())
}

fn post(world: &mut World, target: &str, body: &Value) -> (u16, Value) {
    let reply = call(world, &Ask::new("POST", target).with_json(body));
    (reply.status, reply.value())
}

fn silence(world: &World, matcher: &Value) -> Value {
    let ends = world.now() + TimeDelta::hours(1);
    json!({"matchers": [matcher], "startsAt": world.now(), "endsAt": ends, "createdBy": "ann", "comment": "INC-1"})
}

#[test]
fn alerts_have_the_shape_of_their_version() {
    let mut old = world("bad-deploy", Shape::Old);
    let (_, alerts) = get(&mut old, "/api/v2/alerts?filter=alertname%3D%22CheckoutErrorRateHigh%22");
    let alert = &alerts[0];
    let keys: Vec<&str> = alert.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "annotations",
        "endsAt",
        "fingerprint",
        "receivers",
        "startsAt",
        "status",
        "updatedAt",
        "generatorURL",
        "labels",
    ];
    assert_eq!(keys, expected);
    assert_eq!(alert["status"], json!({"inhibitedBy": [], "silencedBy": [], "state": "active"}));
    assert_eq!(alert["receivers"], json!([{"name": "pagerduty-checkout"}]));
    assert_eq!(alert["labels"]["env"], "production");
    let mut current = world("bad-deploy", Shape::Current);
    let (_, groups) = get(&mut current, "/api/v2/alerts/groups?receiver=pagerduty-check.*");
    assert_eq!(groups[0]["alerts"][0]["status"]["mutedBy"], json!([]));
    assert_eq!(groups[0]["routeLabels"], json!({}));
    assert_eq!(groups[0]["labels"], json!({"alertname": "CheckoutErrorRateHigh", "service": "checkout"}));
}

/// What a client computes from the configuration and the labels must be the key of the incident.
#[test]
fn the_group_key_leads_to_the_incident() {
    let world = world("bad-deploy", Shape::Current);
    let (_, alert) =
        world.alerting().firing().find(|(_, alert)| alert.labels["alertname"] == "CheckoutErrorRateHigh").unwrap();
    let key = alert.destinations[0].group_key();
    let expected = "{}/{severity=~\"critical|high|medium|page\"}/{service=\"checkout\"}:{alertname=\"CheckoutErrorRateHigh\", service=\"checkout\"}";
    assert_eq!(key, expected);
    let incident = world.pager().open_incident_with_key(&alert.destinations[0].dedup_key()).unwrap();
    assert!(world.pager().incidents()[incident].title.starts_with("Checkout fails"));
}

#[test]
fn questions_are_refused_in_alertmanagers_words() {
    let mut world = world("quiet", Shape::Current);
    for (target, status, body) in [
        ("/api/v2/alerts?filter=severity%3D%3D%22x", 400, json!("matcher value contains unescaped double quote: =\"x")),
        ("/api/v2/alerts?active=maybe", 200, json!([])),
        (
            "/api/v2/silence/abc",
            422,
            json!({"code": 601, "message": "silenceID in path must be of type uuid: \"abc\""}),
        ),
        ("/api/v2/silence/00000000-0000-0000-0000-000000000000", 404, Value::Null),
        ("/api/v2/nosuch", 404, json!({"code": 404, "message": "path /api/v2/nosuch was not found"})),
    ] {
        assert_eq!(get(&mut world, target), (status, body), "{target}");
    }
    assert_eq!(get(&mut world, "/api/v2/alerts?receiver=pd-(").0, 400);
    assert_eq!(get(&mut world, "/api/v1/status").0, 410);
}

#[test]
fn posted_alerts_are_taken_and_end() {
    let mut world = world("quiet", Shape::Current);
    let manual = json!({"labels": {"alertname": "Manual", "severity": "high", "service": "checkout"}, "annotations": {"summary": "x"}});
    let (status, body) = post(&mut world, "/api/v2/alerts", &json!([{"labels": {}}, manual]));
    assert_eq!((status, body), (400, json!("at least one label pair required")));
    let filter = "/api/v2/alerts?filter=alertname%3D%22Manual%22";
    assert_eq!(get(&mut world, filter).1.as_array().unwrap().len(), 1, "the valid one is stored all the same");
    let now = world.now();
    world.advance(now + TimeDelta::seconds(30));
    assert_eq!(world.pager().incidents().last().unwrap().title, "x", "and pages");
    let mut ended = manual.clone();
    ended["endsAt"] = json!(now);
    assert_eq!(post(&mut world, "/api/v2/alerts", &json!([ended])).0, 200);
    assert_eq!(get(&mut world, filter).1, json!([]), "resolved alerts vanish at once");
    let bare = Ask::new("POST", "/api/v2/alerts").with_header("content-type", "text/plain");
    let text = "unsupported media type \"text/plain\", only [application/json] are allowed";
    assert_eq!(call(&mut world, &bare).value(), json!({"code": 415, "message": text}));
}

#[test]
fn silences_live_and_are_refused() {
    let mut world = world("bad-deploy", Shape::Current);
    let mut wanted = silence(&world, &json!({"name": "alertname", "value": "CheckoutErrorRateHigh", "isRegex": false}));
    let (status, made) = post(&mut world, "/api/v2/silences", &wanted);
    assert_eq!(status, 200);
    let id = made["silenceID"].as_str().unwrap().to_owned();
    let (_, alerts) = get(&mut world, "/api/v2/alerts?active=false&inhibited=false");
    assert_eq!(
        (&alerts[0]["status"]["state"], &alerts[0]["status"]["silencedBy"][0]),
        (&json!("suppressed"), &json!(id))
    );
    let (_, found) = get(&mut world, "/api/v2/silences?filter=alertname%3DCheckoutErrorRateHigh");
    assert_eq!((&found[0]["status"]["state"], &found[0]["annotations"]), (&json!("active"), &json!({})));
    wanted.as_object_mut().unwrap().remove("comment");
    let expected = json!({"code": 602, "message": "comment in body is required"});
    assert_eq!(post(&mut world, "/api/v2/silences", &wanted), (422, expected));
    let everything = silence(&world, &json!({"name": "a", "value": ".*", "isRegex": true}));
    let expected = json!("silence invalid: at least one matcher must not match the empty string");
    assert_eq!(post(&mut world, "/api/v2/silences", &everything), (400, expected));
    let delete = Ask::new("DELETE", &format!("/api/v2/silence/{id}"));
    assert_eq!((call(&mut world, &delete).status, call(&mut world, &delete).status), (200, 200));
    let (_, left) = get(&mut world, "/api/v2/silences?expired=false");
    assert_eq!(left, json!([]));
    let unknown = Ask::new("DELETE", "/api/v2/silence/00000000-0000-0000-0000-000000000000");
    assert_eq!(call(&mut world, &unknown).status, 404);
}

#[test]
fn a_prepared_answer_is_used_until_something_changes() {
    let mut world = world("bad-deploy", Shape::Current);
    let mut prepared = Prepared::default();
    let ask = Ask::new("GET", "/api/v2/alerts");
    let first = answer(&mut world, &mut prepared, Replica::First, "", &ask).body;
    let again = answer(&mut world, &mut prepared, Replica::Second, "", &ask).body;
    assert_eq!(first.as_ptr(), again.as_ptr());
    let wanted = silence(&world, &json!({"name": "service", "value": "checkout", "isRegex": false}));
    answer(&mut world, &mut prepared, Replica::First, "", &Ask::new("POST", "/api/v2/silences").with_json(&wanted));
    let after = answer(&mut world, &mut prepared, Replica::First, "", &ask).body;
    assert_ne!(first, after);
}

//! One Alertmanager over the wire, and the hostile corpus.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, Settings};
use crate::domain::silence::SilenceState;
use crate::domain::testing::source;
use crate::sources::error::{Disposition, Fault, Stage};
use crate::sources::testing::{Say, Server, hurried, ok, shared, status, with_head};

fn client(server: &Server) -> Client {
    let http = hurried(server.settings());
    Client::new(Settings { id: source("am-1"), cluster: source("am"), http }).unwrap()
}

fn element(fingerprint: &str, name: &str) -> Value {
    json!({"fingerprint": fingerprint, "labels": {"alertname": name, "severity": "critical"}, "annotations": {},
        "startsAt": "2026-11-24T11:00:00.5Z", "updatedAt": "2026-11-24T11:59:00+01:00", "endsAt": "2026-11-24T12:04:00Z",
        "receivers": [{"name": "pd"}], "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}})
}

#[tokio::test]
async fn alerts_come_with_the_groups_that_status_taught() {
    let config = "route:\n  receiver: pd\n  group_by: [alertname]\nreceivers:\n- name: pd\n  pagerduty_configs:\n  - routing_key: <secret>\n";
    let server = Server::answering(move |asked| match asked.line.as_str() {
        "GET /api/v2/status" => ok(json!({"cluster": {"status": "ready", "peers": [{"name": "x", "address": "10.0.0.1:9094"}, null]},
            "versionInfo": {"version": "0.34.0"}, "config": {"original": config}, "uptime": "x"})),
        "GET /api/v2/alerts" => ok(json!([element("00000000000000aa", "A"), element("00000000000000bb", "B")])),
        "GET /api/v2/receivers" => ok(json!([{"name": "pd"}, {}])),
        "GET /api/v2/silences" => ok(json!([
            {"id": "s1", "matchers": [{"name": "a", "value": "b", "isRegex": false}], "startsAt": "2026-11-24T11:00:00Z",
                "endsAt": "2026-11-24T13:00:00Z", "createdBy": "ann", "comment": null, "status": {"state": "pending"}},
            {"id": "s2"}])),
        _ => status(404, json!({"code": 404, "message": "path was not found"})),
    })
    .await;
    let client = client(&server);
    assert!(client.alerts().await.unwrap().items.iter().all(|alert| alert.groups.is_empty()));
    let told = client.status().await.unwrap();
    assert_eq!((told.version.unwrap().as_str(), told.cluster_state.as_str(), told.peers.len()), ("0.34.0", "ready", 1));
    let listing = client.alerts().await.unwrap();
    assert!(listing.tells_absence());
    let groups: Vec<(&str, bool)> = listing
        .items
        .iter()
        .flat_map(|alert| alert.groups.iter())
        .map(|group| (&*group.receiver, group.pages))
        .collect();
    assert_eq!(groups, [("pd", true), ("pd", true)]);
    let expected = crate::domain::correlate::dedup_key("{}:{alertname=\"A\"}").unwrap();
    assert_eq!(listing.items[0].groups[0].key, expected);
    let receivers = client.receivers().await.unwrap();
    assert_eq!((receivers.items.len(), receivers.dropped), (1, 1));
    let silences = client.silences().await.unwrap();
    assert_eq!((silences.items.len(), silences.dropped), (1, 1));
    assert_eq!((silences.items[0].state, silences.items[0].matchers[0].is_equal), (SilenceState::Pending, true));
}

#[tokio::test]
async fn an_answer_that_is_not_whole_is_none() {
    let half = json!([element("00000000000000aa", "A"), element("00000000000000bb", "B")]).to_string();
    let half = half.strip_suffix(']').unwrap();
    let table = [
        (with_head("HTTP/1.1 200 OK", half), "the JSON breaks off after"),
        (Say::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{half}").into_bytes()), "broke off after"),
        (
            Say::Stall(format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{half}").into_bytes()),
            "stalled for 0.3 s",
        ),
        (with_head("HTTP/1.1 200 OK", "<html><title>x</title>"), "with a web page instead of JSON"),
        (with_head("HTTP/1.1 200 OK", ""), "its body is empty"),
        (ok(json!({"status": "success", "data": []})), "was not understood"),
        (ok(Value::Null), "was not understood"),
        (status(503, "too many concurrent requests"), "(503): too many concurrent requests"),
    ];
    for (say, cause) in table {
        let server = Server::scripted(vec![say]).await;
        let error = client(&server).alerts().await.unwrap_err();
        assert!(error.to_string().contains(cause), "{cause}: {error}");
        assert!(matches!(error.disposition(), Disposition::RetryAfter(_)), "{error:?}");
        assert_eq!(server.asked().len(), 1, "an expensive question is not asked again at once");
    }
}

#[tokio::test]
async fn the_first_byte_of_many_alerts_may_take_long() {
    let server = Server::answering(|_| Say::Stall(Vec::new())).await;
    let mut http = hurried(server.settings());
    http.limits.answer = Duration::from_millis(10);
    http.limits.bulk_answer = Duration::from_millis(400);
    let client = Client::new(Settings { id: source("am-1"), cluster: source("am"), http }).unwrap();
    let late = |error: crate::sources::SourceError| error.fault().clone();
    assert_eq!(late(client.alerts().await.unwrap_err()), Fault::Timeout(Stage::Answer, Duration::from_millis(400)));
    assert_eq!(late(client.silences().await.unwrap_err()), Fault::Timeout(Stage::Answer, Duration::from_millis(10)));
}

#[tokio::test]
async fn hostile_answers_are_read_and_shown_harmlessly_or_refused_with_a_reason() {
    let Some(shared) = shared() else { return };
    let folder = std::fs::read_dir(shared.join("corpus/hostile")).unwrap();
    let mut read = 0;
    for path in folder.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !(name.contains("_am_") || name.starts_with("v18") || name.starts_with("v19")) {
            continue;
        }
        let body = std::fs::read(&path).unwrap();
        let say = if name.starts_with("v18") {
            Say::Raw(body.clone())
        } else {
            Say::Whole("HTTP/1.1 200 OK".to_owned(), body.clone())
        };
        let server = Server::scripted(vec![say]).await;
        read += 1;
        let Ok(listing) = client(&server).alerts().await else {
            assert!(name.starts_with("v18") || name.starts_with("v19"), "{name} is refused");
            continue;
        };
        assert!(!name.starts_with("v18") && !name.starts_with("v19"), "{name} is no answer");
        assert_eq!(listing.dropped, listing.warnings.len().min(listing.dropped), "{name}: a reason for each");
        assert!(!listing.items.is_empty() || listing.dropped > 0, "{name}: never a silent empty list");
        for (_, value) in listing.items.iter().flat_map(|alert| alert.labels.iter().chain(alert.annotations.iter())) {
            assert!(!value.clean().as_str().chars().any(char::is_control), "{name}");
        }
    }
    assert!(read >= 18, "{read} files");
}

//! The API without a socket, and against captured answers of a real 2.42.

use std::path::PathBuf;

use super::super::metrics::{SCRAPE_MS, label_set};
use super::super::ruler::Rule;
use super::*;
use crate::domain::time::Timestamp;
use crate::sim::metrics::LabelSet;

const NOW: i64 = 1_795_470_000_000;

struct Stage {
    metrics: Metrics,
    ruler: Ruler,
}

impl Stage {
    /// Ten minutes of two targets, one of which is down for the last two.
    fn new() -> Self {
        let mut metrics = Metrics::default();
        let app = metrics.intern(label_set([("__name__", "up"), ("job", "app"), ("instance", "10.0.0.1:80")]));
        let down = metrics.intern(label_set([("__name__", "up"), ("job", "down"), ("instance", "10.0.0.2:80")]));
        let hits = metrics.intern(label_set([("__name__", "http_requests_total"), ("job", "app"), ("code", "200")]));
        let late = metrics.intern(label_set([("__name__", "lat_bucket"), ("job", "down"), ("le", "+Inf")]));
        for index in 0..=40_i64 {
            let at = NOW - (40 - index) * SCRAPE_MS;
            metrics.push(app, at, 1.0);
            metrics.push(hits, at, index as f64 * 150.0);
            let is_down = index > 32;
            metrics.push(down, at, if is_down { 0.0 } else { 1.0 });
            if !is_down {
                metrics.push(late, at, index as f64);
            }
            metrics.end_scrape(at);
        }
        let mut ruler = Ruler::default();
        let rule = ruler.add_rule(Rule {
            group: "app".into(),
            name: "TargetDown".into(),
            expr: "up == 0".into(),
            hold_s: 60,
            labels: label_set([("severity", "warning")]),
            annotations: LabelSet::new(),
        });
        let at = |ms| Timestamp::from_timestamp_millis(ms).unwrap();
        let labels = label_set([("alertname", "TargetDown"), ("job", "down"), ("severity", "warning")]);
        ruler.begin(rule, labels, LabelSet::new(), 0.0, at(NOW - 120_000));
        ruler.run(at(NOW));
        Self { metrics, ruler }
    }

    fn asked(&self, ask: &Ask) -> Reply {
        let base_url = "http://127.0.0.1:9";
        answer(
            &Scene { metrics: &self.metrics, ruler: &self.ruler, now_ms: NOW, since_ms: NOW - 600_000, base_url },
            ask,
        )
    }

    fn get(&self, target: &str) -> (u16, Value) {
        let reply = self.asked(&Ask::new("GET", target));
        (reply.status, reply.value())
    }
}

#[test]
fn queries_are_answered_digit_by_digit() {
    let stage = Stage::new();
    for (target, body) in [
        (
            "/api/v1/query?query=up&time=1795469970.370",
            r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"10.0.0.1:80","job":"app"},"value":[1795469970.370,"1"]},{"metric":{"__name__":"up","instance":"10.0.0.2:80","job":"down"},"value":[1795469970.370,"0"]}]}"#,
        ),
        ("/api/v1/query?query=scalar(vector(1))", r#"{"resultType":"scalar","result":[1795470000,"1"]}"#),
        ("/api/v1/query?query=%22hello%22", r#"{"resultType":"string","result":[1795470000,"hello"]}"#),
        ("/api/v1/query?query=nosuch", r#"{"resultType":"vector","result":[]}"#),
        (
            "/api/v1/query?query=up{job=%22app%22}[30s]",
            r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"10.0.0.1:80","job":"app"},"values":[[1795469970,"1"],[1795469985,"1"],[1795470000,"1"]]}]}"#,
        ),
        (
            "/api/v1/query_range?query=sum(rate(http_requests_total[1m]))&start=1795469960&end=1795469990&step=15s",
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1795469960,"10"],[1795469975,"10"],[1795469990,"10"]]}]}"#,
        ),
        ("/api/v1/query?query=lat_bucket", r#"{"resultType":"vector","result":[]}"#),
    ] {
        let reply = stage.asked(&Ask::new("GET", target));
        assert_eq!(
            String::from_utf8_lossy(&reply.body),
            format!("{{\"status\":\"success\",\"data\":{body}}}"),
            "{target}"
        );
        assert_eq!((reply.status, reply.content_type), (200, Some("application/json")));
    }
}

#[test]
fn forms_are_read_and_json_is_not() {
    let stage = Stage::new();
    let mut form = Ask::new("POST", "/api/v1/query").with_header("content-type", "application/x-www-form-urlencoded");
    form.body = b"query=vector%281%29".to_vec();
    assert_eq!(stage.asked(&form).status, 200);
    let body = json!({"query": "vector(1)"});
    let reply = stage.asked(&Ask::new("POST", "/api/v1/query").with_json(&body));
    assert_eq!(
        (reply.status, reply.value()["error"].as_str()),
        (400, Some("invalid parameter \"query\": 1:1: parse error: no expression found in input"))
    );
}

#[test]
fn errors_have_prometheus_words_and_status() {
    let stage = Stage::new();
    for (target, status, kind, words) in [
        (
            "query?query=up%7B",
            400,
            "bad_data",
            "invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces",
        ),
        (
            "query?query=up&time=x",
            400,
            "bad_data",
            "invalid parameter \"time\": cannot parse \"x\" to a valid timestamp",
        ),
        (
            "query?query=up&timeout=xyz",
            400,
            "bad_data",
            "invalid parameter \"timeout\": cannot parse \"xyz\" to a valid duration",
        ),
        (
            "query?query=up%20%2B%20on()%20up",
            422,
            "execution",
            "found duplicate series for the match group {} on the right hand-side",
        ),
        ("query?query=up&timeout=0s", 503, "timeout", "query timed out in expression evaluation"),
        (
            "query?query=foo(up)",
            400,
            "bad_data",
            "invalid parameter \"query\": 1:1: parse error: unknown function with name \"foo\"",
        ),
        (
            "query_range?query=up&end=1&step=1",
            400,
            "bad_data",
            "invalid parameter \"start\": cannot parse \"\" to a valid timestamp",
        ),
        (
            "query_range?query=up&start=2&end=1&step=1",
            400,
            "bad_data",
            "invalid parameter \"end\": end timestamp must not be before start time",
        ),
        (
            "query_range?query=up&start=1&end=2&step=0",
            400,
            "bad_data",
            "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
        ),
        (
            "query_range?query=up&start=0&end=11001&step=1",
            400,
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ),
        (
            "query_range?query=up[5m]&start=0&end=1&step=1",
            400,
            "bad_data",
            "invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector",
        ),
        ("series", 400, "bad_data", "no match[] parameter provided"),
        ("label/bad-name/values", 400, "bad_data", "invalid label name: \"bad-name\""),
    ] {
        let (found, body) = stage.get(&format!("/api/v1/{target}"));
        assert_eq!(
            (found, body["status"].as_str(), body["errorType"].as_str()),
            (status, Some("error"), Some(kind)),
            "{target}"
        );
        assert!(body["error"].as_str().unwrap().starts_with(words), "{target}: {body}");
    }
    assert_eq!(stage.get("/api/v1/query_range?query=nosuch&start=0&end=11000&step=1").0, 200);
    let reply = stage.asked(&Ask::new("GET", "/api/v1/nosuch"));
    assert_eq!((reply.status, &reply.body[..]), (404, &b"404 page not found\n"[..]));
}

#[test]
fn the_catalog_names_what_there_is() {
    let stage = Stage::new();
    for (target, data) in [
        ("labels?match[]=up", json!(["__name__", "instance", "job"])),
        ("label/job/values", json!(["app", "down"])),
        ("label/job/values?match[]=http_requests_total", json!(["app"])),
        ("label/job/values?start=1795469990&match[]=lat_bucket", json!([])),
        (
            "metadata?metric=http_requests_total",
            json!({"http_requests_total": [{"type": "counter", "help": "Total since the process started.", "unit": ""}]}),
        ),
        (
            "metadata?metric=lat",
            json!({"lat": [{"type": "histogram", "help": "Distribution since the process started.", "unit": ""}]}),
        ),
        ("scrape_pools", json!({"scrapePools": ["app", "down"]})),
        ("format_query?query=sum(up)by(job)", json!("sum by (job) (up)")),
        ("query_exemplars?query=up&start=1&end=2", json!([])),
    ] {
        assert_eq!(
            stage.get(&format!("/api/v1/{target}")),
            (200, json!({"status": "success", "data": data})),
            "{target}"
        );
    }
    assert_eq!(stage.get("/api/v1/series?match[]=up").1["data"].as_array().unwrap().len(), 2);
}

#[test]
fn targets_rules_and_alerts_tell_the_story() {
    let stage = Stage::new();
    let targets = stage.get("/api/v1/targets?state=active").1["data"]["activeTargets"].clone();
    let health: Vec<_> =
        targets.as_array().unwrap().iter().map(|one| one["health"].as_str().unwrap().to_owned()).collect();
    assert_eq!(health, ["up", "down"]);
    assert_eq!(
        targets[1]["lastError"],
        "Get \"http://10.0.0.2:80/metrics\": dial tcp 10.0.0.2:80: connect: connection refused"
    );
    let rule = stage.get("/api/v1/rules?type=alert").1["data"]["groups"][0]["rules"][0].clone();
    assert_eq!(
        (&rule["state"], &rule["query"], &rule["duration"], &rule["type"]),
        (&json!("firing"), &json!("up == 0"), &json!(60), &json!("alerting"))
    );
    let alert = stage.get("/api/v1/alerts").1["data"]["alerts"][0].clone();
    assert_eq!((&alert["state"], &alert["value"]), (&json!("firing"), &json!("0e+00")));
    assert_eq!(stage.get("/api/v1/rules?type=record").1["data"]["groups"][0]["rules"], json!([]));
    assert_eq!(stage.get("/api/v1/rules?type=x").0, 400);
}

/// Every captured answer of a real 2.42 has the keys and types that ours has.
#[test]
fn answers_have_the_shape_of_captured_ones() {
    let shared = std::env::var_os("WARROOM_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(shared.join("specs/fixtures/prometheus-2.42.json")) else {
        println!("shared corpus absent: not run");
        return;
    };
    let captured: Value = serde_json::from_str(&text).unwrap();
    let stage = Stage::new();
    let mut compared = 0;
    for (name, exchange) in captured["exchanges"].as_object().unwrap() {
        let request = &exchange["request"];
        let target = request["url"].as_str().unwrap().trim_start_matches("http://localhost:9090").to_owned();
        if target.contains("queue_depth") || name.contains("timeout_503") || name.ends_with("422_b") {
            continue; // other series, or a machine of another speed
        }
        let mut ask = Ask::new(request["method"].as_str().unwrap(), &target);
        ask.body = request["body"].as_str().unwrap_or_default().as_bytes().to_vec();
        if let Some(kind) = request["headers"]["Content-Type"].as_str() {
            ask = ask.with_header("content-type", kind);
        }
        let reply = stage.asked(&ask);
        assert_eq!(Some(u64::from(reply.status)), exchange["status"].as_u64(), "{name}");
        let kind = exchange["headers"]["Content-Type"].as_str();
        assert_eq!(reply.content_type, kind, "{name}");
        if kind == Some("application/json") {
            let (ours, theirs) = (reply.value(), &exchange["body"]);
            assert_eq!(ours["status"], theirs["status"], "{name}");
            assert_eq!((&ours["errorType"], &ours["error"]), (&theirs["errorType"], &theirs["error"]), "{name}");
            same_shape(&ours["data"], &theirs["data"], name);
        } else {
            assert_eq!(Some(String::from_utf8_lossy(&reply.body).as_ref()), exchange["body"].as_str(), "{name}");
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

/// Where both have something, it is of the same type and has the same fixed keys.
fn same_shape(ours: &Value, theirs: &Value, place: &str) {
    const FREE: &[&str] = &["metric", "labels", "annotations", "discoveredLabels", "data", "flags", "headStats"];
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in theirs {
                let here = format!("{place}.{key}");
                match ours.get(key) {
                    Some(ours) if !FREE.contains(&key.as_str()) => same_shape(ours, value, &here),
                    Some(_) => {}
                    None => assert!(
                        ["flags", "metadata", "lastError"].iter().any(|free| here.contains(free)),
                        "{here} is missing"
                    ),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            // Rules of several kinds stand in one list; ours are alerting ones.
            let alike = theirs.iter().find(|theirs| theirs["type"] != "recording");
            if let (Some(ours), Some(theirs)) = (ours.first(), alike) {
                same_shape(ours, theirs, &format!("{place}[]"));
            }
        }
        (ours, theirs) => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(theirs),
            "{place}: {ours} is not like {theirs}"
        ),
    }
}

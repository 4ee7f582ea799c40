//! Targets, rules, alerts and what the server says of itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::super::http::Reply;
use super::super::metrics::{LOOKBACK_MS, MetricSeries, SCRAPE_MS};
use super::super::promql::QueryError;
use super::super::ruler::{Rule, RuleAlert, RuleState};
use super::params::{Form, invalid};
use super::{Scene, success};

fn instant(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// `/api/v1/targets`: every `up` series is one.
pub(super) fn targets(scene: &Scene<'_>, form: &Form) -> Reply {
    let state = form.get("state");
    let active: Vec<Value> = match state {
        "dropped" => Vec::new(),
        _ => scene.metrics.named("up").filter_map(|series| target(scene, series)).collect(),
    };
    success(&json!({"activeTargets": active, "droppedTargets": []}))
}

fn target(scene: &Scene<'_>, series: &MetricSeries) -> Option<Value> {
    let (at, value) = series.latest(scene.now_ms, LOOKBACK_MS)?;
    let mut labels = series.labels().clone();
    labels.remove("__name__");
    let job = labels.get("job").cloned().unwrap_or_default();
    let instance = labels.get("instance").cloned().unwrap_or_default();
    let address = instance.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let url = format!("http://{address}/metrics");
    let is_up = value > 0.0;
    let error =
        if is_up { String::new() } else { format!("Get \"{url}\": dial tcp {address}: connect: connection refused") };
    Some(json!({
        "discoveredLabels": {
            "__address__": address, "__metrics_path__": "/metrics", "__scheme__": "http",
            "__scrape_interval__": "15s", "__scrape_timeout__": "10s", "job": job,
        },
        "labels": labels,
        "scrapePool": job,
        "scrapeUrl": url,
        "globalUrl": url,
        "lastError": error,
        "lastScrape": instant(at),
        "lastScrapeDuration": 0.004,
        "health": if is_up { "up" } else { "down" },
        "scrapeInterval": "15s",
        "scrapeTimeout": "10s",
    }))
}

/// `/api/v1/scrape_pools`.
pub(super) fn scrape_pools(scene: &Scene<'_>) -> Reply {
    let jobs: BTreeSet<&String> = scene.metrics.named("up").filter_map(|series| series.labels().get("job")).collect();
    success(&json!({"scrapePools": jobs}))
}

/// `/api/v1/rules`.
pub(super) fn rules(scene: &Scene<'_>, form: &Form) -> Result<Reply, QueryError> {
    let wants_alerts = match form.get("type") {
        "" | "alert" => true,
        "record" => false,
        other => return Err(invalid("type", &format!("not supported value \"{other}\""))),
    };
    let evaluated = instant(scene.now_ms.div_euclid(SCRAPE_MS) * SCRAPE_MS);
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (index, rule) in scene.ruler.rules().iter().enumerate() {
        let rules = groups.entry(rule.group.as_str()).or_default();
        if wants_alerts {
            rules.push(alerting(rule, scene.ruler.alerts_of(index).collect(), &evaluated));
        }
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(name, rules)| {
            json!({
                "name": name, "file": "rules.yml", "rules": rules, "interval": SCRAPE_MS / 1000, "limit": 0,
                "evaluationTime": 0.002, "lastEvaluation": evaluated,
            })
        })
        .collect();
    Ok(success(&json!({"groups": groups})))
}

fn alerting(rule: &Rule, active: Vec<&RuleAlert>, evaluated: &str) -> Value {
    let state = match active.iter().map(|alert| alert.state).collect::<Vec<_>>().as_slice() {
        [] => "inactive",
        states if states.contains(&RuleState::Firing) => "firing",
        _ => "pending",
    };
    json!({
        "state": state,
        "name": rule.name,
        "query": rule.expr,
        "duration": rule.hold_s,
        "keepFiringFor": 0,
        "labels": rule.labels,
        "annotations": rule.annotations,
        "alerts": active.into_iter().map(alert).collect::<Vec<_>>(),
        "health": "ok",
        "evaluationTime": 0.0004,
        "lastEvaluation": evaluated,
        "type": "alerting",
    })
}

fn alert(alert: &RuleAlert) -> Value {
    json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": if alert.state == RuleState::Firing { "firing" } else { "pending" },
        "activeAt": alert.active_at.to_rfc3339_opts(SecondsFormat::Nanos, true),
        "value": with_exponent(alert.value),
    })
}

/// Go's `%e` with the shortest digits: `9.09e-02`.
fn with_exponent(value: f64) -> String {
    if !value.is_finite() {
        return super::super::promql::format_float(value);
    }
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

/// `/api/v1/alerts`.
pub(super) fn alerts(scene: &Scene<'_>) -> Reply {
    let alerts: Vec<Value> = scene.ruler.active().map(alert).collect();
    success(&json!({"alerts": alerts}))
}

/// `/api/v1/alertmanagers`.
pub(super) fn alertmanagers(scene: &Scene<'_>) -> Reply {
    let url = |path: &str| json!({"url": format!("{}/{path}/api/v2/alerts", scene.base_url)});
    let active = [url("alertmanager"), url("alertmanager-2")];
    success(&json!({"activeAlertmanagers": active, "droppedAlertmanagers": []}))
}

/// `/api/v1/status/WHAT`.
pub(super) fn status(scene: &Scene<'_>, what: &str) -> Option<Reply> {
    let data = match what {
        "buildinfo" => json!({
            "version": "2.42.0", "revision": "simulated", "branch": "HEAD", "buildUser": "warroom", "buildDate": "20230131-00:00:00",
            "goVersion": "go1.19.5",
        }),
        "runtimeinfo" => json!({
            "startTime": instant(scene.since_ms), "CWD": "/prometheus", "reloadConfigSuccess": true,
            "lastConfigTime": instant(scene.since_ms), "corruptionCount": 0, "goroutineCount": 33, "GOMAXPROCS": 2,
            "GOGC": "", "GODEBUG": "", "storageRetention": "30h",
        }),
        "flags" => json!({"query.lookback-delta": "5m", "query.max-samples": "50000000", "query.timeout": "20s"}),
        "config" => json!({"yaml": "global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n"}),
        "tsdb" => tsdb(scene),
        _ => return None,
    };
    Some(success(&data))
}

fn tsdb(scene: &Scene<'_>) -> Value {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut by_label: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for series in scene.metrics.series() {
        *by_name.entry(series.name()).or_default() += 1;
        for (name, value) in series.labels() {
            by_label.entry(name).or_default().insert(value);
        }
    }
    let top = |counts: Vec<(&str, usize)>| {
        let mut counts = counts;
        counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        counts.into_iter().take(10).map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>()
    };
    let pairs: usize = by_label.values().map(BTreeSet::len).sum();
    let series = scene.metrics.series().len();
    json!({
        "headStats": {
            "numSeries": series, "numLabelPairs": pairs, "chunkCount": series, "minTime": scene.since_ms,
            "maxTime": scene.metrics.last_scrape_ms().unwrap_or(scene.now_ms),
        },
        "seriesCountByMetricName": top(by_name.into_iter().collect()),
        "labelValueCountByLabelName": top(by_label.iter().map(|(name, values)| (*name, values.len())).collect()),
        "memoryInBytesByLabelName": [],
        "seriesCountByLabelValuePair": [],
    })
}

//! Alertmanager's API v2 over the simulated one, in the words of 0.25 and the shape of 0.34 (or of 0.25).
//!
//! [`answer`] is a function from a request to a reply. The whole list of a storm is prepared once and handed out until
//! something changes.

mod alerts;
mod silences;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::{Value, json};

use super::alerting::matcher::Matcher;
use super::alerting::route::{Route, config_original};
use super::alerting::{Shape, millis};
use super::http::{Ask, Reply};
use super::world::World;

/// Prepared answers to the questions that a board asks again and again.
#[derive(Debug, Default)]
pub struct Prepared {
    alerts: Option<(Stamp, Bytes)>,
    groups: Option<(Stamp, Bytes)>,
}

/// What an answer depends on: the version of everything, the minute in which Prometheus last repeated its alerts, and
/// how many silences are active.
type Stamp = (u64, i64, usize);

/// Which of the cluster's two instances answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replica {
    /// `/alertmanager`.
    First,
    /// `/alertmanager-2`.
    Second,
}

/// Answers a request below `/alertmanager`. `events_url` is where its receivers say that they send to.
pub fn answer(world: &mut World, prepared: &mut Prepared, replica: Replica, events_url: &str, ask: &Ask) -> Reply {
    let parts = ask.segments();
    let path: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (ask.method.as_str(), path.as_slice()) {
        ("GET" | "HEAD", ["-", "ready" | "healthy"]) => Reply::text(200, "OK"),
        ("GET" | "HEAD", []) => Reply::text(200, "warroom's simulated Alertmanager has an API and no pages.\n"),
        (_, ["api", "v1", ..]) if world.alerting().shape == Shape::Current => {
            let text = "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the \
                        equivalent route in the v2 API";
            Reply::json(410, &json!({"status": "deprecated", "error": text}))
        }
        ("GET", ["api", "v2", "status"]) => status(world, replica, events_url),
        ("GET", ["api", "v2", "receivers"]) => {
            let named = |name: &String| {
                if is_current(world) { json!({"name": name, "labels": {}}) } else { json!({"name": name}) }
            };
            Reply::json(200, &receivers(world.alerting().tree()).iter().map(named).collect())
        }
        ("GET", ["api", "v2", "alerts"]) => alerts::list(world, prepared, ask),
        ("GET", ["api", "v2", "alerts", "groups"]) => alerts::groups(world, prepared, ask),
        ("POST", ["api", "v2", "alerts"]) => typed(ask).unwrap_or_else(|| alerts::post(world, ask)),
        ("GET", ["api", "v2", "silences"]) => silences::list(world, ask),
        ("POST", ["api", "v2", "silences"]) => typed(ask).unwrap_or_else(|| silences::post(world, ask)),
        ("GET" | "DELETE", ["api", "v2", "silence", id]) => silences::one(world, ask, id),
        (_, ["api", "v2", "status" | "receivers" | "alerts" | "silences", ..] | ["api", "v2", "silence", _]) => {
            let text = format!("method {} is not allowed, but [GET,POST,DELETE] are", ask.method);
            Reply::json(405, &json!({"code": 405, "message": text}))
        }
        _ => {
            let text = format!("path {} was not found", ask.path);
            Reply::json(404, &json!({"code": 404, "message": text}))
        }
    }
}

fn is_current(world: &World) -> bool {
    world.alerting().shape == Shape::Current
}

/// A refusal as a bare JSON string, as Alertmanager's own handlers write it.
fn plain(status: u16, text: &str) -> Reply {
    Reply::json(status, &Value::String(text.to_owned()))
}

/// The framework's refusal of a body that is not JSON by its type.
fn typed(ask: &Ask) -> Option<Reply> {
    let kind = ask.header("content-type").unwrap_or_default();
    if kind.split(';').next() == Some("application/json") {
        return None;
    }
    let text = format!("unsupported media type {kind:?}, only [application/json] are allowed");
    Some(Reply::json(415, &json!({"code": 415, "message": text})))
}

/// The framework's refusal of a body that does not parse.
fn unparsed(what: &str, error: &serde_json::Error) -> Reply {
    let reason = if error.is_eof() { "unexpected EOF".to_owned() } else { error.to_string() };
    Reply::json(
        400,
        &json!({"code": 400, "message": format!("parsing {what} body from \"\" failed, because {reason}")}),
    )
}

/// The `filter` parameters.
fn filters(ask: &Ask) -> Result<Vec<Matcher>, Reply> {
    let texts = ask.query.iter().filter(|(key, _)| key == "filter").map(|(_, text)| Matcher::parse(text));
    texts.collect::<Result<_, _>>().map_err(|text| plain(400, &text))
}

/// A boolean parameter: absent is true, and whatever is not `true` is false.
fn wants(ask: &Ask, name: &str) -> bool {
    ask.param(name).is_none_or(|word| word == "true")
}

fn receivers(tree: &Route) -> Vec<String> {
    fn walk(route: &Route, names: &mut Vec<String>) {
        if !names.contains(&route.receiver) {
            names.push(route.receiver.clone());
        }
        route.routes.iter().for_each(|child| walk(child, names));
    }
    let mut names = Vec::new();
    walk(tree, &mut names);
    names
}

fn status(world: &World, replica: Replica, events_url: &str) -> Reply {
    let services: Vec<&str> = world.pager().company.services.iter().map(|service| service.name).collect();
    let version = if is_current(world) { "0.34.0" } else { "0.25.0" };
    let names = ["01JD0SIMULATED0000000000A1", "01JD0SIMULATED0000000000A2"];
    let own = if replica == Replica::First { 0 } else { 1 };
    let peers: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(at, name)| json!({"name": name, "address": format!("127.0.0.1:{}", 9094 + at)}))
        .collect();
    Reply::json(
        200,
        &json!({
            "cluster": {"name": names.get(own), "status": "ready", "peers": peers},
            "config": {"original": config_original(world.alerting().tree(), &services, events_url)},
            "uptime": millis(world.options().start - chrono::TimeDelta::days(9)),
            "versionInfo": {
                "branch": "HEAD", "buildDate": "20260801-12:00:00", "buildUser": "warroom", "goVersion": "go1.25.1",
                "revision": "simulated", "version": version,
            },
        }),
    )
}

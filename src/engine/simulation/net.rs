//! The network of a simulation: the simulated PagerDuty and a small Alertmanager behind it, and every way in which an
//! exchange with them goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Response as Plain;
use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use reqwest::{Body, Request, Response};
use serde_json::{Value, json};

use super::Trace;
use super::disk::Disk;
use crate::domain::time::Timestamp;
use crate::engine::clock::Clock;
use crate::engine::feeds::lock;
use crate::sim::company::Company;
use crate::sim::dice::Dice;
use crate::sim::http::{Ask, Reply};
use crate::sim::pager::Pager;
use crate::sim::pager::model::{Agent, Event, EventAction};
use crate::sim::pagerduty;
use crate::sources::error::{Fault, Stage};
use crate::sources::http::wire::Wire;
use crate::text::Clean;

/// How an exchange goes wrong.
pub(super) const FAULTS: [&str; 38] = [
    "name has no address",
    "connection refused",
    "connection reset",
    "handshake fails",
    "connect times out",
    "hangs",
    "slow 3 s",
    "slow 20 s",
    "answer lost after the effect",
    "answer hangs after the effect",
    "answer late, after the effect",
    "body cut after the effect",
    "500",
    "500 after the effect",
    "502 page of a proxy",
    "503 with Retry-After",
    "504 after the effect",
    "429 without a hint",
    "429 with seconds",
    "429 with a date",
    "429 with a past date",
    "429 with a negative hint",
    "429 with a huge hint",
    "429 with ratelimit-reset",
    "401",
    "403",
    "404",
    "408",
    "captive portal: 200 HTML",
    "captive portal: redirect",
    "captive portal: 511",
    "empty body",
    "truncated JSON",
    "wrong types",
    "byte order mark",
    "an element nobody understands",
    "an element that became unreadable",
    "an open incident is missing from the list",
];

/// One alert of the Alertmanager.
#[derive(Clone, Debug)]
struct Firing {
    name: String,
    since: Timestamp,
    is_silenced: bool,
}

pub(super) struct World {
    pub(super) pager: Pager,
    firing: BTreeMap<u64, Firing>,
    /// Alerts that ended at least once.
    pub(super) ended: BTreeSet<u64>,
    dice: Dice,
    count: u64,
}

/// Everything outside.
pub(super) struct Net {
    pub(super) world: Mutex<World>,
    chaos: Mutex<Option<(Dice, f64)>>,
    pub(super) trace: Arc<Trace>,
    disk: Arc<Disk>,
    clock: Clock,
}

impl Net {
    pub(super) fn new(seed: u64, rate: f64, clock: Clock, disk: Arc<Disk>, trace: Arc<Trace>) -> Self {
        let now = clock.now();
        let pager = Pager::new(Company::new(now), seed, now);
        let dice = Dice::new(seed, "world");
        let world = World { pager, firing: BTreeMap::new(), ended: BTreeSet::new(), dice, count: 0 };
        let chaos = Mutex::new(Some((Dice::new(seed, "network"), rate)));
        Self { world: Mutex::new(world), chaos, trace, disk, clock }
    }

    pub(super) fn heal(&self) {
        *lock(&self.chaos) = None;
    }

    /// Something happens by itself.
    pub(super) fn happen(&self) {
        let now = self.clock.now();
        let mut world = lock(&self.world);
        world.pager.set_now(now);
        world.pager.run();
        let incidents = world.pager.incidents().len() as i64;
        let kind = world.dice.between(0, 6);
        let which = world.dice.between(0, (incidents - 1).max(0)) as usize;
        let is_open = world.pager.incident(which).is_some_and(crate::sim::pager::model::Incident::is_open);
        let told = match kind {
            0 | 1 => {
                world.count += 1;
                let event = Event {
                    service: (world.count % 3) as usize,
                    action: EventAction::Trigger,
                    key: format!("key-{}", world.count),
                    summary: format!("trouble {}", world.count),
                    source: "sim".into(),
                    severity: "critical".into(),
                    details: Value::Null,
                    payload: Value::Null,
                    client: None,
                    client_url: None,
                    contexts: Vec::new(),
                };
                world.pager.enqueue(event);
                "an incident opens"
            }
            2 if is_open => {
                world.pager.acknowledge(which, Agent::Person(1), "web_ui");
                self.trace.fault("a colleague acknowledges at the same time");
                "a colleague acknowledges"
            }
            3 if is_open => {
                world.pager.resolve(which, Agent::Person(1), "web_ui", None);
                self.trace.fault("an incident leaves the list");
                "a colleague resolves"
            }
            4 | 5 => {
                world.count += 1;
                let (key, is_silenced) = (world.count % 12, world.count % 5 == 0);
                if world.firing.contains_key(&key) {
                    self.trace.fault("an alert changes its face");
                }
                let name = format!("Alert{key}");
                world.firing.insert(key, Firing { name, since: now, is_silenced });
                "an alert fires"
            }
            _ => {
                if let Some(key) = world.firing.keys().next().copied() {
                    world.firing.remove(&key);
                    world.ended.insert(key);
                    self.trace.fault("an alert ends");
                }
                "an alert ends"
            }
        };
        self.trace.note(told);
    }

    /// What changes the world is troubled more often than what only asks, and lists have holes.
    fn draw(&self, ask: &Ask) -> (Duration, Option<&'static str>) {
        let is_change = ask.method != "GET";
        let mut chaos = lock(&self.chaos);
        let Some((dice, rate)) = chaos.as_mut() else { return (Duration::from_millis(7), None) };
        let delay = Duration::from_millis(dice.between(3, 90) as u64);
        let rate = if is_change { (*rate * 3.0).min(0.6) } else { *rate };
        if matches!(ask.path.as_str(), "/incidents" | "/api/v2/alerts") && !is_change && dice.unit() < 0.15 {
            let which = FAULTS[FAULTS.len() - dice.between(1, 2) as usize];
            drop(chaos);
            self.trace.fault(which);
            return (delay, Some(which));
        }
        if dice.unit() >= rate {
            return (delay, None);
        }
        if is_change && dice.unit() < 0.4 {
            let after: Vec<&str> = FAULTS.into_iter().filter(|which| which.contains("after the effect")).collect();
            let which = after[dice.between(0, after.len() as i64 - 1) as usize];
            drop(chaos);
            self.trace.fault(which);
            return (delay, Some(which));
        }
        let which = FAULTS[dice.between(0, FAULTS.len() as i64 - 1) as usize];
        drop(chaos);
        self.trace.fault(which);
        (delay, Some(which))
    }

    fn answer(&self, ask: &Ask, provider: &str) -> Reply {
        let now = self.clock.now();
        let mut world = lock(&self.world);
        world.pager.set_now(now);
        world.pager.run();
        let is_change = ask.method != "GET";
        if is_change && !self.disk.has_sent() {
            self.trace.violation("something left before the journal had it");
        }
        let reply = match provider {
            "pagerduty" => pagerduty::answer(&mut world.pager, ask),
            _ => alertmanager(&world, ask),
        };
        drop(world);
        let body = String::from_utf8_lossy(&ask.body).into_owned();
        self.trace.note(&format!("{provider} {} {} {:?} {body} -> {}", ask.method, ask.path, ask.query, reply.status));
        reply
    }
}

fn alertmanager(world: &World, ask: &Ask) -> Reply {
    match ask.path.as_str() {
        "/api/v2/status" => Reply::json(
            200,
            &json!({
                "cluster": {"name": "a", "status": "ready", "peers": []},
                "config": {"original": "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n"},
                "uptime": "2026-01-01T00:00:00Z",
                "versionInfo": {"version": "0.28.0", "revision": "x", "branch": "x", "buildUser": "x", "buildDate": "x", "goVersion": "x"},
            }),
        ),
        "/api/v2/alerts" => {
            let alert = |(key, firing): (&u64, &Firing)| {
                let silenced = if firing.is_silenced { json!(["s1"]) } else { json!([]) };
                json!({
                    "fingerprint": format!("{key:016x}"),
                    "labels": {"alertname": firing.name, "severity": "critical"},
                    "annotations": {"summary": format!("{} since {}", firing.name, firing.since)},
                    "startsAt": firing.since, "updatedAt": firing.since, "endsAt": firing.since,
                    "generatorURL": "http://prometheus/graph",
                    "receivers": [{"name": "nobody"}],
                    "status": {
                        "state": if firing.is_silenced { "suppressed" } else { "active" },
                        "silencedBy": silenced, "inhibitedBy": [], "mutedBy": [],
                    },
                })
            };
            Reply::json(200, &world.firing.iter().map(alert).collect())
        }
        _ => Reply::json(200, &json!([])),
    }
}

fn ask_of(request: &Request) -> (String, Ask) {
    let path = request.url().path().trim_start_matches('/');
    let (provider, below) = path.split_once('/').unwrap_or((path, ""));
    let target = format!("/{below}?{}", request.url().query().unwrap_or_default());
    let mut ask = Ask::new(request.method().as_str(), &target);
    for (name, value) in request.headers() {
        ask.headers.push((name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()));
    }
    ask.body = request.body().and_then(Body::as_bytes).map(<[u8]>::to_vec).unwrap_or_default();
    (provider.to_owned(), ask)
}

fn response(reply: &Reply, body: Body) -> Response {
    let mut plain = Plain::builder().status(reply.status);
    if let Some(kind) = reply.content_type {
        plain = plain.header("content-type", kind);
    }
    for (name, value) in &reply.headers {
        plain = plain.header(*name, value);
    }
    Response::from(plain.body(body).unwrap())
}

fn whole(reply: &Reply) -> Response {
    response(reply, Body::from(reply.body.clone()))
}

fn html(status: u16) -> Reply {
    let mut reply = Reply::text(status, "<!DOCTYPE html><html><body>Sign in</body></html>");
    reply.content_type = Some("text/html");
    reply
}

fn limited(name: &'static str, value: impl ToString) -> Response {
    whole(&Reply::json(429, &json!({"error": {"message": "slow down", "code": 2020}})).with_header(name, value))
}

async fn long(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// This thread's network.
pub(super) struct Line(pub(super) Arc<Net>);

impl Wire for Line {
    fn carry(&self, request: Request) -> BoxFuture<'static, Result<Response, Fault>> {
        let net = Arc::clone(&self.0);
        Box::pin(async move {
            let (provider, ask) = ask_of(&request);
            let (delay, fault) = net.draw(&ask);
            tokio::time::sleep(delay).await;
            net.trace.note(&format!("network {provider} {} {} {fault:?}", ask.method, ask.path));
            let date = |seconds: i64| {
                (net.clock.now() + TimeDelta::seconds(seconds)).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
            };
            let words = |status: u16| Reply::json(status, &json!({"error": {"message": "no", "code": 2100}}));
            let done = || net.answer(&ask, &provider);
            Ok(match fault.unwrap_or_default() {
                "name has no address" => return Err(Fault::Name(Clean::new("sim"))),
                "connection refused" => return Err(Fault::ConnectionRefused),
                "connection reset" => return Err(Fault::Connect(Clean::new("reset"))),
                "handshake fails" => return Err(Fault::Connect(Clean::new("handshake"))),
                "connect times out" => {
                    long(5).await;
                    return Err(Fault::Timeout(Stage::Connect, Duration::from_secs(5)));
                }
                "hangs" => {
                    long(3600).await;
                    return Err(Fault::Cut(0));
                }
                "slow 3 s" => {
                    long(3).await;
                    whole(&done())
                }
                "slow 20 s" => {
                    long(20).await;
                    whole(&done())
                }
                "answer lost after the effect" => {
                    done();
                    return Err(Fault::Cut(0));
                }
                "answer hangs after the effect" => {
                    done();
                    long(3600).await;
                    return Err(Fault::Cut(0));
                }
                "answer late, after the effect" => {
                    let reply = done();
                    long(12).await;
                    whole(&reply)
                }
                "body cut after the effect" => {
                    let reply = done();
                    let half: Bytes = reply.body.slice(..reply.body.len() / 2);
                    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                    let pieces = [Ok(half), Err(cut)];
                    response(&reply, Body::wrap_stream(futures_util::stream::iter(pieces)))
                }
                "500" => whole(&words(500)),
                "500 after the effect" => {
                    done();
                    whole(&words(500))
                }
                "502 page of a proxy" => whole(&html(502)),
                "503 with Retry-After" => whole(&words(503).with_header("retry-after", 4)),
                "504 after the effect" => {
                    done();
                    whole(&html(504))
                }
                "429 without a hint" => limited("x-none", "1"),
                "429 with seconds" => limited("retry-after", 3),
                "429 with a date" => limited("retry-after", date(5)),
                "429 with a past date" => limited("retry-after", date(-600)),
                "429 with a negative hint" => limited("retry-after", -7),
                "429 with a huge hint" => limited("retry-after", 120),
                "429 with ratelimit-reset" => limited("ratelimit-reset", 6),
                "401" => whole(&words(401)),
                "403" => whole(&words(403)),
                "404" => whole(&words(404)),
                "408" => whole(&words(408)),
                "captive portal: 200 HTML" => whole(&html(200)),
                "captive portal: redirect" => {
                    whole(&Reply::empty(302).with_header("location", "http://portal.example/"))
                }
                "captive portal: 511" => whole(&html(511)),
                "empty body" if ask.method == "GET" => response(&done(), Body::from("")),
                "truncated JSON" if ask.method == "GET" => {
                    let reply = done();
                    response(&reply, Body::from(reply.body.slice(..reply.body.len() * 2 / 3)))
                }
                "wrong types" if ask.method == "GET" => whole(&Reply::json(200, &json!({"incidents": 7, "x": [1]}))),
                "byte order mark" if ask.method == "GET" => {
                    let reply = done();
                    let mut body = b"\xef\xbb\xbf".to_vec();
                    body.extend_from_slice(&reply.body);
                    response(&reply, Body::from(body))
                }
                "an element nobody understands" if ask.method == "GET" => {
                    let mut reply = done();
                    let mut value = reply.value();
                    if let Some(list) = value.as_array_mut() {
                        list.push(json!({"fingerprint": "x", "labels": null}));
                    } else if let Some(Value::Array(list)) = value.get_mut("incidents") {
                        list.push(json!({"id": 7}));
                    }
                    reply.body = value.to_string().into();
                    whole(&reply)
                }
                "an element that became unreadable" if ask.method == "GET" => {
                    let mut reply = done();
                    let mut value = reply.value();
                    let list = if value.is_array() { Some(&mut value) } else { value.get_mut("incidents") };
                    if let Some(first) = list.and_then(|list| list.get_mut(0)).and_then(Value::as_object_mut) {
                        first.retain(|name, _| name != "fingerprint" && name != "id");
                    }
                    reply.body = value.to_string().into();
                    whole(&reply)
                }
                "an open incident is missing from the list" if ask.method == "GET" => {
                    let mut reply = done();
                    let mut value = reply.value();
                    if let Some(Value::Array(list)) = value.get_mut("incidents") {
                        list.pop();
                    }
                    reply.body = value.to_string().into();
                    whole(&reply)
                }
                _ => whole(&done()),
            })
        })
    }
}

//! The machines and services of the company as their exporters see them: turns what the stories do to them into
//! samples, one scrape at a time.
//!
//! Metrics: `up`, `http_requests_total{code}`, `http_request_duration_seconds_{bucket,sum,count}`, `process_*`, `kube_*`,
//! `app_version_info`, `checkout_orders_total`, `payments_authorizations_total{provider,result}`, `queue_*`, `node_*`, `pg_*`,
//! `probe_*`, `edge_requests_total{region,code}`, `ALERTS`, `ALERTS_FOR_STATE`.

mod points;

use std::collections::BTreeMap;

use super::dice::noise;
use super::metrics::{Metrics, SCRAPE_MS, SeriesId, label_set};
use super::ruler::{RuleState, Ruler};
use points::{Point, What, all_points};

/// What a story can do to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// Requests a second, relative change: 0.5 = half as many more, -1 = none.
    Rate,
    /// Share of requests that fail, added.
    Errors,
    /// Latency, relative change: 4 = five times as slow.
    Latency,
    /// CPU use as a share of what there is, added.
    Cpu,
    /// Memory use as a share of what there is, added.
    Memory,
    /// Container restarts a minute.
    Restarts,
    /// Share of instances that are down.
    Down,
    /// Database connections, added.
    Connections,
    /// Replication lag, seconds added.
    Lag,
    /// Share of the file system that is used, added.
    Disk,
    /// Messages waiting, added.
    Queue,
    /// Instant at which the certificate expires, seconds since 1970, instead of the usual one.
    CertExpiry,
    /// 1 = the second database instance is the primary.
    Failover,
}

/// What the stories do at one instant.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    amounts: BTreeMap<(String, Knob), f64>,
}

impl Conditions {
    /// Adds to a knob.
    pub fn add(&mut self, target: &str, knob: Knob, amount: f64) {
        *self.amounts.entry((target.to_owned(), knob)).or_default() += amount;
    }

    /// How far a knob is turned; 0 when nobody touched it.
    pub fn get(&self, target: &str, knob: Knob) -> f64 {
        if self.amounts.is_empty() {
            return 0.0;
        }
        self.amounts.get(&(target.to_owned(), knob)).copied().unwrap_or_default()
    }

    fn touched(&self, target: &str, knob: Knob) -> Option<f64> {
        self.amounts.get(&(target.to_owned(), knob)).copied()
    }
}

/// How a service does at one instant.
#[derive(Clone, Copy, Debug, Default)]
struct Health {
    rps: f64,
    errors: f64,
    latency_s: f64,
    cpu: f64,
    memory: f64,
    restarts_per_min: f64,
    down: f64,
}

/// A service as its exporters see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// The service.
    pub name: &'static str,
    /// Instances.
    pub instances: usize,
    /// Requests a second over all instances at an average hour.
    pub rps: f64,
    /// Share of requests that fail on a good day.
    pub errors: f64,
    /// Median latency in seconds.
    pub latency_s: f64,
    /// Version on a good day.
    pub version: &'static str,
}

const fn workload(
    name: &'static str,
    instances: usize,
    rps: f64,
    errors: f64,
    latency_s: f64,
    version: &'static str,
) -> Workload {
    Workload { name, instances, rps, errors, latency_s, version }
}

pub(crate) const WORKLOADS: [Workload; 11] = [
    workload("checkout", 3, 180.0, 0.002, 0.085, "v2026.11.3"),
    workload("payments", 3, 95.0, 0.003, 0.140, "v4.18.0"),
    workload("search", 3, 420.0, 0.001, 0.048, "v1.92.4"),
    workload("catalog", 3, 640.0, 0.001, 0.022, "v3.40.1"),
    workload("auth", 2, 210.0, 0.001, 0.031, "v2.7.9"),
    workload("edge", 3, 1500.0, 0.002, 0.012, "v0.61.0"),
    workload("inventory", 2, 130.0, 0.002, 0.040, "v5.2.2"),
    workload("notifications", 2, 60.0, 0.004, 0.210, "v1.14.0"),
    workload("recommendations", 2, 240.0, 0.003, 0.095, "v0.33.7"),
    workload("shipping", 2, 45.0, 0.003, 0.180, "v2.0.11"),
    workload("ledger", 2, 30.0, 0.001, 0.120, "v1.8.3"),
];
/// Regions with their share of the traffic.
pub(crate) const REGIONS: [(&str, f64); 3] = [("eu-west-1", 0.55), ("us-east-1", 0.30), ("ap-south-1", 0.15)];
/// Nodes and their regions.
pub(crate) const NODES: [(&str, &str); 8] = [
    ("node-a1", "eu-west-1"),
    ("node-a2", "eu-west-1"),
    ("node-a3", "eu-west-1"),
    ("node-a4", "eu-west-1"),
    ("node-b1", "us-east-1"),
    ("node-b2", "us-east-1"),
    ("node-c1", "ap-south-1"),
    ("node-c2", "ap-south-1"),
];
/// Hosts that are probed from outside.
pub(crate) const HOSTS: [&str; 5] = [
    "www.meridian.example",
    "api.meridian.example",
    "pay.meridian.example",
    "img.meridian.example",
    "id.meridian.example",
];
/// Queues.
pub(crate) const QUEUES: [&str; 3] = ["order-confirmations", "shipping-labels", "settlement"];

/// Bytes of a node's memory and of a container's limit.
const NODE_BYTES: f64 = 34_359_738_368.0;
const CONTAINER_BYTES: f64 = 1_073_741_824.0;
const DISK_BYTES: f64 = 214_748_364_800.0;
/// Alerts beyond this many have no `ALERTS` series: a storm must not fill the memory.
const ALERT_SERIES: usize = 300;

/// The exporters.
#[derive(Debug)]
pub struct Plant {
    points: Vec<Point>,
    versions: BTreeMap<String, (String, SeriesId)>,
}

impl Plant {
    /// Exporters of the whole company, with their series in `metrics`.
    pub fn new(metrics: &mut Metrics) -> Self {
        let mut plant = Self { points: all_points(metrics), versions: BTreeMap::new() };
        for load in &WORKLOADS {
            plant.deploy(metrics, load.name, load.version);
        }
        plant
    }

    /// Another version of a service runs from now on.
    pub fn deploy(&mut self, metrics: &mut Metrics, service: &str, version: &str) {
        let labels = label_set([
            ("__name__", "app_version_info"),
            ("namespace", "shop"),
            ("service", service),
            ("job", service),
            ("version", version),
        ]);
        let id = metrics.intern(labels);
        self.versions.insert(service.to_owned(), (version.to_owned(), id));
    }

    /// The version of a service that runs.
    pub fn version(&self, service: &str) -> Option<&str> {
        self.versions.get(service).map(|(version, _)| version.as_str())
    }

    /// One scrape of everything.
    pub fn scrape(&mut self, metrics: &mut Metrics, ruler: &Ruler, conditions: &Conditions, at_ms: i64) {
        let health: Vec<Health> = WORKLOADS.iter().map(|load| health(load, conditions, at_ms)).collect();
        for point in &mut self.points {
            let moment = Moment { conditions, health: &health, at_ms };
            if let Some(value) = moment.sample(point) {
                metrics.push(point.id, at_ms, value);
            }
        }
        for (_, id) in self.versions.values() {
            metrics.push(*id, at_ms, 1.0);
        }
        for alert in ruler.active().take(ALERT_SERIES) {
            let mut labels = alert.labels.clone();
            labels.insert("__name__".into(), "ALERTS_FOR_STATE".into());
            let id = metrics.intern(labels.clone());
            metrics.push(id, at_ms, alert.active_at.timestamp() as f64);
            let state = if alert.state == RuleState::Firing { "firing" } else { "pending" };
            labels.insert("__name__".into(), "ALERTS".into());
            labels.insert("alertstate".into(), state.into());
            let id = metrics.intern(labels);
            metrics.push(id, at_ms, 1.0);
        }
        metrics.end_scrape(at_ms);
    }
}

/// Traffic over the day: least at 04:00 UTC, most at 16:00.
fn season(at_ms: i64) -> f64 {
    let day = (at_ms.rem_euclid(86_400_000)) as f64 / 86_400_000.0;
    1.0 - 0.35 * (std::f64::consts::TAU * (day - 1.0 / 6.0)).cos()
}

/// Around 1, by at most `by`; changes slowly enough to look like a measurement.
fn wobble(salt: u64, at_ms: i64, by: f64) -> f64 {
    let step = at_ms.div_euclid(SCRAPE_MS);
    let slow = noise(salt, step.div_euclid(12)) * (1.0 - (step.rem_euclid(12) as f64 / 12.0))
        + noise(salt, step.div_euclid(12) + 1) * (step.rem_euclid(12) as f64 / 12.0);
    1.0 + by * (2.0 * (0.6 * slow + 0.4 * noise(salt ^ 0x5bd1, step)) - 1.0)
}

fn health(load: &Workload, conditions: &Conditions, at_ms: i64) -> Health {
    let knob = |knob| conditions.get(load.name, knob);
    let salt = load.name.bytes().fold(7_u64, |salt, byte| salt.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let rate = (1.0 + knob(Knob::Rate)).max(0.0) * season(at_ms) * wobble(salt, at_ms, 0.05);
    let latency = (1.0 + knob(Knob::Latency)).max(0.1) * wobble(salt ^ 2, at_ms, 0.08);
    Health {
        rps: load.rps * rate,
        errors: (load.errors * wobble(salt ^ 1, at_ms, 0.4) + knob(Knob::Errors)).clamp(0.0, 1.0),
        latency_s: load.latency_s * latency,
        cpu: (0.22 * rate + knob(Knob::Cpu)).clamp(0.01, 1.0) * wobble(salt ^ 3, at_ms, 0.05),
        memory: (0.42 + knob(Knob::Memory)).clamp(0.05, 0.99) * wobble(salt ^ 4, at_ms, 0.015),
        restarts_per_min: knob(Knob::Restarts).max(0.0),
        down: knob(Knob::Down).clamp(0.0, 1.0),
    }
}

/// What is needed to answer for a point.
struct Moment<'a> {
    conditions: &'a Conditions,
    health: &'a [Health],
    at_ms: i64,
}

impl Moment<'_> {
    /// The sample of a point; none when its target is down.
    fn sample(&self, point: &mut Point) -> Option<f64> {
        let value = self.value(point)?;
        if point.is_counter {
            point.total += value.max(0.0) * (SCRAPE_MS as f64 / 1000.0);
            return Some(point.total);
        }
        Some(value)
    }

    /// A gauge's value, or a counter's increase a second.
    fn value(&self, point: &Point) -> Option<f64> {
        match &point.what {
            What::Service { index, instance, part } => self.service(*index, *instance, part, point.salt),
            What::Node { index, part } => self.node(*index, part, point.salt),
            What::Database { instance, part } => self.database(*instance, part, point.salt),
            What::Probe { host, part } => self.probe(host, part, point.salt),
            What::Queue { name } => {
                Some((12.0 * self.wobble(point.salt, 0.8) + self.conditions.get(name, Knob::Queue)).max(0.0).round())
            }
            What::Edge { region, share, failed } => {
                let edge = self.health.get(5).copied().unwrap_or_default();
                let down = self.conditions.get(region, Knob::Down).clamp(0.0, 1.0);
                let errors = (edge.errors + self.conditions.get(region, Knob::Errors)).clamp(0.0, 1.0);
                let rps = edge.rps * share * (1.0 - down) * self.wobble(point.salt, 0.03);
                Some(rps * if *failed { errors } else { 1.0 - errors })
            }
            What::Constant(value) => Some(*value),
        }
    }

    fn wobble(&self, salt: u64, by: f64) -> f64 {
        wobble(salt, self.at_ms, by)
    }
}

//! The list of series that the exporters offer, and what each of them measures.

use super::super::metrics::{Metrics, SeriesId, label_set};
use super::{CONTAINER_BYTES, DISK_BYTES, HOSTS, Health, Knob, Moment, NODE_BYTES, NODES, QUEUES, REGIONS, WORKLOADS};

/// One series and its running total.
#[derive(Debug)]
pub(super) struct Point {
    pub id: SeriesId,
    pub what: What,
    pub salt: u64,
    pub is_counter: bool,
    pub total: f64,
}

#[derive(Debug)]
pub(super) enum What {
    Service { index: usize, instance: usize, part: ServicePart },
    Node { index: usize, part: NodePart },
    Database { instance: usize, part: DatabasePart },
    Probe { host: &'static str, part: ProbePart },
    Queue { name: &'static str },
    Edge { region: &'static str, share: f64, failed: bool },
    Constant(f64),
}

#[derive(Debug)]
pub(super) enum ServicePart {
    Up,
    /// Requests answered with a class of codes: share of the failed or of the good ones.
    Requests {
        failed: bool,
        share: f64,
    },
    Bucket(f64),
    Sum,
    Count,
    Cpu,
    Memory,
    Restarts,
    Available,
    Orders,
    Authorised {
        failed: bool,
        share: f64,
    },
}

#[derive(Debug)]
pub(super) enum NodePart {
    Up,
    /// Share of the CPU time in a mode when the node is `used` busy: fixed part and part that follows the use.
    Mode {
        fixed: f64,
        of_used: f64,
    },
    Available,
    Load,
    DiskAvailable,
    Received,
    Sent,
    Ready,
}

#[derive(Debug)]
pub(super) enum DatabasePart {
    Up,
    Connections { share: f64 },
    Lag,
    IsReplica,
    Commits,
    Rollbacks,
}

#[derive(Debug)]
pub(super) enum ProbePart {
    Success,
    Expiry,
    Duration,
    StatusCode,
}

const BUCKETS: [(&str, f64); 11] = [
    ("0.005", 0.005),
    ("0.01", 0.01),
    ("0.025", 0.025),
    ("0.05", 0.05),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("1", 1.0),
    ("2.5", 2.5),
    ("5", 5.0),
    ("+Inf", f64::INFINITY),
];

struct Builder<'a> {
    metrics: &'a mut Metrics,
    points: Vec<Point>,
}

impl Builder<'_> {
    fn add(&mut self, name: &str, is_counter: bool, labels: &[(&str, &str)], what: What) {
        let mut set = label_set(labels.iter().copied());
        set.insert("__name__".to_owned(), name.to_owned());
        let salt = set.iter().flat_map(|(name, value)| name.bytes().chain(value.bytes()));
        let salt = salt.fold(17_u64, |salt, byte| salt.wrapping_mul(131).wrapping_add(u64::from(byte)));
        let id = self.metrics.intern(set);
        // A process that has run for a while: its counters do not begin at nothing.
        let total = if is_counter { (salt % 90_000) as f64 } else { 0.0 };
        self.points.push(Point { id, what, salt, is_counter, total });
    }

    fn service(&mut self, index: usize) {
        let Some(load) = WORKLOADS.get(index) else { return };
        let name = load.name;
        for instance in 0..load.instances {
            let address = format!("10.4.{}.{}:8080", index + 10, instance + 11);
            let pod = format!(
                "{name}-{}-{}",
                &super::super::dice::hex_digest(name, 9),
                ["x7k2p", "m4q9d", "t8w5z"].get(instance).unwrap_or(&"r3h6v")
            );
            let base = [
                ("namespace", "shop"),
                ("job", name),
                ("service", name),
                ("instance", address.as_str()),
                ("pod", pod.as_str()),
            ];
            let with = |extra: &[(&'static str, &'static str)]| {
                base.iter().copied().chain(extra.iter().copied()).collect::<Vec<_>>()
            };
            let what = |part| What::Service { index, instance, part };
            self.add("up", false, &base, what(ServicePart::Up));
            for (code, failed, share) in
                [("200", false, 0.93), ("404", false, 0.07), ("500", true, 0.7), ("503", true, 0.3)]
            {
                let labels = with(&[("code", code), ("method", "GET")]);
                self.add("http_requests_total", true, &labels, what(ServicePart::Requests { failed, share }));
            }
            for (text, le) in BUCKETS {
                self.add(
                    "http_request_duration_seconds_bucket",
                    true,
                    &with(&[("le", text)]),
                    what(ServicePart::Bucket(le)),
                );
            }
            self.add("http_request_duration_seconds_sum", true, &base, what(ServicePart::Sum));
            self.add("http_request_duration_seconds_count", true, &base, what(ServicePart::Count));
            self.add("process_cpu_seconds_total", true, &base, what(ServicePart::Cpu));
            self.add("process_resident_memory_bytes", false, &base, what(ServicePart::Memory));
            let kube =
                [("namespace", "shop"), ("job", "kube-state-metrics"), ("pod", pod.as_str()), ("container", name)];
            self.add("kube_pod_container_status_restarts_total", true, &kube, what(ServicePart::Restarts));
            self.add("kube_pod_container_resource_limits_memory_bytes", false, &kube, What::Constant(CONTAINER_BYTES));
        }
        let kube = [("namespace", "shop"), ("job", "kube-state-metrics"), ("deployment", name)];
        let wanted = load.instances as f64;
        self.add("kube_deployment_spec_replicas", false, &kube, What::Constant(wanted));
        let available = What::Service { index, instance: 0, part: ServicePart::Available };
        self.add("kube_deployment_status_replicas_available", false, &kube, available);
    }

    fn business(&mut self) {
        let orders = What::Service { index: 0, instance: 0, part: ServicePart::Orders };
        self.add(
            "checkout_orders_total",
            true,
            &[("namespace", "shop"), ("job", "checkout"), ("service", "checkout")],
            orders,
        );
        for (provider, share) in [("stripe", 0.7), ("adyen", 0.3)] {
            for (result, failed) in [("approved", false), ("declined", true)] {
                let labels = [
                    ("namespace", "shop"),
                    ("job", "payments"),
                    ("service", "payments"),
                    ("provider", provider),
                    ("result", result),
                ];
                let what = What::Service { index: 1, instance: 0, part: ServicePart::Authorised { failed, share } };
                self.add("payments_authorizations_total", true, &labels, what);
            }
        }
        for name in QUEUES {
            let labels = [("namespace", "shop"), ("job", "rabbitmq"), ("queue", name)];
            self.add("queue_messages_ready", false, &labels, What::Queue { name });
        }
        for (region, share) in REGIONS {
            for (code, failed) in [("2xx", false), ("5xx", true)] {
                let labels = [("job", "edge"), ("service", "edge"), ("region", region), ("code", code)];
                self.add("edge_requests_total", true, &labels, What::Edge { region, share, failed });
            }
        }
    }

    fn node(&mut self, index: usize) {
        let Some((node, region)) = NODES.get(index).copied() else { return };
        let instance = format!("{node}.{region}:9100");
        let base = [("job", "node"), ("instance", instance.as_str()), ("node", node), ("region", region)];
        let what = |part| What::Node { index, part };
        self.add("up", false, &base, what(NodePart::Up));
        for cpu in ["0", "1"] {
            for (mode, fixed, of_used) in
                [("user", 0.0, 0.78), ("system", 0.0, 0.17), ("iowait", 0.0, 0.05), ("idle", 1.0, -1.0)]
            {
                let labels: Vec<_> = base.iter().copied().chain([("cpu", cpu), ("mode", mode)]).collect();
                self.add("node_cpu_seconds_total", true, &labels, what(NodePart::Mode { fixed, of_used }));
            }
        }
        self.add("node_memory_MemTotal_bytes", false, &base, What::Constant(NODE_BYTES));
        self.add("node_memory_MemAvailable_bytes", false, &base, what(NodePart::Available));
        self.add("node_load1", false, &base, what(NodePart::Load));
        let disk: Vec<_> = base
            .iter()
            .copied()
            .chain([("device", "/dev/nvme0n1p1"), ("fstype", "ext4"), ("mountpoint", "/")])
            .collect();
        self.add("node_filesystem_size_bytes", false, &disk, What::Constant(DISK_BYTES));
        self.add("node_filesystem_avail_bytes", false, &disk, what(NodePart::DiskAvailable));
        let net: Vec<_> = base.iter().copied().chain([("device", "eth0")]).collect();
        self.add("node_network_receive_bytes_total", true, &net, what(NodePart::Received));
        self.add("node_network_transmit_bytes_total", true, &net, what(NodePart::Sent));
        let kube = [("job", "kube-state-metrics"), ("node", node), ("condition", "Ready"), ("status", "true")];
        self.add("kube_node_status_condition", false, &kube, what(NodePart::Ready));
    }

    fn database(&mut self, instance: usize) {
        let name = format!("orders-db-{instance}");
        let base =
            [("job", "postgres"), ("service", "orders-db"), ("cluster", "orders-db"), ("instance", name.as_str())];
        let what = |part| What::Database { instance, part };
        self.add("up", false, &base, what(DatabasePart::Up));
        self.add("pg_up", false, &base, what(DatabasePart::Up));
        self.add("pg_settings_max_connections", false, &base, What::Constant(400.0));
        for (state, share) in [("active", 0.3), ("idle", 0.6), ("idle in transaction", 0.1)] {
            let labels: Vec<_> = base.iter().copied().chain([("datname", "orders"), ("state", state)]).collect();
            self.add("pg_stat_activity_count", false, &labels, what(DatabasePart::Connections { share }));
        }
        self.add("pg_replication_lag_seconds", false, &base, what(DatabasePart::Lag));
        self.add("pg_replication_is_replica", false, &base, what(DatabasePart::IsReplica));
        let db: Vec<_> = base.iter().copied().chain([("datname", "orders")]).collect();
        self.add("pg_stat_database_xact_commit_total", true, &db, what(DatabasePart::Commits));
        self.add("pg_stat_database_xact_rollback_total", true, &db, what(DatabasePart::Rollbacks));
    }

    fn probe(&mut self, host: &'static str) {
        let target = format!("https://{host}/");
        let base = [("job", "blackbox"), ("instance", target.as_str())];
        let what = |part| What::Probe { host, part };
        self.add("probe_success", false, &base, what(ProbePart::Success));
        self.add("probe_ssl_earliest_cert_expiry", false, &base, what(ProbePart::Expiry));
        self.add("probe_duration_seconds", false, &base, what(ProbePart::Duration));
        self.add("probe_http_status_code", false, &base, what(ProbePart::StatusCode));
    }
}

/// Every point of the company.
pub(super) fn all_points(metrics: &mut Metrics) -> Vec<Point> {
    let mut builder = Builder { metrics, points: Vec::new() };
    (0..WORKLOADS.len()).for_each(|index| builder.service(index));
    builder.business();
    (0..NODES.len()).for_each(|index| builder.node(index));
    (0..3).for_each(|instance| builder.database(instance));
    HOSTS.iter().for_each(|host| builder.probe(host));
    builder.add("up", false, &[("job", "prometheus"), ("instance", "localhost:9090")], What::Constant(1.0));
    builder.points
}

/// Share of a log-normal distribution below `le`.
fn below(le: f64, median: f64) -> f64 {
    if le.is_infinite() {
        return 1.0;
    }
    1.0 / (1.0 + (-1.702 * (le / median).ln() / 0.75).exp())
}

impl Moment<'_> {
    pub(super) fn service(&self, index: usize, instance: usize, part: &ServicePart, salt: u64) -> Option<f64> {
        let Health { rps, errors, latency_s, cpu, memory, restarts_per_min, down } = *self.health.get(index)?;
        let instances = WORKLOADS.get(index)?.instances as f64;
        let dead = (down * instances).round();
        let is_dead = (instance as f64) < dead;
        let alive = (instances - dead).max(1.0);
        let share = rps / alive;
        match part {
            ServicePart::Up => Some(if is_dead { 0.0 } else { 1.0 }),
            ServicePart::Available => Some(instances - dead),
            ServicePart::Restarts => Some(restarts_per_min / 60.0),
            ServicePart::Orders => Some(rps * 0.045 * (1.0 - errors).powi(2)),
            ServicePart::Authorised { failed, share } => {
                let declined = (0.04 + errors).min(1.0);
                Some(rps * 0.4 * share * if *failed { declined } else { 1.0 - declined })
            }
            _ if is_dead => None,
            ServicePart::Requests { failed, share: part } => {
                Some(share * part * if *failed { errors } else { 1.0 - errors } * self.wobble(salt, 0.02))
            }
            ServicePart::Bucket(le) => Some(share * below(*le, latency_s)),
            ServicePart::Count => Some(share),
            ServicePart::Sum => Some(share * latency_s * 1.33),
            ServicePart::Cpu => Some(cpu * self.wobble(salt, 0.06)),
            ServicePart::Memory => Some(memory * CONTAINER_BYTES * self.wobble(salt, 0.01)),
        }
    }

    pub(super) fn node(&self, index: usize, part: &NodePart, salt: u64) -> Option<f64> {
        let (node, region) = *NODES.get(index)?;
        let knob = |knob| self.conditions.get(node, knob) + self.conditions.get(region, knob);
        let is_down = knob(Knob::Down) >= 0.5;
        let used = (0.28 * super::season(self.at_ms) * self.wobble(977 + index as u64 * 131, 0.12) + knob(Knob::Cpu))
            .clamp(0.01, 0.99);
        match part {
            NodePart::Up | NodePart::Ready => Some(if is_down { 0.0 } else { 1.0 }),
            _ if is_down => None,
            NodePart::Mode { fixed, of_used } => Some((fixed + of_used * used).max(0.0)),
            NodePart::Available => {
                Some(NODE_BYTES * (0.46 * self.wobble(salt, 0.02) - knob(Knob::Memory)).clamp(0.01, 1.0))
            }
            NodePart::Load => Some(2.0 * used * self.wobble(salt, 0.15) * if used > 0.9 { 3.5 } else { 1.0 }),
            NodePart::DiskAvailable => {
                Some(DISK_BYTES * (0.38 * self.wobble(salt, 0.004) - knob(Knob::Disk)).clamp(0.0, 1.0))
            }
            NodePart::Received => Some(9.4e6 * super::season(self.at_ms) * self.wobble(salt, 0.1)),
            NodePart::Sent => Some(1.2e7 * super::season(self.at_ms) * self.wobble(salt, 0.1)),
        }
    }

    pub(super) fn database(&self, instance: usize, part: &DatabasePart, salt: u64) -> Option<f64> {
        let knob = |knob| self.conditions.get("orders-db", knob);
        let primary = usize::from(knob(Knob::Failover) >= 0.5);
        let is_primary = instance == primary;
        let is_down = instance == 0 && knob(Knob::Down) >= 0.5;
        match part {
            DatabasePart::Up => Some(if is_down { 0.0 } else { 1.0 }),
            _ if is_down => None,
            DatabasePart::Connections { share } => {
                let base = if is_primary { 140.0 } else { 45.0 };
                let extra = if is_primary { knob(Knob::Connections) } else { 0.0 };
                Some(((base * self.wobble(salt, 0.12) + extra).min(400.0) * share).round())
            }
            DatabasePart::Lag if is_primary => Some(0.0),
            DatabasePart::Lag => Some((0.25 * self.wobble(salt, 0.6) + knob(Knob::Lag)).max(0.0)),
            DatabasePart::IsReplica => Some(if is_primary { 0.0 } else { 1.0 }),
            DatabasePart::Commits if !is_primary => Some(0.0),
            DatabasePart::Commits => {
                Some(310.0 * super::season(self.at_ms) * (1.0 - knob(Knob::Errors)).max(0.0) * self.wobble(salt, 0.04))
            }
            DatabasePart::Rollbacks if !is_primary => Some(0.0),
            DatabasePart::Rollbacks => Some(0.8 + 120.0 * knob(Knob::Errors).clamp(0.0, 1.0)),
        }
    }

    pub(super) fn probe(&self, host: &str, part: &ProbePart, salt: u64) -> Option<f64> {
        let expiry = self.conditions.touched(host, Knob::CertExpiry);
        let is_expired = expiry.is_some_and(|expiry| expiry * 1000.0 <= self.at_ms as f64);
        let down = self.conditions.get(host, Knob::Down) >= 0.5 || is_expired;
        match part {
            ProbePart::Success => Some(if down { 0.0 } else { 1.0 }),
            // Renewed every 30 days for 75: a fixed instant that does not creep with the scrape.
            ProbePart::Expiry => {
                const MONTH_MS: i64 = 30 * 86_400_000;
                let usual = (self.at_ms.div_euclid(MONTH_MS) * MONTH_MS / 1000 + 75 * 86_400) as f64;
                Some(expiry.unwrap_or(usual))
            }
            ProbePart::Duration => Some(0.11 * self.wobble(salt, 0.25)),
            ProbePart::StatusCode => Some(if down { 0.0 } else { 200.0 }),
        }
    }
}

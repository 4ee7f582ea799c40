//! The routing tree of the simulated Alertmanager, as a tree, as the YAML of `config.original`, and as group keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::matcher::{Matcher, matchers_text};
use crate::sim::dice::hex_digest;
use crate::sim::metrics::LabelSet;

/// Seconds a new group waits.
pub const GROUP_WAIT_S: i64 = 10;
/// Seconds between notifications of a group that changes.
pub const GROUP_INTERVAL_S: i64 = 60;
/// Seconds after which an unchanged group is told again.
pub const REPEAT_INTERVAL_S: i64 = 4 * 3600;

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// What an alert must match.
    pub matchers: Vec<Matcher>,
    /// Who is told.
    pub receiver: String,
    /// By which labels alerts are grouped.
    pub group_by: Vec<String>,
    /// Children, tried first.
    pub routes: Vec<Route>,
    /// Whether the next sibling is tried too.
    pub is_continued: bool,
}

/// Where an alert goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// Matchers of the routes on the way, joined.
    pub route_key: String,
    /// Who is told.
    pub receiver: String,
    /// Labels of the group.
    pub group_labels: BTreeMap<String, String>,
}

impl Destination {
    /// Alertmanager's group key.
    pub fn group_key(&self) -> String {
        let labels: Vec<String> = self.group_labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{}:{{{}}}", self.route_key, labels.join(", "))
    }

    /// The `dedup_key` of its PagerDuty events.
    pub fn dedup_key(&self) -> String {
        hex_digest(&self.group_key(), 64)
    }
}

impl Route {
    /// Where an alert with these labels goes, in order.
    pub fn destinations(&self, labels: &LabelSet) -> Vec<Destination> {
        let mut found = Vec::new();
        self.walk(labels, "", &mut found);
        found
    }

    fn walk(&self, labels: &LabelSet, above: &str, found: &mut Vec<Destination>) -> bool {
        if !self.matchers.iter().all(|matcher| matcher.matches(labels)) {
            return false;
        }
        let own = matchers_text(&self.matchers);
        let route_key = if above.is_empty() { own } else { format!("{above}/{own}") };
        let before = found.len();
        for child in &self.routes {
            if child.walk(labels, &route_key, found) && !child.is_continued {
                break;
            }
        }
        if found.len() == before {
            let kept =
                self.group_by.iter().filter_map(|name| labels.get(name).map(|value| (name.clone(), value.clone())));
            found.push(Destination { route_key, receiver: self.receiver.clone(), group_labels: kept.collect() });
        }
        true
    }

    fn yaml(&self, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        let _ = writeln!(out, "{pad}receiver: {}", self.receiver);
        let _ = writeln!(out, "{pad}group_by:");
        for name in &self.group_by {
            let _ = writeln!(out, "{pad}- {name}");
        }
        if !self.matchers.is_empty() {
            let _ = writeln!(out, "{pad}matchers:");
            for matcher in &self.matchers {
                let _ = writeln!(out, "{pad}- {matcher}");
            }
        }
        let _ = writeln!(out, "{pad}continue: {}", self.is_continued);
        if !self.routes.is_empty() {
            let _ = writeln!(out, "{pad}routes:");
            for child in &self.routes {
                let mut text = String::new();
                child.yaml(depth + 1, &mut text);
                // The first line of an element carries the dash.
                let dash = format!("{pad}- ");
                out.push_str(&text.replacen(&format!("{pad}  "), &dash, 1));
            }
        }
    }
}

/// The company's tree: a receiver for each service that pages, a chat for what is low, and nobody for the watchdog.
pub fn company_tree(services: &[&str]) -> Route {
    let group_by = vec!["alertname".to_owned(), "service".to_owned(), "region".to_owned()];
    let leaf = |matchers: &[&str], receiver: String, routes| Route {
        matchers: matchers.iter().filter_map(|text| Matcher::parse(text).ok()).collect(),
        receiver,
        group_by: group_by.clone(),
        routes,
        is_continued: false,
    };
    let pages =
        services.iter().map(|name| leaf(&[&format!("service=\"{name}\"")], format!("pagerduty-{name}"), Vec::new()));
    let paging =
        leaf(&["severity=~\"critical|high|medium|page\""], "pagerduty-platform-nodes".to_owned(), pages.collect());
    let watchdog = leaf(&["alertname=\"Watchdog\""], "deadman".to_owned(), Vec::new());
    let low = leaf(&["severity=\"low\""], "chat-low".to_owned(), Vec::new());
    leaf(&[], "chat-default".to_owned(), vec![watchdog, paging, low])
}

/// The configuration as `GET /status` shows it, secrets hidden.
pub fn config_original(tree: &Route, services: &[&str], events_url: &str) -> String {
    let mut out = String::from(
        "global:\n  resolve_timeout: 5m\n  http_config:\n    follow_redirects: true\n    enable_http2: true\n  smtp_hello: \
         localhost\n  smtp_require_tls: true\n  pagerduty_url: https://events.pagerduty.com/v2/enqueue\nroute:\n",
    );
    tree.yaml(1, &mut out);
    let _ =
        writeln!(out, "  group_wait: {GROUP_WAIT_S}s\n  group_interval: {GROUP_INTERVAL_S}s\n  repeat_interval: 4h");
    out.push_str(
        "inhibit_rules:\n- source_matchers:\n  - alertname=\"RegionDown\"\n  target_matchers:\n  - severity=~\"high|medium|low\"\n  \
         equal:\n  - region\nreceivers:\n- name: chat-default\n- name: chat-low\n- name: deadman\n",
    );
    for name in services {
        let _ = writeln!(
            out,
            "- name: pagerduty-{name}\n  pagerduty_configs:\n  - send_resolved: true\n    http_config:\n      follow_redirects: true\n      \
             enable_http2: true\n    routing_key: <secret>\n    url: {events_url}/v2/enqueue\n    client: '{{{{ template \
             \"pagerduty.default.client\" . }}}}'\n    client_url: '{{{{ template \"pagerduty.default.clientURL\" . }}}}'\n    description: \
             '{{{{ (index .Alerts 0).Annotations.summary }}}}'\n    details:\n      firing: '{{{{ .Alerts.Firing | toJson }}}}'\n      \
             num_firing: '{{{{ .Alerts.Firing | len }}}}'\n      num_resolved: '{{{{ .Alerts.Resolved | len }}}}'\n      resolved: '{{{{ \
             .Alerts.Resolved | toJson }}}}'\n    source: '{{{{ template \"pagerduty.default.client\" . }}}}'\n    severity: '{{{{ if eq \
             .CommonLabels.severity \"high\" }}}}error{{{{ else if eq .CommonLabels.severity \"medium\" }}}}warning{{{{ else }}}}{{{{ \
             .CommonLabels.severity }}}}{{{{ end }}}}'"
        );
    }
    out.push_str("templates: []\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::label_set;

    fn matchers(texts: &[&str]) -> Vec<Matcher> {
        texts.iter().map(|text| Matcher::parse(text).unwrap()).collect()
    }

    /// The vector that a real Alertmanager 0.25 sent.
    #[test]
    fn the_dedup_key_is_the_one_alertmanager_sends() {
        let group_by = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let checkout = Route {
            matchers: matchers(&["service=\"checkout\""]),
            receiver: "pd-checkout".into(),
            group_by: group_by(&["alertname", "service"]),
            routes: vec![],
            is_continued: false,
        };
        let critical = Route {
            matchers: matchers(&["severity=\"critical\"", "service=~\"check.*\""]),
            receiver: "pd-critical".into(),
            group_by: group_by(&["alertname", "cluster"]),
            routes: vec![checkout],
            is_continued: true,
        };
        let hook = Route {
            matchers: matchers(&["severity!=\"info\""]),
            receiver: "hook".into(),
            group_by: group_by(&["alertname", "cluster"]),
            routes: vec![],
            is_continued: false,
        };
        let root = Route {
            matchers: vec![],
            receiver: "default".into(),
            group_by: group_by(&["alertname", "cluster"]),
            routes: vec![critical, hook],
            is_continued: false,
        };
        let labels =
            label_set([("alertname", "Res"), ("cluster", "lab"), ("service", "checkout"), ("severity", "critical")]);
        let found = root.destinations(&labels);
        assert_eq!(found.iter().map(|one| one.receiver.as_str()).collect::<Vec<_>>(), ["pd-checkout", "hook"]);
        let key = "{}/{service=~\"check.*\",severity=\"critical\"}/{service=\"checkout\"}:{alertname=\"Res\", service=\"checkout\"}";
        assert_eq!(found[0].group_key(), key);
        assert_eq!(found[0].dedup_key(), "cafe82981b3609946c0a1229aba84990ca2a1d13080ed243a6fed8877f078eb4");
    }

    #[test]
    fn the_company_tree_sends_each_service_to_its_receiver_and_prints_as_yaml() {
        let tree = company_tree(&["checkout", "search"]);
        let to = |pairs: &[(&str, &str)]| tree.destinations(&label_set(pairs.iter().copied()))[0].receiver.clone();
        assert_eq!(to(&[("alertname", "X"), ("severity", "high"), ("service", "search")]), "pagerduty-search");
        assert_eq!(to(&[("alertname", "X"), ("severity", "high")]), "pagerduty-platform-nodes");
        assert_eq!(to(&[("alertname", "X"), ("severity", "low"), ("service", "search")]), "chat-low");
        assert_eq!(to(&[("alertname", "Watchdog"), ("severity", "none")]), "deadman");
        let yaml = config_original(&tree, &["checkout", "search"], "http://h/events");
        let value: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(value["route"]["routes"][1]["routes"][0]["matchers"][0], "service=\"checkout\"");
        assert_eq!(value["route"]["routes"][1]["receiver"], "pagerduty-platform-nodes");
        assert_eq!(value["receivers"][3]["pagerduty_configs"][0]["url"], "http://h/events/v2/enqueue");
    }
}

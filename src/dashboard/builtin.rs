//! The dashboards that come with the program.

use super::fill::Values;
use super::load::load_shipped;
use super::model::Dashboard;
use crate::domain::problem::Problem;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// Names and texts of the shipped dashboards, in the order in which they are listed.
        pub const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/", $name, ".toml")))),*];
    };
}

shipped!(
    "overview",
    "service",
    "node",
    "kubernetes",
    "postgres",
    "certificate",
    "regions",
    "queues",
    "prometheus",
    "alertmanager",
);

/// The shipped dashboards; a problem in one is a fault of ours and caught by a test.
#[must_use]
pub fn dashboards() -> (Vec<Dashboard>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut dashboards = Vec::new();
    for (name, text) in SHIPPED {
        let (dashboard, wrong) = load_shipped(name, &format!("built-in:{name}.toml"), text);
        dashboards.extend(dashboard);
        problems.extend(wrong);
    }
    (dashboards, problems)
}

/// The shipped dashboard of that name.
#[must_use]
pub fn named(name: &str) -> Option<Dashboard> {
    let (_, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
    load_shipped(name, &format!("built-in:{name}.toml"), text).0
}

/// Which shipped dashboard fits an incident for whose service the config names none: by words of its alert names, its
/// jobs and its labels. The first line of the table that fits wins.
#[must_use]
pub fn suggest(values: &Values) -> &'static str {
    const BY_WORD: &[(&str, &[&str], &str)] = &[
        ("alertname", &["cert", "probe", "blackbox"], "certificate"),
        ("alertname", &["postgres", "replication", "database"], "postgres"),
        ("alertname", &["queue"], "queues"),
        ("alertname", &["region"], "regions"),
        ("alertname", &["alertmanager"], "alertmanager"),
        ("alertname", &["prometheus", "watchdog"], "prometheus"),
        ("alertname", &["kube"], "kubernetes"),
        ("alertname", &["node", "host"], "node"),
        ("job", &["blackbox"], "certificate"),
        ("job", &["postgres"], "postgres"),
        ("job", &["rabbitmq"], "queues"),
        ("job", &["alertmanager"], "alertmanager"),
        ("job", &["prometheus"], "prometheus"),
        ("job", &["node"], "node"),
    ];
    let has = |label: &str, words: &[&str]| {
        values.get(label).iter().any(|value| {
            let value = value.expose().to_lowercase();
            words.iter().any(|word| value.contains(word))
        })
    };
    let fits = BY_WORD.iter().find(|(label, words, _)| has(label, words));
    let is_known = |label: &str| !values.get(label).is_empty();
    match fits {
        Some((_, _, name)) => name,
        None if is_known("service") || is_known("app") => "service",
        None if is_known("job") && !has("job", &["kube-state-metrics"]) => "service",
        None if is_known("pod") || is_known("deployment") => "kubernetes",
        None if is_known("region") => "regions",
        None => "overview",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashboard_is_suggested_for_every_incident() {
        let labels: &[(&[(&str, &str)], &str)] = &[
            (&[], "overview"),
            (&[("service", "checkout"), ("alertname", "HighErrorRate")], "service"),
            (&[("job", "api")], "service"),
            (&[("job", "kube-state-metrics"), ("pod", "a")], "kubernetes"),
            (&[("job", "node"), ("instance", "a:9100")], "node"),
            (&[("alertname", "NodeCpuHigh"), ("service", "platform")], "node"),
            (&[("alertname", "CertificateExpiresSoon")], "certificate"),
            (&[("alertname", "PostgresReplicationLag"), ("service", "orders-db")], "postgres"),
            (&[("alertname", "RegionDown")], "regions"),
            (&[("region", "eu-west-1")], "regions"),
        ];
        for (pairs, name) in labels {
            let values = pairs.iter().fold(Values::default(), |values, (label, value)| values.with(label, *value));
            assert_eq!(suggest(&values), *name, "{pairs:?}");
            assert!(named(name).is_some());
        }
        assert!(named("nothing").is_none());
    }

    #[test]
    fn shipped_dashboards_are_without_fault() {
        let (dashboards, problems) = dashboards();
        assert_eq!(problems, Vec::new());
        for (name, text) in SHIPPED {
            let (_, problems) = super::super::load::load(name, name, text);
            assert_eq!(problems, Vec::new(), "every query of '{name}' is PromQL");
        }
        assert_eq!(dashboards.len(), SHIPPED.len());
    }
}

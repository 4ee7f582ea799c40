//! The configuration that connects a console to a served world.

use std::fmt::Write as _;
use std::path::Path;

use super::company::{Company, USER_TOKEN};

/// Service, its dashboard and its runbooks.
const DOCUMENTS: [(&str, &str, &[&str]); 13] = [
    ("checkout", "service", &["bad_deploy", "latency_high"]),
    ("payments", "service", &["bad_deploy"]),
    ("search", "service", &["latency_high"]),
    ("catalog", "service", &["latency_high"]),
    ("auth", "service", &["bad_deploy"]),
    ("edge", "regions", &["regional_outage"]),
    ("orders-db", "postgres", &["database_failover", "replication_lag"]),
    ("inventory", "service", &["bad_deploy"]),
    ("notifications", "queues", &["flapping_alert"]),
    ("recommendations", "service", &["pod_crash_looping"]),
    ("shipping", "queues", &[]),
    ("ledger", "service", &[]),
    ("platform-nodes", "node", &["high_cpu_usage", "node_memory_pressure", "node_filesystem_filling"]),
];

/// The TOML. Its tokens are the simulator's own and protect nothing.
pub fn config_toml(base_url: &str, company: &Company, ca_file: Option<&Path>) -> String {
    let mut out = String::from("# A simulated world: nothing in it is real, its keys protect nothing.\n");
    let ca = ca_file.map(|path| format!("ca_file = {}\n", quoted(&path.display().to_string()))).unwrap_or_default();
    let operator = company.people.first().map_or("", |person| person.email.as_str());
    let name = company.people.first().map_or("", |person| person.name);
    let routing_key = company.services.first().map_or("", |service| service.routing_key.as_str());
    let _ = write!(
        out,
        "[room]\nname = \"Meridian (simulated)\"\noperator = {name}\n\n[pagerduty]\nurl = \"{base_url}/pagerduty\"\ntoken = {{ command = \
         [\"echo\", \"{USER_TOKEN}\"] }}\nfrom = \"{operator}\"\nevents_url = \"{base_url}/events\"\nrouting_key = {{ command = [\"echo\", \
         \"{routing_key}\"] }}\nevery = \"5s\"\n{ca}\n",
        name = quoted(name),
    );
    for (replica, path) in [("alertmanager-a", "alertmanager"), ("alertmanager-b", "alertmanager-2")] {
        let _ = write!(
            out,
            "[[alertmanager]]\nname = \"{replica}\"\nurl = \"{base_url}/{path}\"\ncluster = \"production\"\nevery = \"5s\"\n{ca}\n"
        );
    }
    let _ = write!(
        out,
        "[[prometheus]]\nname = \"metrics\"\nurl = \"{base_url}/prometheus\"\nscrape_interval = \"15s\"\n{ca}"
    );
    for (name, dashboard, runbooks) in DOCUMENTS {
        let Some(service) = company.services.iter().find(|service| service.name == name) else { continue };
        let team = company.teams.get(service.team).map_or("", |team| team.name);
        let runbooks: Vec<String> = runbooks.iter().map(|id| quoted(id)).collect();
        let _ = write!(
            out,
            "\n[[service]]\nname = \"{name}\"\nteam = \"{team}\"\nmatches = {{ labels = {{ service = \"{name}\" }}, pagerduty = \"{id}\" \
             }}\nprometheus = \"metrics\"\njob = \"{name}\"\ndashboard = \"{dashboard}\"\nrunbooks = [{runbooks}]\n",
            id = service.id,
            runbooks = runbooks.join(", "),
        );
    }
    out
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_toml_that_names_every_service_once() {
        let company = Company::new("2026-11-20T21:00:00Z".parse().unwrap());
        let text = config_toml("https://127.0.0.1:9", &company, Some(Path::new("/tmp/a \"b\".pem")));
        let value: toml::Table = text.parse().unwrap();
        let names: Vec<&str> =
            value["service"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        let expected: Vec<&str> = company.services.iter().map(|service| service.name).collect();
        assert_eq!(names, expected);
        assert_eq!(value["pagerduty"]["ca_file"].as_str(), Some("/tmp/a \"b\".pem"));
        assert_eq!(value["alertmanager"].as_array().unwrap().len(), 2);
    }
}

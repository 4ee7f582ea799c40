//! Other people's clients, unmodified, against the simulated world: Alertmanager's amtool and PagerDuty's Python client.
//! (Prometheus's promtool is in `real_prometheus`, a real Alertmanager as a client of the Events API in `end_to_end`.)

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use warroom::sim::{Running, SimOptions, serve};

use super::daemon::{program, run};

/// The newest that was tried; pinned, so that the test does not change by itself.
const PAGERDUTY_CLIENT: &str = "pagerduty==7.2.0";

async fn world(scenario: &str, tls: bool, folder: &Path) -> Running {
    let ca_file = tls.then(|| folder.join("authority.pem"));
    serve(SimOptions { scenario: scenario.to_owned(), tls, ca_file, ..SimOptions::default() }).await.expect("a world")
}

fn amtool(url: &str, arguments: &[&str]) -> String {
    let address = format!("--alertmanager.url={url}");
    let output = run("amtool", "prometheus-alertmanager", &[&[address.as_str()], arguments].concat());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "amtool {arguments:?}: {words}");
    String::from_utf8(output.stdout).expect("text")
}

fn names(json: &str) -> Vec<String> {
    let alerts: Vec<Value> = serde_json::from_str(json).expect("a list");
    alerts.iter().filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amtool_reads_alerts_and_silences_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let sim = world("bad-deploy", false, folder.path()).await;
    let url = sim.alertmanager_url.to_string();
    let done = tokio::task::spawn_blocking(move || {
        let is_burning = |json: &str| names(json).contains(&"CheckoutErrorRateHigh".to_owned());
        assert!(is_burning(&amtool(&url, &["alert", "query", "-o", "json"])));
        assert!(!is_burning(&amtool(&url, &["alert", "query", "-o", "json", "service!=checkout"])));
        let routes = amtool(&url, &["config", "routes", "show"]);
        assert!(routes.contains("receiver: pagerduty-checkout"), "{routes}");
        let receiver = amtool(&url, &["config", "routes", "test", "severity=critical", "service=checkout"]);
        assert!(receiver.contains("pagerduty-checkout"), "{receiver}");

        let add =
            ["silence", "add", "service=checkout", "--comment", "rolling back", "--author", "ana", "--duration", "1h"];
        let id = amtool(&url, &add).trim().to_owned();
        assert!(amtool(&url, &["silence", "query", "-q"]).contains(&id));
        assert!(!is_burning(&amtool(&url, &["alert", "query", "-o", "json"])), "a silenced alert is not active");
        assert!(is_burning(&amtool(&url, &["alert", "query", "--silenced", "-o", "json"])));
        amtool(&url, &["silence", "expire", &id]);
        assert!(!amtool(&url, &["silence", "query", "-q"]).contains(&id));
        assert!(is_burning(&amtool(&url, &["alert", "query", "-o", "json"])), "and is again when the silence ends");
        amtool(&url, &["cluster", "show"]);
    });
    done.await.expect("no panic");
}

/// Installs PagerDuty's client beside the test, or says why it cannot be had.
fn install(folder: &Path) -> Option<std::path::PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let attempt = |command: &mut Command| {
        let output = command.output().map_err(|error| error.to_string())?;
        let words = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
        if output.status.success() { Ok(()) } else { Err(words) }
    };
    let made = attempt(program("python3").args(["-m", "venv"]).arg(&venv));
    let had = made.and_then(|()| {
        attempt(program(&python.to_string_lossy()).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--timeout",
            "20",
            PAGERDUTY_CLIENT,
        ]))
    });
    match had {
        Ok(()) => Some(python),
        Err(why) => {
            println!(
                "NOT RUN: {PAGERDUTY_CLIENT} cannot be installed here ({why}); it needs python3 with venv and pip"
            );
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pagerdutys_own_client_works_with_the_simulated_pagerduty() {
    let folder = tempfile::tempdir().expect("a folder");
    let sim = world("friday-night", true, folder.path()).await;
    let config: toml::Table = sim.config_toml.parse().expect("TOML");
    let told = |name: &str| config["pagerduty"][name]["command"][1].as_str().expect("a key").to_owned();
    let (token, routing_key) = (told("token"), told("routing_key"));
    let from = config["pagerduty"]["from"].as_str().expect("an address").to_owned();
    let (path, base) = (folder.path().to_owned(), format!("https://{}", sim.addr));
    let authority = sim.ca_file.clone().expect("an authority");
    let ran = tokio::task::spawn_blocking(move || {
        let python = install(&path)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/third_party/client.py");
        let mut command = program(&python.to_string_lossy());
        command.arg(script).args([&base, &token, &routing_key, &from]);
        Some(
            command
                .env("SSL_CERT_FILE", &authority)
                .env("REQUESTS_CA_BUNDLE", &authority)
                .output()
                .expect("python runs"),
        )
    });
    let Some(output) = ran.await.expect("no panic") else { return };
    let (said, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{words}");
    let open = sim.sim().world().pager().incidents().iter().filter(|incident| incident.is_open()).count();
    let mut lines = said.lines();
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    assert!(first.len() == 3 && first[1] == first[2], "every incident once: {said}");
    assert!(
        first[1].parse::<usize>().is_ok_and(|seen| seen.abs_diff(open) <= 3 && seen > 6),
        "{said}; {open} are open"
    );
    let expected = [
        format!("me {}", config["pagerduty"]["from"].as_str().expect("an address")),
        "acknowledged acknowledged".to_owned(),
        "log True True".to_owned(),
        "note by PagerDuty's client".to_owned(),
        "service checkout".to_owned(),
        "missing 404".to_owned(),
        "event triggered".to_owned(),
        "event acknowledged".to_owned(),
        "event resolved".to_owned(),
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{words}");
}

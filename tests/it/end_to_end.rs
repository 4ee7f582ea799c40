//! The main road on real servers: a real Prometheus's rule fires, a real Alertmanager notifies the simulated PagerDuty,
//! the console in a terminal shows one correlated row, `a` acknowledges it, and the panels draw the real Prometheus's
//! samples. Then the cause goes away and the row is resolved.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pty_process::Command;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use warroom::sim::{Running, SimOptions, serve};

use super::cli::home::Home;
use super::daemon::{Daemon, client, free_port};
use super::pty::Terminal;

/// The alert's name.
const ALERT: &str = "CheckoutErrorBudgetBurn";
/// The value of the gauge while it burns, in thousandths: what the panel's legend must show.
const BURNING: u64 = 423;

/// What a service exports: one gauge that the test moves.
async fn exporter(value: Arc<AtomicU64>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let body = format!(
                "# TYPE checkout_error_ratio gauge\ncheckout_error_ratio {}\n",
                value.load(Ordering::SeqCst) as f64 / 1000.0
            );
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).expect("the folder can be written");
    path.to_string_lossy().into_owned()
}

fn prometheus(folder: &Path, exporter: u16, alertmanager: u16) -> Daemon {
    let rules = format!(
        "groups:\n- name: checkout\n  interval: 1s\n  rules:\n  - alert: {ALERT}\n    expr: checkout_error_ratio > 0.1\n    \
         labels: {{severity: critical, service: checkout}}\n    annotations: {{summary: 'Checkout burns its error budget'}}\n"
    );
    let rules = write(&folder.join("rules.yml"), &rules);
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{cluster: lab}}}}\n\
         rule_files: ['{rules}']\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}\n\
         scrape_configs: [{{job_name: checkout, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]\n"
    );
    let config = write(&folder.join("prometheus.yml"), &config);
    let port = free_port();
    let arguments = [
        format!("--config.file={config}"),
        format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--log.level=error".to_owned(),
    ];
    Daemon::start("prometheus", "prometheus", port, &arguments)
}

/// Its notifier as Debian's 0.25 has it, pointed at the simulator.
pub fn alertmanager(folder: &Path, port: u16, sim: &Running) -> Daemon {
    let routing_key = {
        let world = sim.sim().world();
        let services = &world.pager().company.services;
        services.iter().find(|service| service.name == "checkout").expect("the company sells").routing_key.clone()
    };
    let config = format!(
        "route:\n  receiver: nobody\n  routes:\n  - receiver: pager\n    matchers: ['severity=\"critical\"']\n    \
         group_by: [alertname, service]\n    group_wait: 0s\n    group_interval: 1s\n    repeat_interval: 1h\n\
         receivers:\n- name: nobody\n- name: pager\n  pagerduty_configs:\n  - routing_key: {routing_key}\n    \
         url: {}/v2/enqueue\n    severity: '{{{{ .CommonLabels.severity }}}}'\n    send_resolved: true\n",
        sim.events_url
    );
    let config = write(&folder.join("alertmanager.yml"), &config);
    let arguments = [
        format!("--config.file={config}"),
        format!("--storage.path={}", folder.join("alertmanager").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
        "--log.level=error".to_owned(),
    ];
    Daemon::start("prometheus-alertmanager", "prometheus-alertmanager", port, &arguments)
}

/// The console's configuration; the dashboard is the test's own, so that its figures can come from nowhere else.
fn console(sim: &Running, prometheus: &Daemon, alertmanager: &Daemon) -> Home {
    let world: toml::Table = sim.config_toml.parse().expect("TOML");
    let token = world["pagerduty"]["token"]["command"][1].as_str().expect("a token").to_owned();
    let home = Home::new(&format!(
        "[room]\nname = \"lab\"\n\n[pagerduty]\nurl = \"{pagerduty}\"\ntoken = {{ command = [\"echo\", \"{token}\"] }}\nevery = \"1s\"\n\n\
         [[alertmanager]]\nname = \"am\"\nurl = \"{alertmanager}\"\nevery = \"1s\"\n\n\
         [[prometheus]]\nname = \"metrics\"\nurl = \"{prometheus}\"\nscrape_interval = \"1s\"\n\n\
         [[service]]\nname = \"checkout\"\nmatches = {{ labels = {{ service = \"checkout\" }}, pagerduty = \"checkout\" }}\n\
         prometheus = \"metrics\"\njob = \"checkout\"\ndashboard = \"burn\"\nrunbooks = []\n",
        pagerduty = sim.pagerduty_url,
        alertmanager = alertmanager.url,
        prometheus = prometheus.url,
    ));
    std::fs::create_dir_all(home.path("config/warroom/dashboards")).expect("a folder");
    let dashboard = "title = \"Burn\"\nrange = \"5m\"\nrefresh = \"2s\"\n\n[variable.service]\nlabels = [\"service\"]\n\n[[panel]]\nid = \"burn\"\n\
                     title = \"Burn of $service\"\nunit = \"percentunit\"\nmin = 0\n\n[[panel.query]]\n\
                     promql = 'checkout_error_ratio{job=\"$service\"}'\nlegend = \"real {{job}}\"\n";
    write(&home.path("config/warroom/dashboards/burn.toml"), dashboard);
    home
}

/// The room in a wide terminal, as `warroom --config FILE` opens it.
pub fn open_room(home: &Home) -> Terminal {
    let command = Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["--config".into(), home.config()])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path(""))
        .env("XDG_CONFIG_HOME", home.path("config"))
        .env("XDG_STATE_HOME", home.path("state"))
        .env("WARROOM_TIME_ZONE", "UTC")
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm-256color");
    Terminal::start(command, 220, 60)
}

/// What the simulated PagerDuty says of a path below its REST address.
async fn pagerduty(sim: &Running, client: &reqwest::Client, path: &str) -> Value {
    let world: toml::Table = sim.config_toml.parse().expect("TOML");
    let token = world["pagerduty"]["token"]["command"][1].as_str().expect("a token").to_owned();
    let request =
        client.get(format!("{}{path}", sim.pagerduty_url)).header("authorization", format!("Token token={token}"));
    request.send().await.expect("the simulator answers").json().await.expect("JSON")
}

/// Waits until something outside the screen holds.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < super::pty::PATIENCE, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The list's own columns: other panes name the alert too.
fn list(terminal: &Terminal) -> String {
    let columns = terminal.screen().size().1;
    terminal.screen().rows(0, columns * 2 / 5).filter(|line| line.contains(ALERT)).collect::<Vec<_>>().join("\n")
}

fn open_incidents(home: &Home) -> Vec<Value> {
    let ran = home.run(&["incidents", "list", "--json", "--timeout", "20s"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    assert_eq!(told["complete"], true, "{}", ran.err);
    told["incidents"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_rule_that_fires_to_an_acknowledged_incident_and_its_end() {
    let client = client();
    let folder = tempfile::tempdir().expect("a folder");
    let sim = serve(SimOptions { scenario: "quiet".to_owned(), ..SimOptions::default() }).await.expect("a world");
    let value = Arc::new(AtomicU64::new(0));
    let exporter = exporter(Arc::clone(&value)).await;
    let port = free_port();
    let alertmanager = alertmanager(folder.path(), port, &sim);
    let prometheus = prometheus(folder.path(), exporter, port);
    alertmanager.ready(&client).await;
    prometheus.ready(&client).await;

    let home = console(&sim, &prometheus, &alertmanager);
    let mut terminal = open_room(&home);
    terminal.wait_text("No open incidents").await;

    // It fires: PagerDuty's incident and the alert that raised it are one row.
    value.store(BURNING, Ordering::SeqCst);
    terminal.wait_text("PD+AM").await;
    terminal.wait("one row of the list", |terminal| list(terminal).lines().count() == 1).await;
    assert_eq!(terminal.text().matches("PD+AM").count(), 1, "{}", terminal.text());
    let home = tokio::task::spawn_blocking(move || {
        let incidents = open_incidents(&home);
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        let one = &incidents[0];
        assert_eq!(
            (&one["alerts"], &one["severity"], &one["status"]),
            (&1.into(), &"critical".into(), &"triggered".into())
        );
        (home, one["pagerduty_id"].as_str().expect("PagerDuty has it").to_owned())
    });
    let (home, id) = home.await.expect("no panic");

    // The panel draws what only the real Prometheus has.
    terminal.wait_text("Burn of checkout").await;
    terminal
        .wait("the real Prometheus's value in the legend", |terminal| {
            terminal.text().lines().any(|line| line.contains("last 42.3%"))
        })
        .await;

    // One key acknowledges; PagerDuty has it, with who did it.
    terminal.send("a").await;
    terminal.wait_text("✓ acknowledged").await;
    let incident = pagerduty(&sim, &client, &format!("/incidents/{id}")).await;
    assert_eq!(incident["incident"]["status"], "acknowledged");
    let log = pagerduty(&sim, &client, &format!("/incidents/{id}/log_entries")).await;
    let entries = log["log_entries"].as_array().expect("a list");
    let acknowledged = entries.iter().find(|entry| entry["type"] == "acknowledge_log_entry").expect("the log has it");
    let (who, how) = (&acknowledged["agent"]["type"], &acknowledged["channel"]["type"]);
    assert_eq!((who, how), (&"user_reference".into(), &"api".into()), "{acknowledged}");
    let person = acknowledged["agent"]["summary"].as_str().expect("a name").to_owned();
    terminal
        .wait(&format!("the log entry of {person} in the timeline"), |terminal| {
            terminal.text().lines().any(|line| line.contains(&person) && line.contains("acknowledged for 30 min"))
        })
        .await;

    // The cause goes away: Prometheus, Alertmanager and PagerDuty agree, and so does the row.
    value.store(0, Ordering::SeqCst);
    until("PagerDuty's incident to be resolved", async || {
        let incident = pagerduty(&sim, &client, &format!("/incidents/{id}")).await;
        (incident["incident"]["status"] == "resolved").then_some(())
    })
    .await;
    // An action of a moment ago must not hide it: the header counts it no more.
    terminal
        .wait("the row to be resolved", |terminal| {
            terminal.text().contains("0 critical") && !terminal.text().contains("✓ acknowledged")
        })
        .await;
    assert!(tokio::task::spawn_blocking(move || open_incidents(&home)).await.expect("no panic").is_empty());
    terminal.send("q").await;
    assert_eq!(terminal.exit(Duration::from_secs(10)).await.0, Some(0));
    terminal.assert_restored();
}

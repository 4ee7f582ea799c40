//! A home with the users' runbook, a `kubectl` that records its words, and a real Prometheus that scrapes one number.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::cli::home::{Home, Stub};
use crate::daemon::client;
use crate::pty::{PATIENCE, Terminal};

/// As the issue has it.
pub const LITERAL: &str = r#"runbooks:
  high_cpu_usage:
    trigger: "NodeCPUUsageHigh"
    severity: "medium"
    automated_steps:
      - name: "Identify top processes"
        command: "kubectl top pods --sort-by=cpu -A"
      - name: "Check resource limits"
        command: "kubectl describe pod {pod_name} -n {namespace}"
      - name: "Scale if needed"
        condition: "cpu_usage > 90%"
        command: "kubectl scale deployment {deployment} --replicas={current_replicas + 1}"
    manual_steps:
      - "Review application logs for errors"
      - "Check for memory leaks"
      - "Consider vertical scaling"
      - "Update resource requests/limits"
"#;

/// Where `cpu_usage` and `current_replicas` come from: the shared library.
const LIBRARY: &str = r#"variables:
  cpu_usage:
    promql: cpu_percent
    unit: percent
    max_age: 1m
  current_replicas:
    command: [kubectl, get, deployment, "{deployment}", -o, "jsonpath={.spec.replicas}"]
    type: int
runbooks: {}
"#;

/// Records its words, a line each and an empty one behind; knows three replicas; is slow to roll out.
const KUBECTL: &str = r#"#!/bin/sh
case "$1" in
  get) case "$*" in *jsonpath*) printf 3; exit 0;; esac;;
esac
for word in "$@"; do printf '%s\n' "$word" >> "$KUBECTL_LOG"; done
printf '\n' >> "$KUBECTL_LOG"
case "$1" in
  rollout) sleep 30;;
  logs) exec yes "a flood of output";;
  top) echo "NAMESPACE NAME CPU"; echo "shop web-1 940m";;
  *) echo "done: $*";;
esac
"#;

pub struct Stage {
    pub home: Home,
    prometheus: Option<Child>,
    value: Arc<Mutex<Option<f64>>>,
    url: String,
    _metrics: Stub,
}

/// Gives that answer once the keyboard was quiet for as long as a question wants before it counts keys.
pub async fn answer(terminal: &mut Terminal, key: &str) {
    terminal.drain(Duration::from_millis(400)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    terminal.send(key).await;
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(prometheus) = &mut self.prometheus {
            let _ = prometheus.kill();
            let _ = prometheus.wait();
        }
    }
}

/// The calls that the simulator's programs wrote down.
fn called(bin: &Path) -> Vec<String> {
    let text = fs::read_to_string(bin.join("calls")).unwrap_or_default();
    text.split("\n\n").filter(|call| !call.is_empty()).map(|call| call.trim().replace('\n', " ")).collect()
}

/// A `kubectl` first on the path of that home.
fn with_kubectl(home: Home) -> Home {
    let bin = home.path("bin");
    fs::create_dir_all(&bin).expect("a folder");
    // The environment of a step is allow-listed: the log's place is written into the program.
    let log = home.path("kubectl.log");
    let kubectl = KUBECTL.replace("$KUBECTL_LOG", &log.display().to_string());
    fs::write(bin.join("kubectl"), kubectl).expect("a file");
    fs::set_permissions(bin.join("kubectl"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    home.with("PATH", &path)
}

impl Stage {
    /// A home with a configuration of its own, without a Prometheus of ours.
    pub fn configured(config: &str) -> Self {
        Self::configured_with(config, "WARROOM_TEST", "")
    }

    /// As [`Stage::configured`], with a variable more in the console's environment.
    pub fn configured_with(config: &str, name: &str, value: &str) -> Self {
        let metrics = Stub::raw(String::new());
        let home = with_kubectl(Home::new(config)).with(name, value);
        Self { home, prometheus: None, value: Arc::default(), url: String::new(), _metrics: metrics }
    }

    pub async fn open(first: f64) -> Self {
        let value = Arc::new(Mutex::new(Some(first)));
        let told = Arc::clone(&value);
        let metrics = move || match *told.lock().expect("no panic") {
            Some(value) => format!("# TYPE cpu_percent gauge\ncpu_percent {value}\n"),
            None => "# TYPE other gauge\nother 1\n".to_owned(),
        };
        let stage = Self::scraping(value, metrics, with_kubectl);
        stage.runbook("high-cpu.yaml", LITERAL);
        stage.runbook("library.yaml", LIBRARY);
        stage.until(Some(first)).await;
        stage
    }

    /// The simulator's programs instead, and metrics that are made from the seconds since the start and from what those
    /// programs were called with.
    pub async fn shipped(metrics: fn(f64, &[String]) -> String) -> Self {
        let start = Instant::now();
        let bin: Arc<Mutex<PathBuf>> = Arc::default();
        let at = Arc::clone(&bin);
        let told = move || metrics(start.elapsed().as_secs_f64(), &called(&at.lock().expect("no panic")));
        let stage = Self::scraping(Arc::default(), told, |home| {
            let bin = home.path("bin");
            warroom::sim::tools::install(&bin).expect("the programs");
            // The remote shells of session steps: what they are told they print.
            for name in ["ssh", "psql"] {
                let _ = fs::remove_file(bin.join(name));
                fs::write(bin.join(name), "#!/bin/sh\nwhile read -r line; do echo \"told: $line\"; done\n")
                    .expect("a file");
                fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("a mode");
            }
            let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
            home.with("PATH", &path)
        });
        *bin.lock().expect("no panic") = stage.home.path("bin");
        // A rate needs two scrapes.
        stage.answers("rate(http_requests_total[5m])", |text| text.contains("\"value\"")).await;
        stage
    }

    /// What the simulator's programs were called with, a line each.
    pub fn programs(&self) -> Vec<String> {
        called(&self.home.path("bin"))
    }

    fn scraping(
        value: Arc<Mutex<Option<f64>>>,
        metrics: impl Fn() -> String + Send + Sync + 'static,
        furnished: impl FnOnce(Home) -> Home,
    ) -> Self {
        let metrics = Stub::talking(move |_| {
            let body = metrics();
            Some(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            ))
        });
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let url = format!("http://127.0.0.1:{port}");
        let home =
            Home::new(&format!("[room]\noperator = \"ana\"\n[[prometheus]]\nname = \"prom\"\nurl = \"{url}\"\n"));
        let folder = home.path("prometheus");
        fs::create_dir_all(&folder).expect("a folder");
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: node\n  honor_labels: true\n  static_configs: [{{targets: ['{}']}}]\n",
            metrics.address
        );
        fs::write(folder.join("prometheus.yml"), config).expect("a file");
        let home = furnished(home);
        let prometheus = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus does not run ({error}); on Debian: apt-get install prometheus"));
        Self { home, prometheus: Some(prometheus), value, url, _metrics: metrics }
    }

    pub fn runbook(&self, file: &str, text: &str) {
        let folder = self.home.path("config/warroom/runbooks");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(file), text).expect("a file");
    }

    /// Another value at the source; returns when Prometheus has it.
    pub async fn set(&self, value: Option<f64>) {
        *self.value.lock().expect("no panic") = value;
        self.until(value).await;
    }

    async fn until(&self, wanted: Option<f64>) {
        let is_there = move |text: &str| match wanted {
            Some(value) => text.contains(&format!("\"{value}\"")),
            None => text.contains("\"result\":[]"),
        };
        self.answers("cpu_percent", is_there).await;
    }

    /// Returns when Prometheus answers so.
    async fn answers(&self, query: &str, is_so: impl Fn(&str) -> bool) {
        let client = client();
        let until = Instant::now() + PATIENCE;
        loop {
            let asked = client.get(format!("{}/api/v1/query", self.url)).query(&[("query", query)]).send().await;
            if let Ok(answer) = asked
                && let Ok(text) = answer.text().await
                && is_so(&text)
            {
                return;
            }
            assert!(Instant::now() < until, "prometheus does not answer {query} as it should");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What `kubectl` was called with, look-ups of values left out.
    pub fn calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.home.path("kubectl.log")).unwrap_or_default();
        text.split("\n\n")
            .map(|call| call.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter(|call| !call.is_empty())
            .collect()
    }

    /// The binary in a terminal of this home.
    pub fn terminal(&self, arguments: &[&str]) -> Terminal {
        self.terminal_of(arguments, 100, 60)
    }

    /// As that, in another size.
    pub fn terminal_of(&self, arguments: &[&str], columns: u16, rows: u16) -> Terminal {
        let path = self
            .home
            .command(&[])
            .get_envs()
            .find_map(|(name, value)| (name == "PATH").then(|| value.map(|value| value.to_owned())))
            .flatten()
            .expect("a path");
        let command = pty_process::Command::new(env!("CARGO_BIN_EXE_warroom"))
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home.path(""))
            .env("USER", "ana")
            .env("TERM", "xterm-256color")
            .env("WARROOM_TIME_ZONE", "UTC")
            .env("XDG_CONFIG_HOME", self.home.path("config"))
            .env("XDG_STATE_HOME", self.home.path("state"));
        Terminal::start(command, columns, rows)
    }

    /// The runbook pane of a room at 80×24, when that step is in it.
    pub async fn room(&self, arguments: &[&str], step: &str) -> Terminal {
        let mut terminal = self.terminal_of(arguments, 80, 24);
        terminal
            .wait("an incident", |terminal| terminal.text().contains("checkout") || terminal.text().contains("#1"))
            .await;
        terminal.send("4").await;
        terminal.wait_text(step).await;
        terminal
    }

    /// The newest run as a document.
    pub fn export_last(&self) -> String {
        let runs = self.home.path("state/warroom/runs");
        let mut ids: Vec<String> = fs::read_dir(runs)
            .expect("runs")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "locks")
            .collect();
        ids.sort();
        let run = ids.pop().expect("a run");
        let ran = self.home.run(&["runbook", "export", "--run", &run]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out
    }
}

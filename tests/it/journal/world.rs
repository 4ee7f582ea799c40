//! A simulated PagerDuty that logs every effect, and consoles that act on it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use warroom::sim::company::{Company, USER_TOKEN};
use warroom::sim::{Running, SimOptions, serve};
use warroom::store::sqlite::{Place, SqliteJournal};
use warroom::store::{Journal, OutboxRow};

use crate::cli::home::{Home, Ran};

/// The world and how to reach it.
pub struct World {
    /// Served until it is dropped.
    _running: Running,
    host: String,
    /// A service with an escalation policy of three levels.
    pub service: String,
    /// Somebody whom no level of that policy calls.
    pub person: String,
    from: String,
    config: String,
}

impl World {
    /// A world in which only consoles do something about the incidents that the test opens.
    pub async fn start() -> Self {
        let options = SimOptions::default();
        let running = serve(options).await.expect("the simulator serves");
        let config = running.config_toml.clone();
        let table: toml::Table = config.parse().expect("a configuration");
        let of = |section: &str, key: &str| table[section][key].as_str().expect("a text").to_owned();
        let url = of("pagerduty", "url");
        let host = url.trim_start_matches("http://").split('/').next().expect("a host").to_owned();
        let service = table["service"][0]["matches"]["pagerduty"].as_str().expect("an id").to_owned();
        let company = Company::new(chrono::Utc::now());
        let policy = company.services.iter().find(|known| known.id == service).expect("a service").policy;
        let called: Vec<usize> = (0..3).flat_map(|level| company.called(policy, level, chrono::Utc::now())).collect();
        let person = (0..company.people.len()).find(|person| !called.contains(person)).expect("somebody");
        let person = company.people[person].id.clone();
        Self { _running: running, host, service, person, from: of("pagerduty", "from"), config }
    }

    /// A console's home on this world.
    pub fn home(&self) -> Home {
        Home::new(&self.config)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.host).expect("the simulator listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Token token={USER_TOKEN}\r\nfrom: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.host,
            self.from,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the request leaves");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let body = body.find('{').map_or("null", |from| &body[from..=body.rfind('}').unwrap_or(from)]);
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// A fresh incident; its id.
    pub fn incident(&self) -> String {
        let service = json!({"id": self.service, "type": "service_reference"});
        let body = json!({"incident": {"type": "incident", "title": "a drill", "service": service}}).to_string();
        // A whole campaign asks more often than PagerDuty's rate allows.
        let until = std::time::Instant::now() + std::time::Duration::from_secs(90);
        loop {
            let told = self.ask("POST", "/pagerduty/incidents", &body);
            if let Some(id) = told["incident"]["id"].as_str() {
                return id.to_owned();
            }
            let is_limited = told["error"]["code"].as_u64() == Some(2020);
            assert!(is_limited && std::time::Instant::now() < until, "{told}");
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    }

    /// Requests that had an effect: method, path, body.
    pub fn effects(&self) -> Vec<(String, String, Value)> {
        let log = self.ask("GET", "/_sim/log", "");
        let effects = log["effects"].as_array().cloned().unwrap_or_default();
        let done = effects.into_iter().filter(|one| one["status"].as_u64().is_some_and(|status| status < 300));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        done.map(|one| (text(&one["method"]), text(&one["path"]), one["body"].clone())).collect()
    }

    pub fn forget(&self) {
        let mut stream = TcpStream::connect(&self.host).expect("the simulator listens");
        let request = format!("DELETE /_sim/log HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.host);
        stream.write_all(request.as_bytes()).expect("the request leaves");
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// Where a home's journal is.
pub fn journal(home: &Home) -> PathBuf {
    home.path("state/warroom/journal.db")
}

/// The outbox as it stands.
pub async fn outbox(home: &Home) -> Vec<OutboxRow> {
    let journal = SqliteJournal::open(Place::File(journal(home))).await.expect("the journal opens");
    let rows = journal.actions_since(chrono::DateTime::UNIX_EPOCH).await.expect("the outbox is read");
    journal.close().await;
    rows
}

/// Runs the console under strace with these options.
pub fn traced(home: &Home, options: &[&str], arguments: &[&str]) -> Ran {
    let plain = home.command(arguments);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(options).arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // One worker, so that a syscall's number means the same in every run.
    command.env("TOKIO_WORKER_THREADS", "1");
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    Home::finish(command.spawn().expect("strace starts"), None)
}

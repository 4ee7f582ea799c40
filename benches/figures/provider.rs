//! Alertmanager and PagerDuty as far as a heavy room asks them, on loopback: fifty thousand alerts in ten thousand groups,
//! each group paged as one incident, and a share of the alerts another one at every poll.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use warroom::domain::correlate::dedup_key;

use crate::load::present;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub alerts: usize,
    pub incidents: usize,
    /// Alerts that are another one at each poll.
    pub changing: usize,
}

struct World {
    load: Load,
    /// The alerts, each an element of the answer.
    alerts: Vec<String>,
    polls: usize,
}

type Shared = Arc<Mutex<World>>;

/// A running pair of servers.
pub struct Provider {
    address: SocketAddr,
    world: Shared,
    _runtime: tokio::runtime::Runtime,
}

impl Provider {
    /// Serves on a free port, from a thread of its own.
    pub fn start(load: Load) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let alerts = (0..load.alerts).map(|at| alert(at, 0)).collect();
        let world = Arc::new(Mutex::new(World { load, alerts, polls: 0 }));
        let routes = Router::new()
            .route("/am/api/v2/status", get(status))
            .route("/am/api/v2/alerts", get(alerts_listed))
            .route("/am/api/v2/silences", get(|| async { json("[]") }))
            .route("/pd/incidents", get(incidents_listed))
            .route("/pd/oncalls", get(|| async { json(r#"{"oncalls":[],"more":false}"#) }))
            .route("/pd/priorities", get(|| async { json(r#"{"priorities":[],"more":false}"#) }))
            .route("/pd/services", get(|| async { json(r#"{"services":[],"more":false}"#) }))
            .route("/pd/users", get(|| async { json(r#"{"users":[],"more":false}"#) }))
            .with_state(Arc::clone(&world));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("its address");
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self { address, world, _runtime: runtime }
    }

    /// Alertmanager's address.
    pub fn alertmanager(&self) -> String {
        format!("http://{}/am", self.address)
    }

    /// The configuration that connects a room to both.
    pub fn config(&self, every: &str) -> String {
        format!(
            "[room]\noperator = \"bench\"\n\n[pagerduty]\nurl = \"http://{at}/pd\"\ntoken = {{ command = [\"echo\", \"t0ken\"] }}\nevery = \
             \"{every}\"\n\n[[alertmanager]]\nname = \"am\"\nurl = \"http://{at}/am\"\nevery = \"{every}\"\n",
            at = self.address,
        )
    }

    /// The body of the next answer, without the way over a socket.
    pub fn body(&self) -> Vec<u8> {
        body(&self.world.lock().expect("the world")).into_bytes()
    }

    /// How often the alerts were asked for.
    pub fn polls(&self) -> usize {
        self.world.lock().expect("the world").polls
    }
}

fn json(text: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], text.into()).into_response()
}

/// Groups by deployment, and pages for each group.
async fn status() -> Response {
    let config = "route:\n  receiver: pager\n  group_by: [deployment]\nreceivers:\n- name: pager\n  pagerduty_configs: [{routing_key: R}]\n";
    let body = serde_json::json!({
        "cluster": {"status": "ready", "peers": []},
        "versionInfo": {"version": "0.28.0"},
        "config": {"original": config},
        "uptime": "2026-11-01T00:00:00Z",
    });
    json(body.to_string())
}

async fn alerts_listed(State(world): State<Shared>) -> Response {
    let mut world = world.lock().expect("the world");
    let (poll, load) = (world.polls, world.load);
    world.polls += 1;
    if poll > 0 {
        for number in 0..load.changing {
            let at = (poll * load.changing + number) % load.alerts;
            world.alerts[at] = alert(at, poll);
        }
    }
    // In pieces, as a server sends what it is still making.
    let body = Bytes::from(body(&world));
    json(Body::from(body))
}

fn body(world: &World) -> String {
    format!("[{}]", world.alerts.join(","))
}

fn alert(at: usize, version: usize) -> String {
    let severity = ["critical", "warning", "info", "page"][at % 4];
    let start = present() - chrono::Duration::seconds((at % 7_200) as i64);
    let now = present() + chrono::Duration::seconds(version as i64);
    let mut text = String::with_capacity(800);
    let _ = write!(
        text,
        r#"{{"annotations":{{"description":"Something is wrong with pod-{at:05}: look at its log (value {version})","summary":"Something is wrong"}},"endsAt":"{}","fingerprint":"{at:016x}","receivers":[{{"name":"pager"}}],"startsAt":"{}","status":{{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}},"updatedAt":"{}","generatorURL":"http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1","labels":{{"alertname":"KubeSomethingIsWrong{:03}","cluster":"prod-eu-1","deployment":"{}","instance":"10.{}.{}.{}:9100","job":"node","namespace":"shop","pod":"pod-{at:05}-x7k2p","service":"service-{:03}","severity":"{severity}"}}}}"#,
        (now + chrono::Duration::minutes(5)).to_rfc3339(),
        start.to_rfc3339(),
        now.to_rfc3339(),
        at % 120,
        deployment(at),
        at / 65_536,
        at / 256 % 256,
        at % 256,
        at % 200,
    );
    text
}

fn deployment(at: usize) -> String {
    format!("web-{:05}", at % 10_000)
}

#[derive(serde::Deserialize)]
struct Page {
    #[serde(default)]
    offset: usize,
    #[serde(default)]
    since: Option<String>,
}

async fn incidents_listed(State(world): State<Shared>, Query(page): Query<Page>) -> Response {
    let count = world.lock().expect("the world").load.incidents;
    // Beyond ten thousand the room asks by time; there is nothing there.
    let from = if page.since.is_some() { count } else { page.offset };
    let until = (from + 100).min(count);
    let elements: Vec<String> = (from..until).map(incident).collect();
    json(format!(r#"{{"incidents":[{}],"offset":{from},"limit":100,"more":{}}}"#, elements.join(","), until < count))
}

fn incident(at: usize) -> String {
    let key = dedup_key(&format!("{{}}:{{deployment=\"{}\"}}", deployment(at))).expect("a key");
    let created = (present() - chrono::Duration::seconds((at % 86_400) as i64)).to_rfc3339();
    serde_json::json!({
        "id": format!("Q{at:013}"), "type": "incident", "incident_number": at,
        "title": format!("[FIRING:5] KubeSomethingIsWrong{:03} {} service-{:03}", at % 120, deployment(at), at % 200),
        "status": "triggered", "urgency": "high", "incident_key": key.as_str(),
        "created_at": created, "last_status_change_at": created,
        "service": {"id": format!("P{:06}", at % 200), "type": "service_reference", "summary": format!("service-{:03}", at % 200)},
        "escalation_policy": {"id": "PPOL1", "type": "escalation_policy_reference", "summary": "Shop"},
        "assigned_via": "escalation_policy",
        "assignments": [{"at": created, "assignee": {"id": "PUSR1", "type": "user_reference", "summary": "Ana Ruiz"}}],
        "acknowledgements": [], "teams": [], "pending_actions": [],
        "alert_counts": {"all": 5, "triggered": 5, "resolved": 0},
        "is_mergeable": true, "html_url": format!("https://acme.pagerduty.com/incidents/Q{at:013}"),
    })
    .to_string()
}

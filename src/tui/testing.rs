//! Models for tests and benches: fixed clock, fixed identities, the built-in keymap, and a small world to press keys in.

#![expect(clippy::expect_used, reason = "fixtures of tests and benches: a wrong one should stop them at once")]

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration};

use super::model::{Model, PagerAccess, Setup, Size};
use super::msg::{Input, Msg};
use super::update::{Step, update};
use crate::config::keymap::{Chord, Keymap};
use crate::config::model::RoleConfig;
use crate::config::theme::Theme;
use crate::domain::alert::{Alert, AlertKey, AlertState, Fingerprint, GroupRef, Labels};
use crate::domain::escalation::{EscalationPolicy, Level, OnCall};
use crate::domain::fact::Fact;
use crate::domain::id::{DedupKey, EventId, IncidentId, PagerId, PolicyId, PriorityId, ServiceId, SourceId, UserId};
use crate::domain::incident::{Named, PagerIncident, Priority, Status, Urgency};
use crate::domain::room::Room;
use crate::domain::source::{ChronoSeconds, Reach, SourceHealth, SourceKind};
use crate::domain::time::Timestamp;
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::text::{Clean, Untrusted};

/// The instant at which tests begin: 2026-11-23 02:14:05 UTC.
#[must_use]
pub fn instant() -> Timestamp {
    DateTime::from_timestamp(1_795_400_045, 0).unwrap_or_default()
}

/// So many seconds later.
#[must_use]
pub fn after(seconds: i64) -> Timestamp {
    instant() + Duration::seconds(seconds)
}

/// What a test starts with: nothing known, operator Ana, zone Berlin.
#[must_use]
pub fn setup(width: u16, height: u16) -> Setup {
    Setup {
        room: Room::default(),
        size: Size { width, height },
        now: instant(),
        seed: 7,
        room_name: Clean::new("payments"),
        operator: Clean::new("ana"),
        zone: chrono_tz::Europe::Berlin,
        read_only: false,
        bell: true,
        pager: PagerAccess::Full,
        banner: None,
        themes: ["dark", "light"].map(|name| Arc::new(Theme::builtin(name))).into(),
        keymap: Arc::new(Keymap::default()),
        problems: Vec::new(),
        dashboards: Arc::from([]),
        runbooks: Arc::from([]),
        services: Arc::from([]),
        severities: BTreeMap::new(),
        prometheus: Vec::new(),
        roles: ["Incident commander", "Scribe"]
            .map(|name| RoleConfig { name: Clean::new(name), lead: false, duties: Vec::new() })
            .into(),
    }
}

/// A screen that knows nothing yet.
#[must_use]
pub fn model(width: u16, height: u16) -> Model {
    Model::new(setup(width, height))
}

/// A screen with a small world: five PagerDuty incidents of falling severity, one alert that only Alertmanager has, a
/// policy with three levels, people, services, a timeline.
#[must_use]
pub fn scene(width: u16, height: u16) -> Model {
    let mut model = model(width, height);
    for fact in world() {
        learn(&mut model, fact);
    }
    model
}

/// The facts of [`scene`].
#[must_use]
pub fn world() -> Vec<Fact> {
    let pager = source("pagerduty");
    let named = |number: u64| user(number);
    vec![
        Fact::HealthChanged(health("pagerduty", SourceKind::PagerDuty)),
        Fact::HealthChanged(health("am", SourceKind::Alertmanager)),
        Fact::PrioritiesListed(
            ["P1", "P2", "P3", "P4"].iter().enumerate().map(|(at, name)| priority(at, name)).collect(),
        ),
        Fact::UsersListed((1..=4).map(named).collect()),
        Fact::ServicesListed((1..=3).map(service).collect()),
        Fact::PolicyLoaded(policy()),
        Fact::OnCallListed((1..=3).map(on_call).collect()),
        Fact::IncidentsChanged { source: pager, changed: (1..=5).map(|number| Arc::new(record(number))).collect() },
        alerts_changed(vec![alert(1)]),
        Fact::TimelineListed { incident: row(1), events: (1..=4).map(event).collect() },
    ]
}

/// A fact, taken in at [`instant`].
pub fn learn(model: &mut Model, fact: Fact) -> Step {
    let now = model.now;
    update(model, Msg::Learned(fact), now)
}

/// Alerts of the one cluster.
#[must_use]
pub fn alerts_changed(changed: Vec<Alert>) -> Fact {
    Fact::AlertsChanged {
        cluster: source("am"),
        changed: changed.into_iter().map(Arc::new).collect(),
        ended: Vec::new(),
        at: instant(),
    }
}

/// Keys, a second apart, as a person presses them: names with spaces between. What came of them, together.
pub fn press(model: &mut Model, keys: &str) -> Step {
    let mut all = Step::default();
    for name in keys.split_whitespace() {
        let chord: Chord = serde_json::from_value(name.into()).expect("a chord");
        let now = model.now + Duration::seconds(1);
        let step = update(model, Msg::Input(Input::Key { chord, in_burst: false }), now);
        all.redraw |= step.redraw;
        all.effects.extend(step.effects);
        all.terminal.extend(step.terminal);
    }
    all
}

/// Text, typed letter by letter.
pub fn type_text(model: &mut Model, text: &str) -> Step {
    let keys: Vec<String> = text.chars().map(|symbol| Chord::char(symbol).to_string()).collect();
    press(model, &keys.join(" "))
}

/// What the newest notice says.
#[must_use]
pub fn notice(model: &Model) -> String {
    model.toasts.shown().last().map(|toast| toast.text.as_str().to_owned()).unwrap_or_default()
}

/// A source's name.
#[must_use]
pub fn source(name: &str) -> SourceId {
    SourceId::parse(name).expect("an identity")
}

/// A source in good health.
#[must_use]
pub fn health(name: &str, kind: SourceKind) -> SourceHealth {
    SourceHealth {
        id: source(name),
        kind,
        reach: Reach::Up,
        answered_at: Some(instant()),
        is_recalled: false,
        asking_since: None,
        every: ChronoSeconds(3_600),
        clock_skew: None,
        budget: None,
        version: None,
        warnings: Vec::new(),
    }
}

/// The row of incident `number`.
#[must_use]
pub fn row(number: u64) -> IncidentId {
    IncidentId::parse(&format!("pd:PINC{number}")).expect("an identity")
}

fn user(number: u64) -> Named<UserId> {
    let names = ["Ana Ruiz", "Ben Okafor", "Carla Weiß", "Dmitri Sato"];
    let at = usize::try_from(number.saturating_sub(1)).unwrap_or(0) % names.len();
    let id = UserId::parse(&format!("PUSR{number}")).expect("an identity");
    Named { id, name: Clean::new(names.get(at).copied().unwrap_or_default()) }
}

fn service(number: u64) -> Named<ServiceId> {
    let names = ["checkout", "search", "login"];
    let at = usize::try_from(number.saturating_sub(1)).unwrap_or(0) % names.len();
    let id = ServiceId::parse(&format!("PSVC{}", at + 1)).expect("an identity");
    Named { id, name: Clean::new(names.get(at).copied().unwrap_or_default()) }
}

fn priority(at: usize, name: &str) -> Priority {
    Priority { id: PriorityId::parse(name).expect("an identity"), name: Clean::new(name), rank: Some(at) }
}

fn policy() -> EscalationPolicy {
    let level = |number: u64| Level { delay: ChronoSeconds(600), targets: vec![user(number).name] };
    EscalationPolicy {
        id: PolicyId::parse("PPOL1").expect("an identity"),
        name: Clean::new("Payments"),
        levels: (1..=3).map(level).collect(),
        loops: 2,
    }
}

fn on_call(level: u32) -> OnCall {
    OnCall {
        user: user(u64::from(level)),
        policy: Named { id: policy().id, name: policy().name },
        level,
        schedule: None,
        until: None,
    }
}

/// PagerDuty's record of incident `number`: triggered, with Ana, at level 1; 1 is critical, 4 low.
#[must_use]
pub fn record(number: u64) -> PagerIncident {
    let titles = [
        "Checkout error rate above 5 %",
        "Search latency p99 2.4 s",
        "Login queue grows",
        "Disk 91 % on db-3",
        "Cert expires",
    ];
    let at = usize::try_from(number.saturating_sub(1)).unwrap_or(0);
    let rank = at.min(3);
    PagerIncident {
        id: PagerId::parse(&format!("PINC{number}")).expect("an identity"),
        number: 1_000 + number,
        title: Clean::new(titles.get(at % titles.len()).copied().unwrap_or_default()),
        status: Status::Triggered,
        urgency: Urgency::High,
        priority: ["P1", "P2", "P3", "P4"].get(rank).map(|name| priority(rank, name)),
        service: Some(service(number)),
        policy: Some(Named { id: policy().id, name: policy().name }),
        level: Some(1),
        assigned_directly: false,
        assignees: vec![user(1)],
        acknowledgements: Vec::new(),
        teams: Vec::new(),
        created_at: after(-120 - 60 * i64::try_from(number).unwrap_or(0)),
        changed_at: after(-120),
        pending: Vec::new(),
        keys: Vec::new(),
        alert_counts: (1, 0),
        merged_into: None,
        fingerprints: Vec::new(),
        is_mergeable: true,
        html_url: Some(Untrusted::from(format!("https://acme.pagerduty.com/incidents/PINC{number}"))),
        alert_severity: None,
    }
}

/// Alert `number`, of a group of its own that pages nobody.
#[must_use]
pub fn alert(number: u64) -> Alert {
    let instance = format!("api-{number}:9100");
    Alert {
        key: AlertKey { cluster: source("am"), fingerprint: Fingerprint(number) },
        labels: [("alertname", "NodeCPUUsageHigh"), ("severity", "info"), ("instance", instance.as_str())]
            .into_iter()
            .collect(),
        annotations: [("summary", "CPU above 90 % for 10 minutes")].into_iter().collect::<Labels>(),
        starts_at: after(-60),
        updated_at: after(-10),
        generator_url: Untrusted::from("http://prometheus:9090/graph"),
        state: AlertState::Active,
        groups: [GroupRef {
            receiver: Arc::from("mail"),
            key: DedupKey::parse(&format!("group{number}")).expect("an identity"),
            pages: false,
        }]
        .into(),
    }
}

/// Entry `number` of a timeline.
#[must_use]
pub fn event(number: u64) -> TimelineEvent {
    let kinds = [EventKind::Trigger, EventKind::Notify, EventKind::Note, EventKind::Change];
    let at = usize::try_from(number.saturating_sub(1)).unwrap_or(0);
    TimelineEvent {
        id: EventId::parse(&format!("E{number}")).expect("an identity"),
        source: source("pagerduty"),
        kind: kinds.get(at % kinds.len()).copied().unwrap_or(EventKind::Other),
        actor: Actor::Human(Clean::new("Ana Ruiz")),
        text: Clean::new(format!("entry {number}")),
        body: Vec::new(),
        happened_at: after(-100 + i64::try_from(number).unwrap_or(0)),
        recorded_at: after(-50),
        links: vec![Untrusted::from(format!("https://example.org/{number}"))],
    }
}

/// A Prometheus server that nobody asks.
#[must_use]
pub fn prometheus() -> crate::config::model::PrometheusConfig {
    crate::config::model::PrometheusConfig {
        endpoint: crate::config::model::Endpoint {
            id: source("prometheus"),
            url: url::Url::parse("http://127.0.0.1:9090").expect("an address"),
            auth: crate::config::model::AuthConfig::default(),
            ca_file: None,
            every: Duration::seconds(15),
        },
        scrape_interval: Duration::seconds(15),
    }
}

//! A full night for the pictures: rows in every status and delivery, clocks before and after their end, a timeline over
//! midnight, panels with data, gaps and thresholds, a runbook with ticks. Clock, identities and numbers are fixed.

use std::sync::{Arc, LazyLock};

use chrono::Duration;

use crate::config::theme::Theme;
use crate::dashboard::Dashboard;
use crate::domain::action::Delivery;
use crate::domain::alert::Alert;
use crate::domain::effect::{Effect, QueryTime};
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::EventId;
use crate::domain::incident::{Acknowledgement, PagerIncident, PendingAction, PendingKind, Status};
use crate::domain::series::{Answer, QueryResult, Range, Series, gap};
use crate::domain::severity::Severity;
use crate::domain::source::{Reach, SourceHealth, SourceKind};
use crate::domain::time::Timestamp;
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::runbook::Runbook;
use crate::text::Clean;
use crate::tui::model::{Banner, Model};
use crate::tui::msg::Msg;
use crate::tui::testing::{
    after, alert, alerts_changed, event, health, learn, press, prometheus, record, row, setup, source, world,
};
use crate::tui::update::{Step, update};

/// Read once: a test makes dozens of rooms.
static DASHBOARDS: LazyLock<Arc<[Dashboard]>> = LazyLock::new(|| {
    crate::dashboard::builtin::dashboards().0.into_iter().filter(|one| one.name == "service").collect()
});

static RUNBOOKS: LazyLock<Arc<[Runbook]>> = LazyLock::new(|| {
    let read = |(file, text): &(&str, &str)| crate::runbook::read(file, text.as_bytes()).0;
    crate::runbook::builtin::FILES.iter().flat_map(read).collect()
});

/// The room in the middle of it.
pub(super) fn night(width: u16, height: u16, theme: &str) -> Model {
    let mut setup = setup(width, height);
    setup.themes = vec![Arc::new(Theme::builtin(theme))];
    setup.banner = Some(Banner::Demo(Clean::new("friday-night")));
    setup.dashboards = Arc::clone(&DASHBOARDS);
    setup.runbooks = Arc::clone(&RUNBOOKS);
    setup.severities = Severity::ALL.into_iter().map(|one| (one, crate::config::defaults::severity(one))).collect();
    setup.prometheus = vec![prometheus()];
    let mut model = Model::new(setup);
    for fact in world().into_iter().chain(sources()) {
        learn(&mut model, fact);
    }
    learn(&mut model, Fact::IncidentsChanged { source: source("pagerduty"), changed: incidents() });
    learn(&mut model, alerts_changed(alerts()));
    learn(&mut model, Fact::TimelineListed { incident: row(1), events: entries() });
    pass(&mut model, 2);
    acts(&mut model);
    let event = newest(model.now);
    learn(&mut model, Fact::TimelineListed { incident: row(1), events: vec![event] });
    pass(&mut model, 1);
    model
}

/// Time goes on, second by second; what the panels ask is answered.
pub(super) fn pass(model: &mut Model, seconds: usize) {
    for _ in 0..seconds {
        let now = model.now + Duration::seconds(1);
        let step = update(model, Msg::Woke, now);
        answer(model, step);
    }
}

/// Keys, and the answers to what they made the panels ask.
pub(super) fn keys(model: &mut Model, keys: &str) {
    let step = press(model, keys);
    answer(model, step);
    pass(model, 2);
}

fn sources() -> [Fact; 3] {
    let mut ageing = health("am-2", SourceKind::Alertmanager);
    ageing.every = crate::domain::source::ChronoSeconds(20);
    ageing.answered_at = Some(after(-38));
    let unreachable = SourceHealth {
        reach: Reach::Down {
            failure: failure(FailureKind::Unreachable, "connection refused"),
            retry_at: Some(after(9)),
        },
        every: crate::domain::source::ChronoSeconds(20),
        answered_at: Some(after(-1_260)),
        ..health("am-3", SourceKind::Alertmanager)
    };
    [ageing, unreachable, health("prometheus", SourceKind::Prometheus)].map(Fact::HealthChanged)
}

fn failure(kind: FailureKind, cause: &str) -> Failure {
    Failure {
        kind,
        what: Clean::new("list alerts"),
        target: Clean::new("am-3"),
        cause: Clean::new(cause),
        remedy: Clean::new("look whether it runs and whether the address is right"),
    }
}

fn incidents() -> Vec<Arc<PagerIncident>> {
    let told = |kind: PendingKind, seconds: i64| vec![PendingAction { kind, at: after(seconds) }];
    let mut all: Vec<PagerIncident> = (1..=8).map(record).collect();
    for (at, one) in all.iter_mut().enumerate() {
        match at + 1 {
            1 => {
                one.pending = told(PendingKind::Escalate, 71);
                one.keys = alert(1).groups.iter().map(|group| group.key.clone()).collect();
            }
            2 => {
                one.status = Status::Acknowledged;
                one.acknowledgements = vec![Acknowledgement { by: Clean::new("Ben Okafor"), at: after(-60) }];
                one.pending = told(PendingKind::Unacknowledge, 1_325);
            }
            3 => one.created_at = after(-8_000),
            4 => one.pending = told(PendingKind::Escalate, 4_000),
            6 => {
                one.title = Clean::new("Der Zahlungsdienst antwortet nicht – 決済サービスが応答しません since 02:07");
                one.priority = record(2).priority;
                one.level = None;
            }
            7 => {
                one.status = Status::Resolved;
                one.title = Clean::new("Replica orders-db-2 is 95 s behind");
            }
            8 => one.title = Clean::new("A label with \u{202e}hostile\u{1b}[31m text"),
            _ => {}
        }
    }
    all.into_iter().map(Arc::new).collect()
}

/// The first is the critical incident's own: its name brings the runbook, its service the dashboard.
fn alerts() -> Vec<Alert> {
    let mut all: Vec<Alert> = (1..=4).map(alert).collect();
    if let Some(first) = all.first_mut() {
        first.labels = [("alertname", "CheckoutErrorRateHigh"), ("severity", "critical"), ("service", "checkout")]
            .into_iter()
            .collect();
        Arc::make_mut(&mut first.groups).iter_mut().for_each(|group| group.pages = true);
        first.annotations =
            [("summary", "More than 5 % of the requests fail"), ("runbook_url", "https://wiki.example/r/1")]
                .into_iter()
                .collect();
    }
    all
}

fn entry(number: u64, kind: EventKind, seconds: i64, actor: Actor, text: &str) -> TimelineEvent {
    TimelineEvent {
        id: EventId::parse(&format!("N{number}")).expect("an identity"),
        kind,
        actor,
        text: Clean::new(text),
        happened_at: after(seconds),
        recorded_at: after(seconds),
        links: Vec::new(),
        ..event(1)
    }
}

fn entries() -> Vec<TimelineEvent> {
    let human = |name: &str| Actor::Human(Clean::new(name));
    let machine = |name: &str| Actor::Machine(Clean::new(name));
    let long = "First failing request is 40 s after the rollout of v2026.11.4; the error is in the basket rules, and the \
                canary had shown it for ten minutes before anybody looked at it";
    let mut note = entry(3, EventKind::Note, -90, human("Tomás Rivera"), long);
    note.body = vec![Clean::new("second line of the note"), Clean::new("third line of it")];
    vec![
        entry(1, EventKind::Change, -14_400, machine("deploy-bot"), "Deploy checkout v2026.11.4: basket rules in Rust"),
        entry(2, EventKind::Alert, -190, machine("am"), "CheckoutErrorRateHigh service=checkout fires"),
        note,
        entry(4, EventKind::Escalate, -80, machine("checkout"), "nobody reacted: escalated to Ben Okafor"),
    ]
}

fn newest(now: Timestamp) -> TimelineEvent {
    let actor = Actor::Human(Clean::new("Carla Weiß"));
    TimelineEvent {
        recorded_at: now,
        ..entry(9, EventKind::Note, 1, actor, "Support sees 30 tickets about failing payments")
    }
}

/// One action in each state that a row can show.
fn acts(model: &mut Model) {
    let mut intents = Vec::new();
    for (number, key) in [(3, "a"), (4, "a"), (5, "a")] {
        model.incidents.selected = Some(row(number));
        let step = press(model, key);
        intents.extend(step.effects.into_iter().filter_map(|effect| match effect {
            Effect::Act(intent) => Some(intent),
            _ => None,
        }));
    }
    let ends = [
        Delivery::Sent,
        Delivery::Failed { failure: failure(FailureKind::Forbidden, "403: the token may not acknowledge") },
        Delivery::Queued { waits_until: Some(after(40)) },
    ];
    for (intent, delivery) in intents.into_iter().zip(ends) {
        let op = intent.op;
        learn(model, Fact::IntentRecorded(intent));
        learn(model, Fact::Delivered { op, delivery, at: model.now, opened: None });
    }
    model.incidents.selected = Some(row(1));
    press(model, "g");
}

fn answer(model: &mut Model, step: Step) {
    let mut effects = step.effects;
    while let Some(effect) = effects.pop() {
        let Effect::Query { id, promql, time, .. } = effect else { continue };
        let QueryTime::Range(range) = time else { continue };
        let result = QueryResult {
            answer: Answer::Matrix { range, series: series(&promql, &range) },
            notes: Vec::new(),
            histograms: 0,
        };
        let at = model.now;
        effects.extend(learn(model, Fact::QueryAnswered { id, at, result: Ok(Arc::new(result)) }).effects);
    }
}

/// Numbers that tell the same story: quiet, then the deploy, with a hole where nothing was scraped.
fn series(promql: &str, range: &Range) -> Vec<Series> {
    let one = |labels: &[(&str, &str)], value: &dyn Fn(f64) -> f64| {
        let points = range.points().max(2);
        let values = (0..points).map(|at| value(at as f64 / (points - 1) as f64)).collect();
        Series { labels: labels.iter().copied().collect(), values }
    };
    let broken = |calm: f64, wild: f64| move |share: f64| if share > 0.94 { wild } else { calm * (1.0 + share / 4.0) };
    if promql.contains("by (code)") {
        let holes =
            |share: f64| if (0.35..0.45).contains(&share) { gap() } else { 160.0 + 20.0 * (share * 19.0).sin() };
        return vec![one(&[("code", "200")], &holes), one(&[("code", "500")], &broken(0.4, 26.0))];
    }
    let (calm, wild) = match promql {
        errors if errors.contains("5..") => (0.002, 0.166),
        slow if slow.contains("0.99") => (0.7, 3.7),
        slow if slow.contains("0.9,") => (0.3, 1.25),
        slow if slow.contains("0.5,") => (0.08, 0.1),
        up if up.contains("up{") => return vec![one(&[], &|_| 3.0)],
        _ => (0.2, 0.45),
    };
    vec![one(&[("instance", "10.4.10.11:8080")], &broken(calm, wild))]
}

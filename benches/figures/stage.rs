//! The room as this binary plays it for itself in a pseudo terminal: the real loop and view, fed with a storm instead of an
//! engine. `calm` feeds nothing more, `storm` 2,000 changes a second and answers for 40 panels, `slow` besides makes every
//! row of the list anew before each frame, as a careless program would: the harness must see that.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use warroom::config::theme::Capabilities;
use warroom::dashboard::load::load;
use warroom::domain::alert::Labels;
use warroom::domain::effect::{Effect, QueryId, QueryTime};
use warroom::domain::fact::Fact;
use warroom::domain::id::EventId;
use warroom::domain::room::Room;
use warroom::domain::series::{Answer, QueryResult, Range, Sample, Series};
use warroom::domain::source::SourceKind;
use warroom::domain::timeline::{Actor, EventKind, TimelineEvent};
use warroom::text::Clean;
use warroom::tui::model::{Setup, Size};
use warroom::tui::ports::{EFFECT_LANE, FACT_LANE, Ports};
use warroom::tui::run::{Options, run};
use warroom::tui::view::{self, RenderCache};
use warroom::tui::{Model, Msg, testing, update};

use crate::load::{TOP, Words, present};

/// Set for the program in the terminal; its value is the role.
pub const ROLE: &str = "WARROOM_BENCH_ROLE";

pub const ALERTS: usize = 50_000;
pub const INCIDENTS: usize = 10_000;

/// Changes a second of a storm.
const CHANGES: usize = 2_000;

/// Plays the program when this process is one; false when it is the bench.
pub fn play() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let code = runtime.block_on(room(role));
    std::process::exit(code);
}

/// A room of fifty thousand alerts and ten thousand incidents, with a dashboard of forty panels.
pub fn heavy_model(width: u16, height: u16) -> Model {
    let words = Words::new();
    let now = present();
    let mut room = Room::default();
    for (name, kind) in
        [("pagerduty", SourceKind::PagerDuty), ("am", SourceKind::Alertmanager), ("prometheus", SourceKind::Prometheus)]
    {
        let mut health = testing::health(name, kind);
        health.answered_at = Some(now);
        room.apply(&Fact::HealthChanged(health), now);
    }
    for fact in words.incidents(INCIDENTS).iter().chain(&words.alerts(ALERTS)) {
        room.apply(fact, now);
    }
    let (dashboard, problems) = load("forty", "forty.toml", &forty_panels());
    assert!(problems.is_empty(), "{problems:?}");
    let setup = Setup {
        room,
        size: Size { width, height },
        now,
        dashboards: Arc::from(vec![dashboard.expect("a dashboard")]),
        prometheus: vec![testing::prometheus()],
        ..testing::setup(width, height)
    };
    let mut model = Model::new(setup);
    let row = model.room.board().get(0).cloned().expect("a first row");
    let events = (0..200).map(|at| event(at, now)).collect();
    model.room.apply(&Fact::TimelineListed { incident: row, events }, now);
    model
}

fn event(at: i64, now: warroom::domain::time::Timestamp) -> TimelineEvent {
    let kinds = [EventKind::Trigger, EventKind::Notify, EventKind::Note, EventKind::Change];
    TimelineEvent {
        id: EventId::parse(&format!("E{at}")).expect("an identity"),
        source: testing::source("pagerduty"),
        kind: kinds[at as usize % kinds.len()],
        actor: Actor::Human(Clean::new("Ana Ruiz")),
        text: Clean::new(format!("entry {at} of a long night: somebody looked at something and wrote it down")),
        body: Vec::new(),
        happened_at: now - chrono::Duration::seconds(4_000 - at * 17),
        recorded_at: now,
        links: Vec::new(),
    }
}

/// The panels in sight are asked each second: eight of them are as many questions as forty each five seconds.
fn forty_panels() -> String {
    use std::fmt::Write as _;
    let mut text = String::from("title = \"Forty\"\nrange = \"1h\"\nrefresh = \"1s\"\n");
    for at in 0..40 {
        let _ = write!(
            text,
            "\n[[panel]]\nid = \"p{at}\"\ntitle = \"Panel {at}\"\nunit = \"reqps\"\nmin = 0\n\n[[panel.query]]\npromql = \
             'sum by (code) (rate(http_requests_total{{n=\"{at}\"}}[5m]))'\nlegend = \"{{{{code}}}}\"\n"
        );
    }
    text
}

/// What a Prometheus would answer: ten series.
pub fn answer(id: QueryId, time: QueryTime, seed: usize) -> Fact {
    let labels = |at: usize| {
        Labels::from_iter([("code", ["200", "201", "204", "301", "304", "400", "404", "429", "500", "503"][at % 10])])
    };
    let answer = match time {
        QueryTime::Instant(at) => Answer::Vector(
            (0..10).map(|series| Sample { labels: labels(series), at, value: (series + seed) as f64 }).collect(),
        ),
        QueryTime::Range(range) => {
            Answer::Matrix { range, series: (0..10).map(|at| series(labels(at), &range, at + seed)).collect() }
        }
    };
    let result = Ok(Arc::new(QueryResult { answer, notes: Vec::new(), histograms: 0 }));
    Fact::QueryAnswered { id, at: chrono::Utc::now(), result }
}

fn series(labels: Labels, range: &Range, seed: usize) -> Series {
    let value = |point: usize| ((point as f64 / 9.0 + seed as f64).sin() + 1.2) * (100.0 + seed as f64);
    Series { labels, values: (0..range.points()).map(value).collect() }
}

/// Lets the cursor rest until panels are asked for, and answers.
pub fn answer_all(model: &mut Model) {
    for step in 1..6 {
        let now = present() + chrono::Duration::seconds(step);
        let step = update(model, Msg::Woke, now);
        for effect in step.effects {
            if let Effect::Query { id, time, .. } = effect {
                update(model, Msg::Learned(answer(id, time, 1)), now);
            }
        }
    }
    let answered = model.panels.panels.iter().flat_map(|panel| &panel.queries).filter(|query| query.answer.is_some());
    assert!(answered.count() > 0, "panels have answers");
}

async fn room(role: String) -> i32 {
    let model = heavy_model(200, 50);
    let (facts_in, facts) = mpsc::channel(FACT_LANE);
    let (effects, wanted) = mpsc::channel(EFFECT_LANE);
    let (_keep, reloads) = mpsc::channel(1);
    tokio::spawn(answers(wanted, facts_in.clone()));
    if role != "calm" {
        tokio::spawn(storm(facts_in));
    }
    let mut cache = RenderCache::new(Capabilities::detect(|name| std::env::var(name).ok()));
    let is_slow = role == "slow";
    let ports = Ports { facts, effects, reloads };
    let draw = move |model: &Model, buffer: &mut ratatui::buffer::Buffer| {
        if is_slow {
            rebuild_every_row(model);
        }
        view::draw(model, &mut cache, buffer);
    };
    run(model, ports, Options::default(), draw).await.expect("a terminal")
}

/// Answers what the panels ask, a moment later.
async fn answers(mut wanted: mpsc::Receiver<Effect>, facts: mpsc::Sender<Fact>) {
    let mut seed = 0;
    while let Some(effect) = wanted.recv().await {
        if let Effect::Query { id, time, .. } = effect {
            seed += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
            if facts.send(answer(id, time, seed)).await.is_err() {
                return;
            }
        }
    }
}

/// Batches of fifty, forty times a second, of alerts that belong to none of the first rows.
async fn storm(facts: mpsc::Sender<Fact>) {
    const BATCH: usize = 50;
    let words = Words::new();
    let mut ticks = tokio::time::interval(Duration::from_millis((1_000 * BATCH / CHANGES) as u64));
    let (mut at, mut version) = (3 * TOP, 1);
    loop {
        ticks.tick().await;
        let changed = (at..at + BATCH).map(|at| words.alert(at, version)).collect();
        at += BATCH;
        if at + BATCH > ALERTS {
            (at, version) = (3 * TOP, version + 1);
        }
        if facts.send(words.changed(changed)).await.is_err() {
            return;
        }
    }
}

/// What a careless program does for each frame.
fn rebuild_every_row(model: &Model) {
    let board = model.room.board();
    let mut rows: Vec<(String, String)> = board
        .iter()
        .map(|incident| {
            (format!("{:?} {}", incident.assessment.severity, incident.started_at), incident.title.to_string())
        })
        .collect();
    rows.sort();
    std::hint::black_box(rows);
}

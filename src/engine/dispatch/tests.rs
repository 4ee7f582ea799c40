use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::id::{IncidentId, OpIds, RunbookId, StepId};
use crate::domain::incident::Status;
use crate::engine::clock::{Chance, Clock};
use crate::engine::journal::Door;
use crate::engine::testing::{FakeJournal, Log, at, intent, record, word};
use crate::sources::pagerduty::Outcome;
use crate::store::{SharedJournal, StoreError};

/// What the fake PagerDuty does with the next call.
#[derive(Clone)]
enum Does {
    Done,
    Held(Option<u64>),
    Ambiguous,
    Refused,
    Panic,
    TakesSeconds(u64),
}

struct FakeCarrier {
    log: Log,
    script: Mutex<VecDeque<Does>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

fn failure(kind: FailureKind) -> Failure {
    let text = Clean::new("x");
    Failure { kind, what: text.clone(), target: text.clone(), cause: text.clone(), remedy: text }
}

fn done(intent: &Intent) -> Outcome {
    let incident = match &intent.target {
        Target::Incident { pager: Some(id), .. } => Some(Arc::new(record(id.as_str(), Status::Acknowledged))),
        _ => None,
    };
    Outcome::Done { says: Clean::new("done"), incident, opened: None }
}

impl Carrier for FakeCarrier {
    fn perform<'a>(
        &'a self,
        intent: &'a Intent,
        attempt: Attempt,
        _until: Option<std::time::Instant>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let what = format!("perform {} {attempt:?}", carry::target(intent));
            self.log.lock().unwrap().push(what);
            let does = self.script.lock().unwrap().pop_front().unwrap_or(Does::Done);
            let running = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(running, Ordering::SeqCst);
            if let Does::TakesSeconds(seconds) = does {
                sleep(Duration::from_secs(seconds)).await;
            }
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            match does {
                Does::Done | Does::TakesSeconds(_) => done(intent),
                Does::Held(wait) => {
                    let wait = wait.map(Duration::from_secs);
                    Outcome::Held { failure: failure(FailureKind::RateLimited), wait }
                }
                Does::Ambiguous => {
                    Outcome::Ambiguous { failure: failure(FailureKind::Timeout), check: Clean::new("look") }
                }
                Does::Refused => Outcome::Refused(failure(FailureKind::Refused)),
                Does::Panic => panic!("a fault"),
            }
        })
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn can_look(&self, _intent: &Intent) -> bool {
        true
    }
}

struct Desk {
    orders: mpsc::Sender<Order>,
    facts: mpsc::Receiver<Fact>,
    carrier: Arc<FakeCarrier>,
    log: Log,
    fails: Arc<AtomicBool>,
    ids: OpIds,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

struct Start {
    script: Vec<Does>,
    left: Vec<OutboxRow>,
    ticked: Vec<Entry>,
    read_only: bool,
    refuses: Vec<StoreError>,
}

impl Default for Start {
    fn default() -> Self {
        Self { script: Vec::new(), left: Vec::new(), ticked: Vec::new(), read_only: false, refuses: Vec::new() }
    }
}

impl Desk {
    fn new(start: Start) -> Self {
        let log = Log::default();
        let fails = Arc::new(AtomicBool::new(false));
        let journal: SharedJournal = Arc::new(FakeJournal {
            log: Arc::clone(&log),
            fails: Arc::clone(&fails),
            left: Mutex::new(start.left),
            ticked: Mutex::new(start.ticked),
            is_adopted: AtomicBool::new(false),
            refuses: Mutex::new(start.refuses.into()),
        });
        let (facts, told) = mpsc::channel(1024);
        let clock = Clock::starting_at(at(0));
        let open = Box::new(move || -> BoxFuture<'static, Result<SharedJournal, crate::store::StoreError>> {
            let journal = Arc::clone(&journal);
            Box::pin(async move { Ok(journal) })
        });
        let carrier = Arc::new(FakeCarrier {
            log: Arc::clone(&log),
            script: Mutex::new(start.script.into()),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let stop = CancellationToken::new();
        let carries: Arc<dyn Carrier> = Arc::<FakeCarrier>::clone(&carrier);
        let road = Arc::new(Road {
            door: Arc::new(Door::with(open, facts.clone(), clock.clone())),
            carrier: carries,
            facts,
            clock,
            chance: Chance::Most,
            read_only: start.read_only,
            incidents: Arc::default(),
            source: crate::domain::id::SourceId::parse("pagerduty"),
            poller: None,
            slots: Road::slots(),
            stop: stop.child_token(),
        });
        let (orders, mut received) = mpsc::channel(ORDERS);
        let stopping = stop.clone();
        #[expect(clippy::disallowed_methods, reason = "the test itself watches over this task")]
        let running = tokio::task::spawn(async move { Dispatch::new(road).run(&mut received, stopping, true).await });
        Self { orders, facts: told, carrier, log, fails, ids: OpIds::new(1), stop, running }
    }

    async fn press(&mut self, pager: &str, action: Action) -> OpId {
        let intent = intent(&mut self.ids, pager, action, at(0));
        let op = intent.op;
        self.orders.send(Order::Act(intent)).await.unwrap();
        op
    }

    /// Waits until `op` gets to a state of these words; returns every state it went through on the way.
    async fn until(&mut self, op: OpId, ends: &[&str]) -> Vec<&'static str> {
        let mut seen = Vec::new();
        loop {
            let fact = timeout(Duration::from_secs(3_600), self.facts.recv()).await.expect("a fact in time").unwrap();
            let Fact::Delivered { op: told, delivery, .. } = fact else { continue };
            if told == op {
                let state = word(&delivery);
                self.log.lock().unwrap().push(format!("screen {state}"));
                seen.push(state);
                if ends.contains(&state) {
                    return seen;
                }
            }
        }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn performs(&self) -> Vec<String> {
        self.log().into_iter().filter_map(|line| line.strip_prefix("perform ").map(str::to_owned)).collect()
    }
}

fn script(does: &[Does]) -> Start {
    Start { script: does.to_vec(), ..Start::default() }
}

fn left(ids: &mut OpIds, pager: &str, age_minutes: i64, delivery: Delivery) -> OutboxRow {
    let asked = at(-60 * age_minutes);
    let attempts = u32::from(delivery == Delivery::Sent);
    let intent = intent(ids, pager, Action::Acknowledge, asked);
    OutboxRow { intent, delivery, changed_at: asked, attempts, opened: None }
}

const QUEUED: Delivery = Delivery::Queued { waits_until: None };

#[tokio::test(start_paused = true)]
async fn the_journal_has_the_intent_before_anything_leaves_and_the_result_before_the_screen_does() {
    let mut desk = Desk::new(Start::default());
    let op = desk.press("P1", Action::Acknowledge).await;
    assert_eq!(desk.until(op, &["confirmed"]).await, ["queued", "sent", "confirmed"]);
    let place = |line: &str| desk.log().iter().position(|known| known == line).expect(line);
    let order = ["journal intended", "journal sent", "perform P1 First", "journal confirmed", "screen confirmed"];
    let places = order.map(place);
    assert!(places.is_sorted(), "{places:?} {:?}", desk.log());
}

#[tokio::test(start_paused = true)]
async fn without_a_journal_nothing_is_sent_and_the_cause_is_told() {
    let mut desk = Desk::new(Start::default());
    tokio::task::yield_now().await;
    desk.fails.store(true, Ordering::SeqCst);
    let op = desk.press("P1", Action::Acknowledge).await;
    let mut problems = 0;
    let told = loop {
        match desk.facts.recv().await.unwrap() {
            Fact::ProblemFound { key, .. } => {
                assert_eq!(key, "journal");
                problems += 1;
            }
            Fact::Delivered { op: told, delivery: Delivery::Failed { failure }, .. } if told == op => break failure,
            _ => {}
        }
    };
    assert_eq!((told.kind, problems), (FailureKind::Journal, 1));
    assert!(told.to_string().contains("disk is full"), "{told}");
    assert_eq!(desk.performs(), Vec::<String>::new());
    desk.fails.store(false, Ordering::SeqCst);
    let op = desk.press("P1", Action::Acknowledge).await;
    assert_eq!(desk.until(op, &["confirmed", "failed"]).await.last(), Some(&"confirmed"), "the disk has room again");
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_kept_is_never_shown_as_done() {
    let mut desk = Desk::new(script(&[Does::TakesSeconds(5)]));
    let op = desk.press("P1", Action::Acknowledge).await;
    desk.until(op, &["sent"]).await;
    desk.fails.store(true, Ordering::SeqCst);
    assert_eq!(desk.until(op, &["confirmed", "unknown", "failed"]).await, ["unknown"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_certainly_not_done_waits_visibly_and_goes_again() {
    let mut desk = Desk::new(script(&[Does::Held(Some(30)), Does::Held(Some(0))]));
    let op = desk.press("P1", Action::Acknowledge).await;
    let seen = desk.until(op, &["confirmed"]).await;
    assert_eq!(seen, ["queued", "sent", "waits", "sent", "waits", "sent", "confirmed"]);
    assert_eq!(desk.performs(), ["P1 First", "P1 First", "P1 First"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_at_and_ends_as_unknown_when_nobody_can_tell() {
    let mut desk = Desk::new(script(&[Does::Ambiguous]));
    let op = desk.press("P1", Action::Acknowledge).await;
    assert_eq!(desk.until(op, &["confirmed", "unknown"]).await.last(), Some(&"confirmed"));
    assert_eq!(desk.performs(), ["P1 First", "P1 Again"]);

    let mut desk = Desk::new(script(&vec![Does::Ambiguous; 20]));
    let op = desk.press("P1", Action::Note { text: "rolled back".into() }).await;
    let seen = desk.until(op, &["confirmed", "unknown"]).await;
    assert_eq!(seen.last(), Some(&"unknown"));
    assert!(!seen.contains(&"waits"), "it may have been sent: it is not a queued one any more");
    assert_eq!(desk.performs(), ["P1 First", "P1 Again", "P1 Again", "P1 Again"]);
    desk.orders.send(Order::Drop(op)).await.unwrap();
    assert_eq!(desk.until(op, &["dropped"]).await, ["dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_looks_first_when_it_may_have_been_sent() {
    let mut desk = Desk::new(script(&[Does::Ambiguous, Does::Ambiguous, Does::Ambiguous, Does::Ambiguous]));
    let op = desk.press("P1", Action::Acknowledge).await;
    desk.until(op, &["unknown"]).await;
    desk.orders.send(Order::Retry(op)).await.unwrap();
    assert_eq!(desk.until(op, &["confirmed"]).await.last(), Some(&"confirmed"));
    assert_eq!(desk.performs().last().map(String::as_str), Some("P1 Again"));

    let mut desk = Desk::new(script(&[Does::Refused]));
    let op = desk.press("P1", Action::Acknowledge).await;
    desk.until(op, &["failed"]).await;
    desk.orders.send(Order::Retry(op)).await.unwrap();
    desk.until(op, &["confirmed"]).await;
    assert_eq!(desk.performs(), ["P1 First", "P1 First"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_can_be_dropped_and_is_not_sent_afterwards() {
    let mut desk = Desk::new(script(&[Does::Held(None)]));
    let op = desk.press("P1", Action::Acknowledge).await;
    assert_eq!(desk.until(op, &["sent"]).await, ["queued", "sent"]);
    assert_eq!(desk.until(op, &["queued"]).await, ["queued"], "it waits for a better token");
    let behind = desk.press("P1", Action::Resolve { resolution: None }).await;
    desk.orders.send(Order::Drop(op)).await.unwrap();
    desk.until(op, &["dropped"]).await;
    assert_eq!(desk.until(behind, &["confirmed"]).await.last(), Some(&"confirmed"));
    assert_eq!(desk.performs(), ["P1 First", "P1 First"]);
}

#[tokio::test(start_paused = true)]
async fn one_incident_at_a_time_and_few_incidents_at_once() {
    let mut desk = Desk::new(script(&vec![Does::TakesSeconds(3); 60]));
    let mut last = None;
    for round in 0..3 {
        for incident in 0..20 {
            let action = if round == 0 { Action::Acknowledge } else { Action::Note { text: "x".into() } };
            last = Some(desk.press(&format!("P{incident}"), action).await);
        }
    }
    desk.until(last.unwrap(), &["confirmed"]).await;
    while desk.log().iter().filter(|line| *line == "journal confirmed").count() < 60 {
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(desk.carrier.most_at_once.load(Ordering::SeqCst), 4);
    for incident in 0..20 {
        let mine = desk.performs().iter().filter(|line| line.starts_with(&format!("P{incident} "))).count();
        assert_eq!(mine, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_with_the_young_and_offers_the_old() {
    let mut ids = OpIds::new(9);
    let rows = vec![
        left(&mut ids, "PYOUNG", 1, QUEUED),
        left(&mut ids, "PSENT", 2, Delivery::Sent),
        left(&mut ids, "POLD", 60, QUEUED),
        left(&mut ids, "POLDSENT", 60, Delivery::Sent),
    ];
    let ops: Vec<OpId> = rows.iter().map(|row| row.intent.op).collect();
    let mut desk = Desk::new(Start { left: rows, ..Start::default() });
    let mut ends = HashMap::new();
    while ends.len() < 4 {
        if let Fact::Delivered { op, delivery, .. } = desk.facts.recv().await.unwrap()
            && delivery.is_settled()
        {
            ends.insert(op, word(&delivery));
        }
    }
    let ends: Vec<_> = ops.iter().map(|op| ends[op]).collect();
    assert_eq!(ends, ["confirmed", "confirmed", "failed", "unknown"]);
    let mut performs = desk.performs();
    performs.sort_unstable();
    assert_eq!(performs, ["PSENT Again", "PYOUNG First"]);
    desk.orders.send(Order::Retry(ops[3])).await.unwrap();
    desk.until(ops[3], &["confirmed"]).await;
    assert_eq!(desk.performs().last().map(String::as_str), Some("POLDSENT Again"), "it is looked at first");
    desk.orders.send(Order::Retry(ops[2])).await.unwrap();
    desk.until(ops[2], &["confirmed"]).await;
    assert_eq!(desk.performs().last().map(String::as_str), Some("POLD First"));
}

#[tokio::test(start_paused = true)]
async fn a_read_only_room_refuses_and_sends_nothing_of_an_earlier_one() {
    let mut ids = OpIds::new(9);
    let rows = vec![left(&mut ids, "PYOUNG", 1, QUEUED)];
    let mut desk = Desk::new(Start { left: rows, read_only: true, ..Start::default() });
    let op = desk.press("P1", Action::Acknowledge).await;
    assert_eq!(desk.until(op, &["failed"]).await.last(), Some(&"failed"));
    assert_eq!(desk.log().iter().filter(|line| !line.starts_with("screen")).count(), 0, "{:?}", desk.log());
}

#[tokio::test(start_paused = true)]
async fn a_tick_stays_here_and_ticks_of_earlier_days_come_back() {
    let (runbook, step) = (RunbookId::parse("disk").unwrap(), StepId::parse("one").unwrap());
    let ticked = Entry::Ticked {
        incident: IncidentId::parse("pd:P1").unwrap(),
        runbook: runbook.clone(),
        step: step.clone(),
        tick: Some(Tick { by: Clean::new("Ana"), at: at(-9) }),
        at: at(-9),
    };
    let mut desk = Desk::new(Start { ticked: vec![ticked], ..Start::default() });
    let Some(Fact::StepTicked { tick: Some(tick), .. }) = desk.facts.recv().await else { panic!("no tick") };
    assert_eq!(tick.by.as_str(), "Ana");
    desk.press("P1", Action::Tick { runbook, step, done: false }).await;
    let Some(Fact::StepTicked { tick: None, .. }) = desk.facts.recv().await else { panic!("not unticked") };
    assert_eq!(desk.log(), ["journal ticked"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_another_console_holds_is_not_sent_and_not_settled_here() {
    let mut desk = Desk::new(Start { refuses: vec![StoreError::TakenOver], ..Start::default() });
    let late = desk.press("P1", Action::Acknowledge).await;
    let behind = desk.press("P1", Action::Resolve { resolution: None }).await;
    assert_eq!(desk.until(behind, &["confirmed"]).await.last(), Some(&"confirmed"));
    assert_eq!(desk.performs(), ["P1 First"], "only the one behind {late} was sent");
    let moves = desk.log().iter().filter(|line| line.starts_with("journal ") && !line.ends_with("intended")).count();
    assert_eq!(moves, 2, "{:?}", desk.log());
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_can_be_asked_about_waits_until_the_room_is_back() {
    let held = || StoreError::Held("the room's database is away".to_owned());
    let mut desk = Desk::new(Start { refuses: (0..7).map(|_| held()).collect(), ..Start::default() });
    let op = desk.press("P1", Action::Acknowledge).await;
    let seen = desk.until(op, &["confirmed", "failed", "unknown"]).await;
    assert_eq!(seen.last(), Some(&"confirmed"), "{seen:?}");
    assert!(seen.iter().filter(|state| **state == "waits").count() >= 3, "{seen:?}");
    assert_eq!(desk.performs(), ["P1 First"]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_ours_leaves_an_unknown_and_the_road_open() {
    let mut desk = Desk::new(script(&[Does::Panic]));
    let op = desk.press("P1", Action::Acknowledge).await;
    let behind = desk.press("P1", Action::Resolve { resolution: None }).await;
    assert_eq!(desk.until(op, &["unknown"]).await.last(), Some(&"unknown"));
    assert_eq!(desk.until(behind, &["confirmed"]).await.last(), Some(&"confirmed"));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_the_wire_finish_and_leaves_the_rest_queued() {
    let mut desk = Desk::new(script(&[Does::TakesSeconds(1), Does::Held(Some(600))]));
    let on_the_wire = desk.press("P1", Action::Acknowledge).await;
    let waiting = desk.press("P2", Action::Acknowledge).await;
    desk.until(waiting, &["waits"]).await;
    desk.stop.cancel();
    timeout(Duration::from_secs(2), desk.running).await.expect("it ends soon").unwrap();
    let log = desk.log.lock().unwrap().clone();
    assert_eq!(log.iter().filter(|line| *line == "journal confirmed").count(), 1, "{on_the_wire} {log:?}");
    assert!(!log.contains(&"journal dropped".to_owned()), "the next console may send it");
}

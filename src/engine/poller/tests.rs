use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::id::SourceId;
use crate::domain::source::{SourceHealth, SourceKind};
use crate::engine::testing::at;
use crate::sources::error::{Fault, Rejection, Stage};

#[derive(Clone)]
enum Does {
    Answers,
    Takes(u64),
    Status(u16),
    Hangs,
    LowBudget(i64),
}

#[derive(Clone, Default)]
struct Stage1 {
    script: Arc<Mutex<VecDeque<Does>>>,
    asked: Arc<Mutex<Vec<(f64, &'static str)>>>,
    has_new_token: Arc<AtomicBool>,
}

struct FakeSource {
    stage: Stage1,
    began: Instant,
}

impl Source for FakeSource {
    type Question = &'static str;

    fn questions(&self) -> Vec<&'static str> {
        vec!["list", "people", "focus"]
    }
    fn primary(&self) -> &'static str {
        "list"
    }
    fn every(&self, question: &'static str) -> Option<Duration> {
        match question {
            "list" => Some(Duration::from_secs(10)),
            "people" => Some(Duration::from_secs(600)),
            _ => None,
        }
    }
    fn what(&self, question: &'static str) -> &'static str {
        question
    }
    fn target(&self) -> &str {
        "fake"
    }
    async fn ask(&mut self, question: &'static str) -> Result<Answer<&'static str>, Trouble> {
        self.stage.asked.lock().unwrap().push((self.began.elapsed().as_secs_f64(), question));
        let does = match question {
            "list" => self.stage.script.lock().unwrap().pop_front().unwrap_or(Does::Answers),
            _ => Does::Answers,
        };
        match does {
            Does::Answers => Ok(Answer::default()),
            Does::Takes(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                Ok(Answer::default())
            }
            Does::Hangs => {
                sleep(Duration::from_secs(30)).await;
                Err(SourceError::from(Fault::Timeout(Stage::Answer, Duration::from_secs(30))).into())
            }
            Does::Status(status) => {
                let rejection = Rejection { status, code: None, message: Clean::default() };
                Err(SourceError::from(Fault::Rejected(rejection)).into())
            }
            Does::LowBudget(resets_in) => {
                let resets_at = at(0) + chrono::TimeDelta::seconds(resets_in);
                let budget = Some(RateBudget { limit: 960, remaining: 10, resets_at });
                Ok(Answer { budget, ..Answer::default() })
            }
        }
    }
    fn heed(&mut self, order: Order) -> Vec<&'static str> {
        if matches!(order, Order::Focus(_)) { vec!["focus"] } else { Vec::new() }
    }
    async fn renew(&mut self, _is_asked: bool) -> bool {
        self.stage.has_new_token.swap(false, Ordering::SeqCst)
    }
}

struct Bench {
    stage: Stage1,
    orders: mpsc::Sender<Order>,
    facts: mpsc::Receiver<Fact>,
    stop: CancellationToken,
}

fn bench(script: Vec<Does>) -> Bench {
    let stage = Stage1 { script: Arc::new(Mutex::new(script.into())), ..Stage1::default() };
    let (facts, told) = mpsc::channel(4096);
    let (orders, mut received) = mpsc::channel(ORDERS);
    let stop = CancellationToken::new();
    let around = Around {
        facts: facts.clone(),
        clock: Clock::starting_at(at(0)),
        chance: Chance::Most,
        stop: stop.clone(),
        answers: None,
    };
    let source = FakeSource { stage: stage.clone(), began: Instant::now() };
    #[expect(clippy::disallowed_methods, reason = "the test itself watches over this task")]
    tokio::task::spawn(async move {
        let id = SourceId::parse("fake").unwrap();
        let vital = Vital::new(id, SourceKind::PagerDuty, chrono::Duration::seconds(10), facts);
        Poller::new(source, vital, &around).run(&mut received).await;
    });
    Bench { stage, orders, facts: told, stop }
}

impl Bench {
    fn asked(&self, question: &str) -> Vec<f64> {
        let asked = self.stage.asked.lock().unwrap();
        asked.iter().filter(|(_, known)| *known == question).map(|(when, _)| *when).collect()
    }

    fn healths(&mut self) -> Vec<SourceHealth> {
        let mut healths = Vec::new();
        while let Ok(fact) = self.facts.try_recv() {
            if let Fact::HealthChanged(health) = fact {
                healths.push(health);
            }
        }
        healths
    }
}

async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

#[tokio::test(start_paused = true)]
async fn questions_come_at_their_cadence_and_health_tells_only_changes() {
    let mut bench = bench(Vec::new());
    seconds(61).await;
    let asked = bench.asked("list");
    assert_eq!(asked.len(), 6, "{asked:?}");
    assert!(asked.windows(2).all(|pair| (9.5..=10.51).contains(&(pair[1] - pair[0]))), "{asked:?}");
    assert_eq!(bench.asked("people").len(), 1);
    let healths = bench.healths();
    assert_eq!(healths.len(), 1 + 6, "unasked, then one for each answer");
    assert_eq!(healths.first().map(|health| health.reach.clone()), Some(Reach::Unasked));
    bench.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_429_is_met_with_patience() {
    let mut bench = bench(vec![Does::Status(429); 1_000]);
    seconds(600).await;
    let asked = bench.asked("list");
    assert!(asked.len() <= 20, "{} requests in ten minutes of 429", asked.len());
    assert!(bench.asked("people").len() <= 2, "the other questions wait too");
    let Reach::Down { failure, retry_at } = bench.healths().last().unwrap().reach.clone() else { panic!("not down") };
    assert_eq!(failure.kind, FailureKind::RateLimited);
    assert!(retry_at.is_some());
    bench.stage.script.lock().unwrap().clear();
    seconds(61).await;
    assert!(matches!(bench.healths().last().unwrap().reach, Reach::Up), "back within a minute");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_is_shown_with_its_age_and_is_the_only_one() {
    let mut bench = bench(vec![Does::Answers, Does::Hangs]);
    seconds(15).await;
    let health = bench.healths().pop().unwrap();
    assert!(health.asking_since.is_some());
    assert!(matches!(health.reach, Reach::Up), "the old data stays");
    seconds(10).await;
    assert_eq!(bench.asked("list").len(), 2);
    seconds(20).await;
    let healths = bench.healths();
    assert!(healths.iter().any(|health| matches!(health.reach, Reach::Down { .. }) && health.asking_since.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_gets_as_long_a_rest() {
    let bench = bench(vec![Does::Takes(58), Does::Takes(58)]);
    seconds(200).await;
    let asked = bench.asked("list");
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!((asked[1] - 116.0).abs() < 1.0, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_stops_polls_until_there_is_a_new_one() {
    let mut bench = bench(vec![Does::Status(401), Does::Answers]);
    seconds(3_600).await;
    assert_eq!(bench.asked("list").len(), 1);
    let health = bench.healths().pop().unwrap();
    assert!(matches!(health.reach, Reach::Forbidden { .. }));
    bench.stage.has_new_token.store(true, Ordering::SeqCst);
    seconds(61).await;
    assert!(matches!(bench.healths().pop().unwrap().reach, Reach::Up));
    assert!(bench.asked("list").len() >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_person_can_make_it_ask_with_the_same_token() {
    let mut bench = bench(vec![Does::Status(403), Does::Answers]);
    seconds(5).await;
    bench.orders.send(Order::Refresh).await.unwrap();
    seconds(1).await;
    assert_eq!(bench.asked("list").len(), 2);
    assert!(matches!(bench.healths().pop().unwrap().reach, Reach::Up));
}

#[tokio::test(start_paused = true)]
async fn refresh_asks_now_but_not_more_often_than_makes_sense() {
    let bench = bench(Vec::new());
    seconds(3).await;
    for _ in 0..50 {
        let _ = bench.orders.try_send(Order::Refresh);
    }
    seconds(1).await;
    assert_eq!((bench.asked("list").len(), bench.asked("people").len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn polls_leave_a_low_budget_to_actions() {
    let bench = bench(vec![Does::LowBudget(60)]);
    bench.orders.send(Order::Refresh).await.unwrap();
    seconds(55).await;
    assert_eq!(bench.asked("list").len(), 1);
    seconds(10).await;
    assert_eq!(bench.asked("list").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_focus_is_asked_at_once() {
    let bench = bench(Vec::new());
    seconds(3).await;
    bench.orders.send(Order::Focus(None)).await.unwrap();
    tokio::task::yield_now().await;
    seconds(1).await;
    assert_eq!(bench.asked("focus").len(), 1);
}

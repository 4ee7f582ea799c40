//! How often a provider is asked by a room of many consoles: the pollers as they are, a provider and a room's database
//! of a few lines, on whatever clock the runtime has. For the bench and its test.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::domain::fact::Fact;
use crate::domain::id::SourceId;
use crate::domain::source::SourceKind;
use crate::engine::clock::{Chance, Clock};
use crate::engine::poller::{Answer, Around, Order, Poller, Source, Trouble};
use crate::engine::vital::Vital;
use crate::sources::error::SourceError;
use crate::sources::http::share::{self, Answers, Ask, Turn};

/// How often a console asks.
const EVERY: Duration = Duration::from_secs(10);

/// How long the provider takes.
const TAKES: Duration = Duration::from_millis(120);

/// How long a look into the room's database takes.
const LOOK: Duration = Duration::from_millis(3);

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How often the provider was asked.
    pub calls: u64,
    /// The most calls that were on their way at the same time.
    pub at_once: u64,
    /// How many answers all consoles had together.
    pub answers: u64,
}

#[derive(Default)]
struct Provider {
    calls: AtomicU64,
    now: AtomicU64,
    at_once: AtomicU64,
    answers: AtomicU64,
}

impl Provider {
    async fn ask(&self) -> Bytes {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.at_once.fetch_max(now, Ordering::SeqCst);
        sleep(TAKES).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        Bytes::from_static(b"[]")
    }
}

/// One question to it.
struct Asks {
    provider: Arc<Provider>,
}

impl Source for Asks {
    type Question = ();

    fn questions(&self) -> Vec<()> {
        vec![()]
    }

    fn primary(&self) {}

    fn every(&self, (): ()) -> Option<Duration> {
        Some(EVERY)
    }

    fn what(&self, (): ()) -> &'static str {
        "ask"
    }

    fn target(&self) -> &str {
        "provider"
    }

    async fn ask(&mut self, (): ()) -> Result<Answer<()>, Trouble> {
        let ask = async { Ok(self.provider.ask().await) };
        match share::current() {
            Some(share) => {
                share.body("open", ask).await?;
            }
            None => {
                self.provider.ask().await;
            }
        }
        self.provider.answers.fetch_add(1, Ordering::SeqCst);
        Ok(Answer::default())
    }

    fn heed(&mut self, _order: Order) -> Vec<()> {
        Vec::new()
    }

    async fn renew(&mut self, _is_asked: bool) -> bool {
        false
    }
}

/// What the room's database knows of a question, by the rules of `store::postgres::answers`.
#[derive(Default)]
struct Known {
    answer: Option<(Instant, Duration, Bytes)>,
    lease: Option<(usize, Instant)>,
}

#[derive(Default)]
struct Database {
    known: Mutex<HashMap<String, Known>>,
    listeners: Mutex<Vec<mpsc::Sender<Order>>>,
}

impl Database {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One console's end of it.
struct End {
    me: usize,
    database: Arc<Database>,
}

impl Answers for End {
    fn ask<'a>(&'a self, name: &'a str, label: &'a str, max_age: Duration) -> BoxFuture<'a, Ask> {
        Box::pin(async move {
            loop {
                sleep(LOOK).await;
                let now = Instant::now();
                {
                    let mut all = self.database.known();
                    let known = all.entry(name.to_owned()).or_default();
                    if let Some((got_at, took, body)) = &known.answer
                        && max_age > Duration::ZERO
                        && now.duration_since(*got_at) < max_age.max(*took)
                    {
                        return Ask::Known(body.clone(), now.duration_since(*got_at) + *took);
                    }
                    if known.lease.is_none_or(|(holder, until)| holder == self.me || until <= now) {
                        known.lease = Some((self.me, now + Duration::from_secs(30)));
                        let (me, database) = (self.me, Arc::downgrade(&self.database));
                        return Ask::Yours(Box::new(MyTurn {
                            me,
                            database,
                            name: name.to_owned(),
                            label: label.to_owned(),
                        }));
                    }
                }
                sleep(Duration::from_millis(250)).await;
            }
        })
    }
}

struct MyTurn {
    me: usize,
    database: Weak<Database>,
    name: String,
    label: String,
}

impl Turn for MyTurn {
    fn answered(self: Box<Self>, body: Bytes, took: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            sleep(LOOK).await;
            let Some(database) = self.database.upgrade() else { return };
            {
                let mut all = database.known();
                let known = all.entry(self.name.clone()).or_default();
                known.answer = Some((Instant::now(), took, body));
                known.lease = None;
            }
            let listeners = database.listeners.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, listener) in listeners.iter().enumerate().filter(|(at, _)| *at != self.me) {
                let _ = listener.try_send(Order::Heard(self.label.clone()));
            }
        })
    }

    fn failed(self: Box<Self>, _error: Option<&SourceError>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// So many consoles of one room for so long. `is_shared`: false leaves each to itself.
pub async fn ask_together(consoles: usize, span: Duration, is_shared: bool) -> Asked {
    let provider = Arc::new(Provider::default());
    let database = Arc::new(Database::default());
    let stop = CancellationToken::new();
    let clock = Clock::starting_at(DateTime::UNIX_EPOCH);
    let mut running = JoinSet::new();
    for me in 0..consoles {
        let (orders, mut received) = mpsc::channel(64);
        database.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(orders);
        let end: Arc<dyn Answers> = Arc::new(End { me, database: Arc::clone(&database) });
        let (facts, mut told) = mpsc::channel::<Fact>(64);
        let (stop, clock) = (stop.clone(), clock.clone());
        let around =
            Around { facts: facts.clone(), clock, chance: Chance::System, stop, answers: is_shared.then_some(end) };
        let source = Asks { provider: Arc::clone(&provider) };
        let Some(id) = SourceId::parse("provider") else { continue };
        running.spawn(async move {
            // People open their consoles one after the other.
            sleep(Duration::from_millis(u64::try_from(me).unwrap_or(0) % 10_000)).await;
            let vital = Vital::new(id, SourceKind::PagerDuty, chrono::Duration::seconds(10), facts);
            let poll = Poller::new(source, vital, &around).run(&mut received);
            let drain = async { while told.recv().await.is_some() {} };
            tokio::select! {
                () = poll => {}
                () = drain => {}
            }
        });
    }
    sleep(span).await;
    stop.cancel();
    while running.join_next().await.is_some() {}
    Asked {
        calls: provider.calls.load(Ordering::SeqCst),
        at_once: provider.at_once.load(Ordering::SeqCst),
        answers: provider.answers.load(Ordering::SeqCst),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hundred_consoles_ask_about_as_often_as_one_and_know_as_much() {
        let span = Duration::from_secs(600);
        let one = ask_together(1, span, true).await;
        let many = ask_together(100, span, true).await;
        assert!(many.calls * 10 <= one.calls * 11, "{many:?} against {one:?}");
        assert_eq!(many.at_once, 1);
        // An answer that a newer one has overtaken before a console looked is not wanted any more.
        assert!(many.answers >= one.answers * 80, "each console sees the answers: {many:?} against {one:?}");
        let alone = ask_together(100, span, false).await;
        assert!(alone.calls >= one.calls * 90, "unshared they ask a hundred times as often: {alone:?}");
    }
}

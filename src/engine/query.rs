//! Questions to one Prometheus: a few at a time, each with its own deadline, a newer one instead of an older one that
//! still waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::link::Link;
use super::poller::Around;
use super::vital::Vital;
use crate::domain::effect::{QueryId, QueryTime};
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::series::QueryResult;
use crate::domain::source::Reach;
use crate::sources::prometheus::Client;
use crate::text::Clean;

/// Questions one server is asked at the same time; Prometheus itself runs 20, for everybody.
const SIDE_BY_SIDE: usize = 4;

/// How long one answer may take; a panel that is asked again each quarter of a minute gains nothing from a later one.
const DEADLINE: Duration = Duration::from_secs(30);

/// Questions that may wait; forty panels of eight queries would be 320, and a newer one replaces its older self.
pub(crate) const WAITING: usize = 512;

/// Without questions the server is looked at this often, so that its health is known before somebody needs it.
pub(crate) const LOOK: Duration = Duration::from_secs(60);

/// Health is told at most this often while nothing but its time changes.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// What the server is asked.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// A panel's question.
    Query(Query),
    /// Look whether it is there.
    Look,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) id: QueryId,
    pub(crate) promql: String,
    pub(crate) time: QueryTime,
}

enum Came {
    Answer(QueryId, Result<Arc<QueryResult>, Failure>),
    Version(Result<Option<Clean>, Failure>),
}

/// One server's questions.
pub(crate) struct Asker<'a> {
    link: Arc<Link<Client>>,
    target: String,
    vital: Vital,
    around: &'a Around,
    waiting: VecDeque<Query>,
    running: FuturesUnordered<BoxFuture<'static, Came>>,
    queries: usize,
    look_at: Instant,
    told_at: Option<Instant>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(link: Arc<Link<Client>>, target: String, vital: Vital, around: &'a Around) -> Self {
        let (waiting, running) = (VecDeque::new(), FuturesUnordered::new());
        Self { link, target, vital, around, waiting, running, queries: 0, look_at: Instant::now(), told_at: None }
    }

    /// Runs until the engine stops or the questions end.
    pub(crate) async fn run(mut self, asks: &mut mpsc::Receiver<Ask>) {
        self.vital.tell().await;
        loop {
            tokio::select! {
                biased;
                () = self.around.stop.cancelled() => return,
                Some(came) = self.running.next(), if !self.running.is_empty() => self.came(came).await,
                ask = asks.recv() => match ask {
                    Some(Ask::Query(query)) => self.line_up(query).await,
                    Some(Ask::Look) => self.look().await,
                    None => return,
                },
                () = sleep_until(self.look_at) => self.look().await,
            }
            self.start();
        }
    }

    /// A question that still waits is replaced by the same question at a later time: nobody wants its answer any more.
    async fn line_up(&mut self, query: Query) {
        if let Some(older) =
            self.waiting.iter_mut().find(|older| older.promql == query.promql && same_kind(older, &query))
        {
            *older = query;
            return;
        }
        if self.waiting.len() >= WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            let result =
                Err(self.failure(FailureKind::Timeout, "too many questions wait for this server", "close panels"));
            self.tell_answer(oldest.id, result).await;
        }
        self.waiting.push_back(query);
    }

    fn start(&mut self) {
        while self.queries < SIDE_BY_SIDE
            && let Some(query) = self.waiting.pop_front()
        {
            self.queries += 1;
            let (link, target) = (Arc::clone(&self.link), self.target.clone());
            let late = self.failure(FailureKind::Timeout, "no answer within 30 s", "ask for less, or look at its load");
            self.running.push(Box::pin(async move {
                let asking = async {
                    let client = link.get().await?;
                    let answer = client.query(&query.promql, query.time).await;
                    answer.map(Arc::new).map_err(|error| error.into_failure("query", &target))
                };
                Came::Answer(query.id, timeout(DEADLINE, asking).await.unwrap_or(Err(late)))
            }));
        }
    }

    async fn look(&mut self) {
        self.look_at = Instant::now() + LOOK;
        if matches!(self.vital.reach(), Reach::Forbidden { .. }) && self.link.is_quiet {
            self.link.renew().await;
        }
        let (link, target) = (Arc::clone(&self.link), self.target.clone());
        let late = self.failure(FailureKind::Timeout, "no answer within 30 s", "look at its load");
        self.running.push(Box::pin(async move {
            let asking = async {
                let client = link.get().await?;
                client.version().await.map_err(|error| error.into_failure("look at", &target))
            };
            Came::Version(timeout(DEADLINE, asking).await.unwrap_or(Err(late)))
        }));
    }

    async fn came(&mut self, came: Came) {
        let failure = match came {
            Came::Answer(id, result) => {
                self.queries = self.queries.saturating_sub(1);
                self.look_at = Instant::now() + LOOK;
                let failure = result.as_ref().err().cloned();
                self.tell_answer(id, result).await;
                failure
            }
            Came::Version(Ok(version)) => {
                self.vital.beside(None, None, version);
                None
            }
            Came::Version(Err(failure)) => Some(failure),
        };
        let was_up = self.vital.is_up();
        match failure {
            None => self.vital.answered(self.around.clock.now(), 0),
            Some(failure) => self.failed(failure),
        }
        let is_due = self.told_at.is_none_or(|told| told.elapsed() >= TELL_AGAIN);
        if is_due || was_up != self.vital.is_up() {
            self.told_at = Some(Instant::now());
            self.vital.tell().await;
        }
    }

    /// A question that the server understood and refused says nothing against the server.
    fn failed(&mut self, failure: Failure) {
        match failure.kind {
            FailureKind::Refused | FailureKind::TooLarge => self.vital.answered(self.around.clock.now(), 0),
            FailureKind::Unauthorised | FailureKind::Forbidden => self.vital.failed(Reach::Forbidden { failure }),
            _ => self.vital.failed(Reach::Down { failure, retry_at: None }),
        }
    }

    async fn tell_answer(&mut self, id: QueryId, result: Result<Arc<QueryResult>, Failure>) {
        let at = self.around.clock.now();
        let _ = self.around.facts.send(Fact::QueryAnswered { id, at, result }).await;
    }

    fn failure(&self, kind: FailureKind, cause: &str, remedy: &str) -> Failure {
        Failure {
            kind,
            what: Clean::new("query"),
            target: Clean::new(&self.target),
            cause: Clean::new(cause),
            remedy: Clean::new(remedy),
        }
    }
}

fn same_kind(one: &Query, other: &Query) -> bool {
    match (one.time, other.time) {
        (QueryTime::Instant(_), QueryTime::Instant(_)) => true,
        // Two panes may draw the same expression over different spans.
        (QueryTime::Range(one), QueryTime::Range(other)) => {
            one.step_ms == other.step_ms && one.end - one.start == other.end - other.start
        }
        _ => false,
    }
}

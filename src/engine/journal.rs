//! The door to the journal: opens it in the background, says when it cannot be used and when it can again.
//!
//! The console goes on without a journal; only actions do not: one that cannot be written down first is refused.

use std::sync::Arc;

use std::time::Instant;

use chrono::Duration;
use tokio::sync::{Mutex, Notify, mpsc};
use uuid::Uuid;

use super::clock::Clock;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::OpId;
use crate::domain::run::RunEvent;
use crate::domain::time::Timestamp;
use crate::store::postgres::Address;
use crate::store::shared::SharedRoom;
use crate::store::sqlite::{self, SqliteJournal};
use crate::store::{Entry, Notice, OutboxRow, Paging, Placed, SharedJournal, StoreError};
use crate::text::Clean;

/// Names the problem that the journal cannot be used.
pub(crate) const PROBLEM: &str = "journal";

/// Records read at once.
const PAGE: u32 = 500;

/// Opens the journal that the config names; a test brings its own.
pub(crate) type Open =
    Box<dyn Fn() -> futures_util::future::BoxFuture<'static, Result<SharedJournal, StoreError>> + Send + Sync>;

/// Why something was not written.
#[derive(Debug)]
pub(crate) enum Unkept {
    /// The journal could not take it.
    Failed(Failure),
    /// Another console has the action by now.
    TakenOver,
}

impl Unkept {
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Failed(failure) => failure,
            Self::TakenOver => StoreError::TakenOver.failure("write an action's progress into"),
        }
    }
}

/// Opens the journal on first use and again after it failed.
pub(crate) struct Door {
    open: Open,
    state: Mutex<State>,
    facts: mpsc::Sender<Fact>,
    clock: Clock,
    /// Wakes who waits until the journal is open.
    is_open: Notify,
    /// Others wrote something: told to whoever follows runs.
    news: Notify,
}

#[derive(Default)]
struct State {
    journal: Option<SharedJournal>,
    is_troubled: bool,
}

impl Door {
    /// To the journal that `[room] journal` names, or to the room that is shared.
    pub(crate) fn new(journal: &str, shared: Option<Arc<SharedRoom>>, facts: mpsc::Sender<Fact>, clock: Clock) -> Self {
        if let Some(room) = shared {
            let open: Open = Box::new(move || {
                let room: SharedJournal = Arc::<SharedRoom>::clone(&room);
                Box::pin(async move { Ok(room) })
            });
            return Self::with(open, facts, clock);
        }
        #[cfg(test)]
        if let Some(open) = super::simulation::seam::journal() {
            return Self::with(open, facts, clock);
        }
        let journal = journal.to_owned();
        let open: Open = Box::new(move || {
            let place = match Address::is_one(&journal) {
                true => Address::parse(&journal).and_then(|_| sqlite::place(&journal)),
                false => sqlite::place(&journal),
            };
            Box::pin(async move {
                let opened: SharedJournal = Arc::new(SqliteJournal::open(place?).await?);
                Ok(opened)
            })
        });
        Self::with(open, facts, clock)
    }

    pub(crate) fn with(open: Open, facts: mpsc::Sender<Fact>, clock: Clock) -> Self {
        Self { open, state: Mutex::new(State::default()), facts, clock, is_open: Notify::new(), news: Notify::new() }
    }

    /// Durable when it returns `Ok`; `what` is what could not be done without, for the failure's sentence.
    pub(crate) async fn append(&self, what: &str, entries: Vec<Entry>) -> Result<(), Unkept> {
        let journal = self.journal(what).await.map_err(Unkept::Failed)?;
        match journal.append(entries).await {
            Err(StoreError::TakenOver) => Err(Unkept::TakenOver),
            outcome => self.told(what, outcome).await.map_err(Unkept::Failed),
        }
    }

    /// One action as the journal has it.
    pub(crate) async fn action(&self, op: OpId) -> Option<OutboxRow> {
        let what = "read an action from";
        let journal = self.journal(what).await.ok()?;
        let outcome = journal.action(op).await;
        self.told(what, outcome).await.ok().flatten()
    }

    /// Records from the journal, for what other consoles did.
    pub(crate) async fn page(&self, paging: Paging, limit: u32) -> Result<Vec<Placed>, Failure> {
        let what = "read entries from";
        let journal = self.journal(what).await?;
        let outcome = journal.page(paging, limit).await;
        self.told(what, outcome).await
    }

    /// Until when actions of this console may be sent.
    pub(crate) async fn holds_until(&self) -> Option<Instant> {
        self.state.lock().await.journal.as_ref().and_then(|journal| journal.holds_until())
    }

    /// Which writer this console is, where the journal is open.
    pub(crate) async fn writer(&self) -> Option<Uuid> {
        self.state.lock().await.journal.as_ref().map(|journal| journal.writer())
    }

    /// Has the whole journal looked over in the background.
    pub(crate) async fn check(&self) {
        if let Some(journal) = &self.state.lock().await.journal {
            journal.check();
        }
    }

    /// Returns when another console wrote something.
    pub(crate) async fn changed(&self) {
        self.once_open().await.changed().await;
    }

    /// Says on that another console wrote something.
    pub(crate) fn pass_on(&self) {
        self.news.notify_one();
    }

    /// Returns when [`Door::pass_on`] was called since it was asked last.
    pub(crate) async fn news_came(&self) {
        self.news.notified().await;
    }

    /// The next thing about the journal itself that a person has to know, as a fact.
    pub(crate) async fn notice(&self) -> Fact {
        let notice = self.once_open().await.notice().await;
        let (key, failure) = problem(&notice);
        Fact::ProblemFound { key: key.to_owned(), failure, at: self.clock.now() }
    }

    async fn once_open(&self) -> SharedJournal {
        loop {
            let opened = self.is_open.notified();
            if let Some(journal) = &self.state.lock().await.journal {
                return Arc::clone(journal);
            }
            opened.await;
        }
    }

    /// Unsettled actions of consoles that are gone.
    pub(crate) async fn adopt(&self) -> Result<Vec<OutboxRow>, Failure> {
        let what = "take over unfinished actions from";
        let journal = self.journal(what).await?;
        let outcome = journal.adopt().await;
        self.told(what, outcome).await
    }

    /// Actions since then, whatever became of them.
    pub(crate) async fn actions_since(&self, since: Timestamp) -> Result<Vec<OutboxRow>, Failure> {
        let what = "read earlier actions from";
        let journal = self.journal(what).await?;
        let outcome = journal.actions_since(since).await;
        self.told(what, outcome).await
    }

    /// The last word on every step ticked in the last `span`.
    pub(crate) async fn ticks(&self, span: Duration) -> Result<Vec<Entry>, Failure> {
        let what = "read ticked steps from";
        let journal = self.journal(what).await?;
        let outcome = journal.ticks(self.clock.now(), span).await;
        self.told(what, outcome).await
    }

    /// The events of runs that came after a place, and the place of the last record.
    pub(crate) async fn run_events(&self, after: u64) -> Result<(Vec<RunEvent>, u64), Failure> {
        let what = "read runs from";
        let journal = self.journal(what).await?;
        let (mut found, mut place) = (Vec::new(), after);
        loop {
            let outcome = journal.page(Paging::After(place), PAGE).await;
            let page = self.told(what, outcome).await?;
            let is_last = page.len() < PAGE as usize;
            for (at, record) in page {
                place = place.max(at);
                if record.kind != "run" {
                    continue;
                }
                if let Some(Entry::Run(event)) = record.entry() {
                    found.push(event);
                }
            }
            if is_last {
                return Ok((found, place));
            }
        }
    }

    pub(crate) async fn close(&self) {
        let journal = self.state.lock().await.journal.take();
        if let Some(journal) = journal {
            journal.close().await;
        }
    }

    async fn journal(&self, what: &str) -> Result<SharedJournal, Failure> {
        let mut state = self.state.lock().await;
        if let Some(journal) = &state.journal {
            return Ok(Arc::clone(journal));
        }
        match (self.open)().await {
            Ok(journal) => {
                self.is_open.notify_waiters();
                Ok(Arc::clone(state.journal.insert(journal)))
            }
            Err(cause) => {
                let failure = cause.failure(what);
                self.trouble(&mut state, &failure).await;
                Err(failure)
            }
        }
    }

    async fn told<T>(&self, what: &str, outcome: Result<T, StoreError>) -> Result<T, Failure> {
        let mut state = self.state.lock().await;
        match outcome {
            Ok(value) => {
                if std::mem::take(&mut state.is_troubled) {
                    let _ = self.facts.send(Fact::ProblemCleared { key: PROBLEM.to_owned() }).await;
                }
                Ok(value)
            }
            // The journal is well; this one thing is not to be done.
            Err(cause) if is_answer(&cause) => Err(cause.failure(what)),
            Err(cause) => {
                if matches!(cause, StoreError::Closed) {
                    state.journal = None;
                }
                let failure = cause.failure(what);
                self.trouble(&mut state, &failure).await;
                Err(failure)
            }
        }
    }

    async fn trouble(&self, state: &mut State, failure: &Failure) {
        tracing::error!(%failure, "the journal cannot be used");
        if !std::mem::replace(&mut state.is_troubled, true) {
            let at = self.clock.now();
            let problem = Fact::ProblemFound { key: PROBLEM.to_owned(), failure: failure.clone(), at };
            let _ = self.facts.send(problem).await;
        }
    }
}

/// What a sound journal may say to one entry.
fn is_answer(cause: &StoreError) -> bool {
    matches!(cause, StoreError::TakenOver | StoreError::Overtaken(_) | StoreError::Held(_) | StoreError::ReadOnly(_))
}

/// What a person reads about the journal, and under which name it is shown once.
fn problem(notice: &Notice) -> (&'static str, Failure) {
    let failure = |what: &str, target: &str, cause: &str, remedy: &str| Failure {
        kind: FailureKind::Journal,
        what: Clean::new(what),
        target: Clean::new(target),
        cause: Clean::new(cause),
        remedy: Clean::new(remedy),
    };
    match notice {
        Notice::Salvaged { kept, recovered } => {
            let cause = format!("it was damaged; {recovered} entries could be read and stand in a new journal");
            let remedy = "the damaged file is kept; what may have been sent is looked up before anything is sent again";
            ("journal-salvaged", failure("read the journal", kept, &cause, remedy))
        }
        Notice::Damaged { path, cause } => {
            let cause = format!("it is damaged ({cause}) and another console uses it");
            let remedy = "close the other consoles: the next start sets the file aside and saves what can be read";
            ("journal-damaged", failure("read the journal", path, &cause, remedy))
        }
        Notice::ReadOnly { path, cause } => {
            let remedy = "upgrade this console, or name another file in [room] journal; actions are refused";
            ("journal-read-only", failure("write the journal", path, cause, remedy))
        }
    }
}

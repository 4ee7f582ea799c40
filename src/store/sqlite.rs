//! The journal in one SQLite file: WAL, synchronous FULL, one transaction and so one fsync per state change.
//!
//! One task owns the connection, so that a caller that goes away cannot cut a transaction in two; calls that wait at
//! the same time share a commit. After a database error the connection is given up and made anew at the next call: what
//! an fsync that failed left behind is not to be trusted.

mod migrate;
mod open;
mod outbox;
mod presence;
mod rows;
mod salvage;
mod seat;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration as Span, Instant};

use chrono::Duration;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{Entry, Imported, Journal, Notice, OutboxRow, Paging, Placed, Record, StoreError};
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use outbox::Prepared;
use presence::Presence;
use seat::Seat;
use writer::{Call, Reply, Writer};

pub use open::{OLDEST_SQLITE, sqlite_version};

/// Calls that may wait for the writer; beyond that callers wait. Actions come at human speed.
const WAITING_CALLS: usize = 256;

/// Notices that may wait; more would only repeat.
const NOTICES: usize = 16;

/// How often it is looked whether another console wrote something. A look reads one page and writes nothing.
const LOOKS_EVERY: Span = Span::from_secs(5);

/// Where the journal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file; it and its folder are made when they are missing, for the owner only.
    File(PathBuf),
    /// Nowhere: gone with the process. For the demo and for tests.
    Memory,
}

/// How often a file that looks damaged while others use it is looked at again, and how long between.
const LOOKS: u32 = 20;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(50);

/// A journal in SQLite.
#[derive(Debug)]
pub struct SqliteJournal {
    calls: mpsc::Sender<Call>,
    id: Uuid,
    place: Place,
    holds: Arc<Mutex<Option<Instant>>>,
    notices: tokio::sync::Mutex<mpsc::Receiver<Notice>>,
    /// What the file said of other connections' writes at the last look.
    seen: Mutex<Option<i64>>,
}

impl SqliteJournal {
    /// Opens or makes the journal and starts its writer task.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the place cannot be a journal: a folder, a file of something else, no permission.
    /// [`StoreError::Database`] when SQLite refuses.
    pub async fn open(place: Place) -> Result<Self, StoreError> {
        let presence = match &place {
            Place::File(path) => {
                match open::prepare(path) {
                    Ok(()) | Err(StoreError::Damaged { .. }) => {}
                    Err(cause) => return Err(cause),
                }
                let presence = Presence::announce(path).map_err(|cause| open::unusable(path, &cause))?;
                // A file that another console is just making looks damaged for a moment; one that is damaged stays so.
                for _ in 0..LOOKS {
                    let is_damaged = matches!(open::prepare(path), Err(StoreError::Damaged { .. }));
                    if !is_damaged || presence.alone().is_some() {
                        break;
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Some(presence)
            }
            Place::Memory => None,
        };
        let id = presence.as_ref().map_or_else(Uuid::new_v4, Presence::id);
        let (notify, notices) = mpsc::channel(NOTICES);
        let holds = Arc::new(Mutex::new(None));
        let mut writer = Writer::new(place.clone(), presence, Seat::new(id), notify, Arc::clone(&holds));
        writer.connect().await?;
        let (calls, waiting) = mpsc::channel(WAITING_CALLS);
        #[expect(
            clippy::disallowed_methods,
            reason = "the writer answers for itself: its callers learn when it is gone"
        )]
        tokio::spawn(writer.run(waiting, calls.downgrade()));
        Ok(Self { calls, id, place, holds, notices: tokio::sync::Mutex::new(notices), seen: Mutex::new(None) })
    }

    async fn ask<T>(&self, call: impl FnOnce(Reply<T>) -> Call) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(call(reply)).await.map_err(|_gone| StoreError::Closed)?;
        answer.await.map_err(|_gone| StoreError::Closed)?
    }

    /// True when another connection wrote since the last look.
    async fn was_changed(&self) -> bool {
        let Ok(version) = self.ask(Call::DataVersion).await else { return false };
        let before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).replace(version);
        before.is_some_and(|before| before != version)
    }
}

impl Journal for SqliteJournal {
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let prepared = entries.iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
            self.ask(|reply| Call::Append(prepared, reply)).await
        })
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(self.ask(Call::Adopt))
    }

    fn actions_since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(self.ask(move |reply| Call::ActionsSince(since, reply)))
    }

    fn action(&self, op: OpId) -> BoxFuture<'_, Result<Option<OutboxRow>, StoreError>> {
        Box::pin(self.ask(move |reply| Call::Action(op, reply)))
    }

    fn ticks(&self, now: Timestamp, span: Duration) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        let since = now.checked_sub_signed(span).unwrap_or(now);
        Box::pin(self.ask(move |reply| Call::Ticks(since, reply)))
    }

    fn page(&self, paging: Paging, limit: u32) -> BoxFuture<'_, Result<Vec<Placed>, StoreError>> {
        Box::pin(self.ask(move |reply| Call::Page(paging, limit, reply)))
    }

    fn import(&self, records: Vec<Record>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        Box::pin(self.ask(|reply| Call::Import(records, reply)))
    }

    fn holds_until(&self) -> Option<Instant> {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                tokio::time::sleep(LOOKS_EVERY).await;
                if self.was_changed().await {
                    return;
                }
            }
        })
    }

    fn notice(&self) -> BoxFuture<'_, Notice> {
        Box::pin(async move {
            match self.notices.lock().await.recv().await {
                Some(notice) => notice,
                None => std::future::pending().await,
            }
        })
    }

    fn check(&self) {
        let _ = self.calls.try_send(Call::Check);
    }

    fn verify(&self) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            match &self.place {
                Place::File(path) => Ok(open::quick_check(path).await),
                Place::Memory => Ok(None),
            }
        })
    }

    fn writer(&self) -> Uuid {
        self.id
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (done, closed) = oneshot::channel();
            if self.calls.send(Call::Close(done)).await.is_ok() {
                let _ = closed.await;
            }
        })
    }
}

/// What `[room] journal` names: `sqlite:PATH`, a bare path, or `sqlite::memory:`.
///
/// # Errors
/// The sentence for the person when it names something else.
pub fn place(journal: &str) -> Result<Place, StoreError> {
    let path = journal.strip_prefix("sqlite:").unwrap_or(journal);
    let refused = |cause: &str| StoreError::Unusable {
        path: "room.journal".to_owned(),
        cause: cause.to_owned(),
        remedy: "use journal = \"sqlite:PATH\"".to_owned(),
    };
    match path {
        ":memory:" => Ok(Place::Memory),
        "" => Err(refused("no file is named")),
        path if path.contains("://") => Err(refused("shared rooms on a database server are not built in yet")),
        path => Ok(Place::File(PathBuf::from(path))),
    }
}

#[cfg(test)]
mod tests;

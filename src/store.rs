//! The journal and the outbox: what was done, what is on its way. SQLite by default, PostgreSQL for a shared room.
//!
//! The journal is append-only and is the truth; the outbox is kept beside it, in the same transaction, so that one
//! state change is one fsync. Must not talk to providers nor know the screen.

pub mod entry;
pub mod postgres;
pub mod record;
pub mod shared;
pub mod sqlite;

use std::sync::Arc;
use std::time::Instant;

use chrono::Duration;
use futures_util::future::BoxFuture;

use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::text::Clean;

pub use entry::{Entry, OutboxRow};
pub use record::Record;

/// A journal that can be shared between tasks.
pub type SharedJournal = Arc<dyn Journal>;

/// What to do about a damaged journal that others use.
const DAMAGED: &str =
    "nothing was sent; close the other consoles: the next start sets the file aside and saves what can be read";

/// What can go wrong with a journal. Nothing was written when one of these comes back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be used.
    #[error("{path}: {cause}")]
    Unusable {
        /// Which file.
        path: String,
        /// Why, in words.
        cause: String,
        /// What to do.
        remedy: String,
    },
    /// The file is damaged. What can be read of it is saved as soon as no other console uses it.
    #[error("{path} is damaged: {cause}")]
    Damaged {
        /// Which file.
        path: String,
        /// What SQLite says.
        cause: String,
    },
    /// The database refused a statement: disk full, I/O error, locked for too long.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The same, told to each of the calls that shared the commit.
    #[error("{0}")]
    Refused(String),
    /// A row that this version cannot write or read.
    #[error("journal entry: {0}")]
    Entry(#[from] serde_json::Error),
    /// Another console carries this action on: this one was stopped for longer than its lease, and its token is old.
    #[error("another console has taken this action over")]
    TakenOver,
    /// It waits until the room's database is back, because another console may have done it meanwhile.
    #[error("{0}")]
    Held(String),
    /// The room moved on since this was asked.
    #[error("{0}")]
    Overtaken(String),
    /// The room's database is of a newer version.
    #[error("{0}")]
    ReadOnly(String),
    /// The writer task is gone.
    #[error("the journal is closed")]
    Closed,
}

impl StoreError {
    /// The same, for the next of several askers.
    #[must_use]
    pub fn told(&self) -> Self {
        match self {
            Self::Unusable { path, cause, remedy } => {
                Self::Unusable { path: path.clone(), cause: cause.clone(), remedy: remedy.clone() }
            }
            Self::Damaged { path, cause } => Self::Damaged { path: path.clone(), cause: cause.clone() },
            Self::TakenOver => Self::TakenOver,
            Self::Held(why) => Self::Held(why.clone()),
            Self::Overtaken(why) => Self::Overtaken(why.clone()),
            Self::ReadOnly(why) => Self::ReadOnly(why.clone()),
            Self::Closed => Self::Closed,
            other => Self::Refused(other.to_string()),
        }
    }

    /// In words for people.
    #[must_use]
    pub fn failure(&self, what: &str) -> Failure {
        let (target, remedy) = match self {
            Self::Unusable { path, remedy, .. } => (path.as_str(), remedy.as_str()),
            Self::Damaged { path, .. } => (path.as_str(), DAMAGED),
            Self::TakenOver => ("the journal", "it is carried on there; nothing was sent from here"),
            Self::Held(_) => ("the room", "it goes on by itself then"),
            Self::Overtaken(_) => ("the journal", "look at who has it now, then ask again"),
            Self::ReadOnly(_) => ("the room", "upgrade this console; until then it only reads"),
            _ => ("the journal", "nothing was sent; free space or repair the disk, then try again"),
        };
        let cause = match self {
            Self::Unusable { cause, .. } => cause.clone(),
            Self::Damaged { cause, .. } => format!("it is damaged ({cause}) and another console uses it"),
            other => other.to_string(),
        };
        Failure {
            kind: match self {
                Self::TakenOver => FailureKind::TakenOver,
                Self::Held(_) => FailureKind::Held,
                _ => FailureKind::Journal,
            },
            what: Clean::new(what),
            target: Clean::new(target),
            cause: Clean::new(cause),
            remedy: Clean::new(remedy),
        }
    }
}

/// Something about the journal itself that a person has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It was damaged: the file was set aside, what could be read stands in a new one.
    Salvaged {
        /// Where the damaged file is now.
        kept: String,
        /// Entries that were recovered.
        recovered: u64,
    },
    /// It is damaged and in use elsewhere, so that it could not be salvaged yet.
    Damaged {
        /// Which file.
        path: String,
        /// What SQLite says.
        cause: String,
    },
    /// It can be read only: a newer version wrote it.
    ReadOnly {
        /// Which file.
        path: String,
        /// Why.
        cause: String,
    },
}

/// Which part of a journal to read. A place is where a record stands in this journal, from 1, in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// From this place on, the place itself excluded; 0 begins at the beginning. Ascending.
    After(u64),
    /// What stands before this place, the last ones; `u64::MAX` begins at the end. Ascending.
    Before(u64),
}

/// A record and where it stands.
pub type Placed = (u64, Record);

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Records that were new.
    pub new: u64,
    /// Records that were there already, by their id.
    pub known: u64,
}

/// Where facts are kept and from where actions leave. Every method is durable when it returns `Ok`.
///
/// Actions are *held*: the console that asked for one, or took it over, may move it on, and nobody else can while its
/// lease lasts. A console that was stopped for longer gets [`StoreError::TakenOver`].
///
/// Cancel safety: a dropped future does not tear a write in two; it may or may not have happened.
pub trait Journal: Send + Sync {
    /// Appends, all or nothing, with one fsync; the outbox moves along in the same transaction.
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Takes over the actions that are not settled and whose console is gone or was stopped for longer than its lease,
    /// and returns them, oldest first.
    fn adopt(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>>;

    /// Every action asked at or after `since`, oldest first: for the timeline and the problems view after a restart.
    fn actions_since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>>;

    /// One action as it now is.
    fn action(&self, op: OpId) -> BoxFuture<'_, Result<Option<OutboxRow>, StoreError>>;

    /// The last word on every step that was ticked and every role that moved within `span` before `now`.
    fn ticks(&self, now: Timestamp, span: Duration) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>>;

    /// At most `limit` records.
    fn page(&self, paging: Paging, limit: u32) -> BoxFuture<'_, Result<Vec<Placed>, StoreError>>;

    /// Takes records of other journals as they are, each once by its id; an unsettled action among them is not sent
    /// from here.
    fn import(&self, records: Vec<Record>) -> BoxFuture<'_, Result<Imported, StoreError>>;

    /// Until when this console may send what it holds: nobody takes it over before. `None`: the journal has no leases.
    fn holds_until(&self) -> Option<Instant> {
        None
    }

    /// Returns when another console wrote something.
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// The next thing about the journal itself that a person has to know.
    fn notice(&self) -> BoxFuture<'_, Notice> {
        Box::pin(std::future::pending())
    }

    /// Looks the whole journal over in the background; what it finds comes as a [`Notice`].
    fn check(&self) {}

    /// Looks the whole journal over now; `Some` says what is wrong with the file.
    fn verify(&self) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    /// Which writer this console is.
    fn writer(&self) -> uuid::Uuid;

    /// Flushes and closes; later calls fail with [`StoreError::Closed`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

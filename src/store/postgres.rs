//! The journal of a shared room in one PostgreSQL database: every console appends to it, hears of the others through
//! LISTEN/NOTIFY, and does alone what only one may do under a lease with a fencing token.
//!
//! Leases run by the server's clock; a console's own clock decides nothing. Tables are found by the search path, so a
//! schema each makes several rooms of one database. This room is one connection away from being gone: nothing here
//! waits longer than [`Limits::patience`], and what was certainly not written is told apart from what may have been.

mod address;
mod answers;
mod connect;
mod leases;
mod listen;
mod outbox;
mod presence;
mod rows;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::{Entry, OutboxRow, Paging, Placed, Record, StoreError};
use crate::domain::id::OpId;
use crate::domain::sharing::ConsoleId;
use crate::domain::time::Timestamp;

pub use address::Address;
pub use answers::{Answered, Asking};
pub use leases::Lease;
pub use listen::{Heard, Listener};

/// How long a console that ends waits for the database: a terminal that was closed wants its process gone.
const GOODBYE: Duration = Duration::from_millis(700);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For how long a console holds an action or its place in the room without saying that it lives.
    pub holds: Duration,
    /// How long the database may take for one thing; beyond that it counts as away.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { holds: Duration::from_secs(15), patience: Duration::from_secs(4) }
    }
}

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It cannot be reached or cannot write now. Certainly nothing was written.
    #[error("{0}")]
    Away(String),
    /// It did not answer a commit: it may or may not have been written.
    #[error("{0}")]
    Unsure(String),
    /// It is there and refuses, and so would it later.
    #[error("{0}")]
    Refused(StoreError),
}

impl From<sqlx::Error> for Trouble {
    fn from(cause: sqlx::Error) -> Self {
        Self::Away(connect::words(&cause))
    }
}

impl From<StoreError> for Trouble {
    fn from(cause: StoreError) -> Self {
        Self::Refused(cause)
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(cause: serde_json::Error) -> Self {
        Self::Refused(cause.into())
    }
}

/// One console's end of a shared room.
#[derive(Debug)]
pub struct Postgres {
    pool: PgPool,
    me: ConsoleId,
    limits: Limits,
    /// The channel for notices, once the schema was looked at.
    room: OnceCell<Room>,
    /// When the server last heard of this console.
    renewed: Mutex<Instant>,
    /// The fencing token of every action that this console holds.
    tokens: Mutex<HashMap<OpId, i64>>,
}

/// What does not change about a room while it is open.
#[derive(Debug)]
struct Room {
    channel: String,
}

impl Postgres {
    /// Makes the console's end; connects to nothing yet.
    #[must_use]
    pub fn new(address: &Address, me: ConsoleId, limits: Limits) -> Self {
        let pool = connect::pool(address.options(), limits.patience);
        Self { pool, me, limits, room: OnceCell::new(), renewed: Mutex::new(Instant::now()), tokens: Mutex::default() }
    }

    /// This console.
    #[must_use]
    pub fn me(&self) -> ConsoleId {
        self.me
    }

    /// Looks whether the database is there and of a version that can be used; makes or upgrades its tables first.
    ///
    /// # Errors
    /// [`Trouble::Refused`] with [`StoreError::ReadOnly`] when it is newer than this program.
    pub async fn look(&self) -> Result<(), Trouble> {
        self.room().await?;
        self.in_time(async {
            let version = connect::version(&mut *self.pool.acquire().await?).await?;
            connect::check(version)
        })
        .await
    }

    async fn room(&self) -> Result<&Room, Trouble> {
        let open = async {
            let mut connection = self.pool.acquire().await?;
            let channel = connect::prepare(&mut connection).await?;
            Ok(Room { channel })
        };
        self.room.get_or_try_init(|| self.in_time(open)).await
    }

    /// Appends in one transaction: all, in this order, or nothing.
    ///
    /// # Errors
    /// Also [`StoreError::TakenOver`] when an action is about to be sent that another console holds by now, and
    /// [`StoreError::Overtaken`] when a role is somebody else's.
    pub async fn append(&self, records: &[Record]) -> Result<(), Trouble> {
        self.write(records, false).await.map(drop)
    }

    /// Brings in what was written elsewhere: whatever it is, and each record once. How many were new.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn merge(&self, records: &[Record]) -> Result<u64, Trouble> {
        self.write(records, true).await
    }

    async fn write(&self, records: &[Record], is_merge: bool) -> Result<u64, Trouble> {
        let room = self.room().await?;
        let at = Instant::now();
        let written = self
            .in_time(async {
                let mut transaction = self.pool.begin().await?;
                let written = rows::append(&mut transaction, self, records, is_merge, &room.channel).await?;
                Ok((transaction, written))
            })
            .await;
        if matches!(written, Err(Trouble::Refused(StoreError::TakenOver))) {
            self.forget(records);
        }
        let (transaction, written) = written?;
        match timeout(self.limits.patience, transaction.commit()).await {
            Ok(Ok(())) => {
                let mut tokens = self.tokens();
                for (op, token) in written.gained {
                    match token {
                        Some(token) => drop(tokens.insert(op, token)),
                        None => drop(tokens.remove(&op)),
                    }
                }
                drop(tokens);
                self.renewed(at);
                Ok(written.new)
            }
            Ok(Err(cause)) => Err(Trouble::Unsure(connect::words(&cause))),
            Err(_) => Err(Trouble::Unsure("it did not answer in time".to_owned())),
        }
    }

    /// These actions are another console's; should that one go away too, they may come back here.
    fn forget(&self, records: &[Record]) {
        let mut tokens = self.tokens();
        for record in records {
            if let Some(Entry::Moved { op, .. }) = record.entry() {
                tokens.remove(&op);
            }
        }
    }

    /// At most so many records.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn page(&self, paging: Paging, limit: u32) -> Result<Vec<Placed>, Trouble> {
        self.room().await?;
        self.in_time(async { rows::page(&mut *self.pool.acquire().await?, paging, limit).await }).await
    }

    /// One action as it now is.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn action(&self, op: OpId) -> Result<Option<OutboxRow>, Trouble> {
        self.room().await?;
        self.in_time(async { outbox::one(&mut *self.pool.acquire().await?, op).await }).await
    }

    /// Until when what this console holds is its own for certain.
    #[must_use]
    pub fn holds_until(&self) -> Option<Instant> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).checked_add(self.limits.holds)
    }

    /// The server heard of this console at or after `at`.
    fn renewed(&self, at: Instant) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// As [`super::Journal::ticks`].
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn ticks(&self, since: Timestamp) -> Result<Vec<Entry>, Trouble> {
        self.room().await?;
        self.in_time(async { rows::words(&mut *self.pool.acquire().await?, since).await }).await
    }

    /// As [`super::Journal::actions_since`].
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn actions_since(&self, since: Timestamp) -> Result<Vec<OutboxRow>, Trouble> {
        self.room().await?;
        self.in_time(async { outbox::since(&mut *self.pool.acquire().await?, since).await }).await
    }

    /// Takes over the actions whose console let their lease run out; each goes to one console alone.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn adopt(&self) -> Result<Vec<OutboxRow>, Trouble> {
        self.room().await?;
        let adopted = self.in_time(outbox::adopt(self)).await?;
        let mut tokens = self.tokens();
        Ok(adopted
            .into_iter()
            .map(|(row, token)| {
                tokens.insert(row.intent.op, token);
                row
            })
            .collect())
    }

    /// Gives back what this console holds, so that a colleague's need not wait for the leases to run out.
    pub async fn close(&self) {
        if self.room.initialized() {
            let _ = timeout(GOODBYE, leases::let_go(self)).await;
        }
        let _ = timeout(GOODBYE, self.pool.close()).await;
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<OpId, i64>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        let late = || Trouble::Away("it did not answer in time".to_owned());
        timeout(self.limits.patience, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// Leases are written in these.
    fn holds_ms(&self) -> i64 {
        i64::try_from(self.limits.holds.as_millis()).unwrap_or(i64::MAX)
    }
}

/// For the listener's own connection.
fn clone_options(pool: &PgPool) -> PgConnectOptions {
    (*pool.connect_options()).clone()
}

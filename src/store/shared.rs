//! A room that several consoles share: the database of the room while it answers, a journal of this console's own while
//! it does not, and what is in the latter brought into the former when it is back.
//!
//! Nothing is lost, because every entry is durable in one of the two before anything follows from it; nothing is doubled,
//! because an entry has its identity before it is written and stands once wherever it comes. An action that the others
//! may know of is not sent while they cannot be asked: a colleague's console may have taken it over.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex as Turn, Notify, OnceCell, watch};
use uuid::Uuid;

use super::postgres::{Address, Asking, Lease, Limits, Listener, Postgres, Trouble};
use super::record::{Draft, Hash};
use super::sqlite::{Place, SqliteJournal};
use super::{Entry, Imported, Journal, OutboxRow, Paging, Placed, Record, StoreError};
use crate::domain::action::Delivery;
use crate::domain::id::{IncidentId, OpId};
use crate::domain::sharing::{ConsoleId, Present, Sharing};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// Entries brought in with one commit.
const TOGETHER: u32 = 500;

/// Tells the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One console's end of a shared room.
pub struct SharedRoom {
    remote: Postgres,
    shown: String,
    place: Place,
    local: OnceCell<SqliteJournal>,
    /// This console's own records, one after the other. Who holds it writes: nothing slips between the two journals.
    chain: Turn<Chain>,
    sharing: watch::Sender<Standing>,
    apart: Mutex<Apart>,
    news: Notify,
    now: Now,
}

impl std::fmt::Debug for SharedRoom {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SharedRoom({})", self.shown)
    }
}

/// How this console stands to the room.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Not looked yet.
    Unknown,
    Told(Sharing),
}

/// What only the journal of this console knows.
#[derive(Debug, Default)]
struct Apart {
    /// Actions asked for while apart: nobody else can have them.
    ours: HashSet<OpId>,
    /// What was brought in already.
    merged: u64,
}

/// Where this console's own records stand, whichever journal has them.
#[derive(Clone, Copy, Debug, Default)]
struct Chain {
    seq: u64,
    head: Hash,
}

impl SharedRoom {
    /// Makes this console's end; connects to nothing yet. `place` is where it writes while the database is away.
    #[must_use]
    pub fn new(address: &Address, place: Place, now: Now) -> Self {
        Self::with(address, place, now, Limits::default())
    }

    /// The same with other limits, for tests that cannot wait.
    #[must_use]
    pub fn with(address: &Address, place: Place, now: Now, limits: Limits) -> Self {
        Self {
            remote: Postgres::new(address, ConsoleId(Uuid::new_v4()), limits),
            shown: address.shown().to_owned(),
            place,
            local: OnceCell::new(),
            chain: Turn::default(),
            sharing: watch::Sender::new(Standing::Unknown),
            apart: Mutex::default(),
            news: Notify::new(),
            now,
        }
    }

    /// This console.
    #[must_use]
    pub fn me(&self) -> ConsoleId {
        self.remote.me()
    }

    /// Whether what is done here reaches the others; `None` before the first look.
    #[must_use]
    pub fn sharing(&self) -> Option<Sharing> {
        match &*self.sharing.borrow() {
            Standing::Unknown => None,
            Standing::Told(sharing) => Some(sharing.clone()),
        }
    }

    /// Returns when [`SharedRoom::sharing`] is another one.
    pub async fn sharing_changed(&self) {
        let mut changes = self.sharing.subscribe();
        changes.mark_unchanged();
        let _ = changes.changed().await;
    }

    /// Looks for the database where it is away, and brings in what was written meanwhile. True when it is there.
    pub async fn tend(&self) -> bool {
        match self.sharing() {
            Some(Sharing::Shared) => true,
            _ => match self.bring_in().await {
                Ok(()) => true,
                Err(trouble) => {
                    self.troubled(&trouble);
                    false
                }
            },
        }
    }

    async fn bring_in(&self) -> Result<(), Trouble> {
        self.remote.look().await?;
        // Where its own journal cannot be used, there is nothing in it to bring in.
        let local = self.local().await.ok();
        self.merge(local).await?;
        let _chain = self.chain.lock().await;
        self.merge(local).await?;
        let mut apart = self.apart();
        apart.ours.clear();
        drop(apart);
        self.set(Sharing::Shared);
        Ok(())
    }

    async fn merge(&self, local: Option<&SqliteJournal>) -> Result<(), Trouble> {
        let Some(local) = local else { return Ok(()) };
        loop {
            let after = self.apart().merged;
            let page = local.page(Paging::After(after), TOGETHER).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            let last = *last;
            // What this console asked for is carried out by it; what an earlier one left is anybody's.
            let records: Vec<Record> = page.into_iter().map(|(_, record)| record).collect();
            self.remote.merge(&records).await?;
            self.apart().merged = last;
        }
    }

    async fn local(&self) -> Result<&SqliteJournal, StoreError> {
        self.local.get_or_try_init(|| SqliteJournal::open(self.place.clone())).await
    }

    fn troubled(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Away(cause) | Trouble::Unsure(cause) => self.lost(cause),
            Trouble::Refused(StoreError::ReadOnly(why)) => self.set(Sharing::ReadOnly { cause: Clean::new(why) }),
            Trouble::Refused(_) => {}
        }
    }

    fn lost(&self, cause: &str) {
        if matches!(self.sharing(), Some(Sharing::Apart { .. })) {
            return;
        }
        tracing::warn!(room = %self.shown, %cause, "the room's database is away");
        self.set(Sharing::Apart { since: (self.now)(), cause: Clean::new(cause) });
    }

    fn set(&self, sharing: Sharing) {
        self.sharing.send_if_modified(|known| {
            let told = Standing::Told(sharing);
            let is_new = *known != told;
            *known = told;
            is_new
        });
    }

    fn apart(&self) -> MutexGuard<'_, Apart> {
        self.apart.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_apart(&self) -> bool {
        matches!(self.sharing(), Some(Sharing::Apart { .. }))
    }

    /// What the database says; `None` when it is away.
    fn heard<T>(&self, outcome: Result<T, Trouble>) -> Result<Option<T>, StoreError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(Trouble::Refused(cause)) => {
                self.troubled(&Trouble::Refused(cause.told()));
                Err(cause)
            }
            Err(trouble) => {
                self.troubled(&trouble);
                Ok(None)
            }
        }
    }

    async fn write(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let drafts = entries.iter().map(Draft::new).collect::<Result<Vec<_>, _>>()?;
        let mut chain = self.chain.lock().await;
        let mut end = *chain;
        let records: Vec<Record> = drafts
            .into_iter()
            .map(|draft| {
                let record = draft.sealed(self.me().0, end.seq.saturating_add(1), end.head);
                end = Chain { seq: record.seq, head: record.hash };
                record
            })
            .collect();
        let mut is_unsure = false;
        match self.sharing() {
            Some(Sharing::ReadOnly { cause }) => return Err(StoreError::ReadOnly(cause.to_string())),
            Some(Sharing::Apart { .. }) => {}
            _ => {
                let outcome = self.remote.append(&records).await;
                is_unsure = matches!(outcome, Err(Trouble::Unsure(_)));
                if self.heard(outcome)?.is_some() {
                    *chain = end;
                    return Ok(());
                }
            }
        }
        self.write_apart(&entries, records, is_unsure).await?;
        *chain = end;
        Ok(())
    }

    /// As they are: whether a step may be taken is the room's to say, and it says it when they are brought in.
    async fn write_apart(&self, entries: &[Entry], records: Vec<Record>, is_unsure: bool) -> Result<(), StoreError> {
        let mut asked = Vec::new();
        for entry in entries {
            match entry {
                Entry::Intended(intent) if !is_unsure => asked.push(intent.op),
                Entry::Moved { op, delivery: Delivery::Sent, .. } if !self.apart().ours.contains(op) => {
                    let why = "the room's database is away and a colleague's console may have done it";
                    return Err(StoreError::Held(why.to_owned()));
                }
                _ => {}
            }
        }
        self.local().await?.import(records).await?;
        self.apart().ours.extend(asked);
        Ok(())
    }

    /// Says that this console lives and what it looks at.
    pub async fn announce(&self, who: &Clean, looking_at: Option<&IncidentId>) {
        if !self.is_apart()
            && let Err(trouble) = self.remote.announce(who, looking_at).await
        {
            self.troubled(&trouble);
        }
    }

    /// Who is here; `None` while that cannot be known.
    pub async fn present(&self) -> Option<Vec<Present>> {
        if self.is_apart() {
            return None;
        }
        self.heard(self.remote.present().await).ok().flatten()
    }

    /// Begins to listen to the others; `None` while the database is away.
    pub async fn listen(&self) -> Option<Listener> {
        if self.is_apart() {
            return None;
        }
        self.heard(self.remote.listen().await).ok().flatten()
    }

    /// The connection is gone: says so at once, before somebody acts.
    pub fn cut(&self, trouble: &Trouble) {
        self.troubled(trouble);
    }

    /// Somebody wrote something: whoever waits for it reads it.
    pub fn news_came(&self) {
        self.news.notify_one();
    }

    /// The right to do alone what the name says, such as to run an exclusive step. `None` while a colleague has it.
    ///
    /// # Errors
    /// [`StoreError::Held`] while the database is away: then nobody can say that nobody else does it.
    pub async fn take(&self, name: &str, span: Duration) -> Result<Option<Lease>, StoreError> {
        let held = || StoreError::Held("the room's database is away, and a colleague may be doing it".to_owned());
        if self.is_apart() {
            return Err(held());
        }
        self.heard(self.remote.take(name, span).await)?.ok_or_else(held)
    }

    /// Who has it now.
    pub async fn holder(&self, name: &str) -> Option<Clean> {
        if self.is_apart() {
            return None;
        }
        self.heard(self.remote.holder(name).await).ok().flatten().flatten()
    }

    /// Whether it is still this console's.
    pub async fn holds(&self, lease: &Lease) -> bool {
        !self.is_apart() && self.heard(self.remote.holds(lease).await).ok().flatten().unwrap_or(false)
    }

    /// Gives it back.
    pub async fn release(&self, lease: &Lease) {
        let _ = self.heard(self.remote.release(lease).await);
    }

    /// As [`Postgres::ask`]; `None` while the database is away: then each console asks for itself.
    pub async fn ask(&self, name: &str, max_age: Duration, known: &[u8], span: Duration) -> Option<Asking> {
        if self.sharing() != Some(Sharing::Shared) {
            return None;
        }
        self.heard(self.remote.ask(name, max_age, known, span).await).ok().flatten()
    }

    /// As [`Postgres::answered`].
    pub async fn answered(&self, lease: &Lease, label: &str, digest: &[u8], body: &[u8], took: Duration) -> bool {
        self.heard(self.remote.answered(lease, label, digest, body, took).await).ok().flatten().unwrap_or(false)
    }

    /// As [`Postgres::unanswered`].
    pub async fn unanswered(&self, lease: &Lease, pause: Duration, note: &str) {
        let _ = self.heard(self.remote.unanswered(lease, pause, note).await);
    }
}

impl Journal for SharedRoom {
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(entries))
    }

    fn import(&self, records: Vec<Record>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        Box::pin(async move {
            match self.heard(self.remote.merge(&records).await)? {
                Some(new) => Ok(Imported { new, known: (records.len() as u64).saturating_sub(new) }),
                None => Err(StoreError::Held("the room's database is away".to_owned())),
            }
        })
    }

    fn action(&self, op: OpId) -> BoxFuture<'_, Result<Option<OutboxRow>, StoreError>> {
        Box::pin(async move {
            if !self.is_apart()
                && let Some(row) = self.heard(self.remote.action(op).await)?
            {
                return Ok(row);
            }
            self.local().await?.action(op).await
        })
    }

    fn holds_until(&self) -> Option<std::time::Instant> {
        // What was asked for while apart nobody else can have.
        if self.is_apart() { None } else { self.remote.holds_until() }
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.news.notified())
    }

    fn writer(&self) -> Uuid {
        self.me().0
    }

    fn page(&self, paging: Paging, limit: u32) -> BoxFuture<'_, Result<Vec<Placed>, StoreError>> {
        Box::pin(async move {
            match self.heard(self.remote.page(paging, limit).await)? {
                Some(page) => Ok(page),
                None => Err(StoreError::Held("the room's database is away".to_owned())),
            }
        })
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(async move {
            // What earlier consoles left behind is in the room once it is brought in, and is taken over from there.
            // Looking for a database that is away is not for those who carry actions out: they would wait for it.
            if self.sharing().is_none() {
                self.tend().await;
            }
            if self.sharing() != Some(Sharing::Shared) {
                return Ok(Vec::new());
            }
            Ok(self.heard(self.remote.adopt().await)?.unwrap_or_default())
        })
    }

    fn actions_since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(async move {
            if !self.is_apart()
                && let Some(rows) = self.heard(self.remote.actions_since(since).await)?
            {
                return Ok(rows);
            }
            self.local().await?.actions_since(since).await
        })
    }

    fn ticks(&self, now: Timestamp, span: TimeDelta) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move {
            let since = now.checked_sub_signed(span).unwrap_or(now);
            if self.sharing().is_none() {
                self.tend().await;
            }
            if !self.is_apart()
                && let Some(entries) = self.heard(self.remote.ticks(since).await)?
            {
                return Ok(entries);
            }
            self.local().await?.ticks(now, span).await
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.is_apart() {
                self.remote.close().await;
            }
            if let Some(local) = self.local.get() {
                local.close().await;
            }
        })
    }
}

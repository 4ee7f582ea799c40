//! The task that owns the connection: takes calls one after the other, renews the lease of what is held, checkpoints
//! when nobody waits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::outbox::{self, Prepared};
use super::presence::Presence;
use super::seat::{RENEWS_EVERY, Seat};
use super::{Place, open, rows, salvage};
use crate::domain::action::Delivery;
use crate::domain::failure::FailureKind;
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::store::{Entry, Imported, Notice, OutboxRow, Paging, Placed, Record, StoreError};

/// Calls that share one commit.
const SHARED_COMMIT: usize = 64;

/// The write-ahead log is written back when it is longer than this, in bytes, and nobody waits: never inside a commit.
const LONG_LOG: u64 = 4 << 20;

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Debug)]
pub(super) enum Call {
    Append(Vec<Prepared>, Reply<()>),
    Adopt(Reply<Vec<OutboxRow>>),
    ActionsSince(Timestamp, Reply<Vec<OutboxRow>>),
    Action(OpId, Reply<Option<OutboxRow>>),
    Ticks(Timestamp, Reply<Vec<Entry>>),
    Page(Paging, u32, Reply<Vec<Placed>>),
    Import(Vec<Record>, Reply<Imported>),
    DataVersion(Reply<i64>),
    Check,
    Damaged(String),
    Close(oneshot::Sender<()>),
}

/// The task that owns the connection.
#[derive(Debug)]
pub(super) struct Writer {
    place: Place,
    presence: Option<Presence>,
    connection: Option<SqliteConnection>,
    seat: Seat,
    /// Why nothing can be written, where that is so for good.
    only_read: Option<StoreError>,
    /// A write was reported as refused, but may stand in the file.
    is_unsure: bool,
    notices: mpsc::Sender<Notice>,
    holds: Arc<Mutex<Option<Instant>>>,
}

/// One call's rows and its asker.
type Waiting = (Vec<Prepared>, Reply<()>);

impl Writer {
    pub(super) fn new(
        place: Place,
        presence: Option<Presence>,
        seat: Seat,
        notices: mpsc::Sender<Notice>,
        holds: Arc<Mutex<Option<Instant>>>,
    ) -> Self {
        Self { place, presence, connection: None, seat, only_read: None, is_unsure: false, notices, holds }
    }

    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Call>, calls: mpsc::WeakSender<Call>) {
        let mut next = None;
        loop {
            let call = match next.take() {
                Some(call) => Some(call),
                None => tokio::select! {
                    biased;
                    call = waiting.recv() => call,
                    () = until_renewal(&self.seat) => { self.renew().await; continue }
                },
            };
            match call {
                Some(Call::Append(rows, reply)) => next = self.append_all(rows, reply, &mut waiting).await,
                Some(Call::Close(done)) => {
                    self.close().await;
                    let _ = done.send(());
                    return;
                }
                Some(Call::Check) => self.check(calls.clone()),
                Some(Call::Damaged(cause)) => self.found_damaged(&cause).await,
                Some(other) => self.answer(other).await,
                None => break,
            }
        }
        self.close().await;
    }

    async fn answer(&mut self, call: Call) {
        match call {
            Call::Adopt(reply) => answer(reply, self.adopt().await),
            Call::ActionsSince(since, reply) => {
                let outcome = match self.connection().await {
                    Ok(connection) => outbox::actions_since(connection, since).await,
                    Err(cause) => Err(cause),
                };
                answer(reply, self.keep_if_sound(outcome));
            }
            Call::Action(op, reply) => {
                let outcome = match self.connection().await {
                    Ok(connection) => outbox::action(connection, op).await,
                    Err(cause) => Err(cause),
                };
                answer(reply, self.keep_if_sound(outcome));
            }
            Call::Ticks(since, reply) => {
                let outcome = match self.connection().await {
                    Ok(connection) => rows::ticks(connection, since).await,
                    Err(cause) => Err(cause),
                };
                answer(reply, self.keep_if_sound(outcome));
            }
            Call::Page(paging, limit, reply) => {
                let outcome = match self.connection().await {
                    Ok(connection) => rows::page(connection, paging, limit).await,
                    Err(cause) => Err(cause),
                };
                answer(reply, self.keep_if_sound(outcome));
            }
            Call::Import(records, reply) => answer(reply, self.import(records).await),
            Call::DataVersion(reply) => {
                let outcome = match self.connection().await {
                    Ok(connection) => rows::data_version(connection).await,
                    Err(cause) => Err(cause),
                };
                answer(reply, self.keep_if_sound(outcome));
            }
            Call::Check | Call::Damaged(_) | Call::Append(..) | Call::Close(_) => {}
        }
    }

    /// Commits `rows` together with the appends that wait behind them; returns the first call that is something else.
    async fn append_all(
        &mut self,
        rows: Vec<Prepared>,
        reply: Reply<()>,
        waiting: &mut mpsc::Receiver<Call>,
    ) -> Option<Call> {
        let mut calls = vec![(rows, reply)];
        let mut other = None;
        while calls.len() < SHARED_COMMIT {
            match waiting.try_recv() {
                Ok(Call::Append(more, reply)) => calls.push((more, reply)),
                Ok(call) => {
                    other = Some(call);
                    break;
                }
                Err(_) => break,
            }
        }
        self.commit(calls).await;
        if other.is_none() && waiting.is_empty() {
            self.checkpoint().await;
        }
        other
    }

    /// One commit for all. Where one of them has no right to its row, each gets a commit of its own.
    async fn commit(&mut self, calls: Vec<Waiting>) {
        let all: Vec<&Prepared> = calls.iter().flat_map(|(rows, _)| rows).collect();
        let outcome = self.append(&all).await;
        if matches!(outcome, Err(StoreError::TakenOver | StoreError::Overtaken(_))) && calls.len() > 1 {
            for (rows, reply) in calls {
                let outcome = self.append(&rows.iter().collect::<Vec<_>>()).await;
                answer(reply, outcome);
            }
            return;
        }
        for (_, reply) in calls {
            answer(reply, outcome.as_ref().copied().map_err(StoreError::told));
        }
    }

    async fn append(&mut self, rows: &[&Prepared]) -> Result<(), StoreError> {
        self.connection().await?;
        self.may_write()?;
        self.reconcile().await?;
        let Self { connection: Some(connection), seat, .. } = self else { return Err(StoreError::Closed) };
        let outcome = rows::append(connection, seat, rows).await;
        if matches!(outcome, Err(StoreError::Database(_))) {
            self.is_unsure = true;
        }
        match self.keep_if_sound(outcome) {
            Ok(seat) => {
                self.take_seat(seat);
                Ok(())
            }
            Err(cause) => {
                self.take_back().await;
                Err(cause)
            }
        }
    }

    /// At once, not with the next write: a console that ends without one would leave the refused action to the next
    /// console, which sends it.
    async fn take_back(&mut self) {
        if !self.is_unsure || self.connection().await.is_err() || self.may_write().is_err() {
            return;
        }
        if let Err(cause) = self.reconcile().await {
            tracing::warn!(%cause, "what was refused may stand in the journal");
        }
    }

    /// What was refused may stand in the file all the same: a commit whose fsync failed. The person was told that it was
    /// not done and not sent, so that is what the journal must say.
    async fn reconcile(&mut self) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_unsure) {
            return Ok(());
        }
        let Self { connection: Some(connection), seat, .. } = self else { return Ok(()) };
        let outcome = rows::beyond(connection, seat).await;
        let stray = self.keep_if_sound(outcome);
        let stray = stray.inspect_err(|_| self.is_unsure = true)?;
        if let Some(last) = stray.last() {
            tracing::warn!(records = stray.len(), "writes that were refused stand in the journal: taken back");
            (self.seat.seq, self.seat.head) = (last.seq, last.hash);
        }
        let taken_back: Vec<Prepared> = stray.iter().filter_map(taken_back).collect();
        if taken_back.is_empty() {
            return Ok(());
        }
        let Self { connection: Some(connection), seat, .. } = self else { return Ok(()) };
        let outcome = rows::append(connection, seat, &taken_back.iter().collect::<Vec<_>>()).await;
        let seat = self.keep_if_sound(outcome).inspect_err(|_| self.is_unsure = true)?;
        self.take_seat(seat);
        Ok(())
    }

    fn take_seat(&mut self, seat: Seat) {
        *self.holds.lock().unwrap_or_else(PoisonError::into_inner) = seat.holds_until();
        self.seat = seat;
    }

    async fn adopt(&mut self) -> Result<Vec<OutboxRow>, StoreError> {
        self.connection().await?;
        if self.only_read.is_some() {
            return Ok(Vec::new());
        }
        let Self { connection: Some(connection), seat, presence, .. } = self else { return Err(StoreError::Closed) };
        let outcome = outbox::adopt(connection, seat, presence.as_ref()).await;
        let (adopted, seat) = self.keep_if_sound(outcome)?;
        self.take_seat(seat);
        Ok(adopted)
    }

    async fn import(&mut self, records: Vec<Record>) -> Result<Imported, StoreError> {
        self.connection().await?;
        self.may_write()?;
        let outcome = rows::import(self.connection().await?, &records).await;
        let imported = self.keep_if_sound(outcome)?;
        self.checkpoint().await;
        Ok(imported)
    }

    /// Said again before the lease is over, without a sync: losing it in a crash only shortens it.
    async fn renew(&mut self) {
        let at = Instant::now();
        let Self { connection: Some(connection), seat, .. } = self else {
            // Without a connection nothing can be said; the lease runs out.
            self.seat.renewed = Some(at);
            return;
        };
        match rows::renew(connection, seat.id).await {
            Ok(()) => {
                let seat = Seat { renewed: Some(at), ..seat.clone() };
                self.take_seat(seat);
            }
            Err(cause) => {
                tracing::warn!(%cause, "the lease of actions on their way could not be renewed");
                self.connection = None;
            }
        }
    }

    /// Writes a long log back, then takes the syncs of a log that begins anew, so that no action pays for either.
    async fn checkpoint(&mut self) {
        let Place::File(path) = &self.place else { return };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let is_long = std::fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > LONG_LOG);
        if !is_long {
            return;
        }
        let Self { connection: Some(connection), seat, .. } = self else { return };
        if let Err(cause) = rows::checkpoint(connection, seat.id).await {
            tracing::warn!(%cause, "the journal's log could not be written back");
        }
    }

    fn may_write(&self) -> Result<(), StoreError> {
        self.only_read.as_ref().map_or(Ok(()), |cause| Err(cause.told()))
    }

    pub(super) async fn connect(&mut self) -> Result<(), StoreError> {
        self.connection().await.map(drop)
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.opened().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn opened(&mut self) -> Result<SqliteConnection, StoreError> {
        if self.presence.as_ref().is_some_and(Presence::is_marked_damaged) {
            // Where others use it, it goes on as it is for as long as it can.
            let _ = self.mend().await;
        }
        let opened = match open::connect(&self.place, &self.seat).await {
            Err(StoreError::Damaged { cause, .. }) => {
                tracing::error!(%cause, "the journal is damaged");
                self.mend().await?;
                open::connect(&self.place, &self.seat).await?
            }
            other => other?,
        };
        if let (Some(cause), None, Place::File(path)) = (&opened.only_read, &self.only_read, &self.place) {
            self.notify(Notice::ReadOnly { path: path.display().to_string(), cause: cause.clone() });
        }
        self.only_read = opened.only_read.map(|cause| open::only_read(&self.place, &cause));
        Ok(opened.connection)
    }

    fn notify(&self, notice: Notice) {
        let _ = self.notices.try_send(notice);
    }

    /// Looks the file over in the background.
    fn check(&self, calls: mpsc::WeakSender<Call>) {
        let Place::File(path) = self.place.clone() else { return };
        #[expect(clippy::disallowed_methods, reason = "reads and tells, or is cut off; nobody waits for it")]
        tokio::spawn(async move {
            if let Some(cause) = open::quick_check(&path).await
                && let Some(calls) = calls.upgrade()
            {
                let _ = calls.send(Call::Damaged(cause)).await;
            }
        });
    }

    async fn found_damaged(&mut self, cause: &str) {
        let (Place::File(path), Some(presence)) = (&self.place, &self.presence) else { return };
        tracing::error!(%cause, path = %path.display(), "the journal is damaged");
        let _ = presence.mark_damaged();
        let notice = Notice::Damaged { path: path.display().to_string(), cause: cause.to_owned() };
        if let Some(connection) = self.connection.take() {
            let _ = connection.close_hard().await;
        }
        if self.mend().await.is_err() {
            self.notify(notice);
        }
    }

    /// Saves what can be read of a damaged file, when nobody else uses it.
    async fn mend(&mut self) -> Result<(), StoreError> {
        let Self { place: Place::File(path), presence: Some(presence), seat, notices, .. } = self else {
            return Ok(());
        };
        let path: &Path = path;
        let disk = |cause: std::io::Error| open::unusable(path, &cause);
        let Some(_alone) = presence.alone() else { return Err(open::damaged(path, "see the log")) };
        let bench = salvage::workbench(path);
        let is_there = std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
        if !is_there && bench.exists() {
            salvage::finish(path).map_err(disk)?;
            presence.unmark();
            return Ok(());
        }
        if open::prepare(path).is_ok() && open::quick_check(path).await.is_none() {
            presence.unmark();
            return Ok(());
        }
        let notice = salvage::salvage(path, &bench, seat).await?;
        presence.unmark();
        let _ = notices.try_send(notice);
        Ok(())
    }

    /// After a database error the connection is given up (a journal in memory cannot be: it would be gone).
    fn keep_if_sound<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Database(cause)) = &outcome
            && self.place != Place::Memory
        {
            self.connection = None;
            if let (Some(_), Some(presence)) = (open::damage(cause), &self.presence) {
                let _ = presence.mark_damaged();
            }
        }
        if matches!(outcome, Err(StoreError::Unusable { .. })) {
            // Another console changed the schema meanwhile: what it means is found out at the next call.
            self.connection = None;
        }
        outcome
    }

    async fn close(&mut self) {
        self.take_back().await;
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
        self.presence = None;
    }
}

/// Returns when the lease of what is held must be renewed; never when nothing is held.
async fn until_renewal(seat: &Seat) {
    match seat.renewed {
        Some(renewed) if !seat.held.is_empty() => {
            tokio::time::sleep(RENEWS_EVERY.saturating_sub(renewed.elapsed())).await;
        }
        _ => std::future::pending().await,
    }
}

/// An action that was refused and stands there all the same is marked as what was told: not done.
fn taken_back(stray: &Record) -> Option<Prepared> {
    let (op, at) = match stray.entry()? {
        Entry::Intended(intent) => (intent.op, intent.at),
        Entry::Moved { op, delivery: Delivery::Queued { .. } | Delivery::Sent, at, .. } => (op, at),
        _ => return None,
    };
    let mut failure =
        StoreError::Refused("its write was not confirmed by the disk".to_owned()).failure("write an action into");
    failure.kind = FailureKind::Journal;
    Prepared::new(&Entry::Moved { op, delivery: Delivery::Failed { failure }, at, opened: None }).ok()
}

/// The asker may be gone; what was written stays written.
fn answer<T>(reply: Reply<T>, outcome: Result<T, StoreError>) {
    let _ = reply.send(outcome);
}

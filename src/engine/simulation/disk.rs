//! A journal on a simulated disk: what a commit holds stays through any crash, and a commit may fail in every way that a
//! disk can make it fail. The rules of the outbox are those of `store::sqlite::outbox`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Trace;
use crate::domain::action::Delivery;
use crate::domain::id::OpId;
use crate::domain::time::Timestamp;
use crate::engine::feeds::lock;
use crate::sim::dice::Dice;
use crate::store::{Entry, Imported, Journal, OutboxRow, Paging, Placed, Record, SharedJournal, StoreError};

/// How a commit goes wrong.
pub(super) const FAULTS: [&str; 10] = [
    "disk full",
    "disk: I/O error",
    "disk read-only",
    "disk: quota",
    "fsync fails",
    "fsync takes 5 s, then stands",
    "fsync takes 5 s, stands at once",
    "journal closed under us",
    "journal cannot be opened",
    "another console took it over",
];

/// Who holds an action: consoles count, and a stranger is nobody that comes back.
const STRANGER: u64 = u64::MAX;

struct Row {
    row: OutboxRow,
    holder: u64,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    rows: BTreeMap<OpId, Row>,
    writer: u64,
    is_locked_out: bool,
}

/// The disk.
pub(super) struct Disk {
    state: Mutex<State>,
    chaos: Mutex<Option<(Dice, f64)>>,
    trace: Arc<Trace>,
}

impl Disk {
    pub(super) fn new(dice: Dice, rate: f64, trace: Arc<Trace>) -> Self {
        Self { state: Mutex::default(), chaos: Mutex::new(Some((dice, rate))), trace }
    }

    pub(super) fn heal(&self) {
        *lock(&self.chaos) = None;
        lock(&self.state).is_locked_out = false;
    }

    /// Another console starts on it.
    pub(super) fn next_console(&self) {
        lock(&self.state).writer += 1;
    }

    pub(super) fn open(self: &Arc<Self>) -> Result<SharedJournal, StoreError> {
        if lock(&self.state).is_locked_out {
            return Err(StoreError::Unusable {
                path: "journal.db".into(),
                cause: "permission denied".into(),
                remedy: "look".into(),
            });
        }
        let writer = lock(&self.state).writer;
        Ok(Arc::new(Seat { disk: Arc::clone(self), writer }))
    }

    /// Durable actions: intent and how far it got.
    pub(super) fn rows(&self) -> Vec<OutboxRow> {
        lock(&self.state).rows.values().map(|row| row.row.clone()).collect()
    }

    pub(super) fn has_sent(&self) -> bool {
        lock(&self.state).rows.values().any(|row| row.row.attempts > 0)
    }

    pub(super) fn attempts(&self, op: OpId) -> u32 {
        lock(&self.state).rows.get(&op).map_or(0, |row| row.row.attempts)
    }

    fn draw(&self) -> Option<&'static str> {
        let mut chaos = lock(&self.chaos);
        let (dice, rate) = chaos.as_mut()?;
        if dice.unit() >= *rate {
            return None;
        }
        let which = FAULTS[dice.between(0, FAULTS.len() as i64 - 1) as usize];
        drop(chaos);
        self.trace.fault(which);
        Some(which)
    }
}

struct Seat {
    disk: Arc<Disk>,
    writer: u64,
}

impl Seat {
    fn commit(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut state = lock(&self.disk.state);
        let is_allowed = |entry: &Entry| match entry {
            Entry::Moved { op, delivery, .. } => state.rows.get(op).is_some_and(|row| {
                let is_open = !row.row.delivery.is_settled();
                match delivery {
                    _ if row.holder == self.writer && is_open => true,
                    Delivery::Queued { .. } => {
                        matches!(row.row.delivery, Delivery::Failed { .. } | Delivery::Unknown { .. })
                    }
                    Delivery::Dropped => !is_open,
                    _ => false,
                }
            }),
            _ => true,
        };
        if !entries.iter().all(is_allowed) {
            return Err(StoreError::TakenOver);
        }
        for entry in entries {
            self.disk.trace.note(&format!("disk {entry:?}"));
            match &entry {
                Entry::Intended(intent) => {
                    let row = OutboxRow {
                        intent: intent.clone(),
                        delivery: Delivery::Queued { waits_until: None },
                        changed_at: intent.at,
                        attempts: 0,
                        opened: None,
                    };
                    state.rows.insert(intent.op, Row { row, holder: self.writer });
                }
                Entry::Moved { op, delivery, at, opened } => {
                    if let Some(known) = state.rows.get_mut(op) {
                        known.holder = self.writer;
                        known.row.attempts += u32::from(*delivery == Delivery::Sent);
                        known.row.delivery = delivery.clone();
                        known.row.changed_at = *at;
                        known.row.opened = opened.clone().or_else(|| known.row.opened.take());
                    }
                }
                _ => {}
            }
            state.entries.push(entry);
        }
        Ok(())
    }
}

impl Journal for Seat {
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let refused = |why: &str| Err(StoreError::Refused(why.to_owned()));
            let fault = self.disk.draw();
            match fault {
                Some("disk full") => refused("database or disk is full"),
                Some("disk: quota") => refused("disk quota exceeded"),
                Some("disk read-only") => refused("attempt to write a readonly database"),
                Some("disk: I/O error") => refused("disk I/O error"),
                Some("fsync fails") => refused("disk I/O error: fsync"),
                Some("fsync takes 5 s, then stands") => {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    self.commit(entries)
                }
                Some("fsync takes 5 s, stands at once") => {
                    let outcome = self.commit(entries);
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    outcome
                }
                Some("journal closed under us") => Err(StoreError::Closed),
                Some("journal cannot be opened") => {
                    lock(&self.disk.state).is_locked_out = true;
                    let disk = Arc::clone(&self.disk);
                    #[expect(clippy::disallowed_methods, reason = "the simulated world has no supervisor")]
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_secs(20)).await;
                        lock(&disk.state).is_locked_out = false;
                    });
                    Err(StoreError::Closed)
                }
                Some("another console took it over") => {
                    let ops: BTreeSet<OpId> = entries
                        .iter()
                        .filter_map(|entry| match entry {
                            Entry::Moved { op, .. } => Some(*op),
                            _ => None,
                        })
                        .collect();
                    for (op, row) in &mut lock(&self.disk.state).rows {
                        if ops.contains(op) && !row.row.delivery.is_settled() {
                            row.holder = STRANGER;
                        }
                    }
                    self.commit(entries)
                }
                _ => self.commit(entries),
            }
        })
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(async move {
            let mut adopted = Vec::new();
            for row in lock(&self.disk.state).rows.values_mut() {
                if row.holder != self.writer && !row.row.delivery.is_settled() {
                    row.holder = self.writer;
                    adopted.push(row.row.clone());
                }
            }
            self.disk.trace.note(&format!("adopted {}", adopted.len()));
            Ok(adopted)
        })
    }

    fn actions_since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        let rows = self.disk.rows().into_iter().filter(|row| row.intent.at >= since).collect();
        Box::pin(async move { Ok(rows) })
    }

    fn action(&self, op: OpId) -> BoxFuture<'_, Result<Option<OutboxRow>, StoreError>> {
        let row = lock(&self.disk.state).rows.get(&op).map(|row| row.row.clone());
        Box::pin(async move { Ok(row) })
    }

    fn ticks(&self, _now: Timestamp, _span: chrono::Duration) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        let is_word = |entry: &&Entry| matches!(entry, Entry::Ticked { .. } | Entry::RoleMoved { .. });
        let words = lock(&self.disk.state).entries.iter().filter(is_word).cloned().collect();
        Box::pin(async move { Ok(words) })
    }

    fn page(&self, _paging: Paging, _limit: u32) -> BoxFuture<'_, Result<Vec<Placed>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn import(&self, _records: Vec<Record>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        Box::pin(async { Ok(Imported::default()) })
    }

    fn writer(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(u128::from(self.writer))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

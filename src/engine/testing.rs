//! Values that several of the engine's tests start from.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use crate::domain::action::{Action, Delivery, Intent, Target};
use crate::domain::id::{IncidentId, OpId, OpIds, PagerId};
use crate::domain::incident::{Acknowledgement, PagerIncident, Status, Urgency};
use crate::domain::time::Timestamp;
use crate::store::{Entry, Imported, Journal, OutboxRow, Paging, Placed, Record, StoreError};
use crate::text::Clean;

pub(crate) fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp(1_760_000_000 + second, 0).unwrap()
}

pub(crate) fn pager_id(id: &str) -> PagerId {
    PagerId::parse(id).unwrap()
}

pub(crate) fn record(id: &str, status: Status) -> PagerIncident {
    let acknowledgement = Acknowledgement { by: Clean::new("Ana"), at: at(0) };
    PagerIncident {
        id: pager_id(id),
        number: 1,
        title: Clean::new("checkout is down"),
        status,
        urgency: Urgency::High,
        priority: None,
        service: None,
        policy: None,
        level: None,
        assigned_directly: false,
        assignees: Vec::new(),
        acknowledgements: if status == Status::Acknowledged { vec![acknowledgement] } else { Vec::new() },
        teams: Vec::new(),
        created_at: at(0),
        changed_at: at(0),
        pending: Vec::new(),
        keys: Vec::new(),
        alert_counts: (1, 0),
        merged_into: None,
        fingerprints: Vec::new(),
        is_mergeable: true,
        html_url: None,
        alert_severity: None,
    }
}

pub(crate) fn target(pager: &str) -> Target {
    let id = IncidentId::parse(&format!("pd:{pager}")).unwrap();
    Target::Incident { id, pager: Some(pager_id(pager)), key: None }
}

pub(crate) fn intent(ids: &mut OpIds, pager: &str, action: Action, asked_at: Timestamp) -> Intent {
    let op = ids.next(asked_at);
    Intent { op, batch: op, target: target(pager), action, by: Clean::new("me"), at: asked_at }
}

/// A journal in memory that writes into a log what it is told, and fails when it is told to.
#[derive(Default)]
pub(crate) struct FakeJournal {
    pub(crate) log: Log,
    pub(crate) fails: Arc<AtomicBool>,
    /// What an earlier console left.
    pub(crate) left: Mutex<Vec<OutboxRow>>,
    pub(crate) ticked: Mutex<Vec<Entry>>,
    /// What was left is taken over once.
    pub(crate) is_adopted: AtomicBool,
    /// What it says to the next ones that are about to be sent.
    pub(crate) refuses: Mutex<VecDeque<StoreError>>,
}

/// What happened, in order, by whom.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

pub(crate) fn word(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Queued { waits_until: None } => "queued",
        Delivery::Queued { waits_until: Some(_) } => "waits",
        Delivery::Sent => "sent",
        Delivery::Confirmed { .. } => "confirmed",
        Delivery::Failed { .. } => "failed",
        Delivery::Unknown { .. } => "unknown",
        Delivery::Dropped => "dropped",
    }
}

impl Journal for FakeJournal {
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.fails.load(Ordering::SeqCst) {
                return Err(StoreError::Refused("database or disk is full".to_owned()));
            }
            for entry in entries {
                let is_send = matches!(entry, Entry::Moved { delivery: Delivery::Sent, .. });
                if let Some(refusal) = is_send.then(|| self.refuses.lock().unwrap().pop_front()).flatten() {
                    return Err(refusal);
                }
                let line = match &entry {
                    Entry::Intended(_) => "journal intended".to_owned(),
                    Entry::Moved { delivery, .. } => format!("journal {}", word(delivery)),
                    _ => "journal ticked".to_owned(),
                };
                self.log.lock().unwrap().push(line);
            }
            Ok(())
        })
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        let is_first = !self.is_adopted.swap(true, Ordering::SeqCst);
        Box::pin(async move { Ok(if is_first { self.left.lock().unwrap().clone() } else { Vec::new() }) })
    }

    fn actions_since(&self, _since: Timestamp) -> BoxFuture<'_, Result<Vec<OutboxRow>, StoreError>> {
        Box::pin(async move { Ok(self.left.lock().unwrap().clone()) })
    }

    fn ticks(&self, _now: Timestamp, _span: chrono::Duration) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move { Ok(self.ticked.lock().unwrap().clone()) })
    }

    fn action(&self, op: OpId) -> BoxFuture<'_, Result<Option<OutboxRow>, StoreError>> {
        let row = self.left.lock().unwrap().iter().find(|row| row.intent.op == op).cloned();
        Box::pin(async move { Ok(row) })
    }

    fn page(&self, _paging: Paging, _limit: u32) -> BoxFuture<'_, Result<Vec<Placed>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn import(&self, _records: Vec<Record>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        Box::pin(async { Ok(Imported::default()) })
    }

    fn writer(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

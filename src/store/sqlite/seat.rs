//! A console's place at a journal: where its chain stands, which actions it holds, how long its lease lasts.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::id::OpId;
use crate::store::record::{Draft, Hash, Record};

/// How long a console may go on sending after it last said that it is there. Others wait [`GRACE`] longer before they
/// take over, so that a request it sent in its last moment is answered or lost by then.
pub(super) const LEASE: Duration = Duration::from_secs(8);

/// Beyond the lease: what a request sent at its end may take to have its effect.
pub(super) const GRACE: Duration = Duration::from_secs(12);

/// How often the lease is renewed while something is held. A renewal is not synced: losing it only shortens the lease.
pub(super) const RENEWS_EVERY: Duration = Duration::from_secs(3);

/// A console's place.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) id: Uuid,
    /// Its last record.
    pub(super) seq: u64,
    pub(super) head: Hash,
    /// What it holds, each with the token it got.
    pub(super) held: HashMap<OpId, i64>,
    /// When it last renewed its lease.
    pub(super) renewed: Option<Instant>,
}

impl Seat {
    pub(super) fn new(id: Uuid) -> Self {
        Self { id, seq: 0, head: Hash::default(), held: HashMap::new(), renewed: None }
    }

    /// Takes a draft into the chain.
    pub(super) fn seal(&mut self, draft: Draft) -> Record {
        let record = draft.sealed(self.id, self.seq + 1, self.head);
        self.seq = record.seq;
        self.head = record.hash;
        record
    }

    /// True when the lease must be renewed with the next write.
    pub(super) fn is_lease_old(&self) -> bool {
        self.renewed.is_none_or(|renewed| renewed.elapsed() >= RENEWS_EVERY)
    }

    /// Until when what it holds may be sent.
    pub(super) fn holds_until(&self) -> Option<Instant> {
        self.renewed.and_then(|renewed| renewed.checked_add(LEASE))
    }
}

//! What each outside system is asked, and what its answers mean as facts.

pub(crate) mod alertmanager;
pub(crate) mod listed;
pub(crate) mod pagerduty;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::sources::http::share;

/// A task that panicked while it held the lock left whole values behind: they are replaced, never half-changed.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the provider was asked: where another console of the room did it, before this one did.
pub(crate) fn asked(here: Instant) -> Instant {
    here.checked_sub(share::age()).unwrap_or(here)
}

//! The virtual clock of a served world: wall time at some speed, plus what was skipped.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use chrono::TimeDelta;

use crate::domain::time::Timestamp;

/// Maps the machine's monotonic clock to the world's time.
#[derive(Debug)]
pub struct Clock {
    base: Timestamp,
    started: Instant,
    speed: f64,
    skipped_ms: AtomicI64,
}

impl Clock {
    /// A clock that shows `base` now and runs `speed` times as fast as the machine's; 0 stands still.
    pub fn new(base: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() { speed.clamp(0.0, 100_000.0) } else { 1.0 };
        Self { base, started: Instant::now(), speed, skipped_ms: AtomicI64::new(0) }
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        let ran = self.started.elapsed().as_secs_f64() * self.speed * 1000.0;
        self.base + TimeDelta::milliseconds(ran as i64 + self.skipped_ms.load(Ordering::Relaxed))
    }

    /// Real milliseconds since the start, whatever the speed: what rate limits count.
    pub fn real_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Skips ahead.
    pub fn skip(&self, by: TimeDelta) {
        self.skipped_ms.fetch_add(by.num_milliseconds().max(0), Ordering::Relaxed);
    }
}

/// The machine's time: where a served world begins.
#[expect(clippy::disallowed_methods, reason = "the edge: a served world begins now")]
pub fn machine_now() -> Timestamp {
    chrono::Utc::now()
}

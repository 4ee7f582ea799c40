//! The one place that reads the time and draws lots for the engine. Everything else is told `now`.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::domain::time::Timestamp;
use crate::sources::Edge;

/// Wall time for facts, tokio's monotonic time for waits.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// `origin` is the wall time at the monotonic instant `began`: follows tokio's paused time in tests.
    Derived {
        origin: Timestamp,
        began: Instant,
    },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Starts at `origin` and moves with tokio's clock, so that a test with paused time decides what time it is.
    #[must_use]
    pub fn starting_at(origin: Timestamp) -> Self {
        Self(Source::Derived { origin, began: Instant::now() })
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the engine's clock is the edge where time comes in")]
            Source::System => Utc::now(),
            Source::Derived { origin, began } => {
                let gone = TimeDelta::from_std(began.elapsed()).unwrap_or(TimeDelta::MAX);
                #[cfg(test)]
                let gone = gone + super::simulation::seam::skew();
                origin.checked_add_signed(gone).unwrap_or(DateTime::<Utc>::MAX_UTC)
            }
        }
    }
}

/// Random numbers for jitter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chance {
    /// The thread's generator.
    System,
    /// Always the same: the widest jitter, for tests.
    #[cfg(test)]
    Most,
}

impl Chance {
    pub(crate) fn number(self) -> u64 {
        match self {
            #[cfg(test)]
            Self::System => super::simulation::seam::number().unwrap_or_else(rand::random),
            #[cfg(not(test))]
            Self::System => rand::random(),
            #[cfg(test)]
            Self::Most => u64::MAX,
        }
    }
}

/// Time and chance as the sources take them.
pub(crate) fn edge(clock: &Clock) -> Edge {
    let clock = clock.clone();
    Edge { now: Arc::new(move || clock.now()), random: Arc::new(|| Chance::System.number()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_derived_clock_moves_with_tokio() {
        let origin = DateTime::<Utc>::UNIX_EPOCH;
        let clock = Clock::starting_at(origin);
        tokio::time::advance(std::time::Duration::from_millis(1_500)).await;
        assert_eq!(clock.now().signed_duration_since(origin).num_milliseconds(), 1_500);
    }
}

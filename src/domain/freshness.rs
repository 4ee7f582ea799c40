//! How far a shown value can be trusted. Six states, six looks: none of them may be mistaken for another.

use serde::{Deserialize, Serialize};

use super::source::{Reach, SourceHealth};
use super::time::Timestamp;

/// How far a shown value can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Younger than one and a half polls.
    Fresh,
    /// Older than that, younger than three polls.
    Ageing,
    /// Older than three polls, or told to an earlier console only.
    Stale,
    /// Never answered.
    Unknown,
    /// The source refuses us.
    Forbidden,
    /// Answered completely: there is nothing.
    Empty,
}

impl Freshness {
    /// The state of what `health` told last, at `now`; `is_empty` when its last answer held nothing.
    #[must_use]
    pub fn of(health: &SourceHealth, now: Timestamp, is_empty: bool) -> Self {
        if matches!(health.reach, Reach::Forbidden { .. }) {
            return Self::Forbidden;
        }
        let Some(answered) = health.answered_at else { return Self::Unknown };
        // What an earlier console was told: this one was told nothing yet, however young that is.
        if health.is_recalled {
            return Self::Stale;
        }
        let age = now.signed_duration_since(answered).num_milliseconds().max(0);
        let poll = health.every.0.max(1).saturating_mul(1000);
        if age > poll.saturating_mul(3) {
            Self::Stale
        } else if age.saturating_mul(2) > poll.saturating_mul(3) {
            Self::Ageing
        } else if is_empty {
            Self::Empty
        } else {
            Self::Fresh
        }
    }

    /// When the state of what `health` told changes by the mere passing of time, after `now`.
    #[must_use]
    pub fn next_change(health: &SourceHealth, now: Timestamp) -> Option<Timestamp> {
        let answered = health.answered_at.filter(|_| !matches!(health.reach, Reach::Forbidden { .. }))?;
        let poll = health.every.0.max(1).saturating_mul(1000);
        // One millisecond past the limit: at the limit itself it is still the younger state.
        [poll.saturating_mul(3) / 2 + 1, poll.saturating_mul(3) + 1]
            .into_iter()
            .filter_map(|age| answered.checked_add_signed(chrono::Duration::try_milliseconds(age)?))
            .find(|at| *at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SourceId;
    use crate::domain::source::{ChronoSeconds, SourceKind};
    use crate::domain::testing;

    #[test]
    fn what_an_earlier_console_was_told_is_stale_however_young_it_is() {
        let now = testing::noon(0);
        let mut health = SourceHealth {
            id: SourceId::parse("pagerduty").expect("an identity"),
            kind: SourceKind::PagerDuty,
            reach: Reach::Up,
            answered_at: Some(now),
            is_recalled: false,
            asking_since: None,
            every: ChronoSeconds(10),
            clock_skew: None,
            budget: None,
            version: None,
            warnings: Vec::new(),
        };
        assert_eq!(Freshness::of(&health, now, false), Freshness::Fresh);
        health.is_recalled = true;
        assert_eq!(Freshness::of(&health, now, false), Freshness::Stale);
    }
}

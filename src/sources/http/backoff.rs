//! How long to wait before asking again. Pure: the random number comes in.

use std::time::Duration;

/// Longest wait a provider's hint may ask for; beyond it we look again anyway.
pub const LONGEST_HINT: Duration = Duration::from_secs(15 * 60);

/// Full jitter: a random wait between zero and `base · 2^attempt`, at most `cap`. A thousand consoles that saw the same
/// outage come back spread over the whole window. `attempt` counts from 0.
#[must_use]
pub fn full_jitter(base: Duration, cap: Duration, attempt: u32, random: u64) -> Duration {
    let window = base.saturating_mul(1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX)).min(cap);
    let nanos = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
    let share = (u128::from(random) * u128::from(nanos)) >> 64;
    Duration::from_nanos(u64::try_from(share).unwrap_or(nanos))
}

/// The provider's hint, kept between one second and a quarter of an hour.
#[must_use]
pub fn bounded_hint(hint: Duration) -> Duration {
    hint.clamp(Duration::from_secs(1), LONGEST_HINT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: Duration = Duration::from_millis(500);
    const CAP: Duration = Duration::from_secs(60);

    #[test]
    fn the_window_doubles_up_to_the_cap() {
        let widest = |attempt| full_jitter(BASE, CAP, attempt, u64::MAX).as_millis();
        assert_eq!([0, 1, 2, 6, 7, 31, u32::MAX].map(widest), [499, 999, 1_999, 31_999, 59_999, 59_999, 59_999]);
        assert_eq!(full_jitter(BASE, CAP, 5, 0), Duration::ZERO);
        assert_eq!(full_jitter(BASE, CAP, 1, 1 << 63), Duration::from_millis(500));
    }

    #[test]
    fn a_hint_is_bounded_both_ways() {
        assert_eq!(bounded_hint(Duration::ZERO), Duration::from_secs(1));
        assert_eq!(bounded_hint(Duration::from_secs(20)), Duration::from_secs(20));
        assert_eq!(bounded_hint(Duration::MAX), LONGEST_HINT);
    }

    proptest! {
        #[test]
        fn never_beyond_the_cap_and_monotonous_in_the_random_number(attempt: u32, one: u64, other: u64) {
            let (low, high) = (one.min(other), one.max(other));
            let wait = full_jitter(BASE, CAP, attempt, high);
            prop_assert!(wait <= CAP);
            prop_assert!(full_jitter(BASE, CAP, attempt, low) <= wait);
        }
    }
}

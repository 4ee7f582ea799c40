//! Instants and spans as tables write them.

use chrono::Duration;
use chrono_tz::Tz;

use crate::domain::time::Timestamp;

/// How long ago, in two units at most: `42s`, `5m`, `2h05m`, `3d04h`; a future instant is `0s`.
#[must_use]
pub fn age(now: Timestamp, then: Timestamp) -> String {
    span(now.signed_duration_since(then))
}

/// A span in two units at most.
#[must_use]
pub fn span(span: Duration) -> String {
    let seconds = span.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match () {
        () if seconds < 60 => format!("{seconds}s"),
        () if minutes < 60 => format!("{minutes}m"),
        () if hours < 24 => format!("{hours}h{:02}m", minutes % 60),
        () => format!("{days}d{:02}h", hours % 24),
    }
}

/// Date and time in a zone.
#[must_use]
pub fn local(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_at_most() {
        for (seconds, expected) in [(-5, "0s"), (59, "59s"), (60, "1m"), (3_900, "1h05m"), (93_600, "1d02h")] {
            assert_eq!(span(Duration::seconds(seconds)), expected);
        }
    }
}

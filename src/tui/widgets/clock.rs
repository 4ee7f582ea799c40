//! Spans and instants in columns of fixed width: what ticks must not make its neighbours jump.

use chrono::{DateTime, Duration, Timelike};
use chrono_tz::Tz;

use super::{Words, words};
use crate::domain::time::Timestamp;

/// Columns of [`age`].
pub const AGE_COLUMNS: u16 = 6;

/// How long ago, in at most six columns: `42s`, `12m`, `3h04m`, `5d02h`, `120d`. A clock that runs backwards is `0s`.
#[must_use]
pub fn age(span: Duration) -> Words {
    let seconds = span.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => words!("{seconds}s"),
        60..3600 => words!("{minutes}m"),
        3600..86_400 => words!("{hours}h{:02}m", minutes % 60),
        86_400..864_000 => words!("{days}d{:02}h", hours % 24),
        _ => words!("{days}d"),
    }
}

/// How long ago, in one unit: `42s`, `12m`, `3h`, `5d`.
#[must_use]
pub fn brief(span: Duration) -> Words {
    let seconds = span.num_seconds().max(0);
    match seconds {
        ..60 => words!("{seconds}s"),
        60..3600 => words!("{}m", seconds / 60),
        3600..86_400 => words!("{}h", seconds / 3600),
        _ => words!("{}d", seconds / 86_400),
    }
}

/// How much is left, in at most six columns: `4:12`, `59:59`, `3h04m`; what has passed with a plus: `+4:12`.
#[must_use]
pub fn left(span: Duration) -> Words {
    let seconds = span.num_seconds();
    let (sign, span) = if seconds < 0 { ("+", seconds.saturating_neg()) } else { ("", seconds) };
    match span {
        ..3600 => words!("{sign}{}:{:02}", span / 60, span % 60),
        3600..36_000 => words!("{sign}{}h{:02}m", span / 3600, span / 60 % 60),
        36_000..360_000 => words!("{sign}{}h", span / 3600),
        _ => words!("{sign}{}d", span / 86_400),
    }
}

/// `14:03:22` in the room's zone.
#[must_use]
pub fn time(at: Timestamp, zone: Tz) -> Words {
    let local = at.with_timezone(&zone);
    words!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())
}

/// `Mon 23 Nov 2026` in the room's zone.
#[must_use]
pub fn day(at: Timestamp, zone: Tz) -> Words {
    words!("{}", at.with_timezone(&zone).format("%a %-d %b %Y"))
}

/// The zone's own short name, such as `CET`; `+0530` where it has none.
#[must_use]
pub fn zone_name(at: Timestamp, zone: Tz) -> Words {
    let local: DateTime<Tz> = at.with_timezone(&zone);
    words!("{}", local.format("%Z"))
}

#[cfg(test)]
mod tests {
    use super::super::pen::width;
    use super::*;

    #[test]
    fn spans_are_short_and_of_bounded_width() {
        let cases = [
            (-5, "0s", "+0:05"),
            (0, "0s", "0:00"),
            (59, "59s", "0:59"),
            (60, "1m", "1:00"),
            (252, "4m", "4:12"),
            (3_599, "59m", "59:59"),
            (3_600, "1h00m", "1h00m"),
            (11_040, "3h04m", "3h04m"),
            (86_400, "1d00h", "24h"),
            (180_000, "2d02h", "50h"),
            (10_368_000, "120d", "120d"),
        ];
        for (seconds, since, remaining) in cases {
            let span = Duration::seconds(seconds);
            assert_eq!((age(span).as_str(), left(span).as_str()), (since, remaining), "{seconds}");
        }
        for seconds in (-400_000..2_000_000).step_by(977) {
            let span = Duration::seconds(seconds);
            assert!(width(age(span).as_str()) <= AGE_COLUMNS && width(left(span).as_str()) <= AGE_COLUMNS, "{seconds}");
        }
    }

    #[test]
    fn far_dates_do_not_break_it() {
        for at in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            assert!(!time(at, Tz::UTC).is_empty() && !day(at, Tz::UTC).is_empty());
        }
        assert!(width(age(Duration::MAX).as_str()) > 0);
        assert!(width(left(Duration::MIN).as_str()) > 0);
    }
}

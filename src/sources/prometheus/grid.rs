//! The grid of a range query. Pure.

use chrono::TimeDelta;

use crate::domain::series::Range;
use crate::domain::time::Timestamp;

/// Prometheus refuses more points a series.
pub const MAX_POINTS: i64 = 11_000;

/// Steps people can name, in seconds; beyond the last one, its multiples.
const NICE_S: [i64; 16] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600];

/// A grid that ends at or just before `end`, covers `span` with at most about `columns` points, is never finer than
/// the scrape interval nor than Prometheus takes, and stands still between polls: its points are multiples of the step.
#[must_use]
pub fn grid(end: Timestamp, span: TimeDelta, columns: u16, scrape: TimeDelta) -> Range {
    let span_ms = span.num_milliseconds().max(1);
    let by_scrape = scrape.num_milliseconds().max(1);
    let by_columns = (span_ms - 1) / i64::from(columns.max(1)) + 1;
    let by_limit = (span_ms - 1) / (MAX_POINTS - 1) + 1;
    let step_ms = round_up(by_scrape.max(by_columns).max(by_limit));
    let last = end.timestamp_millis().div_euclid(step_ms) * step_ms;
    let first = last - span_ms / step_ms * step_ms;
    let at = |ms| Timestamp::from_timestamp_millis(ms).unwrap_or(end);
    Range { start: at(first), end: at(last), step_ms }
}

fn round_up(step_ms: i64) -> i64 {
    if step_ms < 1_000 {
        return step_ms;
    }
    let nice = NICE_S.iter().map(|seconds| seconds * 1_000).find(|nice| *nice >= step_ms);
    nice.unwrap_or_else(|| ((step_ms - 1) / 21_600_000 + 1) * 21_600_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_step_follows_the_panes_width() {
        let end: Timestamp = "2026-11-24T12:00:07Z".parse().unwrap();
        let step = |minutes, columns, scrape| {
            grid(end, TimeDelta::minutes(minutes), columns, TimeDelta::seconds(scrape)).step_ms
        };
        assert_eq!(step(60, 120, 15), 30_000);
        assert_eq!(step(60, 1_000, 15), 15_000, "never finer than the scrape interval");
        assert_eq!(step(60 * 24 * 30, 60_000, 1), 300_000, "never beyond the point limit");
        assert_eq!(step(60 * 24 * 365, 10, 15), 3_153_600_000);
        let range = grid(end, TimeDelta::minutes(60), 120, TimeDelta::seconds(15));
        assert_eq!(range.end, "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(range.points(), 121);
    }

    proptest! {
        #[test]
        fn every_grid_is_one_prometheus_takes(end in 0_i64..4_000_000_000_000, span: i32, columns: u16, scrape: i32) {
            let end = Timestamp::from_timestamp_millis(end).unwrap();
            let range = grid(end, TimeDelta::seconds(span.into()), columns, TimeDelta::milliseconds(scrape.into()));
            prop_assert!(range.step_ms >= 1 && range.start <= range.end && range.end <= end);
            prop_assert!((1..=11_000).contains(&range.points()));
            prop_assert_eq!(range.end.timestamp_millis() % range.step_ms, 0);
        }
    }
}

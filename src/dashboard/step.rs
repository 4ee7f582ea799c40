//! Which grid a range query asks for: a step that fits the pane, edges that stay put between refreshes.

use chrono::{DateTime, Duration};

use crate::domain::series::Range;
use crate::domain::time::Timestamp;

/// Prometheus refuses more points than this for one series: `(end - start) / step` must not exceed it.
pub const MAX_POINTS: i64 = 11_000;

/// The grid of a range query, with what placeholders need to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The grid; both ends are multiples of the step, so that the next refresh asks for the same points plus new ones.
    pub range: Range,
    /// What the person asked for, in milliseconds: `$__range`.
    pub asked_ms: i64,
    /// Scrape interval (or the query's own smallest step) in milliseconds: part of `$__rate_interval`.
    pub scrape_ms: i64,
}

impl Grid {
    /// A grid that ends at `now`, covers `range_s` seconds, and has about one point for each of the `dots` that the
    /// pane can draw side by side (two for each column of braille). No step is finer than `scrape_ms`.
    #[must_use]
    pub fn plan(now: Timestamp, range_s: i64, dots: usize, scrape_ms: i64) -> Self {
        let asked_ms = range_s.clamp(1, 20 * 366 * 86_400).saturating_mul(1000);
        let scrape_ms = scrape_ms.clamp(1, 86_400_000);
        let dots = i64::try_from(dots).unwrap_or(MAX_POINTS).clamp(1, MAX_POINTS);
        let mut step_ms = nice_step(asked_ms / dots).max(scrape_ms);
        // Aligning can add one step to the range, so one point less is allowed than Prometheus would take.
        let least = (asked_ms + MAX_POINTS - 2) / (MAX_POINTS - 1);
        if step_ms < least {
            step_ms = least;
        }
        let end = now.timestamp_millis().div_euclid(step_ms) * step_ms;
        let start = (now.timestamp_millis() - asked_ms).div_euclid(step_ms) * step_ms;
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap_or(now);
        Self { range: Range { start: at(start), end: at(end), step_ms }, asked_ms, scrape_ms }
    }

    /// `$__interval`: the step.
    #[must_use]
    pub fn interval_ms(&self) -> i64 {
        self.range.step_ms
    }

    /// `$__rate_interval` by Grafana's formula: at least four scrapes, and always one scrape more than the step, so
    /// that `rate` sees every increase and has two samples even when one scrape is missed.
    #[must_use]
    pub fn rate_interval_ms(&self) -> i64 {
        (self.range.step_ms + self.scrape_ms).max(4 * self.scrape_ms)
    }

    /// The instant at which an instant query of the same panel is asked.
    #[must_use]
    pub fn instant(&self) -> Timestamp {
        self.range.end
    }

    /// When this grid is out of date: one step after its end.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.range.end + Duration::milliseconds(self.range.step_ms)
    }
}

/// Grafana's rounding of an interval to one that people know: below the first number comes the second.
const NICE: &[(i64, i64)] = &[
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
];

/// `raw_ms` rounded as Grafana rounds it.
fn nice_step(raw_ms: i64) -> i64 {
    NICE.iter().find(|(below, _)| raw_ms <= *below).map_or(31_536_000_000, |(_, step)| *step)
}

/// A span as PromQL writes it, the way Prometheus prints durations: `90s` is `1m30s`.
#[must_use]
pub fn duration_text(millis: i64) -> String {
    if millis <= 0 {
        return "0s".to_owned();
    }
    let mut rest = millis;
    let mut text = String::new();
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")] {
        if rest >= size {
            text.push_str(&(rest / size).to_string());
            text.push_str(unit);
            rest %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn step_follows_width_range_and_scrape_interval() {
        for (range_s, dots, scrape_ms, step_ms) in [
            (3_600, 200, 15_000, 20_000),
            (3_600, 80, 15_000, 30_000),
            (900, 400, 15_000, 15_000),
            (900, 400, 1_000, 2_000),
            (86_400, 300, 15_000, 300_000),
            (86_400 * 365, 10, 15_000, 2_592_000_000),
        ] {
            let grid = Grid::plan(at(1_795_469_977), range_s, dots, scrape_ms);
            assert_eq!(grid.range.step_ms, step_ms, "{range_s}s on {dots} dots");
        }
    }

    #[test]
    fn rate_interval_is_grafanas() {
        for (dots, scrape_ms, rate_ms) in [(200, 15_000, 60_000), (10, 15_000, 315_000), (720, 1_000, 6_000)] {
            assert_eq!(Grid::plan(at(1_795_469_977), 3_600, dots, scrape_ms).rate_interval_ms(), rate_ms);
        }
    }

    #[test]
    fn durations_read_as_promql() {
        for (millis, text) in [(0, "0s"), (15_000, "15s"), (90_000, "1m30s"), (604_800_000, "7d"), (1_500, "1s500ms")] {
            assert_eq!(duration_text(millis), text);
        }
    }

    proptest! {
        #[test]
        fn grid_is_aligned_bounded_and_covers_the_range(
            now in 0_i64..4_000_000_000, range_s in 1_i64..40_000_000, dots in 1_usize..2_000, scrape in 100_i64..120_000,
        ) {
            let now = at(now);
            let grid = Grid::plan(now, range_s, dots, scrape);
            let range = grid.range;
            let span = (range.end - range.start).num_milliseconds();
            prop_assert!(span / range.step_ms <= MAX_POINTS);
            prop_assert_eq!(range.end.timestamp_millis().rem_euclid(range.step_ms), 0);
            prop_assert_eq!(range.start.timestamp_millis().rem_euclid(range.step_ms), 0);
            prop_assert!(range.end <= now && now < grid.next());
            prop_assert!(range.start <= now - Duration::seconds(range_s));
            prop_assert!(range.step_ms >= grid.scrape_ms);
        }

        #[test]
        fn the_next_refresh_asks_for_the_same_points(now in 1_000_000_i64..4_000_000_000, later in 0_i64..100) {
            let (first, second) = (Grid::plan(at(now), 3_600, 200, 15_000), Grid::plan(at(now + later), 3_600, 200, 15_000));
            prop_assert_eq!(first.range.step_ms, second.range.step_ms);
            let moved = (second.range.end - first.range.end).num_milliseconds();
            prop_assert_eq!(moved % first.range.step_ms, 0);
        }
    }
}

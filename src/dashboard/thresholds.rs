//! In which state a value is, and where it changed.

use super::model::{Panel, Threshold, ThresholdLevel, ThresholdStyle};
use crate::domain::series::{Range, is_gap};
use crate::domain::time::Timestamp;

/// The state of `value`: that of the highest threshold it reaches, `Good` below all. `None` for gaps and NaN: not known
/// is not good.
#[must_use]
pub fn level(thresholds: &[Threshold], value: f64) -> Option<ThresholdLevel> {
    if is_gap(value) || value.is_nan() {
        return None;
    }
    let reached = thresholds.iter().filter(|threshold| value >= threshold.value);
    let highest = reached.max_by(|one, other| one.value.total_cmp(&other.value));
    Some(highest.map_or(ThresholdLevel::Good, |threshold| threshold.level))
}

/// The thresholds that are drawn in a chart: none when they are hidden or when there is no value to compare with.
#[must_use]
pub fn lines(panel: &Panel) -> &[Threshold] {
    if panel.threshold_style == ThresholdStyle::Off { &[] } else { &panel.thresholds }
}

/// Since when the last sample's state has held without a break, and which it is. `None` when there is no sample, or when
/// it has held since before the range (the first element is then the range's start).
#[must_use]
pub fn since(thresholds: &[Threshold], values: &[f64], range: &Range) -> Option<(Timestamp, ThresholdLevel, bool)> {
    let mut states =
        values.iter().enumerate().rev().filter_map(|(index, value)| Some((index, level(thresholds, *value)?)));
    let (mut first, now) = states.next()?;
    let mut whole = true;
    for (index, state) in states {
        if state != now {
            whole = false;
            break;
        }
        first = index;
    }
    let into = range.step_ms.saturating_mul(i64::try_from(first).unwrap_or(0));
    Some((range.start + chrono::Duration::milliseconds(into), now, whole))
}

/// The word and the mark of a state, so that it is never told by colour alone.
#[must_use]
pub fn word(level: ThresholdLevel) -> &'static str {
    match level {
        ThresholdLevel::Good => "good",
        ThresholdLevel::Warning => "warning",
        ThresholdLevel::Bad => "bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::series::gap;

    const STEPS: &[Threshold] = &[
        Threshold { value: 10.0, level: ThresholdLevel::Warning },
        Threshold { value: 20.0, level: ThresholdLevel::Bad },
    ];

    #[test]
    fn the_highest_reached_threshold_decides() {
        for (value, expected) in [
            (9.9, Some(ThresholdLevel::Good)),
            (10.0, Some(ThresholdLevel::Warning)),
            (25.0, Some(ThresholdLevel::Bad)),
            (f64::INFINITY, Some(ThresholdLevel::Bad)),
            (f64::NAN, None),
            (gap(), None),
        ] {
            assert_eq!(level(STEPS, value), expected, "{value}");
        }
        let falling = [
            Threshold { value: 0.0, level: ThresholdLevel::Bad },
            Threshold { value: 0.9, level: ThresholdLevel::Good },
        ];
        assert_eq!(level(&falling, 0.5), Some(ThresholdLevel::Bad));
        assert_eq!(level(&falling, 0.95), Some(ThresholdLevel::Good));
    }

    #[test]
    fn crossing_is_dated() {
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let range = Range { start, end: start + chrono::Duration::minutes(4), step_ms: 60_000 };
        let minute = |minutes| start + chrono::Duration::minutes(minutes);
        for (values, expected) in [
            (vec![1.0, 30.0, 30.0, 30.0, 25.0], Some((minute(1), ThresholdLevel::Bad, false))),
            (vec![1.0, 30.0, gap(), 30.0, gap()], Some((minute(1), ThresholdLevel::Bad, false))),
            (vec![1.0, 1.0, 1.0], Some((minute(0), ThresholdLevel::Good, true))),
            (vec![30.0, 1.0, 15.0], Some((minute(2), ThresholdLevel::Warning, false))),
            (vec![gap()], None),
        ] {
            assert_eq!(since(STEPS, &values, &range), expected, "{values:?}");
        }
    }
}

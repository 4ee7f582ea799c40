//! The value axis: from where to where, which values are named beside it, and on which row a value lies.

use super::model::{Panel, ThresholdStyle};
use super::units::{self, Style};

/// A named value on the axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The value.
    pub value: f64,
    /// The row it lies on, 0 at the top.
    pub row: usize,
    /// Its name.
    pub label: String,
}

/// A value axis.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAxis {
    /// Value of the lowest line.
    pub min: f64,
    /// Value of the highest line; always above `min`.
    pub max: f64,
    /// Named values, from the top down; never two on one row.
    pub ticks: Vec<Tick>,
}

impl ValueAxis {
    /// The axis of `panel` for these values, `rows` high. Only finite values count.
    #[must_use]
    pub fn new(panel: &Panel, values: impl IntoIterator<Item = f64>, rows: usize, style: &Style) -> Self {
        let (min, max) = limits(panel, values);
        let style = Style { decimals: panel.decimals, ..*style };
        let step = step(min, max, rows, panel);
        let (min, max) = widened(min, max, step, panel);
        let ticks = ticks(min, max, step, rows, panel, &style);
        Self { min, max, ticks }
    }

    /// Columns that the longest label takes.
    #[must_use]
    pub fn label_width(&self) -> usize {
        self.ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0)
    }

    /// On which of `lines` the value lies, 0 at the top; values beyond the ends lie on the ends. `None` for NaN.
    #[must_use]
    pub fn line(&self, value: f64, lines: usize) -> Option<usize> {
        if value.is_nan() || lines == 0 {
            return None;
        }
        let share = ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0);
        Some(((1.0 - share) * (lines - 1) as f64).round() as usize)
    }
}

/// From where to where. Fixed ends hold; otherwise the values decide, and a drawn threshold is let in as long as the
/// values stay readable beside it. Hidden thresholds do not touch the axis.
fn limits(panel: &Panel, values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        (low, high) = (0.0, 0.0);
    }
    if panel.stacked {
        low = low.min(0.0);
        high = high.max(0.0);
    }
    if panel.threshold_style != ThresholdStyle::Off {
        let span = high - low;
        for threshold in panel.thresholds.iter().filter(|threshold| threshold.value.is_finite()) {
            let (wider_low, wider_high) = (low.min(threshold.value), high.max(threshold.value));
            if span == 0.0 || wider_high - wider_low <= 4.0 * span {
                (low, high) = (wider_low, wider_high);
            }
        }
    }
    let (low, high) = (panel.min.unwrap_or(low), panel.max.unwrap_or(high));
    if low < high {
        return (low, high);
    }
    // One value only: zero is the natural other end; zero itself gets one unit of its own.
    match (panel.min, panel.max) {
        (Some(min), _) => (min, min + min.abs().max(1.0)),
        (None, Some(max)) => (max - max.abs().max(1.0), max),
        (None, None) if low > 0.0 => (0.0, low * 2.0),
        (None, None) if low < 0.0 => (low * 2.0, 0.0),
        (None, None) => (0.0, if panel.unit == "percentunit" || panel.unit.starts_with("bool") { 1.0 } else { 100.0 }),
    }
}

/// The distance of named values: 1, 2 or 5 times a power of the unit's base, the smallest that leaves an empty row
/// between two of them.
fn step(min: f64, max: f64, rows: usize, panel: &Panel) -> f64 {
    let base = base(&panel.unit);
    let most = (rows.saturating_sub(1) / 2).clamp(1, 8) as f64;
    let least = if panel.unit.starts_with("bool") { 1.0 } else { f64::MIN_POSITIVE };
    let mut step = nice(((max - min) / most).max(least), base);
    // Ends on named values may need one more of them than there is room for: then the next distance.
    for _ in 0..4 {
        let (low, high) = widened(min, max, step, panel);
        if (high - low) / step <= most * (1.0 + 1e-9) {
            break;
        }
        step = nice(step * 1.5, base);
    }
    step
}

/// The ends on named values, where the panel does not fix them, so that the rows between them are even.
fn widened(min: f64, max: f64, step: f64, panel: &Panel) -> (f64, f64) {
    let (low, high) = ((min / step + 1e-9).floor() * step, (max / step - 1e-9).ceil() * step);
    let is_sane = low.is_finite() && high.is_finite() && high > low;
    if !is_sane {
        return (min, max);
    }
    (if panel.min.is_some() { min } else { low.min(min) }, if panel.max.is_some() { max } else { high.max(max) })
}

/// The named values, from the top down.
fn ticks(min: f64, max: f64, step: f64, rows: usize, panel: &Panel, style: &Style) -> Vec<Tick> {
    if rows == 0 {
        return Vec::new();
    }
    let axis = ValueAxis { min, max, ticks: Vec::new() };
    let mut found: Vec<Tick> = Vec::new();
    let (first, last) = ((min / step).ceil(), (max / step).floor());
    let count = (last - first).clamp(0.0, 64.0) as usize;
    for index in (0..=count).rev() {
        let value = (first + index as f64) * step;
        let value = if value.abs() < step * 1e-9 { 0.0 } else { value };
        if value > max + step * 1e-9 {
            continue;
        }
        let Some(row) = axis.line(value, rows) else { continue };
        let label = label(value, step, panel, style);
        if found.last().is_none_or(|above: &Tick| above.row < row && above.label != label) {
            found.push(Tick { value, row, label });
        }
    }
    found
}

/// The value in the panel's unit, with as many digits as the distance of ticks needs and no more.
fn label(value: f64, step: f64, panel: &Panel, style: &Style) -> String {
    if style.decimals.is_some() {
        return units::format(value, &panel.unit, style);
    }
    let full = (0..=6_u8).find_map(|digits| {
        let here = Style { decimals: Some(digits), ..*style };
        let text = units::format(value, &panel.unit, &here);
        let differs = text != units::format(value + step, &panel.unit, &here);
        let finer = Style { decimals: Some(digits + 1), ..*style };
        let next = units::format(value, &panel.unit, &finer);
        let above = units::format(value + step, &panel.unit, &finer);
        (differs && (digits == 6 || reads_same(&text, &next, &above))).then_some(text)
    });
    full.unwrap_or_else(|| units::format(value, &panel.unit, style))
}

/// Whether one more digit says nothing more: it only adds zeros, or less than a twentieth of the way to the next label.
fn reads_same(text: &str, longer: &str, above: &str) -> bool {
    let is_digit = |symbol: char| symbol == '.' || symbol == '-' || symbol.is_ascii_digit();
    let parts = |text: &str| -> Option<(f64, String)> {
        let end = text.find(|symbol| !is_digit(symbol)).unwrap_or(text.len());
        let (digits, unit) = text.split_at_checked(end)?;
        Some((digits.parse().ok()?, unit.to_owned()))
    };
    let (Some((short, unit)), Some((long, _)), Some((next, next_unit))) = (parts(text), parts(longer), parts(above))
    else {
        return text == longer;
    };
    short == long || (unit == next_unit && (short - long).abs() <= (next - long).abs() / 20.0)
}

/// What a unit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Ten,
    /// Spans: 60, 24, 7.
    Sixty,
    /// 1024.
    Binary,
}

fn base(unit: &str) -> Base {
    match unit {
        "bytes" | "bits" | "binBps" | "binbps" | "kbytes" | "mbytes" | "gbytes" => Base::Binary,
        "s" | "m" | "dtdurations" | "dthms" => Base::Sixty,
        _ => Base::Ten,
    }
}

/// The next nice step at or above `raw`.
fn nice(raw: f64, base: Base) -> f64 {
    if base == Base::Sixty && raw > 1.0 {
        const SPANS: &[f64] = &[
            1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0,
            21_600.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0,
        ];
        if let Some(step) = SPANS.iter().find(|step| **step >= raw) {
            return *step;
        }
    }
    if base == Base::Binary && raw >= 1.0 {
        // Powers of two stay whole in every binary unit.
        return 2_f64.powi(raw.log2().ceil() as i32);
    }
    let power = 10_f64.powi(raw.log10().floor() as i32);
    let share = raw / power;
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| share <= step * (1.0 + 1e-9)).unwrap_or(10.0);
    step * power
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are written down, not computed")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dashboard::model::{PanelKind, Threshold, ThresholdLevel};
    use crate::domain::id::PanelId;

    fn panel(unit: &str) -> Panel {
        let mut panel = Panel::new(PanelId::parse("p").unwrap(), "p", PanelKind::TimeSeries);
        panel.unit = unit.to_owned();
        panel
    }

    fn axis(panel: &Panel, values: &[f64], rows: usize) -> ValueAxis {
        ValueAxis::new(panel, values.iter().copied(), rows, &Style::plain(chrono::DateTime::UNIX_EPOCH))
    }

    fn labels(axis: &ValueAxis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_nice_in_their_unit() {
        for (unit, values, rows, expected) in [
            ("short", vec![0.0, 100.0], 11, vec!["100", "80", "60", "40", "20", "0"]),
            ("short", vec![0.0, 3.0], 5, vec!["4", "2", "0"]),
            ("short", vec![0.0, 0.45], 7, vec!["0.6", "0.4", "0.2", "0.0"]),
            ("percentunit", vec![0.0, 0.05], 8, vec!["6%", "4%", "2%", "0%"]),
            ("bytes", vec![0.0, 4.0 * 1024.0 * 1024.0 * 1024.0], 9, vec!["4 GiB", "3 GiB", "2 GiB", "1 GiB", "0 B"]),
            ("s", vec![0.0, 0.25], 6, vec!["400 ms", "200 ms", "0 s"]),
            ("s", vec![0.0, 3_600.0], 6, vec!["1 hour", "30 min", "0 s"]),
            ("reqps", vec![0.0, 1_500.0], 8, vec!["1.5K req/s", "1K req/s", "500 req/s", "0 req/s"]),
            ("bool", vec![0.0, 1.0], 8, vec!["True", "False"]),
        ] {
            assert_eq!(labels(&axis(&panel(unit), &values, rows)), expected, "{unit} {values:?}");
        }
    }

    #[test]
    fn hidden_thresholds_do_not_stretch_and_drawn_ones_do_within_reason() {
        let mut panel = panel("short");
        panel.thresholds = vec![Threshold { value: 80.0, level: ThresholdLevel::Bad }];
        panel.threshold_style = ThresholdStyle::Off;
        assert_eq!(axis(&panel, &[1.0, 2.0], 8).max, 2.0);
        panel.threshold_style = ThresholdStyle::Line;
        assert_eq!(axis(&panel, &[1.0, 2.0], 8).max, 2.0, "far away");
        assert_eq!(axis(&panel, &[1.0, 50.0], 8).max, 100.0, "near");
        assert_eq!(axis(&panel, &[0.0, 0.0], 8).max, 100.0, "flat");
    }

    #[test]
    fn flat_empty_and_special_values_still_have_an_axis() {
        for (unit, values, min, max) in [
            ("short", vec![], 0.0, 100.0),
            ("percentunit", vec![0.0], 0.0, 1.0),
            ("short", vec![5.0, 5.0], 0.0, 10.0),
            ("short", vec![-5.0], -10.0, 0.0),
            ("short", vec![f64::NAN, f64::INFINITY, 3.0, 4.0], 3.0, 4.0),
        ] {
            let axis = axis(&panel(unit), &values, 8);
            assert_eq!((axis.min, axis.max), (min, max), "{values:?}");
        }
        let mut fixed = panel("percent");
        (fixed.min, fixed.max) = (Some(0.0), Some(100.0));
        assert_eq!(axis(&fixed, &[200.0], 8).max, 100.0);
        assert_eq!(axis(&fixed, &[1.0], 0).ticks, Vec::new());
    }

    proptest! {
        #[test]
        fn ticks_never_share_a_row_nor_a_label(
            low in -1e9_f64..1e9, span in 1e-6_f64..1e9, rows in 1_usize..60,
            unit in prop::sample::select(vec!["short", "bytes", "s", "percentunit", "reqps", "none", "ms", "bool"]),
        ) {
            let axis = axis(&panel(unit), &[low, low + span], rows);
            prop_assert!(axis.min < axis.max);
            for pair in axis.ticks.windows(2) {
                prop_assert!(pair[0].row < pair[1].row && pair[0].value > pair[1].value);
                prop_assert!(pair[0].label != pair[1].label, "{:?}", axis);
            }
            for tick in &axis.ticks {
                prop_assert!(tick.row < rows && tick.value >= axis.min - span * 1e-6 && tick.value <= axis.max + span * 1e-6);
            }
        }
    }
}

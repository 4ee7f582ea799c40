//! Digits the way JavaScript writes them, because Grafana does.

/// A number rounded half up to `decimals` digits; without them, to as many as its size deserves (`0.00123`, `1.50`,
/// `25.0`… as Grafana's `toFixed` chooses).
#[must_use]
pub fn to_fixed(value: f64, decimals: Option<i32>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    let decimals = decimals.unwrap_or_else(|| decimals_for(value));
    let digits = usize::try_from(decimals.clamp(0, 100)).unwrap_or(0);
    if value == 0.0 {
        return format!("{:.digits$}", 0.0);
    }
    let factor = if decimals > 0 { 10_f64.powi(decimals) } else { 1.0 };
    // JavaScript's Math.round goes half up, also below zero.
    let text = shortest((value * factor + 0.5).floor_exact() / factor);
    if text.contains('e') {
        return text;
    }
    let precision = text.find('.').map_or(0, |at| text.len() - at - 1);
    if precision >= digits {
        return text;
    }
    let point = if precision == 0 { "." } else { "" };
    format!("{text}{point}{}", "0".repeat(digits - precision))
}

trait FloorExact {
    fn floor_exact(self) -> f64;
}

impl FloorExact for f64 {
    /// `floor`, but a number too large to have a fraction stays what it is instead of losing to the added half.
    fn floor_exact(self) -> f64 {
        let floor = self.floor();
        if floor.abs() >= 4_503_599_627_370_496.0 { self } else { floor }
    }
}

/// How many digits after the point a number of this size deserves.
fn decimals_for(value: f64) -> i32 {
    if value % 1.0 == 0.0 {
        return 0;
    }
    let log10 = (value.abs().ln() / std::f64::consts::LN_10).floor() as i32;
    let decimals = 1 - log10;
    // 2.5 needs a digit more than 1.5 to be told from its neighbours. (Grafana divides the signed value, so a negative
    // one never gets it.)
    let norm = value / 10_f64.powi(-decimals);
    (decimals + i32::from(norm > 2.25)).max(0)
}

/// The shortest text that reads back as the same number, as JavaScript's `String(number)`.
#[must_use]
pub(super) fn shortest(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}

/// Hexadecimal, upper case, of the rounded number.
pub(super) fn hex(value: f64, decimals: Option<i32>, prefix: &str) -> String {
    let rounded = to_fixed(value, decimals).parse::<f64>().unwrap_or(value);
    if !rounded.is_finite() {
        return to_fixed(value, decimals);
    }
    let sign = if rounded < 0.0 { "-" } else { "" };
    let whole = rounded.abs().trunc();
    let mut fraction = rounded.abs().fract();
    let mut text = format!("{sign}{prefix}{:X}", whole as u128);
    if fraction > 0.0 {
        text.push('.');
        while fraction > 0.0 && text.len() < 40 {
            fraction *= 16.0;
            text.extend(char::from_digit(fraction.trunc() as u32, 16).map(|digit| digit.to_ascii_uppercase()));
            fraction = fraction.fract();
        }
    }
    text
}

/// `1.5e+3`.
pub(super) fn scientific(value: f64, decimals: Option<i32>) -> String {
    if !value.is_finite() {
        return to_fixed(value, decimals);
    }
    let text = match decimals {
        Some(digits) => format!("{value:.*e}", usize::try_from(digits.clamp(0, 100)).unwrap_or(0)),
        None => format!("{value:e}"),
    };
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}

/// Thousands with commas; at most three digits after the point unless told otherwise.
pub(super) fn locale(value: f64, decimals: Option<i32>) -> String {
    if !value.is_finite() {
        return to_fixed(value, decimals);
    }
    let digits = usize::try_from(decimals.unwrap_or(3).clamp(0, 20)).unwrap_or(3);
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{out}") } else { format!("{sign}{out}.{fraction}") }
}

//! Numbers with units, as Grafana writes them: a number on this screen must be the number on that one.
//!
//! Grafana's unit ids are case-sensitive and do not mean what they look like: `bytes` counts by 1024, `decbytes` by
//! 1000; `bps` are bits, `Bps` bytes. An unknown id is shown behind the number, as Grafana does.

use chrono_tz::Tz;

use crate::domain::time::Timestamp;

mod number;
mod table;
mod time;

pub use number::to_fixed;
pub use table::is_known;

use table::{Form, form};

/// How a value is written besides its unit.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Digits after the point; chosen by the value when absent.
    pub decimals: Option<u8>,
    /// The zone of dates.
    pub zone: Tz,
    /// What "today" and "ago" are counted from.
    pub now: Timestamp,
}

impl Style {
    /// Chosen by the value, dates in UTC.
    #[must_use]
    pub fn plain(now: Timestamp) -> Self {
        Self { decimals: None, zone: Tz::UTC, now }
    }
}

/// `value` in `unit`, the same text that Grafana's panels show.
#[must_use]
pub fn format(value: f64, unit: &str, style: &Style) -> String {
    let decimals = style.decimals.map(i32::from);
    match form(unit) {
        Form::Plain(suffix) if suffix.is_empty() => to_fixed(value, decimals),
        Form::Plain(suffix) => format!("{} {suffix}", to_fixed(value, decimals)),
        Form::Prefixed(prefix) => format!("{prefix}{}", to_fixed(value, decimals)),
        Form::Percent(factor) => format!("{}%", to_fixed(value * factor, decimals)),
        Form::Scaled { factor, steps, offset, suffix } => scaled(value, decimals, factor, steps, offset, &suffix),
        Form::Currency { symbol, behind } => currency(value, decimals, &symbol, behind),
        Form::Bool(yes, no) => if value != 0.0 && !value.is_nan() { yes } else { no }.to_owned(),
        Form::Hex(prefix) => number::hex(value, decimals, prefix),
        Form::Scientific => number::scientific(value, decimals),
        Form::Locale => number::locale(value, decimals),
        Form::Text => number::shortest(value),
        Form::Time(kind) => time::write(value, kind, decimals, style),
    }
}

/// `value` in `unit` for a place of `width` columns: with fewer digits, then without the space before the unit. Never
/// cut in the middle of a number; `None` when it does not fit.
#[must_use]
pub fn format_within(value: f64, unit: &str, style: &Style, width: usize) -> Option<String> {
    let columns = |text: &str| text.chars().count();
    let full = format(value, unit, style);
    if columns(&full) <= width {
        return Some(full);
    }
    let fewer = style.decimals.unwrap_or(2).min(2);
    (0..=fewer)
        .rev()
        .flat_map(|digits| {
            let shorter = format(value, unit, &Style { decimals: Some(digits), ..*style });
            [shorter.clone(), shorter.replacen(' ', "", 1)]
        })
        .find(|text| columns(text) <= width)
}

/// A number scaled by powers of `factor`; `steps` are the suffixes, `offset` the index of the unit itself.
fn scaled(value: f64, decimals: Option<i32>, factor: f64, steps: &[&str], offset: i32, suffix: &str) -> String {
    if !value.is_finite() {
        return to_fixed(value, decimals);
    }
    let last = i32::try_from(steps.len()).unwrap_or(1) - 1;
    let power = if value == 0.0 { 0 } else { (value.abs().log10() / factor.log10()).floor() as i32 };
    let index = (offset + power).clamp(0, last);
    let step = usize::try_from(index).ok().and_then(|index| steps.get(index)).copied().unwrap_or("");
    let divided = value / factor.powi(power.clamp(-offset, last - offset));
    format!("{}{step}{suffix}", to_fixed(divided, decimals))
}

fn currency(value: f64, decimals: Option<i32>, symbol: &str, behind: bool) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let text = scaled(value.abs(), decimals, 1000.0, table::COUNT, 0, "");
    if behind { format!("{sign}{text}{symbol}") } else { format!("{sign}{symbol}{text}") }
}

#[cfg(test)]
mod tests;

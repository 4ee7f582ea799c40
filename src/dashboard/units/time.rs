//! Spans and instants, in Grafana's words.

use chrono::{DateTime, TimeZone};

use super::Style;
use super::number::to_fixed;
use super::table::Span;

/// `value` as the span or instant that `kind` says it is.
pub(super) fn write(value: f64, kind: Span, decimals: Option<i32>, style: &Style) -> String {
    let fixed = |value: f64, unit: &str| format!("{} {unit}", to_fixed(value, decimals));
    match kind {
        Span::Nanoseconds => ladder(value, decimals, NANOSECONDS),
        Span::Microseconds => ladder(value, decimals, MICROSECONDS),
        Span::Milliseconds => ladder(value, decimals, MILLISECONDS),
        Span::Seconds => seconds(value, decimals),
        Span::Ticks => seconds(value / 100.0, decimals),
        Span::Minutes => ladder(value, decimals, MINUTES),
        Span::Hours => ladder(value, decimals, HOURS),
        Span::Days => ladder(value, decimals, DAYS),
        _ if !value.is_finite() => fixed(value, "").trim_end().to_owned(),
        Span::Duration(millis) => duration(value, decimals, millis),
        Span::ClockOfDay => ago(value, clock_of_day),
        Span::DaysAndClock => ago(value, days_and_clock),
        Span::Clock(millis) => clock(value * millis as f64, decimals),
        Span::Iso(short) => instant(value, style, short, ("%Y-%m-%d %H:%M:%S", "%H:%M:%S")),
        Span::Us(short) => instant(value, style, short, ("%m/%d/%Y %-I:%M:%S %P", "%-I:%M:%S %P")),
        Span::FromNow => from_now(value, style),
    }
}

/// Below `limit`, divide by `by` and write `unit`; the last one has no limit.
struct Rung {
    limit: f64,
    by: f64,
    unit: &'static str,
}

const fn rung(limit: f64, by: f64, unit: &'static str) -> Rung {
    Rung { limit, by, unit }
}

const NANOSECONDS: &[Rung] = &[
    rung(1e3, 1.0, "ns"),
    rung(1e6, 1e3, "µs"),
    rung(1e9, 1e6, "ms"),
    rung(6e10, 1e9, "s"),
    rung(3.6e12, 6e10, "min"),
    rung(8.64e13, 3.6e12, "hour"),
    rung(f64::INFINITY, 8.64e13, "day"),
];
const MICROSECONDS: &[Rung] = &[rung(1e3, 1.0, "µs"), rung(1e6, 1e3, "ms"), rung(f64::INFINITY, 1e6, "s")];
const MILLISECONDS: &[Rung] = &[
    rung(1e3, 1.0, "ms"),
    rung(6e4, 1e3, "s"),
    rung(3.6e6, 6e4, "min"),
    rung(8.64e7, 3.6e6, "hour"),
    rung(3.1536e10, 8.64e7, "day"),
    rung(f64::INFINITY, 3.1536e10, "year"),
];
const SECONDS: &[Rung] = &[
    rung(60.0, 1.0, "s"),
    rung(3_600.0, 60.0, "min"),
    rung(86_400.0, 3_600.0, "hour"),
    rung(604_800.0, 86_400.0, "day"),
    rung(31_536_000.0, 604_800.0, "week"),
    rung(f64::INFINITY, 3.15569e7, "year"),
];
const MINUTES: &[Rung] = &[
    rung(60.0, 1.0, "min"),
    rung(1_440.0, 60.0, "hour"),
    rung(10_080.0, 1_440.0, "day"),
    rung(604_800.0, 10_080.0, "week"),
    rung(f64::INFINITY, 5.25948e5, "year"),
];
const HOURS: &[Rung] = &[
    rung(24.0, 1.0, "hour"),
    rung(168.0, 24.0, "day"),
    rung(8_760.0, 168.0, "week"),
    rung(f64::INFINITY, 8_760.0, "year"),
];
const DAYS: &[Rung] = &[rung(7.0, 1.0, "day"), rung(365.0, 7.0, "week"), rung(f64::INFINITY, 365.0, "year")];

fn ladder(value: f64, decimals: Option<i32>, rungs: &[Rung]) -> String {
    // What is not a number falls through to the last rung, as it does in Grafana.
    let fits = rungs.iter().find(|rung| value.abs() < rung.limit).or(rungs.last());
    fits.map_or_else(String::new, |rung| format!("{} {}", to_fixed(value / rung.by, decimals), rung.unit))
}

fn seconds(value: f64, decimals: Option<i32>) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0 s".to_owned();
    }
    let (times, unit) = if size < 1e-6 {
        (1e9, "ns")
    } else if size < 1e-3 {
        (1e6, "µs")
    } else if size < 1.0 {
        (1e3, "ms")
    } else {
        return ladder(value, decimals, SECONDS);
    };
    format!("{} {unit}", to_fixed(value * times, decimals))
}

const UNITS: &[(&str, f64)] = &[
    ("year", 31_536_000_000.0),
    ("month", 2_592_000_000.0),
    ("week", 604_800_000.0),
    ("day", 86_400_000.0),
    ("hour", 3_600_000.0),
    ("minute", 60_000.0),
    ("second", 1_000.0),
    ("millisecond", 1.0),
];

/// The largest unit, and `decimals` smaller ones: `1 hour, 2 minutes`.
fn duration(value: f64, decimals: Option<i32>, millis: i64) -> String {
    if value == 0.0 {
        return format!("0 {}", if millis == 1 { "milliseconds" } else { "seconds" });
    }
    if value < 0.0 {
        return format!("{} ago", duration(-value, decimals, millis));
    }
    let mut rest = value * millis as f64;
    let mut left = decimals.unwrap_or(0);
    let mut words: Vec<String> = Vec::new();
    for (unit, size) in UNITS {
        if left < 0 {
            break;
        }
        let whole = (rest / size).floor();
        if rest / size >= 1.0 || !words.is_empty() {
            words.push(format!("{whole} {unit}{}", if whole as i64 == 1 { "" } else { "s" }));
            rest %= size;
            left -= 1;
        }
    }
    // Grafana writes nothing at all for less than a millisecond; nothing looks like no data.
    if words.is_empty() { "0 milliseconds".to_owned() } else { words.join(", ") }
}

fn ago(value: f64, write: fn(f64) -> String) -> String {
    if value < 0.0 { format!("{} ago", write(-value)) } else { write(value) }
}

fn clock_of_day(seconds: f64) -> String {
    let (hours, minutes) = ((seconds / 3_600.0).floor(), (seconds % 3_600.0 / 60.0).floor());
    format!("{hours:02}:{minutes:02}:{:02}", (seconds % 3_600.0 % 60.0).floor())
}

fn days_and_clock(seconds: f64) -> String {
    let days = (seconds / 86_400.0).floor();
    let clock = clock_of_day(seconds - days * 86_400.0);
    if days > 0.0 { format!("{days} d {clock}") } else { clock }
}

fn clock(millis: f64, decimals: Option<i32>) -> String {
    let whole = millis.max(0.0).floor() as u64;
    let (ms, s, m, h) = (whole % 1_000, whole / 1_000 % 60, whole / 60_000 % 60, whole / 3_600_000);
    match (whole, decimals) {
        (0..1_000, _) => format!("{ms:03}ms"),
        (1_000..60_000, Some(0)) => format!("{s:02}s"),
        (1_000..60_000, _) => format!("{s:02}s:{ms:03}ms"),
        (60_000..3_600_000, Some(0)) => format!("{m:02}m"),
        (60_000..3_600_000, Some(1)) => format!("{m:02}m:{s:02}s"),
        (60_000..3_600_000, _) => format!("{m:02}m:{s:02}s:{ms:03}ms"),
        (_, Some(0)) => format!("{:02}h", h % 100),
        (_, Some(1)) => format!("{:02}h:{m:02}m", h % 100),
        (_, Some(2)) => format!("{:02}h:{m:02}m:{s:02}s", h % 100),
        _ => format!("{:02}h:{m:02}m:{s:02}s:{ms:03}ms", h % 100),
    }
}

/// An instant in milliseconds since 1970; `(full, today)` are its forms.
fn instant(value: f64, style: &Style, short_today: bool, forms: (&str, &str)) -> String {
    let Some(at) = DateTime::from_timestamp_millis(value as i64) else { return "Invalid date".to_owned() };
    let (local, today) = (at.with_timezone(&style.zone), style.now.with_timezone(&style.zone));
    let is_today = local.date_naive() == today.date_naive();
    local.format(if short_today && is_today { forms.1 } else { forms.0 }).to_string()
}

fn from_now(value: f64, style: &Style) -> String {
    let Some(at) = chrono::Utc.timestamp_millis_opt(value as i64).single() else { return "Invalid date".to_owned() };
    let seconds = at.signed_duration_since(style.now).num_milliseconds() as f64 / 1000.0;
    let size = seconds.abs();
    let (minutes, hours, days) = ((size / 60.0).round(), (size / 3_600.0).round(), (size / 86_400.0).round());
    let words = match (size.round(), minutes, hours, days) {
        (s, ..) if s < 45.0 => "a few seconds".to_owned(),
        (_, m, ..) if m <= 1.0 => "a minute".to_owned(),
        (_, m, ..) if m < 45.0 => format!("{m} minutes"),
        (_, _, h, _) if h <= 1.0 => "an hour".to_owned(),
        (_, _, h, _) if h < 22.0 => format!("{h} hours"),
        (_, _, _, d) if d <= 1.0 => "a day".to_owned(),
        (_, _, _, d) if d < 26.0 => format!("{d} days"),
        (_, _, _, d) if d <= 45.0 => "a month".to_owned(),
        (_, _, _, d) if d < 320.0 => format!("{} months", (d / 30.44).round()),
        (_, _, _, d) if d < 548.0 => "a year".to_owned(),
        (_, _, _, d) => format!("{} years", (d / 365.25).round()),
    };
    if seconds <= 0.0 { format!("{words} ago") } else { format!("in {words}") }
}

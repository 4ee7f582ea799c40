//! Functions of range vectors: each looks at the samples of one window.

#![expect(clippy::float_cmp, reason = "PromQL compares exactly")]

use super::Point;

/// A window: its samples, oldest first, and its ends in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub points: &'a [Point],
    pub from: i64,
    pub until: i64,
    /// The step it is asked for, which `@` and `offset` may move away from `until`.
    pub at: i64,
}

/// The points with `from <= t <= until`.
pub(super) fn inside(points: &[Point], from: i64, until: i64) -> &[Point] {
    let start = points.partition_point(|(at, _)| *at < from);
    let end = points.partition_point(|(at, _)| *at <= until);
    points.get(start..end).unwrap_or_default()
}

/// A function over one window; `None` when it has no answer there.
pub(super) type OverTime = fn(Window<'_>, &[f64]) -> Option<f64>;

/// The function of that name, which of its arguments is the range vector, and whether it keeps the metric's name.
pub(super) fn named(name: &str) -> Option<(OverTime, usize, bool)> {
    Some(match name {
        "rate" => (|window, _| extrapolated(window, true, true), 0, false),
        "increase" => (|window, _| extrapolated(window, true, false), 0, false),
        "delta" => (|window, _| extrapolated(window, false, false), 0, false),
        "irate" => (|window, _| last_two(window, true), 0, false),
        "idelta" => (|window, _| last_two(window, false), 0, false),
        "deriv" => (|window, _| slope(window, window.points.first()?.0).map(|(slope, _)| slope), 0, false),
        "predict_linear" => (predict_linear, 0, false),
        "changes" => (
            |window, _| Some(steps(window, |before, now| now != before && !(now.is_nan() && before.is_nan()))),
            0,
            false,
        ),
        "resets" => (|window, _| Some(steps(window, |before, now| now < before)), 0, false),
        "sum_over_time" => (|window, _| Some(sum(values(window))), 0, false),
        "count_over_time" => (|window, _| Some(window.points.len() as f64), 0, false),
        "avg_over_time" => (|window, _| Some(mean(values(window))), 0, false),
        "min_over_time" => (
            |window, _| {
                values(window).reduce(|least, value| if value < least || least.is_nan() { value } else { least })
            },
            0,
            false,
        ),
        "max_over_time" => (
            |window, _| values(window).reduce(|most, value| if value > most || most.is_nan() { value } else { most }),
            0,
            false,
        ),
        "last_over_time" => (|window, _| window.points.last().map(|(_, value)| *value), 0, true),
        "present_over_time" => (|_, _| Some(1.0), 0, false),
        "stdvar_over_time" => (|window, _| Some(variance(values(window))), 0, false),
        "stddev_over_time" => (|window, _| Some(variance(values(window)).sqrt()), 0, false),
        "quantile_over_time" => {
            (|window, scalars| Some(quantile(*scalars.first()?, values(window).collect())), 1, false)
        }
        _ => return None,
    })
}

fn values(window: Window<'_>) -> impl Iterator<Item = f64> {
    window.points.iter().map(|(_, value)| *value)
}

/// How much a counter (or gauge) grew over the whole window, from the samples that lie in it: Prometheus stretches the
/// growth to the window's ends, but not further than half a sample's distance beyond the first and last one, nor a
/// counter below zero.
fn extrapolated(window: Window<'_>, is_counter: bool, by_second: bool) -> Option<f64> {
    let [(first_at, first), .., (last_at, last)] = *window.points else { return None };
    let mut growth = last - first;
    if is_counter {
        let pairs = window.points.iter().zip(window.points.iter().skip(1));
        growth += pairs.filter(|(before, now)| now.1 < before.1).map(|(before, _)| before.1).sum::<f64>();
    }
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let (mut to_start, to_end) = (seconds(first_at - window.from), seconds(window.until - last_at));
    let sampled = seconds(last_at - first_at);
    let distance = sampled / (window.points.len() - 1) as f64;
    if is_counter && growth > 0.0 && first >= 0.0 {
        to_start = to_start.min(sampled * (first / growth));
    }
    let reach = |beyond: f64| if beyond < distance * 1.1 { beyond } else { distance / 2.0 };
    let factor = (sampled + reach(to_start) + reach(to_end)) / sampled;
    let grown = growth * factor;
    Some(if by_second { grown / seconds(window.until - window.from) } else { grown })
}

fn last_two(window: Window<'_>, is_rate: bool) -> Option<f64> {
    let [.., (before_at, before), (last_at, last)] = *window.points else { return None };
    let change = if is_rate && last < before { last } else { last - before };
    let seconds = (last_at - before_at) as f64 / 1000.0;
    match (seconds == 0.0, is_rate) {
        (true, _) => None,
        (false, true) => Some(change / seconds),
        (false, false) => Some(change),
    }
}

/// Least squares: slope a second, and the value at `intercept_at`.
fn slope(window: Window<'_>, intercept_at: i64) -> Option<(f64, f64)> {
    if window.points.len() < 2 {
        return None;
    }
    let first = window.points.first()?.1;
    if window.points.iter().all(|(_, value)| *value == first) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let count = window.points.len() as f64;
    let x = |at: i64| (at - intercept_at) as f64 / 1000.0;
    let sum_x = sum(window.points.iter().map(|(at, _)| x(*at)));
    let sum_y = sum(values(window));
    let products = sum(window.points.iter().map(|(at, value)| x(*at) * value));
    let squares = sum(window.points.iter().map(|(at, _)| x(*at) * x(*at)));
    let slope = (products - sum_x * sum_y / count) / (squares - sum_x * sum_x / count);
    Some((slope, sum_y / count - slope * sum_x / count))
}

fn predict_linear(window: Window<'_>, scalars: &[f64]) -> Option<f64> {
    let (slope, intercept) = slope(window, window.at)?;
    Some(slope * scalars.first()? + intercept)
}

fn steps(window: Window<'_>, counts: fn(f64, f64) -> bool) -> f64 {
    let pairs = window.points.iter().zip(window.points.iter().skip(1));
    pairs.filter(|(before, now)| counts(before.1, now.1)).count() as f64
}

/// Kahan's sum, as Prometheus does it.
pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut rest) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        rest += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    if total.is_infinite() { total } else { total + rest }
}

/// The mean, without an overflow on the way.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut mean, mut count) = (0.0_f64, 0.0_f64);
    for value in values {
        count += 1.0;
        if mean.is_infinite() && !value.is_nan() && (value.is_finite() || (value > 0.0) == (mean > 0.0)) {
            continue;
        }
        mean += value / count - mean / count;
    }
    mean
}

/// The population variance.
pub(super) fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    for value in values {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}

/// The quantile by linear interpolation.
pub(super) fn quantile(share: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    // NaN is smaller than every number here.
    values.sort_by(|one, other| match (one.is_nan(), other.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => one.total_cmp(other),
    });
    let rank = share * (values.len() - 1) as f64;
    let low = rank.floor().max(0.0) as usize;
    let (Some(below), Some(above)) = (values.get(low), values.get((low + 1).min(values.len() - 1))) else {
        return f64::NAN;
    };
    let weight = rank - rank.floor();
    below * (1.0 - weight) + above * weight
}

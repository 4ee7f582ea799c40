//! `histogram_quantile` over classic buckets.

#![expect(clippy::float_cmp, reason = "bounds of buckets are read from text, not computed")]

use std::collections::BTreeMap;

use super::super::metrics::LabelSet;
use super::eval::Column;
use super::{gaps, labels};
use crate::domain::series::is_gap;

/// The quantile `share` (one for each step) of each group of `le` buckets.
pub(super) fn quantiles(share: &[f64], columns: Vec<Column>) -> Vec<Column> {
    let mut groups: BTreeMap<LabelSet, Vec<(f64, Vec<f64>)>> = BTreeMap::new();
    for column in columns {
        let Some(upper) = column.labels.get("le").and_then(|text| bound(text)) else { continue };
        let mut rest = labels::nameless(column.labels);
        rest.remove("le");
        groups.entry(rest).or_default().push((upper, column.values));
    }
    groups
        .into_iter()
        .map(|(labels, mut buckets)| {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            let mut values = gaps(share.len());
            for (step, (slot, share)) in values.iter_mut().zip(share).enumerate() {
                let at_step = buckets.iter().filter_map(|(upper, counts)| {
                    counts.get(step).copied().filter(|count| !is_gap(*count)).map(|count| (*upper, count))
                });
                let at_step: Vec<(f64, f64)> = at_step.collect();
                if !at_step.is_empty() {
                    *slot = quantile(*share, at_step);
                }
            }
            Column { labels, values }
        })
        .collect()
}

fn bound(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" | "inf" | "+inf" => Some(f64::INFINITY),
        other => other.parse().ok(),
    }
}

/// `buckets` are (upper bound, cumulative count), sorted.
fn quantile(share: f64, buckets: Vec<(f64, f64)>) -> f64 {
    if share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    let mut joined: Vec<(f64, f64)> = Vec::with_capacity(buckets.len());
    for (upper, count) in buckets {
        match joined.last_mut() {
            Some(last) if last.0 == upper => last.1 += count,
            _ => joined.push((upper, count)),
        }
    }
    // Scrapes of different instants can make a bucket smaller than the one below it.
    let mut most = f64::NEG_INFINITY;
    for (_, count) in &mut joined {
        most = most.max(*count);
        *count = most;
    }
    let [.., (below_last, _), (last, observations)] = *joined else { return f64::NAN };
    if !last.is_infinite() || observations == 0.0 || observations.is_nan() {
        return f64::NAN;
    }
    let rank = share * observations;
    let found = joined.iter().take(joined.len() - 1).position(|(_, count)| *count >= rank);
    let Some(place) = found else { return below_last };
    let Some((upper, count)) = joined.get(place).copied() else { return f64::NAN };
    if place == 0 && upper <= 0.0 {
        return upper;
    }
    let (lower, below) = place.checked_sub(1).and_then(|place| joined.get(place)).copied().unwrap_or((0.0, 0.0));
    lower + (upper - lower) * ((rank - below) / (count - below))
}

//! Names of series, the numbers beside them, and which of many series are shown.

use super::model::Calc;
use crate::domain::alert::Labels;
use crate::domain::series::{Series, is_gap};
use crate::text::{Clean, UntrustedStr};

/// The name of a series: the template with `{{label}}` filled; without one the labels as Prometheus prints them. A
/// template whose labels are all missing would be the same for every series, so the labels are shown then too.
#[must_use]
pub fn name(labels: &Labels, template: Option<&str>) -> Clean {
    match template.filter(|template| !template.trim().is_empty()) {
        Some(template) => Clean::new(fill(labels, template)),
        None => selector(labels),
    }
}

fn fill(labels: &Labels, template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, from)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((label, after)) = from.split_once("}}") else {
            out.push_str("{{");
            rest = from;
            continue;
        };
        out.push_str(labels.get(label.trim()).map_or("", UntrustedStr::expose));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `name{label="value", …}`; `value` when there are no labels at all.
#[must_use]
pub fn selector(labels: &Labels) -> Clean {
    if labels.is_empty() {
        return Clean::new("value");
    }
    let metric = labels.get("__name__").map_or("", UntrustedStr::expose);
    let others: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}=\"{}\"", value.expose()))
        .collect();
    if others.is_empty() { Clean::new(metric) } else { Clean::new(format!("{metric}{{{}}}", others.join(", "))) }
}

/// One number for a column of samples; `None` when there is none to tell. Gaps never count; NaN only where the
/// calculation asks for a certain point.
#[must_use]
pub fn calculate(calc: Calc, values: &[f64]) -> Option<f64> {
    let numbers = || values.iter().copied().filter(|value| !value.is_nan());
    let count = numbers().count();
    match calc {
        Calc::LastNotNull => values.iter().rev().copied().find(|value| !value.is_nan()),
        Calc::Last => values.last().copied().filter(|value| !is_gap(*value)),
        Calc::First => values.first().copied().filter(|value| !is_gap(*value)),
        Calc::Min => numbers().reduce(f64::min),
        Calc::Max => numbers().reduce(f64::max),
        Calc::Mean if count == 0 => None,
        Calc::Mean => Some(numbers().sum::<f64>() / count as f64),
        Calc::Sum => numbers().reduce(|sum, value| sum + value),
        Calc::Count => Some(count as f64),
        Calc::Range => Some(numbers().reduce(f64::max)? - numbers().reduce(f64::min)?),
    }
}

/// Which of many series are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Their places in the answer, largest first.
    pub first: Vec<usize>,
    /// How many were left out; said beside the chart: "9,990 more".
    pub more: usize,
}

/// The `most` series with the largest `calc`, those without a number last. One pass over the samples.
#[must_use]
pub fn rank(series: &[Series], calc: Calc, most: usize) -> Shown {
    let mut places: Vec<(usize, f64)> = series
        .iter()
        .enumerate()
        .map(|(place, one)| (place, calculate(calc, &one.values).unwrap_or(f64::NEG_INFINITY)))
        .collect();
    let by_value = |one: &(usize, f64), other: &(usize, f64)| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0));
    if most < places.len() && most > 0 {
        places.select_nth_unstable_by(most - 1, by_value);
    }
    let more = places.len().saturating_sub(most);
    places.truncate(most);
    places.sort_by(by_value);
    Shown { first: places.into_iter().map(|(place, _)| place).collect(), more }
}

/// Smallest and largest finite sample at every point over all series: the band that stands for those left out.
#[must_use]
pub fn band(series: &[Series]) -> Vec<Option<(f64, f64)>> {
    let points = series.iter().map(|one| one.values.len()).max().unwrap_or(0);
    let mut band: Vec<Option<(f64, f64)>> = vec![None; points];
    for one in series {
        for (slot, value) in band.iter_mut().zip(one.values.iter().copied()).filter(|(_, value)| value.is_finite()) {
            *slot = Some(slot.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        }
    }
    band
}

/// A count with commas: `9,990`.
#[must_use]
pub fn with_commas(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::series::gap;

    fn labels() -> Labels {
        [("__name__", "http_requests_total"), ("code", "500"), ("evil", "a\u{1b}[2Jb")].into_iter().collect()
    }

    #[test]
    fn names_come_from_the_template_or_the_labels() {
        for (template, expected) in [
            (Some("{{code}} errors"), "500 errors"),
            (Some("{{ code }}/{{missing}}."), "500/."),
            (Some("{{evil}}"), "a‹U+001B›[2Jb"),
            (Some("open {{code"), "open {{code"),
            (Some(" "), "http_requests_total{code=\"500\", evil=\"a‹U+001B›[2Jb\"}"),
            (None, "http_requests_total{code=\"500\", evil=\"a‹U+001B›[2Jb\"}"),
        ] {
            assert_eq!(name(&labels(), template).as_str(), expected, "{template:?}");
        }
        assert_eq!(name(&Labels::default(), None).as_str(), "value");
        assert_eq!(selector(&[("__name__", "up")].into_iter().collect()).as_str(), "up");
    }

    #[test]
    fn calculations_leave_gaps_out() {
        let values = [gap(), 3.0, f64::NAN, 1.0, 2.0, gap()];
        for (calc, expected) in [
            (Calc::LastNotNull, Some(2.0)),
            (Calc::Last, None),
            (Calc::First, None),
            (Calc::Min, Some(1.0)),
            (Calc::Max, Some(3.0)),
            (Calc::Mean, Some(2.0)),
            (Calc::Sum, Some(6.0)),
            (Calc::Count, Some(3.0)),
            (Calc::Range, Some(2.0)),
        ] {
            assert_eq!(calculate(calc, &values), expected, "{calc:?}");
            let nothing = calculate(calc, &[gap(), gap()]);
            assert_eq!(nothing, (calc == Calc::Count).then_some(0.0), "{calc:?}");
        }
        assert_eq!(calculate(Calc::Max, &[1.0, f64::INFINITY]), Some(f64::INFINITY));
    }

    fn series(values: &[f64]) -> Series {
        Series { labels: Labels::default(), values: values.into() }
    }

    #[test]
    fn the_largest_are_shown_and_the_rest_counted() {
        let many: Vec<Series> = (0..10_000).map(|value| series(&[f64::from(value), gap()])).collect();
        let shown = rank(&many, Calc::LastNotNull, 10);
        assert_eq!(shown.first, (9_990..10_000).rev().collect::<Vec<_>>());
        assert_eq!(with_commas(shown.more), "9,990");
        let some = [series(&[gap()]), series(&[f64::NAN]), series(&[1.0])];
        assert_eq!(rank(&some, Calc::Max, 5), Shown { first: vec![2, 0, 1], more: 0 });
        assert_eq!(band(&[series(&[1.0, gap()]), series(&[5.0, gap()])]), [Some((1.0, 5.0)), None]);
        assert_eq!((with_commas(0), with_commas(1_234_567)), ("0".to_owned(), "1,234,567".to_owned()));
    }

    proptest! {
        #[test]
        fn ranking_is_a_sort(values in prop::collection::vec(-1e3_f64..1e3, 0..60), most in 0_usize..70) {
            let all: Vec<Series> = values.iter().map(|value| series(&[*value])).collect();
            let shown = rank(&all, Calc::Max, most);
            let mut sorted = values.clone();
            sorted.sort_by(|one, other| other.total_cmp(one));
            sorted.truncate(most);
            let found: Vec<f64> = shown.first.iter().map(|place| values[*place]).collect();
            prop_assert_eq!(found, sorted);
            prop_assert_eq!(shown.more, values.len().saturating_sub(most));
        }
    }
}

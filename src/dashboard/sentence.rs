//! A panel in one sentence, for screen readers and for panes too small for a chart.

use chrono_tz::Tz;

use super::legend::{self, calculate, with_commas};
use super::model::{Calc, Panel, ThresholdLevel};
use super::thresholds;
use super::units::{self, Style};
use crate::domain::series::{Range, Series};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The panel.
    pub panel: &'a Panel,
    /// Its title, filled.
    pub title: &'a Clean,
    /// The grid of the answer.
    pub range: &'a Range,
    /// The series, and the legend template each came with.
    pub series: &'a [(Series, Option<String>)],
    /// The room's zone.
    pub zone: Tz,
    /// Now.
    pub now: Timestamp,
}

/// `Error ratio: api now 4.2%, min 0.1% at 12:01, max 5.6% at 12:40, up from 0.2% at 11:45; bad since 12:31. 2 more
/// series.` The worst series speaks; the others are counted.
#[must_use]
pub fn describe(look: &Look<'_>) -> Clean {
    let title = look.title.as_str();
    let Some(place) = worst(look) else {
        let why = if look.series.is_empty() { "no data" } else { "no samples in this range" };
        return Clean::new(format!("{title}: {why}."));
    };
    let Some((series, template)) = look.series.get(place) else { return look.title.clone() };
    let write = |value: f64| {
        units::format(value, &look.panel.unit, &Style { decimals: look.panel.decimals, zone: look.zone, now: look.now })
    };
    let at = |index: usize| clock(look, index);
    let mut parts = Vec::new();
    let numbers: Vec<(usize, f64)> =
        series.values.iter().copied().enumerate().filter(|(_, value)| !value.is_nan()).collect();
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return look.title.clone() };
    let is_now = last.0 + 2 >= series.values.len();
    let name = if look.series.len() > 1 {
        format!("{} ", legend::name(&series.labels, template.as_deref()))
    } else {
        String::new()
    };
    let when = if is_now { "now".to_owned() } else { format!("last, at {},", at(last.0)) };
    parts.push(format!("{name}{when} {}", write(last.1)));
    if let (Some(low), Some(high)) = (
        numbers.iter().min_by(|one, other| one.1.total_cmp(&other.1)),
        numbers.iter().max_by(|one, other| one.1.total_cmp(&other.1)),
    ) && write(low.1) != write(high.1)
    {
        parts.push(format!("min {} at {}", write(low.1), at(low.0)));
        parts.push(format!("max {} at {}", write(high.1), at(high.0)));
        parts.push(change(&write(first.1), &write(last.1), first.1, last.1, &at(first.0)));
    } else {
        parts.push("steady".to_owned());
    }
    let mut sentence = format!("{title}: {}", parts.join(", "));
    if let Some(state) = state(look, series) {
        sentence.push_str("; ");
        sentence.push_str(&state);
    }
    sentence.push('.');
    if look.series.len() > 1 {
        let others = look.series.len() - 1;
        sentence.extend([" ", &with_commas(others), " more series."]);
    }
    Clean::new(sentence)
}

fn change(from: &str, to: &str, first: f64, last: f64, when: &str) -> String {
    match (from == to, first < last) {
        (true, _) => format!("as at {when}"),
        (false, true) => format!("up from {from} at {when}"),
        (false, false) => format!("down from {from} at {when}"),
    }
}

fn state(look: &Look<'_>, series: &Series) -> Option<String> {
    let (since, level, whole) = thresholds::since(&look.panel.thresholds, &series.values, look.range)?;
    if look.panel.thresholds.is_empty() || (level == ThresholdLevel::Good && whole) {
        return None;
    }
    let word = thresholds::word(level);
    Some(if whole { format!("{word} for the whole range") } else { format!("{word} since {}", local(look, since)) })
}

/// The series that needs the eye: in the worst state, among those the largest.
fn worst(look: &Look<'_>) -> Option<usize> {
    let rated = look.series.iter().enumerate().filter_map(|(place, (series, _))| {
        let last = calculate(Calc::LastNotNull, &series.values)?;
        Some((place, thresholds::level(&look.panel.thresholds, last), last))
    });
    rated
        .max_by(|one, other| one.1.cmp(&other.1).then(one.2.total_cmp(&other.2)).then(other.0.cmp(&one.0)))
        .map(|(place, ..)| place)
}

fn clock(look: &Look<'_>, index: usize) -> String {
    let into = look.range.step_ms.saturating_mul(i64::try_from(index).unwrap_or(0));
    local(look, look.range.start + chrono::Duration::milliseconds(into))
}

fn local(look: &Look<'_>, at: Timestamp) -> String {
    let (here, today) = (at.with_timezone(&look.zone), look.now.with_timezone(&look.zone));
    let form = if here.date_naive() == today.date_naive() { "%H:%M" } else { "%b %-d %H:%M" };
    here.format(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::model::{PanelKind, Threshold};
    use crate::domain::alert::Labels;
    use crate::domain::id::PanelId;
    use crate::domain::series::gap;

    fn said(series: &[&[f64]]) -> String {
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut panel = Panel::new(PanelId::parse("errors").unwrap(), "Error ratio", PanelKind::TimeSeries);
        panel.unit = "percentunit".to_owned();
        panel.decimals = Some(1);
        panel.thresholds = vec![Threshold { value: 0.01, level: ThresholdLevel::Bad }];
        let points = series.iter().map(|values| values.len()).max().unwrap_or(1);
        let end = start + chrono::Duration::minutes(i64::try_from(points).unwrap() - 1);
        let range = Range { start, end, step_ms: 60_000 };
        let series: Vec<(Series, Option<String>)> = series
            .iter()
            .enumerate()
            .map(|(index, values)| {
                let name = format!("s{index}");
                let labels: Labels = [("name", name.as_str())].into_iter().collect();
                (Series { labels, values: (*values).into() }, Some("{{name}}".to_owned()))
            })
            .collect();
        let title = Clean::new("Error ratio");
        let look = Look { panel: &panel, title: &title, range: &range, series: &series, zone: Tz::UTC, now: end };
        describe(&look).as_str().to_owned()
    }

    #[test]
    fn a_panel_is_told_in_one_sentence() {
        let g = gap();
        let cases: &[(&[&[f64]], &str)] = &[
            (&[], "Error ratio: no data."),
            (&[&[g, g]], "Error ratio: no samples in this range."),
            (
                &[&[0.002, 0.001, 0.056, 0.042]],
                "Error ratio: now 4.2%, min 0.1% at 12:01, max 5.6% at 12:02, up from 0.2% at 12:00; bad since 12:02.",
            ),
            (&[&[0.0, 0.0, 0.0]], "Error ratio: now 0.0%, steady."),
            (&[&[0.5, 0.5]], "Error ratio: now 50.0%, steady; bad for the whole range."),
            (
                &[&[0.05, 0.001, g, g, g]],
                "Error ratio: last, at 12:01, 0.1%, min 0.1% at 12:01, max 5.0% at 12:00, down from 5.0% at 12:00; good since 12:01.",
            ),
            (
                &[&[0.0, 0.0], &[0.0, 0.3]],
                "Error ratio: s1 now 30.0%, min 0.0% at 12:00, max 30.0% at 12:01, up from 0.0% at 12:00; bad since 12:01. 1 more series.",
            ),
        ];
        for (series, sentence) in cases {
            assert_eq!(said(series), *sentence);
        }
    }
}

//! What the simulated Prometheus has scraped: samples on a 15-second grid.
//!
//! The PromQL evaluator reads [`Metrics`]; [`super::world::World`] is its only writer. A hole in a series is a real hole
//! (the target was down), and a series that ends has a stale marker, as in Prometheus.

use std::collections::BTreeMap;

use crate::domain::series::{gap, is_gap};

/// Labels by name, with the metric's name as `__name__`.
pub type LabelSet = BTreeMap<String, String>;

/// Distance of samples in milliseconds.
pub const SCRAPE_MS: i64 = 15_000;
/// How far back Prometheus looks for a series' latest sample, in milliseconds.
pub const LOOKBACK_MS: i64 = 300_000;
/// Samples kept of each series: 30 hours.
const KEPT: usize = 7_200;

/// One series and its samples.
#[derive(Clone, Debug)]
pub struct MetricSeries {
    labels: LabelSet,
    /// Instant of `values[0]`, milliseconds since 1970, a multiple of [`SCRAPE_MS`].
    first_ms: i64,
    /// A value for each scrape; a gap where there was none. A gap at the end says that the series has ended.
    values: Vec<f64>,
}

impl MetricSeries {
    /// Its labels, `__name__` among them.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// The metric's name.
    pub fn name(&self) -> &str {
        self.labels.get("__name__").map_or("", String::as_str)
    }

    /// The samples with `after_ms < t <= until_ms` as (milliseconds, value), oldest first: a range selector's content.
    pub fn samples(&self, after_ms: i64, until_ms: i64) -> impl Iterator<Item = (i64, f64)> + '_ {
        let from = (after_ms - self.first_ms).div_euclid(SCRAPE_MS) + 1;
        let to = (until_ms - self.first_ms).div_euclid(SCRAPE_MS) + 1;
        let from = usize::try_from(from).unwrap_or(0).min(self.values.len());
        let to = usize::try_from(to).unwrap_or(0).clamp(from, self.values.len());
        let slice = self.values.get(from..to).unwrap_or_default();
        let first = self.first_ms + i64::try_from(from).unwrap_or(0) * SCRAPE_MS;
        let at = (0_i64..).map(move |index| first + index * SCRAPE_MS);
        at.zip(slice.iter().copied()).filter(|(_, value)| !is_gap(*value))
    }

    /// The sample that an instant selector sees at `at_ms`: the latest one not older than `lookback_ms`, unless the
    /// series had ended (or its target was down) by then.
    pub fn latest(&self, at_ms: i64, lookback_ms: i64) -> Option<(i64, f64)> {
        let slot = (at_ms - self.first_ms).div_euclid(SCRAPE_MS);
        let index = usize::try_from(slot).ok()?.min(self.values.len().checked_sub(1)?);
        let value = *self.values.get(index)?;
        let time = self.first_ms + i64::try_from(index).ok()? * SCRAPE_MS;
        (!is_gap(value) && at_ms - time < lookback_ms).then_some((time, value))
    }

    /// Instants of the first and the last slot, milliseconds.
    pub fn span(&self) -> (i64, i64) {
        let last = i64::try_from(self.values.len()).unwrap_or(1).max(1) - 1;
        (self.first_ms, self.first_ms + last * SCRAPE_MS)
    }

    fn put(&mut self, at_ms: i64, value: f64) {
        let slot = usize::try_from((at_ms - self.first_ms).div_euclid(SCRAPE_MS)).unwrap_or(0);
        if slot < self.values.len() {
            return; // a scrape happens once
        }
        self.values.resize(slot, gap());
        self.values.push(value);
        if self.values.len() > KEPT + KEPT / 4 {
            let drop = self.values.len() - KEPT;
            self.values.drain(..drop);
            self.first_ms += i64::try_from(drop).unwrap_or(0) * SCRAPE_MS;
        }
    }
}

/// Handle of a series in [`Metrics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesId(usize);

/// Everything scraped.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    series: Vec<MetricSeries>,
    by_labels: BTreeMap<LabelSet, usize>,
    by_name: BTreeMap<String, Vec<usize>>,
    last_ms: Option<i64>,
}

impl Metrics {
    /// Every series.
    pub fn series(&self) -> &[MetricSeries] {
        &self.series
    }

    /// The series of one metric.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &MetricSeries> {
        self.by_name.get(name).into_iter().flatten().filter_map(|index| self.series.get(*index))
    }

    /// Names of all metrics, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Instant of the last scrape, milliseconds.
    pub fn last_scrape_ms(&self) -> Option<i64> {
        self.last_ms
    }

    /// The series with these labels (`__name__` included), made when it is new.
    pub fn intern(&mut self, labels: LabelSet) -> SeriesId {
        if let Some(index) = self.by_labels.get(&labels) {
            return SeriesId(*index);
        }
        let index = self.series.len();
        let name = labels.get("__name__").cloned().unwrap_or_default();
        self.by_name.entry(name).or_default().push(index);
        self.by_labels.insert(labels.clone(), index);
        self.series.push(MetricSeries { labels, first_ms: i64::MIN, values: Vec::new() });
        SeriesId(index)
    }

    /// Stores a sample; `at_ms` is a multiple of [`SCRAPE_MS`] and not before the last one.
    pub fn push(&mut self, id: SeriesId, at_ms: i64, value: f64) {
        if let Some(series) = self.series.get_mut(id.0) {
            if series.values.is_empty() {
                series.first_ms = at_ms;
            }
            series.put(at_ms, value);
        }
    }

    /// Ends the scrape at `at_ms`: series without a sample in it get a stale marker.
    pub fn end_scrape(&mut self, at_ms: i64) {
        self.last_ms = Some(at_ms);
        for series in &mut self.series {
            let is_live = series.values.last().is_some_and(|value| !is_gap(*value));
            if is_live && series.span().1 < at_ms {
                series.put(at_ms, gap());
            }
        }
    }
}

/// Labels from pairs.
pub fn label_set<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> LabelSet {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Type and help text of a metric, as its exporter tells them.
pub fn describe(name: &str) -> (&'static str, &'static str) {
    match name {
        "up" => ("gauge", "Whether the last scrape of the target succeeded."),
        "ALERTS" | "ALERTS_FOR_STATE" => ("unknown", ""),
        _ if name.ends_with("_total") => ("counter", "Total since the process started."),
        _ if name.ends_with("_bucket") || name.ends_with("_sum") || name.ends_with("_count") => {
            ("histogram", "Distribution since the process started.")
        }
        _ => ("gauge", "Current value."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(values: &[Option<f64>]) -> Metrics {
        let mut metrics = Metrics::default();
        let id = metrics.intern(label_set([("__name__", "up"), ("job", "checkout")]));
        for (index, value) in values.iter().enumerate() {
            let at = i64::try_from(index).unwrap() * SCRAPE_MS;
            if let Some(value) = value {
                metrics.push(id, at, *value);
            }
            metrics.end_scrape(at);
        }
        metrics
    }

    #[test]
    fn a_hole_is_a_hole() {
        let metrics = store(&[Some(1.0), None, None, Some(4.0), Some(5.0)]);
        let series = metrics.named("up").next().unwrap();
        assert_eq!(series.samples(-1, 60_000).collect::<Vec<_>>(), vec![(0, 1.0), (45_000, 4.0), (60_000, 5.0)]);
        assert_eq!(series.samples(0, 59_999).collect::<Vec<_>>(), vec![(45_000, 4.0)]);
        assert_eq!(series.latest(14_999, LOOKBACK_MS), Some((0, 1.0)));
        assert_eq!(series.latest(20_000, LOOKBACK_MS), None);
        assert_eq!(series.latest(70_000, LOOKBACK_MS), Some((60_000, 5.0)));
        assert_eq!(series.latest(60_000 + LOOKBACK_MS, LOOKBACK_MS), None);
        assert_eq!(series.latest(-1, LOOKBACK_MS), None);
    }

    #[test]
    fn an_ended_series_is_gone_at_once_and_may_come_back() {
        let metrics = store(&[Some(1.0), None]);
        let series = metrics.named("up").next().unwrap();
        assert_eq!(series.latest(16_000, LOOKBACK_MS), None);
        let metrics = store(&[None, Some(1.0)]);
        assert_eq!(metrics.named("up").next().unwrap().span(), (15_000, 15_000));
    }

    #[test]
    fn old_samples_leave() {
        let values: Vec<_> = (0..KEPT + KEPT / 4 + 1).map(|index| Some(index as f64)).collect();
        let metrics = store(&values);
        let series = metrics.named("up").next().unwrap();
        let (first, last) = series.span();
        assert_eq!(last, i64::try_from(values.len() - 1).unwrap() * SCRAPE_MS);
        assert_eq!((last - first) / SCRAPE_MS + 1, i64::try_from(KEPT).unwrap());
        assert_eq!(series.latest(last, LOOKBACK_MS).unwrap().1, (values.len() - 1) as f64);
    }
}

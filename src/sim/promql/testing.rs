//! A storage for tests: samples as `OpenMetrics` text has them, so that a real Prometheus can be given the same.

use std::collections::BTreeMap;

use super::{LabelSet, Point, Storage, Stored};

/// A series with its samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub labels: LabelSet,
    pub points: Vec<Point>,
}

impl Stored for Kept {
    fn labels(&self) -> &LabelSet {
        &self.labels
    }

    fn latest(&self, at_ms: i64) -> Option<Point> {
        let next = self.points.partition_point(|(at, _)| *at <= at_ms);
        let point = *self.points.get(next.checked_sub(1)?)?;
        (at_ms - point.0 <= super::LOOKBACK_MS).then_some(point)
    }

    fn between(&self, from_ms: i64, until_ms: i64) -> Vec<Point> {
        super::window::inside(&self.points, from_ms, until_ms).to_vec()
    }
}

/// All series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(pub Vec<Kept>);

impl Storage for Shelf {
    fn candidates<'a>(&'a self, name: Option<&str>) -> Vec<&'a dyn Stored> {
        let fits =
            |kept: &&Kept| name.is_none_or(|name| kept.labels.get("__name__").is_some_and(|known| known == name));
        self.0.iter().filter(fits).map(|kept| kept as &dyn Stored).collect()
    }
}

impl Shelf {
    /// Adds a series with one sample every `step_ms`; `None` leaves one out.
    pub(crate) fn add(&mut self, labels: &[(&str, &str)], start_ms: i64, step_ms: i64, values: &[Option<f64>]) {
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let points =
            values.iter().zip(0_i64..).filter_map(|(value, index)| Some((start_ms + index * step_ms, (*value)?)));
        self.0.push(Kept { labels, points: points.collect() });
    }
}

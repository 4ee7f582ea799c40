//! Time series as columns of `f64`, and what a query answers.

mod number;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::Labels;
use super::time::Timestamp;
use crate::text::Clean;

/// The bit pattern that says "no sample here". A NaN payload of ours: distinct from every NaN Prometheus sends, so a
/// sample that *is* NaN is not mistaken for a gap.
pub const GAP_BITS: u64 = 0x7ff4_7761_7272_6f6d;

/// The value that marks a missing sample.
#[must_use]
pub fn gap() -> f64 {
    f64::from_bits(GAP_BITS)
}

/// True for [`gap`] only.
#[must_use]
pub fn is_gap(value: f64) -> bool {
    value.to_bits() == GAP_BITS
}

/// One series of a range query, on the query's grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    /// Its labels, with `__name__` where the query keeps it.
    pub labels: Labels,
    /// One value for every step of the range, [`gap`] where there was no sample.
    #[serde(with = "number::column")]
    pub values: Arc<[f64]>,
}

/// One element of an instant query.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// When.
    pub at: Timestamp,
    /// The value; may be NaN or infinite.
    #[serde(with = "number")]
    pub value: f64,
}

/// The grid of a range query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// First point.
    pub start: Timestamp,
    /// Last point is at or before this.
    pub end: Timestamp,
    /// Distance of points in milliseconds, at least 1.
    pub step_ms: i64,
}

impl Range {
    /// How many points the grid has; Prometheus refuses more than 11,000.
    #[must_use]
    pub fn points(&self) -> usize {
        let span = self.end.signed_duration_since(self.start).num_milliseconds().max(0);
        usize::try_from(span / self.step_ms.max(1)).unwrap_or(0) + 1
    }
}

/// What a query answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A range query's series.
    Matrix {
        /// The grid.
        range: Range,
        /// The series.
        series: Vec<Series>,
    },
    /// An instant query's elements; a scalar is one element without labels.
    Vector(Vec<Sample>),
    /// A string.
    Text(Clean),
}

/// An answer with what came beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueryResult {
    /// The data.
    pub answer: Answer,
    /// Prometheus's warnings and infos: shown next to the number.
    pub notes: Vec<Clean>,
    /// Native histograms that were left out because the panel cannot draw them.
    pub histograms: usize,
}

//! A small PromQL evaluator over `promql-parser`'s tree: what the simulated Prometheus answers with.
//!
//! Works on columns: every series is one column of values over all steps, so labels are handled once for each series and
//! not once for each step. Semantics are those of Prometheus 2.42 (ranges closed on both ends); a test runs both and
//! compares. What it does not know is answered with Prometheus's own error.

use std::time::Instant;

use promql_parser::parser::Expr;

use super::metrics::{LOOKBACK_MS, LabelSet, MetricSeries, Metrics};
use crate::domain::series::{gap, is_gap};

mod aggregate;
mod binary;
mod eval;
mod functions;
mod histogram;
mod labels;
mod number;
mod parse;
mod window;

pub use number::{format_float, format_time};
pub use parse::parse;

/// A sample: milliseconds since 1970, value.
pub type Point = (i64, f64);

/// A stored series.
pub trait Stored {
    /// Its labels, `__name__` among them.
    fn labels(&self) -> &LabelSet;
    /// What an instant selector sees at `at_ms`.
    fn latest(&self, at_ms: i64) -> Option<Point>;
    /// Samples with `from_ms <= t <= until_ms`, oldest first.
    fn between(&self, from_ms: i64, until_ms: i64) -> Vec<Point>;
}

/// Where series are found.
pub trait Storage {
    /// Series that may match; with a name only those of that metric.
    fn candidates<'a>(&'a self, name: Option<&str>) -> Vec<&'a dyn Stored>;
}

impl Stored for MetricSeries {
    fn labels(&self) -> &LabelSet {
        MetricSeries::labels(self)
    }

    fn latest(&self, at_ms: i64) -> Option<Point> {
        // Up to and with the edge of the look-back, as before Prometheus 3.
        MetricSeries::latest(self, at_ms, LOOKBACK_MS + 1)
    }

    fn between(&self, from_ms: i64, until_ms: i64) -> Vec<Point> {
        self.samples(from_ms - 1, until_ms).collect()
    }
}

impl Storage for Metrics {
    fn candidates<'a>(&'a self, name: Option<&str>) -> Vec<&'a dyn Stored> {
        match name {
            Some(name) => self.named(name).map(|series| series as &dyn Stored).collect(),
            None => self.series().iter().map(|series| series as &dyn Stored).collect(),
        }
    }
}

/// Prometheus's classes of errors; each has its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the question is wrong.
    BadData,
    /// 422: the question cannot be answered.
    Execution,
    /// 503: it took too long.
    Timeout,
}

/// An error in Prometheus's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Its class.
    pub kind: ErrorKind,
    /// The words.
    pub message: String,
}

impl QueryError {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::BadData, message: message.into() }
    }

    pub(super) fn execution(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Execution, message: message.into() }
    }
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its labels.
    pub labels: LabelSet,
    /// Its samples.
    pub points: Vec<Point>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One number.
    Scalar(Point),
    /// A text, with its instant.
    Text(i64, String),
    /// One sample for each series.
    Vector(Vec<Row>),
    /// Samples over time.
    Matrix(Vec<Row>),
}

/// Most values that one query may hold at once: Prometheus's own default is 50 million, of a machine of its own.
const MAX_VALUES: usize = 5_000_000;

/// `expr` at one instant.
pub fn instant(
    storage: &dyn Storage,
    expr: &Expr,
    at_ms: i64,
    deadline: Option<Instant>,
) -> Result<Answer, QueryError> {
    let eval = eval::Eval::new(storage, at_ms, at_ms, deadline);
    if let Some(ranges) = eval.ranges(expr, &[at_ms])? {
        let mut rows: Vec<Row> = Vec::new();
        for series in ranges.series {
            let (from, until) = ranges.bounds.first().copied().unwrap_or_default();
            let points = window::inside(&series.points, from, until).to_vec();
            if !points.is_empty() {
                rows.push(Row { labels: series.labels, points });
            }
        }
        rows.sort_by(|one, other| labels::order(&one.labels, &other.labels));
        return Ok(Answer::Matrix(rows));
    }
    Ok(match eval.eval(expr, &[at_ms])? {
        eval::Value::Scalar(values) => Answer::Scalar((at_ms, values.first().copied().unwrap_or(f64::NAN))),
        eval::Value::Text(text) => Answer::Text(at_ms, text),
        eval::Value::Vector(columns) => {
            let mut rows: Vec<Row> = columns.into_iter().filter_map(|column| row(column, &[at_ms])).collect();
            if !functions::is_ordered(expr) {
                rows.sort_by(|one, other| labels::order(&one.labels, &other.labels));
            }
            Answer::Vector(rows)
        }
    })
}

/// `expr` on a grid; both ends in milliseconds.
pub fn range(
    storage: &dyn Storage,
    expr: &Expr,
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
    deadline: Option<Instant>,
) -> Result<Answer, QueryError> {
    let eval = eval::Eval::new(storage, start_ms, end_ms, deadline);
    let count = usize::try_from((end_ms - start_ms) / step_ms.max(1)).unwrap_or(0) + 1;
    let times: Vec<i64> = (0..).take(count).map(|step: i64| start_ms + step * step_ms).collect();
    let columns = match eval.eval(expr, &times)? {
        eval::Value::Scalar(values) => vec![eval::Column { labels: LabelSet::new(), values }],
        eval::Value::Vector(columns) => columns,
        eval::Value::Text(_) => return Err(QueryError::bad(not_for_ranges("string"))),
    };
    let mut rows: Vec<Row> = columns.into_iter().filter_map(|column| row(column, &times)).collect();
    rows.sort_by(|one, other| labels::order(&one.labels, &other.labels));
    Ok(Answer::Matrix(rows))
}

/// Every series that the selector `expr` names, with all of its samples.
pub fn selected(storage: &dyn Storage, expr: &Expr) -> Result<Vec<Row>, QueryError> {
    let Expr::VectorSelector(selector) = expr else { return Err(QueryError::bad("not a series selector")) };
    let found = eval::Eval::new(storage, 0, 0, None).found(selector)?;
    let rows =
        found.into_iter().map(|series| Row { labels: series.labels().clone(), points: series.between(EVER.0, EVER.1) });
    Ok(rows.collect())
}

/// The whole of time, in milliseconds, without reaching the ends of the numbers.
const EVER: (i64, i64) = (-(1 << 52), 1 << 52);

/// What Prometheus says when a range query is asked for something without a grid.
pub fn not_for_ranges(kind: &str) -> String {
    format!("invalid expression type \"{kind}\" for range query, must be Scalar or instant Vector")
}

fn row(column: eval::Column, times: &[i64]) -> Option<Row> {
    let samples = times.iter().copied().zip(column.values);
    let points: Vec<Point> = samples.filter(|(_, value)| !is_gap(*value)).collect();
    (!points.is_empty()).then_some(Row { labels: column.labels, points })
}

fn gaps(count: usize) -> Vec<f64> {
    vec![gap(); count]
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

//! Walks the tree. Each node becomes a column of numbers, columns with labels, or a text.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Instant;

use promql_parser::label::MatchOp;
use promql_parser::parser::{AtModifier, Expr, Offset, SubqueryExpr, VectorSelector};

use super::super::metrics::LabelSet;
use super::{ErrorKind, MAX_VALUES, Point, QueryError, Storage, Stored, aggregate, binary, functions, gaps, labels};
use crate::domain::series::is_gap;

/// Distance of a subquery's steps when it names none: Prometheus's default evaluation interval.
const DEFAULT_STEP_MS: i64 = 60_000;

/// Values over all steps.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub labels: LabelSet,
    /// A value for each step, a gap where there is none.
    pub values: Vec<f64>,
}

/// What a node is worth.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Vec<f64>),
    Vector(Vec<Column>),
    Text(String),
}

/// Raw samples of a series.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub labels: LabelSet,
    pub points: Vec<Point>,
}

/// A range vector: raw samples, and for each step from when until when (both included) they count.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    pub series: Vec<Raw>,
    pub bounds: Vec<(i64, i64)>,
}

/// One evaluation.
pub(super) struct Eval<'a> {
    storage: &'a dyn Storage,
    start_ms: i64,
    end_ms: i64,
    deadline: Option<Instant>,
    left: Cell<usize>,
}

impl<'a> Eval<'a> {
    pub(super) fn new(storage: &'a dyn Storage, start_ms: i64, end_ms: i64, deadline: Option<Instant>) -> Self {
        Self { storage, start_ms, end_ms, deadline, left: Cell::new(MAX_VALUES) }
    }

    /// Counts values and looks at the clock; called wherever many are made.
    pub(super) fn spend(&self, values: usize) -> Result<(), QueryError> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let message = "query timed out in expression evaluation".to_owned();
            return Err(QueryError { kind: ErrorKind::Timeout, message });
        }
        match self.left.get().checked_sub(values) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(QueryError::execution(
                "query processing would load too many samples into memory in query execution",
            )),
        }
    }

    /// The worth of `expr` at each of `times`.
    pub(super) fn eval(&self, expr: &Expr, times: &[i64]) -> Result<Value, QueryError> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Value::Scalar(vec![number.val; times.len()])),
            Expr::StringLiteral(text) => Ok(Value::Text(text.val.clone())),
            Expr::Paren(paren) => self.eval(&paren.expr, times),
            Expr::Unary(unary) => match self.eval(&unary.expr, times)? {
                Value::Scalar(values) => Ok(Value::Scalar(values.into_iter().map(|value| -value).collect())),
                Value::Vector(columns) => functions::map(columns, times.len(), |value| -value),
                Value::Text(_) => Err(QueryError::bad(
                    "unary expression only allowed on expressions of type scalar or instant vector, got \"string\"",
                )),
            },
            Expr::VectorSelector(selector) => self.select(selector, times).map(Value::Vector),
            Expr::Aggregate(aggregate) => aggregate::aggregate(self, aggregate, times),
            Expr::Binary(binary) => binary::binary(self, binary, times),
            Expr::Call(call) => functions::call(self, call, times),
            Expr::MatrixSelector(_) | Expr::Subquery(_) => Err(QueryError::bad(super::not_for_ranges("range vector"))),
            Expr::Extension(_) => Err(QueryError::bad("not PromQL")),
        }
    }

    /// `expr` as a column of numbers.
    pub(super) fn scalar(&self, expr: &Expr, times: &[i64]) -> Result<Vec<f64>, QueryError> {
        match self.eval(expr, times)? {
            Value::Scalar(values) => Ok(values),
            _ => Err(QueryError::bad("expected type scalar")),
        }
    }

    /// `expr` as columns with labels.
    pub(super) fn vector(&self, expr: &Expr, times: &[i64]) -> Result<Vec<Column>, QueryError> {
        match self.eval(expr, times)? {
            Value::Vector(columns) => Ok(columns),
            _ => Err(QueryError::bad("expected type instant vector")),
        }
    }

    /// `expr` as a text.
    pub(super) fn text(&self, expr: &Expr) -> Result<String, QueryError> {
        match self.eval(expr, &[self.start_ms])? {
            Value::Text(text) => Ok(text),
            _ => Err(QueryError::bad("expected type string")),
        }
    }

    /// The series that a selector names.
    pub(super) fn found(&self, selector: &VectorSelector) -> Result<Vec<&'a dyn Stored>, QueryError> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(QueryError::bad("1:1: parse error: unexpected <or> in label matching"));
        }
        let matchers = &selector.matchers.matchers;
        let by_matcher = matchers.iter().find(|one| one.name == "__name__" && matches!(one.op, MatchOp::Equal));
        let name = selector.name.as_deref().or(by_matcher.map(|one| one.value.as_str()));
        let mut found = self.storage.candidates(name);
        found.retain(|series| labels::matches(matchers, series.labels()));
        found.sort_by(|one, other| labels::order(one.labels(), other.labels()));
        Ok(found)
    }

    fn select(&self, selector: &VectorSelector, times: &[i64]) -> Result<Vec<Column>, QueryError> {
        self.look(selector, times, |(_, value)| value)
    }

    /// The instants of the samples that a selector sees, in seconds: what `timestamp()` tells.
    pub(super) fn instants(&self, selector: &VectorSelector, times: &[i64]) -> Result<Vec<Column>, QueryError> {
        self.look(selector, times, |(at, _)| at as f64 / 1000.0)
    }

    fn look(
        &self,
        selector: &VectorSelector,
        times: &[i64],
        tell: impl Fn(Point) -> f64,
    ) -> Result<Vec<Column>, QueryError> {
        let shifted = self.shifted(times, selector.offset.as_ref(), selector.at.as_ref());
        let mut columns = Vec::new();
        for series in self.found(selector)? {
            self.spend(times.len())?;
            let mut values = gaps(times.len());
            let mut is_empty = true;
            for (slot, at) in values.iter_mut().zip(&shifted) {
                if let Some(point) = series.latest(*at) {
                    *slot = tell(point);
                    is_empty = false;
                }
            }
            if !is_empty {
                columns.push(Column { labels: series.labels().clone(), values });
            }
        }
        Ok(columns)
    }

    /// Each of `times` as `@` and `offset` move it.
    fn shifted(&self, times: &[i64], offset: Option<&Offset>, at: Option<&AtModifier>) -> Vec<i64> {
        let fixed = at.map(|at| match at {
            AtModifier::Start => self.start_ms,
            AtModifier::End => self.end_ms,
            AtModifier::At(time) => since_epoch(*time),
        });
        let by = match offset {
            None => 0,
            Some(Offset::Pos(by)) => millis(*by),
            Some(Offset::Neg(by)) => -millis(*by),
        };
        times.iter().map(|time| fixed.unwrap_or(*time).saturating_sub(by).clamp(-FAR_MS, FAR_MS)).collect()
    }

    /// `expr` as a range vector; `None` when it is none.
    pub(super) fn ranges(&self, expr: &Expr, times: &[i64]) -> Result<Option<Ranges>, QueryError> {
        match expr {
            Expr::Paren(paren) => self.ranges(&paren.expr, times),
            Expr::MatrixSelector(matrix) => {
                let ends = self.shifted(times, matrix.vs.offset.as_ref(), matrix.vs.at.as_ref());
                let bounds = bounds(&ends, millis(matrix.range));
                let (from, until) = whole(&bounds);
                let mut series = Vec::new();
                for one in self.found(&matrix.vs)? {
                    let points = one.between(from, until);
                    self.spend(points.len() + 1)?;
                    if !points.is_empty() {
                        series.push(Raw { labels: one.labels().clone(), points });
                    }
                }
                Ok(Some(Ranges { series, bounds }))
            }
            Expr::Subquery(subquery) => self.subquery(subquery, times).map(Some),
            _ => Ok(None),
        }
    }

    fn subquery(&self, subquery: &SubqueryExpr, times: &[i64]) -> Result<Ranges, QueryError> {
        let ends = self.shifted(times, subquery.offset.as_ref(), subquery.at.as_ref());
        let bounds = bounds(&ends, millis(subquery.range));
        let step = subquery.step.map_or(DEFAULT_STEP_MS, millis).max(1);
        let (from, until) = whole(&bounds);
        // Steps lie on multiples of the step, whatever the range.
        let first = from.div_euclid(step) * step + if from.rem_euclid(step) == 0 { 0 } else { step };
        let count = usize::try_from((until - first).max(0) / step).unwrap_or(usize::MAX).saturating_add(1);
        self.spend(count)?;
        let inner: Vec<i64> =
            (0..).take(count).map(|index: i64| first + index * step).take_while(|at| *at <= until).collect();
        let columns = match self.eval(&subquery.expr, &inner)? {
            Value::Vector(columns) => columns,
            Value::Scalar(values) => vec![Column { labels: LabelSet::new(), values }],
            Value::Text(_) => return Err(QueryError::bad("subquery is only allowed on instant vector, got string")),
        };
        let series = columns
            .into_iter()
            .map(|column| {
                let points = inner.iter().copied().zip(column.values).filter(|(_, value)| !is_gap(*value)).collect();
                Raw { labels: column.labels, points }
            })
            .collect();
        Ok(Ranges { series, bounds })
    }
}

/// Farthest instant and longest span, in milliseconds: sums of a few of them do not overflow.
const FAR_MS: i64 = i64::MAX / 4;

fn millis(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(FAR_MS).min(FAR_MS)
}

/// Milliseconds since 1970. Not by way of a date: `@ 51e10` is past the last year that chrono knows, which panics.
fn since_epoch(instant: std::time::SystemTime) -> i64 {
    match instant.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}

fn bounds(ends: &[i64], range: i64) -> Vec<(i64, i64)> {
    ends.iter().map(|end| (end.saturating_sub(range), *end)).collect()
}

fn whole(bounds: &[(i64, i64)]) -> (i64, i64) {
    let from = bounds.iter().map(|(from, _)| *from).min().unwrap_or(0);
    (from, bounds.iter().map(|(_, until)| *until).max().unwrap_or(0))
}

/// Columns by labels; two that hold a value at the same step are an error, two that do not are one.
pub(super) fn merged(columns: Vec<Column>) -> Result<Vec<Column>, QueryError> {
    let mut places: BTreeMap<LabelSet, usize> = BTreeMap::new();
    let mut merged: Vec<Column> = Vec::with_capacity(columns.len());
    for column in columns {
        let Some(known) = places.get(&column.labels).and_then(|place| merged.get_mut(*place)) else {
            places.insert(column.labels.clone(), merged.len());
            merged.push(column);
            continue;
        };
        for (slot, value) in known.values.iter_mut().zip(column.values) {
            if is_gap(value) {
                continue;
            }
            if !is_gap(*slot) {
                return Err(QueryError::execution("vector cannot contain metrics with the same labelset"));
            }
            *slot = value;
        }
    }
    Ok(merged)
}

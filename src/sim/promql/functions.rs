//! Functions.

use chrono::{DateTime, Datelike, Timelike, Utc};
use promql_parser::label::MatchOp;
use promql_parser::parser::{Call, Expr, VectorSelector};
use regex::Regex;

use super::super::metrics::LabelSet;
use super::eval::{Column, Eval, Value, merged};
use super::window::{self, Window};
use super::{QueryError, gaps, histogram, labels};
use crate::domain::series::{gap, is_gap};

/// Functions that are known here by name, beside the maths and those of [`window::named`].
const OTHERS: &[&str] = &[
    "time",
    "pi",
    "vector",
    "scalar",
    "timestamp",
    "absent",
    "absent_over_time",
    "histogram_quantile",
    "label_replace",
    "label_join",
    "sort",
    "sort_desc",
    "clamp",
    "clamp_min",
    "clamp_max",
    "round",
    "minute",
    "hour",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "days_in_month",
    "month",
    "year",
];

/// Whether Prometheus 2.42 (and this evaluator) has a function of that name.
pub(super) fn is_function(name: &str) -> bool {
    OTHERS.contains(&name) || maths(name).is_some() || window::named(name).is_some()
}

/// Whether the answer comes in an order that means something.
pub(super) fn is_ordered(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => is_ordered(&paren.expr),
        Expr::Call(call) => call.func.name.starts_with("sort"),
        Expr::Aggregate(aggregate) => matches!(aggregate.op.to_string().as_str(), "topk" | "bottomk"),
        _ => false,
    }
}

fn maths(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sqrt" => f64::sqrt,
        "sgn" => |value| {
            if value > 0.0 {
                1.0
            } else if value < 0.0 {
                -1.0
            } else {
                value
            }
        },
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        "deg" => f64::to_degrees,
        "rad" => f64::to_radians,
        _ => return None,
    })
}

/// `f` on every sample; the metric's name is gone afterwards.
pub(super) fn map(columns: Vec<Column>, steps: usize, f: impl Fn(f64) -> f64) -> Result<Value, QueryError> {
    map_at(columns, steps, |_, value| f(value))
}

fn map_at(columns: Vec<Column>, steps: usize, f: impl Fn(usize, f64) -> f64) -> Result<Value, QueryError> {
    let mapped = columns.into_iter().map(|mut column| {
        column.labels = labels::nameless(column.labels);
        column.values.truncate(steps);
        for (step, value) in column.values.iter_mut().enumerate().filter(|(_, value)| !is_gap(**value)) {
            *value = f(step, *value);
        }
        column
    });
    merged(mapped.collect()).map(Value::Vector)
}

/// A call.
pub(super) fn call(eval: &Eval<'_>, call: &Call, times: &[i64]) -> Result<Value, QueryError> {
    let (name, steps) = (call.func.name, times.len());
    let argument = |index: usize| {
        let found = call.args.args.get(index).map(AsRef::as_ref);
        found.ok_or_else(|| QueryError::bad(format!("an argument of {name}() is missing")))
    };
    let number = |index: usize, default: f64| match call.args.args.get(index) {
        Some(expr) => eval.scalar(expr, times),
        None => Ok(vec![default; steps]),
    };
    if let Some(f) = maths(name) {
        return map(eval.vector(argument(0)?, times)?, steps, f);
    }
    if let Some((f, place, keeps_name)) = window::named(name) {
        let others = [1 - place].into_iter().filter(|index| call.args.args.len() > *index);
        let scalars: Vec<Vec<f64>> = others.map(|index| number(index, f64::NAN)).collect::<Result<_, _>>()?;
        return over_time(eval, argument(place)?, times, f, &scalars, keeps_name);
    }
    match name {
        "time" => Ok(Value::Scalar(times.iter().map(|at| *at as f64 / 1000.0).collect())),
        "pi" => Ok(Value::Scalar(vec![std::f64::consts::PI; steps])),
        "vector" => Ok(Value::Vector(vec![Column { labels: LabelSet::new(), values: number(0, f64::NAN)? }])),
        "scalar" => Ok(Value::Scalar(only(&eval.vector(argument(0)?, times)?, steps))),
        "timestamp" => timestamp(eval, argument(0)?, times),
        "absent" | "absent_over_time" => absent(eval, argument(0)?, times),
        "histogram_quantile" => {
            let share = number(0, f64::NAN)?;
            merged(histogram::quantiles(&share, eval.vector(argument(1)?, times)?)).map(Value::Vector)
        }
        "label_replace" | "label_join" => {
            let columns = eval.vector(argument(0)?, times)?;
            let texts = call.args.args.iter().skip(1).map(|expr| eval.text(expr)).collect::<Result<Vec<_>, _>>()?;
            if name == "label_join" { label_join(columns, &texts) } else { label_replace(columns, &texts) }
        }
        "sort" | "sort_desc" => Ok(Value::Vector(sorted(eval.vector(argument(0)?, times)?, name == "sort_desc"))),
        "clamp" => clamp(eval.vector(argument(0)?, times)?, &number(1, f64::NAN)?, &number(2, f64::NAN)?),
        "clamp_min" => clamp(eval.vector(argument(0)?, times)?, &number(1, f64::NAN)?, &vec![f64::INFINITY; steps]),
        "clamp_max" => clamp(eval.vector(argument(0)?, times)?, &vec![f64::NEG_INFINITY; steps], &number(1, f64::NAN)?),
        "round" => {
            let to = number(1, 1.0)?;
            map_at(eval.vector(argument(0)?, times)?, steps, |step, value| {
                let inverse = 1.0 / to.get(step).copied().unwrap_or(1.0);
                (value * inverse + 0.5).floor() / inverse
            })
        }
        _ => calendar(eval, call, times),
    }
}

fn over_time(
    eval: &Eval<'_>,
    expr: &Expr,
    times: &[i64],
    f: window::OverTime,
    scalars: &[Vec<f64>],
    keeps_name: bool,
) -> Result<Value, QueryError> {
    let Some(ranges) = eval.ranges(expr, times)? else {
        return Err(QueryError::bad("expected type range vector"));
    };
    let mut columns = Vec::new();
    for series in ranges.series {
        eval.spend(times.len())?;
        let mut values = gaps(times.len());
        for (step, (slot, (from, until))) in values.iter_mut().zip(&ranges.bounds).enumerate() {
            let points = window::inside(&series.points, *from, *until);
            if points.is_empty() {
                continue;
            }
            let here: Vec<f64> = scalars.iter().filter_map(|column| column.get(step).copied()).collect();
            let at = times.get(step).copied().unwrap_or(*until);
            *slot = f(Window { points, from: *from, until: *until, at }, &here).unwrap_or_else(gap);
        }
        if values.iter().any(|value| !is_gap(*value)) {
            let labels = if keeps_name { series.labels } else { labels::nameless(series.labels) };
            columns.push(Column { labels, values });
        }
    }
    merged(columns).map(Value::Vector)
}

/// The value of the only sample of a step; NaN where there are none or several.
fn only(columns: &[Column], steps: usize) -> Vec<f64> {
    (0..steps)
        .map(|step| {
            let mut there =
                columns.iter().filter_map(|column| column.values.get(step)).filter(|value| !is_gap(**value));
            match (there.next(), there.next()) {
                (Some(value), None) => *value,
                _ => f64::NAN,
            }
        })
        .collect()
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}

fn timestamp(eval: &Eval<'_>, expr: &Expr, times: &[i64]) -> Result<Value, QueryError> {
    let columns = match bare(expr) {
        Expr::VectorSelector(selector) => eval.instants(selector, times)?,
        other => {
            let seconds = |step: usize| times.get(step).copied().unwrap_or(0) as f64 / 1000.0;
            return map_at(eval.vector(other, times)?, times.len(), |step, _| seconds(step));
        }
    };
    map(columns, times.len(), |value| value)
}

fn absent(eval: &Eval<'_>, expr: &Expr, times: &[i64]) -> Result<Value, QueryError> {
    let mut values = vec![1.0; times.len()];
    let labels = match bare(expr) {
        Expr::VectorSelector(selector) => wanted(selector),
        Expr::MatrixSelector(matrix) => wanted(&matrix.vs),
        _ => LabelSet::new(),
    };
    if let Some(ranges) = eval.ranges(expr, times)? {
        for series in &ranges.series {
            for (slot, (from, until)) in values.iter_mut().zip(&ranges.bounds) {
                if !window::inside(&series.points, *from, *until).is_empty() {
                    *slot = gap();
                }
            }
        }
    } else {
        for column in eval.vector(expr, times)? {
            for (slot, value) in values.iter_mut().zip(column.values) {
                if !is_gap(value) {
                    *slot = gap();
                }
            }
        }
    }
    Ok(Value::Vector(vec![Column { labels, values }]))
}

/// The labels that a selector fixes: those with one `=` and nothing else.
fn wanted(selector: &VectorSelector) -> LabelSet {
    let matchers = &selector.matchers.matchers;
    let fixed = matchers.iter().filter(|one| {
        let is_only = matchers.iter().filter(|other| other.name == one.name).count() == 1;
        one.name != "__name__" && is_only && matches!(one.op, MatchOp::Equal)
    });
    fixed.map(|one| (one.name.clone(), one.value.clone())).collect()
}

fn clamp(columns: Vec<Column>, low: &[f64], high: &[f64]) -> Result<Value, QueryError> {
    let at = |numbers: &[f64], step: usize| numbers.get(step).copied().unwrap_or(f64::NAN);
    let columns = columns.into_iter().map(|mut column| {
        column.labels = labels::nameless(column.labels);
        for (step, value) in column.values.iter_mut().enumerate().filter(|(_, value)| !is_gap(**value)) {
            let (low, high) = (at(low, step), at(high, step));
            *value = if low > high {
                gap()
            } else if low.is_nan() || high.is_nan() || value.is_nan() {
                f64::NAN
            } else {
                value.min(high).max(low)
            };
        }
        column
    });
    merged(columns.collect()).map(Value::Vector)
}

fn sorted(mut columns: Vec<Column>, falling: bool) -> Vec<Column> {
    let first = |column: &Column| column.values.first().copied().filter(|value| !is_gap(*value)).unwrap_or(f64::NAN);
    columns.sort_by(|one, other| {
        let (one, other) = (first(one), first(other));
        match (one.is_nan(), other.is_nan()) {
            (true, true) => std::cmp::Ordering::Equal,
            (true, false) => std::cmp::Ordering::Greater,
            (false, true) => std::cmp::Ordering::Less,
            (false, false) if falling => other.total_cmp(&one),
            (false, false) => one.total_cmp(&other),
        }
    });
    columns
}

fn is_label_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_')
}

fn set(labels: &mut LabelSet, name: &str, value: String) {
    if value.is_empty() {
        labels.remove(name);
    } else {
        labels.insert(name.to_owned(), value);
    }
}

fn label_replace(columns: Vec<Column>, texts: &[String]) -> Result<Value, QueryError> {
    let [to, replacement, from, pattern] = texts else {
        return Err(QueryError::bad("label_replace() needs four strings"));
    };
    let invalid = |words: String| QueryError::execution(words);
    let Ok(regex) = Regex::new(&format!("^(?:{pattern})$")) else {
        return Err(invalid(format!("invalid regular expression in label_replace(): {pattern}")));
    };
    if !is_label_name(to) {
        return Err(invalid(format!("invalid destination label name in label_replace(): {to}")));
    }
    let columns = columns.into_iter().map(|mut column| {
        let value = column.labels.get(from).cloned().unwrap_or_default();
        if let Some(found) = regex.captures(&value) {
            let mut expanded = String::new();
            found.expand(replacement, &mut expanded);
            set(&mut column.labels, to, expanded);
        }
        column
    });
    merged(columns.collect()).map(Value::Vector)
}

fn label_join(columns: Vec<Column>, texts: &[String]) -> Result<Value, QueryError> {
    let [to, separator, from @ ..] = texts else {
        return Err(QueryError::bad("label_join() needs a destination and a separator"));
    };
    if let Some(wrong) = from.iter().find(|name| !is_label_name(name)) {
        return Err(QueryError::execution(format!("invalid source label name in label_join(): {wrong}")));
    }
    if !is_label_name(to) {
        return Err(QueryError::execution(format!("invalid destination label name in label_join(): {to}")));
    }
    let columns = columns.into_iter().map(|mut column| {
        let parts: Vec<&str> = from.iter().map(|name| column.labels.get(name).map_or("", String::as_str)).collect();
        let joined = parts.join(separator);
        set(&mut column.labels, to, joined);
        column
    });
    merged(columns.collect()).map(Value::Vector)
}

/// `hour()`, `month(x)`…: parts of an instant in UTC.
fn calendar(eval: &Eval<'_>, call: &Call, times: &[i64]) -> Result<Value, QueryError> {
    let name = call.func.name;
    let part: fn(DateTime<Utc>) -> f64 = match name {
        "minute" => |at| f64::from(at.minute()),
        "hour" => |at| f64::from(at.hour()),
        "day_of_week" => |at| f64::from(at.weekday().num_days_from_sunday()),
        "day_of_month" => |at| f64::from(at.day()),
        "day_of_year" => |at| f64::from(at.ordinal()),
        "days_in_month" => |at| f64::from(at.num_days_in_month()),
        "month" => |at| f64::from(at.month()),
        "year" => |at| f64::from(at.year()),
        _ => return Err(QueryError::bad(format!("1:1: parse error: unknown function with name \"{name}\""))),
    };
    let columns = if let Some(expr) = call.args.args.first() {
        eval.vector(expr, times)?
    } else {
        let values = times.iter().map(|at| *at as f64 / 1000.0).collect();
        vec![Column { labels: LabelSet::new(), values }]
    };
    map(columns, times.len(), |value| {
        if value.is_nan() {
            return f64::NAN;
        }
        DateTime::from_timestamp(value as i64, 0).map_or(f64::NAN, part)
    })
}

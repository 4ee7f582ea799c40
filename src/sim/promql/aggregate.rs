//! Aggregations: groups of columns become one column each, or some of them are chosen.

use std::collections::BTreeMap;

use promql_parser::parser::token::{
    T_AVG, T_BOTTOMK, T_COUNT, T_COUNT_VALUES, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUM, T_TOPK,
};
use promql_parser::parser::{AggregateExpr, Expr};

use super::super::metrics::LabelSet;
use super::eval::{Column, Eval, Value};
use super::number::format_float;
use super::{QueryError, gaps, labels, window};
use crate::domain::series::is_gap;

type Groups = BTreeMap<LabelSet, Vec<Column>>;

/// `sum by (a) (…)` and its kin.
pub(super) fn aggregate(eval: &Eval<'_>, expr: &AggregateExpr, times: &[i64]) -> Result<Value, QueryError> {
    let columns = eval.vector(&expr.expr, times)?;
    let mut groups: Groups = BTreeMap::new();
    for column in columns {
        groups.entry(labels::group(&column.labels, expr.modifier.as_ref(), false)).or_default().push(column);
    }
    let param = || expr.param.as_deref().ok_or_else(|| QueryError::bad("the aggregation needs a parameter"));
    let op = expr.op.id();
    match op {
        T_TOPK | T_BOTTOMK => {
            let most = eval.scalar(param()?, times)?;
            Ok(Value::Vector(chosen(groups, &most, op == T_TOPK)?))
        }
        T_QUANTILE => {
            let share = eval.scalar(param()?, times)?;
            let at =
                |step: usize, values: Vec<f64>| window::quantile(share.get(step).copied().unwrap_or(f64::NAN), values);
            Ok(Value::Vector(folded(groups, times.len(), at)))
        }
        T_COUNT_VALUES => count_values(groups, times.len(), param()?, eval),
        T_SUM => Ok(Value::Vector(folded(groups, times.len(), |_, values| {
            values.into_iter().fold(0.0, |sum, value| sum + value)
        }))),
        T_AVG => Ok(Value::Vector(folded(groups, times.len(), |_, values| window::mean(values.into_iter())))),
        T_COUNT => Ok(Value::Vector(folded(groups, times.len(), |_, values| values.len() as f64))),
        T_GROUP => Ok(Value::Vector(folded(groups, times.len(), |_, _| 1.0))),
        T_MIN => Ok(Value::Vector(folded(groups, times.len(), |_, values| extreme(values, |one, other| one < other)))),
        T_MAX => Ok(Value::Vector(folded(groups, times.len(), |_, values| extreme(values, |one, other| one > other)))),
        T_STDVAR => Ok(Value::Vector(folded(groups, times.len(), |_, values| window::variance(values.into_iter())))),
        T_STDDEV => {
            Ok(Value::Vector(folded(groups, times.len(), |_, values| window::variance(values.into_iter()).sqrt())))
        }
        _ => Err(QueryError::bad(format!("1:1: parse error: unknown aggregation \"{}\"", expr.op))),
    }
}

fn extreme(values: Vec<f64>, beats: fn(f64, f64) -> bool) -> f64 {
    values
        .into_iter()
        .reduce(|best, value| if beats(value, best) || best.is_nan() { value } else { best })
        .unwrap_or(f64::NAN)
}

/// One column for each group; `fold` gets the values of a step that are there.
fn folded(groups: Groups, steps: usize, fold: impl Fn(usize, Vec<f64>) -> f64) -> Vec<Column> {
    groups
        .into_iter()
        .map(|(labels, columns)| {
            let mut values = gaps(steps);
            for (step, slot) in values.iter_mut().enumerate() {
                let there = columns.iter().filter_map(|column| column.values.get(step).copied());
                let there: Vec<f64> = there.filter(|value| !is_gap(*value)).collect();
                if !there.is_empty() {
                    *slot = fold(step, there);
                }
            }
            Column { labels, values }
        })
        .collect()
}

/// The largest (or smallest) of each group at each step; the rest of a column is gaps. In order of value at the first
/// step, which is the only one where order is told.
fn chosen(groups: Groups, most: &[f64], is_top: bool) -> Result<Vec<Column>, QueryError> {
    if most.iter().any(|count| count.is_nan()) {
        return Err(QueryError::execution("Scalar value NaN overflows int64"));
    }
    let mut chosen = Vec::new();
    for (_, mut columns) in groups {
        let mut kept: Vec<Vec<f64>> = columns.iter().map(|column| gaps(column.values.len())).collect();
        let mut first_order: Vec<usize> = Vec::new();
        for (step, count) in most.iter().enumerate() {
            let value = |place: usize| {
                columns.get(place).and_then(|column| column.values.get(step)).copied().filter(|value| !is_gap(*value))
            };
            let mut places: Vec<(usize, f64)> =
                (0..columns.len()).filter_map(|place| Some((place, value(place)?))).collect();
            // NaN never beats a number.
            places.sort_by(|one, other| match (one.1.is_nan(), other.1.is_nan()) {
                (true, true) => std::cmp::Ordering::Equal,
                (true, false) => std::cmp::Ordering::Greater,
                (false, true) => std::cmp::Ordering::Less,
                (false, false) if is_top => other.1.total_cmp(&one.1),
                (false, false) => one.1.total_cmp(&other.1),
            });
            places.truncate(count.max(0.0) as usize);
            if step == 0 {
                first_order = places.iter().map(|(place, _)| *place).collect();
            }
            for (place, value) in places {
                if let Some(slot) = kept.get_mut(place).and_then(|values| values.get_mut(step)) {
                    *slot = value;
                }
            }
        }
        for (column, values) in columns.iter_mut().zip(kept) {
            column.values = values;
        }
        let rank = |place: usize| first_order.iter().position(|known| *known == place).unwrap_or(usize::MAX);
        let mut ranked: Vec<(usize, Column)> = columns.into_iter().enumerate().collect();
        ranked.retain(|(_, column)| column.values.iter().any(|value| !is_gap(*value)));
        ranked.sort_by_key(|(place, _)| rank(*place));
        chosen.extend(ranked.into_iter().map(|(_, column)| column));
    }
    Ok(chosen)
}

fn count_values(groups: Groups, steps: usize, param: &Expr, eval: &Eval<'_>) -> Result<Value, QueryError> {
    let name = eval.text(param)?;
    let is_label = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
    if !is_label {
        return Err(QueryError::execution(format!("invalid label name \"{name}\"")));
    }
    let mut counted: BTreeMap<LabelSet, Vec<f64>> = BTreeMap::new();
    for (labels, columns) in groups {
        for column in columns {
            for (step, value) in column.values.iter().enumerate().filter(|(_, value)| !is_gap(**value)) {
                let mut labels = labels.clone();
                labels.insert(name.clone(), format_float(*value));
                let values = counted.entry(labels).or_insert_with(|| gaps(steps));
                if let Some(slot) = values.get_mut(step) {
                    *slot = if is_gap(*slot) { 1.0 } else { *slot + 1.0 };
                }
            }
        }
        eval.spend(counted.len())?;
    }
    Ok(Value::Vector(counted.into_iter().map(|(labels, values)| Column { labels, values }).collect()))
}

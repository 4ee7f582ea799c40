//! Operators between numbers, vectors and both.

#![expect(clippy::float_cmp, reason = "PromQL compares exactly")]

use std::collections::BTreeMap;

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MOD, T_MUL, T_NEQ, T_POW,
    T_SUB, TokenId,
};
use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::super::metrics::LabelSet;
use super::eval::{Column, Eval, Value, merged};
use super::{QueryError, gaps, labels};
use crate::domain::series::{gap, is_gap};

/// `a + b`, `a > bool b`, `a and on (c) b`.
pub(super) fn binary(eval: &Eval<'_>, expr: &BinaryExpr, times: &[i64]) -> Result<Value, QueryError> {
    let op = Op { id: expr.op.id(), is_bool: expr.return_bool() };
    let (left, right) = (eval.eval(&expr.lhs, times)?, eval.eval(&expr.rhs, times)?);
    match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => {
            let pairs = left.into_iter().zip(right);
            Ok(Value::Scalar(pairs.map(|(left, right)| op.number(left, right)).collect()))
        }
        (Value::Vector(columns), Value::Scalar(numbers)) => op.with_numbers(columns, &numbers, false),
        (Value::Scalar(numbers), Value::Vector(columns)) => op.with_numbers(columns, &numbers, true),
        (Value::Vector(left), Value::Vector(right)) => {
            let modifier = expr.modifier.clone().unwrap_or_default();
            if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
                return Err(QueryError::bad("1:1: parse error: unexpected <fill>"));
            }
            let columns = match op.id {
                T_LAND | T_LUNLESS | T_LOR => sets(op.id, left, right, &modifier),
                _ => Matching { op, modifier: &modifier }.join(left, right, times.len())?,
            };
            Ok(Value::Vector(columns))
        }
        _ => Err(QueryError::bad("binary expression must contain only scalar and instant vector types")),
    }
}

#[derive(Clone, Copy)]
struct Op {
    id: TokenId,
    is_bool: bool,
}

impl Op {
    fn is_comparison(self) -> bool {
        matches!(self.id, T_EQLC | T_NEQ | T_GTR | T_LSS | T_GTE | T_LTE)
    }

    fn drops_name(self) -> bool {
        !self.is_comparison() || self.is_bool
    }

    fn compare(self, left: f64, right: f64) -> bool {
        match self.id {
            T_EQLC => left == right,
            T_NEQ => left != right,
            T_GTR => left > right,
            T_LSS => left < right,
            T_GTE => left >= right,
            _ => left <= right,
        }
    }

    /// Between two numbers: a comparison is 0 or 1.
    fn number(self, left: f64, right: f64) -> f64 {
        match self.id {
            T_ADD => left + right,
            T_SUB => left - right,
            T_MUL => left * right,
            T_DIV => left / right,
            T_MOD => left % right,
            T_POW => left.powf(right),
            T_ATAN2 => left.atan2(right),
            _ => f64::from(u8::from(self.compare(left, right))),
        }
    }

    /// Between two samples: a comparison without `bool` keeps `kept` or nothing.
    fn sample(self, left: f64, right: f64, kept: f64) -> f64 {
        if self.is_comparison() && !self.is_bool {
            if self.compare(left, right) { kept } else { gap() }
        } else {
            self.number(left, right)
        }
    }

    fn with_numbers(self, columns: Vec<Column>, numbers: &[f64], number_is_left: bool) -> Result<Value, QueryError> {
        let columns = columns
            .into_iter()
            .map(|mut column| {
                for (value, number) in column.values.iter_mut().zip(numbers).filter(|(value, _)| !is_gap(**value)) {
                    let (left, right) = if number_is_left { (*number, *value) } else { (*value, *number) };
                    *value = self.sample(left, right, *value);
                }
                if self.drops_name() {
                    column.labels = labels::nameless(column.labels);
                }
                column
            })
            .collect();
        merged(columns).map(Value::Vector)
    }
}

fn signature(labels: &LabelSet, modifier: &BinModifier) -> LabelSet {
    labels::group(labels, modifier.matching.as_ref(), true)
}

/// `and`, `or`, `unless`: which samples stay depends on whether the other side has one with the same labels.
fn sets(op: TokenId, left: Vec<Column>, right: Vec<Column>, modifier: &BinModifier) -> Vec<Column> {
    let presence = |columns: &[Column]| {
        let mut there: BTreeMap<LabelSet, Vec<bool>> = BTreeMap::new();
        for column in columns {
            let steps =
                there.entry(signature(&column.labels, modifier)).or_insert_with(|| vec![false; column.values.len()]);
            for (slot, value) in steps.iter_mut().zip(&column.values) {
                *slot |= !is_gap(*value);
            }
        }
        there
    };
    let only_where = |columns: Vec<Column>, there: &BTreeMap<LabelSet, Vec<bool>>, wanted: bool| -> Vec<Column> {
        let kept = columns.into_iter().map(|mut column| {
            let steps = there.get(&signature(&column.labels, modifier));
            for (step, value) in column.values.iter_mut().enumerate() {
                if steps.and_then(|steps| steps.get(step)).copied().unwrap_or(false) != wanted {
                    *value = gap();
                }
            }
            column
        });
        kept.filter(|column| column.values.iter().any(|value| !is_gap(*value))).collect()
    };
    match op {
        T_LAND => only_where(left, &presence(&right), true),
        T_LUNLESS => only_where(left, &presence(&right), false),
        _ => {
            let there = presence(&left);
            let mut all = left;
            all.extend(only_where(right, &there, false));
            // The same labels may come from both sides at different steps.
            join_columns(all)
        }
    }
}

/// Columns with the same labels laid over each other; the earlier one wins where both have a value.
fn join_columns(columns: Vec<Column>) -> Vec<Column> {
    let mut joined: BTreeMap<LabelSet, Vec<f64>> = BTreeMap::new();
    for column in columns {
        match joined.get_mut(&column.labels) {
            None => drop(joined.insert(column.labels, column.values)),
            Some(known) => {
                for (slot, value) in known.iter_mut().zip(column.values).filter(|(slot, _)| is_gap(**slot)) {
                    *slot = value;
                }
            }
        }
    }
    joined.into_iter().map(|(labels, values)| Column { labels, values }).collect()
}

struct Matching<'a> {
    op: Op,
    modifier: &'a BinModifier,
}

impl Matching<'_> {
    /// Each sample of the "many" side with the one of the "one" side that has the same signature.
    fn join(&self, left: Vec<Column>, right: Vec<Column>, steps: usize) -> Result<Vec<Column>, QueryError> {
        let is_swapped = matches!(self.modifier.card, VectorMatchCardinality::OneToMany(_));
        let (many, one) = if is_swapped { (right, left) } else { (left, right) };
        let mut by_signature: BTreeMap<LabelSet, Vec<Column>> = BTreeMap::new();
        for column in one {
            by_signature.entry(signature(&column.labels, self.modifier)).or_default().push(column);
        }
        let is_one_to_one = matches!(self.modifier.card, VectorMatchCardinality::OneToOne);
        for (signature, columns) in &by_signature {
            check_one(signature, columns, steps, if is_swapped { "left" } else { "right" })?;
        }
        let mut joined: Vec<Column> = Vec::new();
        let mut taken: BTreeMap<LabelSet, Vec<bool>> = BTreeMap::new();
        for column in many {
            let signature = signature(&column.labels, self.modifier);
            let Some(partners) = by_signature.get(&signature) else { continue };
            for partner in partners {
                let mut values = gaps(steps);
                for (step, slot) in values.iter_mut().enumerate() {
                    let at = |column: &Column| column.values.get(step).copied().unwrap_or_else(gap);
                    let (many, one) = (at(&column), at(partner));
                    if !is_gap(many) && !is_gap(one) {
                        let (left, right) = if is_swapped { (one, many) } else { (many, one) };
                        *slot = self.op.sample(left, right, left);
                    }
                }
                if values.iter().all(|value| is_gap(*value)) {
                    continue;
                }
                if is_one_to_one {
                    let used = taken.entry(signature.clone()).or_insert_with(|| vec![false; steps]);
                    for (used, _) in used.iter_mut().zip(&values).filter(|(_, value)| !is_gap(**value)) {
                        if std::mem::replace(used, true) {
                            return Err(QueryError::execution(
                                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                            ));
                        }
                    }
                }
                joined.push(Column { labels: self.result(&column.labels, &partner.labels), values });
            }
        }
        merged(joined).map_err(|found| QueryError {
            message: "multiple matches for labels: grouping labels must ensure unique matches".to_owned(),
            ..found
        })
    }

    fn result(&self, many: &LabelSet, one: &LabelSet) -> LabelSet {
        let mut result = many.clone();
        if self.op.drops_name() {
            result.remove("__name__");
        }
        match &self.modifier.card {
            VectorMatchCardinality::OneToOne => match &self.modifier.matching {
                Some(LabelModifier::Include(names)) => labels::keep(&result, names),
                Some(LabelModifier::Exclude(names)) => {
                    result.retain(|name, _| !names.labels.contains(name));
                    result
                }
                None => result,
            },
            VectorMatchCardinality::ManyToOne(carried) | VectorMatchCardinality::OneToMany(carried) => {
                for name in &carried.labels {
                    match one.get(name).filter(|value| !value.is_empty()) {
                        Some(value) => drop(result.insert(name.clone(), value.clone())),
                        None => drop(result.remove(name)),
                    }
                }
                result
            }
            VectorMatchCardinality::ManyToMany => result,
        }
    }
}

/// On the "one" side no two samples of a step may have the same signature.
fn check_one(signature: &LabelSet, columns: &[Column], steps: usize, side: &str) -> Result<(), QueryError> {
    for step in 0..steps {
        let mut there = columns.iter().filter(|column| column.values.get(step).is_some_and(|value| !is_gap(*value)));
        if let (Some(first), Some(second)) = (there.next(), there.next()) {
            return Err(QueryError::execution(format!(
                "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                labels::print(signature),
                labels::print(&second.labels),
                labels::print(&first.labels),
            )));
        }
    }
    Ok(())
}

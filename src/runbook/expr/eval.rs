//! Evaluation: Kleene's three-valued logic over the `&&`, `||`, `!` and `?:` of the tree, CEL for what stands between.

use std::collections::BTreeSet;

use cel::common::ast::operators;
use cel::common::ast::{CallExpr, EntryExpr, Expr as Tree, LiteralValue};
use cel::parser::Expression;
use cel::{Context, ExecutionError, Program, Value as Cel};

use super::context::{context, described, from_cel, mismatch};
use super::percent::{Percent, written};
use super::{Expr, ExprError, References, Truth, World, unit_of};
use crate::runbook::model::Unit;
use crate::runbook::value::{Bound, Cause, Value};
use crate::runbook::yaml::node::nearest;

const FUNCTIONS: &[&str] = &[
    "has",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "duration",
    "timestamp",
    "now",
    "age",
    "in_window",
    "promql",
    "step",
    "int",
    "double",
    "string",
    "bool",
    "uint",
    "min",
    "max",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "getHours",
    "getDayOfWeek",
    "getMinutes",
    "type",
];

/// Collects what a program wants, and refuses functions that nobody knows.
pub(super) fn references(program: &Program, percents: &[Percent]) -> Result<References, ExprError> {
    let mut found = References::default();
    let mut wrong = None;
    visit(program.expression(), &mut Vec::new(), &mut |tree, bound| match tree {
        Tree::Ident(name) if bound.contains(name) || name.starts_with('@') => {}
        Tree::Ident(name) if percents.iter().any(|percent| percent.hidden == *name) => {}
        Tree::Ident(name) if matches!(name.as_str(), "alert" | "incident" | "now") => found.reads_facts = true,
        Tree::Ident(name) => {
            found.variables.insert(written(name).to_owned());
        }
        Tree::Call(call) => {
            found.reads_facts |= matches!(call.func_name.as_str(), "age" | "in_window");
            if let Err(error) = literal_call(call, &mut found) {
                wrong.get_or_insert(error);
            }
        }
        _ => {}
    });
    wrong.map_or(Ok(found), Err)
}

fn literal_call(call: &CallExpr, found: &mut References) -> Result<(), ExprError> {
    let name = call.func_name.as_str();
    if matches!(name, "promql" | "step") {
        let Some(text) = only_text(call) else {
            let message = format!("{name}() takes one text, written in place");
            return Err(ExprError { at: 0, message, fix: format!("write {name}(\"…\")") });
        };
        let into = if name == "promql" { &mut found.promql } else { &mut found.steps };
        into.insert(text);
        return Ok(());
    }
    let is_word = name.chars().next().is_some_and(char::is_alphabetic);
    if is_word && !FUNCTIONS.contains(&name) {
        let fix = nearest(name, FUNCTIONS)
            .map_or_else(|| format!("known: {}", FUNCTIONS.join(", ")), |known| format!("did you mean '{known}'?"));
        return Err(ExprError { at: 0, message: format!("'{name}' is no function"), fix });
    }
    Ok(())
}

fn only_text(call: &CallExpr) -> Option<String> {
    match call.args.as_slice() {
        [one] if call.target.is_none() => match &one.expr {
            Tree::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// Walks the tree; `bound` are names that a macro introduced.
fn visit(node: &Expression, bound: &mut Vec<String>, take: &mut dyn FnMut(&Tree, &[String])) {
    take(&node.expr, bound);
    match &node.expr {
        Tree::Call(call) => {
            for inner in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                visit(inner, bound, take);
            }
        }
        Tree::Comprehension(inner) => {
            visit(&inner.iter_range, bound, take);
            visit(&inner.accu_init, bound, take);
            let known = bound.len();
            bound.extend(
                [Some(inner.iter_var.clone()), inner.iter_var2.clone(), Some(inner.accu_var.clone())]
                    .into_iter()
                    .flatten(),
            );
            for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
                visit(part, bound, take);
            }
            bound.truncate(known);
        }
        Tree::List(list) => list.elements.iter().for_each(|inner| visit(inner, bound, take)),
        Tree::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    visit(&entry.key, bound, take);
                    visit(&entry.value, bound, take);
                }
            }
        }
        Tree::Select(select) => visit(&select.operand, bound, take),
        Tree::Struct(_) | Tree::Ident(_) | Tree::Literal(_) | Tree::Unspecified => {}
    }
}

/// The expression as a condition.
pub(super) fn truth(expr: &Expr, world: &World<'_>) -> Truth {
    match context(expr, world) {
        Ok(context) => Judge { expr, world, context: &context }.truth(expr.program.expression()),
        Err(cause) => Truth::Unknown(cause),
    }
}

/// The expression as a value.
pub(super) fn value(expr: &Expr, world: &World<'_>) -> Result<Value, Cause> {
    let context = context(expr, world)?;
    let found = Judge { expr, world, context: &context }.value(expr.program.expression())?;
    from_cel(&found)
}

struct Judge<'a, 'c> {
    expr: &'a Expr,
    world: &'a World<'a>,
    context: &'a Context<'c, 'c>,
}

impl Judge<'_, '_> {
    fn truth(&self, node: &Expression) -> Truth {
        if let Tree::Call(call) = &node.expr {
            match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::LOGICAL_AND, [left, right]) => {
                    return match (self.truth(left), self.truth(right)) {
                        (Truth::False, _) | (_, Truth::False) => Truth::False,
                        (Truth::True, other) => other,
                        (unknown, _) => unknown,
                    };
                }
                (operators::LOGICAL_OR, [left, right]) => {
                    return match (self.truth(left), self.truth(right)) {
                        (Truth::True, _) | (_, Truth::True) => Truth::True,
                        (Truth::False, other) => other,
                        (unknown, _) => unknown,
                    };
                }
                (operators::LOGICAL_NOT, [inner]) => {
                    return match self.truth(inner) {
                        Truth::True => Truth::False,
                        Truth::False => Truth::True,
                        unknown => unknown,
                    };
                }
                (operators::CONDITIONAL, [condition, yes, no]) => {
                    return match self.truth(condition) {
                        Truth::True => self.truth(yes),
                        Truth::False => self.truth(no),
                        unknown => unknown,
                    };
                }
                _ => {}
            }
        }
        match self.value(node) {
            Ok(Cel::Bool(true)) => Truth::True,
            Ok(Cel::Bool(false)) => Truth::False,
            Ok(other) => Truth::Unknown(Cause::Expression(format!(
                "'{}' gives {}, not true or false",
                self.expr.source(),
                described(&other)
            ))),
            Err(cause) => Truth::Unknown(cause),
        }
    }

    fn value(&self, node: &Expression) -> Result<Cel, Cause> {
        self.needed(node)?;
        if let Tree::Call(call) = &node.expr {
            match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _) => {
                    return match self.truth(node) {
                        Truth::True => Ok(Cel::Bool(true)),
                        Truth::False => Ok(Cel::Bool(false)),
                        Truth::Unknown(cause) => Err(cause),
                    };
                }
                // CEL calls "3" and 3 merely different; here that is a mistake of whoever declared the type.
                (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                    let (left, right) = (self.value(left)?, self.value(right)?);
                    if family(&left) != family(&right) {
                        return Err(mismatch(&described(&left), &described(&right)));
                    }
                }
                _ => {}
            }
        }
        Cel::resolve(node, self.context).map_err(|error| told(&error))
    }

    /// Every value the part names must be there; the first that is not is the cause.
    fn needed(&self, node: &Expression) -> Result<(), Cause> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut queries: BTreeSet<String> = BTreeSet::new();
        let mut steps: BTreeSet<String> = BTreeSet::new();
        visit(node, &mut Vec::new(), &mut |tree, bound| match tree {
            Tree::Ident(name) if !bound.contains(name) => {
                names.insert(written(name).to_owned());
            }
            Tree::Call(call) if call.func_name == "promql" => queries.extend(only_text(call)),
            Tree::Call(call) if call.func_name == "step" => steps.extend(only_text(call)),
            _ => {}
        });
        for name in &names {
            if let Some(percent) = self.expr.percents.iter().find(|percent| percent.hidden == *name) {
                percent_number(percent, self.world)?;
            } else if self.expr.references.variables.contains(name) {
                found(name, self.world.values)?;
            }
        }
        for query in &queries {
            found(query, self.world.promql)?;
        }
        match steps.iter().find(|step| !self.world.steps.contains_key(*step)) {
            Some(step) => Err(Cause::Expression(format!("step {step} has not run yet"))),
            None => Ok(()),
        }
    }
}

pub(super) fn found<'w>(name: &str, values: &'w crate::runbook::value::Values) -> Result<&'w Bound, Cause> {
    match values.get(name) {
        Some(Ok(bound)) => match &bound.value {
            Value::Secret(_) => Err(Cause::Refused(format!("{name} is a secret and cannot be looked at"))),
            Value::Number(number) if number.is_nan() => Err(Cause::NotANumber.of(name)),
            Value::Number(number) if number.is_infinite() => Err(Cause::Infinite.of(name)),
            _ => Ok(bound),
        },
        Some(Err(cause)) => Err(cause.clone().of(name)),
        None => Err(Cause::Missing(name.to_owned())),
    }
}

pub(super) fn percent_number(percent: &Percent, world: &World<'_>) -> Result<f64, Cause> {
    let Some(variable) = &percent.variable else {
        return Err(Cause::Expression(format!("{}% is compared with nothing that has a unit", percent.number)));
    };
    let bound = found(variable, world.values)?;
    match unit_of(bound) {
        Some(Unit::Percent) => Ok(percent.number),
        Some(Unit::Ratio) => Ok(percent.number / 100.0),
        _ => Err(Cause::NoUnit(variable.clone())),
    }
}

/// Values of one family can be compared for equality.
fn family(value: &Cel) -> u8 {
    match value {
        Cel::Int(_) | Cel::UInt(_) | Cel::Float(_) => 0,
        Cel::String(_) => 1,
        Cel::Bool(_) => 2,
        Cel::Duration(_) => 3,
        Cel::Timestamp(_) => 4,
        Cel::List(_) => 5,
        Cel::Map(_) => 6,
        Cel::Null => 7,
        _ => 8,
    }
}

fn told(error: &ExecutionError) -> Cause {
    match error {
        ExecutionError::ValuesNotComparable(left, right) => mismatch(&described(left), &described(right)),
        ExecutionError::NoSuchOverload(overload) => {
            let types: Vec<&str> = overload.argument_types().iter().map(|name| word_of(name)).collect();
            does_not_work(overload.function().trim_matches('_'), &types)
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            does_not_work(operator, &[kind_of(left), kind_of(right)])
        }
        ExecutionError::NoSuchKey(key) => Cause::Missing(key.to_string()),
        ExecutionError::UndeclaredReference(name) => Cause::Missing(name.to_string()),
        ExecutionError::Overflow(..) => Cause::Expression("the number becomes too large".to_owned()),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            Cause::Expression("a division by zero".to_owned())
        }
        other => Cause::Expression(other.to_string()),
    }
}

fn does_not_work(function: &str, types: &[&str]) -> Cause {
    let hint = if types.contains(&"a number with decimals") && types.contains(&"a whole number") {
        ": write double(…) around the whole number"
    } else {
        ": declare the variable's type"
    };
    Cause::Expression(format!("'{function}' does not work on {}{hint}", types.join(" and ")))
}

fn kind_of(value: &Cel) -> &'static str {
    match value {
        Cel::Int(_) | Cel::UInt(_) => "a whole number",
        Cel::Float(_) => "a number with decimals",
        Cel::String(_) => "a text",
        Cel::Bool(_) => "a truth",
        Cel::Null => "nothing",
        _ => "something else",
    }
}

fn word_of(cel: &str) -> &str {
    match cel {
        "string" => "a text",
        "int" | "uint" => "a whole number",
        "double" => "a number with decimals",
        "bool" => "a truth",
        other => other,
    }
}

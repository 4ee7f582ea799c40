//! What an expression may read and call, as CEL sees it, and values on their way in and out.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, ExecutionError, Value as Cel};
use chrono::Timelike;

use super::eval::{found, percent_number};
use super::percent::encoded;
use super::{Expr, World};
use crate::runbook::value::{Cause, StepResult, Value};

/// A context that knows the values which are there; the others are caught before CEL is asked.
pub(super) fn context<'c>(expr: &Expr, world: &World<'_>) -> Result<Context<'c, 'c>, Cause> {
    let mut context = Context::default();
    for name in &expr.references.variables {
        if let Ok(bound) = found(name, world.values) {
            context.add_variable_from_value(encoded(name), to_cel(&bound.value));
        }
    }
    for percent in &expr.percents {
        if let Ok(number) = percent_number(percent, world) {
            context.add_variable_from_value(percent.hidden.as_str(), Cel::Float(number));
        }
    }
    add_facts(&mut context, world);
    add_functions(&mut context, expr, world).map_err(|error| Cause::Expression(error.to_string()))?;
    Ok(context)
}

fn add_facts(context: &mut Context<'_, '_>, world: &World<'_>) {
    let texts = |labels: &crate::domain::alert::Labels| -> HashMap<String, Cel> {
        labels.iter().map(|(name, value)| (name.to_owned(), text(value.expose()))).collect()
    };
    let mut alert: HashMap<String, Cel> = HashMap::new();
    alert.insert("labels".into(), texts(&world.facts.labels).into());
    alert.insert("annotations".into(), texts(&world.facts.annotations).into());
    alert.insert("name".into(), text(world.facts.labels.get("alertname").map_or("", |name| name.expose())));
    alert.insert("status".into(), text(if world.facts.is_resolved { "resolved" } else { "firing" }));
    if let Some(at) = world.facts.starts_at {
        alert.insert("starts_at".into(), Cel::Timestamp(at.fixed_offset()));
    }
    let mut incident: HashMap<String, Cel> =
        world.facts.incident.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    if let Some(at) = world.facts.opened_at {
        incident.insert("opened_at".into(), Cel::Timestamp(at.fixed_offset()));
    }
    context.add_variable_from_value("alert", alert);
    context.add_variable_from_value("incident", incident);
    context.add_variable_from_value("now", Cel::Timestamp(world.now.fixed_offset()));
}

fn text(text: &str) -> Cel {
    Cel::String(Arc::new(text.to_owned()))
}

fn add_functions(context: &mut Context<'_, '_>, expr: &Expr, world: &World<'_>) -> Result<(), cel::DeclarationError> {
    let now = world.now;
    context.add_function("age", move |since: Arc<String>| -> Result<Cel, ExecutionError> {
        let at = chrono::DateTime::parse_from_rfc3339(&since)
            .map_err(|_cause| failed("age", &format!("'{since}' is no instant")))?;
        Ok(Cel::Duration(now.signed_duration_since(at)))
    })?;
    context.add_function(
        "in_window",
        move |window: Arc<String>, zone: Arc<String>| -> Result<Cel, ExecutionError> {
            let zone: chrono_tz::Tz =
                zone.parse().map_err(|_cause| failed("in_window", &format!("'{zone}' is no zone")))?;
            let (from, to) =
                window_of(&window).ok_or_else(|| failed("in_window", "write the window as \"22:00-06:00\""))?;
            let local = now.with_timezone(&zone);
            let minute = local.hour() * 60 + local.minute();
            let inside = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
            Ok(Cel::Bool(inside))
        },
    )?;
    let answers: HashMap<String, Cel> = expr
        .references
        .promql
        .iter()
        .filter_map(|query| Some((query.clone(), to_cel(&found(query, world.promql).ok()?.value))))
        .collect();
    context.add_function("promql", move |query: Arc<String>| -> Result<Cel, ExecutionError> {
        answers.get(query.as_str()).cloned().ok_or_else(|| failed("promql", "it was not asked"))
    })?;
    let steps: HashMap<String, Cel> = world.steps.iter().map(|(id, result)| (id.clone(), step_map(result))).collect();
    context.add_function("step", move |id: Arc<String>| -> Result<Cel, ExecutionError> {
        steps.get(id.as_str()).cloned().ok_or_else(|| failed("step", "it has not run"))
    })
}

fn step_map(result: &StepResult) -> Cel {
    let mut map: HashMap<String, Cel> = HashMap::new();
    if let Some(exit) = result.exit {
        map.insert("exit".into(), Cel::Int(i64::from(exit)));
    }
    map.insert("state".into(), text(&result.state));
    map.insert("stdout".into(), text(&result.stdout));
    map.into()
}

fn window_of(window: &str) -> Option<(u32, u32)> {
    let (from, to) = window.split_once('-')?;
    let minute = |clock: &str| {
        let (hour, minute) = clock.trim().split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
    };
    Some((minute(from)?, minute(to)?))
}

fn failed(function: &str, message: &str) -> ExecutionError {
    ExecutionError::FunctionError { function: function.to_owned(), message: message.to_owned() }
}

pub(super) fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Text(inner) => text(inner),
        Value::Int(number) => Cel::Int(*number),
        Value::Number(number) => Cel::Float(*number),
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Duration(span) => Cel::Duration(chrono::Duration::from_std(*span).unwrap_or(chrono::Duration::MAX)),
        Value::List(items) => Cel::List(Arc::new(items.iter().map(|item| text(item)).collect())),
        Value::Secret(_) => Cel::Null,
    }
}

pub(super) fn from_cel(value: &Cel) -> Result<Value, Cause> {
    Ok(match value {
        Cel::Int(number) => Value::Int(*number),
        Cel::UInt(number) => i64::try_from(*number).map_or_else(|_| Value::Text(number.to_string()), Value::Int),
        Cel::Float(number) if number.is_finite() => Value::Number(*number),
        Cel::Float(number) if number.is_nan() => return Err(Cause::NotANumber),
        Cel::Float(_) => return Err(Cause::Infinite),
        Cel::Bool(truth) => Value::Bool(*truth),
        Cel::String(inner) => Value::Text(inner.as_str().to_owned()),
        Cel::Duration(span) => {
            Value::Duration(span.to_std().map_err(|_cause| Cause::Expression("a negative span of time".to_owned()))?)
        }
        other => return Err(Cause::Expression(format!("gives {}, which cannot be a value", described(other)))),
    })
}

pub(super) fn described(value: &Cel) -> String {
    match value {
        Cel::Int(number) => format!("the number {number}"),
        Cel::UInt(number) => format!("the number {number}"),
        Cel::Float(number) => format!("the number {number}"),
        Cel::String(inner) => format!("the text \"{}\"", crate::text::Clean::new(inner.as_str())),
        Cel::Bool(truth) => truth.to_string(),
        Cel::Duration(_) => "a span of time".to_owned(),
        Cel::Timestamp(_) => "an instant".to_owned(),
        Cel::List(_) => "a list".to_owned(),
        Cel::Map(_) => "a table".to_owned(),
        Cel::Null => "nothing".to_owned(),
        _ => "something else".to_owned(),
    }
}

pub(super) fn mismatch(left: &str, right: &str) -> Cause {
    Cause::Expression(format!("{left} cannot be compared with {right}: declare the variable's type"))
}

//! Findings about conditions, guards, checks and queries.

use super::{Lint, Weight};
use crate::runbook::bind::promql;
use crate::runbook::expr::Expr;
use crate::runbook::model::{Kind, Step, Unit, Work};

pub(super) fn step(lint: &mut Lint<'_>, step: &Step, at: usize) {
    if !lint.runbook.is_native {
        return;
    }
    let handling = &step.handling;
    let verify = handling.verify.as_ref().map(|verify| &verify.condition);
    let until = match &step.work {
        Work::Wait { until, .. } => until.as_ref(),
        _ => None,
    };
    let conditions = [step.condition.as_ref(), handling.guard.as_ref(), verify, until];
    for (kind, source) in conditions.into_iter().enumerate().filter_map(|(kind, source)| Some((kind, source?))) {
        match Expr::compile(source) {
            Ok(expr) => judge(lint, step, at, source, &expr, kind == 2),
            Err(error) => {
                lint.add("condition", Weight::Error, step, source, error.message, &error.fix);
            }
        }
    }
    if let Work::Query { promql } = &step.work
        && let Err(fault) = promql::check(promql)
    {
        lint.add("promql", Weight::Error, step, promql, fault.message, &fault.fix);
    }
}

fn judge(lint: &mut Lint<'_>, step: &Step, at: usize, source: &str, expr: &Expr, is_verify: bool) {
    for query in &expr.references().promql {
        if let Err(fault) = promql::check(query) {
            lint.add("promql", Weight::Error, step, query, fault.message, &fault.fix);
        }
    }
    // A single name as a condition must be a truth.
    let trimmed = source.trim();
    if let Some(param) = lint.runbook.param(trimmed)
        && !matches!(param.kind, Kind::Bool)
        && param.kind != Kind::default()
    {
        let message = format!("'{trimmed}' is {}, not true or false", param.kind.word());
        lint.add("not-bool", Weight::Error, step, source, message, "compare it with something");
    }
    for name in expr.compared_with_percent() {
        let is_declared = lint.runbook.param(name).is_some() || lint.runbook.library.contains_key(name);
        let unit = lint.runbook.unit(name);
        if is_declared && !matches!(unit, Some(Unit::Percent | Unit::Ratio)) {
            let message = format!("'{name}' is compared with a percentage but has no unit");
            lint.add("no-unit", Weight::Warning, step, source, message, "declare unit: percent or unit: ratio");
        }
    }
    let later = lint.runbook.steps.iter().skip(if is_verify { at + 1 } else { at });
    let captured_later = later.clone().flat_map(|step| &step.handling.capture).find(|capture| {
        expr.references().variables.contains(&capture.name)
            && lint.runbook.param(&capture.name).is_none()
            && !lint.runbook.library.contains_key(&capture.name)
    });
    let earlier = lint.runbook.steps.iter().take(at).flat_map(|step| &step.handling.capture);
    if let Some(capture) = captured_later
        && !earlier.into_iter().any(|earlier| earlier.name == capture.name)
    {
        let message = format!("'{}' is captured only by a later step", capture.name);
        lint.add("later-capture", Weight::Error, step, source, message, "move the step that captures it up");
    }
    let unknown = expr.references().steps.iter().find(|id| lint.runbook.step(id).is_none());
    if let Some(id) = unknown {
        let message = format!("step(\"{id}\") names no step");
        lint.add("condition", Weight::Error, step, source, message, "name the id of a step");
    }
}

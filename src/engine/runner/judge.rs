//! Conditions, guards and verifications: true, false, or unknown with a cause; with the evidence they rest on.

use super::kit::Kit;
use super::resolve::{self, shown};
use super::scene::Scene;
use crate::domain::run::{Evidence, Judgement, Question, Truth};
use crate::domain::time::Timestamp;
use crate::runbook::bind::{Resolution, wants_of};
use crate::runbook::expr::{self, Expr, World};
use crate::runbook::value::{Origin, Resolved};
use crate::text::Clean;

/// Answers one question now, with values of its own.
pub(super) async fn judge(kit: &Kit, scene: &Scene, question: Question, expression: &str) -> Judgement {
    let found = resolve::values(kit, scene, &wants_of(&scene.runbook, &[expression], &[])).await;
    answer(kit, scene, question, expression, &found)
}

/// Answers one question with values that were looked up.
pub(super) fn answer(kit: &Kit, scene: &Scene, question: Question, expression: &str, found: &Resolution) -> Judgement {
    let now = kit.clock.now();
    let expr = match Expr::compile(expression) {
        Ok(expr) => expr,
        Err(error) => {
            let truth = Truth::Unknown { cause: Clean::new(error.to_string()) };
            return Judgement { question, expression: Clean::new(expression), truth, evidence: Vec::new() };
        }
    };
    let facts = scene.facts();
    let world = World { values: &found.values, promql: &found.promql, steps: &scene.steps, facts: &facts, now };
    let judged = expr.judge(&world);
    let evidence = judged.evidence.iter().map(|(name, resolved)| evidence(name, resolved, now)).collect();
    let truth = match judged.truth {
        expr::Truth::True => Truth::True,
        expr::Truth::False => Truth::False,
        expr::Truth::Unknown(cause) => Truth::Unknown { cause: Clean::new(cause.to_string()) },
    };
    Judgement { question, expression: Clean::new(expression), truth, evidence }
}

fn evidence(name: &str, resolved: &Resolved, now: Timestamp) -> Evidence {
    let asked_of = match resolved {
        Ok(bound) => match &bound.origin {
            Origin::PromQl { sampled_at, server, .. } => Some((*sampled_at, server.clone())),
            _ => None,
        },
        Err(_) => None,
    };
    let value = shown(name, resolved);
    let at = asked_of.as_ref().map_or(now, |(at, _)| *at);
    let source = asked_of.map_or_else(|| value.source.clone(), |(_, server)| Clean::new(server));
    let says = if resolved.is_ok() { value.value } else { Clean::new(format!("unknown: {}", value.source)) };
    let (asked, age_ms) = (value.asked.unwrap_or_default(), value.age_ms.unwrap_or(0));
    Evidence { name: value.name, value: says, asked, source, at, age_ms }
}

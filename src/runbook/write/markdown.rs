//! A runbook as native Markdown. What fence attributes cannot say (captures, environment, targets of steps…) needs YAML;
//! the text says so where it happens.

use std::fmt::Write as _;

use super::{list, on_failure, param, quoted, span};
use crate::runbook::model::{Handling, Runbook, Step, Work};
use crate::text::Clean;

/// The document.
#[must_use]
pub fn markdown(runbook: &Runbook) -> String {
    let mut text = front(runbook);
    let _ = writeln!(text, "# {}\n", runbook.title);
    for line in &runbook.intro {
        let _ = writeln!(text, "{line}\n");
    }
    let mut section: Option<&Clean> = None;
    for (at, step) in runbook.steps.iter().enumerate() {
        if at == 0 || step.section.as_ref() != section {
            section = step.section.as_ref();
            let _ = writeln!(text, "## {}\n", section.map_or("Steps", Clean::as_str));
        }
        self::step(&mut text, at + 1, step);
    }
    text
}

fn front(runbook: &Runbook) -> String {
    let mut text = format!("---\nrunbook: {}\n", quoted(runbook.id.as_str()));
    let names: Vec<String> = runbook.triggers.iter().map(|trigger| trigger.alertname.clone()).collect();
    if !names.is_empty() {
        let _ = writeln!(text, "trigger: {}", list(&names));
    }
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("severity", runbook.severity.map(|severity| severity.word().to_owned()));
    line("service", runbook.service.as_ref().map(|service| quoted(service.as_str())));
    line("owner", runbook.owner.as_ref().map(|owner| quoted(owner.as_str())));
    line("last_verified", runbook.last_verified.map(|day| day.to_string()));
    line("review_every", runbook.review_every.map(span));
    if !runbook.params.is_empty() {
        text.push_str("params:\n");
        for one in &runbook.params {
            let _ = writeln!(text, "  {}: {}", one.name, param(one));
        }
    }
    text.push_str("---\n");
    text
}

fn step(text: &mut String, number: usize, step: &Step) {
    let boxed = if step.work.text().is_none() { "[ ] " } else { "" };
    let indent = " ".repeat(number.to_string().len() + 2);
    let _ = writeln!(text, "{number}. {boxed}{}", step.title);
    for note in &step.notes {
        let _ = writeln!(text, "\n{indent}{note}");
    }
    if let Some(body) = step.work.text() {
        let (language, attributes) = fence(step);
        let ticks = "`".repeat(body.split(|symbol| symbol != '`').map(str::len).max().unwrap_or(0).max(2) + 1);
        let _ = writeln!(text, "\n{indent}{ticks}{language}{attributes}");
        for line in body.trim_end().lines() {
            let _ = writeln!(text, "{indent}{line}");
        }
        let _ = writeln!(text, "{indent}{ticks}");
    }
    text.push('\n');
}

fn fence(step: &Step) -> (String, String) {
    let language = match &step.work {
        Work::Query { .. } => "promql".to_owned(),
        Work::Script { language, .. } | Work::CopyOnly { language, .. } => language.clone(),
        _ => "bash".to_owned(),
    };
    let mut attributes = vec![format!("id={}", step.id)];
    attributes.extend(step.condition.as_ref().map(|condition| format!("if={}", quoted(condition))));
    attributes.extend(handling(&step.handling));
    (language, format!(" {{{}}}", attributes.join(" ")))
}

fn handling(handling: &Handling) -> Vec<String> {
    let text = |name: &str, value: Option<&String>| value.map(|value| format!("{name}={}", quoted(value)));
    [
        handling.danger.map(|danger| format!("danger={danger}")),
        text("guard", handling.guard.as_ref()),
        handling.timeout.map(|timeout| format!("timeout={}", span(timeout))),
        text("verify", handling.verify.as_ref().map(|verify| &verify.condition)),
        text("rollback", handling.rollback.as_ref()),
        text("dry_run", handling.dry_run.as_ref()),
        text("lock", handling.lock.as_ref()),
        text("cwd", handling.cwd.as_ref()),
        text("parallel", handling.parallel.as_ref()),
        handling.interactive.then(|| "interactive=true".to_owned()),
        handling.idempotent.then(|| "idempotent=true".to_owned()),
        (handling.retries.max > 0).then(|| format!("retries={}", handling.retries.max)),
        on_failure(&handling.on_failure).map(|what| format!("on_failure={what}")),
        handling.cooldown.map(|pause| format!("cooldown={}", span(pause))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

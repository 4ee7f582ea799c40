//! A runbook as YAML.

use std::fmt::Write as _;

use super::{kind, list, on_failure, param, quoted, scalar, shell, span};
use crate::runbook::model::{
    Evidence, Fetch, Handling, Pick, Reduce, Runbook, Step, Stream, Target, Trigger, Variable, Work,
};
use crate::text::Clean;

/// The document of one runbook, with the shared variables that it uses.
#[must_use]
pub fn yaml(runbook: &Runbook) -> String {
    let mut text = String::from("version: 1\n");
    if !runbook.library.is_empty() {
        text.push_str("variables:\n");
        for (name, variable) in runbook.library.iter() {
            let _ = writeln!(text, "  {name}: {{{}}}", self::variable(variable));
        }
    }
    let _ = writeln!(text, "runbooks:\n  {}:", scalar(runbook.id.as_str()));
    let mut line = |words: String| {
        let _ = writeln!(text, "    {words}");
    };
    line(format!("title: {}", quoted(runbook.title.as_str())));
    match runbook.triggers.as_slice() {
        [] => {}
        [one] => line(format!("trigger: {}", trigger(one))),
        many => line(format!("trigger: [{}]", many.iter().map(trigger).collect::<Vec<_>>().join(", "))),
    }
    if let Some(severity) = runbook.severity {
        line(format!("severity: {}", severity.word()));
    }
    let clean = |text: &Option<Clean>| text.as_ref().map(|text| quoted(text.as_str()));
    let summary = (!runbook.intro.is_empty())
        .then(|| quoted(&runbook.intro.iter().map(Clean::as_str).collect::<Vec<_>>().join("\n")));
    for (name, value) in [
        ("service", clean(&runbook.service)),
        ("owner", clean(&runbook.owner)),
        ("summary", summary),
        ("last_verified", runbook.last_verified.map(|day| day.to_string())),
        ("review_every", runbook.review_every.map(span)),
        ("target", runbook.target.as_ref().map(target)),
    ] {
        if let Some(value) = value {
            line(format!("{name}: {value}"));
        }
    }
    links(&runbook.links).into_iter().for_each(&mut line);
    if !runbook.params.is_empty() {
        line("params:".to_owned());
        for one in &runbook.params {
            line(format!("  {}: {}", one.name, param(one)));
        }
    }
    line("steps:".to_owned());
    for one in &runbook.steps {
        for (at, words) in step(one).into_iter().enumerate() {
            line(format!("  {} {words}", if at == 0 { '-' } else { ' ' }));
        }
    }
    text
}

fn links(links: &[Clean]) -> Option<String> {
    let links: Vec<String> = links.iter().map(|link| link.as_str().to_owned()).collect();
    (!links.is_empty()).then(|| format!("links: {}", list(&links)))
}

fn trigger(trigger: &Trigger) -> String {
    if trigger.labels.is_empty() && trigger.when.is_none() {
        return quoted(&trigger.alertname);
    }
    let labels: Vec<String> =
        trigger.labels.iter().map(|(name, glob)| format!("{}: {}", quoted(name), quoted(glob))).collect();
    let when = trigger.when.as_ref().map(|when| format!(", when: {}", quoted(when))).unwrap_or_default();
    format!("{{alertname: {}, labels: {{{}}}{when}}}", quoted(&trigger.alertname), labels.join(", "))
}

fn target(target: &Target) -> String {
    let keys = [("kube_context", &target.kube_context), ("must_match", &target.must_match)];
    let keys: Vec<String> =
        keys.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", quoted(value.as_ref()?)))).collect();
    format!("{{{}}}", keys.join(", "))
}

fn variable(variable: &Variable) -> String {
    let mut keys = match &variable.fetch {
        Fetch::Constant(value) => vec![format!("value: {}", quoted(value))],
        Fetch::Command { words } => {
            vec![format!("command: [{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))]
        }
        Fetch::PromQl { query, reduce, max_age } => {
            vec![
                format!("promql: {}", quoted(query)),
                format!("reduce: {}", word_of(*reduce)),
                format!("max_age: {}", span(*max_age)),
            ]
        }
    };
    keys.extend(kind(&variable.kind));
    keys.join(", ")
}

fn word_of(reduce: Reduce) -> &'static str {
    match reduce {
        Reduce::One => "one",
        Reduce::Min => "min",
        Reduce::Max => "max",
        Reduce::Sum => "sum",
        Reduce::Count => "count",
        Reduce::Any => "any",
        Reduce::All => "all",
    }
}

/// The lines of a step.
fn step(step: &Step) -> Vec<String> {
    let title = quoted(step.title.as_str());
    let mut lines = vec![format!("id: {}", scalar(step.id.as_str()))];
    let mut name = true;
    let works = match &step.work {
        Work::Automated { command } => vec![format!("command: {}", quoted(command))],
        Work::Argv { words } => {
            vec![format!("argv: [{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))]
        }
        Work::Script { language, text } => {
            vec![format!("script: {{lang: {}, text: {}}}", scalar(language), quoted(text))]
        }
        Work::Query { promql } => vec![format!("query: {}", quoted(promql))],
        Work::Session { lines } => {
            vec![format!("session: [{}]", lines.iter().map(|line| quoted(line)).collect::<Vec<_>>().join(", "))]
        }
        Work::Include { runbook } => vec![format!("include: {}", scalar(runbook))],
        Work::Wait { at_most, until } => {
            let until = until.as_ref().map(|until| format!(", until: {}", quoted(until))).unwrap_or_default();
            vec![format!("wait: {{at_most: {}{until}}}", span(*at_most))]
        }
        other => {
            name = false;
            spoken(other, &title)
        }
    };
    if name {
        lines.push(format!("name: {title}"));
    }
    if !step.notes.is_empty() {
        let notes: Vec<&str> = step.notes.iter().map(Clean::as_str).collect();
        lines.push(format!("why: {}", quoted(&notes.join("\n"))));
    }
    lines.extend(step.condition.as_ref().map(|condition| format!("condition: {}", quoted(condition))));
    lines.extend(works);
    lines.extend(handling(&step.handling));
    lines
}

/// Works whose title is what they say.
fn spoken(work: &Work, title: &str) -> Vec<String> {
    match work {
        Work::Ask { into, choices } => {
            let mut lines = vec![format!("ask: {title}"), format!("into: {into}")];
            if !choices.is_empty() {
                lines.push(format!("choices: {}", list(choices)));
            }
            lines
        }
        Work::Approve { by_another } => vec![format!("approve: {{what: {title}, by_another: {by_another}}}")],
        Work::Note => vec![format!("note: {title}")],
        Work::CopyOnly { text, language } => {
            vec![format!("manual: {title}"), format!("# to copy ({language}): {}", quoted(text))]
        }
        _ => vec![format!("manual: {title}")],
    }
}

fn handling(handling: &Handling) -> Vec<String> {
    let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}: {}", quoted(value)));
    let flag = |name: &str, is_set: bool| is_set.then(|| format!("{name}: true"));
    let mut lines: Vec<Option<String>> = vec![
        text("guard", &handling.guard),
        handling.danger.map(|danger| format!("danger: {danger}")),
        shell(handling.shell).map(|shell| format!("shell: {shell}")),
        text("cwd", &handling.cwd),
        text("stdin", &handling.stdin),
        flag("interactive", handling.interactive),
        handling.timeout.map(|timeout| format!("timeout: {}", span(timeout))),
        on_failure(&handling.on_failure).map(|what| format!("on_failure: {what}")),
        text("rollback", &handling.rollback),
        text("dry_run", &handling.dry_run),
        flag("idempotent", handling.idempotent),
        text("lock", &handling.lock),
        handling.cooldown.map(|pause| format!("cooldown: {}", span(pause))),
        text("parallel", &handling.parallel),
        handling.target.as_ref().map(|place| format!("target: {}", target(place))),
        links(&handling.links),
        (!handling.secrets.is_empty()).then(|| format!("secrets: {}", list(&handling.secrets))),
    ];
    if !handling.env.is_empty() {
        let pairs: Vec<String> =
            handling.env.iter().map(|(name, value)| format!("{name}: {}", quoted(value))).collect();
        lines.push(Some(format!("env: {{{}}}", pairs.join(", "))));
    }
    if handling.retries.max > 0 {
        let retries = &handling.retries;
        let words =
            format!("retries: {{max: {}, delay: {}, backoff: {}}}", retries.max, span(retries.delay), retries.backoff);
        lines.push(Some(words));
    }
    if handling.expect.exit != [0] || handling.expect.stdout.is_some() {
        let exit: Vec<String> = handling.expect.exit.iter().map(ToString::to_string).collect();
        let stdout =
            handling.expect.stdout.as_ref().map(|pattern| format!(", stdout: {}", quoted(pattern))).unwrap_or_default();
        lines.push(Some(format!("expect: {{exit: [{}]{stdout}}}", exit.join(", "))));
    }
    if !handling.capture.is_empty() {
        let captures: Vec<String> = handling.capture.iter().map(capture).collect();
        lines.push(Some(format!("capture: {{{}}}", captures.join(", "))));
    }
    if let Some(verify) = &handling.verify {
        lines.push(Some(format!(
            "verify: {{condition: {}, within: {}, every: {}, count: {}}}",
            quoted(&verify.condition),
            span(verify.within),
            span(verify.every),
            verify.count
        )));
    }
    if let Some(runs) = &handling.max_runs {
        lines.push(Some(format!("max_runs: {{count: {}, per: {}}}", runs.count, span(runs.per))));
    }
    lines.push(match handling.evidence {
        Evidence::None => None,
        Evidence::Note => Some("evidence: note".to_owned()),
        Evidence::Link => Some("evidence: link".to_owned()),
    });
    lines.into_iter().flatten().collect()
}

fn capture(capture: &crate::runbook::model::Capture) -> String {
    let from = match capture.from {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::File => "file",
    };
    let mut keys = vec![format!("from: {from}")];
    match &capture.pick {
        Pick::Trim => {}
        Pick::Json(pointer) => keys.push(format!("json: {}", quoted(pointer))),
        Pick::Regex(pattern) => keys.push(format!("regex: {}", quoted(pattern))),
        Pick::Line(line) => keys.push(format!("line: {line}")),
    }
    keys.extend(kind(&capture.kind));
    format!("{}: {{{}}}", capture.name, keys.join(", "))
}

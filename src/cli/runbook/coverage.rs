//! `runbook coverage`: every alert rule of every Prometheus against the runbooks.

use serde::Serialize;

use super::CoverageArgs;
use super::find::all;
use crate::cli::desk::{Desk, tell_failures};
use crate::cli::json::Answer;
use crate::cli::print::{self, Style, Table, Tone, cell};
use crate::engine::headless;
use crate::runbook::coverage::coverage;

#[derive(Serialize)]
struct Report {
    rules: Vec<RuleShown>,
    unused_runbooks: Vec<String>,
    covered: usize,
}

#[derive(Serialize)]
struct RuleShown {
    alert: String,
    severity: String,
    runbooks: Vec<String>,
    dead_url: Option<String>,
}

pub(super) async fn run(desk: &Desk, args: &CoverageArgs) -> color_eyre::Result<i32> {
    let config = std::sync::Arc::clone(&desk.config);
    let (rules, failures) = headless::rules(config, desk.secrets(), desk.clock(), args.answering.timeout).await;
    let report = coverage(&rules, &all(desk));
    if args.answering.json {
        let shown = report.rules.iter().map(|rule| RuleShown {
            alert: rule.alert.to_string(),
            severity: rule.severity.to_string(),
            runbooks: rule.runbooks.iter().map(|(id, _)| id.to_string()).collect(),
            dead_url: rule.dead_url.as_ref().map(ToString::to_string),
        });
        let unused_runbooks = report.unused.iter().map(ToString::to_string).collect();
        let body = Report { rules: shown.collect(), unused_runbooks, covered: report.covered() };
        print::json(&Answer::new(body, &failures))?;
        return Ok(tell_failures(&failures));
    }
    let mut table = Table::new(&["ALERT", "SEVERITY", "RUNBOOKS"]);
    for rule in &report.rules {
        let runbooks: Vec<&str> = rule.runbooks.iter().map(|(id, _)| id.as_str()).collect();
        let (text, tone) = match (runbooks.is_empty(), &rule.dead_url) {
            (false, _) => (runbooks.join(" "), None),
            (true, Some(url)) => (format!("none; its runbook_url leads nowhere: {url}"), Some(Tone::Bad)),
            (true, None) => ("none".to_owned(), Some(Tone::Bad)),
        };
        table.row([cell(&rule.alert), cell(&rule.severity), cell(text).tone(tone)]);
    }
    print::out(&table.render(Style::of_stdout()))?;
    print::tell(format!("{} of {} alert rules have a runbook", report.covered(), report.rules.len()));
    for unused in &report.unused {
        print::tell(format!("no alert rule finds the runbook {unused}"));
    }
    Ok(tell_failures(&failures))
}

//! What is wrong, risky or missing in a runbook, found without running anything: each finding with its code, its place and
//! what to write instead.

mod commands;
mod conditions;

use chrono::NaiveDate;

use super::model::{Runbook, Step, Work};
use crate::domain::id::StepId;
use crate::domain::problem::Problem;
use crate::text::glob;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It cannot work.
    Error,
    /// It can go wrong.
    Warning,
    /// It could be better.
    Info,
}

impl Weight {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable name such as `no-namespace`.
    pub code: &'static str,
    /// How bad.
    pub weight: Weight,
    /// Line and column, 1-based.
    pub at: (usize, usize),
    /// The step it is about.
    pub step: Option<StepId>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl Finding {
    /// As a problem of that file.
    #[must_use]
    pub fn problem(&self, file: &str) -> Problem {
        Problem {
            file: file.to_owned(),
            at: Some(self.at),
            message: format!("{} [{}]", self.message, self.code),
            fix: self.fix.clone(),
            is_error: self.weight == Weight::Error,
        }
    }
}

/// What the linter may know of the world; everything it does not know is not judged.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// The document's text, for exact places.
    pub source: &'a str,
    /// Today, for reviews that are due.
    pub today: Option<NaiveDate>,
    /// Names of alert rules, for triggers that nothing fires.
    pub alerts: Option<&'a [String]>,
    /// Whether a program is on the PATH.
    pub has_program: Option<&'a dyn Fn(&str) -> bool>,
}

/// Looks through a runbook; findings in the order of the document.
#[must_use]
pub fn lint(runbook: &Runbook, known: &Known<'_>) -> Vec<Finding> {
    let mut lint = Lint { runbook, known, findings: Vec::new() };
    lint.head();
    for (at, step) in runbook.steps.iter().enumerate() {
        conditions::step(&mut lint, step, at);
        commands::step(&mut lint, step);
    }
    lint.sources();
    lint.library();
    let mut findings = lint.findings;
    findings.sort_by_key(|finding| finding.at);
    findings.dedup();
    findings
}

pub(super) struct Lint<'a> {
    pub runbook: &'a Runbook,
    pub known: &'a Known<'a>,
    pub findings: Vec<Finding>,
}

impl Lint<'_> {
    /// Adds a finding about a step; `needle` is the text it is about.
    pub fn add(&mut self, code: &'static str, weight: Weight, step: &Step, needle: &str, message: String, fix: &str) {
        let at = self.place(step.line, needle);
        self.findings.push(Finding { code, weight, at, step: Some(step.id.clone()), message, fix: fix.to_owned() });
    }

    fn add_head(&mut self, code: &'static str, weight: Weight, line: usize, message: String, fix: &str) {
        let at = (line.max(1), 1);
        self.findings.push(Finding { code, weight, at, step: None, message, fix: fix.to_owned() });
    }

    /// Where the text stands, from that line on; the line itself when it is not found as it is.
    fn place(&self, line: usize, needle: &str) -> (usize, usize) {
        let first = needle.lines().next().unwrap_or_default();
        let lines = self.known.source.lines().enumerate().skip(line.saturating_sub(1)).take(60);
        let found = lines.filter(|_| !first.is_empty()).find_map(|(at, text)| {
            let byte = text.find(first)?;
            Some((at + 1, text.get(..byte)?.chars().count() + 1))
        });
        found.unwrap_or((line.max(1), 1))
    }

    fn head(&mut self) {
        let runbook = self.runbook;
        let line = runbook.line;
        if !runbook.is_native {
            return;
        }
        match (runbook.owner.is_some(), runbook.last_verified) {
            (false, None) => {
                let fix = "add owner: and last_verified:, so that somebody is asked when it is wrong";
                self.add_head("no-owner", Weight::Info, line, "no owner and no last_verified".to_owned(), fix);
            }
            (false, Some(_)) => {
                self.add_head("no-owner", Weight::Info, line, "no owner".to_owned(), "add owner:");
            }
            (true, None) => {
                let fix = "add last_verified: with the day somebody last followed it";
                self.add_head("no-review", Weight::Info, line, "no last_verified".to_owned(), fix);
            }
            (true, Some(_)) => {}
        }
        self.review();
        self.triggers();
    }

    fn review(&mut self) {
        let Some((today, verified)) = self.known.today.zip(self.runbook.last_verified) else { return };
        let every = self.runbook.review_every.map_or(180, |span| span.as_secs() / 86_400);
        let days = today.signed_duration_since(verified).num_days();
        if days > i64::try_from(every).unwrap_or(i64::MAX) {
            let message = format!("last verified {days} days ago, due every {every}");
            let fix = "follow it once and set last_verified to today";
            self.add_head("review-due", Weight::Warning, self.runbook.line, message, fix);
        }
    }

    fn triggers(&mut self) {
        let line = self.runbook.line;
        if self.runbook.triggers.is_empty() && self.runbook.service.is_none() {
            let fix = "add trigger: with the alert's name";
            self.add_head("no-trigger", Weight::Warning, line, "it matches no alert and no service".to_owned(), fix);
        }
        for trigger in &self.runbook.triggers {
            let name = &trigger.alertname;
            if name.trim().is_empty() || name.contains(char::is_whitespace) {
                let message = format!("the trigger '{name}' can never match: alert names have no spaces");
                self.add_head(
                    "dead-trigger",
                    Weight::Warning,
                    line,
                    message,
                    "write the alert's name as its rule has it",
                );
            }
            if let Some(when) = &trigger.when
                && let Err(error) = super::expr::Expr::compile(when)
            {
                self.add_head("condition", Weight::Error, line, error.message, &error.fix);
            }
        }
        let Some(alerts) = self.known.alerts else { return };
        let fits =
            |alert: &String| self.runbook.triggers.iter().any(|trigger| glob::matches(&trigger.alertname, alert));
        if !self.runbook.triggers.is_empty() && !alerts.iter().any(fits) {
            let message = "no alert rule has a name that triggers it".to_owned();
            self.add_head("no-alert", Weight::Warning, line, message, "correct the trigger, or remove the runbook");
        }
    }

    /// Names that nobody declared, each once, at its first use.
    fn sources(&mut self) {
        let runbook = self.runbook;
        if !runbook.is_native {
            return;
        }
        let declared: Vec<&str> = runbook.params.iter().map(|param| param.name.as_str()).collect();
        let mut seen: Vec<String> = Vec::new();
        let mut given: Vec<String> = Vec::new();
        for step in &runbook.steps {
            let mut wants = super::bind::wants(runbook, step);
            if let Some(verify) = &step.handling.verify {
                wants.expression(&verify.condition);
            }
            for command in [&step.handling.rollback, &step.handling.dry_run].into_iter().flatten() {
                wants.command(runbook, command);
            }
            for name in wants.variables {
                let is_query = matches!(step.work, Work::Query { .. });
                let known =
                    declared.contains(&name.as_str()) || runbook.library.contains_key(&name) || given.contains(&name);
                if known || seen.contains(&name) || (is_query && is_label(&name)) {
                    continue;
                }
                self.undeclared(step, &name, &declared);
                seen.push(name);
            }
            given.extend(step.handling.capture.iter().map(|capture| capture.name.clone()));
            if let Work::Ask { into, .. } = &step.work {
                given.push(into.clone());
            }
        }
    }

    fn undeclared(&mut self, step: &Step, name: &str, declared: &[&str]) {
        let braced = format!("{{{name}");
        // In a command the brace is the place; the bare word may stand there as something else.
        let name_in_text = if self.place(step.line, &braced) == (step.line, 1) { name } else { braced.as_str() };
        let near = declared
            .iter()
            .map(|known| (strsim::jaro_winkler(name, known), *known))
            .filter(|(score, _)| *score > 0.9)
            .max_by(|left, right| left.0.total_cmp(&right.0));
        if let Some((_, near)) = near {
            let message = format!("'{name}' is not declared");
            self.add("undeclared", Weight::Error, step, name_in_text, message, &format!("did you mean '{near}'?"));
            return;
        }
        let message = format!(
            "'{name}' has no declared source: alert labels, then the shared library are tried, then a person is asked"
        );
        self.add(
            "no-source",
            Weight::Warning,
            step,
            name_in_text,
            message,
            &format!("declare it under params: {name}: {{from: …, type: …}}"),
        );
    }

    fn library(&mut self) {
        for (name, variable) in self.runbook.library.iter() {
            if let super::model::Fetch::PromQl { query, .. } = &variable.fetch
                && let Err(fault) = super::bind::promql::check(query)
            {
                let message = format!("variable '{name}': {}", fault.message);
                self.add_head("promql", Weight::Error, variable.line, message, &fault.fix);
            }
        }
    }
}

/// Names in queries that are usually labels of the alert.
fn is_label(name: &str) -> bool {
    matches!(
        name,
        "instance"
            | "job"
            | "namespace"
            | "pod"
            | "service"
            | "cluster"
            | "node"
            | "mountpoint"
            | "device"
            | "container"
            | "deployment"
            | "le"
    )
}

#[cfg(test)]
mod tests;

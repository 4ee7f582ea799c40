//! The names a step reads: in its commands, conditions, guards, checks and names of locks.

use std::collections::BTreeSet;

use crate::runbook::expand;
use crate::runbook::expr::Expr;
use crate::runbook::model::{Runbook, Step, Work};
use crate::runbook::template::{self, HoleKind, Template};

use super::promql;

/// What has to be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Variables.
    pub variables: BTreeSet<String>,
    /// Blanks and a foreign document's prompts: only a person fills them in.
    pub prompts: BTreeSet<String>,
    /// Queries given in place.
    pub promql: BTreeSet<String>,
    /// Steps whose outcome is read.
    pub steps: BTreeSet<String>,
}

impl Wants {
    fn template(&mut self, template: &Template) {
        for hole in template.holes() {
            match hole.kind {
                HoleKind::Variable => self.expression(&hole.text),
                HoleKind::Blank | HoleKind::Prompt => {
                    self.prompts.insert(hole.text.clone());
                }
            }
        }
    }

    /// Adds what an expression reads; one that is none reads nothing.
    pub fn expression(&mut self, source: &str) {
        let Ok(expr) = Expr::compile(source) else { return };
        let references = expr.references();
        self.variables.extend(references.variables.iter().cloned());
        self.promql.extend(references.promql.iter().cloned());
        self.steps.extend(references.steps.iter().cloned());
    }

    fn text(&mut self, text: &str) {
        self.template(&template::native(text));
    }

    /// Adds what a command reads.
    pub fn command(&mut self, runbook: &Runbook, command: &str) {
        if let Some(template) = expand::template_of(runbook, command) {
            self.template(&template);
        }
    }

    /// Adds the names of a query.
    pub fn query(&mut self, query: &str) {
        self.variables.extend(promql::names(query));
    }
}

/// What a step needs before it can be decided and run: condition, guard, command, folder, environment, lock.
#[must_use]
pub fn wants(runbook: &Runbook, step: &Step) -> Wants {
    let mut wants = Wants::default();
    let handling = &step.handling;
    if runbook.is_native {
        for expression in [&step.condition, &handling.guard].into_iter().flatten() {
            wants.expression(expression);
        }
    }
    match &step.work {
        Work::Automated { command } => wants.command(runbook, command),
        Work::Argv { words } => words.iter().for_each(|word| wants.text(word)),
        Work::Script { text, .. } => {
            let used = runbook.params.iter().filter(|param| text.contains(&format!("RB_{}", param.name)));
            wants.variables.extend(used.map(|param| param.name.clone()));
        }
        Work::Query { promql } if runbook.is_native => wants.query(promql),
        Work::Wait { until: Some(until), .. } => wants.expression(until),
        Work::Session { lines } => lines.iter().for_each(|line| wants.command(runbook, line)),
        _ => {}
    }
    let texts = [&handling.cwd, &handling.stdin, &handling.lock];
    texts.into_iter().flatten().chain(handling.env.iter().map(|(_, value)| value)).for_each(|text| wants.text(text));
    let target = handling.target.as_ref().or(runbook.target.as_ref());
    target.and_then(|target| target.kube_context.as_ref()).into_iter().for_each(|text| wants.text(text));
    wants
}

/// What only a verification, a rollback or a dry run needs.
#[must_use]
pub fn wants_of(runbook: &Runbook, expressions: &[&str], commands: &[&str]) -> Wants {
    let mut wants = Wants::default();
    expressions.iter().for_each(|source| wants.expression(source));
    commands.iter().for_each(|command| wants.command(runbook, command));
    wants
}

/// What the words of a library's command need.
pub(super) fn of_words(words: &[String]) -> Wants {
    let mut wants = Wants::default();
    words.iter().for_each(|word| wants.text(word));
    wants
}

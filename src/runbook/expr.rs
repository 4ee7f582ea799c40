//! Conditions, guards and arithmetic: CEL behind our own door. In two phases: [`Expr::references`] says which values are
//! wanted; when they are there, evaluation is pure. What cannot be told is *unknown* with a cause, never a guess.
//!
//! `cel` moves fast and its parser can overflow the stack: nothing outside this module knows it.

mod context;
mod eval;
mod limits;
mod percent;

use std::collections::{BTreeMap, BTreeSet};

use cel::Program;

use self::percent::Percent;
use super::model::Unit;
use super::value::{Bound, Cause, Facts, Resolved, StepResult, Value, Values};
use crate::domain::time::Timestamp;

/// A compiled expression.
pub struct Expr {
    source: String,
    program: Program,
    percents: Vec<Percent>,
    references: References,
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Expr({})", self.source)
    }
}

/// What an expression wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Variables.
    pub variables: BTreeSet<String>,
    /// Queries given in place: `promql("…")`.
    pub promql: BTreeSet<String>,
    /// Steps by id: `step("…")`.
    pub steps: BTreeSet<String>,
    /// Whether it reads `alert`, `incident` or `now`.
    pub reads_facts: bool,
}

/// Why an expression is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", if .fix.is_empty() { String::new() } else { format!("; {}", .fix) })]
pub struct ExprError {
    /// Byte in the expression it is about.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

/// The outcome of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Yes.
    True,
    /// No.
    False,
    /// Nobody can tell, and why.
    Unknown(Cause),
}

/// A condition's outcome with what it was decided on.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The outcome.
    pub truth: Truth,
    /// Every value it names, by name.
    pub evidence: Vec<(String, Resolved)>,
}

/// Everything an evaluation may read.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Values of variables.
    pub values: &'a Values,
    /// Answers of queries given in place, by their text.
    pub promql: &'a Values,
    /// How steps ended, by id.
    pub steps: &'a BTreeMap<String, StepResult>,
    /// The alert and the incident.
    pub facts: &'a Facts,
    /// The instant that `now` is.
    pub now: Timestamp,
}

impl Expr {
    /// Compiles an expression. Its size and depth are limited first, so that it cannot overflow a stack of 2 MiB.
    ///
    /// # Errors
    /// Too long or too deep, no CEL, a word of another language (`and`, `=`), an unknown function.
    pub fn compile(source: &str) -> Result<Self, ExprError> {
        limits::check(source)?;
        let (rewritten, percents) = percent::rewrite(source)?;
        let program = Program::compile(&rewritten).map_err(|errors| limits::explain(source, &errors))?;
        let references = eval::references(&program, &percents)?;
        Ok(Self { source: source.to_owned(), program, percents, references })
    }

    /// The expression as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it wants to know.
    #[must_use]
    pub fn references(&self) -> &References {
        &self.references
    }

    /// Variables that are compared with a percentage: they need a unit.
    pub fn compared_with_percent(&self) -> impl Iterator<Item = &str> {
        self.percents.iter().filter_map(|percent| percent.variable.as_deref())
    }

    /// As a condition.
    #[must_use]
    pub fn judge(&self, world: &World<'_>) -> Judged {
        let truth = eval::truth(self, world);
        Judged { truth, evidence: self.evidence(world) }
    }

    /// As a value.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(&self, world: &World<'_>) -> Result<Value, Cause> {
        eval::value(self, world)
    }

    fn evidence(&self, world: &World<'_>) -> Vec<(String, Resolved)> {
        let find = |name: &String, among: &Values| {
            among.get(name).cloned().unwrap_or_else(|| Err(Cause::Missing(name.clone())))
        };
        let variables = self.references.variables.iter().map(|name| (name.clone(), find(name, world.values)));
        let queries = self.references.promql.iter().map(|query| (query.clone(), find(query, world.promql)));
        variables.chain(queries).collect()
    }
}

/// What a bound value's number means.
fn unit_of(bound: &Bound) -> Option<Unit> {
    bound.unit
}

#[cfg(test)]
mod tests;

//! What documents take from each other: shared variables, and the steps that a runbook includes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::{Library, Param, Runbook, Step, Work};
use crate::domain::id::{RunbookId, StepId};
use crate::domain::problem::Problem;

/// Most steps of a runbook with everything it includes; the longest of 717 real ones has under 60.
const MOST_STEPS: usize = 500;

/// Gives every runbook the shared variables of all documents (its own first, then in the order given) and puts the
/// included steps in place. An include that leads nowhere or into itself stays as it is and is told.
pub fn link(runbooks: &mut [Runbook], libraries: &[Library]) -> Vec<Problem> {
    let mut shared = Library::new();
    for (name, variable) in libraries.iter().flatten() {
        shared.entry(name.clone()).or_insert_with(|| variable.clone());
    }
    for runbook in runbooks.iter_mut() {
        let mut library = shared.clone();
        library.extend(runbook.library.iter().map(|(name, variable)| (name.clone(), variable.clone())));
        runbook.library = Arc::new(library);
    }
    let includes = |runbook: &Runbook| runbook.steps.iter().any(|step| matches!(step.work, Work::Include { .. }));
    if !runbooks.iter().any(includes) {
        return Vec::new();
    }
    let known: BTreeMap<String, Runbook> =
        runbooks.iter().map(|runbook| (runbook.id.as_str().to_owned(), runbook.clone())).collect();
    let mut problems = Vec::new();
    for runbook in runbooks.iter_mut().filter(|runbook| includes(runbook)) {
        let mut build = Build { known: &known, problems: &mut problems, params: runbook.params.clone() };
        let mut trail = vec![runbook.id.clone()];
        let steps = build.steps(runbook, "", &mut trail);
        runbook.params = build.params;
        runbook.steps = steps;
    }
    problems
}

struct Build<'a> {
    known: &'a BTreeMap<String, Runbook>,
    problems: &'a mut Vec<Problem>,
    params: Vec<Param>,
}

impl Build<'_> {
    fn steps(&mut self, runbook: &Runbook, prefix: &str, trail: &mut Vec<RunbookId>) -> Vec<Step> {
        let mut steps = Vec::new();
        let known = self.known;
        for step in &runbook.steps {
            let Work::Include { runbook: wanted } = &step.work else {
                steps.push(prefixed(step, prefix));
                continue;
            };
            match found(known, runbook, step, wanted, trail) {
                Ok(included) if steps.len() < MOST_STEPS => {
                    for param in &included.params {
                        if !self.params.iter().any(|known| known.name == param.name) {
                            self.params.push(param.clone());
                        }
                    }
                    trail.push(included.id.clone());
                    let below = format!("{prefix}{}/", step.id);
                    steps.extend(self.steps(included, &below, trail));
                    trail.pop();
                }
                Ok(_) => steps.push(prefixed(step, prefix)),
                Err(problem) => {
                    self.problems.push(problem);
                    steps.push(prefixed(step, prefix));
                }
            }
        }
        steps
    }
}

fn found<'k>(
    known: &'k BTreeMap<String, Runbook>,
    runbook: &Runbook,
    step: &Step,
    wanted: &str,
    trail: &[RunbookId],
) -> Result<&'k Runbook, Problem> {
    let problem = |message: String, fix: String| {
        let file = runbook.origin.as_str().to_owned();
        Problem { file, at: Some((step.line, 1)), message, fix, is_error: true }
    };
    let Some(found) = known.get(wanted) else {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let fix = super::yaml::node::nearest(wanted, &names)
            .map_or_else(|| "name the id of a runbook".to_owned(), |name| format!("did you mean '{name}'?"));
        return Err(problem(format!("'{}' includes '{wanted}', which is no runbook", runbook.id), fix));
    };
    if trail.contains(&found.id) {
        let path: Vec<&str> = trail.iter().map(RunbookId::as_str).chain([wanted]).collect();
        let message = format!("runbooks include each other in a circle: {}", path.join(" → "));
        return Err(problem(message, "take one of the includes out".to_owned()));
    }
    if found.is_native {
        return Ok(found);
    }
    let message = format!("'{wanted}' is a foreign document and cannot be included");
    Err(problem(message, "copy what you need of it".to_owned()))
}

fn prefixed(step: &Step, prefix: &str) -> Step {
    let mut step = step.clone();
    if prefix.is_empty() {
        return step;
    }
    if let Some(id) = StepId::parse(&format!("{prefix}{}", step.id)) {
        step.id = id;
    }
    if let super::model::OnFailure::Goto(target) = &step.handling.on_failure
        && let Some(id) = StepId::parse(&format!("{prefix}{target}"))
    {
        step.handling.on_failure = super::model::OnFailure::Goto(id);
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::document;

    fn linked(texts: &[&str]) -> (Vec<Runbook>, Vec<Problem>) {
        let documents: Vec<_> = texts.iter().map(|text| document("a.yaml", text.as_bytes())).collect();
        let mut runbooks: Vec<Runbook> = documents.iter().flat_map(|document| document.runbooks.clone()).collect();
        assert!(documents.iter().all(|document| document.problems.is_empty()), "{documents:?}");
        let libraries: Vec<Library> = documents.into_iter().map(|document| document.library).collect();
        let problems = link(&mut runbooks, &libraries);
        (runbooks, problems)
    }

    #[test]
    fn included_steps_stand_in_place_with_their_parameters() {
        let (runbooks, problems) = linked(&[
            "runbooks:\n  a:\n    steps: [{manual: one}, {include: b, id: facts}, {manual: two}]\n",
            "runbooks:\n  b:\n    params: {node: {type: dns}}\n    steps: [{command: 'uptime', id: up}]\nvariables: {load: {value: '3'}}\n",
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let ids: Vec<&str> = runbooks[0].steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(ids, ["1-one", "facts/up", "3-two"]);
        assert!(runbooks[0].param("node").is_some());
        assert!(runbooks[0].library.contains_key("load"), "the library is everybody's");
    }

    #[test]
    fn circles_and_dead_includes_are_told_and_stay() {
        let (runbooks, problems) = linked(&[
            "runbooks:\n  a:\n    steps: [{include: b}]\n  b:\n    steps: [{include: a}]\n  c:\n    steps: [{include: bb}]\n",
        ]);
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(words[0].contains("a.yaml:5:1: runbooks include each other in a circle: a → b → a"), "{words:?}");
        assert!(words.iter().any(|word| word.contains("'bb', which is no runbook; did you mean 'b'?")), "{words:?}");
        assert!(runbooks.iter().all(|runbook| runbook.steps.len() == 1));
    }
}

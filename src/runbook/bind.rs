//! Which values a step needs and where they come from. Pure: what has to be asked of a server, a command or a person comes
//! out as a [`Request`]; the runner answers and resolves again, until nothing is left to ask.

pub mod gate;
pub mod promql;
mod wants;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::gate::Allow;
pub use self::promql::Sample;
pub use self::wants::{Wants, wants, wants_of};
use super::classify;
use super::expand;
use super::expr::World;
use super::model::{Fetch, Kind, Param, Reduce, Runbook, Source, Unit, Variable};
use super::value::{Bound, Cause, Facts, Origin, Resolved, Trust, Value, Values};
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::text::{Clean, UntrustedStr};

/// Everything that is known so far.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The runbook.
    pub runbook: &'a Runbook,
    /// The alert and the incident.
    pub facts: &'a Facts,
    /// What the operator set: `--set NAME=VALUE`.
    pub overrides: &'a BTreeMap<String, String>,
    /// What people answered, by name.
    pub asked: &'a BTreeMap<String, String>,
    /// What earlier steps captured.
    pub captures: &'a Values,
    /// What servers and commands answered, by the key of their request.
    pub fetched: &'a BTreeMap<String, Fetched>,
    /// Now.
    pub now: Timestamp,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    /// Of a query.
    Samples {
        /// Who answered.
        server: String,
        /// The samples, or why there are none (unreachable, HTTP status, no answer in time).
        samples: Result<Vec<Sample>, Cause>,
    },
    /// Of a command: its standard output, or why there is none.
    Output(Result<String, Cause>),
}

/// Something that somebody else has to find out.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// An instant query.
    Query {
        /// The key of its answer in [`Given::fetched`]: the query itself.
        key: String,
        /// The variable it is for; empty for a query given in place.
        variable: String,
    },
    /// A command that only looks, as words.
    Command {
        /// The key of its answer.
        key: String,
        /// The variable it is for.
        variable: String,
        /// What to execute.
        words: Vec<String>,
    },
    /// A question to a person.
    Ask(Question),
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The variable; the key of its answer in [`Given::asked`].
    pub name: String,
    /// What to ask.
    pub text: Clean,
    /// What the answer must be.
    pub kind: Kind,
    /// Values that may be meant, best first, with where they come from.
    pub suggestions: Vec<(Clean, Clean)>,
    /// A command whose output lines are offered too; it only looks.
    pub suggest: Option<Vec<String>>,
    /// Why the last answer, or the value found, was refused.
    pub refused: Option<Cause>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolution {
    /// Values by name, and why others have none.
    pub values: Values,
    /// Answers of queries given in place, by their text as written.
    pub promql: Values,
    /// What is left to ask; commands and queries before people.
    pub requests: Vec<Request>,
}

impl Resolution {
    /// Whether servers or commands still have to be asked.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.requests.iter().any(|request| !matches!(request, Request::Ask(_)))
    }
}

/// Looks for the values of `wants`.
#[must_use]
pub fn resolve(given: &Given<'_>, wants: &Wants) -> Resolution {
    let mut search = Search { given, found: Resolution::default(), trail: Vec::new() };
    for name in &wants.variables {
        // What cannot be had stands in `found` with its cause.
        let _ = search.variable(name);
    }
    for name in &wants.prompts {
        search.prompt(name);
    }
    for query in &wants.promql {
        let answer = search.query("", query, Reduce::One, DEFAULT_AGE);
        search.found.promql.insert(query.clone(), answer);
    }
    search.found.requests.sort_by_key(|request| matches!(request, Request::Ask(_)));
    search.found
}

/// How old a sample may be that nobody declared: Prometheus itself looks back five minutes.
const DEFAULT_AGE: Duration = Duration::from_secs(300);

struct Search<'a, 'g> {
    given: &'a Given<'g>,
    found: Resolution,
    trail: Vec<String>,
}

/// Deepest chain of variables that are fetched with others.
const DEEPEST: usize = 8;

impl Search<'_, '_> {
    fn variable(&mut self, name: &str) -> Resolved {
        if let Some(known) = self.found.values.get(name) {
            return known.clone();
        }
        if self.trail.iter().any(|above| above == name) || self.trail.len() >= DEEPEST {
            return Err(Cause::Refused(format!(
                "variables need each other in a circle: {} → {name}",
                self.trail.join(" → ")
            )));
        }
        self.trail.push(name.to_owned());
        let param = self.given.runbook.param(name).cloned().unwrap_or_else(|| Param::implied(name));
        let resolved = self.search(&param);
        self.trail.pop();
        self.found.values.insert(name.to_owned(), resolved.clone());
        resolved
    }

    fn search(&mut self, param: &Param) -> Resolved {
        let given = self.given;
        if let Some(text) = given.overrides.get(&param.name) {
            return take(given.runbook, param, text, Origin::Override, Trust::Checked);
        }
        let answered = given.asked.get(&param.name);
        let mut refused = None;
        if let Some(text) = answered {
            match take(given.runbook, param, text, Origin::Asked, Trust::Checked) {
                Ok(bound) => return Ok(bound),
                Err(cause) => refused = Some(cause),
            }
        }
        let sources = order(param);
        for source in &sources {
            match self.source(param, source) {
                Some(Ok(bound)) => return Ok(bound),
                // A value that is refused is told, not passed over for a luckier one.
                Some(Err(cause)) if !matches!(source, Source::Ask) => {
                    // What another name lacks is asked for under that name.
                    let is_others = match &cause {
                        Cause::Of(name, _) | Cause::Missing(name) => *name != param.name,
                        _ => false,
                    };
                    let is_pending = self.found.requests.iter().any(|request| is_for(request, &param.name));
                    if refused.is_none() && !is_others && !is_pending {
                        self.ask(param, Some(cause.clone()));
                    }
                    return Err(cause);
                }
                _ => {}
            }
        }
        if let Some(default) = &param.default {
            return take(given.runbook, param, default, Origin::Default, Trust::Checked);
        }
        self.ask(param, refused.clone());
        Err(refused.unwrap_or_else(|| Cause::Missing(param.name.clone())))
    }

    fn source(&mut self, param: &Param, source: &Source) -> Option<Resolved> {
        let given = self.given;
        let outside = |text: UntrustedStr<'_>, origin: Origin| {
            take(given.runbook, param, text.expose(), origin, Trust::Untrusted)
        };
        match source {
            Source::Label(name) => given.facts.labels.get(name).map(|text| outside(text, Origin::Label(name.clone()))),
            Source::Annotation(name) => {
                given.facts.annotations.get(name).map(|text| outside(text, Origin::Annotation(name.clone())))
            }
            Source::Incident(field) => given
                .facts
                .incident
                .get(field)
                .map(|text| take(given.runbook, param, text, Origin::Incident(field.clone()), Trust::Untrusted)),
            Source::Library(name) => {
                let variable = given.runbook.library.get(name)?.clone();
                Some(self.fetch(name, param, &variable))
            }
            Source::Capture(name) => given.captures.get(name).cloned(),
            Source::Ask => None,
        }
    }

    fn fetch(&mut self, name: &str, param: &Param, variable: &Variable) -> Resolved {
        // The library's type holds unless the runbook declares one of its own.
        let declared = self.given.runbook.param(&param.name).is_some_and(|param| param.kind != Kind::default());
        let kind = if declared { &param.kind } else { &variable.kind };
        match &variable.fetch {
            Fetch::Constant(text) => admit(kind, text, Origin::Constant, Trust::Checked, Allow::of(param)),
            Fetch::PromQl { query, reduce, max_age } => {
                let bound = self.query(name, query, *reduce, *max_age)?;
                typed(kind, bound)
            }
            Fetch::Command { words } => self.command(name, words, kind),
        }
    }

    fn query(&mut self, variable: &str, query: &str, how: Reduce, max_age: Duration) -> Resolved {
        let filled = promql::fill(query, &mut |name| {
            self.variable(name).map(|bound| bound.value.to_string()).map_err(|cause| cause.of(name))
        })?;
        match self.given.fetched.get(&filled) {
            Some(Fetched::Samples { server, samples }) => {
                let samples = samples.clone()?;
                let (value, sampled_at, age) = promql::reduce(&samples, how, max_age, self.given.now)?;
                let origin = Origin::PromQl { query: filled, server: server.clone(), sampled_at, age };
                Ok(Bound::new(Value::Number(value), origin, Trust::Untrusted))
            }
            Some(Fetched::Output(_)) => Err(Cause::Unreachable("the query was answered by a command".to_owned())),
            None => {
                self.request(Request::Query { key: filled, variable: variable.to_owned() });
                Err(Cause::Missing(if variable.is_empty() { query.to_owned() } else { variable.to_owned() }))
            }
        }
    }

    fn command(&mut self, name: &str, words: &[String], kind: &Kind) -> Resolved {
        let words = self.words(words)?;
        if classify::argv(&words) != Level::Read {
            let shown = Clean::new(shell_words::join(&words));
            return Err(Cause::Refused(format!("'{shown}' does more than look, so it cannot give a value")));
        }
        let key = format!("$ {}", shell_words::join(&words));
        match self.given.fetched.get(&key) {
            Some(Fetched::Output(output)) => {
                let output = output.clone()?;
                admit(kind, output.trim(), Origin::Command(words), Trust::Untrusted, Allow::default())
            }
            Some(Fetched::Samples { .. }) => Err(Cause::Unreachable("the command was answered by a query".to_owned())),
            None => {
                self.request(Request::Command { key, variable: name.to_owned(), words });
                Err(Cause::Missing(name.to_owned()))
            }
        }
    }

    /// Words with their values, or why one is missing.
    fn words(&mut self, words: &[String]) -> Result<Vec<String>, Cause> {
        let wanted = wants::of_words(words);
        let mut values = Values::new();
        for name in &wanted.variables {
            let resolved = self.variable(name);
            if let Err(cause) = &resolved {
                return Err(cause.clone().of(name));
            }
            values.insert(name.clone(), resolved);
        }
        let (none, steps) = (Values::new(), BTreeMap::new());
        let world =
            World { values: &values, promql: &none, steps: &steps, facts: self.given.facts, now: self.given.now };
        match expand::words(self.given.runbook, words, &world) {
            Ok(invocation) => Ok(invocation.argv()),
            Err(expand::Refusal::Value(cause)) => Err(cause),
            Err(expand::Refusal::Fault(fault)) => Err(Cause::Refused(format!("{}; {}", fault.message, fault.fix))),
        }
    }

    fn prompt(&mut self, name: &str) {
        let param = Param::implied(name);
        let resolved = match self.given.asked.get(name).or_else(|| self.given.overrides.get(name)) {
            Some(text) => take(self.given.runbook, &param, text, Origin::Asked, Trust::Checked),
            None => Err(Cause::Missing(name.to_owned())),
        };
        if let Err(cause) = &resolved {
            let refused = (!matches!(cause, Cause::Missing(_))).then(|| cause.clone());
            self.ask(&param, refused);
        }
        self.found.values.insert(name.to_owned(), resolved);
    }

    fn ask(&mut self, param: &Param, refused: Option<Cause>) {
        let words = |text: &String| Clean::new(text);
        let text = param.question.as_ref().map_or_else(|| Clean::new(format!("{}?", param.name)), words);
        let suggest = param.suggest.as_ref().and_then(|command| {
            let words = shell_words::split(command).ok()?;
            let words = self.words(&words).ok()?;
            (classify::argv(&words) == Level::Read).then_some(words)
        });
        let question = Question {
            name: param.name.clone(),
            text,
            kind: param.kind.clone(),
            suggestions: suggestions(self.given.facts, param),
            suggest,
            refused,
        };
        self.request(Request::Ask(question));
    }

    fn request(&mut self, request: Request) {
        if !self.found.requests.contains(&request) {
            self.found.requests.push(request);
        }
    }
}

fn is_for(request: &Request, name: &str) -> bool {
    match request {
        Request::Query { variable, .. } | Request::Command { variable, .. } => variable == name,
        Request::Ask(question) => question.name == name,
    }
}

/// The places to look, in order: what the document names, then alert labels, annotations, the incident, the library,
/// captures, a person.
fn order(param: &Param) -> Vec<Source> {
    let name = &param.name;
    let mut sources: Vec<Source> = param.from.iter().filter(|source| **source != Source::Ask).cloned().collect();
    // `pod_name` is what the label `pod` names.
    let short = name.strip_suffix("_name").filter(|short| !short.is_empty());
    let labels = [Some(name.as_str()), short].into_iter().flatten();
    let usual = labels
        .map(|name| Source::Label(name.to_owned()))
        .chain([
            Source::Annotation(name.clone()),
            Source::Incident(name.clone()),
            Source::Library(name.clone()),
            Source::Capture(name.clone()),
        ])
        .collect::<Vec<_>>();
    // A document that names its sources, `ask` among them or not, means these and then a person.
    if param.from.is_empty() {
        sources.extend(usual);
    } else {
        sources.extend([Source::Library(name.clone()), Source::Capture(name.clone())]);
    }
    sources.push(Source::Ask);
    let mut seen = BTreeSet::new();
    sources.retain(|source| seen.insert(source.to_string()));
    sources
}

/// Where a name's value will be looked for, in words.
#[must_use]
pub fn sources_of(runbook: &Runbook, name: &str) -> Vec<Source> {
    order(&runbook.param(name).cloned().unwrap_or_else(|| Param::implied(name)))
}

fn take(runbook: &Runbook, param: &Param, text: &str, origin: Origin, trust: Trust) -> Resolved {
    // An undeclared name takes the library's type: `5` replicas are a number wherever they come from.
    let implied = runbook.param(&param.name).is_none();
    let kind = match runbook.library.get(&param.name) {
        Some(variable) if implied => &variable.kind,
        _ => &param.kind,
    };
    if implied && *kind == Kind::default() && trust == Trust::Checked {
        return guessed(text, origin, Allow::of(param));
    }
    admit(kind, text, origin, trust, Allow::of(param)).map_err(|cause| cause.of(&param.name))
}

/// What a person typed for a name that nobody declared: a number, a percentage, a truth, else text.
fn guessed(text: &str, origin: Origin, allow: Allow) -> Resolved {
    for kind in [Kind::Int { range: None }, Kind::Number { unit: None }] {
        if text.starts_with(|first: char| first.is_ascii_digit())
            && let Ok((value, unit)) = gate::admit(&kind, text, Trust::Checked, allow)
            && (value.to_string() == text || unit.is_some())
        {
            return Ok(Bound { value, unit, origin, trust: Trust::Checked });
        }
    }
    if matches!(text, "true" | "false") {
        return Ok(Bound::new(Value::Bool(text == "true"), origin, Trust::Checked));
    }
    admit(&Kind::default(), text, origin, Trust::Checked, allow)
}

/// Takes a text for a value, with its origin.
///
/// # Errors
/// Why it is refused.
pub fn admit(kind: &Kind, text: &str, origin: Origin, trust: Trust, allow: Allow) -> Resolved {
    let (value, unit) = gate::admit(kind, text, trust, allow)?;
    Ok(Bound { value, unit: unit.or_else(|| kind.unit()), origin, trust })
}

/// A number from a query as the kind that was declared.
fn typed(kind: &Kind, bound: Bound) -> Resolved {
    let Value::Number(number) = bound.value else { return Ok(bound) };
    let value = match kind {
        Kind::Int { range } => {
            if number.fract() != 0.0 || number.abs() > 9e15 {
                return Err(Cause::Refused(format!("{number} is no whole number")));
            }
            let whole = number as i64;
            if let Some((low, high)) = range
                && !(*low..=*high).contains(&whole)
            {
                return Err(Cause::Refused(format!("{whole} is not between {low} and {high}")));
            }
            Value::Int(whole)
        }
        Kind::Bool => Value::Bool(number != 0.0),
        Kind::Duration => Value::Duration(
            Duration::try_from_secs_f64(number).map_err(|_cause| Cause::Refused(format!("{number} is no duration")))?,
        ),
        _ => Value::Number(number),
    };
    let unit = match kind {
        Kind::Number { unit } => *unit,
        Kind::Duration => Some(Unit::Seconds),
        _ => None,
    };
    Ok(Bound { value, unit, ..bound })
}

/// Alert labels that may be meant, most alike first: `<vm-name>` takes `name`, `vm`.
fn suggestions(facts: &Facts, param: &Param) -> Vec<(Clean, Clean)> {
    let wanted = param.name.to_ascii_lowercase();
    let parts: Vec<&str> = wanted.split('_').filter(|part| part.len() > 1).collect();
    let score = |label: &str| {
        let label = label.to_ascii_lowercase();
        let part = if parts.iter().any(|part| label == *part) { 0.95 } else { 0.0 };
        strsim::jaro_winkler(&wanted, &label).max(part)
    };
    let mut found: Vec<(f64, Clean, Clean)> = facts
        .labels
        .iter()
        .filter(|(_, value)| gate::look(value.expose(), Allow::default()).is_ok())
        .map(|(label, value)| (score(label), value.clean(), Clean::new(format!("alert label {label}"))))
        .filter(|(score, ..)| *score > 0.8)
        .collect();
    found.sort_by(|left, right| right.0.total_cmp(&left.0));
    let choices = match &param.kind {
        Kind::OneOf(choices) => choices.iter().map(|choice| (Clean::new(choice), Clean::new("choice"))).collect(),
        _ => Vec::new(),
    };
    found.into_iter().take(5).map(|(_, value, from)| (value, from)).chain(choices).collect()
}

#[cfg(test)]
mod tests;

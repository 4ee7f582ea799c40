//! Fills placeholders from what is known of an incident, so that no value can become syntax.
//!
//! A label comes from outside and may hold anything. Inside a string it is escaped for that string (and as a regular
//! expression behind `=~`); outside strings only a name, a number or a span is let in. The result is parsed, and must
//! be the same query with other values in it. A placeholder without a value stops the panel: it is never sent as it is.

use std::collections::BTreeMap;

use super::expression;
use super::model::{Dashboard, Panel, PanelQuery, Variable};
use super::step::{Grid, duration_text};
use super::template::{Piece, Place, cut, placeholder};
use crate::domain::alert::Labels;
use crate::domain::effect::QueryTime;
use crate::domain::id::SourceId;
use crate::domain::time::Timestamp;
use crate::text::{Clean, Untrusted};

mod quote;

use quote::{Token, quote_regex, quoted, token};

/// Longest value put into a query; Prometheus's own default limit for labels is none, but nobody reads more than this.
const MAX_VALUE_BYTES: usize = 2_048;

/// Most values of one label that are put into one query. A storm of a thousand instances is asked for by the variable's
/// default; without one it is refused, because an answer for some of them would look like one for all.
const MAX_VALUES: usize = 64;

/// Why a query cannot be asked. The text is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// Placeholders without a value.
    #[error("needs a value for {}: the incident has no such label", list(names))]
    Missing {
        /// Labels that would fill them, in the order of the query.
        names: Vec<String>,
    },
    /// A value that cannot stand where the placeholder stands.
    #[error("the value of ${name} cannot stand there: {why}")]
    Unfit {
        /// The placeholder.
        name: String,
        /// Why.
        why: String,
    },
    /// The query is not PromQL.
    #[error("the query is not PromQL: {0}")]
    NotPromql(String),
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

/// What placeholders are filled from: names and values, several where the alerts of an incident differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Known>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    values: Vec<Untrusted>,
    /// There were more than can be listed in a query.
    is_cut: bool,
}

impl Values {
    /// Adds a value; the order in which they came is kept, equal ones are one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Untrusted>) -> Self {
        self.add(name, value.into());
        self
    }

    /// Adds all labels of an alert.
    #[must_use]
    pub fn with_labels(mut self, labels: &Labels) -> Self {
        for (name, value) in labels.iter() {
            self.add(name, value.to_untrusted());
        }
        self
    }

    fn add(&mut self, name: &str, value: Untrusted) {
        let known = self.0.entry(name.to_owned()).or_default();
        if value.is_empty() || known.values.contains(&value) {
            return;
        }
        if known.values.len() < MAX_VALUES {
            known.values.push(value);
        } else {
            known.is_cut = true;
        }
    }

    /// The values of a name, in the order in which they came.
    #[must_use]
    pub fn get(&self, name: &str) -> &[Untrusted] {
        self.0.get(name).map_or(&[], |known| known.values.as_slice())
    }

    fn is_cut(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|known| known.is_cut)
    }
}

/// A question for a Prometheus, ready to be sent, or why it cannot be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Which query of the panel it is.
    pub query: usize,
    /// Which Prometheus; the service's when absent.
    pub source: Option<SourceId>,
    /// The expression.
    pub promql: Result<String, FillError>,
    /// When.
    pub time: QueryTime,
}

/// Every question of `panel` at `now` over `range_s` seconds, for a chart `dots` wide (two for each column of braille).
#[must_use]
pub fn ask(
    dashboard: &Dashboard,
    panel: &Panel,
    values: &Values,
    now: Timestamp,
    range_s: i64,
    dots: usize,
    scrape_ms: i64,
) -> Vec<Question> {
    let grid_of = |query: &PanelQuery| Grid::plan(now, range_s, dots, query.min_step_ms.unwrap_or(scrape_ms));
    let queries = panel.queries.iter().enumerate();
    queries
        .map(|(index, query)| {
            let grid = grid_of(query);
            let promql = promql(&query.promql, &dashboard.variables, values, &grid);
            let time = if query.instant { QueryTime::Instant(grid.instant()) } else { QueryTime::Range(grid.range) };
            Question { query: index, source: query.source.clone(), promql, time }
        })
        .collect()
}

/// The expressions of `panel` as [`ask`] would send them, but not tried: enough to tell whether an answer still fits, and
/// cheap enough for a cursor that runs through the list. `None` where one cannot be asked.
#[must_use]
pub fn wording(
    dashboard: &Dashboard,
    panel: &Panel,
    values: &Values,
    now: Timestamp,
    range_s: i64,
    dots: usize,
    scrape_ms: i64,
) -> Vec<Option<String>> {
    let fill = |query: &PanelQuery| {
        let grid = Grid::plan(now, range_s, dots, query.min_step_ms.unwrap_or(scrape_ms));
        let job = Filler { variables: &dashboard.variables, values, grid: &grid };
        let pieces = cut(&query.promql);
        if job.missing(&pieces).is_empty() { job.render(&pieces, false).ok() } else { None }
    };
    panel.queries.iter().map(fill).collect()
}

/// `template` with its placeholders filled.
///
/// # Errors
/// When a placeholder has no value, a value cannot stand where it would, or the result is not PromQL.
pub fn promql(template: &str, variables: &[Variable], values: &Values, grid: &Grid) -> Result<String, FillError> {
    let job = Filler { variables, values, grid };
    let pieces = cut(template);
    let names = job.missing(&pieces);
    if !names.is_empty() {
        return Err(FillError::Missing { names });
    }
    let filled = job.render(&pieces, false)?;
    let parsed = expression::parse(&filled).map_err(FillError::NotPromql)?;
    let neutral = job.render(&pieces, true)?;
    let expected = expression::parse(&neutral).map_err(FillError::NotPromql)?;
    if expression::shape(&parsed) != expression::shape(&expected) {
        let name = pieces.iter().find_map(|piece| match piece {
            Piece::Placeholder { name, .. } if !name.starts_with("__") => Some((*name).to_owned()),
            _ => None,
        });
        let why = "it would change what is asked".to_owned();
        return Err(FillError::Unfit { name: name.unwrap_or_default(), why });
    }
    Ok(filled)
}

/// The same value for every placeholder of `template`, to try whether it could be filled at all.
pub(super) fn neutral_values(template: &str, variables: &[Variable], value: &str) -> Values {
    let mut values = Values::default();
    for piece in cut(template) {
        if let Piece::Placeholder { name, .. } = piece {
            values.add(name, Untrusted::from(value));
            for variable in variables.iter().filter(|variable| variable.name == name) {
                for label in &variable.labels {
                    values.add(label, Untrusted::from(value));
                }
            }
        }
    }
    values
}

/// A title or text with its placeholders filled; one without a value stays as `name?`, several values are listed.
#[must_use]
pub fn title(template: &str, variables: &[Variable], values: &Values) -> Clean {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some((length, name, _)) = placeholder(from) {
            out.push_str(&in_words(name, variables, values));
            rest = from.get(length..).unwrap_or("");
        } else {
            out.push('$');
            rest = from.get(1..).unwrap_or("");
        }
    }
    out.push_str(rest);
    Clean::new(out)
}

fn in_words(name: &str, variables: &[Variable], values: &Values) -> String {
    let known = found(name, variables, values);
    match known {
        [] => match variables.iter().find(|variable| variable.name == name).and_then(|one| one.default.as_deref()) {
            Some(".+" | ".*") => "all".to_owned(),
            Some(default) => default.to_owned(),
            None => format!("{name}?"),
        },
        [one] => one.expose().to_owned(),
        [first, rest @ ..] => format!("{} +{}", first.expose(), rest.len()),
    }
}

/// The label whose values fill `$name`: the first label of its variable that has one, else the label of its own name.
fn label_of<'a>(name: &'a str, variables: &'a [Variable], values: &Values) -> &'a str {
    let labels = variables.iter().find(|variable| variable.name == name).map(|variable| variable.labels.as_slice());
    let known = labels.unwrap_or_default().iter().find(|label| !values.get(label).is_empty());
    known.map_or(name, String::as_str)
}

fn found<'a>(name: &str, variables: &[Variable], values: &'a Values) -> &'a [Untrusted] {
    values.get(label_of(name, variables, values))
}

struct Filler<'a> {
    variables: &'a [Variable],
    values: &'a Values,
    grid: &'a Grid,
}

impl Filler<'_> {
    fn default_of(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|variable| variable.name == name)?.default.as_deref()
    }

    fn missing(&self, pieces: &[Piece<'_>]) -> Vec<String> {
        let mut names = Vec::new();
        for piece in pieces {
            let Piece::Placeholder { name, .. } = piece else { continue };
            let known = self.built_in(name).is_some()
                || !found(name, self.variables, self.values).is_empty()
                || self.default_of(name).is_some();
            if !known && !names.iter().any(|one| one == name) {
                names.push((*name).to_owned());
            }
        }
        names
    }

    /// Grafana's own placeholders.
    fn built_in(&self, name: &str) -> Option<String> {
        let (interval, rate) = (self.grid.interval_ms(), self.grid.rate_interval_ms());
        Some(match name {
            "__interval" => duration_text(interval),
            "__interval_ms" => interval.to_string(),
            "__rate_interval" => duration_text(rate),
            "__rate_interval_ms" => rate.to_string(),
            "__range" => format!("{}s", self.grid.asked_ms / 1000),
            "__range_s" => (self.grid.asked_ms / 1000).to_string(),
            "__range_ms" => self.grid.asked_ms.to_string(),
            _ => return None,
        })
    }

    /// The query; with `neutral`, harmless values of the same kind instead of those that came from outside.
    fn render(&self, pieces: &[Piece<'_>], neutral: bool) -> Result<String, FillError> {
        if pieces.iter().all(|piece| !matches!(piece, Piece::Placeholder { .. })) {
            return Ok(pieces.iter().map(verbatim).collect());
        }
        let mut out = String::new();
        let mut quote = None;
        for piece in pieces {
            match piece {
                Piece::Quote(symbol) => {
                    quote = if quote.is_none() { Some(*symbol) } else { None };
                    // A raw string cannot hold every value, so it becomes a quoted one.
                    out.push(if *symbol == '`' { '"' } else { *symbol });
                }
                Piece::Verbatim(text) if quote == Some('`') => out.push_str(&quoted(text, '"')),
                Piece::Verbatim(text) => out.push_str(text),
                Piece::Placeholder { name, format, place } => {
                    out.push_str(&self.value(name, *format, *place, quote.unwrap_or('"'), neutral)?);
                }
            }
        }
        Ok(out)
    }

    fn value(
        &self,
        name: &str,
        format: Option<&str>,
        place: Place,
        quote: char,
        neutral: bool,
    ) -> Result<String, FillError> {
        if let Some(text) = self.built_in(name) {
            return Ok(text);
        }
        let unfit = |why: &str| FillError::Unfit { name: name.to_owned(), why: why.to_owned() };
        let as_regex = match (format, place) {
            (None, _) => place == Place::Regex,
            (Some("regex"), _) => true,
            (Some(other), _) => return Err(unfit(&format!("the format '{other}' is not known; use 'regex' or none"))),
        };
        let mut known = found(name, self.variables, self.values);
        if self.values.is_cut(label_of(name, self.variables, self.values)) {
            match self.default_of(name) {
                Some(_) => known = &[],
                None => return Err(unfit(&format!("it has more than {MAX_VALUES} values here"))),
            }
        }
        if known.iter().any(|value| value.expose().len() > MAX_VALUE_BYTES) {
            return Err(unfit("it is longer than 2,048 bytes"));
        }
        if place == Place::Code {
            return self.in_code(name, known, neutral);
        }
        let quote = if quote == '`' { '"' } else { quote };
        match known {
            [] => Ok(quoted(self.default_of(name).unwrap_or_default(), quote)),
            _ if neutral => Ok("x".to_owned()),
            [one] if as_regex => Ok(quoted(&quote_regex(one.expose()), quote)),
            [one] => Ok(quoted(one.expose(), quote)),
            several if as_regex => {
                let alternatives: Vec<String> = several.iter().map(|one| quote_regex(one.expose())).collect();
                Ok(quoted(&format!("({})", alternatives.join("|")), quote))
            }
            several => Err(unfit(&format!("it has {} values here, so the query must use =~", several.len()))),
        }
    }

    /// Outside strings only one name, one number or one span may stand.
    fn in_code(&self, name: &str, known: &[Untrusted], neutral: bool) -> Result<String, FillError> {
        let unfit = |why: &str| FillError::Unfit { name: name.to_owned(), why: why.to_owned() };
        let (text, is_ours) = match known {
            [] => (self.default_of(name).unwrap_or_default(), true),
            [one] => (one.expose(), false),
            _ => return Err(unfit("it has several values")),
        };
        let stand_in = match token(text) {
            Some(Token::Name) => "x",
            Some(Token::Number) => "1",
            Some(Token::Span) => "1m",
            None if is_ours => text,
            None => return Err(unfit("outside quotes only a name, a number or a span such as 5m may stand")),
        };
        Ok(if neutral { stand_in.to_owned() } else { text.to_owned() })
    }
}

fn verbatim(piece: &Piece<'_>) -> String {
    match piece {
        Piece::Verbatim(text) => (*text).to_owned(),
        Piece::Quote(symbol) => symbol.to_string(),
        Piece::Placeholder { .. } => String::new(),
    }
}

#[cfg(test)]
mod tests;

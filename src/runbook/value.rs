//! Values of variables: what they are, where they came from, how far they are trusted; and why there is none.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::model::Unit;
use crate::domain::alert::Labels;
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number; never NaN, never infinite.
    Number(f64),
    /// A truth.
    Bool(bool),
    /// A span of time.
    Duration(Duration),
    /// Several texts.
    List(Vec<String>),
    /// A configured secret by its name; its text is known to the supervisor alone.
    Secret(String),
}

impl fmt::Display for Value {
    /// As it stands in a command. A secret shows its name only.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Int(number) => write!(out, "{number}"),
            // 4.0 replicas are 4.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => write!(out, "{number:.0}"),
            Self::Number(number) => write!(out, "{number}"),
            Self::Bool(truth) => write!(out, "{truth}"),
            Self::Duration(span) => write!(out, "{}", humantime::format_duration(*span).to_string().replace(' ', "")),
            Self::List(items) => out.write_str(&items.join(",")),
            Self::Secret(name) => write!(out, "‹secret {name}›"),
        }
    }
}

/// How far a value is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// It came from outside: an alert, an annotation, a metric, a command's output.
    Untrusted,
    /// A person typed or chose it, or the document says it.
    Checked,
}

/// Where a value came from; shown beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The operator set it.
    Override,
    /// A label of the alert.
    Label(String),
    /// An annotation of the alert.
    Annotation(String),
    /// A field of the incident.
    Incident(String),
    /// A query's answer.
    PromQl {
        /// The query as it was sent.
        query: String,
        /// Who answered.
        server: String,
        /// When the sample was taken.
        sampled_at: Timestamp,
        /// How old it was when it was read.
        age: Duration,
    },
    /// A command's output.
    Command(Vec<String>),
    /// What a step captured.
    Capture(String),
    /// A person answered.
    Asked,
    /// The document's default.
    Default,
    /// The shared library says it.
    Constant,
    /// Computed from other values.
    Computed,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Override => out.write_str("set by hand"),
            Self::Label(name) => write!(out, "alert label {name}"),
            Self::Annotation(name) => write!(out, "alert annotation {name}"),
            Self::Incident(field) => write!(out, "incident's {field}"),
            Self::PromQl { server, age, .. } => {
                write!(out, "query on {server}, {} old", humantime::format_duration(Duration::from_secs(age.as_secs())))
            }
            Self::Command(words) => write!(out, "output of {}", Clean::new(shell_words::join(words))),
            Self::Capture(step) => write!(out, "captured by step {step}"),
            Self::Asked => out.write_str("answered"),
            Self::Default => out.write_str("default of the runbook"),
            Self::Constant => out.write_str("shared library"),
            Self::Computed => out.write_str("computed"),
        }
    }
}

/// A value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The value.
    pub value: Value,
    /// What its number means, where known: declared, or said with the value (`95%`).
    pub unit: Option<Unit>,
    /// Where it came from.
    pub origin: Origin,
    /// How far it is trusted.
    pub trust: Trust,
}

impl Bound {
    /// A value without a unit.
    #[must_use]
    pub fn new(value: Value, origin: Origin, trust: Trust) -> Self {
        Self { value, unit: None, origin, trust }
    }

    /// The value for people: cleaned, with its unit.
    #[must_use]
    pub fn shown(&self) -> Clean {
        match self.unit {
            Some(Unit::Percent) => Clean::new(format!("{}%", rounded(&self.value))),
            _ => Clean::new(rounded(&self.value)),
        }
    }
}

fn rounded(value: &Value) -> String {
    match value {
        Value::Number(number) if number.fract() != 0.0 => {
            let digits = if number.abs() >= 100.0 { 1 } else { 4 };
            format!("{number:.digits$}").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        other => other.to_string(),
    }
}

/// Why there is no value, or no truth.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Nothing gives it yet.
    Missing(String),
    /// A query answered with no series.
    NoData,
    /// A query answered with several series and no way to make them one.
    ManySeries(usize),
    /// A query answered with NaN.
    NotANumber,
    /// A query answered with an infinity.
    Infinite,
    /// A sample that is too old.
    Stale {
        /// How old.
        age: Duration,
        /// How old it may be.
        max_age: Duration,
    },
    /// The server could not be asked, or refused; with the words of the refusal.
    Unreachable(String),
    /// It was not answered in time.
    TimedOut,
    /// A value that may not be used, and why.
    Refused(String),
    /// The expression cannot be computed with these values.
    Expression(String),
    /// A percentage was compared with a variable whose unit nobody declared.
    NoUnit(String),
    /// Cause of one variable.
    Of(String, Box<Cause>),
}

impl Cause {
    /// The cause, told of that variable.
    #[must_use]
    pub fn of(self, name: &str) -> Self {
        match self {
            Self::Of(..) | Self::Missing(_) | Self::NoUnit(_) => self,
            other => Self::Of(name.to_owned(), Box::new(other)),
        }
    }

    /// The cause without the variable it is told of.
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::Of(_, inner) => inner.root(),
            other => other,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |span: &Duration| humantime::format_duration(Duration::from_secs(span.as_secs())).to_string();
        match self {
            Self::Missing(name) => write!(out, "{name} has no value yet"),
            Self::NoData => out.write_str("the query returned no series"),
            Self::ManySeries(count) => {
                write!(out, "the query returned {count} series: aggregate it, or add reduce: max")
            }
            Self::NotANumber => out.write_str("the query returned NaN"),
            Self::Infinite => out.write_str("the query returned an infinity"),
            Self::Stale { age, max_age } => {
                write!(out, "the sample is {} old, older than {}", span(age), span(max_age))
            }
            Self::Unreachable(words) => write!(out, "{}", Clean::new(words)),
            Self::TimedOut => out.write_str("no answer in time"),
            Self::Refused(words) | Self::Expression(words) => write!(out, "{}", Clean::new(words)),
            Self::NoUnit(name) => {
                write!(out, "{name} is compared with a percentage but has no unit: declare unit: percent or ratio")
            }
            Self::Of(name, cause) => write!(out, "{name}: {cause}"),
        }
    }
}

/// A value, or why there is none.
pub type Resolved = Result<Bound, Cause>;

/// Values by the name of their variable.
pub type Values = BTreeMap<String, Resolved>;

/// What is known of the incident when values are looked for.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Labels of its alert.
    pub labels: Labels,
    /// Annotations of its alert.
    pub annotations: Labels,
    /// When the alert began.
    pub starts_at: Option<Timestamp>,
    /// Whether the alert has ended.
    pub is_resolved: bool,
    /// Fields of the incident: `id`, `title`, `service`, `severity`, `url`, `number`.
    pub incident: BTreeMap<String, String>,
    /// When the incident was opened.
    pub opened_at: Option<Timestamp>,
}

/// How a step ended, for `step("id").exit|state|stdout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// Exit status, when it had one.
    pub exit: Option<i32>,
    /// `done`, `failed`, `skipped`, `unknown`…
    pub state: String,
    /// Its standard output, as much as was kept.
    pub stdout: String,
}

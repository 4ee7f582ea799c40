//! Variables as documents declare them: what they must be, in which unit, and where to look for them.

use std::time::Duration;

/// A declared parameter of a runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Where to look, in order; empty means the usual order.
    pub from: Vec<Source>,
    /// What it must be.
    pub kind: Kind,
    /// Whether a step that names it can do without.
    pub required: bool,
    /// The value when nothing else gives one.
    pub default: Option<String>,
    /// Whether a leading dash is a value and not an attack.
    pub allow_dash: bool,
    /// Whether an empty text is a value.
    pub allow_empty: bool,
    /// A command whose output lines are offered; placeholders allowed.
    pub suggest: Option<String>,
    /// What to ask.
    pub question: Option<String>,
    /// Line of the document, 1-based.
    pub line: usize,
}

impl Param {
    /// A parameter that nobody declared: looked for everywhere, any one word.
    #[must_use]
    pub fn implied(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            from: Vec::new(),
            kind: Kind::default(),
            required: true,
            default: None,
            allow_dash: false,
            allow_empty: false,
            suggest: None,
            question: None,
            line: 0,
        }
    }
}

/// One place to look for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A label of the incident's alert.
    Label(String),
    /// An annotation of it.
    Annotation(String),
    /// A field of the incident: `id`, `title`, `service`, `severity`, `url`, `number`.
    Incident(String),
    /// The shared library.
    Library(String),
    /// What an earlier step captured.
    Capture(String),
    /// A person.
    Ask,
}

impl std::fmt::Display for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Label(name) => write!(out, "alert.labels.{name}"),
            Self::Annotation(name) => write!(out, "alert.annotations.{name}"),
            Self::Incident(field) => write!(out, "incident.{field}"),
            Self::Library(name) => write!(out, "library.{name}"),
            Self::Capture(name) => write!(out, "capture.{name}"),
            Self::Ask => out.write_str("ask"),
        }
    }
}

impl Source {
    /// Reads `alert.labels.x`, `alert.annotations.x`, `incident.x`, `library.x`, `capture.x`, `ask`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "_-./".contains(symbol))
        };
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|name| is_name(name)).map(str::to_owned);
        if text == "ask" {
            return Some(Self::Ask);
        }
        named("alert.labels.")
            .map(Self::Label)
            .or_else(|| named("alert.annotations.").map(Self::Annotation))
            .or_else(|| named("incident.").map(Self::Incident))
            .or_else(|| named("library.").map(Self::Library))
            .or_else(|| named("capture.").map(Self::Capture))
    }
}

/// A variable of the shared library: where its value comes from, and what it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// How it is fetched.
    pub fetch: Fetch,
    /// What it must be.
    pub kind: Kind,
    /// Line of the document, 1-based.
    pub line: usize,
}

/// How a variable is fetched.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetch {
    /// An instant query; `$name` and `${name}` take values.
    PromQl {
        /// The expression.
        query: String,
        /// How several series become one value.
        reduce: Reduce,
        /// An older sample is no answer.
        max_age: Duration,
    },
    /// A command; its trimmed output is the value. It must classify as read.
    Command {
        /// The words, each of which may have placeholders.
        words: Vec<String>,
    },
    /// Always the same.
    Constant(String),
}

/// How several series become one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduce {
    /// There must be exactly one.
    #[default]
    One,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Their sum.
    Sum,
    /// How many there are: 0 is an answer here.
    Count,
    /// 1 when any is not 0.
    Any,
    /// 1 when all are not 0.
    All,
}

/// What a number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of a hundred: `90%` is 90.
    Percent,
    /// Of one: `90%` is 0.9.
    Ratio,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Only a count.
    Count,
}

impl Unit {
    /// Its word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Ratio => "ratio",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Count => "count",
        }
    }

    /// The unit of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Percent, Self::Ratio, Self::Seconds, Self::Bytes, Self::Count]
            .into_iter()
            .find(|unit| unit.word() == word)
    }
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// One line of text; from an alert only the plain characters of a name.
    Text {
        /// A regular expression that all of it must match.
        pattern: Option<String>,
        /// Most bytes.
        max: usize,
    },
    /// A name of a Kubernetes object: RFC 1123 label or subdomain.
    K8sName,
    /// A host name.
    Dns,
    /// An IP address.
    Ip,
    /// A whole number.
    Int {
        /// Smallest and largest.
        range: Option<(i64, i64)>,
    },
    /// A number.
    Number {
        /// What it means.
        unit: Option<Unit>,
    },
    /// Such as `90s`, `5m`.
    Duration,
    /// `true` or `false`.
    Bool,
    /// One of these.
    OneOf(Vec<String>),
    /// A path below a folder.
    Path {
        /// The folder.
        root: String,
    },
    /// An address on one of these hosts.
    Url {
        /// The hosts; globs.
        hosts: Vec<String>,
    },
    /// Several, separated by commas or lines.
    List(Box<Kind>),
    /// A configured secret: never an argument, never shown.
    Secret,
}

/// Longest value by default: the longest name that DNS and Kubernetes know.
pub const MAX_VALUE_BYTES: usize = 253;

impl Default for Kind {
    fn default() -> Self {
        Self::Text { pattern: None, max: MAX_VALUE_BYTES }
    }
}

impl Kind {
    /// What its numbers mean.
    #[must_use]
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Self::Number { unit } => *unit,
            Self::Duration => Some(Unit::Seconds),
            _ => None,
        }
    }

    /// Its word for people.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Text { .. } => "text".to_owned(),
            Self::K8sName => "k8s_name".to_owned(),
            Self::Dns => "dns".to_owned(),
            Self::Ip => "ip".to_owned(),
            Self::Int { .. } => "int".to_owned(),
            Self::Number { unit: Some(Unit::Percent) } => "percent".to_owned(),
            Self::Number { .. } => "number".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::OneOf(of) => format!("one of {}", of.join(", ")),
            Self::Path { root } => format!("path({root})"),
            Self::Url { .. } => "url".to_owned(),
            Self::List(of) => format!("list<{}>", of.word()),
            Self::Secret => "secret".to_owned(),
        }
    }
}

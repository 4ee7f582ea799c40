//! Parameters, library variables and their kinds.

use std::time::Duration;

use super::node::{Complaint, Node, nearest};
use crate::runbook::model::{Fetch, Kind, Library, Param, Reduce, Source, Unit, Variable};

const PARAM_KEYS: &[&str] = &[
    "from",
    "type",
    "unit",
    "range",
    "pattern",
    "max",
    "choices",
    "root",
    "hosts",
    "required",
    "default",
    "allow_dash",
    "allow_empty",
    "suggest",
    "question",
];

/// The `params:` of a runbook.
pub(crate) fn params(node: &Node) -> Result<Vec<Param>, Complaint> {
    let entries = node.table("params")?;
    entries.0.iter().map(|(key, node)| param(&key.name, key.at, node)).collect()
}

fn param(name: &str, at: (usize, usize), node: &Node) -> Result<Param, Complaint> {
    checked_name(name, at)?;
    if !node.is_table() {
        // `namespace: alert.labels.namespace` is short for `{from: …}`.
        let from = sources(node)?;
        return Ok(Param { from, line: at.0, ..Param::implied(name) });
    }
    let fields = node.fields(&format!("params.{name}"), PARAM_KEYS)?;
    let from = fields.get("from").map(sources).transpose()?.unwrap_or_default();
    Ok(Param {
        name: name.to_owned(),
        from,
        kind: kind(node)?,
        required: fields.get("required").map_or(Ok(true), |node| node.truth("required"))?,
        default: fields.text("default")?,
        allow_dash: fields.truth("allow_dash")?,
        allow_empty: fields.truth("allow_empty")?,
        suggest: fields.text("suggest")?,
        question: fields.text("question")?,
        line: at.0,
    })
}

/// Words that expressions and templates know as something else.
const TAKEN: &[&str] = &["alert", "incident", "now", "true", "false", "null", "step", "promql", "in", "has", "size"];

pub(crate) fn checked_name(name: &str, at: (usize, usize)) -> Result<(), Complaint> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let is_name = first && letters.all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
    if !is_name {
        let fix = name.replace('-', "_");
        return Err(Complaint::new(
            at,
            format!("'{name}' is no name for a variable: letters, digits and _ only"),
            format!("write '{fix}'; a - would be read as minus"),
        ));
    }
    if TAKEN.contains(&name) {
        return Err(Complaint::new(
            at,
            format!("'{name}' already means something in expressions"),
            "choose another name",
        ));
    }
    Ok(())
}

fn sources(node: &Node) -> Result<Vec<Source>, Complaint> {
    node.list()
        .iter()
        .map(|item| {
            let text = item.text("from")?;
            Source::parse(text).ok_or_else(|| {
                Complaint::new(
                    item.at,
                    format!("'{text}' is no source of a value"),
                    "write alert.labels.NAME, alert.annotations.NAME, incident.FIELD, library.NAME, capture.NAME or ask",
                )
            })
        })
        .collect()
}

const KINDS: &[&str] = &[
    "string", "text", "k8s_name", "dns", "ip", "int", "number", "percent", "ratio", "duration", "bool", "enum", "path",
    "url", "list", "secret",
];

/// Reads `type`, `unit`, `range`, `pattern`, `max`, `choices`, `root`, `hosts` of a table.
pub(crate) fn kind(node: &Node) -> Result<Kind, Complaint> {
    let fields = node.table("type")?;
    let unit = match fields.get("unit") {
        None => None,
        Some(unit) => {
            let word = unit.text("unit")?;
            Some(Unit::parse(word).ok_or_else(|| {
                Complaint::new(unit.at, format!("'{word}' is no unit"), "percent, ratio, seconds, bytes or count")
            })?)
        }
    };
    let choices = fields.texts("choices")?;
    let pattern = fields.text("pattern")?;
    if let Some((node, pattern)) = fields.get("pattern").zip(pattern.as_deref())
        && let Err(error) = regex::Regex::new(pattern)
    {
        let cause = error.to_string().lines().last().unwrap_or_default().to_owned();
        return Err(Complaint::new(node.at, format!("'{pattern}' is no regular expression: {cause}"), "correct it"));
    }
    let max = fields.get("max").map(|node| node.number("max")).transpose()?;
    let range = fields.get("range").map(range).transpose()?;
    let word_at = fields.get("type").map_or(node.at, |node| node.at);
    let word = match fields.text("type")? {
        Some(word) => word,
        None if unit.is_some() => "number".to_owned(),
        None if range.is_some() => "int".to_owned(),
        None if !choices.is_empty() => "enum".to_owned(),
        None => "string".to_owned(),
    };
    let root = || fields.text("root").map(|root| root.unwrap_or_else(|| "/".to_owned()));
    named_kind(
        &word,
        word_at,
        Details { unit, choices, pattern, max, range, root: root()?, hosts: fields.texts("hosts")? },
    )
}

struct Details {
    unit: Option<Unit>,
    choices: Vec<String>,
    pattern: Option<String>,
    max: Option<usize>,
    range: Option<(i64, i64)>,
    root: String,
    hosts: Vec<String>,
}

fn named_kind(word: &str, at: (usize, usize), details: Details) -> Result<Kind, Complaint> {
    if let Some(of) = word.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
        return named_kind(of, at, details).map(|of| Kind::List(Box::new(of)));
    }
    let (word, inner) =
        word.split_once(['(', '[']).map_or((word, ""), |(word, rest)| (word, rest.trim_end_matches([')', ']'])));
    let listed =
        || inner.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect::<Vec<_>>();
    Ok(match word {
        "string" | "text" => {
            Kind::Text { pattern: details.pattern, max: details.max.unwrap_or(crate::runbook::model::MAX_VALUE_BYTES) }
        }
        "k8s_name" => Kind::K8sName,
        "dns" => Kind::Dns,
        "ip" => Kind::Ip,
        "int" => Kind::Int { range: details.range.or_else(|| int_range(inner)) },
        "number" => Kind::Number { unit: details.unit.or_else(|| Unit::parse(inner)) },
        "percent" => Kind::Number { unit: Some(Unit::Percent) },
        "ratio" => Kind::Number { unit: Some(Unit::Ratio) },
        "duration" => Kind::Duration,
        "bool" => Kind::Bool,
        "enum" => {
            let of = if details.choices.is_empty() { listed() } else { details.choices };
            if of.is_empty() {
                return Err(Complaint::new(at, "an enum without choices", "add choices: [a, b]"));
            }
            Kind::OneOf(of)
        }
        "path" => Kind::Path { root: if inner.is_empty() { details.root } else { inner.to_owned() } },
        "url" => Kind::Url { hosts: if details.hosts.is_empty() { listed() } else { details.hosts } },
        "list" => Kind::List(Box::new(Kind::default())),
        "secret" => Kind::Secret,
        _ => {
            let fix = nearest(word, KINDS)
                .map_or_else(|| format!("known: {}", KINDS.join(", ")), |name| format!("did you mean '{name}'?"));
            return Err(Complaint::new(at, format!("'{word}' is no type of a value"), fix));
        }
    })
}

fn int_range(inner: &str) -> Option<(i64, i64)> {
    let (low, high) = inner.split_once(',').or_else(|| inner.split_once(".."))?;
    Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
}

fn range(node: &Node) -> Result<(i64, i64), Complaint> {
    let wrong = || Complaint::new(node.at, "'range' wants the smallest and the largest value", "write [0, 100]");
    match node.list() {
        [low, high] => {
            let (low, high): (i64, i64) = (low.number("range")?, high.number("range")?);
            if low > high { Err(wrong()) } else { Ok((low, high)) }
        }
        _ => Err(wrong()),
    }
}

const VARIABLE_KEYS: &[&str] = &[
    "promql", "command", "value", "type", "unit", "range", "pattern", "max", "choices", "root", "hosts", "reduce",
    "max_age",
];

/// The `variables:` of a document, each read by itself.
pub(crate) fn library(node: &Node) -> (Library, Vec<Complaint>) {
    let entries = match node.table("variables") {
        Ok(entries) => entries,
        Err(wrong) => return (Library::new(), vec![wrong]),
    };
    let (mut library, mut complaints) = (Library::new(), Vec::new());
    for (key, node) in entries.0 {
        match checked_name(&key.name, key.at).and_then(|()| variable(&key.name, node)) {
            Ok(variable) => {
                library.insert(key.name.clone(), variable);
            }
            Err(wrong) => complaints.push(wrong),
        }
    }
    (library, complaints)
}

fn variable(name: &str, node: &Node) -> Result<Variable, Complaint> {
    let fields = node.fields(&format!("variables.{name}"), VARIABLE_KEYS)?;
    let fetch = match (fields.get("promql"), fields.get("command"), fields.get("value")) {
        (Some(query), None, None) => Fetch::PromQl {
            query: query.text("promql")?.to_owned(),
            reduce: fields.get("reduce").map_or(Ok(Reduce::One), reduce)?,
            max_age: fields.duration("max_age")?.unwrap_or(Duration::from_secs(300)),
        },
        (None, Some(command), None) => Fetch::Command { words: command_words(command)? },
        (None, None, Some(value)) => Fetch::Constant(value.text("value")?.to_owned()),
        _ => {
            return Err(Complaint::new(
                node.at,
                format!("variable '{name}' needs one of promql, command and value"),
                "give exactly one",
            ));
        }
    };
    let kind = match kind(node)? {
        // A query's answer is a number whatever else is said.
        Kind::Text { pattern: None, .. } if matches!(fetch, Fetch::PromQl { .. }) => Kind::Number { unit: None },
        kind => kind,
    };
    Ok(Variable { fetch, kind, line: node.at.0 })
}

/// `[kubectl, get, …]`, or one text that is split like a shell's words.
fn command_words(node: &Node) -> Result<Vec<String>, Complaint> {
    let words = match node.list() {
        [one] => shell_words::split(one.text("command")?)
            .map_err(|_cause| Complaint::new(node.at, "the quotes of this command do not close", "close them"))?,
        _ => node.texts("command")?,
    };
    if words.is_empty() {
        return Err(Complaint::new(node.at, "a command without words", "write the program and its arguments"));
    }
    Ok(words)
}

fn reduce(node: &Node) -> Result<Reduce, Complaint> {
    let word = node.text("reduce")?;
    Ok(match word {
        "one" => Reduce::One,
        "min" => Reduce::Min,
        "max" => Reduce::Max,
        "sum" => Reduce::Sum,
        "count" => Reduce::Count,
        "any" => Reduce::Any,
        "all" => Reduce::All,
        _ => {
            let wrong = format!("'{word}' is no way to reduce series");
            return Err(Complaint::new(node.at, wrong, "one, min, max, sum, count, any or all"));
        }
    })
}

//! A YAML document as a tree that knows where each part stands, and reading parts of it with messages that say what is
//! wrong, where, and what was meant.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Something wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub at: (usize, usize),
    pub message: String,
    pub fix: String,
}

impl Complaint {
    pub fn new(at: (usize, usize), message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at, message: message.into(), fix: fix.into() }
    }
}

/// A part of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Line and column, 1-based.
    pub at: (usize, usize),
    bytes: Option<(usize, usize)>,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    /// Quoted, or a plain text.
    Text(String),
    /// A plain scalar that YAML takes for a number or a truth; as written.
    Plain(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub name: String,
    pub at: (usize, usize),
}

/// Deepest nesting and most parts of a document: an alias bomb ends here at once.
const MOST_NODES: usize = 20_000;
const DEEPEST: usize = 32;

/// Reads a document; `lines_before` is where it begins in its file.
pub(crate) fn parse(text: &str, lines_before: usize) -> Result<Node, Complaint> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: MOST_NODES, max_depth: DEEPEST },
        with_snippet: false,
    };
    let mut node: Node =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| complaint(&error, lines_before))?;
    node.settle(text, lines_before);
    Ok(node)
}

fn complaint(error: &serde_saphyr::Error, lines_before: usize) -> Complaint {
    let at = error.location().and_then(|place| {
        let line = usize::try_from(place.line()).ok()?;
        let column = usize::try_from(place.column()).ok()?;
        (line > 0).then_some((line + lines_before, column.max(1)))
    });
    let full = error.without_snippet().render();
    let message = full.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message);
    let fix = if message.contains("budget") { "split the file; aliases that multiply are refused" } else { "" };
    Complaint::new(at.unwrap_or((lines_before + 1, 1)), format!("not readable as YAML: {message}"), fix)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let span = spanned.defined.span();
        let bytes = span.byte_offset().zip(span.byte_len());
        let bytes = bytes.and_then(|(at, len)| Some((usize::try_from(at).ok()?, usize::try_from(len).ok()?)));
        Ok(Self { at: place(&spanned.referenced), bytes, value: spanned.value })
    }
}

fn place(location: &serde_saphyr::Location) -> (usize, usize) {
    let number = |value: u64| usize::try_from(value).unwrap_or(1).max(1);
    (number(location.line()), number(location.column()))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("any YAML")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, node)) = entries.next_entry::<Spanned<String>, Node>()? {
            let at = place(&key.referenced);
            map.push((Key { name: key.value, at }, node));
        }
        Ok(Value::Map(map))
    }
}

impl Node {
    /// Gives scalars back the text they were written with (`1.20` is not `1.2`), and places their line in the file.
    fn settle(&mut self, text: &str, lines_before: usize) {
        self.at.0 += lines_before;
        match &mut self.value {
            Value::Plain(shown) => {
                let written = self.bytes.and_then(|(at, len)| text.get(at..at + len)).map(str::trim);
                // A span may reach further than the scalar; what does not look like one is left as it was read.
                if let Some(written) = written.filter(|written| is_scalar(written)) {
                    written.clone_into(shown);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| item.settle(text, lines_before)),
            Value::Map(entries) => {
                for (key, node) in entries {
                    key.at.0 += lines_before;
                    node.settle(text, lines_before);
                }
            }
            Value::Null | Value::Text(_) => {}
        }
    }

    fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "a text",
            Value::Plain(_) => "a number or a truth",
            Value::List(_) => "a list",
            Value::Map(_) => "a table",
        }
    }

    fn wrong(&self, name: &str, wanted: &str) -> Complaint {
        Complaint::new(self.at, format!("'{name}' is {}, not {wanted}", self.kind()), format!("write {wanted} here"))
    }

    /// A text; a plain number or truth counts as it was written.
    pub fn text(&self, name: &str) -> Result<&str, Complaint> {
        match &self.value {
            Value::Text(text) | Value::Plain(text) => Ok(text),
            _ => Err(self.wrong(name, "a text")),
        }
    }

    /// `true` or `false`.
    pub fn truth(&self, name: &str) -> Result<bool, Complaint> {
        match &self.value {
            Value::Plain(text) | Value::Text(text) if text == "true" => Ok(true),
            Value::Plain(text) | Value::Text(text) if text == "false" => Ok(false),
            _ => Err(self.wrong(name, "true or false")),
        }
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Complaint> {
        let text = self.text(name).map_err(|_wrong| self.wrong(name, "a whole number"))?;
        text.parse().map_err(|_cause| {
            Complaint::new(self.at, format!("'{name}' is '{text}', which is no whole number here"), "write digits")
        })
    }

    /// A duration such as `30s`.
    pub fn duration(&self, name: &str) -> Result<Duration, Complaint> {
        let text = self.text(name)?;
        humantime::parse_duration(text).map_err(|_cause| {
            Complaint::new(
                self.at,
                format!("'{name}' is '{text}', which is no duration"),
                "write a number and a unit: 30s, 5m, 2h, 90d",
            )
        })
    }

    /// A list; a single value counts as one of one.
    pub fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// Texts; a single one counts.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Complaint> {
        self.list().iter().map(|item| item.text(name).map(str::to_owned)).collect()
    }

    /// A table whose keys are all known.
    pub fn fields(&self, name: &str, known: &[&str]) -> Result<Fields<'_>, Complaint> {
        let fields = self.table(name)?;
        for (key, _) in fields.0 {
            if !known.contains(&key.name.as_str()) {
                let fix = nearest(&key.name, known).map_or_else(
                    || format!("valid here: {}", known.join(", ")),
                    |name| format!("did you mean '{name}'?"),
                );
                return Err(Complaint::new(key.at, format!("unknown key '{}'", key.name), fix));
            }
        }
        Ok(fields)
    }

    /// A table with any keys.
    pub fn table(&self, name: &str) -> Result<Fields<'_>, Complaint> {
        match &self.value {
            Value::Map(entries) => Ok(Fields(entries)),
            Value::Null => Ok(Fields(&[])),
            _ => Err(self.wrong(name, "a table")),
        }
    }

    pub fn is_table(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }
}

fn is_scalar(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 64
        && text.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "+-._".contains(symbol))
}

/// A table's entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub &'a [(Key, Node)]);

impl<'a> Fields<'a> {
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        let found = self.0.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        found.filter(|node| !matches!(node.value, Value::Null))
    }

    pub fn text(&self, name: &str) -> Result<Option<String>, Complaint> {
        self.get(name).map(|node| node.text(name).map(str::to_owned)).transpose()
    }

    pub fn truth(&self, name: &str) -> Result<bool, Complaint> {
        self.get(name).map_or(Ok(false), |node| node.truth(name))
    }

    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Complaint> {
        self.get(name).map(|node| node.duration(name)).transpose()
    }

    pub fn texts(&self, name: &str) -> Result<Vec<String>, Complaint> {
        self.get(name).map_or(Ok(Vec::new()), |node| node.texts(name))
    }
}

/// The known name that is most like the word.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), *name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

//! Alertmanager's label matchers: the four operators, their text form, and its error texts.

use regex::Regex;

use crate::sim::metrics::LabelSet;

/// A matcher's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl Op {
    fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// A matcher.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Label name.
    pub name: String,
    /// Operator.
    pub op: Op,
    /// Value or pattern, as written.
    pub value: String,
    pattern: Option<Regex>,
}

impl Matcher {
    /// A matcher; the error is Alertmanager's.
    pub fn new(name: &str, op: Op, value: &str) -> Result<Self, String> {
        let pattern = match op {
            Op::Equal | Op::NotEqual => None,
            Op::Regex | Op::NotRegex => {
                let anchored = format!("^(?:{value})$");
                let failed = |_| format!("error parsing regexp: invalid expression: `{anchored}`");
                Some(Regex::new(&anchored).map_err(failed)?)
            }
        };
        Ok(Self { name: name.to_owned(), op, value: value.to_owned(), pattern })
    }

    /// Whether labels match; a missing label is the empty string.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        self.matches_value(value)
    }

    /// Whether a value matches.
    pub fn matches_value(&self, value: &str) -> bool {
        let like = || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value));
        match self.op {
            Op::Equal => value == self.value,
            Op::NotEqual => value != self.value,
            Op::Regex => like(),
            Op::NotRegex => !like(),
        }
    }

    /// The `isRegex` and `isEqual` of the API.
    pub fn flags(&self) -> (bool, bool) {
        (matches!(self.op, Op::Regex | Op::NotRegex), matches!(self.op, Op::Equal | Op::Regex))
    }

    /// Reads the filter syntax: `name="value"`, quotes optional.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("bad matcher format: {text}");
        let trimmed = text.trim();
        let start = trimmed.find(['=', '!']).ok_or_else(bad)?;
        let (name, rest) = trimmed.split_at(start);
        let (op, value) = [("=~", Op::Regex), ("!~", Op::NotRegex), ("!=", Op::NotEqual), ("=", Op::Equal)]
            .into_iter()
            .find_map(|(sign, op)| rest.strip_prefix(sign).map(|value| (op, value.trim())))
            .ok_or_else(bad)?;
        let name = unquote(name.trim()).unwrap_or_else(|_| name.trim().to_owned());
        let is_name = name
            .chars()
            .enumerate()
            .all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit()));
        if name.is_empty() || !is_name {
            return Err(bad());
        }
        Self::new(&name, op, &unquote(value)?)
    }
}

fn unquote(text: &str) -> Result<String, String> {
    let inner = match text.strip_prefix('"') {
        Some(rest) => {
            rest.strip_suffix('"').ok_or_else(|| format!("matcher value contains unescaped double quote: {text}"))?
        }
        None => text,
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Err(format!("matcher value contains unescaped double quote: {text}")),
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(escaped @ ('"' | '\\')) => out.push(escaped),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    Ok(out)
}

impl std::fmt::Display for Matcher {
    /// As `labels.Matcher.String` prints it: what the group key is made of.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let escaped = self.value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
        write!(out, "{}{}\"{escaped}\"", self.name, self.op.text())
    }
}

/// The text of a set of matchers in a group key: sorted by name, value and operator, in braces.
pub fn matchers_text(matchers: &[Matcher]) -> String {
    let mut sorted: Vec<&Matcher> = matchers.iter().collect();
    sorted.sort_by(|a, b| (&a.name, &a.value, a.op).cmp(&(&b.name, &b.value, b.op)));
    let words: Vec<String> = sorted.into_iter().map(ToString::to_string).collect();
    format!("{{{}}}", words.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::metrics::label_set;

    #[test]
    fn parses_and_matches() {
        let labels = label_set([("severity", "critical"), ("service", "checkout")]);
        for (text, expected) in [
            ("severity=\"critical\"", true),
            ("severity=critical", true),
            ("severity!=\"critical\"", false),
            ("service=~\"check.*\"", true),
            ("service=~\"check\"", false),
            ("service!~\"pay.*\"", true),
            ("team=\"\"", true),
            ("team!=\"\"", false),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
    }

    #[test]
    fn complains_as_alertmanager_does() {
        let error = Matcher::parse("severity==\"x").unwrap_err();
        assert_eq!(error, "matcher value contains unescaped double quote: =\"x");
        assert_eq!(Matcher::parse("nonsense").unwrap_err(), "bad matcher format: nonsense");
        assert!(Matcher::parse("a=~\"(\"").unwrap_err().starts_with("error parsing regexp"));
    }

    #[test]
    fn prints_as_in_group_keys() {
        let matchers = ["severity=critical", "service=~\"check.*\""].map(|text| Matcher::parse(text).unwrap());
        assert_eq!(matchers_text(&matchers), "{service=~\"check.*\",severity=\"critical\"}");
    }
}

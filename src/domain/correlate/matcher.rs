//! Label matchers as Alertmanager has them: in routes, in silences, in filters.

use std::fmt;

use regex::Regex;

use super::super::alert::Labels;
use super::super::silence::Matcher;
use crate::text::UntrustedStr;

/// How a value is compared. In Alertmanager's sort order of types: `=`, `!=`, `=~`, `!~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOp {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// A regular expression that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("matcher '{matcher}' is not a usable regular expression: {cause}")]
pub struct MatcherError {
    /// The matcher as it prints.
    pub matcher: String,
    /// What the expression's compiler says.
    pub cause: String,
}

/// One matcher, compiled. A label that is absent has the value `""`.
#[derive(Clone, Debug)]
pub struct LabelMatcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

impl LabelMatcher {
    /// Largest compiled expression: hostile ones are refused, not built.
    const MAX_REGEX_BYTES: usize = 1 << 20;

    /// Compiles it; the expression is anchored as Alertmanager anchors it.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, MatcherError> {
        let mut matcher = Self { name: name.to_owned(), op, value: value.to_owned(), regex: None };
        if matches!(op, MatchOp::Regex | MatchOp::NotRegex) {
            let compiled = regex::RegexBuilder::new(&format!("^(?:{value})$"))
                .size_limit(Self::MAX_REGEX_BYTES)
                .build()
                .map_err(|error| MatcherError { matcher: matcher.to_string(), cause: error.to_string() })?;
            matcher.regex = Some(compiled);
        }
        Ok(matcher)
    }

    /// A legacy `match_re` entry; Alertmanager prints and hashes it with the anchors written out.
    pub fn legacy_regex(name: &str, value: &str) -> Result<Self, MatcherError> {
        Self::new(name, MatchOp::Regex, &format!("^(?:{value})$"))
    }

    /// A silence's matcher.
    pub fn of_silence(matcher: &Matcher) -> Result<Self, MatcherError> {
        let op = match (matcher.is_regex, matcher.is_equal) {
            (false, true) => MatchOp::Equal,
            (false, false) => MatchOp::NotEqual,
            (true, true) => MatchOp::Regex,
            (true, false) => MatchOp::NotRegex,
        };
        Self::new(matcher.name.expose(), op, matcher.value.expose())
    }

    /// Whether labels satisfy it.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).map_or("", UntrustedStr::expose);
        let is_match = |regex: &Regex| regex.is_match(value);
        match self.op {
            MatchOp::Equal => value == self.value,
            MatchOp::NotEqual => value != self.value,
            MatchOp::Regex => self.regex.as_ref().is_some_and(is_match),
            MatchOp::NotRegex => !self.regex.as_ref().is_some_and(is_match),
        }
    }

    /// Alertmanager's order within a route: by name, value, type.
    #[must_use]
    pub fn order(&self) -> (&str, &str, MatchOp) {
        (&self.name, &self.value, self.op)
    }
}

/// As Alertmanager prints it into group keys: only `\`, newline and `"` are escaped.
impl fmt::Display for LabelMatcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}\"", self.name, self.op.sign())?;
        for symbol in self.value.chars() {
            match symbol {
                '\\' => out.write_str("\\\\")?,
                '\n' => out.write_str("\\n")?,
                '"' => out.write_str("\\\"")?,
                other => write!(out, "{other}")?,
            }
        }
        out.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_labels_are_empty_and_expressions_are_anchored() {
        let labels: Labels = [("service", "checkout")].into_iter().collect();
        let table = [
            ("service", MatchOp::Equal, "checkout", true),
            ("service", MatchOp::Regex, "check", false),
            ("service", MatchOp::Regex, "check.*|x", true),
            ("service", MatchOp::NotRegex, "pay.*", true),
            ("team", MatchOp::Equal, "", true),
            ("team", MatchOp::NotEqual, "", false),
            ("team", MatchOp::Regex, ".+", false),
        ];
        for (name, op, value, expected) in table {
            let matcher = LabelMatcher::new(name, op, value).expect("compiles");
            assert_eq!(matcher.matches(&labels), expected, "{matcher}");
        }
    }

    #[test]
    fn a_bad_expression_is_an_error_that_names_it() {
        let error = LabelMatcher::new("a", MatchOp::Regex, "(").expect_err("unclosed");
        assert_eq!(error.matcher, "a=~\"(\"");
        assert!(LabelMatcher::new("a", MatchOp::Regex, "((a{1000}){1000}){1000}").is_err(), "too large");
    }

    #[test]
    fn prints_with_three_escapes() {
        let matcher = LabelMatcher::new("a", MatchOp::NotEqual, "x\\y\"z\nö\t").expect("plain");
        assert_eq!(matcher.to_string(), "a!=\"x\\\\y\\\"z\\nö\t\"");
        assert_eq!(LabelMatcher::legacy_regex("a", "x").expect("compiles").to_string(), "a=~\"^(?:x)$\"");
    }
}

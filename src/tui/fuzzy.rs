//! Fuzzy matching, as fzf writes queries: words in any order, `'exact`, `^start`, `end$`, `!not`.
//!
//! A word must match within one field: over a joined text nearly everything matches nearly everything.

use nucleo_matcher::pattern::{Atom, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Longest part of a field that is looked at; nobody reads more of a line.
const MAX_FIELD_BYTES: usize = 512;

/// A query, ready to be asked.
#[derive(Debug)]
pub struct Query {
    atoms: Vec<Atom>,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Query {
    /// Reads a query; case does not matter. (With case, nucleo-matcher 0.3.1 compares `^start` with the whole text.)
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let atoms = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart).atoms;
        Self { atoms, matcher: Matcher::new(Config::DEFAULT), buffer: Vec::new() }
    }

    /// True when everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// Whether it excludes anything: then a match in some fields says nothing about the others.
    #[must_use]
    pub fn excludes(&self) -> bool {
        self.atoms.iter().any(|atom| atom.negative)
    }

    /// How well the fields match; `None` when a word matches none of them, or an excluded one matches any.
    pub fn score<'a>(&mut self, fields: impl Iterator<Item = &'a str> + Clone) -> Option<u32> {
        let Self { atoms, matcher, buffer } = self;
        let mut total = 0;
        for atom in atoms.iter() {
            let mut scores = fields.clone().map(|field| atom.score(Utf32Str::new(cut(field), buffer), matcher));
            let score = if atom.negative {
                scores.all(|score| score.is_some()).then_some(0)
            } else {
                // The first fields are the important ones; a match there ends the search.
                scores.flatten().next()
            };
            total += u32::from(score?);
        }
        Some(total)
    }

    /// Where the words match in a text: character positions, ascending.
    pub fn positions(&mut self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for atom in self.atoms.iter().filter(|atom| !atom.negative) {
            let mut part = Vec::new();
            if atom.indices(Utf32Str::new(cut(text), &mut self.buffer), &mut self.matcher, &mut part).is_some() {
                found.append(&mut part);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Whether every text that matches `longer` also matches `shorter`, so that a list can be narrowed instead of searched
/// again.
#[must_use]
pub fn narrows(shorter: &str, longer: &str) -> bool {
    let is_plain = |text: &str| !text.contains(['!', '\'', '^', '$', '\\']);
    !shorter.is_empty() && longer.starts_with(shorter) && is_plain(longer)
}

fn cut(text: &str) -> &str {
    if text.len() <= MAX_FIELD_BYTES {
        return text;
    }
    let end = (0..=MAX_FIELD_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(query: &str, fields: &[&str]) -> bool {
        Query::parse(query).score(fields.iter().copied()).is_some()
    }

    #[test]
    fn words_match_within_a_field_and_in_any_order() {
        let row = ["HighErrorRate checkout", "payments", "critical"];
        for query in ["", "check", "pay crit", "crit chk", "'Error", "^High", "pay !redis"] {
            assert!(fits(query, &row), "{query}");
        }
        for query in ["paycrit", "redis", "pay !crit", "check$x", "^rate"] {
            assert!(!fits(query, &row), "{query}");
        }
    }

    #[test]
    fn positions_are_where_the_letters_are() {
        assert_eq!(Query::parse("chk").positions("a check"), [2, 3, 6]);
        assert_eq!(Query::parse("é").positions("caf\u{e9}"), [3]);
    }

    #[test]
    fn only_a_plain_longer_query_narrows() {
        assert!(narrows("pay", "paym"));
        assert!(narrows("pay", "pay crit"));
        assert!(!narrows("", "p"));
        assert!(!narrows("pay", "pay !c"));
        assert!(!narrows("pa", "p"));
    }
}

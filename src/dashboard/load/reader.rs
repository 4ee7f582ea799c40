//! TOML tables with their places: each key is asked for once, and what nobody asked for is a problem.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::problem::Problem;

/// 1-based line and column.
pub(super) type At = Option<(usize, usize)>;

/// What is wrong with one file.
pub(super) struct Notes<'t> {
    file: &'t str,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    /// Queries are tried; those of the binary were tried by a test.
    pub(super) tries: bool,
}

impl<'t> Notes<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, problems: RefCell::default(), tries: true }
    }

    /// For what a test tried already.
    pub(super) fn trusting(mut self) -> Self {
        self.tries = false;
        self
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.at);
        problems
    }

    pub(super) fn error(&self, at: At, message: impl Into<String>, fix: &str) {
        self.note(at, message.into(), fix, true);
    }

    pub(super) fn warning(&self, at: At, message: impl Into<String>, fix: &str) {
        self.note(at, message.into(), fix, false);
    }

    fn note(&self, at: At, message: String, fix: &str, is_error: bool) {
        let problem = Problem { file: self.file.to_owned(), at, message, fix: fix.to_owned(), is_error };
        self.problems.borrow_mut().push(problem);
    }

    fn place(&self, offset: usize) -> At {
        let before = self.text.get(..offset)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((line, column))
    }
}

/// The file's root table; what the parser could not read is a problem, the rest comes.
pub(super) fn parse<'t>(text: &'t str, notes: &Notes<'_>) -> Option<DeTable<'t>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().and_then(|span| notes.place(span.start));
        notes.error(
            at,
            format!("not TOML: {}", error.message().replace('\n', ", ")),
            "check quotes and brackets there",
        );
    }
    let root = root.into_inner();
    (errors.is_empty() || !root.is_empty()).then_some(root)
}

/// Reads one table.
pub(super) struct TableReader<'a, 'n> {
    table: &'a DeTable<'a>,
    what: &'static str,
    at: At,
    asked: BTreeSet<&'static str>,
    notes: &'n Notes<'n>,
}

impl<'a, 'n> TableReader<'a, 'n> {
    pub(super) fn new(table: &'a DeTable<'a>, what: &'static str, notes: &'n Notes<'n>) -> Self {
        Self { table, what, at: None, asked: BTreeSet::new(), notes }
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> At {
        self.at
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.insert(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = match value.get_ref().type_str() {
            "table" => "a table",
            "array" => "a list",
            "string" => "text",
            "boolean" => "true or false",
            other => other,
        };
        let at = self.notes.place(value.span().start);
        self.notes.error(at, format!("'{key}' of {} must be {wanted}, not {found}", self.what), "the default is used");
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.text_at(key).map(|(text, _)| text)
    }

    pub(super) fn text_at(&mut self, key: &'static str) -> Option<(String, At)> {
        let value = self.get(key)?;
        if let DeValue::String(text) = value.get_ref() {
            return Some((text.to_string(), self.notes.place(value.span().start)));
        }
        self.wrong(key, value, "text in quotes");
        None
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, value, "true or false");
        }
        flag
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<f64> {
        let value = self.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(whole) => {
                i64::from_str_radix(whole.as_str(), whole.radix()).ok().map(|whole| whole as f64)
            }
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => None,
        };
        if number.is_none_or(f64::is_nan) {
            self.wrong(key, value, "a number");
            return None;
        }
        number
    }

    pub(super) fn whole(&mut self, key: &'static str, fits: RangeInclusive<i64>) -> Option<i64> {
        let value = self.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(whole) => i64::from_str_radix(whole.as_str(), whole.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|number| fits.contains(number));
        if number.is_none() {
            self.wrong(key, value, &format!("a whole number from {} to {}", fits.start(), fits.end()));
        }
        number
    }

    /// A span such as "15s" or "1h30m", in milliseconds.
    pub(super) fn span(&mut self, key: &'static str) -> Option<i64> {
        let value = self.get(key)?;
        let span = value.get_ref().as_str().and_then(|text| humantime::parse_duration(text).ok());
        let millis = span.and_then(|span| i64::try_from(span.as_millis()).ok()).filter(|millis| *millis > 0);
        if millis.is_none() {
            self.wrong(key, value, "a span such as \"15s\" or \"6h\"");
        }
        millis
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let texts = value.get_ref().as_array().and_then(|list| {
            list.iter().map(|one| one.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.wrong(key, value, "a list of texts");
        }
        texts
    }

    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let (word, at) = self.text_at(key)?;
        self.chosen(key, &word, at, words)
    }

    pub(super) fn choices<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<Vec<T>> {
        let at = self.get(key).and_then(|value| self.notes.place(value.span().start));
        let texts = self.texts(key)?;
        Some(texts.iter().filter_map(|word| self.chosen(key, word, at, words)).collect())
    }

    fn chosen<T: Copy>(&self, key: &str, word: &str, at: At, words: &[(&str, T)]) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(known, _)| *known == word) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let fix = match nearest(word, all.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("use one of {}", all.join(", ")),
        };
        self.notes.error(at, format!("'{word}' is not a {key} of {}", self.what), &fix);
        None
    }

    /// The tables of a list, such as all `[[panel]]`.
    pub(super) fn tables(&mut self, key: &'static str, what: &'static str) -> Vec<TableReader<'a, 'n>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(key, value, &format!("a list of tables: [[{key}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for one in list {
            match one.get_ref() {
                DeValue::Table(table) => tables.push(self.inner(table, what, one.span().start)),
                _ => self.wrong(key, one, "a table"),
            }
        }
        tables
    }

    /// The tables of a table by name, such as all `[variable.NAME]`.
    pub(super) fn named_tables(&mut self, key: &'static str, what: &'static str) -> Vec<(String, TableReader<'a, 'n>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(outer) = value.get_ref().as_table() else {
            self.wrong(key, value, &format!("tables by name: [{key}.NAME]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, one) in outer {
            match one.get_ref() {
                DeValue::Table(table) => {
                    tables.push((name.get_ref().to_string(), self.inner(table, what, name.span().start)));
                }
                _ => self.wrong(name.get_ref(), one, "a table"),
            }
        }
        tables
    }

    fn inner(&self, table: &'a DeTable<'a>, what: &'static str, start: usize) -> TableReader<'a, 'n> {
        TableReader { table, what, at: self.notes.place(start), asked: BTreeSet::new(), notes: self.notes }
    }

    /// Every key that nobody asked for is a problem.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.asked.contains(name) {
                continue;
            }
            let fix = match nearest(name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("known keys: {}", self.asked.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            let at = self.notes.place(key.span().start);
            self.notes.error(at, format!("'{name}' is not a key of {}", self.what), &fix);
        }
    }
}

/// The known word that is most like `word`, if any is like it.
fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let rated = known.map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate));
    let (distance, candidate) = rated.min()?;
    (distance <= (candidate.len() / 3).max(1)).then_some(candidate)
}

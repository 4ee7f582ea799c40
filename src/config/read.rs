//! Reading a TOML file key by key, so that every problem is told with its place and no key is forgotten: what a section
//! was not asked for is unknown. Knows nothing of what the keys mean.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::problem::Problem;
use crate::text::Clean;

pub(super) mod item;
pub(super) mod place;

pub(super) use item::Item;

/// A file, and what was found wrong with it so far.
#[derive(Debug)]
pub(super) struct Sheet<'t> {
    file: String,
    text: &'t str,
    /// Lines that are not TOML: what stands there was told already and is not used.
    broken: RefCell<BTreeSet<usize>>,
    found: RefCell<Vec<(usize, Problem)>>,
}

impl<'t> Sheet<'t> {
    pub fn new(file: &str, text: &'t str) -> Self {
        Self { file: file.to_owned(), text, broken: RefCell::default(), found: RefCell::default() }
    }

    /// The file's table. What is not TOML is told; the rest of the file is used.
    pub fn parse(&self) -> DeTable<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let span = error.span().unwrap_or_default();
            // Only the first line: the others quote the file, where somebody may have written a token.
            let told = error.message().lines().next().unwrap_or_default();
            self.broken.borrow_mut().insert(place::line_column(self.text, span.start).0);
            self.error(&span, format!("this is not TOML: {told}"), "the rest of the file is used");
        }
        table.into_inner()
    }

    pub fn error(&self, span: &Range<usize>, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.tell(span, message.as_ref(), fix.as_ref(), true);
    }

    pub fn warn(&self, span: &Range<usize>, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.tell(span, message.as_ref(), fix.as_ref(), false);
    }

    fn tell(&self, span: &Range<usize>, message: &str, fix: &str, is_error: bool) {
        let problem = Problem {
            file: self.file.clone(),
            at: Some(place::line_column(self.text, span.start)),
            message: Clean::new(message).as_str().to_owned(),
            fix: Clean::new(fix).as_str().to_owned(),
            is_error,
        };
        self.found.borrow_mut().push((span.start, problem));
    }

    fn is_broken(&self, span: &Range<usize>) -> bool {
        if self.broken.borrow().is_empty() {
            return false;
        }
        let (line, _) = place::line_column(self.text, span.start);
        self.broken.borrow().contains(&line)
    }

    /// Everything found, in the order of the file.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(offset, _)| *offset);
        found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// A table of the file. [`Section::finish`] tells the keys that nobody asked for.
#[derive(Debug)]
pub(super) struct Section<'a> {
    pub sheet: &'a Sheet<'a>,
    /// As in the file: `[room]`, `[[prometheus]]`, `auth of [[prometheus]]`.
    pub title: String,
    pub table: &'a DeTable<'a>,
    /// Where it begins.
    pub span: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub fn new(sheet: &'a Sheet<'a>, title: impl Into<String>, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self { sheet, title: title.into(), table, span, asked: RefCell::default() }
    }

    /// The value of a key, when it is there and its line is sound.
    pub fn item(&self, key: &'static str) -> Option<Item<'a>> {
        self.asked.borrow_mut().push(key);
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        if self.sheet.is_broken(&name.span()) {
            return None;
        }
        Some(Item { sheet: self.sheet, what: self.of(key), value })
    }

    fn of(&self, key: &str) -> String {
        if self.title.is_empty() { format!("'{key}'") } else { format!("'{key}' in {}", self.title) }
    }

    /// True when the key is written, sound or not.
    pub fn has(&self, key: &'static str) -> bool {
        self.asked.borrow_mut().push(key);
        self.table.keys().any(|name| name.get_ref() == key)
    }

    /// Every key with its value, for tables whose keys are free.
    pub fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let sound = self.table.iter().filter(|(name, _)| !self.sheet.is_broken(&name.span()));
        sound
            .map(|(name, value)| (&**name.get_ref(), Item { sheet: self.sheet, what: self.of(name.get_ref()), value }))
            .collect()
    }

    /// A table below; `title` as in the file.
    pub fn table(&self, key: &'static str, title: impl Into<String>) -> Option<Section<'a>> {
        self.item(key)?.section(title)
    }

    /// The tables of a list, such as `[[prometheus]]`.
    pub fn tables(&self, key: &'static str, title: &str) -> Vec<Section<'a>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        match item.value.get_ref() {
            DeValue::Array(list) => list
                .iter()
                .filter_map(|value| Item { sheet: self.sheet, what: title.to_owned(), value }.section(title))
                .collect(),
            DeValue::Table(_) if title.starts_with("[[") => {
                item.error(format!("{title} is a list: the header needs two brackets"), format!("write {title}"));
                item.section(title).into_iter().collect()
            }
            _ => {
                item.wrong_type("a list of tables", &format!("write {title}"));
                Vec::new()
            }
        }
    }

    /// The sentence for something that must be there.
    pub fn missing(&self, key: &str, example: &str) {
        self.sheet.error(&self.span, format!("{} has no '{key}'", self.title), format!("add {key} = {example}"));
    }

    /// Tells the keys that were not asked for.
    pub fn finish(self) {
        self.unknown();
    }

    /// As [`Section::finish`], for a section that somebody else owns.
    pub fn unknown(&self) {
        let mut asked = Vec::new();
        for key in self.asked.borrow().iter().copied() {
            if !asked.contains(&key) {
                asked.push(key);
            }
        }
        for (name, value) in self.table {
            let word: &str = name.get_ref();
            if asked.contains(&word) || self.sheet.is_broken(&name.span()) {
                continue;
            }
            let is_top_section = self.title.is_empty() && !is_scalar(value);
            let (what, near) = if is_top_section {
                let brackets = if matches!(value.get_ref(), DeValue::Array(_)) { ("[[", "]]") } else { ("[", "]") };
                let near = nearest(word, &asked).map(|near| format!("did you mean '{near}'?"));
                (format!("unknown section {}{word}{}", brackets.0, brackets.1), near)
            } else {
                let place = if self.title.is_empty() { "before the first section" } else { &self.title };
                let place = if self.title.is_empty() { place.to_owned() } else { format!("in {place}") };
                (
                    format!("unknown key '{word}' {place}"),
                    nearest(word, &asked).map(|near| format!("did you mean '{near}'?")),
                )
            };
            let fix = near.unwrap_or_else(|| format!("known are {}", asked.join(", ")));
            self.sheet.error(&name.span(), what, fix);
        }
    }
}

fn is_scalar(value: &Spanned<DeValue<'_>>) -> bool {
    match value.get_ref() {
        DeValue::Table(_) => false,
        DeValue::Array(list) => !list.iter().any(|item| matches!(item.get_ref(), DeValue::Table(_))),
        _ => true,
    }
}

/// The known word that was probably meant: at most a third of the letters differ.
pub(super) fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let lower = word.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&lower, &other.to_lowercase());
    let best = known.iter().copied().min_by_key(|other| distance(other))?;
    (distance(best) <= (lower.chars().count() / 3).max(1)).then_some(best)
}

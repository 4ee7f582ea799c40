//! One keymap file as it is written: bindings, and where each stands. Nothing is merged here.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::chord::{Chord, ChordError, key_names};
use super::{Condition, Context, KeymapFile, Rule, When};
use crate::domain::command::CommandId;
use crate::domain::problem::Problem;

/// Where something stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub file: String,
    pub at: Option<(usize, usize)>,
}

impl Place {
    pub fn problem(&self, message: String, fix: String, is_error: bool) -> Problem {
        Problem { file: self.file.clone(), at: self.at, message, fix, is_error }
    }
}

/// One line of a file; without rules it takes the key away.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub context: Context,
    pub chords: Vec<Chord>,
    pub rules: Vec<Rule>,
    pub place: Place,
}

/// What a keymap file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub inherits: Option<(String, Place)>,
    pub bindings: Vec<Binding>,
}

/// Reads a file; what cannot be used is left out and told.
pub(super) fn read(file: &KeymapFile, problems: &mut Vec<Problem>) -> Sheet {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    let mut reader = Reader { file, problems };
    for error in errors {
        let place = reader.place(&error.span().unwrap_or_default());
        let message = format!("this is not TOML: {}", error.message().lines().next().unwrap_or_default());
        reader.problems.push(place.problem(message, "the rest of the file is used".into(), true));
    }
    reader.sheet(table.get_ref())
}

struct Reader<'a> {
    file: &'a KeymapFile,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn sheet(&mut self, table: &DeTable<'_>) -> Sheet {
        let mut sheet = Sheet::default();
        for (key, value) in table.iter() {
            let word = key.get_ref().as_ref();
            let context = Context::ALL.into_iter().find(|context| context.word() == word);
            match (word, context, value.get_ref()) {
                ("inherits", _, DeValue::String(name)) => {
                    sheet.inherits = Some((name.to_string(), self.place(&value.span())));
                }
                (_, Some(context), DeValue::Table(layer)) => self.layer(context, layer, &mut sheet),
                ("inherits", _, other) => {
                    let message = format!("'inherits' is {} and not a keymap's name", other.type_str());
                    self.tell(&value.span(), message, String::new());
                }
                (_, Some(_), other) => {
                    let message = format!("'{word}' is {} and not a table of keys", other.type_str());
                    self.tell(&value.span(), message, format!("write [{word}] on a line of its own"));
                }
                _ => {
                    let known = Context::ALL.into_iter().map(Context::word).chain(["inherits"]);
                    let fix = suggestion(word, known);
                    self.tell(&key.span(), format!("there is no context '{word}'"), fix);
                }
            }
        }
        sheet
    }

    fn layer(&mut self, context: Context, layer: &DeTable<'_>, sheet: &mut Sheet) {
        for (key, value) in layer.iter() {
            let chords = self.chords(context, key.get_ref(), &key.span());
            let rules = self.rules(value);
            let (Some(chords), Some(rules)) = (chords, rules) else { continue };
            let place = self.place(&key.span());
            let twin = sheet.bindings.iter().find(|known| known.context == context && known.chords == chords);
            if let Some(twin) = twin {
                let (line, _) = twin.place.at.unwrap_or_default();
                let message = format!("'{}' is the key of line {line} again", key.get_ref());
                self.tell(&key.span(), message, "keep one of the two; the first is used".into());
                continue;
            }
            sheet.bindings.push(Binding { context, chords, rules, place });
        }
    }

    fn chords(&mut self, context: Context, text: &str, span: &Range<usize>) -> Option<Vec<Chord>> {
        let mut chords = Vec::new();
        for word in text.split_whitespace() {
            match word.parse::<Chord>() {
                Ok(chord) => chords.push(chord),
                Err(error) => {
                    let fix = key_fix(&error);
                    self.tell(span, error.to_string(), fix);
                    return None;
                }
            }
        }
        let Some(first) = chords.first() else {
            self.tell(span, "a key without a name".into(), "write \"space\" for the space bar".into());
            return None;
        };
        if context == Context::Text && first.typed().is_some() {
            let message = format!("'{first}' is text where people type");
            self.tell(span, message, "use a key with ctrl or alt, or a named key".into());
            return None;
        }
        Some(chords)
    }

    fn rules(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Vec<Rule>> {
        match value.get_ref() {
            DeValue::String(word) if word.as_ref() == "none" => Some(Vec::new()),
            DeValue::Array(several) => several.iter().map(|value| self.rule(value)).collect(),
            _ => self.rule(value).map(|rule| vec![rule]),
        }
    }

    fn rule(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Rule> {
        match value.get_ref() {
            DeValue::String(word) => Some(Rule { command: self.command(word, &value.span())?, when: None }),
            DeValue::Table(table) => self.rule_table(table, &value.span()),
            other => {
                let fix = "write a command, or { command = \"…\", when = \"…\" }";
                self.tell(&value.span(), format!("a key's command is not {}", other.type_str()), fix.into());
                None
            }
        }
    }

    fn rule_table(&mut self, table: &DeTable<'_>, span: &Range<usize>) -> Option<Rule> {
        let (mut command, mut when) = (None, None);
        for (key, value) in table.iter() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("command", DeValue::String(word)) => command = Some(self.command(word, &value.span())?),
                ("when", DeValue::String(word)) => when = Some(self.when(word, &value.span())?),
                (word, _) => {
                    let fix = suggestion(word, ["command", "when"].into_iter());
                    self.tell(&key.span(), format!("a key's rule has no '{word}' of that kind"), fix);
                    return None;
                }
            }
        }
        if command.is_none() {
            self.tell(span, "a rule without a command".into(), "such as { command = \"back\" }".into());
        }
        Some(Rule { command: command?, when })
    }

    fn command(&mut self, word: &str, span: &Range<usize>) -> Option<CommandId> {
        let command = CommandId::parse(word);
        if command.is_none() {
            let near = suggestion(word, CommandId::ALL.iter().map(|command| command.word()));
            let fix = if near.is_empty() { "docs/keys.md lists the commands".into() } else { near };
            self.tell(span, format!("there is no command '{word}'"), fix);
        }
        command
    }

    fn when(&mut self, text: &str, span: &Range<usize>) -> Option<When> {
        let (word, wanted) = text.strip_prefix("not ").map_or((text, true), |word| (word, false));
        let condition = Condition::ALL.into_iter().find(|condition| condition.word() == word.trim());
        if condition.is_none() {
            let fix = suggestion(word, Condition::ALL.into_iter().map(Condition::word));
            self.tell(span, format!("there is no condition '{word}'"), fix);
        }
        Some(When { condition: condition?, wanted })
    }

    fn tell(&mut self, span: &Range<usize>, message: String, fix: String) {
        let place = self.place(span);
        self.problems.push(place.problem(message, fix, true));
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.file.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Place { file: self.file.file.clone(), at: Some((line, column)) }
    }
}

fn key_fix(error: &ChordError) -> String {
    match error {
        ChordError::Unknown(word) => {
            let near = suggestion(word, key_names().chain(["ctrl", "alt", "shift"]));
            if near.is_empty() { "such as \"a\", \"ctrl-x\", \"f5\", \"pagedown\"".into() } else { near }
        }
        ChordError::Several(_) => String::new(),
        ChordError::Unsendable(..) => "choose another key".into(),
    }
}

/// "did you mean …?" when a known word is near.
pub(super) fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|known| (strsim::normalized_damerau_levenshtein(word, known), known));
    let best = near.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(share, _)| *share >= 0.5);
    best.map_or_else(String::new, |(_, known)| format!("did you mean '{known}'?"))
}

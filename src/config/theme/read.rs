//! One theme file as it is written: names, references and where each stands. Nothing is resolved here.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::colour::{Colour, NAMES, Shade};
use super::{Role, ThemeFile};
use crate::domain::problem::Problem;

/// A look as written: colours by name.
#[derive(Clone, Debug, Default)]
pub(super) struct LookSpec {
    pub fg: Option<(String, Place)>,
    pub bg: Option<(String, Place)>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

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

/// What a theme file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub inherits: Option<(String, Place)>,
    pub palette: BTreeMap<String, Shade>,
    pub roles: BTreeMap<Role, (LookSpec, Place)>,
}

/// Reads a file; what cannot be used is left out and told.
pub(super) fn read(file: &ThemeFile, problems: &mut Vec<Problem>) -> Sheet {
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
    file: &'a ThemeFile,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn sheet(&mut self, table: &DeTable<'_>) -> Sheet {
        let mut sheet = Sheet::default();
        for (key, value) in table.iter() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("inherits", DeValue::String(name)) => {
                    sheet.inherits = Some((name.to_string(), self.place(&value.span())));
                }
                ("palette", DeValue::Table(palette)) => self.palette(palette, &mut sheet),
                ("roles", DeValue::Table(roles)) => self.roles("", roles, &mut sheet),
                (word @ ("inherits" | "palette" | "roles"), other) => {
                    let wanted = if word == "inherits" { "a theme's name" } else { "a table" };
                    let message = format!("'{word}' is {} and not {wanted}", other.type_str());
                    self.tell(&value.span(), message, String::new());
                }
                (word, _) => {
                    let fix = suggestion(word, ["inherits", "palette", "roles"].into_iter());
                    self.tell(&key.span(), format!("a theme has no '{word}'"), fix);
                }
            }
        }
        sheet
    }

    fn palette(&mut self, palette: &DeTable<'_>, sheet: &mut Sheet) {
        for (key, value) in palette.iter() {
            if let Some(shade) = self.shade(value) {
                sheet.palette.insert(key.get_ref().to_string(), shade);
            }
        }
    }

    fn shade(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Shade> {
        if let DeValue::Table(depths) = value.get_ref() {
            let full = depths.iter().find(|(key, _)| key.get_ref() == "rgb");
            let Some(full) = full.and_then(|(_, value)| self.colour(value)) else {
                self.tell(
                    &value.span(),
                    "a colour needs 'rgb'".into(),
                    "such as { rgb = \"#ff5f5f\", 16 = \"red\" }".into(),
                );
                return None;
            };
            let mut shade = Shade::of(full);
            for (key, value) in depths.iter() {
                match key.get_ref().as_ref() {
                    "rgb" => {}
                    "256" => shade.indexed = self.colour(value).unwrap_or(shade.indexed),
                    "16" => shade.basic = self.colour(value).unwrap_or(shade.basic),
                    word => {
                        let fix = suggestion(word, ["rgb", "256", "16"].into_iter());
                        self.tell(&key.span(), format!("a colour has no '{word}'"), fix);
                    }
                }
            }
            return Some(shade);
        }
        self.colour(value).map(Shade::of)
    }

    fn colour(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Colour> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) => number.as_str(),
            other => {
                self.tell(&value.span(), format!("a colour is text, not {}", other.type_str()), String::new());
                return None;
            }
        };
        let colour = Colour::parse(text);
        if colour.is_none() {
            let near = suggestion(text, NAMES.into_iter().chain(["default"]));
            let fix =
                if near.is_empty() { "write #rrggbb, 0 to 255, or a name such as bright-red".into() } else { near };
            self.tell(&value.span(), format!("'{text}' is not a colour"), fix);
        }
        colour
    }

    /// `"text.dim" = …` and `[roles.severity] critical = …` are the same.
    fn roles(&mut self, prefix: &str, table: &DeTable<'_>, sheet: &mut Sheet) {
        for (key, value) in table.iter() {
            let word =
                if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
            let is_group = Role::ALL.iter().any(|role| role.word().starts_with(&format!("{word}.")));
            match (Role::parse(&word), value.get_ref()) {
                (_, DeValue::Table(inner)) if is_group && !is_look(inner) => self.roles(&word, inner, sheet),
                (Some(role), _) => {
                    if let Some(look) = self.look(value) {
                        sheet.roles.insert(role, (look, self.place(&key.span())));
                    }
                }
                (None, _) => {
                    let fix = suggestion(&word, Role::ALL.iter().map(|role| role.word()));
                    self.tell(&key.span(), format!("there is no role '{word}'"), fix);
                }
            }
        }
    }

    fn look(&mut self, value: &Spanned<DeValue<'_>>) -> Option<LookSpec> {
        let mut look = LookSpec::default();
        let table = match value.get_ref() {
            DeValue::String(name) => {
                look.fg = Some((name.to_string(), self.place(&value.span())));
                return Some(look);
            }
            DeValue::Table(table) => table,
            other => {
                let fix = "write a colour, or { fg = …, bg = …, bold = true }";
                self.tell(&value.span(), format!("a role is not {}", other.type_str()), fix.into());
                return None;
            }
        };
        for (key, value) in table.iter() {
            let place = self.place(&value.span());
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("fg", DeValue::String(name)) => look.fg = Some((name.to_string(), place)),
                ("bg", DeValue::String(name)) => look.bg = Some((name.to_string(), place)),
                ("bold", DeValue::Boolean(is)) => look.bold = *is,
                ("dim", DeValue::Boolean(is)) => look.dim = *is,
                ("italic", DeValue::Boolean(is)) => look.italic = *is,
                ("underline", DeValue::Boolean(is)) => look.underline = *is,
                ("reverse", DeValue::Boolean(is)) => look.reverse = *is,
                (word, other) if LOOK_KEYS.contains(&word) => {
                    self.tell(&value.span(), format!("'{word}' cannot be {}", other.type_str()), String::new());
                }
                (word, _) => {
                    let near = suggestion(word, LOOK_KEYS.into_iter());
                    let fix = if near.is_empty() { format!("it has {}", LOOK_KEYS.join(", ")) } else { near };
                    self.tell(&key.span(), format!("a look has no '{word}'"), fix);
                }
            }
        }
        Some(look)
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

const LOOK_KEYS: [&str; 7] = ["fg", "bg", "bold", "dim", "italic", "underline", "reverse"];

fn is_look(table: &DeTable<'_>) -> bool {
    table.is_empty() || table.iter().any(|(key, _)| LOOK_KEYS.contains(&key.get_ref().as_ref()))
}

/// "did you mean …?" when a known word is near.
pub(super) fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|known| (strsim::normalized_damerau_levenshtein(word, known), known));
    let best = near.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(share, _)| *share >= 0.5);
    best.map_or_else(String::new, |(_, known)| format!("did you mean '{known}'?"))
}

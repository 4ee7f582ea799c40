//! One value and the types it can be asked for. A wrong one is told and is `None`.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use chrono::{Duration, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::{Section, Sheet, nearest};
use crate::config::files::{Environment, expand};
use crate::text::Clean;

/// One value of the file.
#[derive(Clone, Debug)]
pub(in crate::config) struct Item<'a> {
    pub sheet: &'a Sheet<'a>,
    /// What people call it: `'every' in [pagerduty]`.
    pub what: String,
    pub value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Item<'a> {
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub fn error(&self, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.sheet.error(&self.span(), message, fix);
    }

    pub fn wrong_type(&self, wanted: &str, fix: &str) {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(format!("{} must be {wanted}, not {found}", self.what), fix);
    }

    /// Text in quotes, not empty.
    pub fn text(&self) -> Option<String> {
        self.text_like("a text", "put it in quotes")
    }

    fn text_like(&self, wanted: &str, fix: &str) -> Option<String> {
        let DeValue::String(text) = self.value.get_ref() else {
            self.wrong_type(wanted, fix);
            return None;
        };
        if text.trim().is_empty() {
            self.error(format!("{} is empty", self.what), "write a value or remove the line");
            return None;
        }
        Some(text.to_string())
    }

    pub fn clean(&self) -> Option<Clean> {
        self.text().map(Clean::new)
    }

    pub fn flag(&self) -> Option<bool> {
        let DeValue::Boolean(flag) = self.value.get_ref() else {
            self.wrong_type("true or false", "write true or false without quotes");
            return None;
        };
        Some(*flag)
    }

    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let (low, high) = (range.start(), range.end());
        let DeValue::Integer(number) = self.value.get_ref() else {
            self.wrong_type("a whole number", &format!("write a number from {low} to {high}"));
            return None;
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let fits = number.filter(|number| range.contains(number));
        if fits.is_none() {
            self.error(format!("{} is out of range", self.what), format!("write a number from {low} to {high}"));
        }
        fits
    }

    /// A share from 0 to 1: `0.999` or `"99.9%"`.
    pub fn ratio(&self) -> Option<f64> {
        let fix = "write a share such as 0.999 or \"99.9%\"";
        let number = match self.value.get_ref() {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            DeValue::String(text) => text
                .trim()
                .strip_suffix('%')
                .and_then(|text| text.trim().parse::<f64>().ok())
                .map(|share| share / 100.0),
            _ => {
                self.wrong_type("a share", fix);
                return None;
            }
        };
        let share = number.filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            self.error(format!("{} must be a share from 0 to 1", self.what), fix);
        }
        share
    }

    /// A span such as `"90s"`, from `least` to `most`.
    pub fn duration(&self, least: Duration, most: Duration) -> Option<Duration> {
        let fix = "write a number and a unit, such as \"30s\", \"5m\", \"4h\" or \"30d\"";
        let text = self.text_like("a duration in quotes", fix)?;
        let span = humantime::parse_duration(text.trim()).ok().and_then(|span| Duration::from_std(span).ok());
        let Some(span) = span else {
            self.error(format!("{} is not a duration: '{text}'", self.what), fix);
            return None;
        };
        if span < least || span > most {
            let (least, most) = (in_words(least), in_words(most));
            self.error(format!("{} is out of range: '{text}'", self.what), format!("write {least} to {most}"));
            return None;
        }
        Some(span)
    }

    /// One of a closed list of words.
    pub fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let text = self.text_like("a text", &format!("write one of {all}"))?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let fix = nearest(&text, &words)
                .map_or_else(|| format!("write one of {all}"), |near| format!("did you mean \"{near}\"?"));
            self.error(format!("{} cannot be '{text}'", self.what), fix);
        }
        found
    }

    /// The elements of a list.
    pub fn list(&self) -> Option<Vec<Item<'a>>> {
        let DeValue::Array(list) = self.value.get_ref() else {
            self.wrong_type("a list", "put it in square brackets");
            return None;
        };
        let what = format!("an element of {}", self.what);
        Some(list.iter().map(|value| Item { sheet: self.sheet, what: what.clone(), value }).collect())
    }

    /// A list of texts; bad elements are told and left out.
    pub fn texts(&self) -> Option<Vec<String>> {
        Some(self.list()?.iter().filter_map(Item::text).collect())
    }

    pub fn cleans(&self) -> Option<Vec<Clean>> {
        Some(self.list()?.iter().filter_map(Item::clean).collect())
    }

    /// This value as a table.
    pub fn section(&self, title: impl Into<String>) -> Option<Section<'a>> {
        let DeValue::Table(table) = self.value.get_ref() else {
            self.wrong_type("a table", "write it as a section, or as { key = value }");
            return None;
        };
        Some(Section::new(self.sheet, title, table, self.span()))
    }

    /// An address: http or https, with a host, without credentials, query or fragment.
    pub fn url(&self) -> Option<Url> {
        let text = self.text_like("an address in quotes", "write for example \"https://host:9090\"")?;
        let url = match Url::parse(text.trim()) {
            Ok(url) => url,
            Err(cause) => {
                let fix = "write it with its scheme, such as \"https://host:9090\"";
                self.error(format!("{} is not an address: {cause}", self.what), fix);
                return None;
            }
        };
        let told = if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            Some((
                format!("{} must begin with http:// or https://", self.what),
                "write for example \"https://host:9090\"",
            ))
        } else if !url.username().is_empty() || url.password().is_some() {
            Some((
                format!("{} holds a user or password", self.what),
                "remove them and write auth = { basic = { user = \"…\", password = { env = \"…\" } } }",
            ))
        } else if url.query().is_some() || url.fragment().is_some() {
            Some((format!("{} holds a query or a fragment", self.what), "end it after the path"))
        } else {
            None
        };
        if let Some((message, fix)) = told {
            self.error(message, fix);
            return None;
        }
        Some(url)
    }

    /// A path; `~` is the home folder, a relative one starts at `folder`.
    pub fn path(&self, folder: &std::path::Path, environment: Environment<'_>) -> Option<PathBuf> {
        self.text_like("a path in quotes", "put it in quotes").map(|text| expand(&text, folder, environment))
    }

    pub fn time_zone(&self) -> Option<Tz> {
        let text = self.text()?;
        let zone = text.parse().ok();
        if zone.is_none() {
            let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let fix = nearest(&text, &known).map_or_else(
                || "write a name of the IANA database, such as \"Europe/Berlin\" or \"UTC\"".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            );
            self.error(format!("{} is not a time zone: '{text}'", self.what), fix);
        }
        zone
    }

    /// From and until, such as `"09:00-17:00"`.
    pub fn hours(&self) -> Option<(NaiveTime, NaiveTime)> {
        let text = self.text()?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let hours = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
        if hours.is_none() {
            self.error(format!("{} are not hours: '{text}'", self.what), "write them as \"09:00-17:00\"");
        }
        hours
    }

    /// A day: a TOML date, or the same in quotes.
    pub fn day(&self) -> Option<NaiveDate> {
        let written = match self.value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => {
                self.wrong_type("a date", "write it as 2026-12-25");
                return None;
            }
        };
        let day = NaiveDate::parse_from_str(&written, "%Y-%m-%d").ok();
        if day.is_none() {
            self.error(format!("{} is not a day: '{written}'", self.what), "write it as 2026-12-25");
        }
        day
    }
}

/// As a person would write a limit: in the largest unit that fits.
fn in_words(span: Duration) -> String {
    let seconds = span.num_seconds();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let unit = units.into_iter().find(|(_, size)| seconds >= *size && seconds % size == 0);
    let (word, size) = unit.unwrap_or(("s", 1));
    format!("\"{}{word}\"", seconds / size)
}

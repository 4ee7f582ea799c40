//! One key press with its modifiers, as keymaps write it and as recordings keep it. Knows no terminal library.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A character as typed: `G` and not shift-g.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab; with shift it is back-tab.
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Left arrow.
    Left,
    /// Right arrow.
    Right,
    /// Up arrow.
    Up,
    /// Down arrow.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// F1 to F24.
    F(u8),
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// Control.
    pub ctrl: bool,
    /// Alt or Meta.
    pub alt: bool,
    /// Shift; never set for a plain character, which carries its case itself.
    pub shift: bool,
}

impl Chord {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(key: Key) -> Self {
        Self { key, ctrl: false, alt: false, shift: false }
    }

    /// A character without modifiers.
    #[must_use]
    pub const fn char(symbol: char) -> Self {
        Self::plain(Key::Char(symbol))
    }

    /// A character with control.
    #[must_use]
    pub const fn ctrl(symbol: char) -> Self {
        Self { key: Key::Char(symbol), ctrl: true, alt: false, shift: false }
    }

    /// The one form of a chord: a character's case instead of shift, lower case with control.
    #[must_use]
    pub fn normal(mut self) -> Self {
        if let Key::Char(symbol) = self.key {
            let symbol = if self.ctrl {
                symbol.to_ascii_lowercase()
            } else if self.shift {
                symbol.to_ascii_uppercase()
            } else {
                symbol
            };
            self.key = Key::Char(symbol);
            self.shift = false;
        }
        self
    }

    /// The character it types into a text, if it types one.
    #[must_use]
    pub fn typed(self) -> Option<char> {
        match self.key {
            Key::Char(symbol) if !self.ctrl && !self.alt => Some(symbol),
            _ => None,
        }
    }
}

const NAMED: &[(Key, &str)] = &[
    (Key::Enter, "enter"),
    (Key::Esc, "esc"),
    (Key::Tab, "tab"),
    (Key::Backspace, "backspace"),
    (Key::Delete, "delete"),
    (Key::Insert, "insert"),
    (Key::Left, "left"),
    (Key::Right, "right"),
    (Key::Up, "up"),
    (Key::Down, "down"),
    (Key::Home, "home"),
    (Key::End, "end"),
    (Key::PageUp, "pageup"),
    (Key::PageDown, "pagedown"),
    (Key::Char(' '), "space"),
    (Key::Char('-'), "minus"),
];

/// Names of keys, for suggestions.
pub(super) fn key_names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(_, name)| *name)
}

impl fmt::Display for Chord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (held, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                text.push_str(name);
            }
        }
        match (self.key, NAMED.iter().find(|(key, _)| *key == self.key)) {
            (_, Some((_, name))) => text.push_str(name),
            (Key::Char(symbol), None) => text.push(symbol),
            (Key::F(number), None) => text.push_str(&format!("f{number}")),
            (_, None) => {}
        }
        out.pad(&text)
    }
}

/// Why a text is not a chord.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChordError {
    /// No such key.
    #[error("unknown key '{0}'")]
    Unknown(String),
    /// Several keys at once, which terminals do not send.
    #[error("'{0}' is several keys at once; write a sequence with spaces between")]
    Several(String),
    /// No terminal sends it, or it arrives as another key.
    #[error("terminals send '{0}' as '{1}'")]
    Unsendable(String, &'static str),
}

impl std::str::FromStr for Chord {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let chord = parse(text)?;
        match unsendable(chord) {
            Some(other) => Err(ChordError::Unsendable(text.to_owned(), other)),
            None => Ok(chord),
        }
    }
}

/// crokey reads the names and modifiers; the case of a lone character, which it folds, is kept here.
fn parse(text: &str) -> Result<Chord, ChordError> {
    let unknown = || ChordError::Unknown(text.to_owned());
    let last = text.chars().next_back().ok_or_else(unknown)?;
    let head = text.strip_suffix(last).unwrap_or_default();
    let is_lone = head.is_empty() || (head.ends_with('-') && is_modifiers(head));
    // crokey counts bytes, so characters beyond ASCII are read here.
    let (readable, kept) = if is_lone { (format!("{head}a"), Some(last)) } else { (text.to_owned(), None) };
    let read = crokey::parse(&readable)
        .map_err(|error| ChordError::Unknown(if error.raw.is_empty() { text.to_owned() } else { error.raw }))?;
    let crokey::OneToThree::One(code) = read.codes else { return Err(ChordError::Several(text.to_owned())) };
    let held = |modifier| read.modifiers.contains(modifier);
    if held(crokey::crossterm::event::KeyModifiers::SUPER) {
        return Err(ChordError::Unsendable(text.to_owned(), "nothing"));
    }
    let (key, is_back) = key_of(code).ok_or_else(unknown)?;
    Ok(Chord {
        key: kept.map_or(key, Key::Char),
        ctrl: held(crokey::crossterm::event::KeyModifiers::CONTROL),
        alt: held(crokey::crossterm::event::KeyModifiers::ALT),
        shift: is_back || held(crokey::crossterm::event::KeyModifiers::SHIFT),
    }
    .normal())
}

fn is_modifiers(head: &str) -> bool {
    let lower = head.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some(after) = ["ctrl-", "alt-", "shift-", "cmd-"].iter().find_map(|name| rest.strip_prefix(name)) {
        rest = after;
    }
    rest.is_empty()
}

fn key_of(code: crokey::crossterm::event::KeyCode) -> Option<(Key, bool)> {
    use crokey::crossterm::event::KeyCode;
    let key = match code {
        KeyCode::Char(symbol) => Key::Char(symbol),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => return Some((Key::Tab, true)),
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::F(number) => Key::F(number),
        _ => return None,
    };
    Some((key, false))
}

/// What a terminal without the kitty protocol sends instead, for chords that cannot be told apart from another key.
fn unsendable(chord: Chord) -> Option<&'static str> {
    match (chord.key, chord.ctrl) {
        (Key::Char('i'), true) => Some("tab"),
        (Key::Char('m'), true) => Some("enter"),
        (Key::Char('['), true) => Some("esc"),
        (Key::Char('h'), true) => Some("backspace in many terminals"),
        (Key::Enter | Key::Esc | Key::Tab | Key::Backspace, true) => Some("the key without ctrl"),
        (Key::Enter | Key::Esc | Key::Backspace, false) if chord.shift => Some("the key without shift"),
        (Key::Char(symbol), true) if symbol.is_ascii_digit() => Some("the digit, or nothing"),
        _ => None,
    }
}

impl Serialize for Chord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A recording may hold what no keymap may bind, so this takes unsendable chords too.
impl<'de> Deserialize<'de> for Chord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_print_as_they_are_read() {
        for text in [
            "a",
            "G",
            "?",
            ":",
            "/",
            "ctrl-x",
            "alt-enter",
            "tab",
            "shift-tab",
            "space",
            "f12",
            "pagedown",
            "ctrl-alt-k",
            "minus",
            "é",
        ] {
            let chord: Chord = text.parse().unwrap();
            assert_eq!(chord.to_string(), text);
        }
    }

    #[test]
    fn many_spellings_are_one_chord() {
        for (left, right) in
            [("shift-g", "G"), ("ctrl-X", "ctrl-x"), ("-", "minus"), ("backtab", "shift-tab"), ("del", "delete")]
        {
            assert_eq!(left.parse::<Chord>(), right.parse::<Chord>(), "{left}");
        }
    }

    #[test]
    fn what_cannot_be_typed_is_refused_in_words() {
        for (text, words) in [
            ("ctrl-i", "terminals send 'ctrl-i' as 'tab'"),
            ("hyper-x", "unknown key 'hyper'"),
            ("a-b", "'a-b' is several keys at once; write a sequence with spaces between"),
            ("", "unknown key ''"),
        ] {
            assert_eq!(text.parse::<Chord>().unwrap_err().to_string(), words);
        }
    }
}

//! Where people type: one line or many, over tui-textarea. Takes chords and pastes; never a control character.

use tui_textarea::{Input, TextArea};

use crate::config::keymap::{Chord, Key};

/// Longest text taken in; PagerDuty's notes end at 25,000 characters.
const MAX_CHARS: usize = 25_000;

/// Where people type.
#[derive(Clone, Debug)]
pub struct TextBox {
    area: TextArea<'static>,
    is_one_line: bool,
}

impl Default for TextBox {
    fn default() -> Self {
        Self::one_line("")
    }
}

impl TextBox {
    /// For one line; `text` is there already, the cursor behind it.
    #[must_use]
    pub fn one_line(text: &str) -> Self {
        let mut made = Self { area: TextArea::default(), is_one_line: true };
        made.paste(text);
        made
    }

    /// What is drawn.
    #[must_use]
    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Cursor: line, column in characters.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        let cursor = self.area.cursor();
        (cursor.0, cursor.1)
    }

    /// True when nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Takes a pasted text: control characters become spaces, line ends too where there is one line only.
    pub fn paste(&mut self, text: &str) {
        let room = MAX_CHARS.saturating_sub(self.area.lines().iter().map(|line| line.chars().count() + 1).sum());
        let fit = |symbol: char| match symbol {
            '\n' if !self.is_one_line => '\n',
            _ if symbol.is_control() => ' ',
            _ => symbol,
        };
        let kept: String = text.replace("\r\n", "\n").chars().take(room).map(fit).collect();
        self.area.insert_str(kept.trim_end_matches(' '));
    }

    /// Takes a key; true when the text or the cursor may have changed.
    pub fn press(&mut self, chord: Chord) -> bool {
        let Some(input) = input_of(chord) else { return false };
        let is_line_end = matches!(chord.key, Key::Enter) || (chord.ctrl && matches!(chord.key, Key::Char('j' | 'm')));
        if self.is_one_line && is_line_end {
            return false;
        }
        self.area.input(input);
        true
    }
}

fn input_of(chord: Chord) -> Option<Input> {
    use tui_textarea::Key as Into;
    let key = match chord.key {
        Key::Char(symbol) if symbol.is_control() => return None,
        Key::Char(symbol) => Into::Char(symbol),
        Key::Enter => Into::Enter,
        Key::Backspace => Into::Backspace,
        Key::Delete => Into::Delete,
        Key::Left => Into::Left,
        Key::Right => Into::Right,
        Key::Up => Into::Up,
        Key::Down => Into::Down,
        Key::Home => Into::Home,
        Key::End => Into::End,
        Key::Tab | Key::Esc | Key::Insert | Key::PageUp | Key::PageDown | Key::F(_) => return None,
    };
    Some(Input { key, ctrl: chord.ctrl, alt: chord.alt, shift: chord.shift })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_text_stays_on_one_line_and_loses_its_controls() {
        let mut entry = TextBox::default();
        entry.paste("disk\tfull\r\nrm -rf\u{1b}[2J\n");
        assert_eq!(entry.text(), "disk full rm -rf [2J");
        assert!(!entry.press(Chord::plain(Key::Enter)));
        assert_eq!(entry.area().lines().len(), 1);
    }

    #[test]
    fn keys_edit() {
        let mut entry = TextBox::one_line("abc");
        entry.press(Chord::plain(Key::Backspace));
        entry.press(Chord::char('é'));
        assert_eq!((entry.text().as_str(), entry.cursor()), ("abé", (0, 3)));
    }
}

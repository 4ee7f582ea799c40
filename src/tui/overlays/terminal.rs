//! The terminal of a step: what runs there is seen here, staged lines are sent one by one, each by a key, and the keys
//! can be handed over to it as a whole.

use crate::config::keymap::{Chord, Key};
use crate::domain::id::StepId;
use crate::domain::run::RunId;
use crate::text::Clean;

/// A step's terminal, open.
#[derive(Debug)]
pub struct Terminal {
    /// Of which run.
    pub run: RunId,
    /// Which step.
    pub step: StepId,
    /// Its title.
    pub title: Clean,
    /// Lines that the document stages for it.
    pub staged: Vec<String>,
    /// The one that the next Enter sends.
    pub next: usize,
    /// Whether every key goes to it, but the one that takes them back.
    pub has_keys: bool,
}

impl Terminal {
    /// The line that the next Enter sends.
    #[must_use]
    pub fn line(&self) -> Option<&String> {
        self.staged.get(self.next)
    }
}

/// The chord that takes the keys back: Ctrl-], as telnet has it. Terminals without their own report for it send 0x1d,
/// which crossterm reads as Ctrl-5.
#[must_use]
pub fn takes_back(chord: Chord) -> bool {
    chord == Chord::ctrl(']') || chord == Chord::ctrl('5')
}

/// What a terminal sends for a chord; nothing for one that has no sequence.
#[must_use]
pub fn bytes(chord: Chord, has_application_cursor: bool) -> Vec<u8> {
    let Chord { key, ctrl, alt, shift } = chord;
    // xterm: 1 + shift + 2·alt + 4·ctrl.
    let modifier = 1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);
    let letter = |end: char| match (modifier, has_application_cursor) {
        (1, true) => format!("\x1bO{end}"),
        (1, false) => format!("\x1b[{end}"),
        (modifier, _) => format!("\x1b[1;{modifier}{end}"),
    };
    let tilde = |number: u8| match modifier {
        1 => format!("\x1b[{number}~"),
        modifier => format!("\x1b[{number};{modifier}~"),
    };
    let text = match key {
        Key::Char(symbol) if ctrl => control(symbol).map(String::from).unwrap_or_default(),
        Key::Char(symbol) => symbol.to_string(),
        Key::Enter => "\r".to_owned(),
        Key::Esc => "\x1b".to_owned(),
        Key::Tab if shift => return b"\x1b[Z".to_vec(),
        Key::Tab => "\t".to_owned(),
        Key::Backspace => "\x7f".to_owned(),
        Key::Up => return letter('A').into_bytes(),
        Key::Down => return letter('B').into_bytes(),
        Key::Right => return letter('C').into_bytes(),
        Key::Left => return letter('D').into_bytes(),
        Key::Home => return letter('H').into_bytes(),
        Key::End => return letter('F').into_bytes(),
        Key::Insert => return tilde(2).into_bytes(),
        Key::Delete => return tilde(3).into_bytes(),
        Key::PageUp => return tilde(5).into_bytes(),
        Key::PageDown => return tilde(6).into_bytes(),
        Key::F(number) => return function(number, modifier).into_bytes(),
    };
    let lead = if alt && !text.is_empty() { "\x1b" } else { "" };
    format!("{lead}{text}").into_bytes()
}

/// Control with a character, as ASCII has it.
fn control(symbol: char) -> Option<char> {
    match symbol {
        ' ' | '2' => Some('\0'),
        'a'..='z' | '[' | '\\' | ']' | '^' | '_' => char::from_u32(u32::from(symbol) & 0x1f),
        '3' => Some('\x1b'),
        '4' => Some('\x1c'),
        '6' => Some('\x1e'),
        '7' | '/' => Some('\x1f'),
        _ => None,
    }
}

/// F1 to F12 as xterm sends them.
fn function(number: u8, modifier: u8) -> String {
    let code = match number {
        1..=4 => {
            let end = char::from(b'O' + number);
            return if modifier == 1 { format!("\x1bO{end}") } else { format!("\x1b[1;{modifier}{end}") };
        }
        5 => 15,
        6..=10 => 11 + number,
        11 | 12 => 12 + number,
        _ => return String::new(),
    };
    if modifier == 1 { format!("\x1b[{code}~") } else { format!("\x1b[{code};{modifier}~") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_sent_as_xterm_sends_them() {
        let shift = |key| Chord { shift: true, ..Chord::plain(key) };
        let alt = |key| Chord { alt: true, ..Chord::plain(key) };
        let table: &[(Chord, bool, &str)] = &[
            (Chord::char('ü'), false, "ü"),
            (Chord::ctrl('c'), false, "\x03"),
            (Chord::ctrl('d'), false, "\x04"),
            (Chord::ctrl(' '), false, "\0"),
            (Chord::ctrl('4'), false, "\x1c"),
            (alt(Key::Char('b')), false, "\x1bb"),
            (Chord::plain(Key::Enter), false, "\r"),
            (Chord::plain(Key::Backspace), false, "\x7f"),
            (Chord::plain(Key::Up), false, "\x1b[A"),
            (Chord::plain(Key::Up), true, "\x1bOA"),
            (shift(Key::Up), true, "\x1b[1;2A"),
            (shift(Key::Tab), false, "\x1b[Z"),
            (Chord::plain(Key::Delete), false, "\x1b[3~"),
            (Chord::plain(Key::F(1)), false, "\x1bOP"),
            (Chord::plain(Key::F(5)), false, "\x1b[15~"),
            (Chord::plain(Key::F(10)), false, "\x1b[21~"),
            (Chord::plain(Key::F(12)), false, "\x1b[24~"),
            (Chord::plain(Key::F(20)), false, ""),
        ];
        for (chord, application, wanted) in table {
            assert_eq!(String::from_utf8(bytes(*chord, *application)).unwrap(), *wanted, "{chord:?}");
        }
        assert!(takes_back(Chord::ctrl(']')) && takes_back(Chord::ctrl('5')) && !takes_back(Chord::ctrl('c')));
    }
}

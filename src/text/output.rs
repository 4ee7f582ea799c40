//! What a program printed, as lines for a screen: colours kept, everything else neutralised by the gate, progress that
//! overwrites itself collapsed, bytes that are no text shown as escapes. Memory is bounded.

use std::collections::VecDeque;

use super::gate::{Clean, Untrusted};

/// What a view holds.
pub const VIEW_BYTES: usize = 4 << 20;

/// Longest line; a longer one goes on in the next.
const LINE_BYTES: usize = 4_000;

/// Distance of tab stops.
const TAB: usize = 8;

/// Longest escape sequence that is waited for; a longer one is text.
const SEQUENCE_BYTES: usize = 64;

/// How a part of a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Look {
    /// Colour of the letters.
    pub ink: Option<Ink>,
    /// Colour behind them.
    pub ground: Option<Ink>,
    /// Heavy letters.
    pub bold: bool,
    /// Faint letters.
    pub dim: bool,
    /// Slanted letters.
    pub italic: bool,
    /// A line below.
    pub underlined: bool,
    /// Ink and ground exchanged.
    pub reversed: bool,
    /// A line through.
    pub struck: bool,
}

/// A colour as a terminal names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ink {
    /// Of the palette: 0 to 15 are the theme's.
    Palette(u8),
    /// By its parts.
    Rgb(u8, u8, u8),
}

/// A part of a line in one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it looks.
    pub look: Look,
    /// What it says.
    pub text: Clean,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputLine {
    /// From left to right.
    pub parts: Vec<Part>,
    /// True for a mark of ours in place of bytes that are not told.
    pub is_mark: bool,
}

impl OutputLine {
    /// Its text without looks.
    #[must_use]
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }

    fn bytes(&self) -> usize {
        // A line costs something even when it is empty.
        64 + self.parts.iter().map(|part| part.text.as_str().len() + 32).sum::<usize>()
    }
}

/// Lines of one stream, the newest [`VIEW_BYTES`] of them. Bytes come in as they come; a character, a sequence or a line
/// may be cut anywhere.
#[derive(Clone, Debug, Default)]
pub struct OutputView {
    lines: VecDeque<OutputLine>,
    held: usize,
    /// Lines that fell out at the front.
    forgotten: u64,
    open: OpenLine,
    look: Look,
    sequence: Vec<u8>,
    /// A carriage return came: what follows overwrites the line, unless it is a line feed.
    is_returned: bool,
}

/// The line that is being written.
#[derive(Clone, Debug, Default)]
struct OpenLine {
    parts: Vec<(Look, Vec<u8>)>,
    bytes: usize,
}

impl OutputView {
    /// Takes in bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    /// A mark in place of bytes that are not told.
    pub fn gap(&mut self, bytes: u64) {
        if self.open.bytes > 0 {
            self.end_line();
        }
        self.sequence.clear();
        let text = Clean::new(format!("… {bytes} bytes are not shown here"));
        self.keep(OutputLine { parts: vec![Part { look: Look::default(), text }], is_mark: true });
    }

    /// Lines that are whole, oldest first, and the open one at the end when it has something.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = OutputLine> + '_ {
        let open = (self.open.bytes > 0).then(|| self.open.shown());
        self.lines.iter().cloned().chain(open)
    }

    /// How many lines [`OutputView::lines`] has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len() + usize::from(self.open.bytes > 0)
    }

    /// True when nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A window of lines, for a screen: costs what it shows.
    #[must_use]
    pub fn window(&self, from: usize, count: usize) -> Vec<OutputLine> {
        let whole = self.lines.range(from.min(self.lines.len())..(from + count).min(self.lines.len())).cloned();
        let open = (from + count > self.lines.len() && self.open.bytes > 0).then(|| self.open.shown());
        whole.chain(open).collect()
    }

    /// How many lines fell out at the front.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn byte(&mut self, byte: u8) {
        if !self.sequence.is_empty() {
            return self.sequence_byte(byte);
        }
        match byte {
            b'\n' => {
                self.is_returned = false;
                self.end_line();
            }
            b'\r' => self.is_returned = true,
            0x1b => self.sequence.push(byte),
            b'\t' => {
                let column = if self.is_returned { 0 } else { self.open.bytes };
                let blanks = TAB - column % TAB;
                self.put([b' '; TAB].get(..blanks).unwrap_or_default());
            }
            _ => self.put(&[byte]),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.is_returned) {
            // Progress: what is written next stands in the place of what was there.
            self.open = OpenLine::default();
        }
        if self.open.bytes + bytes.len() > LINE_BYTES && bytes.first().is_some_and(|byte| !is_inside(*byte)) {
            self.end_line();
        }
        self.open.bytes += bytes.len();
        match self.open.parts.last_mut() {
            Some((look, text)) if *look == self.look => text.extend_from_slice(bytes),
            _ => self.open.parts.push((self.look, bytes.to_vec())),
        }
    }

    fn sequence_byte(&mut self, byte: u8) {
        let is_ended = match self.sequence.len() {
            // Only CSI sequences can be colours.
            1 if byte == b'[' => false,
            1 => return self.give_up(byte),
            _ if (0x40..=0x7e).contains(&byte) => true,
            _ if (0x20..0x40).contains(&byte) && self.sequence.len() < SEQUENCE_BYTES => false,
            _ => return self.give_up(byte),
        };
        self.sequence.push(byte);
        if !is_ended {
            return;
        }
        let sequence = std::mem::take(&mut self.sequence);
        let inside = sequence.get(2..sequence.len().saturating_sub(1)).unwrap_or_default();
        match byte {
            b'm' if inside.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')) => {
                self.look = look_after(self.look, inside);
            }
            // Erasing the line belongs to progress: all of it, or from where the carriage return went.
            b'K' if matches!(inside, b"" | b"0" | b"2") => {
                if self.is_returned || inside == b"2" {
                    self.open = OpenLine::default();
                }
            }
            _ => self.put(&sequence),
        }
    }

    /// No sequence after all: the gate shows it.
    fn give_up(&mut self, byte: u8) {
        let sequence = std::mem::take(&mut self.sequence);
        self.put(&sequence);
        self.byte(byte);
    }

    fn end_line(&mut self) {
        let line = self.open.shown();
        self.open = OpenLine::default();
        self.keep(line);
    }

    fn keep(&mut self, line: OutputLine) {
        self.held += line.bytes();
        self.lines.push_back(line);
        while self.held > VIEW_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.held = self.held.saturating_sub(oldest.bytes());
            self.forgotten += 1;
        }
    }
}

impl OpenLine {
    fn shown(&self) -> OutputLine {
        let part = |(look, bytes): &(Look, Vec<u8>)| Part { look: *look, text: Untrusted::from(text(bytes)).clean() };
        OutputLine { parts: self.parts.iter().map(part).collect(), is_mark: false }
    }
}

fn is_inside(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// UTF-8 as it is; bytes that are none as `‹0xFF›`.
fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("‹0x{byte:02X}›"));
        }
    }
    text
}

/// The look after an SGR sequence with these parameters.
fn look_after(mut look: Look, parameters: &[u8]) -> Look {
    let parameters = String::from_utf8_lossy(parameters).replace(':', ";");
    let mut numbers = parameters.split(';').map(|number| number.parse::<u16>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        match number {
            0 => look = Look::default(),
            1 => look.bold = true,
            2 => look.dim = true,
            3 => look.italic = true,
            4 | 21 => look.underlined = true,
            7 => look.reversed = true,
            9 => look.struck = true,
            22 => (look.bold, look.dim) = (false, false),
            23 => look.italic = false,
            24 => look.underlined = false,
            27 => look.reversed = false,
            29 => look.struck = false,
            30..=37 => look.ink = Some(Ink::Palette((number - 30) as u8)),
            38 => look.ink = ink(&mut numbers).or(look.ink),
            39 => look.ink = None,
            40..=47 => look.ground = Some(Ink::Palette((number - 40) as u8)),
            48 => look.ground = ink(&mut numbers).or(look.ground),
            49 => look.ground = None,
            90..=97 => look.ink = Some(Ink::Palette((number - 82) as u8)),
            100..=107 => look.ground = Some(Ink::Palette((number - 92) as u8)),
            // Blinking and hiding are not wanted: the one disturbs, the other deceives.
            _ => {}
        }
    }
    look
}

fn ink(numbers: &mut impl Iterator<Item = u16>) -> Option<Ink> {
    let mut part = || numbers.next().map(|number| number.min(255) as u8);
    match part()? {
        5 => Some(Ink::Palette(part()?)),
        2 => Some(Ink::Rgb(part()?, part()?, part()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(pieces: &[&[u8]]) -> OutputView {
        let mut view = OutputView::default();
        for piece in pieces {
            view.push(piece);
        }
        view
    }

    fn texts(view: &OutputView) -> Vec<String> {
        view.lines().map(|line| line.text()).collect()
    }

    #[test]
    fn what_may_pass_and_what_is_shown_instead() {
        for (bytes, expected) in [
            (&b"one\ntwo\r\nthree"[..], vec!["one", "two", "three"]),
            (b"10%\r50%\r100%\ndone\n", vec!["100%", "done"]),
            (b"10%\x1b[K\r\x1b[2K100%\n", vec!["100%"]),
            (b"\x1b[31mred\x1b[0m plain\n", vec!["red plain"]),
            (b"a\tb\n", vec!["a       b"]),
            (b"kept\r\x1b[0m\n", vec!["kept"]),
            (b"bad \xff\xfe end\n", vec!["bad ‹0xFF›‹0xFE› end"]),
            (b"\x1b]52;c;Zg==\x07\n", vec!["‹U+001B›]52;c;Zg==‹U+0007›"]),
            (b"\x1b[2J\x1b[?1049h\n", vec!["‹U+001B›[2J‹U+001B›[?1049h"]),
            (b"\x1b[8mhidden\x1b[5m\n", vec!["hidden"]),
            ("א\u{202e}b\n".as_bytes(), vec!["א‹U+202E›b"]),
            (b"\n\n", vec!["", ""]),
            (b"", vec![]),
        ] {
            assert_eq!(texts(&view(&[bytes])), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn colours_are_kept_and_carried_over_lines() {
        let view = view(&[b"\x1b[1;31mbold red\nstill\x1b[22;38;5;208;48;2;1;2;3m x\x1b[m y\n"]);
        let lines: Vec<OutputLine> = view.lines().collect();
        let red = Look { ink: Some(Ink::Palette(1)), bold: true, ..Look::default() };
        assert_eq!(lines[0].parts, [Part { look: red, text: Clean::new("bold red") }]);
        let looks: Vec<Look> = lines[1].parts.iter().map(|part| part.look).collect();
        let other = Look { ink: Some(Ink::Palette(208)), ground: Some(Ink::Rgb(1, 2, 3)), ..Look::default() };
        assert_eq!(looks, [red, other, Look::default()]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_gone_is_counted() {
        let mut view = OutputView::default();
        for number in 0..50_000 {
            view.push(format!("line {number} {}\n", "x".repeat(50)).as_bytes());
        }
        view.push(&vec![b'y'; 1 << 20]);
        assert!(view.held <= VIEW_BYTES);
        assert!(view.forgotten() > 10_000);
        let shown = texts(&view);
        assert_eq!(shown.len(), view.len());
        assert!(shown.iter().all(|line| line.len() <= 4_200));
        assert_eq!(view.window(view.len() - 2, 10).len(), 2);
        view.gap(1_234);
        assert_eq!(
            view.lines().next_back().map(|line| (line.text(), line.is_mark)),
            Some(("… 1234 bytes are not shown here".to_owned(), true))
        );
    }

    proptest! {
        #[test]
        fn cut_anyhow_it_shows_the_same_and_no_control(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b'm'), Just(b'\r'), Just(b'\n')], 0..200),
            at in 0..200_usize,
        ) {
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let whole = texts(&view(&[&bytes]));
            prop_assert_eq!(&whole, &texts(&view(&[first, second])));
            prop_assert!(whole.iter().all(|line| !line.chars().any(char::is_control)));
        }
    }
}

//! The gate's work: text in, readable text without anything that a terminal or a reader could be fooled by out.
//!
//! What is neutralised is shown, not deleted, so that two strings that differ stay different on screen:
//! `‹U+202E›` a hidden code point, `‹U+200D ×50000›` a run of one, `‹+›` a cell that had to be split, `⏎` a line break,
//! `⇥` a tab, `‹+1044480 bytes›` the rest of a line that was cut.

use std::fmt::Write;

use unicode_segmentation::UnicodeSegmentation;

use super::class::{is_hidden, is_pictograph, is_skin_tone, is_zero_width};

/// Most code points in one cell (RELIABILITY S4).
const CELL_CHARS: usize = 8;
/// Most bytes in one cell.
const CELL_BYTES: usize = 32;
/// Room kept at the end of a line: for what one more code point can add (a run's mark, a split, itself), and for the mark
/// that says how much was cut.
const RESERVE: usize = 96;

/// What stands for a line break in one line.
const LINE_BREAK: char = '⏎';
/// What stands for a tab in one line.
const TAB: char = '⇥';

/// One line from `text`, at most `cap` bytes of it (marks included). Returns how many bytes of `text` it tells.
pub(super) fn one_line(text: &str, cap: usize) -> (String, usize) {
    let mut line = Line { shown: String::with_capacity(text.len().min(cap)), cell_chars: 0, cell_bytes: 0, run: None };
    let mut told = 0;
    for cluster in text.graphemes(true) {
        let taken = line.add_cluster(cluster, cap.saturating_sub(RESERVE));
        told += taken;
        if taken < cluster.len() {
            break;
        }
    }
    line.end_run();
    (line.shown, told)
}

/// As [`one_line`], with a mark for what did not fit. A text that fits `cap` exactly is not cut for the mark's sake.
pub(super) fn one_line_or_cut(text: &str, cap: usize) -> String {
    let (whole, told) = one_line(text, cap.saturating_add(RESERVE));
    if told == text.len() && whole.len() <= cap {
        return whole;
    }
    let (mut cut, told) = one_line(text, cap);
    let _ = write!(cut, "‹+{} bytes›", text.len() - told);
    cut
}

/// A line that is being written, and the cell at its end.
struct Line {
    shown: String,
    cell_chars: usize,
    cell_bytes: usize,
    /// Hidden code point that stands next, and how often.
    run: Option<(char, usize)>,
}

impl Line {
    /// Adds a cluster of code points that would share a cell, as far as the line stays under `cap`; returns how many
    /// bytes of it were taken. A cluster may be megabytes.
    fn add_cluster(&mut self, cluster: &str, cap: usize) -> usize {
        self.cell_chars = 0;
        self.cell_bytes = 0;
        let mut symbols = cluster.char_indices().peekable();
        let mut before = None;
        while let Some((at, symbol)) = symbols.next() {
            if self.shown.len() > cap {
                return at;
            }
            let next = symbols.peek().map(|(_, next)| *next);
            match symbol {
                '\r' if next == Some('\n') => {}
                '\n' => self.put_alone(LINE_BREAK),
                '\t' => self.put_alone(TAB),
                _ if is_hidden(symbol) && !self.may_stay(symbol, before, next) => self.hide(symbol),
                // A mark without a base would be drawn over the cell before: over another field's last letter.
                _ if is_zero_width(symbol) && self.cell_chars == 0 => self.hide(symbol),
                _ => self.put(symbol),
            }
            before = Some(symbol);
        }
        cluster.len()
    }

    /// A joiner between two parts of an emoji, a selector on one: these make the picture that people know.
    fn may_stay(&self, symbol: char, before: Option<char>, next: Option<char>) -> bool {
        let Some(before) = before.filter(|_| self.cell_chars > 0 && self.run.is_none()) else { return false };
        match symbol {
            '\u{200d}' => {
                let is_joinable = is_pictograph(before) || is_skin_tone(before) || before == '\u{fe0f}';
                let next_bytes = next.filter(|next| is_pictograph(*next)).map(char::len_utf8);
                let fits = |bytes: usize| {
                    self.cell_chars + 2 <= CELL_CHARS && self.cell_bytes + '\u{200d}'.len_utf8() + bytes <= CELL_BYTES
                };
                is_joinable && next_bytes.is_some_and(fits)
            }
            '\u{fe0e}' | '\u{fe0f}' => {
                let is_keycap = matches!(before, '0'..='9' | '#' | '*') && next == Some('\u{20e3}');
                (is_pictograph(before) || is_keycap) && self.fits(symbol)
            }
            _ => false,
        }
    }

    fn fits(&self, symbol: char) -> bool {
        self.cell_chars < CELL_CHARS && self.cell_bytes + symbol.len_utf8() <= CELL_BYTES
    }

    /// A visible code point, in the cell at the end or, where that is full, behind a split.
    fn put(&mut self, symbol: char) {
        if self.cell_chars > 0 && !self.fits(symbol) {
            if is_zero_width(symbol) {
                return self.hide(symbol);
            }
            self.end_run();
            self.shown.push_str("‹+›");
            self.cell_chars = 0;
            self.cell_bytes = 0;
        }
        self.end_run();
        self.shown.push(symbol);
        self.cell_chars += 1;
        self.cell_bytes += symbol.len_utf8();
    }

    fn put_alone(&mut self, symbol: char) {
        self.end_run();
        self.shown.push(symbol);
        self.cell_chars = 0;
        self.cell_bytes = 0;
    }

    fn hide(&mut self, symbol: char) {
        match &mut self.run {
            Some((hidden, count)) if *hidden == symbol => *count += 1,
            _ => {
                self.end_run();
                self.run = Some((symbol, 1));
            }
        }
    }

    fn end_run(&mut self) {
        let Some((symbol, count)) = self.run.take() else { return };
        let code = u32::from(symbol);
        let _ = match count {
            1 => write!(self.shown, "‹U+{code:04X}›"),
            _ => write!(self.shown, "‹U+{code:04X} ×{count}›"),
        };
        // What follows stands behind the mark, in a cell of its own.
        self.cell_chars = 0;
        self.cell_bytes = 0;
    }
}

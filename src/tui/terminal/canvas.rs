//! The frame being made and the one the terminal shows, and the bytes that lead from one to the other.
//!
//! ratatui's own `Terminal` is not used: it writes colour resets and cursor codes for a frame in which nothing changed, and
//! asks the terminal where its cursor is whenever it clears.

use ratatui::backend::Backend as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::prelude::CrosstermBackend;

use crate::tui::model::Size;

/// A frame begins and ends as one synchronized update.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// In front of a frame on a screen that shows something else.
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// What the terminal shows, and what it will show next.
#[derive(Debug)]
pub struct Canvas {
    shown: Buffer,
    next: Buffer,
    /// The next frame begins on an empty screen.
    clears: bool,
    bytes: Vec<u8>,
}

impl Canvas {
    /// For a terminal that shows something else.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let blank = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        Self { shown: blank.clone(), next: blank, clears: true, bytes: Vec::new() }
    }

    /// The next frame draws every cell, for a terminal of this size.
    pub fn blank(&mut self, size: Size) {
        let area = Rect::new(0, 0, size.width, size.height);
        for buffer in [&mut self.shown, &mut self.next] {
            buffer.resize(area);
            buffer.reset();
        }
        self.clears = true;
    }

    /// Makes a frame and tells what to write for it: nothing when nothing changed.
    pub fn draw(&mut self, view: impl FnOnce(&mut Buffer)) -> &[u8] {
        self.next.reset();
        view(&mut self.next);
        self.bytes.clear();
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && !self.clears {
            return &[];
        }
        self.bytes.extend_from_slice(BEGIN);
        if std::mem::take(&mut self.clears) {
            self.bytes.extend_from_slice(CLEAR);
        }
        // A `Vec` takes everything.
        let _ = CrosstermBackend::new(&mut self.bytes).draw(changes.into_iter());
        self.bytes.extend_from_slice(END);
        std::mem::swap(&mut self.shown, &mut self.next);
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Style};

    use super::*;

    fn hello(buffer: &mut Buffer) {
        buffer.set_string(1, 0, "hello", Style::new().fg(Color::Red));
    }

    #[test]
    fn nothing_is_written_where_nothing_changed() {
        let mut canvas = Canvas::new(Size { width: 8, height: 2 });
        let first = canvas.draw(hello).to_vec();
        let told = String::from_utf8(first).unwrap();
        assert!(told.starts_with("\x1b[?2026h\x1b[0m\x1b[2J") && told.ends_with("\x1b[?2026l"), "{told:?}");
        assert_eq!(canvas.draw(hello), b"", "the same frame");
        let moved = String::from_utf8(
            canvas
                .draw(|buffer| {
                    hello(buffer);
                    buffer.set_string(0, 1, "x", Style::new());
                })
                .to_vec(),
        );
        let moved = moved.unwrap();
        assert!(moved.contains('x') && !moved.contains("hello") && !moved.contains("\x1b[2J"), "{moved:?}");
    }

    #[test]
    fn a_terminal_that_shows_something_else_is_drawn_whole() {
        let mut canvas = Canvas::new(Size { width: 8, height: 2 });
        canvas.draw(hello);
        canvas.blank(Size { width: 6, height: 2 });
        // Two rows: vt100 0.16 cannot wrap on a single one.
        let mut screen = vt100::Parser::new(2, 6, 0);
        screen.process(b"garbage");
        screen.process(canvas.draw(hello));
        assert_eq!(screen.screen().contents(), " hello");
        assert_eq!(canvas.draw(hello), b"");
    }
}

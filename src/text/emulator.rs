//! What a terminal would show of a byte stream: vt100 with the sizes and the shrinking that it survives.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A terminal of some size.
pub struct Emulator {
    parser: vt100::Parser,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, columns) = self.parser.screen().size();
        write!(out, "Emulator({columns}×{rows})")
    }
}

impl Emulator {
    /// An empty one; sizes that vt100 cannot bear are brought to the nearest that it can.
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Self {
        let (columns, rows) = bearable(columns, rows);
        Self { parser: vt100::Parser::new(rows, columns, 0) }
    }

    /// What it shows.
    #[must_use]
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Takes output in. A fault of the emulator ends neither the supervisor, which would leave its step alone, nor the
    /// room: the screen is empty from there on.
    pub fn take(&mut self, bytes: &[u8]) {
        let (rows, columns) = self.parser.screen().size();
        if catch_unwind(AssertUnwindSafe(|| self.parser.process(bytes))).is_err() {
            self.parser = vt100::Parser::new(rows, columns, 0);
        }
    }

    /// vt100 0.16 cannot shrink below its cursor: a new screen gets the old one's last lines, and what runs on it draws
    /// itself anew after SIGWINCH.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let (columns, rows) = bearable(columns, rows);
        let old = self.parser.screen();
        if old.size() == (rows, columns) {
            return;
        }
        let mut fresh = vt100::Parser::new(rows, columns, 0);
        if old.alternate_screen() {
            fresh.process(b"\x1b[?1049h");
        } else {
            let text = old.contents();
            let lines: Vec<&str> = text.lines().collect();
            let kept = lines.get(lines.len().saturating_sub(usize::from(rows) - 1)..).unwrap_or_default();
            let kept: Vec<String> =
                kept.iter().map(|line| line.chars().take(usize::from(columns) - 1).collect()).collect();
            fresh.process(kept.join("\r\n").as_bytes());
        }
        self.parser = fresh;
    }
}

/// A width of 1 panics in vt100, 0×0 divides by nothing, and no screen has more than a thousand lines.
fn bearable(columns: u16, rows: u16) -> (u16, u16) {
    (columns.clamp(2, 1_000), rows.clamp(2, 1_000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_smaller_screen_keeps_the_last_lines() {
        let mut emulator = Emulator::new(20, 6);
        emulator.take(b"one\r\ntwo\r\nthree\r\nfour\r\n$ ");
        emulator.resize(10, 3);
        assert_eq!(emulator.screen().contents(), "four\n$ ");
        assert_eq!(emulator.screen().size(), (3, 10));
        emulator.resize(0, 0);
        assert_eq!(emulator.screen().size(), (2, 2));
    }

    proptest! {
        #[test]
        fn no_output_and_no_size_breaks_it(
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..80), 0_u16..120, 0_u16..60), 0..8),
            sequences in prop::collection::vec("\\x1b\\[[0-9;?]{0,9}[A-Za-z]", 0..12),
        ) {
            let mut emulator = Emulator::new(80, 24);
            for (bytes, columns, rows) in pieces {
                emulator.take(&bytes);
                for sequence in &sequences {
                    emulator.take(sequence.as_bytes());
                }
                emulator.resize(columns, rows);
            }
        }
    }
}

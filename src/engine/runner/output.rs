//! From a step's bytes to lines for a screen: whole lines, a bounded helping at a time, with the exact count of what was
//! left out.

use std::collections::VecDeque;

use crate::text::Clean;

/// Lines of one helping: more than any pane shows at once, few enough that a helping costs the screen nothing.
const HELPING: usize = 200;

/// Longest line that is shown; the rest is in the spool.
const LINE: usize = 2_000;

/// Gathers bytes of both streams.
#[derive(Debug, Default)]
pub(super) struct Lines {
    waiting: VecDeque<Clean>,
    open: Vec<u8>,
    /// A carriage return came: what follows writes over the line.
    returned: bool,
    pub bytes: u64,
    dropped: u64,
}

impl Lines {
    /// Takes bytes in. A carriage return begins the line anew, as a progress bar means it.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        for &byte in bytes {
            match byte {
                b'\n' => {
                    self.returned = false;
                    self.end_line();
                }
                b'\r' => self.returned = true,
                _ => {
                    if std::mem::take(&mut self.returned) {
                        self.open.clear();
                    }
                    if self.open.len() < LINE {
                        self.open.push(byte);
                    }
                }
            }
        }
    }

    /// Bytes that nobody told.
    pub fn skip(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.dropped += bytes;
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.open);
        let clean = Clean::new(plain(&line));
        self.open.clear();
        self.waiting.push_back(clean);
        while self.waiting.len() > HELPING {
            if let Some(lost) = self.waiting.pop_front() {
                self.dropped += lost.as_str().len() as u64 + 1;
            }
        }
    }

    /// The last line, though it has no end yet.
    pub fn finish(&mut self) {
        if !self.open.is_empty() {
            self.end_line();
        }
    }

    /// What waits: how many bytes were left out before it, and the lines.
    pub fn take(&mut self) -> Option<(u64, Vec<Clean>)> {
        if self.waiting.is_empty() && self.dropped == 0 {
            return None;
        }
        Some((std::mem::take(&mut self.dropped), self.waiting.drain(..).collect()))
    }
}

/// Without colours: the pane draws its own. Every other escape is left for the gate to show.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let body = from.get(2..).unwrap_or_default();
        let end = body.find(|symbol: char| !(symbol.is_ascii_digit() || symbol == ';' || symbol == ':'));
        match end {
            Some(end) if body.get(end..).is_some_and(|tail| tail.starts_with('m')) => {
                rest = body.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push('\u{1b}');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out.replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&str]) -> Vec<String> {
        let mut lines = Lines::default();
        pieces.iter().for_each(|piece| lines.feed(piece.as_bytes()));
        lines.finish();
        lines.take().map(|(_, lines)| lines.iter().map(ToString::to_string).collect()).unwrap_or_default()
    }

    #[test]
    fn lines_are_whole_wherever_the_pieces_break() {
        assert_eq!(told(&["a", "b\nc", "\n", "d"]), ["ab", "c", "d"]);
        assert_eq!(told(&["10%\r20%\r100%\r\nnext\r\n"]), ["100%", "next"]);
        assert_eq!(told(&["\u{1b}[31mred\u{1b}[0m \u{1b}]52;c;x\u{7}"]), ["red ‹U+001B›]52;c;x‹U+0007›"]);
    }

    #[test]
    fn a_flood_keeps_the_newest_lines_and_counts_the_rest() {
        let mut lines = Lines::default();
        for number in 0..10_000 {
            lines.feed(format!("{number:04}\n").as_bytes());
        }
        let (dropped, shown) = lines.take().unwrap();
        assert_eq!((dropped, shown.len()), (9_800 * 5, 200));
        assert_eq!(shown[0].as_str(), "9800");
        lines.skip(7);
        assert_eq!(lines.take(), Some((7, Vec::new())));
        assert_eq!(lines.bytes, 50_007);
    }
}

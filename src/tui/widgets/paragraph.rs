//! Text over several lines: broken between words, measured without drawing.

use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

use super::pen::width;
use super::{Pen, Shown, Words};
use crate::tui::layout::Area;

/// Longest text that is broken into lines; the rest is cut. A megabyte in one annotation must not cost a frame.
const MAX_BYTES: usize = 16 * 1024;

/// The text in lines of at most `columns`, at most `most` of them; the last one ends in `…` when there was more.
#[must_use]
pub fn wrap(text: &str, columns: u16, most: usize) -> Vec<Words> {
    if columns == 0 || most == 0 {
        return Vec::new();
    }
    let end = (0..=MAX_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.get(..end).unwrap_or_default().split_word_bounds() {
        let wide = width(word);
        if used + wide > columns && used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
            if lines.len() > most {
                break;
            }
        }
        if used == 0 && word.trim().is_empty() && !lines.is_empty() {
            continue;
        }
        if wide <= columns {
            line.push_str(word);
            used += wide;
            continue;
        }
        // A word longer than a line, such as an address, is broken where the line ends.
        for grapheme in word.graphemes(true) {
            let wide = width(grapheme);
            if used + wide > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    let is_cut = lines.len() > most || end < text.len();
    lines.truncate(most);
    if let Some(last) = lines.last_mut().filter(|_| is_cut) {
        // The mark must show even on a full line: without it a cut text reads as a whole one.
        let mut kept = last.trim_end().len();
        while width(last.get(..kept).unwrap_or_default()) >= columns {
            let Some((at, _)) = last.get(..kept).unwrap_or_default().grapheme_indices(true).next_back() else { break };
            kept = at;
        }
        last.truncate(kept);
        last.push('…');
    }
    lines.into_iter().map(|line| Words::of(format_args!("{}", line.trim_end()))).collect()
}

/// Draws the text in lines from the top of `area`; returns the rows used.
pub fn paragraph(pen: &mut Pen<'_>, area: Area, text: &impl Shown, style: Style) -> u16 {
    let lines = wrap(text.shown(), area.width, usize::from(area.height));
    for (y, line) in (area.y..).zip(&lines) {
        pen.put(area.x, y, area.width, line, style);
    }
    lines.len() as u16
}

/// Lays a style over the letters at these character positions of a text that was drawn from `x` on.
pub fn highlight(pen: &mut Pen<'_>, x: u16, y: u16, room: u16, text: &str, positions: &[u32], style: Style) {
    let mut at = 0_u16;
    let mut wanted = positions.iter().copied().peekable();
    for (index, symbol) in (0_u32..).zip(text.chars()) {
        let wide = unicode_width::UnicodeWidthChar::width(symbol).unwrap_or(0) as u16;
        if at + wide > room || wanted.peek().is_none() {
            break;
        }
        while wanted.peek().is_some_and(|position| *position < index) {
            wanted.next();
        }
        if wanted.peek() == Some(&index) {
            pen.ground(Area::new(x + at, y, wide, 1), style);
        }
        at += wide;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str, columns: u16, most: usize) -> Vec<String> {
        wrap(text, columns, most).iter().map(|line| line.as_str().to_owned()).collect()
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(lines("the disk of db-1 is full", 10, 9), ["the disk", "of db-1 is", "full"]);
        assert_eq!(lines("https://example.org/a/very/long/path", 12, 2), ["https://", "example.org…"]);
        assert_eq!(lines("one two three four", 9, 1), ["one two…"]);
        assert_eq!(lines("", 9, 3), [""]);
        assert_eq!(lines("日本語の障害", 4, 9), ["日本", "語の", "障害"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_none_is_lost(text in "[a-zé日 ./-]{0,200}", columns in 2_u16..40) {
            let all = lines(&text, columns, usize::MAX);
            prop_assert!(all.iter().all(|line| width(line) <= columns));
            let letters = |text: &str| text.chars().filter(|symbol| !symbol.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&all.concat()), letters(&text));
        }
    }
}

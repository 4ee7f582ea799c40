//! The one place that writes cells. A cell takes at most eight code points and 32 bytes (RELIABILITY S4), no control
//! character whatever comes in, and nothing is written outside the area given.

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::Shown;
use crate::config::theme::Role;
use crate::tui::layout::Area;
use crate::tui::style::{Glyphs, Skin};

const MAX_CELL_POINTS: usize = 8;
const MAX_CELL_BYTES: usize = 32;

/// Longest address put behind a link: more, and the terminal ignores it anyway.
const MAX_LINK_BYTES: usize = 2083;

/// Draws on a buffer with a skin.
#[derive(Debug)]
pub struct Pen<'a> {
    /// What is drawn on.
    pub buffer: &'a mut Buffer,
    /// How roles look.
    pub skin: &'a Skin,
}

impl From<Area> for Rect {
    fn from(area: Area) -> Self {
        Self::new(area.x, area.y, area.width, area.height)
    }
}

impl From<Rect> for Area {
    fn from(rect: Rect) -> Self {
        Self::new(rect.x, rect.y, rect.width, rect.height)
    }
}

/// Columns a text takes.
#[must_use]
pub fn width(text: &str) -> u16 {
    let columns = if is_plain(text) { text.len() } else { text.width() };
    u16::try_from(columns).unwrap_or(u16::MAX)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

impl Pen<'_> {
    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.skin.style(role)
    }

    /// The glyphs.
    #[must_use]
    pub fn glyphs(&self) -> &'static Glyphs {
        self.skin.glyphs
    }

    /// Lays a style under everything that comes after.
    pub fn ground(&mut self, area: Area, style: Style) {
        self.buffer.set_style(area.into(), style);
    }

    /// Takes what was drawn back, so that what is drawn over it stands out: one quiet colour, no weight.
    pub fn veil(&mut self, area: Area) {
        let style = self.style(Role::Veil);
        let rect = Rect::from(area).intersection(self.buffer.area);
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.modifier = ratatui::style::Modifier::empty();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Blank cells, whatever stood there.
    pub fn clear(&mut self, area: Area, style: Style) {
        let rect = Rect::from(area).intersection(self.buffer.area);
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Writes from `x` on, at most `room` columns; what does not fit is cut with `…`. Returns the columns written.
    pub fn put(&mut self, x: u16, y: u16, room: u16, text: &impl Shown, style: Style) -> u16 {
        self.write(x, y, room, text.shown(), style)
    }

    /// Writes so that the last column is `right - 1`, at most `room` columns. Returns the columns written.
    pub fn put_right(&mut self, right: u16, y: u16, room: u16, text: &impl Shown, style: Style) -> u16 {
        let columns = width(text.shown()).min(room);
        self.write(right.saturating_sub(columns), y, columns, text.shown(), style)
    }

    /// Writes in the middle of `room` columns.
    pub fn put_centred(&mut self, area: Area, text: &impl Shown, style: Style) {
        let columns = width(text.shown()).min(area.width);
        self.write(area.x + (area.width - columns) / 2, area.y, columns, text.shown(), style);
    }

    /// One glyph into one cell.
    pub fn glyph(&mut self, x: u16, y: u16, glyph: &'static str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(glyph).set_style(style);
        }
    }

    /// One glyph over a row of cells.
    pub fn rule(&mut self, x: u16, y: u16, columns: u16, glyph: &'static str, style: Style) {
        for at in x..x.saturating_add(columns) {
            self.glyph(at, y, glyph, style);
        }
    }

    /// Text that opens `url` where the terminal knows links. Every cell is whole in itself and carries the same id, so
    /// a terminal that redraws half of it still has one link. Only http and https.
    pub fn link(&mut self, x: u16, y: u16, room: u16, text: &impl Shown, url: &str, style: Style) -> u16 {
        let columns = self.put(x, y, room, text, style);
        if !self.skin.capabilities.has_links || !is_link(url) {
            return columns;
        }
        let id = url
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let one = NonZeroU16::MIN;
        for at in x..x.saturating_add(columns) {
            let Some(cell) = self.buffer.cell_mut((at, y)) else { break };
            let symbol = cell.symbol().to_owned();
            let columns = NonZeroU16::new(width(&symbol)).unwrap_or(one);
            cell.set_symbol(&format!("\x1b]8;id=w{id:x};{url}\x1b\\{symbol}\x1b]8;;\x1b\\"));
            cell.set_diff_option(CellDiffOption::ForcedWidth(columns));
        }
        columns
    }

    fn write(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let bounds = self.buffer.area;
        if y < bounds.y || y >= bounds.bottom() || x < bounds.x || x >= bounds.right() {
            return 0;
        }
        let room = room.min(bounds.right() - x);
        if is_plain(text) { self.write_plain(x, y, room, text, style) } else { self.write_any(x, y, room, text, style) }
    }

    fn write_plain(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let fits = text.len() <= usize::from(room);
        let columns = if fits { text.len() as u16 } else { room };
        for (at, byte) in (0..columns).zip(text.as_bytes()) {
            let Some(cell) = self.buffer.cell_mut((x + at, y)) else { break };
            cell.set_char(char::from(*byte)).set_style(style);
        }
        if !fits && columns > 0 {
            self.glyph(x + columns - 1, y, self.glyphs().cut, style);
        }
        columns
    }

    fn write_any(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let mut at = 0_u16;
        // Where a cut sign would go if the next grapheme no longer fits.
        let mut last = 0_u16;
        for grapheme in text.graphemes(true) {
            let grapheme = bounded(grapheme);
            let columns = width(grapheme);
            if columns == 0 {
                continue;
            }
            if at + columns > room {
                if room > 0 {
                    let from = if at < room { at } else { last };
                    self.blank(x + from, y, room - from, style);
                    self.glyph(x + from, y, self.glyphs().cut, style);
                    at = from + 1;
                }
                break;
            }
            if let Some(cell) = self.buffer.cell_mut((x + at, y)) {
                if grapheme.chars().any(char::is_control) {
                    cell.set_char('\u{fffd}').set_style(style);
                } else if grapheme == "…" {
                    // Texts that were broken into lines bring the mark along; it follows the terminal too.
                    cell.set_symbol(self.skin.glyphs.cut).set_style(style);
                } else {
                    cell.set_symbol(grapheme).set_style(style);
                }
            }
            self.blank(x + at + 1, y, columns - 1, style);
            last = at;
            at += columns;
        }
        at
    }

    fn blank(&mut self, x: u16, y: u16, columns: u16, style: Style) {
        for at in x..x + columns {
            if let Some(cell) = self.buffer.cell_mut((at, y)) {
                cell.set_char(' ').set_style(style);
            }
        }
    }
}

/// The base and as many marks as a cell may hold.
fn bounded(grapheme: &str) -> &str {
    if grapheme.len() <= MAX_CELL_BYTES && grapheme.chars().take(MAX_CELL_POINTS + 1).count() <= MAX_CELL_POINTS {
        return grapheme;
    }
    let fits = |at: &usize| *at <= MAX_CELL_BYTES;
    let ends = grapheme.char_indices().map(|(at, symbol)| at + symbol.len_utf8()).take(MAX_CELL_POINTS);
    ends.take_while(fits).last().and_then(|end| grapheme.get(..end)).unwrap_or("\u{fffd}")
}

/// Whether an address may stand behind a link: http or https, printable ASCII, of bounded length.
#[must_use]
pub fn is_link(url: &str) -> bool {
    let has_scheme = url.starts_with("https://") || url.starts_with("http://");
    has_scheme && url.len() <= MAX_LINK_BYTES && url.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::theme::{Capabilities, Theme};
    use crate::text::Untrusted;

    fn drawn(text: &str, room: u16) -> (String, u16) {
        let skin = Skin::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        let used = Pen { buffer: &mut buffer, skin: &skin }.write(0, 0, room, text, Style::default());
        let cells = (0..12).map(|x| buffer[(x, 0)].symbol().to_owned()).collect::<String>();
        (cells.trim_end().to_owned(), used)
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let cases = [
            ("short", 12, "short", 5),
            ("exactly12chr", 12, "exactly12chr", 12),
            ("longer than room", 8, "longer …", 8),
            ("x", 0, "", 0),
            ("ab", 1, "…", 1),
            ("日本語", 6, "日 本 語", 6),
            ("日本語", 5, "日 本 …", 5),
            ("日本語", 4, "日 …", 3),
            ("über", 3, "üb…", 3),
        ];
        for (text, room, wanted, used) in cases {
            assert_eq!(drawn(text, room), (wanted.to_owned(), used), "{text} in {room}");
        }
    }

    #[test]
    fn control_characters_never_reach_a_cell() {
        assert_eq!(drawn("a\u{1b}[2Jb", 12).0, "a\u{fffd}[2Jb");
        assert!(!drawn("é\u{7}\r\n\u{9b}2J", 12).0.chars().any(char::is_control));
    }

    #[test]
    fn a_cell_is_bounded() {
        let flood = format!("a{}", "\u{301}".repeat(100_000));
        let skin = Skin::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        Pen { buffer: &mut buffer, skin: &skin }.write(0, 0, 4, &flood, Style::default());
        let symbol = buffer[(0, 0)].symbol();
        assert!(symbol.chars().count() <= 8 && symbol.len() <= 32, "{} bytes", symbol.len());
    }

    #[test]
    fn only_web_addresses_become_links() {
        let skin = Skin::new(&Theme::default(), Capabilities { has_links: true, ..Capabilities::FULL });
        let cases = [
            ("https://x.example/a", true),
            ("javascript:alert(1)", false),
            ("https://x.example/\u{1b}]8;;\u{7}", false),
            ("file:///etc/passwd", false),
        ];
        for (url, is_linked) in cases {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
            Pen { buffer: &mut buffer, skin: &skin }.link(0, 0, 4, &"open", url, Style::default());
            for x in 0..4 {
                assert_eq!(buffer[(x, 0)].symbol().contains("\x1b]8;"), is_linked, "{url}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_written_outside_the_room(text in any::<String>(), room in 0_u16..10, x in 0_u16..14) {
            let skin = Skin::default();
            let mut buffer = Buffer::filled(Rect::new(0, 0, 12, 1), ratatui::buffer::Cell::new("#"));
            let clean = Untrusted::from(text).clean();
            let used = Pen { buffer: &mut buffer, skin: &skin }.put(x, 0, room, &clean, Style::default());
            prop_assert!(used <= room);
            for at in 0..12 {
                let symbol = buffer[(at, 0)].symbol();
                prop_assert!(!symbol.chars().any(char::is_control));
                prop_assert!((x..x + room).contains(&at) || symbol == "#", "{:?} at {}", symbol, at);
            }
        }
    }
}

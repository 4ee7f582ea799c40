//! One line that fills from the left, with parts aligned to the right end: titles, header, list rows.

use ratatui::style::Style;

use super::pen::width;
use super::{Pen, Shown};
use crate::config::theme::Role;
use crate::tui::layout::Area;

/// Which side a cell's text stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A line being filled.
#[derive(Debug)]
pub struct Row<'p, 'a> {
    pen: &'p mut Pen<'a>,
    x: u16,
    end: u16,
    y: u16,
}

impl<'p, 'a> Row<'p, 'a> {
    /// The first line of `area`.
    pub fn new(pen: &'p mut Pen<'a>, area: Area) -> Self {
        let end = if area.height == 0 { area.x } else { area.right() };
        Self { pen, x: area.x, end, y: area.y }
    }

    /// Columns left.
    #[must_use]
    pub fn room(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// Where the next text goes.
    #[must_use]
    pub fn x(&self) -> u16 {
        self.x
    }

    /// What a role looks like.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.pen.style(role)
    }

    /// The glyphs.
    #[must_use]
    pub fn glyphs(&self) -> &'static crate::tui::style::Glyphs {
        self.pen.glyphs()
    }

    /// Text; cut where the line ends.
    pub fn put(&mut self, text: &impl Shown, role: Role) -> &mut Self {
        let style = self.pen.style(role);
        self.put_styled(text, style)
    }

    /// Text with a style of its own.
    pub fn put_styled(&mut self, text: &impl Shown, style: Style) -> &mut Self {
        let room = self.room();
        self.x += self.pen.put(self.x, self.y, room, text, style);
        self
    }

    /// Text, but only when all of it fits with `after` more columns.
    pub fn put_whole(&mut self, text: &impl Shown, role: Role, after: u16) -> bool {
        let fits = width(text.shown()).saturating_add(after) <= self.room();
        if fits {
            self.put(text, role);
        }
        fits
    }

    /// Empty columns.
    pub fn gap(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.end);
        self
    }

    /// Text in a column of fixed width, so that what follows stands still.
    pub fn cell(&mut self, columns: u16, align: Align, text: &impl Shown, role: Role) -> &mut Self {
        let style = self.pen.style(role);
        self.cell_styled(columns, align, text, style)
    }

    /// As [`Row::cell`], with a style of its own.
    pub fn cell_styled(&mut self, columns: u16, align: Align, text: &impl Shown, style: Style) -> &mut Self {
        let columns = columns.min(self.room());
        match align {
            Align::Left => self.pen.put(self.x, self.y, columns, text, style),
            Align::Right => self.pen.put_right(self.x + columns, self.y, columns, text, style),
        };
        self.x += columns;
        self
    }

    /// Text at the right end; the line ends before it. Left out when less than `keep` columns would remain.
    pub fn right(&mut self, text: &impl Shown, role: Role, keep: u16) -> &mut Self {
        let columns = width(text.shown());
        if columns > 0 && columns.saturating_add(keep) <= self.room() {
            let style = self.pen.style(role);
            self.pen.put_right(self.end, self.y, columns, text, style);
            self.end -= columns;
        }
        self
    }

    /// Empty columns at the right end.
    pub fn right_gap(&mut self, columns: u16) -> &mut Self {
        self.end = self.end.saturating_sub(columns).max(self.x);
        self
    }

    /// A link; see [`Pen::link`].
    pub fn link(&mut self, text: &impl Shown, url: &str, role: Role) -> &mut Self {
        let (style, room) = (self.pen.style(role), self.room());
        self.x += self.pen.link(self.x, self.y, room, text, url, style);
        self
    }
}

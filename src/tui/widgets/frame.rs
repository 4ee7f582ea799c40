//! Frames: a pane's box with title and state, a popup's box, the scroll bar on a frame's right side.

use super::{Pen, Row, Shown, Words, words};
use crate::config::theme::Role;
use crate::domain::freshness::Freshness;
use crate::tui::layout::Area;
use crate::tui::style::freshness_role;

/// What stands on a pane's frame.
#[derive(Debug, Default)]
pub struct PaneTitle<'t> {
    /// The key that goes there.
    pub key: Option<Words>,
    /// Its name.
    pub name: &'static str,
    /// More: how many, which filter, which service.
    pub detail: Words,
    /// How far its data can be trusted, and since when.
    pub state: Option<(Freshness, Words)>,
    /// Anything else at the right end, before the state.
    pub aside: Option<&'t Words>,
    /// Whether it has the keys.
    pub is_focused: bool,
}

/// A frame with rounded corners.
pub fn border(pen: &mut Pen<'_>, area: Area, role: Role) {
    if area.width < 2 || area.height < 2 {
        return;
    }
    let [left_up, right_up, left_down, right_down, flat, steep] = pen.glyphs().frame;
    let style = pen.style(role);
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    pen.rule(area.x + 1, area.y, area.width - 2, flat, style);
    pen.rule(area.x + 1, bottom, area.width - 2, flat, style);
    for y in area.y + 1..bottom {
        pen.glyph(area.x, y, steep, style);
        pen.glyph(right, y, steep, style);
    }
    pen.glyph(area.x, area.y, left_up, style);
    pen.glyph(right, area.y, right_up, style);
    pen.glyph(area.x, bottom, left_down, style);
    pen.glyph(right, bottom, right_down, style);
}

/// A pane's frame; returns what is inside.
pub fn pane(pen: &mut Pen<'_>, area: Area, title: &PaneTitle<'_>) -> Area {
    border(pen, area, if title.is_focused { Role::FocusBorder } else { Role::Border });
    let line = Area::new(area.x.saturating_add(1), area.y, area.width.saturating_sub(2), area.height.min(1));
    title_line(pen, line, title);
    area.inset(1, 1)
}

/// Title at the left, state at the right.
pub fn title_line(pen: &mut Pen<'_>, line: Area, title: &PaneTitle<'_>) {
    let mut row = Row::new(pen, line);
    if let Some((freshness, age)) = &title.state {
        let text = state_text(row.glyphs().freshness(*freshness), *freshness, age);
        row.right_gap(1).right(&text, freshness_role(*freshness), 16);
    }
    if let Some(aside) = title.aside {
        row.right(aside, Role::TextDim, 20);
    }
    row.put(&" ", Role::Title);
    if let Some(key) = &title.key {
        row.put(key, Role::KeyHint).put(&" ", Role::Title);
    }
    row.put(&title.name, if title.is_focused { Role::FocusTitle } else { Role::Title }).put(&" ", Role::Title);
    if !title.detail.is_empty() {
        row.put(&title.detail, Role::TextDim).put(&" ", Role::Title);
    }
}

/// What a frame's title says beside its name, at the right end of a line.
pub fn lone_line(pen: &mut Pen<'_>, line: Area, title: &PaneTitle<'_>) {
    let mut row = Row::new(pen, line);
    row.right_gap(1);
    if let Some((freshness, age)) = &title.state {
        let text = state_text(row.glyphs().freshness(*freshness), *freshness, age);
        row.right(&text, freshness_role(*freshness), 0).right_gap(1);
    }
    if !title.detail.is_empty() {
        row.right(&words!(" {} ", title.detail), Role::TextDim, 0).right_gap(1);
    }
    if let Some(aside) = title.aside {
        row.right(aside, Role::TextDim, 0);
    }
}

/// Glyph, age, and the word for everything that is not as it should be.
fn state_text(glyph: &'static str, freshness: Freshness, age: &Words) -> Words {
    match freshness {
        Freshness::Fresh => words!(" {glyph} {age} "),
        Freshness::Ageing => words!(" {glyph} ageing {age} "),
        Freshness::Stale => words!(" {glyph} stale {age} "),
        Freshness::Unknown => words!(" {glyph} no answer yet "),
        Freshness::Forbidden => words!(" {glyph} forbidden {age} "),
        Freshness::Empty => words!(" {glyph} none {age} "),
    }
}

/// A popup in the middle of `over`, as large as its content wants and the screen allows; returns what is inside.
pub fn popup(pen: &mut Pen<'_>, over: Area, width: u16, height: u16, title: &impl Shown) -> Area {
    let room = over.inset(if over.width > 64 { 2 } else { 0 }, u16::from(over.height > 18));
    popup_at(pen, room.centred(width.saturating_add(4), height.saturating_add(2)), title)
}

/// How many lines of `height` a popup over `over` shows.
#[must_use]
pub fn popup_rows(over: Area, height: u16) -> u16 {
    over.height.saturating_sub(2 * u16::from(over.height > 18)).saturating_sub(2).min(height)
}

/// A popup in a given place; returns what is inside.
pub fn popup_at(pen: &mut Pen<'_>, area: Area, title: &impl Shown) -> Area {
    let ground = pen.style(Role::Popup);
    pen.clear(area, ground);
    border(pen, area, Role::PopupBorder);
    let line = Area::new(area.x.saturating_add(1), area.y, area.width.saturating_sub(2), area.height.min(1));
    if !title.shown().is_empty() {
        Row::new(pen, line).put(&" ", Role::Title).put(title, Role::FocusTitle).put(&" ", Role::Title);
    }
    area.inset(2, 1)
}

/// Where one is in something longer than its area: a thumb on the frame's right side.
pub fn scroll_bar(pen: &mut Pen<'_>, column: Area, offset: usize, shown: usize, all: usize) {
    if all <= shown || column.is_empty() {
        return;
    }
    let height = usize::from(column.height);
    let thumb = (height * shown / all).clamp(1, height);
    let last = all - shown;
    let from = (height - thumb) * offset.min(last) / last.max(1);
    let (style, glyph) = (pen.style(Role::Scroll), pen.glyphs().thumb);
    for at in from..from + thumb {
        pen.glyph(column.x, column.y + at as u16, glyph, style);
    }
}

//! Short notices in the lower right corner, the newest at the bottom.

use crate::config::theme::Role;
use crate::tui::layout::{Area, Rects, Shape};
use crate::tui::model::Model;
use crate::tui::style::Glyphs;
use crate::tui::toast::Weight;
use crate::tui::widgets::paragraph::wrap;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Pen, Row, frame, words};

/// Widest notice.
const WIDEST: u16 = 64;

pub(super) fn draw(pen: &mut Pen<'_>, rects: &Rects, model: &Model) {
    if rects.shape == Shape::Tiny {
        return;
    }
    if !model.overlays.is_empty() {
        return beside_overlay(pen, rects.hints, model);
    }
    let mut floor = rects.body.bottom();
    for toast in model.toasts.shown().iter().rev() {
        let widest = WIDEST.min(rects.body.width.saturating_sub(8));
        let (glyph, role) = look(pen.glyphs(), toast.weight);
        let text = if toast.times > 1 { words!("{} (x{})", toast.text, toast.times) } else { words!("{}", toast.text) };
        let lines = wrap(text.as_str(), widest, 4);
        let columns = lines.iter().map(|line| width(line.as_str())).max().unwrap_or(0);
        let (wide, high) = (columns + 6, lines.len() as u16 + 2);
        if floor < rects.body.y + high || wide + 2 > rects.body.width {
            return;
        }
        let area = Area::new(rects.body.right() - wide - 1, floor - high, wide, high);
        let inside = frame::popup_at(pen, area, &"");
        frame::border(pen, area, role);
        let (style, text_style) = (pen.style(role), pen.style(Role::Popup));
        pen.put(inside.x, inside.y, 1, &glyph, style);
        for (y, line) in (inside.y..).zip(&lines) {
            pen.put(inside.x + 2, y, columns, line, text_style);
        }
        floor -= high;
    }
}

fn look(glyphs: &Glyphs, weight: Weight) -> (&'static str, Role) {
    match weight {
        Weight::Info => (glyphs.dot, Role::ToastInfo),
        Weight::Warning => ("!", Role::ToastWarning),
        Weight::Error => (glyphs.cross, Role::ToastError),
    }
}

/// A notice must not cover what is asked: while something lies over the panes the newest one takes the line of the hints.
fn beside_overlay(pen: &mut Pen<'_>, line: Area, model: &Model) {
    let Some(toast) = model.toasts.shown().last() else { return };
    let ground = pen.style(Role::Background);
    pen.clear(line, ground);
    let mut row = Row::new(pen, line);
    let (glyph, role) = look(row.glyphs(), toast.weight);
    row.gap(1).put(&glyph, role).gap(1).put(&toast.text, Role::Text);
}

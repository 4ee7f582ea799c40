//! The row of pane names where one pane is shown at a time.

use crate::config::theme::Role;
use crate::tui::layout::{Area, Pane, tab_span};
use crate::tui::model::Model;
use crate::tui::widgets::frame::PaneTitle;
use crate::tui::widgets::{Pen, words};

pub(super) fn draw(pen: &mut Pen<'_>, area: Area, model: &Model) {
    if area.is_empty() {
        return;
    }
    let rule = pen.style(Role::Border);
    let flat = pen.glyphs().frame[4];
    pen.rule(area.x, area.y, area.width, flat, rule);
    for (number, pane) in Pane::ALL.into_iter().enumerate() {
        let (from, width) = tab_span(pane);
        let is_focused = pane == model.focus;
        let (key, name) = if is_focused { (Role::KeyHint, Role::FocusTitle) } else { (Role::TextDim, Role::Title) };
        let (key, name) = (pen.style(key), pen.style(name));
        let x = area.x + from;
        if from + width > area.width {
            break;
        }
        pen.put(x, area.y, 3, &words!(" {} ", number + 1), key);
        pen.put(x + 3, area.y, width - 3, &words!("{} ", pane.title()), name);
    }
}

/// What a frame's title would say, at the right end of the tab row.
pub(super) fn lone_title(pen: &mut Pen<'_>, area: Area, title: &PaneTitle<'_>) {
    let (last, columns) = tab_span(Pane::Runbook);
    let from = last + columns + 2;
    if area.y == 0 || area.width <= from + 8 {
        return;
    }
    let line = Area::new(area.x + from, area.y - 1, area.width - from, 1);
    crate::tui::widgets::frame::lone_line(pen, line, title);
}

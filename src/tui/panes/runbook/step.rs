//! Draws the selected step in full, below the checklist: notes, condition, command as written. Its output goes here too.

use super::{update, view};
use crate::config::theme::Role;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::widgets::frame::{PaneTitle, pane};
use crate::tui::widgets::{Pen, Row, Words, words};

pub(crate) fn draw(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let found = update::shown(model).zip(update::selected(model));
    let detail = found.map_or_else(Words::default, |(_, (at, _))| words!("{}", at + 1));
    let title = PaneTitle { key: None, name: "Step", detail, ..PaneTitle::default() };
    let inside = pane(pen, area, &title).inset(1, 0);
    let Some((runbook, (_, step))) = found else { return };
    let mut y = inside.y;
    let line = |y: u16| Area { y, height: 1, ..inside };
    let lines = crate::tui::widgets::paragraph::wrap(step.title.as_str(), inside.width, 2);
    for title in &lines {
        if y < inside.bottom() {
            Row::new(pen, line(y)).put(title, Role::TextStrong);
            y += 1;
        }
    }
    if y < inside.bottom() {
        let mut row = Row::new(pen, line(y));
        let (glyph, role) = view::kind(row.glyphs(), &step.work);
        if glyph != " " {
            row.put(&glyph, role).gap(1);
        }
        row.put(&view::how(&step.work), Role::TextDim);
        if let Some(ticked) = view::ticked_words(model, runbook, step) {
            let tick = row.glyphs().tick;
            row.gap(2).put(&tick, Role::StepDone).gap(1).put(&ticked, Role::StepDone);
        }
        y += 2;
    }
    let left = usize::from(inside.bottom().saturating_sub(y));
    for (text, role) in view::detail(step, inside.width, left) {
        Row::new(pen, line(y)).put(&text, role);
        y += 1;
    }
    let left = usize::from(inside.bottom().saturating_sub(y));
    for (text, role) in super::evidence::lines(model, step, inside.width, left) {
        Row::new(pen, line(y)).put(&text, role);
        y += 1;
    }
}

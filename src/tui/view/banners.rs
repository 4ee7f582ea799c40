//! The line under the header while a file of ours is broken and nobody has looked.

use crate::config::theme::Role;
use crate::domain::command::CommandId;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::widgets::{Pen, Row, words};

pub(super) fn draw(pen: &mut Pen<'_>, area: Area, model: &Model) {
    if area.is_empty() {
        return;
    }
    let first = model.problems.iter().find(|problem| problem.is_error).or(model.problems.first());
    let Some(first) = first else { return };
    let role = if first.is_error { Role::BannerError } else { Role::BannerWarning };
    let style = pen.style(role);
    pen.ground(area, style);
    let key = model.keymap.keys(CommandId::Problems, model.context());
    let mut row = Row::new(pen, area);
    row.gap(1).right_gap(1);
    if let Some(chords) = key.first() {
        let more = model.problems.len() - 1;
        let text = match more {
            0 => words!("  {} shows it", crate::config::keymap::Keymap::sequence(chords)),
            _ => words!("  and {more} more: {} shows them", crate::config::keymap::Keymap::sequence(chords)),
        };
        row.right(&text, role, 40);
    }
    // A problem's words come from files of ours, which anybody may have written.
    row.put(&crate::text::Clean::new(first.to_string()), role);
}

//! Questions: what exactly will happen, to whom, what speaks against it, and the key that lets it. And prompts.

use super::input_line;
use crate::config::theme::Role;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::Prompt;
use crate::tui::overlays::confirm::{CONFIRM_KEY, Confirm, Demand};
use crate::tui::widgets::paragraph::wrap;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Pen, Row, Words, frame, words};

/// Columns of a question at most.
const WIDEST: u16 = 88;

/// Targets listed before the rest is counted.
const MOST_TARGETS: usize = 12;

pub(super) fn draw(pen: &mut Pen<'_>, over: Area, model: &Model, confirm: &Confirm) {
    let room = WIDEST.min(over.width.saturating_sub(8)).max(20);
    let arrow = pen.glyphs().arrow;
    let mut lines: Vec<(Words, Words, Role)> = Vec::new();
    let most = usize::from(over.height.saturating_sub(9)).clamp(1, MOST_TARGETS);
    for will in confirm.will.iter().skip(confirm.offset).take(most) {
        for (at, line) in wrap(will.as_str(), room - 2, 3).into_iter().enumerate() {
            lines.push((if at == 0 { words!("{arrow} ") } else { words!("  ") }, line, Role::Text));
        }
    }
    let hidden = confirm.will.len().saturating_sub(confirm.offset + most);
    if hidden > 0 {
        lines.push((words!("  "), words!("and {hidden} more"), Role::TextDim));
    }
    for warning in &confirm.warnings {
        for (at, line) in wrap(warning.as_str(), room - 2, 3).into_iter().enumerate() {
            lines.push((if at == 0 { words!("! ") } else { words!("  ") }, line, Role::Ageing));
        }
    }
    let widest = lines.iter().map(|(_, line, _)| width(line.as_str()) + 2).max().unwrap_or(0);
    let columns = widest.max(width(confirm.title.as_str()) + 2).max(44).min(room);
    let answer_rows = if matches!(confirm.demand, Demand::Name { .. }) { 4 } else { 2 };
    let inside = frame::popup(pen, over, columns, lines.len() as u16 + answer_rows + 1, &confirm.title);
    let (text, answer) = inside.split_bottom(answer_rows);
    for (y, (mark, line, role)) in (text.y..text.bottom()).zip(&lines) {
        let mark_role = if *role == Role::Text { Role::Accent } else { *role };
        Row::new(pen, Area { y, height: 1, ..text }).put(mark, mark_role).put(line, *role);
    }
    match &confirm.demand {
        Demand::Enter | Demand::Key => {
            let is_key = matches!(confirm.demand, Demand::Key);
            // Until the keyboard was quiet for a moment no key counts; the line says so by being dim.
            let armed = confirm.is_armed(model.now);
            let line = answer.split_top(1).1;
            let mut row = Row::new(pen, line);
            let key = if is_key { words!("{CONFIRM_KEY}") } else { words!("Enter") };
            row.put(&key, if armed { Role::KeyDanger } else { Role::TextDim });
            row.put(&" does it", if armed { Role::Text } else { Role::TextDim }).gap(3);
            row.put(&"n", Role::KeyHint).put(&" or Esc leaves", Role::KeyLabel);
        }
        Demand::Name { wanted, typed } => {
            let (_, lines) = answer.split_top(1);
            let (ask, rest) = lines.split_top(1);
            Row::new(pen, ask)
                .put(&"type ", Role::TextDim)
                .put(wanted, Role::KeyDanger)
                .put(&" and Enter, or Esc to leave", Role::TextDim);
            let (input, _) = rest.split_top(1);
            input_line(pen, input, &typed.text(), Some(typed.cursor().1));
        }
    }
}

pub(super) fn prompt(pen: &mut Pen<'_>, over: Area, prompt: &Prompt, on_top: bool) {
    let columns = WIDEST.min(over.width.saturating_sub(8)).max(20);
    let inside = frame::popup(pen, over, columns, 5, &prompt.title);
    let (input, rest) = inside.split_top(1).1.split_top(1);
    let cursor = on_top.then(|| prompt.input.cursor().1);
    input_line(pen, input, &prompt.input.text(), cursor);
    let hint = rest.split_bottom(1).1;
    let style = pen.style(Role::KeyLabel);
    pen.put(hint.x, hint.y, hint.width, &prompt.hint, style);
}

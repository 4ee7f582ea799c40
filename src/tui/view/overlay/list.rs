//! Lists to choose from: the palette and the pickers.

use super::input_line;
use crate::config::keymap::{Context, Keymap};
use crate::config::theme::Role;
use crate::tui::command;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::{Palette, Picker};
use crate::tui::widgets::paragraph::{highlight, wrap};
use crate::tui::widgets::pen::width;
use crate::tui::widgets::window::first_shown;
use crate::tui::widgets::{Align, Pen, Row, frame, words};

/// Rows of a list at most.
const MOST_ROWS: u16 = 18;

/// Columns of a command's title.
const TITLE: u16 = 20;

pub(super) fn palette(pen: &mut Pen<'_>, over: Area, model: &Model, palette: &Palette) {
    let inside = frame::popup(pen, over, 84, MOST_ROWS + 2, &"Command");
    let (line, list) = inside.split_top(2);
    typed(pen, line, &palette.input.text(), palette.input.cursor().1);
    let count = palette.found.len();
    if count == 0 {
        let style = pen.style(Role::Empty);
        pen.put(list.x, list.y, list.width, &"no command of that name", style);
        return;
    }
    let first = first_shown(0, Some(palette.at), count, list.height, |_| 1);
    for (y, (at, found)) in (list.y..list.bottom()).zip(palette.found.iter().enumerate().skip(first)) {
        let entry = command::command(found.command);
        let area = Area { y, height: 1, ..list };
        let selected = at == palette.at;
        ground(pen, area, selected);
        let keys = [Context::Incidents, Context::Timeline, Context::Panels, Context::Runbook, Context::Problems]
            .into_iter()
            .find_map(|context| {
                model.keymap.keys(found.command, context).first().map(|chords| words!(" {} ", Keymap::sequence(chords)))
            });
        let mut row = Row::new(pen, area);
        row.right(&keys.unwrap_or_default(), Role::KeyHint, 30);
        row.gap(1);
        let (x, role) = (row.x(), if found.blocked.is_some() { Role::TextDim } else { Role::TextStrong });
        let titled = TITLE.min(row.room());
        row.cell(titled, Align::Left, &entry.title, role).gap(2);
        let says = found
            .blocked
            .as_ref()
            .map_or_else(|| words!("{}", entry.help), |why| words!("{}", crate::text::Clean::new(why)));
        row.put(&says, Role::TextDim);
        let style = pen.style(Role::Match);
        highlight(pen, x, y, titled, entry.title, &found.positions, style);
    }
    let column = Area::new(inside.right().saturating_add(1), list.y, 1, list.height);
    frame::scroll_bar(pen, column, first, usize::from(list.height), count);
}

fn typed(pen: &mut Pen<'_>, area: Area, text: &str, cursor: usize) {
    let line = area.split_top(1).0;
    let style = pen.style(Role::KeyHint);
    pen.put(line.x, line.y, line.width, &"> ", style);
    input_line(pen, line.split_left(2).1, text, Some(cursor));
}

fn ground(pen: &mut Pen<'_>, area: Area, selected: bool) {
    if selected {
        let (style, accent, cursor) = (pen.style(Role::Selection), pen.style(Role::Accent), pen.glyphs().cursor);
        pen.ground(area, style);
        pen.glyph(area.x, area.y, cursor, accent);
    }
}

pub(super) fn picker(pen: &mut Pen<'_>, over: Area, picker: &Picker) {
    let label = picker.choices.iter().map(|choice| width(choice.label.as_str())).max().unwrap_or(0).min(44);
    let detail = picker.choices.iter().map(|choice| width(choice.detail.as_str())).max().unwrap_or(0);
    let marks = if picker.is_many { 4 } else { 0 };
    let asks = width(picker.hint.as_str()).max(width(picker.title.as_str()) + 2);
    let wanted = (label + detail + marks + 5).max(asks).clamp(46, 96);
    let rows = (picker.choices.len() as u16).clamp(2, MOST_ROWS);
    let inside = frame::popup(pen, over, wanted, rows + 4, &picker.title);
    let (line, rest) = inside.split_top(2);
    let (list, hint) = rest.split_bottom(1);
    typed(pen, line, &picker.input.text(), picker.input.cursor().1);
    let dim = pen.style(Role::KeyLabel);
    pen.put(hint.x, hint.y, hint.width, &picker.hint, dim);
    let list = list.split_bottom(1).0;
    if picker.found.is_empty() {
        let says = if picker.choices.is_empty() { words!("{}", picker.when_empty) } else { words!("nothing fits") };
        let style = pen.style(Role::Empty);
        for (y, line) in (list.y..list.bottom()).zip(wrap(says.as_str(), list.width, 3)) {
            pen.put(list.x, y, list.width, &line, style);
        }
        return;
    }
    let count = picker.found.len();
    let first = first_shown(picker.offset, Some(picker.at), count, list.height, |_| 1);
    for (y, (at, (index, positions))) in (list.y..list.bottom()).zip(picker.found.iter().enumerate().skip(first)) {
        let Some(choice) = picker.choices.get(*index) else { continue };
        let area = Area { y, height: 1, ..list };
        ground(pen, area, at == picker.at);
        let mut row = Row::new(pen, area);
        row.gap(1);
        if picker.is_many {
            let tick = if picker.picked.contains(index) { row.glyphs().tick } else { " " };
            row.put(&words!("[{tick}] "), Role::Mark);
        }
        let x = row.x();
        row.cell(label, Align::Left, &choice.label, Role::Text).gap(2);
        row.put(&choice.detail, Role::TextDim);
        let style = pen.style(Role::Match);
        highlight(pen, x, y, label, choice.label.as_str(), positions, style);
    }
    let column = Area::new(inside.right().saturating_add(1), list.y, 1, list.height);
    frame::scroll_bar(pen, column, first, usize::from(list.height), count);
}

//! A step's terminal: its cells as they are, the staged line below them, and who has the keys.

use ratatui::style::{Color, Modifier, Style};

use crate::config::theme::Role;
use crate::domain::run::StepState;
use crate::text::Clean;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::terminal::Terminal;
use crate::tui::style::ansi;
use crate::tui::widgets::{Pen, Row, frame, words};

/// Lines below the cells: the staged line, the keys.
const BELOW: u16 = 2;

/// Columns and lines that are free for the cells.
pub(super) fn free(over: Area) -> (u16, u16) {
    let inside = place(over).inset(2, 1);
    (inside.width, inside.height.saturating_sub(BELOW))
}

fn place(over: Area) -> Area {
    over.inset(if over.width > 90 { 2 } else { 0 }, 0)
}

pub(super) fn draw(pen: &mut Pen<'_>, over: Area, model: &Model, terminal: &Terminal) {
    let inside = frame::popup_at(pen, place(over), &words!("{}", terminal.title));
    let (cells, below) = inside.split_bottom(BELOW);
    if let Some(emulator) = model.runbook.screens.of(terminal.run, &terminal.step) {
        draw_cells(pen, cells, emulator.screen(), terminal.has_keys);
    }
    let (staged, keys) = below.split_top(1);
    let state = model.room.run(terminal.run).map(|run| run.state(&terminal.step));
    let is_over = !matches!(state, Some(StepState::Running { .. }));
    let mut row = Row::new(pen, staged);
    match terminal.line().filter(|_| !is_over) {
        Some(line) => {
            let place = words!("{}/{} ", terminal.next + 1, terminal.staged.len());
            row.put(&"staged ", Role::TextDim).put(&place, Role::TextDim).put(&Clean::new(line), Role::StepAuto);
        }
        None if !terminal.staged.is_empty() && !is_over => drop(row.put(&"every staged line was sent", Role::TextDim)),
        None => {}
    }
    let mut row = Row::new(pen, keys);
    if is_over {
        let word = state.map_or("not begun", |state| state.word());
        row.put(&words!("{word} "), Role::Ageing).gap(1);
    }
    if terminal.has_keys {
        // Not given back by itself: who types on while the program ends would type into the room.
        let says = if is_over { " takes the keys back" } else { " takes the keys back; all others go to the program" };
        row.put(&"Ctrl-]", Role::KeyDanger).put(&says, Role::KeyLabel);
        return;
    }
    if is_over {
        row.put(&"Esc", Role::KeyHint).put(&" leaves", Role::KeyLabel);
        return;
    }
    if model.read_only {
        row.put(&"read-only ", Role::Ageing).gap(1);
        row.put(&"Esc", Role::KeyHint).put(&" leaves it running", Role::KeyLabel);
        return;
    }
    if terminal.line().is_some() {
        row.put(&"Enter", Role::KeyDanger).put(&" sends this line", Role::KeyLabel).gap(2);
        row.put(&"j/k", Role::KeyHint).put(&" another", Role::KeyLabel).gap(2);
    }
    row.put(&"i", Role::KeyHint).put(&" types into it", Role::KeyLabel).gap(2);
    row.put(&"Esc", Role::KeyHint).put(&" leaves it running", Role::KeyLabel);
}

fn draw_cells(pen: &mut Pen<'_>, area: Area, screen: &vt100::Screen, with_cursor: bool) {
    let ground = pen.style(Role::Text);
    // A theme without colours gets none from a program either.
    let has_colours = pen.style(Role::Accent).fg.is_some_and(|colour| colour != Color::Reset);
    let (rows, columns) = screen.size();
    let cursor = (with_cursor && !screen.hide_cursor()).then(|| screen.cursor_position());
    for (row, y) in (0..rows).zip(area.y..area.bottom()) {
        for (column, x) in (0..columns).zip(area.x..area.right()) {
            let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
            let mut style = styled(ground, cell, has_colours);
            if cursor == Some((row, column)) {
                style = style.add_modifier(Modifier::REVERSED);
            }
            // Most of a screen is ground that the popup has drawn already.
            if cell.has_contents() {
                // Every cell passes the gate: what a terminal would hide must not hide here.
                pen.put(x, y, area.right() - x, &Clean::new(cell.contents()), style);
            } else if style != ground {
                pen.put(x, y, 1, &" ", style);
            }
        }
    }
}

fn styled(ground: Style, cell: &vt100::Cell, has_colours: bool) -> Style {
    let mut style = ground;
    if has_colours {
        style.fg = colour(cell.fgcolor()).or(style.fg);
        style.bg = colour(cell.bgcolor()).or(style.bg);
    }
    let attributes = [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ];
    for (_, modifier) in attributes.into_iter().filter(|(is_set, _)| *is_set) {
        style = style.add_modifier(modifier);
    }
    style
}

/// The sixteen colours that every terminal and theme has; finer ones are left out.
fn colour(colour: vt100::Color) -> Option<Color> {
    match colour {
        vt100::Color::Idx(index) => ansi(index),
        vt100::Color::Default | vt100::Color::Rgb(..) => None,
    }
}

//! Help: every command with its keys, in as many columns as there is room for.

use crate::config::theme::Role;
use crate::tui::command::{Command, Danger, HelpLine, help_lines};
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::Help;
use crate::tui::widgets::paragraph::wrap;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Align, Pen, Row, Words, frame, words};

/// A line of the page as it is drawn.
pub(super) enum Line {
    Gap,
    Heading(&'static str),
    /// Keys and title where the entry begins, and a part of its sentence.
    Entry {
        first: Option<(Words, Command)>,
        says: Words,
    },
}

/// Widths: of the keys, of the titles, of the sentences.
struct Columns {
    keys: u16,
    title: u16,
    says: u16,
}

impl Columns {
    fn of(lines: &[HelpLine], over: Area) -> Self {
        let entries = || {
            lines.iter().filter_map(|line| match line {
                HelpLine::Entry { keys, command } => Some((keys, command)),
                HelpLine::Heading(_) | HelpLine::Gap => None,
            })
        };
        let keys = entries().map(|(keys, _)| width(keys)).max().unwrap_or(0).min(20);
        let title = entries().map(|(_, command)| width(command.title)).max().unwrap_or(0);
        let longest = entries().map(|(_, command)| width(command.help) + width(later(command))).max().unwrap_or(0);
        let room = over.width.saturating_sub(8 + keys + 2 + title + 2);
        Self { keys, title, says: longest.min(room.max(20)) }
    }

    fn whole(&self) -> u16 {
        self.keys + 2 + self.title + 2 + self.says
    }
}

fn later(command: &Command) -> &'static str {
    if command.later.is_some() { "Later: " } else { "" }
}

/// The page, its sentences over as many lines as they need.
pub(super) fn lines(model: &Model, over: Area) -> Vec<Line> {
    let all = help_lines(&model.keymap);
    let columns = Columns::of(&all, over);
    let mut lines = Vec::new();
    for line in all {
        match line {
            HelpLine::Gap => lines.push(Line::Gap),
            HelpLine::Heading(text) => lines.push(Line::Heading(text)),
            HelpLine::Entry { keys, command } => {
                let says = format!("{}{}", later(&command), command.help);
                for (at, says) in wrap(&says, columns.says, 4).into_iter().enumerate() {
                    let first = (at == 0).then(|| (words!("{keys}"), command));
                    lines.push(Line::Entry { first, says });
                }
            }
        }
    }
    lines
}

pub(super) fn draw(pen: &mut Pen<'_>, over: Area, model: &Model, help: &Help) {
    let columns = Columns::of(&help_lines(&model.keymap), over);
    let lines = lines(model, over);
    let title = words!("Help {} keymap {}", pen.glyphs().dot, model.keymap.name());
    let inside = frame::popup(pen, over, columns.whole(), lines.len() as u16, &title);
    let shown = usize::from(inside.height);
    let offset = help.offset.min(lines.len().saturating_sub(shown));
    for (y, line) in (inside.y..inside.bottom()).zip(lines.iter().skip(offset)) {
        let mut row = Row::new(pen, Area { y, height: 1, ..inside });
        match line {
            Line::Gap => {}
            Line::Heading(text) => {
                row.gap(columns.keys + 2).put(text, Role::Heading);
            }
            Line::Entry { first, says } => {
                if let Some((keys, command)) = first {
                    let (key, title) = match (command.later, command.danger) {
                        (Some(_), _) => (Role::TextDim, Role::TextDim),
                        (None, Danger::None) => (Role::KeyHint, Role::Text),
                        (None, _) => (Role::KeyDanger, Role::Text),
                    };
                    let keys = if keys.is_empty() { words!(":") } else { keys.clone() };
                    row.cell(columns.keys, Align::Right, &keys, key).gap(2);
                    row.cell(columns.title, Align::Left, &command.title, title).gap(2);
                } else {
                    row.gap(columns.keys + 2 + columns.title + 2);
                }
                row.put(says, Role::TextDim);
            }
        }
    }
    let column = Area::new(inside.right().saturating_add(1), inside.y, 1, inside.height);
    frame::scroll_bar(pen, column, offset, shown, lines.len());
}

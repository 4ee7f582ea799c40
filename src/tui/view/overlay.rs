//! What lies over the panes, in the middle of the body; only the topmost has the keys.

use std::sync::Arc;

use crate::config::theme::Role;
use crate::tui::layout::{Area, Rects, Shape};
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Pen, Row, Shown, Words, frame};

mod confirm;
mod declare;
mod detail;
mod explain;
mod help;
mod list;
mod problems;
mod terminal;

pub(super) fn draw(pen: &mut Pen<'_>, rects: &Rects, model: &Model, overlay: &Overlay, on_top: bool) {
    if rects.shape == Shape::Tiny {
        return tiny(pen, rects.body, overlay);
    }
    let over = rects.body;
    match overlay {
        Overlay::Help(help) => help::draw(pen, over, model, help),
        Overlay::Palette(palette) => list::palette(pen, over, model, palette),
        Overlay::Confirm(confirm) => confirm::draw(pen, over, model, confirm),
        Overlay::Prompt(prompt) => confirm::prompt(pen, over, prompt, on_top),
        Overlay::Picker(picker) => list::picker(pen, over, picker),
        Overlay::Declare(form) => declare::draw(pen, over, model, form),
        Overlay::Detail(detail) => detail::draw(pen, over, model, detail),
        Overlay::Problems(problems) => problems::draw(pen, over, model, problems),
        Overlay::Terminal(open) => terminal::draw(pen, over, model, open),
    }
}

/// Columns and lines that a step's terminal gets.
pub(crate) fn terminal_size(model: &Model) -> (u16, u16) {
    terminal::free(model.rects().body)
}

/// Lines of the scrolling overlay on top, and how many of them are seen: a key at the end must not run on unseen.
pub(crate) fn extent(model: &Model) -> Option<(usize, usize)> {
    let over = model.rects().body;
    let lines = match model.overlays.last()? {
        Overlay::Help(_) => help::lines(model, over).len(),
        Overlay::Detail(detail) => detail::lines(&crate::tui::style::glyphs::UNICODE, model, detail, over).1.0.len(),
        _ => return None,
    };
    Some((lines, usize::from(frame::popup_rows(over, u16::try_from(lines).unwrap_or(u16::MAX)))))
}

/// The next line of the page on top that has a text, whatever its case; from the first one again after the last.
pub(crate) fn line_with(model: &Model, wanted: &crate::text::Clean, from: usize) -> Option<usize> {
    let Some(Overlay::Detail(detail)) = model.overlays.last() else { return None };
    let (_, lines) = detail::lines(&crate::tui::style::glyphs::UNICODE, model, detail, model.rects().body);
    let wanted = wanted.as_str().to_lowercase();
    let found: Vec<usize> = (0..).zip(&lines.0).filter(|(_, line)| has(line, &wanted)).map(|(at, _)| at).collect();
    found.iter().find(|at| **at >= from).or(found.first()).copied()
}

fn has(line: &[Piece], wanted: &str) -> bool {
    line.iter().any(|(text, _, _)| text.shown().to_lowercase().contains(wanted))
}

/// A question must be seen even where nothing else is.
fn tiny(pen: &mut Pen<'_>, body: Area, overlay: &Overlay) {
    let style = pen.style(Role::TextStrong);
    let line = Area { y: body.y.saturating_add(1), height: body.height.saturating_sub(1).min(1), ..body };
    if line.is_empty() {
        return;
    }
    match overlay {
        Overlay::Confirm(confirm) => pen.put(line.x, line.y, line.width, &confirm.title, style),
        Overlay::Prompt(prompt) => pen.put(line.x, line.y, line.width, &prompt.title, style),
        Overlay::Picker(picker) => pen.put(line.x, line.y, line.width, &picker.title, style),
        // The keys may go to a program that nobody sees.
        Overlay::Terminal(open) if open.has_keys => {
            pen.put(line.x, line.y, line.width, &"Ctrl-] takes the keys back", style)
        }
        _ => 0,
    };
}

/// A piece of a line: text, how it looks, and what opens behind it.
type Piece = (Words, Role, Option<Arc<str>>);

/// Lines of coloured pieces: what the scrolling overlays show.
#[derive(Default)]
pub(super) struct Lines(Vec<Vec<Piece>>);

/// Columns of the names at the left of a field.
const FIELD: u16 = 14;

impl Lines {
    fn blank(&mut self) {
        if self.0.last().is_some_and(|line| !line.is_empty()) {
            self.0.push(Vec::new());
        }
    }

    fn heading(&mut self, text: &'static str) {
        self.blank();
        self.push(vec![(Words::of(format_args!("{text}")), Role::Heading)]);
    }

    fn push(&mut self, pieces: Vec<(Words, Role)>) {
        self.0.push(pieces.into_iter().map(|(text, role)| (text, role, None)).collect());
    }

    /// Lets the lines that have a text stand out.
    fn mark(&mut self, wanted: &str) {
        for line in self.0.iter_mut().filter(|line| has(line, wanted)) {
            line.iter_mut().for_each(|(_, role, _)| *role = Role::Match);
        }
    }

    /// Text over as many lines as it needs.
    fn text(&mut self, text: &impl Shown, columns: u16, role: Role) {
        self.indented(0, text, columns, role);
    }

    fn indented(&mut self, indent: u16, text: &impl Shown, columns: u16, role: Role) {
        self.hanging(&"", indent, text, columns, role, 200);
    }

    /// A name, and its text beside it over as many lines as it needs.
    fn field(&mut self, name: &'static str, text: &impl Shown, columns: u16, role: Role) {
        self.hanging(&name, FIELD, text, columns, role, 40);
    }

    /// Text beside a name, hanging under its own beginning. An address can be opened on every line of it.
    fn hanging(&mut self, name: &impl Shown, indent: u16, text: &impl Shown, columns: u16, role: Role, most: usize) {
        let room = columns.saturating_sub(indent).max(8);
        let url: Option<Arc<str>> = (role == Role::Link).then(|| Arc::from(text.shown()));
        for (at, line) in crate::tui::widgets::paragraph::wrap(text.shown(), room, most).into_iter().enumerate() {
            let name = if at == 0 { name.shown() } else { "" };
            let name = Words::of(format_args!("{name:<0$}", usize::from(indent)));
            self.0.push(vec![(name, Role::TextDim, None), (line, role, url.clone())]);
        }
    }

    /// A popup as large as the lines need, scrolled to `offset`, which stops at the end.
    fn popup(&self, pen: &mut Pen<'_>, over: Area, columns: u16, title: &impl Shown, offset: usize) {
        let rows = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        let inside = frame::popup(pen, over, columns, rows, title);
        let shown = usize::from(inside.height);
        let offset = offset.min(self.0.len().saturating_sub(shown));
        for (y, line) in (inside.y..inside.bottom()).zip(self.0.iter().skip(offset)) {
            let mut row = Row::new(pen, Area { y, height: 1, ..inside });
            for (text, role, url) in line {
                match url {
                    Some(url) => row.link(text, url, *role),
                    None => row.put(text, *role),
                };
            }
        }
        let column = Area::new(inside.right().saturating_add(1), inside.y, 1, inside.height);
        frame::scroll_bar(pen, column, offset, shown, self.0.len());
    }
}

/// What is typed on one line; the part around the cursor when it is longer than the line.
pub(crate) fn input_line(pen: &mut Pen<'_>, area: Area, text: &str, cursor: Option<usize>) {
    let clean = crate::text::Clean::new(text);
    let style = pen.style(Role::Input);
    pen.ground(area, style);
    let Some(cursor) = cursor else {
        pen.put(area.x, area.y, area.width, &clean, style);
        return;
    };
    let before: String = text.chars().take(cursor).collect();
    let before = crate::text::Clean::new(before);
    let mut kept = before.as_str();
    // Letters go at the left until the cursor has a place.
    while width(kept) >= area.width.max(1) {
        let Some(next) = kept.char_indices().nth(1).map(|(at, _)| at) else { break };
        kept = kept.get(next..).unwrap_or_default();
    }
    let skipped = before.as_str().len() - kept.len();
    let shown = Words::of(format_args!("{}", clean.as_str().get(skipped..).unwrap_or_default()));
    pen.put(area.x, area.y, area.width, &shown, style);
    let at = area.x + width(kept);
    if at < area.right() {
        let cursor = pen.style(Role::Cursor);
        pen.ground(Area::new(at, area.y, 1, 1), cursor);
    }
}

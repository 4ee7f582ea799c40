//! Everything that is wrong, and every source with how it does: one line each, the selected one in full below.

use crate::config::theme::Role;
use crate::domain::action::{Delivery, Target};
use crate::domain::freshness::Freshness;
use crate::domain::room::Sending;
use crate::domain::source::{Reach, SourceHealth};
use crate::text::Clean;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::Problems;
use crate::tui::overlays::problems::{Line, lines};
use crate::tui::panes::incidents::view::verb;
use crate::tui::style::freshness_role;
use crate::tui::view::freshness::{is_down, source_trust};
use crate::tui::widgets::paragraph::paragraph;
use crate::tui::widgets::window::first_shown;
use crate::tui::widgets::{Align, Pen, Row, Words, clock, frame, words};

/// Columns of the name.
const NAME: u16 = 24;

pub(super) fn draw(pen: &mut Pen<'_>, over: Area, model: &Model, problems: &Problems) {
    let all = lines(model);
    let columns = 110.min(over.width.saturating_sub(8)).max(30);
    let detail_rows = 7;
    let inside =
        frame::popup(pen, over, columns, all.len().max(1) as u16 + detail_rows + 1, &"Sources, actions, problems");
    if all.is_empty() {
        let style = pen.style(Role::Empty);
        pen.put(inside.x, inside.y, inside.width, &"no source is configured and nothing is wrong", style);
        return;
    }
    let (list, below) = inside.split_bottom(detail_rows.min(inside.height / 2));
    let row = problems.row(&all);
    let first = first_shown(problems.offset, Some(row), all.len(), list.height.saturating_sub(1), |_| 1);
    let list = list.split_bottom(1).0;
    for (y, (at, line)) in (list.y..list.bottom()).zip(all.iter().enumerate().skip(first)) {
        let area = Area { y, height: 1, ..list };
        if at == row {
            let (style, accent, cursor) = (pen.style(Role::Selection), pen.style(Role::Accent), pen.glyphs().cursor);
            pen.ground(area, style);
            pen.glyph(area.x, area.y, cursor, accent);
        }
        draw_line(pen, area, model, line);
    }
    let column = Area::new(inside.right().saturating_add(1), list.y, 1, list.height);
    frame::scroll_bar(pen, column, first, usize::from(list.height), all.len());
    let rule = pen.style(Role::Border);
    let flat = pen.glyphs().rule;
    pen.rule(below.x, below.y, below.width, flat, rule);
    if let Some(line) = all.get(row) {
        detail(pen, below.split_top(1).1, model, line);
    }
}

fn draw_line(pen: &mut Pen<'_>, area: Area, model: &Model, line: &Line) {
    let glyphs = pen.glyphs();
    let mut row = Row::new(pen, area);
    row.gap(2);
    match line {
        Line::Source(id) => {
            let Some(health) = model.room.sources().get(id) else { return };
            let trust = source_trust(health, model.now);
            let role = if is_down(health) && trust.freshness == Freshness::Fresh {
                Role::Ageing
            } else {
                freshness_role(trust.freshness)
            };
            row.put(&glyphs.freshness(trust.freshness), role).gap(1);
            row.cell(NAME, Align::Left, &words!("{id}"), Role::Text).gap(1);
            row.cell(8, Align::Right, &trust.age, role).gap(2);
            row.put(&reach(health, model), if is_down(health) { Role::Text } else { Role::TextDim });
        }
        Line::Action(op) => {
            let Some(sending) = model.room.sendings().get(op) else { return };
            let (glyph, role, text) = sent(glyphs, sending);
            row.put(&glyph, role).gap(1);
            row.cell(
                NAME,
                Align::Left,
                &words!("{} {}", verb(&sending.intent.action), target(model, sending)),
                Role::Text,
            )
            .gap(1);
            row.cell(8, Align::Right, &clock::brief(model.now - sending.at), Role::TextDim).gap(2).put(&text, role);
        }
        Line::Found(key) => {
            let Some((failure, at)) = model.room.problems().get(key) else { return };
            row.put(&"!", Role::ToastWarning).gap(1).cell(NAME, Align::Left, &failure.what, Role::Text).gap(1);
            row.cell(8, Align::Right, &clock::brief(model.now - *at), Role::TextDim)
                .gap(2)
                .put(&failure.cause, Role::Text);
        }
        Line::File(at) => {
            let Some(problem) = model.problems.get(*at) else { return };
            let role = if problem.is_error { Role::ToastError } else { Role::ToastWarning };
            let place = problem.at.map_or_else(Words::default, |(line, _)| words!("line {line}"));
            row.put(&if problem.is_error { glyphs.cross } else { "!" }, role).gap(1);
            row.cell(NAME, Align::Left, &Clean::new(&problem.file), Role::Text).gap(1);
            row.cell(8, Align::Right, &place, Role::TextDim).gap(2).put(&Clean::new(&problem.message), Role::Text);
        }
    }
}

fn reach(health: &SourceHealth, model: &Model) -> Words {
    match &health.reach {
        Reach::Unasked => words!("not asked yet"),
        Reach::Up => match &health.version {
            Some(version) => words!("answers; version {version}"),
            None => words!("answers"),
        },
        Reach::Partial { dropped } => words!("answers, but {dropped} elements were not understood"),
        Reach::Forbidden { failure } => words!("{}", failure.cause),
        Reach::Down { failure, retry_at } => match retry_at {
            Some(at) if *at > model.now => words!("{}; next try in {}", failure.cause, clock::left(*at - model.now)),
            _ => words!("{}", failure.cause),
        },
    }
}

fn target(model: &Model, sending: &Sending) -> Words {
    match &sending.intent.target {
        Target::New => words!("new incident"),
        Target::Incident { id, .. } => match model.room.incident(id).and_then(|incident| incident.record.as_ref()) {
            Some(record) => words!("#{}", record.number),
            None => words!("{id}"),
        },
    }
}

fn sent(glyphs: &crate::tui::style::Glyphs, sending: &Sending) -> (&'static str, Role, Words) {
    match &sending.delivery {
        Delivery::Queued { .. } => (glyphs.queued, Role::DeliveryQueued, words!("waits to be sent")),
        Delivery::Sent => (glyphs.sent, Role::DeliverySent, words!("sent, no answer yet")),
        Delivery::Confirmed { says } => (glyphs.tick, Role::DeliveryConfirmed, words!("{says}")),
        Delivery::Failed { failure } => (glyphs.cross, Role::DeliveryFailed, words!("{}", failure.cause)),
        Delivery::Unknown { check } => {
            (glyphs.unknown, Role::DeliveryUnknown, words!("may or may not have been done: {check}"))
        }
        Delivery::Dropped => (glyphs.cross, Role::TextDim, words!("given up")),
    }
}

/// The selected line in full: one sentence with what to do, and the figures.
fn detail(pen: &mut Pen<'_>, area: Area, model: &Model, line: &Line) {
    let text = pen.style(Role::Text);
    match line {
        Line::Source(id) => {
            let Some(health) = model.room.sources().get(id) else { return };
            let used = match &health.reach {
                Reach::Down { failure, .. } | Reach::Forbidden { failure } => {
                    paragraph(pen, area, &words!("{failure}"), text)
                }
                Reach::Unasked | Reach::Up | Reach::Partial { .. } => 0,
            };
            figures(pen, area.split_top(used).1, health, model);
        }
        Line::Action(op) => {
            let Some(sending) = model.room.sendings().get(op) else { return };
            let says = match &sending.delivery {
                Delivery::Failed { failure } => words!("{failure}"),
                Delivery::Unknown { check } => {
                    words!("Nobody knows whether it was done. Look at {check}, then try again or give it up.")
                }
                _ => sent(pen.glyphs(), sending).2,
            };
            let used = paragraph(pen, area, &says, text);
            let asked = words!("asked by {} at {}", sending.intent.by, clock::time(sending.intent.at, model.zone));
            let dim = pen.style(Role::TextDim);
            paragraph(pen, area.split_top(used).1, &asked, dim);
        }
        Line::Found(key) => {
            if let Some((failure, _)) = model.room.problems().get(key) {
                paragraph(pen, area, &words!("{failure}"), text);
            }
        }
        Line::File(at) => {
            if let Some(problem) = model.problems.get(*at) {
                paragraph(pen, area, &Clean::new(problem.to_string()), text);
            }
        }
    }
}

fn figures(pen: &mut Pen<'_>, area: Area, health: &SourceHealth, model: &Model) {
    let mut parts = vec![words!("asked every {}s", health.every.0)];
    if let Some(budget) = health.budget {
        let resets = clock::left(budget.resets_at - model.now);
        parts.push(words!("{} of {} requests left, full again in {resets}", budget.remaining, budget.limit));
    }
    if let Some(skew) = health.clock_skew.filter(|skew| skew.0.abs() >= 2) {
        parts.push(words!("its clock is {}s {} ours", skew.0.abs(), if skew.0 > 0 { "ahead of" } else { "behind" }));
    }
    if let Some(since) = health.asking_since {
        parts.push(words!("asking since {}", clock::time(since, model.zone)));
    }
    let joined = parts.iter().map(Words::as_str).collect::<Vec<_>>().join("; ");
    let dim = pen.style(Role::TextDim);
    let used = paragraph(pen, area, &words!("{joined}"), dim);
    let mut rest = area.split_top(used).1;
    let warn = pen.style(Role::Ageing);
    for warning in &health.warnings {
        let used = paragraph(pen, rest, &words!("! {warning}"), warn);
        rest = rest.split_top(used).1;
    }
}

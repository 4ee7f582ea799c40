//! Draws the timeline: oldest above, newest below, days set apart, exact times, who and through what.

use std::sync::Arc;

use crate::config::theme::Role;
use crate::domain::source::SourceKind;
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::text::Clean;
use crate::tui::layout::{Area, Pane};
use crate::tui::model::Model;
use crate::tui::panes::timeline::update;
use crate::tui::view::{Place, pane_trust};
use crate::tui::widgets::paragraph::wrap;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::window::first_shown;
use crate::tui::widgets::{Align, Pen, Row, Words, clock, frame, numbers, words};

/// Lines of a selected entry's text that are shown in place; `Enter` shows all.
const MOST_BODY: usize = 6;

/// Lines of a note: what people wrote is what others look for, so it is not cut to one line.
const MOST_NOTE: usize = 3;

pub(crate) fn draw(pen: &mut Pen<'_>, place: Place, model: &Model) {
    let entries = update::shown(model);
    let hidden = model.timeline.hidden.len();
    let incident = model.selected();
    let new = incident
        .map_or(0, |incident| entries.iter().filter(|event| model.timeline.is_new(&incident.id, event)).count());
    let mut detail = words!("{} entries", entries.len());
    if new > 0 {
        detail = words!("{} entries {} {new} new", entries.len(), pen.glyphs().dot);
    }
    let aside = (hidden > 0).then(|| words!(" {hidden} kinds hidden "));
    let trust = incident.and_then(|_| pane_trust(&model.room, &[SourceKind::PagerDuty], false, model.now));
    let inside = place.open(pen, Pane::Timeline, detail, aside.as_ref(), trust);
    if incident.is_none() {
        numbers::notice(pen, inside, &"No incident is selected", &[], Role::Empty);
        return;
    }
    if entries.is_empty() {
        let lines = if hidden > 0 {
            vec![words!("{hidden} kinds are hidden")]
        } else {
            vec![words!("entries appear here as they come")]
        };
        numbers::notice(pen, inside, &"Nothing is known of this incident yet", &lines, Role::Empty);
        return;
    }
    list(pen, place, inside, entries, model);
}

fn list(pen: &mut Pen<'_>, place: Place, inside: Area, entries: &[Arc<TimelineEvent>], model: &Model) {
    let wanted = update::selected(model);
    let at = wanted.and_then(|(source, id)| entries.iter().position(|event| event.source == source && event.id == id));
    let selected = at.unwrap_or(entries.len() - 1);
    let day = |at: usize| entries.get(at).map(|event| event.happened_at.with_timezone(&model.zone).date_naive());
    let starts_day = |at: usize| at > 0 && day(at) != day(at - 1);
    let body_room = inside.width.saturating_sub(TEXT_FROM + 1);
    let expands = place.focused && inside.height >= 10;
    let body = |at: usize| -> Vec<Words> {
        let Some(event) = entries.get(at).filter(|_| expands && at == selected) else { return Vec::new() };
        body_lines(event, body_room)
    };
    let said = |at: usize| entries.get(at).map(|event| said(event, inside.width, expands && at == selected));
    let height = |at: usize| {
        let lines = said(at).map_or(1, |said| said.lines.len().max(1));
        let own = lines as u16 + u16::from(starts_day(at));
        if at == selected { own + body(at).len() as u16 } else { own }
    };
    // Without a scrolled cursor the newest entries fill the pane from below.
    let mut room = inside.height;
    let mut wish = entries.len();
    while wish > 0 && height(wish - 1) <= room {
        wish -= 1;
        room -= height(wish);
    }
    let wish = wish.saturating_sub(model.timeline.offset);
    let first = first_shown(wish, Some(selected), entries.len(), inside.height, height);
    let mut y = inside.y;
    for (at, event) in entries.iter().enumerate().skip(first) {
        if starts_day(at) && y < inside.bottom() {
            day_break(pen, Area { y, height: 1, ..inside }, event, model);
            y += 1;
        }
        if y >= inside.bottom() {
            break;
        }
        let Some(said) = said(at) else { break };
        let high = (said.lines.len().max(1) as u16).min(inside.bottom() - y);
        entry(pen, Area { y, height: high, ..inside }, event, &said, model, at == selected, place.focused);
        y += high;
        let style = pen.style(Role::TextDim);
        for line in body(at) {
            if y < inside.bottom() {
                pen.put(inside.x + TEXT_FROM, y, body_room, &line, style);
                y += 1;
            }
        }
    }
    if place.framed {
        let column = Area::new(place.area.right().saturating_sub(1), inside.y, 1, inside.height);
        frame::scroll_bar(pen, column, first, usize::from(inside.height).min(entries.len() - first), entries.len());
    }
}

/// Columns before the text: cursor, time, gap, new mark, glyph, gap.
const TEXT_FROM: u16 = 1 + 8 + 1 + 1 + 1 + 1;

fn body_lines(event: &TimelineEvent, columns: u16) -> Vec<Words> {
    let mut lines = Vec::new();
    for line in &event.body {
        if lines.len() >= MOST_BODY {
            break;
        }
        lines.extend(wrap(line.as_str(), columns, MOST_BODY - lines.len()));
    }
    lines
}

fn day_break(pen: &mut Pen<'_>, area: Area, event: &TimelineEvent, model: &Model) {
    let (rule, glyph) = (pen.style(Role::ChartGrid), pen.glyphs().rule);
    pen.rule(area.x + 1, area.y, area.width.saturating_sub(2), glyph, rule);
    let day = words!(" {} ", clock::day(event.happened_at, model.zone));
    let style = pen.style(Role::Heading);
    pen.put(area.x + 3, area.y, area.width.saturating_sub(4), &day, style);
}

/// What an entry says, in lines.
struct Said<'e> {
    /// Who, where the text does not say it; the first line begins with it.
    name: Option<&'e Clean>,
    is_person: bool,
    lines: Vec<Words>,
}

/// Columns of the source at the right end; none where the pane is narrow.
fn source_columns(event: &TimelineEvent, columns: u16) -> u16 {
    if columns >= SOURCE_FROM { width(event.source.as_str()) + 2 } else { 0 }
}

/// Columns from which the source stands at the right end.
const SOURCE_FROM: u16 = 72;

fn said(event: &TimelineEvent, columns: u16, is_open: bool) -> Said<'_> {
    let (name, is_person): (&Clean, bool) = match &event.actor {
        Actor::Human(name) => (name, true),
        Actor::Machine(name) => (name, false),
    };
    let text = event.text.as_str();
    let shows_source = columns >= SOURCE_FROM && name.as_str() == event.source.as_str();
    let says_name = columns >= 48 && !name.as_str().is_empty() && !text.contains(name.as_str()) && !shows_source;
    let most = match event.kind {
        _ if is_open => MOST_BODY,
        EventKind::Note => MOST_NOTE,
        _ => 1,
    };
    let more = if event.body.is_empty() || is_open { 0 } else { 2 };
    let room = columns.saturating_sub(TEXT_FROM + 1 + source_columns(event, columns) + more);
    let name = Some(name).filter(|_| says_name);
    let whole = name.map_or_else(|| text.to_owned(), |name| format!("{name} {text}"));
    Said { name, is_person, lines: wrap(&whole, room, most) }
}

fn entry(
    pen: &mut Pen<'_>,
    area: Area,
    event: &TimelineEvent,
    said: &Said<'_>,
    model: &Model,
    selected: bool,
    focused: bool,
) {
    if selected && focused {
        let ground = pen.style(Role::Selection);
        pen.ground(area, ground);
        let (cursor, style) = (pen.glyphs().cursor, pen.style(Role::Accent));
        pen.glyph(area.x, area.y, cursor, style);
    }
    let glyphs = pen.glyphs();
    let is_new = model.incidents.selected.as_ref().is_some_and(|id| model.timeline.is_new(id, event));
    let mut row = Row::new(pen, area);
    row.gap(1).cell(8, Align::Left, &clock::time(event.happened_at, model.zone), Role::TextDim).gap(1);
    if is_new {
        row.cell(1, Align::Left, &glyphs.new, Role::New);
    } else {
        row.gap(1);
    }
    row.cell(1, Align::Left, &glyphs.kind(event.kind), role(event.kind)).gap(1);
    row.right_gap(1);
    if source_columns(event, area.width) > 0 {
        row.right(&words!("{}", event.source), Role::TextDim, 40).right_gap(2);
    }
    let role = if said.is_person || is_new { Role::Text } else { Role::TextDim };
    let x = row.x();
    let last = said.lines.len().saturating_sub(1);
    for (at, line) in said.lines.iter().enumerate().take(usize::from(area.height)) {
        let here = Area { x, y: area.y + at as u16, width: area.right().saturating_sub(x + 1), height: 1 };
        let mut row = Row::new(pen, here);
        row.put(line, role);
        // A line that was cut says already that there is more.
        if at == last && !event.body.is_empty() && !(selected && focused) && !line.as_str().ends_with('…') {
            row.gap(1).put(&glyphs.cut, Role::TextDim);
        }
        if let Some(name) = said.name.filter(|name| at == 0 && line.as_str().starts_with(name.as_str())) {
            let style = pen.style(if said.is_person { Role::TextStrong } else { Role::TextDim });
            pen.put(x, here.y, width(name.as_str()), name, style);
        }
    }
}

/// What changed the state stands out; what only accompanies it is quiet.
fn role(kind: EventKind) -> Role {
    match kind {
        EventKind::Trigger | EventKind::Alert => Role::StatusTriggered,
        EventKind::Escalate | EventKind::Unacknowledge => Role::ClockSoon,
        EventKind::Acknowledge | EventKind::Action => Role::StatusAcknowledged,
        EventKind::Resolve => Role::StatusResolved,
        EventKind::Note => Role::TextStrong,
        EventKind::Change => Role::DeliveryUnknown,
        EventKind::Step => Role::StepDone,
        EventKind::Notify | EventKind::Assign | EventKind::Snooze | EventKind::Edit | EventKind::Other => Role::TextDim,
    }
}

//! Draws the live list: only its visible rows, columns that stand still, every state by glyph and word.

use ratatui::style::Style;

use crate::config::keymap::Keymap;
use crate::config::theme::Role;
use crate::domain::action::{Action, Delivery};
use crate::domain::command::CommandId;
use crate::domain::freshness::Freshness;
use crate::domain::id::IncidentId;
use crate::domain::incident::{Incident, Link, Status};
use crate::domain::room::Sending;
use crate::domain::source::SourceKind;
use crate::tui::layout::{Area, Pane, Rects, incident_height};
use crate::tui::model::Model;
use crate::tui::style::{freshness_role, severity_role, status_role};
use crate::tui::view::{Place, RenderCache, pane_trust, running};
use crate::tui::widgets::paragraph::highlight;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Align, Pen, Row, Words, clock, frame, numbers, words};

/// Columns of the severity: glyph, space, the longest word.
const SEVERITY: u16 = 10;

/// Columns of where a row comes from: `PD+AM`.
const SOURCE: u16 = 6;

/// How long a confirmed action is shown on its row.
const CONFIRMED_S: i64 = 8;

pub(crate) fn draw(pen: &mut Pen<'_>, place: Place, rects: &Rects, model: &Model, _cache: &mut RenderCache) {
    let (room, state) = (&model.room, &model.incidents);
    let (listed, all) = (state.len(room), room.board().len());
    let detail = if state.has_filter() { words!("{listed} of {all}") } else { words!("{all} listed") };
    let kinds = [SourceKind::PagerDuty, SourceKind::Alertmanager];
    let trust = pane_trust(room, &kinds, all == 0, model.now);
    let inside = place.open(pen, Pane::Incidents, detail, None, trust);
    let list = rects.incident_list(state.has_filter());
    let mut heads = inside;
    if state.has_filter() {
        let (line, below) = inside.split_top(1);
        filter_line(pen, line, model);
        heads = below;
    }
    let high = incident_height(list.width);
    if high == 1 && heads.height > 0 {
        column_heads(pen, Area { height: 1, ..heads });
    }
    if listed == 0 {
        empty(pen, list, model);
        return;
    }
    let shown = usize::from(list.height / high.max(1));
    for (at, (_, id)) in state.visible(room, shown).into_iter().enumerate() {
        let area = Area { y: list.y + high * at as u16, height: high, ..list };
        draw_row(pen, area, &id, model, place.focused);
    }
    if place.framed {
        let column = Area::new(place.area.right().saturating_sub(1), list.y, 1, list.height);
        frame::scroll_bar(pen, column, state.offset, shown, listed);
    }
}

fn filter_line(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let state = &model.incidents;
    let ground = pen.style(Role::Input);
    pen.ground(area, ground);
    let text = state.filter.text();
    let cursor = state.is_filtering.then(|| state.filter.cursor().1);
    let mut row = Row::new(pen, area);
    row.gap(1).put(&"/ ", Role::KeyHint);
    let x = row.x();
    crate::tui::view::input_line(pen, Area::new(x, area.y, area.right().saturating_sub(x), 1), &text, cursor);
}

fn column_heads(pen: &mut Pen<'_>, area: Area) {
    let columns = Columns::of(area.width);
    let mut row = Row::new(pen, area);
    row.gap(2).cell(SEVERITY, Align::Left, &"Severity", Role::Heading).gap(1);
    row.cell(columns.title, Align::Left, &"Incident", Role::Heading).gap(1);
    row.cell(columns.service, Align::Left, &"Service", Role::Heading).gap(1);
    row.cell(STATUS, Align::Left, &"Status", Role::Heading).gap(1);
    row.cell(columns.who, Align::Left, &"Who", Role::Heading).gap(1);
    row.cell(clock::AGE_COLUMNS, Align::Right, &"Age", Role::Heading).gap(2);
    row.cell(columns.clock, Align::Left, &"Clock", Role::Heading).gap(1);
    row.cell(SOURCE, Align::Left, &"From", Role::Heading);
}

/// Glyph, space, `acknowledged`.
const STATUS: u16 = 14;

/// Widths of the columns that share what is left.
struct Columns {
    title: u16,
    service: u16,
    who: u16,
    clock: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        let fixed = 2 + SEVERITY + 1 + STATUS + 1 + clock::AGE_COLUMNS + 2 + 1 + SOURCE + 3;
        let rest = width.saturating_sub(fixed);
        let (service, who, clock) = (rest / 6, rest / 7, (rest / 4).min(30));
        Self { title: rest.saturating_sub(service + who + clock), service, who, clock }
    }
}

/// Everything a row says, worked out once.
struct Told<'m> {
    incident: &'m Incident,
    who: Words,
    /// Written out, as `acknowledged`.
    status: (Words, Role),
    /// At most eleven columns, as `acked`.
    short_status: (Words, Role),
    source: Words,
    age: Words,
    trust: Option<Freshness>,
    sending: Option<(Words, Role)>,
    /// Colleagues who look at it: `@Ben`, `@Ben +2`.
    watching: Option<Words>,
}

fn tell<'m>(pen: &Pen<'_>, incident: &'m Incident, model: &Model) -> Told<'m> {
    let glyphs = pen.glyphs();
    let role = if incident.is_suppressed { Role::StatusSuppressed } else { status_role(incident.status) };
    let status = |acknowledged: &'static str| {
        if incident.is_suppressed {
            return (words!("{} silenced", glyphs.silenced), role);
        }
        let word = match incident.status {
            Status::Triggered => "triggered",
            Status::Acknowledged => acknowledged,
            Status::Resolved => "resolved",
        };
        (words!("{} {word}", glyphs.status(incident.status)), role)
    };
    let until = match incident.status {
        Status::Resolved => incident.record.as_ref().map_or(model.now, |record| record.changed_at),
        _ => model.now,
    };
    let sending = model.room.sending_of(&incident.id).and_then(|sending| delivery(glyphs, sending, model));
    let trust = model.room.freshness(&incident.id, model.now);
    Told {
        incident,
        who: who(incident),
        status: status("acknowledged"),
        short_status: status("acked"),
        source: source(glyphs, incident),
        age: clock::age(until - incident.started_at),
        trust: (!matches!(trust, Freshness::Fresh | Freshness::Empty)).then_some(trust),
        sending,
        watching: watching(incident, model),
    }
}

/// Colleagues who look at it now.
fn watching(incident: &Incident, model: &Model) -> Option<Words> {
    let mut names: Vec<&crate::text::Clean> =
        model.room.watchers(&incident.id).filter(|present| !present.is_me).map(|present| &present.who).collect();
    names.dedup();
    match names.as_slice() {
        [] => None,
        [one] => Some(words!("@{one}")),
        [one, more @ ..] => Some(words!("@{one} +{}", more.len())),
    }
}

/// Who has it: who acknowledged, else who was called.
fn who(incident: &Incident) -> Words {
    let Some(record) = &incident.record else { return words!("no pager") };
    let names: Vec<crate::text::Clean> = if record.acknowledgements.is_empty() {
        record.assignees.iter().map(|assignee| assignee.name.clone()).collect()
    } else {
        record.acknowledgements.iter().rev().map(|ack| ack.by.clone()).collect()
    };
    if names.is_empty() { words!("nobody") } else { crate::tui::view::names(&names) }
}

/// `PD`, `AM`, `PD+AM`; with the mark of a tie that is only probable.
fn source(glyphs: &crate::tui::style::Glyphs, incident: &Incident) -> Words {
    let probable = incident.alerts.iter().any(|(_, link)| *link == Link::Probable);
    let joint = if probable { glyphs.probable } else { "+" };
    match (incident.record.is_some(), incident.alerts.is_empty()) {
        (true, true) => words!("PD"),
        (false, _) => words!("AM"),
        (true, false) => words!("PD{joint}AM"),
    }
}

/// How far the last action on a row got, in the place of its clock.
fn delivery(glyphs: &crate::tui::style::Glyphs, sending: &Sending, model: &Model) -> Option<(Words, Role)> {
    let verb = verb(&sending.intent.action);
    Some(match &sending.delivery {
        Delivery::Queued { waits_until: Some(until) } => {
            (words!("{} {verb} waits {}", glyphs.queued, clock::left(*until - model.now)), Role::DeliveryQueued)
        }
        Delivery::Queued { waits_until: None } => (words!("{} {verb} queued", glyphs.queued), Role::DeliveryQueued),
        Delivery::Sent => (words!("{} {verb} sent", glyphs.sent), Role::DeliverySent),
        Delivery::Failed { .. } => (words!("{} {verb} failed", glyphs.cross), Role::DeliveryFailed),
        Delivery::Unknown { .. } => (words!("{} {verb} unknown", glyphs.unknown), Role::DeliveryUnknown),
        Delivery::Confirmed { .. } if (model.now - sending.at).num_seconds() < CONFIRMED_S => {
            (words!("{} {verb} done", glyphs.tick), Role::DeliveryConfirmed)
        }
        Delivery::Confirmed { .. } | Delivery::Dropped => return None,
    })
}

/// An action in one word.
pub(crate) fn verb(action: &Action) -> &'static str {
    match action {
        Action::Acknowledge => "ack",
        Action::Resolve { .. } => "resolve",
        Action::Trigger => "reopen",
        Action::Escalate { .. } => "escalate",
        Action::Reassign { .. } => "reassign",
        Action::Snooze { .. } => "snooze",
        Action::Merge { .. } => "merge",
        Action::Note { .. } => "note",
        Action::Declare(_) => "declare",
        Action::Silence(_) => "silence",
        Action::Unsilence { .. } => "end silence",
        Action::Tick { .. } => "tick",
        Action::Role { .. } => "role",
    }
}

fn draw_row(pen: &mut Pen<'_>, area: Area, id: &IncidentId, model: &Model, focused: bool) {
    let Some(incident) = model.room.incident(id) else { return };
    let selected = model
        .incidents
        .selected
        .as_ref()
        .is_some_and(|selected| model.room.resolve_alias(selected) == model.room.resolve_alias(id));
    if selected {
        let ground = pen.style(if focused { Role::Selection } else { Role::SelectionIdle });
        pen.ground(area, ground);
        let (cursor, style) = (pen.glyphs().cursor, pen.style(Role::Accent));
        for y in area.y..area.bottom() {
            pen.glyph(area.x, y, cursor, style);
        }
    }
    if model.incidents.marks.contains(id) {
        let (mark, style) = (pen.glyphs().mark, pen.style(Role::Mark));
        pen.glyph(area.x + 1, area.y, mark, style);
    }
    let told = tell(pen, incident, model);
    if area.height >= 2 { two_lines(pen, area, &told, model) } else { one_line(pen, area, &told, model) }
}

fn severity(pen: &mut Pen<'_>, x: u16, y: u16, told: &Told<'_>) {
    let severity = told.incident.assessment.severity;
    let quiet = told.incident.status == Status::Resolved || told.incident.is_suppressed;
    let style = pen.style(if quiet { Role::TextDim } else { severity_role(severity) });
    let text = words!("{} {}", pen.glyphs().severity(severity), severity.word());
    pen.put(x, y, SEVERITY, &text, style);
}

fn title_style(pen: &Pen<'_>, told: &Told<'_>) -> Style {
    match told.incident.status {
        Status::Triggered if !told.incident.is_suppressed => pen.style(Role::TextStrong),
        Status::Triggered | Status::Resolved => pen.style(Role::TextDim),
        Status::Acknowledged => pen.style(Role::Text),
    }
}

fn title(pen: &mut Pen<'_>, x: u16, y: u16, room: u16, told: &Told<'_>, model: &Model) {
    let style = title_style(pen, told);
    pen.put(x, y, room, &told.incident.title, style);
    if let Some(matches) = model.incidents.matches.get(&told.incident.id) {
        let found = pen.style(Role::Match);
        highlight(pen, x, y, room, told.incident.title.as_str(), &matches.title, found);
    }
}

/// Who looks at it stands at the end of the title's room, which is what is left then.
fn watched(pen: &mut Pen<'_>, x: u16, y: u16, room: u16, told: &Told<'_>) -> u16 {
    let Some(watching) = &told.watching else { return room };
    let columns = width(watching.as_str());
    if columns + 12 > room {
        return room;
    }
    let style = pen.style(Role::Accent);
    pen.put_right(x + room, y, columns, watching, style);
    room - columns - 1
}

/// How the parts of a two-line row share its width. What ticks has a column of its own, so nothing beside it moves.
struct Lines2 {
    /// Severity over status.
    left: u16,
    /// Age over number.
    right: u16,
    /// What the clock counts to.
    what: u16,
    /// Where the row comes from; none where it is narrow.
    source: u16,
    /// Whether the status is written out.
    is_long: bool,
}

impl Lines2 {
    fn of(width: u16) -> Self {
        match width {
            ..46 => Self { left: 11, right: 7, what: 0, source: 0, is_long: false },
            46..60 => Self { left: 11, right: 7, what: 12, source: 0, is_long: false },
            60..70 => Self { left: 11, right: 7, what: 16, source: 0, is_long: false },
            70..84 => Self { left: STATUS, right: 8, what: 16, source: 0, is_long: true },
            _ => Self { left: STATUS, right: 8, what: 18, source: SOURCE, is_long: true },
        }
    }
}

/// Severity, title and age above; status, who has it, the clock and the number below.
fn two_lines(pen: &mut Pen<'_>, area: Area, told: &Told<'_>, model: &Model) {
    let columns = Lines2::of(area.width);
    let (x, right, y) = (area.x + 2, area.right().saturating_sub(1), area.y);
    let from = x + columns.left + 1;
    severity(pen, x, y, told);
    let edge = right.saturating_sub(columns.right);
    let room = watched(pen, from, y, edge.saturating_sub(from + 1), told);
    title(pen, from, y, room, told, model);
    let dim = pen.style(Role::TextDim);
    pen.put_right(right, y, columns.right, &told.age, dim);

    let below = y + 1;
    let (status, status_role) = if columns.is_long { &told.status } else { &told.short_status };
    let style = pen.style(*status_role);
    pen.put(x, below, columns.left, status, style);
    match &told.incident.record {
        Some(record) => pen.put_right(right, below, columns.right, &words!("#{}", record.number), dim),
        None if columns.source == 0 => pen.put_right(right, below, columns.right, &"AM", dim),
        None => 0,
    };
    let mut end = edge;
    if columns.source > 0 {
        pen.put_right(edge.saturating_sub(1), below, columns.source, &told.source, dim);
        end = edge.saturating_sub(columns.source + 2);
    }
    let clock = clock::AGE_COLUMNS + 1 + columns.what;
    let clock_from = end.saturating_sub(clock + 1).max(from);
    clock_cells(pen, Area::new(clock_from, below, clock.min(end.saturating_sub(clock_from)), 1), told, model);
    let mut row = Row::new(pen, Area::new(from, below, clock_from.saturating_sub(from + 1), 1));
    row.put(&told.who, if told.incident.record.is_some() { Role::Text } else { Role::TextDim });
    if let Some(service) = told.incident.service.as_ref().filter(|_| row.room() > 6) {
        let dot = row.glyphs().dot;
        let at = row.x() + 3;
        row.put(&words!(" {dot} "), Role::TextDim).put(service, Role::TextDim);
        let room = row.x().saturating_sub(at);
        if let Some(matches) = model.incidents.matches.get(&told.incident.id) {
            let found = pen.style(Role::Match);
            highlight(pen, at, below, room, service.as_str(), &matches.service, found);
        }
    }
}

/// The action that is on its way, else what is not fresh, else the running clock: the time in a column of its own, so
/// that times stand under each other, then what happens then.
fn clock_cells(pen: &mut Pen<'_>, area: Area, told: &Told<'_>, model: &Model) {
    let mut row = Row::new(pen, area);
    let glyphs = row.glyphs();
    let room = row.room();
    if let Some((text, role)) = &told.sending {
        row.cell(room, Align::Left, text, *role);
    } else if let Some(trust) = told.trust {
        let text = words!("{} {}", glyphs.freshness(trust), word(trust));
        row.cell(room, Align::Left, &text, freshness_role(trust));
    } else if let Some(running) = running(model, told.incident, glyphs) {
        row.cell(clock::AGE_COLUMNS, Align::Right, &running.left, running.role).gap(1);
        let room = row.room();
        row.cell(room, Align::Left, &running.what, Role::TextDim);
    }
}

fn word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::Ageing => "ageing",
        Freshness::Stale => "stale",
        Freshness::Unknown => "unknown",
        Freshness::Forbidden => "forbidden",
        Freshness::Empty => "none",
    }
}

fn one_line(pen: &mut Pen<'_>, area: Area, told: &Told<'_>, model: &Model) {
    let columns = Columns::of(area.width);
    severity(pen, area.x + 2, area.y, told);
    let from = area.x + 2 + SEVERITY + 1;
    let room = watched(pen, from, area.y, columns.title, told);
    title(pen, from, area.y, room, told, model);
    let rest = from + columns.title + 1;
    let mut row = Row::new(pen, Area { x: rest, width: area.right().saturating_sub(rest), ..area });
    let none = crate::text::Clean::default();
    row.cell(columns.service, Align::Left, &told.incident.service.as_ref().unwrap_or(&none), Role::Text).gap(1);
    row.cell(STATUS, Align::Left, &told.status.0, told.status.1).gap(1);
    row.cell(columns.who, Align::Left, &told.who, Role::Text).gap(1);
    row.cell(clock::AGE_COLUMNS, Align::Right, &told.age, Role::TextDim).gap(2);
    let (x, room) = (row.x(), columns.clock.min(row.room()));
    row.gap(columns.clock + 1).cell(SOURCE, Align::Left, &told.source, Role::TextDim);
    clock_cells(pen, Area::new(x, area.y, room, 1), told, model);
}

/// Why there is nothing to see; never the same words for "none" and "not known".
fn empty(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let state = &model.incidents;
    let key = |command: CommandId| {
        let keys = model.keymap.keys(command, model.context());
        keys.first().map_or_else(|| words!(":{command}"), |chords| words!("{}", Keymap::sequence(chords)))
    };
    if state.has_filter() && !model.room.board().is_empty() {
        let clear = words!("{} takes the filter away", key(CommandId::ClearFilter));
        return numbers::notice(pen, area, &"No incident matches the filter", &[clear], Role::Empty);
    }
    let kinds = [SourceKind::PagerDuty, SourceKind::Alertmanager];
    let sources = || model.room.sources().values().filter(|health| kinds.contains(&health.kind));
    let Some(trust) = pane_trust(&model.room, &kinds, true, model.now) else {
        let lines = [
            words!("warroom init asks for tokens and writes a configuration"),
            words!("warroom demo shows a simulated world"),
        ];
        return numbers::notice(pen, area, &"No source of incidents is configured", &lines, Role::Unknown);
    };
    let problems = words!("{} shows what is wrong", key(CommandId::Problems));
    let glyph = pen.glyphs().freshness(trust.freshness);
    let answered = sources().filter(|health| health.answered_at.is_some()).count();
    match trust.freshness {
        Freshness::Empty | Freshness::Fresh => {
            let lines =
                [words!("{answered} of {} sources answered; new ones appear here by themselves", sources().count())];
            numbers::notice(pen, area, &words!("{glyph} No open incidents"), &lines, Role::Fresh);
        }
        Freshness::Ageing | Freshness::Stale => {
            let lines = [words!("the last complete answer is {} old", trust.age), problems];
            numbers::notice(pen, area, &words!("{glyph} None were open, but this is not fresh"), &lines, Role::Stale);
        }
        Freshness::Unknown => {
            let lines = [words!("{answered} of {} sources answered so far", sources().count()), problems];
            numbers::notice(
                pen,
                area,
                &words!("{glyph} Not known yet: waiting for the first answer"),
                &lines,
                Role::Unknown,
            );
        }
        Freshness::Forbidden => {
            let lines = [words!("a source refuses the token, so nothing is known"), problems];
            numbers::notice(pen, area, &words!("{glyph} Forbidden"), &lines, Role::Forbidden);
        }
    }
}

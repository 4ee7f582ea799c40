//! Draws the runbook as a checklist: sections, ticks with who and when, what each step asks for.

use std::borrow::Cow;

use crate::config::keymap::Keymap;
use crate::config::theme::Role;
use crate::domain::checklist::{Checklist, Tick};
use crate::domain::command::CommandId;
use crate::domain::run::{Need, Outcome, StepState};
use crate::runbook::{Runbook, Step, Work};
use crate::tui::layout::{Area, Pane};
use crate::tui::model::Model;
use crate::tui::panes::runbook::update;
use crate::tui::view::Place;
use crate::tui::widgets::paragraph::wrap;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::window::first_shown;
use crate::tui::widgets::{Pen, Row, Words, clock, frame, numbers, words};

pub(crate) fn draw(pen: &mut Pen<'_>, place: Place, model: &Model) {
    let Some(runbook) = update::shown(model) else {
        let inside = place.open(pen, Pane::Runbook, Words::default(), None, None);
        return none(pen, inside, model);
    };
    let checklist = ticks(model, runbook);
    let checklist = checklist.as_deref();
    let done = runbook.steps.iter().filter(|step| tick(checklist, step).is_some()).count();
    let others = model.runbook.matches.len().saturating_sub(1);
    let aside = (others > 0).then(|| words!(" {others} more fit "));
    let detail = words!("{done}/{} done", runbook.steps.len());
    let inside = place.open(pen, Pane::Runbook, detail, aside.as_ref(), None);
    let head = head(pen, inside, runbook, model, done);
    let list = inside.split_top(head).1;
    steps(pen, place, list, runbook, checklist, model);
}

/// The ticks of a runbook for the selected incident.
fn ticks<'m>(model: &'m Model, runbook: &Runbook) -> Option<Cow<'m, Checklist>> {
    model.room.checklist(model.incidents.selected.as_ref()?, &runbook.id)
}

fn tick<'c>(checklist: Option<&'c Checklist>, step: &Step) -> Option<&'c Tick> {
    checklist?.ticks.get(&step.id)
}

/// Title, why it fits, how far it is; returns the rows used.
fn head(pen: &mut Pen<'_>, area: Area, runbook: &Runbook, model: &Model, done: usize) -> u16 {
    if area.height < 8 {
        return 0;
    }
    let line = |y: u16| Area::new(area.x + 1, area.y + y, area.width.saturating_sub(2), 1);
    Row::new(pen, line(0)).put(&runbook.title, Role::TextStrong);
    let shown = model.runbook.matches.iter().find(|found| Some(found.at) == model.runbook.shown);
    let mut row = Row::new(pen, line(1));
    if !runbook.is_native {
        row.put(&"foreign, nothing runs by itself ", Role::Ageing);
    }
    match shown {
        Some(found) => row.put(&"fits: ", Role::TextDim).put(&found.because, Role::TextDim),
        None => row.put(&"chosen by hand", Role::TextDim),
    };
    let all = runbook.steps.len().max(1);
    let style = pen.style(if done == all { Role::StepDone } else { Role::Accent });
    numbers::gauge(pen, line(2), done as f64 / all as f64, None, style);
    3
}

fn steps(pen: &mut Pen<'_>, place: Place, area: Area, runbook: &Runbook, checklist: Option<&Checklist>, model: &Model) {
    let selected = update::selected(model).map_or(0, |(at, _)| at);
    let begins_section = |at: usize| {
        let section = runbook.steps.get(at).and_then(|step| step.section.as_ref());
        let before = at.checked_sub(1).and_then(|at| runbook.steps.get(at)).and_then(|step| step.section.as_ref());
        section.is_some() && section != before
    };
    let columns = area.width.saturating_sub(STEP_FROM + 1);
    // Where the step has a pane of its own, the list stays one line a step.
    let expands = place.focused && model.rects().step.is_empty();
    let more = |at: usize| -> Vec<(Words, Role)> {
        let step = runbook.steps.get(at).filter(|_| expands && at == selected);
        let Some(step) = step else { return Vec::new() };
        let mut lines = detail(step, columns, usize::from(area.height / 2));
        let left = usize::from(area.height * 2 / 3).saturating_sub(lines.len());
        lines.extend(super::evidence::lines(model, step, columns, left));
        lines
    };
    let height = |at: usize| {
        let gap = u16::from(begins_section(at) && at > 0);
        1 + u16::from(begins_section(at)) + gap + more(at).len() as u16
    };
    let first = first_shown(model.runbook.offset, Some(selected), runbook.steps.len(), area.height, height);
    let mut y = area.y;
    for (at, step) in runbook.steps.iter().enumerate().skip(first) {
        if begins_section(at) {
            y += u16::from(at > 0 && at > first);
            if let Some(section) = step.section.as_ref().filter(|_| y < area.bottom()) {
                let style = pen.style(Role::Heading);
                pen.put(area.x + 1, y, area.width.saturating_sub(2), section, style);
            }
            y += 1;
        }
        if y >= area.bottom() {
            break;
        }
        line(pen, Area { y, height: 1, ..area }, step, tick(checklist, step), model, (at == selected, place.focused));
        y += 1;
        for (text, role) in more(at) {
            if y < area.bottom() {
                let style = pen.style(role);
                pen.put(area.x + STEP_FROM, y, columns, &text, style);
                y += 1;
            }
        }
    }
    if place.framed {
        let column = Area::new(place.area.right().saturating_sub(1), area.y, 1, area.height);
        frame::scroll_bar(pen, column, first, usize::from(area.height).min(runbook.steps.len()), runbook.steps.len());
    }
}

/// Columns before a step's title: cursor, box, gap, kind, gap.
const STEP_FROM: u16 = 1 + 3 + 1 + 1 + 1;

fn line(
    pen: &mut Pen<'_>,
    area: Area,
    step: &Step,
    ticked: Option<&Tick>,
    model: &Model,
    (selected, focused): (bool, bool),
) {
    if selected {
        let ground = pen.style(if focused { Role::Selection } else { Role::SelectionIdle });
        pen.ground(area, ground);
        let (cursor, style) = (pen.glyphs().cursor, pen.style(Role::Accent));
        pen.glyph(area.x, area.y, cursor, style);
    }
    let glyphs = pen.glyphs();
    let mut row = Row::new(pen, area);
    row.gap(1).right_gap(1);
    match ticked {
        Some(_) => row.put(&"[", Role::TextDim).put(&glyphs.tick, Role::StepDone).put(&"] ", Role::TextDim),
        None => row.put(&"[ ] ", Role::TextDim),
    };
    let (kind, role) = kind(glyphs, &step.work);
    row.put(&kind, role).gap(1);
    if let Some(tick) = ticked {
        let when = tick.at.with_timezone(&model.zone).format("%H:%M").to_string();
        let text = words!(" {} {when}", tick.by);
        let keep = (row.room() / 2).max(12);
        row.right(&text, Role::StepDone, keep);
    } else if let Some((text, role)) = stands(model, step) {
        let keep = (row.room() / 2).max(12);
        row.right(&text, role, keep);
    } else if step.condition.is_some() {
        row.right(&" if", Role::Ageing, 12);
    }
    row.put(&step.title, if ticked.is_some() { Role::TextDim } else { Role::Text });
}

/// How a step stands in its run, where that is more than pending.
fn stands(model: &Model, step: &Step) -> Option<(Words, Role)> {
    let state = crate::tui::runs::state(model, &step.id)?;
    Some(match state {
        StepState::Pending => return None,
        StepState::Running { since } => (words!(" running {}", clock::age(model.now - *since)), Role::Accent),
        StepState::Ended(Outcome::Done { .. }) => (words!(" done"), Role::StepDone),
        StepState::Ended(Outcome::Skipped { .. }) => (words!(" skipped"), Role::TextDim),
        StepState::Waiting(Need::Decision { .. }) => (words!(" failed"), Role::DeliveryFailed),
        StepState::Ended(Outcome::Failed { .. } | Outcome::Refused { .. }) => {
            (words!(" {}", state.word()), Role::DeliveryFailed)
        }
        StepState::Waiting(_) | StepState::Ended(Outcome::Unknown { .. }) => {
            (words!(" {}", state.word()), Role::Ageing)
        }
    })
}

/// A glyph for what a step asks for; a manual one has none.
pub(super) fn kind(glyphs: &crate::tui::style::Glyphs, work: &Work) -> (&'static str, Role) {
    match work {
        Work::Manual | Work::Note => (" ", Role::TextDim),
        Work::Ask { .. } | Work::Approve { .. } => ("?", Role::StepAuto),
        Work::Wait { .. } | Work::Include { .. } => ("…", Role::TextDim),
        Work::Automated { .. } | Work::Argv { .. } | Work::Script { .. } => (glyphs.auto, Role::StepAuto),
        Work::Query { .. } => ("~", Role::StepAuto),
        Work::Session { .. } => ("$", Role::StepAuto),
        Work::CopyOnly { .. } => (glyphs.copy, Role::TextDim),
    }
}

/// What a step is in full, in lines: notes, condition, command.
pub(super) fn detail(step: &Step, columns: u16, most: usize) -> Vec<(Words, Role)> {
    let mut lines: Vec<(Words, Role)> = Vec::new();
    let mut add = |text: &str, role: Role| {
        let left = most.saturating_sub(lines.len());
        lines.extend(wrap(text, columns, left).into_iter().map(|line| (line, role)));
    };
    for note in &step.notes {
        add(note.as_str(), Role::TextDim);
    }
    let clean = |text: &str| crate::text::Clean::new(text);
    if let Some(condition) = &step.condition {
        add(&format!("only if {}", clean(condition)), Role::Ageing);
    }
    match &step.work {
        Work::Automated { .. } | Work::Argv { .. } | Work::Script { .. } => {
            let text = step.work.text().unwrap_or_default();
            text.lines().for_each(|line| add(&format!("$ {}", clean(line)), Role::StepAuto));
        }
        Work::Ask { choices, .. } if !choices.is_empty() => add(&choices.join(" / "), Role::StepAuto),
        Work::Manual
        | Work::Note
        | Work::Ask { .. }
        | Work::Approve { .. }
        | Work::Wait { .. }
        | Work::Include { .. } => {}
        Work::Query { promql } => promql.lines().for_each(|line| add(clean(line).as_str(), Role::StepAuto)),
        Work::Session { lines: typed } => {
            typed.iter().for_each(|line| add(&format!("> {}", clean(line)), Role::StepAuto));
        }
        Work::CopyOnly { text, .. } => text.lines().for_each(|line| add(clean(line).as_str(), Role::Text)),
    }
    lines
}

/// How a step is done, in words.
pub(super) fn how(work: &Work) -> &'static str {
    match work {
        Work::Manual => "by hand",
        Work::Automated { .. } | Work::Argv { .. } => "a command",
        Work::Script { .. } => "a script",
        Work::Ask { .. } => "a question",
        Work::Approve { .. } => "somebody must agree",
        Work::Wait { .. } => "a pause",
        Work::Note => "words to read",
        Work::Include { .. } => "the steps of another runbook",
        Work::Query { .. } => "a query to look at",
        Work::Session { .. } => "lines for a remote shell, one by one",
        Work::CopyOnly { .. } => "text to copy, never run here",
    }
}

fn none(pen: &mut Pen<'_>, area: Area, model: &Model) {
    if model.selected().is_none() {
        return numbers::notice(pen, area, &"No incident is selected", &[], Role::Empty);
    }
    let keys = model.keymap.keys(CommandId::ChooseRunbook, crate::config::keymap::Context::Runbook);
    let key = keys.first().map(|chords| Keymap::sequence(chords)).unwrap_or_default();
    let lines = [
        words!("{} runbooks are known; {key} chooses one by hand", model.runbooks.len()),
        words!("[[service]] runbooks = [...] ties them to a service"),
    ];
    let widest = lines.iter().map(|line| width(line.as_str())).max().unwrap_or(0);
    let lines = if widest > area.width { &lines[..0] } else { &lines[..] };
    numbers::notice(pen, area, &"No runbook fits this incident", lines, Role::Empty);
}

/// When a tick was set, for the step's own pane.
pub(super) fn ticked_words(model: &Model, runbook: &Runbook, step: &Step) -> Option<Words> {
    let checklist = ticks(model, runbook)?;
    let tick = tick(Some(&checklist), step)?;
    Some(words!("{} at {}", tick.by, clock::time(tick.at, model.zone)))
}

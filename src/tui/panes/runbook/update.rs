//! Which runbook is shown, and moving and ticking in it.

use std::sync::Arc;

use crate::domain::alert::{Alert, Labels};
use crate::domain::id::{RunbookId, StepId};
use crate::runbook::matching::{Match, Wanted, matching};
use crate::runbook::{Runbook, Step as Line};
use crate::text::Clean;
use crate::tui::acts;
use crate::tui::layout::Pane;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::picker::{Choice, Picker, Purpose, Value};
use crate::tui::panes::incidents::update::Move;
use crate::tui::toast::Weight;
use crate::tui::update::Step;

/// The runbook that is shown.
#[must_use]
pub fn shown(model: &Model) -> Option<&Runbook> {
    model.runbooks.get(model.runbook.shown?)
}

/// The step the cursor is on: the first one that is not ticked, while it is on none.
#[must_use]
pub fn selected(model: &Model) -> Option<(usize, &Line)> {
    let runbook = shown(model)?;
    let wanted = model.runbook.step.as_ref();
    let at = wanted.and_then(|wanted| runbook.steps.iter().position(|step| step.id == *wanted));
    let at = at.or_else(|| runbook.steps.iter().position(|step| !is_ticked(model, runbook, &step.id))).unwrap_or(0);
    runbook.steps.get(at).map(|step| (at, step))
}

pub(crate) fn is_ticked(model: &Model, runbook: &Runbook, step: &StepId) -> bool {
    let incident = model.incidents.selected.as_ref();
    let checklist = incident.and_then(|incident| model.room.checklist(incident, &runbook.id));
    checklist.is_some_and(|checklist| checklist.ticks.contains_key(step))
}

/// Moves the cursor.
pub fn move_cursor(model: &mut Model, how: Move) {
    let Some((at, count)) = selected(model).map(|(at, _)| (at, shown(model).map_or(0, |runbook| runbook.steps.len())))
    else {
        return;
    };
    let page = usize::from(model.rects().inside(Pane::Runbook).height.max(2) / 2);
    let next = how.from(at, count, page);
    model.runbook.step = shown(model).and_then(|runbook| runbook.steps.get(next)).map(|step| step.id.clone());
}

/// Ticks or unticks the step, and goes on to the next one that is open.
pub fn tick(model: &mut Model, step: &mut Step) {
    let found =
        shown(model).zip(selected(model)).map(|(runbook, (at, line))| (runbook.id.clone(), at, line.id.clone()));
    let Some((runbook, at, line)) = found else {
        model.toasts.say(Weight::Info, "no runbook is shown: b shows which fit", model.now);
        return;
    };
    let done = shown(model).is_some_and(|shown| !is_ticked(model, shown, &line));
    acts::tick(model, step, runbook, line.clone(), done);
    if done {
        let open = |model: &Model| {
            let runbook = shown(model)?;
            let after = runbook.steps.iter().skip(at + 1);
            after.into_iter().find(|step| !is_ticked(model, runbook, &step.id)).map(|step| step.id.clone())
        };
        model.runbook.step = Some(open(model).unwrap_or(line));
    } else {
        model.runbook.step = Some(line);
    }
}

/// The run and the selected step, where that step has printed something.
#[must_use]
pub fn printed(model: &Model) -> Option<(crate::domain::run::RunId, crate::domain::id::StepId)> {
    let (_, step) = selected(model)?;
    let run = crate::tui::runs::current(model)?.id;
    model.runbook.outputs.of(run, &step.id).map(|_| (run, step.id.clone()))
}

/// What there is to copy of the step: what it printed, its command, query or lines, else its title.
#[must_use]
pub fn step_text(model: &Model) -> Option<String> {
    let (_, step) = selected(model)?;
    let run = crate::tui::runs::current(model).map(|run| run.id);
    if let Some(output) = run.and_then(|run| model.runbook.outputs.of(run, &step.id)) {
        return Some(output.text());
    }
    Some(step.work.text().unwrap_or_else(|| step.title.as_str().to_owned()))
}

/// Which runbook? Those that fit come first, with the reason.
pub fn ask_runbook(model: &mut Model) {
    let fits = |at: usize| model.runbook.matches.iter().find(|found| found.at == at);
    let rest = (0..model.runbooks.len()).filter(|at| fits(*at).is_none());
    let order: Vec<usize> = model.runbook.matches.iter().map(|found| found.at).chain(rest).collect();
    let choice = |at: usize| {
        let runbook = model.runbooks.get(at)?;
        let detail = fits(at).map_or_else(|| Clean::new("does not match"), |found| found.because.clone());
        Some(Choice { label: runbook.title.clone(), detail, value: Value::Runbook(runbook.id.clone()) })
    };
    let choices = order.into_iter().filter_map(choice).collect();
    let mut picker = Picker::new("Which runbook?", "Enter shows it · Esc leaves", choices, Purpose::Runbook);
    picker.when_empty = Clean::new("there are no runbooks; put some into the runbooks folder of the configuration");
    model.open(Overlay::Picker(picker));
}

/// A person chose another runbook for the selected incident.
pub fn choose(model: &mut Model, id: RunbookId) {
    let Some(incident) = model.incidents.selected.clone() else { return };
    model.runbook.chosen.insert(incident, id);
    model.runbook.matched_from = None;
    model.runbook.step = None;
    model.runbook.offset = 0;
    settle(model);
}

/// Finds the runbooks again when the selected incident is another one, or has other alerts.
pub fn settle(model: &mut Model) {
    let Some(incident) = model.incidents.selected.clone() else {
        model.runbook.matches.clear();
        model.runbook.shown = None;
        return;
    };
    let stamp = model.selected().map(|found| (incident.clone(), found.title.clone(), found.alerts.len()));
    if stamp.is_none() || stamp == model.runbook.matched_from {
        return;
    }
    let is_other = model.runbook.incident.as_ref() != Some(&incident);
    if is_other {
        model.runbook.step = None;
        model.runbook.offset = 0;
    }
    model.runbook.matches = find(model);
    let chosen = model.runbook.chosen.get(&incident);
    let by_choice = chosen.and_then(|id| model.runbooks.iter().position(|runbook| runbook.id == *id));
    model.runbook.shown = by_choice.or_else(|| model.runbook.matches.first().map(|found| found.at));
    model.runbook.incident = Some(incident);
    model.runbook.matched_from = stamp;
}

/// Alerts looked at: a storm's thousands name the same few things.
const MOST_ALERTS: usize = 32;

fn find(model: &Model) -> Vec<Match> {
    let Some(incident) = model.selected() else { return Vec::new() };
    let alerts: Vec<&Arc<Alert>> = model.room.alerts_of(&incident.id).take(MOST_ALERTS).collect();
    let service = incident.service.as_ref().map(Clean::as_str);
    let configured = model.services.iter().find(|known| Some(known.name.as_str()) == service);
    let labels: Vec<&Labels> = alerts.iter().map(|alert| &alert.labels).collect();
    let wanted = Wanted {
        labels,
        annotations: alerts.iter().map(|alert| &alert.annotations).collect(),
        title: incident.title.as_str(),
        service,
        service_runbooks: configured.map(|service| service.runbooks.as_slice()).unwrap_or_default(),
        severity: Some(incident.assessment.severity),
        now: Some(model.now),
    };
    matching(&model.runbooks, &wanted)
}

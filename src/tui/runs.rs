//! Runs on the screen: from `r` to the right confirmation, from a question to its answer. What happens is the engine's;
//! targets are fixed here, when the key is pressed.

mod ask;
pub(crate) mod hand;
mod question;
pub mod session;

pub use ask::{RunChoice, Why, picked, typed};
pub(crate) use question::lines;
pub use question::proposed;

use crate::domain::effect::Effect;
use crate::domain::id::{IncidentId, StepId};
use crate::domain::run::{Happened, Need, Outcome, Run, RunId, RunOrder, StepState, Wanted, describe};
use crate::runbook::{Runbook, Work};
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::panes::runbook::update as pane;
use crate::tui::toast::Weight;
use crate::tui::update::Step;

/// Asks the engine something of a run.
pub(super) fn order(model: &Model, step: &mut Step, run: RunId, what: Wanted) {
    let order = RunOrder { run, by: model.operator.clone(), at: model.now, what };
    step.effects.push(Effect::Run(Box::new(order)));
}

/// The run of the runbook that is shown, for the selected incident.
#[must_use]
pub fn current(model: &Model) -> Option<&Run> {
    let runbook = pane::shown(model)?;
    let run = model.room.run_of(model.incidents.selected.as_ref()?, &runbook.id)?;
    // Another text under the same name is another runbook.
    (run.content_hash == runbook.content_hash).then_some(run)
}

/// How a step of the shown runbook stands in its run.
#[must_use]
pub fn state<'m>(model: &'m Model, step: &StepId) -> Option<&'m StepState> {
    current(model).map(|run| run.state(step))
}

fn shown(model: &Model) -> Option<(IncidentId, Runbook)> {
    model.incidents.selected.clone().zip(pane::shown(model).cloned())
}

/// The run, opened first where there is none.
fn opened(model: &mut Model, step: &mut Step, incident: &IncidentId, runbook: &Runbook) -> RunId {
    if let Some(run) = current(model) {
        return run.id;
    }
    if let Some((run, of, hash)) = &model.runbook.opening
        && of == incident
        && *hash == runbook.content_hash
    {
        return *run;
    }
    let run = RunId::from(model.ops.next(model.now));
    let situation = Box::new(model.room.situation(incident));
    let is_drill = matches!(model.banner, Some(crate::tui::model::Banner::Drill(_)));
    order(model, step, run, Wanted::Open { runbook: runbook.id.clone(), situation, is_drill });
    model.runbook.opening = Some((run, incident.clone(), runbook.content_hash.clone()));
    run
}

/// Runs the next automated step: asks the engine what it would do; the answer opens the question.
pub fn next(model: &mut Model, step: &mut Step) {
    let Some((incident, runbook)) = shown(model) else {
        model.toasts.say(Weight::Info, "no runbook is shown: b shows which fit", model.now);
        return;
    };
    let is_past =
        |id: &StepId| state(model, id).is_some_and(StepState::is_past) || pane::is_ticked(model, &runbook, id);
    let is_ours =
        |work: &Work| work.runs_here() || matches!(work, Work::Query { .. } | Work::Session { .. } | Work::Ask { .. });
    // The step under the cursor, when a person put it there and it is one to run; else the next one.
    let chosen = model.runbook.step.as_ref().and_then(|id| runbook.steps.iter().find(|step| step.id == *id));
    let chosen = chosen.filter(|step| is_ours(&step.work) && !is_past(&step.id));
    let next = chosen.or_else(|| runbook.steps.iter().find(|step| is_ours(&step.work) && !is_past(&step.id)));
    let Some(line) = next.cloned() else {
        model.toasts.say(Weight::Info, "every automated step is done; t ticks the others", model.now);
        return;
    };
    model.runbook.step = Some(line.id.clone());
    let run = opened(model, step, &incident, &runbook);
    match state(model, &line.id).cloned() {
        Some(StepState::Running { .. }) if matches!(line.work, Work::Session { .. }) || line.handling.interactive => {
            session::open(model, step, run, &line);
        }
        Some(StepState::Running { .. }) => {
            model.toasts.say(Weight::Info, "the step runs already: X cancels it", model.now);
        }
        Some(
            StepState::Ended(Outcome::Failed { .. } | Outcome::Unknown { .. } | Outcome::Refused { .. })
            | StepState::Waiting(Need::Decision { .. }),
        ) => ask::decide(model, run, &line),
        _ if matches!(line.work, Work::Ask { .. }) => ask::question(model, run, &line),
        _ => propose(model, step, run, line.id),
    }
}

/// Asks what a step would do now.
pub(super) fn propose(model: &mut Model, step: &mut Step, run: RunId, id: StepId) {
    let Some(incident) = model.incidents.selected.clone() else { return };
    let situation = Box::new(model.room.situation(&incident));
    model.runbook.awaited = Some((run, id.clone()));
    order(model, step, run, Wanted::Propose { step: Some(id), situation, is_dry: false });
}

/// Ends the process of the step that runs.
pub fn cancel(model: &mut Model, step: &mut Step) {
    let running = current(model).and_then(|run| {
        let selected = model.runbook.step.as_ref();
        let is_running = |id: &&StepId| matches!(run.state(id), StepState::Running { .. });
        let any = run.steps.keys().find(is_running);
        selected.filter(is_running).or(any).map(|id| (run.id, id.clone()))
    });
    let Some((run, id)) = running else {
        model.toasts.say(Weight::Info, "no step runs", model.now);
        return;
    };
    model.toasts.say(Weight::Info, "ending the step: asks it first, kills it after ten seconds", model.now);
    order(model, step, run, Wanted::Cancel { step: id });
}

/// Leaves the selected step out, with a reason.
pub fn skip(model: &mut Model, step: &mut Step) {
    let Some((incident, runbook)) = shown(model) else { return };
    let Some(line) = pane::selected(model).map(|(_, line)| line.clone()) else { return };
    let run = opened(model, step, &incident, &runbook);
    ask::reason(model, run, line.id, &format!("Why is '{}' skipped?", line.title), ask::Why::Skip);
}

/// Takes the last change back, after showing with which words.
pub fn undo(model: &mut Model) {
    let found = current(model).and_then(|run| {
        let can = |step: &&crate::domain::run::StepRun| step.inverse.is_some() && !step.is_undone;
        let newest = run
            .steps
            .iter()
            .filter(|(_, step)| can(step))
            .max_by_key(|(_, step)| step.approved.as_ref().map(|(_, _, _, at)| *at))?;
        Some((run.id, newest.0.clone(), newest.1.inverse.clone()?))
    });
    let Some((run, id, inverse)) = found else {
        let says = "nothing can be taken back: the steps so far changed nothing whose way back is known";
        model.toasts.say(Weight::Info, says, model.now);
        return;
    };
    question::undo(model, run, id, &inverse);
}

/// Whether anything of that run is on the screen.
#[must_use]
pub fn is_shown(model: &Model, run: RunId) -> bool {
    current(model).is_some_and(|current| current.id == run)
}

/// Something happened to a run: what a person waits for is said.
pub fn moved(model: &mut Model, fact: &crate::domain::fact::Fact) {
    let crate::domain::fact::Fact::RunMoved(event) = fact else { return };
    if model.runbook.opening.as_ref().is_some_and(|(run, _, _)| *run == event.run) {
        model.runbook.opening = None;
    }
    let Happened::Finished { outcome, .. } = &event.what else { return };
    // What an earlier console did is in the timeline; only what ends now is news.
    let is_new = model.now.signed_duration_since(event.at) < chrono::Duration::seconds(30);
    let Some(run) = model.room.run(event.run).filter(|_| is_new) else { return };
    let Some((line, _)) = describe(run, event) else { return };
    let weight = if matches!(outcome, Outcome::Done { .. }) { Weight::Info } else { Weight::Warning };
    model.toasts.say(weight, line.as_str(), model.now);
}

/// What the person should be told of an order that was not done.
pub fn refused(model: &mut Model, failure: &crate::domain::failure::Failure) {
    model.runbook.awaited = None;
    model.toasts.say(Weight::Warning, failure.to_string(), model.now);
}

/// Words for a title.
fn titled(text: &str) -> Clean {
    Clean::new(text)
}

//! Questions of a run to a person: a value, an answer, what to do with a step whose condition or end is unknown.

use super::{order, propose, titled};
use crate::domain::id::StepId;
use crate::domain::run::{Decision, Need, Proposal, RunId, Wanted};
use crate::runbook::model::{Step as Line, Work};
use crate::text::{Clean, Untrusted};
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::picker::{Choice, Picker, Purpose, Value};
use crate::tui::overlays::prompt::{Prompt, Purpose as Asked};
use crate::tui::textbox::TextBox;
use crate::tui::update::Step;

/// What a choice does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunChoice {
    /// Give the run to them.
    HandTo(Clean),
    /// Look again.
    Look,
    /// Give a value by typing it.
    Type {
        /// The variable.
        name: String,
    },
    /// Give this value.
    Give {
        /// The variable.
        name: String,
        /// The value.
        value: Clean,
    },
    /// Run it all the same; a reason is asked for.
    Insist,
    /// Leave it out; a reason is asked for.
    Skip,
    /// Answer the step's question.
    Answer(Clean),
    /// Say what became of it.
    Decide(Decision),
}

/// What a typed text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The reason for leaving a step out.
    Skip,
    /// The reason for running it all the same.
    Insist,
    /// A value.
    Value(String),
    /// An answer.
    Answer,
    /// Whom the run is given to.
    HandOver,
}

pub(super) fn pick(
    model: &mut Model,
    run: RunId,
    step: StepId,
    title: &str,
    choices: Vec<(String, String, RunChoice)>,
) {
    let choices = choices
        .into_iter()
        .map(|(label, detail, choice)| Choice {
            label: Clean::new(label),
            detail: Clean::new(detail),
            value: Value::Run(choice),
        })
        .collect();
    let purpose = Purpose::Run { run, step };
    model.open(Overlay::Picker(Picker::new(title, "Enter chooses · Esc leaves", choices, purpose)));
}

/// Its condition, or a value, is unknown: nothing runs by itself.
pub(super) fn unsure(model: &mut Model, proposal: &Proposal, why: Clean) {
    let mut choices = Vec::new();
    let line = |label: &str, detail: String, choice| (label.to_owned(), detail, choice);
    if let Some(Need::Value { name, suggestions, .. }) = &proposal.need {
        for value in suggestions.iter().take(20) {
            let choice = RunChoice::Give { name: name.to_string(), value: value.clone() };
            choices.push((value.to_string(), format!("use it for {name}"), choice));
        }
        let choice = RunChoice::Type { name: name.to_string() };
        choices.push(line("give a value", format!("type {name}"), choice));
    }
    let unknown = proposal.judgements.iter().flat_map(|judgement| &judgement.evidence);
    for evidence in unknown.filter(|evidence| evidence.value.as_str().starts_with("unknown")) {
        let name = evidence.name.to_string();
        let is_offered =
            choices.iter().any(|(_, _, known)| matches!(known, RunChoice::Type { name: of } if *of == name));
        if !is_offered {
            choices.push(line("give a value", format!("type {name}"), RunChoice::Type { name }));
        }
    }
    choices.push(line("retry", "look again now".to_owned(), RunChoice::Look));
    if matches!(proposal.need, Some(Need::Certainty { .. })) {
        choices.push(line("run anyway", "with a reason, after the usual confirmation".to_owned(), RunChoice::Insist));
    }
    choices.push(line("skip", "with a reason".to_owned(), RunChoice::Skip));
    let title = format!("Can't tell: {why}");
    pick(model, proposal.run, proposal.step.clone(), &title, choices);
}

/// It failed, or nobody knows how it ended.
pub(super) fn decide(model: &mut Model, run: RunId, line: &Line) {
    let state = super::state(model, &line.id);
    let says = state.map_or("", |state| match state {
        crate::domain::run::StepState::Ended(outcome) => outcome.says().as_str(),
        crate::domain::run::StepState::Waiting(Need::Decision { happened }) => happened.as_str(),
        _ => "",
    });
    let title = format!("'{}' {}: {says}", line.title, state.map_or("", |state| state.word()));
    let choices = vec![
        ("look at it again", "shows what it would do now; nothing runs yet", RunChoice::Decide(Decision::Again)),
        ("it was done", "you looked at the target", RunChoice::Decide(Decision::Done)),
        ("it was not done", "you looked at the target", RunChoice::Decide(Decision::Failed)),
        ("skip", "with a reason", RunChoice::Skip),
    ];
    let choices =
        choices.into_iter().map(|(label, detail, choice)| (label.to_owned(), detail.to_owned(), choice)).collect();
    pick(model, run, line.id.clone(), &title, choices);
}

/// The question of an `ask` step.
pub(super) fn question(model: &mut Model, run: RunId, line: &Line) {
    let Work::Ask { choices, into } = &line.work else { return };
    if choices.is_empty() {
        return reason(model, run, line.id.clone(), line.title.as_str(), Why::Answer);
    }
    let choices = choices
        .iter()
        .map(|choice| (choice.clone(), format!("sets {into}"), RunChoice::Answer(Clean::new(choice))))
        .collect();
    pick(model, run, line.id.clone(), line.title.as_str(), choices);
}

/// Asks for a line of text.
pub(super) fn reason(model: &mut Model, run: RunId, step: StepId, title: &str, why: Why) {
    model.open(Overlay::Prompt(Prompt {
        title: titled(title),
        hint: Clean::new("Enter takes it · Esc leaves"),
        input: TextBox::default(),
        purpose: Asked::Run { run, step, why },
    }));
}

/// A choice was made.
pub fn picked(model: &mut Model, step: &mut Step, run: RunId, id: StepId, choice: RunChoice) {
    match choice {
        RunChoice::Look => propose(model, step, run, id),
        RunChoice::HandTo(to) => order(model, step, run, Wanted::HandOver { to }),
        RunChoice::Type { name } => reason(model, run, id, &format!("Value of {name}"), Why::Value(name.clone())),
        RunChoice::Give { name, value } => {
            let value = Untrusted::from(value.as_str());
            order(model, step, run, Wanted::Give { name, value });
            propose(model, step, run, id);
        }
        RunChoice::Insist => reason(model, run, id, "Why does it run all the same?", Why::Insist),
        RunChoice::Skip => reason(model, run, id, "Why is it skipped?", Why::Skip),
        RunChoice::Answer(text) => answered(model, step, run, id, text.as_str()),
        RunChoice::Decide(decision) => {
            if decision == Decision::Again {
                return propose(model, step, run, id);
            }
            let reason = Untrusted::from("looked at the target");
            order(model, step, run, Wanted::Decide { step: id, decision, reason });
        }
    }
}

/// An answer to an `ask` step.
pub fn answered(model: &mut Model, step: &mut Step, run: RunId, id: StepId, text: &str) {
    order(model, step, run, Wanted::Answer { step: id, text: Untrusted::from(text) });
}

/// A text was typed.
pub fn typed(model: &mut Model, step: &mut Step, run: RunId, id: StepId, why: Why, text: &str) {
    if text.trim().is_empty() {
        model.toasts.say(crate::tui::toast::Weight::Info, "nothing was typed, nothing was done", model.now);
        return;
    }
    let reason = Untrusted::from(text);
    match why {
        Why::Skip => order(model, step, run, Wanted::Skip { step: id, reason }),
        Why::Insist => {
            let Some(incident) = model.incidents.selected.clone() else { return };
            let situation = Box::new(model.room.situation(&incident));
            model.runbook.awaited = Some((run, id.clone()));
            order(model, step, run, Wanted::Insist { step: id, reason, situation });
        }
        Why::Value(name) => {
            order(model, step, run, Wanted::Give { name, value: reason });
            propose(model, step, run, id);
        }
        Why::Answer => answered(model, step, run, id, text),
        Why::HandOver => order(model, step, run, Wanted::HandOver { to: reason.clean() }),
    }
}

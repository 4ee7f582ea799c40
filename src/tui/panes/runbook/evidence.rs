//! What a run says of a step, in lines: what it would do, what its conditions rest on, how it ended, what it printed.

use crate::config::theme::Role;
use crate::domain::run::{Need, Outcome, Side, StepRun, StepState, spell};
use crate::runbook::{Step, Work};
use crate::tui::model::Model;
use crate::tui::runs;
use crate::tui::widgets::paragraph::wrap;
use crate::tui::widgets::{Words, words};

/// The lines, at most so many: what is known first, then the newest output that fits.
pub(super) fn lines(model: &Model, step: &Step, columns: u16, most: usize) -> Vec<(Words, Role)> {
    let Some(run) = runs::current(model) else { return Vec::new() };
    let mut lines: Vec<(Words, Role)> = Vec::new();
    let mut add = |text: &str, role: Role| {
        let left = most.saturating_sub(lines.len());
        lines.extend(wrap(text, columns, left.min(4)).into_iter().map(|line| (line, role)));
    };
    let proposal = model.runbook.proposal.as_ref().filter(|known| known.run == run.id && known.step == step.id);
    if let Some(proposal) = proposal {
        for line in runs::lines(proposal) {
            add(line.as_str(), Role::StepAuto);
        }
        // What it would do is no news of one that runs or has ended.
        if !matches!(run.state(&step.id), StepState::Running { .. } | StepState::Ended(_)) {
            add(proposal.forecast.word(), Role::TextStrong);
        }
    }
    if let Some(stands) = run.steps.get(&step.id) {
        let has_terminal = step.handling.interactive || matches!(step.work, Work::Session { .. });
        history(stands, proposal.is_none(), has_terminal, &mut add);
    }
    let left = most.saturating_sub(lines.len());
    lines.extend(output(model, run.id, step, columns, left));
    lines
}

fn history(stands: &StepRun, with_words: bool, has_terminal: bool, add: &mut impl FnMut(&str, Role)) {
    if let Some(intended) = stands.intended.as_ref().filter(|_| with_words) {
        match &intended.shell {
            Some(text) => add(&format!("sh: {text}"), Role::StepAuto),
            None => add(&spell(&intended.words), Role::StepAuto),
        }
        for given in &intended.given {
            add(&format!("  {given}"), Role::StepAuto);
        }
    }
    match &stands.state {
        StepState::Pending => {}
        StepState::Waiting(need) => {
            let words = match need {
                Need::Value { name, .. } => format!("needs a value for {name}: r asks"),
                Need::Certainty { cause } => format!("can't tell: {cause}"),
                Need::Decision { happened } => format!("failed: {happened}; r decides"),
                Need::SecondPerson { asked_by, .. } => format!("{asked_by} asked; somebody else must approve"),
                Need::Answer { question } => question.to_string(),
                Need::Approval { .. } => "waits for your confirmation: r".to_owned(),
            };
            add(&words, Role::Ageing);
        }
        StepState::Running { .. } if has_terminal => add("running; r opens its terminal, X cancels", Role::Accent),
        StepState::Running { .. } => add("running; X cancels", Role::Accent),
        StepState::Ended(outcome) => {
            let role = if matches!(outcome, Outcome::Done { .. }) { Role::StepDone } else { Role::Ageing };
            add(format!("{}: {}", outcome.word(), outcome.says()).trim_end_matches(": "), role);
        }
    }
    let side = |side: Side| stands.samples.iter().find(|sample| sample.side == side);
    if let (Some(before), Some(after)) = (side(Side::Before), side(Side::After)) {
        add(&format!("the alert's expression: {} then {}", before.value, after.value), Role::TextDim);
    }
    if let Some(inverse) = stands.inverse.as_ref().filter(|_| !stands.is_undone) {
        add(&format!("it was {}; U takes it back", inverse.was), Role::TextDim);
    }
}

/// The newest lines that fit, and what is not among them.
fn output(model: &Model, run: crate::domain::run::RunId, step: &Step, columns: u16, most: usize) -> Vec<(Words, Role)> {
    let Some(output) = model.runbook.outputs.of(run, &step.id).filter(|_| most > 1) else { return Vec::new() };
    let head = if output.dropped > 0 {
        words!("output: {} bytes, {} of them not shown", output.bytes, output.dropped)
    } else {
        words!("output: {} bytes", output.bytes)
    };
    let mut lines = vec![(head, Role::Heading)];
    let mut tail: Vec<(Words, Role)> = Vec::new();
    for line in output.lines.iter().rev().take(most - 1) {
        match line {
            Ok(line) => tail.extend(wrap(line.as_str(), columns, 1).into_iter().map(|line| (line, Role::Text))),
            Err(bytes) => tail.push((words!("... {bytes} bytes left out ..."), Role::Ageing)),
        }
    }
    tail.truncate(most - 1);
    tail.reverse();
    lines.extend(tail);
    lines
}

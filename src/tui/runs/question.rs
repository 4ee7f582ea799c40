//! The question before a step runs: the exact words, where each value comes from, what the conditions rest on, where it
//! acts; and the key that its level asks for.

use super::{ask, titled};
use crate::domain::id::StepId;
use crate::domain::run::{Approval, Forecast, Inverse, Level, Proposal, Question, RunId, Truth, Wanted, spell};
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::confirm::{Confirm, Demand, Then};
use crate::tui::textbox::TextBox;
use crate::tui::toast::Weight;

/// Characters of one line of a question: what is longer goes on in the next line, so that nothing of a command is cut.
const LINE: usize = 76;

/// The engine said what a step would do.
pub fn proposed(model: &mut Model, proposal: Box<Proposal>) {
    let is_awaited =
        model.runbook.awaited.as_ref().is_some_and(|(run, step)| *run == proposal.run && *step == proposal.step);
    if is_awaited {
        model.runbook.awaited = None;
    }
    // What was shown is not what it is now: the question must not stay.
    let is_stale = matches!(model.overlays.last(), Some(Overlay::Confirm(Confirm { then: Then::Approve { run, step, digest, .. }, .. }))
        if *run == proposal.run && *step == proposal.step && *digest != proposal.digest);
    if is_stale {
        model.close();
    }
    let may_ask = is_awaited || is_stale;
    if may_ask && model.overlays.is_empty() {
        open(model, &proposal);
    } else if may_ask {
        model.toasts.say(Weight::Info, format!("'{}' can be looked at: r shows it", proposal.title), model.now);
    }
    model.runbook.proposal = Some(proposal);
}

fn open(model: &mut Model, proposal: &Proposal) {
    match &proposal.forecast {
        Forecast::WouldSkip => {
            let condition = proposal.judgements.iter().find(|known| known.question == Question::Condition);
            let seen = condition.map(seen).unwrap_or_default();
            model.toasts.say(
                Weight::Info,
                format!("skipped '{}': condition is false{seen}", proposal.title),
                model.now,
            );
        }
        Forecast::Refused { why } if proposal.need.is_none() => {
            model.toasts.say(Weight::Warning, format!("refused '{}': {why}", proposal.title), model.now);
        }
        Forecast::Refused { why } | Forecast::CantTell { cause: why } => ask::unsure(model, proposal, why.clone()),
        Forecast::WouldRun | Forecast::NeedsApproval => confirm(model, proposal),
    }
}

fn seen(judgement: &crate::domain::run::Judgement) -> String {
    let seen: Vec<String> = judgement.evidence.iter().map(|seen| format!("{} = {}", seen.name, seen.value)).collect();
    format!(": {} ({})", judgement.expression, seen.join(", "))
}

/// Everything a person must see, in lines.
pub(crate) fn lines(proposal: &Proposal) -> Vec<Clean> {
    let mut lines = Vec::new();
    match &proposal.shell {
        Some(text) => lines.extend(broken(&format!("sh: {text}"))),
        None => {
            let words: Vec<Clean> = proposal.words.iter().map(|word| word.text.clone()).collect();
            lines.extend(broken(&spell(&words)));
        }
    }
    for part in proposal.words.iter().flat_map(|word| &word.parts) {
        lines.push(Clean::new(format!("  {} = {} · {}", part.placeholder, part.value, part.source)));
    }
    if proposal.shell.is_some() {
        for value in &proposal.values {
            lines.push(Clean::new(format!("  {} = {} · {}", value.name, value.value, value.source)));
        }
    }
    lines.extend(proposal.given.iter().flat_map(|given| broken(&format!("  {given}"))));
    for judgement in &proposal.judgements {
        let says = match &judgement.truth {
            Truth::True => "true".to_owned(),
            Truth::False => "false".to_owned(),
            Truth::Unknown { cause } => format!("can't tell, {cause}"),
        };
        lines.push(Clean::new(format!("{} {}: {says}", judgement.question.word(), judgement.expression)));
        for evidence in &judgement.evidence {
            let age = evidence.age_ms / 1_000;
            lines.push(Clean::new(format!(
                "  {} = {} · {}, {age} s old",
                evidence.name, evidence.value, evidence.source
            )));
        }
    }
    let target = proposal.target.line();
    if !target.as_str().is_empty() {
        lines.push(Clean::new(format!("on {target}")));
    }
    lines
}

/// A long text in pieces, none of it lost.
fn broken(text: &str) -> Vec<Clean> {
    let symbols: Vec<char> = text.chars().collect();
    symbols.chunks(LINE).map(|piece| Clean::new(piece.iter().collect::<String>())).collect()
}

fn confirm(model: &mut Model, proposal: &Proposal) {
    let mut warnings = proposal.warnings.clone();
    let demand = match proposal.level {
        Level::Read => Demand::Enter,
        Level::Change => Demand::Key,
        Level::Destructive => Demand::Name { wanted: proposal.name.clone(), typed: TextBox::default() },
        Level::TwoPerson => {
            let words = "another person must agree: this only asks them (warroom runbook approve)";
            warnings.push(Clean::new(words));
            Demand::Key
        }
    };
    let how = match proposal.level {
        Level::Read => Approval::Enter,
        Level::Change | Level::TwoPerson => Approval::Key,
        Level::Destructive => Approval::Name { typed: proposal.name.clone() },
    };
    let then = Then::Approve {
        run: proposal.run,
        step: proposal.step.clone(),
        digest: proposal.digest.clone(),
        how,
        incident: model.incidents.selected.clone(),
    };
    model.open(Overlay::Confirm(Confirm {
        title: titled(&format!("{}  [{}]", proposal.title, proposal.level.word())),
        will: lines(proposal),
        warnings,
        demand,
        then,
        quiet_since: model.now,
        offset: 0,
    }));
}

/// Takes a change back, after showing with what.
pub(super) fn undo(model: &mut Model, run: RunId, step: StepId, inverse: &Inverse) {
    let words: Vec<Clean> = inverse.words.iter().map(Clean::new).collect();
    let mut will = broken(&spell(&words));
    will.push(Clean::new(format!("  it was: {}", inverse.was)));
    model.open(Overlay::Confirm(Confirm {
        title: titled("Take the change back?"),
        will,
        warnings: Vec::new(),
        demand: Demand::Key,
        then: Then::Order { run, what: Box::new(Wanted::Undo { step }) },
        quiet_since: model.now,
        offset: 0,
    }));
}

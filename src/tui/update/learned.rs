//! Facts: into the room, and what a person must be told of them.

use super::Step;
use crate::domain::action::{Action, Delivery, Target};
use crate::domain::fact::Fact;
use crate::domain::freshness::Freshness;
use crate::domain::id::PagerId;
use crate::domain::incident::{PagerIncident, Status};
use crate::domain::severity::Severity;
use crate::domain::source::SourceHealth;
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::msg::TerminalEffect;
use crate::tui::overlays::Overlay;
use crate::tui::panes::panels;
use crate::tui::runs;
use crate::tui::toast::Weight;

/// Takes a fact in.
pub(super) fn take(model: &mut Model, step: &mut Step, fact: Fact) {
    let now = model.now;
    let is_news = is_news(model, &fact);
    let board = model.room.board().version();
    match fact {
        // Answers belong to the panel that asked; the room would keep them for ever.
        Fact::QueryAnswered { id, at, result } => {
            step.redraw = panels::update::answered(model, id, at, result);
            return;
        }
        Fact::IncidentsChanged { ref changed, .. } => {
            let fresh: Vec<PagerId> =
                changed.iter().filter(|record| is_new(model, record)).map(|record| record.id.clone()).collect();
            model.room.apply(&fact, now);
            announce(model, step, &fresh);
        }
        Fact::Delivered { op, ref delivery, ref opened, .. } => {
            model.room.apply(&fact, now);
            delivered(model, op, delivery, opened.as_ref());
        }
        Fact::ProblemFound { ref key, ref failure, .. } => {
            if !model.room.problems().contains_key(key) {
                model.toasts.say(Weight::Error, failure.to_string(), now);
            }
            model.room.apply(&fact, now);
        }
        Fact::StepProposed(proposal) => runs::proposed(model, proposal),
        Fact::StepPrinted(printed) => {
            step.redraw |= runs::is_shown(model, printed.run);
            model.runbook.outputs.take(*printed);
            return;
        }
        Fact::StepTyped { run, step: ref id, ref bytes } => {
            model.runbook.screens.take(run, id, bytes);
            step.redraw |=
                matches!(model.overlays.last(), Some(Overlay::Terminal(open)) if open.run == run && open.step == *id);
            return;
        }
        Fact::RunRefused(ref failure) => runs::refused(model, failure),
        Fact::RunMoved(_) => {
            model.room.apply(&fact, now);
            runs::moved(model, &fact);
        }
        other => model.room.apply(&other, now),
    }
    // Time passes with every fact: a row that was over for long enough leaves.
    step.redraw |= is_news || model.room.board().version() != board;
}

/// Whether a fact can change what is on screen. Polls that tell what is known are most of what comes in a quiet hour.
fn is_news(model: &Model, fact: &Fact) -> bool {
    let room = &model.room;
    match fact {
        Fact::HealthChanged(health) => {
            // The problems view shows every detail.
            let is_studied = !model.overlays.is_empty();
            is_studied || room.sources().get(&health.id).is_none_or(|known| !looks_alike(known, health, model.now))
        }
        Fact::OnCallListed(told) => room.on_calls() != told.as_slice(),
        Fact::UsersListed(told) => room.users() != told.as_slice(),
        Fact::ServicesListed(told) => room.services() != told.as_slice(),
        Fact::PrioritiesListed(told) => room.priorities() != told.as_slice(),
        Fact::PolicyLoaded(told) => room.policy(&told.id) != Some(told),
        Fact::PastIncidentsListed { incident, past } => room.past(incident) != past.as_slice(),
        _ => true,
    }
}

/// A fresh source is `now`, however young its last answer is.
fn looks_alike(known: &SourceHealth, told: &SourceHealth, now: Timestamp) -> bool {
    let is_fresh = |health| Freshness::of(health, now, false) == Freshness::Fresh;
    let unseen = SourceHealth { answered_at: known.answered_at, budget: known.budget, ..told.clone() };
    unseen == *known && (known.answered_at == told.answered_at || is_fresh(known) && is_fresh(told))
}

fn is_new(model: &Model, record: &PagerIncident) -> bool {
    record.status == Status::Triggered && model.room.row_of(&record.id).is_none()
}

/// A critical incident that comes while people look elsewhere is said and rung; the first list of a session is not news.
fn announce(model: &mut Model, step: &mut Step, fresh: &[PagerId]) {
    let is_first = !std::mem::replace(&mut model.has_listed, true);
    if is_first {
        return;
    }
    let critical: Vec<String> = fresh
        .iter()
        .filter_map(|pager| model.room.incident(model.room.row_of(pager)?))
        .filter(|incident| incident.assessment.severity == Severity::Critical)
        .map(crate::tui::acts::label)
        .collect();
    let Some(first) = critical.first() else { return };
    let more = if critical.len() > 1 { format!(" and {} more", critical.len() - 1) } else { String::new() };
    model.toasts.say(Weight::Warning, format!("new critical incident: {first}{more}"), model.now);
    if model.bell {
        step.terminal.push(TerminalEffect::Bell);
    }
}

fn delivered(model: &mut Model, op: crate::domain::id::OpId, delivery: &Delivery, opened: Option<&PagerId>) {
    if let Some((weight, text)) = model.batches.delivered(op, delivery) {
        let is_tick = model
            .room
            .sendings()
            .get(&op)
            .is_some_and(|sending| matches!(sending.intent.action, Action::Tick { .. }) && weight == Weight::Info);
        if !is_tick {
            model.toasts.say(weight, text, model.now);
        }
    } else if matches!(delivery, Delivery::Failed { .. } | Delivery::Unknown { .. })
        && model.room.sendings().get(&op).is_some_and(|sending| sending.intent.target != Target::New)
        && !model.batches.knows(op)
    {
        // An action of an earlier session, or of a colleague, that came to its end now.
        let by = model.room.sendings().get(&op).map(|sending| sending.intent.by.clone());
        let whose = by.filter(|by| *by != model.operator).unwrap_or_else(|| Clean::new("an earlier session"));
        let text = format!("an action of {whose} was not done: see the problems view");
        model.toasts.say(Weight::Warning, text, model.now);
    }
    if let Some(opened) = opened {
        model.awaited = Some(opened.clone());
    }
}

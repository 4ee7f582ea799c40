//! Giving a half-done checklist to a colleague: their console goes on with it, this one looks.

use super::ask::{RunChoice, Why, pick, reason};
use super::current;
use crate::tui::model::Model;
use crate::tui::toast::Weight;

/// To whom? Who is in the room is offered; where nobody is known to be, a name is typed.
pub fn ask(model: &mut Model) {
    let Some((run, step)) = current(model)
        .filter(|run| !run.is_closed)
        .and_then(|run| run.plan.first().map(|first| (run.id, first.id.clone())))
    else {
        model.toasts.say(Weight::Info, "nothing to hand over: no step of this runbook was begun", model.now);
        return;
    };
    let mut colleagues: Vec<_> =
        model.room.present().iter().filter(|present| !present.is_me).map(|present| present.who.clone()).collect();
    colleagues.sort();
    colleagues.dedup();
    let title = "Who goes on with this checklist?";
    if colleagues.is_empty() {
        return reason(model, run, step, title, Why::HandOver);
    }
    let line = |who: crate::text::Clean| (who.to_string(), "is in the room".to_owned(), RunChoice::HandTo(who));
    pick(model, run, step, title, colleagues.into_iter().map(line).collect());
}

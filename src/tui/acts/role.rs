//! Taking a role of an incident, giving it up, taking it over from a colleague.

use super::{intents, target};
use crate::domain::action::{Action, Target};
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::picker::{Choice, Picker, Purpose, Value};
use crate::tui::update::Step;
use crate::tui::widgets::clock;

/// Which role? Each with who has it, and what Enter does about that.
pub fn ask_role(model: &mut Model) {
    let Some(incident) = model.selected().cloned() else { return };
    let held = model.room.roles(&incident.id);
    let me = &model.operator;
    let choice = |name: &Clean, duties: &[Clean]| {
        let holder = held.get(name);
        let from = holder.map(|holder| holder.who.clone());
        let to = (from.as_ref() != Some(me)).then(|| me.clone());
        let does = match holder {
            None => "free: you take it".to_owned(),
            Some(holder) => {
                let since = clock::time(holder.since, model.zone);
                if holder.who == *me {
                    format!("yours since {since}: you give it up")
                } else {
                    format!("{} since {since}: you take it over", holder.who)
                }
            }
        };
        let duties: Vec<&str> = duties.iter().map(Clean::as_str).collect();
        let detail = if duties.is_empty() { does } else { format!("{does} – {}", duties.join("; ")) };
        Choice { label: name.clone(), detail: Clean::new(detail), value: Value::Role { role: name.clone(), from, to } }
    };
    let mut choices: Vec<Choice> = model.roles.iter().map(|role| choice(&role.name, &role.duties)).collect();
    // A colleague's configuration may have other roles.
    let known = |name: &&&Clean| model.roles.iter().any(|role| role.name == ***name);
    choices.extend(held.keys().filter(|name| !known(name)).map(|name| choice(name, &[])));
    let purpose = Purpose::Role(target(model, &incident));
    let mut picker = Picker::new("Which role?", "Enter takes it or gives it up · Esc leaves", choices, purpose);
    picker.when_empty = Clean::new("the configuration names no [[role]]");
    model.open(Overlay::Picker(picker));
}

/// At once: a role is ours and can be given back. It is refused when somebody else was quicker.
pub fn take_role(
    model: &mut Model,
    step: &mut Step,
    target: Target,
    role: Clean,
    from: Option<Clean>,
    to: Option<Clean>,
) {
    let made = intents(model, vec![(target, Action::Role { role, from, to })]);
    step.act(model, made);
}

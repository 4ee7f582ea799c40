//! What is picked or typed before an action: spans, people, levels, notes, links.

use super::ask::needs_level;
use super::{chosen, label, target};
use crate::domain::action::{Action, Assignee, Delivery, Target};
use crate::domain::id::OpId;
use crate::domain::source::ChronoSeconds;
use crate::text::{Clean, Untrusted};
use crate::tui::model::Model;
use crate::tui::msg::{Editing, TerminalEffect};
use crate::tui::overlays::Overlay;
use crate::tui::overlays::picker::{Choice, Picker, Purpose, Value};
use crate::tui::overlays::prompt::{Prompt, Purpose as Asked};
use crate::tui::textbox::TextBox;
use crate::tui::toast::Weight;
use crate::tui::update::Step;

/// Spans on offer; PagerDuty takes 1 s to 7 days.
const SPANS: [(&str, i64); 8] = [
    ("15 minutes", 900),
    ("30 minutes", 1_800),
    ("1 hour", 3_600),
    ("2 hours", 7_200),
    ("4 hours", 14_400),
    ("8 hours", 28_800),
    ("1 day", 86_400),
    ("7 days", 604_800),
];

fn targets(model: &Model) -> Vec<Target> {
    let incidents = chosen(model).into_iter().filter_map(|id| model.room.incident(&id).cloned());
    incidents.filter(|incident| incident.record.is_some()).map(|incident| target(model, &incident)).collect()
}

fn what(model: &Model) -> String {
    match chosen(model).as_slice() {
        [only] => model.room.incident(only).map(label).unwrap_or_default(),
        many => format!("{} incidents", many.len()),
    }
}

/// The spans, each with its end.
pub(super) fn spans(model: &Model) -> Vec<Choice> {
    let until = |seconds: i64| {
        let local = (model.now + chrono::Duration::seconds(seconds)).with_timezone(&model.zone);
        Clean::new(local.format("until %a %H:%M").to_string())
    };
    SPANS
        .iter()
        .map(|(name, seconds)| Choice {
            label: Clean::new(name),
            detail: until(*seconds),
            value: Value::Span(ChronoSeconds(*seconds)),
        })
        .collect()
}

/// Which span?
pub fn ask_snooze(model: &mut Model) {
    let title = format!("Snooze {} for", what(model));
    let purpose = Purpose::Snooze(targets(model));
    model.open(Overlay::Picker(Picker::new(&title, "Enter snoozes · Esc leaves", spans(model), purpose)));
}

/// To whom? Those on call come first.
pub fn ask_reassign(model: &mut Model) {
    let on_call = |user: &crate::domain::id::UserId| {
        let found = model.room.on_calls().iter().find(|on_call| on_call.user.id == *user);
        found.map(|on_call| format!("on call: {} level {}", on_call.policy.name, on_call.level))
    };
    let mut people: Vec<(Option<String>, Choice)> = Vec::new();
    for user in model.room.users() {
        let duty = on_call(&user.id);
        people.push((
            duty.clone(),
            Choice {
                label: user.name.clone(),
                detail: Clean::new(duty.unwrap_or_default()),
                value: Value::Assignee(Assignee::Users(vec![user.clone()])),
            },
        ));
    }
    people.sort_by_key(|(duty, choice)| (duty.is_none(), choice.label.clone()));
    let policies = model.room.policies().map(|policy| Choice {
        label: policy.name.clone(),
        detail: Clean::new(format!("policy with {} levels", policy.levels.len())),
        value: Value::Assignee(Assignee::Policy(crate::domain::incident::Named {
            id: policy.id.clone(),
            name: policy.name.clone(),
        })),
    });
    let choices: Vec<Choice> = people.into_iter().map(|(_, choice)| choice).chain(policies).collect();
    let title = format!("Reassign {} to", what(model));
    let mut picker = Picker::new(
        &title,
        "Tab picks several people · Enter goes on · Esc leaves",
        choices,
        Purpose::Reassign(targets(model)),
    );
    picker.is_many = true;
    picker.when_empty = Clean::new("the people of the account are not known yet");
    model.open(Overlay::Picker(picker));
}

/// A level's targets, and who of them is on call.
fn called(level: &crate::domain::escalation::Level, people: &[Clean]) -> String {
    let join = |names: &[Clean]| names.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ");
    match (join(&level.targets), join(people)) {
        (targets, people) if people.is_empty() || people == targets => targets,
        (targets, people) => format!("{targets}: {people}"),
    }
}

/// Which level, where the present one is not known; true when it was asked.
pub fn ask_escalate_level(model: &mut Model) -> bool {
    if !needs_level(model) {
        return false;
    }
    let record =
        chosen(model).first().and_then(|id| model.room.incident(id)).and_then(|incident| incident.record.clone());
    let Some(policy) = record.and_then(|record| record.policy.clone()).and_then(|policy| model.room.policy(&policy.id))
    else {
        return false;
    };
    let choices = policy
        .levels
        .iter()
        .zip(1_u32..)
        .map(|(level, number)| Choice {
            label: Clean::new(format!("level {number}")),
            detail: Clean::new(called(level, &model.room.people_at(&policy.id, number))),
            value: Value::Level(number, level.targets.clone()),
        })
        .collect();
    let title = format!("Escalate {} to which level?", what(model));
    let purpose = Purpose::Escalate(targets(model));
    model.open(Overlay::Picker(Picker::new(&title, "Enter goes on · Esc leaves", choices, purpose)));
    true
}

/// What is the note?
pub fn ask_note(model: &mut Model) {
    let prompt = Prompt {
        title: Clean::new(format!("Note on {}", what(model))),
        hint: Clean::new("Enter writes it · Esc leaves"),
        input: TextBox::default(),
        purpose: Asked::Note(targets(model)),
    };
    model.open(Overlay::Prompt(prompt));
}

/// A note that failed, or of which nobody knows, written anew: the new one goes its own way, the old one is put away.
pub fn edit_action(model: &mut Model, op: OpId) {
    let Some(sending) = model.room.sendings().get(&op) else { return };
    let Action::Note { text } = &sending.intent.action else {
        let says = "only notes can be changed: try it again, or give it up and do it anew";
        model.toasts.say(Weight::Info, says, model.now);
        return;
    };
    if !matches!(sending.delivery, Delivery::Failed { .. } | Delivery::Unknown { .. }) {
        model.toasts.say(Weight::Info, "it is on its way: give it up first", model.now);
        return;
    }
    let may_stand = matches!(sending.delivery, Delivery::Unknown { .. });
    let title = if may_stand { "Write the note anew (the old one may stand there)" } else { "Write the note anew" };
    let prompt = Prompt {
        title: Clean::new(title),
        hint: Clean::new("Enter sends it instead of the old one · Esc leaves"),
        input: TextBox::one_line(text.expose()),
        purpose: Asked::Instead(op, vec![sending.intent.target.clone()]),
    };
    model.open(Overlay::Prompt(prompt));
}

/// A note in the editor.
pub fn edit_note(model: &Model, step: &mut Step) {
    let help = format!(
        "\n# Note on {}.\n# Lines that begin with # are left out; an empty text writes nothing.\n",
        what(model)
    );
    step.terminal.push(TerminalEffect::Edit { editing: Editing::Note(targets(model)), text: help });
}

/// Opens a link, or asks which. Only http and https; the whole address is shown.
pub fn ask_link(model: &mut Model, step: &mut Step, links: &[Untrusted]) {
    let mut addresses: Vec<String> = links.iter().filter_map(|link| web_address(link.expose())).collect();
    addresses.dedup();
    match addresses.as_slice() {
        [] => model.toasts.say(Weight::Info, "no link here", model.now),
        [only] => {
            model.toasts.say(Weight::Info, format!("opening {only}"), model.now);
            step.terminal.push(TerminalEffect::OpenLink(only.clone()));
        }
        _ => {
            let choices = addresses
                .iter()
                .map(|link| Choice {
                    label: Clean::new(link),
                    detail: Clean::default(),
                    value: Value::Link(link.clone()),
                })
                .collect();
            model.open(Overlay::Picker(Picker::new(
                "Open which link?",
                "Enter opens · Esc leaves",
                choices,
                Purpose::Link,
            )));
        }
    }
}

/// The address in its one form, when it is a page: a `javascript:` or a file is none.
#[must_use]
pub fn web_address(text: &str) -> Option<String> {
    let address = url::Url::parse(text).ok()?;
    let is_web = matches!(address.scheme(), "http" | "https") && address.host_str().is_some();
    (is_web && address.as_str().len() <= 2_048).then(|| address.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_links() {
        assert_eq!(web_address("https://ex.org/a b"), Some("https://ex.org/a%20b".to_owned()));
        for text in ["javascript:alert(1)", "file:///etc/passwd", "--help", "", "http://", "data:text/html,x"] {
            assert_eq!(web_address(text), None, "{text}");
        }
    }
}

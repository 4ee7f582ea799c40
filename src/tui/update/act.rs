//! What picks, forms, editors and single keys lead to.

use super::{Step, overlay};
use crate::domain::action::{Assignee, Target};
use crate::domain::incident::Named;
use crate::text::{Clean, Untrusted};
use crate::tui::acts;
use crate::tui::layout::Pane;
use crate::tui::model::Model;
use crate::tui::msg::{Editing, TerminalEffect};
use crate::tui::overlays::declare::Field;
use crate::tui::overlays::picker::{Choice, Picker, Purpose, Value};
use crate::tui::overlays::{Declare, Overlay, Subject};
use crate::tui::panes::{panels, runbook, timeline};
use crate::tui::toast::Weight;

/// Back from the editor.
pub(super) fn edited(model: &mut Model, step: &mut Step, editing: Editing, text: Result<String, String>) {
    let Editing::Note(targets) = editing;
    match text {
        Err(why) => model.toasts.say(Weight::Error, why, model.now),
        Ok(text) => {
            let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            acts::note(model, step, targets, &kept.join("\n"), true);
        }
    }
}

/// `e`: the next level, or which level where the present one is not known.
pub(super) fn escalate(model: &mut Model) {
    if !acts::ask_escalate_level(model) {
        acts::escalate(model, None);
    }
}

/// `c`: the form.
pub(super) fn declare(model: &mut Model) {
    if let Err(why) = acts::can_declare(model) {
        model.toasts.say(Weight::Warning, why, model.now);
        return;
    }
    let mut form = Declare::default();
    // What the cursor is on is where the trouble usually is.
    let service =
        model.selected().and_then(|incident| incident.record.clone()).and_then(|record| record.service.clone());
    form.service = service.or_else(|| match acts::services(model).as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    });
    model.open(Overlay::Declare(Box::new(form)));
}

/// Enter in the form: a list for what is chosen, else the question.
pub(super) fn declare_enter(model: &mut Model) {
    let Some(Overlay::Declare(form)) = model.overlays.last_mut() else { return };
    match form.field {
        Field::Service => ask_service(model),
        Field::Priority => ask_priority(model),
        Field::Title | Field::Urgency | Field::Details => match form.finished() {
            Err(complaint) => form.complaint = Some(complaint),
            Ok(declaration) => acts::declare(model, declaration),
        },
    }
}

fn ask_service(model: &mut Model) {
    let choices = acts::services(model).into_iter().enumerate();
    let choices = choices
        .map(|(at, service)| Choice { label: service.name, detail: Clean::default(), value: Value::Field(at) })
        .collect();
    let mut picker = Picker::new("On which service?", "Enter chooses · Esc leaves", choices, Purpose::DeclareService);
    picker.when_empty = Clean::new("the account's services are not known yet");
    model.open(Overlay::Picker(picker));
}

/// What each priority means is shown beside it: the severity's description and examples.
fn ask_priority(model: &mut Model) {
    let severity_of = |name: &str| {
        model
            .severities
            .iter()
            .find(|(_, policy)| policy.priorities.iter().any(|known| known.eq_ignore_ascii_case(name)))
    };
    let choices = model.room.priorities().iter().enumerate().map(|(at, priority)| {
        let detail = severity_of(priority.name.as_str()).map_or_else(Clean::default, |(severity, policy)| {
            let examples: Vec<&str> = policy.examples.iter().map(Clean::as_str).collect();
            let such =
                if examples.is_empty() { String::new() } else { format!(" – such as {}", examples.join(", ")) };
            Clean::new(format!("{}: {}{such}", severity.word(), policy.description))
        });
        Choice { label: priority.name.clone(), detail, value: Value::Field(at) }
    });
    let mut picker =
        Picker::new("How bad is it?", "Enter chooses · Esc leaves", choices.collect(), Purpose::DeclarePriority);
    picker.when_empty = Clean::new("the account has no priorities, or they are not known yet");
    model.open(Overlay::Picker(picker));
}

/// A pick was made; the picker is closed already.
pub(super) fn picked(model: &mut Model, step: &mut Step, picker: &Picker, values: Vec<Value>) {
    let first = values.first().cloned();
    match (&picker.purpose, first) {
        (Purpose::Snooze(targets), Some(Value::Span(span))) => acts::snooze(model, step, targets.clone(), span),
        (Purpose::Silence(wanted), Some(Value::Span(span))) => acts::silence(model, wanted, span),
        (Purpose::Reassign(targets), Some(Value::Assignee(_))) => reassign(model, targets, values),
        (Purpose::Escalate(_), Some(Value::Level(level, _))) => acts::escalate(model, Some(level)),
        (Purpose::Role(target), Some(Value::Role { role, from, to })) => {
            acts::take_role(model, step, target.clone(), role, from, to);
        }
        (Purpose::Theme, Some(Value::Theme(name))) => {
            if let Some(theme) = model.themes.iter().find(|theme| theme.name() == name) {
                model.theme = std::sync::Arc::clone(theme);
            }
        }
        (Purpose::Run { run, step: id }, Some(Value::Run(choice))) => {
            crate::tui::runs::picked(model, step, *run, id.clone(), choice);
        }
        (Purpose::Runbook, Some(Value::Runbook(id))) => runbook::update::choose(model, id),
        (Purpose::Kinds, _) => {
            let kinds =
                values.into_iter().filter_map(|value| if let Value::Kind(kind) = value { Some(kind) } else { None });
            timeline::update::show_kinds(model, kinds.collect());
        }
        (Purpose::Link, Some(Value::Link(link))) => step.terminal.push(TerminalEffect::OpenLink(link)),
        (Purpose::DeclareService, Some(Value::Field(at))) => {
            let service = acts::services(model).into_iter().nth(at);
            with_form(model, |form| form.service = service);
        }
        (Purpose::DeclarePriority, Some(Value::Field(at))) => {
            let priority = model.room.priorities().get(at);
            let named = priority.map(|priority| Named { id: priority.id.clone(), name: priority.name.clone() });
            with_form(model, |form| form.priority = named);
        }
        _ => {}
    }
}

fn with_form(model: &mut Model, change: impl FnOnce(&mut Declare)) {
    if let Some(Overlay::Declare(form)) = model.overlays.last_mut() {
        change(form);
        form.move_field(1);
    }
}

/// Several people together, or one policy: PagerDuty takes no mixture.
fn reassign(model: &mut Model, targets: &[Target], values: Vec<Value>) {
    let mut users = Vec::new();
    let mut policy = None;
    for value in values {
        match value {
            Value::Assignee(Assignee::Users(some)) => users.extend(some),
            Value::Assignee(Assignee::Policy(one)) => policy = Some(one),
            _ => {}
        }
    }
    let to = match (policy, users.is_empty()) {
        (Some(policy), true) => Assignee::Policy(policy),
        (None, false) => Assignee::Users(users),
        _ => {
            model.toasts.say(Weight::Warning, "Reassign: either people or one policy, not both", model.now);
            return;
        }
    };
    acts::reassign(model, targets, &to);
}

/// Copies what the cursor is on.
pub(super) fn copy(model: &mut Model, step: &mut Step) {
    let incident = model.selected();
    let text = match (model.overlays.last(), model.focus) {
        (Some(Overlay::Detail(detail)), _) => match &detail.subject {
            Subject::Incident(id) | Subject::Explain(id) => model.room.incident(id).map(acts::label),
            Subject::Entry(id, entry) => timeline::update::text_of(model, id, entry),
            Subject::Output(run, id) => {
                model.runbook.outputs.of(*run, id).map(crate::tui::panes::runbook::output::Output::text)
            }
        },
        (Some(_), _) => None,
        (None, Pane::Incidents) => incident.map(acts::label),
        (None, Pane::Timeline) => incident
            .map(|incident| incident.id.clone())
            .zip(timeline::update::selected(model))
            .and_then(|(id, entry)| timeline::update::text_of(model, &id, &entry)),
        (None, Pane::Panels) => panels::update::query_text(model),
        (None, Pane::Runbook) => runbook::update::step_text(model),
    };
    match text {
        Some(text) => overlay::said_copied(model, step, text),
        None => model.toasts.say(Weight::Info, "nothing to copy here", model.now),
    }
}

/// Opens the page of what the cursor is on.
pub(super) fn open_link(model: &mut Model, step: &mut Step) {
    let links: Vec<Untrusted> = match (model.overlays.last(), model.focus) {
        (Some(Overlay::Detail(detail)), _) => match detail.subject.clone() {
            Subject::Incident(id) | Subject::Explain(id) => incident_links(model, &id),
            Subject::Entry(id, entry) => timeline::update::links_of(model, &id, &entry),
            Subject::Output(..) => Vec::new(),
        },
        (None, Pane::Timeline) => {
            let entry = model.incidents.selected.clone().zip(timeline::update::selected(model));
            entry.map(|(id, entry)| timeline::update::links_of(model, &id, &entry)).unwrap_or_default()
        }
        _ => model.incidents.selected.clone().map(|id| incident_links(model, &id)).unwrap_or_default(),
    };
    acts::ask_link(model, step, &links);
}

/// PagerDuty's page first, then runbooks, dashboards and expressions of its alerts.
fn incident_links(model: &Model, id: &crate::domain::id::IncidentId) -> Vec<Untrusted> {
    let page = model.room.incident(id).and_then(|incident| incident.record.as_ref()?.html_url.clone());
    let mut links: Vec<Untrusted> = page.into_iter().collect();
    for alert in model.room.alerts_of(id).take(8) {
        let annotated = alert.annotations.iter().filter(|(name, _)| name.ends_with("_url") || *name == "dashboard");
        links.extend(annotated.map(|(_, value)| value.to_untrusted()));
        links.push(alert.generator_url.clone());
    }
    let mut seen = std::collections::BTreeSet::new();
    links.retain(|link| !link.is_empty() && seen.insert(link.clone()));
    links
}

//! One function for each action: what it will do to whom, then the question or the deed.

use super::{MANY, chosen, intents, label, shortened, target};
use crate::domain::action::{self, Action, Assignee, Declaration, Delivery, Target};
use crate::domain::command::CommandId;
use crate::domain::freshness::Freshness;
use crate::domain::id::{PagerId, RunbookId, ServiceId, StepId};
use crate::domain::incident::{Incident, Named, PagerIncident, Status};
use crate::domain::source::{ChronoSeconds, SourceKind};
use crate::text::{Clean, Untrusted};
use crate::tui::model::{Model, PagerAccess};
use crate::tui::overlays::Overlay;
use crate::tui::overlays::confirm::{Confirm, Demand, Then};
use crate::tui::textbox::TextBox;
use crate::tui::toast::Weight;
use crate::tui::update::Step;

/// A question in the making.
pub(super) struct Question {
    pub title: String,
    pub will: Vec<String>,
    pub warnings: Vec<String>,
    pub wanted: Vec<(Target, Action)>,
    /// The word that must be typed when there are many targets.
    pub word: &'static str,
}

pub(super) fn ask(model: &mut Model, question: Question) {
    if question.wanted.is_empty() {
        let why = question.warnings.first().cloned().unwrap_or_else(|| "there is nothing to do".to_owned());
        model.toasts.say(Weight::Warning, why, model.now);
        return;
    }
    let demand = if question.wanted.len() >= MANY {
        Demand::Name {
            wanted: Clean::new(format!("{} {}", question.word, question.wanted.len())),
            typed: TextBox::default(),
        }
    } else {
        Demand::Key
    };
    let mut warnings = stale_warning(model).into_iter().collect::<Vec<_>>();
    warnings.extend(question.warnings);
    let then = Then::Act(intents(model, question.wanted));
    let clean = |lines: Vec<String>| lines.into_iter().map(Clean::new).collect();
    model.open(Overlay::Confirm(Confirm {
        title: Clean::new(question.title),
        will: clean(question.will),
        warnings: clean(warnings),
        demand,
        then,
        quiet_since: model.now,
        offset: 0,
    }));
}

/// Old data is said before anything is done on it; the engine reads the incident again in any case.
fn stale_warning(model: &Model) -> Option<String> {
    let pager = model.room.sources().values().find(|health| health.kind == SourceKind::PagerDuty)?;
    let freshness = Freshness::of(pager, model.now, false);
    matches!(freshness, Freshness::Stale | Freshness::Unknown | Freshness::Forbidden).then(|| {
        let age = pager.answered_at.map(|at| model.now.signed_duration_since(at).num_seconds().max(0));
        match age {
            Some(seconds) => {
                format!("PagerDuty last answered {seconds} s ago: this may have changed; it is read again first")
            }
            None => "PagerDuty has not answered yet: this may have changed; it is read again first".to_owned(),
        }
    })
}

fn act(model: &mut Model, step: &mut Step, wanted: Vec<(Target, Action)>) {
    let made = intents(model, wanted);
    step.act(model, made);
}

/// The chosen incidents that an action can reach: with PagerDuty's record, or with a key where that is enough.
fn reachable(model: &Model, needs_record: bool) -> (Vec<Incident>, usize) {
    let all: Vec<Incident> = chosen(model).iter().filter_map(|id| model.room.incident(id).cloned()).collect();
    let count = all.len();
    let fits =
        |incident: &Incident| incident.record.is_some() || (!needs_record && super::key_of(model, incident).is_some());
    let reached: Vec<Incident> = all.into_iter().filter(fits).collect();
    let skipped = count - reached.len();
    (reached, skipped)
}

fn skipped_warning(skipped: usize) -> Option<String> {
    (skipped > 0).then(|| format!("{skipped} of the chosen are known to Alertmanager only and are left out"))
}

fn many(incidents: &[Incident]) -> String {
    match incidents {
        [one] => label(one),
        several => format!("{} incidents", several.len()),
    }
}

/// At once: it lapses by itself, and the engine looks first whether a colleague has it already.
pub fn acknowledge(model: &mut Model, step: &mut Step) {
    let (incidents, skipped) = reachable(model, false);
    let open: Vec<&Incident> = incidents.iter().filter(|incident| incident.status != Status::Resolved).collect();
    if open.is_empty() {
        model.toasts.say(Weight::Info, "already resolved: nothing to acknowledge", model.now);
        return;
    }
    let wanted: Vec<(Target, Action)> =
        open.iter().map(|incident| (target(model, incident), Action::Acknowledge)).collect();
    if let Some(warning) = skipped_warning(skipped) {
        model.toasts.say(Weight::Warning, warning, model.now);
    }
    act(model, step, wanted);
}

/// Asks; says who had it.
pub fn resolve(model: &mut Model) {
    let (incidents, skipped) = reachable(model, false);
    let open: Vec<Incident> = incidents.into_iter().filter(|incident| incident.status != Status::Resolved).collect();
    let firing = |incident: &Incident| model.room.alerts_of(&incident.id).count();
    let will = open
        .iter()
        .map(|incident| match firing(incident) {
            0 => format!("resolve {}", label(incident)),
            alerts => format!("resolve {} – {alerts} of its alerts still fire and may open it again", label(incident)),
        })
        .collect();
    let mut warnings: Vec<String> = skipped_warning(skipped).into_iter().collect();
    if open.is_empty() {
        warnings.insert(0, "already resolved".to_owned());
    }
    let wanted = open.iter().map(|incident| (target(model, incident), Action::Resolve { resolution: None })).collect();
    ask(model, Question { title: format!("Resolve {}?", many(&open)), will, warnings, wanted, word: "resolve" });
}

/// Asks; names the level and the people it calls. `level` overrides the next one.
pub fn escalate(model: &mut Model, level: Option<u32>) {
    let (incidents, _) = reachable(model, true);
    let mut will = Vec::new();
    let mut warnings = Vec::new();
    let mut wanted = Vec::new();
    for incident in incidents.iter().filter(|incident| incident.status != Status::Resolved) {
        let Some(record) = &incident.record else { continue };
        match next_level(model, record, level) {
            Ok((level, to)) => {
                let names = people(&to);
                let policy = record.policy.as_ref().map_or_else(String::new, |policy| format!(" of {}", policy.name));
                will.push(format!("call level {level}{policy}: {names} – for {}", label(incident)));
                if record.assigned_directly {
                    warnings.push(format!("{} was assigned directly: it follows no policy now", label(incident)));
                }
                wanted.push((target(model, incident), Action::Escalate { level, to }));
            }
            Err(why) => warnings.push(format!("{}: {why}", label(incident))),
        }
    }
    if incidents.iter().all(|incident| incident.status == Status::Resolved) {
        warnings.insert(0, "already resolved".to_owned());
    }
    let title = match will.len() {
        1 => "Escalate?".to_owned(),
        many => format!("Escalate {many} incidents?"),
    };
    ask(model, Question { title, will, warnings, wanted, word: "escalate" });
}

fn people(names: &[Clean]) -> String {
    if names.is_empty() {
        return "nobody is known for it".to_owned();
    }
    names.iter().map(Clean::as_str).collect::<Vec<_>>().join(", ")
}

/// The absolute level after the one it stands at, and whom it calls.
fn next_level(model: &Model, record: &PagerIncident, wanted: Option<u32>) -> Result<(u32, Vec<Clean>), &'static str> {
    let Some(policy) = &record.policy else { return Err("it has no escalation policy") };
    let Some(policy) = model.room.policy(&policy.id) else {
        return Err("the levels of its policy are being read; try again in a moment");
    };
    let last = u32::try_from(policy.levels.len()).unwrap_or(u32::MAX);
    let level = match (wanted, model.room.level_of(record)) {
        (Some(level), _) => level,
        // After the last level the policy starts again.
        (None, Some(level)) if level >= last => 1,
        (None, Some(level)) => level + 1,
        (None, None) => return Err("its level is not known; choose one from the palette"),
    };
    let at = usize::try_from(level).unwrap_or(0).saturating_sub(1);
    let Some(found) = policy.levels.get(at) else { return Err("its policy has no such level") };
    let names = model.room.people_at(&policy.id, level);
    Ok((level, if names.is_empty() { found.targets.clone() } else { names }))
}

/// Whether `e` must ask for a level first: one incident whose level is not known.
pub(super) fn needs_level(model: &Model) -> bool {
    let chosen = chosen(model);
    let [only] = chosen.as_slice() else { return false };
    let record = model.room.incident(only).and_then(|incident| incident.record.clone());
    record.is_some_and(|record| {
        model.room.level_of(&record).is_none()
            && record.policy.as_ref().is_some_and(|policy| model.room.policy(&policy.id).is_some())
    })
}

/// Asks; names who gets it.
pub fn reassign(model: &mut Model, targets: &[Target], to: &Assignee) {
    let names = match to {
        Assignee::Users(users) => people(&users.iter().map(|user| user.name.clone()).collect::<Vec<_>>()),
        Assignee::Policy(policy) => format!("policy {}, from its first level", policy.name),
    };
    let incidents = known(model, targets);
    let will = incidents
        .iter()
        .map(|incident| {
            let holders = incident.record.iter().flat_map(|record| &record.assignees).map(|user| user.name.clone());
            let had = people(&holders.collect::<Vec<_>>());
            format!("give {} to {names} (now: {had})", label(incident))
        })
        .collect();
    let warnings = match to {
        Assignee::Users(_) => vec!["an incident assigned to people does not escalate by itself".to_owned()],
        Assignee::Policy(_) => Vec::new(),
    };
    let wanted = targets.iter().map(|target| (target.clone(), Action::Reassign { to: to.clone() })).collect();
    ask(model, Question { title: format!("Reassign {}?", many(&incidents)), will, warnings, wanted, word: "reassign" });
}

fn known(model: &Model, targets: &[Target]) -> Vec<Incident> {
    let id = |target: &Target| match target {
        Target::Incident { id, .. } => model.room.incident(id).cloned(),
        Target::New => None,
    };
    targets.iter().filter_map(id).collect()
}

/// At once, after the span was picked.
pub fn snooze(model: &mut Model, step: &mut Step, targets: Vec<Target>, span: ChronoSeconds) {
    let wanted = targets.into_iter().map(|target| (target, Action::Snooze { span })).collect();
    act(model, step, wanted);
}

/// Asks; names what goes away and what stays.
pub fn merge(model: &mut Model) {
    let Some(into) = model.selected().cloned() else { return };
    let Some(record) = into.record.clone() else {
        model.toasts.say(Weight::Warning, "Merge: the selected one must be an incident of PagerDuty", model.now);
        return;
    };
    let marked: Vec<Incident> = chosen(model).iter().filter_map(|id| model.room.incident(id).cloned()).collect();
    let sources: Vec<(Incident, PagerId)> = marked
        .into_iter()
        .filter(|incident| incident.id != into.id)
        .filter_map(|incident| incident.record.as_ref().map(|record| record.id.clone()).map(|id| (incident, id)))
        .collect();
    if sources.is_empty() {
        let keys = "mark (space) the incidents that should go into the selected one first";
        model.toasts.say(Weight::Info, format!("Merge: {keys}"), model.now);
        return;
    }
    let will = sources
        .iter()
        .map(|(incident, _)| format!("resolve {} and move its alerts into {}", label(incident), label(&into)))
        .collect();
    let mut warnings = vec!["a merge cannot be taken back".to_owned()];
    if !record.is_mergeable {
        warnings.push(format!("PagerDuty may refuse: it calls {} not mergeable", label(&into)));
    }
    let into_target = target(model, &into);
    let title = format!("Merge {} into {}?", sources.len(), label(&into));
    let wanted = sources.into_iter().map(|(_, source)| (into_target.clone(), Action::Merge { source })).collect();
    ask(model, Question { title, will, warnings, wanted, word: "merge" });
}

/// A typed line is sent at once; a text from the editor is shown before.
pub fn note(model: &mut Model, step: &mut Step, targets: Vec<Target>, text: &str, shows_first: bool) {
    let text = text.trim();
    if text.is_empty() {
        model.toasts.say(Weight::Info, "no text: no note was written", model.now);
        return;
    }
    let wanted: Vec<(Target, Action)> =
        targets.iter().map(|target| (target.clone(), Action::Note { text: Untrusted::from(text) })).collect();
    if !shows_first {
        act(model, step, wanted);
        return;
    }
    let incidents = known(model, &targets);
    let mut will = vec![format!("write this note to {}:", many(&incidents))];
    will.extend(text.lines().map(|line| format!("  {line}")));
    ask(model, Question { title: "Write the note?".to_owned(), will, warnings: Vec::new(), wanted, word: "note" });
}

/// Asks; says whom PagerDuty will page.
pub fn declare(model: &mut Model, declaration: Declaration) {
    let service = &declaration.service;
    let mut will = vec![format!("open “{}” on {}", shortened(declaration.title.clean().as_str(), 100), service.name)];
    let paging = match declaration.urgency {
        crate::domain::incident::Urgency::High => "with high urgency: its on-call is paged now",
        crate::domain::incident::Urgency::Low => "with low urgency: its on-call is told and not woken",
    };
    will.push(paging.to_owned());
    if let Some(priority) = &declaration.priority {
        will.push(format!("with priority {}", priority.name));
    }
    let title = "Declare a new incident?".to_owned();
    let wanted = vec![(Target::New, Action::Declare(declaration))];
    ask(model, Question { title, will, warnings: Vec::new(), wanted, word: "declare" });
}

/// At once: a tick is ours and can be taken back.
pub fn tick(model: &mut Model, step: &mut Step, runbook: RunbookId, id: StepId, done: bool) {
    let Some(incident) = model.selected().cloned() else { return };
    let wanted = vec![(target(model, &incident), Action::Tick { runbook, step: id, done })];
    act(model, step, wanted);
}

/// Asks; takes back what was done last on each chosen incident, where its provider lets that be.
pub fn undo(model: &mut Model) {
    let incidents: Vec<Incident> = chosen(model).iter().filter_map(|id| model.room.incident(id).cloned()).collect();
    let (mut will, mut warnings, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for incident in &incidents {
        let done = model.room.sendings_of(&incident.id);
        let last = done.iter().rev().find(|sending| matches!(sending.delivery, Delivery::Confirmed { .. }));
        let Some(last) = last else {
            warnings.push(format!("{}: nothing was done from here that could be taken back", label(incident)));
            continue;
        };
        if let Action::Silence(silencing) = &last.intent.action {
            match super::silence::made(model, silencing, last.intent.op) {
                Some(silence) => {
                    let cluster = silence.cluster.clone();
                    will.push(format!("{} – end its silence in {cluster}: its alerts page again", label(incident)));
                    wanted.push((last.intent.target.clone(), Action::Unsilence { cluster, id: silence.id.clone() }));
                }
                None => warnings.push(format!("{}: its silence is over already", label(incident))),
            }
            continue;
        }
        let Some(back) = action::undo(&last.intent.action) else {
            let verb = super::verb(&last.intent.action);
            warnings.push(format!("{}: PagerDuty does not let {verb} be taken back", label(incident)));
            continue;
        };
        let what = match last.intent.action {
            Action::Resolve { .. } => "open it again: its on-call is paged",
            _ => "give it back: it is triggered again, and its on-call is paged",
        };
        will.push(format!("{} – {what}", label(incident)));
        wanted.push((target(model, incident), back));
    }
    ask(model, Question { title: format!("Undo for {}?", many(&incidents)), will, warnings, wanted, word: "undo" });
}

/// Leaves, or asks first when something is not delivered: it goes on at the next start, not before.
pub fn leave(model: &mut Model, step: &mut Step) {
    let waiting = model.room.undelivered();
    if waiting == 0 {
        step.quit(0);
        return;
    }
    let noun = if waiting == 1 { "action is" } else { "actions are" };
    model.open(Overlay::Confirm(Confirm {
        title: Clean::new("Leave?"),
        will: vec![Clean::new(format!(
            "{waiting} {noun} not delivered yet; the journal keeps them and they go on at the next start"
        ))],
        warnings: Vec::new(),
        demand: Demand::Key,
        then: Then::Quit,
        quiet_since: model.now,
        offset: 0,
    }));
}

/// The services a declaration can name: the account's, or the configured ones where only a routing key is known; there
/// the integration decides and the name stands in the event.
#[must_use]
pub fn services(model: &Model) -> Vec<Named<ServiceId>> {
    if model.pager == PagerAccess::Full {
        return model.room.services().to_vec();
    }
    let named = |name: &Clean| Some(Named { id: ServiceId::parse(name.as_str())?, name: name.clone() });
    let configured: Vec<_> = model.services.iter().filter_map(|service| named(&service.name)).collect();
    if configured.is_empty() { named(&model.room_name).into_iter().collect() } else { configured }
}

/// Whether the declare form can be offered, and why not.
#[must_use]
pub fn can_declare(model: &Model) -> Result<(), String> {
    if model.pager == PagerAccess::Full && model.room.services().is_empty() {
        return Err("Declare: the account's services are not known yet".to_owned());
    }
    crate::tui::command::blocked(model, CommandId::Declare).map_or(Ok(()), Err)
}

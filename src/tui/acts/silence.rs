//! Silencing the alerts of the chosen incidents: for how long, then what exactly is silenced where, and the question.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Duration;

use super::ask::{Question, ask};
use super::dialogs::spans;
use super::{chosen, label, target};
use crate::domain::action::{Action, Silencing, Target};
use crate::domain::alert::{Alert, Labels};
use crate::domain::id::{OpId, SourceId};
use crate::domain::incident::Incident;
use crate::domain::silence::{Matcher, Silence, SilenceState};
use crate::domain::source::ChronoSeconds;
use crate::text::Untrusted;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::overlays::picker::{Picker, Purpose};
use crate::tui::toast::Weight;

/// For how long?
pub fn ask_silence(model: &mut Model) {
    let incidents: Vec<Incident> = chosen(model).iter().filter_map(|id| model.room.incident(id).cloned()).collect();
    let wanted: Vec<(Target, Silencing)> = incidents.iter().flat_map(|incident| silencings(model, incident)).collect();
    if wanted.is_empty() {
        let why = "Silence: no Alertmanager has alerts of this incident with labels alike";
        model.toasts.say(Weight::Warning, why, model.now);
        return;
    }
    let what = match incidents.as_slice() {
        [only] => format!("Silence the alerts of {} for", label(only)),
        many => format!("Silence the alerts of {} incidents for", many.len()),
    };
    let picker =
        Picker::new(&what, "Enter shows what is silenced · Esc leaves", spans(model), Purpose::Silence(wanted));
    model.open(Overlay::Picker(picker));
}

/// The silence that an action made, while it works: Alertmanager gives it an id of its own, and its comment names the
/// action.
pub(super) fn made<'m>(model: &'m Model, silencing: &Silencing, op: OpId) -> Option<&'m Silence> {
    let mark = op.to_string();
    let is_it = |silence: &&Arc<Silence>| {
        silence.cluster == silencing.cluster
            && silence.state != SilenceState::Expired
            && silence.comment.as_str().contains(&mark)
    };
    model.room.silences().find(is_it).map(Arc::as_ref)
}

/// Asks; names every matcher, because a silence that fits more than was meant hides the next outage.
pub fn silence(model: &mut Model, wanted: &[(Target, Silencing)], span: ChronoSeconds) {
    let until = (model.now + Duration::seconds(span.0)).with_timezone(&model.zone).format("%a %H:%M");
    let (mut will, mut warnings) = (Vec::new(), Vec::new());
    for (target, silencing) in wanted {
        let fitting: Vec<&Arc<Alert>> = model.room.alerts().filter(|alert| fits(silencing, alert)).collect();
        will.push(format!(
            "silence {} in {}, and every alert until then that has",
            counted(fitting.len()),
            silencing.cluster
        ));
        for Matcher { name, value, .. } in &silencing.matchers {
            will.push(format!("  {} = {}", name.clean(), value.clean()));
        }
        let others = fitting.iter().filter(|alert| !is_of(model, target, alert)).count();
        if others > 0 {
            warnings.push(format!("{} of other incidents fit too", counted(others)));
        }
    }
    let title = format!("Silence until {until}?");
    let wanted = wanted
        .iter()
        .map(|(target, silencing)| (target.clone(), Action::Silence(Silencing { span, ..silencing.clone() })));
    ask(model, Question { title, will, warnings, wanted: wanted.collect(), word: "silence" });
}

fn counted(alerts: usize) -> String {
    format!("{alerts} alert{}", if alerts == 1 { "" } else { "s" })
}

/// One a cluster: the labels that the incident's alerts there have alike. Its span is not known yet.
fn silencings(model: &Model, incident: &Incident) -> Vec<(Target, Silencing)> {
    let mut clusters: BTreeMap<SourceId, Vec<&Labels>> = BTreeMap::new();
    for alert in model.room.alerts_of(&incident.id) {
        clusters.entry(alert.key.cluster.clone()).or_default().push(&alert.labels);
    }
    let comment = Untrusted::from(format!("{} ({})", label(incident), model.operator));
    let made = clusters.into_iter().map(|(cluster, labels)| Silencing {
        cluster,
        matchers: alike(&labels),
        span: ChronoSeconds(0),
        comment: comment.clone(),
    });
    // A silence without a matcher would be refused; one for all alerts nobody means.
    made.filter(|silencing| !silencing.matchers.is_empty())
        .map(|silencing| (target(model, incident), silencing))
        .collect()
}

fn alike(labels: &[&Labels]) -> Vec<Matcher> {
    let Some((first, others)) = labels.split_first() else { return Vec::new() };
    let has_all = |name: &str, value| others.iter().all(|labels| labels.get(name) == Some(value));
    let common = first.iter().filter(|(name, value)| has_all(name, *value));
    common
        .map(|(name, value)| Matcher {
            name: Untrusted::from(name),
            value: value.to_untrusted(),
            is_regex: false,
            is_equal: true,
        })
        .collect()
}

fn fits(silencing: &Silencing, alert: &Alert) -> bool {
    let has = |matcher: &Matcher| alert.labels.get(matcher.name.expose()) == Some(matcher.value.borrow());
    alert.key.cluster == silencing.cluster && silencing.matchers.iter().all(has)
}

fn is_of(model: &Model, target: &Target, alert: &Alert) -> bool {
    let Target::Incident { id, .. } = target else { return false };
    let id = model.room.resolve_alias(id);
    model.room.incidents_of_alert(&alert.key).any(|incident| incident.id == *id)
}

//! Label sets as Prometheus prints, orders and matches them.

use std::cmp::Ordering;

use promql_parser::label::{Labels, Matcher};
use promql_parser::parser::LabelModifier;

use super::super::metrics::LabelSet;

/// Without the metric's name.
pub(super) fn nameless(mut labels: LabelSet) -> LabelSet {
    labels.remove("__name__");
    labels
}

/// Prometheus's order: name by name, then value, the shorter set first.
pub(super) fn order(one: &LabelSet, other: &LabelSet) -> Ordering {
    one.iter().cmp(other.iter())
}

/// `{a="1", b="2"}`, the way Prometheus prints labels in its errors.
pub(super) fn print(labels: &LabelSet) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Whether every matcher is content with the labels; a label that is absent is an empty one.
pub(super) fn matches(matchers: &[Matcher], labels: &LabelSet) -> bool {
    matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name).map_or("", String::as_str)))
}

/// Only these labels.
pub(super) fn keep(labels: &LabelSet, names: &Labels) -> LabelSet {
    let wanted = labels.iter().filter(|(name, _)| names.labels.contains(name));
    wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// All but these labels and the metric's name.
pub(super) fn without(labels: &LabelSet, names: &Labels) -> LabelSet {
    let wanted = labels.iter().filter(|(name, _)| *name != "__name__" && !names.labels.contains(name));
    wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The group of an aggregation, or what two sides of an operator are matched by.
pub(super) fn group(labels: &LabelSet, modifier: Option<&LabelModifier>, default_all: bool) -> LabelSet {
    match modifier {
        Some(LabelModifier::Include(names)) => keep(labels, names),
        Some(LabelModifier::Exclude(names)) => without(labels, names),
        None if default_all => nameless(labels.clone()),
        None => LabelSet::new(),
    }
}

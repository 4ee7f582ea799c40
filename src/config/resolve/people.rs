//! `[[team]]`, `[[escalation]]`, `[targets]`, `[[role]]`, `[[nudge]]`.

use std::collections::BTreeMap;

use chrono::Duration;

use super::set;
use crate::config::model::{Config, NudgeConfig, PolicyConfig, RoleConfig, RuleConfig, TeamConfig};
use crate::config::read::{Item, Section};
use crate::domain::severity::Severity;
use crate::text::Clean;

const MOST: Duration = Duration::days(30);

/// The name of an element of a list; without one the element is left out.
fn name(section: &Section<'_>, example: &str) -> Option<Clean> {
    if !section.has("name") {
        section.missing("name", &format!("\"{example}\""));
    }
    section.item("name").and_then(|item| item.clean())
}

pub(super) fn teams(config: &mut Config, top: &Section<'_>) {
    for section in top.tables("team", "[[team]]") {
        let name = name(&section, "payments");
        let text = |key| section.item(key).and_then(|item: Item<'_>| item.clean());
        let team = |name| TeamConfig {
            name,
            primary_oncall: text("primary_oncall"),
            secondary_oncall: text("secondary_oncall"),
            escalation_manager: text("escalation_manager"),
            policy: text("policy"),
        };
        // Built even without a name, so that the wrong keys beside it are told too.
        let team = team(name.clone().unwrap_or_default());
        config.teams.extend(name.map(|_| team));
        section.finish();
    }
}

pub(super) fn escalations(config: &mut Config, top: &Section<'_>) {
    for section in top.tables("escalation", "[[escalation]]") {
        let name = name(&section, "payments");
        let num_loops = section.item("num_loops").and_then(|item| item.integer(0..=9)).unwrap_or(0);
        let rules: Vec<RuleConfig> =
            section.tables("rules", "rules of [[escalation]]").iter().filter_map(|section| rule(section)).collect();
        if !section.has("rules") {
            section.missing("rules", "[{ delay = \"10m\", targets = [\"alice\"] }]");
        }
        section.finish();
        if let (Some(name), false) = (name, rules.is_empty()) {
            config.escalations.push(PolicyConfig { name, num_loops: u32::try_from(num_loops).unwrap_or(0), rules });
        }
    }
}

fn rule(section: &Section<'_>) -> Option<RuleConfig> {
    let delay = section.item("delay").and_then(|item| item.duration(Duration::minutes(1), Duration::days(2)));
    let targets = section.item("targets").and_then(|item| item.cleans()).unwrap_or_default();
    for (key, example) in [("delay", "\"10m\""), ("targets", "[\"alice\"]")] {
        if !section.has(key) {
            section.missing(key, example);
        }
    }
    section.unknown();
    (!targets.is_empty()).then_some(RuleConfig { delay: delay?, targets })
}

pub(super) fn targets(config: &mut Config, top: &Section<'_>) {
    let Some(section) = top.table("targets", "[targets]") else { return };
    let targets = &mut config.targets;
    if let Some(item) = section.item("mttr") {
        by_severity(&item, &mut targets.mttr);
    }
    if let Some(item) = section.item("mtta") {
        by_severity(&item, &mut targets.mtta);
    }
    let mtbf = section.item("mtbf").and_then(|item| item.duration(Duration::minutes(1), Duration::days(3650)));
    set(&mut targets.mtbf, mtbf);
    set(&mut targets.false_positive_rate, section.item("false_positive_rate").and_then(|item| item.ratio()));
    section.finish();
}

fn by_severity(item: &Item<'_>, spans: &mut BTreeMap<Severity, Duration>) {
    let Some(section) = item.section(item.what.clone()) else { return };
    for severity in Severity::ALL {
        let span = section.item(severity.word()).and_then(|item| item.duration(Duration::seconds(1), MOST));
        spans.extend(span.map(|span| (severity, span)));
    }
    section.finish();
}

pub(super) fn roles(config: &mut Config, top: &Section<'_>) {
    let sections = top.tables("role", "[[role]]");
    if !sections.is_empty() {
        config.roles.clear();
    }
    for section in sections {
        let name = name(&section, "Incident commander");
        let lead = section.item("lead").and_then(|item| item.flag()).unwrap_or(false);
        let duties = section.item("duties").and_then(|item| item.cleans()).unwrap_or_default();
        section.finish();
        config.roles.extend(name.map(|name| RoleConfig { name, lead, duties }));
    }
}

pub(super) fn nudges(config: &mut Config, top: &Section<'_>) {
    for section in top.tables("nudge", "[[nudge]]") {
        let condition = section.item("condition").and_then(|item| {
            item.choice(&[
                ("not-acknowledged", "not-acknowledged"),
                ("no-update", "no-update"),
                ("no-note", "no-note"),
                ("no-lead", "no-lead"),
                ("not-resolved", "not-resolved"),
            ])
        });
        let after = section.item("after").and_then(|item| item.duration(Duration::seconds(10), MOST));
        let to = section.item("to").and_then(|item| item.clean());
        for (key, example) in [("condition", "\"no-update\""), ("after", "\"30m\""), ("to", "\"Incident commander\"")] {
            if !section.has(key) {
                section.missing(key, example);
            }
        }
        section.finish();
        if let (Some(condition), Some(after), Some(to)) = (condition, after, to) {
            config.nudges.push(NudgeConfig { condition: condition.to_owned(), after, to });
        }
    }
}

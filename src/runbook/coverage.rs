//! Alert rules against runbooks: which alert finds nothing to do, which runbook nothing ever finds.

use super::matching::{Wanted, matching};
use super::model::Runbook;
use crate::domain::alert::Labels;
use crate::domain::id::RunbookId;
use crate::text::{Clean, UntrustedStr, glob};

/// An alerting rule, as Prometheus's `/api/v1/rules` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRule {
    /// The alert's name.
    pub name: String,
    /// The labels it puts on its alerts.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
}

/// A rule and the runbooks that would be offered for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The alert's name.
    pub alert: Clean,
    /// Its `severity` label.
    pub severity: Clean,
    /// The runbooks with the reason, best first.
    pub runbooks: Vec<(RunbookId, Clean)>,
    /// A `runbook_url` that no runbook of ours answers.
    pub dead_url: Option<Clean>,
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Every rule, those without a runbook first, then by name.
    pub rules: Vec<Covered>,
    /// Runbooks that no rule finds, foreign ones apart: those are a library.
    pub unused: Vec<RunbookId>,
}

impl Coverage {
    /// How many rules have a runbook.
    #[must_use]
    pub fn covered(&self) -> usize {
        self.rules.iter().filter(|rule| !rule.runbooks.is_empty()).count()
    }
}

/// Compares rules with runbooks. Of several rules with one name each is asked by itself: their labels differ.
#[must_use]
pub fn coverage(rules: &[AlertRule], runbooks: &[Runbook]) -> Coverage {
    let mut found: Vec<Covered> = rules.iter().map(|rule| covered(rule, runbooks)).collect();
    found.sort_by(|left, right| {
        let key = |rule: &Covered| (!rule.runbooks.is_empty(), rule.alert.clone());
        key(left).cmp(&key(right))
    });
    found.dedup();
    let is_used = |runbook: &Runbook| found.iter().any(|rule| rule.runbooks.iter().any(|(id, _)| *id == runbook.id));
    let unused =
        runbooks.iter().filter(|runbook| runbook.is_native && !is_used(runbook)).map(|runbook| runbook.id.clone());
    Coverage { unused: unused.collect(), rules: found }
}

fn covered(rule: &AlertRule, runbooks: &[Runbook]) -> Covered {
    let labels = Labels::new(rule.labels.iter().chain([("alertname", UntrustedStr::new(&rule.name))]));
    let wanted = Wanted { labels: vec![&labels], annotations: vec![&rule.annotations], ..Wanted::default() };
    let mut offers: Vec<(RunbookId, Clean)> = matching(runbooks, &wanted)
        .into_iter()
        .filter_map(|hit| runbooks.get(hit.at).map(|runbook| (runbook.id.clone(), hit.because)))
        .collect();
    if offers.is_empty() {
        // A rule's labels are templates or come from the series: a trigger that only asks for them would fit some alerts.
        offers = runbooks.iter().filter_map(|runbook| by_name(runbook, &rule.name)).collect();
    }
    let url = rule.annotations.get("runbook_url");
    let by_url = offers.iter().any(|(_, because)| because.as_str().starts_with("runbook_url"));
    Covered {
        alert: Clean::new(&rule.name),
        severity: rule.labels.get("severity").map(UntrustedStr::clean).unwrap_or_default(),
        dead_url: url.filter(|_| !by_url && offers.is_empty()).map(UntrustedStr::clean),
        runbooks: offers,
    }
}

fn by_name(runbook: &Runbook, name: &str) -> Option<(RunbookId, Clean)> {
    let trigger = runbook
        .triggers
        .iter()
        .find(|trigger| runbook.is_native && !trigger.labels.is_empty() && glob::matches(&trigger.alertname, name))?;
    let labels: Vec<String> = trigger.labels.iter().map(|(label, pattern)| format!("{label}={pattern}")).collect();
    Some((runbook.id.clone(), Clean::new(format!("only with {}", labels.join(", ")))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_come_first_and_unused_runbooks_are_named() {
        let yaml = "runbooks:\n  cpu:\n    trigger: NodeCPU*\n    manual_steps: [look]\n  db:\n    trigger: {alertname: DbDown, labels: {cluster: 'prod-*'}}\n    manual_steps: [look]\n  lonely:\n    trigger: Never\n    manual_steps: [look]\n";
        let (runbooks, _) = crate::runbook::read("a.yaml", yaml.as_bytes());
        let rule = |name: &str, annotations: &[(&str, &str)]| AlertRule {
            name: name.into(),
            labels: [("severity", "page")].into_iter().collect(),
            annotations: annotations.iter().copied().collect(),
        };
        let report = coverage(
            &[rule("NodeCPUUsageHigh", &[]), rule("Gap", &[("runbook_url", "https://x/gone")]), rule("DbDown", &[])],
            &runbooks,
        );
        let names: Vec<&str> = report.rules.iter().map(|rule| rule.alert.as_str()).collect();
        assert_eq!(names, ["Gap", "DbDown", "NodeCPUUsageHigh"]);
        assert_eq!(report.rules[0].dead_url.as_ref().map(Clean::as_str), Some("https://x/gone"));
        assert_eq!(report.rules[1].runbooks[0].1.as_str(), "only with cluster=prod-*");
        assert_eq!(report.covered(), 2);
        assert_eq!(report.unused.iter().map(RunbookId::as_str).collect::<Vec<_>>(), ["lonely"]);
    }
}

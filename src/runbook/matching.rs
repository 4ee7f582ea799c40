//! Which runbooks fit an incident, best first, each with the reason that is shown beside it.

use super::expr::{Expr, Truth, World};
use super::model::{Runbook, Trigger};
use super::value::{Facts, Values};
use crate::domain::alert::Labels;
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;
use crate::text::{Clean, glob};

/// What is known of the incident.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Labels of its alerts.
    pub labels: Vec<&'a Labels>,
    /// Annotations of its alerts, for `runbook_url`.
    pub annotations: Vec<&'a Labels>,
    /// Its title; PagerDuty-only incidents often carry the alert's name there.
    pub title: &'a str,
    /// Its service.
    pub service: Option<&'a str>,
    /// Runbooks that the service's configuration names, in order.
    pub service_runbooks: &'a [String],
    /// Its severity.
    pub severity: Option<Severity>,
    /// Now, for triggers with a `when`.
    pub now: Option<Timestamp>,
}

/// A runbook that fits, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Index into the list that was searched.
    pub at: usize,
    /// Such as "trigger NodeCPUUsageHigh".
    pub because: Clean,
}

/// How good a reason is; the order of offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    TitleNames,
    Service,
    ServiceConfig,
    RunbookUrl,
    FileStem,
    Trigger,
    TriggerWithLabels,
}

/// The runbooks that fit, best first; equal reasons keep the list's order, a matching severity goes ahead.
#[must_use]
pub fn matching(runbooks: &[Runbook], wanted: &Wanted<'_>) -> Vec<Match> {
    let mut found: Vec<(Reason, bool, usize, Clean)> = runbooks
        .iter()
        .enumerate()
        .filter_map(|(at, runbook)| {
            let (reason, because) = reason_for(runbook, wanted)?;
            Some((reason, runbook.severity.is_some() && runbook.severity == wanted.severity, at, because))
        })
        .collect();
    found.sort_by(|left, right| (right.0, right.1).cmp(&(left.0, left.1)).then(left.2.cmp(&right.2)));
    found.into_iter().map(|(_, _, at, because)| Match { at, because }).collect()
}

fn reason_for(runbook: &Runbook, wanted: &Wanted<'_>) -> Option<(Reason, Clean)> {
    let by_trigger = runbook.triggers.iter().filter_map(|trigger| trigger_fits(runbook, trigger, wanted)).max();
    by_trigger
        .or_else(|| by_url(runbook, wanted))
        .or_else(|| by_service(runbook, wanted))
        .or_else(|| by_title(runbook, wanted))
}

fn trigger_fits(runbook: &Runbook, trigger: &Trigger, wanted: &Wanted<'_>) -> Option<(Reason, Clean)> {
    wanted.labels.iter().find_map(|labels| {
        let name = labels.get("alertname").map_or("", |value| value.expose());
        let fits_name = if runbook.is_native {
            glob::matches(&trigger.alertname, name)
        } else {
            // prometheus-operator writes its file names in lower case.
            trigger.alertname.eq_ignore_ascii_case(name)
        };
        let fits_labels = trigger
            .labels
            .iter()
            .all(|(label, pattern)| labels.get(label).is_some_and(|value| glob::matches(pattern, value.expose())));
        if name.is_empty() || !fits_name || !fits_labels {
            return None;
        }
        if let Some(when) = &trigger.when {
            return by_when(when, labels, wanted);
        }
        Some(if !runbook.is_native {
            (Reason::FileStem, Clean::new(format!("file name {name}")))
        } else if trigger.labels.is_empty() {
            (Reason::Trigger, Clean::new(format!("trigger {}", trigger.alertname)))
        } else {
            let labels: Vec<String> =
                trigger.labels.iter().map(|(label, pattern)| format!("{label}={pattern}")).collect();
            (Reason::TriggerWithLabels, Clean::new(format!("trigger {} with {}", trigger.alertname, labels.join(", "))))
        })
    })
}

/// A trigger's `when`: true is as good as labels, false is no match, unknown is offered with the cause.
fn by_when(when: &str, labels: &Labels, wanted: &Wanted<'_>) -> Option<(Reason, Clean)> {
    let facts = Facts { labels: labels.clone(), ..Facts::default() };
    let (values, steps) = (Values::new(), std::collections::BTreeMap::new());
    let now = wanted.now.unwrap_or_default();
    let world = World { values: &values, promql: &values, steps: &steps, facts: &facts, now };
    match Expr::compile(when).map(|expr| expr.judge(&world).truth) {
        Ok(Truth::True) => Some((Reason::TriggerWithLabels, Clean::new(format!("trigger when {when}")))),
        Ok(Truth::False) => None,
        Ok(Truth::Unknown(cause)) => {
            Some((Reason::Service, Clean::new(format!("perhaps: can't tell {when}: {cause}"))))
        }
        Err(error) => Some((Reason::Service, Clean::new(format!("perhaps: {error}")))),
    }
}

fn by_url(runbook: &Runbook, wanted: &Wanted<'_>) -> Option<(Reason, Clean)> {
    let names = wanted.annotations.iter().filter_map(|annotations| {
        let url = annotations.get("runbook_url")?.expose();
        let path = url.split(['?', '#']).next()?.trim_end_matches('/');
        Some(super::stem(path.rsplit('/').next()?).to_owned())
    });
    let anchors = wanted.annotations.iter().filter_map(|annotations| {
        annotations.get("runbook_url")?.expose().split_once('#').map(|(_, anchor)| anchor.to_owned())
    });
    let name = names.chain(anchors).find(|name| name.eq_ignore_ascii_case(runbook.id.as_str()))?;
    Some((Reason::RunbookUrl, Clean::new(format!("runbook_url ends in {name}"))))
}

fn by_service(runbook: &Runbook, wanted: &Wanted<'_>) -> Option<(Reason, Clean)> {
    if wanted.service_runbooks.iter().any(|id| id == runbook.id.as_str()) {
        return Some((Reason::ServiceConfig, Clean::new("named by the service's configuration")));
    }
    let service = wanted.service?;
    let same = runbook.service.as_ref().is_some_and(|own| own.as_str().eq_ignore_ascii_case(service));
    same.then(|| (Reason::Service, Clean::new(format!("service {service}"))))
}

fn by_title(runbook: &Runbook, wanted: &Wanted<'_>) -> Option<(Reason, Clean)> {
    let mut words = wanted.title.split(|symbol: char| !(symbol.is_alphanumeric() || symbol == '_'));
    let names = |word: &str| {
        word.len() >= 6 && runbook.triggers.iter().any(|trigger| trigger.alertname.eq_ignore_ascii_case(word))
    };
    let word = words.find(|word| names(word))?;
    Some((Reason::TitleNames, Clean::new(format!("the title names {word}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runbooks() -> Vec<Runbook> {
        let yaml = "runbooks:\n  cpu:\n    trigger: NodeCPU*\n    manual_steps: [look]\n  cpu_db:\n    trigger: {alertname: NodeCPUUsageHigh, labels: {instance: 'db-*'}}\n    manual_steps: [look]\n  shop:\n    service: checkout\n    manual_steps: [look]\n";
        let (mut all, problems) = crate::runbook::read("a.yaml", yaml.as_bytes());
        assert!(problems.is_empty());
        all.extend(crate::runbook::read("KubePodCrashLooping.md", b"# x\n1. look\n").0);
        all
    }

    fn ids(runbooks: &[Runbook], wanted: &Wanted<'_>) -> Vec<(String, String)> {
        let found = matching(runbooks, wanted);
        found.iter().map(|hit| (runbooks[hit.at].id.to_string(), hit.because.to_string())).collect()
    }

    #[test]
    fn the_best_reason_comes_first_and_is_told() {
        let all = runbooks();
        let labels: Labels = [("alertname", "NodeCPUUsageHigh"), ("instance", "db-1")].into_iter().collect();
        let wanted = Wanted { labels: vec![&labels], service: Some("checkout"), ..Wanted::default() };
        let found = ids(&all, &wanted);
        assert_eq!(found[0], ("cpu_db".to_owned(), "trigger NodeCPUUsageHigh with instance=db-*".to_owned()));
        assert_eq!(found[1].0, "cpu");
        assert_eq!(found[2], ("shop".to_owned(), "service checkout".to_owned()));
    }

    #[test]
    fn a_trigger_can_ask_for_more() {
        let yaml = "runbooks:\n  a:\n    trigger: {alertname: X, when: 'alert.labels.team == \"data\"'}\n    manual_steps: [look]\n";
        let (all, problems) = crate::runbook::read("a.yaml", yaml.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
        let fits = |labels: &[(&str, &str)]| {
            let labels: Labels = labels.iter().copied().collect();
            ids(&all, &Wanted { labels: vec![&labels], ..Wanted::default() })
        };
        assert_eq!(fits(&[("alertname", "X"), ("team", "data")])[0].1, "trigger when alert.labels.team == \"data\"");
        assert!(fits(&[("alertname", "X"), ("team", "web")]).is_empty());
        assert!(fits(&[("alertname", "X")])[0].1.starts_with("perhaps: can't tell"));
    }

    #[test]
    fn url_file_stem_and_title_are_reasons_too() {
        let all = runbooks();
        let labels: Labels = [("alertname", "kubepodcrashlooping")].into_iter().collect();
        assert_eq!(ids(&all, &Wanted { labels: vec![&labels], ..Wanted::default() })[0].0, "KubePodCrashLooping");
        let annotations: Labels =
            [("runbook_url", "https://runbooks.example/kube/kubepodcrashlooping/")].into_iter().collect();
        let found = ids(&all, &Wanted { annotations: vec![&annotations], ..Wanted::default() });
        assert_eq!(found[0].1, "runbook_url ends in kubepodcrashlooping");
        let titled = Wanted { title: "[FIRING:2] KubePodCrashLooping shop", ..Wanted::default() };
        assert_eq!(ids(&all, &titled)[0].1, "the title names KubePodCrashLooping");
        assert!(ids(&all, &Wanted { title: "unrelated words", ..Wanted::default() }).is_empty());
    }
}

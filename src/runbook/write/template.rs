//! A new runbook for an alert, in the form that teams use: what is known of the alert is filled in, the rest is blank.

use std::fmt::Write as _;
use std::time::Duration;

use super::span;
use crate::domain::alert::Labels;
use crate::domain::severity::Severity;
use crate::text::{Clean, UntrustedStr};

/// What a new runbook is made of.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// Labels of the alert.
    pub labels: &'a Labels,
    /// Its annotations.
    pub annotations: &'a Labels,
    /// The severity, its response time and its escalation time.
    pub severity: Severity,
    /// How soon somebody must answer.
    pub respond_within: Duration,
    /// How long until it is escalated.
    pub escalate_after: Duration,
}

/// The document. Labels become `{variables}` in its commands; they are read from the next alert, not from this one.
#[must_use]
pub fn template(new: &New<'_>) -> String {
    let value = |labels: &Labels, name: &str| labels.get(name).map(UntrustedStr::clean);
    let alert = value(new.labels, "alertname").unwrap_or_else(|| Clean::new("ALERT_NAME"));
    let has = |name: &str| new.labels.get(name).is_some();
    let summary = value(new.annotations, "summary")
        .or_else(|| value(new.annotations, "description"))
        .unwrap_or_else(|| Clean::new("What is wrong, and what users see of it."));
    let mut word = new.severity.word().to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut text = format!("# Runbook\n\n## Alert: {alert}\n\n### Summary\n{}\n\n", plain(&summary));
    let _ = writeln!(
        text,
        "### Severity\n{word}: respond within {}, escalate after {}.\n",
        minutes(new.respond_within),
        minutes(new.escalate_after)
    );
    text.push_str(
        "### Automated Checks\n- [ ] The alert is still firing\n- [ ] Nothing was deployed in the last hour\n\n",
    );
    text.push_str("### Investigation Steps\n");
    for (number, (title, command)) in investigation(&has).into_iter().enumerate() {
        let _ = writeln!(text, "{}. {title}\n   ```bash\n   {command}\n   ```", number + 1);
    }
    text.push_str("\n### Resolution Steps\n1. Say what to do\n   ```bash\n");
    let resolution = if has("deployment") && has("namespace") {
        "kubectl rollout restart deployment/{deployment} -n {namespace}"
    } else {
        "echo 'the command that helps, with {COMPONENT}'"
    };
    let _ = writeln!(text, "   {resolution}\n   ```\n");
    text.push_str("### Post-Resolution\n- [ ] The alert has stopped\n- [ ] The timeline has what was done and why\n- [ ] This runbook says what was missing\n");
    text
}

fn investigation(has: &dyn Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    let mut steps = Vec::new();
    if has("pod") && has("namespace") {
        steps.push(("State and events of the pod", "kubectl describe pod {pod} -n {namespace}"));
        steps.push(("Its last log lines", "kubectl logs {pod} -n {namespace} --tail=100"));
    } else if has("namespace") {
        steps.push(("Pods of the namespace", "kubectl get pods -n {namespace} -o wide"));
    }
    if has("deployment") && has("namespace") {
        steps.push(("Last rollouts", "kubectl rollout history deployment/{deployment} -n {namespace}"));
    }
    if has("node") {
        steps.push(("State of the node", "kubectl describe node {node}"));
    }
    if steps.is_empty() {
        steps.push(("Look at what the alert measures", "kubectl get events -A --sort-by=.lastTimestamp"));
    }
    steps
}

/// Words that cannot become a heading, a list or a fence.
fn plain(words: &Clean) -> String {
    let text = words.as_str().trim_start_matches(['#', '-', '*', '+', '>', '`', ' ']);
    text.replace(['`', '<', '>', '[', ']'], " ")
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        0 => "0 min".to_owned(),
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        _ => span(time),
    }
}

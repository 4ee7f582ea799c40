//! What is written can be read, and says the same.

use super::*;
use crate::domain::severity::Severity;
use crate::runbook::model::{Runbook, Work};

const FULL: &str = r#"
runbooks:
  full:
    title: "All of it: {x} #1"
    trigger: [A, {alertname: B, labels: {cluster: "prod-*"}, when: "alert.name == \"B\""}]
    severity: high
    owner: me
    last_verified: 2026-10-01
    review_every: 90d
    target: {kube_context: "{cluster}", must_match: "prod-*"}
    params:
      namespace: {from: [alert.labels.namespace, ask], type: k8s_name, suggest: "kubectl get ns -o name"}
      n: {type: int, range: [0, 9], default: "3", required: false}
      mode: {type: enum, choices: ["yes", "no"]}
      log: {type: path, root: /var/log}
    steps:
      - {id: a, name: "Look: at it", why: "because\nso", command: "kubectl get pods -n {namespace} | grep 'x \"y\"'", timeout: 20s, capture: {first: {line: 1}, j: {json: /a/b, type: int}}}
      - {id: b, name: Scale, condition: "n > 2", guard: "n < 9", command: "kubectl scale deployment x -n {namespace} --replicas={n + 1}", danger: change, retries: {max: 2, delay: 5s, backoff: 2}, idempotent: true, on_failure: stop, rollback: "kubectl scale deployment x -n {namespace} --replicas={n}", verify: {condition: "n > 3", within: 5m, every: 15s}, lock: "deploy/{namespace}", max_runs: {count: 2, per: 1h}, expect: {exit: [0, 1], stdout: "sc.*"}, env: {A: "b {n}"}, secrets: [TOKEN]}
      - {id: c, argv: [echo, "a b", "{n}"]}
      - {id: d, script: {lang: sh, text: "echo 1\necho 2\n"}}
      - {id: e, query: "up{job=\"x\"}"}
      - {id: f, manual: Think, evidence: note}
      - {id: g, ask: "Was it us?", into: ours, choices: ["yes", "no"]}
      - {id: h, approve: {what: "the failover", by_another: true}}
      - {id: i, wait: {at_most: 2m, until: "n > 1"}}
      - {id: j, session: ["oc debug node/x", "chroot /host"]}
      - {id: k, note: Fine}
"#;

fn read(file: &str, text: &str) -> Runbook {
    let (mut runbooks, problems) = crate::runbook::read(file, text.as_bytes());
    assert_eq!(problems, Vec::new(), "{text}");
    runbooks.remove(0)
}

/// Without what a place in a file is.
fn bare(mut runbook: Runbook) -> Runbook {
    runbook.line = 0;
    runbook.content_hash.clear();
    runbook.params.iter_mut().for_each(|param| param.line = 0);
    runbook.steps.iter_mut().for_each(|step| step.line = 0);
    runbook
}

#[test]
fn yaml_is_read_back_as_the_same() {
    let first = read("a.yaml", FULL);
    let text = yaml(&first);
    assert_eq!(bare(read("a.yaml", &text)), bare(first), "{text}");
}

#[test]
fn markdown_is_read_back_with_its_commands_and_attributes() {
    let first = read("a.yaml", FULL);
    let text = markdown(&first);
    let again = read("a.md", &text);
    assert!(again.is_native);
    assert_eq!(again.id, first.id);
    assert_eq!(again.title, first.title);
    assert_eq!(again.params.len(), first.params.len());
    let scale = again.step("b").map(|(_, step)| step).unwrap_or_else(|| panic!("{text}"));
    let before = first.step("b").map(|(_, step)| step).unwrap();
    assert_eq!(scale.work, before.work, "{text}");
    assert_eq!(
        (&scale.condition, &scale.handling.guard, scale.handling.danger),
        (&before.condition, &before.handling.guard, before.handling.danger)
    );
    assert_eq!(scale.handling.verify.as_ref().map(|verify| &verify.condition), Some(&"n > 3".to_owned()));
    let kinds =
        |runbook: &Runbook| runbook.steps.iter().filter(|step| matches!(step.work, Work::Session { .. })).count();
    assert_eq!(kinds(&again), 1, "{text}");
}

#[test]
fn a_new_runbook_is_native_and_lints_without_errors() {
    let labels = [("alertname", "KubePodCrashLooping"), ("namespace", "shop"), ("pod", "x-1"), ("deployment", "x")]
        .into_iter()
        .collect();
    let annotations = [("summary", "# A pod `crashes` <b>")].into_iter().collect();
    let new = New {
        labels: &labels,
        annotations: &annotations,
        severity: Severity::High,
        respond_within: Duration::from_secs(900),
        escalate_after: Duration::from_secs(1_800),
    };
    let text = template(&new);
    let runbook = read("new.md", &text);
    assert!(runbook.is_native);
    assert_eq!(runbook.triggers[0].alertname, "KubePodCrashLooping");
    assert_eq!(
        (runbook.severity, runbook.respond_within, runbook.escalate_after),
        (Some(Severity::High), Some(Duration::from_secs(900)), Some(Duration::from_secs(1_800)))
    );
    assert!(runbook.steps.len() >= 8, "{text}");
    let findings = crate::runbook::lint::lint(&runbook, &crate::runbook::lint::Known::default());
    assert!(findings.iter().all(|finding| finding.weight != crate::runbook::lint::Weight::Error), "{findings:?}");
}

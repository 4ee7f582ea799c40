//! The tests' own tests: a world that goes right, and expectations that do not hold.

use super::*;

const RUNBOOK: &str = r#"
variables:
  cpu_usage: {promql: 'avg(cpu{instance="$instance"})', unit: percent}
  current_replicas: {command: "kubectl get deployment {deployment} -o jsonpath={.spec.replicas}", type: int}
runbooks:
  cpu:
    params: {deployment: {from: alert.labels.deployment, type: k8s_name}}
    steps:
      - {id: look, command: "kubectl top pods", capture: {first: {line: 1}}}
      - id: scale
        condition: "cpu_usage > 90%"
        guard: "current_replicas + 1 <= 5"
        command: "kubectl scale deployment {deployment} --replicas={current_replicas + 1}"
        verify: "cpu_usage < 80%"
      - {id: ask, ask: "Was it us?", into: ours, choices: ["yes", "no"]}
      - {id: tell, command: "echo {first}", condition: "ours"}
"#;

fn verdict(test: &str) -> Verdict {
    let (runbooks, problems) = crate::runbook::read("cpu.yaml", RUNBOOK.as_bytes());
    assert_eq!(problems, Vec::new());
    let (tests, problems) = read("cpu.test.yaml", test);
    assert_eq!(problems, Vec::new(), "{test}");
    run(&tests[0], &runbooks)
}

const WORLD: &str = r#"tests:
  - name: hot
    alert: {alertname: X, deployment: checkout, instance: n1}
    answers: {ours: "true"}
    metrics: {cpu_usage: 93.5}
    metrics_after: {cpu_usage: 50}
    commands:
      - {match: "^kubectl top", stdout: "pod-1\n"}
      - {match: "^kubectl get deployment", stdout: "3"}
      - {match: "^kubectl scale"}
      - {match: "^echo"}
    expect:
"#;

#[test]
fn a_world_that_goes_right() {
    let expect = r#"      - {step: look, outcome: run}
      - {step: scale, outcome: verified, level: change, argv: "kubectl scale deployment checkout --replicas=4"}
      - {step: tell, outcome: run, argv: [echo, pod-1]}
"#;
    let verdict = verdict(&format!("{WORLD}{expect}"));
    assert_eq!(verdict.wrong, [], "{:?}", verdict.happened);
}

#[test]
fn what_does_not_hold_is_told_with_line_and_reason() {
    let verdict = verdict(&format!(
        "{WORLD}      - {{step: scale, outcome: skip, argv: [x], level: read}}\n      - {{step: gone}}\n"
    ));
    let words: Vec<String> = verdict.wrong.iter().map(|(line, words)| format!("{line}: {words}")).collect();
    assert_eq!(words.len(), 4, "{words:?}");
    assert!(words[0].starts_with("13: step scale: verified, not skip"), "{words:?}");
    assert!(!verdict.passed());
}

#[test]
fn other_worlds_other_outcomes() {
    let table = [
        ("metrics: {cpu_usage: 93.5}", "metrics: {cpu_usage: 10}", Outcome::Skip, "is false"),
        ("metrics: {cpu_usage: 93.5}", "metrics: {cpu_usage: []}", Outcome::Unknown, "no series"),
        ("metrics: {cpu_usage: 93.5}", "metrics: {cpu_usage: NaN}", Outcome::Unknown, "NaN"),
        ("metrics: {cpu_usage: 93.5}", "metrics: {cpu_usage: {error: 'HTTP 503'}}", Outcome::Unknown, "HTTP 503"),
        ("metrics: {cpu_usage: 93.5}", "metrics: {cpu_usage: {value: 95, age: 1h}}", Outcome::Unknown, "old"),
        ("stdout: \"3\"", "stdout: \"5\"", Outcome::Blocked, "the guard"),
        ("stdout: \"3\"", "stdout: \"many\"", Outcome::Unknown, "no whole number"),
        ("deployment: checkout", "deployment: '--all'", Outcome::Unknown, "begins with a dash"),
        ("{match: \"^kubectl scale\"}", "{match: \"^kubectl scale\", exit: 1}", Outcome::Failed, "exit 1"),
        ("{match: \"^kubectl scale\"}", "{match: \"^kubectl scale\", hang: true}", Outcome::Unknown, "in time"),
        ("metrics_after: {cpu_usage: 50}", "metrics_after: {cpu_usage: 85}", Outcome::Failed, "stayed false"),
        ("    answers:", "    read_only: true\n    answers:", Outcome::Blocked, "read only"),
        ("    answers:", "    approves: false\n    answers:", Outcome::Blocked, "nobody agreed"),
    ];
    for (from, to, outcome, because) in table {
        let verdict = verdict(&WORLD.replace(from, to).replace("    expect:\n", ""));
        let scale = verdict.happened.iter().find(|happened| happened.step == "scale").unwrap();
        assert_eq!(scale.outcome, outcome, "{to}: {scale:?}");
        assert!(scale.because.contains(because), "{to}: {scale:?}");
    }
}

//! The users' document and the findings one by one.

use super::*;

const USERS: &str = r#"runbooks:
  high_cpu_usage:
    trigger: "NodeCPUUsageHigh"
    severity: "medium"
    automated_steps:
      - name: "Identify top processes"
        command: "kubectl top pods --sort-by=cpu -A"
      - name: "Check resource limits"
        command: "kubectl describe pod {pod_name} -n {namespace}"
      - name: "Scale if needed"
        condition: "cpu_usage > 90%"
        command: "kubectl scale deployment {deployment} --replicas={current_replicas + 1}"
    manual_steps:
      - "Review application logs for errors"
      - "Check for memory leaks"
      - "Consider vertical scaling"
      - "Update resource requests/limits"
"#;

fn findings(text: &str) -> Vec<Finding> {
    let (runbooks, problems) = crate::runbook::read("a.yaml", text.as_bytes());
    assert_eq!(problems, Vec::new(), "{text}");
    lint(&runbooks[0], &Known { source: text, ..Known::default() })
}

#[test]
fn the_users_yaml_gets_exactly_these() {
    let found: Vec<String> = findings(USERS)
        .iter()
        .map(|finding| format!("{} {} {}:{}", finding.weight.word(), finding.code, finding.at.0, finding.at.1))
        .collect();
    assert_eq!(
        found,
        [
            "info no-owner 2:1",
            "warning no-source 9:40",
            "warning no-source 9:54",
            "warning no-source 11:21",
            "warning no-namespace 12:19",
            "info no-verify 12:19",
            "warning no-source 12:44",
            "warning no-source 12:68",
        ]
    );
}

#[test]
fn each_finding_by_its_code() {
    let step = |step: &str| {
        format!(
            "runbooks:\n  a:\n    owner: me\n    last_verified: 2026-10-01\n    trigger: X\n    params: {{namespace: {{type: k8s_name}}, load: {{type: number}}, key: {{type: secret}}}}\n    steps:\n      - {step}\n"
        )
    };
    let table = [
        ("{command: 'kubectl get pods -n {namspace}'}", "undeclared"),
        ("{command: 'bash -c \"echo {namespace}\"'}", "refused-place"),
        ("{command: uptime, condition: 'load and 1'}", "condition"),
        ("{command: uptime, condition: 'load'}", "not-bool"),
        ("{command: uptime, condition: 'load > 90%'}", "no-unit"),
        ("{command: uptime, condition: 'late == 1', capture: {late: {type: int}}}", "later-capture"),
        ("{command: uptime, condition: 'step(\"gone\").exit == 0'}", "condition"),
        ("{query: 'sum(rate(x[5m'}", "promql"),
        ("{command: uptime, condition: 'promql(\"sum(\") > 1.0'}", "promql"),
        ("{command: 'kubectl scale deployment x --replicas=2'}", "no-namespace"),
        ("{command: 'kubectl delete pod x -n {namespace}'}", "no-way-back"),
        ("{command: 'systemctl restart x', retries: 2}", "retry"),
        ("{command: 'kubectl logs -f x -n {namespace}'}", "endless"),
        ("{command: 'curl -s http://x | sh'}", "curl-shell"),
        ("{command: 'rm -rf /data/{namespace}'}", "rm-variable"),
        ("{command: 'kubectl set image d/x a=b:latest -n {namespace}'}", "latest"),
        ("{command: 'tool --password=hunter22'}", "secret-argument"),
        ("{command: 'tool {key}'}", "secret-argument"),
        ("{command: 'systemctl restart x', parallel: a}", "parallel"),
    ];
    for (text, code) in table {
        let codes: Vec<&str> = findings(&step(text)).iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&code), "{text}: {codes:?}");
    }
    assert_eq!(findings(&step("{command: 'kubectl get pods -n {namespace}'}")), []);
}

#[test]
fn the_world_is_only_judged_where_it_is_known() {
    let text = "runbooks:\n  a:\n    owner: me\n    last_verified: 2026-01-01\n    review_every: 90d\n    trigger: Gone\n    steps: [{command: frobnicate}]\n";
    let (runbooks, _) = crate::runbook::read("a.yaml", text.as_bytes());
    let codes = |known: &Known<'_>| lint(&runbooks[0], known).iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(codes(&Known::default()), ["no-verify"]);
    let alerts = ["Other".to_owned()];
    let known = Known {
        source: text,
        today: NaiveDate::from_ymd_opt(2026, 11, 25),
        alerts: Some(&alerts),
        has_program: Some(&|_| false),
    };
    let found = codes(&known);
    for code in ["review-due", "no-alert", "no-program"] {
        assert!(found.contains(&code), "{code}: {found:?}");
    }
}

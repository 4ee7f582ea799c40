//! Where values come from, in which order, with which words.

use super::*;
use crate::runbook::document;

const YAML: &str = r#"
variables:
  cpu_usage:
    promql: '100 * avg(rate(cpu{instance="$instance"}[5m]))'
    unit: percent
    max_age: 2m
  current_replicas:
    command: [kubectl, get, deployment, "{deployment}", -n, "{namespace}", -o, "jsonpath={.spec.replicas}"]
    type: int
    range: [0, 100]
  evil:
    command: [kubectl, delete, pod, x]
runbooks:
  high_cpu:
    trigger: NodeCPUUsageHigh
    params:
      deployment: {from: [alert.labels.app, ask], type: k8s_name}
      namespace: {from: alert.labels.namespace, type: k8s_name}
      pod_name: {type: k8s_name, suggest: "kubectl get pods -n {namespace} -o name", question: "Which pod?"}
    steps:
      - id: scale
        condition: "cpu_usage > 90%"
        command: "kubectl scale deployment {deployment} -n {namespace} --replicas={current_replicas + 1}"
      - id: describe
        command: "kubectl describe pod {pod_name} -n {namespace} {NOTE}"
"#;

struct World2 {
    runbook: Runbook,
    facts: Facts,
    overrides: BTreeMap<String, String>,
    asked: BTreeMap<String, String>,
    captures: Values,
    fetched: BTreeMap<String, Fetched>,
}

impl World2 {
    fn new(labels: &[(&str, &str)]) -> Self {
        let document = document("a.yaml", YAML.as_bytes());
        assert!(document.problems.is_empty(), "{:?}", document.problems);
        let facts = Facts { labels: labels.iter().copied().collect(), ..Facts::default() };
        Self {
            runbook: document.runbooks[0].clone(),
            facts,
            overrides: BTreeMap::new(),
            asked: BTreeMap::new(),
            captures: Values::new(),
            fetched: BTreeMap::new(),
        }
    }

    fn now() -> Timestamp {
        chrono::DateTime::from_timestamp(1_764_110_000, 0).unwrap()
    }

    fn resolve(&self, step: &str) -> Resolution {
        let (_, step) = self.runbook.step(step).unwrap();
        let given = Given {
            runbook: &self.runbook,
            facts: &self.facts,
            overrides: &self.overrides,
            asked: &self.asked,
            captures: &self.captures,
            fetched: &self.fetched,
            now: Self::now(),
        };
        resolve(&given, &wants(&self.runbook, step))
    }
}

#[test]
fn labels_then_queries_and_commands_then_values() {
    let mut world = World2::new(&[("app", "checkout"), ("namespace", "shop"), ("instance", "n1:9100")]);
    let first = world.resolve("scale");
    let query = "100 * avg(rate(cpu{instance=\"n1:9100\"}[5m]))".to_owned();
    let words: Vec<String> =
        ["kubectl", "get", "deployment", "checkout", "-n", "shop", "-o", "jsonpath={.spec.replicas}"]
            .map(str::to_owned)
            .to_vec();
    let key = format!("$ {}", shell_words::join(&words));
    assert_eq!(
        first.requests,
        [
            Request::Query { key: query.clone(), variable: "cpu_usage".into() },
            Request::Command { key: key.clone(), variable: "current_replicas".into(), words: words.clone() },
        ]
    );
    assert!(first.is_waiting());
    let at = World2::now() - chrono::Duration::seconds(10);
    let samples = Ok(vec![Sample { value: 93.5, at }]);
    world.fetched.insert(query, Fetched::Samples { server: "prom".into(), samples });
    world.fetched.insert(key, Fetched::Output(Ok("3\n".into())));
    let second = world.resolve("scale");
    assert_eq!(second.requests, []);
    let cpu = second.values["cpu_usage"].as_ref().unwrap();
    assert_eq!((cpu.shown().as_str(), cpu.unit, cpu.trust), ("93.5%", Some(Unit::Percent), Trust::Untrusted));
    assert_eq!(cpu.origin.to_string(), "query on prom, 10s old");
    assert_eq!(second.values["current_replicas"].as_ref().unwrap().value, Value::Int(3));
    assert_eq!(second.values["deployment"].as_ref().unwrap().origin.to_string(), "alert label app");
    let (none, steps) = (Values::new(), BTreeMap::new());
    let now = World2::now();
    let context = World { values: &second.values, promql: &none, steps: &steps, facts: &world.facts, now };
    let (_, step) = world.runbook.step("scale").unwrap();
    let invocation = expand::step(&world.runbook, step, &context).unwrap();
    assert_eq!(
        invocation.argv(),
        ["kubectl", "scale", "deployment", "checkout", "-n", "shop", "--replicas=4"].map(str::to_owned)
    );
    assert_eq!(invocation.level, Level::Change);
}

#[test]
fn hostile_labels_are_refused_with_words_and_asked_for() {
    let world = World2::new(&[("app", "--kubeconfig=/tmp/x"), ("namespace", "a;touch x"), ("instance", "n")]);
    let found = world.resolve("scale");
    let words = |name: &str| found.values[name].as_ref().unwrap_err().to_string();
    assert!(words("deployment").contains("begins with a dash"), "{}", words("deployment"));
    assert!(words("namespace").contains("no name of a Kubernetes object"), "{}", words("namespace"));
    let asks = found.requests.iter().filter_map(|request| match request {
        Request::Ask(question) => Some((question.name.as_str(), question.refused.is_some())),
        _ => None,
    });
    assert_eq!(asks.collect::<Vec<_>>(), [("deployment", true), ("namespace", true)]);
}

#[test]
fn people_are_asked_with_suggestions_and_their_words_are_checked() {
    let mut world = World2::new(&[("pod", "checkout-1"), ("namespace", "shop")]);
    // The label `pod` is what `pod_name` names.
    let found = world.resolve("describe");
    assert_eq!(found.values["pod_name"].as_ref().unwrap().origin, Origin::Label("pod".into()));
    world = World2::new(&[("namespace", "shop"), ("podname", "x-1")]);
    let found = world.resolve("describe");
    let Request::Ask(question) = &found.requests[0] else { panic!("{:?}", found.requests) };
    assert_eq!(question.text.as_str(), "Which pod?");
    assert_eq!(question.suggest.as_ref().unwrap().join(" "), "kubectl get pods -n shop -o name");
    assert_eq!(question.suggestions[0].0.as_str(), "x-1");
    assert!(found.requests.iter().any(|request| matches!(request, Request::Ask(question) if question.name == "NOTE")));
    world.asked.insert("pod_name".into(), "Not A Name".into());
    let found = world.resolve("describe");
    let Request::Ask(question) = &found.requests[0] else { panic!("{:?}", found.requests) };
    assert!(question.refused.is_some());
    world.asked.insert("pod_name".into(), "pod/x-1".into());
    world.asked.insert("NOTE".into(), "it's fine".into());
    assert_eq!(world.resolve("describe").requests, []);
    world.overrides.insert("pod_name".into(), "y-1".into());
    assert_eq!(world.resolve("describe").values["pod_name"].as_ref().unwrap().origin, Origin::Override);
}

#[test]
fn no_answer_is_unknown_with_its_cause() {
    let query = "100 * avg(rate(cpu{instance=\"n\"}[5m]))".to_owned();
    let at = World2::now() - chrono::Duration::seconds(10);
    let table: Vec<(Result<Vec<Sample>, Cause>, &str)> = vec![
        (Ok(vec![]), "no series"),
        (Ok(vec![Sample { value: f64::NAN, at }]), "NaN"),
        (Ok(vec![Sample { value: f64::INFINITY, at }]), "infinity"),
        (Ok(vec![Sample { value: 1.0, at }, Sample { value: 2.0, at }]), "2 series"),
        (Ok(vec![Sample { value: 1.0, at: at - chrono::Duration::seconds(200) }]), "3m 30s old, older than 2m"),
        (Err(Cause::Unreachable("prom: HTTP 503".into())), "HTTP 503"),
        (Err(Cause::TimedOut), "no answer in time"),
    ];
    for (samples, words) in table {
        let mut world = World2::new(&[("app", "a"), ("namespace", "b"), ("instance", "n")]);
        world.fetched.insert(query.clone(), Fetched::Samples { server: "prom".into(), samples });
        let cause = world.resolve("scale").values["cpu_usage"].clone().unwrap_err();
        assert!(cause.to_string().contains(words), "{cause}");
    }
}

#[test]
fn a_command_that_changes_gives_no_value() {
    let mut world = World2::new(&[]);
    world.runbook.steps[0].condition = Some("evil == \"x\"".into());
    let cause = world.resolve("scale").values["evil"].clone().unwrap_err();
    assert!(cause.to_string().contains("more than look"), "{cause}");
}

#[test]
fn what_a_person_types_for_an_undeclared_name_is_what_it_looks_like() {
    let table = [
        ("95%", Value::Number(95.0), Some(Unit::Percent)),
        ("3", Value::Int(3), None),
        ("2.5", Value::Number(2.5), None),
        ("true", Value::Bool(true), None),
        ("1.10", Value::Text("1.10".into()), None),
    ];
    for (text, value, unit) in table {
        let bound = guessed(text, Origin::Asked, Allow::default()).unwrap();
        assert_eq!((bound.value, bound.unit), (value, unit), "{text}");
    }
}

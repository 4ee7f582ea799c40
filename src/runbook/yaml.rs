//! YAML runbooks: `variables`, `defaults`, and `runbooks: {id: {trigger, severity, automated_steps, manual_steps | steps}}`.
//!
//! The document becomes a tree that knows its places ([`node`]); each runbook is read from it by itself, so one that is
//! wrong costs no other. Unknown keys are errors that name the nearest valid one.

pub(crate) mod node;
pub(crate) mod param;
pub(crate) mod step;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::node::{Complaint, Fields, Node};
use super::content_hash;
use super::model::{Handling, Library, OnFailure, Param, Runbook, Step, Target, Trigger};
use crate::domain::id::{RunbookId, StepId};
use crate::domain::problem::Problem;
use crate::domain::severity::Severity;
use crate::text::Clean;

const ROOT_KEYS: &[&str] = &["version", "variables", "defaults", "runbooks"];

const RUNBOOK_KEYS: &[&str] = &[
    "title",
    "trigger",
    "severity",
    "service",
    "owner",
    "summary",
    "last_verified",
    "review_every",
    "target",
    "params",
    "links",
    "steps",
    "automated_steps",
    "manual_steps",
];

/// What a document gives.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Its readable runbooks.
    pub runbooks: Vec<Runbook>,
    /// Its shared variables.
    pub library: Library,
    /// What is wrong with the rest.
    pub problems: Vec<Problem>,
}

/// Reads a YAML document. Problems name line and column; readable runbooks are returned whatever is wrong with others.
#[must_use]
pub fn read(file: &str, text: &str) -> (Vec<Runbook>, Vec<Problem>) {
    let document = document(file, text);
    (document.runbooks, document.problems)
}

/// Reads a YAML document with its shared variables.
#[must_use]
pub fn document(file: &str, text: &str) -> Document {
    let mut complaints = Vec::new();
    let mut found = Document::default();
    match node::parse(text, 0) {
        Ok(root) => read_root(file, text, &root, &mut found, &mut complaints),
        Err(first) => read_pieces(file, text, first, &mut found, &mut complaints),
    }
    found.problems = complaints.into_iter().map(|wrong| problem(file, wrong)).collect();
    found.problems.dedup();
    found
}

pub(crate) fn problem(file: &str, wrong: Complaint) -> Problem {
    Problem { file: file.to_owned(), at: Some(wrong.at), message: wrong.message, fix: wrong.fix, is_error: true }
}

fn read_root(file: &str, text: &str, root: &Node, found: &mut Document, complaints: &mut Vec<Complaint>) {
    let fields = match root.fields("the document", ROOT_KEYS) {
        Ok(fields) => fields,
        Err(wrong) => return complaints.push(wrong),
    };
    if let Some(version) = fields.get("version")
        && version.text("version").ok() != Some("1")
    {
        complaints.push(Complaint::new(version.at, "this version of the format is not known", "write version: 1"));
    }
    if let Some(node) = fields.get("variables") {
        let (library, wrong) = param::library(node);
        found.library.extend(library);
        complaints.extend(wrong);
    }
    let defaults = fields.get("defaults").map_or(Ok(Handling::default()), step::defaults);
    let defaults = defaults.unwrap_or_else(|wrong| {
        complaints.push(wrong);
        Handling::default()
    });
    let Some(runbooks) = fields.get("runbooks") else {
        if fields.get("variables").is_none() {
            complaints.push(Complaint::new((1, 1), "the document has no runbooks", "begin it with 'runbooks:'"));
        }
        return;
    };
    let runbooks = match runbooks.table("runbooks") {
        Ok(runbooks) => runbooks,
        Err(wrong) => return complaints.push(wrong),
    };
    let context = Context { file, hash: content_hash(text), library: Arc::new(found.library.clone()), defaults };
    for (key, node) in runbooks.0 {
        match runbook(&context, &key.name, key.at, node) {
            Ok(runbook) => found.runbooks.push(runbook),
            Err(wrong) => complaints.push(wrong),
        }
    }
}

struct Context<'a> {
    file: &'a str,
    hash: String,
    library: Arc<Library>,
    defaults: Handling,
}

/// The text is not YAML as a whole: each runbook is read with the others blanked, so that line numbers stay true.
fn read_pieces(file: &str, text: &str, first: Complaint, found: &mut Document, complaints: &mut Vec<Complaint>) {
    let keys = runbook_lines(text);
    if keys.len() < 2 || keys.len() > 200 {
        return complaints.push(first);
    }
    for wanted in &keys {
        match node::parse(&blank_others(text, &keys, wanted), 0) {
            Ok(root) => {
                let mut alone = Document::default();
                read_root(file, text, &root, &mut alone, complaints);
                found.runbooks.extend(alone.runbooks);
                found.library.extend(alone.library);
            }
            Err(wrong) => complaints.push(wrong),
        }
    }
    if complaints.is_empty() {
        complaints.push(first);
    }
}

/// Line ranges of the entries below `runbooks:` in block style.
fn runbook_lines(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut starts = Vec::new();
    let mut indent = None;
    let mut inside = false;
    let mut end = 0;
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let depth = line.len() - trimmed.len();
        if depth == 0 {
            inside = trimmed.starts_with("runbooks:");
        } else if inside && indent.is_none_or(|known| known == depth) {
            indent = Some(depth);
            starts.push(at);
        }
        if inside {
            end = at + 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([end]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(start, end)| start..end).collect()
}

fn blank_others(text: &str, keys: &[std::ops::Range<usize>], wanted: &std::ops::Range<usize>) -> String {
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            let is_other = keys.iter().any(|range| range != wanted && range.contains(&at));
            if is_other { "" } else { line }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn runbook(context: &Context<'_>, key: &str, at: (usize, usize), node: &Node) -> Result<Runbook, Complaint> {
    let id = RunbookId::parse(key)
        .ok_or_else(|| Complaint::new(at, format!("'{key}' is no name for a runbook"), "use plain characters"))?;
    let fields = node.fields(key, RUNBOOK_KEYS)?;
    let head = head(fields)?;
    let steps = steps(fields, &context.defaults)?;
    check_steps(&steps)?;
    Ok(Runbook {
        title: Clean::new(fields.text("title")?.unwrap_or_else(|| words_of(key))),
        id,
        triggers: head.triggers,
        severity: head.severity,
        respond_within: None,
        escalate_after: None,
        service: head.service,
        owner: head.owner,
        last_verified: head.last_verified,
        review_every: head.review_every,
        origin: Clean::new(context.file),
        is_native: true,
        content_hash: context.hash.clone(),
        intro: fields.text("summary")?.iter().flat_map(|text| text.lines()).map(Clean::new).collect(),
        links: head.links,
        target: head.target,
        params: head.params,
        library: Arc::clone(&context.library),
        steps,
        line: at.0,
    })
}

/// What YAML runbooks and Markdown front matter share.
#[derive(Default)]
pub(crate) struct Head {
    pub triggers: Vec<Trigger>,
    pub severity: Option<Severity>,
    pub service: Option<Clean>,
    pub owner: Option<Clean>,
    pub last_verified: Option<chrono::NaiveDate>,
    pub review_every: Option<std::time::Duration>,
    pub links: Vec<Clean>,
    pub target: Option<Target>,
    pub params: Vec<Param>,
}

/// Reads `trigger`, `severity`, `service`, `owner`, `last_verified`, `review_every`, `links`, `target`, `params`.
pub(crate) fn head(fields: Fields<'_>) -> Result<Head, Complaint> {
    let mut triggers = Vec::new();
    if let Some(node) = fields.get("trigger") {
        trigger(node, &mut triggers)?;
    }
    let severity = match fields.get("severity") {
        None => None,
        Some(node) => {
            let word = node.text("severity")?;
            Some(parse_severity(word).ok_or_else(|| {
                let wrong = format!("severity '{word}' is none of critical, high, medium, low");
                Complaint::new(node.at, wrong, "write one of the four")
            })?)
        }
    };
    let last_verified = match fields.get("last_verified") {
        None => None,
        Some(node) => {
            let text = node.text("last_verified")?;
            Some(text.parse().map_err(|_cause| {
                Complaint::new(node.at, format!("'{text}' is no date"), "write the year, month and day: 2026-10-01")
            })?)
        }
    };
    Ok(Head {
        triggers,
        severity,
        service: fields.text("service")?.map(Clean::new),
        owner: fields.text("owner")?.map(Clean::new),
        last_verified,
        review_every: fields.duration("review_every")?,
        links: fields.texts("links")?.iter().map(Clean::new).collect(),
        target: fields.get("target").map(step::target).transpose()?,
        params: fields.get("params").map_or(Ok(Vec::new()), param::params)?,
    })
}

fn trigger(node: &Node, into: &mut Vec<Trigger>) -> Result<(), Complaint> {
    if let node::Value::List(items) = &node.value {
        return items.iter().try_for_each(|item| trigger(item, into));
    }
    if let Ok(name) = node.text("trigger") {
        into.push(Trigger { alertname: name.to_owned(), labels: Vec::new(), when: None });
        return Ok(());
    }
    let fields = node.fields("trigger", &["alertname", "labels", "when"])?;
    let labels = match fields.get("labels") {
        None => Vec::new(),
        Some(node) => {
            let pairs = node.table("labels")?.0.iter();
            pairs
                .map(|(key, node)| Ok((key.name.clone(), node.text("labels")?.to_owned())))
                .collect::<Result<_, _>>()?
        }
    };
    let alertname = fields.text("alertname")?.unwrap_or_else(|| "*".to_owned());
    into.push(Trigger { alertname, labels, when: fields.text("when")? });
    Ok(())
}

fn steps(fields: Fields<'_>, defaults: &Handling) -> Result<Vec<Step>, Complaint> {
    let (all, automated, manual) = (fields.get("steps"), fields.get("automated_steps"), fields.get("manual_steps"));
    if let (Some(node), true) = (all, automated.is_some() || manual.is_some()) {
        return Err(Complaint::new(
            node.at,
            "both 'steps' and 'automated_steps' or 'manual_steps': the order would be a guess",
            "put all of them into 'steps'",
        ));
    }
    let mut steps = Vec::new();
    for (node, section) in [(all, None), (automated, Some("Automated steps"))] {
        for item in node.map(|node| items(node, "steps")).transpose()?.unwrap_or_default() {
            steps.push(step::step(item, steps.len(), section, defaults)?);
        }
    }
    for item in manual.map(|node| items(node, "manual_steps")).transpose()?.unwrap_or_default() {
        steps.push(step::manual_step(item, steps.len(), "Manual steps")?);
    }
    Ok(steps)
}

fn items<'n>(node: &'n Node, name: &str) -> Result<&'n [Node], Complaint> {
    match &node.value {
        node::Value::List(items) => Ok(items),
        _ => Err(Complaint::new(node.at, format!("'{name}' is not a list"), "begin each step with '- '")),
    }
}

/// Two steps with one id, a `goto` to nowhere, and `goto`s that chase each other.
pub(crate) fn check_steps(steps: &[Step]) -> Result<(), Complaint> {
    let mut places: BTreeMap<&str, &Step> = BTreeMap::new();
    for step in steps {
        if let Some(first) = places.insert(step.id.as_str(), step) {
            let wrong = format!("two steps have the id '{}'; the first is in line {}", step.id, first.line);
            return Err(Complaint::new((step.line, 1), wrong, "give one of them another id"));
        }
    }
    let target = |step: &Step| match &step.handling.on_failure {
        OnFailure::Goto(id) => Some(id.clone()),
        _ => None,
    };
    for step in steps {
        let mut trail = vec![step.id.as_str().to_owned()];
        let mut at = step;
        while let Some(id) = target(at) {
            let Some(next) = places.get(id.as_str()) else {
                let known: Vec<&str> = places.keys().copied().collect();
                let fix = node::nearest(id.as_str(), &known)
                    .map_or_else(|| "name the id of a step".to_owned(), |name| format!("did you mean '{name}'?"));
                return Err(Complaint::new((at.line, 1), format!("goto:{id} leads to no step"), fix));
            };
            trail.push(id.as_str().to_owned());
            if trail.iter().filter(|known| *known == id.as_str()).count() > 1 {
                let wrong = format!("failures would go in a circle: {}", trail.join(" → "));
                return Err(Complaint::new((step.line, 1), wrong, "let one of them end in ask or stop"));
            }
            at = next;
        }
    }
    Ok(())
}

/// The four words, and what people write for them.
#[must_use]
pub fn parse_severity(word: &str) -> Option<Severity> {
    match word.to_ascii_lowercase().as_str() {
        "critical" | "page" | "p1" | "sev1" => Some(Severity::Critical),
        "high" | "error" | "p2" | "sev2" => Some(Severity::High),
        "medium" | "warning" | "p3" | "sev3" => Some(Severity::Medium),
        "low" | "info" | "p4" | "sev4" => Some(Severity::Low),
        _ => None,
    }
}

/// A step's identity from its words and its place: stable while the document's order is.
#[must_use]
pub fn step_id(title: &str, at: usize) -> StepId {
    let mut slug: String = title
        .chars()
        .map(|symbol| if symbol.is_ascii_alphanumeric() { symbol.to_ascii_lowercase() } else { '-' })
        .take(40)
        .collect();
    while slug.contains("--") {
        slug = slug.replace("--", "-");
    }
    let text = format!("{}-{}", at + 1, slug.trim_matches('-'));
    StepId::parse(text.trim_end_matches('-')).unwrap_or_else(|| {
        // Unreachable by the alphabet above; a constant keeps this total without a panic.
        StepId::parse("step").map_or_else(|| step_id("step", 0), |id| id)
    })
}

fn words_of(key: &str) -> String {
    let spaced = key.replace(['_', '-'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::Work;

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

    #[test]
    fn the_users_yaml_loads_as_it_is() {
        let (runbooks, problems) = read("cpu.yaml", USERS);
        assert_eq!(problems, Vec::new());
        let runbook = &runbooks[0];
        assert_eq!(runbook.id.as_str(), "high_cpu_usage");
        assert_eq!(runbook.title.as_str(), "High cpu usage");
        assert_eq!(runbook.severity, Some(Severity::Medium));
        assert_eq!(runbook.triggers[0].alertname, "NodeCPUUsageHigh");
        assert_eq!(runbook.steps.len(), 7);
        assert_eq!(runbook.steps[2].condition.as_deref(), Some("cpu_usage > 90%"));
        let command = "kubectl scale deployment {deployment} --replicas={current_replicas + 1}";
        assert_eq!(runbook.steps[2].work, Work::Automated { command: command.to_owned() });
        assert_eq!(runbook.steps[6].work, Work::Manual);
        assert_eq!(runbook.steps[0].line, 6);
    }

    #[test]
    fn an_unknown_key_names_the_nearest_and_the_others_load() {
        let text = format!("{USERS}  other:\n    triger: X\n    manual_steps: [look]\n");
        let (runbooks, problems) = read("two.yaml", &text);
        assert_eq!(runbooks.len(), 1, "the good one stays");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].at.map(|at| at.0), Some(19));
        assert_eq!(problems[0].message, "unknown key 'triger'");
        assert_eq!(problems[0].fix, "did you mean 'trigger'?");
    }

    #[test]
    fn every_refusal_is_one_clear_sentence() {
        let table = [
            ("runbooks:\n  a:\n    severity: terrible\n", "severity 'terrible' is none of"),
            ("runbooks:\n  a:\n    steps: [{}]\n", "step 1 says nothing to do"),
            ("runbooks:\n  a:\n    steps: [{manual: x}]\n    manual_steps: [look]\n", "both 'steps' and"),
            ("runbooks: [\n", ""),
            ("other: 1\n", "unknown key 'other'"),
        ];
        for (text, expected) in table {
            let (runbooks, problems) = read("bad.yaml", text);
            assert!(runbooks.is_empty(), "{text}");
            assert!(problems.iter().any(|problem| problem.message.contains(expected)), "{text}: {problems:?}");
        }
    }

    #[test]
    fn wrong_types_and_values_name_place_and_fix() {
        let step = |text: &str| format!("runbooks:\n  a:\n    steps:\n      - {text}\n");
        let table = [
            ("runbooks:\n  a:\n    title: [x]\n", "3:12: 'title' is a list, not a text"),
            ("runbooks:\n  a: text\n", "2:6: 'a' is a text, not a table"),
            ("runbooks:\n  a:\n    last_verified: soon\n", "3:20: 'soon' is no date"),
            ("runbooks:\n  a:\n    params: {p-x: {}}\n", "'p-x' is no name for a variable"),
            (
                "runbooks:\n  a:\n    params: {p: {type: k8sname}}\n",
                "'k8sname' is no type of a value; did you mean 'k8s_name'?",
            ),
            ("runbooks:\n  a:\n    params: {p: {from: label.x}}\n", "'label.x' is no source of a value"),
            ("variables:\n  v: {promql: up, command: ls}\nrunbooks: {}\n", "needs one of promql, command and value"),
            (&step("{command: ls, timeout: 5 parsecs}"), "is no duration"),
            (&step("{command: ls, tiemout: 5s}"), "4:23: unknown key 'tiemout'; did you mean 'timeout'?"),
            (&step("{command: ls, query: up}"), "has both 'command' and 'query'; make them two steps"),
            (&step("{command: ls, danger: mild}"), "'mild' is no level of danger"),
            (&step("{command: ls, retries: many}"), "which is no whole number"),
            (&step("{command: ls, interactive: maybe}"), "not true or false"),
            (&step("{command: ls, on_failure: 'goto:b'}"), "goto:b leads to no step"),
            (&step("{command: ls, id: b, on_failure: 'goto:b'}"), "failures would go in a circle: b → b"),
            (&step("{command: ls, expect: {stdout: '('}}"), "is no regular expression"),
            ("runbooks:\n  a:\n    steps: [{manual: x, id: b}, {manual: y, id: b}]\n", "two steps have the id 'b'"),
        ];
        for (text, expected) in table {
            let (_, problems) = read("bad.yaml", text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].to_string().contains(expected), "{text}: {}", problems[0]);
            assert!(problems[0].at.is_some());
        }
    }

    #[test]
    fn everything_that_a_step_can_say_is_read() {
        let text = r#"
defaults: {timeout: 10s, on_failure: stop}
runbooks:
  a:
    steps:
      - {id: a, command: ls, retries: {max: 2, delay: 5s, backoff: 2}, idempotent: true, capture: {x: {from: stderr, line: 2, type: int}}, expect: {exit: [0, 3]}, env: {A: 1.20}}
      - {id: b, argv: [ls, -l], on_failure: "goto:a", verify: "x > 1", max_runs: {count: 2, per: 1h}, timeout: 1m}
      - {id: c, script: {lang: python3, text: "print(1)"}, danger: two-person}
      - {id: d, wait: 30s}
      - {id: e, approve: The failover}
      - {id: f, ask: Which?, into: which, choices: [yes, no]}
      - just do it
"#;
        let (runbooks, problems) = read("a.yaml", text);
        assert_eq!(problems, Vec::new());
        let steps = &runbooks[0].steps;
        let a = &steps[0].handling;
        assert_eq!((a.timeout.map(|time| time.as_secs()), &a.on_failure), (Some(10), &OnFailure::Stop));
        assert_eq!((a.retries.max, a.idempotent, a.expect.exit.clone()), (2, true, vec![0, 3]));
        assert_eq!(a.env, [("A".to_owned(), "1.20".to_owned())], "as written, not as a number");
        assert_eq!(steps[1].handling.on_failure, OnFailure::Goto(StepId::parse("a").unwrap()));
        assert_eq!(steps[1].handling.verify.as_ref().map(|verify| verify.count), Some(2));
        assert_eq!(steps[1].work, Work::Argv { words: vec!["ls".into(), "-l".into()] });
        assert_eq!(steps[2].handling.danger, Some(crate::domain::level::Level::TwoPerson));
        assert_eq!(steps[5].work, Work::Ask { into: "which".into(), choices: vec!["yes".into(), "no".into()] });
        assert_eq!((&steps[6].work, steps[6].title.as_str()), (&Work::Manual, "just do it"));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("variables:\n  a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let before = format!("*a{},", level - 1).repeat(9);
            text.push_str(&format!("  a{level}: &a{level} [{}]\n", before.trim_end_matches(',')));
        }
        text.push_str("runbooks:\n  a:\n    manual_steps: [x]\n");
        let (runbooks, problems) = read("bomb.yaml", &text);
        assert!(runbooks.is_empty());
        assert_eq!(problems.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[ -~\\n\\t]{0,400}") {
            let _ = read("any.yaml", &text);
            let _ = read("any.yaml", &format!("runbooks:\n  a:\n    {text}"));
        }
    }
}

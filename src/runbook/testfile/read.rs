//! Reading `*.test.yaml`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Expectation, FakeCommand, Metric, Outcome, Test};
use crate::domain::level::Level;
use crate::domain::problem::Problem;
use crate::runbook::yaml::node::{self, Complaint, Fields, Node, Value};
use crate::runbook::yaml::problem;

const TEST_KEYS: &[&str] = &[
    "name",
    "runbook",
    "alert",
    "annotations",
    "incident",
    "resolved",
    "values",
    "answers",
    "metrics",
    "metrics_after",
    "commands",
    "read_only",
    "approves",
    "at",
    "expect",
];

/// Reads the tests of a document; each that is wrong is told and costs no other.
#[must_use]
pub fn read(file: &str, text: &str) -> (Vec<Test>, Vec<Problem>) {
    let (mut tests, mut problems) = (Vec::new(), Vec::new());
    let root = match node::parse(text, 0) {
        Ok(root) => root,
        Err(wrong) => return (tests, vec![problem(file, wrong)]),
    };
    let items = root.fields("the document", &["tests"]).map(|fields| fields.get("tests").map_or(&[][..], Node::list));
    match items {
        Ok(items) => {
            for item in items {
                match test(item) {
                    Ok(test) => tests.push(test),
                    Err(wrong) => problems.push(problem(file, wrong)),
                }
            }
        }
        Err(wrong) => problems.push(problem(file, wrong)),
    }
    (tests, problems)
}

fn test(node: &Node) -> Result<Test, Complaint> {
    let fields = node.fields("test", TEST_KEYS)?;
    let mut test = Test {
        name: fields.text("name")?.unwrap_or_else(|| format!("line {}", node.at.0)),
        runbook: fields.text("runbook")?.unwrap_or_default(),
        values: texts(fields, "values")?,
        answers: texts(fields, "answers")?,
        metrics: metrics(fields, "metrics")?,
        metrics_after: metrics(fields, "metrics_after")?,
        read_only: fields.truth("read_only")?,
        approves: fields.get("approves").map_or(Ok(true), |node| node.truth("approves"))?,
        line: node.at.0,
        ..Test::default()
    };
    let labels = |name: &str| -> Result<crate::domain::alert::Labels, Complaint> {
        let pairs = texts(fields, name)?;
        Ok(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
    };
    test.facts.labels = labels("alert")?;
    test.facts.annotations = labels("annotations")?;
    test.facts.incident = texts(fields, "incident")?;
    test.facts.is_resolved = fields.truth("resolved")?;
    if let Some(at) = fields.get("at") {
        let text = at.text("at")?;
        let instant = chrono::DateTime::parse_from_rfc3339(text)
            .map_err(|_cause| Complaint::new(at.at, format!("'{text}' is no instant"), "write 2026-10-01T12:00:00Z"))?;
        test.at = Some(instant.to_utc());
    }
    if let Some(commands) = fields.get("commands") {
        test.commands = commands.list().iter().map(command).collect::<Result<_, _>>()?;
    }
    if let Some(expect) = fields.get("expect") {
        test.expect = expect.list().iter().map(expectation).collect::<Result<_, _>>()?;
    }
    Ok(test)
}

fn texts(fields: Fields<'_>, name: &str) -> Result<BTreeMap<String, String>, Complaint> {
    let Some(node) = fields.get(name) else { return Ok(BTreeMap::new()) };
    let pairs = node.table(name)?.0.iter();
    pairs.map(|(key, node)| Ok((key.name.clone(), node.text(name)?.to_owned()))).collect()
}

fn metrics(fields: Fields<'_>, name: &str) -> Result<BTreeMap<String, Metric>, Complaint> {
    let Some(node) = fields.get(name) else { return Ok(BTreeMap::new()) };
    node.table(name)?.0.iter().map(|(key, node)| Ok((key.name.clone(), metric(node)?))).collect()
}

fn metric(node: &Node) -> Result<Metric, Complaint> {
    let number = |node: &Node| -> Result<f64, Complaint> {
        let text = node.text("metric")?;
        let plain = text.trim_start_matches('.');
        plain
            .parse()
            .map_err(|_cause| Complaint::new(node.at, format!("'{text}' is no number"), "write a number, NaN or inf"))
    };
    match &node.value {
        Value::Map(_) => {
            let fields = node.fields("metric", &["value", "age", "error"])?;
            if let Some(error) = fields.text("error")? {
                return Ok(Metric::Failed(error));
            }
            let values =
                fields.get("value").map_or(&[][..], Node::list).iter().map(number).collect::<Result<_, _>>()?;
            Ok(Metric::Values(values, fields.duration("age")?.unwrap_or(Duration::ZERO)))
        }
        _ => Ok(Metric::Values(node.list().iter().map(number).collect::<Result<_, _>>()?, Duration::ZERO)),
    }
}

fn command(node: &Node) -> Result<FakeCommand, Complaint> {
    let fields = node.fields("command", &["match", "stdout", "stderr", "exit", "delay", "hang"])?;
    let Some(pattern) = fields.get("match") else {
        return Err(Complaint::new(node.at, "a fake command without match", "add match: a regular expression"));
    };
    let text = pattern.text("match")?;
    if regex::Regex::new(text).is_err() {
        return Err(Complaint::new(pattern.at, format!("'{text}' is no regular expression"), "correct it"));
    }
    Ok(FakeCommand {
        pattern: text.to_owned(),
        stdout: fields.text("stdout")?.unwrap_or_default(),
        stderr: fields.text("stderr")?.unwrap_or_default(),
        exit: fields.get("exit").map_or(Ok(0), |node| node.number("exit"))?,
        delay: fields.duration("delay")?.unwrap_or_default(),
        hangs: fields.truth("hang")?,
    })
}

fn expectation(node: &Node) -> Result<Expectation, Complaint> {
    let fields = node.fields("expect", &["step", "outcome", "argv", "shell", "level", "because"])?;
    let Some(step) = fields.text("step")? else {
        return Err(Complaint::new(node.at, "an expectation of no step", "add step: its id"));
    };
    let outcome = match fields.get("outcome") {
        None => None,
        Some(node) => {
            let word = node.text("outcome")?;
            let fix = "run, skip, unknown, blocked, approved, failed, verified or manual";
            Some(Outcome::parse(word).ok_or_else(|| Complaint::new(node.at, format!("'{word}' is no outcome"), fix))?)
        }
    };
    let level = match fields.get("level") {
        None => None,
        Some(node) => {
            let word = node.text("level")?;
            let fix = "read, change, destructive or two-person";
            Some(Level::parse(word).ok_or_else(|| Complaint::new(node.at, format!("'{word}' is no level"), fix))?)
        }
    };
    let argv = match fields.get("argv") {
        None => None,
        Some(node) => Some(match &node.value {
            Value::List(_) => node.texts("argv")?,
            _ => shell_words::split(node.text("argv")?)
                .map_err(|_cause| Complaint::new(node.at, "the quotes of argv do not close", "close them"))?,
        }),
    };
    Ok(Expectation {
        step,
        outcome,
        argv,
        shell: fields.text("shell")?,
        level,
        because: fields.text("because")?,
        line: node.at.0,
    })
}

//! Steps: what each key may hold, and which belong together.

use std::time::Duration;

use super::node::{Complaint, Fields, Node};
use super::param::{checked_name, kind};
use super::step_id;
use crate::domain::id::StepId;
use crate::domain::level::Level;
use crate::runbook::model::{
    Capture, Evidence, Expect, Handling, MaxRuns, OnFailure, Pick, Retries, ShellChoice, Step, Stream, Target, Verify,
    Work,
};
use crate::text::Clean;

/// What there is to do; exactly one of these.
const WORK_KEYS: &[&str] =
    &["command", "argv", "script", "query", "manual", "ask", "approve", "wait", "session", "include", "note"];

const STEP_KEYS: &[&str] = &[
    "name",
    "id",
    "why",
    "condition",
    "guard",
    "command",
    "argv",
    "script",
    "query",
    "manual",
    "ask",
    "approve",
    "wait",
    "session",
    "include",
    "note",
    "into",
    "choices",
    "evidence",
    "shell",
    "cwd",
    "env",
    "secrets",
    "stdin",
    "interactive",
    "timeout",
    "retries",
    "on_failure",
    "expect",
    "capture",
    "verify",
    "rollback",
    "dry_run",
    "danger",
    "idempotent",
    "lock",
    "max_runs",
    "cooldown",
    "parallel",
    "target",
    "links",
];

/// The keys a step can take from `defaults:`.
const DEFAULT_KEYS: &[&str] =
    &["shell", "cwd", "env", "timeout", "retries", "on_failure", "target", "cooldown", "danger"];

/// `defaults:` of a document.
pub(crate) fn defaults(node: &Node) -> Result<Handling, Complaint> {
    handling(node.fields("defaults", DEFAULT_KEYS)?, &Handling::default())
}

/// A step of `steps` or `automated_steps`.
pub(crate) fn step(node: &Node, at: usize, section: Option<&str>, defaults: &Handling) -> Result<Step, Complaint> {
    if let Ok(text) = node.text("step") {
        return Ok(manual(text, at, section, node.at.0, Evidence::None));
    }
    let fields = node.fields("step", STEP_KEYS)?;
    let (work, fallback) = work(node, fields, at)?;
    let handling = handling(fields, defaults)?;
    let title = fields.text("name")?.unwrap_or(fallback);
    let id = match fields.get("id") {
        None => step_id(&title, at),
        Some(node) => parse_id(node.text("id")?, node.at)?,
    };
    Ok(Step {
        id,
        section: section.map(Clean::new),
        title: Clean::new(first_line(&title)),
        notes: fields.text("why")?.iter().flat_map(|text| text.lines()).map(Clean::new).collect(),
        condition: fields.text("condition")?,
        work,
        handling,
        sample_output: Vec::new(),
        line: node.at.0,
    })
}

/// A step of `manual_steps`: a text, or a table with `manual`.
pub(crate) fn manual_step(node: &Node, at: usize, section: &str) -> Result<Step, Complaint> {
    if let Ok(text) = node.text("manual_steps") {
        return Ok(manual(text, at, Some(section), node.at.0, Evidence::None));
    }
    let fields = node.fields("manual step", &["manual", "evidence", "why", "id", "links"])?;
    let Some(text) = fields.text("manual")? else {
        return Err(Complaint::new(node.at, "a manual step without words", "add manual: what to do"));
    };
    let mut step = manual(&text, at, Some(section), node.at.0, evidence(fields)?);
    step.notes = fields.text("why")?.iter().flat_map(|text| text.lines()).map(Clean::new).collect();
    step.handling.links = fields.texts("links")?.iter().map(Clean::new).collect();
    if let Some(node) = fields.get("id") {
        step.id = parse_id(node.text("id")?, node.at)?;
    }
    Ok(step)
}

fn manual(text: &str, at: usize, section: Option<&str>, line: usize, evidence: Evidence) -> Step {
    Step {
        id: step_id(text, at),
        section: section.map(Clean::new),
        title: Clean::new(first_line(text)),
        notes: text.trim().lines().skip(1).map(Clean::new).collect(),
        condition: None,
        work: Work::Manual,
        handling: Handling { evidence, ..Handling::default() },
        sample_output: Vec::new(),
        line,
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

fn parse_id(text: &str, at: (usize, usize)) -> Result<StepId, Complaint> {
    let plain = !text.is_empty() && text.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "_-.".contains(symbol));
    StepId::parse(text).filter(|_| plain).ok_or_else(|| {
        Complaint::new(at, format!("'{text}' is no id for a step"), "letters, digits, '-', '_' and '.' only")
    })
}

fn work(node: &Node, fields: Fields<'_>, at: usize) -> Result<(Work, String), Complaint> {
    let given: Vec<&str> = WORK_KEYS.iter().copied().filter(|key| fields.get(key).is_some()).collect();
    let key = match given.as_slice() {
        [one] => *one,
        [] if fields.get("name").is_some() => return Ok((Work::Manual, String::new())),
        [] => {
            let fix = format!("give one of {}", WORK_KEYS.join(", "));
            return Err(Complaint::new(node.at, format!("step {} says nothing to do", at + 1), fix));
        }
        [one, other, ..] => {
            let place = fields.0.iter().find(|(key, _)| key.name == **other).map_or(node.at, |(key, _)| key.at);
            return Err(Complaint::new(
                place,
                format!("step {} has both '{one}' and '{other}'", at + 1),
                "make them two steps",
            ));
        }
    };
    let Some(value) = fields.get(key) else { return Ok((Work::Manual, String::new())) };
    let text = || value.text(key).map(str::to_owned);
    Ok(match key {
        "command" => (Work::Automated { command: text()? }, text()?),
        "argv" => {
            let words = value.texts("argv")?;
            if words.is_empty() {
                return Err(Complaint::new(value.at, "an empty argv", "write the program and its arguments"));
            }
            let title = shell_words::join(&words);
            (Work::Argv { words }, title)
        }
        "script" => {
            let script = value.fields("script", &["lang", "text"])?;
            let language = script.text("lang")?.unwrap_or_else(|| "bash".to_owned());
            let Some(body) = script.text("text")? else {
                return Err(Complaint::new(value.at, "a script without text", "add text: |"));
            };
            let title = format!("run a {language} script");
            (Work::Script { language, text: body }, title)
        }
        "query" => (Work::Query { promql: text()? }, text()?),
        "ask" => {
            let into = match fields.get("into") {
                Some(node) => {
                    let name = node.text("into")?;
                    checked_name(name, node.at)?;
                    name.to_owned()
                }
                None => format!("answer_{}", at + 1),
            };
            (Work::Ask { into, choices: fields.texts("choices")? }, text()?)
        }
        "approve" => approve(value)?,
        "wait" => wait(value)?,
        "session" => {
            let lines = value.texts("session")?;
            let title = lines.join("; ");
            (Work::Session { lines }, title)
        }
        "include" => {
            let runbook = text()?;
            let title = format!("the steps of {runbook}");
            (Work::Include { runbook }, title)
        }
        "note" => (Work::Note, text()?),
        _ => (Work::Manual, text()?),
    })
}

fn approve(value: &Node) -> Result<(Work, String), Complaint> {
    if let Ok(text) = value.text("approve") {
        return Ok((Work::Approve { by_another: false }, text.to_owned()));
    }
    let fields = value.fields("approve", &["what", "by_another"])?;
    let Some(what) = fields.text("what")? else {
        return Err(Complaint::new(value.at, "an approval of nothing", "add what: the thing to agree to"));
    };
    Ok((Work::Approve { by_another: fields.truth("by_another")? }, what))
}

fn wait(value: &Node) -> Result<(Work, String), Complaint> {
    if value.text("wait").is_ok() {
        let at_most = value.duration("wait")?;
        return Ok((Work::Wait { at_most, until: None }, format!("wait {}", humantime::format_duration(at_most))));
    }
    let fields = value.fields("wait", &["at_most", "until"])?;
    let at_most = fields.duration("at_most")?.unwrap_or(Duration::from_secs(300));
    let until = fields.text("until")?;
    let title = until.as_ref().map_or_else(
        || format!("wait {}", humantime::format_duration(at_most)),
        |until| format!("wait until {until}, at most {}", humantime::format_duration(at_most)),
    );
    Ok((Work::Wait { at_most, until }, title))
}

fn evidence(fields: Fields<'_>) -> Result<Evidence, Complaint> {
    let Some(node) = fields.get("evidence") else { return Ok(Evidence::None) };
    match node.text("evidence")? {
        "none" => Ok(Evidence::None),
        "note" => Ok(Evidence::Note),
        "link" => Ok(Evidence::Link),
        other => Err(Complaint::new(node.at, format!("'{other}' is no evidence"), "none, note or link")),
    }
}

/// Everything that is neither words nor work; `inherited` from the document's defaults.
fn handling(fields: Fields<'_>, inherited: &Handling) -> Result<Handling, Complaint> {
    let or = |own: Option<String>, inherited: &Option<String>| own.or_else(|| inherited.clone());
    let env = match fields.get("env") {
        None => inherited.env.clone(),
        Some(node) => {
            let pairs = node.table("env")?.0.iter();
            pairs.map(|(key, node)| Ok((key.name.clone(), node.text("env")?.to_owned()))).collect::<Result<_, _>>()?
        }
    };
    Ok(Handling {
        guard: fields.text("guard")?,
        shell: fields.get("shell").map_or(Ok(inherited.shell), shell)?,
        cwd: or(fields.text("cwd")?, &inherited.cwd),
        env,
        secrets: fields.texts("secrets")?,
        stdin: fields.text("stdin")?,
        interactive: fields.truth("interactive")?,
        timeout: fields.duration("timeout")?.or(inherited.timeout),
        retries: fields.get("retries").map_or(Ok(inherited.retries.clone()), retries)?,
        on_failure: fields.get("on_failure").map_or(Ok(inherited.on_failure.clone()), on_failure)?,
        expect: fields.get("expect").map_or(Ok(Expect::default()), expect)?,
        capture: fields.get("capture").map_or(Ok(Vec::new()), captures)?,
        verify: fields.get("verify").map(verify).transpose()?,
        rollback: fields.text("rollback")?,
        dry_run: fields.text("dry_run")?,
        danger: fields.get("danger").map(danger).transpose()?.or(inherited.danger),
        idempotent: fields.truth("idempotent")?,
        lock: fields.text("lock")?,
        max_runs: fields.get("max_runs").map(max_runs).transpose()?,
        cooldown: fields.duration("cooldown")?.or(inherited.cooldown),
        parallel: fields.text("parallel")?,
        target: fields.get("target").map(target).transpose()?.or_else(|| inherited.target.clone()),
        links: fields.texts("links")?.iter().map(Clean::new).collect(),
        evidence: evidence(fields)?,
    })
}

fn shell(node: &Node) -> Result<ShellChoice, Complaint> {
    match node.text("shell")? {
        "false" => Ok(ShellChoice::Never),
        "sh" => Ok(ShellChoice::Sh),
        "bash" | "true" => Ok(ShellChoice::Bash),
        other => Err(Complaint::new(node.at, format!("'{other}' is no shell here"), "false, sh or bash")),
    }
}

fn danger(node: &Node) -> Result<Level, Complaint> {
    let word = node.text("danger")?;
    Level::parse(word).ok_or_else(|| {
        Complaint::new(node.at, format!("'{word}' is no level of danger"), "read, change, destructive or two-person")
    })
}

fn retries(node: &Node) -> Result<Retries, Complaint> {
    if node.text("retries").is_ok() {
        return Ok(Retries { max: node.number("retries")?, delay: Duration::from_secs(5), backoff: 1 });
    }
    let fields = node.fields("retries", &["max", "delay", "backoff"])?;
    Ok(Retries {
        max: fields.get("max").map_or(Ok(1), |node| node.number("max"))?,
        delay: fields.duration("delay")?.unwrap_or(Duration::from_secs(5)),
        backoff: fields.get("backoff").map_or(Ok(1), |node| node.number("backoff"))?,
    })
}

fn on_failure(node: &Node) -> Result<OnFailure, Complaint> {
    let word = node.text("on_failure")?;
    match word {
        "ask" => Ok(OnFailure::Ask),
        "stop" => Ok(OnFailure::Stop),
        "continue" => Ok(OnFailure::Continue),
        _ => match word.strip_prefix("goto:").map(str::trim) {
            Some(id) => parse_id(id, node.at).map(OnFailure::Goto),
            None => {
                let wrong = format!("'{word}' is nothing that a failure can lead to");
                Err(Complaint::new(node.at, wrong, "ask, stop, continue or goto:STEP"))
            }
        },
    }
}

fn expect(node: &Node) -> Result<Expect, Complaint> {
    let fields = node.fields("expect", &["exit", "stdout"])?;
    let exit = match fields.get("exit") {
        None => vec![0],
        Some(node) => node.list().iter().map(|item| item.number("exit")).collect::<Result<_, _>>()?,
    };
    Ok(Expect { exit, stdout: fields.get("stdout").map(checked_regex).transpose()? })
}

fn checked_regex(node: &Node) -> Result<String, Complaint> {
    let pattern = node.text("regular expression")?;
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(pattern.to_owned()),
        Err(error) => {
            let cause = error.to_string().lines().last().unwrap_or_default().to_owned();
            Err(Complaint::new(node.at, format!("'{pattern}' is no regular expression: {cause}"), "correct it"))
        }
    }
}

fn captures(node: &Node) -> Result<Vec<Capture>, Complaint> {
    node.table("capture")?.0.iter().map(|(key, node)| capture(&key.name, key.at, node)).collect()
}

fn capture(name: &str, at: (usize, usize), node: &Node) -> Result<Capture, Complaint> {
    checked_name(name, at)?;
    if !node.is_table() {
        return Ok(Capture { name: name.to_owned(), from: stream(node)?, pick: Pick::Trim, kind: kind_of(None)? });
    }
    let keys = &["from", "json", "regex", "line", "trim", "type", "unit", "range", "pattern", "max", "choices"];
    let fields = node.fields("capture", keys)?;
    let pick = match (fields.get("json"), fields.get("regex"), fields.get("line")) {
        (Some(pointer), None, None) => Pick::Json(pointer.text("json")?.to_owned()),
        (None, Some(pattern), None) => Pick::Regex(checked_regex(pattern)?),
        (None, None, Some(line)) => Pick::Line(line.number("line")?),
        (None, None, None) => Pick::Trim,
        _ => return Err(Complaint::new(node.at, "a capture takes one of json, regex and line", "keep one")),
    };
    let from = fields.get("from").map_or(Ok(Stream::Stdout), stream)?;
    Ok(Capture { name: name.to_owned(), from, pick, kind: kind_of(Some(node))? })
}

fn kind_of(node: Option<&Node>) -> Result<crate::runbook::model::Kind, Complaint> {
    node.map_or_else(|| Ok(crate::runbook::model::Kind::default()), kind)
}

fn stream(node: &Node) -> Result<Stream, Complaint> {
    match node.text("from")? {
        "stdout" => Ok(Stream::Stdout),
        "stderr" => Ok(Stream::Stderr),
        "file" => Ok(Stream::File),
        other => {
            Err(Complaint::new(node.at, format!("'{other}' is nothing to capture from"), "stdout, stderr or file"))
        }
    }
}

pub(crate) fn verify(node: &Node) -> Result<Verify, Complaint> {
    if let Ok(text) = node.text("verify") {
        return Ok(plain_verify(text));
    }
    let fields = node.fields("verify", &["condition", "within", "every", "count"])?;
    let Some(condition) = fields.text("condition")? else {
        return Err(Complaint::new(
            node.at,
            "a verification without condition",
            "add condition: what must become true",
        ));
    };
    let plain = plain_verify(&condition);
    Ok(Verify {
        within: fields.duration("within")?.unwrap_or(plain.within),
        every: fields.duration("every")?.unwrap_or(plain.every),
        count: fields.get("count").map_or(Ok(plain.count), |node| node.number("count"))?.max(1),
        ..plain
    })
}

/// A condition with the usual patience.
pub(crate) fn plain_verify(condition: &str) -> Verify {
    Verify {
        condition: condition.to_owned(),
        within: Duration::from_secs(300),
        every: Duration::from_secs(15),
        count: 2,
    }
}

fn max_runs(node: &Node) -> Result<MaxRuns, Complaint> {
    let fields = node.fields("max_runs", &["count", "per"])?;
    Ok(MaxRuns {
        count: fields.get("count").map_or(Ok(1), |node| node.number("count"))?,
        per: fields.duration("per")?.unwrap_or(Duration::from_secs(3_600)),
    })
}

pub(crate) fn target(node: &Node) -> Result<Target, Complaint> {
    let fields = node.fields("target", &["kube_context", "must_match"])?;
    Ok(Target { kube_context: fields.text("kube_context")?, must_match: fields.text("must_match")? })
}

//! Front matter: YAML between two `---`, read like the head of a YAML runbook. A foreign document's front matter (Hugo's
//! and the like) is looked at for the few keys that mean the same everywhere.

use crate::runbook::yaml::node::{self, Complaint, Fields, Node};
use crate::runbook::yaml::{Head, head};

/// What the front matter says.
#[derive(Default)]
pub(super) struct Front {
    pub runbook: Option<String>,
    pub title: Option<String>,
    pub is_native: bool,
    pub head: Head,
}

const KEYS: &[&str] = &[
    "runbook",
    "title",
    "trigger",
    "severity",
    "service",
    "owner",
    "last_verified",
    "review_every",
    "links",
    "target",
    "params",
];

/// Reads it; the second part is where the text goes on.
pub(super) fn read(text: &str, wrong: &mut Vec<Complaint>) -> (Front, usize) {
    let Some((yaml, body_at)) = between(text) else { return (Front::default(), 0) };
    let front = match node::parse(yaml, 1) {
        Ok(node) => front(&node, is_template(text), wrong),
        Err(complaint) => {
            let is_native = yaml.lines().any(|line| line.starts_with("runbook:") || line.starts_with("params:"));
            wrong.push(complaint);
            Front { is_native, ..Front::default() }
        }
    };
    (front, body_at)
}

/// The teams' form is ours by its heading.
fn is_template(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("## Alert:"))
}

fn front(node: &Node, is_template: bool, wrong: &mut Vec<Complaint>) -> Front {
    let Ok(fields) = node.table("front matter") else { return Front::default() };
    let is_native = is_template || fields.get("runbook").is_some() || fields.get("params").is_some();
    let text = |name: &str| fields.text(name).ok().flatten();
    let mut front = Front { runbook: text("runbook"), title: text("title"), is_native, ..Front::default() };
    let read = if is_native {
        node.fields("front matter", KEYS).and_then(head)
    } else {
        // `trigger` and `params` of others mean other things.
        let known: Vec<_> =
            fields.0.iter().filter(|(key, _)| matches!(key.name.as_str(), "owner" | "service")).cloned().collect();
        head(Fields(&known))
    };
    match read {
        Ok(head) => front.head = head,
        Err(complaint) => wrong.push(complaint),
    }
    front
}

/// The text between the lines, and where the document goes on behind them.
fn between(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let opened = text.len() - rest.len();
    let mut at = opened;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((text.get(opened..at)?, at + line.len()));
        }
        at += line.len();
    }
    None
}

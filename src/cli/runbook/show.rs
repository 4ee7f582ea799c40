//! `runbook show`.

use std::fmt::Write as _;

use serde::Serialize;

use super::ShowArgs;
use super::find::one;
use crate::cli::desk::Desk;
use crate::cli::exit;
use crate::cli::print;
use crate::runbook::{Runbook, classify};
use crate::text::Clean;

/// A step as `--json` shows it.
#[derive(Debug, Serialize)]
struct StepShown {
    id: String,
    number: usize,
    title: String,
    kind: &'static str,
    level: &'static str,
    condition: Option<String>,
    text: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    title: String,
    is_native: bool,
    origin: String,
    content_sha256: String,
    steps: Vec<StepShown>,
}

pub(super) fn run(desk: &Desk, args: &ShowArgs) -> color_eyre::Result<i32> {
    let (runbook, _) = one(desk, &args.runbook)?;
    if args.json {
        print::json(&Shown {
            id: runbook.id.to_string(),
            title: runbook.title.to_string(),
            is_native: runbook.is_native,
            origin: runbook.origin.to_string(),
            content_sha256: runbook.content_hash.clone(),
            steps: steps(&runbook),
        })?;
        return Ok(exit::DONE);
    }
    let mut out = format!("{} ({})\n", runbook.title, runbook.id);
    if !runbook.is_native {
        out.push_str("foreign document: nothing of it runs by itself\n");
    }
    for step in steps(&runbook) {
        let _ = writeln!(out, "{:>3}  {}  [{} · {}]", step.number, step.title, step.kind, step.level);
        if let Some(condition) = &step.condition {
            let _ = writeln!(out, "       only if {}", Clean::new(condition));
        }
        for line in step.text.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(out, "       {}", Clean::new(line));
        }
    }
    print::out(&out)?;
    Ok(exit::DONE)
}

fn steps(runbook: &Runbook) -> Vec<StepShown> {
    let shown = |(at, step): (usize, &crate::runbook::Step)| StepShown {
        id: step.id.to_string(),
        number: at + 1,
        title: step.title.to_string(),
        kind: step.work.word(),
        level: classify::step(step).word(),
        condition: step.condition.clone(),
        text: step.work.text(),
    };
    runbook.steps.iter().enumerate().map(shown).collect()
}

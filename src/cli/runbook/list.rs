//! `runbook list` and `runbook match`.

use serde::Serialize;

use super::find::{all, fitting, incident};
use super::{ListArgs, MatchArgs};
use crate::cli::desk::Desk;
use crate::cli::exit;
use crate::cli::print::{self, Style, Table, Tone, cell};
use crate::runbook::Runbook;

/// A runbook in a list.
#[derive(Debug, Serialize)]
struct ListedRunbook {
    id: String,
    title: String,
    severity: Option<&'static str>,
    triggers: Vec<String>,
    steps: usize,
    is_native: bool,
    origin: String,
    content_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

impl ListedRunbook {
    fn of(runbook: &Runbook, because: Option<String>) -> Self {
        Self {
            id: runbook.id.to_string(),
            title: runbook.title.to_string(),
            severity: runbook.severity.map(|severity| severity.word()),
            triggers: runbook.triggers.iter().map(|trigger| trigger.alertname.clone()).collect(),
            steps: runbook.steps.len(),
            is_native: runbook.is_native,
            origin: runbook.origin.to_string(),
            content_sha256: runbook.content_hash.clone(),
            because,
        }
    }
}

#[derive(Serialize)]
struct Listed {
    runbooks: Vec<ListedRunbook>,
}

pub(super) fn run(desk: &Desk, args: &ListArgs) -> color_eyre::Result<i32> {
    let runbooks: Vec<ListedRunbook> = all(desk).iter().map(|runbook| ListedRunbook::of(runbook, None)).collect();
    if args.json {
        print::json(&Listed { runbooks })?;
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["ID", "SEVERITY", ">STEPS", "TRIGGERS", "TITLE"]);
    for runbook in &runbooks {
        table.row([
            cell(&runbook.id).tone(Tone::Strong),
            cell(runbook.severity.unwrap_or("-")),
            cell(runbook.steps.to_string()),
            cell(runbook.triggers.join(" ")),
            cell(&runbook.title),
        ]);
    }
    print::out(&table.render(Style::of_stdout()))?;
    Ok(exit::DONE)
}

pub(super) async fn matching(desk: &Desk, args: &MatchArgs) -> color_eyre::Result<i32> {
    let (room, incident) = incident(desk, &args.incident, args.answering.timeout).await?;
    let runbooks = all(desk);
    let found = fitting(desk, &room, &incident, &runbooks);
    let found: Vec<ListedRunbook> = found
        .iter()
        .filter_map(|fit| Some(ListedRunbook::of(runbooks.get(fit.at)?, Some(fit.because.to_string()))))
        .collect();
    if args.answering.json {
        print::json(&Listed { runbooks: found })?;
        return Ok(exit::DONE);
    }
    if found.is_empty() {
        print::tell("no runbook fits; see 'warroom runbook list'");
        return Ok(exit::FAILED);
    }
    let mut table = Table::new(&["ID", "BECAUSE", "TITLE"]);
    for runbook in &found {
        let because = runbook.because.as_deref().unwrap_or_default();
        table.row([cell(&runbook.id).tone(Tone::Strong), cell(because), cell(&runbook.title)]);
    }
    print::out(&table.render(Style::of_stdout()))?;
    Ok(exit::DONE)
}

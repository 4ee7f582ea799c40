//! `outbox list|send|retry|drop`: actions that are not confirmed, without a screen.

use chrono::TimeDelta;
use serde::Serialize;

use super::desk::{Answering, Desk};
use super::exit::{DONE, FAILED, Usage};
use super::incidents::act::{is_confirmed, tell_outcomes};
use super::json::{ResultJson, delivery_word, target_word};
use super::print::{self, Style, Table, Tone, cell};
use super::{Session, when};
use crate::domain::action::Delivery;
use crate::domain::id::OpId;
use crate::engine::headless::{Outcome, Resume};
use crate::engine::{journal_of, look_at};
use crate::store::OutboxRow;

/// How far back actions are listed.
const RECENT: TimeDelta = TimeDelta::days(30);

/// What to do with actions that are not confirmed.
#[derive(Debug, clap::Subcommand)]
pub enum OutboxCommand {
    /// List actions that are not confirmed, and what to look at
    List(ListArgs),
    /// Go on with what a console that is gone left unfinished; looks first
    Send(SendArgs),
    /// Try failed or unknown actions again; looks first
    Retry(OpsArgs),
    /// Give actions up
    Drop(OpsArgs),
}

/// Options of `outbox list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// Confirmed and dropped ones too
    #[arg(long, short)]
    pub all: bool,
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
}

/// Options of `outbox send`.
#[derive(Clone, Debug, clap::Args)]
pub struct SendArgs {
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Options of `outbox retry` and `outbox drop`.
#[derive(Clone, Debug, clap::Args)]
pub struct OpsArgs {
    /// Which, as listed
    #[arg(required = true, value_name = "ACTION")]
    pub ops: Vec<uuid::Uuid>,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Runs it.
///
/// # Errors
/// One sentence.
pub async fn run(session: &Session, command: OutboxCommand) -> color_eyre::Result<i32> {
    let desk = Desk::open(session);
    match command {
        OutboxCommand::List(args) => list(&desk, &args).await,
        OutboxCommand::Send(args) => {
            desk.needs_write()?;
            let before = rows(&desk).await?;
            let outcomes = desk.resume(Resume::Unfinished, args.answering.timeout).await;
            tell(&before, &outcomes, &args.answering, |outcome| is_confirmed(&outcome.delivery))
        }
        OutboxCommand::Retry(args) => {
            desk.needs_write()?;
            let (before, ops) = known(&desk, &args.ops).await?;
            let outcomes = desk.resume(Resume::Retry(ops), args.answering.timeout).await;
            tell(&before, &outcomes, &args.answering, |outcome| is_confirmed(&outcome.delivery))
        }
        OutboxCommand::Drop(args) => {
            let (before, ops) = known(&desk, &args.ops).await?;
            let outcomes = desk.resume(Resume::Drop(ops), args.answering.timeout).await;
            tell(&before, &outcomes, &args.answering, |outcome| outcome.delivery == Delivery::Dropped)
        }
    }
}

async fn rows(desk: &Desk) -> color_eyre::Result<Vec<OutboxRow>> {
    let journal = journal_of(&desk.config.room).await?;
    let rows = journal.actions_since(desk.now() - RECENT).await;
    journal.close().await;
    Ok(rows?)
}

async fn known(desk: &Desk, wanted: &[uuid::Uuid]) -> color_eyre::Result<(Vec<OutboxRow>, Vec<OpId>)> {
    let rows = rows(desk).await?;
    for op in wanted {
        if !rows.iter().any(|row| row.intent.op.0 == *op) {
            return Err(Usage::new(format!("there is no action {op}; see 'warroom outbox list --all'")).into());
        }
    }
    Ok((rows, wanted.iter().copied().map(OpId).collect()))
}

#[derive(Serialize)]
struct Listed {
    actions: Vec<ActionJson>,
}

#[derive(Serialize)]
struct ActionJson {
    #[serde(flatten)]
    result: ResultJson,
    by: String,
    asked_at: String,
    attempts: u32,
    look_at: Option<String>,
}

fn is_open(row: &OutboxRow) -> bool {
    !matches!(row.delivery, Delivery::Confirmed { .. } | Delivery::Dropped)
}

fn look(row: &OutboxRow) -> Option<String> {
    matches!(row.delivery, Delivery::Unknown { .. } | Delivery::Sent).then(|| look_at(&row.intent))
}

fn outcome(row: &OutboxRow) -> Outcome {
    Outcome { op: row.intent.op, delivery: row.delivery.clone(), opened: row.opened.clone() }
}

async fn list(desk: &Desk, args: &ListArgs) -> color_eyre::Result<i32> {
    let rows: Vec<OutboxRow> = rows(desk).await?.into_iter().filter(|row| args.all || is_open(row)).collect();
    if args.json {
        let action = |row: &OutboxRow| ActionJson {
            result: ResultJson::of(&row.intent, &outcome(row)),
            by: row.intent.by.to_string(),
            asked_at: row.intent.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            attempts: row.attempts,
            look_at: look(row),
        };
        print::json(&Listed { actions: rows.iter().map(action).collect() })?;
        return Ok(DONE);
    }
    if rows.is_empty() {
        print::out("every action is confirmed\n")?;
        return Ok(DONE);
    }
    let mut table = Table::new(&["ACTION", "WHAT", "TARGET", "STATE", ">AGE", "DETAILS"]);
    for row in &rows {
        let (tone, details) = match &row.delivery {
            Delivery::Confirmed { says } => (Tone::Good, says.to_string()),
            Delivery::Failed { failure } => (Tone::Bad, failure.cause.to_string()),
            Delivery::Unknown { check } => (Tone::Warning, check.to_string()),
            Delivery::Queued { .. } | Delivery::Sent | Delivery::Dropped => (Tone::Warning, String::new()),
        };
        table.row([
            cell(row.intent.op.to_string()),
            cell(super::incidents::verb(&row.intent.action)),
            cell(target_word(&row.intent.target)),
            cell(delivery_word(&row.delivery)).tone(tone),
            cell(when::span(desk.now().signed_duration_since(row.intent.at))),
            cell(details),
        ]);
    }
    print::out(&table.render(Style::of_stdout()))?;
    Ok(DONE)
}

fn tell(
    before: &[OutboxRow],
    outcomes: &[Outcome],
    answering: &Answering,
    is_good: impl Fn(&Outcome) -> bool,
) -> color_eyre::Result<i32> {
    let intent =
        |outcome: &Outcome| before.iter().find(|row| row.intent.op == outcome.op).map(|row| row.intent.clone());
    let results: Vec<_> = outcomes.iter().filter_map(|outcome| Some((intent(outcome)?, outcome.clone()))).collect();
    if results.is_empty() && !answering.json {
        print::out("nothing was left unfinished\n")?;
        return Ok(DONE);
    }
    tell_outcomes(&results, answering.json)?;
    Ok(if outcomes.iter().all(is_good) { DONE } else { FAILED })
}

//! The outbox beside the journal: what an entry does to it, and who holds what.

use std::collections::HashMap;
use std::time::Instant;

use chrono::DateTime;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::presence::{Gone, Presence};
use super::seat::Seat;
use crate::domain::action::{Delivery, Intent};
use crate::domain::id::{OpId, PagerId};
use crate::domain::time::Timestamp;
use crate::store::entry::RoleChange;
use crate::store::record::Draft;
use crate::store::{Entry, OutboxRow, StoreError};
use crate::text::Clean;

/// Most actions told after a restart.
const MOST_ACTIONS: i64 = 2_000;

/// An entry, ready to be written: whatever can go wrong with its text has gone wrong before the transaction.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) draft: Draft,
    pub(super) change: Change,
    pub(super) role: Option<RoleChange>,
}

/// What becomes of the outbox.
#[derive(Debug)]
pub(super) enum Change {
    Insert { op: OpId, batch: Uuid, target: String, action: String, by: String, result: String },
    Move { op: OpId, state: &'static str, is_settled: bool, result: String, opened: Option<String> },
    Nothing,
}

impl Prepared {
    pub(super) fn new(entry: &Entry) -> Result<Self, StoreError> {
        Ok(Self { draft: Draft::new(entry)?, change: Change::of(entry)?, role: RoleChange::of(entry) })
    }
}

impl Change {
    pub(super) fn of(entry: &Entry) -> Result<Self, StoreError> {
        Ok(match entry {
            Entry::Intended(intent) => Self::Insert {
                op: intent.op,
                batch: intent.batch.0,
                target: serde_json::to_string(&intent.target)?,
                action: serde_json::to_string(&intent.action)?,
                by: intent.by.as_str().to_owned(),
                result: serde_json::to_string(&Delivery::Queued { waits_until: None })?,
            },
            Entry::Moved { op, delivery, opened, .. } => Self::Move {
                op: *op,
                state: state(delivery),
                is_settled: delivery.is_settled(),
                result: serde_json::to_string(delivery)?,
                opened: opened.as_ref().map(ToString::to_string),
            },
            _ => Self::Nothing,
        })
    }
}

/// The word of a delivery in the `state` column.
fn state(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Queued { .. } => "queued",
        Delivery::Sent => "sent",
        Delivery::Confirmed { .. } => "confirmed",
        Delivery::Failed { .. } => "failed",
        Delivery::Unknown { .. } => "unknown",
        Delivery::Dropped => "dropped",
    }
}

/// Moves the outbox along, by the right of `seat`: what it holds it moves under its token; what nobody carries out it may
/// take up again or put away. So a console that was stopped, and believes that it holds what another has settled since,
/// moves nothing.
pub(super) async fn project(
    connection: &mut SqliteConnection,
    seat: &mut Seat,
    at_us: i64,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Insert { op, .. } => {
            insert(connection, seat.id, at_us, change).await?;
            seat.held.insert(*op, 1);
        }
        Change::Move { op, state, is_settled, result, opened } => {
            let token: Option<i64> = sqlx::query_scalar(
                "UPDATE outbox SET state = ?1, result = ?2, changed_at = ?3, opened = coalesce(?4, opened), \
                 attempts = attempts + (?1 = 'sent'), token = token + (writer <> ?5), writer = ?5 \
                 WHERE op = ?6 AND CASE WHEN ?7 > 0 THEN writer = ?5 AND token = ?7 AND state IN ('queued', 'sent') \
                 WHEN ?1 = 'queued' THEN state IN ('failed', 'unknown') \
                 WHEN ?1 = 'dropped' THEN state NOT IN ('queued', 'sent') ELSE false END RETURNING token",
            )
            .bind(*state)
            .bind(result)
            .bind(at_us)
            .bind(opened)
            .bind(seat.id)
            .bind(op.0)
            .bind(seat.held.get(op).copied().unwrap_or(0))
            .fetch_optional(connection)
            .await?;
            match token {
                None => return Err(StoreError::TakenOver),
                Some(_) if *is_settled => drop(seat.held.remove(op)),
                Some(token) => drop(seat.held.insert(*op, token)),
            }
        }
        Change::Nothing => {}
    }
    Ok(())
}

/// The same for a record of another journal: nobody here holds it, so nobody here sends it. An older word does not undo
/// a later one.
pub(super) async fn project_foreign(
    connection: &mut SqliteConnection,
    writer: Uuid,
    at_us: i64,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Insert { .. } => insert(connection, writer, at_us, change).await?,
        Change::Move { op, state, result, opened, .. } => {
            sqlx::query(
                "UPDATE outbox SET state = ?1, result = ?2, changed_at = ?3, opened = coalesce(?4, opened), \
                 attempts = attempts + (?1 = 'sent'), token = token + (writer <> ?5), writer = ?5 \
                 WHERE op = ?6 AND changed_at <= ?3",
            )
            .bind(*state)
            .bind(result)
            .bind(at_us)
            .bind(opened)
            .bind(writer)
            .bind(op.0)
            .execute(connection)
            .await?;
        }
        Change::Nothing => {}
    }
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    writer: Uuid,
    at_us: i64,
    change: &Change,
) -> Result<(), StoreError> {
    let Change::Insert { op, batch, target, action, by, result } = change else { return Ok(()) };
    sqlx::query(
        "INSERT INTO outbox (op, batch, target, action, asked_by, asked_at, state, result, changed_at, writer) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?6, ?8) ON CONFLICT (op) DO NOTHING",
    )
    .bind(op.0)
    .bind(batch)
    .bind(target)
    .bind(action)
    .bind(by)
    .bind(at_us)
    .bind(result)
    .bind(writer)
    .execute(connection)
    .await?;
    Ok(())
}

const COLUMNS: &str =
    "SELECT op, batch, target, action, asked_by, asked_at, result, attempts, opened, changed_at, token FROM outbox";

/// Takes the unsettled actions of consoles that are gone, or that were stopped until their lease had run out. Only of
/// consoles of this journal: what came with an import is nobody's here.
pub(super) async fn adopt(
    connection: &mut SqliteConnection,
    seat: &Seat,
    presence: Option<&Presence>,
) -> Result<(Vec<OutboxRow>, Seat), StoreError> {
    let mut seat = seat.clone();
    let others: Vec<(Uuid, bool)> = sqlx::query_as(
        "SELECT id, lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM writer \
         WHERE id <> ? AND id IN (SELECT writer FROM outbox WHERE state IN ('queued', 'sent'))",
    )
    .bind(seat.id)
    .fetch_all(&mut *connection)
    .await?;
    let (mut leavers, mut gone) = (Vec::new(), Vec::new());
    for (writer, is_lapsed) in others {
        match presence.map(|presence| presence.gone(writer)) {
            Some(Ok(Some(found))) => {
                leavers.push(writer);
                gone.push(found);
            }
            _ if is_lapsed => leavers.push(writer),
            _ => {}
        }
    }
    if leavers.is_empty() {
        return Ok((Vec::new(), seat));
    }
    let at = Instant::now();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut adopted = Vec::new();
    for writer in leavers {
        // Looked at again inside the transaction: it may have come back and renewed.
        let statement = format!(
            "{COLUMNS} WHERE writer = ?1 AND state IN ('queued', 'sent') AND (?2 OR (SELECT lease_until FROM writer \
             WHERE id = ?1) < CAST(unixepoch('subsec') * 1000 AS INTEGER))"
        );
        let is_gone = gone.iter().any(|gone: &Gone| gone.id() == writer);
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(writer).bind(is_gone).fetch_all(&mut *transaction).await?;
        for row in rows {
            let Some(read) = read_row(&row) else { continue };
            let token: i64 =
                sqlx::query_scalar("UPDATE outbox SET writer = ?, token = token + 1 WHERE op = ? RETURNING token")
                    .bind(seat.id)
                    .bind(read.intent.op.0)
                    .fetch_one(&mut *transaction)
                    .await?;
            seat.held.insert(read.intent.op, token);
            adopted.push(read);
        }
    }
    super::rows::extend_lease(&mut transaction, seat.id).await?;
    transaction.commit().await?;
    seat.renewed = Some(at);
    gone.into_iter().for_each(Gone::forget);
    adopted.sort_by_key(|row| row.intent.op);
    Ok((adopted, seat))
}

pub(super) async fn actions_since(
    connection: &mut SqliteConnection,
    since: Timestamp,
) -> Result<Vec<OutboxRow>, StoreError> {
    let statement = format!("{COLUMNS} WHERE asked_at >= ? ORDER BY asked_at DESC LIMIT {MOST_ACTIONS}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(since.timestamp_micros()).fetch_all(connection).await?;
    Ok(rows.iter().rev().filter_map(read_row).collect())
}

pub(super) async fn action(connection: &mut SqliteConnection, op: OpId) -> Result<Option<OutboxRow>, StoreError> {
    let statement = format!("{COLUMNS} WHERE op = ?");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(op.0).fetch_optional(connection).await?;
    Ok(row.as_ref().and_then(read_row))
}

/// What a writer holds.
pub(super) async fn held(connection: &mut SqliteConnection, writer: Uuid) -> Result<HashMap<OpId, i64>, StoreError> {
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT op, token FROM outbox WHERE writer = ? AND state IN ('queued', 'sent')")
            .bind(writer)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(op, token)| (OpId(op), token)).collect())
}

fn read_row(row: &SqliteRow) -> Option<OutboxRow> {
    let time = |name| row.try_get::<i64, _>(name).ok().and_then(DateTime::from_timestamp_micros);
    let text = |name| row.try_get::<String, _>(name).ok();
    let id = |name| row.try_get::<Uuid, _>(name).ok().map(OpId);
    Some(OutboxRow {
        intent: Intent {
            op: id("op")?,
            batch: id("batch")?,
            target: serde_json::from_str(&text("target")?).ok()?,
            action: serde_json::from_str(&text("action")?).ok()?,
            by: Clean::new(text("asked_by")?),
            at: time("asked_at")?,
        },
        delivery: serde_json::from_str(&text("result")?).ok()?,
        changed_at: time("changed_at")?,
        attempts: row.try_get::<i64, _>("attempts").ok().and_then(|sent| u32::try_from(sent).ok()).unwrap_or(0),
        opened: row.try_get::<Option<String>, _>("opened").ok()?.as_deref().and_then(PagerId::parse),
    })
}

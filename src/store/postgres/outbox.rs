//! The shared outbox: which console may send an action, and for how long.
//!
//! The first byte of an action leaves only after its row said `sent` under the holder's token; a console that was stopped
//! meanwhile and lost its lease finds another token there and does not send.

use chrono::DateTime;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{Postgres, Trouble};
use crate::domain::action::{Delivery, Intent};
use crate::domain::id::{OpId, PagerId};
use crate::domain::time::Timestamp;
use crate::store::{Entry, OutboxRow, StoreError};
use crate::text::Clean;

/// Most actions told at a start.
const MOST_ACTIONS: i64 = 2_000;

/// Most actions taken over at once.
const MOST_ADOPTED: i64 = 256;

/// An action, and the token under which this console holds it from now on; `None`: not any more.
pub(super) type Gained = (OpId, Option<i64>);

/// Moves the outbox along with an entry that `writer` wrote; the token of an action that this console holds from now on,
/// or that it holds it no more.
///
/// What another console wrote when it was apart stays that console's for a while, because it may be carrying it out; when
/// that one is gone, anybody takes it over.
pub(super) async fn follow(
    connection: &mut PgConnection,
    room: &Postgres,
    entry: &Entry,
    is_merge: bool,
    writer: Uuid,
) -> Result<Option<Gained>, Trouble> {
    match entry {
        Entry::Intended(intent) => insert(connection, room, intent, writer).await,
        Entry::Moved { op, delivery, at, opened } => {
            let moved = Moved { op: *op, delivery, at: *at, opened: opened.as_ref() };
            advance(connection, room, moved, is_merge, writer).await
        }
        Entry::Ticked { .. } | Entry::RoleMoved { .. } | Entry::Run(_) => Ok(None),
    }
}

async fn insert(
    connection: &mut PgConnection,
    room: &Postgres,
    intent: &Intent,
    writer: Uuid,
) -> Result<Option<Gained>, Trouble> {
    let at = intent.at.timestamp_micros();
    let inserted = sqlx::query(
        "INSERT INTO warroom_outbox \
         (op, batch, target, action, asked_by, asked_at, state, result, changed_at, holder, held_until) \
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $6, $8, now() + $9 * interval '1 millisecond') \
         ON CONFLICT (op) DO NOTHING",
    )
    .bind(intent.op.0)
    .bind(intent.batch.0)
    .bind(serde_json::to_string(&intent.target)?)
    .bind(serde_json::to_string(&intent.action)?)
    .bind(intent.by.as_str())
    .bind(at)
    .bind(serde_json::to_string(&Delivery::Queued { waits_until: None })?)
    .bind(writer)
    .bind(room.holds_ms())
    .execute(connection)
    .await?;
    Ok((writer == room.me.0 && inserted.rows_affected() == 1).then_some((intent.op, Some(1))))
}

/// How far an action got.
struct Moved<'a> {
    op: OpId,
    delivery: &'a Delivery,
    at: Timestamp,
    opened: Option<&'a PagerId>,
}

/// Whoever holds it moves it. One that is settled (failed, unknown) is anybody's: who tries it again holds it from then
/// on. A result of an earlier holder stays in the journal and changes nothing here, unless nobody knew better.
async fn advance(
    connection: &mut PgConnection,
    room: &Postgres,
    moved: Moved<'_>,
    is_merge: bool,
    writer: Uuid,
) -> Result<Option<Gained>, Trouble> {
    let Moved { op, delivery, at, opened } = moved;
    let statement = "SELECT holder, token, state FROM warroom_outbox WHERE op = $1 FOR UPDATE";
    let Some(row) = sqlx::query(statement).bind(op.0).fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let (holder, token, state): (Uuid, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let is_own = writer == room.me.0;
    let is_mine = holder == writer && (!is_own || room.tokens().get(&op).is_none_or(|mine| *mine == token));
    let is_open = matches!(state.as_str(), "queued" | "sent");
    let may = match delivery {
        // What was merged happened; who holds the action meanwhile knows more than that.
        _ if is_merge => is_mine || state == "unknown",
        Delivery::Sent => is_mine,
        Delivery::Queued { .. } | Delivery::Dropped => is_mine || !is_open,
        Delivery::Confirmed { .. } => is_mine || state == "unknown",
        Delivery::Failed { .. } | Delivery::Unknown { .. } => is_mine,
    };
    if !may {
        let is_to_go_on = matches!(delivery, Delivery::Sent | Delivery::Queued { .. } | Delivery::Dropped);
        return if is_to_go_on && !is_merge { Err(StoreError::TakenOver.into()) } else { Ok(None) };
    }
    let token = if is_mine { token } else { token.saturating_add(1) };
    sqlx::query(
        "UPDATE warroom_outbox SET state = $2, result = $3, changed_at = $4, opened = coalesce($5, opened), \
         attempts = attempts + CASE WHEN $2 = 'sent' THEN 1 ELSE 0 END, holder = $6, token = $7, \
         held_until = now() + $8 * interval '1 millisecond' WHERE op = $1",
    )
    .bind(op.0)
    .bind(word(delivery))
    .bind(serde_json::to_string(delivery)?)
    .bind(at.timestamp_micros())
    .bind(opened.map(PagerId::as_str))
    .bind(writer)
    .bind(token)
    .bind(room.holds_ms())
    .execute(connection)
    .await?;
    Ok(is_own.then_some((op, (!delivery.is_settled()).then_some(token))))
}

/// The word of a delivery in the `state` column.
fn word(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Queued { .. } => "queued",
        Delivery::Sent => "sent",
        Delivery::Confirmed { .. } => "confirmed",
        Delivery::Failed { .. } => "failed",
        Delivery::Unknown { .. } => "unknown",
        Delivery::Dropped => "dropped",
    }
}

/// Takes what nobody holds any more. Rows that a colleague looks at in the same moment are theirs.
pub(super) async fn adopt(room: &Postgres) -> Result<Vec<(OutboxRow, i64)>, Trouble> {
    // What this console is carrying goes on here, or finds out that it lost it: never both.
    let mine: Vec<Uuid> = room.tokens().keys().map(|op| op.0).collect();
    let rows = sqlx::query(
        "UPDATE warroom_outbox SET holder = $1, token = token + 1, held_until = now() + $2 * interval '1 millisecond' \
         WHERE op IN (SELECT op FROM warroom_outbox WHERE state IN ('queued', 'sent') AND held_until < now() \
                        AND op <> ALL($4) ORDER BY op LIMIT $3 FOR UPDATE SKIP LOCKED) \
         RETURNING op, batch, target, action, asked_by, asked_at, result, attempts, opened, changed_at, token",
    )
    .bind(room.me.0)
    .bind(room.holds_ms())
    .bind(MOST_ADOPTED)
    .bind(mine)
    .fetch_all(&mut *room.pool.acquire().await?)
    .await?;
    let mut adopted: Vec<(OutboxRow, i64)> =
        rows.iter().filter_map(|row| Some((read(row)?, row.try_get("token").ok()?))).collect();
    adopted.sort_by_key(|(row, _)| row.intent.op);
    Ok(adopted)
}

pub(super) async fn since(connection: &mut PgConnection, since: Timestamp) -> Result<Vec<OutboxRow>, Trouble> {
    let rows = sqlx::query(
        "SELECT op, batch, target, action, asked_by, asked_at, result, attempts, opened, changed_at \
         FROM warroom_outbox WHERE asked_at >= $1 ORDER BY asked_at DESC LIMIT $2",
    )
    .bind(since.timestamp_micros())
    .bind(MOST_ACTIONS)
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().rev().filter_map(read).collect())
}

pub(super) async fn one(connection: &mut PgConnection, op: OpId) -> Result<Option<OutboxRow>, Trouble> {
    let row = sqlx::query(
        "SELECT op, batch, target, action, asked_by, asked_at, result, attempts, opened, changed_at \
         FROM warroom_outbox WHERE op = $1",
    )
    .bind(op.0)
    .fetch_optional(connection)
    .await?;
    Ok(row.as_ref().and_then(read))
}

/// `None` for a row of a shape this version does not know.
fn read(row: &PgRow) -> Option<OutboxRow> {
    let time = |name| row.try_get::<i64, _>(name).ok().and_then(DateTime::from_timestamp_micros);
    let text = |name| row.try_get::<String, _>(name).ok();
    Some(OutboxRow {
        intent: Intent {
            op: OpId(row.try_get("op").ok()?),
            batch: OpId(row.try_get("batch").ok()?),
            target: serde_json::from_str(&text("target")?).ok()?,
            action: serde_json::from_str(&text("action")?).ok()?,
            by: Clean::new(text("asked_by")?),
            at: time("asked_at")?,
        },
        delivery: serde_json::from_str(&text("result")?).ok()?,
        changed_at: time("changed_at")?,
        attempts: row.try_get::<i32, _>("attempts").ok().and_then(|sent| u32::try_from(sent).ok()).unwrap_or(0),
        opened: row.try_get::<Option<String>, _>("opened").ok()?.as_deref().and_then(PagerId::parse),
    })
}

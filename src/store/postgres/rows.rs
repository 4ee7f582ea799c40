//! Statements of the shared journal.

use std::collections::HashSet;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::outbox::Gained;
use super::{Postgres, Trouble, connect, outbox};
use crate::domain::time::Timestamp;
use crate::store::entry::{RoleChange, last_words};
use crate::store::record::{self, Hash};
use crate::store::{Entry, Paging, Placed, Record};
use crate::text::Clean;

/// Most steps and role changes read at a start.
const MOST_TICKS: i64 = 20_000;

/// The columns of new rows, as the server takes them: one array each.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    writers: Vec<Uuid>,
    seqs: Vec<i64>,
    ats: Vec<i64>,
    kinds: Vec<String>,
    subjects: Vec<Option<String>>,
    versions: Vec<i32>,
    payloads: Vec<String>,
    prevs: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
}

impl Columns {
    fn push(&mut self, record: &Record, subject: Option<String>) {
        self.ids.push(record.id);
        self.writers.push(record.writer);
        self.seqs.push(i64::try_from(record.seq).unwrap_or(i64::MAX));
        self.ats.push(record.at_us);
        self.kinds.push(record.kind.clone());
        self.subjects.push(subject);
        self.versions.push(i32::try_from(record.version).unwrap_or(i32::MAX));
        self.payloads.push(record.payload.clone());
        self.prevs.push(record.prev.0.to_vec());
        self.hashes.push(record.hash.0.to_vec());
    }
}

/// What was written.
pub(super) struct Written {
    pub(super) new: u64,
    /// Actions that this console came to hold, or holds no more, once it is committed.
    pub(super) gained: Vec<Gained>,
}

/// Writes what is not there yet, under the room's lock.
///
/// What is merged is history: it is never refused, only without effect where the room moved on.
pub(super) async fn append(
    connection: &mut PgConnection,
    room: &Postgres,
    records: &[Record],
    is_merge: bool,
    channel: &str,
) -> Result<Written, Trouble> {
    let locked =
        sqlx::query("SELECT last_seq, version FROM warroom_room FOR UPDATE").fetch_one(&mut *connection).await?;
    let last: i64 = locked.try_get(0)?;
    connect::check_number(locked.try_get(1)?)?;
    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
    let known: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM warroom_journal WHERE id = ANY($1)")
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await?;
    let mut known: HashSet<Uuid> = known.into_iter().collect();
    let (mut columns, mut gained) = (Columns::default(), Vec::new());
    for record in records {
        if !known.insert(record.id) {
            continue;
        }
        let entry = record.entry();
        if let Some(entry) = &entry {
            if let Some(change) = RoleChange::of(entry).filter(|_| !is_merge) {
                change.check(holder(connection, &change).await?)?;
            }
            gained.extend(outbox::follow(connection, room, entry, is_merge, record.writer).await?);
        }
        columns.push(record, entry.as_ref().and_then(subject));
    }
    let new = columns.ids.len() as u64;
    if new > 0 {
        insert(connection, last, columns, channel).await?;
    }
    Ok(Written { new, gained })
}

async fn insert(connection: &mut PgConnection, last: i64, columns: Columns, channel: &str) -> Result<(), Trouble> {
    let end = last.saturating_add(i64::try_from(columns.ids.len()).unwrap_or(i64::MAX));
    sqlx::query(
        "INSERT INTO warroom_journal \
         (seq, id, writer, writer_seq, at, kind, subject, version, payload, prev, hash) \
         SELECT $1 + place, id, writer, count, at, kind, subject, version, payload, prev, hash \
         FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::int[], \
                     $9::text[], $10::bytea[], $11::bytea[]) \
         WITH ORDINALITY AS new (id, writer, count, at, kind, subject, version, payload, prev, hash, place)",
    )
    .bind(last)
    .bind(columns.ids)
    .bind(columns.writers)
    .bind(columns.seqs)
    .bind(columns.ats)
    .bind(columns.kinds)
    .bind(columns.subjects)
    .bind(columns.versions)
    .bind(columns.payloads)
    .bind(columns.prevs)
    .bind(columns.hashes)
    .execute(&mut *connection)
    .await?;
    sqlx::query("WITH moved AS (UPDATE warroom_room SET last_seq = $1) SELECT pg_notify($2, $3)")
        .bind(end)
        .bind(channel)
        .bind(format!("journal {end}"))
        .execute(connection)
        .await?;
    Ok(())
}

fn subject(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Ticked { incident, runbook, step, .. } => Some(format!("{incident}/{runbook}/{step}")),
        other => RoleChange::of(other).map(|change| change.subject()),
    }
}

async fn holder(connection: &mut PgConnection, change: &RoleChange) -> Result<Option<Option<Clean>>, Trouble> {
    let statement = "SELECT kind, payload FROM warroom_journal WHERE kind = 'role_moved' AND subject = $1 ORDER BY seq";
    let rows: Vec<(String, String)> = sqlx::query_as(statement).bind(change.subject()).fetch_all(connection).await?;
    Ok(change.holder(rows.iter().filter_map(|(kind, payload)| record::entry(kind, payload))))
}

pub(super) async fn page(connection: &mut PgConnection, paging: Paging, limit: u32) -> Result<Vec<Placed>, Trouble> {
    let (statement, place) = match paging {
        Paging::After(place) => (
            "SELECT seq, id, writer, writer_seq, at, kind, version, payload, prev, hash FROM warroom_journal \
             WHERE seq > $1 ORDER BY seq LIMIT $2",
            place,
        ),
        Paging::Before(place) => (
            "SELECT seq, id, writer, writer_seq, at, kind, version, payload, prev, hash FROM warroom_journal \
             WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
            place,
        ),
    };
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    let rows = sqlx::query(statement).bind(place).bind(i64::from(limit)).fetch_all(connection).await?;
    let mut placed = rows.iter().map(read).collect::<Result<Vec<Placed>, Trouble>>()?;
    placed.sort_by_key(|(place, _)| *place);
    Ok(placed)
}

fn read(row: &PgRow) -> Result<Placed, Trouble> {
    let number = |place: usize| row.try_get::<i64, _>(place);
    let hash = |place: usize| -> Result<Hash, Trouble> {
        let bytes: Vec<u8> = row.try_get(place)?;
        Ok(Hash::of_bytes(&bytes).unwrap_or_default())
    };
    let record = Record {
        id: row.try_get(1)?,
        writer: row.try_get(2)?,
        seq: u64::try_from(number(3)?).unwrap_or(0),
        at_us: number(4)?,
        kind: row.try_get(5)?,
        version: i64::from(row.try_get::<i32, _>(6)?),
        payload: row.try_get(7)?,
        prev: hash(8)?,
        hash: hash(9)?,
    };
    Ok((u64::try_from(number(0)?).unwrap_or(0), record))
}

/// The last word on each step, and every move of each role.
pub(super) async fn words(connection: &mut PgConnection, since: Timestamp) -> Result<Vec<Entry>, Trouble> {
    let statement = "SELECT kind, payload FROM (\
           (SELECT DISTINCT ON (subject) seq, kind, payload FROM warroom_journal \
             WHERE kind = 'ticked' AND at >= $1 ORDER BY subject, seq DESC LIMIT $2) \
           UNION ALL \
           (SELECT seq, kind, payload FROM warroom_journal WHERE kind = 'role_moved' AND at >= $1 LIMIT $2)\
         ) AS words ORDER BY seq";
    let rows: Vec<(String, String)> =
        sqlx::query_as(statement).bind(since.timestamp_micros()).bind(MOST_TICKS).fetch_all(connection).await?;
    Ok(last_words(rows.iter().filter_map(|(kind, payload)| record::entry(kind, payload))))
}

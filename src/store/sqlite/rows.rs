//! Statements of the SQLite journal, and how records become rows and come back.

use std::time::Instant;

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::migrate::NEWEST;
use super::outbox::{self, Change, Prepared};
use super::seat::{GRACE, LEASE, Seat};
use crate::domain::time::Timestamp;
use crate::store::entry::{RoleChange, last_words};
use crate::store::record::{self, Hash};
use crate::store::{Entry, Imported, Paging, Placed, Record, StoreError};
use crate::text::Clean;

/// Most ticks read at start.
const MOST_TICKS: i64 = 20_000;

/// Most records of one page.
const LONGEST_PAGE: u32 = 10_000;

/// Records written by one statement: what a statement costs beside its rows is paid once. Each size is its own text, so
/// few sizes keep them all prepared.
const TOGETHER: [usize; 4] = [500, 64, 8, 1];

/// All or nothing. `BEGIN IMMEDIATE`, because a read that grows into a write fails at once when another console writes.
/// Returns the seat as it is after the commit.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    seat: &Seat,
    rows: &[&Prepared],
) -> Result<Seat, StoreError> {
    let mut seat = seat.clone();
    let says_lease = !seat.held.is_empty() && seat.is_lease_old();
    if let [row] = rows
        && row.role.is_none()
        && matches!(row.change, Change::Nothing)
        && !says_lease
    {
        append_one(connection, &seat.seal(row.draft.clone())).await?;
        return Ok(seat);
    }
    let at = Instant::now();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    same_schema(&mut transaction).await?;
    let records: Vec<Record> = rows.iter().map(|row| seat.seal(row.draft.clone())).collect();
    insert(&mut transaction, &records).await?;
    for row in rows {
        if let Some(change) = &row.role {
            change.check(role(&mut transaction, change, &records).await?)?;
        }
        outbox::project(&mut transaction, &mut seat, row.draft.at_us, &row.change).await?;
    }
    if !seat.held.is_empty() && seat.is_lease_old() {
        extend_lease(&mut transaction, seat.id).await?;
        seat.renewed = Some(at);
    }
    transaction.commit().await?;
    Ok(seat)
}

/// A record that moves nothing else: one statement is a commit of its own, and one way to SQLite's thread instead of four.
async fn append_one(connection: &mut SqliteConnection, record: &Record) -> Result<(), StoreError> {
    let mut arguments = SqliteArguments::default();
    bind(&mut arguments, record).and_then(|()| arguments.add(NEWEST)).map_err(sqlx::Error::Encode)?;
    let written = sqlx::query_with(
        "INSERT INTO journal (id, writer, seq, at, kind, version, payload, prev, hash) \
         SELECT ?,?,?,?,?,?,?,?,? WHERE (SELECT user_version FROM pragma_user_version) = ?",
        arguments,
    )
    .execute(&mut *connection)
    .await;
    if !written.as_ref().is_ok_and(|written| written.rows_affected() == 1) {
        same_schema(connection).await?;
    }
    match written {
        Ok(written) if written.rows_affected() == 0 => {
            Err(StoreError::Refused("its schema changed meanwhile".to_owned()))
        }
        written => Ok(written.map(drop)?),
    }
}

/// A console of a newer version may have changed the schema while this one had the file open.
async fn same_schema(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    if version == NEWEST {
        return Ok(());
    }
    Err(StoreError::Unusable {
        path: "the journal".to_owned(),
        cause: format!("was changed by a newer warroom (version {version}, this one knows {NEWEST})"),
        remedy: "nothing was sent; upgrade this console".to_owned(),
    })
}

async fn insert(connection: &mut SqliteConnection, records: &[Record]) -> Result<(), StoreError> {
    let mut rest = records;
    for size in TOGETHER {
        while let Some((some, left)) = rest.split_at_checked(size) {
            let places = vec!["(?,?,?,?,?,?,?,?,?)"; size].join(",");
            let statement = format!(
                "INSERT INTO journal (id, writer, seq, at, kind, version, payload, prev, hash) VALUES {places}"
            );
            let mut arguments = SqliteArguments::default();
            for record in some {
                bind(&mut arguments, record).map_err(sqlx::Error::Encode)?;
            }
            sqlx::query_with(sqlx::AssertSqlSafe(statement), arguments).execute(&mut *connection).await?;
            rest = left;
        }
    }
    Ok(())
}

fn bind(arguments: &mut SqliteArguments, record: &Record) -> Result<(), sqlx::error::BoxDynError> {
    arguments.add(record.id)?;
    arguments.add(record.writer)?;
    arguments.add(i64::try_from(record.seq)?)?;
    arguments.add(record.at_us)?;
    arguments.add(record.kind.clone())?;
    arguments.add(record.version)?;
    arguments.add(record.payload.clone())?;
    arguments.add(record.prev.0.to_vec())?;
    arguments.add(record.hash.0.to_vec())
}

/// Records of other journals, each once by its id.
pub(super) async fn import(connection: &mut SqliteConnection, records: &[Record]) -> Result<Imported, StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    same_schema(&mut transaction).await?;
    let mut imported = Imported::default();
    for record in records {
        if import_one(&mut transaction, record).await? {
            imported.new += 1;
        } else {
            imported.known += 1;
        }
    }
    transaction.commit().await?;
    Ok(imported)
}

pub(super) async fn import_one(connection: &mut SqliteConnection, record: &Record) -> Result<bool, StoreError> {
    let is_known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM journal WHERE id = ?)")
        .bind(record.id)
        .fetch_one(&mut *connection)
        .await?;
    if is_known {
        return Ok(false);
    }
    insert(connection, std::slice::from_ref(record)).await?;
    let change = record.entry().as_ref().map_or(Ok(Change::Nothing), Change::of)?;
    outbox::project_foreign(connection, record.writer, record.at_us, &change).await?;
    Ok(true)
}

/// Records of this writer's chain that the seat does not know of.
pub(super) async fn beyond(connection: &mut SqliteConnection, seat: &Seat) -> Result<Vec<Record>, StoreError> {
    let statement = format!("{COLUMNS} WHERE writer = ? AND seq > ? ORDER BY seq");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(seat.id)
        .bind(i64::try_from(seat.seq).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    Ok(rows.iter().filter_map(read).map(|(_, record)| record).collect())
}

/// The console says that it is there. By the database's clock, which all consoles on the file share.
pub(super) async fn extend_lease(connection: &mut SqliteConnection, writer: Uuid) -> Result<(), StoreError> {
    let span = i64::try_from((LEASE + GRACE).as_millis()).unwrap_or(i64::MAX);
    sqlx::query("UPDATE writer SET lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ? WHERE id = ?")
        .bind(span)
        .bind(writer)
        .execute(connection)
        .await?;
    Ok(())
}

/// The same by itself and without a sync.
pub(super) async fn renew(connection: &mut SqliteConnection, writer: Uuid) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA synchronous = NORMAL").execute(&mut *connection).await?;
    let outcome = extend_lease(connection, writer).await;
    sqlx::raw_sql("PRAGMA synchronous = FULL").execute(&mut *connection).await?;
    outcome
}

/// Writes the log back; then a write of nothing takes the syncs with which a log begins.
pub(super) async fn checkpoint(connection: &mut SqliteConnection, writer: Uuid) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await?;
    sqlx::query("UPDATE writer SET pid = pid WHERE id = ?").bind(writer).execute(connection).await?;
    Ok(())
}

const COLUMNS: &str = "SELECT place, id, writer, seq, at, kind, version, payload, prev, hash FROM journal";

pub(super) async fn page(
    connection: &mut SqliteConnection,
    paging: Paging,
    limit: u32,
) -> Result<Vec<Placed>, StoreError> {
    let (clause, place) = match paging {
        Paging::After(place) => ("place > ? ORDER BY place LIMIT ?", place),
        Paging::Before(place) => ("place < ? ORDER BY place DESC LIMIT ?", place),
    };
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE {clause}")))
        .bind(i64::try_from(place).unwrap_or(i64::MAX))
        .bind(limit.min(LONGEST_PAGE))
        .fetch_all(connection)
        .await?;
    let mut placed: Vec<Placed> = rows.iter().filter_map(read).collect();
    if matches!(paging, Paging::Before(_)) {
        placed.reverse();
    }
    Ok(placed)
}

/// Grows with every write of another connection.
pub(super) async fn data_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}

/// Who has the role that is to move, by what stands there without `fresh`.
async fn role(
    connection: &mut SqliteConnection,
    change: &RoleChange,
    fresh: &[Record],
) -> Result<Option<Option<Clean>>, StoreError> {
    let rows: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT id, payload FROM journal WHERE kind = 'role_moved' ORDER BY place")
            .fetch_all(connection)
            .await?;
    let earlier = rows.iter().filter(|(id, _)| fresh.iter().all(|record| record.id != *id));
    Ok(change.holder(earlier.filter_map(|(_, payload)| record::entry("role_moved", payload))))
}

/// The last word on each step and role: later rows win by their place, whatever their clocks say.
pub(super) async fn ticks(connection: &mut SqliteConnection, since: Timestamp) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT kind, payload FROM journal WHERE kind IN ('ticked', 'role_moved') AND at >= ? \
         ORDER BY place DESC LIMIT ?",
    )
    .bind(since.timestamp_micros())
    .bind(MOST_TICKS)
    .fetch_all(connection)
    .await?;
    Ok(last_words(rows.iter().rev().filter_map(|(kind, payload)| record::entry(kind, payload))))
}

fn read(row: &SqliteRow) -> Option<Placed> {
    let hash = |place: usize| row.try_get::<&[u8], _>(place).ok().and_then(Hash::of_bytes);
    let number = |place: usize| row.try_get::<i64, _>(place).ok();
    let record = Record {
        id: row.try_get(1).ok()?,
        writer: row.try_get(2).ok()?,
        seq: u64::try_from(number(3)?).ok()?,
        at_us: number(4)?,
        kind: row.try_get(5).ok()?,
        version: number(6)?,
        payload: row.try_get(7).ok()?,
        prev: hash(8)?,
        hash: hash(9)?,
    };
    Some((u64::try_from(number(0)?).ok()?, record))
}

/// After a salvage nobody knows what was lost: whatever is not settled counts as sent, so that it is looked at before
/// anything is sent. Its writers become writers of this file: nobody else carries these actions on.
pub(super) async fn as_if_sent(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(
        "UPDATE outbox SET state = 'sent', attempts = max(attempts, 1), result = '{\"delivery\":\"sent\"}' \
         WHERE state IN ('queued', 'sent'); \
         INSERT INTO writer (id, pid, began_at) SELECT DISTINCT writer, 0, 0 FROM outbox WHERE true \
         ON CONFLICT (id) DO NOTHING",
    )
    .execute(connection)
    .await?;
    Ok(())
}

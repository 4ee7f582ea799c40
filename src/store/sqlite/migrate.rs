//! From every older version of the schema to the newest, one step a version.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

use super::open::{APPLICATION_ID, pragma, refused};
use super::rows;
use crate::store::StoreError;
use crate::store::record::{Draft, Hash, canonical};

/// The version this console writes.
pub(super) const NEWEST: i64 = 2;

const VERSION_1: &str = include_str!("schema_1.sql");
const VERSION_2: &str = include_str!("schema_2.sql");

/// Two consoles may start at once: the second waits for the first and then finds nothing to do.
pub(super) async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let refuse = |cause| refused(path, cause);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(refuse)?;
    let version = pragma(&mut transaction, "PRAGMA user_version").await.map_err(refuse)?;
    if version < 1 {
        sqlx::raw_sql(VERSION_1).execute(&mut *transaction).await.map_err(refuse)?;
    }
    if version < 2 {
        sqlx::raw_sql(VERSION_2).execute(&mut *transaction).await.map_err(refuse)?;
        into_chains(&mut transaction).await?;
    }
    let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {NEWEST};");
    sqlx::raw_sql(sqlx::AssertSqlSafe(marks)).execute(&mut *transaction).await.map_err(refuse)?;
    transaction.commit().await.map_err(refuse)
}

/// Version 1 had no chains: its rows get theirs in the order in which they stand.
async fn into_chains(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    type Old = (String, String, i64, String, i64, String);
    let mut heads = std::collections::BTreeMap::<Uuid, (u64, Hash)>::new();
    let old: Vec<Old> = sqlx::query_as("SELECT id, writer, at, kind, version, payload FROM journal_1 ORDER BY seq")
        .fetch_all(&mut *connection)
        .await?;
    for (id, writer, at_us, kind, version, payload) in old {
        let (Ok(id), Ok(writer)) = (Uuid::parse_str(&id), Uuid::parse_str(&writer)) else { continue };
        let payload = serde_json::from_str(&payload).map(|value| canonical(&value))?;
        let (seq, head) = heads.entry(writer).or_default();
        let record = Draft { id, at_us, kind, version, payload }.sealed(writer, *seq + 1, *head);
        (*seq, *head) = (record.seq, record.hash);
        rows::import_one(connection, &record).await?;
    }
    for writer in heads.keys() {
        sqlx::query("INSERT INTO writer (id, pid, began_at) VALUES (?, 0, 0)")
            .bind(writer)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::raw_sql("DROP TABLE journal_1").execute(connection).await?;
    Ok(())
}

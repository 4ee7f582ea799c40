//! Connections to the room's database, and its tables: made, upgraded, or left alone when they are newer.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Acquire as _, AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, PgPool, Row as _};

use super::Trouble;
use crate::store::StoreError;

/// One script per version; a database of version N runs those after N.
const MIGRATIONS: [&str; 1] = [include_str!("schema_1.sql")];

/// Connections of one console beside the listener's: an append must not wait for a poll's answer.
const CONNECTIONS: u32 = 2;

/// One connection less is one place more for a colleague.
const IDLE: Duration = Duration::from_secs(60);

/// Said to the server on every connection. The second ends a transaction whose console was stopped in its middle: it
/// would keep everybody else from writing.
fn settings(patience: Duration) -> String {
    let millis = patience.as_millis();
    format!(
        "SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis}; \
         SET lock_timeout = {millis}; SET client_min_messages = warning"
    )
}

/// Held while tables are made, so that two consoles that start at once do not both do it.
const MIGRATION_LOCK: i64 = 0x5752_524d;

pub(super) fn pool(options: PgConnectOptions, patience: Duration) -> PgPool {
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("warroom"),
    };
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(0)
        .acquire_timeout(patience)
        .idle_timeout(IDLE)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(AssertSqlSafe(settings(patience))).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options.disable_statement_logging())
}

/// The versions of what is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    schema: i32,
    readable_from: i32,
}

pub(super) async fn version(connection: &mut PgConnection) -> Result<Version, Trouble> {
    let row = sqlx::query("SELECT version, readable_from FROM warroom_room").fetch_one(connection).await?;
    Ok(Version { schema: row.try_get(0)?, readable_from: row.try_get(1)? })
}

fn newest() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// An old console in front of a newer schema only reads.
pub(super) fn check(version: Version) -> Result<(), Trouble> {
    check_number(version.schema)
}

pub(super) fn check_number(schema: i32) -> Result<(), Trouble> {
    if schema <= newest() {
        return Ok(());
    }
    let why = format!(
        "the room's database was upgraded by a newer warroom (schema {schema}, this console knows {})",
        newest()
    );
    Err(StoreError::ReadOnly(why).into())
}

/// Makes or upgrades the tables; the name of the channel for notices.
pub(super) async fn prepare(connection: &mut PgConnection) -> Result<String, Trouble> {
    let schema: Option<String> = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut *connection).await?;
    let Some(schema) = schema else {
        return Err(Trouble::Away("its search_path names no schema that exists".to_owned()));
    };
    if read_version(connection).await?.is_none_or(|version| version.schema < newest()) {
        migrate(connection).await?;
    }
    match read_version(connection).await? {
        Some(version) if version.readable_from > newest() => {
            let why = "the room's database was upgraded by a newer warroom and cannot be read by this console any more";
            Err(StoreError::ReadOnly(why.to_owned()).into())
        }
        Some(_) => Ok(format!("warroom_{schema}")),
        None => Err(Trouble::Away("its tables could not be made".to_owned())),
    }
}

async fn read_version(connection: &mut PgConnection) -> Result<Option<Version>, Trouble> {
    // Asked of the catalogue's rows: `to_regclass` answers from the session's cache, which a transaction that waited for
    // the migration lock does not renew, so that of two consoles that start at once the second would make the tables again.
    let there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'warroom_room')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if there { version(connection).await.map(Some) } else { Ok(None) }
}

async fn migrate(connection: &mut PgConnection) -> Result<(), Trouble> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *transaction).await?;
    let done = read_version(&mut transaction).await?.map_or(0, |version| version.schema);
    for script in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
    }
    sqlx::query("UPDATE warroom_room SET version = greatest(version, $1)")
        .bind(newest())
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// What went wrong, in words, without anything of the address.
pub(super) fn words(cause: &sqlx::Error) -> String {
    match cause {
        sqlx::Error::Database(told) => told.message().to_owned(),
        sqlx::Error::Io(cause) => cause.to_string(),
        sqlx::Error::Tls(cause) => format!("TLS: {cause}"),
        sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
        sqlx::Error::PoolClosed => "the connection is closed".to_owned(),
        sqlx::Error::Configuration(_) => "the address in room.journal cannot be used".to_owned(),
        other => other.to_string(),
    }
}

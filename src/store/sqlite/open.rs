//! Makes a connection to the journal, after looking at what is there: a file of somebody else is never touched.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::Place;
use super::migrate::{self, NEWEST};
use super::presence::Presence;
use super::salvage;
use super::seat::Seat;
use crate::store::StoreError;

/// "WRRM": marks the file as a journal of ours.
pub(super) const APPLICATION_ID: i64 = 0x5752_524d;

/// Older ones can damage a log that two consoles share (sqlite.org/wal.html#walresetbug).
pub const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// A connection, and what it may do.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: SqliteConnection,
    /// Why nothing can be written, where that is so.
    pub(super) only_read: Option<String>,
}

/// Size of a page, in bytes.
const ONE_PAGE: u64 = 4096;

/// How long a second console on the same file may hold it.
const BUSY: Duration = Duration::from_secs(5);

pub(super) async fn connect(place: &Place, seat: &Seat) -> Result<Opened, StoreError> {
    let options = SqliteConnectOptions::new().busy_timeout(BUSY).thread_name(|_| "journal".to_owned());
    let (options, name) = match place {
        Place::Memory => (options.in_memory(true), Path::new(":memory:")),
        Place::File(path) => {
            prepare(path)?;
            (options.filename(path), path.as_path())
        }
    };
    let mut connection = options.disable_statement_logging().connect().await.map_err(|cause| refused(name, cause))?;
    match set_up(&mut connection, name, seat).await {
        Ok(only_read) => Ok(Opened { connection, only_read }),
        Err(cause) => {
            let _ = connection.close_hard().await;
            Err(cause)
        }
    }
}

/// The version of SQLite that is linked in.
///
/// # Errors
/// [`StoreError::Database`] when it cannot be asked.
pub async fn sqlite_version() -> Result<(u32, u32, u32), StoreError> {
    let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await?;
    Ok(linked(&mut connection).await?)
}

async fn linked(connection: &mut SqliteConnection) -> Result<(u32, u32, u32), sqlx::Error> {
    let text: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    Ok((next(), next(), next()))
}

/// Folder and file for the owner only. SQLite gives its `-wal` and `-shm` files the permissions of the main file.
///
/// # Errors
/// [`StoreError::Damaged`] for what was a journal of ours before: consoles left their folder beside it.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|cause| unusable(path, &cause))?;
    }
    match fs::metadata(path) {
        Ok(known) if !known.is_file() => Err(StoreError::Unusable {
            path: path.display().to_string(),
            cause: "is not a regular file".to_owned(),
            remedy: "name another file in [room] journal".to_owned(),
        }),
        // Looked at again after the log was seen: another console may be making the journal just now, file first.
        Ok(known) if known.len() == 0 && has_log(path) && is_empty(path) => {
            Err(damaged(path, "it is empty, its log is not"))
        }
        Ok(known) => is_ours(path, known.len()),
        Err(cause)
            if cause.kind() == ErrorKind::NotFound
                && (has_log(path) || salvage::workbench(path).exists())
                && !path.exists() =>
        {
            Err(damaged(path, "it is gone, what belongs to it is not"))
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => create(path),
        Err(cause) => Err(unusable(path, &cause)),
    }
}

fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|cause| unusable(path, &cause))
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|known| known.len() == 0)
}

fn has_log(path: &Path) -> bool {
    fs::metadata(salvage::beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Looks at the first bytes, before SQLite or a lock of ours touches anything.
fn is_ours(path: &Path, length: u64) -> Result<(), StoreError> {
    let mut head = Vec::new();
    let file = fs::File::open(path).map_err(|cause| unusable(path, &cause))?;
    file.take(100).read_to_end(&mut head).map_err(|cause| unusable(path, &cause))?;
    let is_sqlite = head.is_empty() || head.starts_with(b"SQLite format 3\0");
    let owner = head.get(68..72).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    // A journal that never was written back is one page without a mark; everything else is in its log.
    let is_marked = i64::from(owner) == APPLICATION_ID || (owner == 0 && length <= ONE_PAGE);
    match (is_sqlite && is_marked, Presence::was_here(path)) {
        (true, _) => Ok(()),
        (false, true) => Err(damaged(path, "its first bytes are not those of a journal")),
        (false, false) if is_sqlite => Err(not_ours(path, "is a database of another program")),
        (false, false) => Err(not_ours(path, "is not a journal")),
    }
}

/// Runs SQLite's own quick check over the whole file, on a connection of its own; `Some` says what is wrong.
pub(super) async fn quick_check(path: &Path) -> Option<String> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).thread_name(|_| "check".to_owned());
    let mut connection = match options.read_only(true).disable_statement_logging().connect().await {
        Ok(connection) => connection,
        Err(cause) => return damage(&cause),
    };
    let told: Result<String, sqlx::Error> =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    let _ = connection.close().await;
    match told {
        Ok(told) if told == "ok" => None,
        Ok(told) => Some(told),
        Err(cause) => damage(&cause),
    }
}

/// What SQLite says when the file itself is at fault, rather than the disk, a lock or a permission.
pub(super) fn damage(cause: &sqlx::Error) -> Option<String> {
    const CORRUPT: i32 = 11;
    const NOT_A_DATABASE: i32 = 26;
    let sqlx::Error::Database(told) = cause else { return None };
    let code = told.code()?.parse::<i32>().ok()? & 0xff;
    [CORRUPT, NOT_A_DATABASE].contains(&code).then(|| told.message().to_owned())
}

pub(super) fn damaged(path: &Path, cause: &str) -> StoreError {
    StoreError::Damaged { path: path.display().to_string(), cause: cause.to_owned() }
}

/// `Some` says why the journal can only be read.
async fn set_up(connection: &mut SqliteConnection, path: &Path, seat: &Seat) -> Result<Option<String>, StoreError> {
    let refuse = |cause| refused(path, cause);
    let linked = linked(connection).await.map_err(refuse)?;
    if linked < OLDEST_SQLITE {
        return Err(StoreError::Unusable {
            path: path.display().to_string(),
            cause: format!(
                "SQLite {}.{}.{} can damage a journal that two consoles share",
                linked.0, linked.1, linked.2
            ),
            remedy: "build warroom with its bundled SQLite".to_owned(),
        });
    }
    let version = version(connection, path).await?;
    if version > NEWEST {
        sqlx::raw_sql("PRAGMA query_only = ON").execute(&mut *connection).await.map_err(refuse)?;
        return Ok(Some(format!(
            "was written by a newer warroom (version {version}, this one knows {NEWEST}): it is only read"
        )));
    }
    // The log is written back between commits, never inside one: see the writer.
    sqlx::raw_sql(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608; \
         PRAGMA wal_autocheckpoint = 0;",
    )
    .execute(&mut *connection)
    .await
    .map_err(refuse)?;
    if version < NEWEST {
        migrate::migrate(connection, path).await?;
    }
    // Also takes the syncs with which a log begins, so that no action pays for them.
    sqlx::query(
        "INSERT INTO writer (id, pid, began_at) VALUES (?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER)) \
         ON CONFLICT (id) DO UPDATE SET pid = excluded.pid",
    )
    .bind(seat.id)
    .bind(std::process::id())
    .execute(&mut *connection)
    .await
    .map_err(refuse)?;
    Ok(None)
}

/// The version of what is there; 0 for nothing yet. Read in one transaction: a console that makes the journal just now
/// would else be seen half, as a file without a mark that has tables, and that counts as damaged.
async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    let refuse = |cause| refused(path, cause);
    let mut at_once = connection.begin().await.map_err(refuse)?;
    // The first of them takes the snapshot that the others read.
    let tables = pragma(&mut at_once, "SELECT count(*) FROM sqlite_schema").await.map_err(refuse)?;
    let owner = pragma(&mut at_once, "PRAGMA application_id").await.map_err(refuse)?;
    let version = pragma(&mut at_once, "PRAGMA user_version").await.map_err(refuse)?;
    at_once.rollback().await.map_err(refuse)?;
    match (owner, version) {
        (APPLICATION_ID, version) => Ok(version),
        (0, 0) if tables == 0 => Ok(0),
        // Its first bytes were looked at before: a mark that is wrong by now was changed.
        _ => Err(damaged(path, "its mark is not that of a journal")),
    }
}

/// The refusal of a write to a journal that can only be read.
pub(super) fn only_read(place: &Place, cause: &str) -> StoreError {
    let path = match place {
        Place::File(path) => path.display().to_string(),
        Place::Memory => ":memory:".to_owned(),
    };
    let remedy = "nothing was sent; upgrade this console, or name another file in [room] journal".to_owned();
    StoreError::Unusable { path, cause: cause.to_owned(), remedy }
}

pub(super) async fn pragma(connection: &mut SqliteConnection, statement: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query(statement).fetch_one(connection).await?.try_get(0)
}

pub(super) fn unusable(path: &Path, cause: &std::io::Error) -> StoreError {
    StoreError::Unusable {
        path: path.display().to_string(),
        cause: cause.to_string(),
        remedy: "make its folder writable for you, or name another file in [room] journal".to_owned(),
    }
}

fn not_ours(path: &Path, cause: &str) -> StoreError {
    StoreError::Unusable {
        path: path.display().to_string(),
        cause: cause.to_owned(),
        remedy: "it was left alone; move it away, or name another file in [room] journal".to_owned(),
    }
}

pub(super) fn refused(path: &Path, cause: sqlx::Error) -> StoreError {
    if let Some(cause) = damage(&cause) {
        return damaged(path, &cause);
    }
    let text = match cause {
        sqlx::Error::Database(told) => told.message().to_owned(),
        other => other.to_string(),
    };
    StoreError::Unusable {
        path: path.display().to_string(),
        cause: text,
        remedy: "nothing was sent; make room and permissions, or name another file in [room] journal".to_owned(),
    }
}

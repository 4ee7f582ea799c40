//! Statements handed to a database's client.

use crate::domain::level::Level;

/// The level of a client's call.
pub(super) fn level(name: &str, arguments: &[&str]) -> Level {
    let flags: &[&str] = match name {
        "psql" => &["-c", "--command"],
        "clickhouse-client" => &["-q", "--query"],
        _ => &["-e", "--execute"],
    };
    let text = arguments
        .windows(2)
        .find(|two| two.first().is_some_and(|flag| flags.contains(flag)))
        .and_then(|two| two.last().copied())
        .or_else(|| {
            arguments.iter().find_map(|word| flags.iter().find_map(|flag| word.strip_prefix(&format!("{flag}="))))
        });
    let Some(text) = text else {
        return if arguments.iter().any(|word| matches!(*word, "-l" | "--list")) { Level::Read } else { Level::Change };
    };
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(statement).max().unwrap_or(Level::Read)
}

/// Functions of databases that do more than look.
const ACTING: &[&str] = &[
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_promote",
    "pg_reload_conf",
    "pg_switch_wal",
    "pg_drop_replication",
    "setval",
    "nextval",
    "lo_unlink",
    "dblink",
    "pg_rotate_logfile",
    "pg_read_file",
    "copy",
    "into outfile",
    "for update",
    "sleep(",
];

/// The level of one SQL statement.
fn statement(sql: &str) -> Level {
    let lower = sql.to_ascii_lowercase();
    let first =
        lower.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '\\').find(|word| !word.is_empty());
    let writes = ["insert", "update", "delete", "merge", "truncate", "drop", "alter", "create"];
    let mentions = |word: &&str| lower.split(|symbol: char| !symbol.is_ascii_alphabetic()).any(|part| part == *word);
    match first {
        Some("select" | "table" | "values" | "show" | "explain" | "with" | "describe" | "desc") => {
            let acts =
                ACTING.iter().any(|function| lower.contains(function)) || writes.iter().any(|word| mentions(&word));
            if acts { Level::Change } else { Level::Read }
        }
        Some("\\d" | "\\l" | "\\dt" | "\\du" | "\\x" | "\\conninfo") => Level::Read,
        Some("drop" | "truncate" | "delete") => Level::Destructive,
        _ => Level::Change,
    }
}

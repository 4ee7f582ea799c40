//! Which database a room is: read from its URL with the login taken out of every message.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::store::StoreError;

/// The keys of a URL's query that are understood. Any other is refused by name: the driver would log it with its value,
/// and that may be a mistyped `password`.
const KEYS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// A database, with its login inside and not on the outside.
#[derive(Clone)]
pub struct Address {
    options: PgConnectOptions,
    shown: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Address({})", self.shown)
    }
}

impl Address {
    /// True for what names a database server.
    #[must_use]
    pub fn is_one(journal: &str) -> bool {
        journal.starts_with("postgres://") || journal.starts_with("postgresql://")
    }

    /// Reads `postgres://USER@HOST/DATABASE?sslmode=…`. A password comes better from `~/.pgpass` or `PGPASSWORD`.
    ///
    /// # Errors
    /// The sentence for the person; it repeats nothing of the URL but a key's name.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let refused = |cause: String| StoreError::Unusable {
            path: "room.journal".to_owned(),
            cause,
            remedy: "write journal = \"postgres://USER@HOST/DATABASE?sslmode=verify-full\"".to_owned(),
        };
        let parsed = Url::parse(url).map_err(|cause| refused(format!("is not an address ({cause})")))?;
        for (key, _) in parsed.query_pairs() {
            if !KEYS.contains(&&*key) && !key.starts_with("options[") {
                return Err(refused(format!("'{}' is nothing a database's address can hold", key.escape_debug())));
            }
        }
        // The driver's words may hold what it could not read.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_cause| refused("holds a port, an sslmode or a number that is none".to_owned()))?;
        let place = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let shown = format!("{place}/{}", options.get_database().unwrap_or(options.get_username()));
        Ok(Self { options, shown })
    }

    /// Host, port and database: what people and logs may see.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_neither_login_nor_password() {
        let address = Address::parse("postgres://ana:hunter2@db.example:6432/room?sslmode=verify-full").unwrap();
        assert_eq!(address.shown(), "db.example:6432/room");
        assert!(!format!("{address:?}").contains("hunter2"));
        assert!(matches!(address.options().get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
        let socket = Address::parse("postgres:///room?host=/run/postgresql&user=ana").unwrap();
        assert!(socket.shown().starts_with("/run/postgresql"), "{}", socket.shown());
    }

    #[test]
    fn a_refusal_repeats_no_secret() {
        for (url, says) in [
            ("postgres://ana:hunter2@db/room?passwort=hunter2", "'passwort'"),
            ("postgres://ana:hunter2@db/room?sslmode=hunter2", "sslmode"),
            ("postgres://ana:hunter2@db:hunter2/room", "not an address"),
        ] {
            let refused = Address::parse(url).unwrap_err().failure("open").to_string();
            assert!(refused.contains(says) && !refused.contains("hunter2"), "{refused}");
        }
    }
}

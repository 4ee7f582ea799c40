//! What one console alone does at a time, by name: ask a provider a question, run an exclusive step.

use std::time::Duration;

use super::{Postgres, Trouble};
use crate::text::Clean;

/// The right to do what the name says, until it runs out by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What.
    pub name: String,
    /// Grows with every holder; what is written under an older one is refused.
    pub token: i64,
}

impl Postgres {
    /// Takes the lease, or keeps it longer where this console has it; `None` while another console holds it.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn take(&self, name: &str, span: Duration) -> Result<Option<Lease>, Trouble> {
        self.room().await?;
        let token: Option<i64> = self
            .in_time(async {
                Ok(sqlx::query_scalar(
                    "INSERT INTO warroom_lease AS known (name, holder, token, held_until) \
                 VALUES ($1, $2, 1, now() + $3 * interval '1 millisecond') \
                 ON CONFLICT (name) DO UPDATE SET holder = $2, held_until = excluded.held_until, \
                   token = known.token + CASE WHEN known.holder = $2 AND known.held_until > now() THEN 0 ELSE 1 END \
                 WHERE known.holder = $2 OR known.held_until <= now() RETURNING token",
                )
                .bind(name)
                .bind(self.me.0)
                .bind(millis(span))
                .fetch_optional(&mut *self.pool.acquire().await?)
                .await?)
            })
            .await?;
        Ok(token.map(|token| Lease { name: name.to_owned(), token }))
    }

    /// Whether the lease is still this console's: asked right before what must not be done twice.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn holds(&self, lease: &Lease) -> Result<bool, Trouble> {
        self.in_time(async {
            let found: Option<i64> = sqlx::query_scalar(
                "SELECT token FROM warroom_lease WHERE name = $1 AND holder = $2 AND token = $3 AND held_until > now()",
            )
            .bind(&lease.name)
            .bind(self.me.0)
            .bind(lease.token)
            .fetch_optional(&mut *self.pool.acquire().await?)
            .await?;
            Ok(found.is_some())
        })
        .await
    }

    /// Who has it, by the name that their console announces.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn holder(&self, name: &str) -> Result<Option<Clean>, Trouble> {
        self.in_time(async {
            let who: Option<String> = sqlx::query_scalar(
                "SELECT who FROM warroom_lease JOIN warroom_console ON id = holder \
                 WHERE name = $1 AND held_until > now()",
            )
            .bind(name)
            .fetch_optional(&mut *self.pool.acquire().await?)
            .await?;
            Ok(who.map(Clean::new))
        })
        .await
    }

    /// Gives it back; one that was lost meanwhile stays whose it is.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn release(&self, lease: &Lease) -> Result<(), Trouble> {
        self.in_time(async {
            sqlx::query("UPDATE warroom_lease SET held_until = now() WHERE name = $1 AND holder = $2 AND token = $3")
                .bind(&lease.name)
                .bind(self.me.0)
                .bind(lease.token)
                .execute(&mut *self.pool.acquire().await?)
                .await?;
            Ok(())
        })
        .await
    }
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Everything this console holds is anybody's again.
pub(super) async fn let_go(room: &Postgres) -> Result<(), Trouble> {
    let me = room.me.0;
    let mut connection = room.pool.acquire().await?;
    for statement in [
        "UPDATE warroom_outbox SET held_until = now() WHERE holder = $1 AND state IN ('queued', 'sent')",
        "UPDATE warroom_lease SET held_until = now() WHERE holder = $1 AND held_until > now()",
        "DELETE FROM warroom_console WHERE id = $1",
    ] {
        sqlx::query(statement).bind(me).execute(&mut *connection).await?;
    }
    if let Some(known) = room.room.get() {
        sqlx::query("SELECT pg_notify($1, 'presence')").bind(&known.channel).execute(&mut *connection).await?;
    }
    Ok(())
}

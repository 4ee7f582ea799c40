//! Providers' answers, shared: one console of the room asks a question, under a lease, and the others take its answer.

use std::time::Duration;

use sqlx::Row as _;

use super::leases::millis;
use super::{Lease, Postgres, Trouble};

/// An answer as somebody got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What it was made from, to know it again.
    pub digest: Vec<u8>,
    /// The answer; `None` when it is the one the asker knows.
    pub body: Option<Vec<u8>>,
    /// How long ago the provider was asked, by the server's clock.
    pub age: Duration,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Nobody needs to: this answer is young enough.
    Known(Answered),
    /// This console, under this lease.
    Mine(Lease),
    /// Another console does so now, or waits before it tries again: how it stands, in its words.
    Theirs(Option<String>),
}

impl Postgres {
    /// Whether a question needs to be asked: not when an answer came less than `max_age` ago (or than it took to get: a
    /// provider that takes long has as long a rest), nor by two consoles at once. Zero: only an answer of one's own will do.
    /// `known` is the digest of the answer that this console has.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn ask(&self, name: &str, max_age: Duration, known: &[u8], span: Duration) -> Result<Asking, Trouble> {
        if let Some(answered) = self.answer(name, max_age, known).await? {
            return Ok(Asking::Known(answered));
        }
        let Some(lease) = self.take(&format!("ask {name}"), span).await? else {
            return Ok(Asking::Theirs(self.note(name).await?));
        };
        // Between the look and the lease somebody may have got an answer.
        if let Some(answered) = self.answer(name, max_age, known).await? {
            self.release(&lease).await?;
            return Ok(Asking::Known(answered));
        }
        Ok(Asking::Mine(lease))
    }

    async fn answer(&self, name: &str, max_age: Duration, known: &[u8]) -> Result<Option<Answered>, Trouble> {
        self.room().await?;
        self.in_time(async {
            let row = sqlx::query(
                "SELECT digest, CASE WHEN digest = $3 THEN NULL ELSE body END, \
                   (extract(epoch FROM greatest(now() - asked_at, interval '0')) * 1000)::bigint \
                 FROM warroom_answer WHERE name = $1 AND $2 > 0 \
                   AND got_at > now() - greatest($2 * interval '1 millisecond', got_at - asked_at)",
            )
            .bind(name)
            .bind(millis(max_age))
            .bind(known)
            .fetch_optional(&mut *self.pool.acquire().await?)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let age: i64 = row.try_get(2)?;
            Ok(Some(Answered {
                digest: row.try_get(0)?,
                body: row.try_get(1)?,
                age: Duration::from_millis(u64::try_from(age).unwrap_or(0)),
            }))
        })
        .await
    }

    async fn note(&self, name: &str) -> Result<Option<String>, Trouble> {
        self.in_time(async {
            let note: Option<Option<String>> = sqlx::query_scalar("SELECT note FROM warroom_lease WHERE name = $1")
                .bind(format!("ask {name}"))
                .fetch_optional(&mut *self.pool.acquire().await?)
                .await?;
            Ok(note.flatten())
        })
        .await
    }

    /// Gives the room an answer that took `took` to get, and the lease back. False when the lease was lost meanwhile:
    /// then another console's answer is newer, and this one is not kept.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn answered(
        &self,
        lease: &Lease,
        label: &str,
        digest: &[u8],
        body: &[u8],
        took: Duration,
    ) -> Result<bool, Trouble> {
        let channel = &self.room().await?.channel;
        let name = lease.name.strip_prefix("ask ").unwrap_or(&lease.name);
        self.in_time(async {
            let kept: Option<i64> = sqlx::query_scalar(
                "WITH mine AS (UPDATE warroom_lease SET held_until = now(), note = NULL \
                   WHERE name = $1 AND holder = $2 AND token = $3 RETURNING token), \
                 old AS (DELETE FROM warroom_answer WHERE got_at < now() - interval '1 hour'), \
                 new AS (INSERT INTO warroom_answer AS known (name, token, digest, body, asked_at, got_at) \
                   SELECT $4, token, $5, $6, now() - $7 * interval '1 millisecond', now() FROM mine \
                   ON CONFLICT (name) DO UPDATE SET token = excluded.token, asked_at = excluded.asked_at, got_at = now(), \
                     digest = excluded.digest, \
                     body = CASE WHEN known.digest = excluded.digest THEN known.body ELSE excluded.body END \
                   WHERE known.token <= excluded.token RETURNING token), \
                 told AS (SELECT pg_notify($8, $9) FROM new) \
                 SELECT count(*) FROM told",
            )
            .bind(&lease.name)
            .bind(self.me.0)
            .bind(lease.token)
            .bind(name)
            .bind(digest)
            .bind(body)
            .bind(millis(took))
            .bind(channel)
            .bind(format!("answer {} {label}", self.me.0))
            .fetch_optional(&mut *self.pool.acquire().await?)
            .await?;
            Ok(kept == Some(1))
        })
        .await
    }

    /// There is no answer: nobody else asks for so long, and those who wait read why.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn unanswered(&self, lease: &Lease, pause: Duration, note: &str) -> Result<(), Trouble> {
        self.in_time(async {
            sqlx::query(
                "UPDATE warroom_lease SET held_until = now() + $4 * interval '1 millisecond', note = $5 \
                 WHERE name = $1 AND holder = $2 AND token = $3",
            )
            .bind(&lease.name)
            .bind(self.me.0)
            .bind(lease.token)
            .bind(millis(pause))
            .bind(note)
            .execute(&mut *self.pool.acquire().await?)
            .await?;
            Ok(())
        })
        .await
    }
}

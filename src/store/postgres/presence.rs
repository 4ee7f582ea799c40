//! Who is in the room: each console says every few seconds that it lives, and with the same breath keeps its actions.

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{Postgres, Trouble};
use crate::domain::id::IncidentId;
use crate::domain::sharing::{ConsoleId, Present};
use crate::text::Clean;

/// Consoles told at most; a room of more is not read by eye.
const MOST: i64 = 200;

impl Postgres {
    /// This console lives and looks at that incident. Tells the others when that is news; keeps the leases of its
    /// actions from running out.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn announce(&self, who: &Clean, looking_at: Option<&IncidentId>) -> Result<(), Trouble> {
        let room = self.room().await?;
        let at = std::time::Instant::now();
        self.in_time(async {
            let mut connection = self.pool.acquire().await?;
            sqlx::query(
                "WITH before AS (SELECT looking_at, who FROM warroom_console WHERE id = $1), \
                 gone AS (DELETE FROM warroom_console WHERE seen < now() - interval '1 hour'), \
                 lives AS (INSERT INTO warroom_console (id, who, looking_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (id) DO UPDATE SET who = $2, looking_at = $3, seen = now() RETURNING id), \
                 held AS (UPDATE warroom_outbox SET held_until = now() + $4 * interval '1 millisecond' \
                   WHERE holder = $1 AND state IN ('queued', 'sent')) \
                 SELECT pg_notify($5, 'presence') FROM lives WHERE NOT EXISTS \
                   (SELECT 1 FROM before WHERE looking_at IS NOT DISTINCT FROM $3 AND who = $2)",
            )
            .bind(self.me.0)
            .bind(who.as_str())
            .bind(looking_at.map(IncidentId::as_str))
            .bind(self.holds_ms())
            .bind(&room.channel)
            .execute(&mut *connection)
            .await?;
            Ok(())
        })
        .await?;
        self.renewed(at);
        Ok(())
    }

    /// Who was seen within the time of a lease, the longest here first.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn present(&self) -> Result<Vec<Present>, Trouble> {
        self.room().await?;
        self.in_time(async {
            let rows = sqlx::query(
                "SELECT id, who, looking_at, since FROM warroom_console \
                 WHERE seen > now() - $1 * interval '1 millisecond' ORDER BY since, id LIMIT $2",
            )
            .bind(self.holds_ms())
            .bind(MOST)
            .fetch_all(&mut *self.pool.acquire().await?)
            .await?;
            let mut present = Vec::with_capacity(rows.len());
            for row in &rows {
                let looking_at: Option<String> = row.try_get(2)?;
                let console = ConsoleId(row.try_get(0)?);
                present.push(Present {
                    console,
                    is_me: console == self.me,
                    who: Clean::new(row.try_get::<String, _>(1)?),
                    looking_at: looking_at.as_deref().and_then(IncidentId::parse),
                    since: row.try_get::<DateTime<Utc>, _>(3)?,
                });
            }
            Ok(present)
        })
        .await
    }
}

//! What the other consoles of the room just did.

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{Postgres, Trouble, clone_options};

/// Something happened in the room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// The journal has entries up to there.
    Journal,
    /// Somebody came, left, or looks at something else.
    Presence,
    /// A provider's answer to this question is new.
    Answer(String),
    /// The connection was lost: listen anew, and read what happened.
    Gap,
}

/// A connection that hears of the others.
pub struct Listener {
    notices: PgListener,
    me: String,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Listener")
    }
}

impl Postgres {
    /// Begins to listen, on a connection of its own.
    ///
    /// # Errors
    /// When the database is not there.
    pub async fn listen(&self) -> Result<Listener, Trouble> {
        let channel = &self.room().await?.channel;
        self.in_time(async {
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .max_lifetime(None)
                .idle_timeout(None)
                .acquire_timeout(self.limits.patience)
                .connect_lazy_with(clone_options(&self.pool));
            let mut listener = PgListener::connect_with(&pool).await?;
            // Made anew by `listen`, not in the middle of a wait that somebody may give up.
            listener.eager_reconnect(false);
            listener.ignore_pool_close_event(true);
            listener.listen(channel).await?;
            Ok(Listener { notices: listener, me: self.me.0.to_string() })
        })
        .await
    }
}

impl Listener {
    /// The next thing. What is of a kind this version does not know is passed over.
    ///
    /// # Errors
    /// When the connection is gone and cannot be made again.
    pub async fn next(&mut self) -> Result<Heard, Trouble> {
        loop {
            // `None`: the connection was lost; what is sent until another one listens nobody will tell again.
            let Some(notice) = self.notices.try_recv().await? else { return Ok(Heard::Gap) };
            if let Some(heard) = read(notice.payload(), &self.me) {
                return Ok(heard);
            }
        }
    }

    /// What came with it.
    pub fn more(&mut self) -> Vec<Heard> {
        let (notices, me) = (&mut self.notices, &self.me);
        std::iter::from_fn(|| notices.next_buffered()).filter_map(|notice| read(notice.payload(), me)).collect()
    }
}

/// An answer of one's own is no news.
fn read(payload: &str, me: &str) -> Option<Heard> {
    match payload.split_once(' ').unwrap_or((payload, "")) {
        ("journal", _) => Some(Heard::Journal),
        ("presence", _) => Some(Heard::Presence),
        ("answer", told) => {
            let (from, label) = told.split_once(' ')?;
            (from != me).then(|| Heard::Answer(label.to_owned()))
        }
        _ => None,
    }
}

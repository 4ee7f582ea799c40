//! What happens behind the screen: pollers, dispatch of actions (journal, outbox, source), supervision of tasks.
//!
//! Knows nothing of screens: [`Effect`]s come in, [`Fact`]s go out, both through bounded channels. The only place below
//! `cli` that reads a clock ([`clock::Clock`]) and that spawns tasks ([`supervisor`]).

pub mod alerts;
pub mod clock;
pub mod headless;
pub mod process;
pub mod runner;

mod cache;
mod connect;
mod dispatch;
mod feeds;
mod incidents;
mod journal;
mod link;
mod poller;
mod query;
pub mod sharing;
#[cfg(test)]
mod simulation;
mod supervisor;
#[cfg(test)]
mod testing;
mod vital;
mod wiring;

use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::config::model::{RoomConfig, SecretSource};
use crate::domain::action::Intent;
use crate::domain::effect::Effect;
use crate::domain::fact::Fact;
use crate::domain::failure::Failure;

use crate::store::SharedJournal;
use crate::store::sqlite::{self, SqliteJournal};

use clock::Clock;
use runner::RunSetup;

/// Opens the journal that `[room] journal` names, for subcommands that work on it alone.
///
/// # Errors
/// In words, when it cannot be used.
pub async fn journal_of(room: &RoomConfig) -> Result<SharedJournal, Failure> {
    if let Some(room) = connect::shared_room(room, &Clock::system())? {
        return Ok(room);
    }
    let opened = async { SqliteJournal::open(sqlite::place(&room.journal)?).await };
    match opened.await {
        Ok(journal) => Ok(Arc::new(journal)),
        Err(cause) => Err(cause.failure("open")),
    }
}

/// What a person looks at to know whether an action was done.
#[must_use]
pub fn look_at(intent: &Intent) -> String {
    dispatch::look_at(intent)
}

/// Finds a secret. Runs off the async threads (a command may take its time), again after a 401: a token that was
/// renewed on disk is taken without a restart.
pub type Secrets = Arc<dyn Fn(&SecretSource) -> Result<SecretString, Failure> + Send + Sync>;

/// The engine of one console.
#[derive(Debug)]
pub struct Engine;

impl Engine {
    /// Starts everything in background tasks and returns at once: no network, no disk before the first frame.
    ///
    /// Must be called inside a tokio runtime. The engine ends when [`Handle::shutdown`] is called or `effects` closes.
    #[must_use]
    pub fn start(
        config: Arc<Config>,
        secrets: Secrets,
        facts: mpsc::Sender<Fact>,
        effects: mpsc::Receiver<Effect>,
        clock: Clock,
        runs: RunSetup,
    ) -> Handle {
        let stop = CancellationToken::new();
        let plant = wiring::Plant::new(config, secrets, facts, clock, stop.clone()).with_runs(runs);
        #[expect(clippy::disallowed_methods, reason = "the root of the supervisor's tree; its end is awaited")]
        let running = tokio::spawn(plant.run(effects));
        Handle { stop, running }
    }
}

/// A running engine.
#[derive(Debug)]
pub struct Handle {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Handle {
    /// Stops polls and queries at once, lets an action that is on the wire get its result into the journal (at most
    /// one and a half seconds; what is cut off there is *unknown* at the next start), closes the journal.
    pub async fn shutdown(self) {
        self.stop.cancel();
        let _ = self.running.await;
    }
}

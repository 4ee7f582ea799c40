//! The room on a simulated world: servers on loopback in this very process, and no file outside the temporary folder.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::exit::Usage;
use super::{ScreenArgs, Session, room, session};
use crate::config::load::{self, Loaded};
use crate::config::model::SecretSource;
use crate::domain::failure::Failure;
use crate::engine::Secrets;
use crate::sim::{SimOptions, serve};
use crate::text::Clean;
use crate::tui::model::Banner;

/// What the world calls itself in problems.
const WORLD: &str = "the simulated world";

/// Options of `demo`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DemoArgs {
    /// Which story the world tells
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Seed of everything random in the world
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// As for the room.
    #[command(flatten)]
    pub screen: ScreenArgs,
}

/// Starts the world and opens the room on it.
///
/// # Errors
/// As [`super::room::run`], and when no loopback port is free.
pub async fn run(session: &Session, args: DemoArgs) -> color_eyre::Result<i32> {
    let mut options = SimOptions::default();
    if let Some(scenario) = args.scenario {
        options.scenario = scenario;
    }
    options.seed = args.seed.unwrap_or(options.seed);
    let scenario = Clean::new(&options.scenario);
    let world = serve(options).await.map_err(|cause| Usage::new(cause.to_string()))?;
    let loaded = loaded(session, &world.config_toml);
    let simulated = room::World { banner: Banner::Demo(scenario), config_text: world.config_toml.clone() };
    let code = room::open(session, loaded, secrets(), Some(simulated), &args.screen).await;
    world.shutdown().await;
    code
}

/// The world's configuration with the looks of the person who watches; their own sources are left alone.
pub(super) fn loaded(session: &Session, world: &str) -> Loaded {
    let Loaded { config: own, mut problems } = session.load();
    problems.retain(|problem| !problem.is_error);
    let mut config = session.defaults();
    problems.extend(load::over(&mut config, Path::new(WORLD), world.as_bytes(), &session::environment));
    config.room.theme = own.room.theme;
    config.room.keymap = own.room.keymap;
    config.room.operator = own.room.operator;
    config.room.time_zone = own.room.time_zone;
    config.room.read_only = own.room.read_only;
    config.notify = own.notify;
    config.room.journal = "sqlite::memory:".to_owned();
    config.room.cache = None;
    config.file = None;
    Loaded { config, problems }
}

/// The world's own keys protect nothing and stand in its configuration as `echo KEY`: no process is needed for them.
pub(super) fn secrets() -> Secrets {
    Arc::new(|source: &SecretSource| -> Result<SecretString, Failure> {
        let key = match source {
            SecretSource::Command(words) => words.last().map_or("", String::as_str),
            _ => "",
        };
        Ok(SecretString::from(key.to_owned()))
    })
}

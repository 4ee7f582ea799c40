//! The room: engine and screen, wired.

use std::io::{self, IsTerminal as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::exit::Usage;
use super::{ScreenArgs, Session, desk, reload, replay, session, setup};
use crate::config::files;
use crate::config::load::Loaded;
use crate::config::model::{Config, SecretSource};
use crate::config::secrets;
use crate::config::theme::Capabilities;
use crate::engine::clock::Clock;
use crate::engine::runner::RunSetup;
use crate::engine::{Engine, Secrets};
use crate::text::Clean;
use crate::tui::Model;
use crate::tui::model::{Banner, Setup};
use crate::tui::ports::{EFFECT_LANE, FACT_LANE, Ports};
use crate::tui::recording::Start;
use crate::tui::run::recorder::Recorder;
use crate::tui::run::{self, Options};
use crate::tui::terminal;
use crate::tui::view::{self, RenderCache};

/// What the engine may take to write its last lines; after a hangup the process must be gone within two seconds.
const LAST_LINES: Duration = Duration::from_millis(1_800);

/// A world that is not the real one.
#[derive(Debug)]
pub(super) struct World {
    /// Says so on every frame.
    pub(super) banner: Banner,
    /// Its configuration, for a recording.
    pub(super) config_text: String,
}

/// Opens the room.
///
/// # Errors
/// When there is no terminal.
pub async fn run(session: &Session, args: &ScreenArgs) -> color_eyre::Result<i32> {
    let loaded = session.load();
    let secrets = desk::secrets(&loaded.config);
    open(session, loaded, secrets, None, args).await
}

/// Opens a room on this configuration. The screen comes first: the engine opens journal and connections behind it.
///
/// # Errors
/// When there is no terminal.
pub(super) async fn open(
    session: &Session,
    loaded: Loaded,
    secrets: Secrets,
    world: Option<World>,
    args: &ScreenArgs,
) -> color_eyre::Result<i32> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let instead = "for pipes there are 'warroom incidents list --json' and 'warroom snapshot'";
        return Err(Usage::new(format!("the room needs a terminal; {instead}")).into());
    }
    let clock = Clock::system();
    let mut setup = setup::setup(session, &loaded.config, loaded.problems, terminal::size(), clock.now());
    let (banner, text) = world.map_or((None, None), |world| (Some(world.banner), Some(world.config_text)));
    setup.banner = banner;
    let capabilities = Capabilities::detect(session::environment);
    let recorder = match &args.record {
        Some(path) => Some(record(path, &loaded.config, text, Start::of(&setup, capabilities))?),
        None => None,
    };
    let options = Options { fps: args.fps, editor: editor(), environment: environment(&loaded.config), recorder };
    let runs = runs(session, &setup, &options.environment);
    let is_simulated = setup.banner.is_some();
    let leftovers = is_simulated.then(|| runs.folder.clone());
    let config = Arc::new(loaded.config);
    let (facts, told) = mpsc::channel(FACT_LANE);
    let (effects, wanted) = mpsc::channel(EFFECT_LANE);
    let (reloads, reloaded) = mpsc::channel(reload::RELOAD_LANE);
    let engine = Engine::start(config, secrets, facts, wanted, clock, runs);
    let watching = {
        let session = session.clone();
        tokio::task::spawn_blocking(move || reload::start(&session, reloads))
    };
    let ports = Ports { facts: told, effects, reloads: reloaded };
    let mut cache = RenderCache::new(capabilities);
    let code = run::run(Model::new(setup), ports, options, |model, buffer| view::draw(model, &mut cache, buffer)).await;
    watching.abort();
    let ended = tokio::time::timeout(LAST_LINES, engine.shutdown()).await;
    if ended.is_err() {
        tracing::warn!("the engine did not end in time; what was on the wire is unknown at the next start");
    }
    if let Some(folder) = leftovers.filter(|folder| folder.is_dir()) {
        let _ = std::fs::remove_dir_all(folder);
    }
    Ok(code?)
}

/// Begins to write the session down.
fn record(path: &Path, config: &Config, text: Option<String>, start: Start) -> Result<Recorder, Usage> {
    let own = || config.file.as_deref().and_then(|file| files::text(file).ok());
    let header = replay::header(config, start, text.or_else(own).unwrap_or_default());
    Recorder::start(path, &header).map_err(|cause| {
        let name = Clean::new(path.display().to_string());
        let fix = match cause.kind() {
            io::ErrorKind::AlreadyExists => "name a file that is not there yet",
            _ => "name another file",
        };
        Usage::new(format!("cannot record into {name}: {cause}; {fix}"))
    })
}

/// A folder for a simulated world, this person's alone: its programs and what steps print.
fn simulated() -> io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("warroom-simulated-{:016x}", rand::random::<u64>()));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    crate::sim::tools::install(&folder.join("bin"))?;
    Ok(folder)
}

/// What runs of runbooks need. In a simulated world commands find its own programs first: nothing real is touched.
fn runs(session: &Session, setup: &Setup, environment: &[(String, String)]) -> RunSetup {
    let runbooks = Arc::clone(&setup.runbooks);
    if setup.banner.is_none() {
        let folder = session.places.state.join("runs");
        return RunSetup { runbooks, environment: environment.to_vec(), folder, program: None };
    }
    match simulated() {
        Ok(folder) => {
            let bin = folder.join("bin");
            let with_tools = |(name, value): &(String, String)| {
                let value = if name == "PATH" { format!("{}:{value}", bin.display()) } else { value.clone() };
                // The real cluster must not be found by any of them.
                (name != "KUBECONFIG" && name != "HOME").then(|| (name.clone(), value))
            };
            let environment = environment.iter().filter_map(with_tools).collect();
            RunSetup { runbooks, environment, folder, program: None }
        }
        Err(cause) => {
            tracing::warn!(%cause, "the simulated world has no programs: its runbooks cannot be run");
            RunSetup::none()
        }
    }
}

/// `$VISUAL`, `$EDITOR`, or what every Unix has.
fn editor() -> String {
    session::environment("VISUAL").or_else(|| session::environment("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

/// The environment of children: ours without the variables that hold secrets.
pub(super) fn environment(config: &Config) -> Vec<(String, String)> {
    let secret: Vec<&str> = secrets::sources(config)
        .into_iter()
        .filter_map(|source| match source {
            SecretSource::Env(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !secret.contains(&name.as_str()))
        .collect()
}

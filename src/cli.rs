//! The composition root: arguments to subcommands, one file each. The only place that sees every other room.
//!
//! Each subcommand is `pub async fn run(session: &Session, args: …) -> color_eyre::Result<i32>` and returns one of
//! [`exit`]'s codes; an error it returns is printed as one sentence and decides the code by its kind.

pub mod alerts;
pub mod ask;
pub mod check;
pub mod completions;
pub mod crash;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod drill;
pub mod exit;
pub mod incidents;
pub mod init;
pub mod journal;
pub mod json;
pub mod logs;
pub mod man;
pub mod oncall;
pub mod outbox;
pub mod print;
pub mod probe;
pub mod reload;
pub mod replay;
pub mod room;
pub mod runbook;
pub mod session;
pub mod setup;
pub mod silences;
pub mod simulate;
pub mod snapshot;
pub mod step;
pub mod when;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use session::Session;

const AFTER_HELP: &str = "Without a subcommand the room opens. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, \
                          129/130/143 ended by hangup, interrupt or termination.";

/// A full-screen terminal console for critical incidents.
#[derive(Debug, Parser)]
#[command(name = "warroom", version, about, after_help = AFTER_HELP, propagate_version = true, max_term_width = 100)]
pub struct Args {
    /// What every subcommand understands.
    #[command(flatten)]
    pub globals: Globals,
    /// What only the room understands.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// What to do; the room when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every subcommand understands.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Globals {
    /// Configuration file [default: warroom/config.toml in the XDG configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How much goes to the log file [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
    /// Refuse every action
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Theme by name, over the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Keymap by name, over the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub keymap: Option<String>,
}

/// How much goes to the log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// And what looks wrong.
    Warn,
    /// And what was done.
    #[default]
    Info,
    /// And every request.
    Debug,
    /// Everything.
    Trace,
}

/// Options of the subcommands that draw the live screen.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ScreenArgs {
    /// Record the session for `warroom replay`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// At most so many frames a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=240))]
    pub fps: Option<u16>,
}

impl ScreenArgs {
    fn is_empty(&self) -> bool {
        self.record.is_none() && self.fps.is_none()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the room on a simulated world: no account needed
    Demo(demo::DemoArgs),
    /// Practise on a simulated world; a score at the end
    Drill(drill::DrillArgs),
    /// Serve a simulated PagerDuty, Alertmanager and Prometheus on loopback
    Simulate(simulate::SimulateArgs),
    /// Ask for addresses and tokens, try each, write a commented configuration
    Init(init::InitArgs),
    /// Print every problem of configuration, themes, keymaps, dashboards and runbooks
    Check(check::CheckArgs),
    /// Ask each source: reachable, authorised, permitted, its clock, its rate budget
    Doctor(doctor::DoctorArgs),
    /// Draw one frame of the screen after the data has arrived
    Snapshot(snapshot::SnapshotArgs),
    /// List incidents and act on them
    #[command(subcommand)]
    Incidents(incidents::IncidentsCommand),
    /// List alerts
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    /// List silences, make and end them
    #[command(subcommand)]
    Silences(silences::SilencesCommand),
    /// Check, export or import the journal
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// Actions that are not confirmed: list, go on, try again, give up
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Find, read and run runbooks
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// Who is on call now
    Oncall(oncall::OncallArgs),
    /// Play a recorded session, print it at any instant, or prove that it replays
    Replay(replay::ReplayArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
}

/// Runs what was asked.
///
/// # Errors
/// Whatever could not be done, in one sentence; [`exit::refused`] prints it and finds the code.
pub async fn run(args: Args) -> color_eyre::Result<i32> {
    let Args { globals, screen, command } = args;
    if command.is_some() && !screen.is_empty() {
        return Err(
            exit::Usage::new("--record and --fps belong to the room and to 'demo': put them after 'demo'").into()
        );
    }
    let session = Session::open(globals);
    // Kept until the end: dropping it writes what is left.
    let _log = if is_logged(command.as_ref()) { logs::start_or_tell(&session) } else { None };
    match command {
        None => room::run(&session, &screen).await,
        Some(Command::Demo(args)) => demo::run(&session, args).await,
        Some(Command::Drill(args)) => drill::run(&session, args).await,
        Some(Command::Simulate(args)) => simulate::run(&session, args).await,
        Some(Command::Replay(args)) => replay::run(&session, args).await,
        Some(command) => exit::unless_signalled(without_screen(&session, command)).await,
    }
}

/// Whether a subcommand leaves traces on disk; those that only print do not.
fn is_logged(command: Option<&Command>) -> bool {
    !matches!(command, Some(Command::Completions(_) | Command::Man(_) | Command::Check(_) | Command::Init(_)))
}

async fn without_screen(session: &Session, command: Command) -> color_eyre::Result<i32> {
    match command {
        Command::Init(args) => init::run(session, args).await,
        Command::Check(args) => check::run(session, &args),
        Command::Doctor(args) => doctor::run(session, args).await,
        Command::Snapshot(args) => snapshot::run(session, args).await,
        Command::Incidents(command) => incidents::run(session, command).await,
        Command::Alerts(command) => alerts::run(session, command).await,
        Command::Silences(command) => silences::run(session, command).await,
        Command::Journal(command) => journal::run(session, command).await,
        Command::Outbox(command) => outbox::run(session, command).await,
        Command::Runbook(command) => runbook::run(session, command).await,
        Command::Oncall(args) => oncall::run(session, args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(args),
        Command::Demo(_) | Command::Drill(_) | Command::Simulate(_) | Command::Replay(_) => Ok(exit::USAGE),
    }
}

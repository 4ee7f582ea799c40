//! `runbook …`: find, read, run, approve and export runbooks without a screen.

mod approve;
mod by_hand;
mod coverage;
mod export;
mod find;
mod lint;
mod list;
mod new;
mod run;
mod show;
mod talk;
mod test;

pub(super) use approve::past;

use super::Session;
use super::desk::{Answering, Desk};

/// What to do with runbooks.
#[derive(Debug, clap::Subcommand)]
pub enum RunbookCommand {
    /// List every runbook: id, title, what triggers it, where it comes from
    List(ListArgs),
    /// The runbooks that fit an incident, best first, each with the reason
    Match(MatchArgs),
    /// Show a runbook's steps
    Show(ShowArgs),
    /// Run a runbook step by step
    Run(RunArgs),
    /// Give the second person's approval to a step that waits for it
    Approve(ApproveArgs),
    /// Write a new runbook from an alert: of an incident, or by its name
    New(NewArgs),
    /// Print a runbook as YAML or Markdown
    Fmt(FmtArgs),
    /// What is wrong, risky or missing in runbooks
    Lint(LintArgs),
    /// Run the tests beside runbooks (NAME.test.yaml), offline
    Test(TestArgs),
    /// Alert rules without a runbook, and runbooks that no rule finds
    Coverage(CoverageArgs),
    /// Print a run as the filled-in document
    Export(ExportArgs),
}

/// Options of `runbook list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
}

/// Options of `runbook match`.
#[derive(Clone, Debug, clap::Args)]
pub struct MatchArgs {
    /// The incident: an id of 'incidents list', a number or a link
    #[arg(value_name = "INCIDENT")]
    pub incident: String,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Options of `runbook show`.
#[derive(Clone, Debug, clap::Args)]
pub struct ShowArgs {
    /// A file, or the id of a runbook
    #[arg(value_name = "FILE|ID")]
    pub runbook: String,
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
}

/// Options of `runbook run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// A file, or the id of a runbook
    #[arg(value_name = "FILE|ID")]
    pub runbook: String,
    /// For this incident: its labels fill the variables, the run is in its timeline
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
    /// A value for a variable, over every other source
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Begin at this step: its id or its number
    #[arg(long, value_name = "STEP")]
    pub from: Option<String>,
    /// Only say what each step would do
    #[arg(long)]
    pub dry_run: bool,
    /// Approve steps that read or change; never destructive or two-person ones, never those of foreign documents
    #[arg(long)]
    pub yes: bool,
    /// How long sources may take to tell of the incident
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = super::desk::parse_span)]
    pub timeout: std::time::Duration,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() { Err("the name is missing".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// Options of `runbook approve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ApproveArgs {
    /// The run, as its console shows it
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The step's id
    #[arg(value_name = "STEP")]
    pub step: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Options of `runbook new`.
#[derive(Clone, Debug, clap::Args)]
pub struct NewArgs {
    /// The alert's name, or an incident whose alert fills it in
    #[arg(value_name = "ALERT|INCIDENT")]
    pub alert: String,
    /// How long sources may take to tell of the incident
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = super::desk::parse_span)]
    pub timeout: std::time::Duration,
}

/// Options of `runbook fmt`.
#[derive(Clone, Debug, clap::Args)]
pub struct FmtArgs {
    /// A file, or the id of a runbook
    #[arg(value_name = "FILE|ID")]
    pub runbook: String,
    /// In which form
    #[arg(long, value_name = "FORM", default_value = "yaml")]
    pub to: Form,
}

/// A form of a runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// YAML.
    Yaml,
    /// Markdown.
    Md,
}

/// Options of `runbook lint`.
#[derive(Clone, Debug, clap::Args)]
pub struct LintArgs {
    /// Files or ids; every runbook without
    #[arg(value_name = "FILE|ID")]
    pub runbooks: Vec<String>,
}

/// Options of `runbook test`.
#[derive(Clone, Debug, clap::Args)]
pub struct TestArgs {
    /// Files of tests (NAME.test.yaml), or runbooks that have one beside them
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<std::path::PathBuf>,
}

/// Options of `runbook coverage`.
#[derive(Clone, Debug, clap::Args)]
pub struct CoverageArgs {
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Options of `runbook export`.
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArgs {
    /// The run
    #[arg(long, value_name = "RUN")]
    pub run: String,
}

/// Runs it.
///
/// # Errors
/// One sentence.
pub async fn run(session: &Session, command: RunbookCommand) -> color_eyre::Result<i32> {
    let desk = Desk::open(session);
    match command {
        RunbookCommand::List(args) => list::run(&desk, &args),
        RunbookCommand::Match(args) => list::matching(&desk, &args).await,
        RunbookCommand::Show(args) => show::run(&desk, &args),
        RunbookCommand::Run(args) => run::run(session, &desk, args).await,
        RunbookCommand::Approve(args) => approve::run(session, &desk, &args).await,
        RunbookCommand::New(args) => new::run(&desk, &args).await,
        RunbookCommand::Fmt(args) => new::format(&desk, &args),
        RunbookCommand::Lint(args) => lint::run(&desk, &args),
        RunbookCommand::Test(args) => test::run(&args),
        RunbookCommand::Coverage(args) => coverage::run(&desk, &args).await,
        RunbookCommand::Export(args) => export::run(session, &desk, &args).await,
    }
}

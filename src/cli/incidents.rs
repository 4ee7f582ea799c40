//! `incidents`: list, show, and every action, without a screen. Actions take the screen's road: journal, outbox, source.

pub(in crate::cli) mod act;
mod declare;
mod find;
mod list;
pub(in crate::cli) mod plan;
mod show;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::desk::{Answering, Desk, parse_span};
use super::{Session, exit};
use crate::domain::action::Action;
use crate::domain::incident::{Status, Urgency};
use crate::domain::severity::Severity;

/// What to do with incidents. An ID is PagerDuty's (PABC123), a number (1234), or a row's (am:…).
#[derive(Debug, Subcommand)]
pub enum IncidentsCommand {
    /// List open incidents
    List(ListArgs),
    /// Show one: its timeline, alerts, escalation levels
    Show(ShowArgs),
    /// Acknowledge
    #[command(visible_alias = "acknowledge")]
    Ack(Targets),
    /// Call a level of the escalation policy; the next one unless --level says which
    Escalate(EscalateArgs),
    /// Resolve
    Resolve(ResolveArgs),
    /// Give to people, or to an escalation policy
    Reassign(ReassignArgs),
    /// Put off for a while
    Snooze(SnoozeArgs),
    /// Merge incidents into the first one; the others are resolved
    Merge(MergeArgs),
    /// Write a note
    Note(NoteArgs),
    /// Open an incident
    Declare(DeclareArgs),
}

/// Options of `incidents list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Only these states
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATUS")]
    pub status: Vec<StatusWord>,
    /// Only these severities
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    pub severity: Vec<SeverityWord>,
    /// Only services whose name holds this
    #[arg(long, value_name = "TEXT")]
    pub service: Option<String>,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// A status on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StatusWord {
    /// Nobody works on it.
    Triggered,
    /// Somebody does.
    Acknowledged,
    /// Over.
    Resolved,
}

impl StatusWord {
    fn means(self, status: Status) -> bool {
        matches!(
            (self, status),
            (Self::Triggered, Status::Triggered)
                | (Self::Acknowledged, Status::Acknowledged)
                | (Self::Resolved, Status::Resolved)
        )
    }
}

/// A severity on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the four severities of the domain")]
pub enum SeverityWord {
    Critical,
    High,
    Medium,
    Low,
}

impl SeverityWord {
    /// The severity it names.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Critical => Severity::Critical,
            Self::High => Severity::High,
            Self::Medium => Severity::Medium,
            Self::Low => Severity::Low,
        }
    }
}

/// An urgency on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum UrgencyWord {
    /// Escalates.
    #[default]
    High,
    /// Does not.
    Low,
}

impl UrgencyWord {
    fn urgency(self) -> Urgency {
        match self {
            Self::High => Urgency::High,
            Self::Low => Urgency::Low,
        }
    }
}

/// Options of `incidents show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Which incident
    pub id: String,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// The incidents an action is for.
#[derive(Clone, Debug, Args)]
pub struct Targets {
    /// Which incidents
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// For actions that ask first.
#[derive(Clone, Copy, Debug, Args)]
pub struct Sure {
    /// Do it without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// Options of `incidents escalate`.
#[derive(Clone, Debug, Args)]
pub struct EscalateArgs {
    /// Which.
    #[command(flatten)]
    pub targets: Targets,
    /// Which level, 1 first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=99))]
    pub level: Option<u32>,
    /// Whether to ask.
    #[command(flatten)]
    pub sure: Sure,
}

/// Options of `incidents resolve`.
#[derive(Clone, Debug, Args)]
pub struct ResolveArgs {
    /// Which.
    #[command(flatten)]
    pub targets: Targets,
    /// What was done, for the log
    #[arg(long, short, value_name = "TEXT")]
    pub message: Option<String>,
    /// Whether to ask.
    #[command(flatten)]
    pub sure: Sure,
}

/// Options of `incidents reassign`.
#[derive(Clone, Debug, Args)]
pub struct ReassignArgs {
    /// Which.
    #[command(flatten)]
    pub targets: Targets,
    /// To whom: names or ids of users
    #[arg(long, value_name = "USER", value_delimiter = ',', required_unless_present = "policy")]
    pub to: Vec<String>,
    /// To an escalation policy, by its name or id
    #[arg(long, value_name = "POLICY", conflicts_with = "to")]
    pub policy: Option<String>,
    /// Whether to ask.
    #[command(flatten)]
    pub sure: Sure,
}

/// Options of `incidents snooze`.
#[derive(Clone, Debug, Args)]
pub struct SnoozeArgs {
    /// Which.
    #[command(flatten)]
    pub targets: Targets,
    /// For how long: 1s to 7d
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    pub span: Duration,
}

/// Options of `incidents merge`.
#[derive(Clone, Debug, Args)]
pub struct MergeArgs {
    /// Into which incident
    #[arg(value_name = "INTO")]
    pub into: String,
    /// Which incidents go
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Whether to ask.
    #[command(flatten)]
    pub sure: Sure,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Options of `incidents note`.
#[derive(Clone, Debug, Args)]
pub struct NoteArgs {
    /// Which.
    #[command(flatten)]
    pub targets: Targets,
    /// The text; "-" reads it from standard input
    #[arg(long, short, value_name = "TEXT")]
    pub message: String,
}

/// Options of `incidents declare`.
#[derive(Clone, Debug, Args)]
pub struct DeclareArgs {
    /// One line that says what is wrong
    pub title: String,
    /// Service, by its name or id
    #[arg(long, value_name = "SERVICE")]
    pub service: String,
    /// How urgent
    #[arg(long, value_enum, default_value_t)]
    pub urgency: UrgencyWord,
    /// Priority, by its name
    #[arg(long, value_name = "PRIORITY")]
    pub priority: Option<String>,
    /// More text; "-" reads it from standard input
    #[arg(long, short, value_name = "TEXT")]
    pub message: Option<String>,
    /// Whether to ask.
    #[command(flatten)]
    pub sure: Sure,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Runs it.
///
/// # Errors
/// One sentence; see [`exit`] for the code.
pub async fn run(session: &Session, command: IncidentsCommand) -> color_eyre::Result<i32> {
    let desk = Desk::open(session);
    match command {
        IncidentsCommand::List(args) => list::run(&desk, args).await,
        IncidentsCommand::Show(args) => show::run(&desk, args).await,
        IncidentsCommand::Declare(args) => declare::run(&desk, args).await,
        other => {
            desk.needs_write()?;
            desk.needs_pagerduty()?;
            act::run(&desk, other).await
        }
    }
}

/// The word of an action, on screen and in JSON.
#[must_use]
pub fn verb(action: &Action) -> &'static str {
    match action {
        Action::Acknowledge => "acknowledge",
        Action::Resolve { .. } => "resolve",
        Action::Trigger => "trigger",
        Action::Escalate { .. } => "escalate",
        Action::Reassign { .. } => "reassign",
        Action::Snooze { .. } => "snooze",
        Action::Merge { .. } => "merge",
        Action::Note { .. } => "note",
        Action::Declare(_) => "declare",
        Action::Silence(_) => "silence",
        Action::Unsilence { .. } => "end silence",
        Action::Tick { .. } => "tick",
        Action::Role { .. } => "role",
    }
}

/// The code of a bulk action: done only when every target is.
fn code_of(are_all_confirmed: bool) -> i32 {
    if are_all_confirmed { exit::DONE } else { exit::FAILED }
}

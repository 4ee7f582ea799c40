//! `oncall`: who is called now, by policy and level.

use super::desk::{Answering, Desk, tell_failures};
use super::json::{Answer, OnCallJson};
use super::print::{self, Style, Table, cell};
use super::{Session, when};
use crate::domain::escalation::OnCall;
use crate::engine::headless::Wanted;

/// Options of `oncall`.
#[derive(Clone, Debug, clap::Args)]
pub struct OncallArgs {
    /// Only policies whose name holds this
    #[arg(long, value_name = "TEXT")]
    pub policy: Option<String>,
    /// Only this level, 1 first
    #[arg(long, value_name = "N")]
    pub level: Option<u32>,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

#[derive(serde::Serialize)]
struct Listed {
    oncall: Vec<OnCallJson>,
}

/// Runs it.
///
/// # Errors
/// One sentence.
pub async fn run(session: &Session, args: OncallArgs) -> color_eyre::Result<i32> {
    let desk = Desk::open(session);
    desk.needs_pagerduty()?;
    let collected = desk.collect(&[Wanted::OnCall], args.answering.timeout).await?;
    let is_wanted = |entry: &&OnCall| {
        let policy = entry.policy.name.as_str().to_lowercase();
        args.policy.as_ref().is_none_or(|text| policy.contains(&text.to_lowercase()))
            && args.level.is_none_or(|level| entry.level == level)
    };
    let mut entries: Vec<&OnCall> = collected.room.on_calls().iter().filter(is_wanted).collect();
    entries.sort_by(|one, other| {
        (&one.policy.name, one.level, &one.user.name).cmp(&(&other.policy.name, other.level, &other.user.name))
    });
    if args.answering.json {
        let oncall = entries.into_iter().map(OnCallJson::of).collect();
        print::json(&Answer::new(Listed { oncall }, &collected.failures))?;
    } else if entries.is_empty() && collected.failures.is_empty() {
        print::out("nobody is on call\n")?;
    } else if !entries.is_empty() {
        print::out(&table(&entries, &desk).render(Style::of_stdout()))?;
    }
    Ok(tell_failures(&collected.failures))
}

fn table(entries: &[&OnCall], desk: &Desk) -> Table {
    let mut table = Table::new(&["POLICY", ">LEVEL", "WHO", "UNTIL", "SCHEDULE"]);
    for entry in entries {
        table.row([
            cell(&entry.policy.name),
            cell(entry.level.to_string()),
            cell(&entry.user.name),
            cell(entry.until.map_or_else(|| "always".to_owned(), |at| when::local(at, desk.config.room.time_zone))),
            cell(entry.schedule.as_ref().map_or("", |schedule| schedule.as_str())),
        ]);
    }
    table
}

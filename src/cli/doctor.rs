//! `doctor`: each source tried, and what to do about what does not work.

use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};

use super::desk::{Desk, parse_span};
use super::print::{self, Style, Table, Tone, cell, paint};
use super::probe::{self, Check, Report, State};
use super::{Session, check, exit, json};
use crate::config::Config;
use crate::config::model::Endpoint;
use crate::config::secrets;
use crate::domain::problem::Problem;

/// Options of `doctor`.
#[derive(Clone, Debug, clap::Args)]
pub struct DoctorArgs {
    /// Only sources whose name holds this
    pub source: Option<String>,
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
    /// Give up on a source after so long
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = parse_span)]
    pub timeout: Duration,
}

#[derive(serde::Serialize)]
struct Findings {
    version: &'static str,
    sound: bool,
    problems: Vec<json::ProblemJson>,
    sources: Vec<Report>,
}

/// Tries every source side by side.
///
/// # Errors
/// When nothing is configured.
pub async fn run(session: &Session, args: DoctorArgs) -> color_eyre::Result<i32> {
    let loaded = session.load();
    let mut problems = loaded.problems;
    problems.extend(check::of_files(&loaded.config, session));
    let desk = Desk::of(loaded.config, problems.iter().any(|problem| problem.is_error));
    let sources = reports(&desk, &args).await;
    let is_misconfigured = desk.is_config_broken || sources.iter().any(Report::is_misconfigured);
    let is_sound = !is_misconfigured && sources.iter().all(Report::is_sound);
    if args.json {
        let problems = problems.iter().map(json::ProblemJson::of).collect();
        print::json(&Findings { version: env!("CARGO_PKG_VERSION"), sound: is_sound, problems, sources })?;
    } else {
        print::out(&words(&desk, &problems, &sources, Style::of_stdout()))?;
    }
    Ok(match (is_misconfigured, is_sound) {
        (true, _) => exit::USAGE,
        (_, true) => exit::DONE,
        (_, false) => exit::FAILED,
    })
}

async fn reports(desk: &Desk, args: &DoctorArgs) -> Vec<Report> {
    let (secrets, clock) = (desk.secrets(), desk.clock());
    let is_wanted = |name: &str| args.source.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()));
    let mut asking: Vec<(&'static str, &Endpoint, BoxFuture<'_, Report>)> = Vec::new();
    for config in desk.config.pagerduty.iter().filter(|config| is_wanted(config.endpoint.id.as_str())) {
        asking.push(("pagerduty", &config.endpoint, Box::pin(probe::pagerduty(config, &secrets, &clock))));
    }
    for config in desk.config.alertmanagers.iter().filter(|config| is_wanted(config.endpoint.id.as_str())) {
        asking.push(("alertmanager", &config.endpoint, Box::pin(probe::alertmanager(config, &secrets, &clock))));
    }
    for config in desk.config.prometheus.iter().filter(|config| is_wanted(config.endpoint.id.as_str())) {
        asking.push(("prometheus", &config.endpoint, Box::pin(probe::prometheus(config, &secrets, &clock))));
    }
    let limited = asking.into_iter().map(|(kind, endpoint, asked)| async move {
        tokio::time::timeout(args.timeout, asked).await.unwrap_or_else(|_| Report::late(kind, endpoint, args.timeout))
    });
    let mut reports = join_all(limited).await;
    look_for_replicas(&desk.config, &mut reports);
    reports
}

/// Replicas whose configured clusters differ: their alerts would stand there twice.
fn look_for_replicas(config: &Config, reports: &mut [Report]) {
    let cluster_of = |name: &str| {
        let instance = config.alertmanagers.iter().find(|instance| instance.endpoint.id.as_str() == name);
        instance.map(|instance| instance.cluster.clone())
    };
    for at in 1..reports.len() {
        let Some((report, before)) = reports.get_mut(..=at).and_then(|these| these.split_last_mut()) else { return };
        let twin = before.iter().find(|other| report.is_replica_of(other));
        let Some(twin) = twin.filter(|twin| cluster_of(&twin.name) != cluster_of(&report.name)) else { continue };
        let says = format!("it is a replica of {}, and its alerts are not folded with that one's", twin.name);
        report.checks.push(Check::warning("cluster", says, "give both the same cluster in [[alertmanager]]"));
    }
}

fn words(desk: &Desk, problems: &[Problem], sources: &[Report], style: Style) -> String {
    let strong = |text: &str| paint(crate::text::Clean::new(text).as_str(), Some(Tone::Strong), style.is_coloured);
    let file = desk
        .config
        .file
        .as_ref()
        .map_or_else(|| "no file, built-in values".to_owned(), |file| file.display().to_string());
    let mut out = format!("warroom {}\n\n{}\n", env!("CARGO_PKG_VERSION"), strong(&format!("configuration  {file}")));
    let mut table = Table::new(&["", "", ""]);
    for problem in problems {
        let (word, tone) = if problem.is_error { ("FAILED", Tone::Bad) } else { ("look", Tone::Warning) };
        table.row([cell(format!("  {word}")).tone(tone), cell(""), cell(problem.to_string())]);
    }
    if problems.is_empty() {
        let found = secrets::sources(&desk.config).len();
        table.row([
            cell("  ok").tone(Tone::Good),
            cell(""),
            cell(format!("no problems; {found} secrets are referred to")),
        ]);
    }
    out.push_str(&table.body(style));
    for report in sources {
        let version = report.version.as_ref().map(|version| format!("  version {version}")).unwrap_or_default();
        out.push_str(&format!("\n{}\n", strong(&format!("{} {}  {}{version}", report.kind, report.name, report.url))));
        let mut table = Table::new(&["", "", ""]);
        report.checks.iter().for_each(|check| table.row(row(check)));
        out.push_str(&table.body(style));
    }
    if sources.is_empty() {
        out.push_str("\nno source is configured; run 'warroom init', or try 'warroom demo'\n");
    }
    out
}

fn row(check: &Check) -> [super::print::Cell; 3] {
    let (word, tone) = match check.state {
        State::Ok => ("  ok", Some(Tone::Good)),
        State::Warning => ("  look", Some(Tone::Warning)),
        State::Failed => ("  FAILED", Some(Tone::Bad)),
        State::Skipped => ("  -", Some(Tone::Faint)),
    };
    let fix = if check.fix.as_str().is_empty() { String::new() } else { format!("; {}", check.fix) };
    [cell(word).tone(tone), cell(check.what), cell(format!("{}{fix}", check.says))]
}

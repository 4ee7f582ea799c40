//! `alerts list`.

use super::desk::{Answering, Desk, tell_failures};
use super::incidents::SeverityWord;
use super::json::{AlertJson, Answer, state_word};
use super::print::{self, Style, Table, Tone, cell};
use super::{Session, when};
use crate::domain::alert::{Alert, AlertState};
use crate::domain::severity::{LabelVerdict, SeverityRules, severity_label};
use crate::engine::headless::Wanted;
use crate::text::UntrustedStr;

/// What to do with alerts.
#[derive(Debug, clap::Subcommand)]
pub enum AlertsCommand {
    /// List alerts that have not ended, of every Alertmanager
    List(ListArgs),
}

/// Options of `alerts list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// Only alerts that hold this label value; several must all match
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = parse_label)]
    pub labels: Vec<(String, String)>,
    /// Only this severity, by the label of that name
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SEVERITY")]
    pub severity: Vec<SeverityWord>,
    /// Silenced and inhibited ones too
    #[arg(long, short)]
    pub all: bool,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(serde::Serialize)]
struct Listed {
    alerts: Vec<AlertJson>,
}

/// Runs it.
///
/// # Errors
/// One sentence.
pub async fn run(session: &Session, command: AlertsCommand) -> color_eyre::Result<i32> {
    let AlertsCommand::List(args) = command;
    let desk = Desk::open(session);
    desk.needs_alertmanager()?;
    let collected = desk.collect(&[Wanted::Alerts], args.answering.timeout).await?;
    let rules = &collected.room.settings().severities;
    let mut alerts: Vec<&Alert> =
        collected.room.alerts().map(|alert| &**alert).filter(|alert| is_wanted(alert, &args, rules)).collect();
    alerts.sort_by(|one, other| {
        let place = |alert: &Alert| (alert.starts_at, alert.key.clone());
        place(one).cmp(&place(other))
    });
    if args.answering.json {
        let alerts = alerts.into_iter().map(AlertJson::of).collect();
        print::json(&Answer::new(Listed { alerts }, &collected.failures))?;
    } else if alerts.is_empty() && collected.failures.is_empty() {
        print::out("no alerts\n")?;
    } else if !alerts.is_empty() {
        print::out(&table(&alerts, &desk).render(Style::of_stdout()))?;
    }
    Ok(tell_failures(&collected.failures))
}

fn is_wanted(alert: &Alert, args: &ListArgs, rules: &SeverityRules) -> bool {
    let has =
        |(name, value): &(String, String)| alert.labels.get(name).map(UntrustedStr::expose) == Some(value.as_str());
    let verdict = rules.of_label(severity_label(&alert.labels));
    let is_severe =
        args.severity.is_empty() || args.severity.iter().any(|word| verdict == LabelVerdict::Is(word.severity()));
    let is_shown = args.all || !matches!(alert.state, AlertState::Suppressed { .. });
    is_shown && is_severe && args.labels.iter().all(has)
}

/// The state, and of a suppressed one why: people look for the silence or the greater alert next.
fn why_quiet(state: &AlertState) -> &'static str {
    match state {
        AlertState::Suppressed(by) if !by.silenced_by.is_empty() => "silenced",
        AlertState::Suppressed(by) if !by.inhibited_by.is_empty() => "inhibited",
        AlertState::Suppressed(by) if !by.muted_by.is_empty() => "muted",
        other => state_word(other),
    }
}

fn table(alerts: &[&Alert], desk: &Desk) -> Table {
    let mut table = Table::new(&["CLUSTER", "STATE", "SEVERITY", ">AGE", "NAME", "SUMMARY"]);
    for alert in alerts {
        let text = |labels: &crate::domain::alert::Labels, name: &str| {
            labels.get(name).map(|value| value.clean().to_string()).unwrap_or_default()
        };
        let severity = text(&alert.labels, "severity");
        let tone = crate::domain::severity::Severity::ALL.into_iter().find(|known| known.word() == severity);
        table.row([
            cell(alert.key.cluster.as_str()),
            cell(why_quiet(&alert.state)).tone((!matches!(alert.state, AlertState::Active)).then_some(Tone::Faint)),
            cell(severity).tone(tone.and_then(Tone::of)),
            cell(when::age(desk.now(), alert.starts_at)),
            cell(alert.name()),
            cell(text(&alert.annotations, "summary")),
        ]);
    }
    table
}

//! `silences list|add|expire`.

use std::time::Duration;

use super::desk::{Answering, Desk, parse_span, tell_failures};
use super::exit::Usage;
use super::incidents::act::send;
use super::incidents::plan::Step;
use super::json::{Answer, SilenceJson, matcher};
use super::print::{self, Style, Table, Tone, cell};
use super::{Session, when};
use crate::domain::action::{Action, Silencing, Target};
use crate::domain::id::{SilenceId, SourceId};
use crate::domain::silence::{Matcher, Silence, SilenceState};
use crate::domain::source::ChronoSeconds;
use crate::engine::headless::Wanted;
use crate::text::Untrusted;

/// What to do with silences.
#[derive(Debug, clap::Subcommand)]
pub enum SilencesCommand {
    /// List pending and active silences of every Alertmanager
    List(ListArgs),
    /// Silence alerts
    Add(AddArgs),
    /// End silences before their time
    Expire(ExpireArgs),
}

/// Options of `silences add`.
#[derive(Clone, Debug, clap::Args)]
pub struct AddArgs {
    /// What is silenced: NAME=VALUE, NAME!=VALUE, NAME=~REGEX, NAME!~REGEX; all must fit
    #[arg(required = true, value_name = "MATCHER", value_parser = parse_matcher)]
    pub matchers: Vec<Matcher>,
    /// For how long
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    pub span: Duration,
    /// Why
    #[arg(long, short, value_name = "TEXT")]
    pub message: String,
    /// In which cluster [default: the only one]
    #[arg(long, value_name = "CLUSTER")]
    pub cluster: Option<String>,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// Options of `silences expire`.
#[derive(Clone, Debug, clap::Args)]
pub struct ExpireArgs {
    /// Which, as listed
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// In which cluster [default: the only one]
    #[arg(long, value_name = "CLUSTER")]
    pub cluster: Option<String>,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

/// One matcher as amtool takes it.
///
/// # Errors
/// What to write instead.
fn parse_matcher(text: &str) -> Result<Matcher, String> {
    let signs = [("!=", false, false), ("=~", true, true), ("!~", true, false), ("=", false, true)];
    let found = signs
        .iter()
        .filter_map(|sign| Some((text.find(sign.0)?, sign)))
        .min_by_key(|(at, sign)| (*at, sign.0.len() == 1));
    let cut = found.and_then(|(at, sign)| Some((text.get(..at)?, text.get(at + sign.0.len()..)?, sign)));
    match cut {
        Some((name, value, (_, is_regex, is_equal))) if !name.trim().is_empty() => Ok(Matcher {
            name: Untrusted::from(name.trim()),
            value: Untrusted::from(value.trim().trim_matches('"')),
            is_regex: *is_regex,
            is_equal: *is_equal,
        }),
        _ => Err("write NAME=VALUE, NAME!=VALUE, NAME=~REGEX or NAME!~REGEX".to_owned()),
    }
}

fn cluster_of(desk: &Desk, wanted: Option<&str>) -> Result<SourceId, Usage> {
    let mut known: Vec<&SourceId> = desk.config.alertmanagers.iter().map(|one| &one.cluster).collect();
    known.dedup();
    let names = || known.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, known.as_slice()) {
        (None, [only]) => Ok((*only).clone()),
        (None, _) => Err(Usage::new(format!("name the cluster: --cluster one of {}", names()))),
        (Some(wanted), known) => match known.iter().find(|id| id.as_str() == wanted) {
            Some(found) => Ok((*found).clone()),
            None => Err(Usage::new(format!("there is no cluster '{wanted}'; one of {}", names()))),
        },
    }
}

fn step(word: &str, action: Action) -> Step {
    Step { word: word.to_owned(), planned: Ok((Target::New, action)), says: None }
}

async fn add(desk: &Desk, args: AddArgs) -> color_eyre::Result<i32> {
    desk.needs_write()?;
    let cluster = cluster_of(desk, args.cluster.as_deref())?;
    let word = cluster.to_string();
    let span = ChronoSeconds(i64::try_from(args.span.as_secs()).unwrap_or(i64::MAX));
    let silencing = Silencing { cluster, matchers: args.matchers, span, comment: Untrusted::from(args.message) };
    send(desk, vec![step(&word, Action::Silence(silencing))], &args.answering).await
}

async fn expire(desk: &Desk, args: ExpireArgs) -> color_eyre::Result<i32> {
    desk.needs_write()?;
    let cluster = cluster_of(desk, args.cluster.as_deref())?;
    let mut steps = Vec::new();
    for id in &args.ids {
        let Some(known) = SilenceId::parse(id) else {
            return Err(Usage::new(format!("'{id}' is no id of a silence; see 'warroom silences list'")).into());
        };
        steps.push(step(id, Action::Unsilence { cluster: cluster.clone(), id: known }));
    }
    send(desk, steps, &args.answering).await
}

/// Options of `silences list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArgs {
    /// Expired ones too
    #[arg(long, short)]
    pub all: bool,
    /// How the answer is given.
    #[command(flatten)]
    pub answering: Answering,
}

#[derive(serde::Serialize)]
struct Listed {
    silences: Vec<SilenceJson>,
}

/// Runs it.
///
/// # Errors
/// One sentence.
pub async fn run(session: &Session, command: SilencesCommand) -> color_eyre::Result<i32> {
    let desk = Desk::open(session);
    desk.needs_alertmanager()?;
    let args = match command {
        SilencesCommand::List(args) => args,
        SilencesCommand::Add(args) => return add(&desk, args).await,
        SilencesCommand::Expire(args) => return expire(&desk, args).await,
    };
    let collected = desk.collect(&[Wanted::Silences], args.answering.timeout).await?;
    let silences = collected.room.silences().map(|silence| &**silence);
    let mut silences: Vec<&Silence> =
        silences.filter(|silence| args.all || silence.state != SilenceState::Expired).collect();
    silences.sort_by(|one, other| (one.ends_at, &one.id).cmp(&(other.ends_at, &other.id)));
    if args.answering.json {
        let silences = silences.into_iter().map(SilenceJson::of).collect();
        print::json(&Answer::new(Listed { silences }, &collected.failures))?;
    } else if silences.is_empty() && collected.failures.is_empty() {
        print::out("no silences\n")?;
    } else if !silences.is_empty() {
        print::out(&table(&silences, &desk).render(Style::of_stdout()))?;
    }
    Ok(tell_failures(&collected.failures))
}

fn table(silences: &[&Silence], desk: &Desk) -> Table {
    let mut table = Table::new(&["ID", "CLUSTER", "STATE", ">ENDS IN", "BY", "MATCHERS", "COMMENT"]);
    for silence in silences {
        let (word, tone) = match silence.state {
            SilenceState::Pending => ("pending", Some(Tone::Warning)),
            SilenceState::Active => ("active", Some(Tone::Good)),
            SilenceState::Expired => ("expired", Some(Tone::Faint)),
        };
        let matchers = silence.matchers.iter().map(|one| matcher(one).to_string()).collect::<Vec<_>>().join(" ");
        table.row([
            cell(silence.id.as_str()),
            cell(silence.cluster.as_str()),
            cell(word).tone(tone),
            cell(when::span(silence.ends_at.signed_duration_since(desk.now()))),
            cell(&silence.created_by),
            cell(matchers),
            cell(&silence.comment),
        ]);
    }
    table
}

//! `init`: asks for addresses and tokens, tries each of them live, writes a commented configuration with mode 0600.
//!
//! A token that is typed goes into a file of its own beside the configuration, never into it.

mod questions;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::ask;
use super::desk::Desk;
use super::exit::{self, Usage};
use super::print;
use super::probe::{self, Report, State};
use super::{Session, session::environment};
use crate::config::defaults;
use crate::config::model::{AlertmanagerConfig, PagerDutyConfig, PrometheusConfig, SecretSource};
use crate::domain::failure::FailureKind;
use crate::domain::id::SourceId;
use crate::engine::Secrets;
use questions::Asked;
use write::Answers;

/// Options of `init`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct InitArgs {
    /// Write over a configuration that is there (the old one is kept as config.toml.old)
    #[arg(long)]
    pub force: bool,
    /// Keep what could not be reached
    #[arg(long)]
    pub keep_unreachable: bool,
    /// More certificate authorities for every source, PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Asks, tries, writes.
///
/// # Errors
/// [`Usage`] when the file is there already; what hinders the writing.
pub async fn run(session: &Session, args: InitArgs) -> color_eyre::Result<i32> {
    let path = session.globals.config.clone().unwrap_or_else(|| session.places.config_file());
    let shown = path.display().to_string();
    if path.exists() && !args.force {
        return Err(Usage::new(format!("{shown} is there already: edit it, or give --force to write a new one")).into());
    }
    let ca_file = match &args.ca_file {
        Some(file) => Some(std::path::absolute(file)?),
        None => None,
    };
    let dialogue = Dialogue {
        desk: Desk::of(session.load().config, false),
        keep: args.keep_unreachable,
        ca_file,
        path: path.clone(),
    };
    print::note("Enter keeps what stands in brackets; nothing at all skips a part.");
    let mut answers = Answers { ca_file: dialogue.ca_file.clone(), ..Answers::default() };
    let operator = dialogue.desk.config.room.operator.to_string();
    answers.operator = questions::text("Your name, for notes and the journal", Some(&operator)).await?;
    let (pagerduty, typed) = dialogue.pagerduty().await?.unzip();
    answers.pagerduty = pagerduty;
    let alertmanagers = dialogue.addresses("Alertmanager", "http://localhost:9093").await?;
    answers.alertmanagers = alertmanagers.into_iter().map(|instance| (instance.url, instance.cluster)).collect();
    let prometheus = dialogue.addresses("Prometheus", "http://localhost:9090").await?;
    answers.prometheus = prometheus.into_iter().map(|instance| instance.url).collect();
    if answers.is_empty() {
        return Err(Usage::new("nothing was named, nothing was written; without any account try 'warroom demo'").into());
    }
    if let (Some(Some(typed)), Some(SecretSource::File(file))) = (typed, answers.token()) {
        write::private(file, typed.expose_secret())?;
    }
    let text = answers.render();
    write::config(&path, &text, args.force)?;
    print::out(&format!("wrote {shown} (mode 600)\nnow: warroom check, warroom doctor, warroom\n"))?;
    Ok(exit::DONE)
}

/// A source that was named.
struct Instance {
    url: Url,
    /// The name of the first instance of its cluster.
    cluster: String,
    report: Report,
}

/// What every question needs.
struct Dialogue {
    desk: Desk,
    keep: bool,
    ca_file: Option<PathBuf>,
    path: PathBuf,
}

impl Dialogue {
    async fn pagerduty(&self) -> color_eyre::Result<Option<(PagerDutyConfig, Option<SecretString>)>> {
        let folder = self.path.parent().map(PathBuf::from).unwrap_or_default();
        loop {
            let question =
                "PagerDuty REST token: name of a variable ($NAME), path of a file, or the token itself (not shown)";
            let Some(Asked { source, typed }) = questions::secret(question, &folder.join("pagerduty.token")).await?
            else {
                return Ok(None);
            };
            let secrets: Secrets = match typed.clone() {
                // Not written before it worked: a file that is there may hold one that does.
                Some(typed) => Arc::new(move |_| Ok(typed.clone())),
                None => self.desk.secrets(),
            };
            let url = questions::url("PagerDuty's address", defaults::PAGERDUTY_URL).await?;
            let mut config = self.pagerduty_config(source, url)?;
            let report = probe::pagerduty(&config, &secrets, &self.desk.clock()).await;
            let needs_from = report.checks.iter().any(|check| check.what == "act" && check.state == State::Warning);
            let is_taken = self.tell(&report)?;
            if is_taken {
                if needs_from {
                    let from = questions::text("E-mail of the PagerDuty user who acts", None).await?;
                    config.from = Some(from).filter(|from| !from.is_empty());
                }
                return Ok(Some((config, typed)));
            }
        }
    }

    fn pagerduty_config(&self, token: SecretSource, url: Url) -> color_eyre::Result<PagerDutyConfig> {
        let id = SourceId::parse("pagerduty").ok_or_else(|| Usage::new("not a name"))?;
        Ok(PagerDutyConfig {
            endpoint: probe::endpoint(id, url, self.ca_file.clone()),
            token: Some(token),
            from: None,
            teams: Vec::new(),
            services: Vec::new(),
            users: Vec::new(),
            urgency: None,
            since: None,
            events_url: Url::parse(defaults::PAGERDUTY_EVENTS_URL)?,
            routing_key: None,
        })
    }

    /// Addresses until nothing is typed; each must answer.
    async fn addresses(&self, kind: &str, example: &str) -> color_eyre::Result<Vec<Instance>> {
        let mut found: Vec<Instance> = Vec::new();
        loop {
            let more = if found.is_empty() { "" } else { "another " };
            let question = format!("Address of {more}{kind} (such as {example})");
            let Some(url) = questions::optional_url(&question).await? else { return Ok(found) };
            let name = format!("{}-{}", kind.to_lowercase(), found.len() + 1);
            let id = SourceId::parse(&name).ok_or_else(|| Usage::new("not a name"))?;
            let endpoint = probe::endpoint(id.clone(), url.clone(), self.ca_file.clone());
            let (secrets, clock) = (self.desk.secrets(), self.desk.clock());
            let report = if kind == "Alertmanager" {
                probe::alertmanager(&AlertmanagerConfig { endpoint, cluster: id }, &secrets, &clock).await
            } else {
                let scrape_interval = chrono::Duration::seconds(defaults::SCRAPE_SECONDS);
                probe::prometheus(&PrometheusConfig { endpoint, scrape_interval }, &secrets, &clock).await
            };
            if self.tell(&report)? {
                let twin = found.iter().find(|known: &&Instance| report.is_replica_of(&known.report));
                let cluster = twin.map_or_else(|| name.clone(), |twin| twin.cluster.clone());
                if let Some(twin) = twin {
                    print::note(&format!("  a replica of {}: their alerts are folded", twin.report.name));
                }
                found.push(Instance { url, cluster, report });
            }
        }
    }

    /// Tells what was found; whether the answer is taken. Without a terminal a failure ends it all.
    fn tell(&self, report: &Report) -> color_eyre::Result<bool> {
        for check in report.checks.iter().filter(|check| check.state == State::Failed) {
            match &check.failure {
                Some(failure) => print::tell(&failure.sentence),
                None => print::tell(format!("{}: {}", check.what, check.says)),
            }
        }
        for check in report.checks.iter().filter(|check| check.state != State::Failed && check.state != State::Skipped)
        {
            print::note(&format!("  {}: {}", check.what, check.says));
        }
        // Without the permission to read something it still works in part; what cannot be reached or does not take the
        // token does not work, whatever its clock says.
        let is_refused = |check: &probe::Check| {
            use FailureKind::{Config, NotUnderstood, Timeout, Tls, Unauthorised, Unreachable};
            let kind = check.failure.as_ref().map(|failure| failure.kind);
            matches!(kind, Some(Config | NotUnderstood | Timeout | Tls | Unauthorised | Unreachable))
        };
        let is_usable =
            report.checks.iter().any(|check| check.state == State::Ok) && !report.checks.iter().any(is_refused);
        if is_usable || self.keep {
            return Ok(true);
        }
        if ask::is_possible() {
            return Ok(false);
        }
        Err(Usage::new(format!(
            "{} does not work, nothing was written; --keep-unreachable takes it all the same",
            report.name
        ))
        .into())
    }
}

/// The variable a person named exists in this shell.
fn is_set(name: &str) -> bool {
    environment(name).is_some()
}

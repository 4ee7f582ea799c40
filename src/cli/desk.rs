//! What a subcommand without a screen works with: configuration, secrets, clock, and the engine's headless doors.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::Session;
use super::exit::Usage;
use super::print;
use super::session::environment;
use crate::config::Config;
use crate::config::model::SecretSource;
use crate::config::secrets::Finder;
use crate::domain::action::Intent;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::time::Timestamp;
use crate::engine::Secrets;
use crate::engine::clock::Clock;
use crate::engine::headless::{self, Acted, Collected, Outcome, Resume, Wanted};
use crate::text::Clean;

/// Options of every subcommand that asks sources.
#[derive(Clone, Debug, clap::Args)]
pub struct Answering {
    /// Print JSON (fields: docs/json.md)
    #[arg(long)]
    pub json: bool,
    /// Give up after so long
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    pub timeout: Duration,
}

/// A span from the command line.
///
/// # Errors
/// What to write instead.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|_cause| "write a number and a unit, such as 30s, 5m or 4h".to_owned())?;
    if span.is_zero() { Err("it must be longer than nothing".to_owned()) } else { Ok(span) }
}

/// What a subcommand works with.
#[derive(Clone)]
pub struct Desk {
    /// Everything configured.
    pub config: Arc<Config>,
    /// Whether something in the configuration could not be used.
    pub is_config_broken: bool,
    secrets: Secrets,
    clock: Clock,
}

impl Desk {
    /// Loads the configuration and tells its problems on standard error; they do not stop anything by themselves.
    #[must_use]
    pub fn open(session: &Session) -> Self {
        let loaded = session.load();
        loaded.problems.iter().for_each(|problem| print::tell(problem.to_string()));
        Self::of(loaded.config, loaded.problems.iter().any(|problem| problem.is_error))
    }

    /// With a configuration that was loaded and told already.
    #[must_use]
    pub fn of(config: Config, is_config_broken: bool) -> Self {
        let secrets = secrets(&config);
        Self { config: Arc::new(config), is_config_broken, secrets, clock: Clock::system() }
    }

    /// With secrets of its own: the simulated world believes everybody.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// What lists incidents asks: PagerDuty only where a token is configured, Alertmanagers where there are some.
    #[must_use]
    pub fn incident_sources(&self) -> Vec<Wanted> {
        let has_token = self.config.pagerduty.as_ref().is_some_and(|pagerduty| pagerduty.token.is_some());
        let pagerduty = has_token.then_some(Wanted::Incidents);
        pagerduty.into_iter().chain((!self.config.alertmanagers.is_empty()).then_some(Wanted::Alerts)).collect()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where secrets are found.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        Arc::clone(&self.secrets)
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Asks once. At least one source of the kinds must be configured.
    ///
    /// # Errors
    /// [`Usage`] when there is nothing to ask.
    pub async fn collect(&self, wanted: &[Wanted], limit: Duration) -> color_eyre::Result<Collected> {
        let (secrets, clock) = (self.secrets(), self.clock());
        let mut collected = headless::collect(Arc::clone(&self.config), secrets, wanted, clock, limit).await;
        collected.failures = one_for_each_cause(collected.failures);
        Ok(collected)
    }

    /// Acts: journal, outbox, source.
    pub async fn act(&self, intents: Vec<Intent>, limit: Duration) -> Vec<Outcome> {
        let acted = headless::act(Arc::clone(&self.config), self.secrets(), intents, self.clock(), limit).await;
        Self::told(acted)
    }

    /// Goes on with what is in the outbox.
    pub async fn resume(&self, ask: Resume, limit: Duration) -> Vec<Outcome> {
        let acted = headless::resume(Arc::clone(&self.config), self.secrets(), ask, self.clock(), limit).await;
        Self::told(acted)
    }

    fn told(acted: Acted) -> Vec<Outcome> {
        // What could not be written is told with each outcome; this is what else there is to say of the journal.
        let failures: Vec<&Failure> = acted
            .outcomes
            .iter()
            .filter_map(|outcome| match &outcome.delivery {
                crate::domain::action::Delivery::Failed { failure } => Some(failure),
                _ => None,
            })
            .collect();
        for problem in acted.problems.iter().filter(|problem| !failures.contains(problem)) {
            print::tell(problem.to_string());
        }
        acted.outcomes
    }

    /// Refuses when there is no PagerDuty to ask.
    ///
    /// # Errors
    /// [`Usage`] with what to do.
    pub fn needs_pagerduty(&self) -> Result<(), Usage> {
        self.needs("[pagerduty]", self.config.pagerduty.is_some(), "with token = { env = \"PAGERDUTY_TOKEN\" }")
    }

    /// Refuses when there is no Alertmanager to ask.
    ///
    /// # Errors
    /// [`Usage`] with what to do.
    pub fn needs_alertmanager(&self) -> Result<(), Usage> {
        self.needs("[[alertmanager]]", !self.config.alertmanagers.is_empty(), "with url = \"http://HOST:9093\"")
    }

    /// Refuses when no source of incidents is there.
    ///
    /// # Errors
    /// [`Usage`] with what to do.
    pub fn needs_incidents(&self) -> Result<(), Usage> {
        let is_there = !self.incident_sources().is_empty();
        self.needs("[pagerduty] with a token, or [[alertmanager]]", is_there, "or try 'warroom demo'")
    }

    fn needs(&self, section: &str, is_there: bool, how: &str) -> Result<(), Usage> {
        if is_there {
            return Ok(());
        }
        let file =
            self.config.file.as_ref().map_or_else(|| "the configuration".to_owned(), |file| file.display().to_string());
        let fix = if self.is_config_broken {
            "correct what is told above".to_owned()
        } else {
            format!("run 'warroom init', or add {section} {how}")
        };
        Err(Usage::new(format!("no usable {section} is in {file}; {fix}")))
    }

    /// Refuses to act in a read-only room.
    ///
    /// # Errors
    /// [`Usage`] that says where it was switched on.
    pub fn needs_write(&self) -> Result<(), Usage> {
        if self.config.room.read_only {
            return Err(Usage::new(
                "the room is read-only: nothing was sent; leave out --read-only, WARROOM_READ_ONLY and read_only in [room] to act",
            ));
        }
        Ok(())
    }
}

/// The engine's way to secrets.
#[must_use]
pub fn secrets(config: &Config) -> Secrets {
    let finder = Finder::new(config);
    Arc::new(move |source: &SecretSource| -> Result<SecretString, Failure> { finder.find(source, &environment) })
}

/// Several questions to one source that fail for one cause are one failure: the last, which is the one that was wanted
/// (those before it only prepare). A subcommand asks once, so the person is the one who asks again.
fn one_for_each_cause(failures: Vec<Failure>) -> Vec<Failure> {
    let mut told: Vec<Failure> = Vec::new();
    for mut failure in failures {
        failure.remedy = Clean::new(failure.remedy.as_str().replace("it is asked again", "try again"));
        let is_same = |known: &Failure| (&known.target, &known.cause) == (&failure.target, &failure.cause);
        told.retain(|known| !is_same(known));
        told.push(failure);
    }
    told
}

/// Tells what could not be asked, one sentence each, and the exit code that follows from it.
#[must_use]
pub fn tell_failures(failures: &[Failure]) -> i32 {
    for failure in failures {
        print::tell(failure.to_string());
    }
    match failures {
        [] => super::exit::DONE,
        _ if failures.iter().any(|failure| failure.kind == FailureKind::Config) => super::exit::USAGE,
        _ => super::exit::FAILED,
    }
}

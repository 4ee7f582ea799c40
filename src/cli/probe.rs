//! Tries a source and says what works: for `doctor` and `init`. Changes nothing anywhere and pages nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{Duration, TimeDelta};
use secrecy::SecretString;
use serde::Serialize;

use super::json::FailureJson;
use crate::config::model::{AlertmanagerConfig, AuthConfig, Endpoint, HeaderValue, PagerDutyConfig, PrometheusConfig};
use crate::domain::effect::QueryTime;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::source::{ChronoSeconds, RateBudget};
use crate::engine::Secrets;
use crate::engine::clock::Clock;
use crate::sources::{Auth, Credential, Edge, Settings, SourceError, alertmanager, pagerduty, prometheus};
use crate::text::Clean;

/// Clocks that differ by more make ages and countdowns wrong enough to mislead.
const MOST_SKEW_S: i64 = 5;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warning,
    /// Does not work.
    Failed,
    /// Was not tried.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: &'static str,
    /// How it went.
    pub state: State,
    /// What was seen.
    pub says: Clean,
    /// What to do.
    pub fix: Clean,
    /// The failure, where there was one.
    pub failure: Option<FailureJson>,
}

impl Check {
    fn new(what: &'static str, state: State, says: impl AsRef<str>, fix: &str) -> Self {
        Self { what, state, says: Clean::new(says), fix: Clean::new(fix), failure: None }
    }

    pub(super) fn ok(what: &'static str, says: impl AsRef<str>) -> Self {
        Self::new(what, State::Ok, says, "")
    }

    pub(super) fn warning(what: &'static str, says: impl AsRef<str>, fix: &str) -> Self {
        Self::new(what, State::Warning, says, fix)
    }

    pub(super) fn failed(what: &'static str, failure: &Failure) -> Self {
        Self {
            what,
            state: State::Failed,
            says: failure.cause.clone(),
            fix: failure.remedy.clone(),
            failure: Some(FailureJson::of(failure)),
        }
    }
}

/// Everything found out about one source.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its configured name.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Its address.
    pub url: String,
    /// Its version.
    pub version: Option<Clean>,
    /// Its clock minus ours, in seconds.
    pub clock_skew_s: Option<i64>,
    /// What its headers say of the rate limit.
    pub rate_limit: Option<RateBudget>,
    /// The checks in order.
    pub checks: Vec<Check>,
    /// Addresses of its Alertmanager cluster, itself included; none when it is alone.
    #[serde(skip)]
    pub peers: BTreeSet<Clean>,
}

impl Report {
    fn new(kind: &'static str, endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.id.to_string(),
            kind,
            url: endpoint.url.to_string(),
            version: None,
            clock_skew_s: None,
            rate_limit: None,
            checks: Vec::new(),
            peers: BTreeSet::new(),
        }
    }

    /// True when both are replicas of one Alertmanager cluster.
    #[must_use]
    pub fn is_replica_of(&self, other: &Self) -> bool {
        self.peers.len() > 1 && self.peers == other.peers
    }

    /// Of a source that did not answer everything in time.
    #[must_use]
    pub fn late(kind: &'static str, endpoint: &Endpoint, limit: std::time::Duration) -> Self {
        let mut report = Self::new(kind, endpoint);
        let failure = Failure {
            kind: FailureKind::Timeout,
            what: Clean::new("try"),
            target: Clean::new(report.target()),
            cause: Clean::new(format!("it did not answer everything within {} s", limit.as_secs())),
            remedy: Clean::new("look at its load, or give --timeout more"),
        };
        report.checks.push(Check::failed("in time", &failure));
        report
    }

    /// True when nothing failed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Failed)
    }

    /// True when a failure is the configuration's.
    #[must_use]
    pub fn is_misconfigured(&self) -> bool {
        let kinds = self.checks.iter().filter_map(|check| check.failure.as_ref());
        kinds.into_iter().any(|failure| failure.kind == FailureKind::Config)
    }

    fn target(&self) -> String {
        format!("{} ({})", self.name, self.url.trim_end_matches('/'))
    }

    fn note(&mut self, what: &'static str, done: Result<String, SourceError>) -> bool {
        let is_done = done.is_ok();
        let target = self.target();
        self.checks.push(match done {
            Ok(says) => Check::ok(what, says),
            Err(error) => {
                let verb = match what {
                    "authorised" => "log in to",
                    "reachable" => "reach",
                    other => other,
                };
                Check::failed(what, &error.into_failure(verb, &target))
            }
        });
        is_done
    }

    fn note_clock(&mut self, skew: Option<ChronoSeconds>) {
        let Some(ChronoSeconds(seconds)) = skew else { return };
        self.clock_skew_s = Some(seconds);
        let says =
            format!("its clock is {} s {}", seconds.abs(), if seconds < 0 { "behind ours" } else { "ahead of ours" });
        self.checks.push(if seconds.abs() > MOST_SKEW_S {
            Check::warning("clock", says, "set this machine's clock by NTP; ages and countdowns are off by that much")
        } else {
            Check::ok("clock", says)
        });
    }

    fn note_budget(&mut self, budget: Option<RateBudget>) {
        let Some(budget) = budget else { return };
        self.rate_limit = Some(budget);
        let says = format!(
            "{} of {} requests left until {}",
            budget.remaining,
            budget.limit,
            budget.resets_at.format("%H:%M:%SZ")
        );
        self.checks.push(if u64::from(budget.remaining) * 10 < u64::from(budget.limit) {
            Check::warning(
                "rate limit",
                says,
                "something else uses this token: give warroom one of its own, or poll less often",
            )
        } else {
            Check::ok("rate limit", says)
        });
    }
}

/// Tries PagerDuty: token, reading, who acts.
pub async fn pagerduty(config: &PagerDutyConfig, secrets: &Secrets, clock: &Clock) -> Report {
    let mut report = Report::new("pagerduty", &config.endpoint);
    if let Some(token) = &config.token {
        match pagerduty_client(config, token, secrets, clock).await {
            Ok(client) => ask_pagerduty(&mut report, config, &client).await,
            Err(failure) => report.checks.push(Check::failed("token", &failure)),
        }
    } else {
        report.url = config.events_url.to_string();
        let fix = "add token to [pagerduty] to see incidents; a routing key alone only sends events";
        report.checks.push(Check::warning("token", "none is configured: incidents cannot be listed", fix));
    }
    if let Some(key) = &config.routing_key {
        report.checks.push(match find(secrets, key).await {
            Ok(_) => {
                Check::new("routing key", State::Skipped, "found; not tried, since an event would page somebody", "")
            }
            Err(failure) => Check::failed("routing key", &failure),
        });
    }
    report
}

async fn ask_pagerduty(report: &mut Report, config: &PagerDutyConfig, client: &pagerduty::Client) {
    let me = client.me().await;
    let is_account = matches!(me, Ok(None));
    let role = me.as_ref().ok().and_then(|me| me.as_ref().map(|me| me.role.clone()));
    let who = me.map(|me| match me {
        Some(me) => format!("as {} ({}), role {}", me.name, me.email, me.role),
        None => "with an account's token".to_owned(),
    });
    if report.note("authorised", who) {
        let filter = pagerduty::Filter { since: Some(TimeDelta::hours(1)), ..pagerduty::Filter::default() };
        let count = |word: &'static str| move |number: usize| format!("{number} {word}");
        let open = client.open_incidents(&filter).await.map(|list| count("opened in the last hour")(list.items.len()));
        report.note("read incidents", open);
        let oncall = client.oncalls(&[]).await.map(|list| count("entries")(list.items.len()));
        report.note("read on-call", oncall);
        let services = client.services().await.map(|list| count("services")(list.items.len()));
        report.note("read services", services);
        let users = client.users().await.map(|list| count("people")(list.items.len()));
        report.note("read users", users);
        let priorities = client.priorities().await.map(|list| match list.items.len() {
            0 => "the account has none: severity comes from urgency and labels".to_owned(),
            number => count("priorities")(number),
        });
        report.note("read priorities", priorities);
        report.checks.push(acting(config, is_account, role.as_ref().map_or("", Clean::as_str)));
    }
    report.note_clock(client.skew());
    report.note_budget(client.budget());
}

/// Whether actions can work, as far as can be said without doing one.
fn acting(config: &PagerDutyConfig, is_account: bool, role: &str) -> Check {
    let read_only = ["read_only_user", "read_only_limited_user", "observer", "restricted_access"];
    if is_account && config.from.is_none() {
        let fix = "add from = \"you@example.com\", a user of the account, to [pagerduty]";
        return Check::warning("act", "an account's token must say for whom it acts", fix);
    }
    if read_only.contains(&role) {
        let fix = "use the token of a user who may respond to incidents";
        return Check::warning("act", format!("the role {role} may not change incidents"), fix);
    }
    Check::new("act", State::Skipped, "not tried, since it would change an incident", "")
}

/// Tries one Alertmanager.
pub async fn alertmanager(config: &AlertmanagerConfig, secrets: &Secrets, clock: &Clock) -> Report {
    let mut report = Report::new("alertmanager", &config.endpoint);
    let client = settings(&config.endpoint, secrets, clock).await.and_then(|http| {
        let settings = alertmanager::Settings { id: config.endpoint.id.clone(), cluster: config.cluster.clone(), http };
        alertmanager::Client::new(settings).map_err(|error| error.into_failure("set up", &report.target()))
    });
    let client = match client {
        Ok(client) => client,
        Err(failure) => {
            report.checks.push(Check::failed("secret", &failure));
            return report;
        }
    };
    let status = client.status().await;
    if let Ok(status) = &status {
        report.version.clone_from(&status.version);
        report.peers = status.peers.iter().cloned().collect();
    }
    let says = status.map(|status| format!("cluster {}, {} peers", status.cluster_state, status.peers.len()));
    if report.note("reachable", says) {
        let silences = client.silences().await;
        let skew = silences.as_ref().ok().and_then(|list| list.skew);
        report.note("read silences", silences.map(|list| format!("{} silences", list.items.len())));
        let alerts = client.alerts().await;
        report.note("read alerts", alerts.map(|list| format!("{} alerts", list.items.len())));
        report.note_clock(skew);
    }
    report
}

/// Tries one Prometheus.
pub async fn prometheus(config: &PrometheusConfig, secrets: &Secrets, clock: &Clock) -> Report {
    let mut report = Report::new("prometheus", &config.endpoint);
    let client = settings(&config.endpoint, secrets, clock).await.and_then(|http| {
        let settings = prometheus::Settings { id: config.endpoint.id.clone(), http };
        prometheus::Client::new(settings).map_err(|error| error.into_failure("set up", &report.target()))
    });
    let client = match client {
        Ok(client) => client,
        Err(failure) => {
            report.checks.push(Check::failed("secret", &failure));
            return report;
        }
    };
    // Reading is the query API's matter: servers that only speak that one are sound.
    let answer = client.query("vector(1)", QueryTime::Instant(clock.now())).await;
    if report.note("query", answer.map(|_| "answered".to_owned())) {
        match client.version().await {
            Ok(version) => report.version = version,
            Err(error) => {
                let failure = error.into_failure("version", &report.target());
                report.checks.push(Check::warning("version", &failure.cause, failure.remedy.as_str()));
            }
        }
    }
    report
}

async fn pagerduty_client(
    config: &PagerDutyConfig,
    token: &crate::config::model::SecretSource,
    secrets: &Secrets,
    clock: &Clock,
) -> Result<pagerduty::Client, Failure> {
    let token = find(secrets, token).await?;
    let http = settings(&config.endpoint, secrets, clock).await?;
    let settings = pagerduty::Settings { id: config.endpoint.id.clone(), http, token, from: config.from.clone() };
    pagerduty::Client::new(settings).map_err(|error| error.into_failure("set up", config.endpoint.id.as_str()))
}

/// A secret, found off the async threads: a command may take its time.
async fn find(secrets: &Secrets, source: &crate::config::model::SecretSource) -> Result<SecretString, Failure> {
    let (secrets, source) = (Arc::clone(secrets), source.clone());
    tokio::task::spawn_blocking(move || secrets(&source)).await.unwrap_or_else(|cause| {
        Err(Failure {
            kind: FailureKind::Internal,
            what: Clean::new("find"),
            target: Clean::new("a secret"),
            cause: Clean::new(cause.to_string()),
            remedy: Clean::default(),
        })
    })
}

async fn settings(endpoint: &Endpoint, secrets: &Secrets, clock: &Clock) -> Result<Settings, Failure> {
    let mut settings = Settings::new(endpoint.url.clone(), edge(clock));
    settings.auth = auth(&endpoint.auth, secrets).await?;
    if let Some(path) = &endpoint.ca_file {
        settings.ca_pem = Some(std::fs::read(path).map_err(|cause| Failure {
            kind: FailureKind::Config,
            what: Clean::new("read"),
            target: Clean::new(path.display().to_string()),
            cause: Clean::new(cause.to_string()),
            remedy: Clean::new("correct ca_file in the configuration"),
        })?);
    }
    // A person waits: one try, and not for minutes.
    settings.limits.retries = 0;
    settings.limits.bulk_answer = std::time::Duration::from_secs(60);
    Ok(settings)
}

async fn auth(config: &AuthConfig, secrets: &Secrets) -> Result<Auth, Failure> {
    let mut auth = Auth::default();
    if let Some(token) = &config.bearer {
        auth.credential = Credential::Bearer(find(secrets, token).await?);
    } else if let Some((user, password)) = &config.basic {
        auth.credential = Credential::Basic(user.clone(), find(secrets, password).await?);
    }
    for (name, value) in &config.headers {
        match value {
            HeaderValue::Plain(text) => auth.plain.push((name.clone(), text.clone())),
            HeaderValue::Secret(source) => auth.headers.push((name.clone(), find(secrets, source).await?)),
        }
    }
    Ok(auth)
}

fn edge(clock: &Clock) -> Edge {
    let clock = clock.clone();
    Edge { now: Arc::new(move || clock.now()), random: Arc::new(rand::random) }
}

/// An endpoint as a person names it in `init`: address alone.
#[must_use]
pub fn endpoint(id: crate::domain::id::SourceId, url: url::Url, ca_file: Option<std::path::PathBuf>) -> Endpoint {
    Endpoint { id, url, auth: AuthConfig::default(), ca_file, every: Duration::seconds(15) }
}

//! Makes the sources' clients from the config: addresses, authorities, secrets. Blocking; called through a [`Link`].

use std::fs;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::Secrets;
use super::clock::{Clock, edge};
use super::link::{Link, Sealer};
use crate::config::model::{
    AlertmanagerConfig, AuthConfig, Endpoint, HeaderValue, PagerDutyConfig, PrometheusConfig, RoomConfig, SecretSource,
};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::source::SourceKind;
use crate::sources::http::Settings;
use crate::sources::{Auth, Credential, SourceError, alertmanager, pagerduty, prometheus};
use crate::store::postgres::Address;
use crate::store::shared::SharedRoom;
use crate::store::sqlite::Place;
use crate::text::Clean;

/// Finds secrets and remembers that it saw them.
struct Safe<'a> {
    secrets: &'a Secrets,
    sealer: &'a mut Sealer,
}

impl Safe<'_> {
    fn find(&mut self, source: &SecretSource) -> Result<SecretString, Failure> {
        let secret = (self.secrets)(source)?;
        self.sealer.see(secret.expose_secret());
        Ok(secret)
    }

    fn auth(&mut self, config: &AuthConfig) -> Result<Auth, Failure> {
        let credential = match (&config.bearer, &config.basic) {
            (Some(token), _) => Credential::Bearer(self.find(token)?),
            (None, Some((user, password))) => Credential::Basic(user.clone(), self.find(password)?),
            (None, None) => Credential::None,
        };
        let (mut headers, mut plain) = (Vec::new(), Vec::new());
        for (name, value) in &config.headers {
            match value {
                HeaderValue::Plain(text) => plain.push((name.clone(), text.clone())),
                HeaderValue::Secret(source) => headers.push((name.clone(), self.find(source)?)),
            }
        }
        Ok(Auth { credential, headers, plain })
    }

    fn settings(&mut self, endpoint: &Endpoint, clock: &Clock) -> Result<Settings, Failure> {
        let mut settings = Settings::new(endpoint.url.clone(), edge(clock));
        settings.auth = self.auth(&endpoint.auth)?;
        settings.ca_pem = endpoint.ca_file.as_deref().map(authorities).transpose()?;
        Ok(settings)
    }
}

fn authorities(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|cause| Failure {
        kind: FailureKind::Config,
        what: Clean::new("read"),
        target: Clean::new(path.display().to_string()),
        cause: Clean::new(cause.to_string()),
        remedy: Clean::new("correct ca_file in the config"),
    })
}

fn unusable(endpoint: &Endpoint) -> impl Fn(SourceError) -> Failure {
    let target = format!("{} ({})", endpoint.id, endpoint.url.origin().ascii_serialization());
    move |error| error.into_failure("set up", &target)
}

fn is_quiet<'a>(mut sources: impl Iterator<Item = &'a SecretSource>) -> bool {
    sources.all(|source| matches!(source, SecretSource::Env(_) | SecretSource::File(_)))
}

fn secrets_of(auth: &AuthConfig) -> impl Iterator<Item = &SecretSource> {
    let headers = auth.headers.iter().filter_map(|(_, value)| match value {
        HeaderValue::Secret(source) => Some(source),
        HeaderValue::Plain(_) => None,
    });
    auth.bearer.iter().chain(auth.basic.iter().map(|(_, source)| source)).chain(headers)
}

/// PagerDuty's REST client, where a token is configured.
pub(crate) fn pagerduty(
    config: &PagerDutyConfig,
    secrets: &Secrets,
    clock: &Clock,
) -> Option<Arc<Link<pagerduty::Client>>> {
    let token = config.token.clone()?;
    let (config, secrets, clock) = (config.clone(), Arc::clone(secrets), clock.clone());
    Some(Arc::new(Link::new(is_quiet([&token].into_iter()), move |sealer| {
        let mut safe = Safe { secrets: &secrets, sealer };
        let settings = pagerduty::Settings {
            id: config.endpoint.id.clone(),
            http: safe.settings(&config.endpoint, &clock)?,
            token: safe.find(&token)?,
            from: config.from.clone(),
        };
        pagerduty::Client::new(settings).map_err(unusable(&config.endpoint))
    })))
}

/// PagerDuty's Events client, where a routing key is configured.
pub(crate) fn events(
    config: &PagerDutyConfig,
    secrets: &Secrets,
    clock: &Clock,
) -> Option<Arc<Link<pagerduty::Events>>> {
    let key = config.routing_key.clone()?;
    let (config, secrets, clock) = (config.clone(), Arc::clone(secrets), clock.clone());
    Some(Arc::new(Link::new(is_quiet([&key].into_iter()), move |sealer| {
        let mut safe = Safe { secrets: &secrets, sealer };
        let mut settings = safe.settings(&config.endpoint, &clock)?;
        settings.url = config.events_url.clone();
        let key = safe.find(&key)?;
        pagerduty::Events::new(settings, key).map_err(unusable(&config.endpoint))
    })))
}

/// A client for one Alertmanager instance.
pub(crate) fn alertmanager(
    config: &AlertmanagerConfig,
    secrets: &Secrets,
    clock: &Clock,
) -> Arc<Link<alertmanager::Client>> {
    let (config, secrets, clock) = (config.clone(), Arc::clone(secrets), clock.clone());
    Arc::new(Link::new(is_quiet(secrets_of(&config.endpoint.auth)), move |sealer| {
        let mut safe = Safe { secrets: &secrets, sealer };
        let settings = alertmanager::Settings {
            id: config.endpoint.id.clone(),
            cluster: config.cluster.clone(),
            http: safe.settings(&config.endpoint, &clock)?,
        };
        alertmanager::Client::new(settings).map_err(unusable(&config.endpoint))
    }))
}

/// A client for one Prometheus.
pub(crate) fn prometheus(config: &PrometheusConfig, secrets: &Secrets, clock: &Clock) -> Arc<Link<prometheus::Client>> {
    let (config, secrets, clock) = (config.clone(), Arc::clone(secrets), clock.clone());
    Arc::new(Link::new(is_quiet(secrets_of(&config.endpoint.auth)), move |sealer| {
        let mut safe = Safe { secrets: &secrets, sealer };
        let settings =
            prometheus::Settings { id: config.endpoint.id.clone(), http: safe.settings(&config.endpoint, &clock)? };
        prometheus::Client::new(settings).map_err(unusable(&config.endpoint))
    }))
}

/// How a source is called in failures: name and address.
pub(crate) fn shown(endpoint: &Endpoint, kind: SourceKind) -> String {
    match kind {
        SourceKind::PagerDuty => endpoint.id.to_string(),
        _ => format!("{} ({})", endpoint.id, endpoint.url.origin().ascii_serialization()),
    }
}

/// The room that `[room] journal` shares; none where it names a file.
///
/// # Errors
/// The address cannot be used.
pub(crate) fn shared_room(room: &RoomConfig, clock: &Clock) -> Result<Option<Arc<SharedRoom>>, Failure> {
    if !Address::is_one(&room.journal) {
        return Ok(None);
    }
    let address = Address::parse(&room.journal).map_err(|cause| cause.failure("open the shared room at"))?;
    // One file for each room: what was done in one must not turn up in another.
    let digest: String = Sha256::digest(address.shown()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let place = Place::File(room.apart.join(format!("{digest}.db")));
    let clock = clock.clone();
    Ok(Some(Arc::new(SharedRoom::new(&address, place, Arc::new(move || clock.now())))))
}

//! `[pagerduty]`, `[[alertmanager]]`, `[[prometheus]]`.

use chrono::Duration;
use url::{Host, Url};

use super::{Around, auth, secret};
use crate::config::defaults;
use crate::config::model::{
    AlertmanagerConfig, AuthConfig, Config, Endpoint, HeaderValue, PagerDutyConfig, PrometheusConfig,
};
use crate::config::read::{Item, Section};
use crate::domain::id::SourceId;
use crate::domain::incident::Urgency;

pub(super) fn pagerduty(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("pagerduty", "[pagerduty]") else { return };
    let url = address(&section, "url", defaults::PAGERDUTY_URL);
    let events_url = address(&section, "events_url", defaults::PAGERDUTY_EVENTS_URL);
    let token = section.item("token").and_then(|item| secret(&item, around));
    let routing_key = section.item("routing_key").and_then(|item| secret(&item, around));
    let from = section.item("from").and_then(|item| email(&item));
    let list = |key| section.item(key).and_then(|item: Item<'_>| item.texts()).unwrap_or_default();
    let (teams, services, users) = (list("teams"), list("services"), list("users"));
    let urgency =
        section.item("urgency").and_then(|item| item.choice(&[("high", Urgency::High), ("low", Urgency::Low)]));
    let since = section.item("since").and_then(|item| item.duration(Duration::minutes(1), Duration::days(180)));
    let endpoint = endpoint(&section, "pagerduty", url, AuthConfig::default(), around);
    if !section.has("token") && !section.has("routing_key") {
        section.missing("token", "{ env = \"PAGERDUTY_TOKEN\" }");
    }
    let is_safe = (token.is_none() && routing_key.is_none())
        || (is_private(&section, endpoint.as_ref().map(|endpoint| &endpoint.url))
            && is_private(&section, events_url.as_ref()));
    section.finish();
    let (Some(endpoint), Some(events_url), true) = (endpoint, events_url, is_safe) else { return };
    config.pagerduty = Some(PagerDutyConfig {
        endpoint,
        token,
        from,
        teams,
        services,
        users,
        urgency,
        since,
        events_url,
        routing_key,
    });
}

pub(super) fn alertmanagers(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    for section in top.tables("alertmanager", "[[alertmanager]]") {
        let cluster = section.item("cluster").and_then(|item| source_id(&item));
        if let Some(endpoint) = listed(&section, config, "http://localhost:9093", around) {
            let cluster = cluster.unwrap_or_else(|| endpoint.id.clone());
            config.alertmanagers.push(AlertmanagerConfig { endpoint, cluster });
        }
        section.finish();
    }
}

pub(super) fn prometheus(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    for section in top.tables("prometheus", "[[prometheus]]") {
        let scrape =
            section.item("scrape_interval").and_then(|item| item.duration(Duration::seconds(1), Duration::hours(1)));
        if let Some(endpoint) = listed(&section, config, "http://localhost:9090", around) {
            let scrape_interval = scrape.unwrap_or_else(|| Duration::seconds(defaults::SCRAPE_SECONDS));
            config.prometheus.push(PrometheusConfig { endpoint, scrape_interval });
        }
        section.finish();
    }
}

/// The endpoint of a source that stands in a list: it needs an address, and a name that no other source has.
fn listed(section: &Section<'_>, config: &Config, example: &str, around: Around<'_>) -> Option<Endpoint> {
    if !section.has("url") {
        section.missing("url", &format!("\"{example}\""));
    }
    let url = section.item("url").and_then(|item| item.url());
    let host = url.as_ref().and_then(|url| {
        url.host_str().map(|host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    let auth = auth(section, around);
    let endpoint = endpoint(section, &host.unwrap_or_default(), url, auth, around)?;
    let taken = config.pagerduty.iter().map(|pagerduty| &pagerduty.endpoint);
    let taken = taken.chain(config.alertmanagers.iter().map(|known| &known.endpoint));
    let mut taken = taken.chain(config.prometheus.iter().map(|known| &known.endpoint));
    if taken.any(|known| known.id == endpoint.id) {
        section.sheet.error(
            &section.span,
            format!("{} has the name '{}' of another source", section.title, endpoint.id),
            "give it a name of its own: name = \"…\"",
        );
        return None;
    }
    let holds_secret = endpoint.auth.bearer.is_some()
        || endpoint.auth.basic.is_some()
        || endpoint.auth.headers.iter().any(|(_, value)| matches!(value, HeaderValue::Secret(_)));
    (!holds_secret || is_private(section, Some(&endpoint.url))).then_some(endpoint)
}

fn endpoint(
    section: &Section<'_>,
    name: &str,
    url: Option<Url>,
    auth: AuthConfig,
    around: Around<'_>,
) -> Option<Endpoint> {
    let named = section.item("name").and_then(|item| source_id(&item));
    let ca_file = section.item("ca_file").and_then(|item| item.path(around.folder, around.environment));
    let every = section.item("every").and_then(|item| item.duration(Duration::seconds(1), Duration::hours(1)));
    let every = every.unwrap_or_else(|| Duration::seconds(defaults::POLL_SECONDS));
    Some(Endpoint { id: named.or_else(|| SourceId::parse(name))?, url: url?, auth, ca_file, every })
}

fn source_id(item: &Item<'_>) -> Option<SourceId> {
    let text = item.text()?;
    let id = SourceId::parse(&text).filter(|_| text.len() <= 40);
    if id.is_none() {
        item.error(format!("{} is not a name", item.what), "use 1 to 40 letters, digits and signs of plain ASCII");
    }
    id
}

/// An address with a default; `None` only when a wrong one is written: the default would be another system.
fn address(section: &Section<'_>, key: &'static str, default: &str) -> Option<Url> {
    match section.item(key) {
        Some(item) => item.url(),
        None if section.has(key) => None,
        None => Url::parse(default).ok(),
    }
}

fn email(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let is_address = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_address {
        item.error(
            format!("{} is not an e-mail address: '{text}'", item.what),
            "write the address of a PagerDuty user",
        );
        return None;
    }
    Some(text)
}

/// Whether a secret may go there: https, or plain http to this machine.
fn is_private(section: &Section<'_>, url: Option<&Url>) -> bool {
    let Some(url) = url else { return true };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || is_loopback {
        return true;
    }
    let host = url.host_str().unwrap_or_default();
    section.sheet.error(
        &section.span,
        format!("{} would send a secret unencrypted to {host}", section.title),
        "write https:// in its address; the source is left out until then",
    );
    false
}

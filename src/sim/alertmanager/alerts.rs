//! Alerts and groups, and taking alerts in.

use std::collections::BTreeMap;

use chrono::{DurationRound, TimeDelta};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Prepared, Stamp, filters, is_current, plain, unparsed, wants};
use crate::domain::time::Timestamp;
use crate::sim::alerting::matcher::Matcher;
use crate::sim::alerting::{AmAlert, RESOLVE_TIMEOUT_S, Suppressor, millis};
use crate::sim::http::{Ask, Reply};
use crate::sim::metrics::LabelSet;
use crate::sim::world::World;

/// How long Prometheus lets an alert live that it repeats each minute.
const LEASE: TimeDelta = TimeDelta::minutes(4);

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireStatus {
    inhibited_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_by: Option<[&'static str; 0]>,
    silenced_by: Vec<String>,
    state: &'static str,
}

#[derive(Serialize)]
struct WireAlert<'a> {
    annotations: &'a LabelSet,
    #[serde(rename = "endsAt")]
    ends_at: String,
    fingerprint: &'a str,
    receivers: Vec<Name<'a>>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    status: WireStatus,
    #[serde(rename = "updatedAt")]
    updated_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    generator_url: &'a str,
    labels: &'a LabelSet,
}

#[derive(Serialize)]
struct WireGroup<'a> {
    alerts: Vec<WireAlert<'a>>,
    labels: &'a BTreeMap<String, String>,
    receiver: Name<'a>,
    #[serde(rename = "routeLabels", skip_serializing_if = "Option::is_none")]
    route_labels: Option<LabelSet>,
}

/// What is asked for.
struct Question {
    filters: Vec<Matcher>,
    receiver: Option<Regex>,
    is_active: bool,
    is_silenced: bool,
    is_inhibited: bool,
}

impl Question {
    fn of(ask: &Ask) -> Result<Self, Reply> {
        let receiver = match ask.param("receiver") {
            None => None,
            Some(text) => {
                let anchored = format!("^(?:{text})$");
                let failed = |_| {
                    plain(
                        400,
                        &format!(
                            "failed to parse receiver param: error parsing regexp: invalid expression: `{anchored}`"
                        ),
                    )
                };
                Some(Regex::new(&anchored).map_err(failed)?)
            }
        };
        Ok(Self {
            filters: filters(ask)?,
            receiver,
            is_active: wants(ask, "active"),
            is_silenced: wants(ask, "silenced"),
            is_inhibited: wants(ask, "inhibited"),
        })
    }

    fn is_everything(&self) -> bool {
        self.filters.is_empty() && self.receiver.is_none() && self.is_active && self.is_silenced && self.is_inhibited
    }

    fn keeps(&self, alert: &WireAlert<'_>) -> bool {
        (self.is_active || alert.status.state != "active")
            && (self.is_silenced || alert.status.silenced_by.is_empty())
            && (self.is_inhibited || alert.status.inhibited_by.is_empty())
            && self.filters.iter().all(|filter| filter.matches(alert.labels))
    }

    fn hears(&self, receiver: &str) -> bool {
        self.receiver.as_ref().is_none_or(|wanted| wanted.is_match(receiver))
    }
}

/// Draws alerts as the API shows them at one instant.
struct Brush<'a> {
    suppressor: Suppressor<'a>,
    now: Timestamp,
    is_current: bool,
}

impl<'a> Brush<'a> {
    fn of(world: &'a World) -> Self {
        Self { suppressor: world.alerting().suppressor(world.now()), now: world.now(), is_current: is_current(world) }
    }

    fn alert(&self, fingerprint: &'a str, alert: &'a AmAlert) -> WireAlert<'a> {
        let why = self.suppressor.of(alert);
        let state = if why.is_any() { "suppressed" } else { "active" };
        let minute = self.now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(self.now);
        let updated_at = alert.posted_at.unwrap_or(minute).max(alert.starts_at);
        let mut names: Vec<&str> = alert.destinations.iter().map(|to| to.receiver.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        WireAlert {
            annotations: &alert.annotations,
            ends_at: millis(alert.lease_until.unwrap_or(updated_at + LEASE)),
            fingerprint,
            receivers: names.into_iter().map(|name| Name { name }).collect(),
            starts_at: millis(alert.starts_at),
            status: WireStatus {
                inhibited_by: why.inhibited_by,
                muted_by: self.is_current.then_some([]),
                silenced_by: why.silenced_by,
                state,
            },
            updated_at: millis(updated_at),
            generator_url: &alert.generator_url,
            labels: &alert.labels,
        }
    }
}

fn stamp(world: &World) -> Stamp {
    let active =
        world.alerting().silences().all().iter().filter(|silence| silence.state(world.now()) == "active").count();
    (world.alerting().version(), world.now().timestamp().div_euclid(60), active)
}

fn render(body: &impl Serialize) -> bytes::Bytes {
    serde_json::to_vec(body).unwrap_or_default().into()
}

/// `GET /api/v2/alerts`, in the order of fingerprints.
pub(super) fn list(world: &World, prepared: &mut Prepared, ask: &Ask) -> Reply {
    let question = match Question::of(ask) {
        Ok(question) => question,
        Err(refused) => return refused,
    };
    let stamp = stamp(world);
    if let (true, Some((known, body))) = (question.is_everything(), &prepared.alerts)
        && *known == stamp
    {
        return Reply::raw_json(200, body.clone());
    }
    let brush = Brush::of(world);
    let heard =
        world.alerting().firing().filter(|(_, alert)| alert.destinations.iter().any(|to| question.hears(&to.receiver)));
    let shown: Vec<WireAlert<'_>> =
        heard.map(|(id, alert)| brush.alert(id, alert)).filter(|alert| question.keeps(alert)).collect();
    let body = render(&shown);
    if question.is_everything() {
        prepared.alerts = Some((stamp, body.clone()));
    }
    Reply::raw_json(200, body)
}

/// `GET /api/v2/alerts/groups`, in the order of labels.
pub(super) fn groups(world: &World, prepared: &mut Prepared, ask: &Ask) -> Reply {
    let question = match Question::of(ask) {
        Ok(question) => question,
        Err(refused) => return refused,
    };
    let stamp = stamp(world);
    if let (true, Some((known, body))) = (question.is_everything(), &prepared.groups)
        && *known == stamp
    {
        return Reply::raw_json(200, body.clone());
    }
    let brush = Brush::of(world);
    let mut groups: BTreeMap<(&BTreeMap<String, String>, &str, &str), Vec<WireAlert<'_>>> = BTreeMap::new();
    for (id, alert) in world.alerting().firing() {
        for to in alert.destinations.iter().filter(|to| question.hears(&to.receiver)) {
            let drawn = brush.alert(id, alert);
            if question.keeps(&drawn) {
                groups.entry((&to.group_labels, &to.receiver, &to.route_key)).or_default().push(drawn);
            }
        }
    }
    let group = |((labels, name, _), alerts)| {
        let route_labels = brush.is_current.then(LabelSet::new);
        WireGroup { alerts, labels, receiver: Name { name }, route_labels }
    };
    let shown: Vec<WireGroup<'_>> = groups.into_iter().map(group).collect();
    let body = render(&shown);
    if question.is_everything() {
        prepared.groups = Some((stamp, body.clone()));
    }
    Reply::raw_json(200, body)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    #[serde(default)]
    labels: LabelSet,
    #[serde(default)]
    annotations: LabelSet,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    #[serde(rename = "generatorURL", default)]
    generator_url: String,
}

/// Year one: what Go writes for "no instant".
fn given(at: Option<Timestamp>) -> Option<Timestamp> {
    at.filter(|at| at.timestamp() > 0)
}

/// `POST /api/v2/alerts`: valid ones are stored, whatever the others are.
pub(super) fn post(world: &mut World, ask: &Ask) -> Reply {
    let posted: Vec<Posted> = match serde_json::from_slice(&ask.body) {
        Ok(posted) => posted,
        Err(error) => return unparsed("alerts", &error),
    };
    let now = world.now();
    let mut wrong = Vec::new();
    for Posted { mut labels, annotations, starts_at, ends_at, generator_url } in posted {
        labels.retain(|_, value| !value.is_empty());
        let (starts, ends) = (given(starts_at), given(ends_at));
        let starts_at = starts.or(ends.map(|ends| ends.min(now))).unwrap_or(now);
        if labels.is_empty() {
            wrong.push("at least one label pair required");
            continue;
        }
        if ends.is_some_and(|ends| ends < starts_at) {
            wrong.push("start time must be before end time");
            continue;
        }
        let until = ends.unwrap_or(now + TimeDelta::seconds(RESOLVE_TIMEOUT_S));
        let ended_at = (until <= now).then_some(until);
        let alert = AmAlert {
            labels,
            annotations,
            starts_at,
            ended_at,
            posted_at: Some(now),
            lease_until: Some(until),
            generator_url,
            destinations: Vec::new(),
        };
        world.alerting_mut().receive(alert, now);
    }
    if wrong.is_empty() { Reply::empty(200) } else { plain(400, &wrong.join("; ")) }
}

//! From Alertmanager's shapes to ours. What many alerts have alike is shared here, once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::wire::{WireAlert, WireAlertStatus, WireSilence};
use crate::domain::alert::{Alert, AlertKey, AlertState, Fingerprint, GroupRef, Labels, Suppression};
use crate::domain::correlate::RouteTree;
use crate::domain::id::{SilenceId, SourceId};
use crate::domain::silence::{Matcher, Silence, SilenceState};
use crate::text::{Clean, Untrusted};

/// What is kept from answer to answer: the alerts, so that the same one is the same `Arc`, and what many have alike.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: HashMap<Fingerprint, Arc<Alert>>,
    groups: HashSet<Arc<[GroupRef]>>,
    urls: HashSet<Untrusted>,
    routes: Option<RouteTree>,
}

impl Memory {
    /// Groups are computed anew from here on; alerts whose groups stay are still the same.
    pub(super) fn set_routes(&mut self, routes: Option<RouteTree>) {
        self.known.retain(|_, alert| {
            let groups = routes.as_ref().map(|routes| routes.groups_of(&alert.labels)).unwrap_or_default();
            groups[..] == alert.groups[..]
        });
        self.routes = routes;
    }

    /// What an earlier console was told: the same again is the same `Arc`.
    pub(super) fn remember(&mut self, alerts: Vec<Arc<Alert>>) {
        for alert in alerts {
            self.groups.insert(Arc::clone(&alert.groups));
            self.urls.insert(alert.generator_url.clone());
            self.known.entry(alert.key.fingerprint).or_insert(alert);
        }
    }

    /// Takes an alert in; the one that is known comes back when nothing people see has changed.
    ///
    /// # Errors
    /// Why the element is no alert.
    pub(super) fn alert(&mut self, cluster: &SourceId, wire: WireAlert<'_>) -> Result<Arc<Alert>, String> {
        let number = u64::from_str_radix(&wire.fingerprint, 16)
            .map_err(|_error| "its fingerprint is not a number of 16 hex digits".to_owned())?;
        let fingerprint = Fingerprint(number);
        let state = state(wire.status.0.unwrap_or_default());
        let url = wire.generator_url.unwrap_or_default().0;
        let known = self.known.get(&fingerprint);
        let has_same_labels = known.is_some_and(|known| known.labels.holds(wire.labels.iter()));
        // Nearly every element of nearly every answer ends here.
        if let Some(known) = known.filter(|known| {
            has_same_labels
                && known.starts_at == wire.starts_at
                && known.state == state
                && known.annotations.holds(wire.annotations.iter())
                && known.generator_url.expose() == url
        }) {
            return Ok(Arc::clone(known));
        }
        let (labels, groups) = match known.filter(|_| has_same_labels) {
            Some(known) => (known.labels.clone(), Arc::clone(&known.groups)),
            None => {
                let labels = wire.labels.to_labels();
                let groups = self.groups_of(&labels, wire.receivers.0.as_deref().unwrap_or_default());
                (labels, groups)
            }
        };
        let alert = Arc::new(Alert {
            key: AlertKey { cluster: cluster.clone(), fingerprint },
            labels,
            annotations: wire.annotations.to_labels(),
            starts_at: wire.starts_at,
            updated_at: wire.updated_at.0.unwrap_or(wire.starts_at),
            generator_url: self.url(&url),
            state,
            groups,
        });
        self.known.insert(fingerprint, Arc::clone(&alert));
        Ok(alert)
    }

    /// Forgets what a complete answer no longer holds, and what no alert uses any more.
    pub(super) fn keep(&mut self, answer: &[Arc<Alert>]) {
        let present: HashSet<Fingerprint> = answer.iter().map(|alert| alert.key.fingerprint).collect();
        self.known.retain(|fingerprint, _| present.contains(fingerprint));
        self.groups.retain(|groups| Arc::strong_count(groups) > 1);
        self.urls.retain(Untrusted::is_shared);
    }

    fn groups_of(&mut self, labels: &Labels, receivers: &[super::wire::WireName]) -> Arc<[GroupRef]> {
        let mut groups = self.routes.as_ref().map(|routes| routes.groups_of(labels)).unwrap_or_default();
        // The instance's own word on receivers beats our walk of its routes (a configuration reloaded in between).
        if !receivers.is_empty() {
            groups.retain(|group| receivers.iter().any(|receiver| receiver.name == *group.receiver));
        }
        if let Some(known) = self.groups.get(groups.as_slice()) {
            return Arc::clone(known);
        }
        let groups: Arc<[GroupRef]> = groups.into();
        self.groups.insert(Arc::clone(&groups));
        groups
    }

    fn url(&mut self, text: &str) -> Untrusted {
        let url = Untrusted::from(text);
        if let Some(known) = self.urls.get(&url) {
            return known.clone();
        }
        self.urls.insert(url.clone());
        url
    }
}

fn state(wire: WireAlertStatus) -> AlertState {
    match wire.state.as_str() {
        "active" => AlertState::Active,
        "suppressed" => AlertState::Suppressed(Box::new(Suppression {
            silenced_by: wire.silenced_by.unwrap_or_default().iter().filter_map(|id| SilenceId::parse(id)).collect(),
            inhibited_by: wire
                .inhibited_by
                .unwrap_or_default()
                .iter()
                .filter_map(|hex| u64::from_str_radix(hex, 16).ok().map(Fingerprint))
                .collect(),
            muted_by: wire.muted_by.unwrap_or_default().into_iter().map(Arc::from).collect(),
        })),
        // A word that we do not know is not taken for "silenced": the alert is shown.
        _ => AlertState::Unprocessed,
    }
}

/// A silence.
///
/// # Errors
/// Why the element is none.
pub(super) fn silence(cluster: &SourceId, wire: WireSilence) -> Result<Silence, String> {
    let id = SilenceId::parse(&wire.id).ok_or_else(|| "its id is not an identity".to_owned())?;
    let clean = |text: Option<Untrusted>| text.map_or_else(Clean::default, |text| text.clean());
    Ok(Silence {
        id,
        cluster: cluster.clone(),
        matchers: wire
            .matchers
            .into_iter()
            .map(|matcher| Matcher {
                name: matcher.name,
                value: matcher.value,
                is_regex: matcher.is_regex,
                is_equal: matcher.is_equal,
            })
            .collect(),
        starts_at: wire.starts_at,
        ends_at: wire.ends_at,
        created_by: clean(wire.created_by.0),
        comment: clean(wire.comment.0),
        state: match wire.status.as_ref().map(|status| status.state.as_str()) {
            Some("pending") => SilenceState::Pending,
            Some("expired") => SilenceState::Expired,
            _ => SilenceState::Active,
        },
    })
}

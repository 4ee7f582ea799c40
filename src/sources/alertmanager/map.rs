//! From Alertmanager's shapes to ours. Strings that many alerts share are shared here, once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::wire::{Pairs, WireAlert, WireAlertStatus, WireSilence};
use crate::domain::alert::{Alert, AlertKey, AlertState, Fingerprint, GroupRef, Labels};
use crate::domain::correlate::RouteTree;
use crate::domain::id::{SilenceId, SourceId};
use crate::domain::silence::{Matcher, Silence, SilenceState};
use crate::text::{Clean, Untrusted};

/// What is kept from answer to answer: the alerts, so that the same one is the same `Arc`, and the strings they share.
#[derive(Debug, Default)]
pub(super) struct Memory {
    strings: HashSet<Arc<str>>,
    known: HashMap<Fingerprint, Arc<Alert>>,
    routes: Option<RouteTree>,
}

impl Memory {
    /// Groups are computed anew from here on.
    pub(super) fn set_routes(&mut self, routes: Option<RouteTree>) {
        self.routes = routes;
        self.known.clear();
    }

    /// Takes an alert in; the one that is known comes back when nothing people see has changed.
    ///
    /// # Errors
    /// Why the element is no alert.
    pub(super) fn alert(&mut self, cluster: &SourceId, wire: WireAlert<'_>) -> Result<Arc<Alert>, String> {
        let number = u64::from_str_radix(&wire.fingerprint, 16)
            .map_err(|_error| "its fingerprint is not a number of 16 hex digits".to_owned())?;
        let fingerprint = Fingerprint(number);
        let labels = self.labels(wire.labels);
        let known = self.known.get(&fingerprint).cloned();
        let groups = match &known {
            Some(known) if known.labels == labels => known.groups.clone(),
            _ => self.groups(&labels, wire.receivers.0.as_deref().unwrap_or_default()),
        };
        let annotations = self.labels(wire.annotations);
        let generator_url = self.value(wire.generator_url.map_or(Cow::Borrowed(""), |url| url.0));
        let alert = Arc::new(Alert {
            key: AlertKey { cluster: cluster.clone(), fingerprint },
            labels,
            annotations,
            starts_at: wire.starts_at,
            updated_at: wire.updated_at.0.unwrap_or(wire.starts_at),
            generator_url,
            state: state(wire.status.0.unwrap_or_default()),
            groups,
        });
        match known {
            Some(known) if known.looks_like(&alert) => Ok(known),
            _ => {
                self.known.insert(fingerprint, Arc::clone(&alert));
                Ok(alert)
            }
        }
    }

    /// Forgets what a complete answer no longer holds, and the strings that nobody else uses.
    pub(super) fn keep(&mut self, answer: &[Arc<Alert>]) {
        let present: HashSet<Fingerprint> = answer.iter().map(|alert| alert.key.fingerprint).collect();
        self.known.retain(|fingerprint, _| present.contains(fingerprint));
        self.strings.retain(|text| Arc::strong_count(text) > 1);
    }

    fn groups(&mut self, labels: &Labels, receivers: &[super::wire::WireName]) -> Vec<GroupRef> {
        let Some(routes) = &self.routes else { return Vec::new() };
        let mut groups = routes.groups_of(labels);
        // The instance's own word on receivers beats our walk of its routes (a configuration reloaded in between).
        if !receivers.is_empty() {
            groups.retain(|group| receivers.iter().any(|receiver| receiver.name == *group.receiver));
        }
        groups
    }

    fn labels(&mut self, pairs: Pairs<'_>) -> Labels {
        let shared: Vec<(Arc<str>, Untrusted)> =
            pairs.0.into_iter().map(|(name, value)| (self.share(&name), self.value(value))).collect();
        Labels::new(shared)
    }

    fn value(&mut self, text: Cow<'_, str>) -> Untrusted {
        Untrusted::new(self.share(&text))
    }

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.strings.get(text) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = Arc::from(text);
        self.strings.insert(Arc::clone(&fresh));
        fresh
    }
}

fn state(wire: WireAlertStatus) -> AlertState {
    match wire.state.as_str() {
        "active" => AlertState::Active,
        "suppressed" => AlertState::Suppressed {
            silenced_by: wire.silenced_by.unwrap_or_default().iter().filter_map(|id| SilenceId::parse(id)).collect(),
            inhibited_by: wire
                .inhibited_by
                .unwrap_or_default()
                .iter()
                .filter_map(|hex| u64::from_str_radix(hex, 16).ok().map(Fingerprint))
                .collect(),
            muted_by: wire.muted_by.unwrap_or_default().into_iter().map(Arc::from).collect(),
        },
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

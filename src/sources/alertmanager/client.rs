//! Requests to one Alertmanager.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;

use super::map::{self, Memory};
use super::split::{Outcome, Splitter};
use super::wire::{WireAlert, WireName, WireSilence, WireStatus};
use super::{Settings, Status, routes};
use crate::domain::alert::Alert;
use crate::domain::id::SourceId;
use crate::domain::silence::Silence;
use crate::sources::error::Fault;
use crate::sources::http::{Call, Http};
use crate::sources::{Listing, SourceError};
use crate::text::{Clean, Untrusted};

/// How much of an answer that is no list is kept to say what it is.
const OPENING_BYTES: usize = 512;

/// A client for one instance. Clones share connections and the last answer's strings.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: Http,
    cluster: SourceId,
    memory: Arc<Mutex<Remembered>>,
}

#[derive(Debug, Default)]
struct Remembered {
    memory: Memory,
    config: String,
    routes_problem: Option<Clean>,
}

impl Client {
    /// Makes a client; opens no connection.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn new(settings: Settings) -> Result<Self, SourceError> {
        Ok(Self { http: Http::new(settings.http)?, cluster: settings.cluster, memory: Arc::default() })
    }

    /// The configured address, for messages.
    #[must_use]
    pub fn shown_url(&self) -> &str {
        self.http.shown_url()
    }

    /// Reminds it of alerts that are known already: told again, they are the same `Arc`.
    pub fn remember(&self, alerts: Vec<Arc<Alert>>) {
        self.remembered().memory.remember(alerts);
    }

    /// Every alert that has not ended. What did not change since the last answer is the same `Arc`.
    ///
    /// # Errors
    /// As [`Http::open`], and an answer that is no list or breaks off: no part of it is used then.
    pub async fn alerts(&self) -> Result<Listing<Arc<Alert>>, SourceError> {
        let call = Call::get(["api", "v2", "alerts"]).bulk().slow().once();
        let (status, mut body) = self.http.open(&call).await?;
        let mut found = self.http.listing();
        let mut splitter = Splitter::default();
        let mut opening = Vec::new();
        while let Some(piece) = body.chunk().await? {
            let room = OPENING_BYTES.saturating_sub(opening.len());
            opening.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            let mut remembered = self.remembered();
            splitter.push(&piece, |element| take(&mut remembered.memory, &self.cluster, element, &mut found));
        }
        match splitter.outcome() {
            Outcome::Complete => {}
            // Half an answer is none: what is on screen stays, with its age, and the poll is tried again.
            Outcome::Cut => {
                let why = format!("the JSON breaks off after {} bytes", body.received());
                return Err(Fault::Malformed(Clean::new(why)).into());
            }
            Outcome::NotAList => return Err(not_a_list(status, &opening)),
        }
        let mut remembered = self.remembered();
        found.warnings.extend(remembered.routes_problem.clone());
        if found.tells_absence() {
            remembered.memory.keep(&found.items);
        }
        Ok(found)
    }

    /// Every silence: pending, active and just expired.
    ///
    /// # Errors
    /// As [`Http::fetch`].
    pub async fn silences(&self) -> Result<Listing<Arc<Silence>>, SourceError> {
        let elements: Vec<Box<RawValue>> = self.http.json(&Call::get(["api", "v2", "silences"])).await?;
        let mut wire: Listing<WireSilence> = self.http.listing();
        wire.read(&elements);
        Ok(wire.try_map(|silence| map::silence(&self.cluster, silence).map(Arc::new)))
    }

    /// Names of the receivers.
    ///
    /// # Errors
    /// As [`Http::fetch`].
    pub async fn receivers(&self) -> Result<Listing<Clean>, SourceError> {
        let elements: Vec<Box<RawValue>> = self.http.json(&Call::get(["api", "v2", "receivers"])).await?;
        let mut wire: Listing<WireName> = self.http.listing();
        wire.read(&elements);
        Ok(wire.try_map(|receiver| Ok(Untrusted::new(receiver.name).clean())))
    }

    /// Version, cluster, configuration; the routes learned here fill the groups of later answers' alerts.
    ///
    /// # Errors
    /// As [`Http::fetch`]. A configuration that cannot be read is no error: later listings warn of it.
    pub async fn status(&self) -> Result<Status, SourceError> {
        let wire: WireStatus = self.http.json(&Call::get(["api", "v2", "status"])).await?;
        let config = wire.config.0.map(|config| config.original).unwrap_or_default();
        self.learn_routes(&config);
        let cluster = wire.cluster.0;
        let state = cluster.as_ref().and_then(|cluster| cluster.status.as_ref());
        let peers = cluster.as_ref().map_or(&[][..], |cluster| &cluster.peers);
        Ok(Status {
            version: wire.version_info.0.and_then(|info| info.version.0).map(|version| version.clean()),
            cluster_state: state.map_or_else(Clean::default, Untrusted::clean),
            peers: peers.iter().filter_map(|peer| peer.address.as_ref()).map(Untrusted::clean).collect(),
            config,
        })
    }

    fn learn_routes(&self, config: &str) {
        let mut remembered = self.remembered();
        if remembered.config == config && !config.is_empty() {
            return;
        }
        let (routes, problem) = match routes::read(config) {
            Ok(routes) => (Some(routes), None),
            Err(why) => (None, Some(why)),
        };
        remembered.memory.set_routes(routes);
        remembered.routes_problem = problem;
        config.clone_into(&mut remembered.config);
    }

    /// A panic while holding it loses nothing: what is remembered only saves work.
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(memory: &mut Memory, cluster: &SourceId, element: &[u8], found: &mut Listing<Arc<Alert>>) {
    let read = serde_json::from_slice::<WireAlert<'_>>(element).map_err(|error| error.to_string());
    match read.and_then(|wire| memory.alert(cluster, wire)) {
        Ok(alert) => found.items.push(alert),
        Err(why) => found.drop_one(fingerprint_of(element), &why),
    }
}

/// The fingerprint of an element that is otherwise not understood: it exists, so it has not ended. Of two the last one
/// counts, as in everybody else's readers.
fn fingerprint_of(element: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Known {
        fingerprint: String,
    }
    if let Ok(known) = serde_json::from_slice::<Known>(element) {
        return Some(known.fingerprint);
    }
    let element: serde_json::Value = serde_json::from_slice(element).ok()?;
    element.get("fingerprint")?.as_str().map(str::to_owned)
}

fn not_a_list(status: u16, opening: &[u8]) -> SourceError {
    let parsed: Result<Vec<Box<RawValue>>, SourceError> = crate::sources::http::parse(status, opening);
    parsed.err().unwrap_or_else(|| Fault::Malformed(Clean::new("a list was expected")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(memory: &mut Memory, elements: &[&str]) -> Listing<Arc<Alert>> {
        let cluster = SourceId::parse("am").unwrap();
        let mut found = Listing::default();
        for element in elements {
            take(memory, &cluster, element.as_bytes(), &mut found);
        }
        found
    }

    const GOOD: &str = r#"{"fingerprint":"dc11d3baefd32752","labels":{"alertname":"A","n":null},"annotations":null,
        "startsAt":"2026-11-23T21:38:10.234Z","updatedAt":"2026-11-23T21:40:12Z","endsAt":"x","receivers":null,
        "status":{"state":"suppressed","silencedBy":["s1"],"inhibitedBy":["0a","zz"],"mutedBy":null},"new":{"a":[1]}}"#;

    #[test]
    fn one_bad_element_never_costs_the_good_ones_nor_ends_the_known() {
        let bad = r#"{"fingerprint":"00000000000000ff","labels":7}"#;
        let found = read(&mut Memory::default(), &[GOOD, bad, "null", "{"]);
        assert_eq!(found.items.len(), 1);
        assert_eq!((found.dropped, found.unread.as_slice()), (3, &["00000000000000ff".to_owned()][..]));
        assert!(!found.tells_absence(), "two elements have no name: nothing may be taken for ended");
        let alert = &found.items[0];
        let crate::domain::alert::AlertState::Suppressed(by) = &alert.state else { panic!("{:?}", alert.state) };
        assert_eq!((by.silenced_by.len(), by.inhibited_by.len()), (1, 1));
    }

    #[test]
    fn what_did_not_change_is_the_same_alert() {
        let mut memory = Memory::default();
        let first = read(&mut memory, &[GOOD]);
        let later = GOOD.replace("21:40:12Z", "21:41:12Z");
        let again = read(&mut memory, &[&later]);
        assert!(Arc::ptr_eq(&first.items[0], &again.items[0]), "heard of again is not changed");
        let active = GOOD.replace("suppressed", "active");
        assert!(!Arc::ptr_eq(&first.items[0], &read(&mut memory, &[&active]).items[0]));
    }

    #[test]
    fn captured_answers_of_a_real_server_are_read_with_their_groups() {
        let Some(shared) = crate::sources::testing::shared() else { return };
        let text = std::fs::read_to_string(shared.join("specs/fixtures/alertmanager-0.25.json")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let body = |name: &str| file["exchanges"][name]["body"].clone();
        let mut memory = Memory::default();
        memory.set_routes(Some(routes::read(body("status")["config"]["original"].as_str().unwrap()).unwrap()));
        let elements: Vec<String> = body("alerts").as_array().unwrap().iter().map(ToString::to_string).collect();
        let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
        let found = read(&mut memory, &elements);
        assert_eq!((found.items.len(), found.dropped), (2, 0), "{:?}", found.warnings);
        let burn = found.items.iter().find(|alert| alert.name() == "CheckoutErrorBudgetBurn").unwrap();
        assert_eq!(burn.key.fingerprint, crate::domain::correlate::fingerprint(&burn.labels));
        let receivers: Vec<(&str, bool)> = burn.groups.iter().map(|group| (&*group.receiver, group.pages)).collect();
        assert_eq!(receivers, [("pd-checkout", true), ("hook", false)]);
        let silences: Vec<WireSilence> = serde_json::from_value(body("silences")).unwrap();
        let cluster = SourceId::parse("am").unwrap();
        let silence = map::silence(&cluster, silences.into_iter().next().unwrap()).unwrap();
        assert_eq!(silence.comment.as_str(), "INC-1 working on it");
    }
}

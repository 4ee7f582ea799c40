//! What one Alertmanager instance is asked: its routes, its alerts, its silences.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::lock;
use crate::config::model::AlertmanagerConfig;
use crate::domain::alert::Fingerprint;
use crate::domain::fact::Fact;
use crate::domain::id::{SilenceId, SourceId};
use crate::domain::silence::Silence;
use crate::domain::source::SourceKind;
use crate::domain::time::Timestamp;
use crate::engine::alerts::{self, Cluster, Difference, Told};
use crate::engine::cache::Shelf;
use crate::engine::clock::Clock;
use crate::engine::connect::shown;
use crate::engine::link::Link;
use crate::engine::poller::{Answer, Order, Source, Trouble};
use crate::sources::Listing;
use crate::sources::alertmanager::Client;
use crate::sources::http::share;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Version and routes; before the alerts, because the routes give them their groups.
    Status,
    Alerts,
    Silences,
}

/// What the replicas of a cluster told together.
#[derive(Debug)]
pub(crate) struct Folded {
    alerts: Cluster,
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    has_told_silences: bool,
    shelf: Option<Arc<Shelf>>,
    /// Some replica's poller reads, or has read, what an earlier console was told.
    is_recalled: bool,
}

impl Folded {
    pub(crate) fn new(cluster: SourceId, shelf: Option<Arc<Shelf>>) -> Self {
        let alerts = Cluster::new(cluster);
        Self { alerts, silences: BTreeMap::new(), has_told_silences: false, shelf, is_recalled: false }
    }

    fn recall(&mut self, fact: Fact, at: Timestamp) -> Vec<Fact> {
        match fact {
            Fact::AlertsChanged { cluster, changed, .. } => {
                let changed = self.alerts.recall(changed);
                alerts::facts(&cluster, Difference { changed, ended: Vec::new() }, at)
            }
            Fact::SilencesListed { cluster, silences } if !self.has_told_silences => {
                self.silences = silences.iter().map(|silence| (silence.id.clone(), Arc::clone(silence))).collect();
                vec![Fact::SilencesListed { cluster, silences }]
            }
            _ => Vec::new(),
        }
    }

    fn state(&self, cluster: &SourceId, at: Timestamp) -> Vec<Fact> {
        let silences = self.silences.values().cloned().collect();
        let changed = self.alerts.all();
        let mut facts = vec![Fact::SilencesListed { cluster: cluster.clone(), silences }];
        facts.extend(alerts::facts(cluster, Difference { changed, ended: Vec::new() }, at));
        facts
    }

    /// The whole list, when it changed.
    fn learn_silences(&mut self, listing: Listing<Arc<Silence>>) -> Option<Vec<Arc<Silence>>> {
        let is_all = listing.tells_absence();
        let told: BTreeMap<_, _> = listing.items.into_iter().map(|silence| (silence.id.clone(), silence)).collect();
        let next = if is_all && listing.unread.is_empty() {
            told
        } else {
            let mut next = self.silences.clone();
            next.extend(told);
            next
        };
        if self.has_told_silences && next == self.silences {
            return None;
        }
        self.has_told_silences = true;
        self.silences = next;
        Some(self.silences.values().cloned().collect())
    }
}

/// One instance as it is polled.
pub(crate) struct Alertmanager {
    id: SourceId,
    cluster: SourceId,
    target: String,
    every: Duration,
    link: Arc<Link<Client>>,
    folded: Arc<Mutex<Folded>>,
    clock: Clock,
    has_routes: bool,
    has_alerts: bool,
    /// This replica's poller is the one that reads what an earlier console was told.
    recalls: bool,
    /// The client was given that too, so that the same alert again is the same one.
    is_reminded: bool,
}

impl Alertmanager {
    pub(crate) fn new(
        config: &AlertmanagerConfig,
        link: Arc<Link<Client>>,
        folded: Arc<Mutex<Folded>>,
        clock: Clock,
    ) -> Self {
        let every = config.endpoint.every.to_std().unwrap_or(Duration::from_secs(15)).max(Duration::from_secs(1));
        Self {
            id: config.endpoint.id.clone(),
            cluster: config.cluster.clone(),
            target: shown(&config.endpoint, SourceKind::Alertmanager),
            every,
            link,
            folded,
            clock,
            has_routes: false,
            has_alerts: false,
            recalls: false,
            is_reminded: false,
        }
    }

    async fn status(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let status = client.status().await?;
        let mut answer = Answer { version: status.version, ..Answer::default() };
        // Alerts that came before the routes are without groups: they are asked for again.
        if !std::mem::replace(&mut self.has_routes, true) && self.has_alerts {
            answer.then.push(Question::Alerts);
        }
        Ok(answer)
    }

    async fn alerts(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let listing = client.alerts().await?;
        let mut answer = Answer::default();
        answer.beside(&listing);
        self.has_alerts = true;
        let is_all = listing.tells_absence();
        let unread: HashSet<Fingerprint> =
            listing.unread.iter().filter_map(|text| u64::from_str_radix(text, 16).ok().map(Fingerprint)).collect();
        let told = Told { alerts: listing.items, is_all, unread };
        let difference = lock(&self.folded).alerts.learn(&self.id, told);
        let age = chrono::TimeDelta::from_std(share::age()).unwrap_or_default();
        answer.facts = alerts::facts(&self.cluster, difference, self.clock.now() - age);
        Ok(answer)
    }

    async fn silences(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let listing = client.silences().await?;
        let mut answer = Answer::default();
        answer.beside(&listing);
        if let Some(silences) = lock(&self.folded).learn_silences(listing) {
            answer.facts.push(Fact::SilencesListed { cluster: self.cluster.clone(), silences });
        }
        Ok(answer)
    }
}

impl Source for Alertmanager {
    type Question = Question;

    fn questions(&self) -> Vec<Question> {
        vec![Question::Status, Question::Alerts, Question::Silences]
    }

    fn primary(&self) -> Question {
        Question::Alerts
    }

    fn every(&self, question: Question) -> Option<Duration> {
        Some(match question {
            Question::Status => Duration::from_secs(if self.has_routes { 600 } else { 30 }),
            Question::Alerts => self.every,
            Question::Silences => self.every * 2,
        })
    }

    fn what(&self, question: Question) -> &'static str {
        match question {
            Question::Status => "read the status of",
            Question::Alerts => "list alerts of",
            Question::Silences => "list silences of",
        }
    }

    fn target(&self) -> &str {
        &self.target
    }

    async fn ask(&mut self, question: Question) -> Result<Answer<Question>, Trouble> {
        let client = self.link.get().await?;
        if !std::mem::replace(&mut self.is_reminded, true) {
            client.remember(lock(&self.folded).alerts.all());
        }
        match question {
            Question::Status => self.status(&client).await,
            Question::Alerts => self.alerts(&client).await,
            Question::Silences => self.silences(&client).await,
        }
    }

    fn heed(&mut self, _order: Order) -> Vec<Question> {
        Vec::new()
    }

    fn lost(&mut self) {
        lock(&self.folded).alerts.lost(&self.id);
    }

    fn shelf(&self) -> Option<Arc<Shelf>> {
        lock(&self.folded).shelf.clone()
    }

    fn recall(&mut self, fact: Fact, at: Timestamp) -> Vec<Fact> {
        let mut folded = lock(&self.folded);
        if !self.recalls && std::mem::replace(&mut folded.is_recalled, true) {
            return Vec::new();
        }
        self.recalls = true;
        folded.recall(fact, at)
    }

    fn state(&self) -> Vec<Fact> {
        lock(&self.folded).state(&self.cluster, self.clock.now())
    }

    async fn renew(&mut self, is_asked: bool) -> bool {
        (is_asked || self.link.is_quiet) && self.link.renew().await
    }
}

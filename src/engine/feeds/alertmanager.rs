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
use crate::engine::alerts::{self, Cluster, Told};
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
}

impl Folded {
    pub(crate) fn new(cluster: SourceId) -> Self {
        Self { alerts: Cluster::new(cluster), silences: BTreeMap::new(), has_told_silences: false }
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

    async fn renew(&mut self, is_asked: bool) -> bool {
        (is_asked || self.link.is_quiet) && self.link.renew().await
    }
}

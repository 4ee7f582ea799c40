//! What PagerDuty is asked: the open list, what left it, the incident people look at, who is on call, the account's lists.

mod focused;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::listed::Listed;
use super::{asked, lock};
use crate::config::model::PagerDutyConfig;
use crate::domain::fact::Fact;
use crate::domain::failure::FailureKind;
use crate::domain::id::{PagerId, SourceId};
use crate::domain::incident::PagerIncident;
use crate::domain::time::Timestamp;
use crate::domain::timeline::TimelineEvent;
use crate::engine::cache::Shelf;
use crate::engine::incidents::{FromAlerts, Incidents};
use crate::engine::link::Link;
use crate::engine::poller::{Answer, Focus, Order, Source, Trouble};
use crate::sources::pagerduty::{Client, Filter, PagerAlert};
use crate::sources::{Listing, SourceError};

/// Requests that follow up on one open list before other questions get their turn.
const FOLLOW_UPS: usize = 5;

/// The word of a second reading in a label.
const REREAD: &str = "Reread";

/// Incidents named in one label at most; a notice of PostgreSQL holds 8,000 bytes.
const LABELLED: usize = 100;

/// Answers out of turn that a colleague's console got are taken while they are that young.
const TAKEN: Duration = Duration::from_secs(5);

/// An incident that left the (filtered) list but is still open is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Open,
    /// What left the list, and the alerts of incidents.
    FollowUp,
    /// An incident that was changed from here.
    Reread,
    /// The focused incident's log.
    Log,
    /// Its notes and alerts.
    Notes,
    /// Its policy, changes and past.
    Context,
    OnCalls,
    Priorities,
    Services,
    Users,
}

/// PagerDuty as it is polled.
pub(crate) struct PagerDuty {
    id: SourceId,
    target: String,
    every: Duration,
    filter: Filter,
    link: Arc<Link<Client>>,
    incidents: Arc<Mutex<Incidents>>,
    focus: Option<Focus>,
    /// The focused incident's log as it was told last.
    log: Vec<TimelineEvent>,
    rereads: Vec<PagerId>,
    /// What a colleague's console read again after it changed it.
    heard: Vec<PagerId>,
    looked_at: HashMap<PagerId, Instant>,
    missing: Vec<PagerId>,
    shelf: Option<Arc<Shelf>>,
    listed: Arc<Mutex<Listed>>,
}

impl PagerDuty {
    pub(crate) fn new(config: &PagerDutyConfig, link: Arc<Link<Client>>, incidents: Arc<Mutex<Incidents>>) -> Self {
        let filter = Filter {
            teams: config.teams.clone(),
            services: config.services.clone(),
            users: config.users.clone(),
            urgency: config.urgency,
            since: config.since,
        };
        Self {
            id: config.endpoint.id.clone(),
            target: config.endpoint.id.to_string(),
            every: config.endpoint.every.to_std().unwrap_or(Duration::from_secs(10)).max(Duration::from_secs(1)),
            filter,
            link,
            incidents,
            focus: None,
            log: Vec::new(),
            rereads: Vec::new(),
            heard: Vec::new(),
            looked_at: HashMap::new(),
            missing: Vec::new(),
            shelf: None,
            listed: Arc::default(),
        }
    }

    /// Keeps its last known state there; `listed` outlives a panic of the poller.
    pub(crate) fn keeping(self, shelf: Option<Arc<Shelf>>, listed: Arc<Mutex<Listed>>) -> Self {
        Self { shelf, listed, ..self }
    }

    async fn open(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let asked_at = Instant::now();
        let listing = client.open_incidents(&self.filter).await?;
        let asked_at = asked(asked_at);
        let mut answer = Answer::default();
        answer.beside(&listing);
        let listed: HashSet<PagerId> = listing
            .items
            .iter()
            .map(|record| record.id.clone())
            .chain(listing.unread.iter().filter_map(|id| PagerId::parse(id)))
            .collect();
        let tells_absence = listing.tells_absence();
        let mut known = lock(&self.incidents);
        let changed = known.learn(listing.items, asked_at);
        let missing = if tells_absence { known.missing(&listed, asked_at) } else { Vec::new() };
        let has_unread = !known.unread().is_empty();
        known.prune(asked_at);
        drop(known);
        // One that is back in the list and leaves it again is looked at at once.
        self.looked_at.retain(|id, at| asked_at.saturating_duration_since(*at) < LOOK_AGAIN && !listed.contains(id));
        self.missing = missing.into_iter().filter(|id| !self.looked_at.contains_key(id)).collect();
        if has_unread || !self.missing.is_empty() {
            answer.then.push(Question::FollowUp);
        }
        answer.facts = self.changed(changed);
        Ok(answer)
    }

    fn changed(&self, changed: Vec<Arc<PagerIncident>>) -> Vec<Fact> {
        let facts = changed.chunks(crate::engine::alerts::BATCH);
        facts.map(|some| Fact::IncidentsChanged { source: self.id.clone(), changed: some.to_vec() }).collect()
    }

    /// What left the list first: its new status is what people wait for.
    async fn follow_up(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let mut answer = Answer::default();
        for _ in 0..FOLLOW_UPS {
            if let Some(id) = self.missing.pop() {
                // Only a look after it left counts: one that an action of ours called for says nothing of what came then.
                self.looked_at.insert(id.clone(), Instant::now());
                answer.facts.extend(self.read(client, &id).await?);
            } else {
                let next = lock(&self.incidents).unread().into_iter().next();
                let Some(id) = next else { return Ok(answer) };
                let listing = client.alerts(&id).await;
                let counts = lock(&self.incidents).get(&id).map_or((0, 0), |record| record.alert_counts);
                let told = match listing {
                    Ok(listing) => from_alerts(&listing, counts),
                    // Its alerts cannot be had: it stays without keys, and the others get their turn.
                    Err(error) if is_final(&error) => FromAlerts { counts, ..FromAlerts::default() },
                    Err(error) => return Err(error.into()),
                };
                let changed = lock(&self.incidents).learn_alerts(&id, told);
                answer.facts.extend(self.changed(changed.into_iter().collect()));
            }
        }
        answer.then.push(Question::FollowUp);
        Ok(answer)
    }

    async fn read(&mut self, client: &Client, id: &PagerId) -> Result<Vec<Fact>, SourceError> {
        let asked_at = Instant::now();
        match client.incident(id).await {
            Ok(record) => {
                let changed = lock(&self.incidents).learn([record], asked(asked_at));
                Ok(self.changed(changed))
            }
            // Gone or not ours to see any more: what is on screen stays, with its age.
            Err(error) if is_final(&error) => {
                tracing::warn!(%id, %error, "an incident that left the open list cannot be read");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// One incident in any state; unlike a poll it fails when PagerDuty does not have it.
    pub(crate) async fn read_one(&mut self, id: &PagerId) -> Result<Vec<Fact>, Trouble> {
        let client = self.link.get().await?;
        let asked_at = Instant::now();
        let record = client.incident(id).await?;
        let changed = lock(&self.incidents).learn([record], asked_at);
        Ok(self.changed(changed))
    }

    async fn reread(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let mut answer = Answer::default();
        while let Some(id) = self.rereads.pop().or_else(|| self.heard.pop()) {
            answer.facts.extend(self.read(client, &id).await?);
            if self.focus.as_ref().is_some_and(|focus| focus.pager == id) {
                answer.then.extend([Question::Log, Question::Notes]);
            }
        }
        Ok(answer)
    }

    async fn on_calls(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let listing = client.oncalls(&[]).await?;
        let mut answer = Answer::default();
        answer.beside(&listing);
        if listing.complete {
            let changed = lock(&self.incidents).learn_on_call(&listing.items);
            answer.facts = self.changed(changed);
            answer.facts.push(Fact::OnCallListed(listing.items));
        }
        Ok(answer)
    }

    async fn asked(&mut self, question: Question) -> Result<Answer<Question>, Trouble> {
        let client = self.link.get().await?;
        match question {
            Question::Open => self.open(&client).await,
            Question::FollowUp => self.follow_up(&client).await,
            Question::Reread => self.reread(&client).await,
            Question::Log => self.log(&client).await,
            Question::Notes => self.notes(&client).await,
            Question::Context => self.context(&client).await,
            Question::OnCalls => self.on_calls(&client).await,
            Question::Priorities => Self::list(client.priorities().await, Fact::PrioritiesListed).await,
            Question::Services => Self::list(client.services().await, Fact::ServicesListed).await,
            Question::Users => Self::list(client.users().await, Fact::UsersListed).await,
        }
    }

    async fn list<T>(
        listing: Result<Listing<T>, SourceError>,
        fact: impl FnOnce(Vec<T>) -> Fact,
    ) -> Result<Answer<Question>, Trouble> {
        let listing = listing?;
        let mut answer = Answer::default();
        answer.beside(&listing);
        // A list that was cut is not all there is: what is known stays.
        if listing.complete {
            answer.facts.push(fact(listing.items));
        }
        Ok(answer)
    }
}

impl Source for PagerDuty {
    type Question = Question;

    fn questions(&self) -> Vec<Question> {
        use Question::{Context, FollowUp, Log, Notes, OnCalls, Open, Priorities, Reread, Services, Users};
        vec![Open, Reread, Log, Notes, FollowUp, Context, Priorities, OnCalls, Services, Users]
    }

    fn primary(&self) -> Question {
        Question::Open
    }

    fn every(&self, question: Question) -> Option<Duration> {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let while_focused = |every| self.focus.as_ref().and(every);
        match question {
            Question::Open => Some(self.every),
            Question::FollowUp | Question::Reread => None,
            Question::Log => while_focused(seconds(5)),
            Question::Notes => while_focused(seconds(20)),
            Question::Context => while_focused(seconds(60)),
            Question::OnCalls => seconds(60),
            Question::Priorities | Question::Services | Question::Users => seconds(600),
        }
    }

    fn what(&self, question: Question) -> &'static str {
        match question {
            Question::Open => "list open incidents of",
            Question::FollowUp => "read incidents of",
            Question::Reread => "read an incident again at",
            Question::Log => "read the incident's log at",
            Question::Notes => "read the incident's notes and alerts at",
            Question::Context => "read the incident's policy and changes at",
            Question::OnCalls => "list who is on call at",
            Question::Priorities => "list priorities of",
            Question::Services => "list services of",
            Question::Users => "list people of",
        }
    }

    fn target(&self) -> &str {
        &self.target
    }

    async fn ask(&mut self, question: Question) -> Result<Answer<Question>, Trouble> {
        let answer = self.asked(question).await?;
        if self.shelf.is_some() {
            let mut listed = lock(&self.listed);
            answer.facts.iter().for_each(|fact| listed.take(fact));
        }
        Ok(answer)
    }

    fn shelf(&self) -> Option<Arc<Shelf>> {
        self.shelf.clone()
    }

    fn recall(&mut self, fact: Fact, _at: Timestamp) -> Vec<Fact> {
        let mut known = lock(&self.incidents);
        match fact {
            Fact::IncidentsChanged { source, changed } if source == self.id => {
                let changed = known.recall(changed, Instant::now());
                drop(known);
                self.changed(changed)
            }
            fact => {
                if let Fact::OnCallListed(on_call) = &fact {
                    known.learn_on_call(on_call);
                }
                drop(known);
                if lock(&self.listed).recall(&fact) { vec![fact] } else { Vec::new() }
            }
        }
    }

    /// Lists first: rows are judged by them.
    fn state(&self) -> Vec<Fact> {
        let mut facts = lock(&self.listed).facts();
        facts.extend(self.changed(lock(&self.incidents).open()));
        facts
    }

    fn heed(&mut self, order: Order) -> Vec<Question> {
        match order {
            Order::Refresh => Vec::new(),
            Order::Focus(focus) if focus == self.focus => Vec::new(),
            Order::Focus(focus) => {
                let is_any = focus.is_some();
                self.focus = focus;
                self.log.clear();
                if is_any { vec![Question::Log, Question::Notes, Question::Context] } else { Vec::new() }
            }
            Order::Heard(label) => {
                let Some(ids) = label.strip_prefix(&format!("{} {REREAD} ", self.target)) else { return Vec::new() };
                let ids: Vec<PagerId> = ids.split(' ').filter_map(PagerId::parse).collect();
                let is_any = !ids.is_empty();
                self.heard.extend(ids);
                if is_any { vec![Question::Reread] } else { Vec::new() }
            }
            Order::Reread(id) => {
                if !self.rereads.contains(&id) {
                    self.rereads.push(id);
                }
                vec![Question::Reread]
            }
        }
    }

    /// Names what is read again, so that the others of the room take just that.
    fn label(&self, question: Question) -> String {
        let target = &self.target;
        match question {
            Question::Reread => {
                let ids: Vec<&str> = self.rereads.iter().map(PagerId::as_str).take(LABELLED).collect();
                format!("{target} {REREAD} {}", ids.join(" "))
            }
            Question::Log | Question::Notes | Question::Context => {
                let focus = self.focus.as_ref().map_or("", |focus| focus.pager.as_str());
                format!("{target} {question:?} {focus}")
            }
            other => format!("{target} {other:?}"),
        }
    }

    fn max_age(&self, question: Question) -> Duration {
        match question {
            // Only an answer from after our own change shows it.
            Question::Reread if !self.rereads.is_empty() => Duration::ZERO,
            other => self.every(other).map_or(TAKEN, |every| every * 19 / 20),
        }
    }

    fn is_awaited(&self) -> bool {
        self.link.is_awaited()
    }

    async fn renew(&mut self, is_asked: bool) -> bool {
        if !is_asked && !self.link.is_quiet {
            return false;
        }
        let is_new = self.link.renew().await;
        if is_asked && !is_new {
            self.link.nudge();
        }
        is_new
    }
}

/// Asking again gives the same answer.
fn is_final(error: &SourceError) -> bool {
    matches!(error.kind(), FailureKind::NotFound | FailureKind::Forbidden | FailureKind::Refused)
}

fn from_alerts(listing: &Listing<PagerAlert>, counts: (u32, u32)) -> FromAlerts {
    let mut keys = Vec::new();
    for key in listing.items.iter().filter_map(|alert| alert.key.clone()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let open = listing.items.iter().filter(|alert| alert.is_open);
    let mut fingerprints: Vec<_> = open.clone().flat_map(|alert| alert.fingerprints.iter().copied()).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    FromAlerts { keys, fingerprints, severity: open.filter_map(|alert| alert.severity).max(), counts }
}

//! Requests to PagerDuty's REST API that only read. [`super::actions`] has those that change.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use chrono::TimeDelta;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::paging::{self, Pages};
use super::timeline::{self, Recorder};
use super::{Filter, Me, PagerAlert, Settings, map, wire};
use crate::domain::escalation::{EscalationPolicy, OnCall};
use crate::domain::id::{DedupKey, PagerId, PolicyId, PriorityId, ServiceId, SourceId, UserId};
use crate::domain::incident::{Named, PagerIncident, Priority, Status};
use crate::domain::source::{ChronoSeconds, RateBudget};
use crate::domain::time::Timestamp;
use crate::domain::timeline::TimelineEvent;
use crate::sources::error::{Fault, Rejection};
use crate::sources::http::{Call, Credential, Http};
use crate::sources::{Listing, SourceError};
use crate::text::Clean;

/// PagerDuty takes windows of at most six months.
const WINDOW: TimeDelta = TimeDelta::days(170);

/// Windows asked for one listing at most; each brings up to 10,000 incidents.
const MOST_WINDOWS: usize = 8;

/// Past incidents that are kept: they are over and do not change any more.
const KEPT_PAST: usize = 256;

/// A client for one account. Clones share connections, rate budget and what was learned (priorities, the sender).
#[derive(Clone, Debug)]
pub struct Client(pub(super) Arc<Inner>, Option<Instant>);

#[derive(Debug)]
pub(super) struct Inner {
    pub http: Http,
    pub id: SourceId,
    from: OnceCell<String>,
    priorities: RwLock<Vec<PriorityId>>,
    /// PagerDuty wants the requests of one token in series. Actions pass by: they must not wait behind a poll.
    polls: Semaphore,
    past: Mutex<HashMap<PagerId, Arc<PagerIncident>>>,
}

type Listed<T> = Result<Listing<T>, SourceError>;

impl Client {
    /// Makes a client; opens no connection.
    ///
    /// # Errors
    /// An address, a token or a `from` that cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SourceError> {
        let mut http = settings.http;
        http.accept = "application/vnd.pagerduty+json;version=2";
        let is_oauth = ["pdus+", "pdeu+"].iter().any(|mark| settings.token.expose_secret().starts_with(mark));
        http.auth.credential =
            if is_oauth { Credential::Bearer(settings.token) } else { Credential::Token(settings.token) };
        let from = match settings.from {
            Some(from) if !map::is_email(&from) => {
                return Err(Fault::Address(Clean::new("from under [pagerduty] must be an e-mail address")).into());
            }
            Some(from) => OnceCell::new_with(Some(from)),
            None => OnceCell::new(),
        };
        Ok(Self(
            Arc::new(Inner {
                http: Http::new(http)?,
                id: settings.id,
                from,
                priorities: RwLock::default(),
                polls: Semaphore::new(1),
                past: Mutex::default(),
            }),
            None,
        ))
    }

    /// The same account, for changes that must not leave after `until`: by then somebody else may carry them out.
    #[must_use]
    pub fn until(&self, until: Option<Instant>) -> Self {
        Self(Arc::clone(&self.0), until)
    }

    /// The address, for messages.
    #[must_use]
    pub fn shown_url(&self) -> &str {
        self.0.http.shown_url()
    }

    /// What is left of the rate limit.
    #[must_use]
    pub fn budget(&self) -> Option<RateBudget> {
        self.0.http.budget()
    }

    /// PagerDuty's clock minus ours.
    #[must_use]
    pub fn skew(&self) -> Option<ChronoSeconds> {
        self.0.http.skew()
    }

    /// Every open incident of the filter. Complete unless PagerDuty's own limits cut it.
    pub async fn open_incidents(&self, filter: &Filter) -> Listed<Arc<PagerIncident>> {
        let _turn = self.turn().await;
        let call = filtered(filter);
        let now = self.0.http.now();
        let Some(since) = filter.since else {
            let whole = self.incidents(call.clone().query("date_range", "all")).await?;
            if !whole.is_cut {
                return Ok(whole.listing);
            }
            let listing = whole.listing;
            let from = listing.items.last().map_or(now, |last| last.created_at);
            return self.windows(call, from, now, listing).await;
        };
        self.windows(call, now - since, now, self.0.http.listing()).await
    }

    /// Goes on from `from` in windows: oldest first, so that a window that is cut tells where the next one begins.
    async fn windows(
        &self,
        call: Call,
        mut from: Timestamp,
        now: Timestamp,
        mut all: Listing<Arc<PagerIncident>>,
    ) -> Listed<Arc<PagerIncident>> {
        let mut known: HashSet<PagerId> = all.items.iter().map(|incident| incident.id.clone()).collect();
        // Their clock may be ahead of ours: nothing new may fall out of the last window.
        let end = now + TimeDelta::hours(1);
        for _ in 0..MOST_WINDOWS {
            let until = (from + WINDOW).min(end);
            let window = call.clone().query("since", stamp(from)).query("until", stamp(until));
            let Pages { listing, is_cut } = self.incidents(window).await?;
            let last = listing.items.last().map(|incident| incident.created_at);
            all.dropped += listing.dropped;
            all.unread.extend(listing.unread);
            all.warnings.extend(listing.warnings);
            all.items.extend(listing.items.into_iter().filter(|incident| known.insert(incident.id.clone())));
            all.complete = listing.complete;
            match last {
                Some(last) if is_cut && last > from => from = last,
                _ if is_cut || until >= end => return Ok(all),
                _ => from = until,
            }
        }
        all.complete = false;
        Ok(all)
    }

    /// Incidents, in any state, raised with this key (an Alertmanager group's).
    pub async fn incidents_by_key(&self, key: &DedupKey) -> Listed<Arc<PagerIncident>> {
        let _turn = self.turn().await;
        self.by_key(key.as_str()).await
    }

    pub(super) async fn by_key(&self, key: &str) -> Listed<Arc<PagerIncident>> {
        let mut call = Call::get(["incidents"]).query("incident_key", key).query("date_range", "all");
        for status in ["triggered", "acknowledged", "resolved"] {
            call = call.query("statuses[]", status);
        }
        Ok(self.incidents(call.query("time_zone", "UTC")).await?.listing)
    }

    /// One incident, in any state.
    pub async fn incident(&self, id: &PagerId) -> Result<Arc<PagerIncident>, SourceError> {
        let _turn = self.turn().await;
        Ok(Arc::new(self.shown(&self.show(id).await?)?))
    }

    /// Its alerts.
    pub async fn alerts(&self, id: &PagerId) -> Listed<PagerAlert> {
        let _turn = self.turn().await;
        let call = Call::get(["incidents", id.as_str(), "alerts"]).query("time_zone", "UTC");
        Ok(self.pages(call, "alerts", map::alert).await?.listing)
    }

    /// Its notes, as timeline entries.
    pub async fn notes(&self, id: &PagerId) -> Listed<TimelineEvent> {
        let _turn = self.turn().await;
        self.told_notes(id).await.map(|notes| notes.try_map(|note| self.recorder().note(&note)))
    }

    pub(super) async fn told_notes(&self, id: &PagerId) -> Listed<wire::Note> {
        paging::read_one(&self.0.http, &Call::get(["incidents", id.as_str(), "notes"]), "notes").await
    }

    /// Its log entries, as timeline entries in order.
    pub async fn log_entries(&self, id: &PagerId) -> Listed<TimelineEvent> {
        let _turn = self.turn().await;
        let call = Call::get(["incidents", id.as_str(), "log_entries"])
            .query("include[]", "channels")
            .query("time_zone", "UTC");
        let recorder = self.recorder();
        let mut listing =
            self.pages(call, "log_entries", |entry: wire::LogEntry| recorder.log_entry(&entry)).await?.listing;
        timeline::sort(&mut listing.items);
        Ok(listing)
    }

    /// Its log entries and notes in one order; an entry that only says that a note was written gives way to the note.
    /// Notes that cannot be read cost a warning, not the entries.
    pub async fn timeline(&self, id: &PagerId) -> Listed<TimelineEvent> {
        let mut entries = self.log_entries(id).await?;
        match self.notes(id).await {
            Ok(notes) => {
                entries.dropped += notes.dropped;
                entries.warnings.extend(notes.warnings);
                entries.items = timeline::merge(entries.items, notes.items);
            }
            Err(error) => {
                entries.complete = false;
                let failure = error.into_failure("read the notes of", id.as_str());
                entries.warnings.push(Clean::new(failure.to_string()));
            }
        }
        Ok(entries)
    }

    /// Changes that PagerDuty ties to it, as timeline entries.
    pub async fn related_changes(&self, id: &PagerId) -> Listed<TimelineEvent> {
        let _turn = self.turn().await;
        let call = Call::get(["incidents", id.as_str(), "related_change_events"]).query("limit", "50");
        let recorder = self.recorder();
        let listing = paging::read_one::<wire::ChangeEvent>(&self.0.http, &call, "change_events").await?;
        Ok(listing.try_map(|change| recorder.change(&change)))
    }

    /// Incidents like it, most alike first. PagerDuty tells hardly more than their ids, so each is read once.
    pub async fn past_incidents(&self, id: &PagerId) -> Listed<Arc<PagerIncident>> {
        let _turn = self.turn().await;
        let call = Call::get(["incidents", id.as_str(), "past_incidents"]).query("limit", "5");
        let told = paging::read_one::<wire::PastIncident>(&self.0.http, &call, "past_incidents").await?;
        let mut past = self.0.http.listing();
        past.dropped = told.dropped;
        for element in told.items {
            let Some(id) = element.incident.id.as_deref().and_then(PagerId::parse) else { continue };
            let known = self.past().get(&id).cloned();
            let read = match known {
                Some(known) => Ok(known),
                None => self.show(&id).await.and_then(|told| self.shown(&told)).map(Arc::new),
            };
            match read {
                Ok(incident) => {
                    self.keep_past(&incident);
                    past.items.push(incident);
                }
                Err(error) => past.drop_one(Some(id.to_string()), &error.to_string()),
            }
        }
        Ok(past)
    }

    /// A policy with its levels.
    pub async fn policy(&self, id: &PolicyId) -> Result<EscalationPolicy, SourceError> {
        #[derive(Deserialize)]
        struct Told {
            escalation_policy: wire::EscalationPolicy,
        }
        let _turn = self.turn().await;
        let told: Told = self.0.http.json(&Call::get(["escalation_policies", id.as_str()])).await?;
        map::policy(&told.escalation_policy).map_err(not_understood)
    }

    /// Who is on call now; for all policies when none is named.
    pub async fn oncalls(&self, policies: &[PolicyId]) -> Listed<OnCall> {
        let _turn = self.turn().await;
        self.on_call(policies).await
    }

    pub(super) async fn on_call(&self, policies: &[PolicyId]) -> Listed<OnCall> {
        let mut call = Call::get(["oncalls"]).query("earliest", "true").query("time_zone", "UTC");
        for policy in policies {
            call = call.query("escalation_policy_ids[]", policy.as_str());
        }
        Ok(self.pages(call, "oncalls", |told: wire::OnCall| map::oncall(&told)).await?.listing)
    }

    /// The token's user; `None` for an account's token, which belongs to nobody.
    pub async fn me(&self) -> Result<Option<Me>, SourceError> {
        #[derive(Deserialize)]
        struct Told {
            user: wire::Reference,
        }
        match self.0.http.json::<Told>(&Call::get(["users", "me"])).await {
            Ok(told) => map::me(&told.user).map(Some).map_err(not_understood),
            Err(error) => match error.fault() {
                Fault::Rejected(Rejection { status: 400, message, .. })
                    if message.as_str().contains("account-level") =>
                {
                    Ok(None)
                }
                _ => Err(error),
            },
        }
    }

    /// The account's people.
    pub async fn users(&self) -> Listed<Named<UserId>> {
        self.named("users", UserId::parse).await
    }

    /// The account's services.
    pub async fn services(&self) -> Listed<Named<ServiceId>> {
        self.named("services", ServiceId::parse).await
    }

    /// The account's escalation policies.
    pub async fn policies(&self) -> Listed<Named<PolicyId>> {
        self.named("escalation_policies", PolicyId::parse).await
    }

    async fn named<I>(&self, field: &str, parse: fn(&str) -> Option<I>) -> Listed<Named<I>> {
        let _turn = self.turn().await;
        let map = |told: wire::Reference| map::named_ref(&told, parse).ok_or_else(|| format!("{field}: no id"));
        Ok(self.pages(Call::get([field]), field, map).await?.listing)
    }

    /// The account's priorities, worst first; empty where the account has none. Later incidents carry their ranks.
    pub async fn priorities(&self) -> Listed<Priority> {
        let _turn = self.turn().await;
        let listing = match self.pages::<wire::Reference, _>(Call::get(["priorities"]), "priorities", Ok).await {
            Ok(pages) => pages.listing,
            Err(error) if matches!(error.status(), Some(402 | 404)) => self.0.http.listing(),
            Err(error) => return Err(error),
        };
        let priorities = map::priorities(&listing.items);
        let ids = priorities.iter().map(|priority| priority.id.clone()).collect();
        *self.0.priorities.write().unwrap_or_else(PoisonError::into_inner) = ids;
        Ok(listing.with_items(priorities))
    }

    /// What the account may do, such as `coordinated_responding`.
    pub async fn abilities(&self) -> Listed<Clean> {
        let _turn = self.turn().await;
        let listing = paging::read_one::<String>(&self.0.http, &Call::get(["abilities"]), "abilities").await?;
        Ok(listing.try_map(|ability| Ok(Clean::new(ability))))
    }

    /// An incident as told.
    pub(super) async fn show(&self, id: &PagerId) -> Result<wire::Incident, SourceError> {
        let call = Call::get(["incidents", id.as_str()]).query("time_zone", "UTC");
        self.0.http.json::<Shown>(&call).await.map(|told| told.incident)
    }

    /// Sends a change of an incident and reads the incident it answers.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<wire::Incident, SourceError> {
        let call = Call::change(method, path.iter().copied()).header("From", self.from().await?).json(body);
        self.may_send()?;
        self.0.http.json::<Shown>(&call).await.map(|told| told.incident)
    }

    /// The last look at the clock before a change leaves.
    pub(super) fn may_send(&self) -> Result<(), SourceError> {
        match self.1 {
            Some(until) if Instant::now() >= until => Err(Fault::Lapsed.into()),
            _ => Ok(()),
        }
    }

    /// The e-mail of who acts.
    pub(super) async fn from(&self) -> Result<String, SourceError> {
        let ask = || async {
            let me = self.me().await?;
            me.map(|me| me.email).ok_or_else(|| SourceError::from(Fault::NoSender))
        };
        self.0.from.get_or_try_init(ask).await.cloned()
    }

    /// An incident as told, in our words.
    pub(super) fn shown(&self, told: &wire::Incident) -> Result<PagerIncident, SourceError> {
        let priorities = self.0.priorities.read().unwrap_or_else(PoisonError::into_inner);
        map::incident(told, &priorities).map_err(not_understood)
    }

    async fn incidents(&self, call: Call) -> Result<Pages<Arc<PagerIncident>>, SourceError> {
        self.pages(call, "incidents", |told: wire::Incident| {
            let priorities = self.0.priorities.read().unwrap_or_else(PoisonError::into_inner);
            map::incident(&told, &priorities).map(Arc::new)
        })
        .await
    }

    async fn pages<T: DeserializeOwned, U>(
        &self,
        call: Call,
        field: &str,
        map: impl Fn(T) -> Result<U, String>,
    ) -> Result<Pages<U>, SourceError> {
        paging::read_all(&self.0.http, call, field, map).await
    }

    fn recorder(&self) -> Recorder<'_> {
        Recorder { source: &self.0.id, now: self.0.http.now() }
    }

    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Fails only when the semaphore is closed, which nobody does.
        self.0.polls.acquire().await.ok()
    }

    fn past(&self) -> std::sync::MutexGuard<'_, HashMap<PagerId, Arc<PagerIncident>>> {
        self.0.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_past(&self, incident: &Arc<PagerIncident>) {
        let mut past = self.past();
        if past.len() >= KEPT_PAST {
            past.clear();
        }
        if incident.status == Status::Resolved {
            past.insert(incident.id.clone(), Arc::clone(incident));
        }
    }
}

#[derive(Deserialize)]
struct Shown {
    incident: wire::Incident,
}

fn filtered(filter: &Filter) -> Call {
    let mut call = Call::get(["incidents"])
        .query("statuses[]", "triggered")
        .query("statuses[]", "acknowledged")
        .query("sort_by", "created_at:asc")
        .query("time_zone", "UTC");
    let lists = [("team_ids[]", &filter.teams), ("service_ids[]", &filter.services), ("user_ids[]", &filter.users)];
    for (name, ids) in lists {
        for id in ids {
            call = call.query(name, id);
        }
    }
    if let Some(urgency) = filter.urgency {
        call = call.query("urgencies[]", map::urgency_word(urgency));
    }
    call
}

fn stamp(at: Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn not_understood(why: String) -> SourceError {
    Fault::Malformed(Clean::new(why)).into()
}

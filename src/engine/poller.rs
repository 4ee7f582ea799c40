//! One loop for every source that is asked again and again: cadence with jitter, one request in flight, backoff with full
//! jitter, a rest while the provider's budget is low, no polls while the token is refused.

mod kept;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::cache::Shelf;
use super::clock::{Chance, Clock};
use super::vital::Vital;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{IncidentId, PagerId};
use crate::domain::source::{ChronoSeconds, RateBudget, Reach};
use crate::domain::time::Timestamp;
use crate::sources::http::share::{Answers, Share};
use crate::sources::http::{backoff, poll_wait};
use crate::sources::{Disposition, Listing, SourceError};
use crate::text::Clean;

/// Orders that may wait for a poller that is busy; more mean the same again.
pub(crate) const ORDERS: usize = 64;

/// First and longest wait of our own after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Never sooner than this after a failure, whatever the dice say.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);

/// A request that takes longer than this is shown as one that waits for its answer.
const NOTICEABLE: Duration = Duration::from_secs(2);

/// While a token is refused, its file or variable is looked at this often.
const LOOK_AT_SECRETS: Duration = Duration::from_secs(60);

/// What is asked out of turn may be answered by what a colleague's console got that short a while ago.
const UNPLANNED: Duration = Duration::from_secs(5);

/// Its own question echoes for about that long.
const JUST_ASKED: Duration = Duration::from_millis(800);

/// A person who leans on the refresh key asks each question at most this often.
const REFRESH_AGAIN: Duration = Duration::from_secs(2);

/// What people and other parts want of a poller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Ask everything now.
    Refresh,
    /// Keep this incident's details fresh.
    Focus(Option<Focus>),
    /// This incident was just changed from here.
    Reread(PagerId),
    /// Another console of the room got an answer to the question of this label.
    Heard(String),
}

/// The incident people look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Focus {
    /// The row.
    pub(crate) incident: IncidentId,
    /// PagerDuty's id.
    pub(crate) pager: PagerId,
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answer<Q> {
    /// What was learned.
    pub(crate) facts: Vec<Fact>,
    /// Elements that were not understood.
    pub(crate) dropped: usize,
    /// What the provider warned of.
    pub(crate) warnings: Vec<Clean>,
    /// What is left of its rate limit.
    pub(crate) budget: Option<RateBudget>,
    /// Its clock minus ours.
    pub(crate) skew: Option<ChronoSeconds>,
    /// Its version.
    pub(crate) version: Option<Clean>,
    /// Questions that this answer makes worth asking now.
    pub(crate) then: Vec<Q>,
}

impl<Q> Default for Answer<Q> {
    fn default() -> Self {
        Self {
            facts: Vec::new(),
            dropped: 0,
            warnings: Vec::new(),
            budget: None,
            skew: None,
            version: None,
            then: Vec::new(),
        }
    }
}

impl<Q> Answer<Q> {
    /// Takes over what came beside a list.
    pub(crate) fn beside<T>(&mut self, listing: &Listing<T>) {
        self.dropped += listing.dropped;
        self.warnings.extend(listing.warnings.iter().cloned());
        self.budget = listing.budget.or(self.budget);
        self.skew = listing.skew.or(self.skew);
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The exchange failed.
    Source(SourceError),
    /// There is no client: no secret, a wrong address.
    Unready(Failure),
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Unready(failure)
    }
}

/// Something that is asked again and again.
pub(crate) trait Source: Send {
    /// What it can be asked.
    type Question: Copy + PartialEq + fmt::Debug + Send + Sync + 'static;

    /// Every question, in the order in which they are asked at first.
    fn questions(&self) -> Vec<Self::Question>;
    /// The one whose answers count for the source's health.
    fn primary(&self) -> Self::Question;
    /// How often; `None` while it makes no sense.
    fn every(&self, question: Self::Question) -> Option<Duration>;
    /// What is asked, for a failure's sentence, such as "list open incidents".
    fn what(&self, question: Self::Question) -> &'static str;
    /// Of whom.
    fn target(&self) -> &str;
    /// Asks.
    fn ask(&mut self, question: Self::Question)
    -> impl Future<Output = Result<Answer<Self::Question>, Trouble>> + Send;
    /// Takes an order; returns the questions that are worth asking now.
    fn heed(&mut self, order: Order) -> Vec<Self::Question>;
    /// What another console must have asked for its answer to be one to this question.
    fn label(&self, question: Self::Question) -> String {
        format!("{} {question:?}", self.target())
    }
    /// How old an answer of another console may be.
    fn max_age(&self, question: Self::Question) -> Duration {
        self.every(question).map_or(UNPLANNED, |every| every * 19 / 20)
    }
    /// The last exchange failed.
    fn lost(&mut self) {}
    /// Where its last known state is kept; none where it is not.
    fn shelf(&self) -> Option<Arc<Shelf>> {
        None
    }
    /// Takes in what an earlier console was told at `at`, and returns what of it is news. It ends and undoes nothing.
    fn recall(&mut self, _fact: Fact, _at: Timestamp) -> Vec<Fact> {
        Vec::new()
    }
    /// Its whole state, for the shelf.
    fn state(&self) -> Vec<Fact> {
        Vec::new()
    }
    /// Whether actions wait for a better token.
    fn is_awaited(&self) -> bool {
        false
    }
    /// Looks whether there is a new token; `is_asked` when a person wants it, who may be bothered.
    fn renew(&mut self, is_asked: bool) -> impl Future<Output = bool> + Send;
}

/// What a poller needs beside its source.
pub(crate) struct Around {
    pub(crate) facts: mpsc::Sender<Fact>,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) stop: CancellationToken,
    /// How questions are shared with the other consoles of the room; none where nothing is shared.
    pub(crate) answers: Option<Arc<dyn Answers>>,
}

struct Slot<Q> {
    question: Q,
    next: Option<Instant>,
    asked: Option<Instant>,
    failures: u32,
}

/// The loop.
pub(crate) struct Poller<'a, S: Source> {
    source: S,
    slots: Vec<Slot<S::Question>>,
    vital: Vital,
    around: &'a Around,
    /// No polls before this: the budget is low or the provider said so.
    held_until: Option<Instant>,
    /// The token is refused; only a new one, or a person, starts polls again.
    is_refused: bool,
}

impl<'a, S: Source> Poller<'a, S> {
    pub(crate) fn new(source: S, vital: Vital, around: &'a Around) -> Self {
        Self { source, slots: Vec::new(), vital, around, held_until: None, is_refused: false }
    }

    /// Runs until the engine stops or its orders end.
    pub(crate) async fn run(mut self, orders: &mut mpsc::Receiver<Order>) {
        self.recall().await;
        self.ask_on(orders).await;
        self.keep(true).await;
    }

    async fn ask_on(&mut self, orders: &mut mpsc::Receiver<Order>) {
        let now = Instant::now();
        for question in self.source.questions() {
            let next = self.source.every(question).map(|_| now);
            self.slots.push(Slot { question, next, asked: None, failures: 0 });
        }
        self.vital.tell().await;
        loop {
            while let Ok(order) = orders.try_recv() {
                self.take(order).await;
            }
            tokio::select! {
                biased;
                () = self.around.stop.cancelled() => return,
                order = orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => return,
                },
                place = due(&self.slots, self.held_until, self.is_refused) => match place {
                    Some(place) => if self.ask(place).await.is_none() { return },
                    None => self.look_at_secrets().await,
                },
            }
        }
    }

    async fn take(&mut self, order: Order) {
        let now = Instant::now();
        if order == Order::Refresh {
            if self.is_refused || self.source.is_awaited() {
                self.source.renew(true).await;
                self.is_refused = false;
            }
            // One that was asked a moment ago is asked again a moment later: no wish is lost, and no key can flood it.
            for slot in &mut self.slots {
                let soonest = slot.asked.map_or(now, |asked| now.max(asked + REFRESH_AGAIN));
                slot.next = slot.next.map(|next| next.min(soonest));
            }
            return;
        }
        if let Order::Heard(label) = &order {
            self.hear(label, now);
        }
        let wanted = self.source.heed(order);
        self.reschedule(&wanted, now);
    }

    /// Its answer is there for the taking; one that was asked this moment has it already.
    fn hear(&mut self, label: &str, now: Instant) {
        for slot in &mut self.slots {
            let is_new = slot.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= JUST_ASKED);
            if slot.next.is_some() && is_new && self.source.label(slot.question) == label {
                slot.next = Some(now);
            }
        }
    }

    fn reschedule(&mut self, wanted: &[S::Question], now: Instant) {
        self.slots.iter_mut().filter(|slot| wanted.contains(&slot.question)).for_each(|slot| slot.next = Some(now));
    }

    async fn look_at_secrets(&mut self) {
        if self.source.renew(false).await {
            self.is_refused = false;
            let now = Instant::now();
            self.slots.iter_mut().filter(|slot| slot.next.is_some()).for_each(|slot| slot.next = Some(now));
        }
    }

    /// `None` when the engine stops.
    async fn ask(&mut self, place: usize) -> Option<()> {
        let question = self.slots.get(place)?.question;
        let (asked, asked_at) = (Instant::now(), self.around.clock.now());
        if let Some(slot) = self.slots.get_mut(place) {
            slot.asked = Some(asked);
            slot.next = None;
        }
        let is_primary = question == self.source.primary();
        let shared =
            self.around.answers.as_ref().map(|answers| {
                Share::new(Arc::clone(answers), self.source.label(question), self.source.max_age(question))
            });
        let outcome = {
            let mut asking = pin!(async {
                match &shared {
                    Some(shared) => shared.over(self.source.ask(question)).await,
                    None => self.source.ask(question).await,
                }
            });
            let stop = &self.around.stop;
            let quick = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                outcome = &mut asking => Some(outcome),
                () = sleep(NOTICEABLE) => None,
            };
            match quick {
                Some(outcome) => outcome,
                None => {
                    if is_primary {
                        self.vital.asking(Some(asked_at));
                        self.vital.tell().await;
                    }
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => return None,
                        outcome = &mut asking => outcome,
                    }
                }
            }
        };
        if is_primary {
            self.vital.asking(None);
        }
        match outcome {
            Ok(answer) => {
                let age = shared.map_or(Duration::ZERO, |shared| shared.oldest());
                self.answered(place, question, asked, answer, age).await;
            }
            Err(trouble) => self.failed(place, question, trouble),
        }
        self.vital.tell().await;
        Some(())
    }

    async fn answered(
        &mut self,
        place: usize,
        question: S::Question,
        asked: Instant,
        answer: Answer<S::Question>,
        age: Duration,
    ) {
        let (now, at) = (Instant::now(), self.around.clock.now());
        let took = now.saturating_duration_since(asked);
        // A provider that takes long to answer gets as long a rest: asking it again at once is how it is brought down.
        let every = self.source.every(question);
        let pause = every.map(|every| {
            if age > Duration::ZERO {
                // Somebody else asks; should they stop, the first of the others goes on a little later.
                let spare = every / 4 + jittered(every, self.around.chance).saturating_sub(every * 19 / 20) * 3;
                return every.saturating_sub(age) + spare;
            }
            jittered(every, self.around.chance).saturating_sub(took).max(took)
        });
        if let Some(slot) = self.slots.get_mut(place) {
            slot.failures = 0;
            slot.next = pause.and_then(|pause| now.checked_add(pause));
        }
        if question == self.source.primary() {
            let asked_at = TimeDelta::from_std(age).ok().and_then(|age| at.checked_sub_signed(age)).unwrap_or(at);
            self.vital.answered(asked_at, answer.dropped);
        }
        self.vital.warn(self.source.what(question), answer.warnings);
        self.vital.beside(answer.budget, answer.skew, answer.version);
        self.held_until = poll_wait(self.vital.budget(), at).and_then(|wait| now.checked_add(wait));
        self.note(!answer.facts.is_empty());
        for fact in answer.facts {
            let _ = self.around.facts.send(fact).await;
        }
        self.keep(false).await;
        self.reschedule(&answer.then, now);
    }

    fn failed(&mut self, place: usize, question: S::Question, trouble: Trouble) {
        let now = Instant::now();
        let Some(slot) = self.slots.get_mut(place) else { return };
        slot.failures = slot.failures.saturating_add(1);
        let own = backoff::full_jitter(FIRST_WAIT, LONGEST_WAIT, slot.failures, self.around.chance.number());
        let own = own.max(SHORTEST_WAIT);
        let (failure, disposition) = match trouble {
            Trouble::Source(error) => {
                let disposition = error.disposition();
                (error.into_failure(self.source.what(question), self.source.target()), disposition)
            }
            Trouble::Unready(failure) => (failure, Disposition::RetryAfter(Some(Duration::from_secs(15)))),
        };
        let is_primary = question == self.source.primary();
        let wait = match disposition {
            Disposition::RetryAfter(hint) => hint.map_or(own, |hint| hint.max(own)),
            Disposition::Ambiguous => own,
            Disposition::NeedsLogin | Disposition::GiveUp if is_primary => LONGEST_WAIT,
            // A list this token may not see is not asked for again and again.
            Disposition::NeedsLogin | Disposition::GiveUp => Duration::from_secs(600),
        };
        slot.next = now.checked_add(wait);
        tracing::warn!(%failure, wait_s = wait.as_secs(), "a question was not answered");
        let is_limited = failure.kind == FailureKind::RateLimited;
        if is_limited {
            self.held_until = slot.next;
        }
        let is_refused = disposition == Disposition::NeedsLogin;
        if is_refused && (is_primary || failure.kind == FailureKind::Unauthorised) {
            self.is_refused = true;
            self.vital.failed(Reach::Forbidden { failure });
            self.source.lost();
        } else if is_primary || is_limited {
            // A limit holds every question back, whichever ran into it.
            let retry_at =
                TimeDelta::from_std(wait).ok().and_then(|wait| self.around.clock.now().checked_add_signed(wait));
            self.vital.failed(Reach::Down { failure, retry_at });
            if is_primary {
                self.source.lost();
            }
        } else {
            self.vital.warn(self.source.what(question), vec![Clean::new(failure.to_string())]);
        }
    }
}

/// The place of the question that is due, once it is; `None` when it is time to look at the secrets.
async fn due<Q: Copy>(slots: &[Slot<Q>], held_until: Option<Instant>, is_refused: bool) -> Option<usize> {
    if is_refused {
        sleep(LOOK_AT_SECRETS).await;
        return None;
    }
    let soonest = slots.iter().enumerate().filter_map(|(place, slot)| Some((slot.next?, place))).min();
    match soonest {
        Some((next, place)) => {
            sleep_until(held_until.map_or(next, |held| held.max(next))).await;
            Some(place)
        }
        None => std::future::pending().await,
    }
}

/// A twentieth more or less, so that consoles and questions drift apart.
fn jittered(every: Duration, chance: Chance) -> Duration {
    let tenth = every / 10;
    let share = u32::try_from(chance.number() >> 48).unwrap_or(0);
    every.saturating_sub(tenth / 2) + tenth.saturating_mul(share) / (1 << 16)
}

#[cfg(test)]
mod tests;

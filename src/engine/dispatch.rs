//! The road of an action: journal, then outbox, then source; and its result back through the journal to the screen.
//!
//! Nothing leaves before the journal has it. Actions on one incident go one after the other, in the order of the keys;
//! actions on different incidents side by side, a few at a time. What is not settled when a console ends is found by the
//! next one.

mod carrier;
mod carry;
mod road;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::domain::action::{Action, Delivery, Intent, Target};
use crate::domain::checklist::Tick;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::OpId;
use crate::domain::sharing::Holding;
use crate::sources::pagerduty::Attempt;
use crate::store::{Entry, OutboxRow, Paging};
use crate::text::Clean;

pub(crate) use carrier::{Carrier, EventsOnly, Rest, Routed, Without};
pub(crate) use road::Road;
pub(crate) use rules::look_at;

/// How many orders may wait; as many as effects.
pub(crate) const ORDERS: usize = 1024;

/// Intents that share one commit: the targets of one key press come together.
const TOGETHER: usize = 256;

/// What a console that is gone sent may be on the wire still: a look before it arrives would say "not there", and it would
/// be there twice (seed 28 of the simulation).
const LANDS: Duration = Duration::from_secs(2);

/// An unfinished action of an earlier console goes on by itself only while it is younger than this; an older one could
/// surprise people, so it is offered.
const GOES_ON: TimeDelta = TimeDelta::minutes(10);

/// How far back actions are told to the screen after a start.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// How often it is looked whether a console that is gone, or was stopped for longer than its lease, left something.
const ADOPTS_EVERY: Duration = Duration::from_secs(15);

/// Entries of other consoles read at once.
const FOLLOWED: u32 = 500;

/// How far back ticks are told.
const TICKS_KEPT: TimeDelta = TimeDelta::days(30);

/// What the dispatch is asked.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Act(Intent),
    Retry(OpId),
    Drop(OpId),
    /// Goes on with an action that was taken over.
    TakeOver(Box<OutboxRow>),
    /// Remembers an earlier action, so that it can be retried or dropped.
    Recall(Box<OutboxRow>),
}

/// One action on its way.
#[derive(Debug)]
struct Job {
    intent: Intent,
    attempt: Attempt,
    give_up: CancellationToken,
    /// Set when another console had it meanwhile: it looks first, whatever it believes.
    looks_first: Arc<AtomicBool>,
    /// Waited for before the first look.
    lands: Duration,
}

/// What is remembered of an action for retry and drop.
#[derive(Debug)]
struct Remembered {
    intent: Intent,
    /// It was sent at least once, or may have been.
    was_sent: bool,
    /// Set while it is queued or running.
    on_its_way: Option<CancellationToken>,
    looks_first: Arc<AtomicBool>,
}

impl Remembered {
    fn resting(intent: Intent, was_sent: bool) -> Self {
        Self { intent, was_sent, on_its_way: None, looks_first: Arc::default() }
    }
}

/// The jobs of one incident: one runs, the others wait.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Job>,
    is_busy: bool,
}

/// Carries actions out.
pub(crate) struct Dispatch {
    road: Arc<Road>,
    lanes: HashMap<String, Lane>,
    running: JoinSet<carry::Ended>,
    /// Which action and lane a running task has.
    tasks: HashMap<Id, (OpId, String)>,
    known: HashMap<OpId, Remembered>,
    /// Where in the journal what others did was read up to.
    read_up_to: Option<u64>,
}

impl Dispatch {
    pub(crate) fn new(road: Arc<Road>) -> Self {
        let (lanes, tasks, known) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { road, lanes, running: JoinSet::new(), tasks, known, read_up_to: None }
    }

    /// Takes orders until there are no more or `stop`; then lets what is on the wire get its result.
    ///
    /// `with_past`: tell what earlier consoles did, and go on with what one that is gone left unfinished.
    pub(crate) async fn run(mut self, orders: &mut mpsc::Receiver<Order>, stop: CancellationToken, with_past: bool) {
        if with_past {
            self.resume().await;
            self.road.door.check().await;
        }
        let door = Arc::clone(&self.road.door);
        let start = tokio::time::Instant::now() + ADOPTS_EVERY;
        let mut adopts = tokio::time::interval_at(start, ADOPTS_EVERY);
        adopts.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut changed = Box::pin(door.changed());
        let mut notice = Box::pin(door.notice());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                found = &mut notice => {
                    self.road.tell(found).await;
                    notice = Box::pin(door.notice());
                }
                () = &mut changed, if with_past => {
                    door.pass_on();
                    self.follow().await;
                    changed = Box::pin(door.changed());
                }
                _ = adopts.tick(), if with_past && !self.road.read_only => self.adopt().await,
                Some(ended) = self.running.join_next_with_id(), if !self.running.is_empty() => self.ended(ended).await,
                order = orders.recv() => match order {
                    Some(order) => self.take(order, orders).await,
                    None if self.running.is_empty() => break,
                    None => {
                        let ended = self.running.join_next_with_id().await;
                        if let Some(ended) = ended { self.ended(ended).await }
                    }
                },
            }
        }
        self.road.stop.cancel();
        while self.running.join_next_with_id().await.is_some() {}
    }

    async fn take(&mut self, order: Order, orders: &mut mpsc::Receiver<Order>) {
        let mut next = Some(order);
        let mut intents = Vec::new();
        while let Some(order) = next.take() {
            match order {
                // One that is refused must not take others with it: a role may be somebody else's by now.
                Order::Act(intent) if matches!(intent.action, Action::Role { .. }) => {
                    self.act(std::mem::take(&mut intents)).await;
                    self.act(vec![intent]).await;
                }
                Order::Act(intent) => intents.push(intent),
                other => {
                    self.act(std::mem::take(&mut intents)).await;
                    match other {
                        Order::Retry(op) => self.retry(op).await,
                        Order::Drop(op) => self.drop_one(op).await,
                        Order::TakeOver(row) => self.take_over(*row).await,
                        Order::Recall(row) => {
                            let resting = Remembered::resting(row.intent.clone(), row.attempts > 0);
                            self.known.insert(row.intent.op, resting);
                        }
                        Order::Act(_) => {}
                    }
                }
            }
            if intents.len() < TOGETHER {
                next = orders.try_recv().ok();
            }
        }
        self.act(intents).await;
    }

    /// Journal first; then the screen; then the road.
    async fn act(&mut self, intents: Vec<Intent>) {
        if intents.is_empty() {
            return;
        }
        if self.road.read_only {
            for intent in intents {
                let failure = read_only(&intent);
                self.road.refuse(intent, failure).await;
            }
            return;
        }
        let entries = intents.iter().map(entry).collect();
        if let Err(unkept) = self.road.door.append("write an action into", entries).await {
            let failure = unkept.failure();
            for intent in intents {
                self.road.refuse(intent, failure.clone()).await;
            }
            return;
        }
        for intent in intents {
            if let Some(fact) = at_home(entry(&intent)) {
                self.road.tell(fact).await;
            } else {
                self.road.recorded(&intent).await;
                self.enqueue(intent, Attempt::First, Duration::ZERO);
            }
        }
    }

    async fn retry(&mut self, op: OpId) {
        let Some(known) = self.known.get(&op).filter(|known| known.on_its_way.is_none()) else { return };
        // Where nobody can look, the person who asks for it has looked.
        let may_look = known.was_sent && self.road.carrier.can_look(&known.intent);
        let attempt = if may_look { Attempt::Again } else { Attempt::First };
        let intent = known.intent.clone();
        if self.road.read_only {
            return self.road.refuse(intent.clone(), read_only(&intent)).await;
        }
        if self.road.settle(&intent, Delivery::Queued { waits_until: None }, None).await {
            self.enqueue(intent, attempt, Duration::ZERO);
        }
    }

    /// One that is on its way is told to stop, and stops where it certainly was not sent; a settled one is put away.
    async fn drop_one(&mut self, op: OpId) {
        let Some(known) = self.known.get(&op) else { return };
        match &known.on_its_way {
            Some(give_up) => give_up.cancel(),
            None => {
                let intent = known.intent.clone();
                self.road.settle(&intent, Delivery::Dropped, None).await;
            }
        }
    }

    fn enqueue(&mut self, intent: Intent, attempt: Attempt, lands: Duration) {
        let give_up = CancellationToken::new();
        let lane = lane(&intent);
        let was_sent = attempt == Attempt::Again;
        let mut remembered = Remembered::resting(intent.clone(), was_sent);
        remembered.on_its_way = Some(give_up.clone());
        let looks_first = Arc::clone(&remembered.looks_first);
        self.known.insert(intent.op, remembered);
        self.lanes.entry(lane.clone()).or_default().waiting.push_back(Job {
            intent,
            attempt,
            give_up,
            looks_first,
            lands,
        });
        self.start_next(&lane);
    }

    fn start_next(&mut self, name: &str) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        if lane.is_busy {
            return;
        }
        match lane.waiting.pop_front() {
            Some(job) => {
                lane.is_busy = true;
                let op = job.intent.op;
                let task = self.running.spawn(carry::carry(Arc::clone(&self.road), job));
                self.tasks.insert(task.id(), (op, name.to_owned()));
            }
            None => drop(self.lanes.remove(name)),
        }
    }

    async fn ended(&mut self, ended: Result<(Id, carry::Ended), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some((op, lane)) = self.tasks.remove(&id) else { return };
        let (was_sent, is_done) = match ended {
            Ok((_, ended)) => (ended.was_sent, ended.is_done),
            Err(cause) => {
                self.cut_off(op, &cause).await;
                (true, false)
            }
        };
        if is_done {
            self.known.remove(&op);
        } else if let Some(known) = self.known.get_mut(&op) {
            known.on_its_way = None;
            known.was_sent |= was_sent;
        }
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.is_busy = false;
        }
        self.start_next(&lane);
    }

    /// A fault of ours while an action was on its way: nobody knows how far it got.
    async fn cut_off(&mut self, op: OpId, cause: &JoinError) {
        tracing::error!(%op, %cause, "an action's task ended without a result");
        let Some(intent) = self.known.get(&op).map(|known| known.intent.clone()) else { return };
        let check =
            format!("a fault of warroom cut it off; {} Then retry (looks first) or drop", rules::look_at(&intent));
        self.road.settle(&intent, Delivery::Unknown { check: Clean::new(check) }, None).await;
    }

    /// Tells what earlier consoles did, and takes over what a console that is gone left unfinished.
    async fn resume(&mut self) {
        let door = Arc::clone(&self.road.door);
        if let Ok(last) = door.page(Paging::Before(u64::MAX), 1).await {
            self.read_up_to = Some(last.last().map_or(0, |(place, _)| *place));
        }
        if !self.tell_words(|_| true).await {
            return;
        }
        let adopted = if self.road.read_only { Vec::new() } else { door.adopt().await.unwrap_or_default() };
        let since = self.road.clock.now() - RECENT;
        for row in door.actions_since(since).await.unwrap_or_default() {
            self.tell_earlier(&row, adopted.iter().any(|mine| mine.intent.op == row.intent.op)).await;
        }
        for row in adopted {
            if row.intent.at < since {
                self.tell_earlier(&row, true).await;
            }
            self.take_over(row).await;
        }
    }

    /// Takes over what a console left that is gone or was stopped for longer than its lease.
    async fn adopt(&mut self) {
        for row in self.road.door.adopt().await.unwrap_or_default() {
            if let Some(mine) = self.known.get(&row.intent.op).filter(|mine| mine.on_its_way.is_some()) {
                mine.looks_first.store(true, Ordering::SeqCst);
                continue;
            }
            self.tell_earlier(&row, true).await;
            self.take_over(row).await;
        }
    }

    /// The last word on each step and role that is wanted. False when the journal cannot be read.
    async fn tell_words(&self, is_wanted: impl Fn(&Entry) -> bool) -> bool {
        let Ok(entries) = self.road.door.ticks(TICKS_KEPT).await else { return false };
        for entry in entries.into_iter().filter(is_wanted) {
            if let Some(fact) = at_home(entry) {
                self.road.tell(fact).await;
            }
        }
        true
    }

    /// Tells what other consoles on this journal did since it was looked last.
    async fn follow(&mut self) {
        // The room could not be reached when this console started: now everything is told.
        if self.read_up_to.is_none() {
            return self.resume().await;
        }
        let has_roles = self.follow_pages().await;
        // Who has a role follows from all of its moves: one that was overtaken moved nothing.
        if has_roles {
            self.tell_words(|entry| matches!(entry, Entry::RoleMoved { .. })).await;
        }
    }

    async fn follow_pages(&mut self) -> bool {
        let mut has_roles = false;
        let door = Arc::clone(&self.road.door);
        let me = door.writer().await;
        loop {
            let after = self.read_up_to.unwrap_or(0);
            let Ok(page) = door.page(Paging::After(after), FOLLOWED).await else { return has_roles };
            let Some((last, _)) = page.last() else { return has_roles };
            self.read_up_to = Some(*last);
            has_roles |= page.iter().any(|(_, record)| record.kind == "role_moved");
            for (_, record) in page.iter().filter(|(_, record)| Some(record.writer) != me) {
                match record.entry() {
                    Some(Entry::Intended(intent)) => {
                        self.known.entry(intent.op).or_insert_with(|| Remembered::resting(intent.clone(), true));
                        self.road.recorded(&intent).await;
                    }
                    Some(Entry::Moved { op, delivery, at, opened }) => {
                        self.road.tell(Fact::Delivered { op, delivery, at, opened }).await;
                    }
                    Some(entry @ Entry::Ticked { .. }) => {
                        if let Some(fact) = at_home(entry) {
                            self.road.tell(fact).await;
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    async fn tell_earlier(&mut self, row: &OutboxRow, is_mine: bool) {
        self.road.tell(Fact::IntentRecorded(row.intent.clone())).await;
        let OutboxRow { delivery, changed_at, opened, .. } = row.clone();
        self.road.tell(Fact::Delivered { op: row.intent.op, delivery, at: changed_at, opened }).await;
        let can_be_retried = matches!(row.delivery, Delivery::Failed { .. } | Delivery::Unknown { .. });
        if is_mine || can_be_retried {
            self.known.insert(row.intent.op, Remembered::resting(row.intent.clone(), row.attempts > 0));
        }
    }

    async fn take_over(&mut self, row: OutboxRow) {
        let age = self.road.clock.now().signed_duration_since(row.intent.at);
        let may_have_left = row.attempts > 0 && row.delivery == Delivery::Sent;
        if age < GOES_ON && (self.road.carrier.can_look(&row.intent) || !may_have_left) {
            return match may_have_left {
                true => self.enqueue(row.intent, Attempt::Again, LANDS),
                false => self.enqueue(row.intent, Attempt::First, Duration::ZERO),
            };
        }
        let delivery = if may_have_left {
            let look = rules::look_at(&row.intent);
            let again = if self.road.carrier.can_look(&row.intent) {
                "looks first and sends only if it was not done"
            } else {
                "sends it"
            };
            let check = format!("the console ended before PagerDuty's answer was kept; {look} A retry {again}");
            Delivery::Unknown { check: Clean::new(check) }
        } else {
            let failure = Failure {
                kind: FailureKind::Internal,
                what: Clean::new(carry::verb(&row.intent.action)),
                target: carry::target(&row.intent),
                cause: Clean::new(format!("the console ended before it was sent, {} min ago", age.num_minutes())),
                remedy: Clean::new("retry sends it now, drop puts it away"),
            };
            Delivery::Failed { failure }
        };
        self.road.settle(&row.intent, delivery, None).await;
    }
}

/// What the journal gets first.
fn entry(intent: &Intent) -> Entry {
    match (&intent.action, &intent.target) {
        (Action::Tick { runbook, step, done }, Target::Incident { id, .. }) => Entry::Ticked {
            incident: id.clone(),
            runbook: runbook.clone(),
            step: step.clone(),
            tick: done.then(|| Tick { by: intent.by.clone(), at: intent.at }),
            at: intent.at,
        },
        (Action::Role { role, from, to }, Target::Incident { id, .. }) => Entry::RoleMoved {
            incident: id.clone(),
            role: role.clone(),
            from: from.clone(),
            to: to.clone(),
            at: intent.at,
        },
        _ => Entry::Intended(intent.clone()),
    }
}

/// A tick or a role stays in this room: once it is written it is done. What such an entry tells the screen.
fn at_home(entry: Entry) -> Option<Fact> {
    match entry {
        Entry::Ticked { incident, runbook, step, tick, .. } => Some(Fact::StepTicked { incident, runbook, step, tick }),
        Entry::RoleMoved { incident, role, to, at, .. } => {
            Some(Fact::RoleMoved { incident, role, holder: to.map(|who| Holding { who, since: at }) })
        }
        _ => None,
    }
}

fn lane(intent: &Intent) -> String {
    match &intent.target {
        Target::Incident { pager: Some(pager), .. } => pager.to_string(),
        Target::Incident { id, .. } => id.to_string(),
        Target::New => intent.op.to_string(),
    }
}

fn read_only(intent: &Intent) -> Failure {
    Failure {
        kind: FailureKind::Config,
        what: Clean::new(carry::verb(&intent.action)),
        target: carry::target(intent),
        cause: Clean::new("this room is read-only"),
        remedy: Clean::new("start without --read-only, or set read_only = false under [room]"),
    }
}

//! The engine without a screen, for subcommands: ask once, or act once through the same journal and outbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::dispatch::{Dispatch, Order};
use super::feeds::alertmanager::{Alertmanager, Question as AlertQuestion};
use super::feeds::pagerduty::{PagerDuty, Question as PagerQuestion};
use super::incidents::Incidents;
use super::journal::Door;
use super::poller::{Focus, Order as PollOrder, Source, Trouble};
use super::runner::{RunSetup, Runner};
use super::wiring::{Plant, clusters};
use super::{Secrets, connect};
use crate::config::Config;
use crate::domain::action::{Delivery, Intent};
use crate::domain::alert::Labels;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{IncidentId, OpId, PagerId};
use crate::domain::room::Room;
use crate::domain::run::RunOrder;
use crate::runbook::coverage::AlertRule;
use crate::sources::pagerduty::Client;
use crate::text::Clean;

/// Facts that may wait for the collector, which does nothing else.
const FACTS: usize = 1024;

/// How long an action on the wire may still take when the time is over.
const GRACE: Duration = Duration::from_secs(2);

/// Rounds of reading incidents' alerts for their keys; each round is five requests.
const KEY_ROUNDS: usize = 20;

/// What a subcommand needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Open incidents (PagerDuty), priorities with them.
    Incidents,
    /// Alerts of every Alertmanager cluster.
    Alerts,
    /// Silences of every Alertmanager cluster.
    Silences,
    /// Who is on call.
    OnCall,
    /// The account's people.
    People,
    /// The account's services and priorities.
    Services,
    /// One incident, open or not: record, log entries, notes, alerts, policy, changes, past incidents.
    Details(PagerId),
}

/// What was learned until the answer was complete or the time was over.
#[derive(Debug)]
pub struct Collected {
    /// Everything that arrived.
    pub room: Room,
    /// What did not, one sentence each; empty means that the room is complete.
    pub failures: Vec<Failure>,
}

/// What became of actions, and what a person has to know of the journal.
#[derive(Debug)]
pub struct Acted {
    /// In the order of the intents.
    pub outcomes: Vec<Outcome>,
    /// Such as that the journal was damaged and salvaged.
    pub problems: Vec<Failure>,
}

/// What became of one intent.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which.
    pub op: OpId,
    /// How far it got; not settled only when the time was over, and then it stays in the outbox.
    pub delivery: Delivery,
    /// The incident a declaration opened.
    pub opened: Option<PagerId>,
}

/// Asks every configured source that `wanted` concerns, once, side by side.
pub async fn collect(
    config: Arc<Config>,
    secrets: Secrets,
    wanted: &[Wanted],
    clock: Clock,
    deadline: Duration,
) -> Collected {
    let (facts, _) = mpsc::channel(1);
    let plant = Plant::new(config, secrets, facts, clock, CancellationToken::new());
    let mut asking: Vec<BoxFuture<'_, Gathered>> = Vec::new();
    let of_pagerduty = |wanted: &Wanted| !matches!(wanted, Wanted::Alerts | Wanted::Silences);
    if let (Some(link), true) = (plant.pagerduty(), wanted.iter().any(of_pagerduty)) {
        asking.push(Box::pin(ask_pagerduty(&plant, link, wanted)));
    } else if wanted.iter().any(of_pagerduty) {
        asking.push(Box::pin(async { Gathered { facts: Vec::new(), failures: vec![no_token()] } }));
    }
    let of_alerts = questions_of_alerts(wanted);
    if !of_alerts.is_empty() {
        for (instance, folded) in clusters(&plant.config) {
            let link = connect::alertmanager(instance, &plant.secrets, &plant.clock);
            let source = Alertmanager::new(instance, link, folded, plant.clock.clone());
            asking.push(Box::pin(ask_all(source, of_alerts.clone())));
        }
    }
    let limited = asking.into_iter().map(|asked| async move {
        timeout(deadline, asked)
            .await
            .unwrap_or_else(|_| Gathered { facts: Vec::new(), failures: vec![late(deadline)] })
    });
    let mut collected = Collected { room: Room::new(plant.config.room_settings()), failures: Vec::new() };
    for gathered in join_all(limited).await {
        let now = plant.clock.now();
        for fact in &gathered.facts {
            collected.room.apply(fact, now);
        }
        collected.failures.extend(gathered.failures);
    }
    collected
}

/// What one source told.
#[derive(Default)]
struct Gathered {
    facts: Vec<Fact>,
    failures: Vec<Failure>,
}

fn questions_of_alerts(wanted: &[Wanted]) -> Vec<AlertQuestion> {
    let mut questions = Vec::new();
    if wanted.contains(&Wanted::Alerts) {
        questions.extend([AlertQuestion::Status, AlertQuestion::Alerts]);
    }
    if wanted.contains(&Wanted::Silences) {
        questions.push(AlertQuestion::Silences);
    }
    questions
}

async fn ask_pagerduty(plant: &Plant, link: Arc<super::link::Link<Client>>, wanted: &[Wanted]) -> Gathered {
    let Some(config) = &plant.config.pagerduty else { return Gathered::default() };
    let incidents = Arc::new(Mutex::new(Incidents::default()));
    let mut source = PagerDuty::new(config, link, Arc::clone(&incidents));
    let mut gathered = Gathered::default();
    let with_priorities = |wanted: &Wanted| matches!(wanted, Wanted::Incidents | Wanted::Details(_) | Wanted::Services);
    if wanted.iter().any(with_priorities) {
        ask(&mut source, PagerQuestion::Priorities, &mut gathered).await;
    }
    if wanted.contains(&Wanted::Incidents) {
        ask(&mut source, PagerQuestion::Open, &mut gathered).await;
    }
    if wanted.contains(&Wanted::Incidents) && wanted.contains(&Wanted::Alerts) {
        for _ in 0..KEY_ROUNDS {
            if super::feeds::lock(&incidents).keyless().is_empty() {
                break;
            }
            ask(&mut source, PagerQuestion::FollowUp, &mut gathered).await;
        }
    }
    if wanted.contains(&Wanted::OnCall) {
        ask(&mut source, PagerQuestion::OnCalls, &mut gathered).await;
    }
    if wanted.contains(&Wanted::People) {
        ask(&mut source, PagerQuestion::Users, &mut gathered).await;
    }
    if wanted.contains(&Wanted::Services) {
        ask(&mut source, PagerQuestion::Services, &mut gathered).await;
    }
    for pager in wanted.iter().filter_map(|wanted| match wanted {
        Wanted::Details(pager) => Some(pager),
        _ => None,
    }) {
        details(&mut source, pager, &mut gathered).await;
    }
    gathered
}

async fn details(source: &mut PagerDuty, pager: &PagerId, gathered: &mut Gathered) {
    match source.read_one(pager).await {
        Ok(facts) => gathered.facts.extend(facts),
        Err(trouble) => return gathered.failures.push(words(trouble, "read", pager.as_str())),
    }
    let Some(incident) = IncidentId::parse(&format!("pd:{pager}")) else { return };
    source.heed(PollOrder::Focus(Some(Focus { incident, pager: pager.clone() })));
    for question in [PagerQuestion::Log, PagerQuestion::Notes, PagerQuestion::Context] {
        ask(source, question, gathered).await;
    }
}

async fn ask_all<S: Source>(mut source: S, questions: Vec<S::Question>) -> Gathered {
    let mut gathered = Gathered::default();
    for question in questions {
        ask(&mut source, question, &mut gathered).await;
    }
    gathered
}

async fn ask<S: Source>(source: &mut S, question: S::Question, gathered: &mut Gathered) {
    match source.ask(question).await {
        Ok(answer) => gathered.facts.extend(answer.facts),
        Err(trouble) => gathered.failures.push(words(trouble, source.what(question), source.target())),
    }
}

fn words(trouble: Trouble, what: &str, target: &str) -> Failure {
    match trouble {
        Trouble::Source(error) => error.into_failure(what, target),
        Trouble::Unready(failure) => failure,
    }
}

fn no_token() -> Failure {
    Failure {
        kind: FailureKind::Config,
        what: Clean::new("ask"),
        target: Clean::new("PagerDuty"),
        cause: Clean::new("no token is configured"),
        remedy: Clean::new("add [pagerduty] with token = { env = \"PAGERDUTY_TOKEN\" } to the config"),
    }
}

fn late(deadline: Duration) -> Failure {
    Failure {
        kind: FailureKind::Timeout,
        what: Clean::new("ask"),
        target: Clean::new("the sources"),
        cause: Clean::new(format!("not all had answered within {} s", deadline.as_secs())),
        remedy: Clean::new("try again, or look with: warroom doctor"),
    }
}

/// Carries the intents out: journal, outbox, source. The outcomes come in the order of the intents. What was not sent
/// when the time is over is dropped: no later console sends it behind anybody's back.
///
/// Cancel safety: what was dropped half-way stays in the outbox and is told as unknown at the next start.
pub async fn act(
    config: Arc<Config>,
    secrets: Secrets,
    intents: Vec<Intent>,
    clock: Clock,
    deadline: Duration,
) -> Acted {
    run(config, secrets, Ask::Act(intents), clock, deadline).await
}

/// Goes on with what is in the outbox. What is not settled when the time is over stays there.
pub async fn resume(config: Arc<Config>, secrets: Secrets, ask: Resume, clock: Clock, deadline: Duration) -> Acted {
    run(config, secrets, Ask::Resume(ask), clock, deadline).await
}

/// What is done with the outbox.
#[derive(Debug)]
pub enum Resume {
    /// What a console that is gone left unfinished goes on.
    Unfinished,
    /// Tries these again, after a look.
    Retry(Vec<OpId>),
    /// Gives these up.
    Drop(Vec<OpId>),
}

enum Ask {
    Act(Vec<Intent>),
    Resume(Resume),
}

async fn run(config: Arc<Config>, secrets: Secrets, ask: Ask, clock: Clock, deadline: Duration) -> Acted {
    let (facts, mut told) = mpsc::channel(FACTS);
    let stop = CancellationToken::new();
    let plant = Plant::new(config, secrets, facts, clock, stop.clone());
    let carrier = plant.carrier(plant.pagerduty().as_ref());
    let door = plant.door();
    let road = plant.road(Arc::clone(&door), carrier, Arc::default(), None);
    let is_new = matches!(ask, Ask::Act(_));
    let (listed, asked): (Vec<Intent>, Vec<Order>) = match ask {
        Ask::Act(intents) => (intents.clone(), intents.into_iter().map(Order::Act).collect()),
        Ask::Resume(Resume::Unfinished) => {
            let rows = door.adopt().await.unwrap_or_default();
            let orders = rows.iter().map(|row| Order::TakeOver(Box::new(row.clone()))).collect();
            (rows.into_iter().map(|row| row.intent).collect(), orders)
        }
        Ask::Resume(Resume::Retry(ops)) => recalled(&door, &ops, Order::Retry).await,
        Ask::Resume(Resume::Drop(ops)) => recalled(&door, &ops, Order::Drop).await,
    };
    let (orders, mut received) = mpsc::channel(listed.len().max(1) * 3);
    let mut outcomes = Outcomes::of(&listed);
    for order in asked {
        let _ = orders.send(order).await;
    }
    let until = Instant::now() + deadline;
    let watch = async {
        if !outcomes.settle(&mut told, until).await {
            for op in outcomes.open().into_iter().filter(|_| is_new) {
                let _ = orders.send(Order::Drop(op)).await;
            }
            outcomes.settle(&mut told, until + GRACE).await;
        }
        stop.cancel();
        // What the dispatch still tells must not make it wait.
        told.close();
    };
    let dispatch = Dispatch::new(road).run(&mut received, stop.clone(), false);
    let _ = tokio::join!(timeout(deadline + GRACE * 2, dispatch), watch);
    door.close().await;
    Acted { outcomes: outcomes.list, problems: outcomes.problems }
}

/// Actions that the journal knows, remembered again and then ordered.
async fn recalled(door: &Door, ops: &[OpId], order: impl Fn(OpId) -> Order) -> (Vec<Intent>, Vec<Order>) {
    let (mut intents, mut orders) = (Vec::new(), Vec::new());
    for op in ops {
        let Some(row) = door.action(*op).await else { continue };
        intents.push(row.intent.clone());
        orders.extend([Order::Recall(Box::new(row)), order(*op)]);
    }
    (intents, orders)
}

/// Runs of runbooks without a screen: `with` gives orders and hears what became of them. What still runs when it returns
/// goes on by itself; the next console attaches to it.
pub async fn runs<T, F>(
    config: Arc<Config>,
    secrets: Secrets,
    clock: Clock,
    setup: RunSetup,
    with: impl FnOnce(mpsc::Sender<RunOrder>, mpsc::Receiver<Fact>) -> F,
) -> T
where
    F: Future<Output = T>,
{
    let (facts, told) = mpsc::channel(FACTS);
    let (orders, mut received) = mpsc::channel(super::runner::ORDERS);
    let stop = CancellationToken::new();
    let plant = Plant::new(config, secrets, facts, clock, stop.clone()).with_runs(setup);
    let door = plant.door();
    let runner = Runner::new(plant.runner(Arc::clone(&door)));
    drop(plant);
    let ending = stop.clone();
    let (_, done) = tokio::join!(runner.run(&mut received, stop, true), async move {
        let done = with(orders, told).await;
        ending.cancel();
        done
    });
    door.close().await;
    done
}

/// The alerting rules of every Prometheus.
pub async fn rules(
    config: Arc<Config>,
    secrets: Secrets,
    clock: Clock,
    deadline: Duration,
) -> (Vec<AlertRule>, Vec<Failure>) {
    let asking = config.prometheus.iter().map(|server| {
        let link = connect::prometheus(server, &secrets, &clock);
        let target = server.endpoint.id.to_string();
        async move {
            let asked = async {
                let client = link.get().await?;
                client.rules().await.map_err(|error| error.into_failure("list the rules of", &target))
            };
            timeout(deadline, asked).await.unwrap_or_else(|_| Err(late(deadline)))
        }
    });
    let (mut rules, mut failures) = (Vec::new(), Vec::new());
    for answer in join_all(asking).await {
        match answer {
            Ok(listing) => rules.extend(listing.items.into_iter().filter(|rule| rule.is_alert).map(|rule| {
                let labels = Labels::new(rule.labels.iter().chain([("alertname", rule.name.borrow())]));
                AlertRule { name: rule.name.expose().to_owned(), labels, annotations: Labels::default() }
            })),
            Err(failure) => failures.push(failure),
        }
    }
    (rules, failures)
}

/// What became of each intent so far.
struct Outcomes {
    list: Vec<Outcome>,
    places: HashMap<OpId, usize>,
    problems: Vec<Failure>,
}

impl Outcomes {
    fn of(intents: &[Intent]) -> Self {
        let queued = || Delivery::Queued { waits_until: None };
        let list = intents.iter().map(|intent| Outcome { op: intent.op, delivery: queued(), opened: None }).collect();
        let places = intents.iter().enumerate().map(|(place, intent)| (intent.op, place)).collect();
        Self { list, places, problems: Vec::new() }
    }

    fn open(&self) -> Vec<OpId> {
        self.list.iter().filter(|outcome| !outcome.delivery.is_settled()).map(|outcome| outcome.op).collect()
    }

    /// True when all are settled before `until`.
    async fn settle(&mut self, told: &mut mpsc::Receiver<Fact>, until: Instant) -> bool {
        while !self.open().is_empty() {
            match timeout_at(until, told.recv()).await {
                Ok(Some(Fact::Delivered { op, delivery, opened, .. })) => {
                    if let Some(outcome) = self.places.get(&op).and_then(|place| self.list.get_mut(*place)) {
                        outcome.delivery = delivery;
                        outcome.opened = opened.or(outcome.opened.take());
                    }
                }
                Ok(Some(Fact::ProblemFound { failure, .. })) => self.problems.push(failure),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return false,
            }
        }
        true
    }
}

//! Which tasks a console's engine has, and the lanes between them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex as Shared};

use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::cache::Shelf;
use super::clock::{Chance, Clock};
use super::dispatch::{self, Carrier, Dispatch, EventsOnly, Rest, Road, Routed, Without};
use super::feeds::alertmanager::{Alertmanager, Folded};
use super::feeds::pagerduty::PagerDuty;
use super::incidents::Incidents;
use super::journal::Door;
use super::link::Link;
use super::poller::{self, Around, Focus, Order, Poller};
use super::query::{self, Ask, Asker, Query};
use super::runner::{self, RunSetup, Runner};
use super::sharing::{self, RoomAnswers, Together};
use super::supervisor::Supervisor;
use super::vital::Vital;
use super::{Secrets, connect};
use crate::config::Config;
use crate::domain::action::Target;
use crate::domain::effect::{Effect, QueryId};
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{IncidentId, SourceId};
use crate::domain::run::RunOrder;
use crate::domain::source::SourceKind;
use crate::sources::http::share::Answers;
use crate::sources::pagerduty;
use crate::store::shared::SharedRoom;
use crate::text::Clean;

/// A lane's end that outlives a panic of the task that reads it.
type Lane<T> = Arc<Mutex<mpsc::Receiver<T>>>;

fn lane<T>(size: usize) -> (mpsc::Sender<T>, Lane<T>) {
    let (sender, receiver) = mpsc::channel(size);
    (sender, Arc::new(Mutex::new(receiver)))
}

/// Everything an engine's parts are made from.
pub(super) struct Plant {
    pub(super) config: Arc<Config>,
    pub(super) secrets: Secrets,
    pub(super) facts: mpsc::Sender<Fact>,
    pub(super) clock: Clock,
    pub(super) runs: RunSetup,
    pub(super) stop: CancellationToken,
    /// The room that several consoles share; none where the journal is a file.
    pub(super) room: Option<Arc<SharedRoom>>,
}

/// Where effects go.
struct Lanes {
    dispatch: mpsc::Sender<dispatch::Order>,
    pollers: Vec<mpsc::Sender<Order>>,
    pagerduty: Option<mpsc::Sender<Order>>,
    prometheus: HashMap<SourceId, mpsc::Sender<Ask>>,
    /// What people look at, for the others in the room.
    focus: watch::Sender<Option<IncidentId>>,
    runs: mpsc::Sender<RunOrder>,
}

impl Plant {
    pub(super) fn new(
        config: Arc<Config>,
        secrets: Secrets,
        facts: mpsc::Sender<Fact>,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        // An address that cannot be used is told by the journal's door, like a file that cannot be opened.
        let room = connect::shared_room(&config.room, &clock).ok().flatten();
        Self { config, secrets, facts, clock, runs: RunSetup::none(), stop, room }
    }

    /// With runbooks to run.
    pub(super) fn with_runs(self, runs: RunSetup) -> Self {
        Self { runs, ..self }
    }

    /// Starts every task and runs until `stop` or until the screen is gone.
    pub(super) async fn run(self, effects: mpsc::Receiver<Effect>) {
        let mut supervisor = Supervisor::new(self.facts.clone(), self.clock.clone());
        let mut lanes = Lanes {
            dispatch: mpsc::channel(1).0,
            pollers: Vec::new(),
            pagerduty: None,
            prometheus: HashMap::new(),
            focus: watch::Sender::new(None),
            runs: mpsc::channel(1).0,
        };
        let door = self.door();
        let carrier = self.watch_pagerduty(&mut supervisor, &mut lanes);
        self.watch_dispatch(&mut supervisor, &mut lanes, Arc::clone(&door), carrier);
        self.watch_alertmanagers(&mut supervisor, &mut lanes);
        self.watch_prometheus(&mut supervisor, &mut lanes);
        self.watch_room(&mut supervisor, &lanes);
        self.watch_runs(&mut supervisor, &mut lanes, Arc::clone(&door));
        let stop = self.stop.clone();
        let route = route(lanes, effects, self.facts.clone(), self.clock.clone());
        let stopping = stop.clone();
        tokio::join!(supervisor.run(stop), async move {
            tokio::select! {
                biased;
                () = route => stopping.cancel(),
                () = stopping.cancelled() => {}
            }
        });
        door.close().await;
    }

    pub(super) fn door(&self) -> Arc<Door> {
        Arc::new(Door::new(&self.config.room.journal, self.room.clone(), self.facts.clone(), self.clock.clone()))
    }

    fn around(&self) -> Arc<Around> {
        Arc::new(Around {
            facts: self.facts.clone(),
            clock: self.clock.clone(),
            chance: Chance::System,
            stop: self.stop.clone(),
            answers: self.room.clone().map(|room| Arc::new(RoomAnswers::new(room)) as Arc<dyn Answers>),
        })
    }

    /// Starts PagerDuty's poller where there is a token; who carries actions out follows from the config.
    fn watch_pagerduty(
        &self,
        supervisor: &mut Supervisor,
        lanes: &mut Lanes,
    ) -> (Arc<dyn Carrier>, Arc<Shared<Incidents>>) {
        let incidents = Arc::new(Shared::new(Incidents::default()));
        let link = self.pagerduty();
        let carrier = self.carrier(link.as_ref());
        let (Some(config), Some(link)) = (self.config.pagerduty.clone(), link) else { return (carrier, incidents) };
        let (orders, received) = lane(poller::ORDERS);
        lanes.pollers.push(orders.clone());
        lanes.pagerduty = Some(orders);
        let (known, around) = (Arc::clone(&incidents), self.around());
        let (shelf, listed) = (self.config.room.cache.as_deref(), Arc::default());
        let shelf = shelf.map(|folder| Shelf::of_pagerduty(folder, &config));
        supervisor.watch(config.endpoint.id.to_string(), move || {
            let source = PagerDuty::new(&config, Arc::clone(&link), Arc::clone(&known));
            let source = source.keeping(shelf.clone(), Arc::clone(&listed));
            let endpoint = &config.endpoint;
            let vital = Vital::new(endpoint.id.clone(), SourceKind::PagerDuty, endpoint.every, around.facts.clone());
            let (around, received) = (Arc::clone(&around), Arc::clone(&received));
            async move { Poller::new(source, vital, &around).run(&mut *received.lock().await).await }
        });
        (carrier, incidents)
    }

    pub(super) fn pagerduty(&self) -> Option<Arc<Link<pagerduty::Client>>> {
        connect::pagerduty(self.config.pagerduty.as_ref()?, &self.secrets, &self.clock)
    }

    /// Who carries actions out: the REST API where there is a token, else the Events API, else nobody.
    pub(super) fn carrier(&self, rest: Option<&Arc<Link<pagerduty::Client>>>) -> Arc<dyn Carrier> {
        let events = || connect::events(self.config.pagerduty.as_ref()?, &self.secrets, &self.clock);
        let pager: Arc<dyn Carrier> = match (rest, events()) {
            (Some(link), _) => Arc::new(Rest(Arc::clone(link))),
            (None, Some(link)) => Arc::new(EventsOnly(link)),
            (None, None) => Arc::new(Without),
        };
        let link = |config| connect::alertmanager(config, &self.secrets, &self.clock);
        let clusters = self.config.alertmanagers.iter().map(|config| (config.cluster.clone(), link(config))).collect();
        Arc::new(Routed { pager, clusters })
    }

    /// The road of actions.
    pub(super) fn road(
        &self,
        door: Arc<Door>,
        carrier: Arc<dyn Carrier>,
        incidents: Arc<Shared<Incidents>>,
        poller: Option<mpsc::Sender<Order>>,
    ) -> Arc<Road> {
        Arc::new(Road {
            door,
            carrier,
            facts: self.facts.clone(),
            clock: self.clock.clone(),
            chance: Chance::System,
            read_only: self.config.room.read_only,
            incidents,
            source: self.config.pagerduty.as_ref().map(|config| config.endpoint.id.clone()),
            poller,
            slots: Road::slots(),
            stop: self.stop.child_token(),
        })
    }

    fn watch_dispatch(
        &self,
        supervisor: &mut Supervisor,
        lanes: &mut Lanes,
        door: Arc<Door>,
        (carrier, incidents): (Arc<dyn Carrier>, Arc<Shared<Incidents>>),
    ) {
        let (orders, received) = lane(dispatch::ORDERS);
        lanes.dispatch = orders;
        let stop = self.stop.clone();
        let road = self.road(door, carrier, incidents, lanes.pagerduty.clone());
        supervisor.watch("actions", move || {
            let (road, received, stop) = (Arc::clone(&road), Arc::clone(&received), stop.clone());
            async move { Dispatch::new(road).run(&mut *received.lock().await, stop, true).await }
        });
    }

    /// Where the room is shared: who is here, what the others do.
    fn watch_room(&self, supervisor: &mut Supervisor, lanes: &Lanes) {
        let Some(room) = self.room.clone() else { return };
        let around = Arc::new(sharing::Around {
            room,
            operator: self.config.room.operator.clone(),
            facts: self.facts.clone(),
            pollers: lanes.pollers.clone(),
            focus: lanes.focus.subscribe(),
            stop: self.stop.clone(),
        });
        supervisor.watch("the room", move || Together::new(Arc::clone(&around)).run());
    }

    fn watch_alertmanagers(&self, supervisor: &mut Supervisor, lanes: &mut Lanes) {
        for (config, folded) in clusters(&self.config) {
            let config = config.clone();
            let link = connect::alertmanager(&config, &self.secrets, &self.clock);
            let (orders, received) = lane(poller::ORDERS);
            lanes.pollers.push(orders);
            let around = self.around();
            supervisor.watch(config.endpoint.id.to_string(), move || {
                let endpoint = &config.endpoint;
                let source = Alertmanager::new(&config, Arc::clone(&link), Arc::clone(&folded), around.clock.clone());
                let vital =
                    Vital::new(endpoint.id.clone(), SourceKind::Alertmanager, endpoint.every, around.facts.clone());
                let (around, received) = (Arc::clone(&around), Arc::clone(&received));
                async move { Poller::new(source, vital, &around).run(&mut *received.lock().await).await }
            });
        }
    }

    /// The parts of a runner.
    pub(super) fn runner(&self, door: Arc<Door>) -> runner::Parts {
        let link = |config: &crate::config::model::PrometheusConfig| {
            (config.endpoint.id.clone(), connect::prometheus(config, &self.secrets, &self.clock))
        };
        runner::Parts {
            setup: self.runs.clone(),
            config: Arc::clone(&self.config),
            door,
            facts: self.facts.clone(),
            clock: self.clock.clone(),
            prometheus: self.config.prometheus.iter().map(link).collect(),
            room: self.room.clone(),
            secrets: Arc::clone(&self.secrets),
        }
    }

    fn watch_runs(&self, supervisor: &mut Supervisor, lanes: &mut Lanes, door: Arc<Door>) {
        let (orders, received) = lane(runner::ORDERS);
        lanes.runs = orders;
        let (parts, stop) = (self.runner(door), self.stop.clone());
        supervisor.watch("runbooks", move || {
            let (parts, received, stop) = (parts.clone(), Arc::clone(&received), stop.clone());
            async move { Runner::new(parts).run(&mut *received.lock().await, stop, true).await }
        });
    }

    fn watch_prometheus(&self, supervisor: &mut Supervisor, lanes: &mut Lanes) {
        for config in &self.config.prometheus {
            let config = config.clone();
            let link = connect::prometheus(&config, &self.secrets, &self.clock);
            let (asks, received) = lane(query::WAITING);
            lanes.prometheus.insert(config.endpoint.id.clone(), asks);
            let around = self.around();
            supervisor.watch(config.endpoint.id.to_string(), move || {
                let target = connect::shown(&config.endpoint, SourceKind::Prometheus);
                let every = chrono::Duration::seconds(60);
                let vital = Vital::new(config.endpoint.id.clone(), SourceKind::Prometheus, every, around.facts.clone());
                let (link, around, received) = (Arc::clone(&link), Arc::clone(&around), Arc::clone(&received));
                async move { Asker::new(link, target, vital, &around).run(&mut *received.lock().await).await }
            });
        }
    }
}

/// Every instance with what its cluster's replicas share.
pub(super) fn clusters(
    config: &Config,
) -> impl Iterator<Item = (&crate::config::model::AlertmanagerConfig, Arc<Shared<Folded>>)> {
    let mut folded: BTreeMap<SourceId, Arc<Shared<Folded>>> = BTreeMap::new();
    config.alertmanagers.iter().map(move |instance| {
        let cluster = &instance.cluster;
        let shelf = || {
            let replicas: Vec<_> = config.alertmanagers.iter().filter(|other| other.cluster == *cluster).collect();
            config.room.cache.as_deref().map(|folder| Shelf::of_cluster(folder, cluster, &replicas))
        };
        let shared = folded
            .entry(cluster.clone())
            .or_insert_with(|| Arc::new(Shared::new(Folded::new(cluster.clone(), shelf()))));
        (instance, Arc::clone(shared))
    })
}

/// Hands effects to the tasks that do them, until there are no more.
async fn route(lanes: Lanes, mut effects: mpsc::Receiver<Effect>, facts: mpsc::Sender<Fact>, clock: Clock) {
    while let Some(effect) = effects.recv().await {
        match effect {
            Effect::Act(intent) => drop(lanes.dispatch.send(dispatch::Order::Act(intent)).await),
            Effect::Retry(op) => drop(lanes.dispatch.send(dispatch::Order::Retry(op)).await),
            Effect::Drop(op) => drop(lanes.dispatch.send(dispatch::Order::Drop(op)).await),
            Effect::Focus(target) => {
                let seen = match &target {
                    Some(Target::Incident { id, .. }) => Some(id.clone()),
                    _ => None,
                };
                lanes.focus.send_if_modified(|known| std::mem::replace(known, seen.clone()) != seen);
                if let Some(pagerduty) = &lanes.pagerduty {
                    let _ = pagerduty.send(Order::Focus(target.and_then(focus))).await;
                }
            }
            Effect::Refresh => {
                // A full lane means that it is about to ask anyway.
                lanes.pollers.iter().for_each(|poller| drop(poller.try_send(Order::Refresh)));
                lanes.prometheus.values().for_each(|asks| drop(asks.try_send(Ask::Look)));
            }
            Effect::Run(order) => drop(lanes.runs.send(*order).await),
            Effect::Query { id, source, promql, time } => match lanes.prometheus.get(&source) {
                Some(asks) => drop(asks.send(Ask::Query(Query { id, promql, time })).await),
                None => unknown_source(id, &source, &facts, &clock).await,
            },
        }
    }
}

async fn unknown_source(id: QueryId, source: &SourceId, facts: &mpsc::Sender<Fact>, clock: &Clock) {
    let failure = Failure {
        kind: FailureKind::Config,
        what: Clean::new("query"),
        target: Clean::new(source.as_str()),
        cause: Clean::new("no [[prometheus]] has this name"),
        remedy: Clean::new("correct the dashboard's or the service's prometheus"),
    };
    let _ = facts.send(Fact::QueryAnswered { id, at: clock.now(), result: Err(failure) }).await;
}

fn focus(target: Target) -> Option<Focus> {
    match target {
        Target::Incident { id, pager: Some(pager), .. } => Some(Focus { incident: id, pager }),
        _ => None,
    }
}

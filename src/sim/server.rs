//! The loopback servers: one listener, a prefix for each provider, faults, the request log, and their end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::alerting::Shape;
use super::alertmanager::Prepared;
use super::clock::{Clock, machine_now};
use super::effects::EffectLog;
use super::events::EventLimiter;
use super::faults::{FaultScript, Faults};
use super::http::{Ask, Reply};
use super::outage;
use super::pagerduty::Limiter;
use super::providers;
use super::sample_config::config_toml;
use super::tls::{TlsError, throw_away_authority, write_private};
use super::world::{World, WorldOptions};
use crate::domain::time::Timestamp;

/// What is served, where, and how badly.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Scenario by name.
    pub scenario: String,
    /// Seed of everything that is chance.
    pub seed: u64,
    /// What goes wrong.
    pub faults: FaultScript,
    /// Serve https.
    pub tls: bool,
    /// Where the throw-away authority is written; a file in the temporary folder when absent.
    pub ca_file: Option<PathBuf>,
    /// How many times as fast as the machine's clock; 0 stands still and moves by `/_sim/advance` only.
    pub speed: f64,
    /// Where the story's present begins; the machine's time when absent.
    pub start: Option<Timestamp>,
    /// How much of the past the metrics have.
    pub history: TimeDelta,
    /// Which Alertmanager is played.
    pub shape: Shape,
    /// Alerts of the scenario's storm, when not the scenario's own number.
    pub storm: Option<usize>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            scenario: "friday-night".to_owned(),
            seed: 1,
            faults: FaultScript::default(),
            tls: false,
            ca_file: None,
            speed: 1.0,
            start: None,
            history: TimeDelta::minutes(390),
            shape: Shape::Current,
            storm: None,
        }
    }
}

/// Why the simulator does not run.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The address cannot be had.
    #[error("the simulator cannot listen on {addr}: {source}; choose another address, or port 0 for a free one")]
    Listen {
        /// Which address.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The address is reachable from elsewhere.
    #[error("the simulator listens on loopback only, not on {0}: it believes everybody")]
    NotLoopback(SocketAddr),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What the servers share.
#[derive(Debug)]
pub struct Sim {
    world: Mutex<World>,
    clock: Clock,
    faults: Mutex<Faults>,
    limiter: Mutex<Limiter>,
    event_limiter: Mutex<EventLimiter>,
    prepared: Mutex<Prepared>,
    effects: Mutex<EffectLog>,
    base_url: String,
}

impl Sim {
    /// The world, moved on to now.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let now = self.clock.now();
        let mut world = lock(&self.world);
        world.advance(now);
        world
    }

    /// The world's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The faults in force.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// Address of the listener, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(super) fn limiter(&self) -> MutexGuard<'_, Limiter> {
        lock(&self.limiter)
    }

    pub(super) fn event_limiter(&self) -> MutexGuard<'_, EventLimiter> {
        lock(&self.event_limiter)
    }

    pub(super) fn prepared(&self) -> MutexGuard<'_, Prepared> {
        lock(&self.prepared)
    }

    pub(super) fn count(&self, provider: &str) {
        lock(&self.effects).count(provider);
    }

    pub(super) fn log_effect(&self, provider: &str, ask: &Ask, status: u16) {
        lock(&self.effects).keep(self.clock.now(), provider, ask, status);
    }

    pub(super) fn clear_log(&self) {
        lock(&self.effects).clear();
    }

    pub(super) fn read_log(&self) -> Reply {
        lock(&self.effects).reply()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A served world. Dropping it ends the servers.
#[derive(Debug)]
pub struct Running {
    /// The listener's address.
    pub addr: SocketAddr,
    /// PagerDuty REST v2.
    pub pagerduty_url: Url,
    /// PagerDuty Events v2 (`/v2/enqueue` below it).
    pub events_url: Url,
    /// Alertmanager.
    pub alertmanager_url: Url,
    /// Its replica.
    pub alertmanager_replica_url: Url,
    /// Prometheus.
    pub prometheus_url: Url,
    /// The config that connects to all of them.
    pub config_toml: String,
    /// The throw-away authority, when https is served.
    pub ca_file: Option<PathBuf>,
    sim: Arc<Sim>,
    tasks: JoinSet<()>,
}

impl Running {
    /// The shared state, for tests.
    pub fn sim(&self) -> &Arc<Sim> {
        &self.sim
    }

    /// Ends the servers; open connections are cut.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(path) = &self.ca_file {
            drop(std::fs::remove_file(path)); // nothing trusts it any more
        }
    }
}

/// Makes the world and serves it.
pub async fn serve(options: SimOptions) -> Result<Running, SimError> {
    if !options.listen.ip().is_loopback() {
        return Err(SimError::NotLoopback(options.listen));
    }
    let wrap = |source| SimError::Listen { addr: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(wrap)?;
    let addr = listener.local_addr().map_err(wrap)?;
    let (acceptor, ca_file) = tls(&options, addr)?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let base_url = format!("{scheme}://{addr}");
    let start = options.start.unwrap_or_else(machine_now);
    // Begun before the history is told, which takes a while: a clock that follows the machine's must not be late.
    let clock = Clock::new(start, options.speed);
    let world = World::new(WorldOptions {
        seed: options.seed,
        scenario: options.scenario.clone(),
        start,
        history: options.history,
        shape: options.shape,
        storm: options.storm,
    });
    let config_toml = config_toml(&base_url, &world.pager().company, ca_file.as_deref());
    let sim = Arc::new(Sim {
        world: Mutex::new(world),
        clock: if options.start.is_none() && options.speed == 1.0 { clock } else { Clock::new(start, options.speed) },
        faults: Mutex::new(Faults::new(options.faults, options.seed)),
        limiter: Mutex::default(),
        event_limiter: Mutex::default(),
        prepared: Mutex::default(),
        effects: Mutex::default(),
        base_url: base_url.clone(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, acceptor, Arc::clone(&sim)));
    let url = |path: &str| Url::parse(&format!("{base_url}{path}")).unwrap_or_else(|_| fallback_url());
    Ok(Running {
        addr,
        pagerduty_url: url("/pagerduty"),
        events_url: url("/events"),
        alertmanager_url: url("/alertmanager"),
        alertmanager_replica_url: url("/alertmanager-2"),
        prometheus_url: url("/prometheus"),
        config_toml,
        ca_file,
        sim,
        tasks,
    })
}

#[expect(clippy::expect_used, reason = "a constant")]
fn fallback_url() -> Url {
    Url::parse("http://127.0.0.1/").expect("a constant address")
}

fn tls(options: &SimOptions, addr: SocketAddr) -> Result<(Option<TlsAcceptor>, Option<PathBuf>), SimError> {
    if !options.tls {
        return Ok((None, None));
    }
    let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned(), addr.ip().to_string()];
    let (acceptor, pem) = throw_away_authority(&hosts)?;
    let path = options.ca_file.clone().unwrap_or_else(|| {
        let name = format!("warroom-sim-ca-{}-{}.pem", std::process::id(), addr.port());
        std::env::temp_dir().join(name)
    });
    write_private(&path, &pem)?;
    Ok((Some(acceptor), Some(path)))
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, sim: Arc<Sim>) {
    let router = providers::router(&sim);
    let mut connections = JoinSet::new();
    loop {
        // Finished connections leave the set as new ones come; a failed accept (out of descriptors) waits a moment.
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        drop(stream.set_nodelay(true));
        let (sim, router, acceptor) = (Arc::clone(&sim), router.clone(), acceptor.clone());
        connections.spawn(async move {
            match acceptor {
                None => serve_connection(stream, sim, router).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve_connection(stream, sim, router).await;
                    }
                }
            }
        });
    }
}

async fn serve_connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    sim: Arc<Sim>,
    router: Router,
) {
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let (sim, router) = (Arc::clone(&sim), router.clone());
        async move { outage::answer(sim, router, request.map(Body::new)).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    drop(served.await); // a client that goes away is no event
}

//! What every part of the runner works with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::records::Records;
use super::secrets::Vault;
use crate::config::Config;
use crate::domain::effect::QueryTime;
use crate::domain::fact::Fact;
use crate::domain::failure::Failure;
use crate::domain::id::SourceId;
use crate::domain::run::RunId;
use crate::domain::series::QueryResult;
use crate::engine::clock::Clock;
use crate::engine::link::Link;
use crate::engine::process::Launcher;
use crate::runbook::Runbook;
use crate::sources::prometheus::Client;
use crate::step::place::Place;
use crate::store::shared::SharedRoom;

/// What the composition root knows and the engine does not: documents, environment, where steps keep their output.
#[derive(Clone, Debug)]
pub struct RunSetup {
    /// Every runbook.
    pub runbooks: Arc<[Runbook]>,
    /// The environment of commands before the allow-list; holds no secret of ours.
    pub environment: Vec<(String, String)>,
    /// Folder of the runs' output.
    pub folder: PathBuf,
    /// Our own binary, when it is not the one that runs (a test's).
    pub program: Option<PathBuf>,
}

impl RunSetup {
    /// Nothing to run.
    #[must_use]
    pub fn none() -> Self {
        Self { runbooks: Arc::new([]), environment: Vec::new(), folder: PathBuf::new(), program: None }
    }
}

/// How long a variable's query or command may take.
pub(super) const RESOLVE: Duration = Duration::from_secs(10);

/// What every part works with.
pub(super) struct Kit {
    pub setup: RunSetup,
    pub config: Arc<Config>,
    pub records: Records,
    pub facts: mpsc::Sender<Fact>,
    pub clock: Clock,
    pub prometheus: BTreeMap<SourceId, Arc<Link<Client>>>,
    /// At most so many steps that only look at the same time.
    pub reads: Arc<Semaphore>,
    /// Values of secrets for steps.
    pub vault: Vault,
    /// Where the room is shared: what only one console may do is asked there too.
    pub room: Option<Arc<SharedRoom>>,
}

impl Kit {
    pub fn launcher(&self) -> std::io::Result<Launcher> {
        match &self.setup.program {
            Some(program) => Ok(Launcher::at(program.clone())),
            None => Launcher::ours(),
        }
    }

    /// Where one try of a step keeps what it leaves: told from the record alone, so that a later console finds it.
    pub fn place(&self, run: RunId, number: usize, attempt: u32) -> Place {
        Place::new(self.setup.folder.join(run.to_string()).join(format!("{number}-{attempt}")))
    }

    pub fn folder(&self) -> &Path {
        &self.setup.folder
    }

    /// The Prometheus to ask: the one that fired the alert where its address tells, else the first.
    pub fn server(&self, generator: Option<&str>) -> Option<(&SourceId, &Arc<Link<Client>>)> {
        let fits = |id: &&SourceId| {
            let config = self.config.prometheus.iter().find(|config| config.endpoint.id == **id);
            let url = config.map(|config| config.endpoint.url.origin().ascii_serialization());
            url.is_some_and(|url| generator.is_some_and(|generator| generator.starts_with(&url)))
        };
        let id = self.prometheus.keys().find(fits);
        let first = || self.config.prometheus.first().map(|config| &config.endpoint.id);
        let id = id.or_else(first)?;
        self.prometheus.get_key_value(id)
    }

    /// Asks now.
    pub async fn ask(&self, server: &SourceId, promql: &str) -> Result<QueryResult, Asked> {
        let Some(link) = self.prometheus.get(server) else { return Err(Asked::Failed(no_server())) };
        let asking = async {
            let client = link.get().await?;
            let answer = client.query(promql, QueryTime::Instant(self.clock.now())).await;
            answer.map_err(|error| error.into_failure("query", server.as_str()))
        };
        match timeout(RESOLVE, asking).await {
            Ok(answer) => answer.map_err(Asked::Failed),
            Err(_) => Err(Asked::Late),
        }
    }
}

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Asked {
    Failed(Failure),
    Late,
}

fn no_server() -> Failure {
    use crate::domain::failure::FailureKind;
    use crate::text::Clean;
    Failure {
        kind: FailureKind::Config,
        what: Clean::new("query"),
        target: Clean::new("Prometheus"),
        cause: Clean::new("none is configured"),
        remedy: Clean::new("add [[prometheus]] to the configuration, or give the value by hand"),
    }
}

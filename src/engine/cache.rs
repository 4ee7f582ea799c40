//! The last known state of each source on disk, so that a console that starts shows it at once, with its age, and shows it
//! where no source can be reached.
//!
//! A file a source (a cluster's replicas share one): a line that says when which source told it, a line a [`Fact`], a line
//! that says that this is all. It is no truth: it is written beside and renamed without a sync, whoever wrote last wins,
//! and a file that is damaged, too large or of a newer version is passed over. It holds what the sources told, never a
//! secret, and is its owner's alone.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::feeds::lock;
use crate::config::model::{AlertmanagerConfig, Endpoint, PagerDutyConfig};
use crate::domain::fact::Fact;
use crate::domain::id::SourceId;
use crate::domain::time::Timestamp;

/// Between two writings while something changes.
const EVERY: Duration = Duration::from_secs(30);

/// Between two writings that only say how young the same state is.
const UNCHANGED: Duration = Duration::from_secs(600);

/// Facts that are read ahead of whoever takes them: each may hold hundreds of alerts.
const READ_AHEAD: usize = 2;

/// When each source told its part.
pub(crate) type Answered = BTreeMap<SourceId, Timestamp>;

/// Where one source's state is kept.
#[derive(Debug)]
pub(crate) struct Shelf {
    path: PathBuf,
    state: Mutex<State>,
    /// One writer at a time: an older state must not be renamed over a newer one.
    pen: Mutex<()>,
}

#[derive(Debug)]
struct State {
    answered: Answered,
    written: Instant,
    is_unwritten: bool,
    has_news: bool,
    is_writing: bool,
}

/// What an earlier console was told.
#[derive(Debug)]
pub(crate) struct Recalled {
    /// When.
    pub(crate) answered: Answered,
    /// What, in the order in which it is read.
    pub(crate) facts: mpsc::Receiver<Fact>,
}

impl Shelf {
    /// In `folder`; `parts` tell apart what must not be taken for each other: the same name may stand for another address
    /// in another configuration.
    pub(crate) fn new<'a>(folder: &Path, name: &'a SourceId, parts: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        let mut digest = Sha256::new();
        for part in std::iter::once(name.as_str()).chain(parts) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let hex: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let state = State {
            answered: Answered::new(),
            written: Instant::now(),
            is_unwritten: false,
            has_news: false,
            is_writing: false,
        };
        let path = folder.join(format!("{hex}.jsonl"));
        Arc::new(Self { path, state: Mutex::new(state), pen: Mutex::new(()) })
    }

    /// PagerDuty's: another account, or another part of it, is another state.
    pub(crate) fn of_pagerduty(folder: &Path, config: &PagerDutyConfig) -> Arc<Self> {
        let PagerDutyConfig { teams, services, users, urgency, since, .. } = config;
        let filter = format!("{teams:?} {services:?} {users:?} {urgency:?} {since:?}");
        let url = shown(&config.endpoint);
        Self::new(folder, &config.endpoint.id, ["pagerduty", &url, &filter])
    }

    /// A cluster's, by any of its replicas and all their addresses.
    pub(crate) fn of_cluster(folder: &Path, cluster: &SourceId, replicas: &[&AlertmanagerConfig]) -> Arc<Self> {
        let urls: Vec<String> = replicas.iter().map(|replica| shown(&replica.endpoint)).collect();
        Self::new(folder, cluster, std::iter::once("alertmanager").chain(urls.iter().map(String::as_str)))
    }

    /// Reads what an earlier console left; none where there is nothing that can be used.
    pub(crate) async fn recall(&self) -> Option<Recalled> {
        let path = self.path.clone();
        let (head, answered) = oneshot::channel();
        let (lane, facts) = mpsc::channel(READ_AHEAD);
        drop(tokio::task::spawn_blocking(move || {
            let read =
                file::read(&path, |answered| head.send(answered).is_ok(), |fact| lane.blocking_send(fact).is_ok());
            if let Err(cause) = read {
                tracing::warn!(path = %path.display(), %cause, "the last known state of a source was passed over");
            }
        }));
        Some(Recalled { answered: answered.await.ok()?, facts })
    }

    /// `source` told something at `at`; `has_news` when it was not the same as before.
    pub(crate) fn told(&self, source: &SourceId, at: Timestamp, has_news: bool) {
        let mut state = lock(&self.state);
        state.answered.insert(source.clone(), at);
        state.is_unwritten = true;
        state.has_news |= has_news;
    }

    /// Whether it is time to write; who is told yes, writes.
    pub(crate) fn takes(&self, is_last: bool) -> bool {
        let mut state = lock(&self.state);
        let pause = if state.has_news { EVERY } else { UNCHANGED };
        let is_due = is_last || !state.is_writing && state.written.elapsed() >= pause;
        if !state.is_unwritten || !is_due {
            return false;
        }
        state.written = Instant::now();
        (state.is_unwritten, state.has_news, state.is_writing) = (false, false, true);
        true
    }

    /// Writes a whole state. Blocking.
    pub(crate) fn write(&self, facts: &[Fact]) {
        let _pen = lock(&self.pen);
        let answered = lock(&self.state).answered.clone();
        if let Err(cause) = file::write(&self.path, &answered, facts) {
            tracing::warn!(path = %self.path.display(), %cause, "the last known state of a source was not kept");
        }
        lock(&self.state).is_writing = false;
    }
}

/// An address without any login.
fn shown(endpoint: &Endpoint) -> String {
    format!("{}{}", endpoint.url.origin().ascii_serialization(), endpoint.url.path())
}

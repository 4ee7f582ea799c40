//! Named tasks that outlive their own panics: a panic becomes a fact, and the task starts again after a while.

use std::any::Any;
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use crate::domain::fact::Fact;
use crate::domain::failure::{Failure, FailureKind};
use crate::text::Clean;

/// First wait before a task starts again; doubles with each panic.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait before a task starts again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A task that ran this long after a panic is well again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// How long tasks may take to end by themselves at shutdown: after a hangup the process must be gone within two seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);

type Make = Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>;

struct Watched {
    name: String,
    panics: u32,
    make: Make,
}

/// Runs tasks and starts them again.
pub(crate) struct Supervisor {
    tasks: JoinSet<()>,
    watched: HashMap<Id, Watched>,
    facts: mpsc::Sender<Fact>,
    clock: Clock,
}

impl Supervisor {
    pub(crate) fn new(facts: mpsc::Sender<Fact>, clock: Clock) -> Self {
        Self { tasks: JoinSet::new(), watched: HashMap::new(), facts, clock }
    }

    /// Starts a task. `make` is called again after each panic, so what must survive belongs into an `Arc`; a task that
    /// returns is done.
    pub(crate) fn watch<F>(&mut self, name: impl Into<String>, mut make: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut watched = Watched { name: name.into(), panics: 0, make: Box::new(move || Box::pin(make())) };
        let task = (watched.make)();
        let id = self.tasks.spawn(task).id();
        self.watched.insert(id, watched);
    }

    /// Runs until `stop`, then lets the tasks end by themselves for a moment.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let ended = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                ended = self.tasks.join_next_with_id() => ended,
            };
            match ended {
                None => break,
                Some(Ok((id, ()))) => drop(self.watched.remove(&id)),
                Some(Err(failed)) => {
                    let watched = self.watched.remove(&failed.id());
                    if let (Some(watched), Ok(panic)) = (watched, failed.try_into_panic()) {
                        let words = words(&*panic).to_owned();
                        self.restart(watched, &words).await;
                    }
                }
            }
        }
        let _ = tokio::time::timeout(PATIENCE, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
    }

    async fn restart(&mut self, mut watched: Watched, words: &str) {
        watched.panics = watched.panics.saturating_add(1);
        let wait = wait(watched.panics);
        let key = format!("task:{}", watched.name);
        let failure = Failure {
            kind: FailureKind::Internal,
            what: Clean::new("run"),
            target: Clean::new(&watched.name),
            cause: Clean::new(format!("a fault of warroom: {words}")),
            remedy: Clean::new(format!("it starts again in {} s; please report it with the log", wait.as_secs())),
        };
        tracing::error!(task = %watched.name, %failure, "a task panicked");
        let _ = self.facts.send(Fact::ProblemFound { key: key.clone(), failure, at: self.clock.now() }).await;
        let task = (watched.make)();
        let facts = self.facts.clone();
        let id = self.tasks.spawn(again(wait, task, key, facts)).id();
        self.watched.insert(id, watched);
    }
}

/// Waits, runs the task, and takes the problem back when it has been well for a while.
async fn again(wait: Duration, mut task: BoxFuture<'static, ()>, key: String, facts: mpsc::Sender<Fact>) {
    sleep(wait).await;
    tokio::select! {
        biased;
        () = &mut task => return,
        () = sleep(WELL_AFTER) => {}
    }
    let _ = facts.send(Fact::ProblemCleared { key }).await;
    task.await;
}

fn wait(panics: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << panics.saturating_sub(1).min(16)).min(LONGEST_WAIT)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_panic_becomes_a_fact_and_the_task_starts_again() {
        let (facts, mut told) = mpsc::channel(16);
        let clock = Clock::starting_at(chrono::DateTime::UNIX_EPOCH);
        let mut supervisor = Supervisor::new(facts, clock);
        let (starts, other) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (count, beats) = (Arc::clone(&starts), Arc::clone(&other));
        supervisor.watch("bad poller", move || {
            let round = count.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(round >= 2, "round {round}");
                std::future::pending().await
            }
        });
        supervisor.watch("good poller", move || {
            let beats = Arc::clone(&beats);
            async move {
                loop {
                    sleep(Duration::from_secs(1)).await;
                    beats.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "the supervisor itself is what is tested")]
        let running = tokio::task::spawn(supervisor.run(stop.clone()));
        for round in 0..2 {
            let Some(Fact::ProblemFound { key, failure, .. }) = told.recv().await else { panic!("no problem") };
            assert_eq!(key, "task:bad poller");
            assert!(failure.cause.as_str().contains(&format!("round {round}")), "{failure}");
        }
        assert!(matches!(told.recv().await, Some(Fact::ProblemCleared { key }) if key == "task:bad poller"));
        assert_eq!(starts.load(Ordering::SeqCst), 3);
        assert!(other.load(Ordering::SeqCst) >= 60, "the other task went on");
        stop.cancel();
        running.await.unwrap();
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        assert_eq!([1, 2, 3, 7, 8, u32::MAX].map(|panics| wait(panics).as_secs()), [1, 2, 4, 60, 60, 60]);
    }
}

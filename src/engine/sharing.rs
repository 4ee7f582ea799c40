//! Keeps a console in its shared room: says that it is here, hears of the others, and finds the room again when its
//! database was away. What the others wrote is read by the dispatch, which is woken from here.

mod answers;
pub mod figure;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::clock::Chance;
use super::poller;
use crate::domain::fact::Fact;
use crate::domain::id::IncidentId;
use crate::domain::sharing::{Present, Sharing};
use crate::sources::http::backoff::full_jitter;
use crate::store::postgres::{Heard, Listener, Trouble};
use crate::store::shared::SharedRoom;
use crate::text::Clean;

pub(crate) use answers::RoomAnswers;

/// How often it says that it is here: three times in the time for which a lease holds.
const SAYS: Duration = Duration::from_secs(5);

/// First and longest wait before the database is looked for again.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What the task needs of the rest.
pub(crate) struct Around {
    pub(crate) room: Arc<SharedRoom>,
    pub(crate) operator: Clean,
    pub(crate) facts: mpsc::Sender<Fact>,
    pub(crate) pollers: Vec<mpsc::Sender<poller::Order>>,
    /// The incident this console looks at.
    pub(crate) focus: watch::Receiver<Option<IncidentId>>,
    pub(crate) stop: CancellationToken,
}

/// The task.
pub(crate) struct Together {
    around: Arc<Around>,
    listener: Option<Listener>,
    told: Option<Sharing>,
    present: Vec<Present>,
    misses: u32,
}

impl Together {
    pub(crate) fn new(around: Arc<Around>) -> Self {
        Self { around, listener: None, told: None, present: Vec::new(), misses: 0 }
    }

    /// Runs until the engine stops.
    pub(crate) async fn run(mut self) {
        let around = Arc::clone(&self.around);
        let mut focus = around.focus.clone();
        loop {
            let looking_at = focus.borrow_and_update().clone();
            let wait = tokio::select! {
                () = around.stop.cancelled() => return,
                wait = self.round(looking_at) => wait,
            };
            let until = Instant::now() + wait;
            // What is heard is taken in at once; everything else has the time of a round.
            loop {
                let was_listening = self.listener.is_some();
                tokio::select! {
                    () = around.stop.cancelled() => return,
                    heard = next(&mut self.listener) => self.heard(heard).await,
                    _ = focus.changed() => break,
                    () = around.room.sharing_changed() => break,
                    () = sleep_until(until) => break,
                }
                if was_listening && self.listener.is_none() {
                    break;
                }
            }
        }
    }

    async fn heard(&mut self, heard: Result<Heard, Trouble>) {
        match heard {
            Ok(heard) => self.hear(heard).await,
            Err(trouble) => {
                self.around.room.cut(&trouble);
                self.listener = None;
            }
        }
    }

    /// Looks after everything once; how long nothing else needs to be done.
    async fn round(&mut self, looking_at: Option<IncidentId>) -> Duration {
        let around = Arc::clone(&self.around);
        around.room.tend().await;
        self.tell_sharing().await;
        match around.room.sharing() {
            Some(Sharing::Shared) => {
                around.room.announce(&around.operator, looking_at.as_ref()).await;
                self.join().await;
            }
            Some(Sharing::ReadOnly { .. }) => self.join().await,
            _ => self.listener = None,
        }
        self.tell_present().await;
        self.tell_sharing().await;
        if matches!(around.room.sharing(), Some(Sharing::Shared)) {
            self.misses = 0;
            return SAYS;
        }
        self.misses = self.misses.saturating_add(1);
        full_jitter(FIRST_WAIT, LONGEST_WAIT, self.misses, Chance::System.number()).max(FIRST_WAIT / 2)
    }

    /// Listens first and has what happened read then, so that nothing falls between the two.
    async fn join(&mut self) {
        if self.listener.is_some() {
            return;
        }
        self.listener = self.around.room.listen().await;
        if self.listener.is_some() {
            self.around.room.news_came();
        }
    }

    async fn hear(&mut self, first: Heard) {
        let mut all = vec![first];
        if let Some(listener) = &mut self.listener {
            all.extend(listener.more());
        }
        all.sort();
        all.dedup();
        for heard in all {
            match heard {
                Heard::Journal => self.around.room.news_came(),
                Heard::Presence => self.tell_present().await,
                Heard::Answer(label) => self.wake(&label),
                Heard::Gap => self.listener = None,
            }
        }
    }

    /// A poller that waits for an answer takes it now. One that is busy with other orders looks by itself soon.
    fn wake(&self, label: &str) {
        for poller in &self.around.pollers {
            let _ = poller.try_send(poller::Order::Heard(label.to_owned()));
        }
    }

    async fn tell_present(&mut self) {
        let present = self.around.room.present().await.unwrap_or_default();
        if present != self.present {
            self.present.clone_from(&present);
            self.send(Fact::PresentListed(present)).await;
        }
    }

    async fn tell_sharing(&mut self) {
        let sharing = self.around.room.sharing();
        if sharing.is_some() && sharing != self.told {
            self.told.clone_from(&sharing);
            self.send(Fact::SharingChanged(sharing.unwrap_or_default())).await;
        }
    }

    async fn send(&self, fact: Fact) {
        let _ = self.around.facts.send(fact).await;
    }
}

async fn next(listener: &mut Option<Listener>) -> Result<Heard, Trouble> {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}

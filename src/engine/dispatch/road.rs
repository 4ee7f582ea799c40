//! What every action on its way shares: the journal's door, the carrier, the screen's lane, the limits.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Carrier;
use crate::domain::action::{Delivery, Intent};
use crate::domain::fact::Fact;
use crate::domain::failure::Failure;
use crate::domain::id::{PagerId, SourceId};
use crate::domain::incident::PagerIncident;
use crate::engine::clock::{Chance, Clock};
use crate::engine::incidents::Incidents;
use crate::engine::journal::{Door, Unkept};
use crate::engine::poller::Order as PollOrder;
use crate::store::Entry;
use crate::text::Clean;

/// Actions on the wire at the same time. PagerDuty wants requests of one token one after the other; a few side by side
/// keep a bulk action from taking minutes.
const ON_THE_WIRE: usize = 4;

/// What every action shares.
pub(crate) struct Road {
    pub(crate) door: Arc<Door>,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) facts: mpsc::Sender<Fact>,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) read_only: bool,
    /// What PagerDuty's poller knows, so that an answer shows at once and an older list cannot undo it.
    pub(crate) incidents: Arc<Mutex<Incidents>>,
    /// PagerDuty's name, for facts; none without one.
    pub(crate) source: Option<SourceId>,
    /// PagerDuty's poller, to read an incident again after an action; none without one.
    pub(crate) poller: Option<mpsc::Sender<PollOrder>>,
    /// Room on the wire, from [`Road::slots`].
    pub(crate) slots: Semaphore,
    pub(crate) stop: CancellationToken,
}

impl Road {
    pub(crate) fn slots() -> Semaphore {
        Semaphore::new(ON_THE_WIRE)
    }

    pub(crate) async fn tell(&self, fact: Fact) {
        let _ = self.facts.send(fact).await;
    }

    /// The intent is durable: the screen may show it.
    pub(super) async fn recorded(&self, intent: &Intent) {
        self.tell(Fact::IntentRecorded(intent.clone())).await;
        self.delivered(intent, Delivery::Queued { waits_until: None }, None).await;
    }

    /// Not taken up at all: nothing was written, nothing was sent.
    pub(super) async fn refuse(&self, intent: Intent, failure: Failure) {
        self.tell(Fact::IntentRecorded(intent.clone())).await;
        self.delivered(&intent, Delivery::Failed { failure }, None).await;
    }

    /// Writes how far it got, then tells it. False when the journal could not take it; what is told then says so.
    pub(super) async fn settle(&self, intent: &Intent, delivery: Delivery, opened: Option<PagerId>) -> bool {
        match self.write(intent, &delivery, opened.clone()).await {
            Ok(()) => {
                self.delivered(intent, delivery, opened).await;
                true
            }
            Err(Unkept::TakenOver) => {
                self.tell_as_it_is(intent).await;
                false
            }
            Err(Unkept::Failed(failure)) => {
                let delivery = unkept(delivery, failure);
                self.delivered(intent, delivery, opened).await;
                false
            }
        }
    }

    /// Writes that the first byte is about to leave; the action must not go on when this fails.
    pub(super) async fn write(
        &self,
        intent: &Intent,
        delivery: &Delivery,
        opened: Option<PagerId>,
    ) -> Result<(), Unkept> {
        let entry = Entry::Moved { op: intent.op, delivery: delivery.clone(), at: self.clock.now(), opened };
        self.door.append("write an action's progress into", vec![entry]).await
    }

    /// Another console carries it on: what is shown is what the journal knows.
    pub(super) async fn tell_as_it_is(&self, intent: &Intent) {
        tracing::warn!(op = %intent.op, "another console has taken this action over");
        if let Some(row) = self.door.action(intent.op).await {
            self.tell(Fact::Delivered {
                op: intent.op,
                delivery: row.delivery,
                at: row.changed_at,
                opened: row.opened,
            })
            .await;
        }
    }

    pub(super) async fn delivered(&self, intent: &Intent, delivery: Delivery, opened: Option<PagerId>) {
        self.tell(Fact::Delivered { op: intent.op, delivery, at: self.clock.now(), opened }).await;
    }

    /// Shows what an answer told of the incident, and has its timeline read again.
    pub(super) async fn learn(&self, incident: Option<Arc<PagerIncident>>, touched: Option<PagerId>) {
        let touched = touched.or_else(|| incident.as_ref().map(|record| record.id.clone()));
        if let Some(record) = incident {
            let changed = self.incidents.lock().unwrap_or_else(PoisonError::into_inner).learn([record], Instant::now());
            if let Some(source) = self.source.clone().filter(|_| !changed.is_empty()) {
                self.tell(Fact::IncidentsChanged { source, changed }).await;
            }
        }
        if let (Some(poller), Some(id)) = (&self.poller, touched) {
            // A full lane means that the poller is about to ask anyway.
            let _ = poller.try_send(PollOrder::Reread(id));
        }
    }
}

/// What is told when the journal could not keep `delivery`: never more than the journal knows.
fn unkept(delivery: Delivery, failure: Failure) -> Delivery {
    match delivery {
        Delivery::Confirmed { says } => Delivery::Unknown {
            check: Clean::new(format!("PagerDuty said “{says}”, but that could not be kept: {failure}")),
        },
        Delivery::Unknown { check } => {
            Delivery::Unknown { check: Clean::new(format!("{check}; and this could not be kept: {failure}")) }
        }
        Delivery::Failed { failure } => Delivery::Failed { failure },
        Delivery::Queued { .. } | Delivery::Sent | Delivery::Dropped => Delivery::Failed { failure },
    }
}

//! Who carries actions out of the house: PagerDuty's REST API, its Events API where only a routing key is known, or nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::{carry, rules};
use crate::domain::action::{Action, Declaration, Intent, Silencing, Target};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::{DedupKey, SourceId};
use crate::domain::incident::Urgency;
use crate::domain::severity::Severity;
use crate::engine::link::Link;
use crate::sources::alertmanager;
use crate::sources::error::Fault;
use crate::sources::pagerduty::{Attempt, Client, Event, Events, Outcome};
use crate::sources::{Disposition, SourceError};
use crate::text::Clean;

/// Carries one action out, once.
pub(crate) trait Carrier: Send + Sync {
    /// Looks, sends, judges the answer; with [`Attempt::Again`] it looks whether it was done before. Nothing leaves after
    /// `until`: by then another console may carry it on.
    fn perform<'a>(&'a self, intent: &'a Intent, attempt: Attempt, until: Option<Instant>) -> BoxFuture<'a, Outcome>;

    /// Returns when there is reason to try again before the time is over: a new token.
    fn renewed(&self) -> BoxFuture<'_, ()>;

    /// Whether it can be read back what an action did.
    fn can_look(&self, intent: &Intent) -> bool;
}

/// PagerDuty's REST API.
pub(crate) struct Rest(pub(crate) Arc<Link<Client>>);

impl Carrier for Rest {
    fn perform<'a>(&'a self, intent: &'a Intent, attempt: Attempt, until: Option<Instant>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match self.0.get().await {
                Ok(client) => client.until(until).perform(intent, attempt).await,
                Err(failure) => Outcome::Held { failure, wait: None },
            }
        })
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.renewed())
    }

    fn can_look(&self, _intent: &Intent) -> bool {
        true
    }
}

/// PagerDuty's Events API: a room with a routing key and no token can declare, and acknowledge and resolve what it knows
/// the key of.
/// It answers 202 for "taken", never for "done", and nobody here can look.
pub(crate) struct EventsOnly(pub(crate) Arc<Link<Events>>);

impl Carrier for EventsOnly {
    fn perform<'a>(&'a self, intent: &'a Intent, attempt: Attempt, until: Option<Instant>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if attempt == Attempt::Again {
                return not_again(intent);
            }
            let event = match event(intent) {
                Ok(event) => event,
                Err(failure) => return Outcome::Refused(failure),
            };
            match self.0.get().await {
                Err(failure) => Outcome::Held { failure, wait: None },
                Ok(_) if until.is_some_and(|until| Instant::now() >= until) => {
                    let lapsed = SourceError::from(Fault::Lapsed);
                    let failure = lapsed.into_failure(carry::verb(&intent.action), carry::target(intent).as_str());
                    Outcome::Held { failure, wait: Some(Duration::ZERO) }
                }
                Ok(events) => match events.send(&event).await {
                    Ok(_) => taken(intent),
                    Err(error) => {
                        let disposition = error.disposition();
                        let failure = error.into_failure(carry::verb(&intent.action), carry::target(intent).as_str());
                        refused(intent, failure, disposition)
                    }
                },
            }
        })
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.renewed())
    }

    fn can_look(&self, _intent: &Intent) -> bool {
        false
    }
}

fn event(intent: &Intent) -> Result<Event, Failure> {
    let failure = |cause: &str, remedy: &str| Failure {
        kind: FailureKind::Config,
        what: Clean::new(carry::verb(&intent.action)),
        target: carry::target(intent),
        cause: Clean::new(cause),
        remedy: Clean::new(remedy),
    };
    let token = "set token under [pagerduty]";
    if let Action::Declare(declaration) = &intent.action {
        return opening(intent, declaration)
            .ok_or_else(|| failure("the action's id is no dedup key", "declare it in PagerDuty"));
    }
    let Target::Incident { key: Some(key), .. } = &intent.target else {
        return Err(failure("this room has only a routing key, and the incident's key is not known", token));
    };
    let key = key.clone();
    match &intent.action {
        Action::Acknowledge => Ok(Event::Acknowledge(key)),
        Action::Resolve { .. } => Ok(Event::Resolve(key)),
        _ => Err(failure("with only a routing key PagerDuty lets us declare, acknowledge and resolve", token)),
    }
}

/// A declaration as a trigger. Its key is the action's own id: sent twice it is still one incident.
fn opening(intent: &Intent, declaration: &Declaration) -> Option<Event> {
    Some(Event::Trigger {
        key: DedupKey::parse(&intent.op.0.to_string())?,
        summary: declaration.title.expose().to_owned(),
        source: declaration.service.name.to_string(),
        severity: match declaration.urgency {
            Urgency::High => Severity::High,
            Urgency::Low => Severity::Low,
        },
        details: declaration.details.as_ref().map(|details| details.expose().to_owned()),
    })
}

/// 202: taken, not done.
fn taken(intent: &Intent) -> Outcome {
    let key = match &intent.action {
        Action::Declare(_) => format!(" under the key {}", intent.op.0),
        _ => String::new(),
    };
    let check = format!(
        "PagerDuty took the event (202){key}; whether it was done shows only there, because this room has no token"
    );
    unseen(intent, "PagerDuty took the event (202), which does not say that it was done", &check)
}

/// The alert may have been resolved meanwhile and a new one may stand under its key: an old event must not meet it.
fn not_again(intent: &Intent) -> Outcome {
    let check = format!("{}; this room has no token and cannot look. A retry sends it again", rules::look_at(intent));
    unseen(intent, "it may have been sent before, and this room cannot look", &check)
}

fn unseen(intent: &Intent, cause: &str, check: &str) -> Outcome {
    let failure = Failure {
        kind: FailureKind::Refused,
        what: Clean::new(carry::verb(&intent.action)),
        target: carry::target(intent),
        cause: Clean::new(cause),
        remedy: Clean::new("set token under [pagerduty], so that results can be read back"),
    };
    Outcome::Ambiguous { failure, check: Clean::new(check) }
}

fn refused(intent: &Intent, failure: Failure, disposition: Disposition) -> Outcome {
    match disposition {
        Disposition::RetryAfter(wait) => Outcome::Held { failure, wait: Some(wait.unwrap_or(Duration::ZERO)) },
        Disposition::NeedsLogin => Outcome::Held { failure, wait: None },
        Disposition::GiveUp => Outcome::Refused(failure),
        // The same event again is harmless while its alert is open, but an old resolve must not meet a new alert.
        Disposition::Ambiguous => {
            let check = format!("look at {} in PagerDuty: {}", carry::target(intent), failure.cause);
            Outcome::Ambiguous { failure, check: Clean::new(check) }
        }
    }
}

/// Each action to whom it is for: silences to a cluster's instances, everything else to PagerDuty.
pub(crate) struct Routed {
    pub(crate) pager: Arc<dyn Carrier>,
    /// Each cluster's instances, in the order of the config: one that answers is enough, they tell each other.
    pub(crate) clusters: Vec<(SourceId, Arc<Link<alertmanager::Client>>)>,
}

impl Routed {
    async fn on_cluster(
        &self,
        cluster: &SourceId,
        intent: &Intent,
        attempt: Attempt,
        until: Option<Instant>,
    ) -> Outcome {
        let mut last = None;
        // Only what certainly did nothing is tried on the next instance.
        for (_, link) in self.clusters.iter().filter(|(known, _)| known == cluster) {
            let outcome = match link.get().await {
                Ok(client) => client.perform(intent, attempt, until).await,
                Err(failure) => Outcome::Held { failure, wait: None },
            };
            match outcome {
                held @ Outcome::Held { .. } => last = Some(held),
                settled => return settled,
            }
        }
        last.unwrap_or_else(|| {
            Outcome::Refused(Failure {
                kind: FailureKind::Config,
                what: Clean::new(carry::verb(&intent.action)),
                target: carry::target(intent),
                cause: Clean::new("no [[alertmanager]] has this cluster"),
                remedy: Clean::new("name a cluster of the config"),
            })
        })
    }
}

impl Carrier for Routed {
    fn perform<'a>(&'a self, intent: &'a Intent, attempt: Attempt, until: Option<Instant>) -> BoxFuture<'a, Outcome> {
        match &intent.action {
            Action::Silence(Silencing { cluster, .. }) | Action::Unsilence { cluster, .. } => {
                Box::pin(self.on_cluster(cluster, intent, attempt, until))
            }
            _ => self.pager.perform(intent, attempt, until),
        }
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        self.pager.renewed()
    }

    fn can_look(&self, intent: &Intent) -> bool {
        matches!(intent.action, Action::Silence(_) | Action::Unsilence { .. }) || self.pager.can_look(intent)
    }
}

/// No PagerDuty at all: everything but ticks is refused.
pub(crate) struct Without;

impl Carrier for Without {
    fn perform<'a>(&'a self, intent: &'a Intent, _: Attempt, _: Option<Instant>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            Outcome::Refused(Failure {
                kind: FailureKind::Config,
                what: Clean::new(carry::verb(&intent.action)),
                target: carry::target(intent),
                cause: Clean::new("this room has no PagerDuty"),
                remedy: Clean::new("add [pagerduty] with a token to the config"),
            })
        })
    }

    fn renewed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn can_look(&self, _intent: &Intent) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::{DedupKey, IncidentId, OpIds};
    use crate::engine::testing::{at, intent};
    use crate::sources::testing::{Server, status};

    #[tokio::test]
    async fn an_event_that_may_have_left_is_not_sent_again_and_none_leaves_after_the_lease() {
        let server = Server::answering(|_| status(202, json!({"status": "success", "dedup_key": "k1"}))).await;
        let settings = server.settings();
        let link = Link::new(true, move |_| {
            Events::new(settings.clone(), "R0UTE".into()).map_err(|error| error.into_failure("make", "it"))
        });
        let carrier = EventsOnly(Arc::new(link));
        let mut wanted = intent(&mut OpIds::new(1), "P1", Action::Resolve { resolution: None }, at(0));
        let id = IncidentId::parse("am:x").unwrap();
        wanted.target = Target::Incident { id, pager: None, key: DedupKey::parse("k1") };
        let again = carrier.perform(&wanted, Attempt::Again, None).await;
        let Outcome::Ambiguous { check, .. } = again else { panic!("{again:?}") };
        assert!(check.as_str().contains("is it resolved?"), "{check}");
        let late = carrier.perform(&wanted, Attempt::First, Some(Instant::now())).await;
        assert!(matches!(late, Outcome::Held { .. }), "{late:?}");
        assert_eq!(server.asked().len(), 0);
        let first = carrier.perform(&wanted, Attempt::First, None).await;
        assert!(matches!(first, Outcome::Ambiguous { .. }), "202 is taken, not done: {first:?}");
        assert_eq!(server.asked().len(), 1);
    }
}

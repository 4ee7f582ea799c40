//! Runs of runbooks: what stands of each, and its events for the timeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Room;
use crate::domain::id::{EventId, IncidentId, RunbookId, SourceId};
use crate::domain::incident::Status;
use crate::domain::run::{Run, RunEvent, RunId, Situation, describe};
use crate::domain::timeline::{Actor, EventKind, TimelineEvent};
use crate::text::Untrusted;

/// Events of one run that are remembered for the timeline; the rest is in the journal.
const MAX_EVENTS: usize = 2_000;

/// The expression that fired an alert, as Prometheus writes it into the generator's address.
fn expression_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    url.query_pairs().find(|(name, _)| name == "g0.expr").map(|(_, expression)| expression.into_owned())
}

/// One run with its events.
#[derive(Debug)]
struct Kept {
    run: Run,
    events: Vec<RunEvent>,
}

/// Every run.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: BTreeMap<RunId, Kept>,
    pub version: u64,
}

impl Runs {
    pub fn take(&mut self, event: &RunEvent) {
        self.version += 1;
        match self.all.get_mut(&event.run) {
            Some(kept) => {
                // A journal that is read again at a restart tells the same events: each counts once.
                if kept.events.contains(event) {
                    return;
                }
                kept.run.apply(event);
                if kept.events.len() < MAX_EVENTS {
                    kept.events.push(event.clone());
                }
            }
            None => {
                if let Some(run) = Run::begin(event) {
                    self.all.insert(event.run, Kept { run, events: vec![event.clone()] });
                }
            }
        }
    }
}

impl Room {
    /// A run.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.all.get(&id).map(|kept| &kept.run)
    }

    /// Every run, oldest first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.all.values().map(|kept| &kept.run)
    }

    /// The newest run of a runbook for an incident that nobody ended.
    #[must_use]
    pub fn run_of(&self, incident: &IncidentId, runbook: &RunbookId) -> Option<&Run> {
        let names = self.names_of(incident);
        self.runs().rev().find(|run| {
            run.runbook == *runbook
                && !run.is_closed
                && run.incident.as_ref().is_some_and(|of| names.iter().any(|name| name == of))
        })
    }

    /// What happened to a run, oldest first.
    #[must_use]
    pub fn run_events(&self, id: RunId) -> &[RunEvent] {
        self.runs.all.get(&id).map_or(&[], |kept| &kept.events)
    }

    /// What a runbook's step may know of an incident now.
    #[must_use]
    pub fn situation(&self, id: &IncidentId) -> Situation {
        let Some(incident) = self.incident(id) else {
            return Situation { incident: Some(id.clone()), is_over: true, ..Situation::default() };
        };
        let first = self.alerts_of(id).min_by_key(|alert| (alert.starts_at, alert.key.clone()));
        let single = incident.alerts.len() == 1;
        let labels = match first {
            Some(alert) if single => alert.labels.clone(),
            _ => self.common_labels(id),
        };
        let generator = first.map(|alert| alert.generator_url.clone());
        Situation {
            incident: Some(incident.id.clone()),
            title: Some(Untrusted::from(incident.title.as_str())),
            service: incident.service.clone(),
            severity: Some(incident.assessment.severity),
            labels,
            annotations: first.map(|alert| alert.annotations.clone()).unwrap_or_default(),
            expression: generator.as_ref().and_then(|url| expression_of(url.expose())),
            generator,
            is_over: incident.status == Status::Resolved,
        }
    }

    pub(super) fn add_runs(
        &self,
        name: &IncidentId,
        source: &SourceId,
        entries: &mut BTreeMap<(SourceId, EventId), Arc<TimelineEvent>>,
    ) {
        for kept in self.runs.all.values().filter(|kept| kept.run.incident.as_ref() == Some(name)) {
            for (number, event) in kept.events.iter().enumerate() {
                let Some((text, body)) = describe(&kept.run, event) else { continue };
                let id = EventId::derived("run", &format!("{}:{number}", event.run));
                let entry = TimelineEvent {
                    id: id.clone(),
                    source: source.clone(),
                    kind: EventKind::Step,
                    actor: Actor::Human(event.by.clone()),
                    text,
                    body,
                    happened_at: event.at,
                    recorded_at: event.at,
                    links: Vec::new(),
                };
                entries.insert((source.clone(), id), Arc::new(entry));
            }
        }
    }
}

//! Everything known about the outside, in one place, written by [`Room::apply`] alone. TUI, CLI, chat, exporter and
//! reviews all read this. Applying a fact costs as much as what changed; reading a rank costs O(log n).

mod alerts;
mod board;
mod heartbeats;
mod hints;
mod history;
mod names;
mod operations;
mod people;
mod ranked;
mod read;
mod records;
mod rows;
mod runs;
mod settings;
mod slab;
mod ties;
mod timeline;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use board::Board;
pub use hints::Hint;
pub use operations::Sending;
pub use rows::{Counts, SeverityCount};
pub use settings::{RoomSettings, StartOrder};
pub use timeline::describe_action;

use self::heartbeats::HEARTBEAT;
use self::operations::Operations;
use self::world::World;
use super::action::{Action, Delivery, Target};
use super::checklist::{Checklist, Tick};
use super::effect::QueryId;
use super::escalation::{EscalationPolicy, OnCall};
use super::fact::Fact;
use super::failure::Failure;
use super::id::{IncidentId, OpId, PolicyId, RunbookId, ServiceId, SourceId, StepId, UserId};
use super::incident::{Named, PagerIncident, Priority};
use super::series::QueryResult;
use super::sharing::{Holding, Present, Sharing};
use super::silence::Silence;
use super::source::SourceHealth;
use super::time::Timestamp;
use crate::text::Clean;

/// Everything known about the outside.
#[derive(Debug)]
pub struct Room {
    world: World,
    sources: BTreeMap<SourceId, SourceHealth>,
    silences: BTreeMap<SourceId, Vec<Arc<Silence>>>,
    on_calls: Vec<OnCall>,
    policies: BTreeMap<PolicyId, EscalationPolicy>,
    priorities: Vec<Priority>,
    services: Vec<Named<ServiceId>>,
    users: Vec<Named<UserId>>,
    past: BTreeMap<IncidentId, Vec<Arc<PagerIncident>>>,
    operations: Operations,
    runs: runs::Runs,
    checklists: BTreeMap<IncidentId, Vec<Checklist>>,
    checklists_version: u64,
    roles: BTreeMap<IncidentId, BTreeMap<Clean, Holding>>,
    present: Vec<Present>,
    sharing: Sharing,
    problems: BTreeMap<String, (Failure, Timestamp)>,
    answers: HashMap<QueryId, (Timestamp, Result<Arc<QueryResult>, Failure>)>,
    version: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self::new(RoomSettings::default())
    }
}

impl Room {
    /// An empty room with these rules.
    #[must_use]
    pub fn new(settings: RoomSettings) -> Self {
        Self {
            world: World::new(settings),
            sources: BTreeMap::new(),
            silences: BTreeMap::new(),
            on_calls: Vec::new(),
            policies: BTreeMap::new(),
            priorities: Vec::new(),
            services: Vec::new(),
            users: Vec::new(),
            past: BTreeMap::new(),
            operations: Operations::default(),
            runs: runs::Runs::default(),
            checklists: BTreeMap::new(),
            checklists_version: 0,
            roles: BTreeMap::new(),
            present: Vec::new(),
            sharing: Sharing::Alone,
            problems: BTreeMap::new(),
            answers: HashMap::new(),
            version: 0,
        }
    }

    /// Takes a fact in. Total: any fact in any state. Time passes here too: what was over for long enough leaves the
    /// board, whatever the fact.
    pub fn apply(&mut self, fact: &Fact, now: Timestamp) {
        self.version += 1;
        self.world.expire(now);
        match fact {
            Fact::IncidentsChanged { source, changed } => {
                for record in changed {
                    self.world.put_record(source, record, now);
                }
            }
            Fact::AlertsChanged { cluster: _, changed, ended, at } => {
                for alert in changed {
                    self.world.put_alert(alert);
                }
                for key in ended {
                    self.world.end_alert(key, *at);
                }
                self.check_heartbeats(*at);
            }
            Fact::TimelineListed { incident, events } => self.world.history.add_events(incident, events),
            Fact::IntentRecorded(intent) => self.operations.record(intent),
            Fact::Delivered { op, delivery, at, opened } => {
                self.operations.deliver(*op, delivery, *at, opened.as_ref());
                self.acknowledge_locally(*op, delivery, *at);
            }
            Fact::RunMoved(event) => self.runs.take(event),
            Fact::StepTicked { incident, runbook, step, tick } => self.tick(incident, runbook, step, tick.as_ref()),
            other => self.apply_listing(other),
        }
        self.world.refresh(now);
    }

    /// Facts that replace what was known.
    fn apply_listing(&mut self, fact: &Fact) {
        match fact {
            Fact::SilencesListed { cluster, silences } => {
                self.silences.insert(cluster.clone(), silences.clone());
            }
            Fact::PastIncidentsListed { incident, past } => {
                self.past.insert(incident.clone(), past.clone());
            }
            Fact::OnCallListed(on_calls) => self.on_calls.clone_from(on_calls),
            Fact::PolicyLoaded(policy) => {
                self.policies.insert(policy.id.clone(), policy.clone());
            }
            Fact::PrioritiesListed(priorities) => {
                // A list that says what is known moves no row.
                if self.priorities == *priorities {
                    return;
                }
                self.priorities.clone_from(priorities);
                self.world.priority_ranks = priorities.iter().map(|priority| priority.id.clone()).collect();
                self.world.touch_records();
            }
            Fact::ServicesListed(services) => self.services.clone_from(services),
            Fact::UsersListed(users) => self.users.clone_from(users),
            Fact::HealthChanged(health) => {
                self.sources.insert(health.id.clone(), health.clone());
            }
            Fact::RoleMoved { incident, role, holder } => {
                let roles = self.roles.entry(incident.clone()).or_default();
                match holder {
                    Some(holder) => drop(roles.insert(role.clone(), holder.clone())),
                    None => drop(roles.remove(role)),
                }
            }
            Fact::PresentListed(present) => self.present.clone_from(present),
            Fact::SharingChanged(sharing) => self.sharing = sharing.clone(),
            Fact::ProblemFound { key, failure, at } => {
                self.problems.insert(key.clone(), (failure.clone(), *at));
            }
            Fact::ProblemCleared { key } => {
                self.problems.remove(key);
            }
            Fact::QueryAnswered { id, at, result } => {
                self.answers.insert(*id, (*at, result.clone()));
            }
            // Taken in `apply`.
            _ => {}
        }
    }

    /// An incident that PagerDuty does not have is acknowledged when this console did it (Events API only).
    fn acknowledge_locally(&mut self, op: OpId, delivery: &Delivery, at: Timestamp) {
        if !matches!(delivery, Delivery::Confirmed { .. }) {
            return;
        }
        let Some(known) = self.operations.all().get(&op) else { return };
        let Target::Incident { id, pager: None, .. } = &known.intent.target else { return };
        let acknowledged = match known.intent.action {
            Action::Acknowledge => Some(at),
            Action::Trigger => None,
            _ => return,
        };
        let id = self.resolve_alias(id).clone();
        self.world.history.set_local_acknowledgement(&id, acknowledged);
        if let Some(row) = self.find(&id) {
            self.world.rows.touch(row);
        }
    }

    /// A heartbeat that is missing is a problem until it is back.
    fn check_heartbeats(&mut self, at: Timestamp) {
        let missing = self.world.heartbeats.problems(&self.world.settings.heartbeats, at);
        self.problems.retain(|key, _| !key.starts_with(HEARTBEAT) || missing.iter().any(|(known, _, _)| known == key));
        for (key, failure, since) in missing {
            self.problems.entry(key).or_insert((failure, since));
        }
    }

    fn tick(&mut self, incident: &IncidentId, runbook: &RunbookId, step: &StepId, tick: Option<&Tick>) {
        self.checklists_version += 1;
        let lists = self.checklists.entry(incident.clone()).or_default();
        if !lists.iter().any(|list| list.runbook == *runbook) {
            lists.push(Checklist { runbook: runbook.clone(), ticks: BTreeMap::new() });
        }
        let Some(list) = lists.iter_mut().find(|list| list.runbook == *runbook) else { return };
        match tick {
            Some(tick) => drop(list.ticks.insert(step.clone(), tick.clone())),
            None => drop(list.ticks.remove(step)),
        }
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

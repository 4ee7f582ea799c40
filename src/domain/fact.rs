//! What was learned or done, in the past tense. The only way anything outside reaches the [`super::room::Room`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::action::{Delivery, Intent};
use super::alert::{Alert, AlertKey};
use super::checklist::Tick;
use super::effect::QueryId;
use super::escalation::{EscalationPolicy, OnCall};
use super::failure::Failure;
use super::id::{IncidentId, OpId, PagerId, RunbookId, ServiceId, SourceId, StepId, UserId};
use super::incident::{Named, PagerIncident, Priority};
use super::run::{Printed, Proposal, RunEvent, RunId};
use super::series::QueryResult;
use super::sharing::{Holding, Present, Sharing};
use super::silence::Silence;
use super::source::SourceHealth;
use super::time::Timestamp;
use super::timeline::TimelineEvent;
use crate::text::Clean;

/// What was learned or done. Lists come as differences, computed off the UI thread, so that applying one costs as much
/// as what changed and not as much as there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// PagerDuty told of incidents: new or changed ones. One that left the open list was read by its id first, so it
    /// comes here with its new status; absence alone never closes anything.
    IncidentsChanged {
        /// Who told.
        source: SourceId,
        /// New or changed.
        changed: Vec<Arc<PagerIncident>>,
    },
    /// An Alertmanager cluster told of its alerts. `ended` only after a complete answer of that cluster.
    AlertsChanged {
        /// The cluster.
        cluster: SourceId,
        /// New or changed.
        changed: Vec<Arc<Alert>>,
        /// Gone from a complete answer: first poll in which they were missing.
        ended: Vec<AlertKey>,
        /// When that answer came.
        at: Timestamp,
    },
    /// A cluster's silences, all of them.
    SilencesListed {
        /// The cluster.
        cluster: SourceId,
        /// Pending, active and just expired ones.
        silences: Vec<Arc<Silence>>,
    },
    /// Entries for an incident's timeline; known ones (same source and id) are replaced.
    TimelineListed {
        /// The incident.
        incident: IncidentId,
        /// Entries.
        events: Vec<TimelineEvent>,
    },
    /// Incidents like this one, by PagerDuty's judgement.
    PastIncidentsListed {
        /// The incident.
        incident: IncidentId,
        /// The others.
        past: Vec<Arc<PagerIncident>>,
    },
    /// Who is on call now.
    OnCallListed(Vec<OnCall>),
    /// A policy with its levels.
    PolicyLoaded(EscalationPolicy),
    /// The account's priorities, worst first.
    PrioritiesListed(Vec<Priority>),
    /// The account's services.
    ServicesListed(Vec<Named<ServiceId>>),
    /// The account's people.
    UsersListed(Vec<Named<UserId>>),
    /// A source's health changed.
    HealthChanged(SourceHealth),
    /// A query was answered.
    QueryAnswered {
        /// The question.
        id: QueryId,
        /// When the answer came.
        at: Timestamp,
        /// The answer.
        result: Result<Arc<QueryResult>, Failure>,
    },
    /// An action was taken up: it is in the journal; or it was refused, and then `Delivered` with the failure follows.
    IntentRecorded(Intent),
    /// An action got further.
    Delivered {
        /// Which.
        op: OpId,
        /// How far.
        delivery: Delivery,
        /// When.
        at: Timestamp,
        /// The incident a declaration opened.
        opened: Option<PagerId>,
    },
    /// A step was ticked or unticked, here or by a colleague.
    StepTicked {
        /// For which incident.
        incident: IncidentId,
        /// In which runbook.
        runbook: RunbookId,
        /// Which step.
        step: StepId,
        /// The tick, or none.
        tick: Option<Tick>,
    },
    /// A role was taken, given up or handed over, here or by a colleague.
    RoleMoved {
        /// For which incident.
        incident: IncidentId,
        /// Which role.
        role: Clean,
        /// Who has it now.
        holder: Option<Holding>,
    },
    /// Who is in the room, this console included.
    PresentListed(Vec<Present>),
    /// Whether what this console does reaches the others.
    SharingChanged(Sharing),
    /// Something happened to a run of a runbook; it is in the journal.
    RunMoved(RunEvent),
    /// What a step would do, for a person to look at. Replaced by the next one; not in the journal.
    StepProposed(Box<Proposal>),
    /// A step printed something.
    StepPrinted(Box<Printed>),
    /// A step in a terminal of its own wrote this.
    StepTyped {
        /// Of which run.
        run: RunId,
        /// Which step.
        step: StepId,
        /// The bytes, for a terminal emulator.
        bytes: Vec<u8>,
    },
    /// An order for a run was not done.
    RunRefused(Failure),
    /// Something went wrong that is not a source's health: a task panicked and was restarted, the journal is damaged…
    ProblemFound {
        /// Names the problem, so that a repeated one is shown once.
        key: String,
        /// What.
        failure: Failure,
        /// When.
        at: Timestamp,
    },
    /// That problem is gone.
    ProblemCleared {
        /// Its name.
        key: String,
    },
}

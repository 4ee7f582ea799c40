//! What a journal holds, as values: entries (append-only) and the outbox rows that follow from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::action::{Delivery, Intent};
use crate::domain::checklist::Tick;
use crate::domain::id::{IncidentId, OpId, PagerId, RunbookId, StepId};
use crate::domain::run::RunEvent;
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// Version of the payloads below; grows when one changes its meaning.
pub const ENTRY_VERSION: i64 = 1;

/// One fact of ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "payload")]
pub enum Entry {
    /// A person asked for a change.
    Intended(Intent),
    /// An action got further.
    Moved {
        /// Which.
        op: OpId,
        /// How far.
        delivery: Delivery,
        /// When.
        at: Timestamp,
        /// The incident a declaration opened.
        opened: Option<PagerId>,
    },
    /// A step was ticked or unticked.
    Ticked {
        /// For which incident.
        incident: IncidentId,
        /// In which runbook.
        runbook: RunbookId,
        /// Which step.
        step: StepId,
        /// The tick, or none.
        tick: Option<Tick>,
        /// When.
        at: Timestamp,
    },
    /// A role was taken, given up or handed over. Written only while `from` has it; one that came too late (two
    /// consoles that were apart) stays in the journal and moves nothing.
    RoleMoved {
        /// For which incident.
        incident: IncidentId,
        /// Which role.
        role: Clean,
        /// Who had it.
        from: Option<Clean>,
        /// Who has it.
        to: Option<Clean>,
        /// When.
        at: Timestamp,
    },
    /// Something happened to a run of a runbook.
    Run(RunEvent),
}

impl Entry {
    /// When it happened, by the writer's clock; order comes from the sequence, not from this.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Intended(intent) => intent.at,
            Self::Moved { at, .. } | Self::Ticked { at, .. } | Self::RoleMoved { at, .. } => *at,
            Self::Run(event) => event.at,
        }
    }
}

/// An action as the outbox has it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// What was asked.
    pub intent: Intent,
    /// How far it got.
    pub delivery: Delivery,
    /// When it got there.
    pub changed_at: Timestamp,
    /// How often it was sent.
    pub attempts: u32,
    /// The incident a declaration opened.
    pub opened: Option<PagerId>,
}

/// A role that is to move, as a journal checks it before it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleChange {
    incident: IncidentId,
    role: Clean,
    from: Option<Clean>,
}

impl RoleChange {
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let Entry::RoleMoved { incident, role, from, .. } = entry else { return None };
        Some(Self { incident: incident.clone(), role: role.clone(), from: from.clone() })
    }

    /// Names the role among all of the room.
    pub(super) fn subject(&self) -> String {
        format!("{}/{}", self.incident, self.role)
    }

    /// Who has it after these, oldest first: one whose `from` was overtaken moved nothing. The outer `None`: it is not
    /// known here who had it.
    pub(super) fn holder(&self, entries: impl Iterator<Item = Entry>) -> Option<Option<Clean>> {
        let mut holder: Option<Option<Clean>> = None;
        for entry in entries {
            match entry {
                Entry::RoleMoved { incident, role, from, to, .. }
                    if incident == self.incident
                        && role == self.role
                        && holder.as_ref().is_none_or(|holder| *holder == from) =>
                {
                    holder = Some(to);
                }
                _ => {}
            }
        }
        holder
    }

    /// Refuses when somebody else has it than was thought.
    pub(super) fn check(&self, holder: Option<Option<Clean>>) -> Result<(), StoreError> {
        let Some(holder) = holder else { return Ok(()) };
        match (holder, &self.from) {
            (holder, from) if holder == *from => Ok(()),
            (Some(now), _) => Err(StoreError::Overtaken(format!("{now} has become {} meanwhile", self.role))),
            (None, _) => Err(StoreError::Overtaken(format!("nobody is {} any more", self.role))),
        }
    }
}

/// The last word on each step and role, from entries in the journal's order.
pub(super) fn last_words(oldest_first: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut steps = BTreeMap::new();
    let mut roles: BTreeMap<(IncidentId, Clean), Entry> = BTreeMap::new();
    for entry in oldest_first {
        match &entry {
            Entry::Ticked { incident, runbook, step, .. } => {
                steps.insert((incident.clone(), runbook.clone(), step.clone()), entry);
            }
            Entry::RoleMoved { incident, role, from, .. } => {
                let key = (incident.clone(), role.clone());
                // Nothing is known of what was before the first one.
                let fits = match roles.get(&key) {
                    Some(Entry::RoleMoved { to, .. }) => from == to,
                    _ => true,
                };
                if fits {
                    roles.insert(key, entry);
                }
            }
            _ => {}
        }
    }
    steps.into_values().chain(roles.into_values()).collect()
}

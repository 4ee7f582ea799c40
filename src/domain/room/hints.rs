//! What a row should make people suspicious of: the two sides of a correlation that do not agree.

use chrono::Duration;

use super::Room;
use super::rows::Anchor;
use crate::domain::id::{IncidentId, PagerId};
use crate::domain::incident::Status;
use crate::domain::time::Timestamp;

/// Alertmanager waits (`group_wait`, usually 30 s) and PagerDuty takes events asynchronously: only after this is a
/// missing incident suspicious.
const PAGING_TIME: Duration = Duration::minutes(2);

/// Two sources that do not agree about one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// PagerDuty's incident is open, but Alertmanager's group is gone: it was silenced before it resolved, or the resolve
    /// was lost. Somebody has to resolve it.
    GroupGone,
    /// The alerts' route pages, but PagerDuty has no incident: the page may have been lost.
    NotPaged,
    /// PagerDuty's incident is resolved, but the alerts still fire.
    StillFiring {
        /// The resolved incident.
        pager: PagerId,
    },
}

impl Hint {
    /// The hint in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::GroupGone => {
                "Alertmanager no longer has this group, but PagerDuty's incident is open: resolve it if it is over"
                    .into()
            }
            Self::NotPaged => {
                "this alert's route pages, but PagerDuty has no open incident for it: the page may be lost".into()
            }
            Self::StillFiring { pager } => format!("PagerDuty's {pager} is resolved, but the alert still fires"),
        }
    }
}

impl Room {
    /// What does not fit together about an incident.
    #[must_use]
    pub fn hints(&self, id: &IncidentId, now: Timestamp) -> Vec<Hint> {
        let Some(row) = self.row(id) else { return Vec::new() };
        let nodes = &self.world.ties.nodes;
        match row.anchor {
            Anchor::Record(at) if row.incident.status != Status::Resolved => {
                let held: Vec<_> = nodes_of(self, at).filter_map(|node| nodes.get(node)).collect();
                let is_gone =
                    held.iter().any(|node| node.was_active) && held.iter().all(|node| node.members.is_empty());
                is_gone.then_some(Hint::GroupGone).into_iter().collect()
            }
            Anchor::Node(at) if row.incident.status != Status::Resolved && !row.incident.is_suppressed => {
                let Some(node) = nodes.get(at).filter(|node| node.name.0.is_none()) else { return Vec::new() };
                let resolved = node.records.iter().filter_map(|record| self.world.records.slab.get(*record)).last();
                if let Some(resolved) = resolved {
                    return vec![Hint::StillFiring { pager: resolved.record.id.clone() }];
                }
                let answered = self.settings().pagerduty.as_ref().and_then(|id| self.sources.get(id)?.answered_at);
                let is_lost = answered.is_some_and(|at| at.min(now) > row.incident.started_at + PAGING_TIME);
                is_lost.then_some(Hint::NotPaged).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

fn nodes_of(room: &Room, record: u32) -> impl Iterator<Item = u32> {
    let family = room.world.records.family(record);
    family
        .into_iter()
        .filter_map(|at| room.world.records.slab.get(at))
        .flat_map(|slot| slot.record.keys.iter().filter_map(|key| room.world.ties.node(&(None, key.clone()))))
}

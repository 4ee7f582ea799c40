//! Who has an incident: escalate to an absolute level, reassign to people or to a policy.

use std::sync::Arc;

use serde_json::{Value, json};

use super::words::{assignee_names, refused, told_assignees};
use super::{Client, Tried};
use crate::domain::id::{PagerId, PolicyId, UserId};
use crate::domain::incident::{PagerIncident, Status};
use crate::sources::pagerduty::{Attempt, Outcome, map, wire};
use crate::text::Clean;

impl Client {
    pub(super) async fn escalate(&self, id: &PagerId, level: u32) -> Tried {
        let before = self.shown(&self.show(id).await?)?;
        if before.status == Status::Resolved {
            return Ok(refused("escalate", id.as_str(), "it is resolved", "reopen it first"));
        }
        let Some(policy) = &before.policy else {
            return Ok(refused("escalate", id.as_str(), "it has no escalation policy", "reassign it to people"));
        };
        let oncalls = self.on_call(std::slice::from_ref(&policy.id)).await?.items;
        let people: Vec<UserId> =
            oncalls.iter().filter(|oncall| oncall.level == level).map(|oncall| oncall.user.id.clone()).collect();
        if people.is_empty() {
            let why = format!("nobody is on call at level {level} of {}", policy.name);
            return Ok(refused("escalate", id.as_str(), &why, "choose another level, or reassign it to people"));
        }
        if map::level_by_oncall(&before, &oncalls) == Some(level) {
            let says = Clean::new(format!("already at level {level}: {}", assignee_names(&before)));
            return Ok(Outcome::AlreadyDone { says, incident: Some(Arc::new(before)), opened: None });
        }
        let reached = move |incident: &PagerIncident| {
            incident.status != Status::Resolved && incident.assignees.iter().any(|user| people.contains(&user.id))
        };
        let says = move |told: &wire::Incident| format!("level {level} called: {}", told_assignees(told));
        self.put(id, json!({"escalation_level": level}), reached, says).await
    }

    pub(super) async fn reassign(&self, id: &PagerId, users: &[UserId]) -> Tried {
        if users.is_empty() {
            return Ok(refused("reassign", id.as_str(), "nobody was chosen", "choose at least one person"));
        }
        let before = self.shown(&self.show(id).await?)?;
        if before.status == Status::Resolved {
            return Ok(refused("reassign", id.as_str(), "it is resolved", "reopen it first"));
        }
        let has_exactly = |incident: &PagerIncident| {
            incident.assignees.len() == users.len() && incident.assignees.iter().all(|user| users.contains(&user.id))
        };
        if has_exactly(&before) {
            let says = Clean::new(format!("already with {}", assignee_names(&before)));
            return Ok(Outcome::AlreadyDone { says, incident: Some(Arc::new(before)), opened: None });
        }
        let assignments: Vec<Value> =
            users.iter().map(|id| json!({"assignee": {"id": id.as_str(), "type": "user_reference"}})).collect();
        let says = |told: &wire::Incident| format!("assigned to {}", told_assignees(told));
        self.put(id, json!({"assignments": assignments}), has_exactly, says).await
    }

    pub(super) async fn delegate(&self, id: &PagerId, policy: &PolicyId, attempt: Attempt) -> Tried {
        let before = self.shown(&self.show(id).await?)?;
        if before.status == Status::Resolved {
            return Ok(refused("reassign", id.as_str(), "it is resolved", "reopen it first"));
        }
        let runs = |incident: &PagerIncident| incident.policy.as_ref().is_some_and(|runs| runs.id == *policy);
        // Giving it to its own policy starts that from level 1, so the first attempt is sent even then.
        if attempt == Attempt::Again && runs(&before) {
            let says = Clean::new(format!("already with {}", assignee_names(&before)));
            return Ok(Outcome::AlreadyDone { says, incident: Some(Arc::new(before)), opened: None });
        }
        let wanted = json!({"escalation_policy": {"id": policy.as_str(), "type": "escalation_policy_reference"}});
        let says = |told: &wire::Incident| format!("handed over: {}", told_assignees(told));
        self.put(id, wanted, runs, says).await
    }
}

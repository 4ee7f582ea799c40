//! Where an incident stands: acknowledge, resolve, reopen, snooze.

use std::sync::Arc;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::words::{refused, snooze_end, status_words};
use super::{Client, Tried};
use crate::domain::action::Intent;
use crate::domain::id::{OpId, PagerId};
use crate::domain::incident::{PagerIncident, PendingKind, Status};
use crate::sources::pagerduty::timeline::span;
use crate::sources::pagerduty::{Attempt, Outcome, plain, wire};
use crate::text::{Clean, Untrusted};

/// PagerDuty's limit for a snooze, a week.
const LONGEST_SNOOZE_S: i64 = 604_800;

impl Client {
    pub(super) async fn acknowledge(&self, id: &PagerId) -> Tried {
        let before = self.show(id).await?;
        match self.shown(&before)?.status {
            // A second acknowledgement would restart the timer and take the incident over from a colleague.
            Status::Acknowledged | Status::Resolved => self.already(&before),
            Status::Triggered => self.put_status(id, Status::Acknowledged, json!({"status": "acknowledged"})).await,
        }
    }

    pub(super) async fn resolve(
        &self,
        id: &PagerId,
        resolution: Option<&Untrusted>,
        op: OpId,
        attempt: Attempt,
    ) -> Tried {
        let before = self.show(id).await?;
        let resolution = resolution.map(plain).filter(|text| !text.trim().is_empty());
        let outcome = if self.shown(&before)?.status == Status::Resolved {
            self.already(&before)?
        } else {
            let mut wanted = json!({"status": "resolved"});
            if let (Some(text), Some(fields)) = (resolution, wanted.as_object_mut()) {
                fields.insert("resolution".to_owned(), text.into());
            }
            self.put_status(id, Status::Resolved, wanted).await?
        };
        // PagerDuty shows a resolution nowhere but in the log entry, so people get it as a note too.
        let is_ours = matches!(outcome, Outcome::Done { .. }) || attempt == Attempt::Again;
        match (resolution, outcome) {
            (
                Some(text),
                Outcome::Done { says, incident, opened } | Outcome::AlreadyDone { says, incident, opened },
            ) if is_ours => {
                let noted = self.note(id, &Untrusted::from(text), op, Attempt::Again).await;
                let says = match noted {
                    Ok(Outcome::Done { .. } | Outcome::AlreadyDone { .. }) => says,
                    _ => Clean::new(format!("{says}; the resolution could not be written as a note")),
                };
                Ok(Outcome::Done { says, incident, opened })
            }
            (_, outcome) => Ok(outcome),
        }
    }

    pub(super) async fn trigger(&self, id: &PagerId) -> Tried {
        let before = self.show(id).await?;
        if self.shown(&before)?.status == Status::Triggered {
            return self.already(&before);
        }
        self.put_status(id, Status::Triggered, json!({"status": "triggered"})).await
    }

    pub(super) async fn put_status(&self, id: &PagerId, wanted: Status, body: Value) -> Tried {
        self.put(id, body, |incident| incident.status == wanted, |told| status_words(told, "")).await
    }

    pub(super) async fn snooze(&self, id: &PagerId, seconds: i64, intent: &Intent, attempt: Attempt) -> Tried {
        if !(1..=LONGEST_SNOOZE_S).contains(&seconds) {
            return Ok(refused(
                "snooze",
                id.as_str(),
                "the span must be between 1 s and 7 days",
                "choose another span",
            ));
        }
        let before = self.shown(&self.show(id).await?)?;
        // The end may be off by our clock's error and by what the request took.
        let skew = self.0.http.skew().map_or(TimeDelta::zero(), |skew| skew.duration());
        let slack = TimeDelta::seconds(120 + seconds / 20);
        let ends_near = |incident: &PagerIncident, from| {
            let end = from + skew + TimeDelta::seconds(seconds);
            incident.status == Status::Acknowledged
                && incident.pending.iter().any(|pending| {
                    pending.kind == PendingKind::Unacknowledge && pending.at.signed_duration_since(end).abs() <= slack
                })
        };
        match before.status {
            Status::Resolved => return Ok(refused("snooze", id.as_str(), "it is resolved", "reopen it first")),
            Status::Acknowledged if attempt == Attempt::Again && ends_near(&before, intent.at) => {
                let says = Clean::new(format!("already snoozed{}", snooze_end(&before)));
                return Ok(Outcome::AlreadyDone { says, incident: Some(Arc::new(before)), opened: None });
            }
            Status::Acknowledged => {}
            // Only an acknowledged incident can be put off.
            Status::Triggered => {
                match self.put_status(id, Status::Acknowledged, json!({"status": "acknowledged"})).await? {
                    Outcome::Done { .. } | Outcome::AlreadyDone { .. } => {}
                    other => return Ok(other),
                }
            }
        }
        let now = self.0.http.now();
        let shows = |incident: &PagerIncident| ends_near(incident, now);
        let sent =
            self.change(Method::POST, &["incidents", id.as_str(), "snooze"], &json!({"duration": seconds})).await;
        let says = |told: &wire::Incident| {
            let end = self.shown(told).map(|incident| snooze_end(&incident)).unwrap_or_default();
            format!("snoozed for {}{end}", span(seconds))
        };
        self.settle(id, sent, shows, says).await
    }
}

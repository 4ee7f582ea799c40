//! Requests that change something: look first, send once, believe only an answer that shows the wanted state, and look
//! again when the answer does not tell (RELIABILITY 4).

mod people;
mod state;
mod words;
mod writing;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Attempt, Client, Outcome, wire};
use crate::domain::action::{Action, Assignee, Intent, Target};
use crate::domain::id::{PagerId, UserId};
use crate::domain::incident::PagerIncident;
use crate::sources::SourceError;
use crate::sources::error::Fault;
use crate::text::Clean;

use words::{outcome_of, refused, status_words, target_words, verb, worth_a_look};

type Tried = Result<Outcome, SourceError>;

impl Client {
    /// Carries an action out, sending each change at most once.
    ///
    /// Not cancel safe: a future dropped midway leaves an action of which nobody knows; treat it as unknown.
    pub async fn perform(&self, intent: &Intent, attempt: Attempt) -> Outcome {
        let what = verb(&intent.action);
        let tried = match &intent.target {
            Target::Incident { pager: Some(id), .. } => self.act_on(id, intent, attempt).await,
            Target::New => match &intent.action {
                Action::Declare(declaration) => self.declare(declaration, intent.op, attempt).await,
                _ => Ok(refused(what, "a new incident", "it needs an incident to act on", "")),
            },
            Target::Incident { pager: None, id, .. } => {
                Ok(refused(what, id.as_str(), "PagerDuty does not have this incident", "declare it first"))
            }
        };
        tried.unwrap_or_else(|error| outcome_of(error, what, &target_words(&intent.target)))
    }

    async fn act_on(&self, id: &PagerId, intent: &Intent, attempt: Attempt) -> Tried {
        match &intent.action {
            Action::Acknowledge => self.acknowledge(id).await,
            Action::Resolve { resolution } => self.resolve(id, resolution.as_ref(), intent.op, attempt).await,
            Action::Trigger => self.trigger(id).await,
            Action::Escalate { level, .. } => self.escalate(id, *level).await,
            Action::Reassign { to: Assignee::Users(users) } => {
                let ids: Vec<UserId> = users.iter().map(|user| user.id.clone()).collect();
                self.reassign(id, &ids).await
            }
            Action::Reassign { to: Assignee::Policy(policy) } => self.delegate(id, &policy.id, attempt).await,
            Action::Snooze { span } => self.snooze(id, span.0, intent, attempt).await,
            Action::Merge { source } => self.merge(id, source).await,
            Action::Note { text } => self.note(id, text, intent.op, attempt).await,
            Action::Declare(_)
            | Action::Silence(_)
            | Action::Unsilence { .. }
            | Action::Tick { .. }
            | Action::Role { .. } => {
                Ok(refused(verb(&intent.action), id.as_str(), "it is not an action on a PagerDuty incident", ""))
            }
        }
    }

    /// Sends a change of one incident and settles what became of it.
    async fn put(
        &self,
        id: &PagerId,
        wanted: Value,
        shows: impl Fn(&PagerIncident) -> bool,
        says: impl Fn(&wire::Incident) -> String,
    ) -> Tried {
        let mut incident = json!({"type": "incident_reference"});
        if let (Some(fields), Value::Object(wanted)) = (incident.as_object_mut(), wanted) {
            fields.extend(wanted);
        }
        let sent = self.change(Method::PUT, &["incidents", id.as_str()], &json!({"incident": incident})).await;
        self.settle(id, sent, shows, says).await
    }

    /// Done when the answer shows it; else one look at the incident decides, where a look can.
    async fn settle(
        &self,
        id: &PagerId,
        sent: Result<wire::Incident, SourceError>,
        shows: impl Fn(&PagerIncident) -> bool,
        says: impl Fn(&wire::Incident) -> String,
    ) -> Tried {
        let done = |told: &wire::Incident| -> Option<Outcome> {
            let incident = self.shown(told).ok().filter(&shows)?;
            let says = Clean::new(says(told));
            Some(Outcome::Done { says, incident: Some(Arc::new(incident)), opened: None })
        };
        let error = match sent {
            Ok(told) => match done(&told) {
                Some(outcome) => return Ok(outcome),
                None => Fault::NotDone(Clean::new(format!("it is {}", status_words(&told, "")))).into(),
            },
            Err(error) => error,
        };
        if worth_a_look(&error)
            && let Ok(told) = self.show(id).await
            && let Some(outcome) = done(&told)
        {
            return Ok(outcome);
        }
        Err(error)
    }

    fn already(&self, told: &wire::Incident) -> Tried {
        let incident = self.shown(told)?;
        Ok(Outcome::AlreadyDone {
            says: Clean::new(status_words(told, "already ")),
            incident: Some(Arc::new(incident)),
            opened: None,
        })
    }
}

#[cfg(test)]
mod tests;

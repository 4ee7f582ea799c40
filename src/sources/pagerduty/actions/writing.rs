//! What a second send would double: merge, note, declare. Each leaves a mark that can be looked for.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::words::{opened, refused, worth_a_look};
use super::{Client, Tried};
use crate::domain::action::Declaration;
use crate::domain::id::{OpId, PagerId};
use crate::domain::incident::{PagerIncident, Status};
use crate::sources::SourceError;
use crate::sources::error::{Disposition, Fault};
use crate::sources::http::Call;
use crate::sources::pagerduty::timeline::marker;
use crate::sources::pagerduty::{Attempt, Outcome, map, plain, wire};
use crate::text::{Clean, Untrusted};

/// PagerDuty's limit for a note.
const NOTE_CHARS: usize = 2_000;

/// Pauses before looking whether a merge has come through.
const MERGE_LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(400), Duration::from_millis(1_500)];

impl Client {
    pub(super) async fn merge(&self, id: &PagerId, source: &PagerId) -> Tried {
        if id == source {
            return Ok(refused("merge", id.as_str(), "an incident cannot be merged into itself", ""));
        }
        let merged = |incident: &PagerIncident| incident.merged_into.as_ref() == Some(id);
        let there = self.shown(&self.show(source).await?)?;
        if merged(&there) {
            let says = Clean::new(format!("#{} is already merged", there.number));
            return Ok(Outcome::AlreadyDone { says, incident: None, opened: None });
        }
        if there.status == Status::Resolved {
            return Ok(refused("merge", source.as_str(), "it is resolved", "only open incidents can be merged"));
        }
        let target = self.shown(&self.show(id).await?)?;
        if target.status == Status::Resolved {
            return Ok(refused("merge", id.as_str(), "the target is resolved", "merge into an open incident"));
        }
        let body = json!({"source_incidents": [{"id": source.as_str(), "type": "incident_reference"}]});
        // The answer is only a reference to the target: the source shows whether it happened.
        let failed = self.change(Method::PUT, &["incidents", id.as_str(), "merge"], &body).await.err();
        if let Some(error) = failed.as_ref().filter(|error| !worth_a_look(error)) {
            return Err(error.clone());
        }
        for pause in MERGE_LOOKS {
            tokio::time::sleep(pause).await;
            let Ok(told) = self.show(source).await else { continue };
            if self.shown(&told).is_ok_and(|incident| merged(&incident)) {
                let says = Clean::new(format!("#{} merged into #{}", there.number, target.number));
                let incident = self.show(id).await.and_then(|told| self.shown(&told)).ok().map(Arc::new);
                return Ok(Outcome::Done { says, incident, opened: None });
            }
        }
        let said = Fault::NotDone(Clean::new(format!("#{} does not show the merge yet", there.number)));
        Err(failed.unwrap_or_else(|| SourceError::from(said).after_sending(true)))
    }

    pub(super) async fn note(&self, id: &PagerId, text: &Untrusted, op: OpId, attempt: Attempt) -> Tried {
        #[derive(Deserialize)]
        struct Told {
            note: wire::Note,
        }
        let mark = marker(op);
        let content = format!("{}\n{mark}", plain(text).trim_end());
        let longest = NOTE_CHARS - mark.chars().count() - 1;
        if content.chars().count() > NOTE_CHARS {
            let why = format!("a note may have {longest} characters");
            return Ok(refused("write a note on", id.as_str(), &why, "write two"));
        }
        if plain(text).trim().is_empty() {
            return Ok(refused("write a note on", id.as_str(), "it is empty", "write something"));
        }
        if attempt == Attempt::Again && self.has_note(id, &mark).await? {
            return Ok(Outcome::AlreadyDone { says: Clean::new("already noted"), incident: None, opened: None });
        }
        let call = Call::change(Method::POST, ["incidents", id.as_str(), "notes"])
            .header("From", self.from().await?)
            .json(&json!({"note": {"content": content}}));
        self.may_send()?;
        let error = match self.0.http.json::<Told>(&call).await {
            Ok(told) if told.note.content.as_deref().is_some_and(|told| told.contains(&mark)) => {
                return Ok(Outcome::Done { says: Clean::new("noted"), incident: None, opened: None });
            }
            Ok(_) => SourceError::from(Fault::NotDone(Clean::new("it shows another note"))).after_sending(true),
            Err(error) => error,
        };
        if error.disposition() == Disposition::Ambiguous && self.has_note(id, &mark).await.unwrap_or(false) {
            return Ok(Outcome::Done { says: Clean::new("noted"), incident: None, opened: None });
        }
        Err(error)
    }

    pub(super) async fn has_note(&self, id: &PagerId, mark: &str) -> Result<bool, SourceError> {
        let notes = self.told_notes(id).await?;
        Ok(notes.items.iter().any(|note| note.content.as_deref().is_some_and(|content| content.contains(mark))))
    }

    pub(super) async fn declare(&self, declaration: &Declaration, op: OpId, attempt: Attempt) -> Tried {
        if attempt == Attempt::Again
            && let Some(incident) = self.declared(op).await?
        {
            return Ok(opened(incident, true));
        }
        if plain(&declaration.title).trim().is_empty() {
            return Ok(refused("declare", "an incident", "it has no title", "give it one"));
        }
        // While it is open, PagerDuty takes no second incident of this key on this service.
        let mut wanted = json!({
            "type": "incident",
            "title": plain(&declaration.title).trim(),
            "service": {"id": declaration.service.id.as_str(), "type": "service_reference"},
            "urgency": map::urgency_word(declaration.urgency),
            "incident_key": op.to_string(),
        });
        if let Some(fields) = wanted.as_object_mut() {
            if let Some(priority) = &declaration.priority {
                let priority = json!({"id": priority.id.as_str(), "type": "priority_reference"});
                fields.insert("priority".to_owned(), priority);
            }
            if let Some(details) = &declaration.details {
                fields.insert("body".to_owned(), json!({"type": "incident_body", "details": plain(details)}));
            }
        }
        let sent = self.change(Method::POST, &["incidents"], &json!({"incident": wanted})).await;
        let error = match sent.and_then(|told| self.shown(&told)) {
            Ok(incident) => return Ok(opened(Arc::new(incident), false)),
            Err(error) => error,
        };
        if worth_a_look(&error)
            && let Ok(Some(incident)) = self.declared(op).await
        {
            return Ok(opened(incident, false));
        }
        Err(error)
    }

    pub(super) async fn declared(&self, op: OpId) -> Result<Option<Arc<PagerIncident>>, SourceError> {
        Ok(self.by_key(&op.to_string()).await?.items.into_iter().next())
    }
}

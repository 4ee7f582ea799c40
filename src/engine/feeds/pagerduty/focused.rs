//! The incident people look at: its log, notes and alerts, its policy, changes and past.

use super::{PagerDuty, Question, from_alerts, is_final};
use crate::domain::fact::Fact;
use crate::domain::timeline::EventKind;
use crate::engine::feeds::lock;
use crate::engine::poller::{Answer, Focus, Trouble};
use crate::sources::pagerduty::Client;
use crate::sources::{Listing, SourceError};

impl PagerDuty {
    pub(super) async fn log(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let mut answer = Answer::default();
        let Some(focus) = self.focus.clone() else { return Ok(answer) };
        let listing = client.log_entries(&focus.pager).await?;
        answer.beside(&listing);
        let is_new = listing.items.iter().map(|event| &event.id).ne(self.log.iter().map(|event| &event.id));
        if is_new {
            self.log.clone_from(&listing.items);
            answer.then.push(Question::Notes);
            // An entry that says that a note was written only calls for the notes: they carry the words, once.
            let events = listing.items.into_iter().filter(|event| event.kind != EventKind::Note).collect();
            answer.facts.push(Fact::TimelineListed { incident: focus.incident, events });
        }
        Ok(answer)
    }

    pub(super) async fn notes(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let mut answer = Answer::default();
        let Some(Focus { incident, pager }) = self.focus.clone() else { return Ok(answer) };
        let notes = client.notes(&pager).await?;
        answer.beside(&notes);
        if !notes.items.is_empty() {
            answer.facts.push(Fact::TimelineListed { incident, events: notes.items });
        }
        let alerts = client.alerts(&pager).await?;
        answer.beside(&alerts);
        let mut known = lock(&self.incidents);
        let counts = known.get(&pager).map_or((0, 0), |record| record.alert_counts);
        let changed = known.learn_alerts(&pager, from_alerts(&alerts, counts));
        drop(known);
        answer.facts.extend(self.changed(changed.into_iter().collect()));
        Ok(answer)
    }

    pub(super) async fn context(&mut self, client: &Client) -> Result<Answer<Question>, Trouble> {
        let mut answer = Answer::default();
        let Some(Focus { incident, pager }) = self.focus.clone() else { return Ok(answer) };
        let record = lock(&self.incidents).get(&pager);
        let record = match record {
            Some(record) => record,
            None => {
                answer.facts.extend(self.read(client, &pager).await?);
                let Some(record) = lock(&self.incidents).get(&pager) else { return Ok(answer) };
                record
            }
        };
        if let Some(policy) = &record.policy {
            answer.facts.push(Fact::PolicyLoaded(client.policy(&policy.id).await?));
        }
        // Not every account has these; one that has not answers 402 or 404, and that is nobody's trouble.
        if let Some(changes) = optional(client.related_changes(&pager).await)? {
            answer.beside(&changes);
            answer.facts.push(Fact::TimelineListed { incident: incident.clone(), events: changes.items });
        }
        if let Some(past) = optional(client.past_incidents(&pager).await)? {
            answer.beside(&past);
            answer.facts.push(Fact::PastIncidentsListed { incident, past: past.items });
        }
        Ok(answer)
    }
}

fn optional<T>(listing: Result<Listing<T>, SourceError>) -> Result<Option<Listing<T>>, SourceError> {
    match listing {
        Ok(listing) => Ok(Some(listing)),
        Err(error) if is_final(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

//! Silences made and ended: looked for by their mark first, sent once, believed when the cluster shows them.

use std::time::Instant;

use chrono::TimeDelta;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use crate::domain::action::{Action, Intent, Silencing};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::id::SilenceId;
use crate::domain::silence::{Silence, SilenceState};
use crate::sources::SourceError;
use crate::sources::error::{Disposition, Fault};
use crate::sources::http::Call;
use crate::sources::pagerduty::{Attempt, Outcome, marker};
use crate::text::Clean;

/// Longest silence, a year: a longer one is a mistake.
const LONGEST_S: i64 = 366 * 86_400;

type Tried = Result<Outcome, SourceError>;

impl Client {
    /// Makes or ends a silence, sending each change at most once, and none after `until`.
    ///
    /// Not cancel safe: a future dropped midway leaves an action of which nobody knows; treat it as unknown.
    pub async fn perform(&self, intent: &Intent, attempt: Attempt, until: Option<Instant>) -> Outcome {
        let tried = match &intent.action {
            Action::Silence(silencing) => self.silence(silencing, intent, attempt, until).await,
            Action::Unsilence { id, .. } => self.unsilence(id, until).await,
            _ => Ok(refused(self, "do this", "it is no action on silences", "")),
        };
        tried.unwrap_or_else(|error| self.outcome_of(error, intent))
    }

    async fn silence(&self, silencing: &Silencing, intent: &Intent, attempt: Attempt, until: Option<Instant>) -> Tried {
        let mark = marker(intent.op);
        if attempt == Attempt::Again
            && let Some(found) = self.marked(&mark).await?
        {
            return Ok(Outcome::AlreadyDone { says: says(&found, "already silenced"), incident: None, opened: None });
        }
        if silencing.matchers.is_empty() || !(1..=LONGEST_S).contains(&silencing.span.0) {
            return Ok(refused(self, "silence", "it needs a matcher and a span of 1 s to a year", "give both"));
        }
        let ends_at = intent.at + TimeDelta::seconds(silencing.span.0);
        if ends_at <= self.http.now() {
            return Ok(refused(self, "silence", "its end has passed meanwhile", "ask for another one"));
        }
        let matchers: Vec<Value> = silencing
            .matchers
            .iter()
            .map(|matcher| {
                json!({"name": matcher.name.expose(), "value": matcher.value.expose(), "isRegex": matcher.is_regex, "isEqual": matcher.is_equal})
            })
            .collect();
        let body = json!({
            "matchers": matchers,
            "startsAt": intent.at,
            "endsAt": ends_at,
            "createdBy": intent.by.as_str(),
            "comment": format!("{} {mark}", silencing.comment.expose().trim()),
        });
        #[derive(Deserialize)]
        struct Made {
            #[serde(rename = "silenceID")]
            id: String,
        }
        let call = Call::change(Method::POST, ["api", "v2", "silences"]).json(&body);
        self.may_send(until)?;
        let error = match self.http.json::<Made>(&call).await {
            Ok(made) => {
                let said = Clean::new(format!("silenced until {} ({})", ends_at.format("%Y-%m-%d %H:%M UTC"), made.id));
                return Ok(Outcome::Done { says: said, incident: None, opened: None });
            }
            Err(error) => error,
        };
        if error.disposition() == Disposition::Ambiguous
            && let Ok(Some(found)) = self.marked(&mark).await
        {
            return Ok(Outcome::Done { says: says(&found, "silenced"), incident: None, opened: None });
        }
        Err(error)
    }

    async fn unsilence(&self, id: &SilenceId, until: Option<Instant>) -> Tried {
        let over = |says: &str| Outcome::AlreadyDone { says: Clean::new(says), incident: None, opened: None };
        match self.state_of(id).await? {
            None => {
                return Ok(refused(self, "end a silence", "there is no such silence", "see 'warroom silences list'"));
            }
            Some(SilenceState::Expired) => return Ok(over("already expired")),
            Some(_) => {}
        }
        self.may_send(until)?;
        let sent = self.http.fetch(&Call::change(Method::DELETE, ["api", "v2", "silence", id.as_str()])).await;
        let done = || Outcome::Done { says: Clean::new("expired"), incident: None, opened: None };
        match sent {
            Ok(_) => Ok(done()),
            Err(error) => match self.state_of(id).await {
                Ok(Some(SilenceState::Expired)) => Ok(done()),
                _ => Err(error),
            },
        }
    }

    /// The silence that carries a mark, unless it is over.
    async fn marked(&self, mark: &str) -> Result<Option<Silence>, SourceError> {
        let listed = self.silences().await?;
        let is_it = |silence: &Silence| silence.comment.as_str().contains(mark);
        Ok(listed.items.iter().find(|silence| is_it(silence)).map(|silence| Silence::clone(silence)))
    }

    async fn state_of(&self, id: &SilenceId) -> Result<Option<SilenceState>, SourceError> {
        let listed = self.silences().await?;
        Ok(listed.items.iter().find(|silence| silence.id == *id).map(|silence| silence.state))
    }

    /// The last look at the clock before a change leaves.
    fn may_send(&self, until: Option<Instant>) -> Result<(), SourceError> {
        if until.is_some_and(|until| Instant::now() >= until) { Err(Fault::Lapsed.into()) } else { Ok(()) }
    }

    fn outcome_of(&self, error: SourceError, intent: &Intent) -> Outcome {
        let what = if matches!(intent.action, Action::Silence(_)) { "silence alerts in" } else { "end a silence in" };
        let disposition = error.disposition();
        let failure = error.into_failure(what, self.shown_url());
        match disposition {
            Disposition::RetryAfter(wait) => Outcome::Held { failure, wait: Some(wait.unwrap_or_default()) },
            Disposition::NeedsLogin | Disposition::GiveUp => Outcome::Refused(failure),
            Disposition::Ambiguous => {
                let check = Clean::new(format!("look at the silences of {}", self.shown_url()));
                Outcome::Ambiguous { failure, check }
            }
        }
    }
}

fn says(silence: &Silence, word: &str) -> Clean {
    Clean::new(format!("{word} until {} ({})", silence.ends_at.format("%Y-%m-%d %H:%M UTC"), silence.id))
}

fn refused(client: &Client, what: &str, cause: &str, remedy: &str) -> Outcome {
    Outcome::Refused(Failure {
        kind: FailureKind::Refused,
        what: Clean::new(what),
        target: Clean::new(client.shown_url()),
        cause: Clean::new(cause),
        remedy: Clean::new(remedy),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::Target;
    use crate::domain::id::{OpIds, SourceId};
    use crate::domain::silence::Matcher;
    use crate::domain::source::ChronoSeconds;
    use crate::sources::alertmanager::Settings;
    use crate::sources::testing::{Asked, Say, Server, now, ok, with_head};
    use crate::text::Untrusted;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct World {
        silences: Vec<Value>,
        loses_answers: bool,
    }

    impl World {
        fn answer(&mut self, asked: &Asked) -> Say {
            if asked.line.starts_with("GET ") {
                return ok(json!(self.silences));
            }
            if asked.line.starts_with("POST ") {
                let mut made = asked.json();
                made["id"] = json!(format!("0000000{}-0000-4000-8000-000000000000", self.silences.len()));
                made["status"] = json!({"state": "active"});
                self.silences.push(made);
            } else if let Some(silence) = self.silences.last_mut() {
                silence["status"] = json!({"state": "expired"});
            }
            if self.loses_answers {
                return with_head("HTTP/1.1 502 X", "<p>bad gateway");
            }
            ok(json!({"silenceID": self.silences.last().map(|one| one["id"].clone())}))
        }
    }

    fn intent(action: Action) -> Intent {
        let op = OpIds::new(1).next(now());
        Intent { op, batch: op, target: Target::New, action, by: Clean::new("ana"), at: now() }
    }

    fn wanted() -> Action {
        let matcher =
            Matcher { name: Untrusted::from("job"), value: Untrusted::from("api"), is_regex: false, is_equal: true };
        let cluster = SourceId::parse("am").unwrap();
        Action::Silence(Silencing {
            cluster,
            matchers: vec![matcher],
            span: ChronoSeconds(3_600),
            comment: Untrusted::from("deploy"),
        })
    }

    async fn started(world: World) -> (Server, Client) {
        let world = Arc::new(Mutex::new(world));
        let server = Server::answering(move |asked| world.lock().unwrap().answer(asked)).await;
        let cluster = SourceId::parse("am").unwrap();
        let client = Client::new(Settings { id: cluster.clone(), cluster, http: server.settings() }).unwrap();
        (server, client)
    }

    fn changes(server: &Server) -> usize {
        server.asked().iter().filter(|asked| !asked.line.starts_with("GET ")).count()
    }

    #[tokio::test]
    async fn a_silence_is_made_once_whatever_becomes_of_the_answer() {
        for loses_answers in [false, true] {
            let (server, client) = started(World { loses_answers, ..World::default() }).await;
            let intent = intent(wanted());
            let first = client.perform(&intent, Attempt::First, None).await;
            assert!(matches!(first, Outcome::Done { .. }), "{first:?}");
            let again = client.perform(&intent, Attempt::Again, None).await;
            assert!(matches!(again, Outcome::AlreadyDone { .. }), "{again:?}");
            assert_eq!(changes(&server), 1);
            let sent = server.asked().into_iter().find(|asked| asked.line.starts_with("POST ")).unwrap().json();
            assert_eq!(sent["comment"], format!("deploy {}", marker(intent.op)));
        }
    }

    #[tokio::test]
    async fn a_silence_is_ended_once_and_nothing_leaves_after_the_lease() {
        let (server, client) = started(World { loses_answers: true, ..World::default() }).await;
        client.perform(&intent(wanted()), Attempt::First, None).await;
        let end = intent(Action::Unsilence {
            cluster: SourceId::parse("am").unwrap(),
            id: SilenceId::parse("00000000-0000-4000-8000-000000000000").unwrap(),
        });
        let late = client.perform(&end, Attempt::First, Some(Instant::now())).await;
        assert!(matches!(late, Outcome::Held { .. }), "{late:?}");
        let first = client.perform(&end, Attempt::First, None).await;
        assert!(matches!(first, Outcome::Done { .. }), "{first:?}");
        let again = client.perform(&end, Attempt::Again, None).await;
        assert!(matches!(again, Outcome::AlreadyDone { .. }), "{again:?}");
        assert_eq!(changes(&server), 2);
    }
}

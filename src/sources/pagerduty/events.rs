//! Events API v2, for rooms that only hold a routing key. 202 says accepted, not done: REST shows what became of it.

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::map::severity_word;
use crate::domain::id::DedupKey;
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;
use crate::sources::SourceError;
use crate::sources::error::Fault;
use crate::sources::http::{self, Call, Credential, Http};
use crate::sources::listing::Soft;
use crate::text::Clean;

/// Longest summary PagerDuty takes, in characters.
const SUMMARY_CHARS: usize = 1_024;

/// A client for one integration.
#[derive(Clone, Debug)]
pub struct Events {
    http: Http,
    routing_key: SecretString,
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Event {
    /// Opens an alert, or adds to the open one of that key.
    Trigger {
        /// Names the alert.
        key: DedupKey,
        /// One line, cut at 1,024 characters.
        summary: String,
        /// What is broken.
        source: String,
        /// How bad.
        severity: Severity,
        /// More text.
        details: Option<String>,
    },
    /// Acknowledges the open alert of that key; without one it does nothing.
    Acknowledge(DedupKey),
    /// Resolves the open alert of that key; without one it does nothing.
    Resolve(DedupKey),
    /// Tells of a change, such as a deploy.
    Change {
        /// One line.
        summary: String,
        /// Who or what changed it.
        source: String,
        /// When.
        at: Timestamp,
    },
}

impl Events {
    /// Makes a client; opens no connection. The routing key goes in bodies, never in headers or messages.
    ///
    /// # Errors
    /// An address that cannot be used. A routing key is a secret: plain http to another machine is refused.
    pub fn new(mut settings: http::Settings, routing_key: SecretString) -> Result<Self, SourceError> {
        // The key goes in the body, but must obey a token's rules and be cut out of messages: it is made known as one.
        settings.auth = http::Auth::default();
        settings.auth.credential = Credential::InBody(routing_key.clone());
        Ok(Self { http: Http::new(settings)?, routing_key })
    }

    /// The address, for messages.
    #[must_use]
    pub fn shown_url(&self) -> &str {
        self.http.shown_url()
    }

    /// Sends an event; the key PagerDuty took it under. Repeating a trigger while its alert is open, an acknowledgement
    /// or a resolve is harmless; a trigger after the alert was resolved opens another one and pages again.
    ///
    /// # Errors
    /// Everything but 202.
    pub async fn send(&self, event: &Event) -> Result<Option<DedupKey>, SourceError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Taken {
            status: Soft<String>,
            dedup_key: Soft<String>,
        }
        let path: &[&str] = match event {
            Event::Change { .. } => &["v2", "change", "enqueue"],
            _ => &["v2", "enqueue"],
        };
        let call = Call::change(Method::POST, path.iter().copied()).json(&self.body(event));
        let taken: Taken = self.http.json(&call).await?;
        match taken.status.as_deref() {
            Some("success") => Ok(taken.dedup_key.as_deref().and_then(DedupKey::parse)),
            other => {
                let said = format!("its status is {}", other.unwrap_or("missing"));
                Err(SourceError::from(Fault::NotDone(Clean::new(said))))
            }
        }
    }

    fn body(&self, event: &Event) -> Value {
        let routing_key = self.routing_key.expose_secret();
        let on = |action: &str, key: &DedupKey| json!({"routing_key": routing_key, "event_action": action, "dedup_key": key.as_str()});
        match event {
            Event::Trigger { key, summary, source, severity, details } => {
                let mut payload =
                    json!({"summary": cut(summary), "source": source, "severity": severity_word(*severity)});
                if let (Some(details), Some(payload)) = (details, payload.as_object_mut()) {
                    payload.insert("custom_details".to_owned(), json!({"details": details}));
                }
                json!({
                    "routing_key": routing_key,
                    "event_action": "trigger",
                    "dedup_key": key.as_str(),
                    "payload": payload,
                    "client": "warroom",
                })
            }
            Event::Acknowledge(key) => on("acknowledge", key),
            Event::Resolve(key) => on("resolve", key),
            Event::Change { summary, source, at } => json!({
                "routing_key": routing_key,
                "payload": {"summary": cut(summary), "source": source, "timestamp": at.to_rfc3339()},
            }),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SUMMARY_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::error::Disposition;
    use crate::sources::testing::{Server, edge, now, ok, status};

    fn key() -> DedupKey {
        DedupKey::parse("k1").unwrap()
    }

    fn taken() -> Value {
        json!({"status": "success", "message": "Event processed", "dedup_key": "k1"})
    }

    #[tokio::test]
    async fn each_event_has_its_documented_shape() {
        let server = Server::answering(|_| status(202, taken())).await;
        let events = Events::new(server.settings(), "R0UTE".into()).unwrap();
        let trigger = Event::Trigger {
            key: key(),
            summary: "x".repeat(2_000),
            source: "room".into(),
            severity: Severity::High,
            details: Some("since noon".into()),
        };
        let change = Event::Change { summary: "v2".into(), source: "ci".into(), at: now() };
        for event in [&trigger, &Event::Acknowledge(key()), &Event::Resolve(key()), &change] {
            assert_eq!(events.send(event).await.unwrap(), Some(key()));
        }
        let asked = server.asked();
        let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
        assert_eq!(lines, ["POST /v2/enqueue", "POST /v2/enqueue", "POST /v2/enqueue", "POST /v2/change/enqueue"]);
        let first = asked[0].json();
        assert_eq!((&first["event_action"], &first["payload"]["severity"]), (&json!("trigger"), &json!("error")));
        assert_eq!(first["payload"]["custom_details"], json!({"details": "since noon"}));
        assert_eq!(first["payload"]["summary"].as_str().map(str::len), Some(1_024));
        assert_eq!(asked[1].json(), json!({"routing_key": "R0UTE", "event_action": "acknowledge", "dedup_key": "k1"}));
        assert_eq!(asked[3].json()["payload"]["timestamp"], "2026-11-24T12:00:00+00:00");
        assert!(asked.iter().all(|asked| !asked.head.to_ascii_lowercase().contains("authorization")));
    }

    #[tokio::test]
    async fn refusals_never_show_the_routing_key() {
        let refusal =
            json!({"status": "invalid event", "message": "Event object is invalid", "errors": ["R0UTE is no key"]});
        let server =
            Server::scripted(vec![status(400, refusal), ok(json!({"status": "ignored"})), status(500, "x")]).await;
        let events = Events::new(server.settings(), "R0UTE".into()).unwrap();
        let error = events.send(&Event::Resolve(key())).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::GiveUp);
        assert!(error.to_string().ends_with("Event object is invalid: *** is no key"), "{error}");
        let error = events.send(&Event::Resolve(key())).await.unwrap_err();
        assert_eq!(error.to_string(), "answered success, but its status is ignored");
        assert_eq!(events.send(&Event::Resolve(key())).await.unwrap_err().disposition(), Disposition::Ambiguous);
        assert!(!format!("{events:?}").contains("R0UTE"));
        let plain = http::Settings::new("http://events.example/".parse().unwrap(), edge());
        assert_eq!(Events::new(plain, "R0UTE".into()).unwrap_err().fault(), &Fault::PlainToken);
    }
}

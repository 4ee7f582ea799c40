//! The log of requests that had an effect: what a test compares with what a console says that it did.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::http::{Ask, Reply};
use crate::domain::time::Timestamp;

/// Requests kept.
const KEPT: usize = 10_000;
/// Bytes of a body kept.
const BODY_BYTES: usize = 4_096;

/// What was asked for and answered. Keys are never kept.
#[derive(Clone, Debug, Default)]
pub struct EffectLog {
    next: u64,
    effects: VecDeque<Value>,
    counts: BTreeMap<String, u64>,
}

impl EffectLog {
    /// Keeps a request and the status it was answered with.
    pub fn keep(&mut self, at: Timestamp, provider: &str, ask: &Ask, status: u16) {
        self.next += 1;
        let start = ask.body.get(..BODY_BYTES).unwrap_or(&ask.body);
        let body = serde_json::from_slice(&ask.body).unwrap_or_else(|_| json!(String::from_utf8_lossy(start)));
        let body = if ask.body.len() > BODY_BYTES { json!(String::from_utf8_lossy(start)) } else { without_keys(body) };
        self.effects.push_back(json!({
            "number": self.next,
            "at": at,
            "provider": provider,
            "method": ask.method,
            "path": ask.path,
            "from": ask.header("from"),
            "body": body,
            "status": status,
        }));
        if self.effects.len() > KEPT {
            self.effects.pop_front();
        }
    }

    /// Counts a request of any kind.
    pub fn count(&mut self, provider: &str) {
        if self.counts.len() < 16 || self.counts.contains_key(provider) {
            *self.counts.entry(provider.to_owned()).or_default() += 1;
        }
    }

    /// The log as an answer.
    pub fn reply(&self) -> Reply {
        Reply::json(200, &json!({"requests": self.counts, "effects": self.effects}))
    }

    /// Forgets what was kept; numbers go on.
    pub fn clear(&mut self) {
        self.effects.clear();
        self.counts.clear();
    }
}

fn without_keys(mut body: Value) -> Value {
    if let Some(key) = body.get_mut("routing_key") {
        *key = json!("…");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_and_no_keys() {
        let mut log = EffectLog::default();
        let at = Timestamp::from_timestamp(0, 0).unwrap();
        let ask = Ask::new("POST", "/v2/enqueue").with_json(&json!({"routing_key": "secret", "dedup_key": "k"}));
        log.keep(at, "events", &ask.with_header("authorization", "Token token=secret"), 202);
        log.keep(at, "pagerduty", &Ask::new("PUT", "/incidents"), 500);
        let shown = log.reply().value();
        assert_eq!(shown["effects"][0]["body"]["dedup_key"], "k");
        assert_eq!((&shown["effects"][1]["number"], &shown["effects"][1]["status"]), (&json!(2), &json!(500)));
        assert!(!shown.to_string().contains("secret"));
    }
}

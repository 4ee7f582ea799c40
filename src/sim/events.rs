//! PagerDuty's Events API v2: takes events in, answers 202 at once, and lets them become visible a moment later.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::http::{Ask, Reply};
use super::pager::Pager;
use super::pager::model::{Change, Event, EventAction};
use crate::domain::time::Timestamp;

/// Largest body.
const MAX_BYTES: usize = 512 * 1024;
/// Events that a routing key may send in [`WINDOW_MS`].
const PER_KEY: usize = 120;
/// Length of the look-back.
const WINDOW_MS: i64 = 60_000;

/// Events of each routing key in the last minute of real time.
#[derive(Debug, Default)]
pub struct EventLimiter {
    sent: BTreeMap<String, VecDeque<i64>>,
}

impl EventLimiter {
    /// Counts an event at `now_ms`; false when there were too many.
    fn take(&mut self, key: &str, now_ms: i64) -> bool {
        let sent = self.sent.entry(key.to_owned()).or_default();
        while sent.front().is_some_and(|at| now_ms - at >= WINDOW_MS) {
            sent.pop_front();
        }
        let is_free = sent.len() < PER_KEY;
        if is_free {
            sent.push_back(now_ms);
        }
        is_free
    }
}

/// Answers a request below `/events`.
pub fn answer(pager: &mut Pager, limiter: &mut EventLimiter, now_ms: i64, ask: &Ask) -> Reply {
    let parts = ask.segments();
    let path: Vec<&str> = parts.iter().map(String::as_str).collect();
    let is_change = match path.as_slice() {
        ["v2", "enqueue"] => false,
        ["v2", "change", "enqueue"] => true,
        _ => return Reply::json(404, &json!({"status": "not found", "message": "Not Found"})),
    };
    if ask.method != "POST" {
        return Reply::json(405, &json!({"status": "method not allowed", "message": "Method Not Allowed"}));
    }
    if ask.body.len() > MAX_BYTES {
        return Reply::json(
            413,
            &json!({"status": "invalid event", "message": "Event object exceeds the maximum size of 512KB"}),
        );
    }
    let body: Value = match serde_json::from_slice(&ask.body) {
        Ok(body @ Value::Object(_)) => body,
        _ => return refuse(&["JSON is invalid or is not an object".to_owned()]),
    };
    let mut wrong = Vec::new();
    let service = routing_key(pager, &body, &mut wrong);
    if is_change { change(pager, &body, service, wrong) } else { event(pager, limiter, now_ms, &body, service, wrong) }
}

fn refuse(errors: &[String]) -> Reply {
    Reply::json(400, &json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors}))
}

/// The service of the routing key, `None` for a well-formed key of nobody.
fn routing_key(pager: &Pager, body: &Value, wrong: &mut Vec<String>) -> Option<usize> {
    let key = body["routing_key"].as_str().unwrap_or_default();
    if key.is_empty() {
        wrong.push("'routing_key' is missing or blank".to_owned());
    } else if key.len() != 32 || !key.chars().all(|c| c.is_ascii_alphanumeric()) {
        wrong.push("Length of 'routing_key' is incorrect (should be 32 characters)".to_owned());
    }
    pager.company.services.iter().position(|service| service.routing_key == key)
}

fn text(value: &Value, name: &str, most: usize, wrong: &mut Vec<String>) -> String {
    let text = value[name].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        wrong.push(format!("'payload.{name}' is missing or blank"));
    } else if text.chars().count() > most && name != "summary" {
        wrong.push(format!("'payload.{name}' is too long (maximum is {most} characters)"));
    }
    // A summary that is too long is cut, not refused.
    text.chars().take(most).collect()
}

fn event(
    pager: &mut Pager,
    limiter: &mut EventLimiter,
    now_ms: i64,
    body: &Value,
    service: Option<usize>,
    mut wrong: Vec<String>,
) -> Reply {
    let action = match body["event_action"].as_str() {
        Some("trigger") => Some(EventAction::Trigger),
        Some("acknowledge") => Some(EventAction::Acknowledge),
        Some("resolve") => Some(EventAction::Resolve),
        Some(_) => {
            wrong.push(
                "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
                    .to_owned(),
            );
            None
        }
        None => {
            wrong.push("'event_action' is missing or blank".to_owned());
            None
        }
    };
    let given = body["dedup_key"].as_str().filter(|key| !key.is_empty());
    if given.is_some_and(|key| key.chars().count() > 255) {
        wrong.push("'dedup_key' is too long (maximum is 255 characters)".to_owned());
    }
    let payload = &body["payload"];
    let (mut summary, mut source) = (String::new(), String::new());
    let severity = payload["severity"].as_str().unwrap_or_default();
    if action == Some(EventAction::Trigger) {
        summary = text(payload, "summary", 1024, &mut wrong);
        source = text(payload, "source", 1024, &mut wrong);
        if !["critical", "error", "warning", "info"].contains(&severity) {
            let words = "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')";
            wrong.push(words.to_owned());
        }
    } else if action.is_some() && given.is_none() {
        wrong.push("'dedup_key' is missing or blank".to_owned());
    }
    let (Some(action), true) = (action, wrong.is_empty()) else { return refuse(&wrong) };
    if !limiter.take(body["routing_key"].as_str().unwrap_or_default(), now_ms) {
        return Reply::json(
            429,
            &json!({"status": "throttle exceeded", "message": "Requests for this service are arriving too quickly. Please retry later."}),
        );
    }
    let key = given.map_or_else(|| pager.fresh_dedup_key(), str::to_owned);
    if let Some(service) = service {
        pager.enqueue(Event {
            service,
            action,
            key: key.clone(),
            summary,
            source,
            severity: severity.to_owned(),
            details: payload["custom_details"].clone(),
            payload: payload.clone(),
            client: body["client"].as_str().map(str::to_owned),
            client_url: body["client_url"].as_str().map(str::to_owned),
            contexts: contexts(body),
        });
    }
    Reply::json(202, &json!({"status": "success", "message": "Event processed", "dedup_key": key}))
}

fn contexts(body: &Value) -> Vec<Value> {
    let list = |name: &str| body[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let link = |link: &Value| json!({"type": "link", "href": link["href"], "text": link["text"]});
    let image =
        |image: &Value| json!({"type": "image", "src": image["src"], "href": image["href"], "text": image["alt"]});
    list("links").iter().map(link).chain(list("images").iter().map(image)).collect()
}

fn change(pager: &mut Pager, body: &Value, service: Option<usize>, mut wrong: Vec<String>) -> Reply {
    let payload = &body["payload"];
    let summary = text(payload, "summary", 1024, &mut wrong);
    if !wrong.is_empty() {
        return refuse(&wrong);
    }
    if let Some(service) = service {
        let parse = |text: &str| {
            let basic = || chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z");
            chrono::DateTime::parse_from_rfc3339(text).or_else(|_| basic()).ok().map(|at| at.to_utc())
        };
        let at: Timestamp = payload["timestamp"].as_str().and_then(parse).unwrap_or_else(|| pager.now());
        let source = payload["source"].as_str().unwrap_or_default().to_owned();
        let (details, links) = (payload["custom_details"].clone(), body["links"].clone());
        pager.enqueue_change(Change { id: String::new(), at, summary, source, service, details, links });
    }
    Reply::json(202, &json!({"status": "success", "message": "Change event processed"}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::company::Company;
    use chrono::TimeDelta;

    fn pager() -> Pager {
        let start = "2026-11-20T21:00:00Z".parse().unwrap();
        Pager::new(Company::new(start), 7, start)
    }

    fn post(pager: &mut Pager, target: &str, body: &Value) -> (u16, Value) {
        let reply = answer(pager, &mut EventLimiter::default(), 0, &Ask::new("POST", target).with_json(body));
        (reply.status, reply.value())
    }

    fn trigger(pager: &Pager) -> Value {
        let payload = json!({"summary": "it burns", "source": "db-1", "severity": "critical"});
        json!({"routing_key": pager.company.services[0].routing_key, "event_action": "trigger", "dedup_key": "k", "payload": payload})
    }

    #[test]
    fn accepts_and_delivers_later() {
        let mut pager = pager();
        let event = trigger(&pager);
        let expected = json!({"status": "success", "message": "Event processed", "dedup_key": "k"});
        assert_eq!(post(&mut pager, "/v2/enqueue", &event), (202, expected));
        assert_eq!(pager.incidents().len(), 0);
        let later = pager.now() + TimeDelta::seconds(1);
        pager.set_now(later);
        pager.run();
        assert_eq!(pager.incidents()[0].title, "it burns");
    }

    #[test]
    fn refuses_with_every_reason() {
        let mut pager = pager();
        let mut event = trigger(&pager);
        event["payload"]["severity"] = json!("");
        let (status, body) = post(&mut pager, "/v2/enqueue", &event);
        assert_eq!(status, 400);
        let words =
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')";
        assert_eq!(body, json!({"status": "invalid event", "message": "Event object is invalid", "errors": [words]}));
        let (_, body) = post(&mut pager, "/v2/enqueue", &json!({"routing_key": "short", "event_action": "resolve"}));
        assert_eq!(body["errors"].as_array().unwrap().len(), 2);
        assert_eq!(post(&mut pager, "/v2/enqueue", &json!([1])).0, 400);
    }

    #[test]
    fn a_key_of_nobody_and_an_unknown_alert_are_dropped_in_silence() {
        let mut pager = pager();
        let mut event = trigger(&pager);
        event["routing_key"] = json!("0123456789abcdef0123456789abcdef");
        assert_eq!(post(&mut pager, "/v2/enqueue", &event).0, 202);
        let resolve =
            json!({"routing_key": pager.company.services[0].routing_key, "event_action": "resolve", "dedup_key": "x"});
        assert_eq!(post(&mut pager, "/v2/enqueue", &resolve).0, 202);
        let later = pager.now() + TimeDelta::seconds(1);
        pager.set_now(later);
        pager.run();
        assert_eq!(pager.incidents().len(), 0);
    }

    #[test]
    fn too_many_events_of_one_key_in_a_minute() {
        let mut pager = pager();
        let mut limiter = EventLimiter::default();
        let ask = Ask::new("POST", "/v2/enqueue").with_json(&trigger(&pager));
        for _ in 0..120 {
            assert_eq!(answer(&mut pager, &mut limiter, 1_000, &ask).status, 202);
        }
        assert_eq!(answer(&mut pager, &mut limiter, 60_999, &ask).status, 429);
        assert_eq!(answer(&mut pager, &mut limiter, 61_000, &ask).status, 202);
    }

    #[test]
    fn change_events_keep_their_own_time() {
        let mut pager = pager();
        let body = json!({"routing_key": pager.company.services[0].routing_key,
            "payload": {"summary": "Deploy", "timestamp": "2026-11-20T20:58:58.315+0000"}});
        assert_eq!(post(&mut pager, "/v2/change/enqueue", &body).0, 202);
        let later = pager.now() + TimeDelta::seconds(1);
        pager.set_now(later);
        pager.run();
        assert_eq!(pager.changes()[0].at.to_rfc3339(), "2026-11-20T20:58:58.315+00:00");
    }
}

//! Silences.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{filters, is_current, plain, unparsed, wants};
use crate::domain::time::Timestamp;
use crate::sim::alerting::Shape;
use crate::sim::alerting::matcher::{Matcher, Op};
use crate::sim::alerting::millis;
use crate::sim::alerting::silence::{Silence, SilenceDraft};
use crate::sim::http::{Ask, Reply};
use crate::sim::world::World;

fn paint(world: &World, silence: &Silence) -> Value {
    let matcher = |matcher: &Matcher| {
        let (is_regex, is_equal) = matcher.flags();
        json!({"isEqual": is_equal, "isRegex": is_regex, "name": matcher.name, "value": matcher.value})
    };
    let mut out = json!({
        "id": silence.id,
        "status": {"state": silence.state(world.now())},
        "updatedAt": millis(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": millis(silence.ends_at),
        "matchers": silence.matchers.iter().map(matcher).collect::<Vec<_>>(),
        "startsAt": millis(silence.starts_at),
    });
    if let (true, Some(fields)) = (is_current(world), out.as_object_mut()) {
        fields.insert("annotations".to_owned(), json!({}));
    }
    out
}

/// `GET /api/v2/silences`: active ones first (soonest end first), then pending, then expired. A filter names a matcher
/// that the silence itself has; it does not ask which silences would match.
pub(super) fn list(world: &World, ask: &Ask) -> Reply {
    let filters = match filters(ask) {
        Ok(filters) => filters,
        Err(refused) => return refused,
    };
    let now = world.now();
    let has = |silence: &Silence, filter: &Matcher| {
        let same = |own: &Matcher| own.name == filter.name && own.op == filter.op && own.value == filter.value;
        silence.matchers.iter().any(same)
    };
    let mut shown: Vec<&Silence> = world.alerting().silences().all().iter().collect();
    // The state filters are newer than 0.25, which ignores what it does not know.
    shown.retain(|silence| {
        (!is_current(world) || wants(ask, silence.state(now))) && filters.iter().all(|filter| has(silence, filter))
    });
    shown.sort_by_key(|silence| match silence.state(now) {
        "active" => (0, silence.ends_at),
        "pending" => (1, silence.starts_at),
        _ => (2, Timestamp::default() - (silence.ends_at - Timestamp::default())),
    });
    Reply::json(200, &shown.into_iter().map(|silence| paint(world, silence)).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    id: Option<String>,
    matchers: Option<Vec<PostedMatcher>>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    created_by: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedMatcher {
    name: Option<String>,
    value: Option<String>,
    is_regex: Option<bool>,
    is_equal: Option<bool>,
}

/// `POST /api/v2/silences`.
pub(super) fn post(world: &mut World, ask: &Ask) -> Reply {
    let posted: Posted = match serde_json::from_slice(&ask.body) {
        Ok(posted) => posted,
        Err(error) => return unparsed("silence", &error),
    };
    let missing =
        |name: &str| Reply::json(422, &json!({"code": 602, "message": format!("{name} in body is required")}));
    let Some(comment) = posted.comment else { return missing("comment") };
    let Some(created_by) = posted.created_by else { return missing("createdBy") };
    let Some(ends_at) = posted.ends_at else { return missing("endsAt") };
    let Some(given) = posted.matchers else { return missing("matchers") };
    let Some(starts_at) = posted.starts_at else { return missing("startsAt") };
    if given.is_empty() {
        return Reply::json(422, &json!({"code": 612, "message": "matchers in body should have at least 1 items"}));
    }
    let mut matchers = Vec::with_capacity(given.len());
    for (at, one) in given.into_iter().enumerate() {
        let Some(name) = one.name else { return missing(&format!("matchers.{at}.name")) };
        let Some(value) = one.value else { return missing(&format!("matchers.{at}.value")) };
        let Some(is_regex) = one.is_regex else { return missing(&format!("matchers.{at}.isRegex")) };
        let op = match (is_regex, one.is_equal.unwrap_or(true)) {
            (false, true) => Op::Equal,
            (false, false) => Op::NotEqual,
            (true, true) => Op::Regex,
            (true, false) => Op::NotRegex,
        };
        match Matcher::new(&name, op, &value) {
            Ok(matcher) => matchers.push(matcher),
            Err(text) => return plain(400, &format!("silence invalid: invalid label matcher {at}: {text}")),
        }
    }
    let now = world.now();
    let (silences, new_id) = world.alerting_mut().silences_mut();
    silences.forget_old(now);
    let draft = SilenceDraft { id: posted.id, matchers, starts_at, ends_at, created_by, comment };
    match silences.set(draft, now, new_id) {
        Ok(id) => Reply::json(200, &json!({"silenceID": id})),
        Err((status, text)) => plain(status, &text),
    }
}

/// `GET` and `DELETE /api/v2/silence/{id}`.
pub(super) fn one(world: &mut World, ask: &Ask, id: &str) -> Reply {
    if uuid::Uuid::try_parse(id).is_err() {
        let text = format!("silenceID in path must be of type uuid: {id:?}");
        return Reply::json(422, &json!({"code": 601, "message": text}));
    }
    if ask.method == "GET" {
        let found = world.alerting().silences().get(id);
        return found.map_or_else(|| Reply::empty(404), |silence| Reply::json(200, &paint(world, silence)));
    }
    let (now, shape) = (world.now(), world.alerting().shape);
    match world.alerting_mut().silences_mut().0.expire(id, now) {
        Ok(()) => Reply::empty(200),
        // 0.25 calls it its own failure.
        Err((_, text)) if shape == Shape::Old => plain(500, &text),
        Err((status, _)) => Reply::empty(status),
    }
}

//! PagerDuty's REST API v2 over the simulated account: authorisation, `From`, errors with their codes, and the routes.
//!
//! [`answer`] is a function from a request to a reply; [`super::server`] puts it behind a socket. Follows the API's
//! documents, so that clients of others work unmodified.

mod changes;
mod directory;
#[expect(clippy::indexing_slicing, reason = "reading a field of a `Value` by name answers null where there is none")]
mod edits;
mod incidents;
mod limit;
mod logs;
mod page;
#[expect(clippy::indexing_slicing, reason = "reading a field of a `Value` by name answers null where there is none")]
mod paint;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::company::{ACCOUNT_TOKEN, READ_ONLY_TOKEN, USER_TOKEN};
use super::http::{Ask, Reply};
use super::pager::{Pager, Refused};
pub use limit::Limiter;
use paint::Paint;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// With a person's key.
    Person(usize),
    /// With a key of the account.
    Account,
    /// With a key that may only read.
    Reader,
}

/// An error answer: boxed, so that results stay small.
type Answer = Result<Reply, Box<Reply>>;

/// What a handler works with.
struct Desk<'a> {
    pager: &'a mut Pager,
    ask: &'a Ask,
    caller: Caller,
}

/// Answers a request.
pub fn answer(pager: &mut Pager, ask: &Ask) -> Reply {
    let parts = ask.segments();
    let path: Vec<&str> = parts.iter().map(String::as_str).collect();
    if path.first() == Some(&"web") {
        return web_page(&path);
    }
    match authorise(ask) {
        Ok(caller) => route(&mut Desk { pager, ask, caller }, &path).unwrap_or_else(|refused| *refused),
        Err(refused) => *refused,
    }
}

/// The key of a request, for counting its calls.
pub fn token(ask: &Ask) -> Option<&str> {
    let header = ask.header("authorization")?;
    let bare = header.strip_prefix("Token token=").or_else(|| header.strip_prefix("Bearer "))?;
    Some(bare.trim().trim_matches('"'))
}

fn authorise(ask: &Ask) -> Result<Caller, Box<Reply>> {
    if ask.header("authorization").is_none() {
        // The framework in front of the API answers this one, not the API.
        let body = "HTTP Token: Access denied.\n";
        let reply = Reply::text(401, body).with_header("www-authenticate", "Token realm=\"Application\"");
        return Err(Box::new(reply));
    }
    match token(ask) {
        Some(USER_TOKEN) => Ok(Caller::Person(0)),
        Some(ACCOUNT_TOKEN) => Ok(Caller::Account),
        Some(READ_ONLY_TOKEN) if ask.method == "GET" => Ok(Caller::Reader),
        Some(READ_ONLY_TOKEN) => Err(error(403, "Access Denied", 2010, &["Your key may only read"])),
        _ => Err(error(401, "Authentication failed", 2006, &[])),
    }
}

fn route(desk: &mut Desk<'_>, path: &[&str]) -> Answer {
    let method = desk.ask.method.as_str();
    if needs_sender(method, path) {
        desk.sender()?;
    }
    match (method, path) {
        ("GET", ["incidents"]) => incidents::list(desk),
        ("GET", ["incidents", id]) => incidents::show(desk, id),
        ("GET", ["incidents", id, "alerts"]) => incidents::alerts(desk, id),
        ("GET", ["incidents", id, "alerts", alert]) => incidents::alert(desk, id, alert),
        ("GET", ["incidents", id, "notes"]) => incidents::notes(desk, id),
        ("GET", ["incidents", id, "past_incidents"]) => incidents::past(desk, id),
        ("GET", ["incidents", id, "related_incidents"]) => incidents::related(desk, id),
        ("GET", ["incidents", id, "outlier_incident"]) => incidents::outlier(desk, id),
        ("GET", ["incidents", id, "log_entries"]) => logs::of_incident(desk, id),
        ("GET", ["incidents", id, "related_change_events"]) => changes::related(desk, id),
        ("PUT", ["incidents"]) => edits::update_many(desk),
        ("POST", ["incidents"]) => edits::declare(desk),
        ("PUT", ["incidents", id]) => edits::update_one(desk, id),
        ("PUT", ["incidents", id, "alerts"]) => edits::update_alerts(desk, id),
        ("PUT", ["incidents", id, "merge"]) => edits::merge(desk, id),
        ("POST", ["incidents", id, "snooze"]) => edits::snooze(desk, id),
        ("POST", ["incidents", id, "notes"]) => edits::note(desk, id),
        ("PUT" | "DELETE", ["incidents", id, "notes", note]) => edits::edit_note(desk, id, note),
        ("POST", ["incidents", id, "status_updates"]) => edits::status_update(desk, id),
        ("GET", ["log_entries"]) => logs::all(desk),
        ("GET", ["log_entries", id]) => logs::show(desk, id),
        ("GET", ["change_events"]) => changes::list(desk, None),
        ("GET", ["change_events", id]) => changes::show(desk, id),
        ("GET", ["services", id, "change_events"]) => changes::list(desk, Some(id)),
        ("GET", _) => directory::answer(desk, path),
        _ => Err(not_found("Not Found")),
    }
}

/// Whether the documents ask for a `From` header.
fn needs_sender(method: &str, path: &[&str]) -> bool {
    match (method, path) {
        ("PUT", ["incidents", ..]) => true,
        ("POST", ["incidents", _, last]) => matches!(*last, "snooze" | "notes" | "status_updates"),
        ("POST", ["incidents"]) => true,
        _ => false,
    }
}

impl Desk<'_> {
    /// Renders answers with this request's includes and zone.
    fn paint(&self) -> Result<Paint<'_>, Box<Reply>> {
        Paint::new(self.pager, self.ask)
    }

    /// The person in the `From` header.
    fn sender(&self) -> Result<usize, Box<Reply>> {
        let Some(from) = self.ask.header("from").filter(|from| !from.trim().is_empty()) else {
            let text = "You must specify a user's email address in the \"From\" header to perform this action";
            return Err(error(400, "Invalid Input Provided", 2001, &[text]));
        };
        let person = self.pager.company.people.iter().position(|person| person.email.eq_ignore_ascii_case(from.trim()));
        person.ok_or_else(|| error(400, "Requester User Not Found", 1008, &["Requester User Not Found"]))
    }

    /// Index of an incident.
    fn incident(&self, id: &str) -> Result<usize, Box<Reply>> {
        self.pager.find(id).ok_or_else(|| not_found("Incident Not Found"))
    }

    /// The JSON body.
    fn body(&self) -> Result<Value, Box<Reply>> {
        let is_json = self
            .ask
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json") || kind.contains("+json"));
        let body: Option<Value> = if is_json { serde_json::from_slice(&self.ask.body).ok() } else { None };
        body.filter(Value::is_object)
            .ok_or_else(|| error(400, "Invalid Input Provided", 2001, &["params must be a Hash"]))
    }

    /// Field `name` of the JSON body.
    fn field(&self, name: &str) -> Result<Value, Box<Reply>> {
        let mut body = self.body()?;
        match body.get_mut(name).map(Value::take) {
            Some(value) if !value.is_null() => Ok(value),
            _ => Err(error(400, "Missing Arguments", 2003, &[&format!("{name} is required")])),
        }
    }
}

/// An error answer.
fn error(status: u16, message: &str, code: u32, errors: &[&str]) -> Box<Reply> {
    let mut body = json!({"message": message, "code": code});
    if let (false, Some(fields)) = (errors.is_empty(), body.as_object_mut()) {
        fields.insert("errors".to_owned(), json!(errors));
    }
    Box::new(Reply::json(status, &json!({"error": body})))
}

fn not_found(what: &str) -> Box<Reply> {
    error(404, what, 2100, &[])
}

fn invalid(detail: &str) -> Box<Reply> {
    error(400, "Invalid Input Provided", 2001, &[detail])
}

fn refused(refused: &Refused) -> Box<Reply> {
    let details: Vec<&str> = refused.errors.iter().map(String::as_str).collect();
    error(if refused.code == 2100 { 404 } else { 400 }, refused.message, refused.code, &details)
}

/// What 429 looks like.
pub fn rate_limited() -> Reply {
    *error(429, "Rate Limit Exceeded", 2020, &[])
}

/// The page behind `html_url`: there is no web application, but a link that opens should say so.
fn web_page(path: &[&str]) -> Reply {
    let shown: String = path
        .get(1..)
        .unwrap_or_default()
        .join("/")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "/-_".contains(*c))
        .collect();
    let page = format!(
        "<!DOCTYPE html><html><head><title>{shown}</title></head><body style=\"font-family:sans-serif;margin:4em\"><h1>{shown}</h1><p>This \
         is warroom's simulated PagerDuty. It has an API and no pages.</p></body></html>\n"
    );
    let mut reply = Reply::text(200, &page);
    reply.content_type = Some("text/html; charset=utf-8");
    reply
}

//! The filter at work: looks at the board in slices, so that no key ever waits for fifty thousand rows.

use std::collections::HashSet;

use chrono::Duration;

use crate::domain::id::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::fuzzy::{Query, narrows};

/// Rows looked at in one step: about 2 ms of a release build.
pub const SLICE: usize = 2_048;

/// While the board changes under a standing filter it is looked at again this often and not more.
pub const AGAIN: Duration = Duration::milliseconds(300);

/// Labels looked at in a row; a group of a thousand alerts has the same ones a thousand times.
const MAX_LABELS: usize = 24;

/// Alerts of a row whose labels are looked at.
const MAX_ALERTS: usize = 4;

/// The filter at work.
#[derive(Debug, Default)]
pub struct Search {
    text: String,
    query: Option<Query>,
    pass: Option<Pass>,
    /// The board's version that the last whole pass began with, and when it ended.
    done: Option<(u64, Timestamp)>,
}

/// One walk over the rows.
#[derive(Debug)]
struct Pass {
    version: u64,
    next: usize,
    /// What to look at, when a longer query narrows what a shorter one found; else the board.
    within: Option<Vec<IncidentId>>,
    found: Vec<IncidentId>,
    seen: HashSet<IncidentId>,
    /// What was found so far is shown at once: the query is new, so the old list is wrong anyhow.
    shows_at_once: bool,
}

impl Search {
    /// The query that the list answers.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How far the walk is, while there is one: rows looked at.
    #[must_use]
    pub fn progress(&self) -> Option<usize> {
        self.pass.as_ref().map(|pass| pass.next)
    }

    /// Another query. `found` is what the old one found. Returns the list to show at once.
    pub fn ask(&mut self, text: &str, found: Option<Vec<IncidentId>>, room: &Room) -> Option<Vec<IncidentId>> {
        if text == self.text {
            return found;
        }
        let is_settled = self.pass.is_none() && self.done.is_some_and(|(version, _)| version == room.board().version());
        let within = found.filter(|_| is_settled && narrows(&self.text, text));
        text.clone_into(&mut self.text);
        self.done = None;
        if text.trim().is_empty() {
            self.query = None;
            self.pass = None;
            return None;
        }
        self.query = Some(Query::parse(text));
        self.pass = Some(Pass::new(room, within, true));
        Some(Vec::new())
    }

    /// Looks at the next slice, and begins again when the board changed since. True when `found` changed.
    pub fn step(&mut self, found: &mut Option<Vec<IncidentId>>, room: &Room, now: Timestamp) -> bool {
        let Some(query) = self.query.as_mut() else { return false };
        if self.pass.is_none() {
            let is_old = self.done.is_none_or(|(version, at)| version != room.board().version() && now - at >= AGAIN);
            if !is_old {
                return false;
            }
            self.pass = Some(Pass::new(room, None, false));
        }
        let Some(pass) = self.pass.as_mut() else { return false };
        let is_done = pass.walk(query, room);
        if is_done {
            self.done = Some((pass.version, now));
            let list = self.pass.take().map(|pass| pass.found);
            let is_other = *found != list;
            *found = list;
            return is_other;
        }
        if pass.shows_at_once {
            found.clone_from(&Some(pass.found.clone()));
            return true;
        }
        false
    }

    /// When there is more to do.
    #[must_use]
    pub fn next_wake(&self, room: &Room, now: Timestamp) -> Option<Timestamp> {
        self.query.as_ref()?;
        match (&self.pass, self.done) {
            (Some(_), _) | (None, None) => Some(now),
            (None, Some((version, at))) => (version != room.board().version()).then(|| at + AGAIN),
        }
    }

    /// Where the query matches in a row that is shown.
    pub fn matches(&mut self, incident: &Incident) -> Option<super::Matches> {
        let query = self.query.as_mut()?;
        Some(super::Matches {
            title: query.positions(incident.title.as_str()),
            service: incident.service.as_ref().map(|name| query.positions(name.as_str())).unwrap_or_default(),
        })
    }
}

impl Pass {
    fn new(room: &Room, within: Option<Vec<IncidentId>>, shows_at_once: bool) -> Self {
        let version = room.board().version();
        Self { version, next: 0, within, found: Vec::new(), seen: HashSet::new(), shows_at_once }
    }

    /// One slice; true when there is nothing left.
    fn walk(&mut self, query: &mut Query, room: &Room) -> bool {
        let until = self.next.saturating_add(SLICE);
        let all = self.within.as_ref().map_or_else(|| room.board().len(), Vec::len);
        let slice: Vec<IncidentId> = match &self.within {
            Some(within) => within.iter().skip(self.next).take(SLICE).cloned().collect(),
            None => room.board().slice(self.next..until).cloned().collect(),
        };
        for id in slice {
            let Some(incident) = room.incident(&id) else { continue };
            // Rows move while the walk goes on, so one may come by twice; one that is missed is found by the next walk.
            if fits(query, room, incident) && self.seen.insert(id.clone()) {
                self.found.push(id);
            }
        }
        self.next = until;
        until >= all
    }
}

/// Title, service, severity, status, who has it, labels. The labels, which cost the most, are looked at last.
fn fits(query: &mut Query, room: &Room, incident: &Incident) -> bool {
    let own = [incident.title.as_str(), incident.service.as_ref().map_or("", Clean::as_str)];
    let words = [incident.assessment.severity.word(), status_word(incident)];
    let record = incident.record.as_ref();
    let number = record.map_or_else(String::new, |record| format!("#{}", record.number));
    let holders = record.into_iter().flat_map(|record| record.assignees.iter().map(|user| user.name.as_str()));
    let fields = own.into_iter().chain(words).chain(holders).chain([number.as_str()]);
    if !query.excludes() && query.score(fields.clone()).is_some() {
        return true;
    }
    let alerts = room.alerts_of(&incident.id).take(MAX_ALERTS);
    let labels = alerts.flat_map(|alert| alert.labels.iter().take(MAX_LABELS));
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={}", value.expose())).collect();
    query.score(fields.chain(labels.iter().map(String::as_str))).is_some()
}

/// The word of an incident's status, as the list writes it.
#[must_use]
pub fn status_word(incident: &Incident) -> &'static str {
    use crate::domain::incident::Status;
    match incident.status {
        _ if incident.is_suppressed => "suppressed",
        Status::Triggered => "triggered",
        Status::Acknowledged => "acknowledged",
        Status::Resolved => "resolved",
    }
}

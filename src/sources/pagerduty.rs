//! PagerDuty: REST v2 for rooms with a token, Events v2 for rooms that only hold a routing key (apis.md 2).
//!
//! Absence from a list closes nothing here: the caller reads what left the open list by its id. Actions look before
//! they send and after they sent; what cannot be told apart ends as [`Outcome::Ambiguous`].

mod actions;
mod client;
mod events;
mod firing;
mod map;
mod paging;
mod timeline;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;

use crate::domain::alert::Fingerprint;
use crate::domain::failure::Failure;
use crate::domain::id::{DedupKey, PagerId, SourceId};
use crate::domain::incident::{PagerIncident, Urgency};
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;
use crate::sources::http;
use crate::text::{Clean, Untrusted};

pub use client::Client;
pub use events::{Event, Events};
pub use map::{level_by_oncall, severity, severity_word};
pub use timeline::{MARKER_OPEN, marker};

/// What a [`Client`] is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in facts.
    pub id: SourceId,
    /// Address, authorities, limits; its `auth.credential` and `accept` are set from `token`.
    pub http: http::Settings,
    /// REST token of an account or a user, or an OAuth token (`pdus+…`, `pdeu+…`).
    pub token: SecretString,
    /// E-mail for the `From` header; asked from `/users/me` when absent.
    pub from: Option<String>,
}

/// Which open incidents are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these teams (ids).
    pub teams: Vec<String>,
    /// Only these services (ids).
    pub services: Vec<String>,
    /// Only these users (ids).
    pub users: Vec<String>,
    /// Only this urgency.
    pub urgency: Option<Urgency>,
    /// Only those opened in the last so long; all open ones when absent.
    pub since: Option<TimeDelta>,
}

/// The user a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// PagerDuty's id.
    pub id: crate::domain::id::UserId,
    /// Their name.
    pub name: Clean,
    /// Their e-mail, for the `From` header.
    pub email: String,
    /// Their role in the account: a `read_only_user` may do nothing.
    pub role: Clean,
}

/// One alert of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerAlert {
    /// PagerDuty's id of the alert.
    pub id: String,
    /// The key it was raised with: an Alertmanager group's, where Alertmanager raised it.
    pub key: Option<DedupKey>,
    /// One line.
    pub summary: Clean,
    /// Whether it still fires.
    pub is_open: bool,
    /// Its severity as sent.
    pub severity: Option<Severity>,
    /// When it came.
    pub created_at: Timestamp,
    /// Alertmanager's alerts that its event told of.
    pub fingerprints: Vec<Fingerprint>,
}

/// Whether an action was tried before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing of it was ever sent.
    First,
    /// It may have been sent: read back, and look for its marker, before anything else.
    Again,
}

/// What became of an action.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The answer shows the wanted state.
    Done {
        /// Such as "acknowledged by Ana".
        says: Clean,
        /// The incident as it now is, where the answer told.
        incident: Option<Arc<PagerIncident>>,
        /// The incident a declaration opened.
        opened: Option<PagerId>,
    },
    /// It was so before: nothing was sent.
    AlreadyDone {
        /// Such as "already acknowledged by Ana".
        says: Clean,
        /// The incident as it is.
        incident: Option<Arc<PagerIncident>>,
        /// The incident a declaration had opened.
        opened: Option<PagerId>,
    },
    /// It was not done and will not be by asking again.
    Refused(Failure),
    /// It was certainly not done; it may be sent again after `wait` (`None`: when a person has given a better token).
    Held {
        /// Why.
        failure: Failure,
        /// How long to wait at least; zero leaves it to the caller's backoff.
        wait: Option<Duration>,
    },
    /// It may or may not have been done.
    Ambiguous {
        /// What happened.
        failure: Failure,
        /// What to look at.
        check: Clean,
    },
}

/// Text that people wrote, for sending back.
pub(crate) fn plain(text: &Untrusted) -> &str {
    text.expose()
}

#[cfg(test)]
mod tests;

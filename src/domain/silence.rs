//! Silences of Alertmanager.

use serde::{Deserialize, Serialize};

use super::id::{SilenceId, SourceId};
use super::time::Timestamp;
use crate::text::{Clean, Untrusted};

/// One matcher of a silence or route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// Label name.
    pub name: Untrusted,
    /// Value or anchored regular expression.
    pub value: Untrusted,
    /// `=~` or `!~`.
    pub is_regex: bool,
    /// `=` or `=~`.
    pub is_equal: bool,
}

/// Whether a silence works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceState {
    /// It starts later.
    Pending,
    /// It works.
    Active,
    /// It is over.
    Expired,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Alertmanager's id.
    pub id: SilenceId,
    /// The cluster that has it.
    pub cluster: SourceId,
    /// What it silences.
    pub matchers: Vec<Matcher>,
    /// From.
    pub starts_at: Timestamp,
    /// Until.
    pub ends_at: Timestamp,
    /// Who made it.
    pub created_by: Clean,
    /// Why.
    pub comment: Clean,
    /// Whether it works.
    pub state: SilenceState,
}

//! A room with several consoles: who is here, who has which role, whether what we do reaches the others.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::IncidentId;
use super::time::Timestamp;
use crate::text::Clean;

/// Which console: drawn at its start, gone with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsoleId(pub Uuid);

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Their console; one person may have several.
    pub console: ConsoleId,
    /// The operator.
    pub who: Clean,
    /// The incident they look at.
    pub looking_at: Option<IncidentId>,
    /// Since when they are here.
    pub since: Timestamp,
    /// It is the console that tells this.
    pub is_me: bool,
}

/// Who has a role of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Who.
    pub who: Clean,
    /// Since when.
    pub since: Timestamp,
}

/// Whether this console's journal is the room's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sharing")]
pub enum Sharing {
    /// The room is this console's alone: nothing is shared, nothing is missing.
    #[default]
    Alone,
    /// The database of the room has everything.
    Shared,
    /// The database cannot be reached; this console goes on by itself and merges later.
    Apart {
        /// Since when.
        since: Timestamp,
        /// Why, in words.
        cause: Clean,
    },
    /// The database is of a newer version: this console reads and does not act.
    ReadOnly {
        /// Why, in words.
        cause: Clean,
    },
}

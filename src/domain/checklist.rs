//! What is ticked, by whom, when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{RunbookId, StepId};
use super::time::Timestamp;
use crate::text::Clean;

/// A tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Who.
    pub by: Clean,
    /// When.
    pub at: Timestamp,
}

/// The ticks of one runbook for one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// Which runbook.
    pub runbook: RunbookId,
    /// What is ticked.
    pub ticks: BTreeMap<StepId, Tick>,
}

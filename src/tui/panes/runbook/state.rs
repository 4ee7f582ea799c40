//! What the runbook pane remembers.

use std::collections::BTreeMap;

use super::output::Outputs;
use super::screens::Screens;
use crate::domain::id::{IncidentId, RunbookId, StepId};
use crate::domain::run::{Proposal, RunId};
use crate::runbook::matching::Match;
use crate::text::Clean;

/// What the runbook pane remembers.
#[derive(Debug, Default)]
pub struct RunbookState {
    /// The incident that `matches` is for.
    pub incident: Option<IncidentId>,
    /// The runbooks that fit it, best first; indices into the model's runbooks.
    pub matches: Vec<Match>,
    /// What `matches` was made from: the incident, its title, how many alerts it has.
    pub matched_from: Option<(IncidentId, Clean, usize)>,
    /// What people chose instead of the best match.
    pub chosen: BTreeMap<IncidentId, RunbookId>,
    /// The runbook shown: index into the model's runbooks.
    pub shown: Option<usize>,
    /// The step the cursor is on.
    pub step: Option<StepId>,
    /// The run that was asked for and is not in the room yet: for which incident, of which text.
    pub opening: Option<(RunId, IncidentId, String)>,
    /// The step whose proposal somebody waits for.
    pub awaited: Option<(RunId, StepId)>,
    /// What the engine would do next, as it said last.
    pub proposal: Option<Box<Proposal>>,
    /// What steps printed.
    pub outputs: Outputs,
    /// What the terminals of steps show.
    pub screens: Screens,
    /// First visible step.
    pub offset: usize,
}

//! What the panels remember: what was asked, what is awaited, the last good answers.

use std::sync::Arc;

use crate::dashboard::fill::Values;
use crate::domain::effect::{QueryId, QueryTime};
use crate::domain::failure::Failure;
use crate::domain::id::{IncidentId, PanelId, SourceId};
use crate::domain::series::QueryResult;
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::layout::Area;
use crate::tui::model::Size;

/// Time ranges that the keys step through, in seconds.
pub const RANGES_S: [i64; 11] = [300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/// What the panels remember.
#[derive(Debug, Default)]
pub struct PanelsState {
    /// The dashboard shown: its name in the model's list.
    pub dashboard: Option<String>,
    /// Time range in seconds.
    pub range_s: i64,
    /// What a person chose instead of the dashboard's own range; stays for the session.
    pub range_chosen: Option<i64>,
    /// The panel the cursor is on.
    pub selected: Option<PanelId>,
    /// First visible panel.
    pub offset: usize,
    /// One for each panel of the dashboard, in its order.
    pub panels: Vec<PanelState>,
    /// The number of the last question.
    pub asked: u64,
    /// The incident the panels are for, and how many alerts it had: others need other questions.
    pub made_for: Option<(IncidentId, usize)>,
    /// What placeholders are filled from.
    pub values: Values,
    /// Nothing is asked before: a cursor that runs through the list asks nothing until it rests.
    pub not_before: Option<Timestamp>,
    /// The places and the range that were asked for: others need other steps.
    pub asked_for: Option<(Size, Area, usize, i64)>,
    /// When the next question is due, as found last.
    pub next_due: Option<Timestamp>,
}

/// One panel.
#[derive(Clone, Debug)]
pub struct PanelState {
    /// Which.
    pub id: PanelId,
    /// Its title, placeholders filled.
    pub title: Clean,
    /// One for each of its queries, in its order.
    pub queries: Vec<QueryState>,
}

/// One query of a panel.
#[derive(Clone, Debug, Default)]
pub struct QueryState {
    /// The expression last asked, complete.
    pub promql: Option<String>,
    /// Which Prometheus.
    pub source: Option<SourceId>,
    /// The question whose answer is awaited, and since when.
    pub waiting: Option<(QueryId, Timestamp)>,
    /// When it was last asked.
    pub asked_at: Option<Timestamp>,
    /// For which instant or range it was last asked.
    pub time: Option<QueryTime>,
    /// The last good answer and when it came; stays while later ones fail.
    pub answer: Option<(Timestamp, Arc<QueryResult>)>,
    /// What went wrong with the last one.
    pub failure: Option<Failure>,
    /// Why it cannot be asked, such as "needs a value for instance".
    pub unaskable: Option<Clean>,
}

//! What is wrong: sources, actions that failed or are unknown, files of ours.

use crate::domain::action::Delivery;
use crate::domain::id::{OpId, SourceId};
use crate::tui::model::Model;
use crate::tui::panes::incidents::update::Move;

/// What the problems view remembers.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// The line the cursor is on.
    pub at: Option<Line>,
    /// First visible line.
    pub offset: usize,
}

/// A line of the problems view, by identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A source.
    Source(SourceId),
    /// An action that is not confirmed.
    Action(OpId),
    /// Something that was found wrong, by its key.
    Found(String),
    /// A problem of a file of ours: index into the model's list.
    File(usize),
}

/// Every line, in order: actions that need a person, what was found wrong, sources, files, then actions on their way.
#[must_use]
pub fn lines(model: &Model) -> Vec<Line> {
    let sendings = model.room.sendings();
    let is_wrong = |delivery: &Delivery| matches!(delivery, Delivery::Failed { .. } | Delivery::Unknown { .. });
    let wrong =
        sendings.iter().rev().filter(|(_, sending)| is_wrong(&sending.delivery)).map(|(op, _)| Line::Action(*op));
    let waiting =
        sendings.iter().filter(|(_, sending)| !sending.delivery.is_settled()).map(|(op, _)| Line::Action(*op));
    let found = model.room.problems().keys().map(|key| Line::Found(key.clone()));
    let sources = model.room.sources().keys().map(|id| Line::Source(id.clone()));
    let files = (0..model.problems.len()).map(Line::File);
    wrong.chain(waiting).chain(found).chain(sources).chain(files).collect()
}

impl Problems {
    /// The line the cursor is on: the first one when the one it was on is gone.
    #[must_use]
    pub fn row(&self, lines: &[Line]) -> usize {
        self.at.as_ref().and_then(|at| lines.iter().position(|line| line == at)).unwrap_or(0)
    }

    /// Moves the cursor.
    pub fn move_cursor(&mut self, lines: &[Line], how: Move) {
        let row = how.from(self.row(lines), lines.len(), 10);
        self.at = lines.get(row).cloned();
    }
}

//! Commands by name, fuzzy.

use crate::domain::command::CommandId;
use crate::tui::command::{Group, blocked, command};
use crate::tui::fuzzy::Query;
use crate::tui::model::Model;
use crate::tui::textbox::TextBox;

/// What the palette remembers.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// As typed.
    pub input: TextBox,
    /// What fits, best first.
    pub found: Vec<Found>,
    /// The row the cursor is on.
    pub at: usize,
}

/// A command that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub command: CommandId,
    /// Where its title matches: character positions, ascending.
    pub positions: Vec<u32>,
    /// Why it cannot be done now, such as "nothing is selected"; shown dim.
    pub blocked: Option<String>,
}

/// What fits `text`, best first. What can be done now comes before what cannot.
#[must_use]
pub fn find(model: &Model, text: &str) -> Vec<Found> {
    let mut query = Query::parse(text);
    let mut found: Vec<(bool, u32, Found)> = Vec::new();
    for id in CommandId::ALL.iter().copied().filter(|id| *id != CommandId::Palette) {
        let entry = command(id);
        let fields = [entry.title, id.word(), entry.help];
        let Some(score) = query.score(fields.into_iter()) else { continue };
        let by_title = query.score([entry.title].into_iter()).is_some();
        let positions = if by_title { query.positions(entry.title) } else { Vec::new() };
        let why = blocked(model, id);
        // A word in the title is what was meant; one in the sentence is a guess.
        let score = if by_title { score.saturating_add(1_000) } else { score };
        found.push((why.is_some(), score, Found { command: id, positions, blocked: why }));
    }
    // What changes incidents first, moving about last: as on the help page.
    let group = |found: &Found| Group::ALL.iter().position(|group| *group == command(found.command).group);
    found.sort_by_key(|(is_blocked, score, found)| (*is_blocked, std::cmp::Reverse(*score), group(found)));
    found.into_iter().map(|(_, _, found)| found).collect()
}

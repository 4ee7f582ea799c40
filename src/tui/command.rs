//! The command table: what each command is called, says, needs and risks. Help, palette, hint line, docs/keys.md and the
//! README's table of keys are derived from it and from the keymap in force, so they cannot drift.

mod blocked;
mod docs;
mod table;

pub use blocked::blocked;
pub use docs::{HelpLine, help_lines, hints, markdown};

use crate::config::keymap::Context;
use crate::domain::command::CommandId;

/// Headings of the help page, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Moving about.
    Move,
    /// What changes an incident.
    Act,
    /// What is picked and found.
    Find,
    /// Timeline, panels, runbook.
    Panes,
    /// The room itself.
    Room,
}

impl Group {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Act, Self::Find, Self::Panes, Self::Move, Self::Room];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Act => "Act on incidents",
            Self::Find => "Find and mark",
            Self::Panes => "Timeline, panels, runbook",
            Self::Room => "The room",
        }
    }
}

/// What stands between the key and the deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Nothing: it changes only the screen, or can be taken back.
    None,
    /// A question that shows what will happen to whom.
    Confirm,
    /// As that, and for many targets at once a word must be typed.
    TypeName,
}

/// What a command needs before it can do anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// An incident under the cursor, or marked ones.
    pub selection: bool,
    /// PagerDuty's record of it, over the REST API.
    pub record: bool,
    /// Leave to change the world: not a read-only room.
    pub write: bool,
    /// PagerDuty, or a routing key of it.
    pub pager: bool,
}

/// What is known of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which.
    pub id: CommandId,
    /// A few words, as in the palette.
    pub title: &'static str,
    /// One word or two for the hint line.
    pub short: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Where in the help page.
    pub group: Group,
    /// Where it can be used; empty in every pane.
    pub contexts: &'static [Context],
    /// What stands between the key and the deed.
    pub danger: Danger,
    /// What it needs.
    pub needs: Needs,
    /// What to say while it is not built yet.
    pub later: Option<&'static str>,
}

/// What is known of a command.
#[must_use]
pub fn command(id: CommandId) -> Command {
    table::entry(id)
}

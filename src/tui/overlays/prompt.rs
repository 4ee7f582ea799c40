//! One line of text: a note.

use crate::domain::action::Target;
use crate::domain::id::{OpId, StepId};
use crate::domain::run::RunId;
use crate::text::Clean;
use crate::tui::runs::Why;
use crate::tui::textbox::TextBox;

/// A text to type.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What is asked for, such as "Note on checkout 5xx".
    pub title: Clean,
    /// What the keys do, such as "Enter sends, Esc leaves".
    pub hint: Clean,
    /// As typed.
    pub input: TextBox,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A note on these.
    Note(Vec<Target>),
    /// A note in place of one that was not written.
    Instead(OpId, Vec<Target>),
    /// What to look for on the page below.
    Find,
    /// Something for a step of a run.
    Run {
        /// Which run.
        run: RunId,
        /// Which step.
        step: StepId,
        /// What.
        why: Why,
    },
}

//! Everything that enters `update`, and what comes out beside effects for the engine.
//!
//! The order of these is the truth: a recording keeps it, with `now`, and replay must reach the same model. So chords come
//! raw and are resolved inside `update`.

use serde::{Deserialize, Serialize};

use super::model::Size;
use super::ports::Reload;
use crate::config::keymap::Chord;
use crate::domain::fact::Fact;

/// What came through the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A key.
    Key {
        /// Which.
        chord: Chord,
        /// It came in one piece with others: a paste without brackets or an answer of the terminal, not a finger.
        in_burst: bool,
    },
    /// A bracketed paste.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// The terminal has another size.
    Resized(Size),
    /// The terminal got or lost the keyboard.
    Focused(bool),
}

/// What the mouse did, at a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
    /// What.
    pub kind: MouseKind,
    /// Column.
    pub x: u16,
    /// Line.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MouseKind {
    /// Left button down.
    Press,
    /// Moved with the left button down.
    Drag,
    /// Left button up.
    Release,
    /// Wheel towards the person.
    ScrollDown,
    /// Wheel away from the person.
    ScrollUp,
}

/// What an editor was opened for; its text comes back with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Editing {
    /// A note on these.
    Note(Vec<crate::domain::action::Target>),
}

/// Anything that enters `update`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Msg {
    /// Through the terminal.
    Input(Input),
    /// Something was learned or done.
    Learned(Fact),
    /// A file of ours changed.
    Reloaded(Reload),
    /// The instant came that [`super::Model::next_wake`] named.
    Woke,
    /// Back from the shell or the editor: the screen is another's until it is drawn whole.
    Resumed,
    /// The editor was left.
    Edited {
        /// What for.
        editing: Editing,
        /// The text, or why there is none.
        text: Result<String, String>,
    },
    /// Something the rim was asked to do did not work, such as opening a link.
    Refused(String),
    /// Frames are left out because the terminal takes them slowly; or no more.
    Slowed(bool),
}

/// What the rim must do with the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEffect {
    /// Put it into the clipboard (OSC 52).
    Copy(String),
    /// Open it in a browser; http and https only.
    OpenLink(String),
    /// Open the editor on a text.
    Edit {
        /// What for.
        editing: Editing,
        /// What is there already.
        text: String,
    },
    /// Stop, as Ctrl-Z does in a shell.
    Suspend,
    /// Draw every cell again.
    Redraw,
    /// Ring.
    Bell,
    /// Leave, with this exit code.
    Quit(i32),
}

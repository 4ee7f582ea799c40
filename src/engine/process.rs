//! The console's side of a step: start its supervisor, attach to it again, follow what happens, cancel, type.
//!
//! The record in the step's folder is the truth; the socket only says that there is more of it, and carries what people
//! ask. So a console that was killed loses nothing: the next one attaches to the folder.

mod follow;
mod launch;

use crate::domain::time::Timestamp;
use crate::step::event::{Cause, Finished, ProcessId, Stream};
use crate::step::spec::TerminalSize;
use crate::step::state::StepState;

pub use follow::Attached;
pub use launch::Launcher;

/// Something that a console learns of a step, in order. [`StepEvent::Finished`], [`StepEvent::Refused`] and
/// [`StepEvent::Lost`] are last ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEvent {
    /// It is about to be executed.
    Started {
        /// When.
        at: Timestamp,
    },
    /// It has a process.
    Running {
        /// Which.
        process: ProcessId,
    },
    /// It wrote something; secrets are masked, everything else is as it came: not for a screen before the gate.
    Output {
        /// Where.
        stream: Stream,
        /// Where it stands in the masked stream.
        offset: u64,
        /// Milliseconds after the start.
        at: u32,
        /// What.
        bytes: Vec<u8>,
    },
    /// It wrote more than is shown or kept: this many bytes are not told.
    Gap {
        /// Where.
        stream: Stream,
        /// Where they would begin.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// It is being ended.
    Cancelling {
        /// When.
        at: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// A rung of the ladder.
    Signalled {
        /// When.
        at: Timestamp,
        /// Which signal.
        signal: String,
    },
    /// Its terminal has another size: another console may have asked.
    Resized {
        /// The size.
        size: TerminalSize,
    },
    /// A staged line was sent.
    LineSent {
        /// When.
        at: Timestamp,
        /// Which.
        line: String,
    },
    /// What it writes cannot be kept.
    SpoolFailed {
        /// Why.
        why: String,
    },
    /// What its terminal shows: asked for by [`Attached::ask_screen`].
    Screen {
        /// Its size.
        size: TerminalSize,
        /// Bytes of the terminal's stream that are in it: output before this offset is not to be fed again.
        offset: u64,
        /// What draws it on a fresh emulator.
        state: Vec<u8>,
    },
    /// Something that was asked was not done.
    NotDone {
        /// Why.
        why: String,
    },
    /// It was not executed.
    Refused {
        /// Why.
        why: String,
    },
    /// It is over.
    Finished(Box<Finished>),
    /// Its supervisor is gone without a word: unknown.
    Lost(StepState),
}

/// What went wrong on the console's side.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The order cannot be written down: nothing was started.
    #[error(
        "cannot write the order for the step to {folder}: {cause}; free space or fix its permissions, then run it again"
    )]
    Order {
        /// Where.
        folder: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The supervisor cannot be started.
    #[error("cannot start the step's supervisor {program}: {cause}")]
    Supervisor {
        /// Which program.
        program: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The supervisor looked at the order and refused.
    #[error("the step was not run: {why}")]
    Refused {
        /// Why.
        why: String,
    },
    /// It neither refused nor said that it runs.
    #[error("the step's supervisor did not answer; look at its state before anything else")]
    Silent,
    /// The folder cannot be read.
    #[error("cannot read what became of the step: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Nobody listens any more.
    #[error("the step's supervisor does not listen: {0}; it is over, or gone")]
    Deaf(std::io::Error),
}

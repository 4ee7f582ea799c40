//! What happens to a step, as it is written down: one JSON line each, in order, in the file `events`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::capture::CaptureFailure;
use super::spec::Digest;
use crate::domain::time::Timestamp;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The supervisor is about to execute the command. Durable before exec: without it, the command never ran.
    Started {
        /// When.
        at: Timestamp,
        /// Who carries it.
        supervisor: ProcessId,
        /// What runs, as it was approved.
        digest: Digest,
    },
    /// The command has a process.
    Running {
        /// When.
        at: Timestamp,
        /// Which.
        process: ProcessId,
    },
    /// It was not executed, and never will be from this folder.
    Refused {
        /// When.
        at: Timestamp,
        /// Why, for people.
        why: String,
    },
    /// Somebody, or the clock, wants it to end.
    Cancelling {
        /// When.
        at: Timestamp,
        /// On whose behalf.
        cause: Cause,
    },
    /// A rung of the ladder.
    Signalled {
        /// When.
        at: Timestamp,
        /// Which signal, by its name.
        signal: String,
    },
    /// Its terminal has another size now.
    Resized {
        /// When.
        at: Timestamp,
        /// Width in cells.
        columns: u16,
        /// Height in cells.
        rows: u16,
    },
    /// A staged line was sent to its terminal by a person.
    LineSent {
        /// When.
        at: Timestamp,
        /// Which, secrets masked.
        line: String,
    },
    /// What it writes can no longer be kept (a full disk); it goes on, and what is lost is counted.
    SpoolFailed {
        /// When.
        at: Timestamp,
        /// Why, for people.
        why: String,
    },
    /// It is over.
    Finished(Box<Finished>),
}

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks after boot.
    pub start_time: u64,
    /// Which boot that was.
    pub boot_id: String,
}

/// Why it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// By itself.
    Itself,
    /// A person cancelled.
    Cancelled {
        /// Who.
        by: String,
    },
    /// Its time was up. For a step that changes something, what it did is unknown.
    TimedOut,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// The kernel did not say.
    Unseen,
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Its terminal, which is both.
    Terminal,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stdout, Self::Stderr, Self::Terminal];
}

/// What a stream carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSummary {
    /// Bytes the command wrote.
    pub bytes: u64,
    /// Line feeds in them.
    pub lines: u64,
    /// Bytes after secrets were masked: what offsets of the spool count.
    pub masked_bytes: u64,
    /// Bytes of these that are no longer in the spool.
    pub dropped: u64,
    /// SHA-256 of all masked bytes, dropped ones included.
    pub sha256: String,
    /// The first lines, secrets masked, as they came.
    pub first: Vec<String>,
    /// The last lines, those of `first` excluded.
    pub last: Vec<String>,
}

impl StreamSummary {
    /// The very last line that it carried.
    #[must_use]
    pub fn last_line(&self) -> Option<&str> {
        self.last.last().or(self.first.last()).map(String::as_str)
    }
}

/// A process that lives on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survivor {
    /// Its number.
    pub pid: i32,
    /// Its command line, secrets masked.
    pub command: String,
}

/// How a step ended and what it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// When.
    pub at: Timestamp,
    /// How long the command ran.
    pub duration: Duration,
    /// Code or signal.
    pub end: End,
    /// By itself, cancelled, timed out.
    pub cause: Cause,
    /// What it wrote.
    pub streams: BTreeMap<Stream, StreamSummary>,
    /// Descendants that live on: after cancel those that SIGKILL did not reach, otherwise what it left behind.
    pub survivors: Vec<Survivor>,
    /// Captured values by name.
    pub captures: BTreeMap<String, String>,
    /// Captures that found nothing, and why.
    pub failed_captures: BTreeMap<String, CaptureFailure>,
    /// What it wrote to `$RB_OUTPUT`.
    pub outputs: BTreeMap<String, String>,
    /// What was wrong with that file.
    pub output_problems: Vec<String>,
}

impl Finished {
    /// True when the command ended by itself with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.cause == Cause::Itself && self.end == End::Exit(0)
    }
}

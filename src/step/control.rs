//! What consoles say to a supervisor and it to them, over the socket in the step's folder: one JSON line each.

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::spec::TerminalSize;

/// Longest line that is taken in from a console: a paste.
pub const LONGEST_LINE: usize = 256 << 10;

/// From a console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// End it. Asking again while the ladder runs changes nothing.
    Cancel {
        /// Who.
        by: String,
    },
    /// Keys for its terminal.
    Keys {
        /// As a terminal sends them.
        bytes: Vec<u8>,
    },
    /// A staged line for its terminal, sent by a person; the enter key is added here.
    Line {
        /// Without a line end.
        line: String,
    },
    /// Its terminal's new size.
    Resize(TerminalSize),
    /// What its terminal shows now.
    Screen,
}

/// From a supervisor. An empty line says that there is more in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tell", rename_all = "snake_case")]
pub enum Tell {
    /// What the terminal shows: feeding `state` to a fresh emulator of that size gives the same screen.
    Screen {
        /// Its size.
        size: TerminalSize,
        /// How many bytes of the terminal's stream it has seen.
        offset: u64,
        /// Escape sequences that draw it.
        state: Vec<u8>,
    },
    /// Something that was asked cannot be done.
    Refused {
        /// Why, for people.
        why: String,
    },
}

/// A socket's path must fit 108 bytes, a state folder's need not: through an open folder the path is always short.
///
/// # Errors
/// When nobody listens.
pub fn connect(place: &Place) -> io::Result<UnixStream> {
    let folder = std::fs::File::open(place.path())?;
    let short = format!("/proc/self/fd/{}/control", folder.as_raw_fd());
    let stream = UnixStream::connect(short).or_else(|_| UnixStream::connect(place.control()))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}

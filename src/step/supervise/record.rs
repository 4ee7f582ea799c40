//! Writing down what happens.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::domain::time::Timestamp;
use crate::step::event::Event;
use crate::step::place::{Place, private};

/// Room kept for the end: its line holds captures and last lines, a few hundred KiB at most.
const RESERVE_BYTES: usize = 512 << 10;

/// The file `events`.
#[derive(Debug)]
pub(super) struct Record {
    file: File,
    reserve: PathBuf,
    /// A part of a line may be there without its end.
    is_torn: bool,
}

impl Record {
    /// Opens it, and makes its name durable.
    pub(super) fn open(place: &Place) -> io::Result<Self> {
        let file = private(OpenOptions::new().create(true).append(true)).open(place.events())?;
        place.sync()?;
        Ok(Self { file, reserve: place.reserve(), is_torn: false })
    }

    /// Takes room on the disk, so that a step that fills it can still be told to be over.
    pub(super) fn keep_room(&self) -> io::Result<()> {
        private(OpenOptions::new().create(true).truncate(true).write(true))
            .open(&self.reserve)?
            .write_all(&vec![0; RESERVE_BYTES])
    }

    /// Gives the room back.
    pub(super) fn give_room(&self) {
        let _ = std::fs::remove_file(&self.reserve);
    }

    /// A line in one write, so that a reader never sees half of one while we live.
    pub(super) fn note(&mut self, event: &Event) -> io::Result<()> {
        let mut line = line(event)?;
        if self.is_torn {
            // What was begun before ends here and says nothing.
            line.insert(0, b'\n');
        }
        let written = self.file.write_all(&line);
        self.is_torn = written.is_err();
        written
    }

    /// A line that decides something: returns when the disk has it, and uses the room that was kept when it is full.
    pub(super) fn write_durably(&mut self, event: &Event) -> io::Result<()> {
        if let Err(refused) = self.note(event) {
            if refused.kind() != io::ErrorKind::StorageFull {
                return Err(refused);
            }
            self.give_room();
            self.note(event)?;
        }
        self.file.sync_all()
    }
}

fn line(event: &Event) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    Ok(line)
}

/// The supervisor's clock, for the record; spans are measured by a monotonic one.
#[expect(clippy::disallowed_methods, reason = "a program of its own: this is its edge")]
pub(super) fn now() -> Timestamp {
    chrono::Utc::now()
}

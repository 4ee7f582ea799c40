//! The folder of one step: its files' names, made for the owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::event::Event;
use super::spec::{Digest, StepSpec};

/// Longest file of ours that is read whole.
const MOST_BYTES: u64 = 16 << 20;

/// The folder of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// The folder at `path`, whether it exists or not.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, mode 0700 whatever the umask.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    /// The order.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// What happened.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("events")
    }

    /// What was written.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Held while the supervisor lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Where the supervisor listens.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// The command's `$RB_OUTPUT`.
    #[must_use]
    pub fn outputs(&self) -> PathBuf {
        self.0.join("outputs")
    }

    /// The recording of its terminal.
    #[must_use]
    pub fn recording(&self) -> PathBuf {
        self.0.join("session.cast")
    }

    /// Room on the disk for the last words.
    #[must_use]
    pub fn reserve(&self) -> PathBuf {
        self.0.join("reserve")
    }

    /// The supervisor's own complaints.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("supervisor.log")
    }

    /// Writes the order and syncs it and the folder: from here on a crash leaves a step that was ordered and not run.
    ///
    /// # Errors
    /// When the folder holds an order already, or the disk refuses.
    pub fn order(&self, spec: &StepSpec, approved: &Digest) -> io::Result<()> {
        self.make()?;
        let order = Order { spec: spec.clone(), approved: approved.clone() };
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(self.spec())?;
        file.write_all(&serde_json::to_vec(&order)?)?;
        file.sync_all()?;
        self.sync()
    }

    /// The order as it was written; `None` when there is none, or only the beginning of one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ordered(&self) -> io::Result<Option<Order>> {
        Ok(read_whole(&self.spec())?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Everything that happened so far. A line that a crash cut is not counted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn events_so_far(&self) -> io::Result<Vec<Event>> {
        let bytes = read_whole(&self.events())?.unwrap_or_default();
        Ok(parse_events(&bytes).0)
    }

    /// Syncs the folder itself: a new file's name is not durable before that.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// What `spec.json` holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    /// The order.
    pub spec: StepSpec,
    /// What was approved.
    pub approved: Digest,
}

/// Whole lines as events, and how many bytes they took. A line that cannot be read is skipped: a later version wrote it.
#[must_use]
pub fn parse_events(bytes: &[u8]) -> (Vec<Event>, usize) {
    let mut events = Vec::new();
    let mut taken = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.last() != Some(&b'\n') {
            break;
        }
        taken += line.len();
        events.extend(serde_json::from_slice::<Event>(line).ok());
    }
    (events, taken)
}

/// Only for the owner, never through a link.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

fn read_whole(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(MOST_BYTES).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

//! Which consoles on this journal are alive: each holds a lock on a file of its own for as long as its process lives.
//!
//! The lock goes with the process, however it ends; so what a console that is gone held is taken over at once, without
//! waiting for its lease. All of them share one more lock, the door: who has it alone may exchange the journal's file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// This console's place among those on the same journal.
#[derive(Debug)]
pub(super) struct Presence {
    id: Uuid,
    folder: PathBuf,
    /// Held, never read: closing it gives the lock back.
    _lock: File,
    /// Shared by all.
    door: File,
}

/// A console that is gone; nobody else can say so while this lives.
#[derive(Debug)]
pub(super) struct Gone {
    id: Uuid,
    path: PathBuf,
    _lock: Option<File>,
}

impl Presence {
    /// Takes a fresh identity and its lock.
    pub(super) fn announce(journal: &Path) -> io::Result<Self> {
        let folder = folder_of(journal);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let door = options.open(folder.join("door"))?;
        // Whoever exchanges the file is done within seconds.
        door.lock_shared()?;
        let id = Uuid::new_v4();
        let lock = OpenOptions::new().write(true).create_new(true).open(folder.join(id.to_string()))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { id, folder, _lock: lock, door })
    }

    /// Takes the door alone for as long as `Alone` lives; none while another console is at the journal.
    pub(super) fn alone(&self) -> Option<Alone<'_>> {
        // A lock is not turned from shared to exclusive in one step everywhere: it is given back first.
        let _ = self.door.unlock();
        if self.door.try_lock().is_ok() {
            return Some(Alone { door: &self.door });
        }
        let _ = self.door.lock_shared();
        None
    }

    /// Remembers for the next start that the journal was found damaged.
    pub(super) fn mark_damaged(&self) -> io::Result<()> {
        File::create(self.folder.join("damaged")).map(drop)
    }

    /// Whether it was.
    pub(super) fn is_marked_damaged(&self) -> bool {
        self.folder.join("damaged").exists()
    }

    /// It was seen to.
    pub(super) fn unmark(&self) {
        let _ = fs::remove_file(self.folder.join("damaged"));
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Whether consoles were at this journal before.
    pub(super) fn was_here(journal: &Path) -> bool {
        folder_of(journal).join("door").exists()
    }

    /// `Some` when the console `other` is gone.
    pub(super) fn gone(&self, other: Uuid) -> io::Result<Option<Gone>> {
        if other == self.id {
            return Ok(None);
        }
        let path = self.folder.join(other.to_string());
        match OpenOptions::new().write(true).open(&path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(Some(Gone { id: other, path, _lock: None })),
            Err(cause) => Err(cause),
            Ok(file) => match file.try_lock() {
                Ok(()) => Ok(Some(Gone { id: other, path, _lock: Some(file) })),
                Err(fs::TryLockError::WouldBlock) => Ok(None),
                Err(fs::TryLockError::Error(cause)) => Err(cause),
            },
        }
    }
}

fn folder_of(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".consoles");
    PathBuf::from(name)
}

/// The only console at a journal.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    door: &'a File,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        let _ = self.door.unlock();
        let _ = self.door.lock_shared();
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.join(self.id.to_string()));
    }
}

impl Gone {
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Its actions are taken over; its file is no longer needed.
    pub(super) fn forget(self) {
        let _ = fs::remove_file(&self.path);
    }
}

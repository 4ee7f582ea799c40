//! What only one console may do at a time: have a run, run a step under its lock. On one machine the kernel keeps it, by
//! a lock on a file; in a shared room the room's database too, by a lease that is renewed while it is held.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::postgres::Lease;
use crate::store::shared::SharedRoom;
use crate::text::Clean;

/// How long a lease outlives a console that is gone: three renewals.
const LASTS: Duration = Duration::from_secs(15);

/// A lock that is held until it is dropped. The kernel lets go of it when the console dies, however it dies; the room
/// does when the lease has run out.
#[derive(Debug)]
pub(super) struct Held {
    name: String,
    _file: File,
    shared: Option<Shared>,
}

/// The room's part of a lock.
#[derive(Debug)]
struct Shared {
    room: Arc<SharedRoom>,
    name: String,
    renewed: DropGuard,
    /// Ends when the lease is given back.
    given_back: JoinHandle<()>,
}

impl Held {
    /// Of what.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Gives it back; when this returns the others can have it.
    pub(super) async fn give_back(self) {
        let Some(Shared { renewed, given_back, .. }) = self.shared else { return };
        drop(renewed);
        let _ = given_back.await;
    }

    /// Whether nobody else can have it by now: a console that was stopped for longer than its lease finds a colleague
    /// there. While the database is away nobody can tell, and the console goes on with what it had.
    pub(super) async fn is_ours(&self) -> bool {
        let Some(shared) = &self.shared else { return true };
        !matches!(shared.room.take(&shared.name, LASTS).await, Ok(None))
    }
}

/// Takes the lock of that name, or says who has it.
pub(super) async fn lock(
    folder: &Path,
    room: Option<&Arc<SharedRoom>>,
    name: &str,
    (by, now): (&str, Timestamp),
) -> Result<Held, Clean> {
    let file = here(folder, name, by, now)?;
    let Some(room) = room else { return Ok(Held { name: name.to_owned(), _file: file, shared: None }) };
    match room.take(&leased(name), LASTS).await {
        Ok(Some(lease)) => {
            let shared = Some(renewed(room, name, Some(lease)));
            Ok(Held { name: name.to_owned(), _file: file, shared })
        }
        Ok(None) => {
            let holder = room.holder(&leased(name)).await.unwrap_or_else(|| Clean::new("a colleague"));
            Err(Clean::new(format!("{name} is locked by {holder} on another machine; wait for it, or ask them")))
        }
        Err(StoreError::Held(why)) => Err(Clean::new(format!("the lock {name} cannot be taken: {why}"))),
        Err(cause) => Err(Clean::new(format!("the lock {name} cannot be taken: {cause}"))),
    }
}

/// The lock of something that this console has just made, so that nobody else can have it: the room hears of it as soon
/// as its database answers.
pub(super) fn lock_new(
    folder: &Path,
    room: Option<&Arc<SharedRoom>>,
    name: &str,
    (by, now): (&str, Timestamp),
) -> Result<Held, Clean> {
    let file = here(folder, name, by, now)?;
    Ok(Held { name: name.to_owned(), _file: file, shared: room.map(|room| renewed(room, name, None)) })
}

/// Whether a console of this machine had it before.
pub(super) fn was_here(folder: &Path, name: &str) -> bool {
    file_of(folder, name).exists()
}

fn file_of(folder: &Path, name: &str) -> PathBuf {
    let hex: String = Sha256::digest(name.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    folder.join("locks").join(hex)
}

fn leased(name: &str) -> String {
    format!("lock {name}")
}

fn renewed(room: &Arc<SharedRoom>, name: &str, mut lease: Option<Lease>) -> Shared {
    let name = leased(name);
    let stop = CancellationToken::new();
    let (ended, keeper, kept) = (stop.clone(), Arc::clone(room), name.clone());
    #[expect(clippy::disallowed_methods, reason = "it has nothing to tell and ends with the lock")]
    let given_back = tokio::spawn(async move {
        let mut wait = if lease.is_some() { LASTS / 3 } else { Duration::ZERO };
        loop {
            tokio::select! {
                () = ended.cancelled() => break,
                () = sleep(wait) => {}
            }
            if let Ok(taken) = keeper.take(&kept, LASTS).await {
                if taken.is_none() && lease.take().is_some() {
                    tracing::warn!(name = kept, "a colleague's console has taken this lock over");
                }
                lease = taken;
            }
            wait = LASTS / 3;
        }
        if let Some(lease) = lease {
            keeper.release(&lease).await;
        }
    });
    Shared { room: Arc::clone(room), name, renewed: stop.drop_guard(), given_back }
}

/// The lock among the consoles of this machine.
fn here(folder: &Path, name: &str, by: &str, now: Timestamp) -> Result<File, Clean> {
    let broken = |cause: &dyn std::fmt::Display| Clean::new(format!("the lock {name} cannot be taken: {cause}"));
    std::fs::create_dir_all(folder.join("locks")).map_err(|cause| broken(&cause))?;
    let path = file_of(folder, name);
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    let mut file = opened.map_err(|cause| broken(&cause))?;
    match file.try_lock() {
        Ok(()) => {
            let _ = file.set_len(0);
            let _ = write!(file, "{by} since {}", now.format("%H:%M:%S UTC"));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = std::io::Read::by_ref(&mut file).take(256).read_to_string(&mut holder);
            Err(Clean::new(format!("{name} is locked by {holder}; wait for it, or ask them")))
        }
        Err(TryLockError::Error(cause)) => Err(broken(&cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    #[test]
    fn a_lock_is_one_persons_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let held = here(folder.path(), "deploy/shop/web", "ana", at(0)).unwrap();
        let why = here(folder.path(), "deploy/shop/web", "bo", at(1)).unwrap_err();
        assert!(why.as_str().contains("locked by ana since"), "{why}");
        here(folder.path(), "deploy/shop/other", "bo", at(1)).unwrap();
        drop(held);
        here(folder.path(), "deploy/shop/web", "bo", at(1)).unwrap();
    }
}

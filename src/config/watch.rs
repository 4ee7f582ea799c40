//! Tells when files of ours change. Folders are watched, not files: editors save by renaming another file over it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How long a file must be quiet: an editor writes, syncs and renames within some milliseconds.
pub const QUIET: Duration = Duration::from_millis(150);

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    _watcher: RecommendedWatcher,
}

/// Watches `folders` with what is below, and the folders of `files`; `changed` gets the paths that changed, on a thread
/// of the watcher's own. Folders that are not there are left out.
///
/// # Errors
/// When the system has no watches left; the program goes on without reloads.
pub fn watch(
    folders: &[PathBuf],
    files: &[PathBuf],
    changed: impl FnMut(&BTreeSet<PathBuf>) + Send + 'static,
) -> notify::Result<Watcher> {
    let touched = Arc::new(Mutex::new(BTreeSet::new()));
    // One place is enough: who takes it takes every path that was touched until then.
    let (told, tells) = sync_channel(1);
    let paths = Arc::clone(&touched);
    let mut watcher = notify::recommended_watcher(move |result: notify::Result<Event>| {
        // A watch error says that events were lost: the next change tells again.
        let Ok(event) = result else { return };
        // Reading a file is an event too; taken for a change, every reload would call for the next one.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        paths.lock().unwrap_or_else(PoisonError::into_inner).extend(event.paths);
        let _ = told.try_send(());
    })?;
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || settle(&tells, &touched, changed))
        .map_err(notify::Error::io)?;
    let mut watched = BTreeSet::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        watcher.watch(folder, RecursiveMode::Recursive)?;
        watched.insert(folder.clone());
    }
    for folder in files.iter().filter_map(|file| file.parent()) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let is_covered = watched.iter().any(|known| folder.starts_with(known));
        if !is_covered && folder.is_dir() {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
            watched.insert(folder.to_path_buf());
        }
    }
    Ok(Watcher { _watcher: watcher })
}

/// Waits until it is quiet, then tells; ends with the watcher.
fn settle(
    tells: &Receiver<()>,
    touched: &Mutex<BTreeSet<PathBuf>>,
    mut changed: impl FnMut(&BTreeSet<PathBuf>) + Send + 'static,
) {
    while tells.recv().is_ok() {
        loop {
            match tells.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let paths = std::mem::take(&mut *touched.lock().unwrap_or_else(PoisonError::into_inner));
        changed(&paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any quiet time; the watcher has its own clock, so the wait is real.
    const LONG_QUIET: Duration = Duration::from_secs(1);

    #[test]
    fn a_file_that_is_read_has_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "a = 1").unwrap();
        let (told, tells) = sync_channel(16);
        let read = file.clone();
        let _watcher = watch(&[folder.path().to_path_buf()], &[], move |paths| {
            // As a reload does.
            let _ = std::fs::read(&read);
            let _ = told.try_send(paths.clone());
        })
        .expect("the system can watch");
        std::fs::read(&file).unwrap();
        assert!(tells.recv_timeout(LONG_QUIET).is_err(), "nothing was written");
        std::fs::write(&file, "a = 2").unwrap();
        let paths = tells.recv_timeout(Duration::from_secs(10)).expect("a change is told within 10 s");
        assert!(paths.contains(&file), "{paths:?}");
        assert!(tells.recv_timeout(LONG_QUIET).is_err(), "once");
    }
}

//! What keeps a step from running too often or twice at a time: locks, cooldowns, counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::domain::id::{RunbookId, StepId};
use crate::domain::run::{Happened, RunEvent, RunId};
use crate::domain::time::Timestamp;
use crate::text::Clean;

/// A lock that is held until it is dropped; the kernel lets go of it when the console dies, however it dies.
#[derive(Debug)]
pub(super) struct Held {
    _file: File,
}

/// Takes the lock of that name, or says who has it.
pub(super) fn lock(folder: &Path, name: &str, by: &str, now: Timestamp) -> Result<Held, Clean> {
    let hex: String = Sha256::digest(name.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let folder = folder.join("locks");
    let broken = |cause: &dyn std::fmt::Display| Clean::new(format!("the lock {name} cannot be taken: {cause}"));
    std::fs::create_dir_all(&folder).map_err(|cause| broken(&cause))?;
    let path = folder.join(hex);
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    let mut file = opened.map_err(|cause| broken(&cause))?;
    match file.try_lock() {
        Ok(()) => {
            let _ = file.set_len(0);
            let _ = write!(file, "{by} since {}", now.format("%H:%M:%S UTC"));
            Ok(Held { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = std::io::Read::by_ref(&mut file).take(256).read_to_string(&mut holder);
            Err(Clean::new(format!("{name} is locked by {holder}; wait for it, or ask them")))
        }
        Err(TryLockError::Error(cause)) => Err(broken(&cause)),
    }
}

/// How often a step of a runbook was started, whichever run it was in.
pub(super) fn starts(events: &[RunEvent], runbook: &RunbookId, step: &StepId) -> Vec<Timestamp> {
    let mut of: std::collections::BTreeMap<RunId, bool> = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for event in events {
        match &event.what {
            Happened::Opened { runbook: opened, is_drill, .. } => {
                of.insert(event.run, opened == runbook && !is_drill);
            }
            Happened::Started { step: started, .. } if started == step && of.get(&event.run) == Some(&true) => {
                found.push(event.at);
            }
            _ => {}
        }
    }
    found
}

/// Why it may not run again yet.
pub(super) fn too_often(
    starts: &[Timestamp],
    cooldown: Option<Duration>,
    most: Option<(u32, Duration)>,
    now: Timestamp,
) -> Option<Clean> {
    let within = |span: Duration| {
        let span = chrono::TimeDelta::from_std(span).unwrap_or(chrono::TimeDelta::MAX);
        starts.iter().filter(move |at| now.signed_duration_since(**at) < span).count()
    };
    if let Some(pause) = cooldown.filter(|pause| within(*pause) > 0) {
        return Some(Clean::new(format!(
            "it ran less than {} ago, and the runbook wants that pause (cooldown)",
            humantime::format_duration(pause)
        )));
    }
    let (count, per) = most?;
    let ran = within(per);
    (ran >= count as usize).then(|| {
        let per = humantime::format_duration(per);
        Clean::new(format!("it ran {ran} times within {per}, and the runbook allows {count} (max_runs)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    #[test]
    fn pauses_and_counts_are_kept() {
        let ran = [at(0), at(100)];
        let hour = Duration::from_secs(3_600);
        assert_eq!(too_often(&ran, None, None, at(101)), None);
        assert!(too_often(&ran, Some(Duration::from_secs(60)), None, at(101)).is_some());
        assert_eq!(too_often(&ran, Some(Duration::from_secs(60)), None, at(161)), None);
        let words = too_often(&ran, None, Some((2, hour)), at(200)).unwrap();
        assert!(words.as_str().contains("2 times within 1h"), "{words}");
        assert_eq!(too_often(&ran, None, Some((2, hour)), at(3_600)), None, "the first one is an hour ago");
    }

    #[test]
    fn a_lock_is_one_persons_and_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path(), "deploy/shop/web", "ana", at(0)).unwrap();
        let why = lock(folder.path(), "deploy/shop/web", "bo", at(1)).unwrap_err();
        assert!(why.as_str().contains("locked by ana since"), "{why}");
        lock(folder.path(), "deploy/shop/other", "bo", at(1)).unwrap();
        drop(held);
        lock(folder.path(), "deploy/shop/web", "bo", at(1)).unwrap();
    }
}

//! What became of a step, told from its folder alone: after any crash of console, supervisor or machine.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;

use super::event::{Event, Finished, ProcessId};
use super::place::{Place, private};
use super::proc;

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Nothing was ordered here.
    Nothing,
    /// Ordered, never executed: it may be started.
    NotRun,
    /// A supervisor is about to execute it.
    Starting,
    /// It was refused, and not executed.
    Refused {
        /// Why.
        why: String,
    },
    /// A supervisor carries it; consoles can attach.
    Running {
        /// The command, once it has a process.
        process: Option<ProcessId>,
    },
    /// It is over.
    Finished(Box<Finished>),
    /// It was begun, its supervisor is gone, and nobody saw the end. It must not be run again by itself.
    Unknown {
        /// The command, as far as it is known.
        process: Option<ProcessId>,
        /// Whether that process still runs, now without anybody to watch it.
        is_alive: bool,
    },
}

/// Reads what became of the step in that folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn state(place: &Place) -> io::Result<StepState> {
    // First the lock, then the record: a supervisor that ends in between has written its last line.
    let is_carried = is_locked(place)?;
    let events = place.events_so_far()?;
    let process = events.iter().find_map(|event| match event {
        Event::Running { process, .. } => Some(process.clone()),
        _ => None,
    });
    for event in events.iter().rev() {
        match event {
            Event::Finished(finished) => return Ok(StepState::Finished(finished.clone())),
            Event::Refused { why, .. } => return Ok(StepState::Refused { why: why.clone() }),
            _ => {}
        }
    }
    let is_started = events.iter().any(|event| matches!(event, Event::Started { .. }));
    Ok(match (is_started, is_carried) {
        (true, true) => StepState::Running { process },
        (true, false) => {
            let is_alive = process.as_ref().is_some_and(proc::is_alive);
            StepState::Unknown { process, is_alive }
        }
        (false, true) => StepState::Starting,
        (false, false) if place.ordered()?.is_some() => StepState::NotRun,
        (false, false) => StepState::Nothing,
    })
}

/// Whether a supervisor lives. The kernel lets go of the lock when its holder dies, however it dies.
fn is_locked(place: &Place) -> io::Result<bool> {
    let file = match File::open(place.lock()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes the lock for a supervisor; `None` when another one has it. A look at the state holds it for an instant, so this
/// tries for a while.
pub(super) fn take_lock(place: &Place) -> io::Result<Option<File>> {
    let file = private(OpenOptions::new().create(true).truncate(false).write(true)).open(place.lock())?;
    for _ in 0..50 {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::step::spec::{Program, StepSpec};

    #[test]
    fn each_state_is_told_from_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("step"));
        assert_eq!(state(&place).unwrap(), StepState::Nothing);
        let spec = StepSpec::new(Program::Argv(vec!["true".to_owned()]), PathBuf::from("/"));
        place.order(&spec, &spec.digest(&[])).unwrap();
        assert!(place.order(&spec, &spec.digest(&[])).is_err(), "one folder, one order");
        assert_eq!(state(&place).unwrap(), StepState::NotRun);
        let lock = take_lock(&place).unwrap().expect("free");
        assert_eq!(state(&place).unwrap(), StepState::Starting);
        assert!(take_lock(&place).unwrap().is_none(), "two supervisors of one step");
        let me = proc::identity(i32::try_from(std::process::id()).unwrap()).unwrap();
        let at = chrono::DateTime::UNIX_EPOCH;
        let line = |event: &Event| format!("{}\n", serde_json::to_string(event).unwrap());
        let started = line(&Event::Started { at, supervisor: me.clone(), digest: spec.digest(&[]) });
        let running = line(&Event::Running { at, process: me.clone() });
        fs::write(place.events(), started.trim_end()).unwrap();
        assert_eq!(state(&place).unwrap(), StepState::Starting, "a torn line says nothing");
        fs::write(place.events(), format!("{started}{running}")).unwrap();
        assert_eq!(state(&place).unwrap(), StepState::Running { process: Some(me.clone()) });
        drop(lock);
        assert_eq!(state(&place).unwrap(), StepState::Unknown { process: Some(me), is_alive: true });
        fs::write(place.events(), &started).unwrap();
        assert_eq!(state(&place).unwrap(), StepState::Unknown { process: None, is_alive: false });
        let refused = line(&Event::Refused { at, why: "no".to_owned() });
        fs::write(place.events(), format!("{started}{refused}")).unwrap();
        assert_eq!(state(&place).unwrap(), StepState::Refused { why: "no".to_owned() });
    }
}

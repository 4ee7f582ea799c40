//! What a dead supervisor left running: found by the mark that every descendant carries, ended on request.

use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal};

use super::event::Survivor;
use super::place::Place;
use super::proc::{self, Stat};
use super::spec::PATIENCE;

/// Variable that marks every descendant of a step. A process can throw it away; most never look at it.
pub const MARK: &str = "RB_STEP_DIR";

/// Processes of that step that still run. Only to be asked when its supervisor is gone; while it lives it knows better.
#[must_use]
pub fn orphans(place: &Place) -> Vec<Survivor> {
    let told = |stat: Stat| Survivor { pid: stat.pid, command: proc::command_line(stat.pid) };
    marked(place).into_iter().map(told).collect()
}

/// Ends them: SIGTERM, up to five seconds, SIGKILL. Returns those that are left. Blocks that long.
#[must_use]
pub fn end_orphans(place: &Place) -> Vec<Survivor> {
    for (signal, patience) in [(Signal::TERM, PATIENCE), (Signal::KILL, Duration::from_secs(1))] {
        for stat in marked(place) {
            send(&stat, signal);
        }
        let until = Instant::now() + patience;
        while Instant::now() < until && !marked(place).is_empty() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    orphans(place)
}

fn marked(place: &Place) -> Vec<Stat> {
    proc::with_variable(MARK, &place.path().display().to_string())
}

/// To exactly that process.
pub(super) fn send(stat: &Stat, signal: Signal) {
    let Some(pid) = Pid::from_raw(stat.pid) else { return };
    let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    // Its number may have been given to another one since we looked.
    if proc::stat(stat.pid).is_some_and(|now| now.start_time == stat.start_time) {
        let _ = rustix::process::pidfd_send_signal(&process, signal);
    }
}

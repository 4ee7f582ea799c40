//! Every descendant, wherever it fled: as child sub-reaper we inherit whom their parents left, so none leaves the tree.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};

use crate::step::orphans::send;
use crate::step::proc::{self, Stat};

/// How long the sweep goes on: processes in the kernel's hands do not die at once, some never.
const SWEEP: Duration = Duration::from_secs(2);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Descendants that live, the command itself among them.
pub(super) fn living() -> Vec<Stat> {
    let me = rustix::process::getpid().as_raw_nonzero().get();
    proc::descendants(me).into_iter().filter(Stat::is_alive).collect()
}

/// Sends a signal to the group, and wakes those that are stopped so that they can obey.
pub(super) fn signal_group(group: Pid, signal: Signal) {
    let _ = rustix::process::kill_process_group(group, signal);
    let _ = rustix::process::kill_process_group(group, Signal::CONT);
}

/// Sends a signal to each descendant.
pub(super) fn signal_all(signal: Signal) {
    for stat in living() {
        send(&stat, signal);
    }
}

/// Kills until none is left or the time is up; those that are left.
pub(super) fn sweep(group: Pid) -> Vec<Stat> {
    let until = Instant::now() + SWEEP;
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    loop {
        let left = living();
        if left.is_empty() || Instant::now() >= until {
            return left;
        }
        for stat in &left {
            send(stat, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
        reap_orphans(group);
    }
}

/// Waits for children that others left to us and that have ended, never for the command itself.
pub(super) fn reap_orphans(command: Pid) {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // Cheap in the usual case: nobody has ended.
    if !matches!(rustix::process::waitid(WaitId::All, look), Ok(Some(_))) {
        return;
    }
    let me = rustix::process::getpid().as_raw_nonzero().get();
    for stat in proc::all() {
        if stat.parent == me
            && !stat.is_alive()
            && let Some(pid) = Pid::from_raw(stat.pid).filter(|pid| *pid != command)
        {
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
}

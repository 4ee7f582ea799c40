//! How a command is ended: SIGINT, SIGTERM, SIGKILL to its group, then every descendant. Pure: time comes in.

use std::time::{Duration, Instant};

use crate::step::spec::Ladder;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// SIGINT to the group.
    Interrupt,
    /// SIGTERM to the group, and to what has left it when the command itself is gone.
    Terminate,
    /// SIGKILL to the group and to every descendant, until none is left.
    Sweep,
}

/// Where on the ladder it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Climb {
    ladder: Ladder,
    rung: Act,
    since: Instant,
}

impl Climb {
    /// The first rung; [`Act::Interrupt`] is to be done now.
    pub(super) fn begin(ladder: Ladder, now: Instant) -> Self {
        Self { ladder, rung: Act::Interrupt, since: now }
    }

    /// The next rung, when it is time: the patience is over, or the command is gone and has left processes behind, which
    /// a shell made deaf to SIGINT. `None` while there is nothing to do.
    pub(super) fn next(&mut self, now: Instant, is_command_gone: bool) -> Option<Act> {
        let is_over = now.saturating_duration_since(self.since) >= self.patience();
        let next = match self.rung {
            Act::Interrupt if is_over || is_command_gone => Act::Terminate,
            Act::Terminate if is_over => Act::Sweep,
            Act::Interrupt | Act::Terminate | Act::Sweep => return None,
        };
        self.rung = next;
        self.since = now;
        Some(next)
    }

    fn patience(&self) -> Duration {
        match self.rung {
            Act::Interrupt => self.ladder.interrupt,
            Act::Terminate => self.ladder.terminate,
            Act::Sweep => Duration::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_has_its_time_and_comes_once() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut climb = Climb::begin(Ladder::default(), start);
        assert_eq!(climb.next(after(4), false), None);
        assert_eq!(climb.next(after(5), false), Some(Act::Terminate));
        assert_eq!(climb.next(after(9), true), None, "who got SIGTERM has its five seconds");
        assert_eq!(climb.next(after(10), true), Some(Act::Sweep));
        assert_eq!(climb.next(after(999), false), None);
    }

    #[test]
    fn what_a_gone_command_left_does_not_wait_for_the_interrupt_to_pass() {
        let start = Instant::now();
        let mut climb = Climb::begin(Ladder::default(), start);
        assert_eq!(climb.next(start, true), Some(Act::Terminate));
        assert_eq!(climb.next(start, true), None);
    }
}

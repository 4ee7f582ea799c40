//! When the next frame may be drawn: at once after a key, calmly for what the world does, never lost. Pure: instants come
//! in as spans since the loop began.

use std::time::Duration;

/// Between two frames after keys: 120 Hz, what a hand on the repeat key can use.
pub const KEY_GAP: Duration = Duration::from_millis(8);

/// Between two frames while output streams into the pane that people look at, or the size changes.
pub const STREAM_GAP: Duration = Duration::from_millis(33);

/// Between two frames for everything else: ten times a second is as fast as people read.
pub const CALM_GAP: Duration = Duration::from_millis(100);

/// A frame that took longer to write than this went to a slow terminal.
pub const SLOW_WRITE: Duration = Duration::from_millis(50);

/// The longest gap a slow terminal leads to.
pub const MOST_GAP: Duration = Duration::from_millis(500);

/// How urgent a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The world changed.
    Calm,
    /// Output streams, or the terminal is being resized.
    Stream,
    /// A person did something.
    Key,
}

/// When the next frame may be drawn.
#[derive(Clone, Debug)]
pub struct Pacer {
    least: Duration,
    last: Option<Duration>,
    wanted: Option<Urgency>,
    slow: Duration,
}

impl Pacer {
    /// `fps` lowers how often frames are drawn.
    #[must_use]
    pub fn new(fps: Option<u16>) -> Self {
        let least = fps.map_or(Duration::ZERO, |fps| Duration::from_secs(1) / u32::from(fps.max(1)));
        Self { least, last: None, wanted: None, slow: Duration::ZERO }
    }

    /// Something changed that can be seen.
    pub fn want(&mut self, urgency: Urgency) {
        self.wanted = self.wanted.max(Some(urgency));
    }

    /// When to draw; `None` while nothing changed. May lie in the past.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let wanted = self.wanted?;
        let Some(last) = self.last else { return Some(Duration::ZERO) };
        let gap = match wanted {
            Urgency::Key => KEY_GAP,
            Urgency::Stream => STREAM_GAP,
            Urgency::Calm => CALM_GAP,
        };
        Some(last.saturating_add(gap.max(self.least).max(self.slow)))
    }

    /// A frame was drawn at `at`.
    pub fn drawn(&mut self, at: Duration) {
        self.last = Some(at);
        self.wanted = None;
    }

    /// The terminal took a frame in so long. Gaps double while it is slow, and go back when it is not.
    pub fn written(&mut self, took: Duration) {
        self.slow = if took > SLOW_WRITE {
            (self.slow * 2).clamp(CALM_GAP, MOST_GAP)
        } else if self.slow <= CALM_GAP {
            Duration::ZERO
        } else {
            self.slow / 2
        };
    }

    /// Whether frames are left out because the terminal takes them slowly.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        !self.slow.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn keys_are_quick_and_the_world_is_calm() {
        let mut pacer = Pacer::new(None);
        assert_eq!(pacer.due(), None);
        pacer.want(Urgency::Calm);
        assert_eq!(pacer.due(), Some(Duration::ZERO), "the first frame waits for nothing");
        pacer.drawn(ms(1_000));
        pacer.want(Urgency::Calm);
        assert_eq!(pacer.due(), Some(ms(1_100)));
        pacer.want(Urgency::Key);
        pacer.want(Urgency::Calm);
        assert_eq!(pacer.due(), Some(ms(1_008)), "a key is not slowed down by facts");
    }

    #[test]
    fn a_slow_terminal_gets_fewer_frames_and_recovers() {
        let mut pacer = Pacer::new(Some(20));
        pacer.drawn(ms(0));
        pacer.want(Urgency::Key);
        assert_eq!(pacer.due(), Some(ms(50)), "--fps 20");
        for _ in 0..5 {
            pacer.written(ms(80));
        }
        assert_eq!(pacer.due(), Some(ms(500)));
        assert!(pacer.is_slow());
        for _ in 0..4 {
            pacer.written(ms(1));
        }
        assert!(!pacer.is_slow());
    }

    proptest! {
        /// Whatever comes when: a change is always drawn, at most [`MOST_GAP`] after it came, and never too soon.
        #[test]
        fn the_trailing_frame_is_never_lost(
            changes in proptest::collection::vec((0_u64..300, 0_usize..3), 1..60),
            writes in proptest::collection::vec(0_u64..120, 1..60),
        ) {
            let urgencies = [Urgency::Calm, Urgency::Stream, Urgency::Key];
            let mut pacer = Pacer::new(None);
            let mut now = 0;
            let mut drawn: Vec<u64> = Vec::new();
            let mut undrawn: Option<u64> = None;
            for (at, (gap, urgency)) in changes.iter().enumerate() {
                let next = now + gap;
                // The loop sleeps until the frame is due or the next change comes.
                while let Some(due) = pacer.due().map(|due| due.as_millis() as u64).filter(|due| *due <= next) {
                    let when = due.max(now);
                    prop_assert!(undrawn.take().is_some_and(|since| when - since <= 500));
                    prop_assert!(drawn.last().is_none_or(|last| when - last >= 8));
                    drawn.push(when);
                    pacer.drawn(ms(when));
                    pacer.written(ms(writes[at % writes.len()]));
                }
                now = next;
                pacer.want(urgencies[*urgency]);
                undrawn = undrawn.or(Some(now));
            }
            prop_assert!(pacer.due().is_some());
        }
    }
}

//! What the engine was told that people look at. A cursor that runs through the list asks for nothing until it rests.

use chrono::Duration;

use crate::domain::action::Target;
use crate::domain::time::Timestamp;

/// How long the cursor must rest on an incident before its details are asked for.
pub const REST: Duration = Duration::milliseconds(120);

/// What the engine was told that people look at.
#[derive(Clone, Debug, Default)]
pub struct Attention {
    told: Option<Target>,
    next: Option<(Option<Target>, Timestamp)>,
}

impl Attention {
    /// The cursor is on `target` at `now`.
    pub fn rests_on(&mut self, target: Option<Target>, now: Timestamp) {
        if target == self.told {
            self.next = None;
        } else if self.next.as_ref().is_none_or(|(next, _)| *next != target) {
            self.next = Some((target, now));
        }
    }

    /// What to tell the engine now, if anything.
    pub fn due(&mut self, now: Timestamp) -> Option<Option<Target>> {
        let (_, since) = self.next.as_ref()?;
        if self.told.is_some() && now.signed_duration_since(*since) < REST {
            return None;
        }
        let (target, _) = self.next.take()?;
        self.told.clone_from(&target);
        Some(target)
    }

    /// When something may be due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.next.as_ref().map(|(_, since)| *since + REST)
    }
}

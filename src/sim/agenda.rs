//! Things that are due at an instant, in order; equal instants keep the order in which they were put in.

use std::collections::BTreeMap;

use crate::domain::time::Timestamp;

/// A list of things due.
#[derive(Clone, Debug)]
pub struct Agenda<T> {
    due: BTreeMap<(Timestamp, u64), T>,
    next_key: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), next_key: 0 }
    }
}

impl<T> Agenda<T> {
    /// Puts `what` in at `at`.
    pub fn put(&mut self, at: Timestamp, what: T) {
        self.next_key += 1;
        self.due.insert((at, self.next_key), what);
    }

    /// When the first thing is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Takes the first thing that is due at or before `now`.
    pub fn take_due(&mut self, now: Timestamp) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.due.pop_first().map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_things_in_time_order_and_equal_instants_as_put() {
        let at = |second: i64| Timestamp::from_timestamp(second, 0).unwrap();
        let mut agenda = Agenda::default();
        agenda.put(at(5), "late");
        agenda.put(at(1), "first");
        agenda.put(at(1), "second");
        assert_eq!(agenda.take_due(at(4)), Some("first"));
        assert_eq!(agenda.take_due(at(4)), Some("second"));
        assert_eq!(agenda.take_due(at(4)), None);
        assert_eq!(agenda.next(), Some(at(5)));
    }
}

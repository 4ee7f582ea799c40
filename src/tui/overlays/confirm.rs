//! What exactly will happen, to whom, and the key that lets it. Pastes and replies of the terminal never confirm.

use chrono::Duration;

use crate::config::keymap::{Chord, Key};
use crate::domain::action::Intent;
use crate::domain::id::{IncidentId, StepId};
use crate::domain::run::{Approval, Digest, RunId, Wanted};
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::textbox::TextBox;

/// How long the keyboard must have been quiet before a key confirms: a key typed ahead, held down or sent by the
/// terminal itself comes sooner.
pub const QUIET: Duration = Duration::milliseconds(150);

/// The key that confirms.
pub const CONFIRM_KEY: char = 'y';

/// A question.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// What is asked, such as "Escalate 2 incidents?".
    pub title: Clean,
    /// What will happen, a line for each target.
    pub will: Vec<Clean>,
    /// What the person should know before: old data, somebody else's acknowledgement.
    pub warnings: Vec<Clean>,
    /// What lets it happen.
    pub demand: Demand,
    /// What is done then; targets were fixed when the key was pressed.
    pub then: Then,
    /// Since when no key came: the question appeared, or a key that is none of its answers.
    pub quiet_since: Timestamp,
    /// First visible line of `will`.
    pub offset: usize,
}

/// What a confirmed question does.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// These actions, in one batch.
    Act(Vec<Intent>),
    /// Let exactly this step run.
    Approve {
        /// Of which run.
        run: RunId,
        /// Which step.
        step: StepId,
        /// Exactly what was shown.
        digest: Digest,
        /// How it is approved.
        how: Approval,
        /// For which incident: how it stands is looked up when the key comes.
        incident: Option<IncidentId>,
    },
    /// Ask this of a run.
    Order {
        /// Which run.
        run: RunId,
        /// What.
        what: Box<Wanted>,
    },
    /// Leave the room.
    Quit,
}

/// What lets it happen.
#[derive(Clone, Debug)]
pub enum Demand {
    /// Enter: it only reads.
    Enter,
    /// [`CONFIRM_KEY`].
    Key,
    /// Typing a name, then Enter.
    Name {
        /// What must be typed.
        wanted: Clean,
        /// What was typed.
        typed: TextBox,
    },
}

impl Confirm {
    /// Whether letters are text here.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        matches!(self.demand, Demand::Name { .. })
    }

    /// Whether the key would confirm at `now`.
    #[must_use]
    pub fn is_armed(&self, now: Timestamp) -> bool {
        now.signed_duration_since(self.quiet_since) >= QUIET
    }
}

/// What a key did to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays open.
    Open,
    /// It was let go.
    Cancelled,
    /// It was confirmed.
    Confirmed,
}

impl Confirm {
    /// A key. Only a lone key after a quiet time confirms: every key that is no answer, comes too soon or comes in a
    /// burst begins the quiet time again, so neither typing ahead nor a held key nor an answer of the terminal confirms.
    pub fn press(&mut self, chord: Chord, in_burst: bool, now: Timestamp) -> Verdict {
        let is_armed = self.is_armed(now) && !in_burst;
        self.quiet_since = now;
        if !in_burst && (chord == Chord::plain(Key::Esc) || chord == Chord::ctrl('c')) {
            return Verdict::Cancelled;
        }
        match chord.key {
            Key::Down => self.offset = self.offset.saturating_add(1).min(self.will.len().saturating_sub(1)),
            Key::Up => self.offset = self.offset.saturating_sub(1),
            Key::PageDown => self.offset = self.offset.saturating_add(10).min(self.will.len().saturating_sub(1)),
            Key::PageUp => self.offset = self.offset.saturating_sub(10),
            _ => return self.answer(chord, in_burst, is_armed),
        }
        Verdict::Open
    }

    fn answer(&mut self, chord: Chord, in_burst: bool, is_armed: bool) -> Verdict {
        match &mut self.demand {
            Demand::Enter if chord == Chord::plain(Key::Enter) && is_armed => Verdict::Confirmed,
            Demand::Enter if chord == Chord::char('n') && !in_burst => Verdict::Cancelled,
            Demand::Enter => Verdict::Open,
            Demand::Key if chord == Chord::char(CONFIRM_KEY) && is_armed => Verdict::Confirmed,
            Demand::Key if chord == Chord::char('n') && !in_burst => Verdict::Cancelled,
            Demand::Key => Verdict::Open,
            Demand::Name { wanted, typed } => {
                if chord == Chord::plain(Key::Enter) {
                    let fits = typed.text().trim() == wanted.as_str();
                    return if fits && is_armed { Verdict::Confirmed } else { Verdict::Open };
                }
                if !in_burst {
                    typed.press(chord);
                }
                Verdict::Open
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(1_790_000_000_000 + millis).unwrap()
    }

    fn question() -> Confirm {
        Confirm {
            title: Clean::new("Resolve?"),
            will: vec![Clean::new("resolve #1")],
            warnings: Vec::new(),
            demand: Demand::Key,
            then: Then::Quit,
            quiet_since: at(0),
            offset: 0,
        }
    }

    #[test]
    fn a_lone_key_after_a_quiet_time_confirms() {
        let yes = Chord::char('y');
        for (presses, wanted) in [
            (&[(yes, false, 149)][..], Verdict::Open),
            (&[(yes, false, 150)][..], Verdict::Confirmed),
            (&[(yes, true, 500)][..], Verdict::Open),
            (&[(yes, false, 100), (yes, false, 200)][..], Verdict::Open),
            (&[(yes, false, 100), (yes, false, 300)][..], Verdict::Confirmed),
            (&[(Chord::plain(Key::Enter), false, 500)][..], Verdict::Open),
            (&[(Chord::char('Y'), false, 500)][..], Verdict::Open),
            (&[(Chord::char('n'), false, 500)][..], Verdict::Cancelled),
            (&[(Chord::plain(Key::Esc), false, 1)][..], Verdict::Cancelled),
        ] {
            let mut confirm = question();
            let last = presses.iter().map(|(chord, burst, millis)| confirm.press(*chord, *burst, at(*millis))).last();
            assert_eq!(last, Some(wanted), "{presses:?}");
        }
    }

    #[test]
    fn many_targets_need_the_word() {
        let mut confirm = question();
        confirm.demand = Demand::Name { wanted: Clean::new("resolve 12"), typed: TextBox::default() };
        let mut now = 1_000;
        for symbol in "resolve 12".chars() {
            now += 30;
            assert_eq!(confirm.press(Chord::char(symbol), false, at(now)), Verdict::Open);
        }
        assert_eq!(confirm.press(Chord::plain(Key::Enter), false, at(now + 20)), Verdict::Open, "too soon");
        assert_eq!(confirm.press(Chord::plain(Key::Enter), false, at(now + 400)), Verdict::Confirmed);
    }

    proptest! {
        /// Whatever the terminal sends in one piece, and however fast keys come, nothing is confirmed.
        #[test]
        fn a_stream_of_keys_never_confirms(keys in proptest::collection::vec((any::<bool>(), 0_i64..150), 1..200)) {
            let mut confirm = question();
            let mut now = 0;
            for (is_yes, gap) in keys {
                now += gap;
                let chord = if is_yes { Chord::char('y') } else { Chord::char('x') };
                prop_assert_eq!(confirm.press(chord, false, at(now)), Verdict::Open);
            }
        }
    }
}

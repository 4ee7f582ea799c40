//! Short notices in a corner. Their weight decides their life: info fades, a warning stays until it was read, an error
//! until it is dismissed.

use chrono::Duration;

use crate::domain::time::Timestamp;
use crate::text::Clean;

/// How long an info stays.
pub const INFO_SPAN: Duration = Duration::seconds(4);

/// How long a warning must have been on screen before the next key counts as having read it.
pub const READ_SPAN: Duration = Duration::seconds(2);

/// More than this many at once hide the screen; older ones are in the problems view.
pub const MOST: usize = 4;

/// How heavy a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Fades.
    Info,
    /// Stays until read: until a key is pressed after it could be read.
    Warning,
    /// Stays until dismissed.
    Error,
}

/// A short notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// How heavy.
    pub weight: Weight,
    /// One sentence.
    pub text: Clean,
    /// When it appeared.
    pub at: Timestamp,
    /// How often the same was said.
    pub times: u32,
}

/// The notices that are shown, oldest first, and those that were.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    shown: Vec<Toast>,
}

impl Toasts {
    /// The notices to draw, oldest first.
    #[must_use]
    pub fn shown(&self) -> &[Toast] {
        &self.shown
    }

    /// Says something; the same words again are counted and not repeated.
    pub fn say(&mut self, weight: Weight, text: impl AsRef<str>, now: Timestamp) {
        let text = Clean::new(text);
        if let Some(known) = self.shown.iter_mut().find(|toast| toast.text == text && toast.weight == weight) {
            known.times = known.times.saturating_add(1);
            known.at = now;
            return;
        }
        self.shown.push(Toast { weight, text, at: now, times: 1 });
        if self.shown.len() > MOST {
            let lightest = self.shown.iter().map(|toast| toast.weight).min().unwrap_or(Weight::Info);
            if let Some(at) = self.shown.iter().position(|toast| toast.weight == lightest) {
                self.shown.remove(at);
            }
        }
    }

    /// Takes away what faded; true when something went.
    pub fn fade(&mut self, now: Timestamp) -> bool {
        let before = self.shown.len();
        self.shown.retain(|toast| toast.weight != Weight::Info || now.signed_duration_since(toast.at) < INFO_SPAN);
        self.shown.len() != before
    }

    /// A key was pressed: warnings that could be read go.
    pub fn read(&mut self, now: Timestamp) {
        self.shown.retain(|toast| toast.weight != Weight::Warning || now.signed_duration_since(toast.at) < READ_SPAN);
    }

    /// Takes the newest error away, else the newest warning; false when there is none.
    pub fn dismiss(&mut self) -> bool {
        let heaviest = self.shown.iter().map(|toast| toast.weight).max();
        match self.shown.iter().rposition(|toast| Some(toast.weight) == heaviest && toast.weight > Weight::Info) {
            Some(at) => {
                self.shown.remove(at);
                true
            }
            None => false,
        }
    }

    /// When the next one fades.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.shown.iter().filter(|toast| toast.weight == Weight::Info).map(|toast| toast.at + INFO_SPAN).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn weight_decides_the_life() {
        let mut toasts = Toasts::default();
        for (weight, text) in [(Weight::Info, "copied"), (Weight::Warning, "slow"), (Weight::Error, "refused")] {
            toasts.say(weight, text, at(0));
        }
        assert_eq!(toasts.next_wake(), Some(at(4)));
        toasts.read(at(1));
        assert!(!toasts.fade(at(3)));
        assert_eq!(toasts.shown().len(), 3);
        assert!(toasts.fade(at(4)));
        toasts.read(at(4));
        assert_eq!(toasts.shown().iter().map(|toast| toast.text.as_str()).collect::<Vec<_>>(), ["refused"]);
        assert!(toasts.dismiss());
        assert!(!toasts.dismiss());
    }

    #[test]
    fn repeated_words_are_counted_and_a_flood_keeps_the_errors() {
        let mut toasts = Toasts::default();
        toasts.say(Weight::Error, "refused", at(0));
        toasts.say(Weight::Error, "refused", at(1));
        assert_eq!(toasts.shown()[0].times, 2);
        for number in 0..20 {
            toasts.say(Weight::Info, format!("copied {number}"), at(2));
        }
        assert_eq!(toasts.shown().len(), MOST);
        assert_eq!(toasts.shown()[0].text.as_str(), "refused");
    }
}

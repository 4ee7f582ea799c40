//! How much a command can change: what decides which key, or which second person, a step needs.

use serde::{Deserialize, Serialize};

/// Safety level of a step. A document can raise it, never lower it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Only looks.
    #[default]
    Read,
    /// Changes something, or nobody knows that it does not.
    Change,
    /// Takes something away: delete, drain, roll back, fail over, scale to nothing.
    Destructive,
    /// Needs another person's approval.
    TwoPerson,
}

impl Level {
    /// Its word in documents and on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change",
            Self::Destructive => "destructive",
            Self::TwoPerson => "two-person",
        }
    }

    /// The level of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Read, Self::Change, Self::Destructive, Self::TwoPerson].into_iter().find(|level| level.word() == word)
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.word())
    }
}

//! The one gate between remote text and anything that shows, stores or sends it.
//!
//! A hostile label can carry terminal escapes, bidi overrides or a flood of combining marks (RELIABILITY F1–F4);
//! ratatui drops some of these and lets others through, so nothing here relies on it.

mod class;
mod marks;
mod neutralise;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::neutralise::{one_line, one_line_or_cut};

/// Text from outside, byte for byte as it came (after UTF-8 repair). It has no `Display` and no `Deref`: the only ways
/// out are [`Untrusted::clean`], for people, and [`Untrusted::expose`], for comparing, matching and sending back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(Arc<str>);

impl Untrusted {
    /// Wraps text that came from outside.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The raw text, for equality, label matching and for sending it back to where it came from; never for showing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether somebody else holds the same allocation.
    #[must_use]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The same text, borrowed.
    #[must_use]
    pub fn borrow(&self) -> UntrustedStr<'_> {
        UntrustedStr(&self.0)
    }

    /// True when there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line, safe for any terminal, log, chat or report: at most [`LINE_BYTES`] of it, the rest is counted. Printable
    /// ASCII shares the allocation.
    #[must_use]
    pub fn clean(&self) -> Clean {
        if is_short_and_plain(&self.0) {
            return Clean(Arc::clone(&self.0));
        }
        Clean(one_line_or_cut(&self.0, LINE_BYTES).into())
    }

    /// Many lines, broken where the text breaks; a line that is too long goes on in the next, without a mark. At most
    /// [`MAX_LINES`] of them, and a last one that counts the rest. For views that people open on purpose.
    #[must_use]
    pub fn clean_lines(&self) -> Vec<Clean> {
        let mut lines = Vec::new();
        let mut told = 0;
        for line in self.0.split_inclusive('\n') {
            told += line.len();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = line.strip_suffix('\r').unwrap_or(line).replace('\t', TAB_STOP);
            let mut rest = line.as_str();
            loop {
                if lines.len() >= MAX_LINES {
                    lines.push(Clean(format!("‹+{} bytes›", self.0.len() - told + rest.len()).into()));
                    return lines;
                }
                let (shown, taken) = one_line(rest, LINE_BYTES);
                lines.push(Clean(shown.into()));
                rest = rest.get(taken..).unwrap_or_default();
                if rest.is_empty() || taken == 0 {
                    break;
                }
            }
        }
        lines
    }
}

/// [`Untrusted`] text that lies in something larger, such as a packed set of labels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UntrustedStr<'a>(&'a str);

impl<'a> UntrustedStr<'a> {
    /// Wraps text that came from outside.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// As [`Untrusted::expose`].
    #[must_use]
    pub fn expose(self) -> &'a str {
        self.0
    }

    /// True when there is no text at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// As [`Untrusted::clean`], in an allocation of its own.
    #[must_use]
    pub fn clean(self) -> Clean {
        Clean(if is_short_and_plain(self.0) { self.0.into() } else { one_line_or_cut(self.0, LINE_BYTES).into() })
    }

    /// A copy that stands for itself.
    #[must_use]
    pub fn to_untrusted(self) -> Untrusted {
        Untrusted::from(self.0)
    }
}

impl fmt::Debug for UntrustedStr<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.clean().as_str(), out)
    }
}

/// Longest line that is kept, in bytes: no list, label or title needs more, and a 1 MiB annotation must cost nothing.
pub const LINE_BYTES: usize = 4_096;

/// Most lines of one text.
pub const MAX_LINES: usize = 2_000;

/// A tab in text of many lines: an indent that people know.
const TAB_STOP: &str = "    ";

fn is_short_and_plain(text: &str) -> bool {
    text.len() <= LINE_BYTES && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.clean().as_str(), out)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Text that passed the gate: no control, bidi, invisible or private-use code point; safe to draw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Clean(Arc<str>);

impl Clean {
    /// Our own words; they pass the gate too, so a formatted remote value cannot slip through.
    pub fn new(text: impl AsRef<str>) -> Self {
        Untrusted::new(text.as_ref()).clean()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts in order; true for the marks of the gate (`‹U+202E›`, `⏎`), which are drawn dim.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, bool)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (piece, after, is_mark) = marks::next(rest)?;
            rest = after;
            Some((piece, is_mark))
        })
    }
}

impl Default for Clean {
    fn default() -> Self {
        Self("".into())
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A journal or cache may have been edited by hand, so what is read back passes the gate again.
impl<'de> Deserialize<'de> for Clean {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Untrusted::deserialize(deserializer).map(|text| text.clean())
    }
}

#[cfg(test)]
mod tests;

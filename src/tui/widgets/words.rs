//! What may be drawn, by type: text that passed the gate, our own literals, ids (printable ASCII by construction), and
//! [`Words`], which are put together from those and numbers.

use std::fmt;

use crate::domain::id::{IncidentId, PagerId, PanelId, RunbookId, SourceId, StepId};
use crate::text::Clean;

/// Text that may reach a cell. A `String` or `&str` of unknown origin may not.
pub trait Shown {
    /// The text.
    fn shown(&self) -> &str;
}

impl Shown for Clean {
    fn shown(&self) -> &str {
        self.as_str()
    }
}

impl Shown for &Clean {
    fn shown(&self) -> &str {
        self.as_str()
    }
}

impl Shown for &'static str {
    fn shown(&self) -> &str {
        self
    }
}

macro_rules! shown_ids {
    ($($id:ty),*) => {$(
        impl Shown for &$id {
            fn shown(&self) -> &str {
                self.as_str()
            }
        }
    )*};
}

shown_ids!(IncidentId, PagerId, SourceId, RunbookId, StepId, PanelId);

/// A short text put together for one frame: numbers, ages, names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// From a format. What goes in is [`Clean`], an id or a number; the pen stops control characters all the same.
    #[must_use]
    pub fn of(parts: fmt::Arguments<'_>) -> Self {
        Self(parts.as_str().map_or_else(|| parts.to_string(), str::to_owned))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Shown for Words {
    fn shown(&self) -> &str {
        &self.0
    }
}

impl Shown for &Words {
    fn shown(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// Words from a format string.
macro_rules! words {
    ($($part:tt)*) => { $crate::tui::widgets::Words::of(format_args!($($part)*)) };
}

pub(crate) use words;

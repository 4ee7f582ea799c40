//! Themes: roles, not colours. Files in `themes/*.toml`; user files over the embedded ones.
//!
//! A broken theme never blocks the start: what cannot be used falls back to the built-in dark theme, and every fault is
//! a [`Problem`] with file, line and a suggestion. Knows nothing of ratatui: `tui::style` turns a [`Look`] into a style.

use std::sync::Arc;

use crate::domain::problem::Problem;

pub mod capabilities;
pub mod colour;
pub mod role;

mod check;
mod read;
mod resolve;

pub use capabilities::{Capabilities, ColourDepth};
pub use colour::{Colour, Shade};
pub use role::Role;

/// What is in the binary: name and text. The first one is the default.
pub const BUILTIN: [(&str, &str); 5] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// How one role looks. `None` leaves what is underneath.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Look {
    /// Colour of the glyphs.
    pub fg: Option<Shade>,
    /// Colour behind them.
    pub bg: Option<Shade>,
    /// Heavier.
    pub bold: bool,
    /// Fainter, where the terminal can.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Both colours swapped.
    pub reverse: bool,
}

/// A checked theme: a look for every role.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Theme {
    name: Arc<str>,
    looks: Box<[Look]>,
}

/// A theme's text as it was found: the file's name for messages, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeFile {
    /// Shown in problems.
    pub file: String,
    /// TOML.
    pub text: String,
}

impl Theme {
    /// Reads the theme `name`. `find` answers with a user's file of that name, where there is one; files in the binary
    /// come after. Never fails: a role that cannot be read looks as in the dark theme.
    pub fn load(name: &str, find: &dyn Fn(&str) -> Option<ThemeFile>) -> (Self, Vec<Problem>) {
        resolve::load(name, find)
    }

    /// A theme of the binary, or the dark one.
    #[must_use]
    pub fn builtin(name: &str) -> Self {
        Self::load(name, &|_| None).0
    }

    /// Its name in the config.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How `role` looks.
    #[must_use]
    pub fn look(&self, role: Role) -> Look {
        self.looks.get(role as usize).copied().unwrap_or_default()
    }

    /// The name after `name` in the order of [`BUILTIN`], for the key that walks through them.
    #[must_use]
    pub fn after(name: &str) -> &'static str {
        let at = BUILTIN.iter().position(|(known, _)| *known == name);
        let next = at.map_or(0, |at| (at + 1) % BUILTIN.len());
        BUILTIN.get(next).map_or("dark", |(known, _)| known)
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::builtin("dark")
    }
}

#[cfg(test)]
mod tests;

//! What every subcommand starts from: the global options, the environment at the edge, the loaded configuration.

use std::path::PathBuf;

use super::Globals;
use crate::config::files::Places;
use crate::config::load::{self, Inputs, Loaded};
use crate::config::{Config, defaults};

/// What every subcommand starts from.
#[derive(Clone, Debug)]
pub struct Session {
    /// The global options as given.
    pub globals: Globals,
    /// Where our files are.
    pub places: Places,
}

impl Session {
    /// Reads where things are; opens no file.
    #[must_use]
    pub fn open(globals: Globals) -> Self {
        let places = Places::find(&environment);
        Self { globals, places }
    }

    /// The configuration with every layer and all its problems. Never fails: what cannot be used falls back.
    #[must_use]
    pub fn load(&self) -> Loaded {
        load::load(&Inputs {
            file: self.globals.config.clone(),
            places: &self.places,
            environment: &environment,
            flags: load::Flags {
                read_only: self.globals.read_only,
                theme: self.globals.theme.clone(),
                keymap: self.globals.keymap.clone(),
            },
        })
    }

    /// What is configured where nothing is.
    #[must_use]
    pub fn defaults(&self) -> Config {
        defaults::config(&self.places, &environment)
    }

    /// The log folder.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.places.state.join("log")
    }
}

/// The process's environment; empty values count as absent, as a shell's `FOO= warroom` means.
#[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

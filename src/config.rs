//! Configuration: the file, its defaults, its problems; keymaps, themes, secrets; what is built in.
//!
//! Every key has a default but the addresses. A broken file never blocks the start: what cannot be used falls back and
//! is listed as a [`Problem`] with file, line and the fix.

pub mod defaults;
mod environment;
pub mod files;
pub mod load;
pub mod model;
pub mod secrets;
pub mod watch;

pub use crate::domain::problem::Problem;
pub use model::Config;

pub mod keymap;
pub mod theme;

mod read;
mod resolve;

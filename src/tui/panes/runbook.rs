//! The runbook that fits, as a checklist.

pub(crate) mod evidence;
pub mod output;
pub mod screens;
pub mod state;
pub(crate) mod step;
pub mod update;
pub mod view;

pub use state::RunbookState;

//! Who did what when, for the selected incident.

pub mod state;
pub mod update;
pub mod view;

pub use state::{EntryKey, TimelineState};

//! The live list: incidents and alerts, one row each thing people work on.

pub mod search;
pub mod state;
pub mod update;
pub mod view;

pub use state::{IncidentsState, Matches};

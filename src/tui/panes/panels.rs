//! Prometheus panels of the selected incident's service.

pub mod ask;
mod picture;
pub mod state;
pub mod update;
pub mod view;

pub use state::{PanelState, PanelsState, QueryState};

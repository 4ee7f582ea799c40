//! `warroom`: a full-screen terminal console for critical incidents. ARCHITECTURE.md is the map.

pub mod cli;
pub mod config;
pub mod dashboard;
pub mod domain;
pub mod engine;
pub mod runbook;
pub mod sim;
pub mod sources;
pub mod step;
pub mod store;
pub mod text;
pub mod tui;

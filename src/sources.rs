//! One folder per outside system, each with `client` (requests), `wire` (shapes as sent), `map` (pure, to domain), and
//! one HTTP client for all of them.
//!
//! Clients answer values; when to ask, in which order and how often is the engine's. Nothing here reads a clock or
//! draws a random number: both come in through [`http::Edge`]. Must not know store, engine or tui.

pub mod alertmanager;
pub mod error;
pub mod http;
pub mod listing;
pub mod pagerduty;
mod pairs;
pub mod prometheus;

pub use error::{Disposition, SourceError};
pub use http::{Auth, Caps, Credential, Edge, Http, Limits, Settings};
pub use listing::Listing;

#[cfg(test)]
pub(crate) mod testing;

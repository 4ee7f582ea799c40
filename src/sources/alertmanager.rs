//! Alertmanager API v2, 0.25 to 0.34 (apis.md 3). One client per instance; the engine folds the replicas
//! of a cluster and tells what changed.
//!
//! An instance with 50,000 alerts takes a minute to answer: the caller keeps one request in flight and the old data.

mod actions;
mod client;
mod map;
mod routes;
mod split;
mod wire;

use crate::domain::id::SourceId;
use crate::sources::http;
use crate::text::Clean;

pub use client::Client;

/// What a [`Client`] is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The instance's name.
    pub id: SourceId,
    /// Its cluster; replicas share it, and so do their alerts' keys.
    pub cluster: SourceId,
    /// Address, token, limits.
    pub http: http::Settings,
}

/// What an instance says of itself.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its version.
    pub version: Option<Clean>,
    /// `ready`, `settling` or `disabled`.
    pub cluster_state: Clean,
    /// Addresses of its peers, itself included.
    pub peers: Vec<Clean>,
    /// Its configuration as it prints it, secrets left out by Alertmanager.
    pub config: String,
}

#[cfg(test)]
mod tests;

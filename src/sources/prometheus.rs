//! Prometheus's query API, and whatever speaks it: Thanos, Mimir, VictoriaMetrics (apis.md 4).

pub mod answer;
mod client;
mod columns;
mod grid;
mod scan;

use crate::domain::alert::Labels;
use crate::domain::id::SourceId;
use crate::sources::http;
use crate::text::{Clean, Untrusted};

pub use client::Client;
pub use grid::{MAX_POINTS, grid};

/// What a [`Client`] is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name.
    pub id: SourceId,
    /// Address, token, tenant header, limits.
    pub http: http::Settings,
}

/// A rule of the server.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its group.
    pub group: Clean,
    /// The alert's name, or the recorded series'.
    pub name: Untrusted,
    /// Its expression.
    pub query: String,
    /// Whether it raises alerts; else it records.
    pub is_alert: bool,
    /// `inactive`, `pending` or `firing`.
    pub state: Option<Clean>,
    /// Why the last evaluation failed.
    pub last_error: Option<Clean>,
    /// Labels it adds.
    pub labels: Labels,
}

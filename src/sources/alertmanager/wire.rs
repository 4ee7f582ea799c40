//! The shapes that Alertmanager sends. Unknown fields are ignored; what is not required may be missing or null.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::sources::listing::{Each, Soft};
use crate::sources::pairs::{Borrowed, Pairs};
use crate::text::Untrusted;

/// An element of `GET /alerts`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireAlert<'a> {
    #[serde(borrow)]
    pub(super) fingerprint: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) labels: Pairs<'a>,
    #[serde(borrow, default)]
    pub(super) annotations: Pairs<'a>,
    pub(super) starts_at: Timestamp,
    #[serde(default)]
    pub(super) updated_at: Soft<Timestamp>,
    #[serde(borrow, default, rename = "generatorURL")]
    pub(super) generator_url: Option<Borrowed<'a>>,
    #[serde(default)]
    pub(super) receivers: Soft<Vec<WireName>>,
    #[serde(default)]
    pub(super) status: Soft<WireAlertStatus>,
}

/// A receiver.
#[derive(Debug, Deserialize)]
pub(super) struct WireName {
    pub(super) name: String,
}

/// Whether an alert notifies; `mutedBy` is 0.28 and newer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireAlertStatus {
    pub(super) state: String,
    pub(super) silenced_by: Option<Vec<String>>,
    pub(super) inhibited_by: Option<Vec<String>>,
    pub(super) muted_by: Option<Vec<String>>,
}

/// An element of `GET /silences`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSilence {
    pub(super) id: String,
    pub(super) matchers: Vec<WireMatcher>,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    #[serde(default)]
    pub(super) created_by: Soft<Untrusted>,
    #[serde(default)]
    pub(super) comment: Soft<Untrusted>,
    #[serde(default)]
    pub(super) status: Soft<WireSilenceStatus>,
}

/// A matcher; `isEqual` is missing before 0.22 and means true.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireMatcher {
    pub(super) name: Untrusted,
    pub(super) value: Untrusted,
    #[serde(default)]
    pub(super) is_regex: bool,
    #[serde(default = "yes")]
    pub(super) is_equal: bool,
}

fn yes() -> bool {
    true
}

/// Whether a silence works.
#[derive(Debug, Deserialize)]
pub(super) struct WireSilenceStatus {
    pub(super) state: String,
}

/// `GET /status`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireStatus {
    #[serde(default)]
    pub(super) cluster: Soft<WireCluster>,
    #[serde(default)]
    pub(super) version_info: Soft<WireVersion>,
    #[serde(default)]
    pub(super) config: Soft<WireConfig>,
}

/// The cluster as one instance sees it.
#[derive(Debug, Deserialize)]
pub(super) struct WireCluster {
    #[serde(default)]
    pub(super) status: Soft<Untrusted>,
    #[serde(default)]
    pub(super) peers: Each<WirePeer>,
}

/// A peer.
#[derive(Debug, Deserialize)]
pub(super) struct WirePeer {
    #[serde(default)]
    pub(super) address: Soft<Untrusted>,
}

/// The version.
#[derive(Debug, Deserialize)]
pub(super) struct WireVersion {
    #[serde(default)]
    pub(super) version: Soft<Untrusted>,
}

/// The configuration, as YAML.
#[derive(Debug, Deserialize)]
pub(super) struct WireConfig {
    pub(super) original: String,
}

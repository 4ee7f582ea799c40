//! Outside systems that later parts of the product talk to; read and checked already.

use std::collections::BTreeMap;
use std::path::PathBuf;

use url::Url;

use super::SecretSource;
use crate::domain::severity::Severity;
use crate::text::Clean;

/// `[slack]`.
#[derive(Clone, Debug)]
pub struct SlackConfig {
    /// Web API address.
    pub url: Url,
    /// `xoxb-…`.
    pub bot_token: Option<SecretSource>,
    /// `xapp-…`, for Socket Mode.
    pub app_token: Option<SecretSource>,
    /// Slack user id → the operator's name here.
    pub users: BTreeMap<String, Clean>,
    /// Which channel an incident goes to; the first rule that matches.
    pub channels: Vec<ChannelRule>,
}

/// One channel rule; absent conditions match everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRule {
    /// The channel, such as `#incidents`.
    pub channel: Clean,
    /// Only this severity.
    pub severity: Option<Severity>,
    /// Only this service.
    pub service: Option<Clean>,
}

/// `[teams]` (Microsoft Teams).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsConfig {
    /// The address is the secret here: who has it can post.
    pub webhook_url: SecretSource,
}

/// `[statuspage]`.
#[derive(Clone, Debug)]
pub struct StatuspageConfig {
    /// Where status goes.
    pub target: StatusTarget,
    /// Service here → component there.
    pub components: BTreeMap<String, String>,
}

/// A hosted page or a folder of files.
#[derive(Clone, Debug)]
pub enum StatusTarget {
    /// statuspage.io or what speaks its API.
    Hosted {
        /// API address.
        url: Url,
        /// The page.
        page_id: String,
        /// API key.
        token: Option<SecretSource>,
    },
    /// Files in this folder.
    Static {
        /// The folder.
        dir: PathBuf,
    },
}

/// `[kubernetes]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesConfig {
    /// The context that must be in force; the current one when absent.
    pub context: Option<String>,
    /// Default namespace.
    pub namespace: Option<String>,
    /// The program.
    pub kubectl: String,
}

/// `[deployments]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentsConfig {
    /// Where rollouts are read from.
    pub from: Vec<DeploymentSource>,
}

/// Where rollouts are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentSource {
    /// PagerDuty's change events.
    PagerDuty,
    /// Rollouts of Kubernetes deployments.
    Kubernetes,
}

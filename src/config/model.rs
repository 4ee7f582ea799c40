//! The configuration as the rest of the program uses it: complete, checked, typed. `load` makes it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::Duration;
use chrono_tz::Tz;
use url::Url;

use crate::domain::calendar::Calendar;
use crate::domain::correlate::ServiceRule;
use crate::domain::id::SourceId;
use crate::domain::room::RoomSettings;
pub use crate::domain::severity::{EscalateAfter, ResponseMode, SeverityPolicy};
use crate::domain::severity::{Severity, SeverityRules};
use crate::text::Clean;

pub mod outside;
pub mod people;

pub use outside::{
    ChannelRule, DeploymentSource, DeploymentsConfig, KubernetesConfig, SlackConfig, StatusTarget, StatuspageConfig,
    TeamsConfig,
};
pub use people::{
    CalendarConfig, NotifyConfig, NudgeConfig, PolicyConfig, RoleConfig, RuleConfig, TargetsConfig, TeamConfig,
};

/// Everything configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from; `None` when there is none.
    pub file: Option<PathBuf>,
    /// `[room]`.
    pub room: RoomConfig,
    /// `[pagerduty]`, when there is one.
    pub pagerduty: Option<PagerDutyConfig>,
    /// `[[alertmanager]]`.
    pub alertmanagers: Vec<AlertmanagerConfig>,
    /// `[[prometheus]]`; the first one is asked where a panel names none.
    pub prometheus: Vec<PrometheusConfig>,
    /// `[severity.*]`, all four.
    pub severities: BTreeMap<Severity, SeverityPolicy>,
    /// `[[service]]`.
    pub services: Vec<ServiceConfig>,
    /// `[runbooks]`: folders, in order; earlier ones win. The built-in ones come last.
    pub runbook_dirs: Vec<PathBuf>,
    /// `[dashboards]`: folders, in order.
    pub dashboard_dirs: Vec<PathBuf>,
    /// `[runbooks] trust`: what becomes of steps that a foreign runbook brings.
    pub runbook_trust: Trust,
    /// `[notify]`.
    pub notify: NotifyConfig,
    /// `[[team]]`.
    pub teams: Vec<TeamConfig>,
    /// `[[escalation]]`.
    pub escalations: Vec<PolicyConfig>,
    /// `[targets]`.
    pub targets: TargetsConfig,
    /// `[[role]]`.
    pub roles: Vec<RoleConfig>,
    /// `[[nudge]]`.
    pub nudges: Vec<NudgeConfig>,
    /// `[calendar]`.
    pub calendar: CalendarConfig,
    /// `[slack]`.
    pub slack: Option<SlackConfig>,
    /// `[teams]`: Microsoft Teams.
    pub ms_teams: Option<TeamsConfig>,
    /// `[statuspage]`.
    pub statuspage: Option<StatuspageConfig>,
    /// `[kubernetes]`.
    pub kubernetes: KubernetesConfig,
    /// `[deployments]`.
    pub deployments: DeploymentsConfig,
    /// `[secrets]`: what steps of runbooks may get in their environment, by the variable's name.
    pub secrets: BTreeMap<String, SecretSource>,
}

/// What becomes of the steps of a runbook that is not written for this console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// A person says so once for each content.
    #[default]
    Ask,
    /// They never run.
    Never,
    /// They are as good as native ones.
    Always,
}

/// `[room]`.
#[derive(Clone, Debug)]
pub struct RoomConfig {
    /// Shown in the header.
    pub name: Clean,
    /// Who acts: name or e-mail; default `$USER`.
    pub operator: Clean,
    /// Zone of the clock; default the machine's.
    pub time_zone: Tz,
    /// `sqlite:PATH` (default: XDG state folder) or `postgres://…`.
    pub journal: String,
    /// Where a console of a shared room keeps what it does while the database is away.
    pub apart: PathBuf,
    /// Where the last known state of each source is kept; none keeps nothing.
    pub cache: Option<PathBuf>,
    /// Theme by name.
    pub theme: String,
    /// Keymap by name.
    pub keymap: String,
    /// Refuse every action.
    pub read_only: bool,
}

/// Where a secret is found; never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file that only its owner can read.
    File(PathBuf),
    /// First line of a command's output, run without a shell.
    Command(Vec<String>),
    /// The OS keyring: service, user.
    Keyring(String, String),
}

/// How a source is told who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthConfig {
    /// `Authorization: Bearer …`.
    pub bearer: Option<SecretSource>,
    /// `Authorization: Basic …`.
    pub basic: Option<(String, SecretSource)>,
    /// Other headers, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, HeaderValue)>,
}

/// A configured header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// As written.
    Plain(String),
    /// A secret.
    Secret(SecretSource),
}

/// What every HTTP source has.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name in the header and in facts.
    pub id: SourceId,
    /// Its address.
    pub url: Url,
    /// How it is told who we are.
    pub auth: AuthConfig,
    /// Extra certificate authorities (PEM).
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    pub every: Duration,
}

/// `[pagerduty]`.
#[derive(Clone, Debug)]
pub struct PagerDutyConfig {
    /// REST address (default <https://api.pagerduty.com>); `auth` is unused here.
    pub endpoint: Endpoint,
    /// REST token; none for rooms that only hold a routing key.
    pub token: Option<SecretSource>,
    /// E-mail for the `From` header; asked from `/users/me` when absent.
    pub from: Option<String>,
    /// Only these teams (ids).
    pub teams: Vec<String>,
    /// Only these services (ids).
    pub services: Vec<String>,
    /// Only these users (ids).
    pub users: Vec<String>,
    /// Only this urgency.
    pub urgency: Option<crate::domain::incident::Urgency>,
    /// Only those opened in the last so long.
    pub since: Option<Duration>,
    /// Events v2 address.
    pub events_url: Url,
    /// Events v2 routing key.
    pub routing_key: Option<SecretSource>,
}

/// `[[alertmanager]]`.
#[derive(Clone, Debug)]
pub struct AlertmanagerConfig {
    /// This instance.
    pub endpoint: Endpoint,
    /// Instances with the same cluster are replicas: their alerts are folded. Default: the instance's own name.
    pub cluster: SourceId,
}

/// `[[prometheus]]`.
#[derive(Clone, Debug)]
pub struct PrometheusConfig {
    /// This server.
    pub endpoint: Endpoint,
    /// Scrape interval: no step is finer. Default 15 s.
    pub scrape_interval: Duration,
}

/// `[[service]]`: ties alerts and PagerDuty services to one name, dashboard and runbooks.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Its name.
    pub name: Clean,
    /// Its team.
    pub team: Option<Clean>,
    /// Every label must match its glob (`*`, `?`) for an alert to belong here.
    pub labels: BTreeMap<String, String>,
    /// PagerDuty service by id or name.
    pub pagerduty_service: Option<String>,
    /// Which Prometheus has its metrics.
    pub prometheus: Option<SourceId>,
    /// Its scrape job, for `$job` in panels.
    pub job: Option<String>,
    /// Label matchers that pick its series, such as `namespace="shop"`, for `$selector` in panels.
    pub selector: Option<String>,
    /// Share of good requests it promises, 0 to 1.
    pub objective: Option<f64>,
    /// Its dashboard by name.
    pub dashboard: Option<String>,
    /// Its runbooks by id, in order.
    pub runbooks: Vec<String>,
    /// Whether its alerts and incidents are one row each per service (alerts that rules tie to one service).
    pub fold: bool,
}

impl Config {
    /// What the room needs of all this to tell severities, services, clusters and clocks.
    #[must_use]
    pub fn room_settings(&self) -> RoomSettings {
        RoomSettings {
            severities: SeverityRules::new(self.severities.clone()),
            services: self.services.iter().map(ServiceConfig::rule).collect(),
            clusters: (self.alertmanagers.iter())
                .map(|instance| (instance.endpoint.id.clone(), instance.cluster.clone()))
                .collect(),
            pagerduty: self.pagerduty.as_ref().map(|pagerduty| pagerduty.endpoint.id.clone()),
            calendar: Calendar {
                zone: self.calendar.time_zone.unwrap_or(self.room.time_zone),
                days: self.calendar.days.clone(),
                opens: self.calendar.hours.0,
                holidays: self.calendar.holidays.clone(),
            },
            local_policy: self.escalations.first().map(PolicyConfig::policy),
            ..RoomSettings::default()
        }
    }
}

impl ServiceConfig {
    fn rule(&self) -> ServiceRule {
        ServiceRule {
            name: self.name.clone(),
            labels: self.labels.clone(),
            pagerduty_service: self.pagerduty_service.clone(),
            is_folded: self.fold,
        }
    }
}

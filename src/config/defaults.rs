//! Every default in one place. DESIGN.md is where the severities' clocks come from.

use chrono::{Duration, NaiveTime, Weekday};
use chrono_tz::Tz;
use std::collections::BTreeMap;

use super::files::{Environment, Places};
use super::model::{
    CalendarConfig, Config, DeploymentSource, DeploymentsConfig, KubernetesConfig, NotifyConfig, RoleConfig,
    RoomConfig, SeverityPolicy, TargetsConfig, Trust,
};
use crate::domain::severity::Severity;
use crate::text::Clean;

/// How often a source is asked when its section does not say.
pub const POLL_SECONDS: i64 = 15;
/// Prometheus's own default is one minute, its packages' is 15 s; no step is finer.
pub const SCRAPE_SECONDS: i64 = 15;
/// Where PagerDuty's REST API is.
pub const PAGERDUTY_URL: &str = "https://api.pagerduty.com";
/// Where PagerDuty takes events.
pub const PAGERDUTY_EVENTS_URL: &str = "https://events.pagerduty.com";
/// Where Slack's Web API is.
pub const SLACK_URL: &str = "https://slack.com/api";
/// Where Statuspage's API is.
pub const STATUSPAGE_URL: &str = "https://api.statuspage.io/v1";

/// The configuration of somebody who has no file.
#[must_use]
pub fn config(places: &Places, environment: Environment<'_>) -> Config {
    Config {
        file: None,
        room: room(places, environment),
        pagerduty: None,
        alertmanagers: Vec::new(),
        prometheus: Vec::new(),
        severities: Severity::ALL.into_iter().map(|severity| (severity, self::severity(severity))).collect(),
        services: Vec::new(),
        runbook_dirs: vec![places.config.join("runbooks")],
        dashboard_dirs: vec![places.config.join("dashboards")],
        runbook_trust: Trust::Ask,
        notify: NotifyConfig { bell: true, desktop: false, quiet: None },
        teams: Vec::new(),
        escalations: Vec::new(),
        targets: targets(),
        roles: roles(),
        nudges: Vec::new(),
        calendar: calendar(),
        slack: None,
        ms_teams: None,
        statuspage: None,
        kubernetes: KubernetesConfig { context: None, namespace: None, kubectl: "kubectl".to_owned() },
        deployments: DeploymentsConfig { from: vec![DeploymentSource::PagerDuty] },
        secrets: BTreeMap::new(),
    }
}

fn targets() -> TargetsConfig {
    let minutes = |critical, high| {
        [(Severity::Critical, Duration::minutes(critical)), (Severity::High, Duration::minutes(high))].into()
    };
    TargetsConfig { mttr: minutes(30, 120), mtta: minutes(5, 15), mtbf: Duration::days(30), false_positive_rate: 0.05 }
}

fn roles() -> Vec<RoleConfig> {
    let role = |name: &str, lead, duties: &[&str]| RoleConfig {
        name: Clean::new(name),
        lead,
        duties: duties.iter().map(Clean::new).collect(),
    };
    vec![
        role("Incident commander", true, &["Decides", "Keeps the overview", "Calls people in"]),
        role("Operations lead", false, &["Changes systems, and says so first"]),
        role("Communications lead", false, &["Writes status updates on time"]),
        role("Scribe", false, &["Keeps the timeline"]),
    ]
}

fn calendar() -> CalendarConfig {
    let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    CalendarConfig {
        days: vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
        hours: (hour(9), hour(17)),
        holidays: Vec::new(),
        time_zone: None,
    }
}

fn room(places: &Places, environment: Environment<'_>) -> RoomConfig {
    let operator = environment("USER").or_else(|| environment("LOGNAME")).unwrap_or_else(|| "operator".to_owned());
    RoomConfig {
        name: Clean::new("war room"),
        operator: Clean::new(operator),
        time_zone: iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC),
        journal: format!("sqlite:{}", places.state.join("journal.db").display()),
        apart: places.state.join("apart"),
        cache: Some(places.state.join("cache")),
        theme: "dark".to_owned(),
        keymap: "default".to_owned(),
        read_only: false,
    }
}

/// The built-in policy of one severity.
#[must_use]
pub fn severity(severity: Severity) -> SeverityPolicy {
    SeverityPolicy::builtin(severity)
}

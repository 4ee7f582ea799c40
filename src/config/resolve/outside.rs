//! `[slack]`, `[teams]`, `[statuspage]`, `[kubernetes]`, `[deployments]`.

use std::collections::BTreeMap;

use url::Url;

use super::{Around, secret, set};
use crate::config::defaults;
use crate::config::model::{
    ChannelRule, Config, DeploymentSource, SlackConfig, StatusTarget, StatuspageConfig, TeamsConfig,
};
use crate::config::read::Section;
use crate::domain::severity::Severity;

pub(super) fn slack(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("slack", "[slack]") else { return };
    let url = address(&section, defaults::SLACK_URL);
    let bot_token = section.item("bot_token").and_then(|item| secret(&item, around));
    let app_token = section.item("app_token").and_then(|item| secret(&item, around));
    if !section.has("bot_token") {
        section.missing("bot_token", "{ env = \"SLACK_BOT_TOKEN\" }");
    }
    let mut users = BTreeMap::new();
    if let Some(table) = section.table("users", "users of [slack]") {
        for (id, item) in table.entries() {
            users.extend(item.clean().map(|name| (id.to_owned(), name)));
        }
    }
    let channels = section.tables("channels", "channels of [slack]").iter().filter_map(channel).collect();
    section.finish();
    if let Some(url) = url {
        config.slack = Some(SlackConfig { url, bot_token, app_token, users, channels });
    }
}

fn channel(section: &Section<'_>) -> Option<ChannelRule> {
    if !section.has("channel") {
        section.missing("channel", "\"#incidents\"");
    }
    let severities = Severity::ALL.map(|severity| (severity.word(), severity));
    let channel = section.item("channel").and_then(|item| item.clean());
    let severity = section.item("severity").and_then(|item| item.choice(&severities));
    let service = section.item("service").and_then(|item| item.clean());
    section.unknown();
    Some(ChannelRule { channel: channel?, severity, service })
}

pub(super) fn ms_teams(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("teams", "[teams]") else { return };
    if !section.has("webhook_url") {
        section.missing("webhook_url", "{ env = \"TEAMS_WEBHOOK_URL\" }");
    }
    let webhook_url = section.item("webhook_url").and_then(|item| secret(&item, around));
    section.finish();
    config.ms_teams = webhook_url.map(|webhook_url| TeamsConfig { webhook_url });
}

pub(super) fn statuspage(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("statuspage", "[statuspage]") else { return };
    let mut components = BTreeMap::new();
    if let Some(table) = section.table("components", "components of [statuspage]") {
        for (service, item) in table.entries() {
            components.extend(item.text().map(|component| (service.to_owned(), component)));
        }
    }
    let folder = section.table("static", "static of [statuspage]").and_then(|table| {
        if !table.has("dir") {
            table.missing("dir", "\"status\"");
        }
        let dir = table.item("dir").and_then(|item| item.path(around.folder, around.environment));
        table.finish();
        dir
    });
    let url = address(&section, defaults::STATUSPAGE_URL);
    let page_id = section.item("page_id").and_then(|item| item.text());
    let token = section.item("token").and_then(|item| secret(&item, around));
    let target = match (folder, section.has("static"), url, page_id) {
        (Some(dir), ..) => Some(StatusTarget::Static { dir }),
        (None, true, ..) => None,
        (None, false, Some(url), Some(page_id)) => Some(StatusTarget::Hosted { url, page_id, token }),
        (None, false, ..) => {
            if !section.has("page_id") {
                section.missing("page_id", "\"…\"");
            }
            None
        }
    };
    section.finish();
    config.statuspage = target.map(|target| StatuspageConfig { target, components });
}

pub(super) fn kubernetes(config: &mut Config, top: &Section<'_>) {
    let Some(section) = top.table("kubernetes", "[kubernetes]") else { return };
    config.kubernetes.context = section.item("context").and_then(|item| item.text());
    config.kubernetes.namespace = section.item("namespace").and_then(|item| item.text());
    set(&mut config.kubernetes.kubectl, section.item("kubectl").and_then(|item| item.text()));
    section.finish();
}

pub(super) fn deployments(config: &mut Config, top: &Section<'_>) {
    let Some(section) = top.table("deployments", "[deployments]") else { return };
    let words = [("pagerduty", DeploymentSource::PagerDuty), ("kubernetes", DeploymentSource::Kubernetes)];
    let from = section.item("from").and_then(|item| item.list());
    let from = from.map(|list| list.iter().filter_map(|item| item.choice(&words)).collect());
    set(&mut config.deployments.from, from);
    section.finish();
}

fn address(section: &Section<'_>, default: &str) -> Option<Url> {
    match section.item("url") {
        Some(item) => item.url(),
        None if section.has("url") => None,
        None => Url::parse(default).ok(),
    }
}

//! `[[service]]`.

use std::collections::BTreeMap;

use crate::config::model::{Config, ServiceConfig};
use crate::config::read::{Section, nearest};
use crate::domain::id::SourceId;

pub(super) fn services(config: &mut Config, top: &Section<'_>) {
    for section in top.tables("service", "[[service]]") {
        if !section.has("name") {
            section.missing("name", "\"checkout\"");
        }
        let name = section.item("name").and_then(|item| item.clean());
        let (labels, pagerduty_service) = matches(&section);
        let service = ServiceConfig {
            name: name.clone().unwrap_or_default(),
            team: section.item("team").and_then(|item| item.clean()),
            labels,
            pagerduty_service,
            prometheus: section.item("prometheus").and_then(|item| prometheus(config, &item)),
            job: section.item("job").and_then(|item| item.text()),
            selector: section.item("selector").and_then(|item| item.text()),
            objective: section.item("objective").and_then(|item| item.ratio()),
            dashboard: section.item("dashboard").and_then(|item| item.text()),
            runbooks: section.item("runbooks").and_then(|item| item.texts()).unwrap_or_default(),
            fold: section.item("fold").and_then(|item| item.flag()).unwrap_or(false),
        };
        if name.is_some() {
            if config.services.iter().any(|known| known.name == service.name) {
                let message = format!("[[service]] '{}' is there twice", service.name);
                section.sheet.error(&section.span, message, "merge the two; the first one counts");
            } else {
                config.services.push(service);
            }
        }
        section.finish();
    }
}

/// What belongs to the service; without `matches` its name as `service` label and as PagerDuty's name.
fn matches(section: &Section<'_>) -> (BTreeMap<String, String>, Option<String>) {
    let Some(table) = section.table("matches", format!("matches of {}", section.title)) else {
        let name = section.item("name").and_then(|item| item.value.get_ref().as_str().map(str::to_owned));
        let labels = name.iter().map(|name| ("service".to_owned(), name.clone())).collect();
        return (labels, name);
    };
    let pagerduty = table.item("pagerduty").and_then(|item| item.text());
    let mut labels = BTreeMap::new();
    if let Some(globs) = table.table("labels", format!("labels of matches of {}", section.title)) {
        for (name, item) in globs.entries() {
            labels.extend(item.text().map(|glob| (name.to_owned(), glob)));
        }
    }
    if labels.is_empty() && pagerduty.is_none() {
        let fix = "write matches = { labels = { service = \"checkout\" }, pagerduty = \"Checkout\" }";
        table.sheet.error(&table.span, format!("{} match nothing", table.title), fix);
    }
    table.finish();
    (labels, pagerduty)
}

fn prometheus(config: &Config, item: &crate::config::read::Item<'_>) -> Option<SourceId> {
    let text = item.text()?;
    let known: Vec<&str> = config.prometheus.iter().map(|known| known.endpoint.id.as_str()).collect();
    if known.contains(&text.as_str()) {
        return SourceId::parse(&text);
    }
    let fix = match nearest(&text, &known) {
        Some(near) => format!("did you mean '{near}'?"),
        None if known.is_empty() => "add a [[prometheus]] with this name".to_owned(),
        None => format!("known are {}", known.join(", ")),
    };
    item.error(format!("{} names no [[prometheus]]: '{text}'", item.what), fix);
    None
}

//! What Alertmanager's PagerDuty integration says of a group.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::route::Destination;
use super::{Alerting, AmAlert, LabelSet, Shape, fingerprint, label, millis};

/// Largest event that PagerDuty takes; beyond it Alertmanager drops the details.
const EVENT_BYTES: usize = 512_000;

/// What Alertmanager tells PagerDuty.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The receiver's name.
    pub receiver: String,
    /// The event's dedup key.
    pub dedup_key: String,
    /// Trigger, else resolve.
    pub is_trigger: bool,
    /// The event's summary.
    pub summary: String,
    /// PagerDuty's severity word.
    pub severity: &'static str,
    /// The event's custom details.
    pub details: Value,
}

impl Alerting {
    pub(super) fn notification(
        &self,
        destination: &Destination,
        firing: &BTreeSet<String>,
        resolved: &BTreeSet<String>,
    ) -> Notification {
        let list = |ids: &BTreeSet<String>| ids.iter().filter_map(|id| self.alerts.get(id)).collect::<Vec<_>>();
        let (firing, resolved) = (list(firing), list(resolved));
        let shown = if firing.is_empty() { &resolved } else { &firing };
        let name = destination.group_labels.get("alertname").map_or("alert", String::as_str);
        let summary = shown.first().and_then(|alert| alert.annotations.get("summary")).map_or(name, String::as_str);
        let more = if shown.len() > 1 { format!(" (+{} more)", shown.len() - 1) } else { String::new() };
        let severity =
            shown.iter().map(|alert| pager_severity(label(&alert.labels, "severity"))).max_by_key(|word| rank(word));
        let instances = |alerts: &[&AmAlert]| match self.shape {
            Shape::Current => Value::Array(alerts.iter().map(|alert| instance_json(alert)).collect()),
            Shape::Old => Value::String(alerts.iter().map(|alert| instance_text(alert)).collect()),
        };
        let mut details = json!({
            "firing": instances(&firing),
            "num_firing": firing.len().to_string(),
            "num_resolved": resolved.len().to_string(),
            "resolved": instances(&resolved),
        });
        if details.to_string().len() > EVENT_BYTES {
            details = json!({"error": "Custom details have been removed because the original event exceeds the maximum size of 512KB"});
        }
        Notification {
            receiver: destination.receiver.clone(),
            dedup_key: destination.dedup_key(),
            is_trigger: !firing.is_empty(),
            summary: format!("{summary}{more}"),
            severity: severity.unwrap_or("error"),
            details,
        }
    }
}

/// PagerDuty's word for a `severity` label.
fn pager_severity(word: &str) -> &'static str {
    match word {
        "critical" | "page" => "critical",
        "medium" | "warning" => "warning",
        "low" | "info" => "info",
        _ => "error",
    }
}

fn rank(word: &str) -> u8 {
    match word {
        "critical" => 3,
        "error" => 2,
        "warning" => 1,
        _ => 0,
    }
}

fn instance_json(alert: &AmAlert) -> Value {
    json!({
        "status": if alert.ended_at.is_some() { "resolved" } else { "firing" },
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": millis(alert.starts_at),
        "endsAt": alert.ended_at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), millis),
        "generatorURL": alert.generator_url,
        "fingerprint": fingerprint(&alert.labels),
    })
}

fn instance_text(alert: &AmAlert) -> String {
    let lines = |set: &LabelSet| set.iter().map(|(name, value)| format!(" - {name} = {value}\n")).collect::<String>();
    format!(
        "Labels:\n{}Annotations:\n{}Source: {}\n",
        lines(&alert.labels),
        lines(&alert.annotations),
        alert.generator_url
    )
}

//! `[severity.NAME]`.

use chrono::Duration;

use super::set;
use crate::config::model::{Config, EscalateAfter, ResponseMode};
use crate::config::read::{Item, Section};
use crate::domain::severity::Severity;

const MOST: Duration = Duration::days(30);

pub(super) fn severities(config: &mut Config, top: &Section<'_>) {
    let Some(section) = top.table("severity", "[severity]") else { return };
    for severity in Severity::ALL {
        let word = severity.word();
        let Some(section) = section.table(word, format!("[severity.{word}]")) else { continue };
        let Some(policy) = config.severities.get_mut(&severity) else { continue };
        set(&mut policy.description, section.item("description").and_then(|item| item.clean()));
        set(&mut policy.examples, section.item("examples").and_then(|item| item.cleans()));
        set(&mut policy.response, section.item("response").and_then(|item| item.duration(Duration::seconds(1), MOST)));
        set(&mut policy.escalate, section.item("escalate").and_then(|item| escalate(&item)));
        let modes = [
            ("war-room", ResponseMode::WarRoom),
            ("standard", ResponseMode::Standard),
            ("normal", ResponseMode::Normal),
        ];
        set(&mut policy.mode, section.item("mode").and_then(|item| item.choice(&modes)));
        let review = section.item("review").and_then(|item| item.choice(&[("required", true), ("optional", false)]));
        set(&mut policy.review_required, review);
        set(&mut policy.priorities, section.item("priorities").and_then(|item| item.texts()));
        let labels = section.item("labels").and_then(|item| item.texts());
        set(&mut policy.labels, labels.map(|labels| labels.iter().map(|label| label.to_lowercase()).collect()));
        section.finish();
    }
    check_overlaps(config, &section);
    section.finish();
}

/// A priority or label that means two severities would make the row depend on the order of looking.
fn check_overlaps(config: &Config, section: &Section<'_>) {
    let mut seen = std::collections::BTreeMap::new();
    for severity in Severity::ALL {
        let Some(policy) = config.severities.get(&severity) else { continue };
        let priorities = policy.priorities.iter().map(|word| ("priority", word.to_lowercase()));
        let labels = policy.labels.iter().map(|word| ("label", word.clone()));
        for (kind, word) in priorities.chain(labels) {
            let first = *seen.entry((kind, word.clone())).or_insert(severity);
            if first != severity {
                let message = format!("{kind} '{word}' means both {} and {}", first.word(), severity.word());
                let fix = format!("keep it in one of them; until then it means {}", first.word());
                section.sheet.warn(&section.span, message, fix);
            }
        }
    }
}

fn escalate(item: &Item<'_>) -> Option<EscalateAfter> {
    match item.value.get_ref().as_str() {
        Some("now") => Some(EscalateAfter::Now),
        Some("next-business-day") => Some(EscalateAfter::NextBusinessDay),
        Some(text) if text.starts_with(|first: char| !first.is_ascii_digit()) => {
            let fix = "write \"now\", \"next-business-day\" or a duration such as \"30m\"";
            item.error(format!("{} cannot be '{text}'", item.what), fix);
            None
        }
        _ => item.duration(Duration::zero(), MOST).map(EscalateAfter::Span),
    }
}

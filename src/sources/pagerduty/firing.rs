//! Which Alertmanager alerts a PagerDuty alert tells of: `custom_details.firing`, in the two forms in which Alertmanager's
//! own notifier writes it (apis.md 3). Pure.

use serde_json::Value;

use crate::domain::alert::{Fingerprint, Labels};
use crate::domain::correlate::fingerprint;
use crate::text::UntrustedStr;

/// Most alerts of one event that are looked at: a body is at most 512 KB, and a storm's tail ties nothing new.
const MOST: usize = 1_000;

/// Fingerprints of the alerts that were firing when the event was sent.
pub(super) fn fingerprints(details: &Value) -> Vec<Fingerprint> {
    let mut found = match details.get("firing") {
        Some(Value::Array(alerts)) => from_json(alerts),
        // A template of the user's own may send the new form as a text.
        Some(Value::String(text)) if text.trim_start().starts_with('[') => {
            serde_json::from_str::<Vec<Value>>(text).map(|alerts| from_json(&alerts)).unwrap_or_default()
        }
        Some(Value::String(text)) => from_text(text),
        _ => Vec::new(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// 0.30 and newer: alerts as templates see them. The labels are what counts; the word `fingerprint` is taken where
/// there are none.
fn from_json(alerts: &[Value]) -> Vec<Fingerprint> {
    let one = |alert: &Value| match alert.get("labels") {
        Some(Value::Object(labels)) if !labels.is_empty() => {
            let pairs = labels.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
            Some(fingerprint(&pairs.collect::<Labels>()))
        }
        _ => u64::from_str_radix(alert.get("fingerprint")?.as_str()?, 16).ok().map(Fingerprint),
    };
    alerts.iter().take(MOST).filter_map(one).collect()
}

/// Up to 0.29: `Labels:`, lines of ` - name = value`, `Annotations:`, more such lines, `Source: URL`, and again.
fn from_text(text: &str) -> Vec<Fingerprint> {
    #[derive(PartialEq)]
    enum At {
        Between,
        Labels,
        /// A value of several lines: the set cannot be told from the text.
        Broken,
        Annotations,
    }
    let mut found = Vec::new();
    let mut labels: Vec<(&str, UntrustedStr<'_>)> = Vec::new();
    let mut at = At::Between;
    for line in text.lines() {
        if found.len() >= MOST {
            break;
        }
        at = match (at, line) {
            (At::Between, "Labels:") => {
                labels.clear();
                At::Labels
            }
            (At::Labels, "Annotations:") => {
                found.push(fingerprint(&Labels::new(labels.drain(..))));
                At::Annotations
            }
            (At::Labels, line) => match line.strip_prefix(" - ").and_then(|pair| pair.split_once(" = ")) {
                Some((name, value)) => {
                    labels.push((name, UntrustedStr::new(value)));
                    At::Labels
                }
                None => At::Broken,
            },
            (At::Broken, "Annotations:") => At::Annotations,
            (At::Annotations | At::Broken, line) if line.starts_with("Source: ") || line == "Source:" => At::Between,
            (at, _) => at,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn shown(details: &Value) -> Vec<String> {
        fingerprints(details).iter().map(ToString::to_string).collect()
    }

    const BURN: &str = "Labels:\n - alertname = CheckoutErrorBudgetBurn\n - cluster = lab\n - service = checkout\n - severity = critical\n\
                        Annotations:\n - runbook_url = https://runbooks.example/checkout\n - summary = burn 9.091%\n\
                        Source: http://vm:18190/graph?g0.expr=x&g0.tab=1\n";
    const RES: &str = "Labels:\n - alertname = Res\n - cluster = lab\n - service = checkout\n - severity = critical\nAnnotations:\nSource: \n";

    #[test]
    fn as_alertmanager_0_25_wrote_it() {
        assert_eq!(shown(&json!({"firing": BURN})), ["dc11d3baefd32752"]);
        assert_eq!(
            shown(&json!({"firing": format!("{BURN}{RES}"), "resolved": ""})),
            ["dc11d3baefd32752", "f347a538476c61da"]
        );
    }

    #[test]
    fn as_0_30_and_newer_write_it() {
        let labels = json!({"alertname": "Res", "cluster": "lab", "service": "checkout", "severity": "critical"});
        let alert = json!({"status": "firing", "labels": labels, "fingerprint": "ffff"});
        assert_eq!(
            shown(&json!({"firing": [alert.clone(), {"fingerprint": "dc11d3baefd32752"}]})),
            ["dc11d3baefd32752", "f347a538476c61da"]
        );
        assert_eq!(shown(&json!({"firing": json!([alert]).to_string()})), ["f347a538476c61da"]);
    }

    #[test]
    fn a_value_of_several_lines_loses_only_its_own_alert() {
        let broken = "Labels:\n - alertname = X\n - text = one\ntwo\nAnnotations:\n - a = Labels:\nSource: \n";
        assert_eq!(shown(&json!({"firing": format!("{broken}{RES}")})), ["f347a538476c61da"]);
        let note =
            "Labels:\n - alertname = A\nAnnotations:\n - a = x\nLabels:\n - alertname = Fake\nAnnotations:\nSource: \n";
        assert_eq!(shown(&json!({"firing": note})).len(), 1, "labels inside an annotation are no alert");
    }

    #[test]
    fn anything_else_tells_nothing() {
        for details in [
            json!(null),
            json!({}),
            json!([]),
            json!({"firing": 3}),
            json!({"firing": "x"}),
            json!({"firing": "[1"}),
            json!({"firing": [1, {}]}),
        ] {
            assert_eq!(shown(&details), Vec::<String>::new(), "{details}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "(Labels:\n| - a = b\n|Annotations:\n|Source: \n|x| |=|\n){0,30}") {
            let _ = fingerprints(&json!({"firing": text}));
        }
    }
}

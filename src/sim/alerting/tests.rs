//! The pipeline over time.

use super::*;
use crate::sim::alerting::silence::SilenceDraft;
use crate::sim::metrics::label_set;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).unwrap()
}

fn alert(name: &str, instance: &str, started: i64) -> AmAlert {
    let labels = [
        ("alertname", name),
        ("service", "checkout"),
        ("severity", "critical"),
        ("instance", instance),
        ("region", "eu"),
    ];
    AmAlert {
        labels: label_set(labels),
        annotations: label_set([("summary", "it burns")]),
        starts_at: at(started),
        ended_at: None,
        posted_at: None,
        lease_until: None,
        generator_url: String::new(),
        destinations: Vec::new(),
    }
}

fn alerting() -> Alerting {
    Alerting::new(route::company_tree(&["checkout"]), 1, Shape::Current)
}

/// Runs to `second` and answers (second, trigger?, firing, resolved) of every notification.
fn run(alerting: &mut Alerting, to: i64) -> Vec<(i64, bool, String, String)> {
    let mut told = Vec::new();
    while let Some(due) = alerting.next_due().filter(|due| *due <= at(to)) {
        for one in alerting.run(due) {
            let count = |name: &str| one.details[name].as_str().unwrap().to_owned();
            told.push((due.timestamp(), one.is_trigger, count("num_firing"), count("num_resolved")));
        }
    }
    told
}

#[test]
fn fingerprint_is_alertmanagers() {
    let labels = [
        ("alertname", "CheckoutErrorBudgetBurn"),
        ("cluster", "lab"),
        ("service", "checkout"),
        ("severity", "critical"),
    ];
    assert_eq!(fingerprint(&label_set(labels)), "dc11d3baefd32752");
}

#[test]
fn a_group_tells_what_changed_and_fires_again_with_the_same_key() {
    let mut am = alerting();
    am.receive(alert("Grp", "a", 0), at(0));
    am.receive(alert("Grp", "b", 0), at(0));
    assert_eq!(run(&mut am, 60), [(10, true, "2".into(), "0".into())]);
    am.end(&alert("Grp", "a", 0).labels, at(61));
    assert_eq!(run(&mut am, 70), [(70, true, "1".into(), "1".into())]);
    am.end(&alert("Grp", "b", 0).labels, at(80));
    assert_eq!(run(&mut am, 130), [(130, false, "0".into(), "1".into())]);
    assert_eq!(am.alerts.len(), 0);
    am.receive(alert("Grp", "a", 200), at(200));
    assert_eq!(run(&mut am, 210), [(210, true, "1".into(), "0".into())]);
}

#[test]
fn resolved_under_a_silence_is_never_told() {
    let mut am = alerting();
    am.receive(alert("Sil", "a", 0), at(0));
    assert_eq!(run(&mut am, 10).len(), 1);
    let draft = SilenceDraft {
        id: None,
        matchers: vec![matcher::Matcher::parse("alertname=Sil").unwrap()],
        starts_at: at(20),
        ends_at: at(2000),
        created_by: "ann".into(),
        comment: String::new(),
    };
    let (silences, id) = am.silences_mut();
    silences.set(draft, at(20), id).unwrap();
    am.end(&alert("Sil", "a", 0).labels, at(30));
    assert_eq!(run(&mut am, 5000), []);
    assert_eq!(am.firing().count(), 0);
}

#[test]
fn a_region_that_is_down_inhibits_what_is_below_critical_in_it() {
    let mut am = alerting();
    am.receive(alert("RegionDown", "eu", 0), at(0));
    let mut low = alert("PodNotReady", "p", 0);
    low.labels.insert("severity".into(), "high".into());
    am.receive(low.clone(), at(0));
    let source = fingerprint(&alert("RegionDown", "eu", 0).labels);
    assert_eq!(am.suppressor(at(1)).of(&low).inhibited_by, [source]);
    assert!(!am.suppressor(at(1)).of(&alert("Other", "q", 0)).is_any());
}

#[test]
fn a_posted_alert_ends_with_its_lease() {
    let mut am = alerting();
    am.receive(AmAlert { lease_until: Some(at(300)), ..alert("Manual", "a", 0) }, at(0));
    am.receive(AmAlert { lease_until: Some(at(500)), ..alert("Manual", "a", 0) }, at(200));
    run(&mut am, 499);
    assert_eq!(am.firing().count(), 1);
    run(&mut am, 560);
    assert_eq!(am.firing().count(), 0);
}

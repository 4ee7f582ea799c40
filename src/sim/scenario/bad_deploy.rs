//! A deploy of checkout breaks one order in six. Rolling back is the remedy; half an hour later somebody does it anyway.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Story, Subject};

/// Seconds from the beginning to the page.
pub(super) const PAGE_S: i64 = 310;

pub(super) fn story() -> Story {
    let mut story = Story::new("bad-deploy");
    let errors = story.alert(
        AlertSpec::new("CheckoutErrorRateHigh", "critical", "checkout", "Checkout fails for one order in six")
            .when(
                "sum by (service) (rate(http_requests_total{service=\"checkout\",code=~\"5..\"}[5m])) / sum by (service) \
                 (rate(http_requests_total{service=\"checkout\"}[5m])) > 0.05",
                120,
                0.163,
            )
            .label("deployment", "checkout")
            .describe("More than 5 % of the requests to checkout have failed for two minutes. Orders are being lost."),
    );
    let latency = story.alert(
        AlertSpec::new("ServiceLatencyHigh", "high", "checkout", "Checkout's 99th percentile is above 2 s")
            .when(
                "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{service=\"checkout\"}[5m]))) > 2",
                180,
                3.4,
            )
            .label("deployment", "checkout"),
    );
    story.at(
        0,
        Deed::Change {
            service: "checkout",
            version: Some("v2026.11.4"),
            summary: "Deploy checkout v2026.11.4: basket rules in the new price engine".to_owned(),
            source: "deploy-bot",
        },
    );
    story.strain("checkout", Knob::Errors, 0.165, 90, 120).strain("checkout", Knob::Latency, 3.2, 90, 200);
    story.strain("checkout", Knob::Cpu, 0.22, 90, 120).strain("payments", Knob::Rate, -0.14, 120, 120);
    story.at(180, Deed::Begin(errors)).at(260, Deed::Begin(latency));
    story.note(
        PAGE_S + 75,
        errors,
        "Tomás",
        "First failing request is 40 s after the rollout of v2026.11.4 finished. All on the new pods.",
    );
    story.note(
        PAGE_S + 290,
        errors,
        "Hannah",
        "Support sees 30 tickets about failing orders. I am in the bridge: https://meet.meridian.example/checkout",
    );
    story.note(
        PAGE_S + 640,
        errors,
        "Tomás",
        "Price engine answers 422 for bundles; v2026.11.4 treats it as a server error.",
    );
    story.at(PAGE_S + 700, Deed::Acknowledge(Subject::Alert(errors), "Hannah"));
    story.at(
        1_900,
        Deed::Change {
            service: "checkout",
            version: Some("v2026.11.3"),
            summary: "Roll back checkout to v2026.11.3".to_owned(),
            source: "deploy-bot",
        },
    );
    (story.cure_at_s, story.clear_after_s) = (Some(1_920), 150);
    story
}

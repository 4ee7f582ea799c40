//! A region goes dark: one cause, thousands of alerts, a handful of pages.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Storm, Story, Subject};

/// Seconds from the beginning to the page.
pub(super) const PAGE_S: i64 = 75;
const REGION: &str = "us-east-1";

pub(super) fn story(alerts: usize) -> Story {
    let mut story = Story::new("regional-outage");
    let region = story.alert(
        AlertSpec::new(
            "RegionDown",
            "critical",
            "edge",
            "Region us-east-1 does not answer: 30 % of the traffic is lost",
        )
        .when("sum by (region) (rate(edge_requests_total{region=\"us-east-1\",code=\"2xx\"}[1m])) < 50", 60, 0.4)
        .label("region", REGION)
        .describe("The edge of us-east-1 answers no request. Move the traffic first, then look."),
    );
    let checkout = story.alert(
        AlertSpec::new(
            "CheckoutErrorRateHigh",
            "critical",
            "checkout",
            "Checkout fails for customers routed to us-east-1",
        )
        .when(
            "sum by (service) (rate(http_requests_total{service=\"checkout\",code=~\"5..\"}[5m])) / sum by (service) \
                 (rate(http_requests_total{service=\"checkout\"}[5m])) > 0.05",
            120,
            0.24,
        )
        .label("region", REGION),
    );
    let auth = story.alert(
        AlertSpec::new("SignInFailuresHigh", "critical", "auth", "Sign-in fails for a fifth of the customers")
            .when("sum(rate(http_requests_total{service=\"auth\",code=~\"5..\"}[5m])) / sum(rate(http_requests_total{service=\"auth\"}[5m])) > 0.1", 120, 0.21)
            .label("region", REGION),
    );
    let load = story.alert(
        AlertSpec::new(
            "RegionCapacityLow",
            "high",
            "platform-nodes",
            "eu-west-1 carries the load of two regions: CPU above 85 %",
        )
        .when(
            "1 - avg by (region) (rate(node_cpu_seconds_total{mode=\"idle\",region=\"eu-west-1\"}[5m])) > 0.85",
            180,
            0.88,
        )
        .label("region", "eu-west-1"),
    );
    story.strain(REGION, Knob::Down, 0.98, 0, 20).strain("edge", Knob::Errors, 0.08, 0, 30);
    story.strain("checkout", Knob::Errors, 0.24, 10, 60).strain("checkout", Knob::Rate, -0.28, 10, 60);
    story.strain("auth", Knob::Errors, 0.21, 10, 60).strain("eu-west-1", Knob::Cpu, 0.55, 120, 240);
    for service in ["search", "catalog", "payments", "inventory"] {
        story.strain(service, Knob::Rate, -0.27, 10, 60).strain(service, Knob::Latency, 0.8, 60, 180);
    }
    story.storm = Some(Storm { count: alerts, region: REGION, over_s: 240, is_churning: false });
    story
        .at(5, Deed::Begin(region))
        .at(15, Deed::Storm)
        .at(50, Deed::Begin(checkout))
        .at(70, Deed::Begin(auth))
        .at(300, Deed::Begin(load));
    story.note(
        PAGE_S + 120,
        region,
        "Samuel",
        "Provider status: power event in use1-az2 and use1-az4, incident 31194. No estimate yet.",
    );
    story.at(PAGE_S + 200, Deed::Acknowledge(Subject::Alert(auth), "Felix"));
    story.note(
        PAGE_S + 420,
        region,
        "Mei-Ling",
        "Draining us-east-1 at the DNS level takes 5 min per step. Waiting for a commander to say go.",
    );
    story.at(PAGE_S + 900, Deed::Acknowledge(Subject::Alert(region), "Samuel"));
    story.note(PAGE_S + 960, region, "Samuel", "I have command. Draining us-east-1 now.");
    (story.cure_at_s, story.cure_after_ack_s, story.clear_after_s) = (Some(3_000), Some(1_200), 180);
    story
}

/// Nothing but alerts, coming and going: for measuring.
pub(super) fn bare_storm(alerts: usize) -> Story {
    let mut story = Story::new("alert-storm");
    story.storm = Some(Storm { count: alerts, region: "eu-west-1", over_s: 60, is_churning: true });
    story.at(0, Deed::Storm);
    story
}

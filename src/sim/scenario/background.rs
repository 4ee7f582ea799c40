//! The small things that go on in every company: rows of the list that are not today's story.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Story, Subject};

/// A story of one alert that holds from the beginning.
fn single(name: &'static str, spec: AlertSpec, cure_at_s: i64) -> Story {
    let mut story = Story::new(name);
    let alert = story.alert(spec);
    story.at(0, Deed::Begin(alert));
    (story.cure_at_s, story.clear_after_s) = (Some(cure_at_s), 60);
    story
}

/// A rule is known by its name, so those who raise the same alert name the same expression.
const SLOW_SEARCH: &str = "histogram_quantile(0.95, sum by (le, service) (rate(http_request_duration_seconds_bucket{service=\"search\"}[5m]))) > 0.4";
const SIGN_IN_ERRORS: &str = "sum by (service) (rate(http_requests_total{service=\"auth\",code=~\"5..\"}[10m])) / sum by (service) \
     (rate(http_requests_total{service=\"auth\"}[10m])) > 0.01";

pub(super) fn watchdog() -> Story {
    let spec = AlertSpec::new("Watchdog", "none", "platform-nodes", "Always fires: its absence is the fault").when(
        "vector(1)",
        0,
        1.0,
    );
    let mut story = single("watchdog", spec, 0);
    story.cure_at_s = None;
    story
}

pub(super) fn declined_payments() -> Story {
    let spec = AlertSpec::new("PaymentsDeclineRateHigh", "high", "payments", "Adyen declines every fifth card")
        .when(
            "sum by (provider) (rate(payments_authorizations_total{result=\"declined\"}[5m])) / sum by (provider) \
             (rate(payments_authorizations_total[5m])) > 0.15",
            120,
            0.21,
        )
        .label("provider", "adyen");
    let mut story = single("declined-payments", spec, 5_400);
    story.strain("payments", Knob::Errors, 0.16, 0, 240).strain("payments", Knob::Latency, 1.4, 0, 240);
    story.ack(1_620, 0, "Claire");
    story.note(
        1_680,
        0,
        "Claire",
        "Adyen confirms: their risk engine is degraded. Switching 80 % of the cards to Stripe.",
    );
    story.cure_after_ack_s = Some(1_500);
    story
}

pub(super) fn slow_search() -> Story {
    let spec = AlertSpec::new("SearchLatencyHigh", "high", "search", "Search answers in 600 ms at the 95th percentile")
        .when(SLOW_SEARCH, 180, 0.6);
    let mut story = single("slow-search", spec, 7_200);
    story.strain("search", Knob::Latency, 3.0, 0, 300).strain("search", Knob::Cpu, 0.3, 0, 300);
    story.ack(330, 0, "on-call");
    story.note(
        700,
        0,
        "Yuki",
        "Two shards are hot since the index rebuild of this afternoon. Moving one replica, takes an hour.",
    );
    story
}

pub(super) fn sign_in_errors() -> Story {
    let spec = AlertSpec::new("SignInErrorsElevated", "medium", "auth", "Sign-in errors at 2 %, usually 0.1 %").when(
        SIGN_IN_ERRORS,
        300,
        0.021,
    );
    let mut story = single("sign-in-errors", spec, 4_800);
    story.strain("auth", Knob::Errors, 0.02, 0, 120);
    story.at(
        -240,
        Deed::Change {
            service: "auth",
            version: Some("v2.8.0"),
            summary: "Deploy auth v2.8.0: passkeys for everybody".to_owned(),
            source: "deploy-bot",
        },
    );
    story
}

pub(super) fn mail_backlog() -> Story {
    let spec = AlertSpec::new("QueueBacklogHigh", "medium", "shipping", "2,400 shipping labels wait")
        .when("queue_messages_ready{queue=\"shipping-labels\"} > 1000", 300, 2_400.0)
        .label("queue", "shipping-labels");
    let mut story = single("label-backlog", spec, 9_000);
    story.strain("shipping-labels", Knob::Queue, 2_400.0, 0, 900).strain("shipping", Knob::Errors, 0.03, 0, 60);
    story.note(600, 0, "Tomás", "The carrier answers slowly; labels are late by about 20 min. Nothing is lost.");
    story
}

pub(super) fn full_disk() -> Story {
    let spec =
        AlertSpec::new("NodeFilesystemSpaceFillingUp", "high", "platform-nodes", "node-b2 is full in five hours")
            .when(
                "predict_linear(node_filesystem_avail_bytes{mountpoint=\"/\"}[30m], 5 * 3600) \
                 / node_filesystem_size_bytes{mountpoint=\"/\"} < 0.15",
                600,
                0.12,
            )
            .label("instance", "node-b2.us-east-1:9100")
            .label("node", "node-b2")
            .label("mountpoint", "/");
    let mut story = single("full-disk", spec, 30_000);
    story.strain("node-b2", Knob::Disk, 0.33, 0, 18_000);
    story.ack(900, 0, "on-call");
    story.note(
        1_500,
        0,
        "Nadia",
        "Old images. Garbage collection is on, frees 2 % an hour; I look again before midnight.",
    );
    story
}

pub(super) fn crash_loop() -> Story {
    let spec = AlertSpec::new(
        "KubePodCrashLooping",
        "medium",
        "recommendations",
        "A pod of recommendations restarts every minute",
    )
    .when("increase(kube_pod_container_status_restarts_total{container=\"recommendations\"}[10m]) > 3", 300, 6.0)
    .label("pod", "recommendations-7c9d5f6b8-x7k2p");
    let mut story = single("crash-loop", spec, 12_000);
    story.strain("recommendations", Knob::Restarts, 0.9, 0, 30).strain("recommendations", Knob::Memory, 0.45, 0, 120);
    story
}

pub(super) fn stale_model() -> Story {
    let spec =
        AlertSpec::new("RecommendationModelStale", "low", "recommendations", "The model in use is nine days old").when(
            "app_version_info{service=\"recommendations\"} == 1",
            0,
            1.0,
        );
    single("stale-model", spec, 86_400)
}

pub(super) fn maintenance() -> Story {
    let spec =
        AlertSpec::new("NodeMemoryHighUtilization", "high", "platform-nodes", "node-c1 has 8 % of its memory left")
            .when("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1", 120, 0.08)
            .label("instance", "node-c1.ap-south-1:9100")
            .label("node", "node-c1");
    let mut story = single("maintenance", spec, 20_000);
    story.strain("node-c1", Knob::Memory, 0.4, 0, 120);
    let comment = "Kernel upgrade of ap-south-1, change CHG-2291";
    story.at(-60, Deed::Silence { who: "Samuel", matchers: vec!["node=\"node-c1\""], minutes: 600, comment });
    story
}

pub(super) fn late_settlement() -> Story {
    let mut story = Story::new("late-settlement");
    let summary = "Today's settlement file has not arrived at the bank".to_owned();
    story.at(0, Deed::Event { service: "ledger", key: "settlement/late", summary, severity: "error" });
    story.at(420, Deed::Acknowledge(Subject::Key("settlement/late"), "on-call"));
    story.at(
        900,
        Deed::Note(
            Subject::Key("settlement/late"),
            "Jonas",
            "The bank's SFTP refuses our key since 18:00. Their hotline has a ticket: 77-1042.".to_owned(),
        ),
    );
    story.at(13_000, Deed::EndEvent { service: "ledger", key: "settlement/late" });
    story
}

pub(super) fn carrier() -> Story {
    let mut story = Story::new("carrier");
    let summary = "Carrier API: 12 % of the tracking calls time out".to_owned();
    story.at(0, Deed::Event { service: "shipping", key: "carrier/timeouts", summary, severity: "warning" });
    story.at(14_000, Deed::EndEvent { service: "shipping", key: "carrier/timeouts" });
    story
}

pub(super) fn stock_drift() -> Story {
    let mut story = Story::new("stock-drift");
    let title = "Stock of bundle products drifts from the warehouse's count";
    story.at(0, Deed::Declare { key: "stock/drift", service: "inventory", title, who: "Hannah", priority: "P3" });
    story.at(
        600,
        Deed::Note(
            Subject::Key("stock/drift"),
            "Hannah",
            "About 140 products since the release of Tuesday. Selling stays on, corrections run hourly.".to_owned(),
        ),
    );
    story
}

/// Incidents of the last day that are over.
pub(super) fn past() -> Vec<(i64, Story)> {
    let over = |name: &'static str, spec: AlertSpec, ack_s: i64, who: &'static str, note: &str, cure_at_s: i64| {
        let mut story = single(name, spec, cure_at_s);
        story.ack(ack_s, 0, who).note(ack_s + 120, 0, who, note);
        story
    };
    let checkout =
        AlertSpec::new("CheckoutErrorRateHigh", "critical", "checkout", "Checkout fails for one order in twenty").when(
            "sum by (service) (rate(http_requests_total{service=\"checkout\",code=~\"5..\"}[5m])) / sum by (service) \
             (rate(http_requests_total{service=\"checkout\"}[5m])) > 0.05",
            60,
            0.06,
        );
    let search =
        AlertSpec::new("SearchLatencyHigh", "high", "search", "Search answers in 900 ms at the 95th percentile").when(
            SLOW_SEARCH,
            60,
            0.9,
        );
    let edge = AlertSpec::new("EdgeErrorRateHigh", "critical", "edge", "The edge answers 502 for img.meridian.example")
        .when("sum(rate(edge_requests_total{code=\"5xx\"}[5m])) / sum(rate(edge_requests_total[5m])) > 0.05", 60, 0.11);
    let auth = AlertSpec::new("SignInErrorsElevated", "medium", "auth", "Sign-in errors at 1.5 %, usually 0.1 %").when(
        SIGN_IN_ERRORS,
        60,
        0.015,
    );
    let db = AlertSpec::new("PostgresReplicationLag", "high", "orders-db", "Replica orders-db-1 is 41 s behind")
        .when("max by (cluster) (pg_replication_lag_seconds{cluster=\"orders-db\"}) > 30", 60, 41.0)
        .label("cluster", "orders-db");
    vec![
        (
            -25 * 60,
            over(
                "past-checkout",
                checkout,
                190,
                "Ines",
                "A feature flag was on for everybody. Turned off, errors are gone.",
                1_700,
            ),
        ),
        (
            -21 * 60,
            over("past-search", search, 240, "Owen", "One node was in a long garbage collection. Restarted it.", 2_400),
        ),
        (
            -13 * 60,
            over(
                "past-edge",
                edge,
                150,
                "Mei-Ling",
                "A wrong origin in the CDN config of this morning, put back.",
                1_100,
            ),
        ),
        (-9 * 60, over("past-auth", auth, 800, "Felix", "A partner's client retries too fast. They were told.", 3_000)),
        (
            -7 * 60,
            over("past-db", db, 260, "Erik", "Nightly report on the replica. Moved to the analytics one.", 1_500),
        ),
    ]
}

//! The primary of orders-db goes away; a replica takes over; the pools of the services take their time.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Story, Subject};

/// Seconds from the beginning to the page.
pub(super) const PAGE_S: i64 = 75;

pub(super) fn story() -> Story {
    let mut story = Story::new("database-failover");
    let down = story.alert(
        AlertSpec::new("DatabasePrimaryDown", "critical", "orders-db", "The primary of orders-db does not answer")
            .when("pg_up{cluster=\"orders-db\"} == 0", 60, 0.0)
            .label("cluster", "orders-db")
            .label("instance", "orders-db-0")
            .describe(
                "orders-db-0 has not answered for a minute. Orders cannot be written until a replica is promoted.",
            ),
    );
    let lag = story.alert(
        AlertSpec::new("PostgresReplicationLag", "high", "orders-db", "Replica orders-db-2 is 95 s behind")
            .when("max by (cluster) (pg_replication_lag_seconds{cluster=\"orders-db\"}) > 30", 120, 95.0)
            .label("cluster", "orders-db")
            .label("instance", "orders-db-2"),
    );
    let inventory = story.alert(
        AlertSpec::new(
            "ServiceErrorRateHigh",
            "high",
            "inventory",
            "Inventory cannot reserve stock: dead connections in the pool",
        )
        .when(
            "sum by (service) (rate(http_requests_total{service=\"inventory\",code=~\"5..\"}[5m])) / sum by (service) \
             (rate(http_requests_total{service=\"inventory\"}[5m])) > 0.05",
            120,
            0.11,
        ),
    );
    story.strain("orders-db", Knob::Down, 1.0, 0, 0).strain("orders-db", Knob::Failover, 1.0, 200, 0);
    story.strain("orders-db", Knob::Lag, 95.0, 30, 120).strain("orders-db", Knob::Errors, 0.35, 0, 15);
    story.strain("orders-db", Knob::Connections, 190.0, 60, 240);
    story.strain("inventory", Knob::Errors, 0.11, 20, 60).strain("checkout", Knob::Latency, 0.6, 20, 60);
    story.at(5, Deed::Begin(down)).at(90, Deed::Begin(lag)).at(60, Deed::Begin(inventory));
    story.ack(PAGE_S + 160, down, "on-call");
    story.note(
        PAGE_S + 190,
        down,
        "Erik",
        "orders-db-0 lost its volume. Patroni promoted orders-db-1 at +3 min; writes work again.",
    );
    story.note(
        PAGE_S + 560,
        down,
        "Mei-Ling",
        "Inventory still holds dead connections. Restarting its pods one by one.",
    );
    story.ack(PAGE_S + 600, inventory, "Hannah");
    story.note(
        PAGE_S + 1_500,
        down,
        "Erik",
        "orders-db-2 is being rebuilt from orders-db-1, 60 % done. Lag falls after that.",
    );
    story.at(PAGE_S + 1_800, Deed::Acknowledge(Subject::Alert(down), "on-call"));
    story.ack(PAGE_S + 1_500, lag, "on-call");
    (story.cure_at_s, story.clear_after_s) = (Some(4_200), 120);
    story
}

//! A batch job on node-a3 eats the CPU of its neighbours.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Story};

/// Seconds from the beginning to the page.
pub(super) const PAGE_S: i64 = 480;

pub(super) fn story() -> Story {
    let mut story = Story::new("node-cpu-high");
    let cpu = story.alert(
        AlertSpec::new(
            "NodeCPUHighUsage",
            "medium",
            "platform-nodes",
            "node-a3 has used 96 % of its CPU for seven minutes",
        )
        .when("1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])) > 0.9", 300, 0.96)
        .label("instance", "node-a3.eu-west-1:9100")
        .label("node", "node-a3")
        .label("region", "eu-west-1")
        .label("namespace", "batch")
        .label("pod_name", "price-export-28411560-9xkzv")
        .label("deployment", "price-export"),
    );
    let throttled = story.alert(
        AlertSpec::new("CPUThrottlingHigh", "low", "catalog", "catalog is throttled 40 % of the time on node-a3")
            .when("avg by (node) (rate(node_cpu_seconds_total{node=\"node-a3\",mode=\"idle\"}[5m])) < 0.05", 600, 0.03)
            .label("node", "node-a3"),
    );
    story.strain("node-a3", Knob::Cpu, 0.68, 60, 180).strain("node-a3", Knob::Memory, 0.2, 60, 400);
    story.strain("catalog", Knob::Latency, 1.1, 120, 240);
    story.at(
        0,
        Deed::Change {
            service: "platform-nodes",
            version: None,
            summary: "CronJob price-export: parallelism 4 → 32".to_owned(),
            source: "argocd",
        },
    );
    story.at(170, Deed::Begin(cpu)).at(240, Deed::Begin(throttled));
    story.note(
        PAGE_S + 420,
        cpu,
        "Nadia",
        "price-export was scaled to 32 workers this evening and has no CPU limit. Pinged Owen.",
    );
    (story.cure_at_s, story.cure_after_ack_s, story.clear_after_s) = (Some(5_400), Some(900), 330);
    story
}

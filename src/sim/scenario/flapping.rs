//! An alert on a count that is too small: it comes and goes, and nobody is affected.

use super::super::plant::Knob;
use super::{AlertSpec, Deed, Pattern, Story, Strain, Subject};

/// Seconds from the beginning to the first page.
pub(super) const PAGE_S: i64 = 75;
/// Length of a cycle, and how long of it the alert holds, seconds.
const CYCLE_S: i64 = 1_380;
const ON_S: i64 = 520;

pub(super) fn story(cycles: i64) -> Story {
    let mut story = Story::new("flapping-false-positive");
    let flapping = story.alert(
        AlertSpec::new("OrderMailQueueFlapping", "high", "notifications", "More than 60 order confirmations wait")
            .when("queue_messages_ready{queue=\"order-confirmations\"} > 60", 60, 84.0)
            .label("queue", "order-confirmations")
            .describe("A burst that drains by itself. The threshold is from the days of one worker."),
    );
    story.strains.push(Strain {
        target: "order-confirmations",
        knob: Knob::Queue,
        amount: 74.0,
        delay_s: 0,
        ramp_s: 0,
        relief_s: 30,
        pattern: Pattern::Flapping { period_s: CYCLE_S, on_s: ON_S },
    });
    for cycle in 0..cycles {
        let begins = cycle * CYCLE_S;
        story.at(begins + 5, Deed::Begin(flapping)).at(begins + ON_S + 5, Deed::End(flapping));
        if cycle % 4 == 1 {
            story.ack(begins + PAGE_S + 130, flapping, "on-call");
        }
        if cycle % 4 == 2 {
            story.note(
                begins + PAGE_S + 200,
                flapping,
                "Marcus",
                "Same as the last ones: drains by itself, no customer waits longer than a minute.",
            );
        }
    }
    story.at(
        CYCLE_S + PAGE_S + 140,
        Deed::Note(Subject::Alert(flapping), "Tomás", "Queue is empty again before I have the laptop open.".to_owned()),
    );
    (story.cure_at_s, story.clear_after_s) = (Some(cycles * CYCLE_S), 30);
    story
}

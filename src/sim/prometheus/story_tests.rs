//! What the stories do is what Prometheus shows: rules that fire have expressions that hold, and dashboards have data.

use super::super::promql::{self, Answer};
use super::super::ruler::RuleState;
use super::super::scenario;
use super::super::world::{World, WorldOptions};
use crate::dashboard::{Values, ask, builtin};
use crate::domain::effect::QueryTime;
use crate::domain::time::Timestamp;

fn world(name: &str) -> World {
    let start: Timestamp = "2026-11-20T18:40:00Z".parse().unwrap();
    World::new(WorldOptions { scenario: name.to_owned(), ..WorldOptions::new(start) })
}

fn rows(world: &World, query: &str, time: QueryTime) -> usize {
    let expr = promql::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let answer = match time {
        QueryTime::Instant(at) => promql::instant(world.metrics(), &expr, at.timestamp_millis(), None),
        QueryTime::Range(range) => {
            let (start, end) = (range.start.timestamp_millis(), range.end.timestamp_millis());
            promql::range(world.metrics(), &expr, start, end, range.step_ms, None)
        }
    };
    match answer.unwrap_or_else(|error| panic!("{query}: {error}")) {
        Answer::Vector(rows) | Answer::Matrix(rows) => rows.len(),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn firing_rules_have_expressions_that_hold() {
    let mut wrong = Vec::new();
    let mut held = 0;
    for (name, _) in scenario::SCENARIOS.iter().filter(|(name, _)| *name != "alert-storm") {
        let world = world(name);
        for (index, rule) in world.ruler().rules().iter().enumerate() {
            if promql::parse(&rule.expr).is_err() {
                wrong.push(format!("{name}: {} is not PromQL: {}", rule.name, rule.expr));
                continue;
            }
            let is_firing = world.ruler().alerts_of(index).any(|alert| alert.state == RuleState::Firing);
            if is_firing && rows(&world, &rule.expr, QueryTime::Instant(world.now())) == 0 {
                wrong.push(format!("{name}: {} fires, but nothing comes of {}", rule.name, rule.expr));
            }
            held += usize::from(is_firing);
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {held}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(held > 5, "{held} firing rules");
}

#[test]
fn every_shipped_panel_has_data() {
    const ABOUT_SERVERS_NOT_SIMULATED: &[&str] = &["prometheus", "alertmanager"];
    const EMPTY_ON_A_GOOD_DAY: &[&str] = &["down", "firing"];
    let world = world("bad-deploy");
    let values = Values::default().with("service", "checkout");
    let (dashboards, _) = builtin::dashboards();
    let mut empty = Vec::new();
    for dashboard in dashboards.iter().filter(|one| !ABOUT_SERVERS_NOT_SIMULATED.contains(&one.name.as_str())) {
        for panel in dashboard.panels.iter().filter(|panel| !EMPTY_ON_A_GOOD_DAY.contains(&panel.id.as_str())) {
            for question in ask(dashboard, panel, &values, world.now(), dashboard.range_s, 200, 15_000) {
                let promql = question.promql.unwrap();
                if rows(&world, &promql, question.time) == 0 {
                    empty.push(format!("{} {}: {promql}", dashboard.name, panel.id));
                }
            }
        }
    }
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}

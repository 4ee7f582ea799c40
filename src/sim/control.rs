//! The control channel for tests and drills, below `/_sim`: faults, time, remedies, and the log of what had an effect.
//!
//! | request | does |
//! |---|---|
//! | `GET /_sim` | the world's time, scenario, seed, faults and stories |
//! | `GET`, `PUT /_sim/faults` | the fault script in force; the body is another one |
//! | `POST /_sim/advance?by=10m` | time passes at once |
//! | `POST /_sim/fix/STORY` | the story's remedy is applied |
//! | `GET`, `DELETE /_sim/log` | requests that had an effect, oldest first |

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::faults::FaultScript;
use super::http::{Ask, Reply};
use super::server::Sim;

/// Longest span that may be skipped at once.
const LONGEST: TimeDelta = TimeDelta::days(2);

/// Answers a request below `/_sim`.
pub(super) fn answer(sim: &Sim, ask: &Ask) -> Reply {
    let parts = ask.segments();
    let path: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (ask.method.as_str(), path.as_slice()) {
        ("GET", []) => overview(sim),
        ("GET", ["faults"]) => Reply::text(200, &format!("{}\n", sim.faults().script())),
        ("PUT" | "POST", ["faults"]) => set_faults(sim, ask),
        ("POST", ["advance"]) => advance(sim, ask),
        ("POST", ["fix", story]) => {
            let is_fixed = sim.world().fix(story);
            Reply::json(if is_fixed { 200 } else { 404 }, &json!({"story": story, "fixed": is_fixed}))
        }
        ("GET", ["log"]) => sim.read_log(),
        ("DELETE", ["log"]) => {
            sim.clear_log();
            Reply::empty(204)
        }
        _ => Reply::text(404, "see the documentation of sim::control\n"),
    }
}

fn overview(sim: &Sim) -> Reply {
    let faults = sim.faults().script().to_string();
    let world = sim.world();
    let stories: Vec<Value> = world.stories().map(|(name, is_over)| json!({"name": name, "over": is_over})).collect();
    Reply::json(
        200,
        &json!({
            "now": world.now(),
            "start": world.options().start,
            "scenario": world.options().scenario,
            "seed": world.options().seed,
            "faults": faults,
            "stories": stories,
            "history": world.history_hash(),
        }),
    )
}

fn set_faults(sim: &Sim, ask: &Ask) -> Reply {
    match String::from_utf8_lossy(&ask.body).trim().parse::<FaultScript>() {
        Ok(script) => {
            let text = format!("{script}\n");
            sim.faults().set(script);
            Reply::text(200, &text)
        }
        Err(error) => Reply::text(400, &format!("{error}\n")),
    }
}

fn advance(sim: &Sim, ask: &Ask) -> Reply {
    let span = ask.param("by").and_then(|text| humantime::parse_duration(text).ok());
    match span.and_then(|span| TimeDelta::from_std(span).ok()).filter(|span| *span <= LONGEST) {
        Some(span) => {
            sim.clock().skip(span);
            Reply::json(200, &json!({"now": sim.world().now()}))
        }
        None => Reply::text(400, "by=SPAN is needed, such as by=10m, 2 days at most\n"),
    }
}

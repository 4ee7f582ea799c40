//! A console is killed at every write, sync, send and receive of every kind of action, and started again: no intent that
//! was written down is lost, no effect happens twice, and what cannot be told ends as unknown with what to look at.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use warroom::domain::action::Delivery;

use super::world::{World, journal, outbox, traced};
use super::{has_strace, is_full};

/// A kind of action: its arguments for an incident, and which effect is its own.
struct Kind {
    name: &'static str,
    arguments: fn(&World, &str, &str) -> Vec<String>,
    is_effect: fn(&str, &str, &Value) -> bool,
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "acknowledge",
        arguments: |_, id, _| words(&format!("incidents ack {id}")),
        is_effect: |method, _, body| method == "PUT" && body["incident"]["status"] == "acknowledged",
    },
    Kind {
        name: "note",
        arguments: |_, id, _| words(&format!("incidents note {id} --message rolled-back")),
        is_effect: |method, path, _| method == "POST" && path.ends_with("/notes"),
    },
    Kind {
        name: "escalate",
        arguments: |_, id, _| words(&format!("incidents escalate {id} --level 2 --yes")),
        is_effect: |method, _, body| method == "PUT" && body["incident"].get("escalation_level").is_some(),
    },
    Kind {
        name: "declare",
        arguments: |world, _, _| words(&format!("incidents declare down --service {} --yes", world.service)),
        is_effect: |method, path, _| method == "POST" && path.ends_with("/incidents"),
    },
    Kind {
        name: "resolve",
        arguments: |_, id, _| words(&format!("incidents resolve {id} --message fixed --yes")),
        is_effect: |method, _, body| method == "PUT" && body["incident"]["status"] == "resolved",
    },
    Kind {
        name: "snooze",
        arguments: |_, id, _| words(&format!("incidents snooze {id} --for 1h")),
        is_effect: |method, path, _| method == "POST" && path.ends_with("/snooze"),
    },
    Kind {
        name: "merge",
        arguments: |_, id, other| words(&format!("incidents merge {id} {other} --yes")),
        is_effect: |method, path, _| method == "PUT" && path.ends_with("/merge"),
    },
    Kind {
        name: "reassign",
        arguments: |_, id, _| words(&format!("incidents reassign {id} --to PERSON --yes")),
        is_effect: |method, _, body| method == "PUT" && body["incident"].get("assignments").is_some(),
    },
];

/// Syscalls at which a console is killed.
const CALLS: [&str; 8] = ["pwrite64", "fsync", "fdatasync", "ftruncate", "sendto", "writev", "recvfrom", "read"];

/// How often each thread that makes it makes each call, at most.
fn calls(trace: &str) -> BTreeMap<&'static str, usize> {
    let mut by_thread = BTreeMap::<(&str, &'static str), usize>::new();
    for line in trace.lines() {
        let mut parts = line.trim_start().splitn(2, ' ');
        let (Some(thread), Some(rest)) = (parts.next(), parts.next()) else { continue };
        let rest = rest.trim_start();
        let is_it = |call: &&str| rest.strip_prefix(*call).is_some_and(|rest| rest.starts_with('('));
        if let Some(call) = CALLS.iter().copied().find(|call| is_it(call)) {
            *by_thread.entry((thread, call)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in by_thread {
        let known = most.entry(call).or_insert(0);
        *known = count.max(*known);
    }
    most
}

/// One point; what is wrong, if anything.
async fn point(world: &World, kind: &Kind, call: &str, number: usize) -> Result<&'static str, String> {
    let home = world.home();
    let (id, other) = (world.incident(), world.incident());
    let arguments = filled(world, kind, &id, &other);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    world.forget();
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    let ran = traced(&home, &["-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject], &arguments);
    let resumed = home.run(&["outbox", "send", "--timeout", "90s"]);
    let effects =
        world.effects().into_iter().filter(|(method, path, body)| (kind.is_effect)(method, path, body)).count();
    let rows = if journal(&home).exists() { outbox(&home).await } else { Vec::new() };
    let at = format!("{} killed at {call} {number}", kind.name);
    let wrong = |what: &str| Err(format!("{at}: {what}: {effects} effects, {rows:?}\n{ran:?}\n{resumed:?}"));
    let verified = home.run(&["journal", "verify"]);
    if verified.code != Some(0) {
        return wrong(&format!("the journal is not whole: {verified:?}"));
    }
    match (rows.as_slice(), effects) {
        (_, 2..) => wrong("done twice"),
        ([], 0) if ran.code == Some(0) => wrong("said to be done"),
        ([], 0) => Ok("nothing was asked"),
        ([], _) => wrong("done without having been written down"),
        ([row], effects) => match (&row.delivery, effects) {
            (Delivery::Confirmed { .. }, 1) => Ok("done"),
            (Delivery::Failed { .. }, 0) => Ok("told as not done"),
            (Delivery::Unknown { check }, _) if check.as_str().contains("look") => Ok("told as unknown"),
            _ => wrong("what stands in the journal is not what happened"),
        },
        _ => wrong("more than one action"),
    }
}

fn filled(world: &World, kind: &Kind, id: &str, other: &str) -> Vec<String> {
    let mut arguments = (kind.arguments)(world, id, other);
    for argument in &mut arguments {
        if argument == "PERSON" {
            *argument = world.person.clone();
        }
    }
    arguments
}

/// Every point of a kind, from a run that is not disturbed.
fn points(world: &World, kind: &Kind) -> Vec<(&'static str, usize)> {
    let home = world.home();
    let arguments = filled(world, kind, &world.incident(), &world.incident());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let trace = home.path("trace");
    let wanted = format!("trace={}", CALLS.join(","));
    let ran = traced(&home, &["-o", &trace.display().to_string(), "-e", &wanted], &arguments);
    assert_eq!(ran.code, Some(0), "{}: {ran:?}", kind.name);
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let found = calls(&trace);
    // Reads of files at the start come by the hundred and differ in nothing.
    found
        .into_iter()
        .filter(|(call, _)| *call != "read")
        .flat_map(|(call, count)| (1..=count).map(move |at| (call, at)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_killed_anywhere_loses_nothing_and_doubles_nothing() {
    if !has_strace() {
        return;
    }
    let mut outcomes = BTreeMap::<&str, usize>::new();
    let mut told = String::new();
    let (mut tried, mut failures) = (0, Vec::new());
    for (at, kind) in KINDS.iter().enumerate() {
        if !is_full() && at > 1 {
            break;
        }
        let world = World::start().await;
        let all = points(&world, kind);
        // The everyday slice: a few points spread over the whole road, the sends among them.
        let step = if is_full() { 1 } else { all.len().div_ceil(6) };
        for (call, number) in all.iter().skip(step / 2).step_by(step.max(1)) {
            tried += 1;
            match point(&world, kind, call, *number).await {
                Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
                Err(failure) => failures.push(failure),
            }
        }
        let _ = writeln!(told, "{}: {} points", kind.name, all.len());
    }
    println!("{told}{tried} kill points: {outcomes:?}, {} wrong", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(tried >= if is_full() { 500 } else { 8 }, "only {tried} points");
}

/// The intent is durable before the first byte of the change leaves, the result before the screen says done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_is_synced_before_it_is_sent_and_its_answer_before_it_is_told() {
    if !has_strace() {
        return;
    }
    let world = World::start().await;
    let home = world.home();
    let id = world.incident();
    let trace = home.path("trace");
    let options = ["-y", "-s", "64", "-e", "trace=fdatasync,fsync,sendto,writev,write"];
    let options: Vec<&str> = ["-o", trace.to_str().expect("a path")].into_iter().chain(options).collect();
    let ran = traced(&home, &options, &["incidents", "ack", &id]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let lines: Vec<&str> = trace.lines().collect();
    let put = lines.iter().position(|line| line.contains("\"PUT /pagerduty/incidents/")).expect("the change is sent");
    let said =
        lines.iter().position(|line| line.contains("write(1<") && line.contains("TARGET")).expect("the result is told");
    let syncs =
        |lines: &[&str]| lines.iter().filter(|line| line.contains("sync(") && line.contains("journal.db-wal")).count();
    let last_get = lines[..put].iter().rposition(|line| line.contains("\"GET /pagerduty/incidents?")).unwrap_or(0);
    assert!(syncs(&lines[last_get..put]) >= 2, "the intent and that it is about to be sent:\n{trace}");
    assert!(syncs(&lines[put..said]) >= 1, "the answer:\n{trace}");
}

//! Values of variables: the pure search says what is wanted, this asks servers and commands until nothing is left to ask.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::kit::{Asked, Kit, RESOLVE};
use super::scene::Scene;
use crate::domain::run::{BoundValue, Need, spell};
use crate::domain::series::{Answer, is_gap};
use crate::engine::process::StepEvent;
use crate::runbook::bind::{Fetched, Given, Question, Request, Resolution, Sample, Wants, resolve};
use crate::runbook::value::{Cause, Origin, Resolved};
use crate::step::capture::{Capture, CaptureFrom, CaptureHow};
use crate::step::place::Place;
use crate::step::spec::{Program, StepSpec};
use crate::text::{Clean, Untrusted};

/// Rounds of asking: a value that is fetched with a value that is fetched takes two.
const ROUNDS: usize = 8;

/// Every wanted value, or why it has none. What is left in `requests` only a person can answer.
pub(super) async fn values(kit: &Kit, scene: &Scene, wants: &Wants) -> Resolution {
    let facts = scene.facts();
    let (overrides, captures) = (scene.overrides(), scene.captures());
    let asked = overrides.clone();
    let mut fetched: BTreeMap<String, Fetched> = BTreeMap::new();
    let mut rounds = 0;
    loop {
        rounds += 1;
        let given = Given {
            runbook: &scene.runbook,
            facts: &facts,
            overrides: &overrides,
            asked: &asked,
            captures: &captures,
            fetched: &fetched,
            now: kit.clock.now(),
        };
        let found = resolve(&given, wants);
        if !found.is_waiting() || rounds > ROUNDS {
            return found;
        }
        let answers = join_all(found.requests.iter().map(|request| fetch(kit, scene, request))).await;
        fetched.extend(answers.into_iter().flatten());
    }
}

async fn fetch(kit: &Kit, scene: &Scene, request: &Request) -> Option<(String, Fetched)> {
    match request {
        Request::Query { key, .. } => {
            let generator = scene.situation.generator.as_ref().map(Untrusted::expose);
            let server = kit.server(generator).map(|(server, _)| server.clone());
            let samples = match &server {
                Some(server) => samples(kit, server, key).await,
                None => Err(Cause::Unreachable("no Prometheus is configured".to_owned())),
            };
            let server = server.map_or_else(|| "Prometheus".to_owned(), |server| server.to_string());
            Some((key.clone(), Fetched::Samples { server, samples }))
        }
        Request::Command { key, variable, words } => {
            Some((key.clone(), Fetched::Output(output_of(kit, scene, variable, words).await)))
        }
        Request::Ask(_) => None,
    }
}

async fn samples(kit: &Kit, server: &crate::domain::id::SourceId, query: &str) -> Result<Vec<Sample>, Cause> {
    let answer = kit.ask(server, query).await.map_err(|asked| match asked {
        Asked::Failed(failure) => Cause::Unreachable(failure.to_string()),
        Asked::Late => Cause::TimedOut,
    })?;
    match answer.answer {
        Answer::Vector(samples) => {
            let samples = samples.into_iter().filter(|sample| !is_gap(sample.value));
            Ok(samples.map(|sample| Sample { value: sample.value, at: sample.at }).collect())
        }
        Answer::Matrix { .. } | Answer::Text(_) => {
            Err(Cause::Expression("the query does not give numbers at one instant".to_owned()))
        }
    }
}

/// What a command that only looks prints, trimmed. Nothing is kept of it but the value.
pub(super) async fn output_of(kit: &Kit, scene: &Scene, name: &str, words: &[String]) -> Result<String, Cause> {
    let stamp = format!("value-{}-{:08x}", kit.clock.now().timestamp_micros(), rand::random::<u32>());
    let place = Place::new(kit.folder().join(scene.run.to_string()).join(stamp));
    let found = printed(kit, scene, &place, name, words).await;
    let folder = place.path().to_owned();
    let _ = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
    found
}

async fn printed(kit: &Kit, scene: &Scene, place: &Place, name: &str, words: &[String]) -> Result<String, Cause> {
    let mut spec = StepSpec::new(Program::Argv(words.to_vec()), scene.cwd(kit));
    spec.run = scene.run.to_string();
    name.clone_into(&mut spec.step);
    spec.env = scene.environment(kit, &[]);
    spec.timeout = Some(RESOLVE);
    spec.captures =
        vec![Capture { name: "value".to_owned(), from: CaptureFrom::Stdout, how: CaptureHow::Whole, trim: true }];
    let told = |cause: &dyn std::fmt::Display| Cause::Unreachable(cause.to_string());
    let digest = spec.digest(&[]);
    let launcher = kit.launcher().map_err(|cause| told(&cause))?;
    let starting = launcher.start(place, spec, &[], digest);
    // The supervisor has a deadline of its own; this one is for a supervisor that does not answer.
    let late = |_| Cause::TimedOut;
    let mut attached =
        tokio::time::timeout(RESOLVE * 2, starting).await.map_err(late)?.map_err(|cause| told(&cause))?;
    let following = async {
        while let Some(event) = attached.next().await.map_err(|cause| told(&cause))? {
            match event {
                StepEvent::Finished(finished) if finished.is_success() => {
                    return Ok(finished.captures.get("value").cloned().unwrap_or_default());
                }
                StepEvent::Finished(finished) => {
                    let said = finished.streams.values().flat_map(|stream| stream.first.iter().chain(&stream.last));
                    let said = said.last().map(|line| format!(": {line}")).unwrap_or_default();
                    return Err(told(&format!("'{}' failed{said}", spell(&cleaned(words)))));
                }
                StepEvent::Refused { why } => return Err(told(&why)),
                _ => {}
            }
        }
        Err(told(&"its end was not seen"))
    };
    tokio::time::timeout(RESOLVE + Duration::from_secs(15), following).await.map_err(late)?
}

pub(super) fn cleaned(words: &[String]) -> Vec<Clean> {
    words.iter().map(Clean::new).collect()
}

/// A value for the record and the screen.
pub(super) fn shown(name: &str, resolved: &Resolved) -> BoundValue {
    let name = Clean::new(name);
    match resolved {
        Ok(bound) => {
            let (asked, age_ms) = match &bound.origin {
                Origin::PromQl { query, age, .. } => (Some(Clean::new(query)), Some(age.as_millis() as u64)),
                Origin::Command(words) => (Some(Clean::new(spell(&cleaned(words)))), None),
                _ => (None, None),
            };
            let source = Clean::new(bound.origin.to_string());
            let is_typed = matches!(bound.origin, Origin::Override | Origin::Asked);
            BoundValue { name, value: bound.shown(), source, asked, age_ms, is_typed }
        }
        Err(cause) => BoundValue {
            name,
            value: Clean::new("?"),
            source: Clean::new(cause.to_string()),
            asked: None,
            age_ms: None,
            is_typed: false,
        },
    }
}

/// What a person is asked for.
pub(super) async fn need(kit: &Kit, scene: &Scene, question: &Question) -> Need {
    let mut suggestions: Vec<Clean> = question.suggestions.iter().map(|(value, _)| value.clone()).collect();
    if let Some(words) = &question.suggest
        && let Ok(lines) = output_of(kit, scene, &question.name, words).await
    {
        suggestions.extend(lines.lines().take(50).map(Clean::new));
    }
    suggestions.dedup();
    let tried = match &question.refused {
        Some(cause) => Clean::new(cause.to_string()),
        None => question.text.clone(),
    };
    Need::Value { name: Clean::new(&question.name), tried, suggestions }
}

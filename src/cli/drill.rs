//! `drill`: the room on a simulated world to practise in, DRILL on every frame, and a score at the end. Nothing of it
//! counts anywhere: its journal is its own.

use std::fmt::Write as _;

use super::demo::{loaded, secrets};
use super::desk::Desk;
use super::exit::Usage;
use super::{ScreenArgs, Session, print, room, runbook};
use crate::domain::run::{Happened, Level, Outcome, RunEvent, Truth};
use crate::domain::time::Timestamp;
use crate::sim::{SimOptions, serve};
use crate::text::Clean;
use crate::tui::model::Banner;

/// Options of `drill`.
#[derive(Clone, Debug, clap::Args)]
pub struct DrillArgs {
    /// What goes wrong in the simulated world
    #[arg(value_name = "SCENARIO")]
    pub scenario: String,
    /// Seed of everything random in the world
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// As for the room.
    #[command(flatten)]
    pub screen: ScreenArgs,
}

/// Opens the room on the world, and prints the score when it is left.
///
/// # Errors
/// As [`super::room::run`], and when no loopback port is free.
pub async fn run(session: &Session, args: DrillArgs) -> color_eyre::Result<i32> {
    let mut options = SimOptions { scenario: args.scenario, ..SimOptions::default() };
    options.seed = args.seed.unwrap_or(options.seed);
    let scenario = Clean::new(&options.scenario);
    let world = serve(options).await.map_err(|cause| Usage::new(cause.to_string()))?;
    let mut loaded = loaded(session, &world.config_toml);
    let folder = session.places.state.join("drills");
    std::fs::create_dir_all(&folder)?;
    let desk = Desk::of(loaded.config.clone(), false);
    let began = desk.now();
    let journal = folder.join(format!("{}.db", began.format("%Y%m%dT%H%M%S")));
    loaded.config.room.journal = format!("sqlite:{}", journal.display());
    let config = loaded.config.clone();
    let simulated = room::World { banner: Banner::Drill(scenario.clone()), config_text: world.config_toml.clone() };
    let code = room::open(session, loaded, secrets(), Some(simulated), &args.screen).await;
    world.shutdown().await;
    let desk = Desk::of(config, false).with_secrets(secrets());
    let room = runbook::past(session, &desk).await;
    let events: Vec<RunEvent> = room.runs().flat_map(|run| room.run_events(run.id).to_vec()).collect();
    print::out(&Score::of(&events, began).words(scenario.as_str()))?;
    code
}

/// What a drill showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Score {
    /// Seconds until the first step that looks.
    first_look: Option<i64>,
    /// Changes that were made.
    changes: usize,
    /// Of these, before anything was looked at.
    blind: usize,
    /// Steps that were refused: wrong target, read-only, guard.
    refused: usize,
    /// Conditions that could not be told and were left alone.
    unknown_left: usize,
    /// Changes whose effect was verified.
    verified: usize,
    /// Changes that were taken back.
    undone: usize,
}

impl Score {
    fn of(events: &[RunEvent], began: Timestamp) -> Self {
        let mut score = Self::default();
        let mut unknown = std::collections::BTreeSet::new();
        for event in events {
            let step = event.what.step().map(ToString::to_string).unwrap_or_default();
            match &event.what {
                Happened::Intended { level: Level::Read, .. } => {
                    let seconds = event.at.signed_duration_since(began).num_seconds();
                    score.first_look = Some(score.first_look.map_or(seconds, |known| known.min(seconds)));
                }
                Happened::Intended { .. } => {
                    score.changes += 1;
                    score.blind += usize::from(score.first_look.is_none());
                }
                Happened::Settled { outcome: Outcome::Refused { .. }, .. }
                | Happened::Finished { outcome: Outcome::Refused { .. }, .. } => score.refused += 1,
                Happened::Settled { outcome: Outcome::Done { note }, .. } if note.as_str().starts_with("verified") => {
                    score.verified += 1;
                    unknown.remove(&step);
                }
                Happened::Settled { .. } | Happened::Approved { .. } => drop(unknown.remove(&step)),
                Happened::Judged { judgement, .. } => {
                    if let Truth::Unknown { .. } = judgement.truth {
                        unknown.insert(step);
                    } else {
                        unknown.remove(&step);
                    }
                }
                Happened::Undone { outcome: Outcome::Done { .. }, .. } => score.undone += 1,
                _ => {}
            }
        }
        score.unknown_left = unknown.len();
        score
    }

    fn words(&self, scenario: &str) -> String {
        let mut out = format!("DRILL {scenario}\n");
        let first = self.first_look.map_or("nothing was looked at".to_owned(), |seconds| format!("{seconds} s"));
        let _ = writeln!(out, "first look          {first}");
        let _ = writeln!(out, "changes             {} ({} before anything was looked at)", self.changes, self.blind);
        let _ = writeln!(out, "verified            {} of {}", self.verified, self.changes);
        let _ = writeln!(out, "taken back          {}", self.undone);
        let _ = writeln!(out, "refused             {}", self.refused);
        let _ = writeln!(out, "left unknown        {}", self.unknown_left);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::StepId;
    use crate::domain::run::{Digest, RunId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn event(second: i64, what: Happened) -> RunEvent {
        RunEvent { run: RunId(uuid::Uuid::nil()), at: at(second), by: Clean::new("ana"), what }
    }

    fn intended(step: &str, level: Level) -> Happened {
        Happened::Intended {
            step: StepId::parse(step).unwrap(),
            attempt: 1,
            level,
            words: Vec::new(),
            shell: None,
            digest: Digest(String::new()),
            target: Clean::default(),
            given: Vec::new(),
            lock: None,
        }
    }

    #[test]
    fn a_change_before_any_look_is_blind() {
        let verified = Outcome::Done { note: Clean::new("verified: cpu < 80%") };
        let events = [
            event(5, intended("scale", Level::Change)),
            event(30, intended("top", Level::Read)),
            event(40, intended("drain", Level::Destructive)),
            event(60, Happened::Settled { step: StepId::parse("drain").unwrap(), outcome: verified }),
        ];
        let score = Score::of(&events, at(0));
        assert_eq!((score.first_look, score.changes, score.blind, score.verified), (Some(30), 2, 1, 1));
        assert!(score.words("node_cpu").starts_with("DRILL node_cpu\nfirst look          30 s\n"));
    }
}

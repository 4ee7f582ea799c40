//! The supervisor: the program `warroom __step DIR`, one process per step.
//!
//! It takes the order from standard input, checks it against what was approved, executes the command as a session of its
//! own (as child sub-reaper, so that no descendant escapes), writes down what happens and what it prints, and ends the
//! command by the ladder when asked or when the time is up.

mod child;
mod consoles;
mod end;
mod ladder;
mod output;
mod record;
mod screen;
mod start;
mod sweep;
mod watch;

use std::io::{self, Write as _};
use std::path::Path;

use super::event::Event;
use super::place::Place;

/// The hidden word on the command line.
pub const SUBCOMMAND: &str = "__step";

/// What the supervisor says to its console when the command runs.
pub const RUNNING: &str = "running";

/// Runs the supervisor to the step's end; the exit code is of interest to nobody but a log.
#[must_use]
pub fn run(folder: &Path) -> i32 {
    let place = Place::new(folder);
    match start::begin(&place) {
        Ok(begun) => {
            answer(RUNNING);
            start::let_go_of_the_console();
            match watch::to_the_end(begun) {
                Ok(()) => 0,
                Err(error) => {
                    complain(&format!("the end could not be written down: {error}"));
                    1
                }
            }
        }
        Err(refusal) => {
            if let Some(mut record) = refusal.record {
                let why = refusal.why.clone();
                let _ = record.write_durably(&Event::Refused { at: record::now(), why });
            }
            answer(&refusal.why);
            1
        }
    }
}

/// One line to the console that waits, if it still does.
fn answer(line: &str) {
    let mut out = io::stdout();
    let _ = writeln!(out, "{}", line.replace('\n', " "));
    let _ = out.flush();
}

/// One line to `supervisor.log`.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{} {line}", record::now().to_rfc3339());
}

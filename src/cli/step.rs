//! `warroom __step DIR`: the supervisor of one step. Hidden, because only the engine starts it; found before the arguments
//! are parsed and without an async runtime, because there is one per step and it must stay small.

use std::path::Path;

use crate::step::supervise;

/// Runs as supervisor when that is what was asked; the exit code.
#[must_use]
pub fn supervised() -> Option<i32> {
    let mut words = std::env::args_os().skip(1);
    let is_asked = words.next().is_some_and(|word| word == supervise::SUBCOMMAND);
    let folder = words.next().filter(|_| is_asked)?;
    Some(supervise::run(Path::new(&folder)))
}

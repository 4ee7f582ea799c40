//! The figures of `benches/README.md`: `cargo bench --bench figures -- [NAME…]`, each a ratio or a measure of one run.
//!
//! Nothing here asserts a wall-clock time: it prints, next to the goal, and the reader judges with the load in view.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench ends loudly"
)]
#![allow(clippy::disallowed_methods, missing_docs, reason = "a bench measures time and starts programs")]

mod alerts;
mod clock;
mod filter;
mod flood;
mod frame;
mod idle;
mod journal;
mod keys;
mod load;
mod memory;
mod parse;
mod provider;
mod pty;
mod room;
mod sharing;
mod stage;
mod start;

/// The program that was built with this bench.
const WARROOM: &str = env!("CARGO_BIN_EXE_warroom");

fn main() {
    if stage::play() {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let all: [(&str, fn()); 12] = [
        ("parse", parse::run),
        ("frame", frame::run),
        ("room", room::run),
        ("alerts", alerts::run),
        ("filter", filter::run),
        ("start", start::run),
        ("keys", keys::run),
        ("memory", memory::run),
        ("idle", idle::run),
        ("flood", flood::run),
        ("journal", journal::run),
        ("sharing", sharing::run),
    ];
    for word in wanted.iter().filter(|word| !all.iter().any(|(name, _)| name == word)) {
        eprintln!("there is no figure '{word}'");
    }
    for (name, bench) in all {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            println!("\n## {name} (load {})", clock::load());
            bench();
            println!("   (load after: {})", clock::load());
        }
    }
}

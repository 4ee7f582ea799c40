//! Everything that is tested from outside: the binary in a terminal, its subcommands, real and simulated servers.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test ends loudly, starts programs and watches over its own tasks"
)]

mod bad_answers;
mod cli;
mod config;
mod daemon;
mod end_to_end;
mod injection;
mod journal;
mod postgres;
mod pty;
mod real_prometheus;
mod runbook;
mod shared;
mod sharing;
mod steps;
mod third_party;

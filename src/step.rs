//! One step of a runbook as a process of its own: what is handed over, the supervisor that carries it, what it leaves.
//!
//! The supervisor is this same binary, started as `warroom __step DIR`. It outlives the console: a hangup, an SSH drop or
//! `kill -9` of the console neither ends nor loses the step. Everything it knows is in `DIR` (mode 0700):
//!
//! | file | what it is |
//! |---|---|
//! | `spec.json` | what was ordered, without the values of secrets; durable before the supervisor starts |
//! | `events` | JSON lines: started, running, cancelling, finished…; each that decides something is synced |
//! | `spool/` | what the command wrote, in segments of 4 MiB: the first 32 MiB and the last 32 MiB |
//! | `reserve` | room for the last line, should the step fill the disk; gone when it is over |
//! | `lock` | held by the supervisor as long as it lives |
//! | `control` | socket for cancel, keys, size |
//! | `outputs` | what the command wrote to `$RB_OUTPUT` |
//! | `session.cast` | what an interactive step showed, as asciicast v2 |
//! | `supervisor.log` | what the supervisor itself had to complain about |
//!
//! Synchronous on purpose: a supervisor that waits for one command needs no runtime, and its memory stays small.

pub mod capture;
pub mod control;
pub mod environment;
pub mod event;
pub mod mask;
pub mod orphans;
pub mod place;
pub mod proc;
pub mod spec;
pub mod spool;
pub mod state;
pub mod supervise;

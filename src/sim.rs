//! The simulated outside world: scenarios on a virtual clock, served by real HTTP servers on loopback.
//!
//! [`world::World`] is pure: a seed and instants go in, and the same seed and instants give the same history. Only
//! [`server`] and [`clock`] touch sockets and the machine's clock. What the servers answer follows the providers'
//! documents and captured answers, not our own client, so that other people's clients can talk to it too.

pub mod agenda;
pub mod alerting;
pub mod alertmanager;
pub mod clock;
pub mod company;
mod control;
pub mod dice;
pub mod effects;
pub mod events;
pub mod faults;
pub mod http;
pub mod metrics;
mod outage;
pub mod pager;
pub mod pagerduty;
pub mod plant;
pub mod prometheus;
pub mod promql;
mod providers;
pub mod ruler;
pub mod sample_config;
pub mod scenario;
pub mod server;
pub mod tls;
pub mod tools;
pub mod world;

pub use server::{Running, Sim, SimError, SimOptions, serve};

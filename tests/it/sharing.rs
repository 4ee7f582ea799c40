//! Rooms that several consoles share, on a real PostgreSQL.

mod conformance;
mod consoles;
pub mod entries;
mod outage;
mod pair;
mod polls;
mod runs;
mod tls;

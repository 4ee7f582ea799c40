//! The real binary without a screen: exact sentences, exit codes, and what it must never say.

mod answers;
mod canary;
pub mod home;
mod usage;
mod world;

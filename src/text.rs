//! Text that people read: the gate every remote string passes, display width, wrapping, human numbers, redaction.
//!
//! Knows nothing of incidents. Must not do I/O or read a clock.

pub mod emulator;
pub mod gate;
pub mod glob;
pub mod output;
pub mod redact;

pub use gate::{Clean, Untrusted, UntrustedStr};

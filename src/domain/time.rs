//! Instants. The core never asks for the time: `now` comes in as a value.

use chrono::{DateTime, Utc};

/// An instant in UTC; local zones are a matter of showing.
pub type Timestamp = DateTime<Utc>;

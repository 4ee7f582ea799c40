//! The words of the house: incidents, alerts, severities, timelines, actions, facts. Pure: no I/O, no clock, no async.
//!
//! [`room::Room`] is everything known about the outside; [`room::Room::apply`] is its only writer.

pub mod action;
pub mod alert;
pub mod calendar;
pub mod checklist;
pub mod clock;
pub mod command;
pub mod correlate;
pub mod effect;
pub mod escalation;
pub mod fact;
pub mod failure;
pub mod freshness;
pub mod id;
pub mod incident;
pub mod labels;
pub mod level;
pub mod problem;
pub mod room;
pub mod run;
pub mod series;
pub mod severity;
pub mod sharing;
pub mod silence;
pub mod source;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
pub mod timeline;

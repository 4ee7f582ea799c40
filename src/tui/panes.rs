//! The four panes: what each remembers (`state`), what keys and facts do to it (`update`), how it is drawn (`view`).

pub mod incidents;
pub mod panels;
pub mod runbook;
pub mod timeline;

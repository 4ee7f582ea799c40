//! Tables and properties of `update`; scenes are made by [`crate::tui::testing`].

mod commands;
mod dialogs;
mod list;
mod properties;
mod quiet;
mod runs;
mod sessions;

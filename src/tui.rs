//! The screen: one `update` over one `Model`, one `view`, one loop around them.
//!
//! `update`, the panes' and the overlays' state know neither ratatui nor crossterm nor tokio: they are the deterministic
//! core, and a recorded session replays through them. `view`, `widgets`, `style`, `terminal`, `input` and `run` are the rim.

pub mod acts;
pub mod attention;
pub mod batch;
pub mod command;
pub mod export;
pub mod fuzzy;
pub mod input;
pub mod layout;
pub mod model;
pub mod msg;
pub mod overlays;
pub mod pacer;
pub mod panes;
pub mod ports;
pub mod recording;
pub mod run;
pub mod runs;
pub mod style;
pub mod terminal;
pub mod testing;
pub mod textbox;
pub mod toast;
pub mod update;
pub mod view;
pub mod widgets;

pub use model::{Model, Setup};
pub use msg::{Input, Msg, TerminalEffect};
pub use update::{Step, update};

//! What the screen needs from outside, as channels of domain values: it knows neither engine nor sources nor store.

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::config::Problem;
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::domain::effect::Effect;
use crate::domain::fact::Fact;

/// How many facts may wait: the engine lane of DESIGN.md. A storm of 2,000 changes a second comes in batches of up to
/// 500 a poll, so a thousand batches are minutes of it; beyond that the engine waits, never the keys.
pub const FACT_LANE: usize = 1024;

/// How many effects may wait; people press keys slowly and bulk actions are at most some hundreds.
pub const EFFECT_LANE: usize = 1024;

/// A file of ours changed while running.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reload {
    /// Another theme, and what is wrong with it.
    Theme(Box<Theme>, Vec<Problem>),
    /// Another keymap, and what is wrong with it.
    Keymap(Box<Keymap>, Vec<Problem>),
}

/// The channels between the screen and everything else.
#[derive(Debug)]
pub struct Ports {
    /// What was learned or done.
    pub facts: mpsc::Receiver<Fact>,
    /// What must be done.
    pub effects: mpsc::Sender<Effect>,
    /// Themes and keymaps that changed on disk.
    pub reloads: mpsc::Receiver<Reload>,
}

//! Every command with its keys, from the command table and the keymap in force.

/// What the help overlay remembers.
#[derive(Clone, Debug, Default)]
pub struct Help {
    /// First visible line.
    pub offset: usize,
}

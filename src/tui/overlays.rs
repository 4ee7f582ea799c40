//! What lies over the panes: one enum in one stack, the topmost has the keys.

pub mod confirm;
pub mod declare;
pub mod detail;
pub mod help;
pub mod palette;
pub mod picker;
pub mod problems;
pub mod prompt;
pub mod terminal;

pub use confirm::Confirm;
pub use declare::Declare;
pub use detail::{Detail, Subject};
pub use help::Help;
pub use palette::Palette;
pub use picker::Picker;
pub use problems::Problems;
pub use prompt::Prompt;
pub use terminal::Terminal;

use crate::config::keymap::Chord;

/// Something over the panes.
#[derive(Debug)]
pub enum Overlay {
    /// Every command with its keys.
    Help(Help),
    /// Commands by name.
    Palette(Palette),
    /// What exactly will happen, and the key that lets it.
    Confirm(Confirm),
    /// A text to type.
    Prompt(Prompt),
    /// One or several of a list.
    Picker(Picker),
    /// A new incident.
    Declare(Box<Declare>),
    /// Everything about one thing; also why it is rated and tied as it is.
    Detail(Detail),
    /// Sources, actions, configuration.
    Problems(Problems),
    /// The terminal of a step.
    Terminal(Box<Terminal>),
}

impl Overlay {
    /// Whether letters are text here.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Palette(_) | Self::Prompt(_) | Self::Picker(_) => true,
            Self::Declare(form) => form.takes_text(),
            Self::Confirm(confirm) => confirm.takes_text(),
            Self::Help(_) | Self::Detail(_) | Self::Problems(_) | Self::Terminal(_) => false,
        }
    }
}

impl Overlay {
    /// A key for the text; true when it may have changed it.
    pub fn type_key(&mut self, chord: Chord) -> bool {
        match self {
            Self::Palette(palette) => palette.input.press(chord),
            Self::Prompt(prompt) => prompt.input.press(chord),
            Self::Picker(picker) => picker.input.press(chord),
            Self::Declare(form) => form.press(chord),
            Self::Confirm(_) | Self::Help(_) | Self::Detail(_) | Self::Problems(_) | Self::Terminal(_) => false,
        }
    }

    /// A paste for the text. A question takes none: what it wants typed must be typed.
    pub fn paste(&mut self, text: &str) {
        match self {
            Self::Palette(palette) => palette.input.paste(text),
            Self::Prompt(prompt) => prompt.input.paste(text),
            Self::Picker(picker) => picker.input.paste(text),
            Self::Declare(form) => match form.field {
                declare::Field::Title => form.title.paste(text),
                declare::Field::Details => form.details.paste(text),
                declare::Field::Service | declare::Field::Urgency | declare::Field::Priority => {}
            },
            Self::Confirm(_) | Self::Help(_) | Self::Detail(_) | Self::Problems(_) | Self::Terminal(_) => {}
        }
    }
}

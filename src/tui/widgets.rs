//! Pieces that panes are made of. They know words, numbers and areas, not incidents; none of them asks for the time.

pub mod chart;
pub mod clock;
pub mod frame;
pub mod numbers;
pub mod paragraph;
pub mod pen;
pub mod row;
pub mod window;
pub mod words;

pub use pen::Pen;
pub use row::{Align, Row};
pub(crate) use words::words;
pub use words::{Shown, Words};

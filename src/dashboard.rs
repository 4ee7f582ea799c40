//! Dashboards and panels: the model, placeholders, units, thresholds, legends, axes, downsampling.
//!
//! Pure: no I/O, no clock; `now` and the answers come in as values. The Grafana import will make the same model.

pub mod axis;
pub mod builtin;
pub mod downsample;
pub mod fill;
pub mod legend;
pub mod load;
pub mod model;
pub mod scale;
pub mod sentence;
pub mod stack;
pub mod step;
pub mod thresholds;
pub mod units;

pub(crate) mod expression;
mod template;

pub use fill::{FillError, Question, Values, ask};
pub use model::{Calc, Dashboard, Panel, PanelKind, PanelQuery, Threshold, ThresholdLevel, ThresholdStyle, Variable};
pub use step::Grid;

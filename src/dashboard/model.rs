//! The panel model: what is asked, and how the answer is shown.

use crate::domain::id::{PanelId, SourceId};
use crate::text::Clean;

/// A set of panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// Its name in `[[service]] dashboard = …`.
    pub name: String,
    /// Shown above the panels.
    pub title: Clean,
    /// Default time range in seconds.
    pub range_s: i64,
    /// Refresh in seconds.
    pub refresh_s: i64,
    /// Where the values of placeholders are found.
    pub variables: Vec<Variable>,
    /// The panels in order.
    pub panels: Vec<Panel>,
}

/// Where the value of `$name` is found. A placeholder without one is filled from the label of its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The placeholder's name, without `$`.
    pub name: String,
    /// Labels to look at, in order; the first one that has a value wins.
    pub labels: Vec<String>,
    /// Put there when no label has a value: a regular expression where it stands behind `=~`, such as `.+`. Written by
    /// the dashboard's author, so it is not escaped as a regular expression.
    pub default: Option<String>,
}

/// A panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its identity within the dashboard.
    pub id: PanelId,
    /// May hold `$name` placeholders; [`super::fill::title`] fills them.
    pub title: String,
    /// Why a person looks at it, one sentence; may be empty.
    pub description: String,
    /// How it is drawn.
    pub kind: PanelKind,
    /// What is asked.
    pub queries: Vec<PanelQuery>,
    /// Grafana's unit id: `percentunit`, `bytes`, `s`, `reqps`, `short`…
    pub unit: String,
    /// Digits after the point; chosen by the value when absent.
    pub decimals: Option<u8>,
    /// Fixed axis ends.
    pub min: Option<f64>,
    /// Fixed axis ends.
    pub max: Option<f64>,
    /// Steps, lowest first.
    pub thresholds: Vec<Threshold>,
    /// How the thresholds are drawn in a chart.
    pub threshold_style: ThresholdStyle,
    /// What the legend tells of each series.
    pub legend: Vec<Calc>,
    /// Which one number stands for a series in a stat, a gauge, a table and in small panes.
    pub reduce: Calc,
    /// Whether series stand on each other.
    pub stacked: bool,
    /// The words of a text panel.
    pub text: String,
}

impl Panel {
    /// A panel without queries, with the defaults of the native form: unit `short`, legend min/max/last.
    #[must_use]
    pub fn new(id: PanelId, title: &str, kind: PanelKind) -> Self {
        Self {
            id,
            title: title.to_owned(),
            description: String::new(),
            kind,
            queries: Vec::new(),
            unit: "short".to_owned(),
            decimals: None,
            min: None,
            max: None,
            thresholds: Vec::new(),
            threshold_style: ThresholdStyle::Line,
            legend: vec![Calc::Min, Calc::Max, Calc::LastNotNull],
            reduce: Calc::LastNotNull,
            stacked: false,
            text: String::new(),
        }
    }
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelKind {
    /// Lines over time.
    TimeSeries,
    /// One big number with a spark line.
    Stat,
    /// A bar between min and max.
    Gauge,
    /// Rows of labels and values.
    Table,
    /// Words.
    Text,
}

/// One query of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelQuery {
    /// PromQL with `$name`, `${name}` and `${name:regex}` placeholders from the incident's labels, `$__interval`,
    /// `$__rate_interval`, `$__range`.
    pub promql: String,
    /// Legend with `{{label}}`.
    pub legend: Option<String>,
    /// Which Prometheus; the service's when absent.
    pub source: Option<SourceId>,
    /// Asked at one instant and not over the range.
    pub instant: bool,
    /// No step finer than this, in milliseconds; the scrape interval when absent.
    pub min_step_ms: Option<i64>,
}

impl PanelQuery {
    /// A range query with nothing special.
    #[must_use]
    pub fn new(promql: &str) -> Self {
        Self { promql: promql.to_owned(), legend: None, source: None, instant: false, min_step_ms: None }
    }
}

/// From `value` upwards the panel is in this state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Lower end.
    pub value: f64,
    /// Which state; also shown by a mark, never by colour alone.
    pub level: ThresholdLevel,
}

/// State of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThresholdLevel {
    /// As it should be.
    Good,
    /// Look at it.
    Warning,
    /// Act.
    Bad,
}

/// How thresholds are drawn in a chart. They colour values in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThresholdStyle {
    /// Not at all; they do not touch the axis either.
    Off,
    /// A line at each.
    Line,
    /// A dashed line at each.
    Dashed,
    /// The area from each upwards.
    Area,
}

/// What is made of a series' samples. Gaps and NaN never count, except in [`Calc::Last`] and [`Calc::First`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calc {
    /// The last sample that is a number.
    LastNotNull,
    /// The last point of the grid, a gap when there is none.
    Last,
    /// The first point of the grid, a gap when there is none.
    First,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// How many.
    Count,
    /// Largest minus smallest.
    Range,
}

impl Calc {
    /// Every calculation.
    pub const ALL: &'static [Self] = &[
        Self::LastNotNull,
        Self::Last,
        Self::First,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Sum,
        Self::Count,
        Self::Range,
    ];

    /// The word of the native form, which is Grafana's.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LastNotNull => "lastNotNull",
            Self::Last => "last",
            Self::First => "first",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Range => "range",
        }
    }

    /// The word above a column of the legend.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::LastNotNull => "last",
            other => other.word(),
        }
    }
}

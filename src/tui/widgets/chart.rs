//! Lines over time: axes with units, thresholds, the incident's marks, names at the line ends, honest gaps.
//!
//! [`Chart::new`] does the arithmetic once for an answer and a size; [`Chart::paint`] only sets cells, so a frame costs
//! as much as the cells of the chart whatever the number of samples.

use chrono_tz::Tz;

use super::pen::width;
use super::{Pen, Words, words};
use crate::config::theme::Role;
use crate::dashboard::axis::{Mark, MarkKind, TimeAxis, TimeTick};
use crate::dashboard::downsample;
use crate::dashboard::model::{Panel, ThresholdLevel};
use crate::dashboard::scale::ValueAxis;
use crate::dashboard::{thresholds, units};
use crate::domain::series::Range;
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::layout::Area;
use crate::tui::style::{Marker, threshold_role};

mod raster;

use raster::Raster;

/// One line of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its name, written at its end.
    pub name: &'a Clean,
    /// One value for every step of the range, gaps included.
    pub values: &'a [f64],
}

/// What a chart shows and how large.
#[derive(Clone, Copy, Debug)]
pub struct Plot<'a> {
    /// Unit, thresholds, fixed ends.
    pub panel: &'a Panel,
    /// The grid of the samples.
    pub range: &'a Range,
    /// The lines, the most important first.
    pub lines: &'a [Line<'a>],
    /// Start and acknowledgement of the incident.
    pub marks: &'a [Mark],
    /// Zone of the time axis.
    pub zone: Tz,
    /// For units that count from now.
    pub now: Timestamp,
    /// Columns and rows.
    pub size: (u16, u16),
    /// How lines are dotted.
    pub marker: Marker,
}

/// A chart ready to be painted.
#[derive(Debug)]
pub struct Chart {
    size: (u16, u16),
    /// Columns of the value labels, with the space after them.
    margin: u16,
    /// Columns of the names at the line ends.
    names: u16,
    axis: ValueAxis,
    ticks: Vec<TimeTick>,
    levels: Vec<(u16, ThresholdLevel, Words)>,
    marks: Vec<(u16, MarkKind)>,
    ends: Vec<(u16, usize, Words)>,
    raster: Raster,
}

/// Rows below which a chart is a spark line.
pub const LEAST_ROWS: u16 = 4;

/// Columns below which a chart is a spark line.
pub const LEAST_COLUMNS: u16 = 20;

impl Chart {
    /// Does the arithmetic.
    #[must_use]
    pub fn new(plot: &Plot<'_>) -> Self {
        let (columns, rows) = plot.size;
        let high = rows.saturating_sub(1);
        let style = units::Style { decimals: plot.panel.decimals, zone: plot.zone, now: plot.now };
        let stacked = plot.panel.stacked.then(|| raster::stacked(plot.lines));
        let values = |at: usize| -> &[f64] {
            let own = plot.lines.get(at).map_or(&[][..], |line| line.values);
            stacked.as_ref().and_then(|edges| edges.get(at)).map_or(own, |edge| edge)
        };
        let all = (0..plot.lines.len()).flat_map(|at| values(at).iter().copied());
        let axis = ValueAxis::new(plot.panel, all, usize::from(high), &style);
        let margin = (axis.label_width() as u16 + 1).min(columns / 3);
        let names = name_columns(plot.lines, columns);
        let wide = columns.saturating_sub(margin + names);
        let time = TimeAxis::new(plot.range, usize::from(wide));
        let mut raster = Raster::new(plot.marker, wide, high);
        // The first line is drawn last, so that it lies on top.
        for at in (0..plot.lines.len()).rev() {
            let strokes = downsample::strokes(values(at), raster.dots_wide());
            raster.line(at, &strokes, &axis);
        }
        if plot.lines.len() == 1 || plot.panel.stacked {
            raster.fill(plot.lines.len());
        }
        let levels = levels(plot, &axis, high, &style);
        let ends = ends(plot, &axis, high, values);
        let marks = time.marks(plot.marks).into_iter().map(|(column, mark)| (column as u16, mark.kind)).collect();
        Self { size: plot.size, margin, names, ticks: time.ticks(plot.zone), axis, levels, marks, ends, raster }
    }

    /// The size it was made for.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Sets the cells.
    pub fn paint(&self, pen: &mut Pen<'_>, area: Area) {
        let high = area.height.min(self.size.1).saturating_sub(1);
        let wide = area.width.saturating_sub(self.margin + self.names);
        let plot = Area::new(area.x + self.margin, area.y, wide, high);
        if plot.is_empty() {
            return;
        }
        self.paint_axes(pen, area, plot);
        self.paint_marks(pen, plot);
        self.raster.paint(pen, plot);
        self.paint_levels(pen, plot);
        self.paint_signs(pen, plot);
        for (row, series, name) in &self.ends {
            let style = pen.skin.series(*series);
            pen.put(plot.right() + 1, plot.y + row, self.names.saturating_sub(1), name, style);
        }
    }

    fn paint_axes(&self, pen: &mut Pen<'_>, area: Area, plot: Area) {
        let (axis, grid, glyph) = (pen.style(Role::ChartAxis), pen.style(Role::ChartGrid), pen.glyphs().grid);
        for tick in &self.axis.ticks {
            let y = plot.y + tick.row as u16;
            let label = words!("{}", tick.label);
            pen.put_right(plot.x.saturating_sub(1), y, self.margin.saturating_sub(1), &label, axis);
            pen.rule(plot.x, y, plot.width, glyph, grid);
        }
        for tick in &self.ticks {
            let label = words!("{}", tick.label);
            let x = plot.x.saturating_add(tick.label_column as u16);
            pen.put(x, plot.bottom(), area.right().saturating_sub(x), &label, axis);
        }
    }

    fn paint_levels(&self, pen: &mut Pen<'_>, plot: Area) {
        let mut taken: Vec<(u16, u16, u16)> = Vec::new();
        for (row, level, label) in &self.levels {
            let (style, glyph) = (pen.style(threshold_role(*level)), pen.glyphs().threshold);
            for x in plot.x..plot.right() {
                if !self.raster.is_set(x - plot.x, *row) {
                    pen.glyph(x, plot.y + row, glyph, style);
                }
            }
            let columns = width(label.as_str());
            if columns + 12 > plot.width {
                continue;
            }
            // Where the label covers the least of the lines: at the left end or at the right. The second one of a row
            // takes the other end, so that no number stands under another's name.
            let covered = |from: u16| (from..from + columns).filter(|x| self.raster.is_set(*x, *row)).count();
            let (left, right) = (1, plot.width - columns - 1);
            let from = match taken.iter().find(|(other, ..)| other == row) {
                Some((_, from, _)) if *from > left + columns => left,
                Some((_, _, until)) if *until < right => right,
                Some(_) => continue,
                None if covered(left) <= covered(right) => left,
                None => right,
            };
            taken.push((*row, from, from + columns));
            pen.put(plot.x + from, plot.y + row, columns, label, style);
        }
    }

    /// A line down at each mark, under the data.
    fn paint_marks(&self, pen: &mut Pen<'_>, plot: Area) {
        let (line, glyph) = (pen.style(Role::ChartAxis), pen.glyphs().marker_line);
        for (column, _) in &self.marks {
            for y in plot.y..plot.bottom() {
                pen.glyph(plot.x + column, y, glyph, line);
            }
        }
    }

    /// What each mark is, over the data: one cell of a line may go, the mark may not. Its word only where no line runs.
    fn paint_signs(&self, pen: &mut Pen<'_>, plot: Area) {
        let (style, text, glyphs) = (pen.style(Role::ChartMarker), pen.style(Role::ChartAxis), pen.glyphs());
        let mut free_from = plot.x;
        for (at, (column, kind)) in self.marks.iter().enumerate() {
            let (glyph, word) = match kind {
                MarkKind::Started => (glyphs.marker_start, "began"),
                MarkKind::Acknowledged => (glyphs.marker_ack, "acked"),
                MarkKind::Resolved => (glyphs.marker_end, "ended"),
                MarkKind::Changed => (glyphs.marker_change, "change"),
            };
            let x = plot.x + column;
            pen.glyph(x, plot.y, glyph, style);
            let until = self.marks.get(at + 1).map_or(plot.right(), |(next, _)| plot.x + next);
            let columns = width(word);
            let (left, right) = (x.saturating_sub(columns + 1), x + 2);
            let is_free = |from: u16| {
                from >= free_from && (from..from + columns).all(|x| !self.raster.is_set(x.saturating_sub(plot.x), 0))
            };
            if right + columns <= until && is_free(right) {
                pen.put(right, plot.y, columns, &word, text);
                free_from = right + columns + 1;
            } else if left > plot.x && is_free(left) {
                pen.put(left, plot.y, columns, &word, text);
                free_from = x + 2;
            } else {
                free_from = x + 2;
            }
        }
    }
}

/// Room for names at the line ends: only where there is more than one line, and never more than a quarter.
fn name_columns(lines: &[Line<'_>], columns: u16) -> u16 {
    if lines.len() < 2 || columns < 48 {
        return 0;
    }
    let longest = lines.iter().map(|line| width(line.name.as_str())).max().unwrap_or(0);
    (longest.min(18) + 2).min(columns / 4)
}

fn levels(plot: &Plot<'_>, axis: &ValueAxis, high: u16, style: &units::Style) -> Vec<(u16, ThresholdLevel, Words)> {
    let inside = |value: f64| value > axis.min && value <= axis.max;
    let lines = thresholds::lines(plot.panel).iter().filter(|threshold| inside(threshold.value));
    lines
        .filter_map(|threshold| {
            let row = axis.line(threshold.value, usize::from(high))?;
            let value = units::format(threshold.value, &plot.panel.unit, style);
            Some((row as u16, threshold.level, words!(" {} {value} ", thresholds::word(threshold.level))))
        })
        .collect()
}

/// Names at the heights where the lines end; where two would share a row, the later one moves to the next free one.
fn ends<'a>(
    plot: &Plot<'_>,
    axis: &ValueAxis,
    high: u16,
    values: impl Fn(usize) -> &'a [f64],
) -> Vec<(u16, usize, Words)> {
    if plot.lines.len() < 2 {
        return Vec::new();
    }
    let mut ends: Vec<(u16, usize)> = (0..plot.lines.len())
        .filter_map(|at| {
            let last = values(at).iter().rev().copied().find(|value| !value.is_nan())?;
            Some((axis.line(last, usize::from(high))? as u16, at))
        })
        .collect();
    ends.sort_unstable();
    ends.truncate(usize::from(high));
    // Down first, then up from the floor for those that fell through it.
    let mut next = 0;
    for (row, _) in &mut ends {
        *row = (*row).max(next);
        next = *row + 1;
    }
    let mut floor = high;
    for (row, _) in ends.iter_mut().rev() {
        *row = (*row).min(floor.saturating_sub(1));
        floor = *row;
    }
    let name = |at: usize| plot.lines.get(at).map_or_else(Words::default, |line| words!("{}", line.name));
    ends.into_iter().map(|(row, at)| (row, at, name(at))).collect()
}

#[cfg(test)]
mod tests;

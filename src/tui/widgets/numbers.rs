//! Single numbers: a stat with its spark line, a gauge, a small table. Value and state come ready; the state has a word.

use ratatui::style::Style;

use super::pen::width;
use super::{Align, Pen, Row, Shown, Words, words};
use crate::config::theme::Role;
use crate::dashboard::downsample;
use crate::dashboard::model::ThresholdLevel;
use crate::dashboard::thresholds;
use crate::tui::layout::Area;
use crate::tui::style::threshold_role;

/// One number.
#[derive(Debug)]
pub struct Stat<'a> {
    /// With its unit.
    pub value: Words,
    /// Its state, where thresholds say one.
    pub level: Option<ThresholdLevel>,
    /// What it was over time, for the spark line.
    pub past: &'a [f64],
    /// Its share between the ends of its scale, for a gauge.
    pub share: Option<f64>,
    /// The ends of the scale, for a gauge.
    pub ends: Option<(Words, Words)>,
}

/// The look and the word of a state; a good one has no word: what is well is quiet.
fn level_look(pen: &Pen<'_>, level: Option<ThresholdLevel>) -> (Style, Option<&'static str>) {
    match level {
        None | Some(ThresholdLevel::Good) => (pen.style(Role::TextStrong), None),
        Some(level) => (pen.style(threshold_role(level)), Some(thresholds::word(level))),
    }
}

/// The number in the middle, its state beside it, its past below.
pub fn stat(pen: &mut Pen<'_>, area: Area, stat: &Stat<'_>) {
    if area.is_empty() {
        return;
    }
    let (style, word) = level_look(pen, stat.level);
    let bold = style.add_modifier(ratatui::style::Modifier::BOLD);
    let spark_rows = u16::from(area.height >= 2 && stat.share.is_none() && stat.past.len() > 1);
    let gauge_rows = u16::from(area.height >= 2 && stat.share.is_some());
    let (numbers, below) = area.split_bottom(spark_rows + gauge_rows);
    let middle = Area::new(numbers.x, numbers.y + numbers.height.saturating_sub(1) / 2, numbers.width, 1);
    let columns = width(stat.value.as_str()) + word.map_or(0, |word| width(word) + 2);
    let from = middle.x + middle.width.saturating_sub(columns) / 2;
    let mut row = Row::new(pen, Area { x: from, width: middle.right().saturating_sub(from), ..middle });
    row.put_styled(&stat.value, bold);
    if let Some(word) = word {
        row.put_styled(&words!("  {word}"), style);
    }
    if spark_rows > 0 {
        spark(pen, below, stat.past, style);
    }
    if let Some(share) = stat.share.filter(|_| gauge_rows > 0) {
        gauge(pen, below, share, stat.ends.as_ref(), style);
    }
}

/// Eighths of blocks; nothing where nothing was measured.
pub fn spark(pen: &mut Pen<'_>, area: Area, values: &[f64], style: Style) {
    let columns = downsample::spark(values, usize::from(area.width));
    let (low, high) = columns
        .iter()
        .flatten()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    // A flat line lies in the middle: it is neither low nor high.
    let span = if high > low { high - low } else { 0.0 };
    let sparks = pen.glyphs().sparks;
    for (at, value) in columns.iter().enumerate() {
        let Some(value) = value else { continue };
        let step = if span > 0.0 { ((value - low) / span * 7.0).round() as usize } else { 3 };
        let glyph = sparks.get(step.min(7)).copied().unwrap_or(".");
        pen.glyph(area.x + at as u16, area.y, glyph, style);
    }
}

/// A bar from end to end.
pub fn gauge(pen: &mut Pen<'_>, area: Area, share: f64, ends: Option<&(Words, Words)>, style: Style) {
    let [full, empty] = pen.glyphs().gauge;
    let mut bar = area;
    if let Some((low, high)) = ends {
        let (left, right) = (width(low.as_str()), width(high.as_str()));
        if area.width > left + right + 8 {
            let axis = pen.style(Role::ChartAxis);
            pen.put(area.x, area.y, left, low, axis);
            pen.put_right(area.right(), area.y, right, high, axis);
            bar = Area { x: area.x + left + 1, width: area.width - left - right - 2, ..area };
        }
    }
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let filled = (f64::from(bar.width) * share).round() as u16;
    pen.rule(bar.x, bar.y, filled.min(bar.width), full, style);
    let rest = pen.style(Role::ChartGrid);
    pen.rule(bar.x + filled.min(bar.width), bar.y, bar.width - filled.min(bar.width), empty, rest);
}

/// One row of a table: a name, and cells with their states.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// What the row is about.
    pub name: Words,
    /// The style of the name: a series' colour in a legend.
    pub name_style: Option<Style>,
    /// Cells, right-aligned.
    pub cells: Vec<(Words, Option<ThresholdLevel>)>,
}

/// Columns as wide as their widest cell, the name takes the rest. Returns the rows drawn.
pub fn table(pen: &mut Pen<'_>, area: Area, heads: &[&'static str], rows: &[TableRow]) -> usize {
    let mut widths: Vec<u16> = heads.iter().map(|head| width(head)).collect();
    for row in rows.iter().take(usize::from(area.height)) {
        for (widest, (cell, _)) in widths.iter_mut().zip(&row.cells) {
            *widest = (*widest).max(width(cell.as_str()));
        }
    }
    // Cells go, from the left, until the name has a third.
    let mut first = 0;
    while first < widths.len() {
        let wanted: u16 = widths.iter().skip(first).map(|width| width + 2).sum();
        if wanted <= area.width.saturating_mul(2) / 3 {
            break;
        }
        first += 1;
    }
    let wanted: u16 = widths.iter().skip(first).map(|width| width + 2).sum();
    let name_columns = area.width.saturating_sub(wanted);
    let mut drawn = 0;
    let has_heads = !heads.is_empty() && area.height >= 2;
    if has_heads {
        let mut line = Row::new(pen, area.split_top(1).0);
        line.gap(name_columns);
        for (head, columns) in heads.iter().zip(&widths).skip(first) {
            line.gap(2).cell(*columns, Align::Right, head, Role::ChartAxis);
        }
    }
    let body = area.split_top(u16::from(has_heads)).1;
    for (at, row) in rows.iter().enumerate().take(usize::from(body.height)) {
        let text = pen.style(Role::Text);
        let levels: Vec<Style> = row.cells.iter().map(|(_, level)| level_look(pen, *level).0).collect();
        let mut line = Row::new(pen, Area { y: body.y + at as u16, height: 1, ..body });
        line.cell_styled(name_columns, Align::Left, &row.name, row.name_style.unwrap_or(text));
        for (((cell, _), style), columns) in row.cells.iter().zip(levels).zip(&widths).skip(first) {
            line.gap(2).cell_styled(*columns, Align::Right, cell, style);
        }
        drawn += 1;
    }
    drawn
}

/// Words in the middle of an area, several lines: why there is nothing to see.
pub fn notice(pen: &mut Pen<'_>, area: Area, title: &impl Shown, lines: &[Words], role: Role) {
    let lines: Vec<Words> =
        lines.iter().flat_map(|line| super::paragraph::wrap(line.as_str(), area.width, 3)).collect();
    let rows = 1 + lines.len() as u16;
    let top = area.y + area.height.saturating_sub(rows) / 2;
    let style = pen.style(role);
    if area.height == 0 {
        return;
    }
    pen.put_centred(Area { y: top, height: 1, ..area }, title, style);
    let dim = pen.style(Role::TextDim);
    for (at, line) in lines.iter().enumerate() {
        let y = top + 1 + at as u16;
        if y < area.bottom() {
            pen.put_centred(Area { y, height: 1, ..area }, line, dim);
        }
    }
}

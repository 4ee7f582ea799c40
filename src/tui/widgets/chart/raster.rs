//! The dots of a chart: braille (two by four a cell) or one sign a cell. Knows rows and columns, not values.

use std::sync::Arc;

use super::Line;
use crate::dashboard::downsample::Stroke;
use crate::dashboard::scale::ValueAxis;
use crate::dashboard::stack;
use crate::domain::alert::Labels;
use crate::domain::series::Series;
use crate::tui::layout::Area;
use crate::tui::style::Marker;
use crate::tui::widgets::Pen;

/// Signs of the series where there is no braille.
const SIGNS: [&str; 8] = ["*", "+", "o", "x", "#", "@", "%", "&"];

/// No series.
const NONE: u8 = u8::MAX;

/// Dots, and whose they are.
#[derive(Debug)]
pub(super) struct Raster {
    marker: Marker,
    wide: u16,
    high: u16,
    /// Bits of a braille cell, or any bit for a sign.
    bits: Vec<u8>,
    /// The series that drew last in a cell.
    owner: Vec<u8>,
    /// For each series and dot column, the highest line it touches.
    tops: Vec<Vec<u16>>,
    /// The series whose tint lies under a cell.
    under: Vec<u8>,
}

/// The upper edges of series that stand on each other.
pub(super) fn stacked(lines: &[Line<'_>]) -> Vec<Arc<[f64]>> {
    let series = lines.iter().map(|line| Series { labels: Labels::default(), values: line.values.into() });
    stack::edges(&series.collect::<Vec<_>>())
}

impl Raster {
    pub fn new(marker: Marker, wide: u16, high: u16) -> Self {
        let cells = usize::from(wide) * usize::from(high);
        Self {
            marker,
            wide,
            high,
            bits: vec![0; cells],
            owner: vec![NONE; cells],
            tops: Vec::new(),
            under: vec![NONE; cells],
        }
    }

    fn grain(&self) -> (usize, usize) {
        match self.marker {
            Marker::Braille => (2, 4),
            Marker::Ascii => (1, 1),
        }
    }

    /// Dots from left to right.
    pub fn dots_wide(&self) -> usize {
        usize::from(self.wide) * self.grain().0
    }

    fn dots_high(&self) -> usize {
        usize::from(self.high) * self.grain().1
    }

    /// Draws one series. Neighbouring dots are joined; a gap is not.
    pub fn line(&mut self, series: usize, strokes: &[Stroke], axis: &ValueAxis) {
        let lines = self.dots_high();
        let mut tops = vec![u16::MAX; self.dots_wide()];
        for stroke in strokes {
            let mut before: Option<(usize, usize)> = None;
            for bucket in stroke {
                let at = |value: f64| axis.line(value, lines);
                let (Some(high), Some(low), Some(first), Some(last)) =
                    (at(bucket.max), at(bucket.min), at(bucket.first), at(bucket.last))
                else {
                    continue;
                };
                let (mut top, mut bottom) = (high, low);
                if let Some((dot, line)) = before {
                    self.join(series, (dot, line), (bucket.dot, first), &mut tops);
                    // A steep step is one upright line in the new column.
                    if bucket.dot == dot + 1 {
                        (top, bottom) = (top.min(line), bottom.max(line));
                    }
                }
                for line in top..=bottom {
                    self.set(series, bucket.dot, line, &mut tops);
                }
                before = Some((bucket.dot, last));
            }
        }
        if self.tops.len() <= series {
            self.tops.resize(series + 1, Vec::new());
        }
        if let Some(slot) = self.tops.get_mut(series) {
            *slot = tops;
        }
    }

    /// Dots between two samples that lie more than one dot apart.
    fn join(&mut self, series: usize, from: (usize, usize), to: (usize, usize), tops: &mut [u16]) {
        let span = to.0.saturating_sub(from.0);
        if span < 2 {
            return;
        }
        let (start, end) = (from.1 as f64, to.1 as f64);
        let mut before = from.1;
        for step in 1..span {
            let line = (start + (end - start) * step as f64 / span as f64).round() as usize;
            for at in line.min(before)..=line.max(before) {
                self.set(series, from.0 + step, at, tops);
            }
            before = line;
        }
    }

    fn set(&mut self, series: usize, dot: usize, line: usize, tops: &mut [u16]) {
        // Bits of a braille cell by column and row.
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let (across, down) = self.grain();
        let cell = line / down * usize::from(self.wide) + dot / across;
        let bit = BITS.get(dot % across).and_then(|column| column.get(line % down)).copied().unwrap_or(1);
        if let (Some(bits), Some(owner)) = (self.bits.get_mut(cell), self.owner.get_mut(cell)) {
            *bits |= bit;
            *owner = series as u8;
        }
        if let Some(top) = tops.get_mut(dot) {
            *top = (*top).min(line as u16);
        }
    }

    /// Lays each series' tint below its line: down to the floor, or to the next lower line where they are stacked.
    pub fn fill(&mut self, count: usize) {
        let (across, down) = self.grain();
        // From the highest edge to the lowest, so that the lower one wins below itself.
        for series in (0..count).rev() {
            let Some(tops) = self.tops.get(series) else { continue };
            for column in 0..usize::from(self.wide) {
                let dots = tops.get(column * across..(column + 1) * across).unwrap_or_default();
                let Some(top) = dots.iter().copied().filter(|top| *top != u16::MAX).min() else { continue };
                for row in usize::from(top) / down..usize::from(self.high) {
                    if let Some(under) = self.under.get_mut(row * usize::from(self.wide) + column) {
                        *under = series as u8;
                    }
                }
            }
        }
    }

    /// Whether a line passes through a cell.
    pub fn is_set(&self, column: u16, row: u16) -> bool {
        let cell = usize::from(row) * usize::from(self.wide) + usize::from(column);
        column < self.wide && self.bits.get(cell).is_some_and(|bits| *bits != 0)
    }

    /// Sets the cells.
    pub fn paint(&self, pen: &mut Pen<'_>, plot: Area) {
        for row in 0..self.high.min(plot.height) {
            for column in 0..self.wide.min(plot.width) {
                let cell = usize::from(row) * usize::from(self.wide) + usize::from(column);
                let bits = self.bits.get(cell).copied().unwrap_or(0);
                let owner = usize::from(self.owner.get(cell).copied().unwrap_or(NONE));
                let under = self.under.get(cell).copied().unwrap_or(NONE);
                let tint = if under == NONE { None } else { pen.skin.tint(usize::from(under)) };
                if bits == 0 && tint.is_none() {
                    continue;
                }
                let style = pen.skin.series(owner);
                let Some(target) = pen.buffer.cell_mut((plot.x + column, plot.y + row)) else { continue };
                if bits != 0 {
                    match self.marker {
                        Marker::Braille => {
                            target.set_char(char::from_u32(0x2800 + u32::from(bits)).unwrap_or('?'));
                        }
                        Marker::Ascii => {
                            target.set_symbol(SIGNS.get(owner % SIGNS.len()).copied().unwrap_or("*"));
                        }
                    }
                    target.set_style(style);
                }
                if let Some(tint) = tint {
                    target.set_bg(tint);
                }
            }
        }
    }
}

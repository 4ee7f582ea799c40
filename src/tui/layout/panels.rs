//! Where panels stand within their pane.

use super::Area;
use crate::dashboard::PanelKind;

/// What a panel's place depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanelSize {
    /// One number: a few of them share a row.
    Small,
    /// A chart or a table.
    Large,
}

impl PanelSize {
    /// The size that a kind of panel needs.
    #[must_use]
    pub fn of(kind: PanelKind) -> Self {
        match kind {
            PanelKind::Stat | PanelKind::Gauge => Self::Small,
            PanelKind::TimeSeries | PanelKind::Table | PanelKind::Text => Self::Large,
        }
    }
}

/// Columns and rows below which a panel is of no use.
const LEAST_PANEL: (u16, u16) = (34, 8);

/// Columns and rows of one number.
const SMALL_PANEL: (u16, u16) = (18, 5);

/// Where panels stand in `inside`, from the panel `offset` on: small ones side by side, large ones in a grid that shows
/// as many as it can and wastes nothing. Index and place; what has no place is below.
#[must_use]
pub fn panel_cells(inside: Area, sizes: &[PanelSize], offset: usize) -> Vec<(usize, Area)> {
    let mut cells = Vec::new();
    let mut rest = inside;
    let mut at = offset.min(sizes.len());
    while let Some(size) = sizes.get(at).filter(|_| !rest.is_empty()) {
        let run = sizes.iter().skip(at).take_while(|other| *other == size).count();
        let others = sizes.len() - at - run;
        let used = match size {
            PanelSize::Small => small_row(&mut rest, at, run, others > 0, &mut cells),
            PanelSize::Large => large_grid(&mut rest, at, run, others > 0, &mut cells),
        };
        if used == 0 {
            break;
        }
        at += used;
    }
    cells
}

fn small_row(rest: &mut Area, from: usize, run: usize, shares: bool, cells: &mut Vec<(usize, Area)>) -> usize {
    let across = usize::from(rest.width / SMALL_PANEL.0).clamp(1, run);
    let rows = if shares { SMALL_PANEL.1 } else { rest.height.min(SMALL_PANEL.1 + 4) };
    let (row, below) = rest.split_top(rows);
    for (at, area) in columns(row, across).enumerate() {
        cells.push((from + at, area));
    }
    *rest = if below.height < 3 { Area::default() } else { below };
    across
}

fn large_grid(rest: &mut Area, from: usize, run: usize, shares: bool, cells: &mut Vec<(usize, Area)>) -> usize {
    let most_across = usize::from(rest.width / LEAST_PANEL.0).max(1);
    let most_down = usize::from(rest.height / LEAST_PANEL.1).max(1);
    // As few columns as show as many as there is room for: charts are wide.
    let across = (1..=most_across).find(|across| across * most_down >= run).unwrap_or(most_across).min(run);
    let down = run.div_ceil(across).min(most_down);
    let kept = if shares && rest.height >= LEAST_PANEL.1 * (down as u16) + SMALL_PANEL.1 { SMALL_PANEL.1 } else { 0 };
    let (grid, below) = rest.split_bottom(kept);
    let mut used = 0;
    for row in rows(grid, down) {
        let left = run - used;
        for area in columns(row, across.min(left)) {
            cells.push((from + used, area));
            used += 1;
        }
    }
    *rest = below;
    used
}

fn columns(area: Area, count: usize) -> impl Iterator<Item = Area> {
    let count = u16::try_from(count.max(1)).unwrap_or(1);
    (0..count).map(move |at| {
        let from = u32::from(area.width) * u32::from(at) / u32::from(count);
        let until = u32::from(area.width) * u32::from(at + 1) / u32::from(count);
        Area { x: area.x + from as u16, width: (until - from) as u16, ..area }
    })
}

fn rows(area: Area, count: usize) -> impl Iterator<Item = Area> {
    let count = u16::try_from(count.max(1)).unwrap_or(1);
    (0..count).map(move |at| {
        let from = u32::from(area.height) * u32::from(at) / u32::from(count);
        let until = u32::from(area.height) * u32::from(at + 1) / u32::from(count);
        Area { y: area.y + from as u16, height: (until - from) as u16, ..area }
    })
}

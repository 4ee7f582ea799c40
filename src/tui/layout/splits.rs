//! Borders that can be moved, and where they stand.

use super::{Rects, Shape};

/// A border that the mouse can drag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divider {
    /// Right of the first column.
    First,
    /// Left of the third column.
    Third,
    /// Between timeline and panels.
    Middle,
    /// Under the runbook (wide), over it (medium).
    Runbook,
}

/// Where the borders stand, in thousandths of the room there is, so that a resize keeps the proportions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Splits {
    /// Width of the first column, wide.
    pub first: u16,
    /// Width of the third column, wide.
    pub third: u16,
    /// Width of the first column, medium.
    pub first_medium: u16,
    /// Height of the timeline.
    pub middle: u16,
    /// Height of what stands above [`Divider::Runbook`].
    pub runbook: u16,
}

impl Default for Splits {
    fn default() -> Self {
        Self { first: 390, third: 260, first_medium: 500, middle: 480, runbook: 640 }
    }
}

impl Splits {
    /// The splits after `divider` was dragged to a cell.
    #[must_use]
    pub fn dragged(self, divider: Divider, rects: &Rects, x: u16, y: u16) -> Self {
        let across = share(x.saturating_sub(rects.body.x), rects.body.width);
        let down = share(y.saturating_sub(rects.body.y), rects.body.height);
        let mut moved = self;
        match divider {
            Divider::First if rects.shape == Shape::Wide => moved.first = across,
            Divider::First => moved.first_medium = across,
            Divider::Third => moved.third = 1000_u16.saturating_sub(across),
            Divider::Middle => moved.middle = down,
            Divider::Runbook => moved.runbook = down,
        }
        moved.bounded()
    }

    /// The first column wider (or narrower, below 0) by thousandths.
    #[must_use]
    pub fn widened(self, shape: Shape, by: i16) -> Self {
        let mut moved = self;
        let part = if shape == Shape::Wide { &mut moved.first } else { &mut moved.first_medium };
        *part = part.saturating_add_signed(by);
        moved.bounded()
    }

    /// No pane so small that nothing can be read in it.
    pub(super) fn bounded(self) -> Self {
        let first = self.first.clamp(200, 550);
        Self {
            first,
            third: self.third.clamp(150, 800 - first),
            first_medium: self.first_medium.clamp(300, 700),
            middle: self.middle.clamp(200, 800),
            runbook: self.runbook.clamp(200, 800),
        }
    }
}

fn share(part: u16, whole: u16) -> u16 {
    u16::try_from(u32::from(part) * 1000 / u32::from(whole.max(1))).unwrap_or(1000).min(1000)
}

pub(super) fn portion(whole: u16, thousandths: u16) -> u16 {
    u16::try_from((u32::from(whole) * u32::from(thousandths) + 500) / 1000).unwrap_or(whole).min(whole)
}

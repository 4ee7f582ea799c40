//! Which pane stands where. Pure arithmetic on cells, so that `view` draws and `update` hits the same rectangles; must
//! not know ratatui.
//!
//! Wide (from 160 columns): incidents | timeline over panels | runbook over the selected step. Medium (from 100): two
//! columns. Small: one pane at a time with tabs. Below 60×16: a notice, keys still work.

mod area;
mod panels;
mod splits;

pub use area::Area;
pub use panels::{PanelSize, panel_cells};
pub use splits::{Divider, Splits};

use splits::portion;

/// A pane that can have the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// The incident list.
    #[default]
    Incidents,
    /// What happened.
    Timeline,
    /// Numbers over time.
    Panels,
    /// The checklist.
    Runbook,
}

impl Pane {
    /// All, in the order of `Tab` and of the keys 1 to 4.
    pub const ALL: [Self; 4] = [Self::Incidents, Self::Timeline, Self::Panels, Self::Runbook];

    /// Its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Incidents => "Incidents",
            Self::Timeline => "Timeline",
            Self::Panels => "Panels",
            Self::Runbook => "Runbook",
        }
    }

    /// The one after it, around the end.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Incidents => Self::Timeline,
            Self::Timeline => Self::Panels,
            Self::Panels => Self::Runbook,
            Self::Runbook => Self::Incidents,
        }
    }

    /// The one before it, around the end.
    #[must_use]
    pub fn previous(self) -> Self {
        match self {
            Self::Incidents => Self::Runbook,
            Self::Timeline => Self::Incidents,
            Self::Panels => Self::Timeline,
            Self::Runbook => Self::Panels,
        }
    }
}

/// Which arrangement the size allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Too small for anything but a notice.
    Tiny,
    /// One pane at a time, with tabs.
    Small,
    /// Two columns.
    Medium,
    /// Three columns.
    Wide,
}

impl Shape {
    /// The shape for a terminal of that size.
    #[must_use]
    pub fn of(width: u16, height: u16) -> Self {
        match (width, height) {
            (..60, _) | (_, ..16) => Self::Tiny,
            (..100, _) | (_, ..24) => Self::Small,
            (..160, _) => Self::Medium,
            _ => Self::Wide,
        }
    }
}

/// What the arrangement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Columns of the terminal.
    pub width: u16,
    /// Rows of the terminal.
    pub height: u16,
    /// The pane that has the keys.
    pub focus: Pane,
    /// It fills the body.
    pub is_zoomed: bool,
    /// Where the borders stand.
    pub splits: Splits,
    /// Rows of banners under the header.
    pub banners: u16,
}

/// Where everything stands. An area that is not shown is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rects {
    /// Which arrangement it is.
    pub shape: Shape,
    /// Two rows at the top.
    pub header: Area,
    /// Broken configuration, lost sources.
    pub banners: Area,
    /// One row of pane names; small shape or zoomed only.
    pub tabs: Area,
    /// The incident list, with its frame.
    pub incidents: Area,
    /// The timeline, with its frame.
    pub timeline: Area,
    /// The panels, with their frame.
    pub panels: Area,
    /// The checklist, with its frame.
    pub runbook: Area,
    /// The selected step in full, with its frame; later its output.
    pub step: Area,
    /// Last row: keys.
    pub hints: Area,
    /// Everything between header and hints; popups stand in its middle.
    pub body: Area,
}

impl Rects {
    /// Where `pane` stands, with its frame.
    #[must_use]
    pub fn of(&self, pane: Pane) -> Area {
        match pane {
            Pane::Incidents => self.incidents,
            Pane::Timeline => self.timeline,
            Pane::Panels => self.panels,
            Pane::Runbook => self.runbook,
        }
    }

    /// The pane without its frame: where its lines are.
    #[must_use]
    pub fn inside(&self, pane: Pane) -> Area {
        let area = self.of(pane);
        if self.is_framed() { area.inset(1, 1) } else { area }
    }

    /// Panes have frames where more than one is shown; a lone pane has the tab row above it instead.
    #[must_use]
    pub fn is_framed(&self) -> bool {
        self.tabs.is_empty()
    }

    /// Where the incidents stand: without the frame, the line of the filter and the line of column heads.
    #[must_use]
    pub fn incident_list(&self, has_filter: bool) -> Area {
        let inside = self.inside(Pane::Incidents);
        let heads = u16::from(incident_height(inside.width) == 1);
        inside.split_top(heads + u16::from(has_filter)).1
    }

    /// How many incidents the list shows at once.
    #[must_use]
    pub fn incidents_shown(&self, has_filter: bool) -> usize {
        let list = self.incident_list(has_filter);
        usize::from(list.height / incident_height(list.width))
    }

    /// The pane under a cell.
    #[must_use]
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        Pane::ALL.into_iter().find(|pane| self.of(*pane).contains(x, y))
    }

    /// The pane whose name in the tab row is under a cell.
    #[must_use]
    pub fn tab_at(&self, x: u16, y: u16) -> Option<Pane> {
        if !self.tabs.contains(x, y) {
            return None;
        }
        Pane::ALL.into_iter().find(|pane| {
            let (from, width) = tab_span(*pane);
            (self.tabs.x + from..self.tabs.x + from + width).contains(&x)
        })
    }

    /// The border under a cell: the two frame columns or rows where panes meet.
    #[must_use]
    pub fn divider_at(&self, x: u16, y: u16) -> Option<Divider> {
        if !self.is_framed() || !self.body.contains(x, y) || self.shape == Shape::Small {
            return None;
        }
        let meets = |at: u16, border: u16| border > 0 && (at + 1 == border || at == border);
        if meets(x, self.incidents.right()) {
            return Some(Divider::First);
        }
        if self.shape == Shape::Wide && meets(x, self.runbook.x) {
            return Some(Divider::Third);
        }
        if self.timeline.x <= x && x < self.timeline.right() && meets(y, self.panels.y) {
            return Some(Divider::Middle);
        }
        let lower = if self.shape == Shape::Wide { self.step } else { self.runbook };
        (lower.x <= x && x < lower.right() && meets(y, lower.y)).then_some(Divider::Runbook)
    }
}

/// Columns from which an incident fits on one line; below, its title has the first and the rest the second.
pub const ONE_LINE: u16 = 112;

/// Lines that an incident takes in a list of that width.
#[must_use]
pub fn incident_height(width: u16) -> u16 {
    if width >= ONE_LINE { 1 } else { 2 }
}

/// First column within the tab row and width of a pane's name: ` 1 Incidents `.
#[must_use]
pub fn tab_span(pane: Pane) -> (u16, u16) {
    let width = |pane: Pane| u16::try_from(pane.title().len()).unwrap_or(0) + 4;
    let before = Pane::ALL.into_iter().take_while(|other| *other != pane).map(|other| width(other) + 1).sum();
    (before, width(pane))
}

/// Where everything stands.
#[must_use]
pub fn rects(geometry: &Geometry) -> Rects {
    let Geometry { width, height, focus, is_zoomed, banners, .. } = *geometry;
    let splits = geometry.splits.bounded();
    let shape = Shape::of(width, height);
    let whole = Area::new(0, 0, width, height);
    let none = Area::default();
    let mut rects = Rects {
        shape,
        header: none,
        banners: none,
        tabs: none,
        incidents: none,
        timeline: none,
        panels: none,
        runbook: none,
        step: none,
        hints: none,
        body: whole,
    };
    if shape == Shape::Tiny {
        return rects;
    }
    let (header, rest) = whole.split_top(2);
    let (banners, rest) = rest.split_top(banners.min(3));
    let (body, hints) = rest.split_bottom(1);
    rects = Rects { header, banners, body, hints, ..rects };
    if is_zoomed || shape == Shape::Small {
        let (tabs, lone) = body.split_top(1);
        rects.tabs = tabs;
        let place = match focus {
            Pane::Incidents => &mut rects.incidents,
            Pane::Timeline => &mut rects.timeline,
            Pane::Panels => &mut rects.panels,
            Pane::Runbook => &mut rects.runbook,
        };
        *place = lone;
        return rects;
    }
    if shape == Shape::Medium {
        let (first, second) = body.split_left(portion(body.width, splits.first_medium));
        (rects.incidents, rects.runbook) = first.split_top(portion(body.height, splits.runbook));
        (rects.timeline, rects.panels) = second.split_top(portion(body.height, splits.middle));
        return rects;
    }
    let (first, rest) = body.split_left(portion(body.width, splits.first));
    let (second, third) = rest.split_right(portion(body.width, splits.third));
    rects.incidents = first;
    (rects.timeline, rects.panels) = second.split_top(portion(body.height, splits.middle));
    (rects.runbook, rects.step) = third.split_top(portion(body.height, splits.runbook));
    rects
}

#[cfg(test)]
mod tests;

//! Draws the model. Reads it and changes nothing; what is worth keeping between frames lives in [`RenderCache`].
//!
//! Every age and countdown is counted to `model.now`, so that the same model always gives the same frame.

use ratatui::buffer::Buffer;

use super::layout::{Area, Pane, Rects, Shape};
use super::model::Model;
use super::widgets::{Pen, Words, words};
use crate::config::theme::Role;

pub mod cache;
pub mod freshness;

mod banners;
mod header;
mod hints;
mod overlay;
mod running;
mod tabs;
mod toasts;
pub mod transport;

pub use cache::RenderCache;
pub(crate) use freshness::{Trust, pane_trust};
pub(crate) use overlay::{extent, input_line, line_with, terminal_size};
pub(crate) use running::{names, running};

/// Draws one frame: on the terminal's buffer, on that of `snapshot`, of a test. Any size, any state.
pub fn draw(model: &Model, cache: &mut RenderCache, buffer: &mut Buffer) {
    let skin = cache.skin(&model.theme);
    let whole = Area::from(buffer.area);
    let mut pen = Pen { buffer, skin: &skin };
    let ground = pen.style(Role::Background);
    pen.ground(whole, ground);
    let rects = fit(model, whole);
    if rects.shape == Shape::Tiny {
        tiny(&mut pen, whole);
    } else {
        header::draw(&mut pen, rects.header, model);
        banners::draw(&mut pen, rects.banners, model);
        tabs::draw(&mut pen, rects.tabs, model);
        panes(&mut pen, &rects, model, cache);
        hints::draw(&mut pen, rects.hints, model);
    }
    if !model.overlays.is_empty() && rects.shape != Shape::Tiny {
        pen.veil(rects.body);
    }
    for (at, open) in model.overlays.iter().enumerate() {
        overlay::draw(&mut pen, &rects, model, open, at + 1 == model.overlays.len());
    }
    toasts::draw(&mut pen, &rects, model);
}

/// The places for the size that the buffer has, which is the model's but for the moment of a resize.
fn fit(model: &Model, whole: Area) -> Rects {
    if (model.size.width, model.size.height) == (whole.width, whole.height) {
        return model.rects();
    }
    super::layout::rects(&super::layout::Geometry {
        width: whole.width,
        height: whole.height,
        focus: model.focus,
        is_zoomed: model.zoom,
        splits: model.splits,
        banners: model.banner_rows(),
    })
}

fn panes(pen: &mut Pen<'_>, rects: &Rects, model: &Model, cache: &mut RenderCache) {
    use super::panes::{incidents, panels, runbook, timeline};
    let framed = rects.is_framed();
    let place = |pane: Pane| Place { area: rects.of(pane), framed, focused: model.focus == pane };
    for pane in Pane::ALL.into_iter().filter(|pane| !rects.of(*pane).is_empty()) {
        match pane {
            Pane::Incidents => incidents::view::draw(pen, place(pane), rects, model, cache),
            Pane::Timeline => timeline::view::draw(pen, place(pane), model),
            Pane::Panels => panels::view::draw(pen, place(pane), model, cache),
            Pane::Runbook => runbook::view::draw(pen, place(pane), model),
        }
    }
    if !rects.step.is_empty() {
        runbook::step::draw(pen, rects.step, model);
    }
}

/// Where a pane stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// With its frame.
    pub area: Area,
    /// Whether it has a frame of its own, or the tab row above it.
    pub framed: bool,
    /// Whether it has the keys.
    pub focused: bool,
}

impl Place {
    /// Draws frame and title; returns what is inside.
    pub fn open(
        self,
        pen: &mut Pen<'_>,
        pane: Pane,
        detail: Words,
        aside: Option<&Words>,
        trust: Option<Trust>,
    ) -> Area {
        let number = Pane::ALL.iter().position(|other| *other == pane).unwrap_or(0) + 1;
        let title = super::widgets::frame::PaneTitle {
            key: Some(words!("{number}")),
            name: pane.title(),
            detail,
            state: trust.map(|trust| (trust.freshness, trust.age)),
            aside,
            is_focused: self.focused,
        };
        if self.framed {
            return super::widgets::frame::pane(pen, self.area, &title);
        }
        tabs::lone_title(pen, self.area, &title);
        self.area
    }
}

/// Too small for anything but one line; keys still work.
fn tiny(pen: &mut Pen<'_>, whole: Area) {
    let text = words!("warroom needs 60x16, this is {}x{}; keys still work", whole.width, whole.height);
    let style = pen.style(Role::TextDim);
    pen.put(whole.x, whole.y, whole.width, &text, style);
}

#[cfg(test)]
mod tests;

//! What is worth keeping between frames: the skin and the charts. Derived from the model, never a part of it;
//! losing it costs a frame and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::theme::{Capabilities, Theme};
use crate::domain::id::PanelId;
use crate::domain::time::Timestamp;
use crate::tui::style::Skin;
use crate::tui::widgets::chart::Chart;
use crate::tui::widgets::numbers::TableRow;

/// A panel ready to be painted.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    /// The chart, where the panel is one and there is room.
    pub chart: Option<Chart>,
    /// The legend or the table: heads and rows.
    pub heads: Vec<&'static str>,
    /// A row for each series.
    pub rows: Vec<TableRow>,
    /// Series that were left out.
    pub more: usize,
}

/// What a picture was made of; another key, another picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PictureKey {
    /// When each query's answer came.
    pub answers: Vec<Option<Timestamp>>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The incident's start, acknowledgement and end.
    pub marks: Vec<Timestamp>,
    /// The theme by its place in memory: colours are in the rows.
    pub theme: usize,
}

/// What is kept between frames.
#[derive(Debug)]
pub struct RenderCache {
    capabilities: Capabilities,
    skin: Option<(Arc<Theme>, Arc<Skin>)>,
    pictures: BTreeMap<(String, PanelId), (PictureKey, Arc<Picture>)>,
}

/// More panels than any dashboard shows at once; older pictures are forgotten.
const MOST_PICTURES: usize = 64;

impl RenderCache {
    /// For one terminal.
    #[must_use]
    pub fn new(capabilities: Capabilities) -> Self {
        Self { capabilities, skin: None, pictures: BTreeMap::new() }
    }

    /// What the terminal can show.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The theme on this terminal.
    pub fn skin(&mut self, theme: &Arc<Theme>) -> Arc<Skin> {
        if let Some((known, skin)) = &self.skin
            && Arc::ptr_eq(known, theme)
        {
            return Arc::clone(skin);
        }
        let skin = Arc::new(Skin::new(theme, self.capabilities));
        self.skin = Some((Arc::clone(theme), Arc::clone(&skin)));
        self.pictures.clear();
        skin
    }

    /// The picture of a panel, made by `make` when it is not known.
    pub(crate) fn picture(
        &mut self,
        dashboard: &str,
        panel: &PanelId,
        key: PictureKey,
        make: impl FnOnce() -> Picture,
    ) -> Arc<Picture> {
        let name = (dashboard.to_owned(), panel.clone());
        if let Some((known, picture)) = self.pictures.get(&name)
            && *known == key
        {
            return Arc::clone(picture);
        }
        if self.pictures.len() >= MOST_PICTURES {
            self.pictures.clear();
        }
        let picture = Arc::new(make());
        self.pictures.insert(name, (key, Arc::clone(&picture)));
        picture
    }
}

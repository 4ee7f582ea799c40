//! Everything the screen shows, in one place. [`super::update`] is its only writer; `view` reads it and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::attention::Attention;
use super::batch::Batches;
use super::layout::{Geometry, Pane, Rects, Splits};
use super::overlays::Overlay;
use super::panes::incidents::IncidentsState;
use super::panes::panels::PanelsState;
use super::panes::runbook::RunbookState;
use super::panes::timeline::TimelineState;
use super::toast::Toasts;
use crate::config::Problem;
use crate::config::keymap::{Chord, Context, Keymap};
use crate::config::model::{PrometheusConfig, RoleConfig, ServiceConfig, SeverityPolicy};
use crate::config::theme::Theme;
use crate::dashboard::Dashboard;
use crate::domain::id::OpIds;
use crate::domain::room::Room;
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;
use crate::runbook::Runbook;
use crate::text::Clean;

/// Columns and lines of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Lines.
    pub height: u16,
}

/// What kind of world this is, when it is not the real one: shown all the time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Banner {
    /// The simulated world of `warroom demo`, by its scenario.
    Demo(Clean),
    /// A drill, by its scenario.
    Drill(Clean),
}

/// How PagerDuty can be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagerAccess {
    /// It is not configured.
    None,
    /// With a routing key only: raise, acknowledge and resolve what was raised with that key.
    EventsOnly,
    /// With a REST token.
    Full,
}

/// What the screen starts with.
#[derive(Debug)]
pub struct Setup {
    /// What is known already; new for a new room.
    pub room: Room,
    /// Size of the terminal.
    pub size: Size,
    /// When it starts.
    pub now: Timestamp,
    /// Seed of the op ids: differs between consoles.
    pub seed: u64,
    /// The room's name.
    pub room_name: Clean,
    /// Who acts.
    pub operator: Clean,
    /// Zone of the clock.
    pub zone: Tz,
    /// Refuse every action.
    pub read_only: bool,
    /// Ring the terminal's bell for a new critical incident.
    pub bell: bool,
    /// How PagerDuty can be spoken to.
    pub pager: PagerAccess,
    /// What kind of world this is.
    pub banner: Option<Banner>,
    /// Themes to walk through; the first is in force.
    pub themes: Vec<Arc<Theme>>,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// What is wrong with files of ours.
    pub problems: Vec<Problem>,
    /// Dashboards.
    pub dashboards: Arc<[Dashboard]>,
    /// Runbooks.
    pub runbooks: Arc<[Runbook]>,
    /// Services.
    pub services: Arc<[ServiceConfig]>,
    /// The severities: what they mean and how people respond.
    pub severities: BTreeMap<Severity, SeverityPolicy>,
    /// Prometheus servers; the first one is asked where nothing names one.
    pub prometheus: Vec<PrometheusConfig>,
    /// The parts people take in an incident.
    pub roles: Vec<RoleConfig>,
}

/// Everything the screen shows.
#[derive(Debug)]
pub struct Model {
    /// Everything known about the outside.
    pub room: Room,
    /// Size of the terminal.
    pub size: Size,
    /// The pane that has the keys.
    pub focus: Pane,
    /// Whether that pane covers the others.
    pub zoom: bool,
    /// Where the borders are.
    pub splits: Splits,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// The theme in force.
    pub theme: Arc<Theme>,
    /// Themes to walk through.
    pub themes: Vec<Arc<Theme>>,
    /// What is wrong with files of ours.
    pub problems: Vec<Problem>,
    /// Whether somebody has looked at `problems`; the banner goes then.
    pub problems_seen: bool,
    /// Dashboards.
    pub dashboards: Arc<[Dashboard]>,
    /// Runbooks.
    pub runbooks: Arc<[Runbook]>,
    /// Services.
    pub services: Arc<[ServiceConfig]>,
    /// The severities.
    pub severities: BTreeMap<Severity, SeverityPolicy>,
    /// Prometheus servers.
    pub prometheus: Vec<PrometheusConfig>,
    /// The parts people take in an incident.
    pub roles: Vec<RoleConfig>,
    /// The live list.
    pub incidents: IncidentsState,
    /// The timeline.
    pub timeline: TimelineState,
    /// The panels.
    pub panels: PanelsState,
    /// The runbook.
    pub runbook: RunbookState,
    /// What lies over the panes; the last one is on top and has the keys.
    pub overlays: Vec<Overlay>,
    /// Short notices.
    pub toasts: Toasts,
    /// Key presses whose actions are on their way: what becomes of them is said in one notice.
    pub batches: Batches,
    /// What the engine was told that people look at.
    pub attention: Attention,
    /// The incident that a declaration of ours opened: the cursor goes there when it is listed.
    pub awaited: Option<crate::domain::id::PagerId>,
    /// PagerDuty has told its list once: what is new after that is news.
    pub has_listed: bool,
    /// When the next age, countdown or clock on screen changes.
    pub text_due: Option<Timestamp>,
    /// The border that the mouse drags.
    pub dragged: Option<super::layout::Divider>,
    /// The beginning of a key sequence.
    pub pending: Vec<Chord>,
    /// Makes identities for actions.
    pub ops: OpIds,
    /// The room's name.
    pub room_name: Clean,
    /// Who acts.
    pub operator: Clean,
    /// Zone of the clock.
    pub zone: Tz,
    /// When `update` last ran: the instant that ages and clocks on screen are counted to.
    pub now: Timestamp,
    /// Refuse every action.
    pub read_only: bool,
    /// Ring the terminal's bell for a new critical incident.
    pub bell: bool,
    /// How PagerDuty can be spoken to.
    pub pager: PagerAccess,
    /// What kind of world this is, when it is not the real one.
    pub banner: Option<Banner>,
    /// The terminal has the keyboard's attention; without it nothing blinks.
    pub has_focus: bool,
    /// Frames are being left out because the terminal takes them slowly.
    pub is_slow_terminal: bool,
}

impl Model {
    /// The screen before the first fact.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let theme = setup.themes.first().cloned().unwrap_or_default();
        Self {
            room: setup.room,
            size: setup.size,
            focus: Pane::Incidents,
            zoom: false,
            splits: Splits::default(),
            keymap: setup.keymap,
            theme,
            themes: setup.themes,
            problems_seen: setup.problems.is_empty(),
            problems: setup.problems,
            dashboards: setup.dashboards,
            runbooks: setup.runbooks,
            services: setup.services,
            severities: setup.severities,
            prometheus: setup.prometheus,
            roles: setup.roles,
            incidents: IncidentsState::default(),
            timeline: TimelineState::default(),
            panels: PanelsState { range_s: 3_600, ..PanelsState::default() },
            runbook: RunbookState::default(),
            overlays: Vec::new(),
            toasts: Toasts::default(),
            batches: Batches::default(),
            attention: Attention::default(),
            awaited: None,
            has_listed: false,
            text_due: None,
            dragged: None,
            pending: Vec::new(),
            ops: OpIds::new(setup.seed),
            room_name: setup.room_name,
            operator: setup.operator,
            zone: setup.zone,
            now: setup.now,
            read_only: setup.read_only,
            bell: setup.bell,
            pager: setup.pager,
            banner: setup.banner,
            has_focus: true,
            is_slow_terminal: false,
        }
    }

    /// Where everything stands now.
    #[must_use]
    pub fn rects(&self) -> Rects {
        super::layout::rects(&Geometry {
            width: self.size.width,
            height: self.size.height,
            focus: self.focus,
            is_zoomed: self.zoom,
            splits: self.splits,
            banners: self.banner_rows(),
        })
    }

    /// The incident the cursor is on, while the room knows it.
    #[must_use]
    pub fn selected(&self) -> Option<&crate::domain::incident::Incident> {
        self.room.incident(self.incidents.selected.as_ref()?)
    }

    /// Whether letters are text now.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        self.overlays.last().map_or(self.incidents.is_filtering, Overlay::takes_text)
    }

    /// Where keys mean something now.
    #[must_use]
    pub fn context(&self) -> Context {
        match self.overlays.last() {
            Some(overlay) if overlay.takes_text() => Context::Text,
            Some(Overlay::Problems(_)) => Context::Problems,
            Some(Overlay::Declare(_)) => Context::Text,
            Some(_) => Context::Overlay,
            None if self.incidents.is_filtering => Context::Text,
            None => match self.focus {
                Pane::Incidents => Context::Incidents,
                Pane::Timeline => Context::Timeline,
                Pane::Panels => Context::Panels,
                Pane::Runbook => Context::Runbook,
            },
        }
    }

    /// Rows of banners under the header: one while files of ours have problems that nobody has looked at.
    #[must_use]
    pub fn banner_rows(&self) -> u16 {
        u16::from(!self.problems_seen)
    }
}

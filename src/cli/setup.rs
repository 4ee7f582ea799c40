//! What the screen starts with, from configuration and files: for the room, the demo and `snapshot`.

use std::sync::Arc;

use super::Session;
use crate::config::files;
use crate::config::model::Config;
use crate::config::theme::{BUILTIN, Theme};
use crate::domain::problem::Problem;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::tui::model::{PagerAccess, Setup, Size};

/// Reads themes, keymap, dashboards and runbooks. Never fails: what cannot be read falls back and is a problem, after
/// those of the configuration itself (`problems`).
#[must_use]
pub fn setup(session: &Session, config: &Config, problems: Vec<Problem>, size: Size, now: Timestamp) -> Setup {
    let mut problems = problems;
    let (theme, wrong) = files::theme(&config.room.theme, &session.places);
    problems.extend(wrong);
    let (keymap, wrong) = files::keymap(&config.room.keymap, &session.places);
    problems.extend(wrong);
    let (dashboards, wrong) = files::dashboards(config);
    problems.extend(wrong);
    let (runbooks, wrong) = files::runbooks(config);
    problems.extend(wrong);
    Setup {
        room: Room::new(config.room_settings()),
        size,
        now,
        seed: rand::random(),
        room_name: config.room.name.clone(),
        operator: config.room.operator.clone(),
        zone: config.room.time_zone,
        read_only: config.room.read_only,
        bell: config.notify.bell,
        pager: pager(config),
        banner: None,
        themes: themes(theme, session),
        keymap: Arc::new(keymap),
        problems,
        dashboards: dashboards.into(),
        runbooks: runbooks.into(),
        services: config.services.clone().into(),
        severities: config.severities.clone(),
        prometheus: config.prometheus.clone(),
        roles: config.roles.clone(),
    }
}

/// How PagerDuty can be spoken to.
#[must_use]
pub fn pager(config: &Config) -> PagerAccess {
    match &config.pagerduty {
        Some(pagerduty) if pagerduty.token.is_some() => PagerAccess::Full,
        Some(pagerduty) if pagerduty.routing_key.is_some() => PagerAccess::EventsOnly,
        _ => PagerAccess::None,
    }
}

/// The one in force, then the others of the binary (a user's file of the same name over each).
fn themes(in_force: Theme, session: &Session) -> Vec<Arc<Theme>> {
    let name = in_force.name().to_owned();
    let others = BUILTIN.iter().map(|(name, _)| *name).filter(|other| *other != name);
    let others = others.map(|name| Arc::new(files::theme(name, &session.places).0));
    std::iter::once(Arc::new(in_force)).chain(others).collect()
}

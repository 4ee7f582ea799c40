//! Which dashboard an incident gets, what its placeholders are filled from, and the questions that are due.

use std::sync::Arc;

use chrono::Duration;

use super::{PanelState, QueryState};
use crate::config::model::ServiceConfig;
use crate::dashboard::fill::{self, Question, Values};
use crate::dashboard::{Dashboard, Panel, builtin};
use crate::domain::effect::{Effect, QueryId};
use crate::domain::id::SourceId;
use crate::domain::incident::Incident;
use crate::domain::time::Timestamp;
use crate::text::{Clean, Untrusted};
use crate::tui::attention::REST;
use crate::tui::layout::{Area, Pane, PanelSize, panel_cells};
use crate::tui::model::Model;

/// Alerts whose labels fill placeholders; a storm's thousands are of a few services.
const MOST_ALERTS: usize = 64;

/// An answer that did not come in this time is asked for again; the engine's own limit is shorter.
const LOST: Duration = Duration::seconds(60);

/// Columns of a chart that are axis and frame.
const AXIS: u16 = 10;

/// The dashboard that is shown.
#[must_use]
pub fn dashboard(model: &Model) -> Option<&Dashboard> {
    named(&model.dashboards, model.panels.dashboard.as_deref())
}

fn named<'a>(dashboards: &'a [Dashboard], name: Option<&str>) -> Option<&'a Dashboard> {
    dashboards.iter().find(|dashboard| Some(dashboard.name.as_str()) == name)
}

/// Where the panels stand: index and place, frames included.
#[must_use]
pub fn cells(model: &Model) -> Vec<(usize, Area)> {
    let inside = model.rects().inside(Pane::Panels);
    let sizes: Vec<PanelSize> = dashboard(model)
        .into_iter()
        .flat_map(|dashboard| &dashboard.panels)
        .map(|panel| PanelSize::of(panel.kind))
        .collect();
    panel_cells(inside, &sizes, model.panels.offset)
}

fn service_of<'a>(model: &'a Model, incident: &Incident) -> Option<&'a ServiceConfig> {
    let name = incident.service.as_ref()?;
    model.services.iter().find(|service| service.name == *name)
}

/// Chooses the dashboard for the selected incident when it is another one, or has other alerts.
pub(super) fn choose(model: &mut Model) {
    let Some(incident) = model.selected() else {
        model.panels.made_for = None;
        model.panels.panels.clear();
        model.panels.dashboard = None;
        return;
    };
    let stamp = (incident.id.clone(), incident.alerts.len());
    if model.panels.made_for.as_ref() == Some(&stamp) {
        return;
    }
    let service = service_of(model, incident);
    let values = values(model, incident, service);
    let configured = service.and_then(|service| service.dashboard.clone());
    let is_known = |name: &String| model.dashboards.iter().any(|dashboard| dashboard.name == *name);
    let name = configured
        .filter(is_known)
        .or_else(|| Some(builtin::suggest(&values).to_owned()).filter(is_known))
        .or_else(|| model.dashboards.first().map(|dashboard| dashboard.name.clone()));
    let is_other = name != model.panels.dashboard;
    let waits = model.panels.made_for.as_ref().is_some_and(|(known, _)| *known != stamp.0);
    model.panels.not_before = waits.then(|| model.now + REST);
    model.panels.dashboard = name;
    model.panels.values = values;
    model.panels.made_for = Some(stamp);
    if is_other {
        model.panels.offset = 0;
        model.panels.selected = None;
    }
    make(model);
}

/// Panels for the dashboard; what was answered for the very same question stays.
pub(super) fn make(model: &mut Model) {
    let dashboards = Arc::clone(&model.dashboards);
    let Some(dashboard) = named(&dashboards, model.panels.dashboard.as_deref()) else {
        model.panels.panels.clear();
        return;
    };
    model.panels.range_s = model.panels.range_chosen.unwrap_or(dashboard.range_s);
    let old = std::mem::take(&mut model.panels.panels);
    let source = default_source(model);
    let made = dashboard.panels.iter().map(|panel| {
        let known = old.iter().find(|known| known.id == panel.id);
        let wording = wording(model, dashboard, panel);
        let queries = panel.queries.iter().zip(&wording).enumerate().map(|(at, (query, promql))| {
            let kept = known.and_then(|known| known.queries.get(at));
            let from = query.source.as_ref().or(source.as_ref());
            let fits = |kept: &&QueryState| promql.is_some() && kept.promql == *promql && kept.source.as_ref() == from;
            match kept.filter(fits) {
                Some(kept) => QueryState { asked_at: None, ..kept.clone() },
                None => QueryState::default(),
            }
        });
        PanelState {
            id: panel.id.clone(),
            title: fill::title(&panel.title, &dashboard.variables, &model.panels.values),
            queries: queries.collect(),
        }
    });
    model.panels.panels = made.collect();
    model.panels.next_due = None;
}

fn default_source(model: &Model) -> Option<SourceId> {
    let by_service = model
        .selected()
        .and_then(|incident| service_of(model, incident))
        .and_then(|service| service.prometheus.clone());
    by_service.or_else(|| model.prometheus.first().map(|server| server.endpoint.id.clone()))
}

fn scrape_ms(model: &Model, source: Option<&SourceId>) -> i64 {
    let server = model.prometheus.iter().find(|server| Some(&server.endpoint.id) == source);
    server.map_or(15_000, |server| server.scrape_interval.num_milliseconds()).max(1)
}

fn questions(model: &Model, dashboard: &Dashboard, panel: &Panel, width: u16) -> Vec<Question> {
    let (dots, scrape) = grain(model, width);
    fill::ask(dashboard, panel, &model.panels.values, model.now, model.panels.range_s, dots, scrape)
}

/// What a panel would ask, at one width for all: intervals differ with the width, what is asked about does not.
fn wording(model: &Model, dashboard: &Dashboard, panel: &Panel) -> Vec<Option<String>> {
    let (dots, scrape) = grain(model, AXIS.saturating_mul(4));
    fill::wording(dashboard, panel, &model.panels.values, model.now, model.panels.range_s, dots, scrape)
}

/// Dots of a chart of that width, and how often its Prometheus scrapes.
fn grain(model: &Model, width: u16) -> (usize, i64) {
    let source = default_source(model);
    (usize::from(width.saturating_sub(AXIS).max(10)) * 2, scrape_ms(model, source.as_ref()))
}

/// Labels of the alerts, the service by its configured name, and what the configuration says of it.
fn values(model: &Model, incident: &Incident, service: Option<&ServiceConfig>) -> Values {
    let alerts = model.room.alerts_of(&incident.id).take(MOST_ALERTS);
    let mut values = alerts.fold(Values::default(), |values, alert| values.with_labels(&alert.labels));
    if values.get("service").is_empty()
        && let Some(name) = &incident.service
    {
        values = values.with("service", Untrusted::from(name.as_str()));
    }
    if let Some(job) = service.and_then(|service| service.job.clone()).filter(|_| values.get("job").is_empty()) {
        values = values.with("job", Untrusted::from(job.as_str()));
    }
    values
}

/// The questions of visible panels that are due, as effects; remembers when the next one is.
pub(super) fn due(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    if let Some(until) = model.panels.not_before
        && now < until
    {
        model.panels.next_due = Some(until);
        return Vec::new();
    }
    model.panels.not_before = None;
    if model.panels.next_due.is_some_and(|next| now < next) {
        return Vec::new();
    }
    let dashboards = Arc::clone(&model.dashboards);
    let Some(dashboard) = named(&dashboards, model.panels.dashboard.as_deref()) else { return Vec::new() };
    let every = Duration::seconds(dashboard.refresh_s.max(1));
    let source = default_source(model);
    let mut effects = Vec::new();
    let mut next = now + every;
    for (at, area) in cells(model) {
        let Some(panel) = dashboard.panels.get(at) else { continue };
        for question in questions(model, dashboard, panel, area.width) {
            let from = question.source.clone().or_else(|| source.clone());
            match ask(model, at, question, from, every) {
                Asked::Now(effect) => effects.push(effect),
                Asked::At(when) => next = next.min(when),
                Asked::Never => {}
            }
        }
    }
    model.panels.next_due = Some(next);
    effects
}

enum Asked {
    Now(Effect),
    At(Timestamp),
    Never,
}

fn ask(model: &mut Model, panel: usize, question: Question, source: Option<SourceId>, every: Duration) -> Asked {
    let now = model.now;
    let id = QueryId(model.panels.asked.wrapping_add(1));
    let Some(state) = model.panels.panels.get_mut(panel).and_then(|panel| panel.queries.get_mut(question.query)) else {
        return Asked::Never;
    };
    let waits_until = state.waiting.map(|(_, since)| since + LOST);
    let due_at = waits_until.or_else(|| state.asked_at.map(|asked| asked + every));
    if let Some(due_at) = due_at.filter(|due_at| now < *due_at) {
        return Asked::At(due_at);
    }
    let Some(source) = source else {
        state.unaskable = Some(Clean::new("no Prometheus is configured"));
        return Asked::Never;
    };
    let promql = match question.promql {
        Ok(promql) => promql,
        Err(error) => {
            state.unaskable = Some(Clean::new(error.to_string()));
            return Asked::Never;
        }
    };
    state.unaskable = None;
    state.promql = Some(promql.clone());
    state.source = Some(source.clone());
    state.waiting = Some((id, now));
    state.asked_at = Some(now);
    state.time = Some(question.time);
    model.panels.asked = id.0;
    Asked::Now(Effect::Query { id, source, promql, time: question.time })
}

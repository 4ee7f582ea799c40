//! Draws the panels around the selected incident: each with its age, its trouble in words, and its picture.

use std::sync::Arc;

use chrono::Duration;

use super::{PanelState, ask, picture, update};
use crate::config::theme::Role;
use crate::dashboard::legend::{calculate, with_commas};
use crate::dashboard::model::{Panel, PanelKind};
use crate::dashboard::thresholds;
use crate::domain::freshness::Freshness;
use crate::domain::time::Timestamp;
use crate::text::Clean;
use crate::tui::layout::{Area, Pane};
use crate::tui::model::Model;
use crate::tui::style::freshness_role;
use crate::tui::view::cache::{Picture, PictureKey};
use crate::tui::view::{Place, RenderCache};
use crate::tui::widgets::numbers::{self, Stat};
use crate::tui::widgets::paragraph::{paragraph, wrap};
use crate::tui::widgets::{Pen, Row, Words, clock, frame, words};

pub(crate) fn draw(pen: &mut Pen<'_>, place: Place, model: &Model, cache: &mut RenderCache) {
    let dashboard = ask::dashboard(model);
    let detail = dashboard.map_or_else(Words::default, |dashboard| {
        words!("{} {} last {}", dashboard.title, pen.glyphs().dot, span(model.panels.range_s))
    });
    let inside = place.open(pen, Pane::Panels, detail, None, None);
    let Some(dashboard) = dashboard else {
        let title =
            if model.selected().is_none() { "No incident is selected" } else { "No dashboard fits this incident" };
        numbers::notice(pen, inside, &title, &[], Role::Empty);
        return;
    };
    if model.prometheus.is_empty() {
        let lines = [words!("[[prometheus]] name and url in the configuration")];
        numbers::notice(pen, inside, &"No Prometheus is configured", &lines, Role::Unknown);
        return;
    }
    let cells = ask::cells(model);
    let selected = update::selected(model).filter(|_| place.focused);
    for (at, area) in &cells {
        let (Some(panel), Some(state)) = (dashboard.panels.get(*at), model.panels.panels.get(*at)) else { continue };
        let one = One { panel, state, model, dashboard: &dashboard.name, refresh_s: dashboard.refresh_s };
        // A column at either side: between neighbours, and before the frame.
        let area = Area { width: area.width.saturating_sub(2), x: area.x + 1, ..*area };
        draw_one(pen, area, &one, selected == Some(*at), cache);
    }
    if place.framed {
        let column = Area::new(place.area.right().saturating_sub(1), inside.y, 1, inside.height);
        frame::scroll_bar(pen, column, model.panels.offset, cells.len(), dashboard.panels.len());
    }
}

fn span(seconds: i64) -> Words {
    match seconds {
        ..3_600 => words!("{}m", seconds / 60),
        3_600..172_800 => words!("{}h", seconds / 3_600),
        _ => words!("{}d", seconds / 86_400),
    }
}

struct One<'m> {
    panel: &'m Panel,
    state: &'m PanelState,
    model: &'m Model,
    dashboard: &'m str,
    refresh_s: i64,
}

impl One<'_> {
    /// When the oldest answer on screen came.
    fn answered_at(&self) -> Option<Timestamp> {
        self.state.queries.iter().filter_map(|query| query.answer.as_ref().map(|(at, _)| *at)).min()
    }

    fn failure(&self) -> Option<&crate::domain::failure::Failure> {
        self.state.queries.iter().find_map(|query| query.failure.as_ref())
    }

    fn freshness(&self) -> Freshness {
        use crate::domain::failure::FailureKind;
        let is_refused = |failure: &crate::domain::failure::Failure| {
            matches!(failure.kind, FailureKind::Forbidden | FailureKind::Unauthorised)
        };
        if self.failure().is_some_and(is_refused) {
            return Freshness::Forbidden;
        }
        let Some(at) = self.answered_at() else { return Freshness::Unknown };
        let age = self.model.now - at;
        let poll = Duration::seconds(self.refresh_s.max(1));
        if age > poll * 3 {
            Freshness::Stale
        } else if age * 2 > poll * 3 {
            Freshness::Ageing
        } else {
            Freshness::Fresh
        }
    }
}

fn draw_one(pen: &mut Pen<'_>, area: Area, one: &One<'_>, selected: bool, cache: &mut RenderCache) {
    let (head, mut body) = area.split_top(1);
    title(pen, head, one, selected);
    if selected {
        let (cursor, style) = (pen.glyphs().cursor, pen.style(Role::Accent));
        pen.glyph(area.x.saturating_sub(1), area.y, cursor, style);
    }
    if one.panel.kind == PanelKind::Text {
        let style = pen.style(Role::Text);
        paragraph(pen, body, &Clean::new(&one.panel.text), style);
        return;
    }
    if one.answered_at().is_none() {
        return unanswered(pen, body, one);
    }
    if let Some(note) = note(one).filter(|_| body.height > 3) {
        let (above, line) = body.split_bottom(1);
        Row::new(pen, line).put(&note, Role::Ageing);
        body = above;
    }
    let answers = picture::gather(one.panel, one.state);
    if answers.series.is_empty() && answers.samples.is_empty() {
        let Some(text) = answers.text else {
            let glyph = pen.glyphs().freshness(Freshness::Empty);
            numbers::notice(pen, body, &words!("{glyph} no series in this range"), &[], Role::Empty);
            return;
        };
        let style = pen.style(Role::Text);
        paragraph(pen, body, text, style);
        return;
    }
    if matches!(one.panel.kind, PanelKind::Stat | PanelKind::Gauge) {
        return single(pen, body, one, &answers);
    }
    let picture = kept(pen, body, one, cache);
    paint(pen, body, one, &picture);
}

fn title(pen: &mut Pen<'_>, area: Area, one: &One<'_>, selected: bool) {
    let mut row = Row::new(pen, area);
    let freshness = one.freshness();
    let glyph = row.glyphs().freshness(freshness);
    let age = one.answered_at().map_or_else(Words::default, |at| clock::brief(one.model.now - at));
    let failing = one.failure().is_some();
    let state = match freshness {
        Freshness::Fresh if failing => words!("! failing"),
        Freshness::Fresh | Freshness::Empty => words!("{glyph}"),
        Freshness::Ageing if failing => words!("! failing {age}"),
        Freshness::Ageing => words!("{glyph} {age}"),
        Freshness::Stale => words!("{glyph} stale {age}"),
        Freshness::Unknown => words!("{glyph}"),
        Freshness::Forbidden => words!("{glyph} forbidden {age}"),
    };
    let role = if failing && freshness == Freshness::Fresh { Role::Ageing } else { freshness_role(freshness) };
    row.right(&state, role, 12).right_gap(1);
    row.put(&one.state.title, if selected { Role::FocusTitle } else { Role::TextStrong });
}

/// Why there is no number yet.
fn unanswered(pen: &mut Pen<'_>, area: Area, one: &One<'_>) {
    let unaskable = one.state.queries.iter().find_map(|query| query.unaskable.as_ref());
    let waiting = one.state.queries.iter().filter_map(|query| query.waiting).map(|(_, since)| since).min();
    let (title, text, role): (Words, Option<Words>, Role) = if let Some(why) = unaskable {
        (words!("cannot be asked"), Some(words!("{why}")), Role::Empty)
    } else if let Some(failure) = one.failure() {
        (words!("{}", failure.cause), Some(words!("{}", failure.remedy)), Role::Stale)
    } else if let Some(since) = waiting {
        let seconds = (one.model.now - since).num_seconds();
        let more = (seconds >= 5).then(|| words!("for {seconds}s"));
        (words!("asking {}", pen.glyphs().cut), more, Role::Unknown)
    } else {
        (words!("not asked yet"), None, Role::Unknown)
    };
    let room = usize::from(area.height);
    let lines = text.map(|text| wrap(text.as_str(), area.width, room.saturating_sub(2))).unwrap_or_default();
    let titles = wrap(title.as_str(), area.width, room.saturating_sub(lines.len()).max(1));
    let Some((first, rest)) = titles.split_first() else { return };
    let lines: Vec<Words> = rest.iter().cloned().chain(lines).collect();
    numbers::notice(pen, area, first, &lines, role);
}

/// What Prometheus said beside the numbers.
fn note(one: &One<'_>) -> Option<Words> {
    if let Some(failure) = one.failure() {
        return Some(words!("! {}", failure.cause));
    }
    let results = one.state.queries.iter().filter_map(|query| query.answer.as_ref().map(|(_, result)| result));
    let mut histograms = 0;
    for result in results {
        if let Some(note) = result.notes.first() {
            return Some(words!("! {note}"));
        }
        histograms += result.histograms;
    }
    (histograms > 0).then(|| words!("! {histograms} native histograms are not drawn"))
}

fn single(pen: &mut Pen<'_>, area: Area, one: &One<'_>, answers: &picture::Answers<'_>) {
    let first = answers.series.first();
    let value = match (first, answers.samples.first()) {
        (Some(named), _) => calculate(one.panel.reduce, &named.series.values),
        (None, Some((_, sample))) => Some(sample.value),
        (None, None) => None,
    };
    let Some(value) = value else {
        numbers::notice(pen, area, &"no sample", &[], Role::Empty);
        return;
    };
    let number = |value: f64| picture::number(one.panel, one.model, value, usize::from(area.width));
    let (min, max) = (
        one.panel.min.unwrap_or(0.0),
        one.panel.max.unwrap_or(if one.panel.unit == "percentunit" { 1.0 } else { 100.0 }),
    );
    let is_gauge = one.panel.kind == PanelKind::Gauge;
    let level = thresholds::level(&one.panel.thresholds, value).filter(|_| !one.panel.thresholds.is_empty());
    let stat = Stat {
        value: number(value),
        level,
        past: first.map_or(&[], |named| &named.series.values),
        share: is_gauge.then(|| (value - min) / (max - min)),
        ends: is_gauge.then(|| (number(min), number(max))),
    };
    numbers::stat(pen, area, &stat);
}

fn kept(pen: &Pen<'_>, area: Area, one: &One<'_>, cache: &mut RenderCache) -> Arc<Picture> {
    let size = (area.width, area.height);
    let key = PictureKey {
        answers: one.state.queries.iter().map(|query| query.answer.as_ref().map(|(at, _)| *at)).collect(),
        size,
        marks: picture::marks(one.model.selected()).iter().map(|mark| mark.at).collect(),
        theme: std::ptr::from_ref(pen.skin) as usize,
    };
    let (panel, state, model, skin) = (one.panel, one.state, one.model, pen.skin);
    cache.picture(one.dashboard, &panel.id, key, || picture::picture(panel, state, model, skin, size))
}

fn paint(pen: &mut Pen<'_>, area: Area, one: &One<'_>, picture: &Picture) {
    if one.panel.kind == PanelKind::Table || picture.heads.is_empty() {
        let drawn = numbers::table(pen, area, &[], &picture.rows);
        let hidden = picture.rows.len() - drawn + picture.more;
        if hidden > 0 && area.height > 1 {
            let line = Area { y: area.bottom() - 1, height: 1, ..area };
            pen.clear(line, pen.style(Role::Background));
            Row::new(pen, line).put(&words!("+{} more", with_commas(hidden + 1)), Role::TextDim);
        }
        return;
    }
    let legend = picture::legend_height(picture.rows.len(), picture.more, area.height);
    let (plot, below) = area.split_bottom(legend);
    match &picture.chart {
        Some(chart) => chart.paint(pen, plot),
        // Too small for axes: name, value, trend.
        None => return small(pen, area, one, picture),
    }
    match picture.rows.as_slice() {
        [only] => {
            let mut row = Row::new(pen, below);
            for (head, (value, level)) in picture.heads.iter().zip(&only.cells) {
                let role = level.map_or(Role::Text, crate::tui::style::threshold_role);
                row.put(head, Role::ChartAxis).gap(1).put(value, role).gap(3);
            }
        }
        rows => {
            let drawn = numbers::table(pen, below, &picture.heads, rows);
            let hidden = rows.len() - drawn + picture.more;
            if hidden > 0 && below.height > 0 {
                let head = below.split_top(1).0;
                Row::new(pen, head).put(&words!("+{} more", with_commas(hidden)), Role::TextDim);
            }
        }
    }
}

fn small(pen: &mut Pen<'_>, area: Area, one: &One<'_>, picture: &Picture) {
    let answers = picture::gather(one.panel, one.state);
    for (at, row) in picture.rows.iter().enumerate().take(usize::from(area.height)) {
        let line = Area { y: area.y + at as u16, height: 1, ..area };
        let mut drawn = Row::new(pen, line);
        drawn.put_styled(&row.name, row.name_style.unwrap_or_default()).gap(1);
        if let Some((value, level)) = row.cells.last() {
            drawn.put(value, level.map_or(Role::TextStrong, crate::tui::style::threshold_role)).gap(1);
        }
        let (from, style) = (drawn.x(), row.name_style.unwrap_or_default());
        let rest = Area { x: from, width: area.right().saturating_sub(from), ..line };
        if let Some(named) = answers.series.iter().find(|named| named.name.as_str() == row.name.as_str()) {
            numbers::spark(pen, rest, &named.series.values, style);
        }
    }
}

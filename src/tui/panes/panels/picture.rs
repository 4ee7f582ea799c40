//! From answers to something that can be painted: series in order, chart, legend, table. Done once for an answer and a
//! size, and kept in the render cache.

use crate::dashboard::axis::{Mark, MarkKind};
use crate::dashboard::legend::{self, calculate};
use crate::dashboard::model::{Calc, Panel, PanelKind};
use crate::dashboard::{thresholds, units};
use crate::domain::incident::{Incident, Status};
use crate::domain::series::{Answer, Range, Sample, Series};
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::panes::panels::PanelState;
use crate::tui::style::Skin;
use crate::tui::view::cache::Picture;
use crate::tui::widgets::chart::{Chart, LEAST_COLUMNS, LEAST_ROWS, Line, Plot};
use crate::tui::widgets::numbers::TableRow;
use crate::tui::widgets::{Words, words};

/// Lines drawn at once; the others are counted.
const MOST_LINES: usize = 8;

/// Rows of a table kept for painting.
const MOST_ROWS: usize = 64;

/// One series with its name.
pub(super) struct Named<'a> {
    pub name: Clean,
    pub series: &'a Series,
}

/// What a panel's queries answered.
pub(super) struct Answers<'a> {
    pub range: Option<Range>,
    pub series: Vec<Named<'a>>,
    pub samples: Vec<(Clean, &'a Sample)>,
    pub text: Option<&'a Clean>,
}

/// Gathers the answers of all queries of a panel.
pub(super) fn gather<'a>(panel: &Panel, state: &'a PanelState) -> Answers<'a> {
    let mut found = Answers { range: None, series: Vec::new(), samples: Vec::new(), text: None };
    for (at, query) in state.queries.iter().enumerate() {
        let template = panel.queries.get(at).and_then(|query| query.legend.as_deref());
        let Some((_, result)) = &query.answer else { continue };
        match &result.answer {
            Answer::Matrix { range, series } => {
                // Queries of one panel share its grid; one that does not (an older answer) is left to the next round.
                let shared = *found.range.get_or_insert(*range);
                if shared.points() == range.points() {
                    found.series.extend(
                        series.iter().map(|series| Named { name: legend::name(&series.labels, template), series }),
                    );
                }
            }
            Answer::Vector(samples) => {
                found.samples.extend(samples.iter().map(|sample| (legend::name(&sample.labels, template), sample)));
            }
            Answer::Text(text) => found.text = Some(text),
        }
    }
    found
}

/// When the incident began, was acknowledged and ended.
pub(super) fn marks(incident: Option<&Incident>) -> Vec<Mark> {
    let Some(incident) = incident else { return Vec::new() };
    let mut marks = vec![Mark { at: incident.started_at, kind: MarkKind::Started }];
    if let Some(record) = &incident.record {
        marks.extend(record.acknowledgements.first().map(|ack| Mark { at: ack.at, kind: MarkKind::Acknowledged }));
        if incident.status == Status::Resolved {
            marks.push(Mark { at: record.changed_at, kind: MarkKind::Resolved });
        }
    }
    marks
}

/// A number in the panel's unit.
pub(super) fn number(panel: &Panel, model: &Model, value: f64, columns: usize) -> Words {
    let style = units::Style { decimals: panel.decimals, zone: model.zone, now: model.now };
    let text = units::format_within(value, &panel.unit, &style, columns);
    words!("{}", text.unwrap_or_else(|| units::format(value, &panel.unit, &style)))
}

/// Everything that is painted of a panel in `size`.
pub(super) fn picture(panel: &Panel, state: &PanelState, model: &Model, skin: &Skin, size: (u16, u16)) -> Picture {
    let answers = gather(panel, state);
    if panel.kind == PanelKind::Table || (answers.series.is_empty() && !answers.samples.is_empty()) {
        return table(panel, &answers, model);
    }
    let series: Vec<Series> = answers.series.iter().map(|named| named.series.clone()).collect();
    let shown = legend::rank(&series, Calc::Max, MOST_LINES);
    let lines: Vec<&Named<'_>> = shown.first.iter().filter_map(|at| answers.series.get(*at)).collect();
    let rows = lines.iter().enumerate().map(|(at, named)| {
        let cell = |calc: &Calc| {
            let value = calculate(*calc, &named.series.values);
            let level = value.and_then(|value| thresholds::level(&panel.thresholds, value));
            let level =
                level.filter(|_| matches!(calc, Calc::Last | Calc::LastNotNull) && !panel.thresholds.is_empty());
            (value.map_or(words!("-"), |value| number(panel, model, value, 12)), level)
        };
        let name = words!("{}", named.name);
        TableRow { name, name_style: Some(skin.series(at)), cells: panel.legend.iter().map(cell).collect() }
    });
    let rows: Vec<TableRow> = rows.collect();
    let legend_rows = legend_height(rows.len(), shown.more, size.1);
    let chart_size = (size.0, size.1.saturating_sub(legend_rows));
    let drawn: Vec<Line<'_>> =
        lines.iter().map(|named| Line { name: &named.name, values: &named.series.values }).collect();
    let marks = marks(model.selected());
    let chart =
        answers.range.as_ref().filter(|_| chart_size.0 >= LEAST_COLUMNS && chart_size.1 >= LEAST_ROWS).map(|range| {
            Chart::new(&Plot {
                panel,
                range,
                lines: &drawn,
                marks: &marks,
                zone: model.zone,
                now: model.now,
                size: chart_size,
                marker: skin.glyphs.marker,
            })
        });
    let heads = panel.legend.iter().map(|calc| calc.heading()).collect();
    Picture { chart, heads, rows, more: shown.more }
}

/// Rows of the legend: one for a single line, with heads for several, a third of the panel at most.
pub(super) fn legend_height(lines: usize, more: usize, height: u16) -> u16 {
    let wanted = match lines {
        0 => 0,
        1 => 1,
        several => several as u16 + 1 + u16::from(more > 0),
    };
    let most = height / 3;
    if wanted <= most {
        wanted
    } else if most >= 2 {
        most
    } else {
        u16::from(height > LEAST_ROWS && lines == 1)
    }
}

fn table(panel: &Panel, answers: &Answers<'_>, model: &Model) -> Picture {
    let row = |name: &Clean, value: f64| {
        let level = thresholds::level(&panel.thresholds, value).filter(|_| !panel.thresholds.is_empty());
        TableRow { name: words!("{name}"), name_style: None, cells: vec![(number(panel, model, value, 12), level)] }
    };
    let mut values: Vec<(&Clean, f64)> = answers.samples.iter().map(|(name, sample)| (name, sample.value)).collect();
    values.extend(
        answers.series.iter().filter_map(|named| Some((&named.name, calculate(panel.reduce, &named.series.values)?))),
    );
    values.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
    let more = values.len().saturating_sub(MOST_ROWS);
    let rows = values.into_iter().take(MOST_ROWS).map(|(name, value)| row(name, value)).collect();
    Picture { chart: None, heads: Vec::new(), rows, more }
}

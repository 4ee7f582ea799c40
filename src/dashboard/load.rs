//! Reads a dashboard in the native TOML form. What is wrong is a [`Problem`] with line and fix; the rest loads.

use crate::domain::id::{PanelId, SourceId};
use crate::domain::problem::Problem;
use crate::text::Clean;

use super::model::{
    Calc, Dashboard, Panel, PanelKind, PanelQuery, Threshold, ThresholdLevel, ThresholdStyle, Variable,
};
use super::step::Grid;
use super::{expression, fill, units};

mod reader;

use reader::{Notes, TableReader};

/// Range when a dashboard names none: one hour.
const RANGE_S: i64 = 3_600;
/// Refresh when a dashboard names none.
const REFRESH_S: i64 = 15;

/// The dashboard of `text`, named `name` (the file's stem), read from `file`, and everything that is wrong with it.
/// `None` when there is nothing to show at all.
#[must_use]
pub fn load(name: &str, file: &str, text: &str) -> (Option<Dashboard>, Vec<Problem>) {
    read(name, text, Notes::new(file, text))
}

/// A dashboard of the binary: its queries are not tried again, which would cost more than the first frame of the screen.
pub(super) fn load_shipped(name: &str, file: &str, text: &str) -> (Option<Dashboard>, Vec<Problem>) {
    read(name, text, Notes::new(file, text).trusting())
}

fn read(name: &str, text: &str, notes: Notes<'_>) -> (Option<Dashboard>, Vec<Problem>) {
    let Some(root) = reader::parse(text, &notes) else { return (None, notes.into_problems()) };
    let mut table = TableReader::new(&root, "a dashboard", &notes);
    let title = table.text("title").unwrap_or_else(|| name.to_owned());
    let range_s = table.span("range").unwrap_or(RANGE_S * 1_000) / 1_000;
    let refresh_s = table.span("refresh").unwrap_or(REFRESH_S * 1_000) / 1_000;
    let variables = variables(&mut table);
    let panels = panels(&mut table, &variables, &notes);
    table.finish();
    if panels.is_empty() {
        notes.error(None, format!("the dashboard '{name}' has no panel"), "add a [[panel]] with a title and a query");
        return (None, notes.into_problems());
    }
    let dashboard = Dashboard {
        name: name.to_owned(),
        title: Clean::new(title),
        range_s: range_s.max(60),
        refresh_s: refresh_s.max(1),
        variables,
        panels,
    };
    (Some(dashboard), notes.into_problems())
}

fn variables(root: &mut TableReader<'_, '_>) -> Vec<Variable> {
    let mut found = Vec::new();
    for (name, mut table) in root.named_tables("variable", "a variable") {
        let labels = table.texts("labels").unwrap_or_default();
        let default = table.text("default");
        table.finish();
        found.push(Variable { name, labels, default });
    }
    found
}

fn panels(root: &mut TableReader<'_, '_>, variables: &[Variable], notes: &Notes<'_>) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for (index, mut table) in root.tables("panel", "a panel").into_iter().enumerate() {
        let at = table.at();
        let Some(panel) = panel(&mut table, index, variables, notes) else { continue };
        table.finish();
        if panels.iter().any(|known| known.id == panel.id) {
            notes.error(at, format!("two panels have the id '{}'", panel.id), "give the second one another id");
            continue;
        }
        panels.push(panel);
    }
    panels
}

fn panel(table: &mut TableReader<'_, '_>, index: usize, variables: &[Variable], notes: &Notes<'_>) -> Option<Panel> {
    const KINDS: &[(&str, PanelKind)] = &[
        ("timeseries", PanelKind::TimeSeries),
        ("stat", PanelKind::Stat),
        ("gauge", PanelKind::Gauge),
        ("table", PanelKind::Table),
        ("text", PanelKind::Text),
    ];
    const STYLES: &[(&str, ThresholdStyle)] = &[
        ("off", ThresholdStyle::Off),
        ("line", ThresholdStyle::Line),
        ("dashed", ThresholdStyle::Dashed),
        ("area", ThresholdStyle::Area),
    ];
    let calcs: Vec<(&str, Calc)> = Calc::ALL.iter().map(|calc| (calc.word(), *calc)).collect();
    let at = table.at();
    let title = table.text("title");
    let id = table.text("id").unwrap_or_else(|| slug(title.as_deref().unwrap_or_default(), index));
    let Some(id) = PanelId::parse(&id) else {
        notes.error(at, "a panel's id is 1 to 255 printable ASCII characters", "choose a short id such as 'errors'");
        return None;
    };
    let kind = table.choice("kind", KINDS).unwrap_or(PanelKind::TimeSeries);
    let mut panel = Panel::new(id, title.as_deref().unwrap_or_default(), kind);
    if title.is_none() {
        notes.warning(at, "the panel has no title", "add title = \"…\"");
    }
    panel.description = table.text("description").unwrap_or_default();
    panel.text = table.text("text").unwrap_or_default();
    if let Some((unit, at)) = table.text_at("unit") {
        if !units::is_known(&unit) {
            let fix = "use one of Grafana's unit ids, such as short, percentunit, bytes, s, reqps";
            notes.warning(at, format!("'{unit}' is not a unit; it is shown behind the number"), fix);
        }
        panel.unit = unit;
    }
    panel.decimals = table.whole("decimals", 0..=15).and_then(|digits| u8::try_from(digits).ok());
    (panel.min, panel.max) = (table.number("min"), table.number("max"));
    if let (Some(min), Some(max)) = (panel.min, panel.max)
        && min >= max
    {
        notes.error(at, format!("min = {min} is not below max = {max}"), "swap them");
        (panel.min, panel.max) = (None, None);
    }
    panel.thresholds = thresholds(table, notes);
    panel.threshold_style = table.choice("threshold_style", STYLES).unwrap_or(ThresholdStyle::Line);
    if let Some(legend) = table.choices("legend", &calcs) {
        panel.legend = legend;
    }
    panel.reduce = table.choice("reduce", &calcs).unwrap_or(Calc::LastNotNull);
    panel.stacked = table.flag("stacked").unwrap_or(false);
    panel.queries = queries(table, kind, variables, notes);
    match kind {
        PanelKind::Text if panel.text.is_empty() => notes.warning(at, "a text panel without text", "add text = \"…\""),
        PanelKind::Text => {}
        _ if panel.queries.is_empty() => {
            notes.error(
                at,
                format!("the panel '{}' asks nothing", panel.id),
                "add a [[panel.query]] with promql = \"…\"",
            );
            return None;
        }
        _ => {}
    }
    Some(panel)
}

fn thresholds(table: &mut TableReader<'_, '_>, notes: &Notes<'_>) -> Vec<Threshold> {
    const LEVELS: &[(&str, ThresholdLevel)] =
        &[("good", ThresholdLevel::Good), ("warning", ThresholdLevel::Warning), ("bad", ThresholdLevel::Bad)];
    let mut found = Vec::new();
    for mut one in table.tables("thresholds", "a threshold") {
        let (at, value, level) = (one.at(), one.number("value"), one.choice("level", LEVELS));
        one.finish();
        match (value, level) {
            (Some(value), Some(level)) => found.push(Threshold { value, level }),
            _ => notes.error(at, "a threshold needs value and level", "write it as { value = 0.05, level = \"bad\" }"),
        }
    }
    found.sort_by(|one: &Threshold, other| one.value.total_cmp(&other.value));
    found
}

fn queries(
    table: &mut TableReader<'_, '_>,
    kind: PanelKind,
    variables: &[Variable],
    notes: &Notes<'_>,
) -> Vec<PanelQuery> {
    let mut found = Vec::new();
    for mut one in table.tables("query", "a query") {
        let at = one.at();
        let Some((promql, promql_at)) = one.text_at("promql") else {
            notes.error(at, "a query without promql", "add promql = \"…\"");
            continue;
        };
        if notes.tries
            && let Err(why) = tried(&promql, variables)
        {
            notes.error(promql_at, format!("the query is not PromQL: {why}"), "try it in Prometheus first");
            continue;
        }
        let source = one.text("source").and_then(|name| SourceId::parse(&name));
        let query = PanelQuery {
            promql,
            legend: one.text("legend"),
            source,
            instant: one.flag("instant").unwrap_or(kind == PanelKind::Table),
            min_step_ms: one.span("interval"),
        };
        one.finish();
        found.push(query);
    }
    found
}

/// Whether the query would be PromQL, were its placeholders filled with harmless values.
fn tried(promql: &str, variables: &[Variable]) -> Result<(), String> {
    let grid = Grid::plan(chrono::DateTime::UNIX_EPOCH, RANGE_S, 200, 15_000);
    let values = ["x", "1", "1m"].map(|value| fill::neutral_values(promql, variables, value));
    let mut why = String::new();
    for values in values {
        match fill::promql(promql, variables, &values, &grid) {
            Ok(filled) => return expression::parse(&filled).map(drop),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why.trim_start_matches("the query is not PromQL: ").to_owned())
}

/// An id from the title: lower case, dashes; with the panel's place when nothing is left of it.
fn slug(title: &str, index: usize) -> String {
    let words: Vec<String> = title
        .split(|symbol: char| !symbol.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { format!("panel-{}", index + 1) } else { words.join("-") }
}

#[cfg(test)]
mod tests;

//! Which series, labels and metrics there are.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::Expr;
use serde_json::{Value, json};

use super::super::http::Reply;
use super::super::metrics::{LabelSet, MetricSeries, describe};
use super::super::promql::{self, QueryError, Row};
use super::params::{Form, invalid};
use super::{Scene, success};

/// `/api/v1/series`.
pub(super) fn series(scene: &Scene<'_>, form: &Form) -> Result<Reply, QueryError> {
    if form.all("match[]").next().is_none() {
        return Err(QueryError::bad("no match[] parameter provided"));
    }
    let found = matching(scene, form)?;
    Ok(success(&json!(found.into_iter().collect::<Vec<_>>())))
}

/// `/api/v1/labels`.
pub(super) fn labels(scene: &Scene<'_>, form: &Form) -> Result<Reply, QueryError> {
    let names: BTreeSet<String> = matching(scene, form)?.into_iter().flat_map(LabelSet::into_keys).collect();
    Ok(success(&json!(names)))
}

/// `/api/v1/label/NAME/values`.
pub(super) fn values(scene: &Scene<'_>, name: &str, form: &Form) -> Result<Reply, QueryError> {
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
    if !is_name {
        return Err(QueryError::bad(format!("invalid label name: {}", Value::from(name))));
    }
    let found = matching(scene, form)?;
    let values: BTreeSet<String> = found.into_iter().filter_map(|mut labels| labels.remove(name)).collect();
    Ok(success(&json!(values)))
}

/// Label sets of the series that any `match[]` selects (all without one) and that have a sample in the range.
fn matching(scene: &Scene<'_>, form: &Form) -> Result<BTreeSet<LabelSet>, QueryError> {
    let start = form.instant("start", Some(i64::MIN))?;
    let end = form.instant("end", Some(i64::MAX))?;
    let mut found = BTreeSet::new();
    let mut is_restricted = false;
    for text in form.all("match[]") {
        is_restricted = true;
        let expr = promql::parse(text).map_err(|wrong| invalid("match[]", &wrong.message))?;
        if !matches!(expr, Expr::VectorSelector(_)) {
            return Err(invalid("match[]", "1:1: parse error: unexpected end of input"));
        }
        found.extend(selected(scene, &expr, start, end)?);
    }
    if !is_restricted {
        let live = scene.metrics.series().iter().filter(|series| lives(series, start, end));
        found.extend(live.map(|series| series.labels().clone()));
    }
    Ok(found)
}

fn lives(series: &MetricSeries, start: i64, end: i64) -> bool {
    let (first, last) = series.span();
    first <= end && last >= start
}

fn selected(scene: &Scene<'_>, expr: &Expr, start: i64, end: i64) -> Result<Vec<LabelSet>, QueryError> {
    let rows: Vec<Row> = promql::selected(scene.metrics, expr)?;
    let in_range = |row: &Row| row.points.iter().any(|(at, _)| (start..=end).contains(at));
    Ok(rows.into_iter().filter(in_range).map(|row| row.labels).collect())
}

/// `/api/v1/metadata`: by family, so a histogram is named once and without its suffixes.
pub(super) fn metadata(scene: &Scene<'_>, form: &Form) -> Reply {
    let names: BTreeSet<&str> = scene.metrics.names().collect();
    let family = |name: &str| {
        let stem = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        stem.filter(|stem| names.contains(format!("{stem}_bucket").as_str())).unwrap_or(name).to_owned()
    };
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for name in names.iter().filter(|name| !name.starts_with("ALERTS")) {
        let (kind, help) = describe(name);
        found.insert(family(name), json!([{"type": kind, "help": help, "unit": ""}]));
    }
    let wanted = form.get("metric");
    if !wanted.is_empty() {
        found.retain(|name, _| name == wanted);
    }
    let limit = form.get("limit").parse::<usize>().ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    success(&json!(found.into_iter().take(limit).collect::<BTreeMap<_, _>>()))
}

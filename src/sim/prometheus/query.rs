//! `query`, `query_range`, `format_query`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use promql_parser::parser::Expr;
use promql_parser::parser::value::ValueType;
use serde_json::json;

use super::super::http::Reply;
use super::super::metrics::LabelSet;
use super::super::promql::{self, Answer, Point, QueryError, Row, format_float, format_time};
use super::params::{Form, invalid};
use super::{LONGEST, Scene, success};

/// Prometheus refuses more points for one series.
const MAX_POINTS: i64 = 11_000;

/// `/api/v1/query`.
pub(super) fn instant(scene: &Scene<'_>, form: &Form, began: Instant) -> Result<Reply, QueryError> {
    let at = form.instant("time", Some(scene.now_ms))?;
    let deadline = deadline(form, began)?;
    let expr = parsed(form)?;
    promql::instant(scene.metrics, &expr, at, Some(deadline)).map(|answer| written(&answer))
}

/// `/api/v1/query_range`.
pub(super) fn range(scene: &Scene<'_>, form: &Form, began: Instant) -> Result<Reply, QueryError> {
    let start = form.instant("start", None)?;
    let end = form.instant("end", None)?;
    if end < start {
        return Err(invalid("end", "end timestamp must not be before start time"));
    }
    let step = form.span("step")?;
    if step <= 0 {
        let why = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(invalid("step", why));
    }
    if (end - start) / step > MAX_POINTS {
        let why = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution \
                   (?step=XX)";
        return Err(QueryError::bad(why));
    }
    let deadline = deadline(form, began)?;
    let expr = parsed(form)?;
    let wrong = match expr.value_type() {
        ValueType::Matrix => Some("range vector"),
        ValueType::String => Some("string"),
        ValueType::Scalar | ValueType::Vector => None,
    };
    if let Some(kind) = wrong {
        return Err(invalid("query", &promql::not_for_ranges(kind)));
    }
    promql::range(scene.metrics, &expr, start, end, step, Some(deadline)).map(|answer| written(&answer))
}

/// `/api/v1/query_exemplars`: none are kept.
pub(super) fn exemplars(scene: &Scene<'_>, form: &Form) -> Result<Reply, QueryError> {
    form.instant("start", Some(scene.since_ms))?;
    form.instant("end", Some(scene.now_ms))?;
    parsed(form)?;
    Ok(success(&json!([])))
}

/// `/api/v1/format_query`.
pub(super) fn format(form: &Form) -> Result<Reply, QueryError> {
    Ok(success(&json!(parsed(form)?.prettify())))
}

fn parsed(form: &Form) -> Result<Expr, QueryError> {
    promql::parse(form.get("query")).map_err(|wrong| invalid("query", &wrong.message))
}

fn deadline(form: &Form, began: Instant) -> Result<Instant, QueryError> {
    let asked = if form.get("timeout").is_empty() { None } else { Some(form.span("timeout")?) };
    let asked = asked.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
    Ok(began + asked.unwrap_or(LONGEST).min(LONGEST))
}

/// The answer as Prometheus writes it, digit by digit.
fn written(answer: &Answer) -> Reply {
    let mut out = String::from("{\"status\":\"success\",\"data\":{\"resultType\":\"");
    match answer {
        Answer::Scalar(sample) => {
            out.push_str("scalar\",\"result\":");
            point(&mut out, *sample);
        }
        Answer::Text(at, text) => {
            out.push_str("string\",\"result\":[");
            out.push_str(&format_time(*at));
            out.push(',');
            quoted(&mut out, text);
            out.push(']');
        }
        Answer::Vector(found) => rows(&mut out, "vector", found, |out, row| {
            out.push_str(",\"value\":");
            point(out, row.points.first().copied().unwrap_or((0, f64::NAN)));
        }),
        Answer::Matrix(found) => rows(&mut out, "matrix", found, |out, row| {
            out.push_str(",\"values\":[");
            for (index, sample) in row.points.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                point(out, *sample);
            }
            out.push(']');
        }),
    }
    out.push_str("}}");
    Reply::raw_json(200, Bytes::from(out))
}

fn rows(out: &mut String, kind: &str, rows: &[Row], samples: impl Fn(&mut String, &Row)) {
    out.push_str(kind);
    out.push_str("\",\"result\":[");
    for (index, row) in rows.iter().enumerate() {
        out.push_str(if index > 0 { ",{\"metric\":" } else { "{\"metric\":" });
        labels(out, &row.labels);
        samples(out, row);
        out.push('}');
    }
    out.push(']');
}

fn labels(out: &mut String, labels: &LabelSet) {
    out.push('{');
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        quoted(out, name);
        out.push(':');
        quoted(out, value);
    }
    out.push('}');
}

fn point(out: &mut String, (at, value): Point) {
    out.push('[');
    out.push_str(&format_time(at));
    out.push_str(",\"");
    out.push_str(&format_float(value));
    out.push_str("\"]");
}

fn quoted(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

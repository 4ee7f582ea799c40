//! A 50-series × 11,000-point matrix: straight into columns, against plain typed serde_json in the same run.

use chrono::Duration;
use serde::Deserialize;
use warroom::domain::effect::QueryTime;
use warroom::domain::series::{Answer, Range};
use warroom::sources::prometheus::answer;

use crate::clock::{alternate, timed};
use crate::load::present;

#[derive(Deserialize)]
struct Plain {
    data: PlainData,
}

#[derive(Deserialize)]
struct PlainData {
    result: Vec<PlainSeries>,
}

#[derive(Deserialize)]
struct PlainSeries {
    metric: std::collections::HashMap<String, String>,
    values: Vec<(f64, String)>,
}

/// Alternates both ways over the same bytes and compares medians.
pub fn run() {
    let range = Range { start: present() - Duration::seconds(10_999 * 15), end: present(), step_ms: 15_000 };
    let body = matrix(range);
    same_numbers(&body, range);
    let ours = || timed(|| answer::read(body.as_bytes(), QueryTime::Range(range)).expect("a matrix")).0;
    let (ours, plain) = alternate(12, ours, || timed(|| plain(&body)).0);
    println!(
        "parse 50 x 11,000 ({:.1} MB): {ours:.1} ms CPU, plain typed serde_json {plain:.1} ms, ratio {:.2} (goal 0.60)",
        body.len() as f64 / 1e6,
        ours / plain
    );
}

/// What somebody would write who knows serde_json: typed, then the numbers out of their strings.
fn plain(body: &str) -> (Plain, Vec<Vec<f64>>) {
    let parsed: Plain = serde_json::from_str(body).expect("a matrix");
    let numbers =
        |series: &PlainSeries| series.values.iter().map(|(_, value)| value.parse().expect("a number")).collect();
    let columns = parsed.data.result.iter().map(numbers).collect();
    (parsed, columns)
}

fn same_numbers(body: &str, range: Range) {
    let read = answer::read(body.as_bytes(), QueryTime::Range(range)).expect("a matrix");
    let (parsed, columns) = plain(body);
    let Answer::Matrix { series, .. } = read.answer else { panic!("a matrix") };
    assert_eq!(series.len(), parsed.data.result.len());
    assert_eq!(parsed.data.result[7].metric.len(), 3);
    for (ours, theirs) in series.iter().zip(&columns) {
        assert_eq!(&*ours.values, theirs.as_slice(), "both read the same numbers");
    }
}

fn matrix(range: Range) -> String {
    use std::fmt::Write as _;
    let mut body = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for series in 0..50 {
        let comma = if series > 0 { "," } else { "" };
        let _ = write!(
            body,
            r#"{comma}{{"metric":{{"__name__":"m","instance":"10.0.0.{series}:9100","job":"node"}},"values":["#
        );
        for point in 0..range.points() {
            let comma = if point > 0 { "," } else { "" };
            let at = range.start.timestamp() + point as i64 * 15;
            let value = ((point * (series + 3)) as f64 * 0.618_033_988_749_895).sin() * 1000.0;
            let _ = write!(body, r#"{comma}[{at},"{value}"]"#);
        }
        body.push_str("]}");
    }
    body.push_str("]}}");
    body
}

//! Expressions with the answers that Prometheus gives.

use super::testing::Shelf;
use super::*;

const START: i64 = 1_795_469_400_000;
const NOW: i64 = START + 600_000;

/// Ten minutes, a sample every 15 s: a counter with a reset, one with a hole, gauges, a histogram.
fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    let line = |from: f64, by: f64| (0..=40).map(|index| Some(from + by * f64::from(index))).collect::<Vec<_>>();
    shelf.add(&[("__name__", "hits_total"), ("job", "a"), ("code", "200")], START, 15_000, &line(100.0, 30.0));
    shelf.add(&[("__name__", "hits_total"), ("job", "a"), ("code", "500")], START, 15_000, &line(0.0, 1.5));
    let mut reset = line(0.0, 15.0);
    for (index, value) in reset.iter_mut().enumerate().skip(20) {
        *value = Some((index - 20) as f64 * 15.0);
    }
    shelf.add(&[("__name__", "hits_total"), ("job", "b"), ("code", "200")], START, 15_000, &reset);
    shelf.add(&[("__name__", "up"), ("job", "a"), ("instance", "a:1")], START, 15_000, &vec![Some(1.0); 41]);
    shelf.add(&[("__name__", "up"), ("job", "b"), ("instance", "b:1")], START, 15_000, &vec![Some(0.0); 41]);
    shelf.add(&[("__name__", "temp"), ("room", "x")], START, 15_000, &line(10.0, 0.5));
    shelf.add(&[("__name__", "temp"), ("room", "nan")], START, 15_000, &[Some(f64::NAN); 41]);
    for (le, by) in [("0.1", 5.0), ("0.5", 9.0), ("1", 10.0), ("+Inf", 10.0)] {
        shelf.add(&[("__name__", "lat_bucket"), ("le", le)], START, 15_000, &line(0.0, by));
    }
    shelf
}

fn told(promql: &str) -> String {
    let answer = parse(promql).and_then(|expr| instant(&shelf(), &expr, NOW, None));
    match answer {
        Ok(Answer::Scalar((_, value))) => format_float(value),
        Ok(Answer::Text(_, text)) => format!("'{text}'"),
        Ok(Answer::Vector(rows)) => {
            let rows =
                rows.iter().map(|row| format!("{} {}", labels::print(&row.labels), format_float(row.points[0].1)));
            rows.collect::<Vec<_>>().join("; ")
        }
        Ok(Answer::Matrix(rows)) => {
            format!("{} series, {} points", rows.len(), rows.iter().map(|row| row.points.len()).sum::<usize>())
        }
        Err(error) => format!("{:?}: {error}", error.kind),
    }
}

#[test]
fn answers_are_prometheus() {
    for (promql, expected) in [
        ("1 + 2 * 3 ^ 2", "19"),
        ("-2 ^ 2", "-4"),
        ("\"a\\n\"", "'a\n'"),
        ("up", "{__name__=\"up\", instance=\"a:1\", job=\"a\"} 1; {__name__=\"up\", instance=\"b:1\", job=\"b\"} 0"),
        ("up{job!=\"a\"} == 0", "{__name__=\"up\", instance=\"b:1\", job=\"b\"} 0"),
        ("up{job=~\"a|c\"} * 3", "{instance=\"a:1\", job=\"a\"} 3"),
        ("up == bool 0", "{instance=\"a:1\", job=\"a\"} 0; {instance=\"b:1\", job=\"b\"} 1"),
        ("nothing", ""),
        ("sum(rate(hits_total[5m])) by (job)", "{job=\"a\"} 2.1; {job=\"b\"} 1"),
        ("increase(hits_total{code=\"500\"}[1m])", "{code=\"500\", job=\"a\"} 6"),
        ("sum(rate(hits_total{code=\"500\"}[2m])) / sum(rate(hits_total{job=\"a\"}[2m]))", "{} 0.047619047619047616"),
        ("irate(hits_total{job=\"b\"}[5m])", "{code=\"200\", job=\"b\"} 1"),
        ("resets(hits_total[10m]) > 0", "{code=\"200\", job=\"b\"} 1"),
        ("max_over_time(temp[1m])", "{room=\"nan\"} NaN; {room=\"x\"} 30"),
        ("deriv(temp{room=\"x\"}[5m])", "{room=\"x\"} 0.03333333333333333"),
        ("temp{room=\"x\"} offset 5m", "{__name__=\"temp\", room=\"x\"} 20"),
        ("temp{room=\"x\"} @ 1795469400", "{__name__=\"temp\", room=\"x\"} 10"),
        ("count_over_time(up{job=\"a\"}[1m])", "{instance=\"a:1\", job=\"a\"} 5"),
        ("up[1m]", "2 series, 10 points"),
        ("up[2m:1m]", "2 series, 6 points"),
        ("histogram_quantile(0.5, lat_bucket)", "{} 0.1"),
        ("histogram_quantile(0.95, rate(lat_bucket[5m]))", "{} 0.75"),
        ("topk(1, hits_total)", "{__name__=\"hits_total\", code=\"200\", job=\"a\"} 1300"),
        (
            "bottomk(2, hits_total{code=\"200\"})",
            "{__name__=\"hits_total\", code=\"200\", job=\"b\"} 300; {__name__=\"hits_total\", code=\"200\", job=\"a\"} 1300",
        ),
        ("quantile(0.5, hits_total)", "{} 300"),
        ("count without (code) (hits_total)", "{job=\"a\"} 2; {job=\"b\"} 1"),
        ("count_values(\"v\", up)", "{v=\"0\"} 1; {v=\"1\"} 1"),
        ("absent(nothing{job=\"x\",y=~\"z\"})", "{job=\"x\"} 1"),
        ("absent(up)", ""),
        ("scalar(up{job=\"a\"}) + scalar(up)", "NaN"),
        ("time()", "1795470000"),
        ("timestamp(up{job=\"a\"} offset 10s)", "{instance=\"a:1\", job=\"a\"} 1795469985"),
        (
            "label_replace(up{job=\"a\"}, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
            "{__name__=\"up\", host=\"a\", instance=\"a:1\", job=\"a\"} 1",
        ),
        (
            "label_join(up{job=\"a\"}, \"both\", \"-\", \"job\", \"instance\")",
            "{__name__=\"up\", both=\"a-a:1\", instance=\"a:1\", job=\"a\"} 1",
        ),
        (
            "hits_total{code=\"200\"} / on (job) group_left (instance) up",
            "{code=\"200\", instance=\"a:1\", job=\"a\"} 1300; {code=\"200\", instance=\"b:1\", job=\"b\"} +Inf",
        ),
        ("hits_total{code=\"200\"} and on (job) up == 1", "{__name__=\"hits_total\", code=\"200\", job=\"a\"} 1300"),
        ("sum by (job) (up) unless on (job) hits_total{code=\"500\"}", "{job=\"b\"} 0"),
        ("up{job=\"a\"} or vector(7)", "{__name__=\"up\", instance=\"a:1\", job=\"a\"} 1; {} 7"),
        ("clamp(temp{room=\"x\"}, 0, 25)", "{room=\"x\"} 25"),
        ("round(temp{room=\"x\"} / 7, 0.5)", "{room=\"x\"} 4.5"),
        (
            "sort_desc(up)",
            "{__name__=\"up\", instance=\"a:1\", job=\"a\"} 1; {__name__=\"up\", instance=\"b:1\", job=\"b\"} 0",
        ),
        ("hour(vector(1795470000)) + minute()", "{} 61"),
    ] {
        let mut found: Vec<String> = told(promql).split("; ").map(str::to_owned).collect();
        let mut expected: Vec<String> = expected.split("; ").map(str::to_owned).collect();
        if !functions::is_ordered(&parse(promql).unwrap()) {
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected, "{promql}");
    }
}

#[test]
fn errors_are_prometheus() {
    for (promql, expected) in [
        ("", "BadData: 1:1: parse error: no expression found in input"),
        ("up{", "BadData: 1:4: parse error: unexpected end of input inside braces"),
        ("sum(up", "BadData: 1:7: parse error: unclosed left parenthesis"),
        ("foo(up)", "BadData: 1:1: parse error: unknown function with name \"foo\""),
        ("up + foo(up)", "BadData: 1:6: parse error: unknown function with name \"foo\""),
        (
            "up + on (x) up",
            "Execution: found duplicate series for the match group {} on the right hand-side of the operation: [{__name__=\"up\", instance=\"b:1\", job=\"b\"}, {__name__=\"up\", instance=\"a:1\", job=\"a\"}];many-to-many matching not allowed: matching labels must be unique on one side",
        ),
        (
            "hits_total / on (job) up",
            "Execution: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
        ),
        ("rate({job=\"a\"}[5m]) + rate({__name__=~\"up|temp\",job=\"a\"}[5m])", "{instance=\"a:1\", job=\"a\"} 0"),
        (
            "label_replace(up, \"instance\", \"x\", \"job\", \".*\") + 0",
            "{instance=\"x\", job=\"a\"} 1; {instance=\"x\", job=\"b\"} 0",
        ),
        (
            "label_replace({__name__=~\"up\"}, \"a-b\", \"x\", \"job\", \".*\")",
            "Execution: invalid destination label name in label_replace(): a-b",
        ),
        ("sum({__name__=~\".+\"}[1000y:1s])", "BadData: "),
        (
            "count_over_time({__name__=~\".+\"}[1000y:1s])",
            "Execution: query processing would load too many samples into memory in query execution",
        ),
    ] {
        let found = told(promql);
        assert!(found.starts_with(expected), "{promql}: {found}");
    }
}

#[test]
fn a_range_is_many_instants() {
    let shelf = shelf();
    for promql in [
        "sum by (job) (rate(hits_total[1m]))",
        "topk(1, hits_total)",
        "up or nothing",
        "absent(up offset 9m)",
        "time() - 5",
        "histogram_quantile(0.9, rate(lat_bucket[1m]))",
        "max_over_time(temp[2m:30s])",
        "hits_total > 300",
        "-temp",
        "timestamp(temp)",
        "temp and on (room) temp > 15",
        "vector(1) unless temp{room=\"x\"}",
        "count_values(\"v\", temp)",
    ] {
        let expr = parse(promql).unwrap();
        let Answer::Matrix(rows) = range(&shelf, &expr, START, NOW + 400_000, 20_000, None).unwrap() else { panic!() };
        let mut by_range: Vec<(LabelSet, i64, String)> = Vec::new();
        for row in rows {
            by_range.extend(row.points.iter().map(|(at, value)| (row.labels.clone(), *at, format_float(*value))));
        }
        let mut by_instant: Vec<(LabelSet, i64, String)> = Vec::new();
        for at in (START..=NOW + 400_000).step_by(20_000) {
            match instant(&shelf, &expr, at, None).unwrap() {
                Answer::Vector(rows) => {
                    by_instant.extend(rows.into_iter().map(|row| (row.labels, at, format_float(row.points[0].1))));
                }
                Answer::Scalar((_, value)) => by_instant.push((LabelSet::new(), at, format_float(value))),
                _ => panic!(),
            }
        }
        by_range.sort();
        by_instant.sort();
        assert_eq!(by_range, by_instant, "{promql}");
    }
}

#[test]
fn a_deadline_ends_the_evaluation() {
    let expr = parse("sum(rate(hits_total[5m]))").unwrap();
    let error = instant(&shelf(), &expr, NOW, Some(std::time::Instant::now())).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Timeout, "query timed out in expression evaluation"));
}

#[test]
fn instants_beyond_any_calendar_have_no_samples() {
    for promql in ["up @ 51e12", "up @ -51e12", "rate(hits_total[5m] @ 9e15)", "up offset 290y @ -9e15", "up @ 51e300"]
    {
        let expr = parse(promql).unwrap();
        assert_eq!(instant(&shelf(), &expr, NOW, None), Ok(Answer::Vector(Vec::new())), "{promql}");
        drop(range(&shelf(), &expr, START, NOW, 60_000, None));
    }
}

proptest::proptest! {
    /// Whatever is asked, there is an answer and no panic.
    #[test]
    fn no_question_breaks_the_evaluator(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "up", "hits_total", "[5m]", "[1m:15s]", "rate(", "sum(", "by (job)", ")", "(", " + ", " / ", " and ", " on(job) ", "group_left()",
            "{job=\"a\"}", "{le=~\".*\"}", "topk(", "2, ", "histogram_quantile(0.9, ", " offset 5m", " offset -1h", " @ 5", "1e12", " > ", " bool ", "-", "time()",
            "label_replace(", "\"a\", \"b\", \"c\", \"d\"", "quantile(", "1e300", "NaN", "absent(", "scalar(", "1", " or ", "clamp(", ", ", " @ end()",
        ]), 1..9),
    ) {
        let promql: String = pieces.concat();
        if let Ok(expr) = parse(&promql) {
            drop(instant(&shelf(), &expr, NOW, None));
            drop(range(&shelf(), &expr, START, NOW, 60_000, None));
        }
    }
}

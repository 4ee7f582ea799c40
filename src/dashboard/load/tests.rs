//! Whole, wrong and broken dashboard files.

use super::*;

const WHOLE: &str = r#"
title = "Checkout"
range = "6h"
refresh = "30s"

[variable.job]
labels = ["job", "service"]
default = ".+"

[[panel]]
id = "errors"
title = "Errors of $job"
description = "Share of requests that fail."
unit = "percentunit"
decimals = 2
min = 0
thresholds = [{ value = 0.05, level = "bad" }, { value = 0.01, level = "warning" }]
threshold_style = "area"
legend = ["mean", "max"]
reduce = "max"
stacked = true

[[panel.query]]
promql = 'sum(rate(http_requests_total{job=~"$job"}[$__rate_interval]))'
legend = "{{code}}"
source = "thanos"
interval = "1m"

[[panel]]
title = "Targets"
kind = "table"

[[panel.query]]
promql = "up"

[[panel]]
title = "Read me"
kind = "text"
text = "Call the database team first."
"#;

#[test]
fn a_whole_dashboard_loads() {
    let (dashboard, problems) = load("checkout", "checkout.toml", WHOLE);
    assert_eq!(problems, Vec::new());
    let dashboard = dashboard.unwrap();
    assert_eq!((dashboard.range_s, dashboard.refresh_s, dashboard.title.as_str()), (21_600, 30, "Checkout"));
    let [errors, targets, words] = &dashboard.panels[..] else { panic!() };
    assert_eq!(errors.thresholds.iter().map(|one| one.value).collect::<Vec<_>>(), [0.01, 0.05]);
    assert_eq!(
        (errors.unit.as_str(), errors.decimals, errors.min, errors.max),
        ("percentunit", Some(2), Some(0.0), None)
    );
    assert_eq!(
        (errors.legend.as_slice(), errors.reduce, errors.stacked),
        (&[Calc::Mean, Calc::Max][..], Calc::Max, true)
    );
    assert_eq!((errors.queries[0].min_step_ms, errors.queries[0].instant), (Some(60_000), false));
    assert_eq!(errors.queries[0].source, SourceId::parse("thanos"));
    assert_eq!((targets.id.as_str(), targets.queries[0].instant), ("targets", true));
    assert_eq!(words.text, "Call the database team first.");
}

#[test]
fn everything_wrong_is_said_with_its_line_and_the_rest_loads() {
    let text = r#"titel = "Checkout"
range = "soon"
[[panel]]
title = "Errors"
knd = "stat"
kind = "stats"
unit = "percnt"
min = "low"
thresholds = [{ value = 1 }]
[[panel.query]]
promql = "sum(rate(x[5m])"
[[panel.query]]
promql = "up"
legnd = "a"
[[panel]]
id = "errors"
title = "Twice"
[[panel.query]]
promql = "up"
[[panel]]
title = "Nothing"
"#;
    let (dashboard, problems) = load("checkout", "d.toml", text);
    let dashboard = dashboard.unwrap();
    assert_eq!(dashboard.panels.len(), 1);
    assert_eq!((dashboard.range_s, dashboard.panels[0].queries.len()), (3_600, 1));
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        "d.toml:1:1: 'titel' is not a key of a dashboard; did you mean 'title'?",
        "d.toml:2:9: 'range' of a dashboard must be a span such as \"15s\" or \"6h\", not text; the default is used",
        "d.toml:5:1: 'knd' is not a key of a panel; did you mean 'kind'?",
        "d.toml:6:8: 'stats' is not a kind of a panel; did you mean 'stat'?",
        "d.toml:7:8: 'percnt' is not a unit; it is shown behind the number; use one of Grafana's unit ids, such as short, percentunit, bytes, s, reqps",
        "d.toml:8:7: 'min' of a panel must be a number, not text; the default is used",
        "d.toml:9:15: a threshold needs value and level; write it as { value = 0.05, level = \"bad\" }",
        "d.toml:11:10: the query is not PromQL: ",
        "d.toml:14:1: 'legnd' is not a key of a query; did you mean 'legend'?",
        "d.toml:15:1: two panels have the id 'errors'; give the second one another id",
        "d.toml:20:1: the panel 'nothing' asks nothing; add a [[panel.query]] with promql = \"…\"",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (found, start) in told.iter().zip(expected) {
        assert!(found.starts_with(start), "{found}\n{start}");
    }
}

#[test]
fn broken_toml_says_where() {
    let (dashboard, problems) =
        load("x", "x.toml", "title = \"a\n[[panel]]\ntitle = \"b\"\n[[panel.query]]\npromql = \"up\"\n");
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.starts_with("not TOML") && problem.at.is_some_and(|(line, _)| line == 1)),
        "{problems:?}"
    );
    assert_eq!(dashboard.map(|dashboard| dashboard.panels.len()), Some(1));
    let (dashboard, problems) = load("x", "x.toml", "");
    assert!(dashboard.is_none());
    assert_eq!(problems[0].message, "the dashboard 'x' has no panel");
}

proptest::proptest! {
    #[test]
    fn no_file_can_break_the_start(text in "\\PC{0,200}", cut in 0_usize..2_000) {
        drop(load("x", "x.toml", &text));
        let head: String = WHOLE.chars().take(cut).collect();
        drop(load("x", "x.toml", &(head + &text)));
    }
}

//! Placeholders in every place, and hostile values in all of them.

use chrono::DateTime;
use promql_parser::label::MatchOp;
use promql_parser::parser::Expr;
use proptest::prelude::*;

use super::*;

fn grid() -> Grid {
    Grid::plan(DateTime::from_timestamp(1_795_469_977, 0).unwrap(), 3_600, 200, 15_000)
}

fn variable(name: &str, labels: &[&str], default: Option<&str>) -> Variable {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Variable { name: name.to_owned(), labels, default: default.map(str::to_owned) }
}

fn values() -> Values {
    Values::default()
        .with("job", "check.out")
        .with("quoted", "a\"b\\c\nd")
        .with("metric", "http_requests_total")
        .with("limit", "5")
        .with("span", "5m")
        .with("instance", "a:1")
        .with("instance", "b:2")
        .with("keyword", "by")
        .with("evil", "x\"} or vector(1) #")
}

#[test]
fn placeholders_are_filled_for_the_place_where_they_stand() {
    for (template, filled) in [
        ("up", "up"),
        ("up{job=\"$job\"}", "up{job=\"check.out\"}"),
        ("up{job='${job}'}", "up{job='check.out'}"),
        ("up{job=`$job`}", "up{job=\"check.out\"}"),
        ("up{job=~\"$job\"}", "up{job=~\"check\\\\.out\"}"),
        ("up{job!~\"^$job-.*\"}", "up{job!~\"^check\\\\.out-.*\"}"),
        ("up{job=\"${job:regex}\"}", "up{job=\"check\\\\.out\"}"),
        ("up{a=\"$quoted\"}", "up{a=\"a\\\"b\\\\c\\nd\"}"),
        ("up{a='$quoted'}", "up{a='a\"b\\\\c\\nd'}"),
        ("up{a=~`\\d+$quoted`}", "up{a=~\"\\\\d+a\\\"b\\\\\\\\c\\nd\"}"),
        ("up{instance=~\"$instance\"}", "up{instance=~\"(a:1|b:2)\"}"),
        ("up{a=\"$evil\"}", "up{a=\"x\\\"} or vector(1) #\"}"),
        ("topk($limit, rate($metric[$span]))", "topk(5, rate(http_requests_total[5m]))"),
        ("rate(x[$__rate_interval])", "rate(x[1m])"),
        ("rate(x[$__interval]) / $__interval_ms", "rate(x[20s]) / 20000"),
        ("increase(x[$__range]) / $__range_s", "increase(x[3600s]) / 3600"),
        ("up{node=~\"$node\"}", "up{node=~\".+\"}"),
        ("up{node=~\"$pod\"}", "up{node=~\"check\\\\.out\"}"),
        ("label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")", "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")"),
    ] {
        let variables = [variable("node", &["node", "host"], Some(".+")), variable("pod", &["pod", "job"], None)];
        assert_eq!(promql(template, &variables, &values(), &grid()).as_deref(), Ok(filled), "{template}");
    }
}

#[test]
fn what_cannot_be_filled_is_said_and_not_sent() {
    for (template, why) in [
        (
            "up{a=\"$cluster\",b=\"$region\",c=\"$cluster\"}",
            "needs a value for cluster, region: the incident has no such label",
        ),
        (
            "up{instance=\"$instance\"}",
            "the value of $instance cannot stand there: it has 2 values here, so the query must use =~",
        ),
        (
            "rate($evil[5m])",
            "the value of $evil cannot stand there: outside quotes only a name, a number or a span such as 5m may stand",
        ),
        (
            "up{a=\"${job:csv}\"}",
            "the value of $job cannot stand there: the format 'csv' is not known; use 'regex' or none",
        ),
    ] {
        assert_eq!(
            promql(template, &[], &values(), &grid()).map_err(|error| error.to_string()),
            Err(why.to_owned()),
            "{template}"
        );
    }
    assert!(matches!(promql("up{a=", &[], &values(), &grid()), Err(FillError::NotPromql(_))));
    for template in ["sum $keyword (a) (up)", "up $keyword up", "sum(up) $keyword (a)"] {
        assert!(promql(template, &[], &values(), &grid()).is_err(), "{template}");
    }
}

#[test]
fn a_storm_is_asked_for_as_a_whole_or_not_at_all() {
    let values =
        (0..1_000).fold(Values::default(), |values, index| values.with("instance", format!("node-{index}").as_str()));
    let template = "up{instance=~\"$instance\"}";
    let all = [variable("instance", &["instance"], Some(".+"))];
    assert_eq!(promql(template, &all, &values, &grid()).as_deref(), Ok("up{instance=~\".+\"}"));
    let refused = promql(template, &[], &values, &grid()).map_err(|error| error.to_string());
    assert_eq!(refused, Err("the value of $instance cannot stand there: it has more than 64 values here".to_owned()));
}

#[test]
fn titles_are_filled_with_words() {
    let variables = [variable("node", &[], Some(".+"))];
    for (template, filled) in [
        ("Requests of $job", "Requests of check.out"),
        ("$instance", "a:1 +1"),
        ("CPU on $node, $cluster: 5$", "CPU on all, cluster?: 5$"),
        ("${quoted}", "a\"b\\c⏎d"),
    ] {
        assert_eq!(title(template, &variables, &values()).as_str(), filled);
    }
}

fn matcher_of(promql: &str) -> (MatchOp, String) {
    let Expr::VectorSelector(selector) = expression::parse(promql).unwrap() else { panic!("{promql}") };
    let only = selector.matchers.matchers.first().unwrap().clone();
    (only.op, only.value)
}

proptest! {
    /// Whatever a label holds, the query keeps its shape, compares with exactly that value, and matches nothing else.
    #[test]
    fn hostile_values_never_change_the_query(value in "(\\PC|[\"'`\\\\{}$#\n\t\r\u{1}\u{7f}]){1,40}", quote in "[\"'`]") {
        let values = Values::default().with("x", value.as_str());
        for (sign, template) in [("=", format!("up{{a={quote}$x{quote}}}")), ("=~", format!("up{{a=~{quote}$x{quote}}}"))] {
            let filled = promql(&template, &[], &values, &grid()).unwrap();
            let neutral = expression::shape(&expression::parse(&format!("up{{a{sign}\"x\"}}")).unwrap());
            prop_assert_eq!(expression::shape(&expression::parse(&filled).unwrap()), neutral);
            match matcher_of(&filled) {
                (MatchOp::Equal, same) => prop_assert_eq!(&same, &value),
                (MatchOp::Re(regex), _) => {
                    prop_assert!(regex.is_match(&value));
                    let longer = value.clone() + "x";
                    prop_assert!(!regex.is_match(&longer));
                    prop_assert!(!regex.is_match(""));
                }
                (other, _) => prop_assert!(false, "{other:?}"),
            }
        }
    }

    /// Outside quotes a hostile value is refused or is one token.
    #[test]
    fn code_takes_one_token_or_nothing(value in "\\PC{1,20}") {
        let values = Values::default().with("x", value.as_str());
        for template in ["sum(rate($x[5m]))", "up > $x", "rate(up[$x])", "sum by ($x) (up)"] {
            if let Ok(filled) = promql(template, &[], &values, &grid()) {
                prop_assert_eq!(filled, template.replace("$x", &value));
                prop_assert!(token(&value).is_some());
            }
        }
    }
}

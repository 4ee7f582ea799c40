//! Values in queries and queries' answers as values. A value must land inside one node of the query's tree (the text of a
//! label matcher, a number, a duration); the answer must be one fresh, finite number.

use std::time::Duration;

use promql_parser::parser::{self, Expr};

use crate::domain::time::Timestamp;
use crate::runbook::model::Reduce;
use crate::runbook::template::Fault;
use crate::runbook::value::Cause;

/// A sample of an instant query.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its value.
    pub value: f64,
    /// When it was taken.
    pub at: Timestamp,
}

/// The names of `$name` and `${name}` in a query, in order.
#[must_use]
pub fn names(query: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in parts(query) {
        if let Part::Name(name) = part
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

enum Part {
    Text(String),
    Name(String),
}

fn parts(query: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once('$') {
        parts.push(Part::Text(before.to_owned()));
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, behind) = match braced {
            Some((name, behind)) => (name, behind),
            None => {
                let end = after
                    .find(|symbol: char| !(symbol.is_ascii_alphanumeric() || symbol == '_'))
                    .unwrap_or(after.len());
                after.split_at(end)
            }
        };
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
        if is_name {
            parts.push(Part::Name(name.to_owned()));
            rest = behind;
        } else {
            parts.push(Part::Text("$".to_owned()));
            rest = after;
        }
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}

fn put(query: &str, value: &mut dyn FnMut(&str) -> Result<String, Cause>) -> Result<String, Cause> {
    parts(query)
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => Ok(text),
            Part::Name(name) => value(&name),
        })
        .collect()
}

/// What is wrong with a query's text, found without any value.
///
/// # Errors
/// The parser's words.
pub fn check(query: &str) -> Result<(), Fault> {
    if stand_ins(query).iter().any(|filled| parse(filled).is_ok()) {
        return Ok(());
    }
    let filled = put(query, &mut |_| Ok("1".to_owned())).unwrap_or_default();
    let message = parse(&filled).err().unwrap_or_else(|| "unreadable".to_owned());
    let message = message.lines().next().unwrap_or_default().to_owned();
    Err(Fault { at: 0, message: format!("this is not PromQL: {message}"), fix: "correct it".to_owned() })
}

/// The query with harmless values: each name as a number (which the text of a matcher is too) or as a duration.
fn stand_ins(query: &str) -> Vec<String> {
    let names = names(query);
    let varied = names.len().min(5);
    (0..1_usize << varied)
        .map(|choice| {
            let value = |name: &str| {
                let at = names.iter().position(|known| known == name).unwrap_or(0);
                if at < varied && choice >> at & 1 == 1 { "5m" } else { "1" }
            };
            put(query, &mut |name| Ok(value(name).to_owned())).unwrap_or_default()
        })
        .collect()
}

/// Longest query: a query of more is no panel's and no person's.
const MOST_BYTES: usize = 4_096;

fn parse(query: &str) -> Result<Expr, String> {
    let nesting = query.chars().fold((0_i32, 0_i32), |(depth, deepest), symbol| match symbol {
        '(' | '{' | '[' => (depth + 1, deepest.max(depth + 1)),
        ')' | '}' | ']' => (depth - 1, deepest),
        _ => (depth, deepest),
    });
    if query.len() > MOST_BYTES || nesting.1 > 24 {
        return Err("too long or too deep".to_owned());
    }
    parser::parse(query)
}

/// Fills a query. The tree with the values must be the tree without them, but for the texts of matchers, numbers and
/// durations: so no value can close a quote or a brace.
///
/// # Errors
/// The cause of a value that is missing, or a refusal.
pub fn fill(query: &str, value: &mut dyn FnMut(&str) -> Result<String, Cause>) -> Result<String, Cause> {
    let mut values: Vec<String> = Vec::new();
    let filled = put(query, &mut |name| {
        let found = value(name)?;
        values.push(found.clone());
        Ok(found)
    })?;
    if values.is_empty() {
        return Ok(filled);
    }
    let refused = |words: &str| Cause::Refused(format!("the value does not fit into the query: {words}"));
    if values.iter().any(|found| found.contains(['"', '\'', '`', '\\', '\n'])) {
        return Err(refused("it has a quote, a backslash or a line break"));
    }
    let tree = parse(&filled).map_err(|_cause| refused("what comes out is not PromQL"))?;
    let wanted = shape(&tree);
    let same = stand_ins(query).iter().any(|plain| parse(plain).is_ok_and(|plain| shape(&plain) == wanted));
    if same { Ok(filled) } else { Err(refused("it would change what is asked")) }
}

/// A tree without the texts, numbers and durations in it.
fn shape(tree: &Expr) -> String {
    match tree {
        Expr::Aggregate(inner) => format!(
            "{}({},{},{:?})",
            inner.op,
            shape(&inner.expr),
            inner.param.as_ref().map(|param| shape(param)).unwrap_or_default(),
            inner.modifier
        ),
        Expr::Unary(inner) => format!("-({})", shape(&inner.expr)),
        Expr::Binary(inner) => {
            format!("({}){}({}){:?}", shape(&inner.lhs), inner.op, shape(&inner.rhs), inner.modifier)
        }
        Expr::Paren(inner) => format!("[{}]", shape(&inner.expr)),
        Expr::Subquery(inner) => format!("sub({})", shape(&inner.expr)),
        Expr::NumberLiteral(_) => "number".to_owned(),
        Expr::StringLiteral(_) => "text".to_owned(),
        Expr::VectorSelector(inner) => selector(inner),
        Expr::MatrixSelector(inner) => format!("range({})", selector(&inner.vs)),
        Expr::Call(inner) => {
            let arguments: Vec<String> = inner.args.args.iter().map(|argument| shape(argument)).collect();
            format!("{}({})", inner.func.name, arguments.join(","))
        }
        Expr::Extension(_) => "extension".to_owned(),
    }
}

fn selector(selector: &parser::VectorSelector) -> String {
    let matchers = |list: &[promql_parser::label::Matcher]| -> Vec<String> {
        list.iter()
            .map(|matcher| {
                // A regular expression's operator prints its pattern too; only its kind counts.
                let operator = format!("{:?}", matcher.op);
                let operator = operator.split('(').next().unwrap_or_default().to_owned();
                format!("{}{operator}", matcher.name)
            })
            .collect()
    };
    let alternatives: Vec<Vec<String>> = selector.matchers.or_matchers.iter().map(|list| matchers(list)).collect();
    let moved = (selector.offset.is_some(), selector.at.is_some());
    format!("{:?}{:?}{alternatives:?}{moved:?}", selector.name, matchers(&selector.matchers.matchers))
}

/// One value out of an answer.
///
/// # Errors
/// Why there is none.
pub fn reduce(
    samples: &[Sample],
    how: Reduce,
    max_age: Duration,
    now: Timestamp,
) -> Result<(f64, Timestamp, Duration), Cause> {
    let oldest = samples.iter().map(|sample| sample.at).min().unwrap_or(now);
    let age = now.signed_duration_since(oldest).to_std().unwrap_or(Duration::ZERO);
    if how == Reduce::Count {
        return Ok((samples.len() as f64, oldest, age));
    }
    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    if values.is_empty() {
        return Err(Cause::NoData);
    }
    if age > max_age {
        return Err(Cause::Stale { age, max_age });
    }
    if values.iter().any(|value| value.is_nan()) {
        return Err(Cause::NotANumber);
    }
    let value = match (how, values.as_slice()) {
        (Reduce::One, [one]) => *one,
        (Reduce::One, many) => return Err(Cause::ManySeries(many.len())),
        (Reduce::Min, many) => many.iter().copied().fold(f64::INFINITY, f64::min),
        (Reduce::Max, many) => many.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        (Reduce::Sum, many) => many.iter().sum(),
        (Reduce::Any, many) => f64::from(u8::from(many.iter().any(|value| *value != 0.0))),
        (Reduce::All, many) => f64::from(u8::from(many.iter().all(|value| *value != 0.0))),
        (Reduce::Count, many) => many.len() as f64,
    };
    if value.is_infinite() {
        return Err(Cause::Infinite);
    }
    Ok((value, oldest, age))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(query: &str, value: &str) -> Result<String, String> {
        fill(query, &mut |_| Ok(value.to_owned())).map_err(|cause| cause.to_string())
    }

    #[test]
    fn values_stay_inside_their_node() {
        let query = "sum(rate(x{instance=\"$instance\",job=~\"${job}\"}[5m])) > 1";
        assert_eq!(names(query), ["instance", "job"]);
        assert_eq!(filled("up{instance=\"$i\"}", "db-1:9100"), Ok("up{instance=\"db-1:9100\"}".to_owned()));
        assert_eq!(filled("rate(up[$window])", "5m"), Ok("rate(up[5m])".to_owned()));
        assert_eq!(filled("up > $limit", "0.9"), Ok("up > 0.9".to_owned()));
        assert_eq!(filled("topk(5, up)", "x"), Ok("topk(5, up)".to_owned()));
        for (query, value) in [
            ("up{instance=\"$i\"}", "x\"} or vector(1) #"),
            ("up > $limit", "0 or vector(1)"),
            ("rate(up[$window])", "5m] offset 1d"),
            ("rate(up[$window])", "5m]) or rate(down[5m"),
            ("$metric > 1", "up or down"),
            ("sum by ($label) (up)", "a, b"),
            ("up > $limit", "secret"),
        ] {
            assert!(filled(query, value).is_err(), "{query} {value}");
        }
        assert!(check("sum(rate(x[$w])) > $limit").is_ok());
        assert!(check("sum(rate(x[").is_err());
    }

    #[test]
    fn only_one_fresh_finite_number_is_an_answer() {
        let now = chrono::DateTime::from_timestamp(1_000_000, 0).unwrap();
        let sample = |value, ago| Sample { value, at: now - chrono::Duration::seconds(ago) };
        let minute = Duration::from_secs(60);
        let one = |samples: &[Sample]| reduce(samples, Reduce::One, minute, now).map(|found| found.0);
        assert_eq!(one(&[sample(3.0, 5)]), Ok(3.0));
        assert_eq!(one(&[]), Err(Cause::NoData));
        assert_eq!(one(&[sample(1.0, 1), sample(2.0, 1), sample(3.0, 1)]), Err(Cause::ManySeries(3)));
        assert_eq!(one(&[sample(f64::NAN, 1)]), Err(Cause::NotANumber));
        assert_eq!(one(&[sample(f64::INFINITY, 1)]), Err(Cause::Infinite));
        assert_eq!(one(&[sample(1.0, 120)]), Err(Cause::Stale { age: Duration::from_secs(120), max_age: minute }));
        let two = [sample(0.0, 1), sample(4.0, 1)];
        for (how, expected) in [
            (Reduce::Min, 0.0),
            (Reduce::Max, 4.0),
            (Reduce::Sum, 4.0),
            (Reduce::Count, 2.0),
            (Reduce::Any, 1.0),
            (Reduce::All, 0.0),
        ] {
            assert_eq!(reduce(&two, how, minute, now).map(|found| found.0), Ok(expected), "{how:?}");
        }
        assert_eq!(reduce(&[], Reduce::Count, minute, now).map(|found| found.0), Ok(0.0));
    }

    proptest::proptest! {
        #[test]
        fn no_value_changes_the_shape(value in "[ -~]{0,40}") {
            if let Ok(query) = filled("sum(up{instance=\"$i\",a=\"b\"}) by (job) > $i", &value) {
                let tree = parse(&query).map(|tree| shape(&tree));
                proptest::prop_assert_eq!(tree, parse("sum(up{instance=\"1\",a=\"b\"}) by (job) > 1").map(|tree| shape(&tree)));
            }
        }

        #[test]
        fn any_query_is_checked_without_a_panic(query in "[a-z0-9 (){}\\[\\]=~\"$,.+*<>/-]{0,100}") {
            let _ = check(&query);
        }
    }
}

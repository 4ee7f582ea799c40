//! Parsing, with Prometheus's words for what is wrong.

use promql_parser::parser::Expr;

use super::QueryError;
use crate::dashboard::expression;

/// The tree of `promql`, or a `bad_data` error as Prometheus words it.
pub fn parse(promql: &str) -> Result<Expr, QueryError> {
    let wrong = |(line, column): (usize, usize), words: &str| {
        Err(QueryError::bad(format!("{line}:{column}: parse error: {words}")))
    };
    if promql.trim().is_empty() {
        return wrong((1, 1), "no expression found in input");
    }
    match expression::parse(promql) {
        Ok(expr) => Ok(expr),
        Err(words) => match open_end(promql) {
            Some(words) => wrong(place(promql, promql.len()), words),
            None => match unknown_function(promql) {
                Some((at, name)) => wrong(place(promql, at), &format!("unknown function with name \"{name}\"")),
                None => wrong((1, 1), words.trim_start_matches("parse error: ")),
            },
        },
    }
}

fn place(promql: &str, offset: usize) -> (usize, usize) {
    let before = promql.get(..offset).unwrap_or(promql);
    let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
    (before.matches('\n').count() + 1, column)
}

/// What is still open at the end of the text.
fn open_end(promql: &str) -> Option<&'static str> {
    let mut open = Vec::new();
    let (mut quote, mut is_escaped) = (None, false);
    for symbol in promql.chars() {
        if let Some(mark) = quote {
            if is_escaped {
                is_escaped = false;
            } else if symbol == '\\' && mark != '`' {
                is_escaped = true;
            } else if symbol == mark {
                quote = None;
            }
            continue;
        }
        match symbol {
            '"' | '\'' | '`' => quote = Some(symbol),
            '(' | '[' | '{' => open.push(symbol),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    match (quote, open.last()) {
        (Some('`'), _) => Some("unterminated raw string"),
        (Some(_), _) => Some("unterminated quoted string"),
        (None, Some('{')) => Some("unexpected end of input inside braces"),
        (None, Some('[')) => Some("unclosed left bracket"),
        (None, Some('(')) => Some("unclosed left parenthesis"),
        _ => None,
    }
}

/// Words that may stand before a parenthesis without being functions.
const KEYWORDS: &[&str] = &[
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "and",
    "or",
    "unless",
    "atan2",
    "offset",
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "count_values",
    "quantile",
];

/// The first word before a parenthesis that Prometheus 2.42 does not know, and where it stands.
fn unknown_function(promql: &str) -> Option<(usize, &str)> {
    for (at, _) in promql.match_indices('(') {
        let before = promql.get(..at)?.trim_end();
        let start =
            before.rfind(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_').map_or(0, |at| at + 1);
        let name = before.get(start..)?;
        let is_word = name.starts_with(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '_');
        let is_known = KEYWORDS.contains(&name.to_ascii_lowercase().as_str()) || super::functions::is_function(name);
        if is_word && !is_known {
            return Some((start, name));
        }
    }
    None
}

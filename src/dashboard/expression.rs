//! Whether a query is PromQL at all, and its shape: what it would still be if every value in it were another one.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, BinModifier, Expr, LabelModifier, VectorSelector};

/// Deeper nesting than anybody writes; the parser's tree is walked recursively.
const MAX_DEPTH: usize = 100;
/// More operators than anybody writes; a chain of them is a deep tree without a bracket.
const MAX_OPERATORS: usize = 500;
/// Longest query.
const MAX_BYTES: usize = 65_536;

/// Parses, or says why not. Also refuses what would break the parser or whoever walks its tree, whatever the text.
pub(crate) fn parse(promql: &str) -> Result<Expr, String> {
    sound(promql)?;
    parser::parse(promql)
}

/// Whether the text can be handed to the parser: it panics on spans without a unit, such as `[1e300]`.
fn sound(promql: &str) -> Result<(), String> {
    if promql.len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    let (mut depth, mut operators) = (0_usize, 0_usize);
    let code = without_strings(promql);
    for symbol in code.chars() {
        match symbol {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '+' | '-' | '*' | '/' | '%' | '^' | '<' | '>' | '=' | '!' => operators += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} brackets inside each other"));
        }
    }
    let words = code.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_' && symbol != ':');
    operators +=
        words.filter(|word| ["and", "or", "unless", "atan2"].contains(&word.to_ascii_lowercase().as_str())).count();
    if operators > MAX_OPERATORS {
        return Err(format!("more than {MAX_OPERATORS} operators"));
    }
    let inside = code.split('[').skip(1).filter_map(|rest| rest.split(']').next()).flat_map(|span| span.split(':'));
    let lower = code.to_ascii_lowercase();
    let behind_offset = lower.match_indices("offset").filter_map(|(at, word)| {
        let rest = lower.get(at + word.len()..)?.trim_start_matches([' ', '\t', '\n', '\r', '-', '+']);
        let end = rest.find(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '.').unwrap_or(rest.len());
        rest.get(..end).filter(|token| token.starts_with(|first: char| first.is_ascii_digit() || first == '.'))
    });
    for span in inside.chain(behind_offset) {
        let span = span.trim();
        let is_span = span.starts_with(|first: char| first.is_ascii_digit())
            && span.ends_with(|last: char| "smhdwy".contains(last.to_ascii_lowercase()));
        if !span.is_empty() && !is_span {
            return Err("missing unit character in duration".to_owned());
        }
    }
    Ok(())
}

/// The text with the inside of strings and comments blanked.
fn without_strings(promql: &str) -> String {
    let mut out = String::with_capacity(promql.len());
    let (mut quote, mut is_escaped, mut in_comment) = (None, false, false);
    for symbol in promql.chars() {
        match quote {
            _ if in_comment => {
                in_comment = symbol != '\n';
                out.push(' ');
            }
            Some(open) => {
                if is_escaped {
                    is_escaped = false;
                } else if symbol == '\\' && open != '`' {
                    is_escaped = true;
                } else if symbol == open {
                    quote = None;
                }
                out.push(' ');
            }
            None => {
                in_comment = symbol == '#';
                if matches!(symbol, '"' | '\'' | '`') {
                    quote = Some(symbol);
                }
                out.push(if quote.is_some() || in_comment { ' ' } else { symbol });
            }
        }
    }
    out
}

/// The tree with every string, number, span and name taken out, so that two queries that differ only in values are
/// equal and a value that brought syntax of its own is found out.
pub(super) fn shape(expr: &Expr) -> String {
    let mut out = String::new();
    walk(expr, &mut out);
    out
}

fn walk(expr: &Expr, out: &mut String) {
    match expr {
        Expr::Aggregate(aggregate) => {
            out.extend([aggregate.op.to_string(), grouping(aggregate.modifier.as_ref()), "(".to_owned()]);
            if let Some(param) = &aggregate.param {
                walk(param, out);
                out.push(',');
            }
            walk(&aggregate.expr, out);
            out.push(')');
        }
        Expr::Unary(unary) => {
            out.push_str("-(");
            walk(&unary.expr, out);
            out.push(')');
        }
        Expr::Binary(binary) => {
            out.push('(');
            walk(&binary.lhs, out);
            let modifier = binary.modifier.as_ref().map_or(String::new(), matching);
            out.extend([" ".to_owned(), binary.op.to_string(), modifier, " ".to_owned()]);
            walk(&binary.rhs, out);
            out.push(')');
        }
        Expr::Paren(paren) => {
            out.push('(');
            walk(&paren.expr, out);
            out.push(')');
        }
        Expr::Subquery(subquery) => {
            walk(&subquery.expr, out);
            let step = if subquery.step.is_some() { "[:s]" } else { "[:]" };
            let offset = if subquery.offset.is_some() { "offset" } else { "" };
            let at = if subquery.at.is_some() { "@" } else { "" };
            out.extend([step, offset, at]);
        }
        Expr::NumberLiteral(_) => out.push('N'),
        Expr::StringLiteral(_) => out.push('S'),
        Expr::VectorSelector(selector) => out.push_str(&selected(selector)),
        Expr::MatrixSelector(matrix) => {
            out.push_str(&selected(&matrix.vs));
            out.push_str("[]");
        }
        Expr::Call(call) => {
            out.push_str(call.func.name);
            out.push('(');
            for argument in &call.args.args {
                walk(argument, out);
                out.push(',');
            }
            out.push(')');
        }
        Expr::Extension(_) => out.push('X'),
    }
}

fn selected(selector: &VectorSelector) -> String {
    let matchers =
        |list: &[Matcher]| list.iter().map(|one| format!("{}{}", one.name, sign(&one.op))).collect::<Vec<_>>();
    format!(
        "{}{{{:?}|{:?}}}{}{}",
        if selector.name.is_some() { "M" } else { "" },
        matchers(&selector.matchers.matchers),
        selector.matchers.or_matchers.iter().map(|list| matchers(list)).collect::<Vec<_>>(),
        if selector.offset.is_some() { "offset" } else { "" },
        if selector.at.is_some() { "@" } else { "" },
    )
}

fn sign(op: &MatchOp) -> &'static str {
    match op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Re(_) => "=~",
        MatchOp::NotRe(_) => "!~",
    }
}

fn grouping(modifier: Option<&LabelModifier>) -> String {
    match modifier {
        None => String::new(),
        Some(LabelModifier::Include(labels)) => format!(" by {}", labels.labels.len()),
        Some(LabelModifier::Exclude(labels)) => format!(" without {}", labels.labels.len()),
    }
}

fn matching(modifier: &BinModifier) -> String {
    let side = std::mem::discriminant(&modifier.card);
    let carried = modifier.card.labels().map_or(0, |labels| labels.labels.len());
    format!("{side:?}{carried}{}{}", grouping(modifier.matching.as_ref()), modifier.return_bool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_change_the_shape_and_syntax_does() {
        let shape_of = |promql: &str| shape(&parse(promql).unwrap());
        let base = shape_of("sum by (a) (rate(x{b=\"1\"}[5m])) > 3");
        assert_eq!(shape_of("sum by (c) (rate(y{b=\"or up\"}[1h])) > 9"), base);
        for other in [
            "sum by (a) (rate(x{b=\"1\"}[5m])) > bool 3",
            "sum by (a) (rate(x{b=~\"1\"}[5m])) > 3",
            "sum by (a) (rate(x{b=\"1\",c=\"2\"}[5m])) > 3",
            "sum by (a) (rate(x{b=\"1\"}[5m])) > 3 or up",
            "sum (rate(x{b=\"1\"}[5m])) > 3",
            "sum by (a) (rate(x{b=\"1\"}[5m] offset 5m)) > 3",
        ] {
            assert_ne!(shape_of(other), base, "{other}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(parse(&format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000))).is_err());
        assert!(parse(&format!("1{}", "+1".repeat(5_000))).is_err());
        assert!(parse(&format!("a{}", " or a".repeat(5_000))).is_err());
    }

    #[test]
    fn what_would_break_the_parser_is_refused() {
        for broken in [
            "up[1e300]",
            "up[nan]",
            "up[inf]",
            "up[-1]",
            "up[5m:1e300]",
            "up offset 1e300",
            "up offset\t-1e300",
            "up OFFSET 99999999999999999999999",
            "up[0.5]",
        ] {
            assert!(parse(broken).is_err(), "{broken}");
        }
        for fine in [
            "up[5m]",
            "up[5m:]",
            "up[ 1h : 30s ]",
            "up[1h30m] offset 5m",
            "up offset -5m",
            "offset_total",
            "sum(x) by (offset)",
            "up{a=\"[1e300]\"}",
            "up{a='offset 1e300'}",
            "up # [1e300]",
            "node:x:rate[5m]",
            "up @ 1e9",
            "1e300 * up",
        ] {
            assert!(parse(fine).is_ok(), "{fine}: {:?}", parse(fine));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "[a-z0-9 \\[\\](){}:\"'`=~!.,@+*/^%-]{0,60}|\\PC{0,40}", head in "up|up\\[|rate\\(x\\[|up offset |up @ |") {
            drop(parse(&format!("{head}{text}")));
        }
    }
}

//! `cpu_usage > 90%`: CEL has no percentages, so each becomes a hidden variable whose number depends on the unit of what
//! it is compared with: 90 for percent, 0.9 for a ratio, *unknown* when nobody declared one.

use super::ExprError;
use super::limits::{Token, TokenKind, tokens};

/// A percentage in an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Percent {
    /// The hidden variable.
    pub hidden: String,
    /// 90 of `90%`.
    pub number: f64,
    /// What it is compared with.
    pub variable: Option<String>,
}

/// Names that CEL keeps for itself although it does nothing with them; `namespace` is the commonest variable there is.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Ends a name that CEL would not take.
const MARK: &str = "_kept__";

/// The name as CEL takes it.
pub(super) fn encoded(name: &str) -> String {
    if RESERVED.contains(&name) { format!("{name}{MARK}") } else { name.to_owned() }
}

/// The name as the document writes it.
pub(super) fn written(name: &str) -> &str {
    name.strip_suffix(MARK).unwrap_or(name)
}

const COMPARISONS: &[&str] = &["<", "<=", ">", ">=", "==", "!="];

/// Replaces each percentage, and marks names that CEL would not take. `x % 2` and `10%3` are left: there the sign is followed by an operand.
pub(super) fn rewrite(source: &str) -> Result<(String, Vec<Percent>), ExprError> {
    let tokens = tokens(source)?;
    let mut percents = Vec::new();
    let mut text = String::with_capacity(source.len());
    let mut copied = 0;
    for (index, token) in tokens.iter().enumerate() {
        let is_field =
            index.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == ".");
        if token.kind == TokenKind::Name && !is_field && RESERVED.contains(&token.text) {
            text.push_str(source.get(copied..token.at).unwrap_or_default());
            text.push_str(&encoded(token.text));
            copied = token.at + token.text.len();
            continue;
        }
        let Some(sign) = tokens.get(index + 1).filter(|next| next.text == "%" && token.kind == TokenKind::Number)
        else {
            continue;
        };
        let ends = tokens.get(index + 2).is_none_or(|after| {
            matches!(after.text, ")" | "," | "?" | ":" | "&&" | "||" | "]") || COMPARISONS.contains(&after.text)
        });
        if !ends {
            continue;
        }
        let number: f64 = token.text.parse().map_err(|_cause| ExprError {
            at: token.at,
            message: format!("'{}' is no number", token.text),
            fix: "write digits before the %".to_owned(),
        })?;
        let hidden = format!("percent_{}__", percents.len());
        text.push_str(source.get(copied..token.at).unwrap_or_default());
        text.push_str(&hidden);
        copied = sign.at + 1;
        percents.push(Percent { hidden, number, variable: compared_with(&tokens, index) });
    }
    text.push_str(source.get(copied..).unwrap_or_default());
    Ok((text, percents))
}

/// The variable on the other side of the comparison that the number at `index` is in.
fn compared_with(tokens: &[Token<'_>], index: usize) -> Option<String> {
    let before = tokens.get(..index).unwrap_or_default();
    if let Some((comparison, rest)) = before.split_last()
        && COMPARISONS.contains(&comparison.text)
    {
        let side = rest.iter().rev().take_while(|token| !matches!(token.text, "&&" | "||" | "?" | ":" | ","));
        return only_name(side);
    }
    let after = tokens.get(index + 2..).unwrap_or_default();
    match after.split_first() {
        Some((comparison, rest)) if COMPARISONS.contains(&comparison.text) => {
            only_name(rest.iter().take_while(|token| !matches!(token.text, "&&" | "||" | "?" | ":" | ",")))
        }
        _ => None,
    }
}

/// The one variable of a side; a side that names two has no unit of its own.
fn only_name<'t>(side: impl Iterator<Item = &'t Token<'t>>) -> Option<String> {
    let names: Vec<&str> = side
        .filter(|token| token.kind == TokenKind::Name && !matches!(token.text, "double" | "int" | "true" | "false"))
        .map(|token| token.text)
        .collect();
    match names.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

//! What is refused before the parser sees it, and the parser's complaints in plain words.
//!
//! A debug build of cel 0.15 aborts at 16 parentheses on a 2 MiB stack and a release build at a 20 000-term sum; no
//! condition of a runbook comes near the limits here.

use super::ExprError;

/// Longest expression, in bytes.
const MOST_BYTES: usize = 1_024;
/// Deepest nesting of brackets.
const DEEPEST: usize = 6;
/// Most operators, dots and commas.
const MOST_OPERATORS: usize = 32;
/// Most of `!`, `-`, `?` in one expression: each one nests without a bracket.
const MOST_PREFIXES: usize = 8;

/// A piece of an expression's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub at: usize,
    pub text: &'a str,
    pub kind: TokenKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Name,
    Number,
    Text,
    Symbol,
}

fn error(at: usize, message: impl Into<String>, fix: impl Into<String>) -> ExprError {
    ExprError { at, message: message.into(), fix: fix.into() }
}

/// Splits an expression into words, numbers, quoted texts and symbols of one or two characters.
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, ExprError> {
    let mut tokens = Vec::new();
    let mut letters = source.char_indices().peekable();
    while let Some((at, symbol)) = letters.next() {
        if symbol.is_whitespace() {
            continue;
        }
        let (end, kind) = match symbol {
            '"' | '\'' => {
                let mut end = None;
                while let Some((next, inner)) = letters.next() {
                    if inner == '\\' {
                        letters.next();
                    } else if inner == symbol {
                        end = Some(next + 1);
                        break;
                    }
                }
                let Some(end) = end else {
                    return Err(error(at, "a quote that does not close", "close it"));
                };
                (end, TokenKind::Text)
            }
            _ if symbol.is_alphabetic() || symbol == '_' => {
                let end = run(&mut letters, source.len(), |inner| inner.is_alphanumeric() || inner == '_');
                (end, TokenKind::Name)
            }
            _ if symbol.is_ascii_digit() => {
                let end = run(&mut letters, source.len(), |inner| inner.is_ascii_alphanumeric() || inner == '.');
                (end, TokenKind::Number)
            }
            _ => {
                let two = letters.peek().is_some_and(|(_, next)| {
                    matches!((symbol, next), ('&', '&') | ('|', '|') | ('=' | '!' | '<' | '>', '='))
                });
                if two {
                    letters.next();
                }
                (at + symbol.len_utf8() + usize::from(two), TokenKind::Symbol)
            }
        };
        tokens.push(Token { at, text: source.get(at..end).unwrap_or_default(), kind });
    }
    Ok(tokens)
}

fn run(
    letters: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    end: usize,
    goes_on: impl Fn(char) -> bool,
) -> usize {
    while letters.next_if(|(_, symbol)| goes_on(*symbol)).is_some() {}
    letters.peek().map_or(end, |(at, _)| *at)
}

/// Refuses what is too long, too deep, or written in another language.
pub(super) fn check(source: &str) -> Result<(), ExprError> {
    if source.len() > MOST_BYTES {
        return Err(error(0, format!("an expression of {} bytes", source.len()), format!("at most {MOST_BYTES}")));
    }
    if source.trim().is_empty() {
        return Err(error(0, "an empty expression", "leave the key out, or say what must be true"));
    }
    let tokens = tokens(source)?;
    let (mut depth, mut operators, mut prefixes) = (0_usize, 0_usize, 0_usize);
    let mut comparisons: Vec<usize> = vec![0];
    for (index, token) in tokens.iter().enumerate() {
        word_of_elsewhere(token)?;
        match token.text {
            "(" | "[" | "{" if token.kind == TokenKind::Symbol => {
                depth += 1;
                comparisons.push(0);
            }
            ")" | "]" | "}" if token.kind == TokenKind::Symbol => {
                depth = depth.saturating_sub(1);
                comparisons.pop();
            }
            "&&" | "||" | "," | "?" | ":" => {
                if let Some(last) = comparisons.last_mut() {
                    *last = 0;
                }
            }
            "<" | "<=" | ">" | ">=" | "==" | "!=" => {
                if let Some(last) = comparisons.last_mut() {
                    *last += 1;
                    if *last > 1 {
                        return Err(error(token.at, "comparisons in a row", "write a < x && x < b"));
                    }
                }
            }
            _ => {}
        }
        let after_operator = index
            .checked_sub(1)
            .and_then(|before| tokens.get(before))
            .is_none_or(|before| before.kind == TokenKind::Symbol && !matches!(before.text, ")" | "]" | "}"));
        if matches!(token.text, "!" | "?") || (token.text == "-" && after_operator) {
            prefixes += 1;
        }
        operators += usize::from(token.kind == TokenKind::Symbol && !matches!(token.text, "(" | ")"));
        if depth > DEEPEST {
            return Err(error(token.at, format!("brackets more than {DEEPEST} deep"), "make it several conditions"));
        }
    }
    if operators > MOST_OPERATORS || prefixes > MOST_PREFIXES {
        return Err(error(0, "an expression with too many parts", "make it several conditions"));
    }
    Ok(())
}

fn word_of_elsewhere(token: &Token<'_>) -> Result<(), ExprError> {
    let (wrong, right) = match (token.kind, token.text) {
        (TokenKind::Name, "and" | "AND") => ("and", "&&"),
        (TokenKind::Name, "or" | "OR") => ("or", "||"),
        (TokenKind::Name, "not" | "NOT") => ("not", "!"),
        (TokenKind::Name, "True" | "TRUE") => ("True", "true"),
        (TokenKind::Name, "False" | "FALSE") => ("False", "false"),
        (TokenKind::Name, "None" | "nil") => ("None", "null"),
        (TokenKind::Symbol, "=") => ("=", "=="),
        (TokenKind::Symbol, "&") => ("&", "&&"),
        (TokenKind::Symbol, "|") => ("|", "||"),
        (TokenKind::Symbol, "$") => ("$", "the bare name of a variable"),
        _ => return Ok(()),
    };
    Err(error(token.at, format!("'{wrong}' means nothing in a condition"), format!("CEL writes '{right}'")))
}

/// The parser's complaint in one sentence, placed in the text as written.
pub(super) fn explain(source: &str, errors: &cel::ParseErrors) -> ExprError {
    let first = errors.errors.first();
    let words = first.map_or_else(|| "no expression".to_owned(), |error| error.msg.clone());
    let words = words.lines().next().unwrap_or_default().to_owned();
    let column = first.map_or(1, |error| usize::try_from(error.pos.1).unwrap_or(1));
    let at = column.saturating_sub(1).min(source.len());
    error(at, format!("'{source}' is no expression: {words}"), "write it in CEL, such as cpu_usage > 90%")
}

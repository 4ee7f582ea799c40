//! Inside one word: its pieces, its text when nothing is expanded, and the parameters that stand safely in it.

use brush_parser::word::{self, Parameter, ParameterExpr, WordPiece, WordPieceWithSource};

use super::{DEEPEST, MOST_BYTES, nesting, options};

/// The parts of a raw word.
pub(crate) fn pieces(raw: &str) -> Option<Vec<WordPieceWithSource>> {
    // The word parser accepts `${` that never closes (brush#540).
    if raw.len() > MOST_BYTES || nesting(raw) > DEEPEST || raw.matches("${").count() > raw.matches('}').count() {
        return None;
    }
    word::parse(raw, &options()).ok()
}

/// The text of a raw word when nothing in it is expanded: no variable, substitution, glob, brace list or tilde.
pub(crate) fn literal(raw: &str) -> Option<String> {
    let mut text = String::new();
    for piece in pieces(raw)? {
        match piece.piece {
            WordPiece::Text(part) => {
                if part.contains(['*', '?', '[', '~']) || has_brace_list(&part) {
                    return None;
                }
                text.push_str(&part);
            }
            WordPiece::SingleQuotedText(part) => text.push_str(&part),
            WordPiece::EscapeSequence(part) => text.push_str(unescaped(&part, false)),
            WordPiece::DoubleQuotedSequence(inner) => {
                for piece in inner {
                    match piece.piece {
                        WordPiece::Text(part) => text.push_str(&part),
                        WordPiece::EscapeSequence(part) => text.push_str(unescaped(&part, true)),
                        _ => return None,
                    }
                }
            }
            _ => return None,
        }
    }
    Some(text)
}

/// What an escape stands for; inside double quotes a backslash stays before what needs none.
fn unescaped(escape: &str, in_double: bool) -> &str {
    let rest = escape.strip_prefix('\\').unwrap_or(escape);
    match rest {
        "\n" => "",
        "$" | "`" | "\"" | "\\" => rest,
        _ if in_double => escape,
        _ => rest,
    }
}

fn has_brace_list(text: &str) -> bool {
    text.split('{').skip(1).any(|part| {
        let inner = part.split('}').next().unwrap_or_default();
        part.contains('}') && (inner.contains(',') || inner.contains(".."))
    })
}

/// How often `${PREFIX…}` stands safely (as a plain parameter inside double quotes) in a raw word, the insides of `$(…)`
/// apart: those are words of their own.
pub(crate) fn quoted_parameters(raw: &str, prefix: &str) -> usize {
    let Some(pieces) = pieces(raw) else { return 0 };
    let is_ours = |piece: &WordPieceWithSource| {
        matches!(
            &piece.piece,
            WordPiece::ParameterExpansion(ParameterExpr::Parameter { parameter: Parameter::Named(name), indirect: false })
                if name.starts_with(prefix)
        )
    };
    let mut count = 0;
    for piece in &pieces {
        if let WordPiece::DoubleQuotedSequence(inner) = &piece.piece {
            count += inner.iter().filter(|piece| is_ours(piece)).count();
        }
    }
    count
}

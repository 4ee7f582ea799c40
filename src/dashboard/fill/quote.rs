//! Text as the inside of a PromQL string, as a regular expression, or as one token.

/// What may stand outside quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name,
    Number,
    Span,
}

/// Which of them `text` is, if it is one.
pub(super) fn token(text: &str) -> Option<Token> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.get(digits..)?;
    if digits == 0 {
        let starts_well = text.starts_with(|symbol: char| symbol.is_ascii_alphabetic() || "_:".contains(symbol));
        let goes_well = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':');
        return (starts_well && goes_well && text.len() <= 200).then_some(Token::Name);
    }
    match rest {
        _ if digits > 9 => None,
        "" => Some(Token::Number),
        "ms" | "s" | "m" | "h" | "d" | "w" | "y" => Some(Token::Span),
        _ => {
            let decimals = rest.strip_prefix('.')?;
            let fits = (1..=9).contains(&decimals.len()) && decimals.bytes().all(|byte| byte.is_ascii_digit());
            fits.then_some(Token::Number)
        }
    }
}

/// `text` as the inside of a PromQL string between `quote`s.
pub(super) fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if symbol == quote => {
                out.push('\\');
                out.push(symbol);
            }
            _ if symbol.is_control() => out.extend(["\\u".to_owned(), format!("{:04x}", u32::from(symbol))]),
            _ => out.push(symbol),
        }
    }
    out
}

/// `text` as a regular expression that matches it alone; the same characters that Go's `regexp.QuoteMeta` escapes.
pub(super) fn quote_regex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        if r"\.+*?()|[]{}^$".contains(symbol) {
            out.push('\\');
        }
        out.push(symbol);
    }
    out
}

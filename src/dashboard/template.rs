//! Cuts PromQL into what the author wrote, its string literals and its placeholders.

/// A piece of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As written.
    Verbatim(&'a str),
    /// A quote opens or closes.
    Quote(char),
    /// `$name`, `${name}`, `${name:format}`, and where it stands.
    Placeholder {
        /// The name.
        name: &'a str,
        /// The format, when one is given.
        format: Option<&'a str>,
        /// Where.
        place: Place,
    },
}

/// Where a placeholder stands; decides how its value is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside every string: a metric name, a number, a range.
    Code,
    /// In a string that is compared as it is, or is a function's argument.
    Text,
    /// In a string behind `=~` or `!~`.
    Regex,
}

/// Cuts `promql`. An unclosed string is not complained about here: the parser does that.
pub(super) fn cut(promql: &str) -> Vec<Piece<'_>> {
    let mut cutter = Cutter { text: promql, at: 0, from: 0, place: Place::Code, quote: None, pieces: Vec::new() };
    cutter.run();
    cutter.pieces
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    from: usize,
    place: Place,
    quote: Option<char>,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn flush(&mut self) {
        if let Some(verbatim) = self.text.get(self.from..self.at).filter(|piece| !piece.is_empty()) {
            self.pieces.push(Piece::Verbatim(verbatim));
        }
    }

    fn run(&mut self) {
        while let Some(symbol) = self.rest().chars().next() {
            match (symbol, self.quote) {
                ('\\', Some('"' | '\'')) => {
                    self.at += 1;
                    self.at += self.rest().chars().next().map_or(0, char::len_utf8);
                }
                ('"' | '\'' | '`', None) => self.turn(symbol, Some(symbol)),
                (_, Some(quote)) if symbol == quote => self.turn(symbol, None),
                ('#', None) => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                ('$', _) => self.dollar(),
                _ => self.at += symbol.len_utf8(),
            }
        }
        self.flush();
    }

    /// A quote opens or closes.
    fn turn(&mut self, symbol: char, quote: Option<char>) {
        self.flush();
        let before = self.text.get(..self.at).unwrap_or("").trim_end();
        self.place = match quote {
            None => Place::Code,
            Some(_) if before.ends_with("=~") || before.ends_with("!~") => Place::Regex,
            Some(_) => Place::Text,
        };
        self.pieces.push(Piece::Quote(symbol));
        self.quote = quote;
        self.at += symbol.len_utf8();
        self.from = self.at;
    }

    fn dollar(&mut self) {
        let rest = self.rest();
        let Some((length, name, format)) = placeholder(rest) else {
            self.at += 1;
            return;
        };
        self.flush();
        self.pieces.push(Piece::Placeholder { name, format, place: self.place });
        self.at += length;
        self.from = self.at;
    }
}

/// The placeholder at the beginning of `text`: how long it is, its name, its format. `$1` is none: that is a group of
/// `label_replace`.
pub(super) fn placeholder(text: &str) -> Option<(usize, &str, Option<&str>)> {
    let after = text.strip_prefix('$')?;
    if let Some(inside) = after.strip_prefix('{') {
        let inside = inside.get(..inside.find('}')?)?;
        let (name, format) = match inside.split_once(':') {
            Some((name, format)) => (name, Some(format)),
            None => (inside, None),
        };
        return (name_length(name) == name.len() && !name.is_empty()).then_some((inside.len() + 3, name, format));
    }
    let length = name_length(after);
    (length > 0).then_some((length + 1, after.get(..length)?, None))
}

fn name_length(text: &str) -> usize {
    let starts_well = text.starts_with(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '_');
    let end = text.find(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_').unwrap_or(text.len());
    if starts_well { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(promql: &str) -> Vec<(&str, Option<&str>, Place)> {
        cut(promql)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Placeholder { name, format, place } => Some((name, format, place)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn finds_placeholders_and_where_they_stand() {
        for (promql, expected) in [
            ("up", vec![]),
            ("up{job=\"$job\"}", vec![("job", None, Place::Text)]),
            (
                "up{job=~\"$job-.*\",a!~ '${b:regex}'}",
                vec![("job", None, Place::Regex), ("b", Some("regex"), Place::Regex)],
            ),
            (
                "rate($metric[$__rate_interval])",
                vec![("metric", None, Place::Code), ("__rate_interval", None, Place::Code)],
            ),
            ("label_replace(up, \"a\", \"$1-$x\", \"b\", \"(.*)$\")", vec![("x", None, Place::Text)]),
            ("up{a=\"\\\"$b\", c='\"'} + $d", vec![("b", None, Place::Text), ("d", None, Place::Code)]),
            ("up{a=`\\$b`} # $c\n+ $d", vec![("b", None, Place::Text), ("d", None, Place::Code)]),
            ("up{a=\"${1}\",b=\"${}\",c=\"{{x}}\",d=\"${open\"}", vec![]),
        ] {
            assert_eq!(found(promql), expected, "{promql}");
        }
    }

    #[test]
    fn pieces_put_together_are_the_query() {
        let promql = "sum by(a)(rate(x{a=~\"é$b\\\\\"}[5m])) # $c";
        let whole: String = cut(promql)
            .into_iter()
            .map(|piece| match piece {
                Piece::Verbatim(text) => text.to_owned(),
                Piece::Quote(quote) => quote.to_string(),
                Piece::Placeholder { name, .. } => format!("${name}"),
            })
            .collect();
        assert_eq!(whole, promql);
    }
}

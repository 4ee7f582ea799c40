//! Byte offset → line and column.

/// 1-based line and column (in characters) of a byte offset; one past the end is the last place.
pub(in crate::config) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let (mut line, mut column) = (1, 1);
    for (at, symbol) in text.char_indices() {
        if at >= offset {
            break;
        }
        if symbol == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::line_column;

    #[test]
    fn counts_lines_and_characters_from_one() {
        for (text, offset, place) in
            [("", 0, (1, 1)), ("abc", 1, (1, 2)), ("a\nbc", 2, (2, 1)), ("é=1\nx", 2, (1, 2)), ("a\n", 9, (2, 1))]
        {
            assert_eq!(line_column(text, offset), place, "{text:?} at {offset}");
        }
    }
}

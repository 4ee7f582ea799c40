//! Finding the gate's marks in clean text again, so that they can be drawn dim.

/// The next part of `text`: the part, what follows, and whether the part is a mark. `None` at the end.
pub(super) fn next(text: &str) -> Option<(&str, &str, bool)> {
    if text.is_empty() {
        return None;
    }
    let cut = |at: usize, is_mark: bool| {
        let (piece, after) = text.split_at_checked(at).unwrap_or((text, ""));
        Some((piece, after, is_mark))
    };
    if let Some(length) = mark_length(text) {
        return cut(length, true);
    }
    let candidates = text.char_indices().skip(1).filter(|(_, symbol)| matches!(symbol, '‹' | '⏎' | '⇥'));
    let next_mark = candidates.map(|(at, _)| at).find(|at| text.get(*at..).and_then(mark_length).is_some());
    cut(next_mark.unwrap_or(text.len()), false)
}

/// Bytes of the mark that `text` begins with.
fn mark_length(text: &str) -> Option<usize> {
    if text.starts_with(['⏎', '⇥']) {
        return Some('⏎'.len_utf8());
    }
    let inside = text.strip_prefix('‹')?;
    // The longest mark there is: a code point and a count.
    let end = inside.char_indices().take(40).find(|(_, symbol)| *symbol == '›')?.0;
    let inner = inside.get(..end)?;
    let is_code = inner.strip_prefix("U+").is_some_and(|code| {
        let (code, count) = code.split_once(" ×").unwrap_or((code, "2"));
        (4..=6).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_hexdigit())
            && count.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_cut = inner == "+" || inner.strip_prefix('+').is_some_and(|rest| rest.ends_with(" bytes"));
    (is_code || is_cut).then_some('‹'.len_utf8() + end + '›'.len_utf8())
}

//! Which code points may reach a terminal as they are. Tables after Unicode 16: `Default_Ignorable_Code_Point`,
//! `Bidi_Control`, `Private_Use`, noncharacters.

use unicode_width::UnicodeWidthChar;

/// Code points that draw nothing, change what others draw, or mean something else on every machine. Sorted.
const HIDDEN: &[(u32, u32)] = &[
    (0x0000, 0x001f),     // C0
    (0x007f, 0x009f),     // DEL, C1
    (0x00ad, 0x00ad),     // soft hyphen
    (0x034f, 0x034f),     // combining grapheme joiner
    (0x061c, 0x061c),     // Arabic letter mark
    (0x115f, 0x1160),     // Hangul fillers
    (0x17b4, 0x17b5),     // Khmer inherent vowels
    (0x180b, 0x180f),     // Mongolian selectors and separator
    (0x200b, 0x200f),     // zero width space to right-to-left mark
    (0x2028, 0x202e),     // line and paragraph separator, bidi embeddings and overrides
    (0x2060, 0x206f),     // word joiner, invisible operators, bidi isolates
    (0x2800, 0x2800),     // blank braille pattern: looks like a space
    (0x3164, 0x3164),     // Hangul filler
    (0xe000, 0xf8ff),     // private use
    (0xfdd0, 0xfdef),     // noncharacters
    (0xfe00, 0xfe0f),     // variation selectors
    (0xfeff, 0xfeff),     // byte order mark
    (0xffa0, 0xffa0),     // halfwidth Hangul filler
    (0xfff0, 0xfffb),     // unassigned ignorables, interlinear annotation
    (0xfffe, 0xffff),     // noncharacters
    (0x1bca0, 0x1bca3),   // shorthand format controls
    (0x1d173, 0x1d17a),   // musical beams and slurs
    (0xe0000, 0xe0fff),   // tags, variation selectors
    (0xf0000, 0x10_ffff), // private use planes
];

/// True for what must be shown as a mark.
pub(super) fn is_hidden(symbol: char) -> bool {
    let code = u32::from(symbol);
    let is_before = |&(_, last): &(u32, u32)| last < code;
    let at = HIDDEN.partition_point(is_before);
    HIDDEN.get(at).is_some_and(|&(first, _)| first <= code) || code & 0xfffe == 0xfffe
}

/// True for what takes no cell of its own.
pub(super) fn is_zero_width(symbol: char) -> bool {
    symbol.width().unwrap_or(0) == 0
}

/// True for symbols that a zero width joiner or an emoji selector may follow. A little wider than the standard's
/// `Extended_Pictographic`; nothing in it is a letter.
pub(super) fn is_pictograph(symbol: char) -> bool {
    matches!(u32::from(symbol),
        0xa9 | 0xae | 0x203c | 0x2049 | 0x2122 | 0x2139 | 0x2194..=0x21aa | 0x231a..=0x23ff | 0x24c2
        | 0x25aa..=0x25fe | 0x2600..=0x27bf | 0x2934..=0x2935 | 0x2b05..=0x2b55 | 0x3030 | 0x303d | 0x3297 | 0x3299
        | 0x1f000..=0x1f1e5 | 0x1f200..=0x1faff)
}

/// True for the skin tones, which stand between a person and a joiner.
pub(super) fn is_skin_tone(symbol: char) -> bool {
    matches!(u32::from(symbol), 0x1f3fb..=0x1f3ff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_apart() {
        assert!(HIDDEN.windows(2).all(|pair| pair[0].1 < pair[1].0), "binary search needs it");
    }

    #[test]
    fn what_is_hidden_and_what_is_read() {
        for code in [
            0x00, 0x1b, 0x7f, 0x9b, 0xad, 0x200b, 0x200d, 0x202e, 0x2028, 0x2066, 0xfe0f, 0xfeff, 0xfff9, 0xe000,
            0xe0041, 0x1fffe, 0x10_ffff,
        ] {
            assert!(is_hidden(char::from_u32(code).expect("a code point")), "U+{code:04X}");
        }
        for symbol in "aÄשلक漢é€🏽👩‹›⏎⇥\u{a0}\u{301}\u{fffd}".chars() {
            assert!(!is_hidden(symbol), "{symbol:?}");
        }
    }
}

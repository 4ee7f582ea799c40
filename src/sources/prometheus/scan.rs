//! The hot part of a matrix by hand: `[[seconds,"value"],…]` as Prometheus writes it, straight onto the grid.
//!
//! A general JSON reader spends most of its time on what never varies here. The arrays are read by this scanner and cut
//! out of the text; what is left, some bytes a series, goes through the ordinary reader. Anything that is not written
//! the usual way stays in the text for that reader, so this can only be faster, never stricter.

use crate::domain::series::{Range, gap};

/// Where the arrays stood, and what they held.
pub(super) struct Cut {
    /// The text with each array that was read replaced by its number.
    pub(super) skeleton: Vec<u8>,
    /// The columns by that number.
    pub(super) columns: Vec<Column>,
}

/// One value for every point of the grid, and how many points were off it.
pub(super) type Column = (Vec<f64>, usize);

/// No unescaped quote can stand inside a string, so this sequence is always a key with a list.
const KEY: &[u8] = b"\"values\":[[";

/// Reads every array of points that is written the usual way.
pub(super) fn cut(body: &[u8], range: Range) -> Cut {
    let grid = Grid::of(range);
    let mut cut = Cut { skeleton: Vec::with_capacity(4096), columns: Vec::new() };
    let mut rest = body;
    while let Some(at) = find(rest, KEY) {
        let (before, list) = rest.split_at(at + KEY.len() - 2);
        cut.skeleton.extend_from_slice(before);
        rest = match grid.read(list) {
            Some((column, left)) => {
                cut.skeleton.extend_from_slice(cut.columns.len().to_string().as_bytes());
                cut.columns.push(column);
                left
            }
            None => list,
        };
    }
    cut.skeleton.extend_from_slice(rest);
    cut
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    // The arrays are long and are skipped whole, so only their few surroundings are searched.
    text.windows(wanted.len()).position(|window| window == wanted)
}

struct Grid {
    start_ms: i64,
    step_ms: i64,
    points: usize,
}

/// What a number in the text is.
struct Decimal {
    /// Its digits without the point; saturates.
    digits: u64,
    /// How many digits there were after the point.
    scale: usize,
    /// Its digits were too many to be exact.
    is_long: bool,
}

/// Powers of ten that a float holds exactly: with a mantissa below 2^53 the quotient is the nearest float (Clinger).
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl Grid {
    fn of(range: Range) -> Self {
        Self { start_ms: range.start.timestamp_millis(), step_ms: range.step_ms.max(1), points: range.points() }
    }

    /// A list of pairs from its `[` on; the text behind it. `None` when anything is written in another way.
    fn read<'t>(&self, list: &'t [u8]) -> Option<(Column, &'t [u8])> {
        let mut values = vec![gap(); self.points];
        let (mut off_grid, mut expected_ms, mut expected_slot) = (0, i64::MIN, 0);
        let mut rest = list.strip_prefix(b"[")?;
        loop {
            let (at_ms, after) = milliseconds(rest.strip_prefix(b"[")?)?;
            let (value, after) = quoted(after.strip_prefix(b",\"")?)?;
            // Points mostly follow each other: the division is for the first one and for those after a gap.
            let slot = if at_ms == expected_ms { Some(expected_slot) } else { self.slot(at_ms) };
            match slot.and_then(|slot| values.get_mut(slot).map(|place| (slot, place))) {
                Some((slot, place)) => {
                    *place = value;
                    (expected_ms, expected_slot) = (at_ms + self.step_ms, slot + 1);
                }
                None => off_grid += 1,
            }
            rest = match after.strip_prefix(b"]")? {
                [b',', more @ ..] => more,
                [b']', more @ ..] => return Some(((values, off_grid), more)),
                _ => return None,
            };
        }
    }

    fn slot(&self, at_ms: i64) -> Option<usize> {
        let from_start = at_ms - self.start_ms + self.step_ms / 2;
        usize::try_from(from_start.div_euclid(self.step_ms)).ok()
    }
}

/// `1795469970` or `1795469970.123` as milliseconds.
fn milliseconds(text: &[u8]) -> Option<(i64, &[u8])> {
    let (decimal, rest) = decimal(text)?;
    if decimal.is_long || decimal.scale > 3 {
        return None;
    }
    let scale = [1_000, 100, 10, 1].get(decimal.scale)?;
    Some((i64::try_from(decimal.digits).ok()?.checked_mul(*scale)?, rest))
}

/// A value up to its closing quote, and the text behind that.
fn quoted(text: &[u8]) -> Option<(f64, &[u8])> {
    let (sign, unsigned) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        _ => (1.0, text),
    };
    if let Some((decimal, [b'"', rest @ ..])) = decimal(unsigned)
        && !decimal.is_long
        && decimal.digits < 1 << 53
        && let Some(power) = POWERS.get(decimal.scale)
    {
        return Some((sign * (decimal.digits as f64 / power), rest));
    }
    let end = text.iter().take(64).position(|byte| *byte == b'"')?;
    let (value, rest) = text.split_at(end);
    let value = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some((value, rest.get(1..)?))
}

fn decimal(text: &[u8]) -> Option<(Decimal, &[u8])> {
    let mut digits = 0_u64;
    let mut seen = 0_usize;
    let mut point = None;
    let mut length = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            seen += 1;
        } else if byte == b'.' && point.is_none() {
            point = Some(seen);
        } else {
            break;
        }
        length += 1;
    }
    // A point needs digits on both sides: `1.` and `.5` are no JSON, and the slow way decides about them.
    let is_number = seen > 0 && point.is_none_or(|before| before > 0 && before < seen);
    let decimal = Decimal { digits, scale: point.map_or(0, |before| seen - before), is_long: seen > 18 };
    is_number.then(|| (decimal, text.get(length..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::series::is_gap;
    use crate::domain::time::Timestamp;

    fn range() -> Range {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        Range { start: at(100), end: at(130), step_ms: 10_000 }
    }

    #[test]
    fn usual_lists_are_cut_out_and_others_stay() {
        let text = br#"{"a":{"values":[[100,"1.5"],[119.999,"-2"]]},"b":{"values":[[100, "1"]]},"values":[]}"#;
        let cut = cut(text, range());
        assert_eq!(
            String::from_utf8(cut.skeleton).unwrap(),
            r#"{"a":{"values":0},"b":{"values":[[100, "1"]]},"values":[]}"#
        );
        let (column, off_grid) = &cut.columns[0];
        assert_eq!((column[0], column[2], *off_grid), (1.5, -2.0, 0));
        assert!(is_gap(column[1]) && is_gap(column[3]));
    }

    #[test]
    fn broken_lists_stay_for_the_ordinary_reader() {
        for list in [
            "[[100,\"1\"",
            "[[100,\"1\"],",
            "[[x,\"1\"]]",
            "[[100,1]]",
            "[[1.,\"1\"]]",
            "[[100,\"1\"]}",
            "[[100,\"x\"]]",
        ] {
            let text = format!("{{\"values\":{list}");
            assert!(cut(text.as_bytes(), range()).columns.is_empty(), "{list}");
        }
    }

    proptest! {
        #[test]
        fn every_float_is_the_nearest_one(value in proptest::num::f64::ANY, short in -1_000_000_i64..1_000_000, scale in 0_usize..6) {
            let short = format!("{:.scale$}", short as f64 / 997.0);
            for text in [format!("{value}"), format!("{value:e}"), short] {
                let quoted_text = format!("{text}\"");
                let wanted: f64 = text.parse().unwrap();
                let (got, rest) = quoted(quoted_text.as_bytes()).unwrap_or((wanted, b""));
                prop_assert!(rest.is_empty());
                prop_assert!(got == wanted || (got.is_nan() && wanted.is_nan()), "{text}: {got}");
            }
        }
    }
}

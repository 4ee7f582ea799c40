//! Cuts a JSON list into its elements while it comes in, so that a 32 MB answer never stands in memory as a whole.

/// What cutting a list came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The list was closed.
    Complete,
    /// It broke off.
    Cut,
    /// It never was a list.
    NotAList,
}

/// The cutter: bytes in, whole elements out.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    element: Vec<u8>,
    depth: usize,
    is_open: bool,
    is_closed: bool,
    is_refused: bool,
    in_string: bool,
    is_escaped: bool,
}

impl Splitter {
    /// Takes a piece; `each` gets every element that is whole now. Elements are not checked: that is the parser's work.
    pub(super) fn push(&mut self, piece: &[u8], mut each: impl FnMut(&[u8])) {
        let mut rest = piece;
        while let Some((&byte, after)) = rest.split_first() {
            if self.is_refused || self.is_closed {
                return;
            }
            if self.in_string && !self.is_escaped {
                // Most bytes stand in strings, and most of those mean nothing here: they go over in one piece.
                let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
                let (text, left) = rest.split_at(plain);
                self.element.extend_from_slice(text);
                rest = left;
                if let Some((&mark, after)) = rest.split_first() {
                    self.element.push(mark);
                    self.is_escaped = mark == b'\\';
                    self.in_string = self.is_escaped;
                    rest = after;
                }
                continue;
            }
            rest = after;
            if self.is_open {
                self.take(byte, &mut each);
            } else {
                self.open(byte);
            }
        }
    }

    /// How it ended.
    pub(super) fn outcome(&self) -> Outcome {
        match (self.is_open, self.is_closed) {
            (_, true) => Outcome::Complete,
            (true, false) => Outcome::Cut,
            (false, false) => Outcome::NotAList,
        }
    }

    fn open(&mut self, byte: u8) {
        match byte {
            b'[' => self.is_open = true,
            // Space, and the byte order mark that some proxies put in front.
            b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf => {}
            _ => self.is_refused = true,
        }
    }

    fn take(&mut self, byte: u8, each: &mut impl FnMut(&[u8])) {
        if self.is_escaped {
            self.element.push(byte);
            self.is_escaped = false;
            return;
        }
        match byte {
            b',' if self.depth == 0 => self.finish(each),
            b']' if self.depth == 0 => {
                self.finish(each);
                self.is_closed = true;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.element.push(byte);
            }
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(&[u8])) {
        if !self.element.is_empty() {
            each(&self.element);
            self.element.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, piece: usize) -> (Vec<String>, Outcome) {
        let mut splitter = Splitter::default();
        let mut elements = Vec::new();
        for chunk in text.as_bytes().chunks(piece.max(1)) {
            splitter.push(chunk, |element| elements.push(String::from_utf8_lossy(element).into_owned()));
        }
        (elements, splitter.outcome())
    }

    #[test]
    fn elements_come_whole_whatever_the_pieces() {
        let text = r#" [ {"a": "],[\"}" , "b":[1, {"c":2}]}, 7, null ] "#;
        for piece in 1..text.len() {
            let (elements, outcome) = cut(text, piece);
            assert_eq!(elements, [r#"{"a":"],[\"}","b":[1,{"c":2}]}"#, "7", "null"], "pieces of {piece}");
            assert_eq!(outcome, Outcome::Complete);
        }
    }

    #[test]
    fn what_is_no_list_or_breaks_off_is_told_apart() {
        let table = [
            ("[]", 0, Outcome::Complete),
            ("[{}", 0, Outcome::Cut),
            ("[{},", 1, Outcome::Cut),
            ("", 0, Outcome::NotAList),
            ("<html>", 0, Outcome::NotAList),
            ("{\"error\":1}", 0, Outcome::NotAList),
        ];
        for (text, count, outcome) in table {
            assert_eq!((cut(text, 3).0.len(), cut(text, 3).1), (count, outcome), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_list_is_cut_as_serde_reads_it(values in proptest::collection::vec(
            prop_oneof![any::<i32>().prop_map(serde_json::Value::from), ".{0,12}".prop_map(serde_json::Value::from),
                proptest::collection::vec(".{0,6}", 0..3).prop_map(serde_json::Value::from)], 0..12), piece in 1_usize..9) {
            let text = serde_json::Value::from(values.clone()).to_string();
            let (elements, outcome) = cut(&text, piece);
            let read: Vec<serde_json::Value> = elements.iter().map(|one| serde_json::from_str(one).unwrap()).collect();
            prop_assert_eq!(read, values);
            prop_assert_eq!(outcome, Outcome::Complete);
        }
    }
}

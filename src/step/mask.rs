//! Secrets out of a stream, before anything of it is stored or shown, however the bytes are cut.
//!
//! What could still become a secret is held back until the next bytes decide; no more than that, so a prompt is shown at
//! once. Known shapes of each secret: as it is, its lines, as JSON writes it, base64 and base64url (alone and anywhere
//! inside a longer text, broken at 64 and 76 columns), percent-encoded in the usual dialects, hex.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use regex::bytes::{Regex, RegexBuilder};
use secrecy::ExposeSecret as _;

use super::spec::{Secret, hex};
use crate::text::redact::MASK;

/// Shorter secrets are refused: masking "ab" would hide half the output and tell the secret by its gaps.
pub const LEAST_BYTES: usize = 4;

/// Shortest encoded form that is looked for; a shorter one is a common word.
const LEAST_ENCODED: usize = 6;

/// A secret that cannot be masked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret {name} is shorter than {LEAST_BYTES} bytes and cannot be masked; use a longer one")]
pub struct TooShort {
    /// Its name.
    pub name: String,
}

/// What is looked for; shared by all streams of a step.
#[derive(Clone)]
pub struct Shapes {
    finder: Option<Regex>,
    forms: Vec<Vec<u8>>,
    longest: usize,
    /// Which bytes a shape begins with: rules out nearly every place at once.
    begins: [bool; 256],
}

impl std::fmt::Debug for Shapes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Shapes({})", self.forms.len())
    }
}

impl Shapes {
    /// The shapes of these secrets.
    ///
    /// # Errors
    /// When one is too short to be masked.
    pub fn of(secrets: &[Secret]) -> Result<Self, TooShort> {
        let mut shapes = BTreeSet::new();
        for secret in secrets {
            let value = secret.value.expose_secret().as_bytes();
            if value.len() < LEAST_BYTES {
                return Err(TooShort { name: secret.name.clone() });
            }
            for form in forms(value) {
                shapes.insert(form);
            }
        }
        let mut shapes: Vec<_> = shapes.into_iter().collect();
        // Where several begin at one place the longest must win, or the rest of it would stay.
        shapes.sort_by_key(|shape| std::cmp::Reverse(shape.len()));
        let mut begins = [false; 256];
        for shape in &shapes {
            if let Some(first) = shape.first().and_then(|byte| begins.get_mut(usize::from(*byte))) {
                *first = true;
            }
        }
        let finder = finder(&shapes);
        Ok(Self { finder, longest: shapes.first().map_or(0, Vec::len), forms: shapes, begins })
    }

    /// The text without them: for what is not a stream.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut mask = Mask::new(self.clone());
        let mut out = Vec::new();
        mask.push(text.as_bytes(), &mut out);
        mask.finish(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Where the part begins that could still become a shape.
    fn pending(&self, window: &[u8]) -> usize {
        let from = window.len().saturating_sub(self.longest.saturating_sub(1));
        let is_begun = |rest: &[u8]| self.forms.iter().any(|shape| shape.len() > rest.len() && shape.starts_with(rest));
        for at in from..window.len() {
            let Some(rest) = window.get(at..) else { break };
            let may = rest.first().is_some_and(|byte| self.begins.get(usize::from(*byte)).copied().unwrap_or(true));
            if may && is_begun(rest) {
                return at;
            }
        }
        window.len()
    }
}

/// Takes secrets out of one stream.
#[derive(Debug)]
pub struct Mask {
    shapes: Shapes,
    /// Bytes that are not decided yet.
    window: Vec<u8>,
    /// How many of them belong to a secret that was masked already.
    covered: usize,
}

impl Mask {
    /// For one stream.
    #[must_use]
    pub fn new(shapes: Shapes) -> Self {
        Self { shapes, window: Vec::new(), covered: 0 }
    }

    /// True when there is no secret to look for: bytes may go past it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.shapes.finder.is_none()
    }

    /// Takes in the next bytes and appends what is decided to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.shapes.finder.is_none() {
            out.extend_from_slice(bytes);
            return;
        }
        self.window.extend_from_slice(bytes);
        let hold = self.shapes.pending(&self.window);
        self.decide(hold, out);
    }

    /// The end of the stream: what was held back is decided.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let hold = self.window.len();
        self.decide(hold, out);
    }

    /// Everything before `hold` is told; a secret that reaches behind it stays in the window, already masked.
    fn decide(&mut self, hold: usize, out: &mut Vec<u8>) {
        let Some(finder) = &self.shapes.finder else { return };
        let mut told = self.covered;
        let mut from = 0;
        while let Some(found) = finder.find_at(&self.window, from).filter(|found| found.start() < hold) {
            if found.start() >= told {
                out.extend_from_slice(self.window.get(told..found.start()).unwrap_or_default());
                out.extend_from_slice(MASK.as_bytes());
            }
            // Two secrets may overlap: the second one's tail goes under the same mask.
            told = told.max(found.end());
            from = found.start() + 1;
        }
        if told < hold {
            out.extend_from_slice(self.window.get(told..hold).unwrap_or_default());
            told = hold;
        }
        self.window.drain(..hold);
        self.covered = told - hold;
    }
}

fn finder(shapes: &[Vec<u8>]) -> Option<Regex> {
    if shapes.is_empty() {
        return None;
    }
    let mut pattern = String::from("(?-u)");
    for (at, shape) in shapes.iter().enumerate() {
        if at > 0 {
            pattern.push('|');
        }
        for byte in shape {
            let _ = write!(pattern, "\\x{byte:02x}");
        }
    }
    // A hundred secrets of 4 KiB fit; literals need no more than a few times their length.
    RegexBuilder::new(&pattern).unicode(false).size_limit(256 << 20).build().ok()
}

/// All ways in which a secret is written.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec()];
    let mut encoded: Vec<Vec<u8>> = Vec::new();
    for line in value.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        // A key of many lines: each of them is secret, but not "-----BEGIN".
        if line.len() >= 8 && !line.starts_with(b"-----") {
            forms.push(line.to_vec());
        }
    }
    if let Ok(text) = std::str::from_utf8(value) {
        let quoted = serde_json::Value::from(text).to_string();
        encoded.push(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().as_bytes().to_vec());
    }
    for url_safe in [false, true] {
        encoded.extend(base64_forms(value, url_safe));
    }
    for kept in [&b"-_.~"[..], b"-_.!~*'()", b"*-._", b""] {
        for upper in [true, false] {
            encoded.push(percent(value, kept, upper, false));
            encoded.push(percent(value, kept, upper, true));
        }
    }
    // Every byte as %XX, letters too.
    encoded.push(value.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect());
    encoded.push(hex(value).into_bytes());
    encoded.push(hex(value).to_uppercase().into_bytes());
    forms.extend(encoded.into_iter().filter(|form| form.len() >= LEAST_ENCODED));
    forms
}

/// Whole, and as it stands inside a longer encoded text: there it begins at one of three places in a group of four
/// letters, and letters that carry bits of a neighbour differ from text to text.
fn base64_forms(value: &[u8], url_safe: bool) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    let whole = base64(value, url_safe);
    let bare: Vec<u8> = whole.iter().copied().filter(|byte| *byte != b'=').collect();
    for columns in [64, 76] {
        if bare.len() > columns {
            forms.extend(whole.chunks(columns).map(<[u8]>::to_vec));
        }
    }
    forms.push(whole);
    forms.push(bare);
    for lead in 0..3_usize {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(value);
        let text = base64(&padded, url_safe);
        // Letters whose six bits all belong to the value.
        let first = (lead * 8).div_ceil(6);
        let last = (lead + value.len()) * 8 / 6;
        forms.extend(text.get(first..last).map(<[u8]>::to_vec));
    }
    forms
}

fn base64(bytes: &[u8], url_safe: bool) -> Vec<u8> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |bits: u32| match bits & 63 {
        62 if url_safe => b'-',
        62 => b'+',
        63 if url_safe => b'_',
        63 => b'/',
        bits => LETTERS.get(bits as usize).copied().unwrap_or(b'A'),
    };
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.push(letter(bits >> 18));
        text.push(letter(bits >> 12));
        text.push(if group.len() > 1 { letter(bits >> 6) } else { b'=' });
        text.push(if group.len() > 2 { letter(bits) } else { b'=' });
    }
    text
}

fn percent(value: &[u8], kept: &[u8], upper: bool, plus: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len() * 3);
    for byte in value {
        match byte {
            b' ' if plus => text.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || kept.contains(byte) => text.push(*byte),
            byte if upper => text.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            byte => text.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    fn shapes(values: &[&str]) -> Shapes {
        let secrets: Vec<_> = values
            .iter()
            .map(|value| Secret { name: "S".to_owned(), value: SecretString::from((*value).to_owned()) })
            .collect();
        Shapes::of(&secrets).expect("long enough")
    }

    fn through(shapes: &Shapes, pieces: &[&[u8]]) -> Vec<u8> {
        let mut mask = Mask::new(shapes.clone());
        let mut out = Vec::new();
        for piece in pieces {
            mask.push(piece, &mut out);
        }
        mask.finish(&mut out);
        out
    }

    fn contains(text: &[u8], part: &[u8]) -> bool {
        text.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn our_base64_is_the_one_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes(), false), text.as_bytes());
        }
        assert_eq!(base64(&[0xfb, 0xff], false), b"+/8=");
        assert_eq!(base64(&[0xfb, 0xff], true), b"-_8=");
    }

    /// The acceptance line: a secret split at every byte boundary, in four encodings.
    #[test]
    fn split_at_every_byte_in_every_encoding_nothing_is_left() {
        let secret = "s3cr3t/t0k&n+42 ?ß";
        let shapes = shapes(&[secret]);
        let four = [
            secret.as_bytes().to_vec(),
            base64(secret.as_bytes(), false),
            base64(secret.as_bytes(), true),
            percent(secret.as_bytes(), b"-_.~", true, false),
        ];
        for form in four {
            let text = [b"before ".as_slice(), &form, b" after\n"].concat();
            for at in 0..=text.len() {
                let (first, second) = text.split_at(at);
                assert_eq!(through(&shapes, &[first, second]), b"before *** after\n", "cut at {at}");
            }
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(through(&shapes, &bytes), b"before *** after\n");
        }
    }

    #[test]
    fn inside_a_longer_base64_text_the_secret_is_gone_too() {
        let shapes = shapes(&["s3cr3t-t0ken-0123456789"]);
        for user in ["", "a:", "ab:", "abc:", "admin:"] {
            let header = base64(format!("{user}s3cr3t-t0ken-0123456789 and more").as_bytes(), false);
            let masked = through(&shapes, &[&header]);
            assert!(contains(&masked, b"***"), "{}", String::from_utf8_lossy(&masked));
            assert!(masked.len() < header.len() - 20, "{}", String::from_utf8_lossy(&masked));
        }
    }

    #[test]
    fn overlapping_secrets_leave_no_tail() {
        let shapes = shapes(&["abcdefgh", "efghijkl", "abcd"]);
        for at in 0..=16 {
            let text = b"..abcdefghijkl..";
            let (first, second) = text.split_at(at);
            assert_eq!(through(&shapes, &[first, second]), b"..***..", "cut at {at}");
        }
    }

    #[test]
    fn a_prompt_is_not_held_back() {
        let mut mask = Mask::new(shapes(&["s3cr3t"]));
        let mut out = Vec::new();
        mask.push(b"Continue? [y/N] ", &mut out);
        assert_eq!(out, b"Continue? [y/N] ");
        mask.push(b"s3c", &mut out);
        assert_eq!(out, b"Continue? [y/N] ", "this may become the secret");
        mask.push(b"ond", &mut out);
        assert_eq!(out, b"Continue? [y/N] s3cond");
    }

    #[test]
    fn each_line_of_a_key_is_secret() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n";
        let masked = through(&shapes(&[key]), &[b"line: BAQEFAASCBKcwggSjAgEAAo\n-----BEGIN KEY-----\n"]);
        assert_eq!(masked, b"line: ***\n-----BEGIN KEY-----\n");
    }

    #[test]
    fn too_short_is_refused_by_name() {
        let secrets = [Secret { name: "PIN".to_owned(), value: SecretString::from("123") }];
        assert!(Shapes::of(&secrets).unwrap_err().to_string().starts_with("secret PIN is shorter"));
    }

    proptest! {
        #[test]
        fn cut_anyhow_the_result_is_the_same(
            secret in "[a-c]{4,8}", other in "[a-c]{4,6}", text in "[a-d]{0,80}", cuts in prop::collection::vec(0..80_usize, 0..8)
        ) {
            let shapes = shapes(&[&secret, &other]);
            let whole = through(&shapes, &[text.as_bytes()]);
            let mut places: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&whole, &through(&shapes, &pieces));
            prop_assert!(!contains(&whole, secret.as_bytes()) && !contains(&whole, other.as_bytes()));
        }

        #[test]
        fn bytes_without_a_secret_stay_as_they_are(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(through(&shapes(&["a-secret-that-is-not-there"]), &[&bytes]), bytes);
        }
    }
}

//! Finding text in what a command wrote, without holding it in memory.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};

use super::read::{Piece, Reader};
use crate::step::event::Stream;
use crate::text::Untrusted;

/// Longest line that is looked at as one; a longer one is looked at in parts.
const LINE_BYTES: usize = 64 << 10;

/// Longest part of a line that is given back.
const SHOWN_BYTES: usize = 400;

/// A line that holds what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// In which stream.
    pub stream: Stream,
    /// Where the line begins in it.
    pub offset: u64,
    /// The line, or its part around the find.
    pub line: Untrusted,
}

/// What came of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order in which it was written, the last `most` of them.
    pub hits: Vec<Hit>,
    /// How many there are altogether.
    pub total: u64,
    /// Bytes that could not be looked at, because they were dropped.
    pub missing: u64,
}

/// Looks for a text: with capitals as it is, without them in any case. Reads the whole spool: not for the UI thread.
///
/// # Errors
/// When the spool cannot be read.
pub fn search(folder: &Path, wanted: &str, most: usize) -> io::Result<Found> {
    let mut found = Found::default();
    if wanted.is_empty() {
        return Ok(found);
    }
    let has_capital = wanted.chars().any(char::is_uppercase);
    let finder = RegexBuilder::new(&regex::escape(wanted))
        .case_insensitive(!has_capital)
        .build()
        .map_err(|wrong| io::Error::new(io::ErrorKind::InvalidInput, wrong))?;
    let mut lines: BTreeMap<Stream, (u64, Vec<u8>)> = BTreeMap::new();
    let mut reader = Reader::new(folder);
    while let Some(piece) = reader.next_piece()? {
        match piece {
            Piece::Gap { stream, bytes, offset } => {
                found.missing += bytes;
                let line = lines.entry(stream).or_default();
                look(&finder, stream, line, &mut found, most);
                line.0 = offset + bytes;
            }
            Piece::Bytes { stream, bytes, .. } => {
                let line = lines.entry(stream).or_default();
                for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                    line.1.extend_from_slice(part);
                    if part.last() == Some(&b'\n') || line.1.len() >= LINE_BYTES {
                        look(&finder, stream, line, &mut found, most);
                    }
                }
            }
        }
    }
    for (stream, mut line) in lines {
        look(&finder, stream, &mut line, &mut found, most);
    }
    Ok(found)
}

/// Looks at a line that is whole, and begins the next one.
fn look(finder: &Regex, stream: Stream, line: &mut (u64, Vec<u8>), found: &mut Found, most: usize) {
    let (offset, bytes) = line;
    if let Some(at) = finder.find(bytes) {
        found.total += 1;
        let from = at.start().saturating_sub(SHOWN_BYTES / 4);
        let shown = bytes.get(from..bytes.len().min(from + SHOWN_BYTES)).unwrap_or_default();
        let text = String::from_utf8_lossy(shown).trim_end_matches(['\n', '\r']).to_owned();
        if found.hits.len() >= most.max(1) {
            found.hits.remove(0);
        }
        found.hits.push(Hit { stream, offset: *offset, line: Untrusted::from(text) });
    }
    *offset += bytes.len() as u64;
    bytes.clear();
}

#[cfg(test)]
mod tests {
    use super::super::write::Writer;
    use super::*;

    #[test]
    fn lines_are_found_across_frames_with_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path()).unwrap();
        for (stream, bytes) in [
            (Stream::Stdout, &b"all well\nERR"[..]),
            (Stream::Stderr, b"warning: error budget\n"),
            (Stream::Stdout, b"OR: pod gone\nfine\nlast error"),
        ] {
            writer.append(stream, bytes, 0).unwrap();
        }
        writer.flush().unwrap();
        let places = |wanted: &str, most: usize| {
            let found = search(folder.path(), wanted, most).unwrap();
            let hits: Vec<_> = found.hits.iter().map(|hit| (hit.offset, hit.line.expose().to_owned())).collect();
            (found.total, hits)
        };
        let line = |offset: u64, text: &str| (offset, text.to_owned());
        assert_eq!(
            places("error", 10),
            (3, vec![line(0, "warning: error budget"), line(9, "ERROR: pod gone"), line(30, "last error")])
        );
        assert_eq!(places("ERROR", 10), (1, vec![line(9, "ERROR: pod gone")]));
        assert_eq!(places("error", 1), (3, vec![line(30, "last error")]));
        assert_eq!(places("", 10), (0, vec![]));
        assert_eq!(places("(", 10), (0, vec![]));
    }
}

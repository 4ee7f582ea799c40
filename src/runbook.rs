//! Runbooks: one model, read from YAML, from our Markdown, and from anybody's Markdown. Pure.
//!
//! [`read`] takes a document in; [`matching`] finds the ones for an incident. What runs a step is another room.

pub mod bind;
pub mod builtin;
pub mod capture;
pub mod classify;
pub mod coverage;
pub mod expand;
pub mod export;
pub mod expr;
pub(crate) mod grammar;
mod link;
pub mod lint;
pub mod markdown;
pub mod matching;
pub mod model;
pub mod shell;
pub mod template;
pub mod testfile;
pub mod undo;
pub mod value;
pub mod write;
pub mod yaml;

pub use link::link;
pub use model::{Level, Runbook, Step, Trigger, Work};
pub use yaml::Document;

use sha2::{Digest, Sha256};

use crate::domain::problem::Problem;

/// Largest document taken in; the longest of 717 real runbooks has 36 kB.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// Reads a document by its file name's ending: `.yaml`/`.yml`, or Markdown for `.md`. A broken document gives problems
/// and whatever of it could be read; it never costs another document.
#[must_use]
pub fn read(file: &str, bytes: &[u8]) -> (Vec<Runbook>, Vec<Problem>) {
    let document = document(file, bytes);
    (document.runbooks, document.problems)
}

/// As [`read`], with the document's shared variables; hand all documents to [`link`] when they are read.
#[must_use]
pub fn document(file: &str, bytes: &[u8]) -> Document {
    let Some(text) = checked_text(file, bytes) else {
        return Document { problems: vec![refusal(file, bytes)], ..Document::default() };
    };
    if [".yaml", ".yml"].iter().any(|ending| file.ends_with(ending)) {
        return yaml::document(file, text);
    }
    let (runbook, problems) = markdown::read(file, text);
    Document { runbooks: vec![runbook], library: model::Library::new(), problems }
}

fn checked_text<'a>(_file: &str, bytes: &'a [u8]) -> Option<&'a str> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return None;
    }
    std::str::from_utf8(bytes).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn refusal(file: &str, bytes: &[u8]) -> Problem {
    let (at, message, fix) = match std::str::from_utf8(bytes) {
        Ok(_) => (
            None,
            format!("the document has {} bytes, more than {MAX_DOCUMENT_BYTES}", bytes.len()),
            "split it into several runbooks",
        ),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
            (Some((line, column)), "not UTF-8 from here on".to_owned(), "save the file as UTF-8")
        }
    };
    Problem { file: file.to_owned(), at, message, fix: fix.to_owned(), is_error: true }
}

/// Sha-256 of a document, hex: what a run is pinned to, so that an edited file is noticed.
#[must_use]
pub fn content_hash(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The file's name without folder and ending: the id of a Markdown runbook, and what `runbook_url`s end in.
#[must_use]
pub fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_not_text_gives_the_place() {
        let (runbooks, problems) = read("broken.md", b"# Title\nfine\nbad \xff here");
        assert!(runbooks.is_empty());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].at, Some((3, 5)));
    }

    #[test]
    fn a_huge_document_is_refused_in_words() {
        let (_, problems) = read("huge.md", &vec![b'a'; MAX_DOCUMENT_BYTES + 1]);
        assert!(problems[0].message.contains("1048577 bytes"), "{}", problems[0].message);
    }
}

//! Values that later steps take from this one: out of its output, out of a file, out of `$RB_OUTPUT`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// Longest value that is kept: an argument vector has no room for more.
pub const VALUE_BYTES: usize = 64 << 10;

/// Most of a stream or file that is looked through.
pub const SOURCE_BYTES: usize = 8 << 20;

/// A value to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// What it is called in later steps.
    pub name: String,
    /// Where it is.
    pub from: CaptureFrom,
    /// How it is found there.
    pub how: CaptureHow,
    /// White space at both ends goes.
    pub trim: bool,
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFrom {
    /// In what the command printed; on a terminal, in what it showed.
    Stdout,
    /// In what it complained.
    Stderr,
    /// In a file, relative to the folder it ran in.
    File(PathBuf),
}

/// How a value is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureHow {
    /// All of it.
    Whole,
    /// A JSON pointer (RFC 6901), such as `/spec/replicas`. Text comes without quotes, the rest as JSON.
    Json(String),
    /// The first group of the first match, or all of it when there is no group.
    Regex(String),
    /// A line, counted from 1; negative ones from the end.
    Line(i64),
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFailure {
    /// The file is not there or cannot be read.
    #[error("cannot read {file}: {cause}")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        cause: String,
    },
    /// Not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// Nothing there.
    #[error("nothing found at {0}")]
    Nothing(String),
    /// The expression is wrong.
    #[error("not a regular expression: {0}")]
    NotRegex(String),
    /// More than a value may have.
    #[error("{0} bytes are more than a value may have")]
    TooLong(usize),
    /// Not text.
    #[error("not UTF-8")]
    NotText,
    /// Part of the output was dropped, so it cannot be looked through.
    #[error("the output is longer than what is looked through")]
    Cut,
}

/// Finds a value in bytes.
///
/// # Errors
/// When there is none, or not one.
pub fn take(capture: &Capture, bytes: &[u8]) -> Result<String, CaptureFailure> {
    let text = std::str::from_utf8(bytes).map_err(|_not_text| CaptureFailure::NotText)?;
    let value = match &capture.how {
        CaptureHow::Whole => text.to_owned(),
        CaptureHow::Json(pointer) => json(text, pointer)?,
        CaptureHow::Regex(pattern) => {
            let regex = Regex::new(pattern).map_err(|wrong| CaptureFailure::NotRegex(wrong.to_string()))?;
            let found = regex.captures(text);
            let group = found.as_ref().and_then(|found| found.get(1).or_else(|| found.get(0)));
            group.ok_or_else(|| CaptureFailure::Nothing(pattern.clone()))?.as_str().to_owned()
        }
        CaptureHow::Line(number) => line(text, *number)?,
    };
    let value = if capture.trim { value.trim().to_owned() } else { value };
    if value.len() > VALUE_BYTES { Err(CaptureFailure::TooLong(value.len())) } else { Ok(value) }
}

fn json(text: &str, pointer: &str) -> Result<String, CaptureFailure> {
    let document: serde_json::Value =
        serde_json::from_str(text).map_err(|wrong| CaptureFailure::NotJson(wrong.to_string()))?;
    match document.pointer(pointer) {
        None => Err(CaptureFailure::Nothing(pointer.to_owned())),
        Some(serde_json::Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
    }
}

fn line(text: &str, number: i64) -> Result<String, CaptureFailure> {
    let nothing = || CaptureFailure::Nothing(format!("line {number}"));
    let nth = usize::try_from(number.unsigned_abs()).ok().and_then(|nth| nth.checked_sub(1)).ok_or_else(nothing)?;
    let found = if number > 0 { text.lines().nth(nth) } else { text.lines().rev().nth(nth) };
    found.map(ToOwned::to_owned).ok_or_else(nothing)
}

/// What a command wrote to `$RB_OUTPUT`: `KEY=VALUE`, or `KEY<<EOF`, lines, `EOF`. The last of a key counts. What cannot be
/// read is told and skipped.
#[must_use]
pub fn outputs(text: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let number = at + 1;
        if line.trim().is_empty() {
            continue;
        }
        // Whichever sign comes first decides: a value may hold the other one.
        let plain = line.split_once('=');
        let many = line.split_once("<<").filter(|(key, _)| plain.is_none_or(|(other, _)| key.len() < other.len()));
        let (key, value) = match (many, plain) {
            (Some((key, end)), _) => {
                let mut value = Vec::new();
                let is_ended = loop {
                    match lines.next() {
                        Some((_, line)) if line == end.trim() => break true,
                        Some((_, line)) => value.push(line),
                        None => break false,
                    }
                };
                if !is_ended || end.trim().is_empty() {
                    problems.push(format!("line {number}: the value of '{key}' has no end '{}'", end.trim()));
                    continue;
                }
                (key, value.join("\n"))
            }
            (None, Some((key, value))) => (key, value.to_owned()),
            (None, None) => {
                problems.push(format!("line {number}: neither KEY=VALUE nor KEY<<EOF"));
                continue;
            }
        };
        if !is_name(key) {
            problems.push(format!("line {number}: '{key}' is no name"));
        } else if value.len() > VALUE_BYTES {
            problems.push(format!("line {number}: the value of '{key}' is longer than {VALUE_BYTES} bytes"));
        } else {
            found.insert(key.to_owned(), value);
        }
    }
    (found, problems)
}

fn is_name(key: &str) -> bool {
    let begins = key.starts_with(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '_');
    begins && key.len() <= 128 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(how: CaptureHow, trim: bool) -> Capture {
        Capture { name: "x".to_owned(), from: CaptureFrom::Stdout, how, trim }
    }

    #[test]
    fn values_are_found_in_every_way() {
        let json = br#"{"spec":{"replicas":3,"name":"a b","tags":["x","y"]}}"#;
        let lines = b"first\n  second \nlast\n";
        let pointer = |text: &str| CaptureHow::Json(text.to_owned());
        let regex = |text: &str| CaptureHow::Regex(text.to_owned());
        for (how, trim, bytes, expected) in [
            (pointer("/spec/replicas"), false, &json[..], Ok("3")),
            (pointer("/spec/name"), false, json, Ok("a b")),
            (pointer("/spec/tags/1"), false, json, Ok("y")),
            (pointer("/spec/tags"), false, json, Ok(r#"["x","y"]"#)),
            (pointer("/spec/nothing"), false, json, Err(CaptureFailure::Nothing("/spec/nothing".to_owned()))),
            (regex(r"replicas.:(\d+)"), false, json, Ok("3")),
            (regex(r"\d+"), false, json, Ok("3")),
            (regex("nope"), false, json, Err(CaptureFailure::Nothing("nope".to_owned()))),
            (CaptureHow::Line(2), true, lines, Ok("second")),
            (CaptureHow::Line(2), false, lines, Ok("  second ")),
            (CaptureHow::Line(-1), false, lines, Ok("last")),
            (CaptureHow::Line(4), false, lines, Err(CaptureFailure::Nothing("line 4".to_owned()))),
            (CaptureHow::Line(0), false, lines, Err(CaptureFailure::Nothing("line 0".to_owned()))),
            (CaptureHow::Whole, true, b" x \n", Ok("x")),
            (CaptureHow::Whole, false, b"\xff", Err(CaptureFailure::NotText)),
        ] {
            assert_eq!(take(&capture(how.clone(), trim), bytes), expected.map(ToOwned::to_owned), "{how:?}");
        }
        assert!(matches!(take(&capture(regex("("), false), b""), Err(CaptureFailure::NotRegex(_))));
        assert!(matches!(take(&capture(pointer("/a"), false), b"text"), Err(CaptureFailure::NotJson(_))));
        let long = vec![b'x'; VALUE_BYTES + 1];
        assert_eq!(take(&capture(CaptureHow::Whole, false), &long), Err(CaptureFailure::TooLong(VALUE_BYTES + 1)));
    }

    #[test]
    fn the_output_file_in_both_spellings() {
        let text = "replicas=3\nurl=http://x/?a=b<<c\n\nnote<<END\nline one\nkey=inside\nEND\nreplicas=4\nempty=\n";
        let (found, problems) = outputs(text);
        assert_eq!(problems, Vec::<String>::new());
        let shown: Vec<String> = found.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, ["empty=", "note=line one\nkey=inside", "replicas=4", "url=http://x/?a=b<<c"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line() {
        let (found, problems) = outputs("ok=1\nnonsense\n2x=3\nopen<<EOF\nnever ends\n");
        assert_eq!(found.len(), 1);
        assert_eq!(
            problems,
            [
                "line 2: neither KEY=VALUE nor KEY<<EOF",
                "line 3: '2x' is no name",
                "line 4: the value of 'open' has no end 'EOF'"
            ]
        );
    }
}

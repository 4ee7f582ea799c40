//! What is kept of a step's output for later steps.

use super::bind::{self, gate::Allow};
use super::model::{Capture, Pick, Stream};
use super::value::{Cause, Origin, Resolved, Trust};

/// What a step left behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Output<'a> {
    /// Standard output.
    pub stdout: &'a str,
    /// Standard error.
    pub stderr: &'a str,
    /// The file `$RB_OUTPUT`.
    pub file: &'a str,
}

/// Takes the value out, through the gate: output is as untrusted as a label.
///
/// # Errors
/// Why there is none.
pub fn take(capture: &Capture, output: &Output<'_>, step: &str) -> Resolved {
    let found = match capture.from {
        Stream::Stdout => pick(&capture.pick, output.stdout),
        Stream::Stderr => pick(&capture.pick, output.stderr),
        Stream::File => named(output.file, &capture.name).and_then(|text| pick(&capture.pick, &text)),
    };
    let text = found.map_err(|words| Cause::Refused(words).of(&capture.name))?;
    let origin = Origin::Capture(step.to_owned());
    bind::admit(&capture.kind, &text, origin, Trust::Untrusted, Allow::default())
        .map_err(|cause| cause.of(&capture.name))
}

fn pick(pick: &Pick, text: &str) -> Result<String, String> {
    match pick {
        Pick::Trim => Ok(text.trim().to_owned()),
        Pick::Line(number) => {
            let lines: Vec<&str> = text.lines().collect();
            let at = if *number < 0 { lines.len() as i64 + number } else { number - 1 };
            let line = usize::try_from(at).ok().and_then(|at| lines.get(at));
            line.map(|line| line.trim().to_owned()).ok_or_else(|| format!("the output has no line {number}"))
        }
        Pick::Regex(pattern) => {
            let pattern = regex::Regex::new(pattern).map_err(|_cause| "not a regular expression".to_owned())?;
            let found = pattern.captures(text).ok_or_else(|| "the output does not match".to_owned())?;
            let group = found.get(1).or_else(|| found.get(0));
            Ok(group.map_or("", |group| group.as_str()).to_owned())
        }
        Pick::Json(pointer) => {
            let value: serde_json::Value =
                serde_json::from_str(text).map_err(|_cause| "the output is not JSON".to_owned())?;
            match value.pointer(pointer) {
                Some(serde_json::Value::String(text)) => Ok(text.clone()),
                Some(serde_json::Value::Null) | None => Err(format!("the output has nothing at {pointer}")),
                Some(other) => Ok(other.to_string()),
            }
        }
    }
}

/// `KEY=VALUE` lines and `KEY<<END` blocks; of two with one name the last wins.
fn named(file: &str, name: &str) -> Result<String, String> {
    let mut found = None;
    let mut lines = file.lines();
    while let Some(line) = lines.next() {
        if let Some((key, end)) = line.split_once("<<")
            && !key.contains('=')
        {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != end.trim()).collect();
            if key.trim() == name {
                found = Some(body.join("\n"));
            }
        } else if let Some((key, value)) = line.split_once('=')
            && key.trim() == name
        {
            found = Some(value.to_owned());
        }
    }
    found.ok_or_else(|| format!("$RB_OUTPUT has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::model::Kind;

    #[test]
    fn parts_are_taken_and_checked() {
        let output = Output {
            stdout: "{\"spec\":{\"replicas\":3,\"name\":\"a\"}}",
            stderr: "first\nversion v1.2.3 ok\nlast\n",
            file: "A=1\nB<<EOF\nx\nEOF\nA=2\n",
        };
        let int = Kind::Int { range: None };
        let text = Kind::default();
        let table: &[(&str, Stream, Pick, &Kind, Result<&str, &str>)] = &[
            ("r", Stream::Stdout, Pick::Json("/spec/replicas".into()), &int, Ok("3")),
            ("r", Stream::Stdout, Pick::Json("/spec/name".into()), &text, Ok("a")),
            ("r", Stream::Stdout, Pick::Json("/spec/gone".into()), &text, Err("nothing at")),
            ("r", Stream::Stdout, Pick::Trim, &text, Err("no plain name")),
            ("r", Stream::Stderr, Pick::Regex("version (v[0-9.]+)".into()), &text, Ok("v1.2.3")),
            ("r", Stream::Stderr, Pick::Line(1), &text, Ok("first")),
            ("r", Stream::Stderr, Pick::Line(-1), &text, Ok("last")),
            ("r", Stream::Stderr, Pick::Line(9), &text, Err("no line 9")),
            ("A", Stream::File, Pick::Trim, &int, Ok("2")),
            ("B", Stream::File, Pick::Trim, &text, Ok("x")),
            ("C", Stream::File, Pick::Trim, &text, Err("has no C")),
        ];
        for (name, from, pick, kind, expected) in table {
            let capture =
                Capture { name: (*name).into(), from: from.clone(), pick: pick.clone(), kind: (*kind).clone() };
            match (take(&capture, &output, "s"), expected) {
                (Ok(bound), Ok(wanted)) => assert_eq!(bound.value.to_string(), *wanted),
                (Err(cause), Err(words)) => assert!(cause.to_string().contains(words), "{cause}"),
                (found, wanted) => panic!("{pick:?}: {found:?}, not {wanted:?}"),
            }
        }
    }
}

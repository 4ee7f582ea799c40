//! Foreign commands: nothing in them is ours, so `{x}` is text. What the author wrote for the reader to replace becomes a
//! prompt: `<vm-name>`, `$NODE` that nothing sets, `XXXX`, `CHANGEME`, `[pod-name]`. Whether `<` begins such a word or a
//! redirection is decided by the grammar: the text with the prompts taken out must parse.

use std::collections::BTreeSet;

use super::{Hole, HoleKind, Piece, Template};
use crate::runbook::grammar;

/// Variables that every shell has.
const STANDARD: &[&str] = &[
    "HOME",
    "USER",
    "PATH",
    "PWD",
    "OLDPWD",
    "SHELL",
    "HOSTNAME",
    "KUBECONFIG",
    "LANG",
    "TERM",
    "EDITOR",
    "RANDOM",
    "IFS",
    "LOGNAME",
    "UID",
    "EUID",
    "SECONDS",
    "LINENO",
    "REPLY",
    "TMPDIR",
    "PPID",
    "BASH_VERSION",
];

/// Words that stand for what the reader has to put there.
const STAND_INS: &[&str] =
    &["CHANGEME", "CHANGE_ME", "CHANGE-ME", "REPLACEME", "REPLACE_ME", concat!("FIX", "ME"), concat!("TO", "DO")];

/// Reads a foreign command. `assigned` are variables that earlier blocks of the document set: they are asked for too,
/// because each command runs by itself.
///
/// `None` when it is not shell, with or without prompts: such text is only to be copied.
#[must_use]
pub fn foreign(text: &str) -> Option<Template> {
    let spans = candidates(text);
    let template = cut(text, &spans);
    if parses(&template) {
        return Some(template);
    }
    // `a <in >out`: the angle brackets were redirections after all.
    let without: Vec<Span> = spans.into_iter().filter(|span| !span.is_angle).collect();
    let template = cut(text, &without);
    parses(&template).then_some(template)
}

fn parses(template: &Template) -> bool {
    grammar::read(&template.fill(|_| "prompt".to_owned())).is_ok()
}

#[derive(Clone, Debug)]
struct Span {
    at: usize,
    end: usize,
    name: String,
    is_angle: bool,
}

fn cut(text: &str, spans: &[Span]) -> Template {
    let mut template = Template::default();
    let mut copied = 0;
    for span in spans {
        template.push_text(text.get(copied..span.at).unwrap_or_default());
        let written = text.get(span.at..span.end).unwrap_or_default().to_owned();
        template.pieces.push(Piece::Hole(Hole {
            text: span.name.clone(),
            written,
            at: span.at,
            kind: HoleKind::Prompt,
        }));
        copied = span.end;
    }
    template.push_text(text.get(copied..).unwrap_or_default());
    template
}

fn candidates(text: &str) -> Vec<Span> {
    let set = set_in(text);
    let bytes = text.as_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    let (mut in_single, mut in_double) = (false, false);
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'\\' if !in_single => {
                at += 2;
                continue;
            }
            b'\'' if !in_double => in_single = !in_single,
            b'"' if !in_single => in_double = !in_double,
            _ => {}
        }
        let found = match byte {
            b'<' => angle(text, at),
            b'$' if !in_single => variable(text, at, &set),
            b'[' if !in_double => bracket(text, at),
            _ if byte.is_ascii_uppercase() => stand_in(text, at),
            _ => None,
        };
        match found {
            Some(span) => {
                at = span.end;
                spans.push(span);
            }
            None => at += 1,
        }
    }
    spans
}

/// Variables that the text itself sets.
fn set_in(text: &str) -> BTreeSet<String> {
    let mut set: BTreeSet<String> = grammar::read(text).map(|seen| seen.sets.into_iter().collect()).unwrap_or_default();
    for word in text.split(|symbol: char| symbol.is_whitespace() || ";&|(".contains(symbol)) {
        if let Some((name, _)) = word.split_once('=') {
            set.insert(name.trim_start_matches('"').to_owned());
        }
    }
    for words in text.split_whitespace().collect::<Vec<_>>().windows(2) {
        if let ["for" | "read", name] = words {
            set.insert((*name).to_owned());
        }
    }
    set
}

fn angle(text: &str, at: usize) -> Option<Span> {
    let rest = text.get(at + 1..)?;
    let end = rest.find('>')?;
    let inner = rest.get(..end)?;
    let begins = inner.starts_with(|first: char| first.is_ascii_alphabetic());
    let plain = inner.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "_- .:/|'".contains(symbol));
    if !begins || !plain || inner.len() > 60 || inner.ends_with(' ') || text.get(..at)?.ends_with('<') {
        return None;
    }
    // `<in>out` redirects twice; a prompt ends where the word goes on with something that is no file name.
    let after = rest.get(end + 1..)?.chars().next();
    if after.is_some_and(|symbol| symbol.is_ascii_alphanumeric() || symbol == '>' || symbol == '&') {
        return None;
    }
    Some(Span { at, end: at + 1 + end + 1, name: named(inner), is_angle: true })
}

fn variable(text: &str, at: usize, set: &BTreeSet<String>) -> Option<Span> {
    let rest = text.get(at + 1..)?;
    let (name, length) = match rest.strip_prefix('{') {
        Some(braced) => {
            let end = braced.find('}')?;
            (braced.get(..end)?, end + 2)
        }
        None => {
            let end =
                rest.find(|symbol: char| !(symbol.is_ascii_alphanumeric() || symbol == '_')).unwrap_or(rest.len());
            (rest.get(..end)?, end)
        }
    };
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
    if !is_name || set.contains(name) || STANDARD.contains(&name) || name.starts_with("BASH") {
        return None;
    }
    Some(Span { at, end: at + 1 + length, name: name.to_owned(), is_angle: false })
}

/// `[pod-name]` as a word of its own; `[ -f x ]` and `items[0]` are something else.
fn bracket(text: &str, at: usize) -> Option<Span> {
    let before = text.get(..at)?.chars().next_back();
    let rest = text.get(at + 1..)?;
    let end = rest.find(']')?;
    let inner = rest.get(..end)?;
    let after = rest.get(end + 1..)?.chars().next();
    let stands_alone = before.is_some_and(|symbol| symbol.is_whitespace() || "/=:@".contains(symbol))
        && after.is_none_or(|symbol| symbol.is_whitespace() || "/:@".contains(symbol));
    let is_word = inner.len() > 2
        && inner.starts_with(|first: char| first.is_ascii_alphabetic())
        && inner.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "_- ".contains(symbol))
        && !inner.contains("a-z")
        && !inner.contains("A-Z");
    (stands_alone && is_word).then(|| Span { at, end: at + 1 + end + 1, name: named(inner), is_angle: false })
}

fn stand_in(text: &str, at: usize) -> Option<Span> {
    let before = text.get(..at)?.chars().next_back();
    if before.is_some_and(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_' || symbol == '$' || symbol == '{') {
        return None;
    }
    let rest = text.get(at..)?;
    let end = rest.find(|symbol: char| !(symbol.is_ascii_alphanumeric() || symbol == '_')).unwrap_or(rest.len());
    let word = rest.get(..end)?;
    let is_crosses = word.len() >= 3 && word.bytes().all(|byte| byte == b'X');
    let is_yours = (word.starts_with("YOUR_") || word.starts_with("MY_")) && !rest.get(end..)?.starts_with('=');
    (is_crosses || is_yours || STAND_INS.contains(&word)).then(|| Span {
        at,
        end: at + end,
        name: word.to_ascii_lowercase(),
        is_angle: false,
    })
}

fn named(inner: &str) -> String {
    let name: String = inner
        .trim()
        .chars()
        .map(|symbol| if symbol.is_ascii_alphanumeric() { symbol.to_ascii_lowercase() } else { '_' })
        .collect();
    name.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(text: &str) -> Option<Vec<String>> {
        foreign(text).map(|template| template.holes().map(|hole| hole.text.clone()).collect())
    }

    #[test]
    fn what_the_reader_has_to_replace_is_asked_for() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("virtctl stop <vm-name> -n <namespace>", Some(&["vm_name", "namespace"])),
            ("oc logs -n openshift $POD --previous", Some(&["POD"])),
            ("oc logs ${POD}", Some(&["POD"])),
            ("POD=$(oc get pod -o name); oc logs $POD", Some(&[])),
            ("for i in 1 2; do echo $i; done", Some(&[])),
            ("cat <<EOF\nhello\nEOF", Some(&[])),
            ("sort <file >out", Some(&[])),
            ("sort <in>out", Some(&[])),
            ("ls 2> /dev/null", Some(&[])),
            ("test 1 -le 2", Some(&[])),
            ("oc delete pod XXXX", Some(&["xxxx"])),
            ("export TOKEN=CHANGEME", Some(&["changeme"])),
            ("oc get pod [pod-name] -o yaml", Some(&["pod_name"])),
            ("[ -f x ]", Some(&[])),
            ("ls [a-z]*", Some(&[])),
            ("echo $HOME $? $1 '$X'", Some(&[])),
            ("awk '{print $1}' {x}", Some(&[])),
            ("echo {name}", Some(&[])),
            ("curl \"http://<host>:9090/x\"", Some(&["host"])),
            ("echo \"unclosed", None),
            ("redis> info )", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            assert_eq!(prompts(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_written_comes_back(text in "[a-z<>$X\\[\\]{} '\"=;-]{0,60}") {
            if let Some(template) = foreign(&text) {
                proptest::prop_assert_eq!(template.fill(|hole| hole.written.clone()), text);
            }
        }
    }
}

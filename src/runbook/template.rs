//! Commands as documents write them: text with holes. Which braces are holes is decided once, here; everything else stays
//! byte for byte (JSONPath, Go templates, `{}`, `${x}`, brace lists).

mod foreign;

use super::expr::Expr;

pub use self::foreign::foreign;

/// A command with holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its parts in order.
    pub pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Kept byte for byte.
    Text(String),
    /// Filled in.
    Hole(Hole),
}

/// A place to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The expression, or the name of what a person fills in.
    pub text: String,
    /// As the document wrote it.
    pub written: String,
    /// Byte of the command where it stands.
    pub at: usize,
    /// Who fills it in.
    pub kind: HoleKind,
}

/// Who fills a hole in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoleKind {
    /// A variable, or an expression over variables.
    Variable,
    /// A person: an UPPER_CASE blank of a team's template.
    Blank,
    /// A person, for every step anew: a foreign document's `<x>`, `$X`, `XXXX`.
    Prompt,
}

/// Something wrong with a command, found when the document is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte of the command it is about.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl Template {
    /// The holes in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            Piece::Text(_) => None,
        })
    }

    /// The names of what has to be known, each once: variables of expressions, blanks, prompts.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for hole in self.holes() {
            let found = match hole.kind {
                HoleKind::Variable => variables(&hole.text),
                HoleKind::Blank | HoleKind::Prompt => vec![hole.text.clone()],
            };
            for name in found {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The text with each hole replaced.
    #[must_use]
    pub fn fill(&self, mut with: impl FnMut(&Hole) -> String) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Hole(hole) => with(hole),
            })
            .collect()
    }

    fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
    }
}

fn variables(expression: &str) -> Vec<String> {
    if is_name(expression) {
        return vec![expression.to_owned()];
    }
    Expr::compile(expression).map(|expr| expr.references().variables.iter().cloned().collect()).unwrap_or_default()
}

/// Reads a command of one of our documents. `{expr}` is a hole when it begins with a name and is an expression; `\{` is
/// a brace; everything else in braces is text.
#[must_use]
pub fn native(text: &str) -> Template {
    let mut template = Template::default();
    let mut rest = text;
    let is_jsonpath = text.contains("jsonpath");
    while let Some(at) = rest.find(['{', '\\']) {
        let here = text.len() - rest.len() + at;
        let (before, from) = rest.split_at(at);
        template.push_text(before);
        if let Some(after) = from.strip_prefix('\\') {
            if let Some(after) = after.strip_prefix('{') {
                template.push_text("{");
                rest = after;
            } else {
                template.push_text("\\");
                rest = after;
            }
            continue;
        }
        if let Some(end) = from.strip_prefix("{{").and_then(|inner| inner.find("}}")) {
            let (kept, after) = from.split_at(end + 4);
            template.push_text(kept);
            rest = after;
            continue;
        }
        // `${x}` is the shell's, `%{http_code}` is curl's and rpm's.
        let is_theirs = text.get(..here).is_some_and(|so_far| so_far.ends_with(['$', '%']));
        let inner = from.get(1..).and_then(|after| after.split_once('}')).map(|(inner, _)| inner);
        match inner.filter(|inner| !is_theirs && is_live(inner, is_jsonpath)) {
            Some(inner) => {
                let kind = if is_blank(inner) { HoleKind::Blank } else { HoleKind::Variable };
                let written = format!("{{{inner}}}");
                rest = from.get(written.len()..).unwrap_or_default();
                template.pieces.push(Piece::Hole(Hole { text: inner.trim().to_owned(), written, at: here, kind }));
            }
            None => {
                template.push_text("{");
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    template.push_text(rest);
    template
}

fn is_live(inner: &str, is_jsonpath: bool) -> bool {
    let begins = inner.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !begins || inner.contains(['{', '\n', '$']) || inner.contains("..") {
        return false;
    }
    if is_name(inner) {
        return !(is_jsonpath && inner == "end");
    }
    let at_top = inner.split(['(', '"', '\'']).next().unwrap_or_default();
    if at_top.contains(',') || (is_jsonpath && inner.starts_with("range ")) {
        return false;
    }
    Expr::compile(inner).is_ok()
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_')
}

/// `ALERT_NAME`: to be filled in by a person.
fn is_blank(name: &str) -> bool {
    is_name(name) && !name.chars().any(|symbol| symbol.is_ascii_lowercase()) && name.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holes(text: &str) -> Vec<String> {
        native(text).holes().map(|hole| hole.text.clone()).collect()
    }

    #[test]
    fn holes_are_expressions_that_begin_with_a_name() {
        let table: &[(&str, &[&str])] = &[
            (
                "kubectl scale deployment {deployment} --replicas={current_replicas + 1}",
                &["deployment", "current_replicas + 1"],
            ),
            ("echo {alert.labels.pod}", &["alert.labels.pod"]),
            ("echo '{a}' \"{b}\" {c}", &["a", "b", "c"]),
            ("echo {NAMESPACE}", &["NAMESPACE"]),
            ("echo {is_open ? 1 : 2}", &["is_open ? 1 : 2"]),
        ];
        for (text, expected) in table {
            assert_eq!(holes(text), *expected, "{text}");
        }
        assert_eq!(
            native("{X_1} {x}").holes().map(|hole| hole.kind).collect::<Vec<_>>(),
            [HoleKind::Blank, HoleKind::Variable]
        );
    }

    #[test]
    fn literal_braces_stay_byte_for_byte() {
        for text in [
            "kubectl get x -o jsonpath={.spec.replicas}",
            "kubectl get x -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'",
            "kubectl get x -o go-template='{{range .items}}{{.metadata.name}}{{end}}'",
            "kubectl get x -o go-template='{{ .name }}'",
            "find . -exec rm {} ;",
            "echo ${HOME} ${x:-y}",
            "cp file.{txt,bak} x.{1..3}",
            "awk '{print $1}' f",
            "curl -d '{\"a\": 1}' x",
            "curl -w '%{http_code}' f",
            "{ echo a; }",
            "echo {a,b}",
            "echo {-x}",
            "echo {a b}",
            "unclosed {name",
        ] {
            let template = native(text);
            assert_eq!(template.holes().count(), 0, "{text}");
            assert_eq!(template.fill(|hole| hole.written.clone()), *text);
        }
        assert_eq!(native("awk '\\{print}'").fill(|_| String::new()), "awk '{print}'");
    }

    proptest::proptest! {
        #[test]
        fn filling_with_what_was_written_gives_the_text_back(text in "[a-z{}$. +'\"A-Z_,]{0,80}") {
            proptest::prop_assert_eq!(native(&text).fill(|hole| hole.written.clone()), text);
        }
    }
}

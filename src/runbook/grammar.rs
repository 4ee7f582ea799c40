//! The shell's grammar, to look at commands before anything runs them: which programs are called with which words, what
//! stands where, and where a value may stand. Text that does not parse is refused, never guessed at.

mod words;

use brush_parser::ast::{
    self, AndOr, AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem as Item, CompoundCommand,
    IoRedirect,
};
use brush_parser::word::{WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions};

pub(crate) use self::words::{literal, pieces, quoted_parameters};

/// Longest command that is looked at; the longest of 2 609 real ones has 2 kB.
const MOST_BYTES: usize = 16 * 1024;
/// Deepest nesting: each level costs the parser stack.
const DEEPEST: usize = 12;

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The name of the program.
    Program,
    /// One of its arguments.
    Argument,
    /// What a variable is set to.
    AssignmentValue,
    /// The name or index of a variable that is set.
    AssignmentName,
    /// The file of a redirection.
    RedirectTarget,
    /// The text of a here-document.
    HereDocument,
    /// What `<<<` hands over, and what `for`, `case` and `[[` look at.
    Subject,
    /// An operand that `[[` computes.
    Arithmetic,
    /// The name of a function.
    FunctionName,
}

/// A program called with raw words, and where its output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    /// Raw words, quotes included; the first is the program.
    pub words: Vec<String>,
    /// Files it writes to.
    pub writes_to: Vec<String>,
}

/// A raw word, where it stands, and the call (with the place in it) it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub raw: String,
    pub place: Place,
    pub call: Option<(usize, usize)>,
}

/// Everything in a command, the insides of `$(…)` included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub calls: Vec<Call>,
    pub spots: Vec<Spot>,
    /// Names of variables that are set somewhere in it.
    pub sets: Vec<String>,
    /// Whether it is one program with plain words: no pipe, redirection, assignment, list or compound.
    pub is_simple: bool,
}

/// Why a text is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotShell {
    TooLong,
    TooDeep,
    Unreadable,
}

fn options() -> ParserOptions {
    ParserOptions::default()
}

/// Reads a command.
pub(crate) fn read(text: &str) -> Result<Seen, NotShell> {
    let mut seen = Seen::default();
    read_into(text, 0, &mut seen)?;
    Ok(seen)
}

fn read_into(text: &str, depth: usize, seen: &mut Seen) -> Result<(), NotShell> {
    let program = parse(text, depth)?;
    let is_first = depth == 0;
    let mut walk = Walk { seen, depth, wrong: None };
    let mut is_simple = is_first && program.complete_commands.len() == 1;
    for list in &program.complete_commands {
        is_simple = walk.list(list) && is_simple;
    }
    if let Some(wrong) = walk.wrong {
        return Err(wrong);
    }
    if is_first {
        seen.is_simple = is_simple && seen.calls.len() == 1;
    }
    Ok(())
}

fn parse(text: &str, depth: usize) -> Result<ast::Program, NotShell> {
    if text.len() > MOST_BYTES {
        return Err(NotShell::TooLong);
    }
    if depth > 4 || nesting(text) > DEEPEST {
        return Err(NotShell::TooDeep);
    }
    Parser::new(text.as_bytes(), &options()).parse_program().map_err(|_cause| NotShell::Unreadable)
}

/// An upper bound of how deep a text nests, without understanding it.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for symbol in text.chars() {
        match symbol {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let words = text.split(|symbol: char| symbol.is_whitespace() || symbol == ';');
    let opens = words.filter(|word| matches!(*word, "if" | "for" | "while" | "until" | "case" | "!" | "time")).count();
    deepest.max(opens)
}

struct Walk<'s> {
    seen: &'s mut Seen,
    depth: usize,
    wrong: Option<NotShell>,
}

impl Walk<'_> {
    /// Walks a list; true when it is one simple command without anything around it.
    fn list(&mut self, list: &ast::CompoundList) -> bool {
        let mut is_simple = list.0.len() == 1;
        for item in &list.0 {
            is_simple &= matches!(item.1, ast::SeparatorOperator::Sequence);
            // Walked first, whatever follows: `a && b` runs both.
            is_simple &= self.pipeline(&item.0.first);
            is_simple &= item.0.additional.is_empty();
            for AndOr::And(pipeline) | AndOr::Or(pipeline) in &item.0.additional {
                self.pipeline(pipeline);
            }
        }
        is_simple
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline) -> bool {
        let mut is_simple = pipeline.seq.len() == 1 && !pipeline.bang && pipeline.timed.is_none();
        for command in &pipeline.seq {
            is_simple &= self.command(command);
        }
        is_simple
    }

    fn command(&mut self, command: &Command) -> bool {
        match command {
            Command::Simple(simple) => return self.simple(simple),
            Command::Compound(compound, redirects) => {
                self.compound(compound);
                self.redirects(redirects.as_ref());
            }
            Command::Function(function) => {
                self.spot(&function.fname.value, Place::FunctionName, None);
                self.compound(&function.body.0);
                self.redirects(function.body.1.as_ref());
            }
            Command::ExtendedTest(test, redirects) => {
                self.test(&test.expr);
                self.redirects(redirects.as_ref());
            }
        }
        false
    }

    fn simple(&mut self, simple: &ast::SimpleCommand) -> bool {
        let at = self.seen.calls.len();
        self.seen.calls.push(Call::default());
        let mut is_simple = simple.prefix.is_none();
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            self.item(item, at);
        }
        if let Some(name) = &simple.word_or_name {
            self.word(&name.value, at);
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            is_simple &= self.item(item, at);
        }
        is_simple
    }

    fn word(&mut self, raw: &str, call: usize) {
        let Some(found) = self.seen.calls.get_mut(call) else { return };
        let place = found.words.len();
        found.words.push(raw.to_owned());
        let kind = if place == 0 { Place::Program } else { Place::Argument };
        self.spot(raw, kind, Some((call, place)));
    }

    fn item(&mut self, item: &Item, call: usize) -> bool {
        match item {
            Item::Word(word) => {
                self.word(&word.value, call);
                return true;
            }
            // `export A=b`, `make A=b`: an argument too.
            Item::AssignmentWord(assignment, word) => {
                let is_argument = self.seen.calls.get(call).is_some_and(|call| !call.words.is_empty());
                self.assignment(assignment);
                if is_argument {
                    if let Some(found) = self.seen.calls.get_mut(call) {
                        found.words.push(word.value.clone());
                    }
                    return true;
                }
            }
            Item::IoRedirect(redirect) => self.redirect(redirect, Some(call)),
            Item::ProcessSubstitution(_, subshell) => {
                self.list(&subshell.list);
            }
        }
        false
    }

    fn assignment(&mut self, assignment: &ast::Assignment) {
        match &assignment.name {
            AssignmentName::VariableName(name) => {
                self.seen.sets.push(name.clone());
                self.spot(name, Place::AssignmentName, None);
            }
            AssignmentName::ArrayElementName(name, index) => {
                self.seen.sets.push(name.clone());
                self.spot(name, Place::AssignmentName, None);
                self.spot(index, Place::AssignmentName, None);
            }
        }
        match &assignment.value {
            AssignmentValue::Scalar(word) => self.spot(&word.value, Place::AssignmentValue, None),
            AssignmentValue::Array(items) => {
                for (index, word) in items {
                    if let Some(index) = index {
                        self.spot(&index.value, Place::AssignmentName, None);
                    }
                    self.spot(&word.value, Place::AssignmentValue, None);
                }
            }
        }
    }

    fn redirects(&mut self, redirects: Option<&ast::RedirectList>) {
        for redirect in redirects.iter().flat_map(|list| &list.0) {
            self.redirect(redirect, None);
        }
    }

    fn redirect(&mut self, redirect: &IoRedirect, call: Option<usize>) {
        let mut write = |raw: &str| match call.and_then(|call| self.seen.calls.get_mut(call)) {
            Some(call) => call.writes_to.push(raw.to_owned()),
            None => {
                self.seen.calls.push(Call { words: Vec::new(), writes_to: vec![raw.to_owned()] });
            }
        };
        match redirect {
            IoRedirect::File(_, kind, target) => match target {
                ast::IoFileRedirectTarget::Filename(word) => {
                    if !matches!(kind, ast::IoFileRedirectKind::Read) {
                        write(&word.value);
                    }
                    self.spot(&word.value, Place::RedirectTarget, None);
                }
                ast::IoFileRedirectTarget::Duplicate(word) => self.spot(&word.value, Place::RedirectTarget, None),
                ast::IoFileRedirectTarget::ProcessSubstitution(_, subshell) => {
                    self.list(&subshell.list);
                }
                ast::IoFileRedirectTarget::Fd(_) => {}
            },
            IoRedirect::HereDocument(_, document) => {
                self.spot(&document.doc.value, Place::HereDocument, None);
            }
            IoRedirect::HereString(_, word) => self.spot(&word.value, Place::Subject, None),
            IoRedirect::OutputAndError(word, _) => {
                write(&word.value);
                self.spot(&word.value, Place::RedirectTarget, None);
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand) {
        match compound {
            CompoundCommand::Arithmetic(inner) => self.spot(&inner.expr.value, Place::Arithmetic, None),
            CompoundCommand::ArithmeticForClause(inner) => {
                for part in [&inner.initializer, &inner.condition, &inner.updater].into_iter().flatten() {
                    self.spot(&part.value, Place::Arithmetic, None);
                }
                self.list(&inner.body.list);
            }
            CompoundCommand::BraceGroup(inner) => {
                self.list(&inner.list);
            }
            CompoundCommand::Subshell(inner) => {
                self.list(&inner.list);
            }
            CompoundCommand::ForClause(inner) => {
                self.seen.sets.push(inner.variable_name.clone());
                self.spot(&inner.variable_name, Place::AssignmentName, None);
                for word in inner.values.iter().flatten() {
                    self.spot(&word.value, Place::Subject, None);
                }
                self.list(&inner.body.list);
            }
            CompoundCommand::CaseClause(inner) => {
                self.spot(&inner.value.value, Place::Subject, None);
                for case in &inner.cases {
                    for pattern in &case.patterns {
                        self.spot(&pattern.value, Place::Subject, None);
                    }
                    if let Some(list) = &case.cmd {
                        self.list(list);
                    }
                }
            }
            CompoundCommand::IfClause(inner) => {
                self.list(&inner.condition);
                self.list(&inner.then);
                for other in inner.elses.iter().flatten() {
                    if let Some(condition) = &other.condition {
                        self.list(condition);
                    }
                    self.list(&other.body);
                }
            }
            CompoundCommand::WhileClause(inner) | CompoundCommand::UntilClause(inner) => {
                self.list(&inner.0);
                self.list(&inner.1.list);
            }
            CompoundCommand::Coprocess(inner) => {
                self.command(&inner.body);
            }
        }
    }

    fn test(&mut self, test: &ast::ExtendedTestExpr) {
        match test {
            ast::ExtendedTestExpr::And(left, right) | ast::ExtendedTestExpr::Or(left, right) => {
                self.test(left);
                self.test(right);
            }
            ast::ExtendedTestExpr::Not(inner) | ast::ExtendedTestExpr::Parenthesized(inner) => self.test(inner),
            // `[[ -v a[$(x)] ]]` and `[[ a[$(x)] -eq 1 ]]` run what they look at.
            ast::ExtendedTestExpr::UnaryTest(predicate, word) => {
                let computes = matches!(
                    predicate,
                    ast::UnaryPredicate::ShellVariableIsSetAndAssigned
                        | ast::UnaryPredicate::ShellVariableIsSetAndNameRef
                );
                self.spot(&word.value, if computes { Place::Arithmetic } else { Place::Subject }, None);
            }
            ast::ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                let computes = matches!(
                    predicate,
                    ast::BinaryPredicate::ArithmeticEqualTo
                        | ast::BinaryPredicate::ArithmeticNotEqualTo
                        | ast::BinaryPredicate::ArithmeticLessThan
                        | ast::BinaryPredicate::ArithmeticLessThanOrEqualTo
                        | ast::BinaryPredicate::ArithmeticGreaterThan
                        | ast::BinaryPredicate::ArithmeticGreaterThanOrEqualTo
                );
                let place = if computes { Place::Arithmetic } else { Place::Subject };
                self.spot(&left.value, place, None);
                self.spot(&right.value, place, None);
            }
        }
    }

    /// Notes a word, and reads the commands inside it.
    fn spot(&mut self, raw: &str, place: Place, call: Option<(usize, usize)>) {
        self.seen.spots.push(Spot { raw: raw.to_owned(), place, call });
        if place == Place::HereDocument || !raw.contains(['$', '`']) {
            return;
        }
        match pieces(raw) {
            Some(pieces) => self.inner(&pieces),
            None => self.wrong = Some(NotShell::Unreadable),
        }
    }

    fn inner(&mut self, pieces: &[WordPieceWithSource]) {
        for piece in pieces {
            match &piece.piece {
                WordPiece::CommandSubstitution(text) | WordPiece::BackquotedCommandSubstitution(text) => {
                    if let Err(wrong) = read_into(text, self.depth + 1, self.seen) {
                        self.wrong = Some(wrong);
                    }
                }
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    self.inner(inner);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_command_is_plain_words() {
        let simple = read("kubectl get pods -o \"jsonpath={.items[0].name}\" 'a b'").expect("shell");
        assert!(simple.is_simple);
        let words: Vec<_> = simple.calls[0].words.iter().map(|raw| literal(raw)).collect();
        assert_eq!(words[4].as_deref(), Some("jsonpath={.items[0].name}"));
        assert_eq!(words[5].as_deref(), Some("a b"));
        for text in ["a | b", "a && b", "a; b", "a > f", "A=1 a", "if a; then b; fi", "a &", "! a", "(a)"] {
            assert!(!read(text).expect(text).is_simple, "{text}");
        }
        for (raw, expected) in [("*.log", None), ("{a,b}", None), ("~/x", None), ("$X", None), ("a\\ b", Some("a b"))] {
            assert_eq!(literal(raw).as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn calls_inside_substitutions_are_seen() {
        let seen = read("echo \"$(cat \"$(ls | head -1)\")\" > out").expect("shell");
        let programs: Vec<_> = seen.calls.iter().map(|call| call.words[0].as_str()).collect();
        assert_eq!(programs, ["echo", "cat", "ls", "head"]);
        assert_eq!(seen.calls[0].writes_to, ["out"]);
        for text in ["a && b", "a || b", "a; b", "a | b", "if a; then b; fi", "(a); { b; }", "a & b"] {
            let programs: Vec<_> = read(text).expect(text).calls.iter().map(|call| call.words[0].clone()).collect();
            assert_eq!(programs, ["a", "b"], "{text}");
        }
    }

    #[test]
    fn deep_long_and_broken_texts_are_refused() {
        assert_eq!(read(&"(".repeat(5_000)).err(), Some(NotShell::TooDeep));
        assert_eq!(read(&"a ".repeat(20_000)).err(), Some(NotShell::TooLong));
        assert_eq!(read("echo \"open").err(), Some(NotShell::Unreadable));
        assert!(read(&format!("echo {}{}", "$(echo ".repeat(4), ")".repeat(4))).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9 $(){}<>|&;'\"`\\\\\\n\\[\\]=*?#!~-]{0,120}") {
            let _ = read(&text);
            let _ = pieces(&text);
        }
    }
}

//! A template as a constant shell text: each hole becomes `${RB_name}` in double quotes, whatever quotes it stands in.
//! The rewriting only proposes; the grammar then looks at the result, and a hole that is not a quoted parameter there is
//! a refusal.

use super::{Fault, Hole, Piece, Template, fault, refused_place, reinterpret};
use crate::runbook::grammar::{self, Place};
use crate::runbook::template::HoleKind;

/// Begins every name in the environment that carries a value.
pub(super) const PREFIX: &str = "RB_";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// Words: the text itself, `$(…)`, `(…)`.
    Words,
    Double,
    Single,
    Backtick,
    /// `${…}`: no value may stand there.
    Parameter,
    /// `$'…'`.
    Ansi,
}

/// The text and its environment.
pub(super) fn rewrite(template: &Template) -> Result<(String, Vec<(String, Hole)>), Fault> {
    let mut text = String::new();
    let mut env: Vec<(String, Hole)> = Vec::new();
    let mut inside = vec![Inside::Words];
    for piece in &template.pieces {
        match piece {
            Piece::Text(part) => {
                if part.contains("${RB_") || part.contains("$RB_") {
                    return Err(fault(0, "the command reads a variable whose name begins with RB_", "write {name}"));
                }
                follow(part, &mut inside);
                text.push_str(part);
            }
            Piece::Hole(hole) => {
                let name = name_in(&mut env, hole);
                let written = match inside.last().copied().unwrap_or(Inside::Words) {
                    Inside::Words | Inside::Backtick => format!("\"${{{name}}}\""),
                    Inside::Double => format!("${{{name}}}"),
                    Inside::Single => format!("'\"${{{name}}}\"'"),
                    Inside::Ansi | Inside::Parameter => {
                        let message = format!("{} stands inside ${{…}} or $'…'", hole.written);
                        return Err(fault(hole.at, message, "take it out of there"));
                    }
                };
                text.push_str(&written);
            }
        }
    }
    Ok((text, env))
}

fn name_in(env: &mut Vec<(String, Hole)>, hole: &Hole) -> String {
    if let Some((name, _)) = env.iter().find(|(_, known)| known.text == hole.text) {
        return name.clone();
    }
    let plain = hole.text.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
    let name = match hole.kind {
        _ if plain => env_name(&hole.text),
        HoleKind::Variable => format!("{PREFIX}EXPR_{}", env.len() + 1),
        HoleKind::Blank | HoleKind::Prompt => format!("{PREFIX}VALUE_{}", env.len() + 1),
    };
    env.push((name.clone(), hole.clone()));
    name
}

/// The name in the environment of a variable.
pub(super) fn env_name(variable: &str) -> String {
    format!("{PREFIX}{variable}")
}

/// Follows quotes through a piece of text.
fn follow(text: &str, inside: &mut Vec<Inside>) {
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(symbol) = letters.next() {
        let here = inside.last().copied().unwrap_or(Inside::Words);
        match (here, symbol) {
            (Inside::Single, '\'') | (Inside::Ansi, '\'') | (Inside::Double, '"') => {
                inside.pop();
            }
            (Inside::Single, _) => {}
            (_, '\\') => {
                letters.next();
            }
            (Inside::Ansi, _) => {}
            (Inside::Words | Inside::Backtick, '\'') => inside.push(Inside::Single),
            (Inside::Words | Inside::Backtick | Inside::Parameter, '"') => inside.push(Inside::Double),
            (_, '$') => match letters.peek() {
                Some('(') => {
                    letters.next();
                    inside.push(Inside::Words);
                }
                Some('{') => {
                    letters.next();
                    inside.push(Inside::Parameter);
                }
                Some('\'') if here != Inside::Double => {
                    letters.next();
                    inside.push(Inside::Ansi);
                }
                _ => {}
            },
            (Inside::Backtick, '`') => {
                inside.pop();
            }
            (_, '`') => inside.push(Inside::Backtick),
            (Inside::Parameter, '}') => {
                inside.pop();
            }
            (Inside::Words, '(') => inside.push(Inside::Words),
            (Inside::Words, ')') if inside.len() > 1 => {
                inside.pop();
            }
            (Inside::Words | Inside::Backtick, '#') if before.is_whitespace() => {
                // A comment: quotes in it mean nothing.
                while letters.next_if(|next| *next != '\n').is_some() {}
            }
            _ => {}
        }
        before = symbol;
    }
}

/// Looks at the finished text: every hole must be a quoted parameter at a place where a value may stand.
pub(super) fn verify(text: &str, env: &[(String, Hole)], is_path: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
    let seen = grammar::read(text).map_err(|why| super::not_shell(&why))?;
    let opening = format!("${{{PREFIX}");
    let mut safe = 0;
    for spot in &seen.spots {
        let here = grammar::quoted_parameters(&spot.raw, PREFIX);
        safe += here;
        let direct = here > 0 || (spot.place == Place::HereDocument && spot.raw.contains(&opening));
        let mentions = spot.raw.contains(&opening);
        let arithmetic = mentions && spot.raw.contains("$((");
        if arithmetic || (mentions && spot.place == Place::Arithmetic) {
            return Err(misplaced(env, &spot.raw, "where the shell computes"));
        }
        if !direct {
            continue;
        }
        if let Some(words) = refused_place(spot.place) {
            let only_paths = spot.place == Place::RedirectTarget
                && env.iter().filter(|(name, _)| spot.raw.contains(name.as_str())).all(|(_, hole)| is_path(&hole.text));
            if !only_paths {
                return Err(misplaced(env, &spot.raw, words));
            }
        }
        if let Some((call, word)) = spot.call
            && let Some(call) = seen.calls.get(call)
            && let Some(who) = reinterpret::reads_again(&call.words, word)
        {
            return Err(misplaced(env, &spot.raw, &format!("in what {who} would read as a program")));
        }
    }
    if safe == text.matches(&opening).count() {
        return Ok(());
    }
    Err(misplaced(env, text, "where it cannot be kept apart from the command (a comment, a pattern, nested quotes)"))
}

fn misplaced(env: &[(String, Hole)], raw: &str, place: &str) -> Fault {
    let hole = env.iter().find(|(name, _)| raw.contains(name.as_str())).map(|(_, hole)| hole);
    let (at, written) = hole.map_or((0, "a value"), |hole| (hole.at, hole.written.as_str()));
    fault(at, format!("{written} stands {place}"), "a value may be an argument, nothing that is read again")
}

//! The words of a command with the value and the source of each placeholder in them, for people to read.

use crate::domain::run::{Part, Word};
use crate::runbook::Runbook;
use crate::runbook::expand::{Invocation, Plan, Run, plan, template_of};
use crate::runbook::model::{self, Kind, Pick, Step, Work};
use crate::runbook::template::{self, Piece};
use crate::step::capture::{Capture, CaptureFrom, CaptureHow};
use crate::text::Clean;

/// Every word on its own; where a word holds values, which ones and where they come from.
pub(super) fn words(runbook: &Runbook, step: &Step, invocation: &Invocation) -> Vec<Word> {
    let Run::Argv(argv) = &invocation.run else { return Vec::new() };
    let pieces = pieces(runbook, step).filter(|pieces| pieces.len() == argv.len()).unwrap_or_default();
    let word = |(at, text): (usize, &String)| {
        let holes = pieces.get(at).into_iter().flatten().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            Piece::Text(_) => None,
        });
        let parts = holes.filter_map(|hole| {
            let (_, bound) = invocation.uses.iter().find(|(name, _)| *name == hole.text)?;
            let source = Clean::new(bound.origin.to_string());
            Some(Part { placeholder: Clean::new(&hole.text), value: bound.shown(), source })
        });
        Word { text: Clean::new(text), parts: parts.collect() }
    };
    argv.iter().enumerate().map(word).collect()
}

fn pieces(runbook: &Runbook, step: &Step) -> Option<Vec<Vec<Piece>>> {
    match &step.work {
        Work::Argv { words } => Some(words.iter().map(|word| template::native(word).pieces).collect()),
        Work::Automated { command } => {
            let is_path = |name: &str| matches!(runbook.param(name).map(|param| &param.kind), Some(Kind::Path { .. }));
            match plan(&template_of(runbook, command)?, step.handling.shell, &is_path).ok()? {
                Plan::Argv(words) => Some(words),
                Plan::Shell { .. } => None,
            }
        }
        _ => None,
    }
}

/// A capture as the supervisor takes it; what goes through `$RB_OUTPUT` it takes by itself.
pub(super) fn capture(capture: &model::Capture) -> Option<Capture> {
    let from = match capture.from {
        model::Stream::Stdout => CaptureFrom::Stdout,
        model::Stream::Stderr => CaptureFrom::Stderr,
        model::Stream::File => return None,
    };
    let how = match &capture.pick {
        Pick::Trim => CaptureHow::Whole,
        Pick::Json(pointer) => CaptureHow::Json(pointer.clone()),
        Pick::Regex(pattern) => CaptureHow::Regex(pattern.clone()),
        Pick::Line(number) => CaptureHow::Line(*number),
    };
    Some(Capture { name: capture.name.clone(), from, how, trim: true })
}

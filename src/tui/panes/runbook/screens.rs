//! What the terminals of steps show, for the few that were seen last.

use std::collections::VecDeque;

use crate::domain::id::StepId;
use crate::domain::run::RunId;
use crate::text::emulator::Emulator;

/// Terminals that are remembered.
const MOST: usize = 4;

/// The size of a step's terminal until somebody opens it: the engine starts it so.
const SIZE: (u16, u16) = (80, 24);

/// The terminals of steps.
#[derive(Debug, Default)]
pub struct Screens {
    all: VecDeque<((RunId, StepId), Emulator)>,
}

impl Screens {
    /// Takes a step's output in.
    pub fn take(&mut self, run: RunId, step: &StepId, bytes: &[u8]) {
        self.with(run, step, |emulator| emulator.take(bytes));
    }

    /// A step's terminal has another size.
    pub fn resize(&mut self, run: RunId, step: &StepId, columns: u16, rows: u16) {
        self.with(run, step, |emulator| emulator.resize(columns, rows));
    }

    /// A step's terminal.
    #[must_use]
    pub fn of(&self, run: RunId, step: &StepId) -> Option<&Emulator> {
        self.all.iter().find(|((of, id), _)| *of == run && id == step).map(|(_, emulator)| emulator)
    }

    /// The one that was used last stands first; the others are forgotten from the end.
    fn with(&mut self, run: RunId, step: &StepId, then: impl FnOnce(&mut Emulator)) {
        let found = self.all.iter().position(|((of, id), _)| *of == run && id == step);
        let known = found.and_then(|at| self.all.remove(at));
        let (key, mut emulator) = known.unwrap_or_else(|| ((run, step.clone()), Emulator::new(SIZE.0, SIZE.1)));
        then(&mut emulator);
        self.all.truncate(MOST - 1);
        self.all.push_front((key, emulator));
    }
}

//! What steps printed, as much as a person can scroll through; the rest is in the spool, and counted.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::id::StepId;
use crate::domain::run::{Printed, RunId};
use crate::text::Clean;

/// Bytes of one step's lines: more is in its spool.
const MOST_BYTES: usize = 4 << 20;

/// Steps whose output is remembered.
const MOST_STEPS: usize = 16;

/// What one step printed.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The newest lines; `None` where something was left out before, with how many bytes.
    pub lines: VecDeque<Result<Clean, u64>>,
    /// Bytes of `lines`.
    held: usize,
    /// Everything it printed, in bytes.
    pub bytes: u64,
    /// What is not in `lines`, in bytes.
    pub dropped: u64,
}

/// What the steps printed.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    all: BTreeMap<(RunId, StepId), Output>,
    order: VecDeque<(RunId, StepId)>,
}

impl Outputs {
    /// Takes a helping in.
    pub fn take(&mut self, printed: Printed) {
        let key = (printed.run, printed.step);
        if !self.all.contains_key(&key) {
            self.order.push_back(key.clone());
            while self.order.len() > MOST_STEPS {
                if let Some(oldest) = self.order.pop_front() {
                    self.all.remove(&oldest);
                }
            }
        }
        let output = self.all.entry(key).or_default();
        // A step that is tried again begins anew.
        if printed.bytes < output.bytes {
            *output = Output::default();
        }
        output.bytes = printed.bytes;
        if printed.dropped > 0 {
            output.dropped += printed.dropped;
            output.lines.push_back(Err(printed.dropped));
        }
        for line in printed.lines {
            output.held += line.as_str().len() + 1;
            output.lines.push_back(Ok(line));
        }
        while output.held > MOST_BYTES {
            match output.lines.pop_front() {
                Some(Ok(line)) => {
                    output.held -= line.as_str().len() + 1;
                    output.dropped += line.as_str().len() as u64 + 1;
                }
                Some(Err(_)) => {}
                None => break,
            }
        }
    }

    /// What a step printed.
    #[must_use]
    pub fn of(&self, run: RunId, step: &StepId) -> Option<&Output> {
        self.all.get(&(run, step.clone()))
    }
}

impl Output {
    /// All of it that is here, for the clipboard.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.held);
        for line in &self.lines {
            match line {
                Ok(line) => text.push_str(line.as_str()),
                Err(bytes) => text.push_str(&format!("… {bytes} bytes not shown …")),
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(lines: &[&str], bytes: u64, dropped: u64) -> Printed {
        let step = StepId::parse("top").unwrap();
        let lines = lines.iter().map(Clean::new).collect();
        Printed { run: RunId(uuid::Uuid::nil()), step, lines, bytes, dropped }
    }

    #[test]
    fn what_is_left_out_is_marked_and_counted() {
        let mut outputs = Outputs::default();
        outputs.take(printed(&["a", "b"], 4, 0));
        outputs.take(printed(&["z"], 1_006, 1_000));
        let output = outputs.of(RunId(uuid::Uuid::nil()), &StepId::parse("top").unwrap()).unwrap();
        assert_eq!(output.text(), "a\nb\n… 1000 bytes not shown …\nz\n");
        assert_eq!((output.bytes, output.dropped), (1_006, 1_000));
    }

    #[test]
    fn a_flood_stays_within_its_bounds() {
        let mut outputs = Outputs::default();
        let line = "x".repeat(999);
        for number in 1..=10_000_u64 {
            outputs.take(printed(&[&line], number * 1_000, 0));
        }
        let output = outputs.of(RunId(uuid::Uuid::nil()), &StepId::parse("top").unwrap()).unwrap();
        assert!(output.held <= MOST_BYTES);
        assert_eq!(output.dropped + output.held as u64, output.bytes, "every byte is here or counted");
    }
}

//! Walks through a recording: forwards by taking messages in, backwards by beginning again. Pure: the player's own time
//! comes in as spans.

use std::time::Duration;

use super::{EffectHash, Hash, Line, Recording};
use crate::domain::time::Timestamp;
use crate::tui::model::Model;
use crate::tui::update::update;

/// Makes the model that the session began with.
pub type Begin = Box<dyn Fn() -> Model>;

/// The slowest and the fastest a recording is played, as powers of two.
const SPEEDS: std::ops::RangeInclusive<i32> = -3..=8;

/// A recording that is being walked through.
pub struct Player {
    begin: Begin,
    lines: Vec<Line>,
    model: Model,
    /// The next line.
    next: usize,
    effects: EffectHash,
    messages: u64,
    /// Where in recorded time the player stands.
    position: Timestamp,
    /// Whether time goes on.
    pub is_playing: bool,
    speed: i32,
}

impl std::fmt::Debug for Player {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Player").field("next", &self.next).field("position", &self.position).finish_non_exhaustive()
    }
}

/// How a replay differs from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Another frame after so many messages.
    Frame {
        /// Messages taken in before it.
        after: u64,
        /// What was recorded.
        recorded: Hash,
        /// What came out now.
        drawn: Hash,
    },
    /// Other effects.
    Effects {
        /// What was recorded.
        recorded: Hash,
        /// What came out now.
        made: Hash,
    },
    /// Messages are missing.
    Messages {
        /// What was recorded.
        recorded: u64,
        /// How many there are.
        found: u64,
    },
}

/// What a whole replay showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Messages taken in.
    pub messages: u64,
    /// Frames compared.
    pub frames: u64,
    /// The first difference.
    pub difference: Option<Difference>,
}

impl Player {
    /// At the beginning, standing still.
    #[must_use]
    pub fn new(recording: Recording, begin: Begin) -> Self {
        let model = begin();
        Self {
            begin,
            position: recording.header.start.now,
            lines: recording.lines,
            model,
            next: 0,
            effects: EffectHash::default(),
            messages: 0,
            is_playing: false,
            speed: 0,
        }
    }

    /// The screen as it was.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Where in recorded time it stands.
    #[must_use]
    pub fn position(&self) -> Timestamp {
        self.position
    }

    /// First and last instant.
    #[must_use]
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let mut taken = self.lines.iter().filter_map(instant);
        let first = taken.next().unwrap_or(self.position);
        (first, self.lines.iter().rev().find_map(instant).unwrap_or(first))
    }

    /// How many times as fast as it happened.
    #[must_use]
    pub fn speed(&self) -> f64 {
        f64::from(self.speed).exp2()
    }

    /// Twice as fast, or half.
    pub fn change_speed(&mut self, faster: bool) {
        self.speed = (self.speed + if faster { 1 } else { -1 }).clamp(*SPEEDS.start(), *SPEEDS.end());
    }

    /// As near to `speed` as can be.
    pub fn set_speed(&mut self, speed: f64) {
        self.speed = (speed.max(0.01).log2().round() as i32).clamp(*SPEEDS.start(), *SPEEDS.end());
    }

    /// Whether everything has been taken in.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.upcoming().is_none()
    }

    fn upcoming(&self) -> Option<Timestamp> {
        self.lines.iter().skip(self.next).find_map(instant)
    }

    /// How long until the next message, at this speed; `None` when it stands still or is over.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        let next = self.upcoming().filter(|_| self.is_playing)?;
        let recorded = next.signed_duration_since(self.position).to_std().unwrap_or(Duration::ZERO);
        Duration::try_from_secs_f64(recorded.as_secs_f64() / self.speed()).ok()
    }

    /// Lets `real` time pass.
    pub fn pass(&mut self, real: Duration) {
        if !self.is_playing {
            return;
        }
        let recorded = Duration::try_from_secs_f64(real.as_secs_f64() * self.speed()).unwrap_or(Duration::MAX);
        let recorded = chrono::Duration::from_std(recorded).unwrap_or(chrono::Duration::MAX);
        let to = self.position.checked_add_signed(recorded).unwrap_or(self.position);
        self.run_until(to);
        if self.is_over() {
            self.is_playing = false;
        }
    }

    /// Goes to an instant, forwards or backwards.
    pub fn seek(&mut self, to: Timestamp) {
        let (first, last) = self.span();
        let to = to.clamp(first.min(last), last.max(first));
        if to < self.position {
            self.rewind();
        }
        self.run_until(to);
    }

    /// Takes the next message in.
    pub fn forward(&mut self) {
        while let Some(line) = self.lines.get(self.next) {
            let is_message = instant(line).is_some();
            self.take_one();
            if is_message {
                return;
            }
        }
    }

    /// Back to before the last message.
    pub fn back(&mut self) {
        let wanted = self.messages.saturating_sub(1);
        self.rewind();
        while self.messages < wanted && !self.is_over() {
            self.forward();
        }
    }

    /// Replays everything from the beginning and compares; `draw` gives a frame as it was hashed when recording.
    pub fn prove(&mut self, mut draw: impl FnMut(&Model) -> String) -> Proof {
        self.rewind();
        let mut proof = Proof::default();
        while let Some(line) = self.lines.get(self.next) {
            let difference = match line {
                Line::Took(_) => None,
                Line::Drew { frame } => {
                    proof.frames += 1;
                    let drawn = super::frame_hash(&draw(&self.model));
                    let recorded = frame.clone();
                    (drawn != recorded).then_some(Difference::Frame { after: self.messages, recorded, drawn })
                }
                Line::Ended { messages, effects } => self.compare_end(*messages, effects),
            };
            proof.difference = proof.difference.or(difference);
            self.take_one();
        }
        proof.messages = self.messages;
        proof
    }

    fn compare_end(&self, messages: u64, effects: &Hash) -> Option<Difference> {
        if messages != self.messages {
            return Some(Difference::Messages { recorded: messages, found: self.messages });
        }
        let made = self.effects.hash();
        (made != *effects).then(|| Difference::Effects { recorded: effects.clone(), made })
    }

    fn rewind(&mut self) {
        self.model = (self.begin)();
        self.next = 0;
        self.messages = 0;
        self.effects = EffectHash::default();
        self.position = self.span().0;
    }

    /// A clock that was set back while recording does not hold the player up: lines go in their order.
    fn run_until(&mut self, to: Timestamp) {
        while self.upcoming().is_some_and(|at| at <= to) {
            self.take_one();
        }
        self.position = to;
    }

    fn take_one(&mut self) {
        if let Some(Line::Took(taken)) = self.lines.get(self.next) {
            self.position = self.position.max(taken.at);
            let step = update(&mut self.model, taken.msg.clone(), taken.at);
            self.effects.add(&step.effects);
            self.messages += 1;
        }
        self.next += 1;
    }
}

fn instant(line: &Line) -> Option<Timestamp> {
    match line {
        Line::Took(taken) => Some(taken.at),
        Line::Drew { .. } | Line::Ended { .. } => None,
    }
}

//! A recorded session: everything that entered `update`, in order, each with its instant; and what it led to, so that a
//! replay can prove itself. The same messages lead to the same model, the same effects and the same frames.
//!
//! JSON Lines, described in docs/recording.md. The first line is the [`Header`]; a file that ends in the middle of a line
//! (the console was killed) replays up to there.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::model::{Banner, PagerAccess, Setup, Size};
use super::msg::Msg;
use crate::config::keymap::Keymap;
use crate::config::theme::{Capabilities, Theme};
use crate::domain::effect::Effect;
use crate::domain::problem::Problem;
use crate::domain::time::Timestamp;
use crate::text::Clean;

pub mod player;

/// Version of the file's form; grows when a line changes its meaning.
pub const FORM: u32 = 1;

/// Sha-256, hex.
pub type Hash = String;

/// What the session began with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORM`].
    pub form: u32,
    /// The program that recorded.
    pub version: String,
    /// What the screen started with, apart from what stands in [`Header::files`].
    pub start: Start,
    /// The configuration, dashboards and runbooks that were the user's own; what is built in belongs to the version.
    pub files: Vec<File>,
}

/// The part of [`Setup`] that does not come from files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// When.
    pub now: Timestamp,
    /// Size of the terminal.
    pub size: Size,
    /// What the terminal could show.
    pub capabilities: Capabilities,
    /// Seed of the op ids.
    pub seed: u64,
    /// The room's name.
    pub room_name: Clean,
    /// Who acted.
    pub operator: Clean,
    /// Zone of the clock.
    pub zone: chrono_tz::Tz,
    /// Whether every action was refused.
    pub read_only: bool,
    /// Whether the bell rang.
    pub bell: bool,
    /// How PagerDuty could be spoken to.
    pub pager: PagerAccess,
    /// What kind of world it was.
    pub banner: Option<Banner>,
    /// Themes, the one in force first.
    pub themes: Vec<Theme>,
    /// Keys.
    pub keymap: Keymap,
    /// What was wrong with files.
    pub problems: Vec<Problem>,
}

impl Start {
    /// Of a screen that is about to start.
    #[must_use]
    pub fn of(setup: &Setup, capabilities: Capabilities) -> Self {
        Self {
            now: setup.now,
            size: setup.size,
            capabilities,
            seed: setup.seed,
            room_name: setup.room_name.clone(),
            operator: setup.operator.clone(),
            zone: setup.zone,
            read_only: setup.read_only,
            bell: setup.bell,
            pager: setup.pager,
            banner: setup.banner.clone(),
            themes: setup.themes.iter().map(|theme| (**theme).clone()).collect(),
            keymap: (*setup.keymap).clone(),
            problems: setup.problems.clone(),
        }
    }
}

/// A file of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is.
    pub kind: FileKind,
    /// Its name without folders.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// The configuration. It names secrets and holds none.
    Config,
    /// A dashboard.
    Dashboard,
    /// A runbook.
    Runbook,
}

/// One line of a recording after the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A message entered `update`.
    Took(Taken),
    /// The frame at this point, by the hash of its glyphs and styles.
    Drew {
        /// Its hash.
        frame: Hash,
    },
    /// The session ended.
    Ended {
        /// How many messages there were.
        messages: u64,
        /// Hash over all effects, in order.
        effects: Hash,
    },
}

/// A message and when it was taken in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// The `now` that `update` got.
    pub at: Timestamp,
    /// The message.
    pub msg: Msg,
}

/// A whole recording.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it began with.
    pub header: Header,
    /// What followed.
    pub lines: Vec<Line>,
    /// The last line was cut off: the console did not end by itself.
    pub is_cut: bool,
}

/// Why a file cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The first line is no header.
    NotARecording(String),
    /// It was made by a newer program.
    Newer(u32),
    /// A line in the middle cannot be read.
    Line(usize, String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecording(cause) => {
                write!(out, "this is no recording ({cause}); make one with 'warroom --record FILE'")
            }
            Self::Newer(form) => {
                write!(out, "recorded in form {form}, this program knows {FORM}; replay it with a newer warroom")
            }
            Self::Line(number, cause) => {
                write!(out, "line {number} cannot be read ({cause}); the file was changed or damaged")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl Recording {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is no recording, a newer one, or damaged before its end.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let mut rows = text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()).peekable();
        let (_, first) = rows.next().ok_or_else(|| Unreadable::NotARecording("the file is empty".to_owned()))?;
        let form = serde_json::from_str::<Form>(first).map_err(|cause| Unreadable::NotARecording(cause.to_string()))?;
        if form.form > FORM {
            return Err(Unreadable::Newer(form.form));
        }
        let header = serde_json::from_str(first).map_err(|cause| Unreadable::NotARecording(cause.to_string()))?;
        let mut recording = Self { header, lines: Vec::new(), is_cut: false };
        while let Some((at, row)) = rows.next() {
            match serde_json::from_str(row) {
                Ok(line) => recording.lines.push(line),
                Err(_) if rows.peek().is_none() && !text.ends_with('\n') => recording.is_cut = true,
                Err(cause) => return Err(Unreadable::Line(at + 1, cause.to_string())),
            }
        }
        recording.is_cut |= !matches!(recording.lines.last(), Some(Line::Ended { .. }));
        Ok(recording)
    }
}

/// As much of the header as every form has.
#[derive(Deserialize)]
struct Form {
    form: u32,
}

/// Sums effects up, in order.
#[derive(Clone, Debug, Default)]
pub struct EffectHash(Sha256);

impl EffectHash {
    /// Adds the effects of one step.
    pub fn add(&mut self, effects: &[Effect]) {
        for effect in effects {
            // An effect is plain data: it always has a JSON form.
            self.0.update(serde_json::to_vec(effect).unwrap_or_default());
            self.0.update(b"\n");
        }
    }

    /// The sum so far.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hex(&self.0.clone().finalize())
    }
}

/// Hash of a frame as text.
#[must_use]
pub fn frame_hash(frame: &str) -> Hash {
    hex(&Sha256::digest(frame.as_bytes()))
}

fn hex(bytes: &[u8]) -> Hash {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests;

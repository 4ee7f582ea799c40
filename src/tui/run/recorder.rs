//! Writes a session down while it runs, on a thread of its own: the screen never waits for the disk.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::domain::effect::Effect;
use crate::domain::time::Timestamp;
use crate::tui::msg::Msg;
use crate::tui::recording::{EffectHash, Header, Line, Taken, frame_hash};

/// Messages that may wait for the disk. A storm brings some hundreds a second; one that cannot be written for longer than
/// this holds is no recording any more.
const LANE: usize = 8_192;

/// How long a line may stay unwritten.
const FLUSH: Duration = Duration::from_secs(1);

/// Between two frames that are hashed.
pub(super) const FRAME_GAP: Duration = Duration::from_secs(2);

enum Note {
    Took(Box<Taken>, Vec<Effect>),
    Drew(String),
}

/// Writes a session down.
#[derive(Debug)]
pub struct Recorder {
    lane: Option<SyncSender<Note>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Recorder {
    /// Creates the file, for its owner only, and writes the header.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn start(path: &Path, header: &Header) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut file = BufWriter::new(file);
        write(&mut file, header)?;
        file.flush()?;
        let (lane, notes) = sync_channel(LANE);
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || write_down(file, &notes))?;
        Ok(Self { lane: Some(lane), thread: Some(thread) })
    }

    /// A message went through `update`. False when the recording had to stop: it would have a hole.
    #[must_use]
    pub(super) fn took(&mut self, at: Timestamp, msg: Msg, effects: &[Effect]) -> bool {
        self.note(Note::Took(Box::new(Taken { at, msg }), effects.to_vec()))
    }

    /// A frame was drawn.
    pub(super) fn drew(&mut self, frame: String) {
        let _ = self.note(Note::Drew(frame));
    }

    fn note(&mut self, note: Note) -> bool {
        let Some(lane) = &self.lane else { return true };
        match lane.try_send(note) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lane = None;
                false
            }
        }
    }

    /// Writes the end.
    ///
    /// # Errors
    /// What the disk said.
    pub fn finish(mut self) -> io::Result<()> {
        self.lane = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(io::Error::other("its thread panicked")),
            None => Ok(()),
        }
    }
}

/// What the file ends with.
#[derive(Default)]
struct Sum {
    messages: u64,
    effects: EffectHash,
}

impl Sum {
    fn write(&mut self, file: &mut BufWriter<std::fs::File>, note: Note) -> io::Result<()> {
        match note {
            Note::Took(taken, made) => {
                self.effects.add(&made);
                self.messages += 1;
                write(file, &Line::Took(*taken))
            }
            Note::Drew(frame) => write(file, &Line::Drew { frame: frame_hash(&frame) }),
        }
    }
}

fn write_down(mut file: BufWriter<std::fs::File>, notes: &Receiver<Note>) -> io::Result<()> {
    let mut sum = Sum::default();
    loop {
        let note = match notes.recv_timeout(FLUSH) {
            Ok(note) => note,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                file.flush()?;
                // Nothing is owed to the disk: wait without a clock, so that an idle room does not wake for this.
                let Ok(note) = notes.recv() else { break };
                note
            }
        };
        sum.write(&mut file, note)?;
    }
    write(&mut file, &Line::Ended { messages: sum.messages, effects: sum.effects.hash() })?;
    file.flush()
}

fn write(file: &mut BufWriter<std::fs::File>, line: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

//! The loop around `update` and `view`: signals and input first, then a bounded helping of facts, then one frame. No
//! ticker: it sleeps until something happens or the model named an instant.

mod away;
pub mod playback;
pub mod recorder;
mod signals;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

use super::export;
use super::input::{INPUT_LANE, Read, Reader};
use super::model::Model;
use super::msg::{Input, Msg, TerminalEffect};
use super::pacer::{Pacer, Urgency};
use super::ports::Ports;
use super::terminal::{Screen, Written, size};
use super::update::update;
use crate::domain::effect::Effect;
use crate::domain::fact::Fact;
use crate::domain::time::Timestamp;
use away::{Away, Back};
use recorder::{FRAME_GAP, Recorder};
use signals::{Signal, Signals};

/// Facts taken before input and frame get their turn again.
const HELPING: usize = 64;

/// Time for one helping.
const HELPING_TIME: Duration = Duration::from_millis(4);

/// The longest sleep: a clock that was set, or a machine that slept, is noticed within this.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What the loop needs to know.
#[derive(Debug, Default)]
pub struct Options {
    /// At most so many frames a second.
    pub fps: Option<u16>,
    /// The editor's command line, such as `vim -f`.
    pub editor: String,
    /// What children of ours get of the environment; it holds no secret.
    pub environment: Vec<(String, String)>,
    /// Writes the session down.
    pub recorder: Option<Recorder>,
}

/// Shows the room until it is left. Gives the exit code: 0, 129 (the terminal is gone), 130, 131, 143 (signals).
///
/// The terminal is given back before this returns, except after a hangup: then nothing is written to it any more.
///
/// # Errors
/// When there is no terminal, or it cannot be put into raw mode.
pub async fn run(
    mut model: Model,
    ports: Ports,
    options: Options,
    mut view: impl FnMut(&Model, &mut Buffer),
) -> io::Result<i32> {
    let mut room = Loop::open(&mut model, ports, options)?;
    loop {
        room.draw_if_due(&model, &mut view);
        if let Some(code) = room.turn(&mut model).await? {
            room.close(code);
            return Ok(code);
        }
    }
}

struct Loop {
    ports: Ports,
    options: Options,
    screen: Screen,
    signals: Signals,
    reader: Option<Reader>,
    inputs: mpsc::Receiver<Read>,
    lane: mpsc::Sender<Read>,
    pacer: Pacer,
    began: Instant,
    /// Effects that found the lane full, in order: none is ever lost.
    backlog: VecDeque<Effect>,
    away: Option<Away>,
    /// Stopped, as by a shell's Ctrl-Z: the terminal is the shell's until it lets us go on.
    is_stopped: bool,
    /// The engine is gone: its lane is not waited for any more.
    is_alone: bool,
    has_reloads: bool,
    recorder: Option<Recorder>,
    /// When a frame was last hashed for the recording.
    hashed: Option<Duration>,
}

/// What woke the loop.
enum Woken {
    Signal(Signal),
    Read(Read),
    Written(Written),
    Room(mpsc::OwnedPermit<Effect>),
    Fact(Option<Fact>),
    Reload(Option<super::ports::Reload>),
    Back(Back),
    Timer,
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the loop is the edge where the screen learns the time")]
    chrono::Utc::now()
}

impl Loop {
    fn open(model: &mut Model, ports: Ports, mut options: Options) -> io::Result<Self> {
        let signals = Signals::listen()?;
        model.size = size();
        let screen = Screen::open(model.size)?;
        let (lane, inputs) = mpsc::channel(INPUT_LANE);
        let reader = Some(Reader::start(lane.clone())?);
        let mut pacer = Pacer::new(options.fps);
        pacer.want(Urgency::Key);
        let recorder = options.recorder.take();
        Ok(Self {
            ports,
            options,
            screen,
            signals,
            reader,
            inputs,
            lane,
            pacer,
            began: Instant::now(),
            backlog: VecDeque::new(),
            away: None,
            is_stopped: false,
            is_alone: false,
            has_reloads: true,
            recorder,
            hashed: None,
        })
    }

    /// Waits for something to happen, and lets it in.
    async fn turn(&mut self, model: &mut Model) -> io::Result<Option<i32>> {
        let sleep = self.sleep(model);
        let is_away = self.is_away();
        let has_child = self.away.is_some();
        let woken = tokio::select! {
            biased;
            signal = self.signals.next() => Woken::Signal(signal),
            Some(read) = self.inputs.recv(), if !is_away => Woken::Read(read),
            back = away::back(&mut self.away), if has_child => Woken::Back(back),
            written = self.screen.written() => Woken::Written(written),
            Ok(permit) = self.ports.effects.clone().reserve_owned(), if !self.backlog.is_empty() => Woken::Room(permit),
            fact = self.ports.facts.recv(), if !self.is_alone => Woken::Fact(fact),
            reload = self.ports.reloads.recv(), if self.has_reloads => Woken::Reload(reload),
            () = tokio::time::sleep(sleep) => Woken::Timer,
        };
        match woken {
            Woken::Signal(signal) => return self.signalled(model, signal),
            Woken::Read(read) => return self.drain_input(model, read),
            Woken::Back(back) => return self.come_back(model, back),
            Woken::Written(Written::Gone) => return Ok(Some(129)),
            Woken::Written(Written::Taken(took)) => {
                self.pacer.written(took);
                if self.pacer.is_slow() != model.is_slow_terminal {
                    return self.feed(model, Msg::Slowed(self.pacer.is_slow()), Urgency::Calm);
                }
            }
            Woken::Room(permit) => {
                if let Some(effect) = self.backlog.pop_front() {
                    permit.send(effect);
                }
            }
            Woken::Fact(Some(fact)) => return self.drain_facts(model, fact),
            Woken::Fact(None) => self.is_alone = true,
            Woken::Reload(Some(reload)) => return self.feed(model, Msg::Reloaded(reload), Urgency::Key),
            Woken::Reload(None) => self.has_reloads = false,
            Woken::Timer => {
                if model.next_wake(now()).is_some_and(|wake| wake <= now()) {
                    return self.feed(model, Msg::Woke, Urgency::Calm);
                }
            }
        }
        Ok(None)
    }

    /// Whether somebody else has terminal and keyboard.
    fn is_away(&self) -> bool {
        self.away.is_some() || self.is_stopped
    }

    /// Until the frame that is owed, or the instant that the model named.
    fn sleep(&self, model: &Model) -> Duration {
        let now = now();
        let wake = model.next_wake(now).map_or(LONGEST_SLEEP, |wake| {
            wake.signed_duration_since(now).to_std().unwrap_or(Duration::ZERO).min(LONGEST_SLEEP)
        });
        // A frame that waits for the writer is drawn when the writer says that it is done.
        let can_draw = !self.is_away() && self.screen.is_free();
        let frame = self.pacer.due().filter(|_| can_draw).map(|due| due.saturating_sub(self.began.elapsed()));
        frame.map_or(wake, |frame| frame.min(wake))
    }

    fn draw_if_due(&mut self, model: &Model, view: &mut impl FnMut(&Model, &mut Buffer)) {
        let elapsed = self.began.elapsed();
        let is_due = self.pacer.due().is_some_and(|due| due <= elapsed);
        if !is_due || self.is_away() || !self.screen.is_free() {
            return;
        }
        self.pacer.drawn(elapsed);
        let hashes = self.recorder.is_some() && self.hashed.is_none_or(|last| elapsed - last >= FRAME_GAP);
        let mut shown = None;
        self.screen.draw(|buffer| {
            view(model, buffer);
            // In the moment of a resize the frame is not yet the model's.
            if hashes && (buffer.area.width, buffer.area.height) == (model.size.width, model.size.height) {
                shown = Some(export::text(buffer));
            }
        });
        if let (Some(recorder), Some(shown)) = (&mut self.recorder, shown) {
            recorder.drew(shown);
            self.hashed = Some(elapsed);
        }
    }

    /// One message through `update`, and what it asked for.
    fn feed(&mut self, model: &mut Model, msg: Msg, urgency: Urgency) -> io::Result<Option<i32>> {
        let at = now();
        let taken = self.recorder.as_ref().map(|_| msg.clone());
        let step = update(model, msg, at);
        if let (Some(recorder), Some(msg)) = (&mut self.recorder, taken)
            && !recorder.took(at, msg, &step.effects)
        {
            self.stop_recording(model);
        }
        if step.redraw {
            self.pacer.want(urgency);
        }
        for effect in step.effects {
            self.send(effect);
        }
        for effect in step.terminal {
            if let Some(code) = self.obey(model, effect)? {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    /// The disk does not keep up or is full: a recording with a hole would replay into another world.
    fn stop_recording(&mut self, model: &mut Model) {
        let cause = self.recorder.take().map(Recorder::finish);
        let why = match cause {
            Some(Err(cause)) => format!("the recording ended here: {cause}"),
            _ => "the recording ended here: the disk takes it too slowly".to_owned(),
        };
        tracing::warn!("{why}");
        update(model, Msg::Refused(why), now());
        self.pacer.want(Urgency::Calm);
    }

    fn send(&mut self, effect: Effect) {
        if !self.backlog.is_empty() {
            self.backlog.push_back(effect);
            return;
        }
        match self.ports.effects.try_send(effect) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(effect)) => self.backlog.push_back(effect),
        }
    }

    /// All input that is there, so that a held key leaves no queue behind (gitui 869), then one frame.
    fn drain_input(&mut self, model: &mut Model, first: Read) -> io::Result<Option<i32>> {
        let mut next = Some(first);
        while let Some(read) = next {
            match read {
                Read::HungUp => return Ok(Some(129)),
                Read::Input(input) => {
                    if let Some(code) = self.feed(model, Msg::Input(input), Urgency::Key)? {
                        return Ok(Some(code));
                    }
                }
            }
            if self.is_away() {
                break;
            }
            next = self.inputs.try_recv().ok();
        }
        Ok(None)
    }

    fn drain_facts(&mut self, model: &mut Model, first: Fact) -> io::Result<Option<i32>> {
        let began = Instant::now();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(fact) = next {
            if let Some(code) = self.feed(model, Msg::Learned(fact), Urgency::Calm)? {
                return Ok(Some(code));
            }
            taken += 1;
            if taken >= HELPING || began.elapsed() >= HELPING_TIME {
                break;
            }
            next = self.ports.facts.try_recv().ok();
        }
        Ok(None)
    }

    fn signalled(&mut self, model: &mut Model, signal: Signal) -> io::Result<Option<i32>> {
        match signal {
            Signal::HungUp => Ok(Some(129)),
            Signal::Terminated => Ok(Some(143)),
            Signal::Quitted => Ok(Some(131)),
            // An editor in front has its own Ctrl-C; raw mode sends ours as a key, so this one came from outside.
            Signal::Interrupted => Ok(self.away.is_none().then_some(130)),
            Signal::Resized => {
                let size = size();
                self.screen.resize(size);
                self.feed(model, Msg::Input(Input::Resized(size)), Urgency::Stream)
            }
            Signal::Stopped if !self.is_away() => {
                self.suspend();
                Ok(None)
            }
            // Also when somebody stopped us without asking: the shell may have changed the terminal meanwhile.
            Signal::Continued if self.away.is_none() => {
                self.is_stopped = false;
                self.reader = None;
                self.show_again(model)
            }
            Signal::Stopped | Signal::Continued => Ok(None),
        }
    }

    fn obey(&mut self, model: &mut Model, effect: TerminalEffect) -> io::Result<Option<i32>> {
        match effect {
            TerminalEffect::Copy(text) => self.screen.copy(&text),
            TerminalEffect::Bell => self.screen.bell(),
            TerminalEffect::Redraw => {
                self.screen.redraw();
                self.pacer.want(Urgency::Key);
            }
            TerminalEffect::Quit(code) => return Ok(Some(code)),
            TerminalEffect::Suspend => self.suspend(),
            TerminalEffect::OpenLink(link) => {
                if let Err(why) = away::open_link(&link, &self.options.environment) {
                    return self.feed(model, Msg::Refused(why), Urgency::Key);
                }
            }
            TerminalEffect::Edit { editing, text } => {
                self.step_aside();
                match Away::edit(editing.clone(), &text, &self.options) {
                    Ok(away) => self.away = Some(away),
                    Err(why) => return self.come_back(model, Back { editing, text: Err(why) }),
                }
            }
        }
        Ok(None)
    }

    /// Gives terminal and keyboard away.
    fn step_aside(&mut self) {
        self.reader = None;
        self.screen.leave();
    }

    /// Takes them again.
    fn return_to_screen(&mut self) -> io::Result<()> {
        self.screen.enter()?;
        self.reader = Some(Reader::start(self.lane.clone())?);
        self.screen.resize(size());
        Ok(())
    }

    fn show_again(&mut self, model: &mut Model) -> io::Result<Option<i32>> {
        self.return_to_screen()?;
        if let Some(code) = self.feed(model, Msg::Input(Input::Resized(size())), Urgency::Key)? {
            return Ok(Some(code));
        }
        self.feed(model, Msg::Resumed, Urgency::Key)
    }

    fn come_back(&mut self, model: &mut Model, back: Back) -> io::Result<Option<i32>> {
        self.away = None;
        if let Some(code) = self.show_again(model)? {
            return Ok(Some(code));
        }
        self.feed(model, Msg::Edited { editing: back.editing, text: back.text }, Urgency::Key)
    }

    /// Stops as a shell's Ctrl-Z does; SIGCONT brings us back.
    fn suspend(&mut self) {
        self.step_aside();
        self.is_stopped = true;
        // SIGTSTP is ours to handle, so the stop itself is the signal that nobody can handle. It may take effect a moment
        // after this call: nothing is done with the terminal until SIGCONT came.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
    }

    fn close(mut self, code: i32) {
        if let Some(Err(cause)) = self.recorder.take().map(Recorder::finish) {
            tracing::warn!(%cause, "the recording has no end");
        }
        if code == 129 {
            // Dropping the reader would wait for a read from a terminal that is gone.
            self.screen.abandon();
            std::mem::forget(self.reader.take());
            return;
        }
        self.reader = None;
        self.screen.leave();
    }
}

//! The loop: streams, consoles, the command's end, the clock. One thread; it waits in one place.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;

use super::end;
use super::ladder::{Act, Climb};
use super::record;
use super::start::Begun;
use super::sweep;
use crate::step::control::{Ask, Tell};
use crate::step::event::{Cause, Event, Stream};
use crate::step::proc::Stat;

/// How long an end of file is waited for when the command is over: somebody it left behind may hold the pipe forever.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long output may be gathered before consoles can see it.
const GATHER: Duration = Duration::from_millis(20);

/// Between two looks at the descendants while they are being ended.
const LOOK: Duration = Duration::from_millis(50);

/// Between two looks for orphans that ended.
const REAP: Duration = Duration::from_secs(1);

/// Read at once; a pipe holds 64 KiB.
const READ_BYTES: usize = 256 << 10;

/// Keys that its terminal has not taken yet; more are refused.
const MOST_KEYS: usize = 256 << 10;

struct Watch {
    begun: Begun,
    buffer: Vec<u8>,
    keys: Vec<u8>,
    cause: Cause,
    climb: Option<Climb>,
    /// When the command was seen to be over.
    ended: Option<Instant>,
    /// When nothing more will be done to what is left.
    over: Option<Instant>,
    left: Vec<Stat>,
    flushed: Instant,
    reaped: Instant,
}

/// What became readable.
struct Ready {
    streams: Vec<Stream>,
    has_ended: bool,
    is_asked: bool,
    takes_keys: bool,
}

/// Watches until everything is over and written down.
pub(super) fn to_the_end(begun: Begun) -> std::io::Result<()> {
    let now = Instant::now();
    let mut watch = Watch {
        begun,
        buffer: vec![0; READ_BYTES],
        keys: Vec::new(),
        cause: Cause::Itself,
        climb: None,
        ended: None,
        over: None,
        left: Vec::new(),
        flushed: now,
        reaped: now,
    };
    while !watch.is_done() {
        let ready = watch.wait();
        watch.read(&ready);
        if ready.is_asked {
            watch.serve();
        }
        if ready.takes_keys {
            let taken = watch.begun.child.type_keys(&watch.keys);
            watch.keys.drain(..taken);
        }
        watch.turn(ready.has_ended);
    }
    let Watch { begun, cause, ended, left, .. } = watch;
    let ended = ended.unwrap_or_else(Instant::now);
    end::write_down(begun, cause, ended, &left)
}

impl Watch {
    fn is_done(&self) -> bool {
        let Some(over) = self.over else { return false };
        self.begun.child.open_streams().is_empty() || over.elapsed() >= LAST_WORDS
    }

    fn wait(&self) -> Ready {
        let consoles = self.begun.consoles.sources();
        let streams = self.begun.child.open_streams();
        let mut fds = Vec::with_capacity(consoles.len() + streams.len() + 1);
        for (fd, has_more) in &consoles {
            let write = if *has_more { PollFlags::OUT } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(*fd, PollFlags::IN | write));
        }
        for (stream, fd) in &streams {
            let keys =
                if *stream == Stream::Terminal && !self.keys.is_empty() { PollFlags::OUT } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(*fd, PollFlags::IN | keys));
        }
        if self.ended.is_none() {
            fds.push(PollFd::from_borrowed_fd(self.begun.child.ended(), PollFlags::IN));
        }
        let wait = self.patience();
        let timeout = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        // An interrupted wait is a short one.
        let _ = rustix::event::poll(&mut fds, Some(&timeout));
        let happened: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        let (asked, rest) = happened.split_at(consoles.len());
        let (read, ended) = rest.split_at(streams.len());
        let can_read = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
        Ready {
            streams: streams
                .iter()
                .zip(read)
                .filter(|(_, flags)| flags.intersects(can_read))
                .map(|((stream, _), _)| *stream)
                .collect(),
            has_ended: ended.iter().any(|flags| !flags.is_empty()),
            is_asked: asked.iter().any(|flags| !flags.is_empty()),
            takes_keys: read.iter().any(|flags| flags.contains(PollFlags::OUT)),
        }
    }

    /// How long nothing needs to be done if nothing happens.
    fn patience(&self) -> Duration {
        let mut wait = REAP;
        if self.begun.output.is_gathering() {
            wait = wait.min(GATHER);
        }
        if self.climb.is_some() {
            wait = wait.min(LOOK);
        }
        if self.over.is_some() {
            wait = wait.min(LOOK);
        }
        match self.begun.spec.timeout.filter(|_| self.climb.is_none() && self.ended.is_none()) {
            Some(timeout) => wait.min(timeout.saturating_sub(self.begun.since.elapsed())),
            None => wait,
        }
    }

    fn read(&mut self, ready: &Ready) {
        let mut is_quiet = true;
        for stream in &ready.streams {
            match self.begun.child.read(*stream, &mut self.buffer) {
                Some(bytes) => {
                    is_quiet &= bytes.len() < 4 << 10;
                    self.begun.output.take(*stream, bytes);
                }
                None => self.begun.output.close(*stream),
            }
        }
        if self.begun.output.is_gathering() && (is_quiet || self.flushed.elapsed() >= GATHER) {
            self.begun.output.flush();
            self.begun.output.tell_failure(&mut self.begun.record);
            self.begun.consoles.wake();
            self.flushed = Instant::now();
        }
    }

    fn serve(&mut self) {
        for (who, ask) in self.begun.consoles.asks() {
            match ask {
                Ask::Cancel { by } => self.cancel(Cause::Cancelled { by: self.begun.shapes.mask(&by) }),
                Ask::Keys { bytes } => self.type_keys(who, &bytes),
                Ask::Line { line } => {
                    let told = self.begun.shapes.mask(&line);
                    self.begun.output.mark(&told);
                    self.note(&Event::LineSent { at: record::now(), line: told });
                    // The enter key of a keyboard; a line feed is not one.
                    self.type_keys(who, format!("{line}\r").as_bytes());
                }
                Ask::Resize(size) => {
                    let size = size.within_reason();
                    self.begun.child.resize(size);
                    self.begun.output.resize(size);
                    self.note(&Event::Resized { at: record::now(), columns: size.columns, rows: size.rows });
                }
                Ask::Screen => {
                    let tell = self.begun.output.screen().map(|screen| {
                        let (size, offset, state) = screen.snapshot();
                        Tell::Screen { size, offset, state }
                    });
                    let no_terminal = || Tell::Refused { why: "this step has no terminal".to_owned() };
                    self.begun.consoles.tell(who, &tell.unwrap_or_else(no_terminal));
                }
            }
        }
    }

    fn type_keys(&mut self, who: usize, bytes: &[u8]) {
        let why = if self.begun.spec.terminal.is_none() {
            "this step has no terminal: it reads nothing"
        } else if self.keys.len() + bytes.len() > MOST_KEYS {
            "its terminal takes no more keys now"
        } else {
            self.keys.extend_from_slice(bytes);
            return;
        };
        self.begun.consoles.tell(who, &Tell::Refused { why: why.to_owned() });
    }

    fn cancel(&mut self, cause: Cause) {
        if self.climb.is_some() {
            return;
        }
        self.note(&Event::Cancelling { at: record::now(), cause: cause.clone() });
        if self.ended.is_some() {
            // The command ended by itself, and that stays its end; what it left is ended now.
            self.sweep();
            return;
        }
        self.cause = cause;
        self.climb = Some(Climb::begin(self.begun.spec.ladder, Instant::now()));
        self.act(Act::Interrupt);
    }

    fn act(&mut self, act: Act) {
        let group = self.begun.child.group();
        match act {
            Act::Interrupt => {
                self.note_signal("SIGINT");
                sweep::signal_group(group, Signal::INT);
            }
            Act::Terminate => {
                self.note_signal("SIGTERM");
                sweep::signal_group(group, Signal::TERM);
                if self.ended.is_some() {
                    sweep::signal_all(Signal::TERM);
                }
            }
            Act::Sweep => {
                self.note_signal("SIGKILL");
                self.sweep();
            }
        }
    }

    fn sweep(&mut self) {
        self.left = sweep::sweep(self.begun.child.group());
        self.over = Some(Instant::now());
    }

    /// What time and the command's end ask for.
    fn turn(&mut self, has_ended: bool) {
        let now = Instant::now();
        if has_ended && self.ended.is_none() {
            self.ended = Some(now);
        }
        if let Some(timeout) = self.begun.spec.timeout
            && self.climb.is_none()
            && self.ended.is_none()
            && self.begun.since.elapsed() >= timeout
        {
            self.cancel(Cause::TimedOut);
        }
        if self.over.is_none() {
            self.climb_on(now);
        }
        if now.duration_since(self.reaped) >= REAP {
            sweep::reap_orphans(self.begun.child.group());
            self.reaped = now;
        }
    }

    fn climb_on(&mut self, now: Instant) {
        match (&mut self.climb, self.ended) {
            (None, Some(_)) => match self.begun.spec.leftovers {
                crate::step::spec::Leftovers::Report => self.over = Some(now),
                crate::step::spec::Leftovers::Sweep => self.sweep(),
            },
            (None, None) => {}
            (Some(climb), ended) => {
                // The command itself is not waited for yet, so it is no descendant that lives once it has ended.
                if ended.is_some() && sweep::living().is_empty() {
                    self.over = Some(now);
                } else if let Some(act) = climb.next(now, ended.is_some()) {
                    self.act(act);
                }
            }
        }
    }

    fn note_signal(&mut self, signal: &str) {
        self.note(&Event::Signalled { at: record::now(), signal: signal.to_owned() });
        self.begun.consoles.wake();
    }

    fn note(&mut self, event: &Event) {
        // Only the end may use the room that is kept for it; a note that does not fit is in the log.
        if let Err(error) = self.begun.record.note(event) {
            super::complain(&format!("{event:?} could not be written down: {error}"));
        }
    }
}

//! Signals as values, in the order in which they matter.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    HungUp,
    Terminated,
    Quitted,
    Interrupted,
    Resized,
    Stopped,
    Continued,
}

type Stream = tokio::signal::unix::Signal;

pub(super) struct Signals {
    hung_up: Stream,
    terminated: Stream,
    quitted: Stream,
    interrupted: Stream,
    resized: Stream,
    stopped: Stream,
    continued: Stream,
}

impl Signals {
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            hung_up: signal(SignalKind::hangup())?,
            terminated: signal(SignalKind::terminate())?,
            quitted: signal(SignalKind::quit())?,
            interrupted: signal(SignalKind::interrupt())?,
            resized: signal(SignalKind::window_change())?,
            stopped: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// The next one. Cancel safety: none is lost when it is dropped.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.hung_up.recv() => Signal::HungUp,
            _ = self.terminated.recv() => Signal::Terminated,
            _ = self.quitted.recv() => Signal::Quitted,
            _ = self.interrupted.recv() => Signal::Interrupted,
            // An old "go on" must not end a new stop.
            _ = self.continued.recv() => Signal::Continued,
            _ = self.stopped.recv() => Signal::Stopped,
            _ = self.resized.recv() => Signal::Resized,
        }
    }
}

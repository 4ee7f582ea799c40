//! Writes frames from a thread of its own: a terminal that takes nothing holds up a frame, but no key, signal or fact.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc as threads};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// How long the way out waits for a terminal that takes nothing.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// Pieces that may wait: a frame, a bell, a copy, the way out.
const LANE: usize = 8;

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The terminal took it in so long.
    Taken(Duration),
    /// The terminal takes nothing any more.
    Gone,
}

/// The writing thread.
#[derive(Debug)]
pub(super) struct Writer {
    lane: threads::SyncSender<Vec<u8>>,
    done: mpsc::Receiver<Written>,
    in_flight: usize,
    is_abandoned: Arc<AtomicBool>,
}

impl Writer {
    /// Starts it.
    pub fn start() -> io::Result<Self> {
        let (lane, pieces) = threads::sync_channel::<Vec<u8>>(LANE);
        let (told, done) = mpsc::channel(LANE * 2);
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&is_abandoned);
        let write = move || {
            for piece in pieces {
                if stops.load(Ordering::SeqCst) {
                    return;
                }
                let began = Instant::now();
                let mut out = io::stdout().lock();
                let result = out.write_all(&piece).and_then(|()| out.flush());
                drop(out);
                let account = if result.is_ok() { Written::Taken(began.elapsed()) } else { Written::Gone };
                if told.blocking_send(account).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("terminal".into()).spawn(write)?;
        Ok(Self { lane, done, in_flight: 0, is_abandoned })
    }

    /// Whether everything that was sent has been taken.
    pub fn is_free(&self) -> bool {
        self.in_flight == 0
    }

    /// Hands a piece over; one that finds the lane full is left out (a bell, a copy).
    pub fn send(&mut self, piece: &[u8]) {
        if self.lane.try_send(piece.to_vec()).is_ok() {
            self.in_flight += 1;
        }
    }

    /// Hands a piece over and waits until it and everything before it was taken, but not for ever.
    pub fn write_now(&mut self, piece: &[u8]) {
        self.send(piece);
        let until = Instant::now() + LAST_WORDS;
        while self.in_flight > 0 && Instant::now() < until {
            match self.done.try_recv() {
                Ok(_) => self.in_flight -= 1,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(1)),
                Err(mpsc::error::TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Writes nothing more.
    pub fn abandon(&mut self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
    }

    /// Waits for the next account; for ever when nothing is on its way.
    pub async fn written(&mut self) -> Written {
        if self.in_flight == 0 {
            return std::future::pending().await;
        }
        let account = self.done.recv().await.unwrap_or(Written::Gone);
        self.in_flight = self.in_flight.saturating_sub(1);
        account
    }
}

//! The consoles that are attached: what they ask, and that there is something new.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use crate::step::control::{Ask, LONGEST_LINE, Tell};
use crate::step::place::Place;

/// Most consoles at once; a ninth is closed at once and reads the folder.
const MOST: usize = 8;

/// Listens, reads, tells. Nothing here ever waits for a console.
#[derive(Debug)]
pub(super) struct Consoles {
    listener: UnixListener,
    attached: Vec<Attached>,
    place: Place,
}

#[derive(Debug)]
struct Attached {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// What it has not taken yet. A snapshot of a screen may be larger than a socket's buffer.
    outbox: Vec<u8>,
    is_gone: bool,
}

impl Consoles {
    pub(super) fn listen(place: &Place) -> io::Result<Self> {
        let _ = fs::remove_file(place.control());
        let folder = fs::File::open(place.path())?;
        // A socket's path has 108 bytes at most; through the open folder it is short.
        let listener = UnixListener::bind(format!("/proc/self/fd/{}/control", folder.as_raw_fd()))
            .or_else(|_| UnixListener::bind(place.control()))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, attached: Vec::new(), place: place.clone() })
    }

    /// What to wait for: the listener first, then each console and whether it still has to take something.
    pub(super) fn sources(&self) -> Vec<(BorrowedFd<'_>, bool)> {
        let attached = self.attached.iter().map(|console| (console.stream.as_fd(), !console.outbox.is_empty()));
        std::iter::once((self.listener.as_fd(), false)).chain(attached).collect()
    }

    /// Takes in whatever has come: who asks (an index that is good until the next call), and what.
    pub(super) fn asks(&mut self) -> Vec<(usize, Ask)> {
        self.attached.retain(|console| !console.is_gone);
        while let Ok((stream, _)) = self.listener.accept() {
            if self.attached.len() < MOST && stream.set_nonblocking(true).is_ok() {
                let (inbox, outbox) = (Vec::new(), Vec::new());
                self.attached.push(Attached { stream, inbox, outbox, is_gone: false });
            }
        }
        let mut asks = Vec::new();
        for (at, console) in self.attached.iter_mut().enumerate() {
            console.give();
            asks.extend(console.read().into_iter().map(|ask| (at, ask)));
        }
        asks
    }

    /// There is more in the folder.
    pub(super) fn wake(&mut self) {
        for console in &mut self.attached {
            // One that has not even taken the last words needs no more of them.
            if console.outbox.is_empty() {
                console.outbox.push(b'\n');
                console.give();
            }
        }
    }

    /// An answer for one of them.
    pub(super) fn tell(&mut self, to: usize, tell: &Tell) {
        if let Some(console) = self.attached.get_mut(to)
            && let Ok(line) = serde_json::to_vec(tell)
        {
            console.outbox.extend_from_slice(&line);
            console.outbox.push(b'\n');
            console.give();
        }
    }
}

impl Drop for Consoles {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.place.control());
    }
}

impl Attached {
    fn read(&mut self) -> Vec<Ask> {
        let mut piece = [0; 16 << 10];
        // A console that talks without end gets its turn and no more.
        for _ in 0..16 {
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    self.is_gone = true;
                    break;
                }
                Ok(count) => self.inbox.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_gone |= error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        let mut asks = Vec::new();
        while let Some(end) = self.inbox.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.inbox.drain(..=end).collect();
            asks.extend(serde_json::from_slice::<Ask>(&line).ok());
        }
        self.is_gone |= self.inbox.len() > LONGEST_LINE;
        asks
    }

    fn give(&mut self) {
        while !self.outbox.is_empty() {
            match self.stream.write(&self.outbox) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_gone |= error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
    }
}

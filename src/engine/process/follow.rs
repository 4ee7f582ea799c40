//! Following a step: from its folder, woken by its socket.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{StepError, StepEvent};
use crate::step::control::{self, Ask, Tell};
use crate::step::event::Event;
use crate::step::place::{Place, parse_events};
use crate::step::spec::TerminalSize;
use crate::step::spool::read::{Piece, Reader};
use crate::step::state::{StepState, state};

/// What a view holds; further behind, it jumps to the newest.
pub const VIEW_BYTES: u64 = 4 << 20;

/// Read in one go before the next look at what people ask.
const BATCH_BYTES: usize = 1 << 20;

/// Between two full batches: a flood is looked at thirty times a second, not read whole. Nobody could read it anyway, and
/// reading it all costs as much as writing it.
const FLOOD_PAUSE: Duration = Duration::from_millis(33);

/// A look without being woken: the socket may be gone, and a dead supervisor wakes nobody.
const LOOK: Duration = Duration::from_millis(500);

/// A console that follows a step.
#[derive(Debug)]
pub struct Attached {
    place: Place,
    tail: Option<Tail>,
    /// A look at the folder that is under way; kept here, so that a caller who stops waiting loses nothing.
    reading: Option<JoinHandle<(Tail, io::Result<Vec<StepEvent>>)>>,
    queue: VecDeque<StepEvent>,
    ears: Option<BufReader<OwnedReadHalf>>,
    mouth: Option<OwnedWriteHalf>,
    /// Part of a line that a cancelled read has taken in.
    heard: Vec<u8>,
    has_connected: bool,
    is_over: bool,
    /// Set after a full batch: when the next one may be read.
    flooded_until: Option<Instant>,
}

/// The blocking part: it goes to a thread of its own and comes back.
#[derive(Debug)]
struct Tail {
    place: Place,
    spool: Reader,
    /// How far the record was read.
    read: u64,
    /// The last event, kept back until all output was told.
    last: Option<StepEvent>,
}

impl Attached {
    /// To the step in that folder, whatever its state: everything that happened comes again from the beginning, output
    /// further back than [`VIEW_BYTES`] as a gap.
    #[must_use]
    pub fn to(place: &Place) -> Self {
        let spool = Reader::new(&place.spool());
        let tail = Tail { place: place.clone(), spool, read: 0, last: None };
        Self {
            place: place.clone(),
            tail: Some(tail),
            reading: None,
            queue: VecDeque::new(),
            ears: None,
            mouth: None,
            heard: Vec::new(),
            has_connected: false,
            is_over: false,
            flooded_until: None,
        }
    }

    /// The next event; `None` after the last one.
    ///
    /// # Errors
    /// When the folder cannot be read.
    ///
    /// # Cancel safety
    /// Nothing is lost or told twice when this is dropped before it is done.
    pub async fn next(&mut self) -> Result<Option<StepEvent>, StepError> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.is_over |=
                    matches!(event, StepEvent::Finished(_) | StepEvent::Refused { .. } | StepEvent::Lost(_));
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            self.connect();
            if let Some(until) = self.flooded_until {
                tokio::time::sleep_until(until).await;
                self.flooded_until = None;
            }
            self.read_folder().await?;
            if self.queue.is_empty() {
                self.listen().await;
            }
        }
    }

    /// Asks to end it. The ladder takes up to eleven seconds; events tell.
    ///
    /// # Errors
    /// When its supervisor does not listen.
    pub async fn cancel(&mut self, by: &str) -> Result<(), StepError> {
        self.ask(&Ask::Cancel { by: by.to_owned() }).await
    }

    /// Types into its terminal.
    ///
    /// # Errors
    /// When its supervisor does not listen.
    pub async fn keys(&mut self, bytes: &[u8]) -> Result<(), StepError> {
        self.ask(&Ask::Keys { bytes: bytes.to_vec() }).await
    }

    /// Sends a staged line with the enter key. Only ever called for a key that a person pressed.
    ///
    /// # Errors
    /// When its supervisor does not listen.
    pub async fn send_line(&mut self, line: &str) -> Result<(), StepError> {
        self.ask(&Ask::Line { line: line.to_owned() }).await
    }

    /// Gives its terminal another size.
    ///
    /// # Errors
    /// When its supervisor does not listen.
    pub async fn resize(&mut self, size: TerminalSize) -> Result<(), StepError> {
        self.ask(&Ask::Resize(size)).await
    }

    /// Asks what its terminal shows; the answer is [`StepEvent::Screen`].
    ///
    /// # Errors
    /// When its supervisor does not listen.
    pub async fn ask_screen(&mut self) -> Result<(), StepError> {
        self.ask(&Ask::Screen).await
    }

    async fn ask(&mut self, ask: &Ask) -> Result<(), StepError> {
        self.connect();
        let mut line = serde_json::to_vec(ask).map_err(io::Error::from)?;
        line.push(b'\n');
        let Some(mouth) = &mut self.mouth else {
            return Err(StepError::Deaf(io::ErrorKind::NotConnected.into()));
        };
        let sent = mouth.write_all(&line).await;
        if sent.is_err() {
            self.mouth = None;
        }
        sent.map_err(StepError::Deaf)
    }

    /// Once: a supervisor that stopped listening is at its end.
    fn connect(&mut self) {
        if self.has_connected && (self.ears.is_some() || self.mouth.is_none()) {
            return;
        }
        let stream = control::connect(&self.place).and_then(|stream| {
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream)
        });
        if let Ok(stream) = stream {
            let (ears, mouth) = stream.into_split();
            self.ears = Some(BufReader::new(ears));
            self.mouth = Some(mouth);
            self.has_connected = true;
        }
    }

    async fn read_folder(&mut self) -> Result<(), StepError> {
        if let Some(mut tail) = self.tail.take() {
            self.reading = Some(tokio::task::spawn_blocking(move || {
                let events = tail.events();
                (tail, events)
            }));
        }
        let Some(reading) = &mut self.reading else {
            return Err(StepError::Unreadable(io::Error::other("an earlier look at the folder failed")));
        };
        let read = reading.await;
        self.reading = None;
        let (tail, events) = read.map_err(io::Error::other)?;
        self.tail = Some(tail);
        let events = events?;
        let bytes = |event: &StepEvent| if let StepEvent::Output { bytes, .. } = event { bytes.len() } else { 0 };
        if events.iter().map(bytes).sum::<usize>() >= BATCH_BYTES {
            self.flooded_until = Some(Instant::now() + FLOOD_PAUSE);
        }
        self.queue.extend(events);
        Ok(())
    }

    /// Until there is more, or for a while.
    async fn listen(&mut self) {
        let Some(ears) = &mut self.ears else {
            tokio::time::sleep(LOOK / 5).await;
            return;
        };
        match tokio::time::timeout(LOOK, ears.read_until(b'\n', &mut self.heard)).await {
            Ok(Ok(0) | Err(_)) => self.ears = None,
            Ok(Ok(_)) => {
                let line = std::mem::take(&mut self.heard);
                match serde_json::from_slice::<Tell>(&line) {
                    Ok(Tell::Screen { size, offset, state }) => {
                        self.queue.push_back(StepEvent::Screen { size, offset, state });
                    }
                    Ok(Tell::Refused { why }) => self.queue.push_back(StepEvent::NotDone { why }),
                    // An empty line: there is more in the folder.
                    Err(_) => {}
                }
            }
            Err(_) => {}
        }
    }
}

impl Tail {
    /// What is new. Output comes before the last event, because the supervisor wrote it before.
    fn events(&mut self) -> io::Result<Vec<StepEvent>> {
        // Looked at before the record: who ends in between has written its last line by then.
        let became = state(&self.place)?;
        let mut told: Vec<StepEvent> = self.record()?.into_iter().filter_map(|event| self.told(event)).collect();
        if self.spool.behind()? > VIEW_BYTES + (VIEW_BYTES / 2) {
            self.spool.skip_to_last(VIEW_BYTES)?;
        }
        let mut bytes_read = 0;
        while bytes_read < BATCH_BYTES {
            match self.spool.next_piece()? {
                Some(Piece::Bytes { stream, offset, at, bytes }) => {
                    bytes_read += bytes.len();
                    told.push(StepEvent::Output { stream, offset, at, bytes });
                }
                Some(Piece::Gap { stream, offset, bytes }) => told.push(StepEvent::Gap { stream, offset, bytes }),
                None => {
                    told.extend(self.last.take());
                    let is_lost = matches!(became, StepState::Unknown { .. } | StepState::Nothing);
                    if is_lost && told.is_empty() {
                        told.push(StepEvent::Lost(became));
                    }
                    break;
                }
            }
        }
        Ok(told)
    }

    fn told(&mut self, event: Event) -> Option<StepEvent> {
        Some(match event {
            Event::Started { at, .. } => StepEvent::Started { at },
            Event::Running { process, .. } => StepEvent::Running { process },
            Event::Cancelling { at, cause } => StepEvent::Cancelling { at, cause },
            Event::Signalled { at, signal } => StepEvent::Signalled { at, signal },
            Event::Resized { columns, rows, .. } => StepEvent::Resized { size: TerminalSize { columns, rows } },
            Event::LineSent { at, line } => StepEvent::LineSent { at, line },
            Event::SpoolFailed { why, .. } => StepEvent::SpoolFailed { why },
            Event::Refused { why, .. } => {
                self.last = Some(StepEvent::Refused { why });
                return None;
            }
            Event::Finished(finished) => {
                self.last = Some(StepEvent::Finished(finished));
                return None;
            }
        })
    }

    fn record(&mut self) -> io::Result<Vec<Event>> {
        let mut file = match File::open(self.place.events()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (events, taken) = parse_events(&bytes);
        self.read += taken as u64;
        Ok(events)
    }
}

//! What the command writes: secrets out, counted, hashed, on disk. Memory does not grow with it.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::record::{self, Record};
use super::screen::Screen;
use crate::step::event::{Event, Stream, StreamSummary};
use crate::step::mask::{Mask, Shapes};
use crate::step::place::Place;
use crate::step::spec::{StepSpec, TerminalSize, hex};
use crate::step::spool::write::Writer;

/// How many lines of each end are told in the record.
const TOLD_LINES: usize = 5;

/// And how many bytes of each end they are taken from.
const TOLD_BYTES: usize = 4 << 10;

/// All streams of a command.
#[derive(Debug)]
pub(super) struct Output {
    spool: Writer,
    tracks: BTreeMap<Stream, Track>,
    screen: Option<Screen>,
    since: Instant,
    masked: Vec<u8>,
    /// Set while the disk refuses.
    failure: Option<String>,
    is_told: bool,
    /// True while something is gathered and not with the kernel yet.
    is_gathering: bool,
}

#[derive(Debug)]
struct Track {
    mask: Mask,
    bytes: u64,
    lines: u64,
    masked_bytes: u64,
    hash: Sha256,
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Output {
    pub(super) fn new(place: &Place, shapes: &Shapes, spec: &StepSpec) -> io::Result<Self> {
        let streams: &[Stream] =
            if spec.terminal.is_some() { &[Stream::Terminal] } else { &[Stream::Stdout, Stream::Stderr] };
        let track = |stream: &Stream| (*stream, Track::new(Mask::new(shapes.clone())));
        let screen = spec.terminal.map(|size| Screen::new(place, size.within_reason(), record::now())).transpose()?;
        Ok(Self {
            spool: Writer::create(&place.spool())?,
            tracks: streams.iter().map(track).collect(),
            screen,
            since: Instant::now(),
            masked: Vec::new(),
            failure: None,
            is_told: false,
            is_gathering: false,
        })
    }

    /// Takes in what was read.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(track) = self.tracks.get_mut(&stream) else { return };
        track.bytes += bytes.len() as u64;
        track.lines += line_feeds(bytes);
        if track.mask.is_idle() {
            return self.store(stream, bytes);
        }
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        track.mask.push(bytes, &mut masked);
        self.store(stream, &masked);
        self.masked = masked;
    }

    /// The end of a stream: what its mask held back.
    pub(super) fn close(&mut self, stream: Stream) {
        let Some(track) = self.tracks.get_mut(&stream) else { return };
        let mut rest = Vec::new();
        track.mask.finish(&mut rest);
        self.store(stream, &rest);
    }

    /// Keeps bytes in which no secret is any more.
    fn store(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Some(track) = self.tracks.get_mut(&stream) else { return };
        track.keep(bytes);
        let at = u32::try_from(self.since.elapsed().as_millis()).unwrap_or(u32::MAX);
        if let Some(screen) = self.screen.as_mut().filter(|_| stream == Stream::Terminal) {
            screen.take(bytes, self.since.elapsed());
        }
        let expected = track.masked_bytes;
        let written = self.spool.append(stream, bytes, at);
        self.is_gathering = true;
        self.settle(written, Some((stream, expected)));
    }

    /// Hands everything to the kernel.
    pub(super) fn flush(&mut self) {
        let written = self.spool.flush();
        self.is_gathering = false;
        self.settle(written, None);
        if let Some(screen) = &mut self.screen {
            screen.flush();
        }
    }

    /// Whether something waits for [`Output::flush`].
    pub(super) fn is_gathering(&self) -> bool {
        self.is_gathering
    }

    /// A disk that refuses stops neither the command nor the count.
    fn settle(&mut self, result: io::Result<()>, reached: Option<(Stream, u64)>) {
        match result {
            Ok(()) => self.failure = None,
            Err(error) => {
                if let Some((stream, offset)) = reached {
                    self.spool.skip_to(stream, offset);
                } else {
                    self.spool.skip_to(Stream::Stdout, 0);
                }
                self.failure = Some(error.to_string());
            }
        }
    }

    /// Tells once in the record that the disk refuses, and again when it does so later anew.
    pub(super) fn tell_failure(&mut self, record: &mut Record) {
        match &self.failure {
            Some(why) if !self.is_told => {
                let _ = record.note(&Event::SpoolFailed { at: record::now(), why: why.clone() });
                self.is_told = true;
            }
            None => self.is_told = false,
            Some(_) => {}
        }
    }

    /// Its terminal's screen.
    pub(super) fn screen(&self) -> Option<&Screen> {
        self.screen.as_ref()
    }

    /// Its terminal has another size.
    pub(super) fn resize(&mut self, size: TerminalSize) {
        if let Some(screen) = &mut self.screen {
            screen.resize(size, self.since.elapsed());
        }
    }

    /// A mark in the recording.
    pub(super) fn mark(&mut self, text: &str) {
        if let Some(screen) = &mut self.screen {
            screen.mark(text, self.since.elapsed());
        }
    }

    /// What each stream carried. Everything must have been closed before.
    pub(super) fn summaries(&mut self) -> BTreeMap<Stream, StreamSummary> {
        self.flush();
        let spool = &self.spool;
        self.tracks.iter().map(|(stream, track)| (*stream, track.summary(spool.dropped(*stream)))).collect()
    }
}

impl Track {
    fn new(mask: Mask) -> Self {
        let (first, last) = (Vec::new(), Vec::new());
        Self { mask, bytes: 0, lines: 0, masked_bytes: 0, hash: Sha256::new(), first, last }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.masked_bytes += bytes.len() as u64;
        self.hash.update(bytes);
        let room = TOLD_BYTES.saturating_sub(self.first.len());
        self.first.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        self.last.extend_from_slice(bytes.get(bytes.len().saturating_sub(TOLD_BYTES)..).unwrap_or_default());
        let over = self.last.len().saturating_sub(TOLD_BYTES);
        self.last.drain(..over);
    }

    fn summary(&self, dropped: u64) -> StreamSummary {
        let lines =
            |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).lines().map(ToOwned::to_owned).collect() };
        // Short output is in `first` whole; what `last` holds of it would be told twice.
        let is_whole = self.masked_bytes <= TOLD_BYTES as u64;
        let mut first = lines(&self.first);
        let rest = first.split_off(first.len().min(TOLD_LINES));
        let mut last = if is_whole {
            rest
        } else {
            // Its first line is cut somewhere.
            lines(&self.last).into_iter().skip(1).collect()
        };
        last.drain(..last.len().saturating_sub(TOLD_LINES));
        StreamSummary {
            bytes: self.bytes,
            lines: self.lines,
            masked_bytes: self.masked_bytes,
            dropped,
            sha256: hex(&self.hash.clone().finalize()),
            first,
            last,
        }
    }
}

/// Counted in blocks of 255, so that the compiler can do it a register at a time.
fn line_feeds(bytes: &[u8]) -> u64 {
    let count = |block: &[u8]| block.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes.chunks(255).map(|block| u64::from(count(block))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(pieces: &[&[u8]]) -> StreamSummary {
        let mut track = Track::new(Mask::new(Shapes::of(&[]).unwrap()));
        for piece in pieces {
            track.keep(piece);
        }
        track.summary(0)
    }

    #[test]
    fn first_and_last_lines_do_not_overlap() {
        let lines: Vec<String> = (1..=12).map(|number| format!("line {number}\n")).collect();
        let all = lines.concat();
        let told = summary(&[all.as_bytes()]);
        assert_eq!(told.first, ["line 1", "line 2", "line 3", "line 4", "line 5"]);
        assert_eq!(told.last, ["line 8", "line 9", "line 10", "line 11", "line 12"]);
        let told = summary(&[b"only\n", b"two"]);
        assert_eq!((told.first, told.last), (vec!["only".to_owned(), "two".to_owned()], vec![]));
        assert_eq!(told.sha256, hex(&Sha256::digest(b"only\ntwo")));
        let long: Vec<String> = (0..5_000).map(|number| format!("row {number}\n")).collect();
        let told = summary(&[long.concat().as_bytes()]);
        assert_eq!((told.first[0].as_str(), told.last[4].as_str()), ("row 0", "row 4999"));
    }

    #[test]
    fn line_feeds_are_counted_whatever_the_length() {
        for length in [0, 1, 254, 255, 256, 1_000, 70_000] {
            assert_eq!(line_feeds(&vec![b'\n'; length]), length as u64);
            assert_eq!(line_feeds(&vec![b'x'; length]), 0);
        }
    }
}

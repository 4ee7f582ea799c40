//! What a command wrote, on disk: append-only segments, the first 32 MiB and the last 32 MiB, with exact gaps.
//!
//! A segment is a header (where each stream stood when it began) and frames (stream, time, bytes). Segments in the middle
//! are deleted as the output grows; how much is missing follows from the headers on both sides, so no crash can lose the
//! number. A frame that was cut by a crash is as if it had not been written.

pub mod read;
pub mod search;
pub mod write;

use super::event::Stream;

/// Size of a segment: small enough that dropping one loses little, large enough that there are few.
pub const SEGMENT_BYTES: u64 = 4 << 20;

/// Segments kept from the beginning: 32 MiB.
pub const HEAD: u64 = 8;

/// Segments kept from the end: 32 MiB, the one that is being written not counted.
pub const TAIL: u64 = 8;

const MAGIC: &[u8; 8] = b"wrspool1";

/// Bytes of a header: magic, and for each stream its offset.
const HEADER_BYTES: usize = 8 + 3 * 8;

/// Bytes before a frame's own: stream, milliseconds since the start, length.
const FRAME_BYTES: usize = 1 + 4 + 4;

/// Longest frame; a longer length is damage.
const LONGEST_FRAME: usize = 1 << 20;

/// Where each stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offsets([u64; 3]);

impl Offsets {
    /// Where one stream stands.
    #[must_use]
    pub fn of(&self, stream: Stream) -> u64 {
        let [stdout, stderr, terminal] = self.0;
        match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
            Stream::Terminal => terminal,
        }
    }

    fn advance(&mut self, stream: Stream, bytes: u64) {
        let [stdout, stderr, terminal] = &mut self.0;
        let offset = match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
            Stream::Terminal => terminal,
        };
        *offset = offset.saturating_add(bytes);
    }

    fn set(&mut self, stream: Stream, offset: u64) {
        let now = self.of(stream);
        self.advance(stream, offset.saturating_sub(now));
    }
}

fn tag(stream: Stream) -> u8 {
    match stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
        Stream::Terminal => 3,
    }
}

fn stream(tag: u8) -> Option<Stream> {
    match tag {
        1 => Some(Stream::Stdout),
        2 => Some(Stream::Stderr),
        3 => Some(Stream::Terminal),
        _ => None,
    }
}

fn segment_name(number: u64) -> String {
    format!("{number:010}")
}

#[cfg(test)]
mod tests;

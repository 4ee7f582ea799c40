//! Writing the spool.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::{FRAME_BYTES, HEAD, HEADER_BYTES, LONGEST_FRAME, MAGIC, Offsets, SEGMENT_BYTES, TAIL, segment_name, tag};
use crate::step::event::Stream;
use crate::step::place::private;

/// Frames are gathered up to this size before they are written: a flood costs one write for many reads.
const GATHER_BYTES: usize = 256 << 10;

/// A piece of this size is worth a write of its own: copying it costs more.
const LARGE_BYTES: usize = 32 << 10;

/// Appends frames.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    file: Option<File>,
    gathered: Vec<u8>,
    /// Where the last gathered frame begins, so that the same stream can go on in it.
    last: Option<(Stream, usize)>,
    written: u64,
    number: u64,
    /// Segments behind the head that are still there, and where the streams stood as each began.
    kept: VecDeque<(u64, Offsets)>,
    offsets: Offsets,
    /// Where the streams stood when the head ended.
    head_end: Option<Offsets>,
}

impl Writer {
    /// Begins the spool of a step in `folder`.
    ///
    /// # Errors
    /// When the folder or the first segment cannot be made.
    pub fn create(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut writer = Self {
            folder: folder.to_path_buf(),
            file: None,
            gathered: Vec::with_capacity(GATHER_BYTES + LONGEST_FRAME),
            last: None,
            written: 0,
            number: 0,
            kept: VecDeque::new(),
            offsets: Offsets::default(),
            head_end: None,
        };
        writer.open()?;
        Ok(writer)
    }

    /// Where the streams stand.
    #[must_use]
    pub fn offsets(&self) -> Offsets {
        self.offsets
    }

    /// How much of a stream was dropped so far.
    #[must_use]
    pub fn dropped(&self, stream: Stream) -> u64 {
        let Some(head_end) = self.head_end else { return 0 };
        self.kept.front().map_or(0, |(_, began)| began.of(stream).saturating_sub(head_end.of(stream)))
    }

    /// Appends bytes of a stream. They are on disk after [`Writer::flush`].
    ///
    /// # Errors
    /// When the disk refuses; what was gathered is lost then, and counted by the caller.
    pub fn append(&mut self, stream: Stream, bytes: &[u8], milliseconds: u32) -> io::Result<()> {
        for piece in bytes.chunks(LONGEST_FRAME / 2) {
            if self.written >= SEGMENT_BYTES {
                self.next_segment()?;
            }
            self.offsets.advance(stream, piece.len() as u64);
            if piece.len() >= LARGE_BYTES {
                self.write_large(stream, piece, milliseconds)?;
                continue;
            }
            self.frame(stream, piece, milliseconds);
            let is_segment_full = self.written + self.gathered.len() as u64 >= SEGMENT_BYTES;
            if self.gathered.len() >= GATHER_BYTES || is_segment_full {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// After a refusal of the disk: bytes of `stream` up to `offset` will never be there, nor what was gathered. A new
    /// segment begins, and its header tells the gap.
    pub fn skip_to(&mut self, stream: Stream, offset: u64) {
        self.offsets.set(stream, offset);
        self.gathered.clear();
        self.last = None;
        self.written = SEGMENT_BYTES;
    }

    /// Hands what was gathered to the kernel: it survives our death from here on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            self.open()?;
        }
        if let Some(file) = &mut self.file {
            let length = self.gathered.len() as u64;
            let result = file.write_all(&self.gathered);
            self.gathered.clear();
            self.last = None;
            result?;
            self.written += length;
        }
        Ok(())
    }

    /// What was gathered and the head of a frame in one write, its bytes in another.
    fn write_large(&mut self, stream: Stream, bytes: &[u8], milliseconds: u32) -> io::Result<()> {
        self.last = None;
        self.frame(stream, &[], milliseconds);
        let length = (bytes.len() as u32).to_le_bytes();
        let at = self.gathered.len().saturating_sub(length.len());
        if let Some(field) = self.gathered.get_mut(at..) {
            field.copy_from_slice(&length);
        }
        self.flush()?;
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.written += bytes.len() as u64;
        }
        Ok(())
    }

    fn frame(&mut self, stream: Stream, bytes: &[u8], milliseconds: u32) {
        if let Some((_, begin)) = self.last.filter(|(last, _)| *last == stream) {
            let length = self.gathered.len() - begin - FRAME_BYTES + bytes.len();
            if length <= LONGEST_FRAME {
                if let Some(field) = self.gathered.get_mut(begin + 5..begin + FRAME_BYTES) {
                    field.copy_from_slice(&(length as u32).to_le_bytes());
                }
                self.gathered.extend_from_slice(bytes);
                return;
            }
        }
        self.last = Some((stream, self.gathered.len()));
        self.gathered.push(tag(stream));
        self.gathered.extend_from_slice(&milliseconds.to_le_bytes());
        self.gathered.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.gathered.extend_from_slice(bytes);
    }

    fn next_segment(&mut self) -> io::Result<()> {
        self.flush()?;
        self.number += 1;
        self.file = None;
        self.open()
    }

    fn open(&mut self) -> io::Result<()> {
        if self.number == HEAD {
            self.head_end = Some(self.offsets);
        }
        let path = self.folder.join(segment_name(self.number));
        let mut file = private(OpenOptions::new().append(true).create_new(true)).open(&path)?;
        let mut header = [0; HEADER_BYTES];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        for (place, offset) in rest.chunks_mut(8).zip(self.offsets.0) {
            place.copy_from_slice(&offset.to_le_bytes());
        }
        if let Err(error) = file.write_all(&header) {
            // The next try makes it again.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.written = HEADER_BYTES as u64;
        self.file = Some(file);
        if self.number >= HEAD {
            self.kept.push_back((self.number, self.offsets));
        }
        // The segment in work and TAIL full ones before it.
        while self.kept.len() as u64 > TAIL + 1 {
            if let Some((oldest, _)) = self.kept.pop_front() {
                let _ = fs::remove_file(self.folder.join(segment_name(oldest)));
            }
        }
        Ok(())
    }
}

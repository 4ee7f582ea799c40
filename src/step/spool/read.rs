//! Reading the spool, while it is written or after.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::{FRAME_BYTES, HEADER_BYTES, LONGEST_FRAME, MAGIC, Offsets, segment_name, stream};
use crate::step::event::Stream;

/// A part of what a command wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes.
    Bytes {
        /// Of which stream.
        stream: Stream,
        /// Where they stand in it.
        offset: u64,
        /// Milliseconds after the start.
        at: u32,
        /// What they are.
        bytes: Vec<u8>,
    },
    /// Bytes that are not there.
    Gap {
        /// Of which stream.
        stream: Stream,
        /// Where they would begin.
        offset: u64,
        /// How many.
        bytes: u64,
    },
}

/// Reads pieces in order, and goes on when more is written.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    file: Option<File>,
    number: Option<u64>,
    /// Where the next frame begins in the file.
    place: u64,
    offsets: Offsets,
    gaps: Vec<Piece>,
}

impl Reader {
    /// From the beginning.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let folder = folder.to_path_buf();
        Self { folder, file: None, number: None, place: 0, offsets: Offsets::default(), gaps: Vec::new() }
    }

    /// The next piece; `None` when there is nothing more now.
    ///
    /// # Errors
    /// When a segment cannot be read, or is not one.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if let Some(gap) = self.gaps.pop() {
                return Ok(Some(gap));
            }
            // Seen before the frame is looked for: a segment with a successor grows no more, so if there is no frame
            // after that look there never will be.
            let later = self.later()?;
            if self.file.is_some()
                && let Some(piece) = self.frame()?
            {
                return Ok(Some(piece));
            }
            match later {
                Some(number) => {
                    if !self.open(number)? {
                        return Ok(None);
                    }
                }
                None => return Ok(None),
            }
        }
    }

    /// How many bytes of segments lie ahead.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn behind(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for number in segments(&self.folder)?.into_iter().filter(|number| self.number.is_none_or(|at| *number >= at)) {
            let length = fs::metadata(self.folder.join(segment_name(number))).map_or(0, |data| data.len());
            bytes += if Some(number) == self.number { length.saturating_sub(self.place) } else { length };
        }
        Ok(bytes)
    }

    /// Jumps to the newest segments that hold at least `bytes`; what is jumped over comes as gaps.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn skip_to_last(&mut self, bytes: u64) -> io::Result<()> {
        let mut have = 0;
        for number in segments(&self.folder)?.into_iter().rev() {
            if self.number.is_some_and(|at| number <= at) {
                return Ok(());
            }
            have += fs::metadata(self.folder.join(segment_name(number))).map_or(0, |data| data.len());
            if have >= bytes {
                self.open(number)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next segment there is.
    fn later(&self) -> io::Result<Option<u64>> {
        // Most often it is the next number; only around the gap the folder must be looked through.
        if let Some(number) = self.number {
            let next = self.folder.join(segment_name(number + 1));
            if next.exists() {
                return Ok(Some(number + 1));
            }
        }
        Ok(segments(&self.folder)?.into_iter().find(|number| self.number.is_none_or(|at| *number > at)))
    }

    /// Opens a segment; false when it is gone or has no whole header yet.
    fn open(&mut self, number: u64) -> io::Result<bool> {
        let mut file = match File::open(self.folder.join(segment_name(number))) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        let mut header = [0; HEADER_BYTES];
        if !read_whole(&mut file, &mut header)? {
            return Ok(false);
        }
        let (magic, rest) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a segment of a spool"));
        }
        for (stream, place) in Stream::ALL.into_iter().zip(rest.chunks(8)) {
            let offset = place.try_into().map_or(0, u64::from_le_bytes);
            let here = self.offsets.of(stream);
            if offset > here {
                self.gaps.push(Piece::Gap { stream, offset: here, bytes: offset - here });
                self.offsets.set(stream, offset);
            }
        }
        self.gaps.reverse();
        self.file = Some(file);
        self.number = Some(number);
        self.place = HEADER_BYTES as u64;
        Ok(true)
    }

    fn frame(&mut self) -> io::Result<Option<Piece>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        file.seek(SeekFrom::Start(self.place))?;
        let mut lead = [0; FRAME_BYTES];
        if !read_whole(file, &mut lead)? {
            return Ok(None);
        }
        let [tag, times @ .., _, _, _, _] = lead;
        let [.., l0, l1, l2, l3] = lead;
        let at = u32::from_le_bytes(times);
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let Some(stream) = stream(tag).filter(|_| length <= LONGEST_FRAME) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a damaged frame in the spool"));
        };
        let mut bytes = vec![0; length];
        if !read_whole(file, &mut bytes)? {
            return Ok(None);
        }
        self.place += (FRAME_BYTES + length) as u64;
        let offset = self.offsets.of(stream);
        self.offsets.advance(stream, length as u64);
        Ok(Some(Piece::Bytes { stream, offset, at, bytes }))
    }
}

/// Numbers of the segments in a folder, in order; none when there is no folder.
fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    let mut numbers: Vec<u64> = names.collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Fills the buffer, or says that there is not enough yet.
fn read_whole(file: &mut File, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// All bytes of one stream that the spool still has, at most `most`; `None` when some are missing from them.
///
/// # Errors
/// When a segment cannot be read.
pub fn whole_stream(folder: &Path, wanted: Stream, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut reader = Reader::new(folder);
    let mut all = Vec::new();
    while let Some(piece) = reader.next_piece()? {
        match piece {
            Piece::Bytes { stream, bytes, .. } if stream == wanted => {
                if all.len() + bytes.len() > most {
                    return Ok(None);
                }
                all.extend_from_slice(&bytes);
            }
            Piece::Gap { stream, .. } if stream == wanted => return Ok(None),
            Piece::Bytes { .. } | Piece::Gap { .. } => {}
        }
    }
    Ok(Some(all))
}

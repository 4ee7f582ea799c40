//! What can be read of a damaged journal goes into a new one; the damaged file is set aside, never overwritten.
//!
//! The file's own trees are not trusted. Every page, of the file and of its log, is searched for the bytes with which a
//! record of ours begins, and what is found there counts when its hash is right: so a record is recovered whenever its
//! own bytes are whole, wherever the damage is, and nothing else can slip in. One pass over the bytes: it always ends.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sqlx::Connection;
use uuid::Uuid;

use super::seat::Seat;
use super::{Place, open, outbox, rows};
use crate::store::record::{Hash, Record};
use crate::store::{Notice, StoreError};

/// The page size of every file that SQLite makes for us.
const PAGE: usize = 4096;

/// Header of the write-ahead log and of each of its frames.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// How the column types of a record begin: place (stored as the row's number), id and writer (16 bytes each).
const OPENING: [u8; 3] = [0x00, 44, 44];

/// Records written in one transaction.
const TOGETHER: usize = 1_000;

/// Longest payload that is believed; longer ones were never written.
const LONGEST: usize = 16 << 20;

/// Where the new journal is built before it takes the old one's place.
pub(super) fn workbench(path: &Path) -> PathBuf {
    beside(path, ".salvage")
}

/// `path` with something behind its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Every whole record of a journal's file and log, in the order of their places.
fn records(path: &Path) -> io::Result<Vec<Record>> {
    let mut pages = Pages::open(path)?;
    let mut found = BTreeMap::<(u64, i64, Uuid, u64), Record>::new();
    let mut seen = std::collections::HashSet::new();
    for at in 0..pages.list.len() {
        let Some(page) = pages.read(at) else { continue };
        for start in openings(&page) {
            let Some((place, record)) = pages.record(&page, start) else { continue };
            if seen.insert(record.id) {
                found.insert((place, record.at_us, record.writer, record.seq), record);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Builds a new journal on the `bench` from what can be read, sets the damaged file aside and puts the new one in its
/// place. What `seat` held it holds in the new one.
pub(super) async fn salvage(path: &Path, bench: &Path, seat: &mut Seat) -> Result<Notice, StoreError> {
    let disk = |cause: io::Error| open::unusable(path, &cause);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(bench, ending));
    }
    let damaged = path.to_owned();
    let records = tokio::task::spawn_blocking(move || records(&damaged))
        .await
        .map_err(|cause| StoreError::Refused(cause.to_string()))?
        .map_err(disk)?;
    let mut connection = open::connect(&Place::File(bench.to_owned()), seat).await?.connection;
    let mut recovered = 0;
    for some in records.chunks(TOGETHER) {
        recovered += rows::import(&mut connection, some).await?.new;
    }
    rows::as_if_sent(&mut connection).await?;
    seat.held = outbox::held(&mut connection, seat.id).await?;
    connection.close().await?;
    exchange(path, recovered).map_err(disk)
}

/// Old file aside, new file in its place. Between the two renames a crash leaves the new one on the workbench, where the
/// next start finds it.
fn exchange(path: &Path, recovered: u64) -> io::Result<Notice> {
    let kept = aside(path);
    for ending in ["-wal", "-shm"] {
        match fs::rename(beside(path, ending), beside(&kept, ending)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
    }
    match fs::rename(path, &kept) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => finish(path)?,
    }
    Ok(Notice::Salvaged { kept: kept.display().to_string(), recovered })
}

/// Takes the new journal from the workbench.
pub(super) fn finish(path: &Path) -> io::Result<()> {
    fs::rename(workbench(path), path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// `journal.db.damaged-20261125T233000Z`; a second one within the second gets a number.
fn aside(path: &Path) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "names a file; nothing is decided by it")]
    let now = chrono::Utc::now();
    let name = beside(path, &format!(".damaged-{}", now.format("%Y%m%dT%H%M%SZ")));
    let taken = |name: &PathBuf| fs::symlink_metadata(name).is_ok();
    (0..)
        .map(|number| if number == 0 { name.clone() } else { beside(&name, &format!("-{number}")) })
        .find(|name| !taken(name))
        .unwrap_or(name)
}

fn openings(page: &[u8]) -> impl Iterator<Item = usize> + '_ {
    page.windows(OPENING.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == OPENING)
        .filter_map(|(at, _)| at.checked_sub(1))
}

/// Where each page image is: the file's pages in order, then those of the log.
struct Pages {
    file: File,
    log: Option<File>,
    list: Vec<(bool, u64)>,
    /// Page number to its last image in the log.
    logged: HashMap<u32, u64>,
}

impl Pages {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let whole = length.div_ceil(PAGE as u64);
        let mut list: Vec<(bool, u64)> = (0..whole).map(|page| (false, page * PAGE as u64)).collect();
        let mut logged = HashMap::new();
        let log = match File::open(beside(path, "-wal")) {
            Ok(log) => Some(log),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(cause),
        };
        if let Some(log) = &log {
            let length = log.metadata()?.len();
            let frame = (FRAME_HEADER + PAGE) as u64;
            let salt = read_at(log, 16, 8)?;
            let mut at = LOG_HEADER as u64;
            while at + frame <= length {
                let head = read_at(log, at, FRAME_HEADER)?;
                // Frames of an earlier round of the log: the file has them already, or newer ones.
                if head.get(8..16) == salt.get(..) {
                    list.push((true, at + FRAME_HEADER as u64));
                    logged.insert(big_endian(&head, 0).unwrap_or(0), at + FRAME_HEADER as u64);
                }
                at += frame;
            }
        }
        Ok(Self { file, log, list, logged })
    }

    /// A page; shorter at the end of a file that was cut, none where the disk cannot read it.
    fn read(&mut self, at: usize) -> Option<Vec<u8>> {
        let (in_log, offset) = *self.list.get(at)?;
        let file = if in_log { self.log.as_ref()? } else { &self.file };
        read_at(file, offset, PAGE).ok()
    }

    /// The images of a page, the most probable one first.
    fn images(&self, number: u32) -> Vec<Vec<u8>> {
        let logged = self.logged.get(&number).zip(self.log.as_ref()).and_then(|(at, log)| read_at(log, *at, PAGE).ok());
        let filed =
            u64::from(number).checked_sub(1).and_then(|page| read_at(&self.file, page * PAGE as u64, PAGE).ok());
        logged.into_iter().chain(filed).collect()
    }

    /// The record whose header begins at `start`, with its place; none unless its hash is right.
    fn record(&self, page: &[u8], start: usize) -> Option<(u64, Record)> {
        let shape = Shape::read(page.get(start..)?)?;
        let total = shape.header + shape.sizes.iter().sum::<usize>();
        if total > LONGEST {
            return None;
        }
        let local = local_bytes(total);
        let mut bytes = page.get(start..start + local)?.to_vec();
        if local < total {
            let mut next = big_endian(page, start + local)?;
            while bytes.len() < total {
                let image = self.images(next).into_iter().next()?;
                let wanted = (total - bytes.len()).min(PAGE - 4);
                bytes.extend_from_slice(image.get(4..4 + wanted)?);
                next = big_endian(&image, 0)?;
            }
        }
        let record = shape.fill(&bytes)?;
        let place = place(page, start, total).unwrap_or(u64::MAX);
        record.is_intact().then_some((place, record))
    }
}

fn read_at(mut file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    file.seek(SeekFrom::Start(at))?;
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn big_endian(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// How much of a record stands in its leaf (sqlite.org/fileformat2.html, 1.6): the rest is in overflow pages.
fn local_bytes(total: usize) -> usize {
    let (most, least) = (PAGE - 35, (PAGE - 12) * 32 / 255 - 23);
    if total <= most {
        return total;
    }
    let wanted = least + (total - least) % (PAGE - 4);
    if wanted <= most { wanted } else { least }
}

/// A variable-length number: its value and how many bytes it has.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

/// The row's number, which stands before the record, behind the record's length.
fn place(page: &[u8], start: usize, total: usize) -> Option<u64> {
    (1..=9_usize).find_map(|length| {
        let at = start.checked_sub(length)?;
        let (number, used) = varint(page.get(at..start)?)?;
        let before = (1..=4_usize).find_map(|length| {
            let at = at.checked_sub(length)?;
            varint(page.get(at..at + length)?).filter(|(value, used)| *used == length && *value == total as u64)
        });
        (used == length && before.is_some()).then_some(number)
    })
}

/// The columns of a record, as its header tells them.
struct Shape {
    header: usize,
    types: Vec<u64>,
    sizes: Vec<usize>,
}

impl Shape {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (header, mut at) = varint(bytes)?;
        let header = usize::try_from(header).ok().filter(|header| (11..64).contains(header))?;
        let mut types = Vec::with_capacity(10);
        while at < header {
            let (kind, used) = varint(bytes.get(at..)?)?;
            types.push(kind);
            at += used;
        }
        if at != header || types.len() != 10 {
            return None;
        }
        let sizes = types.iter().map(|kind| size(*kind)).collect::<Option<Vec<_>>>()?;
        Some(Self { header, types, sizes })
    }

    fn fill(&self, bytes: &[u8]) -> Option<Record> {
        let mut at = self.header;
        let mut columns = Vec::with_capacity(10);
        for (kind, size) in self.types.iter().zip(&self.sizes) {
            columns.push((*kind, bytes.get(at..at + size)?));
            at += size;
        }
        let column = |place: usize| columns.get(place).copied();
        let id = |place| Uuid::from_slice(column(place)?.1).ok();
        let number = |place| column(place).and_then(|(kind, bytes)| integer(kind, bytes));
        let text = |place| String::from_utf8(column(place)?.1.to_vec()).ok();
        let hash = |place| Hash::of_bytes(column(place)?.1);
        Some(Record {
            id: id(1)?,
            writer: id(2)?,
            seq: u64::try_from(number(3)?).ok()?,
            at_us: number(4)?,
            kind: text(5)?,
            version: number(6)?,
            payload: text(7)?,
            prev: hash(8)?,
            hash: hash(9)?,
        })
    }
}

/// Bytes of a column of this type (sqlite.org/fileformat2.html, 2.1).
fn size(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        long => usize::try_from((long - 12) / 2).ok().filter(|size| *size <= LONGEST),
    }
}

fn integer(kind: u64, bytes: &[u8]) -> Option<i64> {
    match kind {
        8 => Some(0),
        9 => Some(1),
        1..=6 => {
            let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1_i64 } else { 0 };
            Some(bytes.iter().fold(start, |value, byte| value << 8 | i64::from(*byte)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        assert_eq!(varint(&[0x05]), Some((5, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x80, 0x80]), None);
        assert_eq!(integer(1, &[0xfe]), Some(-2));
        assert_eq!(integer(6, &1_760_000_000_000_000_i64.to_be_bytes()), Some(1_760_000_000_000_000));
        assert_eq!((size(44), size(76), size(13), size(10)), (Some(16), Some(32), Some(0), None));
    }

    #[test]
    fn a_record_is_split_as_the_file_format_says() {
        assert_eq!(local_bytes(4_061), 4_061);
        assert_eq!(local_bytes(4_062), 489, "what would not fit leaves the least");
        assert_eq!(local_bytes(5_000), 489 + (5_000 - 489) % 4_092);
        assert!((489..=4_061).contains(&local_bytes(1_000_000)));
    }
}

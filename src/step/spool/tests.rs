use std::fs::OpenOptions;
use std::io::Write as _;

use super::read::{Piece, Reader, whole_stream};
use super::write::Writer;
use super::*;

fn pieces(reader: &mut Reader) -> Vec<Piece> {
    std::iter::from_fn(|| reader.next_piece().expect("a readable spool")).collect()
}

#[test]
fn what_is_written_comes_back_in_order_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path()).unwrap();
    let mut reader = Reader::new(folder.path());
    assert_eq!(pieces(&mut reader), []);
    writer.append(Stream::Stdout, b"one ", 3).unwrap();
    writer.append(Stream::Stdout, b"two\n", 4).unwrap();
    writer.append(Stream::Stderr, b"err\n", 5).unwrap();
    assert_eq!(pieces(&mut reader), [], "gathered, not written");
    writer.flush().unwrap();
    let bytes = |stream, offset, at, bytes: &[u8]| Piece::Bytes { stream, offset, at, bytes: bytes.to_vec() };
    assert_eq!(pieces(&mut reader), [bytes(Stream::Stdout, 0, 3, b"one two\n"), bytes(Stream::Stderr, 0, 5, b"err\n")]);
    writer.append(Stream::Stdout, b"three\n", 9).unwrap();
    writer.flush().unwrap();
    assert_eq!(pieces(&mut reader), [bytes(Stream::Stdout, 8, 9, b"three\n")]);
    assert_eq!(whole_stream(folder.path(), Stream::Stdout, 100).unwrap().unwrap(), b"one two\nthree\n");
    assert_eq!(whole_stream(folder.path(), Stream::Stdout, 10).unwrap(), None);
}

#[test]
fn a_frame_cut_by_a_crash_is_as_if_it_were_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path()).unwrap();
    writer.append(Stream::Stdout, b"whole\n", 1).unwrap();
    writer.flush().unwrap();
    let path = folder.path().join(segment_name(0));
    let whole = std::fs::read(&path).unwrap();
    for cut in 1..FRAME_BYTES + 5 {
        std::fs::write(&path, &whole).unwrap();
        let mut torn = vec![1, 0, 0, 0, 0, 5, 0, 0, 0];
        torn.extend_from_slice(b"torn\n");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&torn[..cut]).unwrap();
        assert_eq!(pieces(&mut Reader::new(folder.path())).len(), 1, "cut after {cut}");
    }
    for length in 0..HEADER_BYTES {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(pieces(&mut Reader::new(folder.path())), [], "cut after {length}");
    }
}

#[test]
fn the_middle_of_a_flood_is_dropped_and_counted_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path()).unwrap();
    let mut early = Reader::new(folder.path());
    let line = [b'x'; 8 << 10];
    let rounds = 12_800_u64; // 100 MiB
    for round in 0..rounds {
        writer.append(Stream::Stdout, &line, 0).unwrap();
        if round == 10 {
            writer.flush().unwrap();
            assert!(!pieces(&mut early).is_empty());
        }
    }
    writer.append(Stream::Stderr, b"the end\n", 0).unwrap();
    writer.flush().unwrap();
    let total = rounds * line.len() as u64;
    for mut reader in [Reader::new(folder.path()), early] {
        let behind = reader.behind().unwrap();
        assert!(behind > 60 << 20 && behind < 74 << 20, "{behind} bytes on disk");
        let (mut read, mut missing, mut at) = (0, 0, None);
        for piece in pieces(&mut reader) {
            match piece {
                Piece::Bytes { stream: Stream::Stdout, offset, bytes, .. } => {
                    assert!(at.is_none_or(|at| at == offset), "no byte is told twice or passed over in silence");
                    read += bytes.len() as u64;
                    at = Some(offset + bytes.len() as u64);
                }
                Piece::Gap { stream: Stream::Stdout, offset, bytes } => {
                    assert!(at.is_none_or(|at| at == offset));
                    missing += bytes;
                    at = Some(offset + bytes);
                }
                Piece::Bytes { bytes, .. } => assert_eq!(bytes, b"the end\n"),
                Piece::Gap { .. } => panic!("nothing of it is missing"),
            }
        }
        assert_eq!(at, Some(total));
        assert_eq!(missing, writer.dropped(Stream::Stdout));
        assert!(read >= 60 << 20 && missing > 30 << 20);
    }
    assert_eq!(whole_stream(folder.path(), Stream::Stdout, usize::MAX).unwrap(), None);
    assert_eq!(whole_stream(folder.path(), Stream::Stderr, 100).unwrap().unwrap(), b"the end\n");
}

#[test]
fn a_slow_view_jumps_to_the_newest_and_is_told_how_far() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path()).unwrap();
    for _ in 0..20 {
        writer.append(Stream::Stdout, &vec![b'y'; 1 << 20], 0).unwrap();
    }
    writer.flush().unwrap();
    let mut reader = Reader::new(folder.path());
    reader.skip_to_last(4 << 20).unwrap();
    let all = pieces(&mut reader);
    let Some(Piece::Gap { offset: 0, bytes, .. }) = all.first() else { panic!("no gap: {:?}", all.len()) };
    let read: u64 =
        all.iter().map(|piece| if let Piece::Bytes { bytes, .. } = piece { bytes.len() as u64 } else { 0 }).sum();
    assert_eq!(read + bytes, 20 << 20);
    assert!((4 << 20..=9 << 20).contains(&read), "{read}");
}

#[test]
fn what_a_full_disk_lost_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path()).unwrap();
    writer.append(Stream::Stdout, b"before", 0).unwrap();
    writer.flush().unwrap();
    writer.append(Stream::Stdout, b"lost with the gathered", 0).unwrap();
    writer.skip_to(Stream::Stdout, 1_006);
    writer.append(Stream::Stdout, b"after", 0).unwrap();
    writer.flush().unwrap();
    let told: Vec<_> = pieces(&mut Reader::new(folder.path()));
    assert!(told.contains(&Piece::Gap { stream: Stream::Stdout, offset: 6, bytes: 1_000 }), "{told:?}");
    assert!(told.contains(&Piece::Bytes { stream: Stream::Stdout, offset: 1_006, at: 0, bytes: b"after".to_vec() }));
}

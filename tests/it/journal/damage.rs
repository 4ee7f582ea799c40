//! Seeded corruptions of a journal: never a panic, never an endless start, and every entry whose bytes are whole is there
//! afterwards.
//!
//! Which entries those are is found without the product's reader: the place of each entry's hash in the file is known
//! before the damage, and an entry's columns end with its hash.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::DateTime;
use futures_util::FutureExt as _;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;
use warroom::domain::action::{Action, Delivery, Intent, Target};
use warroom::domain::id::{IncidentId, OpId, PagerId};
use warroom::store::sqlite::{Place, SqliteJournal};
use warroom::store::{Entry, Journal, Notice, Paging, Record};
use warroom::text::{Clean, Untrusted};

use super::is_full;

/// Longest start; a start that does not end is a failure, a slow one goes to the benches.
const ENDLESS: Duration = Duration::from_secs(60);

fn intent(number: usize) -> Intent {
    let op = OpId(Uuid::now_v7());
    let target =
        Target::Incident { id: IncidentId::parse("pd:P1").expect("an id"), pager: PagerId::parse("P1"), key: None };
    // Some texts are longer than a page.
    let text = "what was done ".repeat(if number.is_multiple_of(40) { 600 } else { 3 });
    let at = DateTime::from_timestamp(1_760_000_000 + number as i64, 0).expect("a time");
    Intent { op, batch: op, target, action: Action::Note { text: Untrusted::from(text) }, by: Clean::new("me"), at }
}

async fn append(journal: &SqliteJournal, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let intent = intent(number);
        let (op, at) = (intent.op, intent.at);
        let says = Clean::new("noted");
        let moved = |delivery| Entry::Moved { op, delivery, at, opened: None };
        let entries = vec![Entry::Intended(intent), moved(Delivery::Sent), moved(Delivery::Confirmed { says })];
        journal.append(entries).await.expect("appended");
    }
}

async fn read(journal: &SqliteJournal) -> Result<Vec<Record>, warroom::store::StoreError> {
    let (mut found, mut place) = (Vec::new(), 0);
    loop {
        let page = journal.page(Paging::After(place), 1_000).await?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        place = *last;
        found.extend(page.into_iter().map(|(_, record)| record));
    }
}

/// The files of a journal in use: part of it written back, part only in its log. And what it holds.
async fn made(folder: &Path, actions: usize) -> (Vec<u8>, Vec<u8>, Vec<Record>) {
    let path = folder.join("made.db");
    let journal = SqliteJournal::open(Place::File(path.clone())).await.expect("the journal opens");
    append(&journal, 0..actions).await;
    journal.close().await;
    let journal = SqliteJournal::open(Place::File(path.clone())).await.expect("the journal opens");
    append(&journal, actions..actions + 20).await;
    let (file, log) = (fs::read(&path).expect("the file"), fs::read(folder.join("made.db-wal")).expect("the log"));
    let records = read(&journal).await.expect("the records");
    journal.close().await;
    (file, log, records)
}

/// Where each record's bytes are, for those that stand whole in one page: in the file or in the log, from and to.
fn regions(file: &[u8], log: &[u8], records: &[Record]) -> BTreeMap<Uuid, Vec<(bool, usize, usize)>> {
    let mut by_hash = BTreeMap::new();
    for record in records {
        by_hash.insert(record.hash.0, record);
    }
    let mut found = BTreeMap::<Uuid, Vec<(bool, usize, usize)>>::new();
    for (in_log, bytes) in [(false, file), (true, log)] {
        for (at, window) in bytes.windows(32).enumerate() {
            let Ok(hash) = <[u8; 32]>::try_from(window) else { continue };
            // The next record of a writer has this one's hash too, as what came before it.
            let before = at.checked_sub(32).and_then(|before| bytes.get(before..at));
            let Some(record) = by_hash.get(&hash).filter(|record| before == Some(&record.prev.0[..])) else { continue };
            // Columns before the hash: prev, payload, version, kind, at, seq, writer, id; and the header before them.
            let columns = 32 + record.payload.len() + 1 + record.kind.len() + 8 + 8 + 32;
            let to = at + 32;
            let page = if in_log { (at - 32) / 4_120 * 4_120 + 56 } else { at / 4_096 * 4_096 };
            let Some(from) = to.checked_sub(32 + columns + 24).filter(|from| *from >= page) else { continue };
            found.entry(record.id).or_default().push((in_log, from, to));
        }
    }
    found
}

/// What happens to the files, drawn from a seed.
fn damage(seed: u64, file: &mut Vec<u8>, log: &mut Vec<u8>) -> &'static str {
    let mut dice = SmallRng::seed_from_u64(seed);
    let place = |dice: &mut SmallRng, bytes: &[u8]| dice.random_range(0..bytes.len().max(1));
    match seed % 10 {
        0 => {
            for _ in 0..dice.random_range(1..50) {
                let at = place(&mut dice, file);
                file[at] ^= 1 << dice.random_range(0..8);
            }
            "flipped bits"
        }
        1 => {
            let page = place(&mut dice, file) / 4_096 * 4_096;
            file[page..page + 4_096].fill(0);
            "a page of zeros"
        }
        2 => {
            let at = place(&mut dice, file);
            file.truncate(at);
            "the file cut"
        }
        3 => {
            file[..100].fill(0xa5);
            "the header overwritten"
        }
        4 => {
            file[..4_096].fill(0);
            "the first page of zeros"
        }
        5 => {
            let page = place(&mut dice, file) / 4_096 * 4_096;
            dice.fill(&mut file[page..page + 4_096]);
            "a page of noise"
        }
        6 => {
            let at = place(&mut dice, log);
            log.truncate(at);
            "the log cut"
        }
        7 => {
            for _ in 0..dice.random_range(1..20) {
                let at = place(&mut dice, log);
                log[at] ^= 0xff;
            }
            "flipped bytes in the log"
        }
        8 => {
            file.clear();
            "an empty file"
        }
        _ => {
            let (from, to) = (place(&mut dice, file) / 4_096 * 4_096, place(&mut dice, file) / 4_096 * 4_096);
            let page = file[from..from + 4_096].to_vec();
            file[to..to + 4_096].copy_from_slice(&page);
            "a page over another"
        }
    }
}

/// Opens and reads as a console does: what is found damaged while reading is seen to at the next call, and the whole file
/// is looked over in the background.
async fn opened(path: &Path) -> (SqliteJournal, Vec<Record>, Option<Notice>) {
    let journal = SqliteJournal::open(Place::File(path.to_owned())).await.unwrap_or_else(|cause| panic!("{cause}"));
    let mut found = read(&journal).await;
    for _ in 0..2 {
        if found.is_err() {
            found = read(&journal).await;
        }
    }
    let mut notice = journal.notice().now_or_never();
    if notice.is_none() && journal.verify().await.expect("it is looked over").is_some() {
        journal.check();
        notice = tokio::time::timeout(ENDLESS, journal.notice()).await.ok();
        found = read(&journal).await;
    }
    let records = found.unwrap_or_else(|cause| panic!("{cause}"));
    (journal, records, notice)
}

#[tokio::test]
async fn a_damaged_journal_is_salvaged_and_never_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let (seeds, actions) = if is_full() { (200, 3_000) } else { (20, 120) };
    let (file, log, records) = made(folder.path(), actions).await;
    let regions = regions(&file, &log, &records);
    assert!(regions.len() > records.len() * 8 / 10, "the oracle knows {} of {}", regions.len(), records.len());
    let (mut longest, mut salvaged, mut kinds) = (Duration::ZERO, 0, BTreeMap::<&str, usize>::new());
    for seed in 0..seeds {
        let (mut bad_file, mut bad_log) = (file.clone(), log.clone());
        let what = damage(seed, &mut bad_file, &mut bad_log);
        let path = folder.path().join(format!("{seed}.db"));
        fs::create_dir(folder.path().join(format!("{seed}.db.consoles"))).expect("a folder");
        fs::write(folder.path().join(format!("{seed}.db.consoles/door")), "").expect("a mark of consoles");
        fs::write(&path, &bad_file).expect("written");
        fs::write(folder.path().join(format!("{seed}.db-wal")), &bad_log).expect("written");
        let began = Instant::now();
        let (journal, found, notice) = opened(&path).await;
        let took = began.elapsed();
        longest = longest.max(took);
        assert!(took < ENDLESS, "seed {seed}, {what}: {took:?}");
        let whole: std::collections::BTreeSet<Uuid> =
            found.iter().filter(|record| record.is_intact()).map(|record| record.id).collect();
        for (id, places) in &regions {
            let is_whole = |(in_log, from, to): &(bool, usize, usize)| {
                let (before, after) = if *in_log { (&log, &bad_log) } else { (&file, &bad_file) };
                after.get(*from..*to) == before.get(*from..*to)
            };
            // A log is believed as far as its own sums go; what stands whole in the file must be there in any case.
            let counts = places.iter().any(|place| is_whole(place) && (!place.0 || bad_log == log));
            assert!(
                !counts || whole.contains(id),
                "seed {seed}, {what}: a whole entry is gone; {} of {}",
                whole.len(),
                records.len()
            );
        }
        let kept = fs::read_dir(folder.path()).expect("a folder").flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(&format!("{seed}.db.damaged-")) && !name.ends_with("-wal") && !name.ends_with("-shm")
        });
        if kept {
            salvaged += 1;
            assert!(matches!(notice, Some(Notice::Salvaged { .. })), "a banner: {notice:?}");
        }
        // It goes on: what is done now is kept.
        journal
            .append(vec![Entry::Intended(intent(1))])
            .await
            .unwrap_or_else(|cause| panic!("seed {seed}, {what}: {cause}"));
        journal.close().await;
        *kinds.entry(what).or_default() += 1;
    }
    println!(
        "{seeds} corruptions of {} KiB: {kinds:?}; {salvaged} set aside and salvaged, longest start {longest:?}",
        file.len() / 1024
    );
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    let text = folder.path().join("notes.txt");
    fs::write(&text, "somebody's notes").expect("written");
    for (path, says) in [
        (fifo.as_path(), "is not a regular file"),
        (folder.path(), "is not a regular file"),
        (text.as_path(), "is not a journal"),
    ] {
        for _ in 0..2 {
            let refused = SqliteJournal::open(Place::File(path.to_owned())).await.expect_err("it is refused");
            let words = refused.failure("open the journal").to_string();
            assert!(words.contains(says), "{words}");
        }
    }
    assert_eq!(fs::read_to_string(&text).expect("still there"), "somebody's notes");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing was left beside them");
}

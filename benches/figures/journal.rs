//! Appends, batches, opening and paging a million entries: warroom's journal against the same statements straight through
//! the C API of the bundled SQLite (`journal_baseline.c`, linked with the very library that is linked into warroom),
//! alternating on files of the same schema in the same folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use warroom::domain::checklist::Tick;
use warroom::domain::id::{IncidentId, RunbookId, StepId};
use warroom::store::record::Draft;
use warroom::store::sqlite::{Place, SqliteJournal};
use warroom::store::{Entry, Journal, Paging};
use warroom::text::Clean;

use crate::clock::quantile;
use crate::load::present;

const MILLION: u64 = 1_000_000;

fn entry(number: i64) -> Entry {
    let at = present() + chrono::Duration::milliseconds(number);
    Entry::Ticked {
        incident: IncidentId::parse("pd:PABC123").expect("an id"),
        runbook: RunbookId::parse("database_failover").expect("an id"),
        step: StepId::parse("check-replication-lag").expect("an id"),
        tick: Some(Tick { by: Clean::new("Ana Lovelace"), at }),
        at,
    }
}

/// The bundled library that cargo built for this profile, and the baseline linked with it.
fn baseline(folder: &Path) -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let build = own.parent()?.parent()?.join("build");
    let library = std::fs::read_dir(build)
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("out/libsqlite3.a"))
        .find(|path| path.exists())?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/figures/journal_baseline.c");
    let program = folder.join("baseline");
    let made = Command::new("cc")
        .arg("-O2")
        .arg(source)
        .arg(library)
        .arg("-o")
        .arg(&program)
        .args(["-lpthread", "-ldl", "-lm"])
        .status();
    made.is_ok_and(|status| status.success()).then_some(program)
}

fn asked(program: &Path, database: &Path, words: &[&str]) -> Vec<f64> {
    let output = Command::new(program).arg(database).args(words).output().expect("the baseline runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().expect("a number")).collect()
}

/// Runs all of it.
pub fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(program) = baseline(folder.path()) else {
        println!("no C compiler, or the bundled SQLite was not found: no baseline, nothing was measured");
        return;
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let payload = Draft::new(&entry(0)).expect("a draft").payload;
    runtime.block_on(async {
        appends(folder.path(), &program, &payload).await;
        million(folder.path(), &program, &payload).await;
    });
}

async fn open(path: &Path) -> SqliteJournal {
    SqliteJournal::open(Place::File(path.to_owned())).await.expect("the journal opens")
}

async fn appends(folder: &Path, program: &Path, payload: &str) {
    let (ours_at, theirs_at) = (folder.join("ours.db"), folder.join("theirs.db"));
    open(&theirs_at).await.close().await;
    let journal = open(&ours_at).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut number = 0;
    for _ in 0..12 {
        for _ in 0..40 {
            number += 1;
            let begin = Instant::now();
            journal.append(vec![entry(number)]).await.expect("appended");
            ours.push(begin.elapsed().as_secs_f64() * 1e6);
        }
        theirs.extend(asked(program, &theirs_at, &["append", "40", payload]));
    }
    let (one, other) = (quantile(&mut ours, 0.5), quantile(&mut theirs, 0.5));
    println!("one-row append: {one:.0} us, through the C API {other:.0} us, ratio {:.2} (goal 1.20)", one / other);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        for _ in 0..3 {
            let entries: Vec<Entry> = (number..number + 1_000).map(entry).collect();
            number += 1_000;
            let begin = Instant::now();
            journal.append(entries).await.expect("appended");
            ours.push(begin.elapsed().as_secs_f64() * 1e6);
        }
        theirs.extend(asked(program, &theirs_at, &["batch", "3", payload]));
    }
    let (one, other) = (quantile(&mut ours, 0.5), quantile(&mut theirs, 0.5));
    println!(
        "batch of 1,000: {:.0} rows/s, through the C API {:.0} rows/s, ratio {:.2} (goal 0.80)",
        1e9 / one,
        1e9 / other,
        other / one
    );
    journal.close().await;
}

async fn million(folder: &Path, program: &Path, payload: &str) {
    let path = folder.join("million.db");
    open(&path).await.close().await;
    asked(program, &path, &["fill", &MILLION.to_string(), payload]);
    let size = std::fs::metadata(&path).map_or(0, |file| file.len()) / (1 << 20);
    let mut opens = Vec::new();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..15_u64 {
        let begin = Instant::now();
        let journal = open(&path).await;
        opens.push(begin.elapsed().as_secs_f64() * 1e3);
        let mut some = Vec::new();
        for page in 0..20_u64 {
            let place = round * 60_000 + page * 997;
            let begin = Instant::now();
            let found = journal.page(Paging::After(place), 100).await.expect("a page");
            some.push(begin.elapsed().as_secs_f64() * 1e6);
            assert_eq!((found.len(), found[0].0), (100, place + 1), "the right page");
        }
        ours.extend(some);
        journal.close().await;
        theirs.extend(asked(program, &path, &["page", &(round * 60_000).to_string(), "100", "20"]));
    }
    println!("a journal of {MILLION} entries ({size} MiB) opens in {:.1} ms (goal 30)", quantile(&mut opens, 0.5));
    let (one, other) = (quantile(&mut ours, 0.5), quantile(&mut theirs, 0.5));
    println!(
        "a page of 100 anywhere in it: {one:.0} us, through the C API {other:.0} us, ratio {:.2} (goal 1.30, 2,000 us)",
        one / other
    );
}

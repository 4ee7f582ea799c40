//! Five consoles, each a process of its own, on one room; what they did is checked against what they say they did.
//!
//! The everyday run writes 400 events a console; `WARROOM_FULL=1 cargo test --test it sharing::consoles` writes 10,000
//! and stops the lease holder for 30 s.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;
use warroom::domain::action::Delivery;
use warroom::domain::id::OpId;
use warroom::domain::sharing::Sharing;
use warroom::store::postgres::Limits;
use warroom::store::record::Verifier;
use warroom::store::shared::SharedRoom;
use warroom::store::sqlite::{Place, SqliteJournal};
use warroom::store::{Entry, Journal, Paging, StoreError};
use warroom::text::Clean;

use super::entries::{confirmed, end, intent, moved, tick};
use crate::postgres::Cluster;

/// Set for a console's process: what it does, where.
const CONSOLE: &str = "WARROOM_TEST_CONSOLE";

/// How long five consoles may take.
const PATIENCE: Duration = Duration::from_secs(170);

fn is_full() -> bool {
    std::env::var_os("WARROOM_FULL").is_some()
}

fn events() -> usize {
    if is_full() { 10_000 } else { 400 }
}

/// A console's process.
fn console(role: &str, url: &str, folder: &Path, name: &str, events: usize) -> Child {
    let own = std::env::current_exe().expect("this test binary");
    Command::new(own)
        .args(["--exact", "sharing::consoles::a_console_itself", "--nocapture", "--test-threads=1"])
        .env(CONSOLE, format!("{role}|{url}|{}|{name}|{events}", folder.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the console starts")
}

/// The program. As a test of its own it does nothing.
#[test]
fn a_console_itself() {
    let Ok(told) = std::env::var(CONSOLE) else { return };
    let parts: Vec<&str> = told.split('|').collect();
    let [role, url, folder, name, events] = parts[..] else { panic!("{told}") };
    let folder = PathBuf::from(folder);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        match role {
            "writes" => {
                let limits = Limits { holds: Duration::from_secs(30), patience: Duration::from_secs(5) };
                let room = end(url, &folder, &format!("{name}.db"), limits);
                let journal: Arc<dyn Journal> = Arc::<SharedRoom>::clone(&room);
                Writer { journal, room: Some(room), folder, name: name.to_owned() }.run(events.parse().unwrap()).await;
            }
            "writes-sqlite" => {
                let journal = SqliteJournal::open(Place::File(folder.join("room.db"))).await.unwrap();
                let journal: Arc<dyn Journal> = Arc::new(journal);
                Writer { journal, room: None, folder, name: name.to_owned() }.run(events.parse().unwrap()).await;
            }
            _ => holder(url, &folder).await,
        }
    });
    std::process::exit(0);
}

/// Writes events and sends actions, and keeps at it while the database is away.
struct Writer {
    journal: Arc<dyn Journal>,
    room: Option<Arc<SharedRoom>>,
    folder: PathBuf,
    name: String,
}

impl Writer {
    async fn run(self, events: usize) {
        if let Some(room) = &self.room {
            room.tend().await;
            let tending = Arc::clone(room);
            let who = Clean::new(&self.name);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    tending.tend().await;
                    tending.announce(&who, None).await;
                }
            });
        }
        let mut written = 0;
        let mut round = 0;
        while written < events {
            let ticks = (0..17).map(|n| tick(&format!("{}-{round}-{n}", self.name), true, round));
            self.keep(ticks.collect()).await.unwrap();
            let intent = intent(round, &self.name);
            self.keep(vec![Entry::Intended(intent.clone())]).await.unwrap();
            self.carry(intent.op, false).await;
            written += 20;
            round += 1;
        }
        if let Some(room) = &self.room {
            while room.sharing() != Some(Sharing::Shared) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            for row in room.adopt().await.unwrap() {
                self.carry(row.intent.op, row.attempts > 0).await;
            }
        }
        self.journal.close().await;
        println!("ended");
    }

    /// What an engine does: the journal says sent before anything leaves, and its answer is kept.
    async fn carry(&self, op: OpId, may_have_left: bool) {
        loop {
            match self.keep(vec![moved(op, Delivery::Sent, 1)]).await {
                Ok(()) => break,
                // It is another console's by now.
                Err(StoreError::TakenOver) => return,
                Err(StoreError::Held(_)) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(other) => panic!("{other}"),
            }
        }
        let effects = self.folder.join("effects");
        let is_there = may_have_left
            && std::fs::read_to_string(&effects).unwrap_or_default().lines().any(|line| line == op.0.to_string());
        if !is_there {
            append(&effects, &op.0.to_string());
        }
        self.keep(vec![moved(op, confirmed(), 2)]).await.unwrap();
    }

    /// Writes, and says so only when it is durable.
    async fn keep(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let ids: Vec<String> = entries.iter().filter_map(name).collect();
        self.journal.append(entries).await?;
        append(&self.folder.join(format!("{}.acknowledged", self.name)), &ids.join("\n"));
        Ok(())
    }
}

/// What makes an event itself: each is written once in a run.
fn name(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Intended(intent) => Some(format!("asked {}", intent.op.0)),
        Entry::Moved { op, delivery: Delivery::Confirmed { .. }, .. } => Some(format!("done {}", op.0)),
        Entry::Moved { op, .. } => Some(format!("sent {}", op.0)),
        Entry::Ticked { step, .. } => Some(format!("ticked {step}")),
        _ => None,
    }
}

fn append(path: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Asks for an action, and sends it when it is told to.
async fn holder(url: &str, folder: &Path) {
    let limits = Limits { holds: holds(), patience: Duration::from_secs(20) };
    let room = end(url, folder, "holder.db", limits);
    let intent = intent(1, "holder");
    room.append(vec![Entry::Intended(intent.clone())]).await.unwrap();
    println!("asked {}", intent.op.0);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let outcome = room.append(vec![moved(intent.op, Delivery::Sent, 2)]).await;
    if outcome.is_ok() {
        append(&folder.join("effects"), &intent.op.0.to_string());
    }
    println!("send {outcome:?}");
}

/// Waits until every thread of a process that was told to stop has stopped: on a busy machine one may run on for a while.
fn stands_still(process: u32) {
    let until = Instant::now() + PATIENCE;
    let has_stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    };
    while !std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten().all(has_stopped) {
        assert!(Instant::now() < until, "the console does not stop");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// For how long the holder's lease runs: half the time for which it is stopped.
fn holds() -> Duration {
    if is_full() { Duration::from_secs(15) } else { Duration::from_secs(2) }
}

async fn ended(children: &mut [Child], patience: Duration) {
    let until = Instant::now() + patience;
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        if Instant::now() >= until {
            children.iter_mut().for_each(|child| drop(child.kill()));
            panic!("the consoles did not end within {patience:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for child in children {
        assert!(child.wait().unwrap().success());
    }
}

fn patience() -> Duration {
    if is_full() { PATIENCE * 20 } else { PATIENCE }
}

/// What each console was told is durable.
fn acknowledged(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "acknowledged") {
            names.extend(std::fs::read_to_string(entry.path()).unwrap().lines().map(str::to_owned));
        }
    }
    names
}

/// How many they were told of so far; a line that is being written is not read.
fn counted(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "acknowledged"));
    files.map(|path| std::fs::read_to_string(path).unwrap_or_default().matches('\n').count()).sum()
}

/// The history: nothing lost, nothing twice, no gap, each action sent once and confirmed.
async fn check(journal: &dyn Journal, folder: &Path) -> usize {
    let (mut ids, mut names, mut ticked) = (BTreeSet::new(), BTreeSet::new(), 0);
    let (mut last, mut asked, mut done) = (0, BTreeSet::new(), BTreeSet::new());
    let mut verifier = Verifier::default();
    loop {
        let page = journal.page(Paging::After(last), 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        for (place, record) in page {
            assert_eq!(place, last + 1, "a gap");
            last = place;
            assert!(ids.insert(record.id), "{} stands twice", record.id);
            assert_eq!(verifier.see(&record), [], "each console's own chain is whole");
            let entry = record.entry().expect("every kind is known");
            names.extend(name(&entry));
            match entry {
                Entry::Intended(intent) => assert!(asked.insert(intent.op), "asked twice"),
                Entry::Moved { op, delivery: Delivery::Confirmed { .. }, .. } => drop(done.insert(op)),
                Entry::Ticked { .. } => ticked += 1,
                _ => {}
            }
        }
    }
    assert_eq!(ticked, names.iter().filter(|name| name.starts_with("ticked")).count(), "a tick stands twice");
    let told = acknowledged(folder);
    assert_eq!(told.difference(&names).count(), 0, "what was said to be durable is there");
    let effects = std::fs::read_to_string(folder.join("effects")).unwrap();
    let effects: Vec<OpId> = effects.lines().map(|line| OpId(Uuid::parse_str(line).unwrap())).collect();
    let unique: BTreeSet<OpId> = effects.iter().copied().collect();
    assert_eq!(effects.len(), unique.len(), "an action was sent twice");
    assert_eq!(unique, asked, "every action was sent");
    assert_eq!(done, asked, "and confirmed");
    ids.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_consoles_on_postgresql_lose_nothing_and_double_nothing() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut consoles: Vec<Child> =
        (0..5).map(|n| console("writes", &url, folder.path(), &format!("c{n}"), events())).collect();
    ended(&mut consoles, patience()).await;
    let reader = end(&url, folder.path(), "reader.db", super::entries::patient());
    let count = check(&*reader, folder.path()).await;
    assert_eq!(count, events() * 5);
    println!("{count} events by 5 consoles on PostgreSQL in {:?}", began.elapsed());
    reader.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_consoles_on_one_sqlite_file_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut consoles: Vec<Child> =
        (0..5).map(|n| console("writes-sqlite", "-", folder.path(), &format!("c{n}"), events())).collect();
    ended(&mut consoles, patience()).await;
    let reader = SqliteJournal::open(Place::File(folder.path().join("room.db"))).await.unwrap();
    let count = check(&reader, folder.path()).await;
    assert_eq!(count, events() * 5);
    println!("{count} events by 5 consoles on one SQLite file in {:?}", began.elapsed());
    reader.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_killed_and_started_again_in_the_middle_and_the_history_is_clean() {
    let mut cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let mut consoles: Vec<Child> =
        (0..5).map(|n| console("writes", &url, folder.path(), &format!("c{n}"), events())).collect();
    // In the middle: a good part is written, a good part is not.
    let until = Instant::now() + patience();
    while counted(folder.path()) < events() * 5 / 4 {
        assert!(Instant::now() < until, "the consoles do not get on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.kill();
    let before = counted(folder.path());
    while counted(folder.path()) < before + 60 {
        assert!(Instant::now() < until, "the consoles do not go on alone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.run().await;
    ended(&mut consoles, patience()).await;
    let reader = end(&url, folder.path(), "reader.db", super::entries::patient());
    assert_eq!(check(&*reader, folder.path()).await, events() * 5 + extra(&*reader, events() * 5).await);
    reader.close().await;
}

/// An action that was held or taken over is said to be sent more often than once, by who had it then.
async fn extra(journal: &dyn Journal, least: usize) -> usize {
    let last = journal.page(Paging::After(least as u64), 10_000).await.unwrap();
    assert!(last.len() <= 100, "{} events more than were asked for", last.len());
    last.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_was_stopped_and_goes_on_is_refused_by_its_token() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = console("holds", &url, folder.path(), "holder", 0);
    let pid = Pid::from_raw(i32::try_from(stopped.id()).unwrap()).unwrap();
    let mut lines = BufReader::new(stopped.stdout.take().unwrap()).lines();
    let asked = lines.find_map(|line| Some(line.unwrap().split_once("asked ")?.1.trim().to_owned())).unwrap();
    let op = OpId(Uuid::parse_str(&asked).unwrap());
    kill_process(pid, Signal::STOP).unwrap();
    stands_still(stopped.id());
    // It is told to send while it stands still: it finds out only when it goes on.
    stopped.stdin.take().unwrap().write_all(b"send\n").unwrap();
    let stood = Instant::now();
    let colleague = end(&url, folder.path(), "colleague.db", super::entries::patient());
    let adopted = loop {
        let adopted = colleague.adopt().await.unwrap();
        if !adopted.is_empty() {
            break adopted;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(adopted.iter().map(|row| row.intent.op).collect::<Vec<_>>(), [op]);
    colleague.append(vec![moved(op, Delivery::Sent, 3)]).await.unwrap();
    append(&folder.path().join("effects"), &op.0.to_string());
    colleague.append(vec![moved(op, confirmed(), 4)]).await.unwrap();
    tokio::time::sleep((holds() * 2).saturating_sub(stood.elapsed())).await;
    kill_process(pid, Signal::CONT).unwrap();
    let told = lines.find_map(|line| Some(line.unwrap().split_once("send ")?.1.to_owned())).unwrap();
    assert_eq!(told, "Err(TakenOver)");
    assert!(stopped.wait().unwrap().success());
    println!("stopped for {:?}, then refused", stood.elapsed());
    let effects = std::fs::read_to_string(folder.path().join("effects")).unwrap();
    assert_eq!(effects.lines().count(), 1, "it was sent once");
    assert_eq!(cluster.sql("room", "SELECT state, attempts, token FROM warroom_outbox"), "confirmed|1|2");
    colleague.close().await;
}

//! Several processes on one file. The other processes are this test binary in another role.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::DateTime;
use uuid::Uuid;
use warroom::domain::action::{Action, Delivery, Intent, Target};
use warroom::domain::id::{IncidentId, OpId, PagerId};
use warroom::domain::time::Timestamp;
use warroom::store::record::Verifier;
use warroom::store::sqlite::{Place, SqliteJournal};
use warroom::store::{Entry, Journal, Paging, StoreError};
use warroom::text::Clean;

use super::{has_strace, is_full};

const ROLE: &str = "WARROOM_JOURNAL_ROLE";

/// Appends that wait for one another in a console at the same time.
const AT_ONCE: usize = 20;

fn at() -> Timestamp {
    DateTime::from_timestamp(1_760_000_000, 0).expect("a time")
}

fn intent() -> Intent {
    let op = OpId(Uuid::now_v7());
    let target =
        Target::Incident { id: IncidentId::parse("pd:P1").expect("an id"), pager: PagerId::parse("P1"), key: None };
    Intent { op, batch: op, target, action: Action::Acknowledge, by: Clean::new("me"), at: at() }
}

fn moved(op: OpId, delivery: Delivery) -> Entry {
    Entry::Moved { op, delivery, at: at(), opened: None }
}

/// This binary in a role, on a journal.
fn command(role: &str, journal: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test binary"));
    command.args(["--exact", "journal::consoles::a_console_itself", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env("WARROOM_JOURNAL", journal).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(role: &str, journal: &Path) -> Child {
    command(role, journal).spawn().expect("the process starts")
}

fn done(child: Child) -> String {
    let output = child.wait_with_output().expect("the process ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The program. As a test of its own it does nothing.
#[test]
fn a_console_itself() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let path = std::env::var("WARROOM_JOURNAL").expect("a journal");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(play(&role, Path::new(&path)));
    std::process::exit(0);
}

async fn play(role: &str, path: &Path) {
    let journal = SqliteJournal::open(Place::File(path.to_owned())).await.expect("the journal opens");
    let (role, number) = role.split_once(' ').unwrap_or((role, "0"));
    let number: usize = number.parse().expect("a number");
    match role {
        "write" => write_many(&journal, number).await,
        "one-by-one" => {
            for _ in 0..number {
                journal.append(vec![Entry::Intended(intent())]).await.expect("appended");
            }
        }
        "idle" => tokio::time::sleep(Duration::from_millis(number as u64)).await,
        "leave" => {
            let intents = (0..number).map(|_| Entry::Intended(intent())).collect();
            journal.append(intents).await.expect("appended");
            // As a console that is killed: nothing is closed.
            std::process::exit(0);
        }
        "carry" => carry(&journal, path).await,
        "hold" => hold(&journal, path).await,
        other => panic!("no such role: {other}"),
    }
    journal.close().await;
}

async fn write_many(journal: &SqliteJournal, number: usize) {
    for _ in 0..number.div_ceil(AT_ONCE) {
        let appended = (0..AT_ONCE).map(|_| async {
            let entry = Entry::Intended(intent());
            // Refused means not written; a person would press the key again.
            while journal.append(vec![entry.clone()]).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        futures_util::future::join_all(appended).await;
    }
}

/// Takes over whatever is left by consoles that are gone, and "sends" it: a line in a file.
async fn carry(journal: &SqliteJournal, path: &Path) {
    let mut log = fs::OpenOptions::new().append(true).create(true).open(path.with_extension("sent")).expect("a log");
    let mut quiet = 0;
    while quiet < 5 {
        let adopted = journal.adopt().await.unwrap_or_default();
        quiet = if adopted.is_empty() { quiet + 1 } else { 0 };
        for row in adopted {
            let op = row.intent.op;
            match journal.append(vec![moved(op, Delivery::Sent)]).await {
                Ok(()) => {
                    writeln!(log, "{op}").expect("logged");
                    let says = Clean::new("done");
                    journal.append(vec![moved(op, Delivery::Confirmed { says })]).await.expect("appended");
                }
                Err(StoreError::TakenOver) => println!("taken over"),
                Err(cause) => panic!("{cause}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Holds an action, says so, and tries to send it when it is told to go on.
async fn hold(journal: &SqliteJournal, path: &Path) {
    let intent = intent();
    journal.append(vec![Entry::Intended(intent.clone())]).await.expect("appended");
    fs::write(path.with_extension("held"), intent.op.to_string()).expect("said");
    while !path.with_extension("go").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    match journal.append(vec![moved(intent.op, Delivery::Sent)]).await {
        Ok(()) => println!("SENT"),
        Err(cause) => println!("REFUSED {cause}"),
    }
}

async fn all(path: &Path) -> Vec<warroom::store::Placed> {
    let journal = SqliteJournal::open(Place::File(path.to_owned())).await.expect("the journal opens");
    let mut found: Vec<warroom::store::Placed> = Vec::new();
    loop {
        let place = found.last().map_or(0, |(place, _)| *place);
        let page = journal.page(Paging::After(place), 1_000).await.expect("a page");
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    journal.close().await;
    found
}

#[tokio::test]
async fn five_consoles_on_one_file_leave_no_gap_and_no_double() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let each = if is_full() { 10_000 } else { 200 };
    let began = Instant::now();
    let children: Vec<Child> = (0..5).map(|_| start(&format!("write {each}"), &path)).collect();
    children.into_iter().for_each(|child| drop(done(child)));
    let took = began.elapsed();
    let records = all(&path).await;
    assert_eq!(records.len(), 5 * each);
    let places: Vec<u64> = records.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=5 * each as u64).collect::<Vec<_>>(), "gap-free");
    let mut verifier = Verifier::default();
    let flaws: Vec<_> = records.iter().flat_map(|(_, record)| verifier.see(record)).collect();
    assert_eq!(flaws, []);
    assert_eq!(verifier.writers(), 5);
    let ids: std::collections::BTreeSet<_> = records.iter().map(|(_, record)| record.id).collect();
    assert_eq!(ids.len(), records.len(), "no doubles");
    println!("5 consoles x {each} events in {took:?}, largest log {:?}", fs::metadata(path).map(|file| file.len()));
}

#[tokio::test]
async fn what_a_console_left_is_sent_by_exactly_one_of_five() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let left = if is_full() { 2_000 } else { 60 };
    done(start(&format!("leave {left}"), &path));
    let children: Vec<Child> = (0..5).map(|_| start("carry", &path)).collect();
    children.into_iter().for_each(|child| drop(done(child)));
    let sent = fs::read_to_string(path.with_extension("sent")).expect("a log");
    let mut ops: Vec<&str> = sent.lines().collect();
    assert_eq!(ops.len(), left, "each once");
    ops.sort_unstable();
    ops.dedup();
    assert_eq!(ops.len(), left, "none twice");
}

/// In the everyday run the lease is not waited out (the unit tests have it end at once); the full one stops a process.
#[tokio::test]
async fn a_console_stopped_for_longer_than_its_lease_is_refused_by_its_token() {
    if !is_full() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    let stopped = start("hold", &path);
    let until = Instant::now() + Duration::from_secs(20);
    while !path.with_extension("held").exists() {
        assert!(Instant::now() < until, "waited for the action to be held");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(stopped.id()).expect("a pid")).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("it lives");
    tokio::time::sleep(Duration::from_secs(30)).await;
    done(start("carry", &path));
    let sent = fs::read_to_string(path.with_extension("sent")).expect("a log");
    assert_eq!(sent.trim(), fs::read_to_string(path.with_extension("held")).expect("the action"), "taken over");
    fs::write(path.with_extension("go"), "").expect("told to go on");
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).expect("it lives");
    let said = done(stopped);
    assert!(said.contains("REFUSED another console has taken this action over"), "{said}");
}

/// How many syncs a role costs.
fn syncs(role: &str, path: &Path) -> usize {
    let plain = command(role, path);
    let trace = path.with_extension("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-c", "-e", "trace=fdatasync,fsync", "-o"]).arg(&trace).arg(plain.get_program());
    command.args(plain.get_args()).envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    done(command.spawn().expect("strace starts"));
    let text = fs::read_to_string(trace).expect("a count");
    text.lines()
        .filter(|line| line.ends_with("fdatasync") || line.ends_with("fsync"))
        .filter_map(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok())
        .sum()
}

#[test]
fn a_state_change_costs_one_sync_and_an_idle_journal_none() {
    if !has_strace() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = |name: &str| folder.path().join(name);
    let few = syncs("one-by-one 5", &fresh("few.db"));
    let many = syncs("one-by-one 105", &fresh("many.db"));
    assert_eq!(many - few, 100, "{few} for 5, {many} for 105");
    let (short, long) = (syncs("idle 10", &fresh("short.db")), syncs("idle 1500", &fresh("long.db")));
    assert_eq!(short, long, "an idle journal");
    println!("syncs: {few} for 5 changes, {many} for 105, {short} to open, idle and close");
}

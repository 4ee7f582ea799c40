use std::path::Path;

use sqlx::Connection;

use super::*;
use crate::domain::action::{Action, Delivery, Intent, Target};
use crate::domain::checklist::Tick;
use crate::domain::id::{IncidentId, OpId, OpIds, PagerId, RunbookId, StepId};
use crate::text::Clean;
use chrono::{DateTime, Utc};

fn at(second: i64) -> Timestamp {
    DateTime::<Utc>::from_timestamp(1_760_000_000 + second, 0).unwrap()
}

fn intent(ids: &mut OpIds, second: i64) -> Intent {
    let op = ids.next(at(second));
    let target = Target::Incident {
        id: IncidentId::parse("pd:P1").unwrap(),
        pager: Some(PagerId::parse("P1").unwrap()),
        key: None,
    };
    Intent {
        op,
        batch: op,
        target,
        action: Action::Escalate { level: 2, to: vec![Clean::new("Ana")] },
        by: Clean::new("me"),
        at: at(second),
    }
}

fn moved(op: OpId, delivery: Delivery, second: i64) -> Entry {
    Entry::Moved { op, delivery, at: at(second), opened: None }
}

fn confirmed() -> Delivery {
    Delivery::Confirmed { says: Clean::new("acknowledged") }
}

#[tokio::test]
async fn an_action_moves_along_and_is_read_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/journal.db");
    let mut ids = OpIds::new(1);
    let (first, second, third) = (intent(&mut ids, 1), intent(&mut ids, 2), intent(&mut ids, 3));
    {
        let journal = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
        journal.append(vec![Entry::Intended(first.clone()), Entry::Intended(second.clone())]).await.unwrap();
        journal.append(vec![Entry::Intended(third.clone())]).await.unwrap();
        journal.append(vec![moved(first.op, Delivery::Sent, 4)]).await.unwrap();
        journal.append(vec![moved(second.op, Delivery::Sent, 4)]).await.unwrap();
        journal.append(vec![moved(second.op, confirmed(), 5)]).await.unwrap();
        journal.close().await;
    }
    let journal = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
    let adopted = journal.adopt().await.unwrap();
    let told: Vec<_> = adopted.iter().map(|row| (row.intent.clone(), row.delivery.clone(), row.attempts)).collect();
    assert_eq!(told, [(first.clone(), Delivery::Sent, 1), (third, Delivery::Queued { waits_until: None }, 0)]);
    assert_eq!(journal.adopt().await.unwrap(), [], "an action is taken over once");
    let all = journal.actions_since(at(2)).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].delivery, confirmed());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}

#[tokio::test]
async fn a_living_console_keeps_its_actions() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("journal.db"));
    let mut ids = OpIds::new(1);
    let one = SqliteJournal::open(place.clone()).await.unwrap();
    one.append(vec![Entry::Intended(intent(&mut ids, 1))]).await.unwrap();
    let two = SqliteJournal::open(place.clone()).await.unwrap();
    assert_eq!(two.adopt().await.unwrap(), []);
    one.close().await;
    assert_eq!(two.adopt().await.unwrap().len(), 1);
}

fn tick(step: &str, done: bool, second: i64) -> Entry {
    Entry::Ticked {
        incident: IncidentId::parse("pd:P1").unwrap(),
        runbook: RunbookId::parse("disk").unwrap(),
        step: StepId::parse(step).unwrap(),
        tick: done.then(|| Tick { by: Clean::new("me"), at: at(second) }),
        at: at(second),
    }
}

#[tokio::test]
async fn the_last_word_on_a_step_wins() {
    let journal = SqliteJournal::open(Place::Memory).await.unwrap();
    journal.append(vec![tick("a", true, 1), tick("b", true, 2), tick("a", false, 3)]).await.unwrap();
    let ticks = journal.ticks(at(10), Duration::seconds(60)).await.unwrap();
    assert_eq!(ticks, [tick("a", false, 3), tick("b", true, 2)]);
}

#[tokio::test]
async fn what_is_not_a_journal_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is somebody's file, not a database at all").unwrap();
    let foreign = folder.path().join("foreign.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql("CREATE TABLE songs (name TEXT)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    for (path, says) in [
        (text, "is not a journal"),
        (foreign, "is a database of another program"),
        (folder.path().to_owned(), "is not a regular file"),
    ] {
        let before = std::fs::read(&path).ok();
        let refused = SqliteJournal::open(Place::File(path.clone())).await.unwrap_err();
        let failure = refused.failure("open the journal").to_string();
        assert!(failure.contains(says), "{failure}");
        assert_eq!(std::fs::read(&path).ok(), before, "{says}");
    }
}

#[tokio::test]
async fn calls_that_wait_together_share_a_commit_and_none_is_lost() {
    let journal = SqliteJournal::open(Place::Memory).await.unwrap();
    let mut ids = OpIds::new(1);
    let intents: Vec<_> = (0..200).map(|second| intent(&mut ids, second)).collect();
    let appended = intents.iter().map(|intent| journal.append(vec![Entry::Intended(intent.clone())]));
    assert!(futures_util::future::join_all(appended).await.iter().all(Result::is_ok));
    let told: Vec<_> = journal.actions_since(at(0)).await.unwrap().into_iter().map(|row| row.intent).collect();
    assert_eq!(told, intents);
}

#[test]
fn the_place_is_named_in_the_config() {
    assert_eq!(place("sqlite:/a/b.db").unwrap(), Place::File("/a/b.db".into()));
    assert_eq!(place("/a/b.db").unwrap(), Place::File("/a/b.db".into()));
    assert_eq!(place("sqlite::memory:").unwrap(), Place::Memory);
    assert!(place("").is_err());
    assert!(place("postgres://db/room").is_err());
}

/// Runs a script on a journal's file, as another program would.
async fn meddle(path: &Path, script: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_newer_journal_is_read_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut ids = OpIds::new(1);
    let first = intent(&mut ids, 1);
    let journal = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
    journal.append(vec![Entry::Intended(first.clone())]).await.unwrap();
    journal.close().await;
    meddle(&path, "PRAGMA user_version = 99").await;
    let journal = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
    let Notice::ReadOnly { cause, .. } = journal.notice().await else { panic!("no notice") };
    assert!(cause.contains("newer warroom (version 99, this one knows 2)"), "{cause}");
    assert_eq!(journal.actions_since(at(0)).await.unwrap().len(), 1);
    assert_eq!(journal.page(Paging::After(0), 10).await.unwrap().len(), 1);
    let refused = journal.append(vec![Entry::Intended(intent(&mut ids, 2))]).await.unwrap_err();
    assert!(refused.failure("write").to_string().contains("newer warroom"), "{refused}");
    assert_eq!(journal.adopt().await.unwrap(), []);
}

#[tokio::test]
async fn a_schema_that_changes_under_an_open_console_stops_its_writes() {
    // An action and a record that moves nothing else go different ways; the second refusal is that of a new connection.
    let mut ids = OpIds::new(1);
    for entry in [Entry::Intended(intent(&mut ids, 2)), tick("a", true, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let journal = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
        journal.append(vec![Entry::Intended(intent(&mut ids, 1))]).await.unwrap();
        meddle(&path, "PRAGMA user_version = 3").await;
        for _ in 0..2 {
            let refused = journal.append(vec![entry.clone()]).await.unwrap_err();
            assert!(refused.failure("write").to_string().contains("newer warroom"), "{refused}");
        }
        assert_eq!(journal.page(Paging::After(0), 10).await.unwrap().len(), 1, "reading goes on, nothing was written");
    }
}

#[tokio::test]
async fn the_linked_sqlite_keeps_a_shared_log_whole() {
    assert!(sqlite_version().await.unwrap() >= (3, 51, 3), "{:?}", sqlite_version().await);
}

#[tokio::test]
async fn version_1_becomes_version_2_with_chains() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    meddle(&path, include_str!("schema_1.sql")).await;
    let mut ids = OpIds::new(1);
    let (first, second) = (intent(&mut ids, 1), intent(&mut ids, 2));
    let writer = "11111111-1111-4111-8111-111111111111";
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    for (place, entry) in
        [Entry::Intended(first.clone()), Entry::Intended(second.clone()), moved(first.op, confirmed(), 3)]
            .iter()
            .enumerate()
    {
        let told = serde_json::to_value(entry).unwrap();
        sqlx::query("INSERT INTO journal (id, writer, at, kind, version, payload) VALUES (?, ?, ?, ?, 1, ?)")
            .bind(format!("00000000-0000-7000-8000-00000000000{place}"))
            .bind(writer)
            .bind(entry.at().timestamp_micros())
            .bind(told["kind"].as_str().unwrap())
            .bind(told["payload"].to_string())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    sqlx::raw_sql("PRAGMA application_id = 1465012813; PRAGMA user_version = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let journal = SqliteJournal::open(Place::File(path)).await.unwrap();
    let records = journal.page(Paging::After(0), 10).await.unwrap();
    let mut verifier = crate::store::record::Verifier::default();
    assert_eq!(records.iter().flat_map(|(_, record)| verifier.see(record)).collect::<Vec<_>>(), []);
    let told: Vec<_> =
        journal.actions_since(at(0)).await.unwrap().into_iter().map(|row| (row.intent, row.delivery)).collect();
    assert_eq!(told, [(first, confirmed()), (second.clone(), Delivery::Queued { waits_until: None })]);
    let adopted = journal.adopt().await.unwrap();
    assert_eq!(adopted.into_iter().map(|row| row.intent).collect::<Vec<_>>(), [second]);
}

#[tokio::test]
async fn each_writer_has_a_chain_without_gaps_and_pages_come_from_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("journal.db"));
    let mut ids = OpIds::new(1);
    let (one, two) = (SqliteJournal::open(place.clone()).await.unwrap(), SqliteJournal::open(place).await.unwrap());
    for second in 0..150 {
        let journal = if second % 3 == 0 { &one } else { &two };
        journal.append(vec![Entry::Intended(intent(&mut ids, second))]).await.unwrap();
    }
    one.append((150..300).map(|second| Entry::Intended(intent(&mut ids, second))).collect()).await.unwrap();
    let all = one.page(Paging::After(0), 1_000).await.unwrap();
    assert_eq!(all.iter().map(|(place, _)| *place).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    let mut verifier = crate::store::record::Verifier::default();
    assert_eq!(all.iter().flat_map(|(_, record)| verifier.see(record)).collect::<Vec<_>>(), []);
    assert_eq!(verifier.writers(), 2);
    assert_eq!(two.page(Paging::After(10), 2).await.unwrap(), all[10..12]);
    assert_eq!(two.page(Paging::Before(u64::MAX), 2).await.unwrap(), all[298..]);
    assert_eq!(two.page(Paging::Before(3), 5).await.unwrap(), all[..2]);
}

#[tokio::test]
async fn what_stands_in_the_journal_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
    journal.append(vec![Entry::Intended(intent(&mut OpIds::new(1), 1))]).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    for statement in ["UPDATE journal SET at = 0", "DELETE FROM journal"] {
        let refused = sqlx::raw_sql(statement).execute(&mut connection).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn an_import_is_taken_once_and_nobody_sends_what_came_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = SqliteJournal::open(Place::File(folder.path().join("here.db"))).await.unwrap();
    let there = SqliteJournal::open(Place::File(folder.path().join("there.db"))).await.unwrap();
    let mut ids = OpIds::new(1);
    let (first, second) = (intent(&mut ids, 1), intent(&mut ids, 2));
    there.append(vec![Entry::Intended(first.clone()), Entry::Intended(second.clone())]).await.unwrap();
    there.append(vec![moved(first.op, Delivery::Sent, 3), moved(first.op, confirmed(), 4)]).await.unwrap();
    let records: Vec<_> =
        there.page(Paging::After(0), 100).await.unwrap().into_iter().map(|(_, record)| record).collect();
    assert_eq!(here.import(records.clone()).await.unwrap(), Imported { new: 4, known: 0 });
    assert_eq!(here.import(records.clone()).await.unwrap(), Imported { new: 0, known: 4 });
    there.close().await;
    assert_eq!(here.adopt().await.unwrap(), []);
    let told: Vec<_> = here.actions_since(at(0)).await.unwrap().into_iter().map(|row| row.delivery).collect();
    assert_eq!(told, [confirmed(), Delivery::Queued { waits_until: None }]);
    let again: Vec<_> = here.page(Paging::After(0), 100).await.unwrap().into_iter().map(|(_, record)| record).collect();
    assert_eq!(again, records);
}

#[tokio::test]
async fn who_was_stopped_for_longer_than_the_lease_has_an_old_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut ids = OpIds::new(1);
    let (mine, other) = (intent(&mut ids, 1), intent(&mut ids, 2));
    let stopped = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
    let lively = SqliteJournal::open(Place::File(path.clone())).await.unwrap();
    stopped.append(vec![Entry::Intended(mine.clone())]).await.unwrap();
    assert!(stopped.holds_until().is_some());
    assert_eq!(lively.adopt().await.unwrap(), [], "its lease lasts");
    meddle(&path, "UPDATE writer SET lease_until = 1").await;
    assert_eq!(lively.adopt().await.unwrap().len(), 1);
    let late = stopped.append(vec![moved(mine.op, Delivery::Sent, 3)]).await.unwrap_err();
    assert!(matches!(late, StoreError::TakenOver), "{late}");
    // A refusal of one action leaves the others of the same commit alone.
    let appended = [
        stopped.append(vec![Entry::Intended(other.clone())]),
        stopped.append(vec![moved(mine.op, confirmed(), 4)]),
        stopped.append(vec![moved(other.op, Delivery::Sent, 4)]),
    ];
    let outcomes: Vec<bool> = futures_util::future::join_all(appended).await.iter().map(Result::is_ok).collect();
    assert_eq!(outcomes, [true, false, true]);
    lively.append(vec![moved(mine.op, Delivery::Sent, 5)]).await.unwrap();
    lively
        .append(vec![moved(mine.op, Delivery::Failed { failure: StoreError::Closed.failure("x") }, 6)])
        .await
        .unwrap();
    // Settled by the other: who still believes to hold it moves nothing, not even now.
    for delivery in [Delivery::Sent, Delivery::Queued { waits_until: None }, confirmed()] {
        let late = stopped.append(vec![moved(mine.op, delivery, 6)]).await.unwrap_err();
        assert!(matches!(late, StoreError::TakenOver), "{late}");
    }
    // Whoever takes it up again first has it, under a new token.
    lively.append(vec![moved(mine.op, Delivery::Queued { waits_until: None }, 7)]).await.unwrap();
    let third = SqliteJournal::open(Place::File(path)).await.unwrap();
    let second = third.append(vec![moved(mine.op, Delivery::Queued { waits_until: None }, 7)]).await.unwrap_err();
    assert!(matches!(second, StoreError::TakenOver));
    assert_eq!(third.action(mine.op).await.unwrap().unwrap().attempts, 1);
}

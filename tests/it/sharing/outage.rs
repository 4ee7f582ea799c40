//! The room's database goes away and comes back; an old console meets a newer schema.

use std::time::Duration;

use warroom::domain::action::Delivery;
use warroom::domain::sharing::Sharing;
use warroom::store::record::Verifier;
use warroom::store::{Entry, Journal as _, Paging, StoreError};

use super::entries::{at, brief, confirmed, end, intent, moved, role, tick};
use crate::postgres::Cluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_console_goes_on_alone_and_merges_without_loss_or_doubles() {
    let mut cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let (ana, ben) = (end(&url, folder.path(), "ana.db", brief()), end(&url, folder.path(), "ben.db", brief()));
    let before = intent(1, "Ana");
    ana.append(vec![Entry::Intended(before.clone()), role(None, Some("Ana"), 1)]).await.unwrap();
    ben.append(vec![tick("shared", true, 1)]).await.unwrap();
    assert_eq!(ana.tend().await && ben.tend().await, true);
    assert_eq!(ben.sharing(), Some(Sharing::Shared));

    cluster.kill();
    let during = intent(10, "Ana");
    ana.append(vec![Entry::Intended(during.clone()), tick("alone", true, 10)]).await.unwrap();
    assert!(matches!(ana.sharing(), Some(Sharing::Apart { .. })));
    ana.append(vec![moved(during.op, Delivery::Sent, 11)]).await.unwrap();
    ana.append(vec![moved(during.op, confirmed(), 12)]).await.unwrap();
    // A colleague's console may have taken this one over: it is not sent while nobody can be asked.
    let held = ana.append(vec![moved(before.op, Delivery::Sent, 13)]).await.unwrap_err();
    assert!(matches!(held, StoreError::Held(_)), "{held}");
    // Both take the role on: when they meet, the first to be brought in has it, and nothing is lost.
    ana.append(vec![role(Some("Ana"), Some("Cleo"), 14)]).await.unwrap();
    ben.append(vec![role(Some("Ana"), Some("Ben"), 14), tick("shared", false, 15)]).await.unwrap();
    assert!(!ana.tend().await, "the database is still away");

    cluster.run().await;
    assert!(ana.tend().await && ben.tend().await);
    assert!(ana.tend().await, "and once more brings in nothing");
    assert_eq!(ana.sharing(), Some(Sharing::Shared));
    let page = ben.page(Paging::After(0), 1_000).await.unwrap();
    assert_eq!(page.iter().map(|(place, _)| *place).collect::<Vec<_>>(), (1..=10).collect::<Vec<u64>>());
    let mut verifier = Verifier::default();
    for (_, record) in &page {
        assert_eq!(verifier.see(record), [], "a chain goes on through both journals");
    }
    let mine = page.iter().filter(|(_, record)| record.writer == ana.me().0).count();
    assert_eq!(mine, 7, "what was written apart keeps its writer");
    let words = ben.ticks(at(100), chrono::Duration::seconds(1_000)).await.unwrap();
    assert_eq!(words, [tick("alone", true, 10), tick("shared", false, 15), role(Some("Ana"), Some("Cleo"), 14)]);
    let rows = ben.actions_since(at(0)).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.intent.op, row.delivery.clone(), row.attempts)).collect();
    assert_eq!(told, [(before.op, Delivery::Queued { waits_until: None }, 0), (during.op, confirmed(), 1)]);
    // Shared again: the one that was held goes out, or was taken over.
    match ana.append(vec![moved(before.op, Delivery::Sent, 20)]).await {
        Ok(()) => {}
        Err(other) => panic!("{other}"),
    }
    ana.close().await;
    ben.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_console_left_when_it_ended_apart_is_anybodys_after_the_merge() {
    let mut cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let one = end(&url, folder.path(), "journal.db", brief());
    assert!(one.tend().await);
    cluster.kill();
    let left = intent(1, "Ana");
    one.append(vec![Entry::Intended(left.clone())]).await.unwrap();
    one.close().await;
    drop(one);
    let again = end(&url, folder.path(), "journal.db", brief());
    let told = again.actions_since(at(0)).await.unwrap();
    assert_eq!(told.len(), 1, "it is shown while the database is away");
    assert_eq!(again.adopt().await.unwrap(), [], "but not sent");
    cluster.run().await;
    assert!(again.tend().await);
    // The console that asked may be carrying it out: it has the time of a lease to say so.
    let adopted = loop {
        let adopted = again.adopt().await.unwrap();
        if !adopted.is_empty() {
            break adopted;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(adopted.iter().map(|row| row.intent.op).collect::<Vec<_>>(), [left.op]);
    again.append(vec![moved(left.op, Delivery::Sent, 2)]).await.unwrap();
    again.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_send_of_an_earlier_holder_is_refused_by_its_token() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let (ana, ben) = (end(&url, folder.path(), "ana.db", brief()), end(&url, folder.path(), "ben.db", brief()));
    let asked = intent(1, "Ana");
    ana.append(vec![Entry::Intended(asked.clone())]).await.unwrap();
    assert_eq!(ben.adopt().await.unwrap(), [], "Ana's lease runs");
    // Ana's console says nothing for longer than its lease.
    let adopted = loop {
        let adopted = ben.adopt().await.unwrap();
        if !adopted.is_empty() {
            break adopted;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(adopted[0].intent.op, asked.op);
    let late = ana.append(vec![moved(asked.op, Delivery::Sent, 5)]).await.unwrap_err();
    assert!(matches!(late, StoreError::TakenOver), "{late}");
    ben.append(vec![moved(asked.op, Delivery::Sent, 6)]).await.unwrap();
    let late = ana.append(vec![moved(asked.op, Delivery::Sent, 7)]).await.unwrap_err();
    assert!(matches!(late, StoreError::TakenOver), "{late}");
    ben.append(vec![moved(asked.op, confirmed(), 8)]).await.unwrap();
    assert_eq!(cluster.sql("room", "SELECT state, attempts, token FROM warroom_outbox"), "confirmed|1|2");
    ana.close().await;
    ben.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_console_in_front_of_a_newer_schema_only_reads() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let (old, late) = (end(&url, folder.path(), "old.db", brief()), end(&url, folder.path(), "late.db", brief()));
    old.append(vec![tick("a", true, 1)]).await.unwrap();
    cluster.sql("room", "UPDATE warroom_room SET version = 99");
    for console in [&old, &late] {
        let refused = console.append(vec![tick("b", true, 2)]).await.unwrap_err();
        let words = refused.failure("write an action into").to_string();
        assert!(words.contains("newer warroom (schema 99") && words.contains("upgrade this console"), "{words}");
        assert!(matches!(console.sharing(), Some(Sharing::ReadOnly { .. })));
        assert_eq!(console.ticks(at(9), chrono::Duration::seconds(60)).await.unwrap(), [tick("a", true, 1)]);
    }
    assert_eq!(cluster.sql("room", "SELECT count(*) FROM warroom_journal"), "1");
    old.close().await;
    late.close().await;
}

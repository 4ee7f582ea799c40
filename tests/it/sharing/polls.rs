//! One console asks a provider, the others take its answer.

use std::time::Duration;

use futures_util::future::join_all;
use warroom::store::postgres::{Answered, Asking};

use super::entries::{brief, end};
use crate::postgres::Cluster;

const NEVER: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_consoles_one_asks_and_a_late_answer_is_not_kept() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let folder = tempfile::tempdir().unwrap();
    let ends: Vec<_> =
        (0..5).map(|n| end(&url, folder.path(), &format!("{n}.db"), super::entries::patient())).collect();
    for end in &ends {
        assert!(end.tend().await);
    }
    for round in 0..20 {
        let name = format!("question {round}");
        let asked = join_all(ends.iter().map(|end| end.ask(&name, NEVER, b"", NEVER))).await;
        let mut leases = Vec::new();
        for asking in asked {
            match asking {
                Some(Asking::Mine(lease)) => leases.push(lease),
                Some(Asking::Theirs(None)) => {}
                other => panic!("{other:?}"),
            }
        }
        let [lease] = leases.as_slice() else { panic!("round {round}: {leases:?}") };
        let holder = &ends[join_all(ends.iter().map(|end| end.holds(lease))).await.iter().position(|is| *is).unwrap()];
        assert!(holder.answered(lease, "label", b"digest", b"body", Duration::from_secs(2)).await);
        for end in &ends {
            let Some(Asking::Known(Answered { body, age, .. })) = end.ask(&name, NEVER, b"", NEVER).await else {
                panic!("everybody has it")
            };
            assert_eq!(body.as_deref(), Some(&b"body"[..]));
            assert!(age >= Duration::from_secs(2), "its age counts from the question");
            let again = end.ask(&name, NEVER, b"digest", NEVER).await;
            assert!(matches!(again, Some(Asking::Known(Answered { body: None, .. }))), "{again:?}");
        }
    }

    // The lease of one that was stopped runs out; what it brings then is older than what the room has.
    let (slow, quick) = (&ends[0], &ends[1]);
    let Some(Asking::Mine(late)) = slow.ask("slow", NEVER, b"", Duration::from_millis(1)).await else { panic!() };
    tokio::time::sleep(brief().holds / 10).await;
    let Some(Asking::Mine(lease)) = quick.ask("slow", NEVER, b"", NEVER).await else { panic!("the lease ran out") };
    assert!(!slow.answered(&late, "label", b"old", b"old", Duration::ZERO).await, "refused by its token");
    assert!(quick.answered(&lease, "label", b"new", b"new", Duration::ZERO).await);
    assert!(!slow.answered(&late, "label", b"old", b"old", Duration::ZERO).await);
    let told = cluster.sql("room", "SELECT convert_from(body, 'UTF8') FROM warroom_answer WHERE name = 'slow'");
    assert_eq!(told, "new");

    // While one waits before it tries again, the others read why, and do not ask.
    let Some(Asking::Mine(lease)) = quick.ask("down", NEVER, b"", NEVER).await else { panic!() };
    quick.unanswered(&lease, NEVER, "the server failed (503)").await;
    let told = slow.ask("down", NEVER, b"", NEVER).await;
    assert_eq!(told, Some(Asking::Theirs(Some("the server failed (503)".to_owned()))));
    // An exclusive step is one console's.
    let taken = slow.take("step pd:P1/disk/restart", NEVER).await.unwrap().expect("it is free");
    assert_eq!(quick.take("step pd:P1/disk/restart", NEVER).await.unwrap(), None);
    slow.release(&taken).await;
    assert!(quick.take("step pd:P1/disk/restart", NEVER).await.unwrap().is_some());
}

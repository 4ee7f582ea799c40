//! What every journal must do, run against each of them.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use uuid::Uuid;
use warroom::domain::action::Delivery;
use warroom::store::record::{Draft, Hash, Verifier};
use warroom::store::sqlite::{Place, SqliteJournal};
use warroom::store::{Entry, Journal, Paging, StoreError};

use super::entries::{at, confirmed, end, intent, moved, patient, role, tick};
use crate::postgres::Cluster;

/// One journal that any number of consoles can open.
enum Room {
    Sqlite(PathBuf),
    Postgres(String, PathBuf),
}

impl Room {
    async fn open(&self) -> Arc<dyn Journal> {
        match self {
            Self::Sqlite(path) => Arc::new(SqliteJournal::open(Place::File(path.clone())).await.unwrap()),
            Self::Postgres(url, folder) => end(url, folder, &format!("{}.db", uuid::Uuid::new_v4()), patient()),
        }
    }
}

async fn conforms(fresh: impl Fn(&str) -> Room) {
    an_action_moves_along_and_is_taken_over_once(&fresh("moves")).await;
    a_living_console_keeps_its_actions(&fresh("keeps")).await;
    the_last_word_on_a_step_wins(&fresh("ticks")).await;
    an_entry_stands_once_however_often_it_is_written(&fresh("once")).await;
    places_have_no_gaps_and_pages_miss_nothing(&fresh("pages")).await;
    a_role_goes_to_one(&fresh("roles")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_does() {
    let folder = tempfile::tempdir().unwrap();
    conforms(|name| Room::Sqlite(folder.path().join(format!("{name}.db")))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_does() {
    let cluster = Cluster::start().await;
    let folder = tempfile::tempdir().unwrap();
    conforms(|name| Room::Postgres(cluster.database(name), folder.path().to_owned())).await;
}

async fn an_action_moves_along_and_is_taken_over_once(room: &Room) {
    let (first, second, third) = (intent(1, "me"), intent(2, "me"), intent(3, "me"));
    let one = room.open().await;
    one.append(vec![Entry::Intended(first.clone()), Entry::Intended(second.clone())]).await.unwrap();
    one.append(vec![Entry::Intended(third.clone())]).await.unwrap();
    one.append(vec![moved(first.op, Delivery::Sent, 4), moved(second.op, Delivery::Sent, 4)]).await.unwrap();
    one.append(vec![moved(second.op, confirmed(), 5)]).await.unwrap();
    one.close().await;
    let two = room.open().await;
    let told: Vec<_> =
        two.adopt().await.unwrap().into_iter().map(|row| (row.intent, row.delivery, row.attempts)).collect();
    assert_eq!(told, [(first, Delivery::Sent, 1), (third, Delivery::Queued { waits_until: None }, 0)]);
    assert_eq!(two.adopt().await.unwrap(), [], "an action is taken over once");
    let all = two.actions_since(at(2)).await.unwrap();
    assert_eq!(all.iter().map(|row| &row.delivery).collect::<Vec<_>>()[0], &confirmed());
    assert_eq!(all.len(), 2);
    two.close().await;
}

async fn a_living_console_keeps_its_actions(room: &Room) {
    let one = room.open().await;
    one.append(vec![Entry::Intended(intent(1, "me"))]).await.unwrap();
    let two = room.open().await;
    assert_eq!(two.adopt().await.unwrap(), []);
    one.close().await;
    assert_eq!(two.adopt().await.unwrap().len(), 1);
    two.close().await;
}

async fn the_last_word_on_a_step_wins(room: &Room) {
    let journal = room.open().await;
    journal.append(vec![tick("a", true, 1), tick("b", true, 2)]).await.unwrap();
    journal.append(vec![tick("a", false, 3)]).await.unwrap();
    let ticks = journal.ticks(at(10), chrono::Duration::seconds(60)).await.unwrap();
    assert_eq!(ticks, [tick("a", false, 3), tick("b", true, 2)]);
    assert_eq!(journal.ticks(at(1_000), chrono::Duration::seconds(60)).await.unwrap(), []);
    journal.close().await;
}

async fn an_entry_stands_once_however_often_it_is_written(room: &Room) {
    let journal = room.open().await;
    let intent = intent(1, "me");
    let asked = Draft::new(&Entry::Intended(intent.clone())).unwrap().sealed(Uuid::from_u128(7), 1, Hash::default());
    let sent = Draft::new(&moved(intent.op, Delivery::Sent, 2)).unwrap().sealed(asked.writer, 2, asked.hash);
    for _ in 0..3 {
        journal.import(vec![asked.clone(), sent.clone(), sent.clone()]).await.unwrap();
    }
    let page = journal.page(Paging::After(0), 100).await.unwrap();
    assert_eq!(page, [(1, asked), (2, sent)]);
    assert_eq!(journal.actions_since(at(0)).await.unwrap()[0].attempts, 1);
    journal.close().await;
}

async fn places_have_no_gaps_and_pages_miss_nothing(room: &Room) {
    let ends = [room.open().await, room.open().await, room.open().await];
    let written = ends.iter().enumerate().map(|(number, end)| async move {
        for second in 0..40 {
            end.append(vec![tick(&format!("{number}-{second}"), true, second)]).await.unwrap();
        }
    });
    // One reads while the others write: what it has read up to a place is all there is before it.
    let reader = room.open().await;
    let read = async {
        let (mut seen, mut verifier) = (Vec::new(), Verifier::default());
        while seen.len() < 120 {
            let after = seen.last().copied().unwrap_or(0);
            let page = reader.page(Paging::After(after), 7).await.unwrap();
            assert!(page.len() <= 7);
            for (place, record) in page {
                assert_eq!(verifier.see(&record), [], "each writer's chain is whole");
                seen.push(place);
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        seen
    };
    let (seen, _) = tokio::join!(read, join_all(written));
    assert_eq!(seen, (1..=120).collect::<Vec<u64>>());
    for end in ends.iter().chain([&reader]) {
        end.close().await;
    }
}

async fn a_role_goes_to_one(room: &Room) {
    let (ana, ben) = (room.open().await, room.open().await);
    let mut holder: Option<String> = None;
    for round in 0..20 {
        let from = holder.as_deref();
        let (first, second) = tokio::join!(
            ana.append(vec![role(from, Some(&format!("Ana {round}")), round)]),
            ben.append(vec![role(from, Some(&format!("Ben {round}")), round)]),
        );
        let (winner, loser) = match (&first, &second) {
            (Ok(()), Err(refused)) => ("Ana", refused),
            (Err(refused), Ok(())) => ("Ben", refused),
            both => panic!("round {round}: {both:?}"),
        };
        let now = format!("{winner} {round}");
        assert!(matches!(loser, StoreError::Overtaken(why) if why.contains(&now)), "{loser}");
        holder = Some(now);
    }
    let held = ben.ticks(at(100), chrono::Duration::seconds(1_000)).await.unwrap();
    let [Entry::RoleMoved { to: Some(to), .. }] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!(Some(to.as_str()), holder.as_deref());
    ana.close().await;
    ben.close().await;
}

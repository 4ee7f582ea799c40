use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::alert::{Alert, AlertKey, AlertState, Fingerprint, Labels};
use crate::domain::fact::Fact;
use crate::domain::incident::Status;
use crate::engine::testing::{at, record};
use crate::text::Untrusted;

fn id(name: &str) -> SourceId {
    SourceId::parse(name).unwrap()
}

fn alert(number: u64, words: &str) -> Arc<Alert> {
    Arc::new(Alert {
        key: AlertKey { cluster: id("eu"), fingerprint: Fingerprint(number) },
        labels: Labels::from_iter([("alertname", words), ("pod", "web-1")]),
        annotations: Labels::from_iter([("summary", words)]),
        starts_at: at(1),
        updated_at: at(2),
        generator_url: Untrusted::from("http://prometheus/graph"),
        state: AlertState::Active,
        groups: Vec::new().into(),
    })
}

fn alerts(numbers: impl IntoIterator<Item = u64>) -> Fact {
    let changed = numbers.into_iter().map(|number| alert(number, "Disk")).collect();
    Fact::AlertsChanged { cluster: id("eu"), changed, ended: Vec::new(), at: at(3) }
}

fn incidents() -> Fact {
    let changed = vec![Arc::new(record("P1", Status::Triggered))];
    Fact::IncidentsChanged { source: id("pagerduty"), changed }
}

fn shelf(folder: &Path) -> Arc<Shelf> {
    Shelf::new(folder, &id("eu"), ["alertmanager", "http://am"])
}

async fn recalled(shelf: &Shelf) -> Option<(Answered, Vec<String>)> {
    let mut recalled = shelf.recall().await?;
    let mut facts = Vec::new();
    while let Some(fact) = recalled.facts.recv().await {
        facts.push(format!("{fact:?}"));
    }
    Some((recalled.answered, facts))
}

fn file_of(folder: &Path) -> PathBuf {
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "one file and nothing beside it: {files:?}");
    files[0].clone()
}

#[tokio::test]
async fn what_was_told_comes_back_with_its_time_and_is_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("cache");
    assert!(recalled(&shelf(&folder)).await.is_none(), "nothing was kept yet");
    let kept = shelf(&folder);
    kept.told(&id("am-1"), at(7), true);
    assert!(kept.takes(true));
    kept.write(&[incidents(), alerts(0..3)]);
    let (answered, facts) = recalled(&shelf(&folder)).await.unwrap();
    assert_eq!(answered, Answered::from([(id("am-1"), at(7))]));
    assert_eq!(facts, [incidents(), alerts(0..3)].map(|fact| format!("{fact:?}")));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file_of(&folder))), (0o700, 0o600));
    let other = Shelf::new(&folder, &id("eu"), ["alertmanager", "http://another"]);
    assert!(recalled(&other).await.is_none(), "another address is another state");
}

#[tokio::test(start_paused = true)]
async fn it_is_written_when_something_changed_and_half_a_minute_passed_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let kept = shelf(folder.path());
    assert!(!kept.takes(true), "nothing was told here: what an earlier console left stays");
    kept.told(&id("am-1"), at(1), true);
    assert!(!kept.takes(false), "a start has other things to do");
    tokio::time::advance(EVERY).await;
    assert!(kept.takes(false));
    kept.told(&id("am-1"), at(2), true);
    tokio::time::advance(EVERY).await;
    assert!(!kept.takes(false), "it is being written");
    kept.write(&[]);
    assert!(kept.takes(false));
    kept.write(&[]);
    kept.told(&id("am-1"), at(3), false);
    tokio::time::advance(EVERY).await;
    assert!(!kept.takes(false), "only its age changed");
    tokio::time::advance(UNCHANGED).await;
    assert!(kept.takes(false));
    kept.write(&[]);
    assert!(!kept.takes(true), "all of it is written");
    kept.told(&id("am-1"), at(4), false);
    assert!(kept.takes(true));
}

/// Does something to the bytes of a file.
type Damage = fn(Vec<u8>) -> Vec<u8>;

#[tokio::test]
async fn a_file_that_was_cut_changed_or_is_newer_is_passed_over() {
    let table: &[(&str, Damage)] = &[
        ("cut in its last line", |mut bytes| {
            bytes.pop();
            bytes
        }),
        ("cut in the middle", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("empty", |_| Vec::new()),
        ("something else", |_| b"SQLite format 3\0".to_vec()),
        ("newer", |bytes| String::from_utf8(bytes).unwrap().replacen("\"form\":1", "\"form\":2", 1).into_bytes()),
    ];
    for (what, damage) in table {
        let folder = tempfile::tempdir().unwrap();
        let kept = shelf(folder.path());
        kept.told(&id("am-1"), at(7), true);
        kept.write(&[alerts(0..3)]);
        let path = file_of(folder.path());
        std::fs::write(&path, damage(std::fs::read(&path).unwrap())).unwrap();
        assert!(recalled(&kept).await.is_none(), "{what}");
    }
    let folder = tempfile::tempdir().unwrap();
    let kept = shelf(folder.path());
    kept.write(&[alerts(0..1), alerts(1..2)]);
    let path = file_of(folder.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let second = text.lines().nth(2).unwrap();
    std::fs::write(&path, text.replace(second, "{\"alerts_changed\":7}")).unwrap();
    assert_eq!(recalled(&kept).await.unwrap().1.len(), 1, "what comes before a damaged line is whole");
}

#[tokio::test]
async fn a_state_that_is_too_large_leaves_the_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let kept = shelf(folder.path());
    kept.told(&id("am-1"), at(7), true);
    kept.write(&[alerts(0..1)]);
    let huge = "x".repeat(usize::try_from(file::MOST_BYTES / 4).unwrap());
    let changed = vec![alert(1, &huge), alert(2, &huge), alert(3, &huge)];
    kept.write(&[Fact::AlertsChanged { cluster: id("eu"), changed, ended: Vec::new(), at: at(8) }]);
    file_of(folder.path());
    assert_eq!(recalled(&kept).await.unwrap().1, [format!("{:?}", alerts(0..1))]);
}

proptest! {
    /// Any text that a label can hold comes back as it was.
    #[test]
    fn round_trip(words in proptest::collection::vec(".{0,40}", 0..12), numbers in proptest::collection::vec(any::<u64>(), 12)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.jsonl");
        let changed: Vec<Arc<Alert>> = words.iter().zip(&numbers).map(|(words, number)| alert(*number, words)).collect();
        let fact = |some: &[Arc<Alert>]| {
            Fact::AlertsChanged { cluster: id("eu"), changed: some.to_vec(), ended: Vec::new(), at: at(3) }
        };
        let facts: Vec<Fact> = changed.chunks(5).map(fact).collect();
        file::write(&path, &Answered::from([(id("am-1"), at(1))]), &facts).unwrap();
        let mut back = Vec::new();
        file::read(&path, |_| true, |fact| { back.push(fact); true }).unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{facts:?}"));
    }
}

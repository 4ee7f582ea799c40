//! The room under a storm: what correlating everything costs against a naive map, what one batch of changes costs, and how
//! much memory an alert takes.

use std::collections::HashMap;

use warroom::domain::room::Room;

use crate::clock::{alternate, median, timed};
use crate::load::{Words, present};

const ALERTS: usize = 50_000;
const BATCH: usize = 500;

/// Builds rooms again and again; changes batches of one.
pub fn run() {
    let words = Words::new();
    let before = resident();
    let alerts: Vec<_> = (0..ALERTS).map(|at| words.alert(at, 0)).collect();
    let loaded = resident();
    let facts: Vec<_> = alerts.chunks(BATCH).map(|some| words.changed(some.to_vec())).collect();
    let incidents = words.incidents(10_000);
    let fill = |room: &mut Room| {
        for fact in facts.iter().chain(&incidents) {
            room.apply(fact, present());
        }
    };
    let kept = resident();
    let mut room = Room::default();
    fill(&mut room);
    let full = resident();
    assert_eq!(room.alerts().count(), ALERTS);
    println!(
        "bytes for each of 50,000 alerts: {:.0} the alert, {:.0} its place in the room (rows, ranks, ties; 10,000 incidents \
         included); {} rows",
        (loaded - before) / ALERTS as f64,
        (full - kept) / ALERTS as f64,
        room.board().len(),
    );

    let ours = || {
        timed(|| {
            let mut room = Room::default();
            facts.iter().for_each(|fact| room.apply(fact, present()));
            room
        })
        .0
    };
    // Group by key, sort the groups by severity and start: what the rows are made of, without keeping anything up to date.
    let naive = || {
        timed(|| {
            let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, alert) in alerts.iter().enumerate() {
                let service = alert.labels.get("service").map(|value| value.expose().to_owned()).unwrap_or_default();
                let key = alert.groups.first().map(|group| group.key.as_str().to_owned()).unwrap_or_default();
                groups.entry(format!("{service}/{key}")).or_default().push(at);
            }
            let mut rows: Vec<(String, Vec<usize>)> = groups.into_iter().collect();
            rows.sort_by_key(|(_, members)| {
                let first = &alerts[members[0]];
                (first.labels.get("severity").map(|value| value.expose().to_owned()), first.starts_at)
            });
            rows
        })
        .0
    };
    let (ours, naive) = alternate(8, ours, naive);
    println!(
        "correlate 50,000 alerts into rows: {ours:.0} ms CPU, naive map and sort {naive:.0} ms, ratio {:.2} (goal 3.00)",
        ours / naive
    );

    let mut batches = Vec::new();
    for version in 1..=60 {
        let from = version * 811 % (ALERTS - BATCH);
        let fact = words.changed((from..from + BATCH).map(|at| words.alert(at, version)).collect());
        batches.push(timed(|| room.apply(&fact, present())).0);
    }
    println!("500 changes among 50,000 alerts and 10,000 incidents: {:.2} ms CPU (goal 1.00)", median(batches));
}

/// Resident bytes of this process.
fn resident() -> f64 {
    crate::pty::memory(std::process::id()).0 * 1024.0 * 1024.0
}

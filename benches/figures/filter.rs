//! The fuzzy filter over 50,000 rows, as a person types it, against nucleo-matcher over the same texts in one thread.

use chrono::Duration;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use warroom::domain::id::IncidentId;
use warroom::domain::room::Room;
use warroom::tui::panes::incidents::search::Search;

use crate::clock::{median, quantile, timed};
use crate::load::{Words, present};

const QUERIES: [&str; 5] = ["wrong04", "service-1", "pod x7k", "kube 9", "pod-0001"];

/// Types each query letter by letter.
pub fn run() {
    let words = Words::new();
    let mut room = Room::default();
    for fact in &words.alerts(50_000) {
        room.apply(fact, present());
    }
    // What a row is found by, as one text a field.
    let texts: Vec<Vec<String>> = room
        .board()
        .iter()
        .map(|incident| {
            let mut fields = vec![incident.title.as_str().to_owned()];
            fields.extend(incident.service.as_ref().map(|service| service.as_str().to_owned()));
            let labels = room.alerts_of(&incident.id).take(3).flat_map(|alert| alert.labels.iter());
            fields.extend(labels.take(24).map(|(_, value)| value.expose().to_owned()));
            fields
        })
        .collect();
    assert_eq!(texts.len(), 50_000, "a row for each");
    let (mut steps, mut wholes, mut bases, mut narrowed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for query in QUERIES {
        for _ in 0..3 {
            let (whole, found) = search(&room, &mut Search::default(), query, None, &mut steps);
            wholes.push(whole);
            let (base, expected) = timed(|| nucleo(&texts, query));
            bases.push(base);
            println!("   '{query}': {} rows, {whole:.1} ms, nucleo {expected} rows, {base:.1} ms", found.len());
            // One letter more: only what was found is looked at.
            let shorter = &query[..query.len() - 1];
            let mut typing = Search::default();
            let (full, found) = search(&room, &mut typing, shorter, None, &mut steps);
            let (more, _) = search(&room, &mut typing, query, Some(found), &mut steps);
            narrowed.push(more / full);
        }
    }
    let (whole, base) = (median(wholes), median(bases));
    println!(
        "filter over 50,000 rows, CPU: first rows after {:.2} ms (p99 of a step {:.2} ms, goal 8.3); whole list {whole:.1} ms, \
         nucleo-matcher {base:.1} ms, ratio {:.2} (goal 1.10); a letter more costs {:.2} of the query before it (goal 0.50)",
        quantile(&mut steps.clone(), 0.5),
        quantile(&mut steps, 0.99),
        whole / base,
        median(narrowed),
    );
}

fn search(
    room: &Room,
    search: &mut Search,
    query: &str,
    found: Option<Vec<IncidentId>>,
    steps: &mut Vec<f64>,
) -> (f64, Vec<IncidentId>) {
    let mut now = present();
    let mut found = search.ask(query, found, room);
    let mut total = 0.0;
    loop {
        let (step, _) = timed(|| search.step(&mut found, room, now));
        steps.push(step);
        total += step;
        now += Duration::milliseconds(1);
        if search.progress().is_none() {
            return (total, found.unwrap_or_default());
        }
    }
}

fn nucleo(texts: &[Vec<String>], query: &str) -> usize {
    let atoms = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart).atoms;
    let (mut matcher, mut buffer) = (Matcher::new(Config::DEFAULT), Vec::new());
    let fits = |fields: &&Vec<String>| {
        atoms.iter().all(|atom| {
            fields.iter().any(|field| atom.score(Utf32Str::new(field, &mut buffer), &mut matcher).is_some())
        })
    };
    texts.iter().filter(fits).count()
}

//! A start without a network: the last known state is there with its age, and the source says that it cannot be reached.

use std::os::unix::fs::PermissionsExt as _;

use warroom::sim::{SimOptions, serve};

use super::{PATIENCE, Terminal};
use crate::cli::home::Home;
use crate::end_to_end::open_room;

/// Every file below the state folder that is kept for the next start.
fn kept(home: &Home) -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(home.path("state/warroom/cache")).expect("a cache");
    folder.map(|entry| entry.expect("an entry").path()).collect()
}

/// The line of an incident of the world, without its ages.
fn shows(terminal: &Terminal, title: &str) -> bool {
    terminal.text().lines().any(|line| line.contains(title))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_starts_without_a_network_shows_what_was_known_and_how_old_it_is() {
    let sim = serve(SimOptions { scenario: "database-failover".to_owned(), seed: 7, ..SimOptions::default() })
        .await
        .expect("a world");
    sim.sim().clock().skip(chrono::TimeDelta::minutes(12));
    let home = Home::new(&sim.config_toml);
    let (pager, service) = {
        let world = sim.sim().world();
        let incident = world.pager().incidents().iter().find(|incident| incident.is_open()).expect("an open incident");
        (incident.id.clone(), incident.title.clone())
    };
    let title: String = service.chars().take(20).collect();
    // The list is there when PagerDuty has answered; a room that ends before the clusters did keeps only what it heard.
    for _ in 0..10 {
        let mut terminal = open_room(&home);
        terminal.wait(&format!("{pager} {title}"), |terminal| shows(terminal, &title)).await;
        terminal.send("q").await;
        assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
        if kept(&home).len() >= 2 {
            break;
        }
    }
    sim.shutdown().await;

    let files = kept(&home);
    assert!(files.len() >= 2, "PagerDuty's and the cluster's: {files:?}");
    for path in &files {
        assert_eq!(std::fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(path).expect("text");
        for secret in [warroom::sim::company::USER_TOKEN, warroom::sim::company::ACCOUNT_TOKEN] {
            assert!(!text.contains(secret), "a token in {}", path.display());
        }
    }

    let mut terminal = open_room(&home);
    terminal.wait(&format!("{title} without a network"), |terminal| shows(terminal, &title)).await;
    terminal.wait("an unreachable source", |terminal| terminal.text().contains("unreachable")).await;
    let heading = terminal.text().lines().find(|line| line.contains("Incidents")).unwrap_or_default().to_owned();
    let list = heading.split('╮').next().unwrap_or_default();
    let is_age = |word: &str| word.starts_with(|first: char| first.is_ascii_digit()) && word.ends_with(['s', 'm']);
    assert!(list.split_whitespace().any(is_age), "nobody told it now: {list}");
    assert!(shows(&terminal, &title), "an error ends nothing:\n{}", terminal.text());
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
    assert_eq!(kept(&home).len(), files.len(), "what was known stays for the next start");

    for path in files {
        std::fs::write(path, "{\"form\":99}\n").expect("a file");
    }
    let mut terminal = open_room(&home);
    terminal.wait("an unreachable source", |terminal| terminal.text().contains("unreachable")).await;
    assert!(!shows(&terminal, &title), "a file of a newer program is passed over:\n{}", terminal.text());
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0));
}

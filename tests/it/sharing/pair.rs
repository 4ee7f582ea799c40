//! Two people in two terminals on one room: what one does the other sees.

use std::time::Duration;

use pty_process::Command;
use warroom::sim::{Running, SimOptions, serve};

use crate::cli::home::Home;
use crate::postgres::Cluster;
use crate::pty::Terminal;

/// A console's home: the simulated world, the shared room, its own operator.
fn home(sim: &Running, url: &str, operator: &str) -> Home {
    let mut config: toml::Table = sim.config_toml.parse().expect("TOML");
    let room = config["room"].as_table_mut().expect("a room");
    room.insert("journal".to_owned(), url.into());
    room.insert("operator".to_owned(), operator.into());
    Home::new(&toml::to_string(&config).expect("TOML"))
}

fn open(home: &Home) -> Terminal {
    let command = Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(["--config".into(), home.config()])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path(""))
        .env("XDG_CONFIG_HOME", home.path("config"))
        .env("XDG_STATE_HOME", home.path("state"))
        .env("WARROOM_TIME_ZONE", "UTC")
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm-256color");
    Terminal::start(command, 220, 60)
}

/// Waits on one terminal while the other is read too: one that nobody reads would stop.
pub async fn both(
    one: &mut Terminal,
    other: &mut Terminal,
    what: &str,
    is_there: impl Fn(&Terminal, &Terminal) -> bool,
) {
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while !is_there(one, other) {
        assert!(
            std::time::Instant::now() < until,
            "waited for {what}; the screens:\n{}\n\n{}",
            one.text(),
            other.text()
        );
        one.drain(Duration::from_millis(25)).await;
        other.drain(Duration::from_millis(25)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_see_each_other_and_what_each_does() {
    let mut cluster = Cluster::start().await;
    let url = cluster.database("room");
    let sim = serve(SimOptions::default()).await.expect("a world");
    let (at_ana, at_ben) = (home(&sim, &url, "Ana"), home(&sim, &url, "Ben"));
    let (mut ana, mut ben) = (open(&at_ana), open(&at_ben));
    both(&mut ana, &mut ben, "both rooms with their incidents", |ana, ben| {
        ana.text().contains("triggered") && ben.text().contains("triggered")
    })
    .await;

    both(&mut ana, &mut ben, "each to see the other", |ana, ben| {
        ana.text().contains("here: Ben") && ben.text().contains("here: Ana")
    })
    .await;
    // Whose sources answered in another order looks at another row.
    both(&mut ana, &mut ben, "both rooms whole", |ana, ben| {
        ana.text().contains("PD+AM") && ben.text().contains("PD+AM")
    })
    .await;
    ana.send("g").await;
    ben.send("g").await;
    let is_on = |terminal: &Terminal, colleague: &str| {
        terminal.text().lines().any(|line| line.contains('▌') && line.contains(colleague))
    };
    both(&mut ana, &mut ben, "both to look at the same incident", |ana, ben| is_on(ana, "@Ben") && is_on(ben, "@Ana"))
        .await;

    // An acknowledgement: the one under the cursor of both.
    let count = |terminal: &Terminal| terminal.text().matches("acknowledged").count();
    let (before_ana, before_ben) = (count(&ana), count(&ben));
    ana.send("a").await;
    both(&mut ana, &mut ben, "the acknowledgement in both", |ana, ben| {
        count(ana) > before_ana && count(ben) > before_ben
    })
    .await;

    // A tick of the checklist.
    ana.send("t").await;
    both(&mut ana, &mut ben, "Ana's tick in both", |ana, ben| {
        // `[✓] … Ana 14:03`.
        let ticked = |terminal: &Terminal| {
            terminal.text().lines().any(|line| {
                let after = line.split_once("[✓]").and_then(|(_, step)| step.split_once(" Ana "));
                after.is_some_and(|(_, time)| time.starts_with(|first: char| first.is_ascii_digit()))
            })
        };
        ticked(ana) && ticked(ben)
    })
    .await;

    // A role, and its hand-over.
    ana.send("i").await;
    ana.wait_text("Which role?").await;
    ana.send("\r").await;
    both(&mut ana, &mut ben, "Ana as incident commander in both", |ana, ben| {
        ana.text().contains("Incident commander: Ana") && ben.text().contains("Incident commander: Ana")
    })
    .await;
    ben.send("i").await;
    ben.wait_text("you take it over").await;
    ben.send("\r").await;
    both(&mut ana, &mut ben, "the hand-over to Ben in both", |ana, ben| {
        ana.text().contains("Incident commander: Ben") && ben.text().contains("Incident commander: Ben")
    })
    .await;

    // The database goes away: both go on, and say so; it comes back: what was done meanwhile is shared.
    cluster.kill();
    both(&mut ana, &mut ben, "both to say that nothing is shared", |ana, ben| {
        ana.text().contains("not shared since") && ben.text().contains("not shared since")
    })
    .await;
    ana.send("i").await;
    ana.wait_text("you take it over").await;
    ana.send("\r").await;
    both(&mut ana, &mut ben, "Ana's own screen to go on", |ana, _| ana.text().contains("Incident commander: Ana"))
        .await;
    assert!(ben.text().contains("Incident commander: Ben"), "Ben cannot know yet:\n{}", ben.text());
    cluster.run().await;
    both(&mut ana, &mut ben, "the room to be one again", |ana, ben| {
        !ana.text().contains("not shared since")
            && !ben.text().contains("not shared since")
            && ben.text().contains("Incident commander: Ana")
    })
    .await;
    ana.send("q").await;
    ben.send("q").await;
    ana.exit(Duration::from_secs(20)).await;
    ben.exit(Duration::from_secs(20)).await;
    ana.assert_restored();
    // Neither the URL nor its login is in a log.
    for home in [&at_ana, &at_ben] {
        for (path, bytes) in home.files() {
            let text = String::from_utf8_lossy(&bytes);
            assert!(path.ends_with("config.toml") || !text.contains("postgres://"), "{}", path.display());
        }
    }
}

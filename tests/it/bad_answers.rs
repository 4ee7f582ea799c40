//! A source that goes bad while people look: one clear sentence in the problems view, and nothing that was on the screen
//! is lost. (The same answers on the command line: `cli::answers`.)

use warroom::sim::{SimOptions, serve};

use super::cli::home::Home;
use super::end_to_end::open_room;

/// What PagerDuty's simulator does to every answer, and the words that must be told. The limit comes last: after it
/// nothing is asked for a while.
const FAULTS: &[(&str, &str)] = &[
    ("html-ok", "web page"),
    ("truncate", "broke off"),
    ("cut", "not understood"),
    ("500", "(500"),
    ("404", "(404"),
    ("403", "(403"),
    ("401", "(401"),
    ("429", "(429"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_answer_is_told_in_the_room_and_loses_nothing() {
    let sim = serve(SimOptions { scenario: "bad-deploy".to_owned(), ..SimOptions::default() }).await.expect("a world");
    let home = Home::new(&sim.config_toml.replace("every = \"5s\"", "every = \"1s\""));
    let mut terminal = open_room(&home);
    terminal.wait_text("Checkout fails for one order in six").await;
    terminal.wait_text("PD+AM").await;
    for (fault, words) in FAULTS {
        let script = format!("pagerduty={fault}").parse().expect("a script");
        sim.sim().faults().set(script);
        // Its own next try may be a minute away by now.
        terminal.send("\x12").await;
        terminal.send("!").await;
        terminal.wait(&format!("'{words}' of the fault {fault}"), |terminal| terminal.text().contains(words)).await;
        terminal.send("\x1b").await;
        terminal
            .wait("the problems view to close", |terminal| !terminal.text().contains("Sources, actions, problems"))
            .await;
    }
    terminal
        .wait("the list as it was", |terminal| {
            let text = terminal.text();
            text.contains("Checkout fails for one order in six") && text.contains("PD+AM") && text.contains("stale")
        })
        .await;
    terminal.send("q").await;
    terminal.exit(super::pty::PATIENCE).await;
    terminal.assert_restored();
}

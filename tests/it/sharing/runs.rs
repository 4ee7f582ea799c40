//! Runs of a shared room: what one console runs the others see, one console has a run at a time, and a lock of a step
//! holds on every machine. Each console has a home of its own, as on a machine of its own.

use std::time::Duration;

use warroom::sim::{SimOptions, serve};

use super::pair::both;
use crate::postgres::Cluster;
use crate::pty::Terminal;
use crate::runbook::stage::Stage;

const RUNBOOKS: &str = "runbooks:
  rollout:
    title: Roll out
    trigger: {alertname: '*', labels: {alertname: '*'}}
    steps:
      - {name: Look at the pods, id: look, command: kubectl get pods -n shop}
      - {name: Look again, id: again, command: kubectl get pods -n desk}
  locked:
    title: Locked
    steps:
      - {name: Watch it, id: watch, command: kubectl rollout status deployment/web -n shop, lock: deploy/shop/web, timeout: 8s}
";

/// A machine with a console on the room.
fn machine(world: &str, url: &str, operator: &str) -> Stage {
    let mut config: toml::Table = world.parse().expect("TOML");
    let room = config["room"].as_table_mut().expect("a room");
    room.insert("journal".to_owned(), url.into());
    room.insert("operator".to_owned(), operator.into());
    let stage = Stage::configured(&toml::to_string(&config).expect("TOML"));
    stage.runbook("rollout.yaml", RUNBOOKS);
    stage
}

/// Presses `r`, reads the question, and says yes once the keyboard was quiet for as long as the question wants.
async fn run_next(terminal: &mut Terminal, other: &mut Terminal, command: &str) {
    terminal.send("r").await;
    both(terminal, other, command, |terminal, _| {
        terminal.text().contains(command) && terminal.text().contains("Enter")
    })
    .await;
    let until = std::time::Instant::now() + Duration::from_millis(700);
    both(terminal, other, "the keyboard to be quiet", |_, _| std::time::Instant::now() > until).await;
    terminal.send("\r").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_sees_the_run_and_goes_on_with_it_when_it_is_handed_over() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let sim = serve(SimOptions::default()).await.expect("a world");
    let (at_ana, at_ben) = (machine(&sim.config_toml, &url, "Ana"), machine(&sim.config_toml, &url, "Ben"));
    let (mut ana, mut ben) = (at_ana.terminal_of(&[], 220, 60), at_ben.terminal_of(&[], 220, 60));
    both(&mut ana, &mut ben, "both rooms whole", |ana, ben| {
        [ana, ben].iter().all(|one| one.text().contains("PD+AM") && one.text().contains("here:"))
    })
    .await;
    for one in [&mut ana, &mut ben] {
        one.send("g").await;
        one.send("4").await;
    }
    both(&mut ana, &mut ben, "the runbook in both", |ana, ben| {
        ana.text().contains("Look at the pods") && ben.text().contains("Look at the pods")
    })
    .await;

    run_next(&mut ana, &mut ben, "kubectl get pods -n shop").await;
    both(&mut ana, &mut ben, "Ana's step in both", |ana, ben| {
        [ana, ben].iter().all(|one| one.text().contains("1/2 done"))
    })
    .await;

    ben.send("r").await;
    both(&mut ana, &mut ben, "Ben to be told who has it", |_, ben| {
        ben.text().contains("locked by Ana on another machine")
    })
    .await;
    assert!(at_ben.calls().is_empty(), "{:?}", at_ben.calls());

    ana.send("H").await;
    both(&mut ana, &mut ben, "Ana to be asked to whom", |ana, _| ana.text().contains("Who goes on")).await;
    ana.send("\r").await;
    both(&mut ana, &mut ben, "the hand-over in both", |ana, ben| {
        [ana, ben].iter().all(|one| one.text().contains("handed the run to Ben"))
    })
    .await;
    run_next(&mut ben, &mut ana, "kubectl get pods -n desk").await;
    both(&mut ana, &mut ben, "Ben's step in both", |ana, ben| {
        [ana, ben].iter().all(|one| one.text().contains("2/2 done"))
    })
    .await;
    assert_eq!(at_ana.calls().len(), 1, "{:?}", at_ana.calls());
    assert_eq!(at_ben.calls().len(), 1, "{:?}", at_ben.calls());
    ana.send("q").await;
    ben.send("q").await;
    sim.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_steps_lock_holds_on_every_machine() {
    let cluster = Cluster::start().await;
    let url = cluster.database("room");
    let config = "[room]\n";
    let (at_ana, at_ben) = (machine(config, &url, "Ana"), machine(config, &url, "Ben"));
    let run = ["runbook", "run", "locked", "--yes"];
    let mut ana = at_ana.terminal(&run);
    ana.wait("the step to run", |_| !at_ana.calls().is_empty()).await;
    let refused = at_ben.home.run(&run);
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
    let told = format!("{}{}", refused.out, refused.err);
    assert!(told.contains("deploy/shop/web is locked by"), "{told}");
    assert!(at_ben.calls().is_empty(), "{:?}", at_ben.calls());
    // Its time is up, and the lock is given back with it.
    ana.wait_text("its time of 8s was up").await;
    let mut ben = at_ben.terminal(&run);
    ben.wait("the lock to be free", |_| !at_ben.calls().is_empty()).await;
    for one in [&mut ana, &mut ben] {
        one.wait_text("[q]uit?").await;
        one.send("q\r").await;
        one.exit(Duration::from_secs(30)).await;
    }
}

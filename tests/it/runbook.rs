//! Runbooks from outside: the users' own YAML against a real Prometheus and a `kubectl` that records what it is given.

mod crash;
mod given;
mod session;
mod shipped;
pub mod stage;

use std::time::Duration;

use stage::{LITERAL, Stage, answer};

#[tokio::test]
async fn the_literal_yaml_scales_three_to_four_when_the_condition_is_true() {
    let stage = Stage::open(95.0).await;
    let mut terminal = stage.terminal(&[
        "runbook",
        "run",
        "high_cpu_usage",
        "--set",
        "pod_name=web-1",
        "--set",
        "namespace=shop",
        "--set",
        "deployment=web",
    ]);
    terminal.wait_text("kubectl top pods --sort-by=cpu -A").await;
    terminal.wait_text("Enter runs it").await;
    terminal.send("\r").await;
    terminal.wait_text("kubectl describe pod web-1 -n shop").await;
    terminal.wait("the second question", |terminal| terminal.text().matches("Enter runs it").count() >= 2).await;
    terminal.send("\r").await;
    terminal.wait_text("condition cpu_usage > 90%: true").await;
    terminal.wait_text("kubectl scale deployment web --replicas=4").await;
    terminal.wait_text("current_replicas + 1 = 4").await;
    terminal.wait_text("y runs exactly this").await;
    terminal.send("y\r").await;
    terminal.wait_text("Step 4/7").await;
    for number in 4..=7 {
        terminal.wait_text(&format!("Step {number}/7")).await;
        terminal
            .wait("the tick", move |terminal| {
                terminal.text().matches("Enter ticks it").count() >= 1
                    && terminal.text().contains(&format!("Step {number}/7"))
            })
            .await;
        terminal.send("\r").await;
    }
    let (code, _) = terminal.exit(Duration::from_secs(30)).await;
    assert_eq!(code, Some(0));
    let calls = stage.calls();
    assert!(calls.contains(&vec_of("scale deployment web --replicas=4")), "{calls:?}");
    assert!(calls.contains(&vec_of("top pods --sort-by=cpu -A")), "{calls:?}");
    // The journal has the evidence: the query, the value, who approved, what it printed.
    let exported = stage.export_last();
    for wanted in [
        "cpu_usage = 95%",
        "cpu_percent",
        "approved 'Scale if needed' by key",
        "kubectl scale deployment web --replicas=4",
    ] {
        assert!(exported.contains(wanted), "'{wanted}' is not in\n{exported}");
    }
}

fn vec_of(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn a_false_condition_skips_and_an_unknown_one_runs_nothing() {
    let stage = Stage::open(42.0).await;
    let values = ["--set", "pod_name=web-1", "--set", "namespace=shop", "--set", "deployment=web"];
    let run = |more: &[&str]| {
        let mut words = vec!["runbook", "run", "high_cpu_usage"];
        words.extend(values);
        words.extend(more);
        stage.home.run(&words)
    };
    let ran = run(&["--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("condition cpu_usage > 90%: false"), "{}", ran.err);
    assert!(ran.err.contains("would skip"), "{}", ran.err);
    assert!(stage.calls().iter().all(|call| call[0] != "scale"), "{:?}", stage.calls());
    stage.set(None).await;
    let ran = run(&["--yes"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("can't tell: cpu_usage: the query returned no series"), "{}", ran.err);
    assert!(stage.calls().iter().all(|call| call[0] != "scale"), "{:?}", stage.calls());
}

#[tokio::test]
async fn a_change_whose_time_was_up_is_unknown_and_runs_once() {
    let stage = Stage::open(95.0).await;
    stage.runbook(
        "slow.yaml",
        "runbooks:\n  slow:\n    steps:\n      - name: Slow\n        command: kubectl rollout restart deployment/web -n shop\n        timeout: 1s\n        retries: {max: 2, delay: 1s}\n",
    );
    let ran = stage.home.run(&["runbook", "run", "slow", "--yes"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("unknown: its time of 1s was up"), "{}", ran.err);
    let calls = stage.calls();
    assert_eq!(calls.iter().filter(|call| call[0] == "rollout").count(), 1, "{calls:?}");
}

#[tokio::test]
async fn a_dry_run_has_five_outcomes_and_does_nothing() {
    let stage = Stage::open(95.0).await;
    stage.runbook(
        "five.yaml",
        "variables:\n  cpu: {promql: cpu_percent, unit: percent}\n  gone: {promql: no_such_metric, unit: percent}\nrunbooks:\n  five:\n    steps:\n      - {name: looks, command: kubectl get pods -n shop}\n      - {name: skips, condition: 'cpu < 10%', command: kubectl get nodes}\n      - {name: unsure, condition: 'gone > 10%', command: kubectl get nodes}\n      - {name: changes, command: kubectl scale deployment web --replicas=4 -n shop}\n      - {name: forbidden, guard: 'cpu < 10%', command: kubectl scale deployment web --replicas=4 -n shop}\n",
    );
    let ran = stage.home.run(&["runbook", "run", "five", "--dry-run"]);
    for wanted in
        ["would run [read]", "would skip [", "can't tell: ", "needs approval [change]", "refused: its guard is false"]
    {
        assert!(ran.err.contains(wanted), "'{wanted}' is not in\n{}", ran.err);
    }
    assert_eq!(ran.code, Some(1), "something is refused");
    assert!(stage.calls().is_empty(), "{:?}", stage.calls());
}

#[tokio::test]
async fn read_only_is_kept_by_who_runs_it() {
    let stage = Stage::open(95.0).await;
    let ran = stage.home.run(&[
        "--read-only",
        "runbook",
        "run",
        "high_cpu_usage",
        "--from",
        "3",
        "--yes",
        "--set",
        "deployment=web",
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("this room is read-only"), "{}", ran.err);
    assert!(stage.calls().iter().all(|call| call[0] != "scale"), "{:?}", stage.calls());
    assert!(LITERAL.contains("automated_steps"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_room_answers_keys_while_a_step_floods_and_cancels_it() {
    let world = warroom::sim::serve(warroom::sim::SimOptions::default()).await.expect("a world");
    let stage = Stage::configured(&world.config_toml);
    stage.runbook(
        "flood.yaml",
        "runbooks:\n  flood:\n    title: Flood\n    trigger: {alertname: '*', labels: {alertname: '*'}}\n    steps:\n      - {name: Read all logs, command: kubectl logs deployment/web -n shop}\n      - manual: Think\n",
    );
    // 80x24: one pane at a time, the same keys.
    let mut terminal = stage.room(&[], "Read all logs").await;
    terminal.send("r").await;
    terminal.wait_text("kubectl logs deployment/web -n shop").await;
    terminal.wait_text("Enter").await;
    answer(&mut terminal, "\r").await;
    terminal.wait_text("running").await;
    terminal.wait_text("a flood of output").await;
    terminal.send("?").await;
    terminal.wait_text("Act on incidents").await;
    terminal.send("\x1b").await;
    terminal.wait("the help to close", |terminal| !terminal.text().contains("Act on incidents")).await;
    terminal.send("X").await;
    terminal.wait_text("cancelled").await;
    terminal.send("2").await;
    terminal.wait_text("began runbook Flood").await;
    terminal.send("q").await;
    world.shutdown().await;
}

#[tokio::test]
async fn a_two_person_step_runs_only_after_somebody_else_agreed() {
    let stage = Stage::open(95.0).await;
    stage.runbook(
        "two.yaml",
        "runbooks:\n  two:\n    steps:\n      - {name: Fail over, id: over, command: kubectl scale deployment web --replicas=9 -n shop, danger: two-person}\n",
    );
    let mut terminal = stage.terminal(&["runbook", "run", "two"]);
    terminal.wait_text("to run exactly this").await;
    terminal.send("web\r").await;
    terminal.wait_text("warroom runbook approve").await;
    assert!(stage.calls().is_empty(), "nobody agreed yet: {:?}", stage.calls());
    let text = terminal.text().replace('\n', " ");
    let run = text
        .split("runbook approve ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("a run")
        .to_owned();
    let own = stage.home.run(&["runbook", "approve", &run, "over", "--yes"]);
    assert!(own.err.contains("somebody else must approve it"), "{}", own.err);
    let config = std::fs::read_to_string(stage.home.config()).expect("a configuration").replace("ana", "bo");
    std::fs::write(stage.home.path("bo.toml"), config).expect("a file");
    let other = stage.home.path("bo.toml").display().to_string();
    let bos = stage.home.run(&["--config", &other, "runbook", "approve", &run, "over", "--yes"]);
    assert_eq!(bos.code, Some(0), "{}", bos.err);
    let (code, _) = terminal.exit(Duration::from_secs(60)).await;
    assert_eq!(code, Some(0), "{}", terminal.text());
    assert_eq!(stage.calls(), [vec_of("scale deployment web --replicas=9 -n shop")]);
}

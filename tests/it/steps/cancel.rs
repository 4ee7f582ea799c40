//! The cancel suite: seven shapes of processes (and two more), none of which survives.

use std::time::Instant;

use warroom::engine::process::StepEvent;
use warroom::step::event::{Cause, End};
use warroom::step::spec::{Ladder, Leftovers, StepSpec};

use super::*;

/// Short rungs: what is tested is the order, not five seconds.
fn hasty(mut spec: StepSpec) -> StepSpec {
    spec.ladder = Ladder { interrupt: Duration::from_millis(400), terminate: Duration::from_millis(400) };
    spec
}

/// Each says "ready" when its processes are there.
const SHAPES: &[(&str, &str)] = &[
    ("plain child", "echo ready; exec sleep 600"),
    ("sh -c child", "sh -c 'echo ready; sleep 600; :'"),
    ("background grandchild holding stdout", "sleep 600 & echo ready; wait"),
    ("ignores TERM", "trap '' TERM INT; echo ready; sleep 600; sleep 600"),
    ("ignores TERM in a loop", "trap '' TERM INT; echo ready; while :; do sleep 1; done"),
    ("setsid grandchild", "setsid sh -c 'trap \"\" TERM INT; echo ready; sleep 600; sleep 600' & wait"),
    (
        "double-fork daemon",
        "(setsid sh -c '(trap \"\" TERM INT HUP; echo ready; sleep 600; sleep 600) & exit' &); sleep 600",
    ),
    ("stopped child", "sleep 600 & kill -STOP $!; echo ready; wait"),
    (
        "fork storm",
        "for n in 1 2 3 4 5 6 7 8; do (trap '' TERM INT; while :; do sleep 0.2; done) & done; echo ready; wait",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_survives_a_cancel_whatever_its_shape() {
    for (shape, text) in SHAPES {
        let desk = Desk::new();
        let mut attached = start(&desk, hasty(shell(&desk, text)), &[]).await.expect("it starts");
        let is_ready = |told: &Told| told.text(Stream::Stdout).contains("ready");
        follow_until(&mut attached, shape, is_ready).await;
        assert!(!marked(&desk.place()).is_empty(), "{shape}: nothing runs, so nothing can be shown");
        let asked = Instant::now();
        attached.cancel("alice").await.expect("it listens");
        let told = follow(&mut attached).await;
        let finished = told.finished();
        assert_eq!(finished.cause, Cause::Cancelled { by: "alice".to_owned() }, "{shape}");
        assert_eq!(finished.survivors, [], "{shape}");
        assert_eq!(marked(&desk.place()), Vec::<String>::new(), "{shape}: survivors");
        println!("{shape}: over after {:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ladder_is_gentle_first() {
    let desk = Desk::new();
    let text =
        "trap 'echo got INT' INT; trap 'echo got TERM; exit 7' TERM; echo ready; while :; do sleep 0.1 || :; done";
    let mut attached = start(&desk, hasty(shell(&desk, text)), &[]).await.expect("it starts");
    follow_until(&mut attached, "ready", |told| told.text(Stream::Stdout).contains("ready")).await;
    attached.cancel("bob").await.expect("it listens");
    let told = follow(&mut attached).await;
    let signals: Vec<&str> = told
        .events
        .iter()
        .filter_map(|event| if let StepEvent::Signalled { signal, .. } = event { Some(signal.as_str()) } else { None })
        .collect();
    assert_eq!(signals, ["SIGINT", "SIGTERM"], "SIGKILL was not needed");
    assert_eq!(told.text(Stream::Stdout), "got INT\ngot TERM\n", "what it says while it ends is kept");
    assert_eq!(told.finished().end, End::Exit(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_climbs_the_same_ladder_and_says_so() {
    let desk = Desk::new();
    let mut spec = hasty(shell(&desk, "trap '' INT TERM; echo begun; while :; do sleep 1; done"));
    spec.timeout = Some(Duration::from_millis(500));
    let told = run(&desk, spec).await;
    let finished = told.finished();
    assert_eq!((&finished.cause, finished.end), (&Cause::TimedOut, End::Signal(9)));
    assert!(!finished.is_success());
    assert_eq!(marked(&desk.place()), Vec::<String>::new());
    assert_eq!(became(&desk.place()), StepState::Finished(Box::new(finished.clone())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_leaves_is_told_or_swept() {
    for (leftovers, survivors) in [(Leftovers::Report, 1), (Leftovers::Sweep, 0)] {
        let desk = Desk::new();
        let mut spec = shell(&desk, "sleep 600 & echo done");
        spec.leftovers = leftovers;
        let told = run(&desk, spec).await;
        let finished = told.finished();
        assert!(finished.is_success());
        assert_eq!(told.text(Stream::Stdout), "done\n", "its end is not waited for: {leftovers:?}");
        assert_eq!(finished.survivors.len(), survivors, "{leftovers:?}: {:?}", finished.survivors);
        assert_eq!(marked(&desk.place()).len(), survivors);
        if survivors > 0 {
            assert_eq!(finished.survivors[0].command, "sleep 600");
            let left = tokio::task::spawn_blocking({
                let place = desk.place();
                move || warroom::step::orphans::end_orphans(&place)
            });
            assert_eq!(left.await.expect("no panic"), []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_twice_or_too_late_changes_nothing() {
    let desk = Desk::new();
    let mut attached = start(&desk, hasty(shell(&desk, "echo ready; exec sleep 600")), &[]).await.expect("it starts");
    follow_until(&mut attached, "ready", |told| told.text(Stream::Stdout).contains("ready")).await;
    attached.cancel("alice").await.expect("it listens");
    let _ = attached.cancel("bob").await;
    let told = follow(&mut attached).await;
    assert_eq!(told.finished().cause, Cause::Cancelled { by: "alice".to_owned() });
    wait_for("the supervisor's end", || !desk.place().control().exists());
    let mut late = Attached::to(&desk.place());
    assert!(matches!(late.cancel("carol").await, Err(StepError::Deaf(_))));
    assert_eq!(follow(&mut late).await.finished(), told.finished());
}

//! The fold against any order of events, and against a story.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::id::{RunbookId, StepId};
use crate::domain::time::Timestamp;
use crate::text::Clean;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn step(name: &str) -> StepId {
    StepId::parse(name).unwrap()
}

fn event(second: i64, what: Happened) -> RunEvent {
    RunEvent { run: RunId(Uuid::from_u128(7)), at: at(second), by: Clean::new("ana"), what }
}

fn opened() -> RunEvent {
    let planned = |name: &str, is_automated| PlannedStep { id: step(name), title: Clean::new(name), is_automated };
    event(
        0,
        Happened::Opened {
            incident: None,
            runbook: RunbookId::parse("cpu").unwrap(),
            title: Clean::new("CPU"),
            content_hash: "ab".repeat(32),
            steps: vec![planned("top", true), planned("scale", true), planned("look", false)],
            is_drill: false,
        },
    )
}

fn digest(name: &str) -> Digest {
    Digest(name.repeat(64))
}

fn intended(name: &str, of: &str, level: Level) -> Happened {
    Happened::Intended {
        step: step(name),
        attempt: 1,
        level,
        words: vec![Clean::new("kubectl"), Clean::new("scale")],
        shell: None,
        digest: digest(of),
        target: Clean::default(),
        given: Vec::new(),
        lock: None,
    }
}

fn approved(name: &str, of: &str) -> Happened {
    Happened::Approved { step: step(name), digest: digest(of), how: Approval::Key }
}

fn started(name: &str) -> Happened {
    let process = ProcessMark { pid: 1, start_time: 2, boot: "b".to_owned(), folder: "f".to_owned() };
    Happened::Started { step: step(name), process }
}

fn finished(name: &str, code: i32) -> Happened {
    let outcome =
        if code == 0 { Outcome::Done { note: Clean::default() } } else { Outcome::Failed { why: Clean::new("exit") } };
    Happened::Finished { step: step(name), ending: Ending::Exit { code }, millis: 1_200, outcome }
}

#[test]
fn a_story_from_intent_to_done() {
    let whats = [intended("scale", "a", Level::Change), approved("scale", "a"), started("scale")];
    let mut events = vec![opened()];
    events.extend(whats.into_iter().zip(1..).map(|(what, second)| event(second, what)));
    let run = Run::fold(&events).unwrap();
    assert_eq!(run.running_change(), Some(&step("scale")));
    assert_eq!(run.next_automated().map(|next| next.id.clone()), Some(step("top")));
    events.push(event(9, finished("scale", 0)));
    let run = Run::fold(&events).unwrap();
    assert_eq!((run.past(), run.running_change()), (1, None));
    let (line, below) = describe(&run, events.last().unwrap()).unwrap();
    assert_eq!(line.as_str(), "step 'scale' done: exit 0 after 1.2 s");
    assert_eq!(below[0].as_str(), "kubectl scale");
}

#[test]
fn a_start_of_something_else_than_was_approved_is_unknown() {
    for whats in [
        vec![intended("scale", "a", Level::Change), started("scale")],
        vec![intended("scale", "a", Level::Change), approved("scale", "b"), started("scale")],
        // An approval dies with a new intent.
        vec![
            intended("scale", "a", Level::Change),
            approved("scale", "a"),
            intended("scale", "a", Level::Change),
            started("scale"),
        ],
        vec![started("scale")],
    ] {
        let mut events = vec![opened()];
        events.extend(whats.into_iter().map(|what| event(1, what)));
        let run = Run::fold(&events).unwrap();
        assert_eq!(run.state(&step("scale")).word(), "unknown");
    }
}

#[test]
fn a_lock_is_held_from_the_approval_until_the_end_is_known() {
    let mut under = intended("scale", "a", Level::Change);
    if let Happened::Intended { lock, .. } = &mut under {
        *lock = Some(Clean::new("deploy/shop/web"));
    }
    let waits = Happened::Waits { step: step("scale"), need: Need::Decision { happened: Clean::new("exit 1") } };
    let again = [under.clone(), approved("scale", "a")];
    let story = [under, approved("scale", "a"), started("scale"), finished("scale", 1), waits].into_iter().chain(again);
    let mut events = vec![opened()];
    let held: Vec<bool> = story
        .map(|what| {
            events.push(event(events.len() as i64, what));
            let run = Run::fold(&events).unwrap();
            assert!(run.steps.values().all(|stands| !stands.holds("another")));
            run.steps[&step("scale")].holds("deploy/shop/web")
        })
        .collect();
    // Meant, let, started, failed, waiting for a decision, meant again, let again.
    assert_eq!(held, [false, true, true, false, false, false, true]);
}

#[test]
fn words_keep_their_borders() {
    let words: Vec<Clean> = ["kubectl", "a b", "", "it's"].iter().map(Clean::new).collect();
    assert_eq!(spell(&words), r"kubectl 'a b' '' 'it'\''s'");
}

fn any_event() -> impl Strategy<Value = RunEvent> {
    let name = prop_oneof![Just("top"), Just("scale"), Just("look"), Just("unheard-of")];
    let of = prop_oneof![Just("a"), Just("b")];
    (0_u8..12, name, of, 0_i64..1_000).prop_map(|(kind, name, of, second)| {
        let id = step(name);
        let what = match kind {
            0 => intended(name, of, Level::Read),
            1 => intended(name, of, Level::Destructive),
            2 | 3 => approved(name, of),
            4 | 5 => started(name),
            6 => finished(name, 0),
            7 => finished(name, 1),
            8 => Happened::Settled { step: id, outcome: Outcome::Skipped { why: Clean::new("why") } },
            9 => Happened::Waits { step: id, need: Need::Approval { digest: digest(of) } },
            10 => Happened::HandedOver { to: Clean::new("bo") },
            _ => opened().what,
        };
        event(second, what)
    })
}

proptest! {
    /// Whatever a journal holds: a step runs only with an approval of exactly what was meant, folding piece by piece is
    /// folding at once, and nothing begins before it is opened.
    #[test]
    fn any_events_give_an_honest_run(events in proptest::collection::vec(any_event(), 0..60)) {
        let whole = Run::fold(&events);
        let first = events.iter().position(|event| matches!(event.what, Happened::Opened { .. }));
        prop_assert_eq!(whole.is_some(), first.is_some());
        let Some(first) = first else { return Ok(()) };
        let mut run = Run::begin(&events[first]).unwrap();
        for event in &events[first + 1..] {
            run.apply(event);
            for step in run.steps.values() {
                if let StepState::Running { .. } = step.state {
                    prop_assert!(step.process.is_some());
                }
            }
            if let Happened::Started { step: id, .. } = &event.what {
                let step = &run.steps[id];
                let meant = step.intended.as_ref().map(|intended| intended.digest.clone());
                let let_run = step.approved.as_ref().map(|approved| approved.0.clone());
                let is_running = matches!(step.state, StepState::Running { .. });
                prop_assert_eq!(is_running, meant.is_some() && meant == let_run);
            }
        }
        prop_assert_eq!(Some(run), whole);
    }

    /// What is written can be read back.
    #[test]
    fn events_survive_the_journal(event in any_event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(serde_json::from_str::<RunEvent>(&text).unwrap(), event);
    }
}

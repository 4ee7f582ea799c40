//! The console is killed at five points of a step, for three shapes of steps: nothing doubled, no output lost, the right
//! state afterwards. The console here is this test program itself, started again as a driver.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use warroom::step::event::{Cause, Event};

use super::*;

/// Where the console dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The order is durable, nothing is started.
    Ordered,
    /// The supervisor was started, nobody waited for its answer.
    Launched,
    /// In the middle of the output.
    Running,
    /// While it is being cancelled.
    Cancelling,
    /// The command is over, the console has not heard of it.
    Over,
}

const POINTS: [Point; 5] = [Point::Ordered, Point::Launched, Point::Running, Point::Cancelling, Point::Over];

/// Each has one effect (a line in `effects`) and prints 40 numbered lines.
const SHAPES: &[(&str, &str)] = &[
    ("plain", "echo effect >>effects; n=0; while [ $n -lt 40 ]; do echo line $n; n=$((n+1)); sleep 0.02; done"),
    (
        "pipeline with a child that writes",
        "echo effect >>effects; (n=0; while [ $n -lt 40 ]; do echo line $n; n=$((n+1)); sleep 0.02; done) | cat",
    ),
    (
        "deaf to signals, with a helper in the background",
        "trap '' INT TERM HUP; echo effect >>effects; sleep 0.9 & n=0; \
         while [ $n -lt 40 ]; do echo line $n; n=$((n+1)); sleep 0.02 || :; done; wait",
    ),
];

fn spec(folder: &Path, text: &str) -> StepSpec {
    let program = Program::Shell { interpreter: Interpreter::Sh, text: text.to_owned() };
    let mut spec = with_path(StepSpec::new(program, folder.to_path_buf()));
    spec.ladder =
        warroom::step::spec::Ladder { interrupt: Duration::from_millis(300), terminate: Duration::from_millis(300) };
    spec
}

const DRIVER: &str = "WARROOM_TEST_STEP_DRIVER";

/// Not a test of its own: the console that is killed. Without its variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn driver() {
    let Ok(task) = std::env::var(DRIVER) else { return };
    let (point, folder, text) = serde_json::from_str::<(usize, PathBuf, String)>(&task).expect("a task");
    let point = POINTS[point];
    let place = Place::new(folder.join("step"));
    let spec = spec(&folder, &text);
    let approved = spec.digest(&[]);
    if matches!(point, Point::Ordered | Point::Launched) {
        place.order(&spec, &approved).expect("an order");
        if point == Point::Launched {
            let mut supervisor = Command::new(env!("CARGO_BIN_EXE_warroom"))
                .args(["__step", &place.path().display().to_string()])
                .env_clear()
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a supervisor");
            let handover = warroom::step::spec::Handover::new(spec, approved, &[]);
            serde_json::to_writer(supervisor.stdin.take().expect("a pipe"), &handover).expect("handed over");
        }
        die();
    }
    let mut attached = launcher().start(&place, spec, &[], approved).await.expect("it starts");
    let has_lines = |told: &Told| told.text(Stream::Stdout).contains("line 7\n");
    follow_until(&mut attached, "line 7", has_lines).await;
    if point == Point::Cancelling {
        attached.cancel("alice").await.expect("it listens");
        let is_told = |told: &Told| told.events.iter().any(|event| matches!(event, StepEvent::Cancelling { .. }));
        follow_until(&mut attached, "cancelling", is_told).await;
    }
    if point == Point::Over {
        wait_for("the end", || matches!(became(&place), StepState::Finished(_)));
    }
    die();
}

fn die() -> ! {
    kill_process(Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap(), Signal::KILL).expect("a signal");
    std::thread::sleep(PATIENCE);
    unreachable!("killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_console_loses_nothing_and_doubles_nothing() {
    for (at, point) in POINTS.into_iter().enumerate() {
        for (shape, text) in SHAPES {
            let desk = Desk::new();
            let task = serde_json::to_string(&(at, desk.folder.path(), text)).unwrap();
            let console = Command::new(std::env::current_exe().expect("this program"))
                .args(["--exact", "steps::crash::driver", "--nocapture"])
                .env(DRIVER, task)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("the console starts");
            assert_eq!(console.signal(), Some(9), "{point:?}, {shape}: the console was killed: {console:?}");
            after_the_crash(point, shape, text, &desk).await;
        }
    }
}

/// The next console: looks at the folder, does what is right, and compares.
async fn after_the_crash(point: Point, shape: &str, text: &str, desk: &Desk) {
    let place = desk.place();
    let here = format!("{point:?}, {shape}");
    // A supervisor that has just been started takes a moment to lock.
    if point == Point::Launched {
        wait_for("the supervisor", || !matches!(became(&place), StepState::NotRun | StepState::Starting));
    }
    let mut attached = match became(&place) {
        StepState::NotRun => {
            assert_eq!(point, Point::Ordered, "{here}");
            assert_eq!(desk.read("effects"), "", "{here}: not run means no effect");
            let spec = spec(desk.folder.path(), text);
            let approved = spec.digest(&[]);
            launcher().launch(&place, spec, &[], approved).await.expect("it starts")
        }
        StepState::Running { .. } => {
            assert!(!matches!(point, Point::Ordered | Point::Over), "{here}");
            Attached::to(&place)
        }
        StepState::Finished(_) => {
            assert_ne!(point, Point::Ordered, "{here}");
            Attached::to(&place)
        }
        other => panic!("{here}: {other:?}"),
    };
    let told = follow(&mut attached).await;
    let finished = told.finished();
    assert_eq!(desk.read("effects"), "effect\n", "{here}: exactly one effect");
    let output = told.text(Stream::Stdout);
    if point == Point::Cancelling {
        assert_eq!(finished.cause, Cause::Cancelled { by: "alice".to_owned() }, "{here}");
        let whole: String = (0..40).map(|number| format!("line {number}\n")).collect();
        assert!(whole.starts_with(&output) && output.contains("line 7\n"), "{here}: {output}");
    } else {
        let whole: String = (0..40).map(|number| format!("line {number}\n")).collect();
        assert_eq!(output, whole, "{here}: no line lost, none twice");
        assert!(finished.is_success(), "{here}: {finished:?}");
    }
    assert_eq!(finished.survivors, [], "{here}");
    assert_eq!(marked(&place), Vec::<String>::new(), "{here}");
    let events = place.events_so_far().expect("a record");
    let count = |is_it: fn(&Event) -> bool| events.iter().filter(|event| is_it(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Started { .. })), 1, "{here}");
    assert_eq!(count(|event| matches!(event, Event::Finished(_))), 1, "{here}");
}

/// The supervisor itself is killed: nobody saw the end, and the folder says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_supervisor_leaves_an_unknown_step_that_is_not_run_again() {
    let desk = Desk::new();
    let spec = shell(&desk, "echo effect >>effects; echo said; exec sleep 600");
    let approved = spec.digest(&[]);
    let mut attached = start(&desk, spec.clone(), &[]).await.expect("it starts");
    follow_until(&mut attached, "said", |told| told.text(Stream::Stdout).contains("said")).await;
    let events = desk.place().events_so_far().expect("a record");
    let supervisor = events.iter().find_map(|event| match event {
        Event::Started { supervisor, .. } => Some(supervisor.pid),
        _ => None,
    });
    kill_process(Pid::from_raw(supervisor.expect("started")).unwrap(), Signal::KILL).expect("a signal");
    let told = follow(&mut attached).await;
    let Some(StepEvent::Lost(StepState::Unknown { process: Some(process), is_alive: true })) = told.events.last()
    else {
        panic!("{:?}", told.events)
    };
    let again = launcher().launch(&desk.place(), spec, &[], approved).await;
    assert!(matches!(again, Err(StepError::Refused { .. })), "{again:?}");
    assert_eq!(marked(&desk.place()), ["sleep 600"]);
    let place = desk.place();
    let left = tokio::task::spawn_blocking(move || warroom::step::orphans::end_orphans(&place)).await.unwrap();
    assert_eq!(left, []);
    let process = Some(process.clone());
    assert_eq!(became(&desk.place()), StepState::Unknown { process, is_alive: false });
    assert_eq!(desk.read("effects"), "effect\n");
    let text = follow(&mut Attached::to(&desk.place())).await.text(Stream::Stdout);
    assert_eq!(text, "said\n", "what it said is still there");
}

/// The terminal of the console is closed: its whole session gets SIGHUP, the step does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_does_not_reach_the_step() {
    let desk = Desk::new();
    let mut attached =
        start(&desk, shell(&desk, "echo ready; until [ -e go ]; do sleep 0.05; done; echo went on"), &[])
            .await
            .expect("it starts");
    let told = follow_until(&mut attached, "ready", |told| told.text(Stream::Stdout).contains("ready")).await;
    let StepEvent::Running { process } =
        told.events.iter().find(|event| matches!(event, StepEvent::Running { .. })).expect("it runs")
    else {
        unreachable!()
    };
    // Field 6 of proc_pid_stat(5), after the name in brackets; 0 for a session that began outside of a container.
    let session = |pid: String| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
        let fields = stat.rsplit_once(')').expect("a name").1;
        fields.split_whitespace().nth(3).expect("a session").to_owned()
    };
    let (its, ours) = (session(process.pid.to_string()), session("self".to_owned()));
    assert_ne!(its, ours, "its session is another one, and so is its terminal");
    std::fs::write(desk.path("go"), "").expect("a file");
    assert_eq!(follow(&mut attached).await.text(Stream::Stdout), "went on\n");
}

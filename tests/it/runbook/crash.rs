//! The real console, in its room, is killed at five points of a step, for three shapes of steps; then it is started again:
//! nothing done twice, no line of output lost, and the step stands as what became of it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use warroom::step::event::{Cause, Event, Stream};
use warroom::step::place::Place;
use warroom::step::state::{StepState, state};

use super::stage::{Stage, answer};
use crate::pty::{PATIENCE, Terminal};

/// Where the console dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The command is shown, nobody has said yes.
    Asked,
    /// The approval is in the journal and the order on the disk.
    Approved,
    /// In the middle of the output.
    Running,
    /// While it is being cancelled.
    Cancelling,
    /// The command is over, the console has not heard of it: it was stopped before.
    Over,
}

const POINTS: [Point; 5] = [Point::Asked, Point::Approved, Point::Running, Point::Cancelling, Point::Over];

/// Each has one effect, a line in a file, and prints forty numbered lines, the last of them when the test lets it.
const SHAPES: [(&str, &str); 3] = [
    ("plain", "echo effect >>EFFECTS; LINES"),
    ("a pipeline whose child writes", "echo effect >>EFFECTS; (LINES) | cat"),
    (
        "deaf to signals, with a helper in the background",
        "trap '' INT TERM HUP; echo effect >>EFFECTS; sleep 2.2 & LINES; wait",
    ),
];

const LINES: &str = "n=0; while [ $n -lt 40 ]; do echo line $n; n=$((n+1)); \
                     while [ $n = 8 ] && [ ! -e GO ]; do sleep 0.05 || :; done; done";

fn whole() -> String {
    (0..40).map(|number| format!("line {number}\n")).collect()
}

/// A room of its own with one runbook.
struct Case {
    stage: Stage,
    point: Point,
    shape: &'static str,
}

impl Case {
    fn new(config: &str, point: Point, (shape, text): (&'static str, &str)) -> Self {
        let stage = Stage::configured(config);
        let path = |name: &str| stage.home.path(name).display().to_string();
        let text = text.replace("LINES", LINES).replace("EFFECTS", &path("effects")).replace("GO", &path("go"));
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        let step = format!("{{name: Do the work, id: work, shell: sh, danger: change, command: \"{text}\"}}");
        stage.runbook(
            "work.yaml",
            &format!(
                "runbooks:\n  work:\n    title: Work\n    trigger: {{alertname: '*', labels: {{alertname: '*'}}}}\n    steps:\n      - {step}\n      - manual: Think\n"
            ),
        );
        Self { stage, point, shape }
    }

    fn here(&self) -> String {
        format!("{:?}, {}", self.point, self.shape)
    }

    fn effects(&self) -> String {
        fs::read_to_string(self.stage.home.path("effects")).unwrap_or_default()
    }

    /// The folders of steps that were ever ordered.
    fn places(&self) -> Vec<PathBuf> {
        let folders = |of: PathBuf| fs::read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path());
        let runs = folders(self.stage.home.path("state/warroom/runs"));
        runs.flat_map(folders).filter(|place| place.join("spec.json").exists()).collect()
    }

    fn place(&self) -> Place {
        Place::new(self.places().pop().unwrap_or_else(|| panic!("{}: no step was ordered", self.here())))
    }

    fn printed(&self) -> String {
        let spool = self.place().spool();
        let read = warroom::step::spool::read::whole_stream(&spool, Stream::Stdout, 1 << 20);
        String::from_utf8_lossy(&read.ok().flatten().unwrap_or_default()).into_owned()
    }

    fn is_over(&self) -> bool {
        matches!(state(&self.place()), Ok(StepState::Finished(_)))
    }

    async fn room(&self) -> Terminal {
        self.stage.room(&[], "Do the work").await
    }

    /// Begins the step and kills the console at its point.
    async fn crash(&self) {
        let mut terminal = self.room().await;
        terminal.send("r").await;
        terminal.wait_text("does it").await;
        if self.point != Point::Asked {
            answer(&mut terminal, "y").await;
        }
        match self.point {
            Point::Asked => {}
            Point::Approved => {
                self.let_go();
                self.wait("the order", || !self.places().is_empty()).await;
            }
            Point::Running | Point::Over => terminal.wait_text("line 7").await,
            Point::Cancelling => {
                terminal.wait_text("line 7").await;
                terminal.send("X").await;
                let is_told = || {
                    let events = self.place().events_so_far().unwrap_or_default();
                    events.iter().any(|event| matches!(event, Event::Cancelling { .. }))
                };
                self.wait("the ladder to begin", is_told).await;
            }
        }
        if self.point == Point::Over {
            terminal.signal(Signal::STOP);
            self.let_go();
            self.wait("the end of the command", || self.is_over()).await;
        }
        terminal.signal(Signal::KILL);
        let (code, _) = terminal.exit(PATIENCE).await;
        assert_eq!(code, None, "{}: killed", self.here());
        if self.point == Point::Running {
            self.let_go();
        }
    }

    /// Lets the command print its last lines.
    fn let_go(&self) {
        fs::write(self.stage.home.path("go"), "").expect("a file");
    }

    async fn wait(&self, what: &str, is_there: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_there() {
            assert!(Instant::now() < until, "{}: waited for {what}", self.here());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The next console, and what it makes of it.
    async fn recover(&self) {
        let here = self.here();
        if self.point == Point::Asked {
            assert_eq!((self.places(), self.effects()), (Vec::new(), String::new()), "{here}: nobody said yes");
            let mut terminal = self.room().await;
            terminal.send("q").await;
            terminal.exit(PATIENCE).await;
            assert_eq!((self.places(), self.effects()), (Vec::new(), String::new()), "{here}: nor afterwards");
            return;
        }
        let mut terminal = self.room().await;
        let is_past = |stage: &Stage| stage.export_last().contains("step 'Do the work' ");
        let until = Instant::now() + PATIENCE;
        while !is_past(&self.stage) {
            assert!(Instant::now() < until, "{here}: no end in the journal:\n{}", self.stage.export_last());
            terminal.drain(Duration::from_millis(100)).await;
        }
        self.judge(&self.stage.export_last());
        self.find(&mut terminal).await;
        terminal.send("q").await;
        terminal.exit(PATIENCE).await;
        assert_eq!(self.places().len(), 1, "{here}: run once");
    }

    /// What is in the journal, on the disk and outside.
    fn judge(&self, exported: &str) {
        let (here, printed) = (self.here(), self.printed());
        let became = state(&self.place()).expect("a record");
        // The order whole, or only the beginning of it: either way nothing was executed.
        if self.point == Point::Approved && matches!(became, StepState::NotRun | StepState::Nothing) {
            assert_eq!(self.effects(), "", "{here}: not run is not done");
            assert!(exported.contains("the console ended before the command began"), "{here}:\n{exported}");
            return;
        }
        let StepState::Finished(finished) = became else { panic!("{here}: {became:?}") };
        assert_eq!(self.effects(), "effect\n", "{here}: done exactly once");
        assert_eq!(finished.survivors, [], "{here}");
        if self.point == Point::Cancelling {
            assert!(matches!(finished.cause, Cause::Cancelled { .. }), "{here}: {:?}", finished.cause);
            assert!(whole().starts_with(&printed) && printed.contains("line 7\n"), "{here}: {printed}");
            assert!(exported.contains("what it changed is not known, look at the target"), "{here}:\n{exported}");
        } else {
            assert_eq!(printed, whole(), "{here}: no line lost, none twice");
            assert!(exported.contains("step 'Do the work' done: exit 0"), "{here}:\n{exported}");
        }
        assert_eq!(exported.matches("approved 'Do the work'").count(), 1, "{here}:\n{exported}");
        assert_eq!(exported.matches("step 'Do the work' ").count(), 1, "{here}: one end:\n{exported}");
    }

    /// The run on the screen of the next console: the world went on, its incident may stand in another row.
    async fn find(&self, terminal: &mut Terminal) {
        let wanted = match self.point {
            Point::Cancelling => "unknown",
            _ if self.effects().is_empty() => "failed",
            _ => "done",
        };
        for _ in 0..30 {
            terminal.drain(Duration::from_millis(400)).await;
            if terminal.text().contains(wanted) && terminal.text().contains("Do the work") {
                return;
            }
            terminal.send("1j4").await;
        }
        panic!("{}: '{wanted}' is on no page:\n{}", self.here(), terminal.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_killed_at_any_point_of_a_step_comes_back_to_what_became_of_it() {
    let world = warroom::sim::serve(warroom::sim::SimOptions::default()).await.expect("a world");
    for point in POINTS {
        let cases: Vec<Case> = SHAPES.into_iter().map(|shape| Case::new(&world.config_toml, point, shape)).collect();
        futures_util::future::join_all(cases.iter().map(|case| async move {
            case.crash().await;
            case.recover().await;
        }))
        .await;
        println!("{point:?}: {} shapes", SHAPES.len());
    }
    world.shutdown().await;
}

/// The command goes on without its console, and so does its lock: the kernel's is gone, the journal and the step's folder
/// tell. It is free when the command is over, even where nobody can go on with the run because its text was edited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_console_leaves_the_lock_to_its_step() {
    let stage = Stage::configured("[room]\noperator = \"ana\"\n");
    let (began, go) = (stage.home.path("began"), stage.home.path("go"));
    let text = |title: &str| {
        format!(
            "runbooks:\n  locked:\n    title: {title}\n    steps:\n      - {{name: Hold it, id: hold, shell: sh, danger: change, timeout: 40s, lock: deploy/shop/web, command: 'echo x >>{}; until [ -e {} ]; do sleep 0.05; done'}}\n",
            began.display(),
            go.display()
        )
    };
    let count = || fs::read_to_string(&began).unwrap_or_default().lines().count();
    let run = ["runbook", "run", "locked", "--yes"];
    stage.runbook("locked.yaml", &text("Locked"));
    let mut terminal = stage.terminal(&run);
    terminal.wait("the step to run", |_| count() == 1).await;
    terminal.signal(Signal::KILL);
    assert_eq!(terminal.exit(PATIENCE).await.0, None);
    stage.runbook("locked.yaml", &text("Locked and edited"));
    let refused = stage.home.run(&run);
    let told = format!("{}{}", refused.out, refused.err);
    assert_eq!(refused.code, Some(1), "{told}");
    assert!(told.contains("deploy/shop/web is locked: 'Hold it' of ana's run is not over"), "{told}");
    assert_eq!(count(), 1, "it did not run beside the first");
    fs::write(&go, "").expect("a file");
    let until = Instant::now() + PATIENCE;
    while stage.home.run(&run).code != Some(0) {
        assert!(Instant::now() < until, "the lock is never free");
    }
    assert_eq!(count(), 2, "once more, and then it ended");
}

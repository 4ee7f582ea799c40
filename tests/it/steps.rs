//! Steps as processes, with the real binary: what survives, what is ended, what is kept, what never leaks.

mod cancel;
mod carry;
mod crash;
mod flood;
mod secrets;
mod terminal;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use warroom::engine::process::{Attached, Launcher, StepError, StepEvent};
use warroom::step::event::{Finished, Stream};
use warroom::step::place::Place;
use warroom::step::spec::{Interpreter, Program, Secret, StepSpec};
use warroom::step::state::{StepState, state};

/// How long a step may take on a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(160);

fn launcher() -> Launcher {
    Launcher::at(PathBuf::from(env!("CARGO_BIN_EXE_warroom")))
}

/// A folder of its own for each step.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn place(&self) -> Place {
        Place::new(self.path("step"))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

/// A step that runs a text in `sh`, with a PATH and nothing else.
fn shell(desk: &Desk, text: &str) -> StepSpec {
    with_path(StepSpec::new(
        Program::Shell { interpreter: Interpreter::Sh, text: text.to_owned() },
        desk.folder.path().to_path_buf(),
    ))
}

fn argv(desk: &Desk, words: &[&str]) -> StepSpec {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    with_path(StepSpec::new(Program::Argv(words), desk.folder.path().to_path_buf()))
}

fn with_path(mut spec: StepSpec) -> StepSpec {
    spec.env.insert("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    spec
}

async fn start(desk: &Desk, spec: StepSpec, secrets: &[Secret]) -> Result<Attached, StepError> {
    let approved = spec.digest(secrets);
    launcher().start(&desk.place(), spec, secrets, approved).await
}

/// What a step did from here on.
#[derive(Debug, Default)]
struct Told {
    events: Vec<StepEvent>,
}

impl Told {
    fn text(&self, wanted: Stream) -> String {
        let mut bytes = Vec::new();
        for event in &self.events {
            if let StepEvent::Output { stream, bytes: piece, .. } = event
                && *stream == wanted
            {
                bytes.extend_from_slice(piece);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn finished(&self) -> &Finished {
        match self.events.last() {
            Some(StepEvent::Finished(finished)) => finished,
            other => panic!("not finished but {other:?}; all: {:#?}", self.events),
        }
    }
}

/// Follows to the end.
async fn follow(attached: &mut Attached) -> Told {
    let mut told = Told::default();
    let until = Instant::now() + PATIENCE;
    while let Some(event) = next(attached, until).await {
        told.events.push(event);
    }
    told
}

/// Follows until something is told.
async fn follow_until(attached: &mut Attached, what: &str, is_it: impl Fn(&Told) -> bool) -> Told {
    let mut told = Told::default();
    let until = Instant::now() + PATIENCE;
    while !is_it(&told) {
        match next(attached, until).await {
            Some(event) => told.events.push(event),
            None => panic!("waited for {what}, but it ended: {:#?}", told.events),
        }
    }
    told
}

async fn next(attached: &mut Attached, until: Instant) -> Option<StepEvent> {
    let left = until.saturating_duration_since(Instant::now());
    tokio::time::timeout(left, attached.next()).await.expect("the step ends in time").expect("a readable folder")
}

async fn run(desk: &Desk, spec: StepSpec) -> Told {
    let mut attached = start(desk, spec, &[]).await.expect("it starts");
    follow(&mut attached).await
}

/// Waits for something outside.
fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < until, "waited for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn became(place: &Place) -> StepState {
    state(place).expect("a readable folder")
}

/// Living processes that carry the mark of this step.
fn marked(place: &Place) -> Vec<String> {
    warroom::step::orphans::orphans(place).into_iter().map(|left| left.command).collect()
}

/// Everything below a folder that holds these bytes.
fn files_with(folder: &Path, wanted: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|part| part == wanted)) {
                found.push(path);
            }
        }
    }
    found
}

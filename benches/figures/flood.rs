//! A step that writes 1 GiB, against the floor: the same program into `cat` into nothing. Time, memory, and the exact count.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use warroom::engine::process::{Attached, Launcher, StepEvent};
use warroom::step::event::{Event, Stream};
use warroom::step::place::Place;
use warroom::step::spec::{Interpreter, Program, StepSpec};

const BYTES: u64 = 1 << 30;
const ROUNDS: usize = 3;

/// Many lines, one endless line, binary.
const SHAPES: &[(&str, &str)] = &[
    ("lines", "yes 'a line of an honest length, as a log has them, with some words in it' | head -c 1073741824"),
    ("one line", "head -c 1073741824 /dev/zero | tr '\\0' x"),
    ("binary", "head -c 1073741824 /dev/zero"),
];

pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for (shape, text) in SHAPES {
        let (mut walls, mut cpus) = (Vec::new(), Vec::new());
        let mut peak = 0;
        for _ in 0..ROUNDS {
            let before = cpu_ticks();
            let floor = floor(text);
            let between = cpu_ticks();
            let (ours, rise) = runtime.block_on(ours(text));
            let after = cpu_ticks();
            let (floor_cpu, our_cpu) = ((between - before) as f64 / 100.0, (after - between) as f64 / 100.0);
            walls.push(ours.as_secs_f64() / floor.as_secs_f64());
            cpus.push(our_cpu / floor_cpu);
            peak = peak.max(rise);
            println!(
                "  {shape}: cat {floor:.2?} ({floor_cpu} CPU s), step {ours:.2?} ({our_cpu} CPU s), RSS rise {rise} KiB"
            );
        }
        walls.sort_by(f64::total_cmp);
        cpus.sort_by(f64::total_cmp);
        println!(
            "flood, {shape}: {:.2} of cat's time, {:.2} of its CPU (goal <= 3), RSS rise {peak} KiB (goal <= 32768), count exact",
            walls[ROUNDS / 2],
            cpus[ROUNDS / 2],
        );
    }
}

fn floor(text: &str) -> Duration {
    let began = Instant::now();
    let status = Command::new("sh").args(["-c", &format!("({text}) | cat >/dev/null")]).status().unwrap();
    assert!(status.success());
    began.elapsed()
}

/// The whole way: supervisor, spool on disk, and a console that follows.
async fn ours(text: &str) -> (Duration, u64) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("step"));
    let program = Program::Shell { interpreter: Interpreter::Sh, text: text.to_owned() };
    let mut spec = StepSpec::new(program, folder.path().to_path_buf());
    spec.env.insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
    let approved = spec.digest(&[]);
    let began = Instant::now();
    let launcher = Launcher::at(PathBuf::from(super::WARROOM));
    let mut attached: Attached = launcher.start(&place, spec, &[], approved).await.unwrap();
    let supervisor = place.events_so_far().unwrap().into_iter().find_map(|event| match event {
        Event::Started { supervisor, .. } => Some(supervisor.pid),
        _ => None,
    });
    let mut first = None;
    let mut most = 0;
    while let Some(event) = attached.next().await.unwrap() {
        let now = resident(supervisor.unwrap());
        first = first.or(now);
        most = most.max(now.unwrap_or(0));
        if let StepEvent::Finished(finished) = event {
            let out = &finished.streams[&Stream::Stdout];
            assert_eq!(out.bytes, BYTES, "the count is exact");
            assert!(finished.is_success());
        }
    }
    let took = began.elapsed();
    // Its time is only ours to count once it is waited for.
    while supervisor.is_some_and(|pid| PathBuf::from(format!("/proc/{pid}")).exists()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (took, most.saturating_sub(first.unwrap_or(0)))
}

/// User and system time of this process and of all children it waited for, in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    // Fields 14 to 17 of the line.
    fields.skip(11).take(4).map(|field| field.parse::<u64>().unwrap()).sum()
}

/// Resident memory in KiB; files that are mapped not counted twice: the whole is what the goal names.
fn resident(pid: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

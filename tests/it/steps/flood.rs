//! More output than is kept: the count stays exact, memory stays small, nobody waits. (1 GiB: `cargo bench`, figure `flood`.)

use warroom::step::event::Event;

use super::*;

fn status_kib(pid: i32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a living process");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_counted_to_the_byte_in_bounded_memory() {
    let desk = Desk::new();
    // 84 MiB: more than head and tail, and a last line that must be kept.
    let bytes = 84 << 20;
    let text = format!("head -c {bytes} /dev/zero | tr '\\0' x; echo; echo the last line; read -r _ <hold");
    let hold = desk.path("hold");
    let made = std::process::Command::new("mkfifo").arg(&hold).status().expect("mkfifo");
    assert!(made.success());
    let mut attached = start(&desk, shell(&desk, &text), &[]).await.expect("it starts");
    let has_last = |told: &Told| told.text(Stream::Stdout).ends_with("the last line\n");
    let told = follow_until(&mut attached, "the last line", has_last).await;
    let supervisor = desk.place().events_so_far().unwrap().into_iter().find_map(|event| match event {
        Event::Started { supervisor, .. } => Some(supervisor.pid),
        _ => None,
    });
    let peak = status_kib(supervisor.expect("started"), "VmHWM:");
    let anonymous = status_kib(supervisor.unwrap(), "RssAnon:");
    std::fs::write(&hold, "go\n").expect("the pipe");
    let rest = follow(&mut attached).await;
    let out = &rest.finished().streams[&Stream::Stdout];
    assert_eq!(out.bytes, bytes + 1 + "the last line\n".len() as u64);
    assert_eq!((out.lines, out.masked_bytes), (2, out.bytes));
    assert_eq!(out.last.last().map(String::as_str), Some("the last line"));
    // What the spool has and what it says is missing add up.
    let mut reader = warroom::step::spool::read::Reader::new(&desk.place().spool());
    let (mut kept, mut missing) = (0, 0);
    while let Some(piece) = reader.next_piece().expect("a spool") {
        match piece {
            warroom::step::spool::read::Piece::Bytes { bytes, .. } => kept += bytes.len() as u64,
            warroom::step::spool::read::Piece::Gap { bytes, .. } => missing += bytes,
        }
    }
    assert_eq!((kept + missing, missing), (out.bytes, out.dropped));
    assert!(kept >= 60 << 20 && kept <= 74 << 20, "{kept}");
    assert!(anonymous < 32 << 10, "the supervisor holds {anonymous} KiB");
    let seen: usize =
        told.events.iter().map(|event| if let StepEvent::Output { bytes, .. } = event { bytes.len() } else { 0 }).sum();
    println!("kept {kept}, dropped {missing}, seen live {seen}; supervisor peak {peak} KiB, anonymous {anonymous} KiB");
}

/// A disk of its own that is full after 4 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_neither_the_step_nor_the_count_nor_its_end() {
    let desk = Desk::new();
    let disk = desk.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |words: &[&str]| {
        std::process::Command::new(words[0]).args(&words[1..]).arg(&disk).output().is_ok_and(|out| out.status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs"]) {
        println!("no disk can be mounted here: a full one was not tried");
        return;
    }
    let place = Place::new(disk.join("step"));
    let spec = shell(&desk, "head -c 9000000 /dev/zero | tr '\\0' x; echo; echo the end >&2; touch went-on");
    let approved = spec.digest(&[]);
    let mut attached = launcher().start(&place, spec, &[], approved).await.expect("it starts");
    let told = follow(&mut attached).await;
    let finished = told.finished().clone();
    let became = became(&place);
    drop(attached);
    assert!(mount(&["umount", "-l"]));
    assert!(desk.path("went-on").exists());
    assert!(finished.is_success(), "{finished:?}");
    assert_eq!(finished.streams[&Stream::Stdout].bytes, 9_000_001);
    assert_eq!(finished.streams[&Stream::Stderr].last_line(), Some("the end"));
    assert_eq!(became, StepState::Finished(Box::new(finished)));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_ways_of_writing() {
    for (what, text, out) in [
        ("closes stdout early", "exec >&-; echo late >&2; sleep 0.1", ""),
        ("reads stdin", "cat; echo eof", "eof\n"),
        ("no newline", "printf x", "x"),
        ("binary", r"printf '\000\377\033]52;c;Zg==\007'", "\0\u{fffd}\u{1b}]52;c;Zg==\u{7}"),
    ] {
        let desk = Desk::new();
        let told = run(&desk, shell(&desk, text)).await;
        assert_eq!(told.text(Stream::Stdout), out, "{what}");
        assert!(told.finished().is_success(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_is_heard_in_the_middle_of_a_flood() {
    let desk = Desk::new();
    let mut attached = start(&desk, argv(&desk, &["cat", "/dev/zero"]), &[]).await.expect("it starts");
    follow_until(&mut attached, "output", |told| told.events.len() > 20).await;
    attached.cancel("alice").await.expect("it listens");
    let told = follow(&mut attached).await;
    assert_eq!(told.finished().end, warroom::step::event::End::Signal(2), "SIGINT was enough");
}

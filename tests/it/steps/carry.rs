//! What a command gets, what is taken from it, what is refused.

use warroom::step::capture::{Capture, CaptureFailure, CaptureFrom, CaptureHow};
use warroom::step::event::End;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn output_exit_and_digests_are_kept() {
    let desk = Desk::new();
    let told = run(&desk, shell(&desk, "echo out; echo err >&2; printf 'no end'; exit 3")).await;
    assert_eq!(told.text(Stream::Stdout), "out\nno end");
    assert_eq!(told.text(Stream::Stderr), "err\n");
    let finished = told.finished();
    assert_eq!(finished.end, End::Exit(3));
    let out = &finished.streams[&Stream::Stdout];
    assert_eq!((out.bytes, out.lines, out.dropped), (10, 1, 0));
    assert_eq!(out.sha256, sha(b"out\nno end"));
    assert_eq!(out.first, ["out", "no end"]);
    let StepState::Finished(from_folder) = became(&desk.place()) else { panic!("not finished") };
    assert_eq!(*from_folder, *finished);
}

fn sha(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_arrive_as_they_are() {
    let desk = Desk::new();
    let words = ["printf", "[%s]\n", "a b", "", "$(touch PWN)", "'\"`\\", "-n", "ünï\u{202e}", "line\nbreak"];
    let told = run(&desk, argv(&desk, &words)).await;
    assert_eq!(told.text(Stream::Stdout), "[a b]\n[]\n[$(touch PWN)]\n['\"`\\]\n[-n]\n[ünï\u{202e}]\n[line\nbreak]\n");
    assert!(!desk.path("PWN").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_the_order_and_nothing_else() {
    let desk = Desk::new();
    let mut spec = argv(&desk, &["env", "-0"]);
    spec.env.insert("RB_pod".to_owned(), "a b\n$(x)".to_owned());
    spec.secrets.push("TOKEN".to_owned());
    let secrets = [Secret { name: "TOKEN".to_owned(), value: "canary-token-1".to_owned().into() }];
    let mut attached = start(&desk, spec, &secrets).await.expect("it starts");
    let told = follow(&mut attached).await;
    let text = told.text(Stream::Stdout);
    let mut names: Vec<&str> = text.split_terminator('\0').map(|pair| pair.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["PATH", "RB_OUTPUT", "RB_STEP_DIR", "RB_pod", "TOKEN"]);
    assert!(text.contains("RB_pod=a b\n$(x)\0"));
    assert!(text.contains("TOKEN=***\0"));
}

/// On a file in memory: more than a pipe holds arrives although nobody writes it while the command reads, and a command
/// that reads nothing is not held up.
#[tokio::test(flavor = "multi_thread")]
async fn standard_input_arrives_whole_and_holds_nobody_up() {
    let text: String = (0..40_000).map(|number| format!("{number} \u{202e}ü\0\r\n")).collect();
    let desk = Desk::new();
    let mut spec = argv(&desk, &["sha256sum"]);
    spec.stdin = Some(text.clone());
    let told = run(&desk, spec).await;
    assert_eq!(told.text(Stream::Stdout), format!("{}  -\n", sha(text.as_bytes())));
    let desk = Desk::new();
    let mut spec = argv(&desk, &["true"]);
    spec.stdin = Some(text);
    assert!(run(&desk, spec).await.finished().is_success());
}

/// A descriptor that the console itself inherited must not reach the command: `sh` leaves 7 and 33 open here.
#[tokio::test(flavor = "multi_thread")]
async fn only_three_descriptors_reach_the_command() {
    let desk = Desk::new();
    let told = run(&desk, shell(&desk, "for fd in /proc/self/fd/*; do readlink $fd || :; done; cat")).await;
    let lines = told.text(Stream::Stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.first(), Some(&"/dev/null"), "{lines:?}");
    // readlink itself looks at its own, so only kinds are counted: null and pipes.
    assert!(lines.iter().all(|line| *line == "/dev/null" || line.starts_with("pipe:")), "{lines:?}");

    let desk = Desk::new();
    let spec = shell(&desk, "ls -l /proc/$$/fd");
    let approved = spec.digest(&[]);
    desk.place().order(&spec, &approved).expect("an order");
    let handover = warroom::step::spec::Handover::new(spec, approved, &[]);
    let order = desk.path("handover");
    std::fs::write(&order, serde_json::to_vec(&handover).unwrap()).unwrap();
    let script = format!(
        "exec 7</etc/passwd; exec 33</etc/hostname; {} __step {} <{}",
        env!("CARGO_BIN_EXE_warroom"),
        desk.place().path().display(),
        order.display()
    );
    let answer = std::process::Command::new("bash").args(["-c", &script]).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "running\n");
    let told = follow(&mut Attached::to(&desk.place())).await;
    let listing = told.text(Stream::Stdout);
    assert!(!listing.contains("passwd") && !listing.contains("hostname"), "{listing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_approved_does_not_run() {
    let desk = Desk::new();
    let spec = shell(&desk, "touch ran");
    let other = shell(&desk, "touch other").digest(&[]);
    let refused = launcher().start(&desk.place(), spec, &[], other).await;
    let Err(StepError::Refused { why }) = refused else { panic!("{refused:?}") };
    assert!(why.starts_with("what would run is not what was approved"), "{why}");
    assert!(!desk.path("ran").exists());
    assert_eq!(became(&desk.place()), StepState::Refused { why });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_never_run_twice_from_one_folder() {
    let desk = Desk::new();
    let spec = shell(&desk, "echo once >>count; sleep 0.5");
    let approved = spec.digest(&[]);
    let mut attached = start(&desk, spec.clone(), &[]).await.expect("it starts");
    let second = launcher().launch(&desk.place(), spec.clone(), &[], approved.clone()).await;
    assert!(matches!(second, Err(StepError::Refused { .. })), "while it runs: {second:?}");
    follow(&mut attached).await;
    let third = launcher().launch(&desk.place(), spec.clone(), &[], approved.clone()).await;
    assert!(matches!(third, Err(StepError::Refused { .. })), "after it ran: {third:?}");
    assert!(matches!(launcher().start(&desk.place(), spec, &[], approved).await, Err(StepError::Order { .. })));
    assert_eq!(desk.read("count"), "once\n");
    assert!(matches!(became(&desk.place()), StepState::Finished(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_refused_by_name() {
    let desk = Desk::new();
    let refused = start(&desk, argv(&desk, &["no-such-program-here", "x"]), &[]).await;
    let Err(StepError::Refused { why }) = refused else { panic!("{refused:?}") };
    assert!(why.contains("no-such-program-here") && why.contains("No such file"), "{why}");
    let desk = Desk::new();
    let mut spec = shell(&desk, "true");
    spec.secrets.push("PIN".to_owned());
    let secrets = [Secret { name: "PIN".to_owned(), value: "12".to_owned().into() }];
    let refused = start(&desk, spec, &secrets).await;
    let Err(StepError::Refused { why }) = refused else { panic!("{refused:?}") };
    assert!(why.contains("secret PIN is shorter"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_captured() {
    let desk = Desk::new();
    let mut spec = shell(
        &desk,
        r#"echo '{"spec":{"replicas":3}}'; echo 'took 42 ms' >&2; echo v1.2 >version
           printf 'deployment=checkout\nnote<<END\na\nb\nEND\nbroken\n' >"$RB_OUTPUT""#,
    );
    let capture =
        |name: &str, from: CaptureFrom, how: CaptureHow| Capture { name: name.to_owned(), from, how, trim: true };
    spec.captures = vec![
        capture("replicas", CaptureFrom::Stdout, CaptureHow::Json("/spec/replicas".to_owned())),
        capture("took", CaptureFrom::Stderr, CaptureHow::Regex(r"took (\d+) ms".to_owned())),
        capture("version", CaptureFrom::File("version".into()), CaptureHow::Whole),
        capture("nothing", CaptureFrom::Stdout, CaptureHow::Line(9)),
        capture("device", CaptureFrom::File("/dev/zero".into()), CaptureHow::Whole),
    ];
    let told = run(&desk, spec).await;
    let finished = told.finished();
    let found: Vec<String> = finished.captures.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(found, ["replicas=3", "took=42", "version=v1.2"]);
    assert_eq!(finished.failed_captures["nothing"], CaptureFailure::Nothing("line 9".to_owned()));
    assert!(matches!(finished.failed_captures["device"], CaptureFailure::Unreadable { .. }));
    let outputs: Vec<String> = finished.outputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(outputs, ["deployment=checkout", "note=a\nb"]);
    assert_eq!(finished.output_problems, ["line 6: neither KEY=VALUE nor KEY<<EOF"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_what_a_step_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    run(&desk, shell(&desk, "umask 000; echo x")).await;
    wait_for("the supervisor's end", || !desk.place().control().exists());
    let mut folders = vec![desk.place().path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
            }
        }
    }
}

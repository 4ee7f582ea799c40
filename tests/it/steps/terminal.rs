//! Interactive steps: keys go through, lines are sent only when asked, a late console sees the same screen.

use warroom::step::spec::TerminalSize;

use super::*;

fn interactive(desk: &Desk, text: &str) -> StepSpec {
    let mut spec = shell(desk, text);
    spec.terminal = Some(TerminalSize { columns: 60, rows: 10 });
    spec
}

fn shows(wanted: &'static str) -> impl Fn(&Told) -> bool {
    move |told| told.text(Stream::Terminal).contains(wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_a_terminal_and_takes_keys_lines_and_sizes() {
    let desk = Desk::new();
    let text = "tty -s && echo on a terminal; stty size; printf 'name? '; read -r name; echo \"hello $name\"; \
                read -r line; echo \"did $line\"; stty size";
    let mut attached = start(&desk, interactive(&desk, text), &[]).await.expect("it starts");
    let told = follow_until(&mut attached, "the prompt", shows("name? ")).await;
    assert!(told.text(Stream::Terminal).starts_with("on a terminal\r\n10 60\r\n"), "{:?}", told.text(Stream::Terminal));
    attached.keys(b"bob\r").await.expect("it listens");
    follow_until(&mut attached, "the greeting", shows("hello bob")).await;
    attached.resize(TerminalSize { columns: 0, rows: 0 }).await.expect("it listens");
    attached.resize(TerminalSize { columns: 100, rows: 30 }).await.expect("it listens");
    attached.send_line("systemctl status chronyd").await.expect("it listens");
    let told = follow(&mut attached).await;
    let text = told.text(Stream::Terminal);
    assert!(text.contains("did systemctl status chronyd") && text.contains("30 100"), "{text:?}");
    assert!(told.finished().is_success());
    let sent =
        |event: &StepEvent| matches!(event, StepEvent::LineSent { line, .. } if line == "systemctl status chronyd");
    assert!(told.events.iter().any(sent));
    let recording = std::fs::read_to_string(desk.place().recording()).expect("a recording");
    let mut lines = recording.lines();
    assert!(lines.next().is_some_and(|header| header.contains(r#""version":2,"width":60,"height":10"#)), "{recording}");
    let events: Vec<(f64, String, String)> = lines.map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert!(events.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in order");
    let shown: String = events.iter().filter(|event| event.1 == "o").map(|event| event.2.as_str()).collect();
    assert!(shown.contains("hello bob") && shown.contains("30 100"));
    assert!(events.iter().any(|event| event.1 == "r" && event.2 == "100x30"));
    assert!(events.iter().any(|event| event.1 == "m" && event.2 == "systemctl status chronyd"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_comes_later_sees_the_same_screen() {
    let desk = Desk::new();
    let text = r"printf '\033[31mred\033[0m\r\nsecond $ '; read -r line; echo over";
    let mut first = start(&desk, interactive(&desk, text), &[]).await.expect("it starts");
    follow_until(&mut first, "the prompt", shows("second $ ")).await;
    drop(first);
    let mut second = Attached::to(&desk.place());
    second.ask_screen().await.expect("it listens");
    let is_screen = |told: &Told| told.events.iter().any(|event| matches!(event, StepEvent::Screen { .. }));
    let told = follow_until(&mut second, "the screen", is_screen).await;
    let Some(StepEvent::Screen { size, state, .. }) =
        told.events.iter().find(|event| matches!(event, StepEvent::Screen { .. }))
    else {
        unreachable!()
    };
    let mut emulator = vt100::Parser::new(size.rows, size.columns, 0);
    emulator.process(state);
    assert_eq!(emulator.screen().contents(), "red\nsecond $ ");
    assert_eq!(emulator.screen().cell(0, 0).map(vt100::Cell::fgcolor), Some(vt100::Color::Idx(1)));
    second.keys(b"\r").await.expect("it listens");
    assert!(follow(&mut second).await.finished().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_on_a_terminal_is_cancelled_like_any_other() {
    let desk = Desk::new();
    let mut spec =
        interactive(&desk, "trap '' INT TERM HUP; (setsid sleep 600 &); echo ready; while :; do sleep 1; done");
    spec.ladder =
        warroom::step::spec::Ladder { interrupt: Duration::from_millis(200), terminate: Duration::from_millis(200) };
    let mut attached = start(&desk, spec, &[]).await.expect("it starts");
    follow_until(&mut attached, "ready", shows("ready")).await;
    attached.cancel("alice").await.expect("it listens");
    assert_eq!(follow(&mut attached).await.finished().survivors, []);
    assert_eq!(marked(&desk.place()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_for_a_step_without_a_terminal_are_refused_aloud() {
    let desk = Desk::new();
    let mut attached = start(&desk, shell(&desk, "echo ready; sleep 1"), &[]).await.expect("it starts");
    attached.keys(b"y\n").await.expect("it listens");
    let is_told = |told: &Told| told.events.iter().any(|event| matches!(event, StepEvent::NotDone { .. }));
    follow_until(&mut attached, "a refusal", is_told).await;
    assert!(follow(&mut attached).await.finished().is_success());
}

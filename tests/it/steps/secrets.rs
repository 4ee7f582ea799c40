//! A secret, split at every byte boundary, in four encodings: in no file and no event of a step.

use super::*;

const SECRET: &str = "s3cr3t?>~t0k&n+42";

fn forms() -> [(&'static str, &'static str); 4] {
    [
        ("plain", SECRET),
        ("base64", "czNjcjN0Pz5+dDBrJm4rNDI="),
        ("base64url", "czNjcjN0Pz5-dDBrJm4rNDI="),
        ("percent", "s3cr3t%3F%3E~t0k%26n%2B42"),
    ]
}

/// Writes each form cut at each byte, with a pause at the cut: two reads for the supervisor. The forms come backwards in
/// the environment, so that the order itself holds no secret.
const SCRIPT: &str = r#"
for backwards in "$RB_plain" "$RB_base64" "$RB_base64url" "$RB_percent"; do
  form=$(printf %s "$backwards" | rev)
  for ((at = 0; at <= ${#form}; at++)); do
    printf %s "${form:0:at}"; sleep 0.003; printf '%s\n' "${form:at}"
  done
done
"#;

async fn leaks(terminal: bool) {
    let desk = Desk::new();
    let mut spec = shell(&desk, "");
    spec.program = Program::Shell { interpreter: Interpreter::Bash, text: SCRIPT.to_owned() };
    for (name, form) in forms() {
        spec.env.insert(format!("RB_{name}"), form.chars().rev().collect());
    }
    spec.secrets.push("TOKEN".to_owned());
    if terminal {
        spec.terminal = Some(warroom::step::spec::TerminalSize { columns: 80, rows: 24 });
    }
    let secrets = [Secret { name: "TOKEN".to_owned(), value: SECRET.to_owned().into() }];
    let mut attached = start(&desk, spec, &secrets).await.expect("it starts");
    let told = follow(&mut attached).await;
    assert!(told.finished().is_success());
    let stream = if terminal { Stream::Terminal } else { Stream::Stdout };
    let lines: usize = forms().iter().map(|(_, form)| form.len() + 1).sum();
    let text = told.text(stream).replace('\r', "");
    assert_eq!(text, "***\n".repeat(lines), "every one is masked");
    let events = format!("{:?}", told.events);
    for (name, form) in forms() {
        assert!(!events.contains(form), "{name} in the events");
        assert_eq!(files_with(desk.place().path(), form.as_bytes()), Vec::<PathBuf>::new(), "{name} in a file");
    }
    // The check can fail: the mask itself is found.
    assert!(!files_with(desk.place().path(), b"***").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn split_at_every_byte_it_is_in_no_file_and_no_event() {
    leaks(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_the_recording_of_a_terminal() {
    leaks(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_captures_outputs_or_the_command_lines_of_survivors() {
    use warroom::step::capture::{Capture, CaptureFrom, CaptureHow};
    let desk = Desk::new();
    let mut spec =
        shell(&desk, r#"echo "token: $TOKEN"; echo "t=$TOKEN" >"$RB_OUTPUT"; sh -c 'sleep 5; :' "$TOKEN" & :"#);
    spec.secrets.push("TOKEN".to_owned());
    spec.captures.push(Capture {
        name: "token".to_owned(),
        from: CaptureFrom::Stdout,
        how: CaptureHow::Regex("token: (.*)".to_owned()),
        trim: false,
    });
    let secrets = [Secret { name: "TOKEN".to_owned(), value: SECRET.to_owned().into() }];
    let mut attached = start(&desk, spec, &secrets).await.expect("it starts");
    let told = follow(&mut attached).await;
    let finished = told.finished();
    assert_eq!((finished.captures["token"].as_str(), finished.outputs["t"].as_str()), ("***", "***"));
    assert!(finished.survivors.iter().any(|left| left.command.contains("***")), "{:?}", finished.survivors);
    assert_eq!(files_with(desk.place().path(), SECRET.as_bytes()), Vec::<PathBuf>::new());
    let place = desk.place();
    let _ = tokio::task::spawn_blocking(move || warroom::step::orphans::end_orphans(&place)).await;
}

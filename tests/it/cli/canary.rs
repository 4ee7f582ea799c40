//! A token is a canary: it must be in the request and nowhere else.

use std::fs;

use super::home::{Home, Stub};

const CANARY: &str = "canary-9f2c-token-that-must-not-be-seen";

fn assert_unseen(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(!text.contains(CANARY), "the token is in {place}");
    // Half of it is too much as well.
    assert!(!text.contains(&CANARY[..18]), "part of the token is in {place}");
}

#[test]
fn a_token_is_in_no_output_log_file_argument_or_childs_environment() {
    // Echoes the request in its error, as some proxies do.
    let stub = Stub::talking(|request| {
        let body =
            serde_json::json!({ "error": { "message": format!("bad request: {request}"), "code": 2001 } }).to_string();
        Some(format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
    });
    let config = format!(
        "[pagerduty]\nurl = \"{url}\"\ntoken = {{ env = \"PD\" }}\n\n[[alertmanager]]\nname = \"am\"\nurl = \"{url}\"\n\
         auth = {{ bearer = {{ command = [\"sh\", \"-c\", \"env > child-environment; echo other-secret-12345\"] }} }}\n\n\
         [[prometheus]]\nname = \"prom\"\nurl = \"{url}\"\nauth = {{ basic = {{ user = \"u\", password = {{ file = \"pw\" }} }} }}\n",
        url = stub.url()
    );
    let home = Home::new(&config).with("PD", CANARY);
    fs::write(home.path("config/warroom/pw"), "file-secret-98765").expect("a secret");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(home.path("config/warroom/pw"), fs::Permissions::from_mode(0o600)).expect("permissions");
    }
    for arguments in [
        &["--log-level", "trace", "incidents", "list"][..],
        &["--log-level", "trace", "doctor"],
        &["--log-level", "trace", "doctor", "--json"],
        &["--log-level", "trace", "incidents", "ack", "PABC123", "--json"],
        &["check"],
    ] {
        let child = home.command(arguments).current_dir(home.path("")).spawn().expect("the binary starts");
        let ran = Home::finish(child, None);
        for secret in ["other-secret-12345", "file-secret-98765"] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{arguments:?}: {}{}", ran.out, ran.err);
        }
        assert_unseen(&format!("the output of {arguments:?}"), ran.out.as_bytes());
        assert_unseen(&format!("the errors of {arguments:?}"), ran.err.as_bytes());
    }
    assert!(
        stub.requests().iter().any(|request| request.contains(CANARY)),
        "the token was never used: nothing was shown"
    );
    let files = home.files();
    let named = |ending: &str| files.iter().any(|(path, _)| path.to_string_lossy().ends_with(ending));
    assert!(named("warroom.log") && named("child-environment"), "log and child left their traces");
    for (path, bytes) in &files {
        assert_unseen(&path.display().to_string(), bytes);
        let is_own = path.ends_with("pw") || path.ends_with("config.toml");
        let text = String::from_utf8_lossy(bytes);
        assert!(is_own || !text.contains("file-secret-98765"), "a password is in {}", path.display());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_is_not_in_the_arguments_while_it_runs_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let stub = Stub::talking(|_| None);
    let home =
        Home::new(&format!("[pagerduty]\nurl = \"{}\"\ntoken = {{ env = \"PD\" }}\n", stub.url())).with("PD", CANARY);
    let mut child = home.command(&["incidents", "list", "--timeout", "30s"]).spawn().expect("the binary starts");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while stub.requests().is_empty() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(!stub.requests().is_empty(), "waited 20 s for the first request");
    let arguments = fs::read(format!("/proc/{}/cmdline", child.id())).expect("its arguments");
    assert_unseen("the arguments", &arguments);
    child.kill().expect("it ends");
    child.wait().expect("it ends");
    for (path, _) in home.files().iter().filter(|(path, _)| path.starts_with(home.path("state"))) {
        let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:03o}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_leaves_with_the_signals_code() {
    let stub = Stub::talking(|_| None);
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let before = stub.requests().len();
        let home = Home::new(&format!("[[alertmanager]]\nurl = \"{}\"\n", stub.url()));
        let child = home.command(&["alerts", "list", "--timeout", "30s"]).spawn().expect("the binary starts");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while stub.requests().len() == before && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let killed = std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
        assert_eq!(Home::finish(child, None).code, Some(code), "{signal}");
    }
}

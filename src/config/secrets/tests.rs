use std::fs;

use super::*;

fn finder() -> Finder {
    Finder::default().with_limit(Duration::from_millis(400))
}

fn find(source: &SecretSource) -> Result<String, String> {
    let environment = |name: &str| (name == "SET").then(|| "from-the-environment".to_owned());
    let found = finder().find(source, &environment);
    found.map(|secret| secret.expose_secret().to_owned()).map_err(|failure| failure.to_string())
}

fn command(words: &[&str]) -> SecretSource {
    SecretSource::Command(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn a_variable_is_taken_or_named() {
    assert_eq!(find(&SecretSource::Env("SET".into())).as_deref(), Ok("from-the-environment"));
    assert_eq!(
        find(&SecretSource::Env("MISSING".into())).unwrap_err(),
        "reading the secret from variable MISSING failed: it is not set; export MISSING before starting warroom"
    );
}

#[cfg(unix)]
#[test]
fn a_file_must_be_ours_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let source = SecretSource::File(path.clone());
    let shown = path.display().to_string();
    assert_eq!(
        find(&source).unwrap_err(),
        format!(
            "reading the secret from file {shown} failed: there is no such file; write the secret into it and run: chmod 600 {shown}"
        )
    );
    fs::write(&path, "  first-line \nsecond\n").unwrap();
    for mode in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            find(&source).unwrap_err(),
            format!(
                "reading the secret from file {shown} failed: others can read or change it (mode {mode:03o}); run: chmod 600 {shown}"
            )
        );
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(find(&source).as_deref(), Ok("first-line"));
    for (content, cause) in [
        (&b"\nlater"[..], "its first line is empty; put the secret on the first line"),
        (b"a\x1b[2Jb", "it holds control characters; put only the secret there, as plain text"),
        (b"\xff\xfe", "it holds control characters; put only the secret there, as plain text"),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(find(&source).unwrap_err(), format!("reading the secret from file {shown} failed: {cause}"));
    }
    let folder_source = SecretSource::File(folder.path().to_path_buf());
    assert!(find(&folder_source).unwrap_err().contains("it is not a file"));
}

#[cfg(unix)]
#[test]
fn a_command_is_run_without_a_shell_and_in_time() {
    assert_eq!(find(&command(&["printf", "%s\\nmore", "$HOME;x"])).as_deref(), Ok("$HOME;x"));
    for (words, sentence) in [
        (
            &["false", "argument-that-may-be-secret"][..],
            "reading the secret from command 'false' failed: it ended with code 1; try it in a shell",
        ),
        (
            &["/nonexistent/program"],
            "reading the secret from command '/nonexistent/program' failed: there is no such program; install it or give its full path",
        ),
        (
            &["sh", "-c", "sleep 60 & wait"],
            "reading the secret from command 'sh' failed: it did not end within 0.4 s; try it in a shell: it must answer without asking anything",
        ),
        (
            &["true"],
            "reading the secret from command 'true' failed: its first line is empty; put the secret on the first line",
        ),
    ] {
        assert_eq!(find(&command(words)).unwrap_err(), sentence);
    }
}

#[cfg(unix)]
#[test]
fn a_command_does_not_inherit_the_variables_of_other_secrets() {
    let hidden = Finder { hidden: ["PATH".to_owned()].into(), limit: None };
    let environment = |_: &str| None;
    let found = hidden.find(&command(&["/bin/sh", "-c", "env | grep -c ^PATH= ; true"]), &environment);
    // The shell has a default PATH but does not export it.
    assert_eq!(found.unwrap().expose_secret(), "0");
}

#[cfg(not(feature = "keyring"))]
#[test]
fn without_the_feature_the_keyring_is_a_sentence() {
    let source = SecretSource::Keyring("warroom".into(), "pagerduty".into());
    assert_eq!(
        find(&source).unwrap_err(),
        "reading the secret from keyring entry 'warroom' of 'pagerduty' failed: this build has no keyring support; \
         build with --features keyring, or use { command = [\"secret-tool\", \"lookup\", …] }"
    );
}

#[test]
fn what_was_found_is_masked_from_then_on() {
    let text = find(&SecretSource::Env("SET".into())).unwrap();
    assert_eq!(SECRETS.mask(&format!("x {text} y")), "x *** y");
}

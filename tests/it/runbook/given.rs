//! What a step is given besides its words: secrets in its environment, text on its standard input.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::{fs, io};

use super::stage::Stage;

const SECRET: &str = "canary-7f3e9-of-the-registry";

const CONFIG: &str = "[secrets]\nREGISTRY_TOKEN = { env = \"HOME_OF_TOKEN\" }\nGONE = { env = \"NOT_SET_ANYWHERE\" }\n";

const STEPS: &str = r#"runbooks:
  given:
    params: {namespace: {type: k8s_name}}
    steps:
      - {name: login, argv: [login], secrets: [REGISTRY_TOKEN], stdin: "user={namespace}\nq='\"$(x)\n"}
  lacking:
    steps:
      - {name: a, argv: [login], secrets: [NOWHERE]}
      - {name: b, argv: [login], secrets: [GONE]}
"#;

/// Keeps what it is given where the test finds it, and says the secret aloud.
const LOGIN: &str = "#!/bin/sh\ncat > DIR/input\nprintf %s \"$REGISTRY_TOKEN\" | rev > DIR/token-backwards\nprintf '%s\\n' \"$*\" > DIR/words\necho \"logged in with $REGISTRY_TOKEN\"\n";

fn stage() -> Stage {
    let stage = Stage::configured_with(CONFIG, "HOME_OF_TOKEN", SECRET);
    stage.runbook("given.yaml", STEPS);
    let bin = stage.home.path("bin");
    fs::write(bin.join("login"), LOGIN.replace("DIR", &bin.display().to_string())).expect("a file");
    fs::set_permissions(bin.join("login"), fs::Permissions::from_mode(0o755)).expect("a mode");
    stage
}

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let list = || -> io::Result<Vec<fs::DirEntry>> { fs::read_dir(folder)?.collect() };
    for entry in list().unwrap_or_default() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if fs::read(&path).is_ok_and(|text| text.windows(bytes.len()).any(|window| window == bytes)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_secret_reaches_the_command_and_nothing_else_and_its_input_arrives_byte_for_byte() {
    let stage = stage();
    let arguments = ["runbook", "run", "given", "--yes", "--set", "namespace=shop"];
    let ran = stage.home.run(&arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for wanted in ["secret REGISTRY_TOKEN in its environment", "stdin: user=shop", "stdin: q='\"$(x)"] {
        assert!(ran.err.contains(wanted), "'{wanted}' was not shown before it ran:\n{}", ran.err);
    }
    let bin = stage.home.path("bin");
    let kept = |name: &str| fs::read_to_string(bin.join(name)).expect("the command ran");
    assert_eq!(kept("input"), "user=shop\nq='\"$(x)\n");
    assert_eq!(kept("words"), "\n");
    assert_eq!(kept("token-backwards"), SECRET.chars().rev().collect::<String>());
    assert!(format!("{}{}", ran.out, ran.err).contains("logged in with ***"), "{}{}", ran.out, ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains(SECRET));
    let exported = stage.export_last();
    assert!(exported.contains("secret REGISTRY_TOKEN in its environment"), "{exported}");
    // The whole home: journal, cache, spool, control files.
    assert_eq!(holding(&stage.home.path(""), SECRET.as_bytes()), Vec::<String>::new());
    // The check can fail: the mask itself is found.
    assert!(!holding(&stage.home.path(""), b"***").is_empty());
}

#[test]
fn a_secret_that_is_not_there_refuses_the_step_and_says_what_to_add() {
    let stage = stage();
    let ran = stage.home.run(&["runbook", "run", "lacking", "--dry-run"]);
    assert!(ran.err.contains("the secret NOWHERE is not configured: add NOWHERE = { env"), "{}", ran.err);
    assert!(ran.err.contains("the secret GONE: "), "{}", ran.err);
    assert!(!stage.home.path("bin/words").exists(), "nothing ran");
}

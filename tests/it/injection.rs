//! Values against shells: whatever a value is and wherever it stands, it arrives as it is or the command is refused; it is
//! never run. The commands are really executed, by bash, dash and busybox.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use warroom::runbook::Runbook;
use warroom::runbook::bind::{Given, Wants, resolve};
use warroom::runbook::expand::{Invocation, Run, command_of};
use warroom::runbook::expr::World;
use warroom::runbook::model::{Handling, ShellChoice};
use warroom::runbook::value::{Bound, Facts, Origin, Trust, Value, Values};

/// Each prints `<value>` when the value arrives. `{v}` is the hole.
const CONTEXTS: &[(&str, &str)] = &[
    ("bare", "printf '<%s>' {v}"),
    ("inside a word", "printf '<%s>' pre{v}post"),
    ("value of a flag", "printf '<%s>' --flag={v}"),
    ("double quotes", "printf '<%s>' \"{v}\""),
    ("inside double quotes", "printf '<%s>' \"a {v} b\""),
    ("single quotes", "printf '<%s>' '{v}'"),
    ("inside single quotes", "printf '<%s>' 'a {v} b'"),
    ("substitution", "printf '<%s>' \"$(printf '%s' {v})\""),
    ("substitution in quotes", "printf '<%s>' \"$(printf '%s' \"{v}\")\""),
    ("two substitutions", "printf '<%s>' \"$(printf '%s' \"$(printf '%s' {v})\")\""),
    ("backticks", "printf '<%s>' `printf '%s' {v}`"),
    ("left of a pipe", "printf '<%s>' {v} | cat"),
    ("right of a pipe", "true | printf '<%s>' {v}"),
    ("after &&", "true && printf '<%s>' {v}"),
    ("after ||", "false || printf '<%s>' {v}"),
    ("after ;", "true; printf '<%s>' {v}"),
    ("in the background", "printf '<%s>' {v} & wait"),
    ("assignment", "A={v}; printf '<%s>' \"$A\""),
    ("assignment before a command", "A={v} sh -c 'printf \"<%s>\" \"$A\"'"),
    ("argument of a script", "sh -c 'printf \"<%s>\" \"$1\"' _ {v}"),
    ("for", "for x in {v}; do printf '<%s>' \"$x\"; done"),
    ("case", "case {v} in *) printf '<%s>' {v};; esac"),
    ("if", "if [ -n {v} ]; then printf '<%s>' {v}; fi"),
    ("subshell", "(printf '<%s>' {v})"),
    ("braces", "{ printf '<%s>' {v}; }"),
    ("function", "f() { printf '<%s>' \"$1\"; }; f {v}"),
    ("xargs", "printf '%s' x | xargs printf '<%s>' {v}"),
    ("redirect to a file descriptor", "printf '<%s>' {v} 2>&1"),
    ("redirect target", "printf x > {v}"),
    ("here-document", "cat <<EOF\n{v}\nEOF"),
    ("quoted here-document", "cat <<'EOF'\n{v}\nEOF"),
    ("here-string", "cat <<< {v}"),
    ("sh -c, single quotes", "sh -c 'printf \"<%s>\" {v}'"),
    ("sh -c, double quotes", "sh -c \"printf '<%s>' {v}\""),
    ("eval", "eval printf x {v}"),
    ("awk program", "awk 'BEGIN\\{printf \"{v}\"}'"),
    ("sed program", "printf x | sed 's/x/{v}/'"),
    ("arithmetic", "printf '<%s>' $(( {v} + 1 ))"),
    ("comment", "printf x | cat # {v}"),
    ("program", "{v} x"),
    ("parameter default", "printf '<%s>' \"${A:-{v}}\""),
    ("ansi quotes", "printf '<%s>' $'{v}'"),
    ("pattern", "[[ x == {v} ]] || printf '<%s>' {v}"),
    ("numeric test", "[[ {v} -eq 1 ]] || true"),
    ("declare", "declare {v}; true"),
    ("trap", "trap {v} EXIT; true"),
    ("xargs sh -c", "printf x | xargs sh -c {v}"),
    ("find -exec", "find . -maxdepth 0 -exec sh -c {v} ';'"),
    ("env -S", "env -S {v} true"),
    ("assignment's name", "{v}=1 true; true"),
];

const PAYLOADS: &[&str] = &[
    "; touch PWN",
    "$(touch PWN)",
    "`touch PWN`",
    "| touch PWN",
    "&& touch PWN",
    "|| touch PWN",
    "& touch PWN",
    "\ntouch PWN\n",
    "'; touch PWN; '",
    "\"; touch PWN; \"",
    "'\"; touch PWN; \"'",
    "\"'; touch PWN; '\"",
    "$(touch${IFS}PWN)",
    "${x:-$(touch PWN)}",
    "a[$(touch PWN)]",
    "x[`touch PWN`]=1",
    "<(touch PWN)",
    "> PWN",
    ">PWN",
    "\\; touch PWN",
    "\\'; touch PWN; \\'",
    "*; touch PWN",
    ")touch PWN(",
    "); touch PWN; (",
    "}; touch PWN; {",
    "x) touch PWN;; esac; case y in z",
    "fi; touch PWN; if true; then :",
    "EOF\ntouch PWN\nEOF",
    "1+a[$(touch PWN)]",
    "\"; system(\"touch PWN\"); \"",
    "x/e touch PWN #",
    "#\ntouch PWN",
    "-c touch PWN",
    "--rcfile=<(touch PWN)",
    "$'\\x3b touch PWN'",
    "touch PWN",
];

/// What people really have in names: it must arrive byte for byte.
const LEGITIMATE: &[&str] = &[
    "checkout-7d9f",
    "two words",
    "it's",
    "\"quoted\"",
    "a'b\"c`d",
    "$HOME and ${PATH}",
    "100% *?[x] {a,b} ~",
    "back\\slash \\n",
    "ümläut — 日本",
    " leading and trailing ",
    "a;b|c&d<e>f(g)h#i!j",
    "=x",
];

fn runbook() -> Runbook {
    let text = b"runbooks:\n  a:\n    params: {v: {type: string}}\n    steps: [{manual: x}]\n";
    warroom::runbook::read("a.yaml", text).0.remove(0)
}

fn expanded(runbook: &Runbook, template: &str, value: &str, shell: ShellChoice) -> Result<Invocation, String> {
    // Past the gate for labels on purpose: this is about the second line of defence.
    let bound = Bound::new(Value::Text(value.to_owned()), Origin::Asked, Trust::Checked);
    let values: Values = [("v".to_owned(), Ok(bound))].into();
    let (none, steps, facts) = (Values::new(), BTreeMap::new(), Facts::default());
    let now = chrono::DateTime::UNIX_EPOCH;
    let world = World { values: &values, promql: &none, steps: &steps, facts: &facts, now };
    let handling = Handling { shell, ..Handling::default() };
    command_of(runbook, template, &handling, &world).map_err(|refusal| refusal.to_string())
}

const SHELLS: &[&[&str]] = &[
    &["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c"],
    &["dash", "-eu", "-c"],
    &["busybox", "sh", "-eu", "-c"],
];

/// Runs it in an empty folder with every shell (an argument vector once) and gives what each printed.
fn printed(invocation: &Invocation, folder: &Path) -> Vec<Vec<u8>> {
    let vectors: Vec<Vec<String>> = match &invocation.run {
        Run::Argv(words) => vec![words.clone()],
        Run::Shell { text, .. } | Run::Script { text, .. } => SHELLS
            .iter()
            .map(|shell| shell.iter().copied().chain([text.as_str()]).map(str::to_owned).collect())
            .collect(),
    };
    vectors
        .iter()
        .map(|words| {
            #[expect(clippy::disallowed_methods, reason = "the test is about what programs do with it")]
            let output = Command::new(&words[0])
                .args(&words[1..])
                .current_dir(folder)
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .envs(invocation.env.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .output();
            output.map(|output| output.stdout).unwrap_or_default()
        })
        .collect()
}

fn missing_shells() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let missing: Vec<&str> = SHELLS
        .iter()
        .map(|shell| shell[0])
        .filter(|name| !std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
        .collect();
    assert!(missing.is_empty(), "{missing:?} are missing: .ci/run installs them");
    false
}

#[test]
fn no_value_is_ever_run() {
    assert!(!missing_shells());
    assert!(CONTEXTS.len() >= 22 && PAYLOADS.len() >= 22);
    let (runbook, folder) = (runbook(), tempfile::tempdir().expect("a folder"));
    let (mut ran, mut refused, mut executed) = (0, 0, Vec::new());
    for (name, template) in CONTEXTS {
        for payload in PAYLOADS {
            for shell in [ShellChoice::WhenNeeded, ShellChoice::Bash] {
                let Ok(invocation) = expanded(&runbook, template, payload, shell) else {
                    refused += 1;
                    continue;
                };
                // Where a shell is needed both choices are the same.
                if shell == ShellChoice::WhenNeeded && invocation.needs_shell() {
                    continue;
                }
                ran += printed(&invocation, folder.path()).len();
                let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").flatten().collect();
                if !left.is_empty() {
                    executed.push(format!("{name}: {payload:?}: {invocation:?}"));
                    left.iter().for_each(|entry| std::fs::remove_file(entry.path()).expect("removed"));
                }
            }
        }
    }
    println!(
        "{} contexts x {} payloads: {ran} executions, {refused} refusals, {} canaries",
        CONTEXTS.len(),
        PAYLOADS.len(),
        executed.len()
    );
    assert!(executed.is_empty(), "{}", executed.join("\n"));
    assert!(ran > 1_000, "most contexts take a value: {ran}");
}

/// The test above can fail: the same payloads pasted into the text leave the canary.
#[test]
fn pasted_values_do_run() {
    assert!(!missing_shells());
    let (runbook, folder) = (runbook(), tempfile::tempdir().expect("a folder"));
    let mut executed = 0;
    for (_, template) in CONTEXTS {
        for payload in PAYLOADS {
            let text = template.replace("{v}", payload).replace("\\{", "{");
            let mut invocation = expanded(&runbook, "true | true", "x", ShellChoice::Bash).expect("a command");
            invocation.run = Run::Shell { shell: warroom::runbook::expand::Shell::Bash, text };
            let words: Vec<String> = invocation.argv();
            #[expect(clippy::disallowed_methods, reason = "the control of the test above")]
            let _ = Command::new(&words[0])
                .args(&words[1..])
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            let canary = folder.path().join("PWN");
            executed += usize::from(canary.exists());
            let _ = std::fs::remove_file(canary);
        }
        if executed >= 100 {
            break;
        }
    }
    assert!(executed >= 100, "only {executed} payloads bite: they prove nothing");
}

#[test]
fn legitimate_values_arrive_byte_for_byte() {
    assert!(!missing_shells());
    let (runbook, folder) = (runbook(), tempfile::tempdir().expect("a folder"));
    let mut arrived = 0;
    for (name, template) in CONTEXTS {
        for value in LEGITIMATE {
            for shell in [ShellChoice::WhenNeeded, ShellChoice::Bash] {
                let Ok(invocation) = expanded(&runbook, template, value, shell) else { continue };
                // Word splitting of an unquoted substitution is what the author wrote.
                let is_same = shell == ShellChoice::WhenNeeded && invocation.needs_shell();
                if is_same || matches!(*name, "backticks" | "here-string" | "pattern") {
                    continue;
                }
                for output in printed(&invocation, folder.path()) {
                    let text = String::from_utf8_lossy(&output);
                    assert!(text.contains(*value), "{name}: {value:?} became {text:?} by {invocation:?}");
                    arrived += 1;
                }
            }
        }
    }
    println!("{arrived} values arrived");
    assert!(arrived > 500, "{arrived}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    #[test]
    fn any_value_arrives_or_is_refused(value in "[ -~äß日]{1,40}", at in 0..28_usize) {
        let (runbook, folder) = (runbook(), tempfile::tempdir().expect("a folder"));
        let (name, template) = CONTEXTS[at];
        if let Ok(invocation) = expanded(&runbook, template, &value, ShellChoice::Bash) {
            for output in printed(&invocation, folder.path()) {
                let text = String::from_utf8_lossy(&output).into_owned();
                // `$(…)` takes line ends away and backticks split words; everything else is exact.
                let exact = name != "backticks";
                proptest::prop_assert!(!exact || text.contains(&value), "{}: {:?} became {:?}", name, value, text);
            }
            let left = std::fs::read_dir(folder.path()).expect("the folder").count();
            proptest::prop_assert_eq!(left, 0);
        }
    }
}

/// A label that is an option would make the real kubectl read a file of the attacker's, which runs a program.
#[test]
fn labels_cannot_become_options_of_the_real_kubectl() {
    let folder = tempfile::tempdir().expect("a folder");
    let canary = folder.path().join("CANARY");
    let config = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\nclusters: [{{name: a, cluster: {{server: \"https://127.0.0.1:9\"}}}}]\nusers:\n- name: a\n  user:\n    exec: {{apiVersion: client.authentication.k8s.io/v1, command: touch, args: [\"{}\"], interactiveMode: Never}}\n",
        canary.display()
    );
    std::fs::write(&config, text).expect("written");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let kubectl = std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|path| path.is_file());
    let kubectl = kubectl.expect("kubectl is missing: .ci/run installs Debian's kubernetes-client");
    let hostile = format!("--kubeconfig={}", config.display());
    // The control: given to kubectl as it is, it does run the program.
    #[expect(clippy::disallowed_methods, reason = "the test is about the real kubectl")]
    let _ = Command::new(&kubectl)
        .args(["get", "pods", &hostile, "--request-timeout=3s"])
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output();
    assert!(canary.exists(), "the control left no canary: the test proves nothing");
    std::fs::remove_file(&canary).expect("removed");

    let document = "runbooks:\n  a:\n    params: {pod: {from: alert.labels.pod}, name: {from: alert.labels.pod, type: k8s_name}}\n    steps:\n      - {id: s, command: 'kubectl describe pod {pod} --request-timeout=3s'}\n      - {id: t, command: 'kubectl describe pod {name}'}\n      - {id: u, command: 'kubectl describe pod {implied}'}\n";
    let (runbooks, problems) = warroom::runbook::read("a.yaml", document.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    let server = "--server=http://127.0.0.1:9".to_owned();
    for label in [hostile.clone(), server, "-f/etc/passwd".to_owned(), format!("x {hostile}"), format!("x\n{hostile}")]
    {
        let facts = Facts {
            labels: [("pod", label.as_str()), ("implied", label.as_str())].into_iter().collect(),
            ..Facts::default()
        };
        let (empty, none, fetched) = (BTreeMap::new(), Values::new(), BTreeMap::new());
        let given = Given {
            runbook: &runbooks[0],
            facts: &facts,
            overrides: &empty,
            asked: &empty,
            captures: &none,
            fetched: &fetched,
            now: chrono::DateTime::UNIX_EPOCH,
        };
        let wants = Wants { variables: ["pod", "name", "implied"].map(str::to_owned).into(), ..Wants::default() };
        let found = resolve(&given, &wants);
        for name in ["pod", "name", "implied"] {
            assert!(found.values[name].is_err(), "{name}: {label:?} was taken");
        }
        let steps = BTreeMap::new();
        let world = World { values: &found.values, promql: &none, steps: &steps, facts: &facts, now: given.now };
        for step in &runbooks[0].steps {
            assert!(warroom::runbook::expand::step(&runbooks[0], step, &world).is_err(), "{label:?}");
        }
    }
    assert!(!canary.exists());
}

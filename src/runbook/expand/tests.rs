//! From templates to what is executed.

use std::collections::BTreeMap;

use super::*;
use crate::runbook::value::{Facts, Values};

fn runbook(native: bool) -> Runbook {
    let (file, text) = if native {
        (
            "a.yaml",
            "runbooks:\n  a:\n    params: {log: {type: path, root: /var/log}, token: {type: secret}, pods: {type: list<k8s_name>}}\n    steps: [{manual: x}]\n",
        )
    } else {
        ("a.md", "# a\n1. x\n")
    };
    crate::runbook::read(file, text.as_bytes()).0.remove(0)
}

fn values() -> Values {
    let text = |value: &str| Ok(Bound::new(Value::Text(value.to_owned()), Origin::Asked, Trust::Checked));
    let mut values: Values = [("x", text("a b'c\"d$e")), ("pod", text("p-1")), ("log", text("/var/log/x"))]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    values.insert("n".into(), Ok(Bound::new(Value::Int(3), Origin::Asked, Trust::Checked)));
    values.insert("token".into(), Ok(Bound::new(Value::Secret("API".into()), Origin::Default, Trust::Checked)));
    let pods = Value::List(vec!["a".into(), "b".into()]);
    values.insert("pods".into(), Ok(Bound::new(pods, Origin::Asked, Trust::Checked)));
    values.insert("vm_name".into(), text("vm-1"));
    values
}

fn expanded(native: bool, command: &str) -> Result<Invocation, String> {
    let (values, none, steps, facts) = (values(), Values::new(), BTreeMap::new(), Facts::default());
    let now = chrono::DateTime::UNIX_EPOCH;
    let world = World { values: &values, promql: &none, steps: &steps, facts: &facts, now };
    command_of(&runbook(native), command, &Handling::default(), &world).map_err(|refusal| refusal.to_string())
}

#[test]
fn plain_commands_need_no_shell() {
    let table: &[(&str, &[&str])] = &[
        ("echo {x} --n={n + 1}", &["echo", "a b'c\"d$e", "--n=4"]),
        ("echo '{x}' \"{x}\" pre{pod}post", &["echo", "a b'c\"d$e", "a b'c\"d$e", "prep-1post"]),
        (
            "kubectl get x -o jsonpath={.spec.replicas} {pod}",
            &["kubectl", "get", "x", "-o", "jsonpath={.spec.replicas}", "p-1"],
        ),
        ("kubectl delete pod {pods}", &["kubectl", "delete", "pod", "a", "b"]),
        ("echo '{{.name}}' {}", &["echo", "{{.name}}", "{}"]),
        ("echo a\\ b", &["echo", "a b"]),
    ];
    for (command, expected) in table {
        let invocation = expanded(true, command).unwrap_or_else(|refusal| panic!("{command}: {refusal}"));
        assert_eq!(invocation.run, Run::Argv(expected.iter().map(|word| (*word).to_owned()).collect()), "{command}");
        assert!(invocation.env.is_empty());
    }
}

#[test]
fn shell_texts_are_constant_and_values_stand_in_the_environment() {
    let table = [
        ("echo {x} | cat", "echo \"${RB_x}\" | cat"),
        ("echo \"a {x}\" | cat", "echo \"a ${RB_x}\" | cat"),
        ("echo 'a {x}' | cat", "echo 'a '\"${RB_x}\"'' | cat"),
        ("echo $(echo {x})", "echo $(echo \"${RB_x}\")"),
        ("A={x}; echo \"$A\"", "A=\"${RB_x}\"; echo \"$A\""),
        ("echo {n + 1} && true", "echo \"${RB_EXPR_1}\" && true"),
        ("cat < {log}", "cat < \"${RB_log}\""),
        ("for p in {pod}; do echo \"$p\"; done", "for p in \"${RB_pod}\"; do echo \"$p\"; done"),
        ("sh -c 'echo \"$1\"' _ {x} | cat", "sh -c 'echo \"$1\"' _ \"${RB_x}\" | cat"),
        ("jq --arg v {x} -n '$v' | cat", "jq --arg v \"${RB_x}\" -n '$v' | cat"),
        ("ssh {pod} uptime | cat", "ssh \"${RB_pod}\" uptime | cat"),
    ];
    for (command, expected) in table {
        let invocation = expanded(true, command).unwrap_or_else(|refusal| panic!("{command}: {refusal}"));
        assert_eq!(invocation.run, Run::Shell { shell: Shell::Bash, text: expected.to_owned() }, "{command}");
    }
}

#[test]
fn places_where_a_value_would_be_read_again_are_refused() {
    for (command, words) in [
        ("bash -c 'echo {x}'", "bash would read"),
        ("bash -c \"echo {x}\" | cat", "bash would read"),
        ("eval echo {x}", "eval would read"),
        ("sudo -u root sh -c 'echo {x}'", "sh would read"),
        ("ssh host 'echo {x}'", "ssh would read"),
        ("ssh -o {x} host", "ssh would read"),
        ("xargs sh -c {x}", "sh would read"),
        ("awk '\\{print \"{x}\"}' f", "awk would read"),
        ("sed s/a/{x}/ f", "sed would read"),
        ("jq '.a == \"{x}\"' f", "jq would read"),
        ("python3 -c 'print(\"{x}\")'", "python3 would read"),
        ("psql -c 'select {x}'", "psql would read"),
        ("mysql -e \"select {x}\"", "mysql would read"),
        ("watch echo {x}", "watch would read"),
        ("kubectl exec p -- sh -c 'echo {x}'", "sh would read"),
        ("find . -exec sh -c 'echo {x}' ;", "sh would read"),
        ("cat <<EOF\n{x}\nEOF", "in a here-document"),
        ("echo $(({n} + 1))", "where the shell computes"),
        ("(( {n} > 1 ))", "where the shell computes"),
        ("[[ {n} -gt 1 ]]", "where the shell computes"),
        ("echo a > {x}", "as the file of a redirection"),
        ("{x} a", "as the name of a program"),
        ("{x} a | cat", "as the name of a program"),
        ("{x}=1 env", "s"),
        ("echo ${A:-{x}}", "inside ${"),
        ("echo a | cat # {x}", "kept apart"),
        ("declare {x} | cat", "declare would read"),
        ("[ -v {x} ] && true", "[ would read"),
        ("echo {token}", "the secret API"),
        ("echo a{pods}", "a word of its own"),
        ("trap {x} EXIT; true", "trap would read"),
        ("echo 'unclosed {x}", "is not a shell command"),
        ("echo ${RB_x} | cat", "begins with RB_"),
    ] {
        let refusal = expanded(true, command).expect_err(command);
        assert!(refusal.contains(words), "{command}: {refusal}");
    }
}

#[test]
fn braces_of_foreign_documents_are_text() {
    let invocation = expanded(false, "echo {x} <vm-name>").unwrap();
    assert_eq!(invocation.argv(), ["echo", "{x}", "vm-1"]);
    assert!(expanded(false, "echo <other>").unwrap_err().contains("other has no value"));
}

#[test]
fn the_level_is_measured_on_what_runs() {
    assert_eq!(expanded(true, "kubectl scale deployment a --replicas={n - 3}").unwrap().level, Level::Destructive);
    assert_eq!(expanded(true, "kubectl scale deployment a --replicas={n}").unwrap().level, Level::Change);
}

#[test]
fn the_digest_changes_with_everything_that_counts() {
    let base = expanded(true, "echo {x}").unwrap();
    let here = Circumstances { kube_context: "prod".into(), ..Circumstances::default() };
    let first = digest(&base, &here);
    assert_eq!(first, digest(&base.clone(), &here.clone()));
    let mut others = vec![digest(&base, &Circumstances::default())];
    others.push(digest(&Invocation { cwd: Some("/".into()), ..base.clone() }, &here));
    others.push(digest(&Invocation { stdin: Some(String::new()), ..base.clone() }, &here));
    others.push(digest(&Invocation { env: vec![("A".into(), "b".into())], ..base.clone() }, &here));
    others.push(digest(&Invocation { run: Run::Argv(vec!["echo".into(), "a".into()]), ..base.clone() }, &here));
    others.push(digest(&expanded(true, "echo {x} | cat").unwrap(), &here));
    assert!(others.iter().all(|other| *other != first && other.len() == 64));
}

#[test]
fn hidden_characters_are_shown_and_warned_of() {
    let invocation = expanded(true, "echo 'a\u{202e}b'").unwrap();
    assert_eq!(invocation.shown()[1].as_str(), "a‹U+202E›b");
    assert_eq!(invocation.warnings().len(), 1);
}

proptest::proptest! {
    #[test]
    fn any_command_is_expanded_or_refused(command in "[a-z {}xn$()'\"|;&><=.-]{0,60}") {
        let _ = expanded(true, &command);
        let _ = expanded(false, &command);
    }
}

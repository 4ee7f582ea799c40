//! Findings about commands.

use super::{Lint, Weight};
use crate::domain::level::Level;
use crate::runbook::grammar::{self, Seen};
use crate::runbook::model::{Kind, Step, Work};
use crate::runbook::template::{self, HoleKind};
use crate::runbook::{classify, expand, shell};

pub(super) fn step(lint: &mut Lint<'_>, step: &Step) {
    if !lint.runbook.is_native {
        if let Work::CopyOnly { language, text } = &step.work
            && matches!(language.as_str(), "bash" | "sh" | "shell" | "console")
        {
            let message = format!("a block calls itself {language} but is no shell command");
            lint.add("mislabelled", Weight::Info, step, text, message, "it is only offered for copying");
        }
        return;
    }
    for command in [&step.handling.rollback, &step.handling.dry_run].into_iter().flatten() {
        faults(lint, step, command);
    }
    let level = classify::step(step);
    match &step.work {
        Work::Automated { command } => {
            faults(lint, step, command);
            text(lint, step, command, level);
        }
        Work::Argv { words } => text(lint, step, &shell_words::join(words), level),
        Work::Script { text: script, .. } => text(lint, step, script, level),
        _ => return,
    }
    promises(lint, step, level);
}

fn faults(lint: &mut Lint<'_>, step: &Step, command: &str) {
    for fault in expand::faults(lint.runbook, command, step.handling.shell) {
        lint.add("refused-place", Weight::Error, step, command, fault.message, &fault.fix);
    }
    let template = template::native(command);
    for name in template.holes().filter(|hole| hole.kind == HoleKind::Variable).map(|hole| hole.text.as_str()) {
        if lint.runbook.param(name).is_some_and(|param| param.kind == Kind::Secret) {
            let message =
                format!("the secret '{name}' would stand in the arguments, which everybody on the machine sees");
            lint.add("secret-argument", Weight::Error, step, command, message, "name it under secrets: instead");
        }
    }
}

/// What a change should say: how it is checked and taken back, and whether it may be repeated.
fn promises(lint: &mut Lint<'_>, step: &Step, level: Level) {
    let handling = &step.handling;
    let name = match &step.work {
        Work::Automated { command } => command.clone(),
        other => other.text().unwrap_or_default(),
    };
    let missing: Vec<&str> = [("verify", handling.verify.is_none()), ("rollback", handling.rollback.is_none())]
        .into_iter()
        .filter_map(|(word, is_missing)| is_missing.then_some(word))
        .collect();
    if level >= Level::Change && !missing.is_empty() {
        let message = format!("the step is classified {level} and has no {}", missing.join(" and no "));
        let fix = "add verify: with what must become true, and rollback: with the command that takes it back";
        if level == Level::Destructive && missing.len() == 2 {
            lint.add("no-way-back", Weight::Warning, step, &name, message, fix);
        } else if missing.len() == 2 {
            lint.add("no-verify", Weight::Info, step, &name, message, fix);
        }
    }
    if level >= Level::Change && handling.retries.max > 0 && !handling.idempotent {
        let message = "a change that is repeated on failure may be done twice".to_owned();
        lint.add(
            "retry",
            Weight::Warning,
            step,
            "retries",
            message,
            "add idempotent: true if a second run does no harm",
        );
    }
    if handling.parallel.is_some() && level > Level::Read {
        let message = "only steps that read may run at the same time as others".to_owned();
        lint.add("parallel", Weight::Warning, step, "parallel", message, "take parallel: out");
    }
}

fn text(lint: &mut Lint<'_>, step: &Step, command: &str, level: Level) {
    let plain = template::native(command).fill(|_| "VALUE".to_owned());
    let Ok(seen) = grammar::read(&plain) else { return };
    kubernetes(lint, step, command, &seen);
    endless(lint, step, command, &seen);
    habits(lint, step, command, &plain, &seen);
    if shell::enters_remote(&plain) && !step.handling.interactive && level > Level::Read {
        let message = "the command opens a shell somewhere else".to_owned();
        lint.add("session", Weight::Warning, step, command, message, "make it a session: with its lines");
    }
    if let Some(has_program) = lint.known.has_program {
        let missing: Vec<String> = seen
            .calls
            .iter()
            .filter_map(|call| grammar::literal(call.words.first()?))
            .filter(|program| !is_builtin(program) && !has_program(program))
            .collect();
        for program in missing {
            let message = format!("'{program}' is not on the PATH here");
            lint.add("no-program", Weight::Info, step, &program, message, "install it, or correct its name");
        }
    }
}

fn is_builtin(program: &str) -> bool {
    const BUILTINS: &[&str] = &[
        "cd", "echo", "test", "[", "export", "set", "true", "false", "printf", "read", "exit", "return", "unset", ":",
        "type", "wait", "source", ".", "eval", "exec", "local", "shift", "trap", "umask", "kill", "command",
    ];
    program.contains('/') || BUILTINS.contains(&program) || program == "VALUE"
}

/// Verbs of kubectl about things that have no namespace.
const CLUSTER_WIDE: &[&str] = &["cordon", "uncordon", "drain", "taint", "config", "certificate", "adm"];

fn kubernetes(lint: &mut Lint<'_>, step: &Step, command: &str, seen: &Seen) {
    for call in &seen.calls {
        let words: Vec<String> =
            call.words.iter().map(|raw| grammar::literal(raw).unwrap_or_else(|| raw.clone())).collect();
        let Some((program, arguments)) = words.split_first() else { continue };
        let has = |flags: &[&str]| {
            arguments.iter().any(|word| flags.iter().any(|flag| word == flag || word.starts_with(&format!("{flag}="))))
        };
        let is_kubectl = matches!(program.as_str(), "kubectl" | "oc" | "k");
        let verb = arguments.iter().find(|word| !word.starts_with('-')).cloned().unwrap_or_default();
        let about_nodes = arguments.iter().any(|word| {
            matches!(word.as_str(), "node" | "nodes" | "namespace" | "pv" | "crd") || word.starts_with("node/")
        });
        if !is_kubectl || classify::argv(&words) == Level::Read || CLUSTER_WIDE.contains(&verb.as_str()) || about_nodes
        {
            continue;
        }
        if !has(&["-n", "--namespace", "-A", "--all-namespaces"]) {
            let message = format!("'{verb}' has no -n: it would run in the default namespace of the context");
            lint.add("no-namespace", Weight::Warning, step, command, message, "add -n {namespace}");
        }
    }
}

fn endless(lint: &mut Lint<'_>, step: &Step, command: &str, seen: &Seen) {
    if step.handling.timeout.is_some() || step.handling.interactive {
        return;
    }
    let never_ends = seen.calls.iter().find_map(|call| {
        let program = call.words.first()?.as_str();
        let follows = call.words.iter().any(|word| matches!(word.as_str(), "-f" | "--follow" | "-w" | "--watch"));
        let kubectl_file =
            call.words.iter().any(|word| matches!(word.as_str(), "apply" | "create" | "delete" | "replace"));
        match program {
            "watch" | "sleep" | "top" | "less" | "more" => Some(program.to_owned()),
            "kubectl" | "oc" if follows && !kubectl_file => Some(format!("{program} -f")),
            "tail" | "journalctl" if follows => Some(format!("{program} -f")),
            _ => None,
        }
    });
    if let Some(program) = never_ends {
        let message = format!("'{program}' does not end by itself");
        lint.add(
            "endless",
            Weight::Warning,
            step,
            command,
            message,
            "add timeout:, or ask for a fixed number of lines",
        );
    }
}

fn habits(lint: &mut Lint<'_>, step: &Step, command: &str, plain: &str, seen: &Seen) {
    let program = |at: usize| seen.calls.get(at).and_then(|call| call.words.first()).map_or("", String::as_str);
    let pipes_to_shell = (1..seen.calls.len())
        .any(|at| matches!(program(at - 1), "curl" | "wget") && matches!(program(at), "sh" | "bash" | "sudo" | "zsh"));
    if pipes_to_shell && plain.contains('|') {
        let message = "what a server sends is run by a shell".to_owned();
        lint.add("curl-shell", Weight::Warning, step, command, message, "download it, look at it, then run it");
    }
    let removes = seen.calls.iter().any(|call| {
        let is_recursive =
            call.words.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('r'));
        let varies = call.words.iter().skip(1).any(|word| word.contains('$') || word.contains("VALUE"));
        call.words.first().is_some_and(|word| word == "rm") && is_recursive && varies
    });
    if removes {
        let message = "rm -r of a path that a value completes".to_owned();
        lint.add(
            "rm-variable",
            Weight::Warning,
            step,
            command,
            message,
            "name the folder in the document, or use a path parameter",
        );
    }
    if plain.split_whitespace().any(|word| word.trim_matches(['"', '\'']).ends_with(":latest")) {
        let message = "an image that is called latest is another one tomorrow".to_owned();
        lint.add("latest", Weight::Warning, step, command, message, "name the version");
    }
    let lower = plain.to_ascii_lowercase();
    let names = ["password=", "passwd=", "token=", "secret=", "api_key=", "apikey=", "bearer "];
    let secret = names.iter().find_map(|name| {
        let (_, after) = lower.split_once(name)?;
        let value: String =
            after.chars().take_while(|symbol| !symbol.is_whitespace() && !"\"'".contains(*symbol)).collect();
        (value.len() >= 4 && !value.starts_with(['$', '<']) && value != "value").then_some(*name)
    });
    if let Some(name) = secret {
        let message = format!("something secret stands in the arguments ({name}…)");
        lint.add("secret-argument", Weight::Warning, step, command, message, "name it under secrets: instead");
    }
}

//! How much a command can change: decided by its verb on the grammar's tree, never by its looks. What is not known to only
//! look is a change; a document can raise the level, never lower it.

mod sql;
mod tables;

use super::grammar::{self, Call};
use super::model::{Handling, Step, Work};
use crate::domain::level::Level;

/// The level of a step: what its work measures, raised by what the document says.
#[must_use]
pub fn step(step: &Step) -> Level {
    work(&step.work, &step.handling)
}

/// The level of a work.
#[must_use]
pub fn work(work: &Work, handling: &Handling) -> Level {
    let measured = match work {
        Work::Automated { command } => text(command),
        Work::Argv { words } => argv(words),
        Work::Script { language, text: script } => match language.as_str() {
            "sh" | "bash" => text(script).max(Level::Change),
            _ => Level::Change,
        },
        // Lines go one by one through a person's key; the worst of them is told.
        Work::Session { lines } => lines.iter().skip(1).map(|line| text(line)).max().unwrap_or(Level::Read),
        Work::Approve { by_another: true } => Level::TwoPerson,
        _ => Level::Read,
    };
    measured.max(handling.danger.unwrap_or(Level::Read))
}

/// The level of a command as written; placeholders count as plain words.
#[must_use]
pub fn text(command: &str) -> Level {
    // `{x}` is a word character to the grammar already; nothing has to be replaced first.
    let Ok(seen) = grammar::read(command) else { return Level::Change };
    seen.calls.iter().map(call).max().unwrap_or(Level::Read)
}

/// The level of an argument vector.
#[must_use]
pub fn argv(words: &[String]) -> Level {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    level(&words, 0)
}

fn call(call: &Call) -> Level {
    let words: Vec<String> =
        call.words.iter().map(|raw| grammar::literal(raw).unwrap_or_else(|| raw.clone())).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let writes =
        call.writes_to.iter().any(|file| !matches!(file.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr"));
    level(&words, 0).max(if writes { Level::Change } else { Level::Read })
}

/// Deepest chain of programs that start others: `sudo env nice timeout 5 kubectl exec …`.
const DEEPEST: usize = 6;

fn level(words: &[&str], depth: usize) -> Level {
    let Some((program, arguments)) = words.split_first() else { return Level::Read };
    let name = program.rsplit('/').next().unwrap_or(program);
    if depth > DEEPEST {
        return Level::Change;
    }
    if let Some(inner) = tables::inner(name, arguments) {
        return level(inner, depth + 1);
    }
    match name {
        "kubectl" | "oc" | "k" => kubernetes(arguments, depth),
        "curl" => curl(arguments),
        "find" => find(arguments, depth),
        "sh" | "bash" | "dash" | "zsh" | "ksh" => shell(arguments),
        "psql" | "mysql" | "mariadb" | "sqlite3" | "clickhouse-client" => sql::level(name, arguments),
        "rm" | "rmdir" | "shred" | "dd" | "mkfs" | "wipefs" | "truncate" | "fdisk" | "parted" | "reboot"
        | "shutdown" | "poweroff" | "halt" | "init" | "dropdb" | "dropuser" | "kill" | "pkill" | "killall" => {
            Level::Destructive
        }
        _ if name.starts_with("mkfs.") => Level::Destructive,
        "sed" | "gsed" if has_flag(arguments, 'i', "--in-place") => Level::Change,
        "wget" if arguments.iter().any(|word| word.starts_with("--post") || word.starts_with("--method")) => {
            Level::Change
        }
        _ => tables::plain(name, arguments),
    }
}

fn kubernetes(arguments: &[&str], depth: usize) -> Level {
    let words = tables::without_options(arguments, tables::KUBECTL_OPTIONS);
    let verb = words.first().copied().unwrap_or_default();
    let second = words.get(1).copied().unwrap_or_default();
    let has = |flag: &str| arguments.iter().any(|word| *word == flag || word.starts_with(&format!("{flag}=")));
    // A server that only says what it would do changes nothing.
    if has("--dry-run") && !arguments.iter().any(|word| matches!(*word, "--dry-run=none" | "--dry-run=false")) {
        return Level::Read;
    }
    match (verb, second) {
        ("exec" | "rsh" | "debug", _) => match arguments.iter().position(|word| *word == "--") {
            Some(at) => level(arguments.get(at + 1..).unwrap_or_default(), depth + 1),
            None => Level::Change,
        },
        ("rollout", "status" | "history") | ("auth", "can-i" | "whoami") | ("config", "view" | "current-context") => {
            Level::Read
        }
        ("config", "get-contexts" | "get-clusters" | "get-users") | ("adm", "top" | "must-gather" | "inspect") => {
            Level::Read
        }
        ("rollout", "undo") | ("adm", "drain") => Level::Destructive,
        ("delete" | "drain" | "replace", _) if verb != "replace" || has("--force") => Level::Destructive,
        ("scale", _) if arguments.iter().any(|word| *word == "--replicas=0") || pair(arguments, "--replicas", "0") => {
            Level::Destructive
        }
        (_, _) if has("--force") || has("--prune") => Level::Destructive,
        _ if tables::KUBECTL_READS.contains(&verb) => Level::Read,
        _ => Level::Change,
    }
}

fn pair(arguments: &[&str], flag: &str, value: &str) -> bool {
    arguments.windows(2).any(|two| two == [flag, value])
}

fn has_flag(arguments: &[&str], short: char, long: &str) -> bool {
    arguments.iter().any(|word| {
        *word == long
            || word.starts_with(&format!("{long}="))
            || word.strip_prefix('-').is_some_and(|flags| !flags.starts_with('-') && flags.contains(short))
    })
}

fn curl(arguments: &[&str]) -> Level {
    let method = arguments.windows(2).find(|two| matches!(two, ["-X" | "--request", _])).and_then(|two| two.last());
    let glued = arguments.iter().find_map(|word| word.strip_prefix("-X").or_else(|| word.strip_prefix("--request=")));
    let method = method.copied().or_else(|| glued.filter(|method| !method.is_empty()));
    let sends = arguments.iter().any(|word| {
        word.starts_with("--data")
            || word.starts_with("--form")
            || word.starts_with("--upload")
            || word.starts_with("--json")
    }) || ["-d", "-F", "-T"].iter().any(|flag| arguments.iter().any(|word| word.starts_with(flag)));
    let writes = has_flag(arguments, 'o', "--output") || has_flag(arguments, 'O', "--remote-name");
    let to_null = arguments.windows(2).any(|two| matches!(two, [_, "/dev/null"]));
    match method.map(str::to_ascii_uppercase).as_deref() {
        Some("DELETE") => Level::Destructive,
        Some("GET" | "HEAD" | "OPTIONS") if !sends => Level::Read,
        Some(_) => Level::Change,
        None if sends || (writes && !to_null) => Level::Change,
        None => Level::Read,
    }
}

fn find(arguments: &[&str], depth: usize) -> Level {
    if arguments.contains(&"-delete") {
        return Level::Destructive;
    }
    let starts = |word: &&str| matches!(*word, "-exec" | "-execdir" | "-ok" | "-okdir");
    match arguments.iter().position(starts) {
        Some(at) => level(arguments.get(at + 1..).unwrap_or_default(), depth + 1),
        None if arguments.iter().any(|word| word.starts_with("-fprint") || *word == "-fls") => Level::Change,
        None => Level::Read,
    }
}

fn shell(arguments: &[&str]) -> Level {
    let script =
        arguments.iter().position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'));
    match script.and_then(|at| arguments.get(at + 1)) {
        Some(script) => text(script),
        None => Level::Change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_decide() {
        use Level::{Change, Destructive, Read};
        let table = [
            ("kubectl top pods --sort-by=cpu -A", Read),
            ("kubectl describe pod {pod_name} -n {namespace}", Read),
            ("kubectl -n shop get pods -o json | jq '.items[0]'", Read),
            ("kubectl --context prod get pods", Read),
            ("kubectl scale deployment {deployment} --replicas={current_replicas + 1}", Change),
            ("kubectl scale deployment x --replicas=0", Destructive),
            ("kubectl scale deployment x --replicas 0", Destructive),
            ("kubectl scale deployment x --replicas=3 --dry-run=server", Read),
            ("kubectl rollout undo deployment/x", Destructive),
            ("kubectl rollout restart deployment/x", Change),
            ("kubectl rollout status deployment/x --watch=false", Read),
            ("kubectl delete pod x", Destructive),
            ("kubectl drain node-1 --ignore-daemonsets", Destructive),
            ("kubectl cordon node-1", Change),
            ("kubectl exec x -- df -h", Read),
            ("kubectl exec x -- rm -rf /data", Destructive),
            ("kubectl frobnicate", Change),
            ("oc adm top nodes", Read),
            ("curl -s http://x/metrics", Read),
            ("curl -X POST http://x", Change),
            ("curl -XDELETE http://x", Destructive),
            ("curl -d a=b http://x", Change),
            ("curl -s -o /dev/null -w '%{http_code}' http://x", Read),
            ("systemctl status nginx", Read),
            ("systemctl restart nginx", Change),
            ("sudo systemctl stop nginx", Destructive),
            ("sudo -u postgres psql -c 'select 1'", Read),
            ("psql -c 'select pg_terminate_backend(1)'", Change),
            ("psql -c 'drop table x'", Destructive),
            ("psql -c 'select 1; delete from x'", Destructive),
            ("psql -c 'explain analyze delete from x'", Change),
            ("psql -c 'with x as (delete from y returning 1) select 1'", Change),
            ("patronictl list main", Read),
            ("patronictl failover main --force", Destructive),
            ("rm -rf /tmp/x", Destructive),
            ("find /var/log -name '*.gz'", Read),
            ("find /var/log -name '*.gz' -delete", Destructive),
            ("find . -exec rm {} ;", Destructive),
            ("ls | xargs rm", Destructive),
            ("ls | xargs -n 1 cat", Read),
            ("echo hi > /etc/motd", Change),
            ("echo hi > /dev/null 2>&1", Read),
            ("ls | tee /tmp/out", Change),
            ("timeout 5 kubectl get pods", Read),
            ("env A=b kubectl delete pod x", Destructive),
            ("bash -c 'kubectl delete pod x'", Destructive),
            ("bash -c 'uptime'", Read),
            ("bash script.sh", Change),
            ("docker ps", Read),
            ("docker rm -f x", Destructive),
            ("helm list -A", Read),
            ("helm rollback x 1", Destructive),
            ("helm upgrade x y", Change),
            ("git log -5", Read),
            ("redis-cli -h x info", Read),
            ("redis-cli flushall", Destructive),
            ("sed -n 1p f", Read),
            ("sed -i s/a/b/ f", Change),
            ("unheard-of --flag", Change),
            ("echo $(kubectl delete pod x)", Destructive),
            ("for p in a b; do kubectl delete pod $p; done", Destructive),
            ("kubectl delete pod x && true", Destructive),
            ("kubectl delete pod x || true", Destructive),
            ("true && kubectl delete pod x", Destructive),
            ("X=1", Read),
            ("echo 'unclosed", Change),
            ("amtool silence add alertname=x", Change),
            ("amtool alert query", Read),
            ("promtool query instant http://x up", Read),
            ("aws ec2 describe-instances", Read),
            ("aws ec2 terminate-instances --instance-ids i-1", Destructive),
            ("etcdctl endpoint health", Read),
            ("etcdctl del x", Destructive),
            ("journalctl -u x --since -1h", Read),
            ("journalctl --vacuum-size=1G", Destructive),
            ("ip addr", Read),
            ("ip link set eth0 down", Change),
            ("awk '{print $1}' f", Read),
            ("awk 'BEGIN{system(\"rm x\")}'", Change),
        ];
        for (command, expected) in table {
            assert_eq!(text(command), expected, "{command}");
        }
    }

    #[test]
    fn a_document_raises_and_never_lowers() {
        let command = |danger| {
            work(
                &Work::Automated { command: "kubectl delete pod x".into() },
                &Handling { danger, ..Handling::default() },
            )
        };
        assert_eq!(command(Some(Level::Read)), Level::Destructive);
        assert_eq!(command(Some(Level::TwoPerson)), Level::TwoPerson);
    }
}

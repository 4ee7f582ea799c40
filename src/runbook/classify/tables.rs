//! The verbs we know. A table of opinions: what is missing here costs one more key press, what is wrong here could cost a
//! database, so only what surely just looks is a read.

use crate::domain::level::Level;

/// Verbs of kubectl and oc that only look.
pub(super) const KUBECTL_READS: &[&str] = &[
    "get",
    "describe",
    "logs",
    "top",
    "explain",
    "version",
    "cluster-info",
    "api-resources",
    "api-versions",
    "diff",
    "events",
    "wait",
    "whoami",
    "status",
    "projects",
    "project",
    "options",
    "help",
    "completion",
];

/// Options of kubectl that take the next word.
pub(super) const KUBECTL_OPTIONS: &[&str] = &[
    "-n",
    "--namespace",
    "--context",
    "--cluster",
    "--kubeconfig",
    "-s",
    "--server",
    "--user",
    "--as",
    "--as-group",
    "--token",
    "-l",
    "--selector",
    "-o",
    "--output",
    "-c",
    "--container",
    "-f",
    "--filename",
    "--request-timeout",
    "--cache-dir",
    "-v",
    "--certificate-authority",
    "--client-key",
    "--client-certificate",
    "--tls-server-name",
];

/// The words that are neither options nor their values.
pub(super) fn without_options<'a>(arguments: &[&'a str], takes_value: &[&str]) -> Vec<&'a str> {
    let mut words = Vec::new();
    let mut skip = false;
    for word in arguments {
        if std::mem::take(&mut skip) {
            continue;
        }
        if *word == "--" {
            break;
        }
        if word.starts_with('-') {
            skip = takes_value.contains(word);
        } else {
            words.push(*word);
        }
    }
    words
}

/// The command that a program starts with its arguments: `sudo`, `env`, `timeout`, `xargs`…
pub(super) fn inner<'a>(name: &str, arguments: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let takes_value: &[&str] = match name {
        "sudo" | "doas" => &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-D", "-R", "-T", "--user", "--group", "--host"],
        "env" => &["-u", "-C", "--unset", "--chdir"],
        "nice" => &["-n", "--adjustment"],
        "ionice" => &["-c", "-n", "-p"],
        "timeout" => &["-k", "-s", "--kill-after", "--signal"],
        "xargs" => &["-n", "-P", "-I", "-L", "-d", "-s", "-a", "-E", "--max-args", "--max-procs", "--replace"],
        "watch" => &["-n", "--interval"],
        "stdbuf" => &["-i", "-o", "-e"],
        "nohup" | "time" | "setsid" | "command" | "builtin" | "exec" | "chronic" | "unbuffer" => &[],
        _ => return None,
    };
    let mut at = 0;
    let mut skipped = usize::from(name == "timeout");
    while let Some(word) = arguments.get(at) {
        let is_assignment = name == "env" && word.contains('=') && !word.starts_with('-');
        if word.starts_with('-') {
            at += 1 + usize::from(takes_value.contains(word));
        } else if is_assignment {
            at += 1;
        } else if skipped > 0 {
            // The duration of `timeout`.
            skipped -= 1;
            at += 1;
        } else {
            break;
        }
    }
    arguments.get(at..)
}

/// Programs that only look, whatever their arguments.
const LOOKERS: &[&str] = &[
    "[",
    "basename",
    "cat",
    "cd",
    "cmp",
    "column",
    "comm",
    "cut",
    "date",
    "df",
    "diff",
    "dig",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "file",
    "fmt",
    "fold",
    "free",
    "getent",
    "grep",
    "groups",
    "head",
    "host",
    "hostname",
    "id",
    "iostat",
    "jq",
    "last",
    "less",
    "ls",
    "lsblk",
    "lscpu",
    "lsof",
    "md5sum",
    "more",
    "mpstat",
    "mtr",
    "netstat",
    "nl",
    "nproc",
    "nslookup",
    "numfmt",
    "paste",
    "pgrep",
    "pidof",
    "ping",
    "ping6",
    "printenv",
    "printf",
    "ps",
    "pstree",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "rg",
    "sar",
    "seq",
    "set",
    "sha256sum",
    "sleep",
    "sort",
    "ss",
    "stat",
    "strings",
    "tac",
    "tail",
    "test",
    "top",
    "tr",
    "traceroute",
    "tracepath",
    "true",
    "tty",
    "type",
    "uname",
    "uniq",
    "uptime",
    "vmstat",
    "w",
    "wc",
    "which",
    "who",
    "whoami",
    "yq",
    "zcat",
    "zgrep",
    "zless",
    "export",
    "local",
    "return",
    "exit",
    "break",
    "continue",
    "shift",
    ":",
    "read",
    "unset",
];

/// Programs whose first plain word decides: name, verbs that look, verbs that take away. Other verbs change.
const VERBS: &[(&str, &[&str], &[&str])] = &[
    (
        "systemctl",
        &[
            "status",
            "show",
            "list-units",
            "list-timers",
            "list-jobs",
            "list-unit-files",
            "is-active",
            "is-enabled",
            "is-failed",
            "cat",
            "list-dependencies",
            "get-default",
        ],
        &["stop", "kill", "disable", "mask", "isolate", "reboot", "poweroff", "halt", "rescue", "emergency"],
    ),
    ("service", &[], &[]),
    (
        "docker",
        &[
            "ps", "logs", "inspect", "images", "stats", "top", "info", "version", "port", "diff", "history", "events",
            "search",
        ],
        &["rm", "rmi", "kill", "stop", "prune", "system"],
    ),
    (
        "podman",
        &["ps", "logs", "inspect", "images", "stats", "top", "info", "version", "port", "diff", "history", "events"],
        &["rm", "rmi", "kill", "stop", "prune", "system"],
    ),
    (
        "crictl",
        &["ps", "pods", "logs", "inspect", "inspectp", "images", "stats", "info", "version"],
        &["rm", "rmp", "rmi", "stop", "stopp"],
    ),
    (
        "helm",
        &["list", "ls", "status", "history", "get", "show", "search", "version", "env", "template", "lint", "diff"],
        &["rollback", "uninstall", "delete"],
    ),
    (
        "git",
        &["log", "show", "diff", "status", "blame", "grep", "rev-parse", "describe", "ls-files", "shortlog"],
        &["reset", "clean"],
    ),
    (
        "patronictl",
        &["list", "topology", "history", "show-config", "query", "dsn", "version"],
        &["failover", "switchover", "remove", "reinit", "flush"],
    ),
    ("etcdctl", &["get", "endpoint", "member", "version", "alarm", "check", "watch"], &["del", "snapshot"]),
    (
        "redis-cli",
        &[
            "info", "ping", "get", "llen", "scan", "dbsize", "memory", "slowlog", "client", "ttl", "type", "keys",
            "lrange", "hgetall", "exists", "role", "lastsave", "latency", "strlen", "scard", "zcard",
        ],
        &["flushall", "flushdb", "del", "shutdown", "unlink", "failover"],
    ),
    ("amtool", &["alert", "check-config", "cluster", "config"], &[]),
    ("promtool", &["query", "check", "test", "debug"], &[]),
    ("ceph", &["status", "-s", "health", "df", "version", "versions", "report"], &["purge"]),
    (
        "rabbitmqctl",
        &["status", "list_queues", "list_connections", "cluster_status", "list_channels", "report", "list_consumers"],
        &["reset", "force_reset", "stop", "stop_app", "purge_queue", "delete_queue"],
    ),
    ("consul", &["members", "info", "catalog", "monitor", "version"], &["leave", "force-leave"]),
    ("vault", &["status", "read", "list", "version"], &["delete", "destroy", "seal"]),
    ("terraform", &["show", "plan", "output", "validate", "version", "providers", "graph"], &["destroy"]),
    ("istioctl", &["proxy-status", "ps", "proxy-config", "pc", "version", "analyze", "describe"], &["uninstall"]),
    ("velero", &["version", "get", "describe", "logs"], &["delete"]),
    ("chronyc", &["tracking", "sources", "sourcestats", "activity", "ntpdata"], &[]),
    ("gcloud", &["info", "version"], &[]),
    ("virtctl", &["version", "guestosinfo", "userlist", "fslist"], &["stop"]),
    ("pg_ctl", &["status"], &["stop", "promote", "kill"]),
    ("nginx", &["-t", "-T", "-v", "-V"], &[]),
];

/// Programs that have no table of their own.
pub(super) fn plain(name: &str, arguments: &[&str]) -> Level {
    if let Some((_, reads, destroys)) = VERBS.iter().find(|(known, ..)| *known == name) {
        return by_verb(name, arguments, reads, destroys);
    }
    match name {
        "aws" | "az" => cloud(arguments),
        "journalctl" if arguments.iter().any(|word| word.starts_with("--vacuum") || *word == "--rotate") => {
            Level::Destructive
        }
        "journalctl" => Level::Read,
        "dmesg" if arguments.iter().any(|word| matches!(*word, "-c" | "-C" | "--clear" | "--read-clear")) => {
            Level::Change
        }
        "dmesg" => Level::Read,
        "ip" => ip(arguments),
        "sed" => Level::Read,
        // `system(…)`, `print > file` and pipes in the program.
        "awk" | "gawk" | "mawk"
            if arguments.iter().any(|word| word.contains("system") || word.contains('|') || has_write(word)) =>
        {
            Level::Change
        }
        "awk" | "gawk" | "mawk" => Level::Read,
        "openssl" if matches!(arguments.first(), Some(&("s_client" | "x509" | "version" | "verify"))) => Level::Read,
        "tar" if arguments.first().is_some_and(|flags| flags.trim_start_matches('-').starts_with('t')) => Level::Read,
        "mount" if arguments.is_empty() => Level::Read,
        "kubens" | "kubectx" => Level::Change,
        _ if LOOKERS.contains(&name) => Level::Read,
        _ => Level::Change,
    }
}

fn has_write(program: &str) -> bool {
    // `$1 > 5` compares, `print > "f"` writes: only the second has print before it.
    program.split(['{', ';', '}']).any(|part| part.contains("print") && part.contains('>'))
}

const TAKES_VALUE: &[&str] = &[
    "-h",
    "-H",
    "--host",
    "-p",
    "--port",
    "-a",
    "-n",
    "-u",
    "--endpoints",
    "--cert",
    "--key",
    "--cacert",
    "-c",
    "-C",
    "--alertmanager.url",
    "--config.file",
];

fn by_verb(name: &str, arguments: &[&str], reads: &[&str], destroys: &[&str]) -> Level {
    let words = without_options(arguments, TAKES_VALUE);
    let verb = words.first().map(|verb| verb.to_ascii_lowercase()).unwrap_or_default();
    let second = words.get(1).map(|verb| verb.to_ascii_lowercase()).unwrap_or_default();
    let has = |list: &[&str], word: &str| list.iter().any(|known| *known == word);
    let flags_only = verb.is_empty() && arguments.first().is_some_and(|flag| has(reads, flag));
    match (name, verb.as_str(), second.as_str()) {
        ("service", _, "status") => Level::Read,
        ("service", _, "stop") => Level::Destructive,
        ("amtool", "silence", "query") => Level::Read,
        ("etcdctl", "member", "remove" | "add" | "update") => Level::Destructive,
        ("etcdctl", "snapshot", "status") => Level::Read,
        ("redis-cli", "client", "kill") | ("redis-cli", "memory", "purge") => Level::Destructive,
        ("ceph", "osd" | "mon" | "pg" | "mds" | "fs", "stat" | "tree" | "df" | "dump" | "status" | "ls" | "perf") => {
            Level::Read
        }
        ("ceph", "osd", "out" | "down" | "purge" | "destroy" | "rm") => Level::Destructive,
        ("helm", "diff", "upgrade") => Level::Read,
        _ if flags_only || has(reads, &verb) => Level::Read,
        _ if has(destroys, &verb) || has(destroys, &second) => Level::Destructive,
        _ if arguments.contains(&"--force") => Level::Destructive,
        _ => Level::Change,
    }
}

fn cloud(arguments: &[&str]) -> Level {
    let words = without_options(
        arguments,
        &["--region", "--profile", "--output", "--query", "--endpoint-url", "-o", "-g", "-n"],
    );
    let verb = words.get(1).copied().unwrap_or_default();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| verb.starts_with(prefix));
    if starts(&["describe", "list", "get", "show", "ls", "head", "lookup", "wait"]) {
        return Level::Read;
    }
    if starts(&["delete", "terminate", "remove", "rm", "stop", "deregister", "purge", "failover"]) {
        return Level::Destructive;
    }
    Level::Change
}

fn ip(arguments: &[&str]) -> Level {
    let words = without_options(arguments, &["-n", "-f"]);
    let action = words.get(1).copied().unwrap_or("show");
    let looks = matches!(action, "show" | "list" | "ls" | "get" | "lst") || words.len() < 2;
    match action {
        _ if looks => Level::Read,
        "del" | "delete" | "flush" => Level::Destructive,
        _ => Level::Change,
    }
}

//! What a fenced block or a line is: shell, PromQL, remote lines, or only text to copy. Conservative on purpose: what is
//! not clearly a local command is not offered as one.

/// Programs that runbooks call; the first word of a line decides whether an unlabelled block is shell at all.
const PROGRAMS: &[&str] = &[
    "ab",
    "ansible",
    "aws",
    "az",
    "bash",
    "cat",
    "ceph",
    "cfssl",
    "chronyc",
    "consul",
    "cp",
    "crictl",
    "curl",
    "cut",
    "df",
    "dig",
    "dmesg",
    "docker",
    "du",
    "echo",
    "etcdctl",
    "export",
    "find",
    "for",
    "free",
    "gcloud",
    "git",
    "glab",
    "grep",
    "gsutil",
    "helm",
    "host",
    "id",
    "iostat",
    "ip",
    "iptables",
    "istioctl",
    "journalctl",
    "jq",
    "k",
    "kill",
    "knife",
    "kubectl",
    "lsblk",
    "lsof",
    "ls",
    "mkdir",
    "mount",
    "mtr",
    "mysql",
    "nc",
    "netstat",
    "nice",
    "nslookup",
    "oc",
    "openssl",
    "patronictl",
    "pg_ctl",
    "pgrep",
    "ping",
    "pkill",
    "podman",
    "promtool",
    "amtool",
    "ps",
    "psql",
    "rados",
    "rabbitmqctl",
    "redis-cli",
    "rm",
    "rsync",
    "scp",
    "sed",
    "sort",
    "ss",
    "ssh",
    "sudo",
    "systemctl",
    "tail",
    "tar",
    "tcpdump",
    "tee",
    "terraform",
    "top",
    "touch",
    "traceroute",
    "umount",
    "uptime",
    "vault",
    "velero",
    "virtctl",
    "vmstat",
    "watch",
    "wget",
    "while",
    "xargs",
    "yum",
    "zcat",
];

/// A command of a block, with the comments above it and the sample output below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The command; may span lines.
    pub command: String,
    /// Comment lines right above it.
    pub notes: Vec<String>,
    /// Lines that the document shows as its output.
    pub output: Vec<String>,
}

/// What a fenced block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Commands for this machine, one an entry; an entry may span lines.
    Commands(Vec<Listed>),
    /// A query to look at.
    PromQl(String),
    /// Enters another machine or program; the lines belong there.
    Session(Vec<String>),
    /// Anything else.
    CopyOnly,
}

/// Reads a block of one of our own documents: what calls itself a shell's is one when the grammar reads it, whatever
/// programs it calls.
#[must_use]
pub fn classify_own(language: &str, text: &str, is_remote: bool) -> Block {
    let listed = listed(text);
    let is_shell = matches!(language, "bash" | "sh" | "shell");
    let reads = |one: &Listed| super::grammar::read(&one.command).is_ok();
    if !is_shell || listed.is_empty() || !listed.iter().all(reads) {
        return classify(language, text, is_remote);
    }
    if is_remote || listed.iter().any(|one| enters_remote(&one.command)) {
        return Block::Session(listed.into_iter().map(|one| one.command).collect());
    }
    Block::Commands(listed)
}

/// Reads a fenced block. `is_remote`: an earlier block of the same section entered another shell.
#[must_use]
pub fn classify(language: &str, text: &str, is_remote: bool) -> Block {
    let language = language.trim().to_ascii_lowercase();
    if language == "promql" {
        return Block::PromQl(text.trim().to_owned());
    }
    let is_shell =
        matches!(language.as_str(), "bash" | "sh" | "shell" | "zsh" | "console" | "terminal" | "shell-session");
    if !is_shell && !language.is_empty() {
        return Block::CopyOnly;
    }
    let listed = listed(text);
    let commands: Vec<&String> = listed.iter().map(|one| &one.command).collect();
    let enters = commands.iter().position(|command| enters_remote(command));
    // What follows the way in belongs to the other side, whatever it calls.
    let local = commands.get(..enters.unwrap_or(commands.len())).unwrap_or_default();
    let is_plausible = !commands.is_empty() && local.iter().all(|command| starts_with_program(command));
    if !is_plausible {
        return if is_promql(text) { Block::PromQl(text.trim().to_owned()) } else { Block::CopyOnly };
    }
    if is_remote || enters.is_some() {
        return Block::Session(listed.into_iter().map(|one| one.command).collect());
    }
    // Where the grammar refuses one line, the block is not what it calls itself.
    if commands.iter().any(|command| super::template::foreign(command).is_none()) {
        return Block::CopyOnly;
    }
    Block::Commands(listed)
}

/// The commands of a shell block. With `$ ` prompts only prompted lines (and their continuations) are commands and the
/// rest is sample output; without, every line is, comments apart.
#[must_use]
pub fn commands_of(text: &str) -> Vec<String> {
    listed(text).into_iter().map(|one| one.command).collect()
}

/// A prompt at the beginning of a line: `$ `, `# ` after a user's name, `[root@host ~]# `, `sh-4.4# `.
fn after_prompt(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("$ ") {
        return Some(rest);
    }
    let (prompt, rest) = line.split_once("# ").or_else(|| line.split_once("$ "))?;
    let is_shells = (prompt.starts_with("sh-") && !prompt.contains(' '))
        || (prompt.starts_with('[') && prompt.ends_with(']') && prompt.contains('@'));
    is_shells.then_some(rest)
}

/// The commands of a block with what stands around them.
#[must_use]
pub fn listed(text: &str) -> Vec<Listed> {
    let has_prompt = text.lines().any(|line| after_prompt(line).is_some());
    let mut found: Vec<Listed> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    let (mut goes_on, mut depth) = (false, 0_usize);
    let mut heredoc: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        let open = goes_on || heredoc.is_some() || depth > 0;
        if !open && trimmed.starts_with('#') {
            notes.push(trimmed.trim_start_matches('#').trim().to_owned());
            continue;
        }
        // A continuation line may show the shell's second prompt.
        let body = if open {
            Some(line.trim_end().strip_prefix("> ").unwrap_or(line.trim_end()))
        } else if has_prompt {
            after_prompt(line)
        } else {
            Some(line.trim_end())
        };
        let Some(body) = body else {
            if let Some(last) = found.last_mut()
                && !trimmed.is_empty()
            {
                last.output.push(line.trim_end().to_owned());
            }
            continue;
        };
        if !open && body.trim().is_empty() {
            continue;
        }
        match (open, found.last_mut()) {
            (true, Some(last)) => {
                last.command.push('\n');
                last.command.push_str(body);
            }
            _ => found.push(Listed {
                command: body.trim().to_owned(),
                notes: std::mem::take(&mut notes),
                output: Vec::new(),
            }),
        }
        if let Some(end) = &heredoc {
            if trimmed == end {
                heredoc = None;
            }
            continue;
        }
        heredoc = heredoc_end(body);
        goes_on = body.ends_with('\\') || body.trim_end().ends_with('|') || body.trim_end().ends_with("&&");
        let words: Vec<&str> = body.split(|symbol: char| symbol.is_whitespace() || symbol == ';').collect();
        depth += words.iter().filter(|word| matches!(**word, "do" | "then")).count();
        depth = depth.saturating_sub(words.iter().filter(|word| matches!(**word, "done" | "fi")).count());
        // A quote that does not close goes on too: a JSON body, a script.
        if heredoc.is_none() && !goes_on && depth == 0 {
            goes_on = found.last().is_some_and(|last| has_open_quote(&last.command));
        }
    }
    found
}

fn has_open_quote(text: &str) -> bool {
    let (mut quote, mut letters) = (None, text.chars());
    let mut before = ' ';
    while let Some(symbol) = letters.next() {
        match (quote, symbol) {
            (Some('"') | None, '\\') => {
                letters.next();
            }
            (Some(open), _) if open == symbol => quote = None,
            (None, '"' | '\'') => quote = Some(symbol),
            (None, '#') if before.is_whitespace() => {
                for skipped in letters.by_ref() {
                    if skipped == '\n' {
                        break;
                    }
                }
            }
            _ => {}
        }
        before = symbol;
    }
    quote.is_some()
}

fn heredoc_end(line: &str) -> Option<String> {
    let (_, after) = line.split_once("<<")?;
    if after.starts_with('<') {
        return None;
    }
    let word = after.trim_start_matches('-').split_whitespace().next()?;
    let bare = word.trim_matches(['\'', '"']);
    let is_word = !bare.is_empty() && bare.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_');
    is_word.then(|| bare.to_owned())
}

/// True when the line calls a program we know of, past assignments and `sudo`.
#[must_use]
pub fn starts_with_program(command: &str) -> bool {
    let mut words = command.split_whitespace().skip_while(|word| is_assignment(word) || *word == "sudo");
    match words.next() {
        None => command.split_whitespace().any(is_assignment),
        Some(word) => {
            let name = word.rsplit('/').next().unwrap_or(word);
            PROGRAMS.contains(&name) || word.starts_with("./") || word.ends_with(".sh")
        }
    }
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|symbol| symbol.is_ascii_alphanumeric() || symbol == '_')
}

/// True when the command opens a shell somewhere else: what follows belongs there, not here.
#[must_use]
pub fn enters_remote(command: &str) -> bool {
    let words: Vec<&str> =
        command.split_whitespace().skip_while(|word| is_assignment(word) || *word == "sudo").collect();
    let has = |wanted: &str| words.iter().any(|word| *word == wanted);
    match words.first().copied() {
        Some("ssh" | "chroot" | "toolbox") => true,
        Some("oc" | "kubectl" | "k" | "docker" | "podman" | "crictl") => {
            let tty = words.iter().any(|word| {
                word.strip_prefix('-')
                    .is_some_and(|flags| !flags.starts_with('-') && flags.contains('t') && flags.contains('i'))
            });
            has("rsh") || has("debug") || ((has("exec") || has("run")) && tty)
        }
        Some("psql" | "mysql" | "redis-cli" | "gitlab-psql") => {
            !words.iter().any(|word| matches!(*word, "-c" | "-e" | "--command"))
        }
        _ => false,
    }
}

/// True when the text is a PromQL expression and not a word that merely parses as one.
#[must_use]
pub fn is_promql(text: &str) -> bool {
    let text = text.trim();
    let looks = text.len() <= 4_096 && text.contains(['{', '(']) && !text.contains('$') && !text.contains("://");
    looks && promql_parser::parser::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_what_they_are() {
        let one = |line: &&str| Listed { command: (*line).to_owned(), ..Listed::default() };
        let commands = |lines: &[&str]| Block::Commands(lines.iter().map(one).collect());
        let table = [
            ("bash", "kubectl get pods -A", commands(&["kubectl get pods -A"])),
            (
                "console",
                "# Look\n$ oc get nodes\nNAME  STATUS\nn1  Ready",
                Block::Commands(vec![Listed {
                    command: "oc get nodes".into(),
                    notes: vec!["Look".into()],
                    output: vec!["NAME  STATUS".into(), "n1  Ready".into()],
                }]),
            ),
            ("bash", "curl -d '{\n\"a\": 1\n}' http://x", commands(&["curl -d '{\n\"a\": 1\n}' http://x"])),
            ("console", "psql=# select 1;", Block::CopyOnly),
            ("", "$ export A=\"$(oc get pod \\\n  -l x)\"", commands(&["export A=\"$(oc get pod \\\n-l x)\""])),
            ("bash", "cat <<EOF\nhello\nEOF\nls", commands(&["cat <<EOF\nhello\nEOF", "ls"])),
            ("bash", "for i in 1 2; do\n  echo $i\ndone", commands(&["for i in 1 2; do\n  echo $i\ndone"])),
            (
                "console",
                "sum(rate(http_requests_total{code=~\"5..\"}[5m]))",
                Block::PromQl("sum(rate(http_requests_total{code=~\"5..\"}[5m]))".to_owned()),
            ),
            ("yaml", "a: b", Block::CopyOnly),
            ("", "NAME   READY\npod-1  1/1", Block::CopyOnly),
            (
                "bash",
                "oc debug node/n1\nchroot /host\nls",
                Block::Session(vec!["oc debug node/n1".into(), "chroot /host".into(), "ls".into()]),
            ),
        ];
        for (language, text, expected) in table {
            let got = classify(language, text, false);
            // Continuation lines keep their indentation or lose it; only the words count here.
            let flat = |block: &Block| format!("{block:?}").replace("\\n  ", "\\n");
            assert_eq!(flat(&got), flat(&expected), "{text}");
        }
    }

    #[test]
    fn lines_after_a_remote_shell_stay_remote() {
        assert_eq!(
            classify("bash", "systemctl restart chronyd", true),
            Block::Session(vec!["systemctl restart chronyd".into()])
        );
    }
}

//! Programs that read an argument as a program of their own: a value there is code, whatever quotes stand around it.

use super::{Fault, Piece, fault};

/// Refuses holes in an argument vector where its program would read them again.
pub(super) fn check_argv(words: &[Vec<Piece>]) -> Result<(), Fault> {
    let flat: Vec<String> = words
        .iter()
        .map(|word| {
            word.iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.as_str(),
                    Piece::Hole(_) => "\u{1}",
                })
                .collect()
        })
        .collect();
    for (at, word) in words.iter().enumerate() {
        let Some(hole) = word.iter().find_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            Piece::Text(_) => None,
        }) else {
            continue;
        };
        if at == 0 {
            let message = format!("{} stands as the name of a program", hole.written);
            return Err(fault(hole.at, message, "name the program in the document"));
        }
        if let Some(who) = reads_again(&flat, at) {
            let message = format!("{} stands in what {who} would read as a program", hole.written);
            return Err(fault(hole.at, message, "a value may be an argument, nothing that is read again"));
        }
    }
    Ok(())
}

fn bare(raw: &str) -> &str {
    let word = raw.trim_matches(['"', '\'']);
    word.rsplit('/').next().unwrap_or(word)
}

/// Who reads the word at `index` as a program; `None` when it is an argument like any other.
pub(super) fn reads_again(words: &[String], index: usize) -> Option<String> {
    let before = words.get(..index)?;
    for (at, word) in before.iter().enumerate() {
        let name = bare(word);
        let arguments = words.get(at + 1..).unwrap_or_default();
        let place = index - at - 1;
        let first = at == 0 || matches!(bare(before.get(at - 1).map_or("", String::as_str)), "command" | "builtin");
        if reads(name, first, arguments, place) {
            return Some(name.to_owned());
        }
    }
    None
}

fn reads(name: &str, is_first: bool, arguments: &[String], place: usize) -> bool {
    let word = |at: usize| arguments.get(at).map_or("", |raw| raw.trim_matches(['"', '\'']));
    let previous = if place == 0 { "" } else { word(place - 1) };
    let here = word(place);
    match name {
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "fish" => {
            // `sh -c '… "$1"' _ {x}` hands a value over; `sh -c '… {x}'` and `sh {x}` run it.
            let script = (0..arguments.len()).find(|at| is_command_flag(word(*at)));
            let program = script.map_or_else(|| first_plain(arguments, &[]), |at| Some(at + 1));
            program.is_none_or(|program| place <= program)
        }
        "busybox" | "toybox" => place == 0,
        "eval" | "source" | "." | "trap" | "alias" | "let" | "declare" | "typeset" | "local" | "export"
        | "readonly" | "unset" | "read" | "mapfile" | "readarray" | "complete" | "compgen" | "bind" | "enable"
        | "hash" | "exec" | "set" | "shopt" | "wait" | "getopts" | "fc" | "history" => is_first,
        "printf" => is_first && (word(0) == "-v"),
        "test" | "[" => is_first && arguments.iter().any(|raw| matches!(raw.trim_matches(['"', '\'']), "-v" | "-R")),
        "ssh" | "mosh" | "sshpass" | "autossh" => ssh(arguments, place),
        "su" | "runuser" | "script" | "flock" | "expect" | "nix-shell" => {
            matches!(previous, "-c" | "--command") || here.starts_with("-c") || here.starts_with("--command")
        }
        "watch" | "parallel" | "tmux" | "screen" | "at" | "batch" | "entr" | "hyperfine" => true,
        "env" => matches!(previous, "-S" | "--split-string") || here.starts_with("-S") || here.starts_with("--split"),
        "awk" | "gawk" | "mawk" | "nawk" | "sed" | "gsed" | "jq" | "yq" | "gojq" => filter(name, arguments, place),
        "git" => previous == "-c" || here.starts_with("--upload-pack") || here.starts_with("--exec"),
        "psql" | "mysql" | "mariadb" | "clickhouse-client" | "mongosh" | "mongo" | "cqlsh" | "sqlite3" | "sqlcmd"
        | "influx" | "redis-cli" => database(name, arguments, place, previous, here),
        "xargs" => here.starts_with("-I") || matches!(previous, "-I" | "--replace"),
        "find" => matches!(previous, "-exec" | "-execdir" | "-ok" | "-okdir"),
        "make" | "gmake" => here.contains('=') || previous == "-f" || here.starts_with("--eval"),
        "tar" => here.starts_with("--to-command") || here.starts_with("--checkpoint-action") || here.starts_with("-I"),
        "rsync" | "scp" | "sftp" => {
            matches!(previous, "-e" | "-o" | "-S" | "-F") || here.starts_with("--rsh") || here.starts_with("-o")
        }
        "crontab" | "systemd-run" => false,
        _ if is_language(name) => {
            let script = (0..arguments.len()).find(|at| {
                matches!(word(*at), "-c" | "-e" | "-E" | "-r" | "-n" | "-p" | "-ne" | "-pe" | "--eval" | "-Command")
            });
            let program = script.map_or_else(|| first_plain(arguments, &[]), |at| Some(at + 1));
            program.is_none_or(|program| place <= program)
        }
        _ => false,
    }
}

fn is_language(name: &str) -> bool {
    [
        "python",
        "perl",
        "ruby",
        "node",
        "nodejs",
        "php",
        "lua",
        "tclsh",
        "pwsh",
        "powershell",
        "osascript",
        "Rscript",
        "deno",
        "bun",
    ]
    .iter()
    .any(|language| {
        name.strip_prefix(language)
            .is_some_and(|rest| rest.chars().all(|symbol| symbol.is_ascii_digit() || symbol == '.'))
    })
}

fn is_command_flag(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|flags| {
        !flags.starts_with('-') && !flags.is_empty() && flags.chars().all(char::is_alphabetic) && flags.contains('c')
    })
}

/// Place of the first word that is no option; `takes_value` are options that take the next word.
fn first_plain(arguments: &[String], takes_value: &[&str]) -> Option<usize> {
    let mut at = 0;
    while let Some(raw) = arguments.get(at) {
        let word = raw.trim_matches(['"', '\'']);
        if !word.starts_with('-') {
            return Some(at);
        }
        at += 1 + usize::from(takes_value.contains(&word));
    }
    None
}

/// ssh hands everything behind the destination to a shell on the other side, and some options to one here.
fn ssh(arguments: &[String], place: usize) -> bool {
    const TAKES_VALUE: &[&str] = &[
        "-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-p", "-Q", "-R", "-S",
        "-W", "-w",
    ];
    let destination = first_plain(arguments, TAKES_VALUE);
    let word = |at: usize| arguments.get(at).map_or("", |raw| raw.trim_matches(['"', '\'']));
    let in_option =
        place > 0 && matches!(word(place - 1), "-o" | "-F" | "-J" | "-S" | "-E") || word(place).starts_with("-o");
    in_option || destination.is_some_and(|destination| place > destination)
}

/// awk, sed, jq: the program is the first plain word, or an option's.
fn filter(name: &str, arguments: &[String], place: usize) -> bool {
    let word = |at: usize| arguments.get(at).map_or("", |raw| raw.trim_matches(['"', '\'']));
    let is_jq = matches!(name, "jq" | "gojq" | "yq");
    if is_jq && place >= 2 && matches!(word(place - 2), "--arg") {
        return false;
    }
    if is_jq && place >= 1 && matches!(word(place - 1), "--arg" | "--argjson") {
        return true;
    }
    let mut program = None;
    let mut at = 0;
    while at < arguments.len() {
        let here = word(at);
        match here {
            "--arg" | "--argjson" | "--slurpfile" | "--rawfile" if is_jq => at += 3,
            "-e" | "-f" | "--expression" | "--file" if !is_jq => {
                program = Some(at + 1);
                break;
            }
            "-v" | "-F" if !is_jq => at += 2,
            _ if here.starts_with('-') => at += 1,
            _ => {
                program = Some(at);
                break;
            }
        }
    }
    word(place).starts_with('-') || program.is_none_or(|program| place <= program)
}

fn database(name: &str, arguments: &[String], place: usize, previous: &str, here: &str) -> bool {
    const FLAGS: &[&str] =
        &["-c", "-e", "-q", "-Q", "--command", "--execute", "--query", "--eval", "-cmd", "-f", "--file", "-init"];
    if FLAGS.contains(&previous) || FLAGS.iter().any(|flag| flag.len() > 2 && here.starts_with(flag)) {
        return true;
    }
    let glued = here.len() > 2 && FLAGS.iter().any(|flag| flag.len() == 2 && here.starts_with(flag));
    let plain = (0..place).filter(|at| arguments.get(*at).is_some_and(|raw| !raw.starts_with('-'))).count();
    let lua = name == "redis-cli" && arguments.iter().any(|raw| raw.eq_ignore_ascii_case("eval") || raw == "--eval");
    glued || lua || (matches!(name, "sqlite3" | "mongosh" | "mongo") && plain >= 1)
}

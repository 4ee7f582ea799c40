//! Processes as the kernel tells of them in `/proc`: identity, ancestry, command line.

use std::collections::HashMap;
use std::fs;

use super::event::ProcessId;

/// A line of `/proc/PID/stat`, as far as it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its number.
    pub pid: i32,
    /// `Z` for one that ended and was not waited for.
    pub state: char,
    /// Whose child it is.
    pub parent: i32,
    /// When it started, in clock ticks after boot.
    pub start_time: u64,
}

impl Stat {
    /// True for one that still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Reads `/proc/PID/stat`. The name in it is the process's own choice and may hold blanks and brackets, so what counts
/// begins behind the last bracket.
fn parse(text: &str) -> Option<Stat> {
    let pid = text.split(' ').next()?.parse().ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    // Field 22 of the line; state is field 3, so it is the 18th behind the parent.
    let start_time = fields.nth(17)?.trim().parse().ok()?;
    Some(Stat { pid, state, parent, start_time })
}

/// One process; `None` when it is gone.
#[must_use]
pub fn stat(pid: i32) -> Option<Stat> {
    parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

/// Which boot this is; empty where the kernel does not tell.
#[must_use]
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Identity of a living process.
#[must_use]
pub fn identity(pid: i32) -> Option<ProcessId> {
    stat(pid).map(|stat| ProcessId { pid, start_time: stat.start_time, boot_id: boot_id() })
}

/// Whether exactly that process still runs.
#[must_use]
pub fn is_alive(process: &ProcessId) -> bool {
    process.boot_id == boot_id()
        && stat(process.pid).is_some_and(|stat| stat.start_time == process.start_time && stat.is_alive())
}

/// Every process there is.
#[must_use]
pub fn all() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    pids.filter_map(stat).collect()
}

/// Descendants of a process, children before grandchildren; those that ended and wait to be reaped included.
#[must_use]
pub fn descendants(ancestor: i32) -> Vec<Stat> {
    let mut children: HashMap<i32, Vec<Stat>> = HashMap::new();
    for stat in all() {
        children.entry(stat.parent).or_default().push(stat);
    }
    let mut found = children.remove(&ancestor).unwrap_or_default();
    let mut at = 0;
    while let Some(stat) = found.get(at) {
        if let Some(more) = children.remove(&stat.pid) {
            found.extend(more);
        }
        at += 1;
    }
    found
}

/// Its command line, words joined by blanks; the name in brackets where there is none.
#[must_use]
pub fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let line = words.join(" ").trim().to_owned();
    if line.is_empty() {
        return format!("[{}]", fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim());
    }
    line
}

/// Processes that carry this variable in their environment: what is left of a step whose supervisor is gone.
#[must_use]
pub fn with_variable(name: &str, value: &str) -> Vec<Stat> {
    let wanted = format!("{name}={value}");
    let carries = |stat: &Stat| {
        fs::read(format!("/proc/{}/environ", stat.pid))
            .is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes()))
    };
    all().into_iter().filter(Stat::is_alive).filter(carries).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_the_fields_behind_it() {
        let line = "4242 (evil) Z 1 1 1 0) S 7 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n";
        assert_eq!(parse(line), Some(Stat { pid: 4242, state: 'S', parent: 7, start_time: 987_654 }));
        assert_eq!(parse("4242 (cut"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_is_alive_and_a_later_one_with_its_number_is_another() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let mut me = identity(pid).expect("we run");
        assert!(is_alive(&me));
        me.start_time += 1;
        assert!(!is_alive(&me));
        assert!(command_line(pid).contains("warroom"));
    }
}

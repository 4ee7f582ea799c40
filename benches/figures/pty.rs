//! A terminal that measures: when the first byte came, and when the screen showed the right thing.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

/// What stands in front of the selected row.
const CURSOR: &str = "▌";

/// A program in a pseudo terminal, with the screen it drew.
pub struct Terminal {
    pty: pty_process::blocking::Pty,
    child: std::process::Child,
    screen: vt100::Parser,
    /// Bytes read since the start.
    pub bytes: u64,
    began: Instant,
}

/// What a key press led to.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// From the key to the first byte of the answer.
    pub first_byte: Duration,
    /// From the key to the screen that shows it.
    pub shown: Duration,
    /// Bytes until then.
    pub bytes: u64,
}

impl Terminal {
    /// Starts `program` in a terminal of `columns` × `rows`.
    pub fn start(program: &str, args: &[&str], envs: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo terminal");
        pty.resize(pty_process::Size::new(rows, columns)).expect("a size");
        let mut command = pty_process::blocking::Command::new(program).args(args).env("TERM", "xterm-256color");
        for (name, value) in envs {
            command = command.env(name, value);
        }
        let child = command.spawn(pts).expect("the program starts");
        Self { pty, child, screen: vt100::Parser::new(rows, columns, 0), bytes: 0, began: Instant::now() }
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// The row of the list that has the cursor, from its cursor sign on.
    pub fn cursor_row(&self) -> Option<String> {
        let screen = self.screen.screen();
        let (rows, columns) = screen.size();
        let is_cursor = |row: &u16| screen.cell(*row, 1).is_some_and(|cell| cell.contents() == CURSOR);
        let row = (2..rows).find(is_cursor)?;
        screen.rows(0, columns).nth(usize::from(row))
    }

    /// The entry of the timeline that has the cursor.
    pub fn cursor_entry(&self) -> Option<String> {
        let screen = self.screen.screen();
        let (_, columns) = screen.size();
        let entry = |row: String| row.split('│').skip(2).find(|pane| pane.starts_with(CURSOR)).map(str::to_owned);
        screen.rows(0, columns).find_map(entry)
    }

    /// Share of a core that the program has used since it started, in percent.
    pub fn busy(&self) -> f64 {
        usage(self.pid()).0 / self.began.elapsed().as_secs_f64() * 100.0
    }

    /// Types bytes.
    pub fn send(&mut self, keys: &[u8]) {
        self.pty.write_all(keys).expect("the terminal takes keys");
    }

    /// Reads what comes within `limit`; returns how many bytes.
    pub fn read_for(&mut self, limit: Duration) -> usize {
        let until = Instant::now() + limit;
        let mut total = 0;
        while let Some(read) = self.read_once(until.saturating_duration_since(Instant::now())) {
            total += read;
        }
        total
    }

    fn read_once(&mut self, limit: Duration) -> Option<usize> {
        let wait = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
        let ready = {
            let fd = self.pty.as_fd();
            let mut fds = [PollFd::new(&fd, PollFlags::IN)];
            rustix::event::poll(&mut fds, Some(&wait)).unwrap_or(0)
        };
        if ready == 0 {
            return None;
        }
        let mut buffer = [0_u8; 1 << 16];
        let read = self.pty.read(&mut buffer).unwrap_or(0);
        if read == 0 {
            return None;
        }
        self.screen.process(&buffer[..read]);
        self.bytes += read as u64;
        Some(read)
    }

    /// Reads until the screen satisfies `wanted`; `what` is named when it never does.
    pub fn wait(&mut self, what: &str, limit: Duration, wanted: impl Fn(&Self) -> bool) -> Duration {
        let start = Instant::now();
        while !wanted(self) {
            let left = limit.saturating_sub(start.elapsed());
            assert!(!left.is_zero(), "waited {limit:?} for {what}; the screen:\n{}", self.text());
            self.read_once(left.min(Duration::from_millis(50)));
        }
        start.elapsed()
    }

    /// Presses keys and measures the first byte and the right screen.
    pub fn press(&mut self, keys: &[u8], what: &str, wanted: impl Fn(&Self) -> bool) -> Answer {
        let before = self.bytes;
        let start = Instant::now();
        self.send(keys);
        let mut first_byte = None;
        loop {
            let limit = Duration::from_secs(5).saturating_sub(start.elapsed());
            assert!(!limit.is_zero(), "no {what} within 5 s; the screen:\n{}", self.text());
            if self.read_once(limit).is_some() && first_byte.is_none() {
                first_byte = Some(start.elapsed());
            }
            if wanted(self) {
                let shown = start.elapsed();
                return Answer { first_byte: first_byte.unwrap_or(shown), shown, bytes: self.bytes - before };
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Voluntary context switches by thread name: who wakes up.
pub fn wakers(pid: u32) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives").flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let name = format!("{} {}", name.trim(), task.file_name().to_string_lossy());
        found.insert(name, voluntary(&task.path()));
    }
    found
}

fn voluntary(task: &Path) -> u64 {
    let status = std::fs::read_to_string(task.join("status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("voluntary_ctxt"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// CPU seconds and voluntary context switches of a process, all threads.
pub fn usage(pid: u32) -> (f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a stat line").split_whitespace().collect();
    let ticks = fields[11].parse::<u64>().unwrap_or(0) + fields[12].parse::<u64>().unwrap_or(0);
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives").flatten();
    let switches = tasks.map(|task| voluntary(&task.path())).sum();
    (ticks as f64 / 100.0, switches)
}

/// Resident memory now and at its highest, in MiB.
pub fn memory(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}

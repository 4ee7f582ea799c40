//! The whole program with fifty thousand alerts and ten thousand incidents, read from servers on loopback.

use std::time::Duration;

use crate::provider::{Load, Provider};
use crate::pty::{Terminal, memory, usage};

pub fn run() {
    let provider = Provider::start(Load { alerts: 50_000, incidents: 10_000, changing: 500 });
    let folder = tempfile::tempdir().expect("a folder");
    let config = crate::start::write_config(folder.path(), &provider.config("5s"));
    let state = folder.path().to_string_lossy().into_owned();
    let envs = [("XDG_STATE_HOME", state.as_str()), ("XDG_CONFIG_HOME", state.as_str())];
    let mut terminal = Terminal::start(crate::WARROOM, &["--config", &config], &envs, 200, 50);
    // The list's title says how many rows there are: each of the ten thousand groups is one incident.
    terminal.wait("ten thousand rows", Duration::from_secs(120), |terminal| {
        let text = terminal.text();
        text.contains("Incidents 10000") || text.contains("10,000") || text.contains("Incidents  10000")
    });
    let polls = provider.polls();
    let (cpu, _) = usage(terminal.pid());
    let began = std::time::Instant::now();
    while provider.polls() < polls + 6 && began.elapsed() < Duration::from_secs(120) {
        terminal.read_for(Duration::from_millis(500));
    }
    terminal.read_for(Duration::from_secs(2));
    let (now, most) = memory(terminal.pid());
    let (cpu_after, _) = usage(terminal.pid());
    println!(
        "50,000 alerts, 10,000 incidents, 1 % changed at each of {} polls: RSS {now:.1} MiB (goal 80), at most {most:.1} MiB; {:.0} ms \
         CPU a poll",
        provider.polls() - polls,
        (cpu_after - cpu) * 1000.0 / (provider.polls() - polls).max(1) as f64,
    );
}

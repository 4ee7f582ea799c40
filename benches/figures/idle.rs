//! What the room costs when nothing happens, with four sources.

use std::time::Duration;

use warroom::sim::{SimOptions, serve};

use crate::pty::{Terminal, memory, usage, wakers};

/// Runs against the simulated world in its quiet hour, served by this process, and reads the room's own accounts.
pub fn run() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let options = SimOptions { scenario: "quiet".into(), ..SimOptions::default() };
    let world = runtime.block_on(serve(options)).expect("the simulated world");
    let folder = tempfile::tempdir().expect("a folder");
    // Polled as often as by default, not as often as a demonstration wants it.
    let text: String =
        world.config_toml.lines().filter(|line| !line.starts_with("every")).map(|line| format!("{line}\n")).collect();
    let config = crate::start::write_config(folder.path(), &text);
    let state = folder.path().to_string_lossy().into_owned();
    let envs = [("XDG_STATE_HOME", state.as_str()), ("XDG_CONFIG_HOME", state.as_str())];
    let mut terminal = Terminal::start(crate::WARROOM, &["--config", &config], &envs, 200, 50);
    terminal.read_for(Duration::from_secs(15));
    assert!(terminal.text().contains("metrics"), "all four sources are known:\n{}", terminal.text());
    let (cpu, switches) = usage(terminal.pid());
    let (bytes, before) = (terminal.bytes, wakers(terminal.pid()));
    let span = 120;
    terminal.read_for(Duration::from_secs(span));
    let (cpu_after, switches_after) = usage(terminal.pid());
    println!(
        "idle {span} s, 4 sources: {:.2} % of a core (goal 0.2), {:.1} wake-ups/s (goal 3), {:.1} KiB/min to the terminal, RSS {:.1} MiB",
        (cpu_after - cpu) / span as f64 * 100.0,
        (switches_after - switches) as f64 / span as f64,
        (terminal.bytes - bytes) as f64 / 1024.0 / (span as f64 / 60.0),
        memory(terminal.pid()).0,
    );
    for (name, count) in wakers(terminal.pid()) {
        let earlier = before.get(&name).copied().unwrap_or(0);
        println!("   {name}: {:.2} wake-ups/s", (count - earlier.min(count)) as f64 / span as f64);
    }
    runtime.block_on(world.shutdown());
}

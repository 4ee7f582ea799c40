//! From the start of the process to its first whole frame.

use std::path::Path;
use std::time::Duration;

use crate::clock::quantile;
use crate::pty::Terminal;

/// Starts the room on a configuration whose sources do not answer: the first frame must not wait for them.
pub fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[room]\noperator = \"bench\"\n\n[[alertmanager]]\nname = \"am\"\nurl = \"http://127.0.0.1:9\"\n";
    let path = write_config(folder.path(), text);
    let state = folder.path().to_string_lossy().into_owned();
    let envs = [("XDG_STATE_HOME", state.as_str()), ("XDG_CONFIG_HOME", state.as_str())];
    let (mut first, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let begin = std::time::Instant::now();
        let mut terminal = Terminal::start(crate::WARROOM, &["--config", &path], &envs, 200, 50);
        terminal.wait("the first frame", Duration::from_secs(5), |terminal| terminal.text().contains("Incidents"));
        first.push(begin.elapsed().as_secs_f64() * 1000.0);
        terminal.send(b"q");
        terminal.read_for(Duration::from_millis(100));
        drop(terminal);
        // What starting any program in a terminal costs at this moment.
        let begin = std::time::Instant::now();
        let mut terminal = Terminal::start("/bin/echo", &["hello"], &[], 200, 50);
        terminal.wait("hello", Duration::from_secs(5), |terminal| terminal.text().contains("hello"));
        bare.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let low = quantile(&mut first, 0.0);
    println!(
        "start to first frame, 200x50, 30 starts: median {:.1} ms (goal 30), lowest {low:.1} ms, highest {:.1} ms; an echo {:.1} ms",
        quantile(&mut first, 0.5),
        quantile(&mut first, 1.0),
        quantile(&mut bare, 0.5),
    );
}

/// Writes a configuration with safe permissions; returns its path.
pub fn write_config(folder: &Path, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("config.toml");
    std::fs::write(&path, text).expect("a config");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    path.to_string_lossy().into_owned()
}

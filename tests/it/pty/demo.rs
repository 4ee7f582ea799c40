//! `warroom demo`, the real program in a terminal: what a person meets in the first minute, with keys and mouse, on good
//! terminals and on poor ones.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pty_process::Command;

use super::{PATIENCE, Terminal};

/// A folder of its own, so that no test sees another's files nor the person's.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("warroom-demo-{}-{name}", std::process::id()));
        std::fs::create_dir_all(home.join("config/warroom/themes")).expect("a folder for tests");
        std::fs::create_dir_all(home.join("config/warroom/keymaps")).expect("a folder for tests");
        Self(home)
    }

    fn theme(&self, text: &str) {
        replace(&self.0.join("config/warroom/themes/dark.toml"), text);
    }

    fn keymap(&self, text: &str) {
        replace(&self.0.join("config/warroom/keymaps/default.toml"), text);
    }

    fn demo(&self, columns: u16, rows: u16, environment: &[(&str, &str)]) -> Terminal {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"))
            .args(["demo", "--seed", "7"])
            .env_clear()
            .env("HOME", &self.0)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .env("XDG_DATA_HOME", self.0.join("data"))
            .env("XDG_STATE_HOME", self.0.join("state"))
            .env("XDG_CACHE_HOME", self.0.join("cache"))
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor")
            .env("LANG", "C.UTF-8");
        for (name, value) in environment {
            command = command.env(name, value);
        }
        Terminal::start(command, columns, rows)
    }
}

/// As editors write: a new file in the place of the old one.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).expect("a file of the test");
    std::fs::rename(new, path).expect("a file of the test");
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Row and column of a text on the screen.
fn place(terminal: &Terminal, text: &str) -> Option<(u16, u16)> {
    let columns = terminal.screen().size().1;
    terminal.screen().rows(0, columns).enumerate().find_map(|(row, line)| {
        let before = line.get(..line.find(text)?)?;
        Some((u16::try_from(row).ok()?, u16::try_from(before.chars().count()).ok()?))
    })
}

/// The line of the list the cursor is on.
fn selected(terminal: &Terminal) -> String {
    let columns = terminal.screen().size().1;
    let mut lines = terminal.screen().rows(0, columns);
    lines.find(|line| line.contains('▌')).unwrap_or_default().chars().take(58).collect()
}

/// Everything has answered once: the header knows the people on call and every source.
async fn ready(terminal: &mut Terminal) {
    terminal.wait_text("DEMO").await;
    terminal.wait_text("Checkout fails for one").await;
    terminal.wait("the people on call", |terminal| terminal.text().contains(" L1")).await;
    let has_alerts = |terminal: &Terminal| {
        terminal.text().contains("alertmanager-a now") || terminal.text().contains("2 Alertmanagers now")
    };
    terminal.wait("an answer of Alertmanager", has_alerts).await;
}

async fn leave(mut terminal: Terminal) {
    terminal.send("q").await;
    assert_eq!(terminal.exit(PATIENCE).await.0, Some(0), "{}", terminal.text());
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_first_minute_frame_move_filter_zoom_acknowledge_quit() {
    let home = Home::new("minute");
    let mut terminal = home.demo(120, 40, &[]);
    ready(&mut terminal).await;

    terminal.send("g").await;
    terminal.wait("the cursor on the first row", |terminal| selected(terminal).contains("critical")).await;
    let first = selected(&terminal);
    terminal.send("j").await;
    terminal.wait("the cursor on another row", |terminal| selected(terminal) != first).await;

    terminal.send("/").await;
    for letter in "certificate of pay".chars() {
        terminal.send(letter.to_string()).await;
        terminal.drain(Duration::from_millis(5)).await;
    }
    terminal.wait_text("1 of ").await;
    terminal.send("\r").await;
    terminal.wait("the cursor on what was found", |terminal| selected(terminal).contains("The certificate of")).await;

    terminal.send("z").await;
    terminal.wait_text("1 Incidents ─ 2 Timeline ─ 3 Panels ─ 4 Runbook").await;
    terminal.send("z").await;
    terminal.wait_text("╭ 2 Timeline").await;

    assert!(terminal.text().contains("! triggered"), "{}", terminal.text());
    terminal.send("a").await;
    terminal.wait("the confirmed acknowledgement", |terminal| terminal.text().contains("✓ ack done")).await;
    terminal.wait("the new status", |terminal| terminal.text().contains("✓ acked")).await;

    terminal.send("y").await;
    terminal.wait("the copy", |terminal| String::from_utf8_lossy(&terminal.raw).contains("\x1b]52;c;")).await;
    terminal.send("\r").await;
    terminal.wait_text("because").await;
    let linked = |terminal: &Terminal| String::from_utf8_lossy(&terminal.raw).contains("\x1b]8;id=w");
    terminal.wait("a link on the page", linked).await;
    terminal.send("\x1b").await;
    terminal.wait("the end of the page", |terminal| !terminal.text().contains("because")).await;
    leave(terminal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_mouse_focuses_selects_scrolls_and_drags_borders() {
    let home = Home::new("mouse");
    let mut terminal = home.demo(120, 40, &[]);
    ready(&mut terminal).await;
    let press = |button: u8, row: u16, column: u16| format!("\x1b[<{button};{};{}M", column + 1, row + 1);
    let release = |row: u16, column: u16| format!("\x1b[<0;{};{}m", column + 1, row + 1);

    let (row, column) = place(&terminal, "The certificate of").expect("the row");
    terminal.send(press(0, row, column) + &release(row, column)).await;
    terminal.wait("the clicked row", |terminal| selected(terminal).contains("The certificate of")).await;

    let (row, column) = place(&terminal, "2 Timeline").expect("the timeline");
    terminal.send(press(0, row + 2, column) + &release(row + 2, column)).await;
    terminal.wait_text("f kinds").await;

    let (top, left) = place(&terminal, "╭ 2 Timeline").expect("the border");
    terminal.send(press(0, top + 3, left)).await;
    terminal.send(press(32, top + 3, left + 5)).await;
    terminal.send(press(32, top + 3, left + 9) + &release(top + 3, left + 9)).await;
    terminal
        .wait("the moved border", |terminal| {
            place(terminal, "╭ 2 Timeline").is_some_and(|(_, column)| column.abs_diff(left + 9) <= 1)
        })
        .await;

    terminal.send(press(0, top + 1, 20) + &release(top + 1, 20)).await;
    terminal.wait_text("a ack").await;
    let before = terminal.text();
    for _ in 0..20 {
        terminal.send(press(65, top + 6, 20)).await;
        terminal.drain(Duration::from_millis(5)).await;
    }
    terminal.wait("the last rows", |terminal| terminal.text().contains("NodeMemoryHighUtilization")).await;
    assert!(!before.contains("NodeMemoryHighUtilization"), "it was there before:\n{before}");
    leave(terminal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn poor_terminals_get_what_they_can_show() {
    let truecolour = "\x1b[38;2;";
    let indexed = "\x1b[38;5;";
    let cases: [(&str, &[(&str, &str)], bool, bool, bool); 4] = [
        ("NO_COLOR", &[("NO_COLOR", "1")], false, false, true),
        ("16 colours", &[("TERM", "xterm"), ("COLORTERM", "")], false, false, true),
        ("256 colours", &[("COLORTERM", "")], false, true, true),
        ("dumb", &[("TERM", "dumb"), ("COLORTERM", "")], false, false, false),
    ];
    for (name, environment, has_truecolour, has_indexed, has_unicode) in cases {
        let home = Home::new("poor");
        let mut terminal = home.demo(100, 30, environment);
        ready(&mut terminal).await;
        let text = String::from_utf8_lossy(&terminal.raw).into_owned();
        let any = |sequence: &str| text.contains(sequence) || text.contains(&sequence.replace("[38", ";38"));
        assert_eq!(any(truecolour), has_truecolour, "{name}");
        // crossterm writes the sixteen as indices below 16.
        let is_high =
            |part: &str| part.split(['m', ';']).next().is_some_and(|at| at.parse::<u16>().is_ok_and(|at| at > 15));
        assert_eq!(text.split("38;5;").skip(1).any(is_high), has_indexed, "{name}: {indexed}");
        assert_eq!(terminal.text().contains('╭'), has_unicode, "{name}:\n{}", terminal.text());
        assert!(terminal.text().contains("critical"), "{name}: severity is told in words");
        leave(terminal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_theme_and_a_keymap_are_read_again_and_their_faults_shown() {
    let home = Home::new("reload");
    home.theme("inherits = \"dark\"\n");
    home.keymap("[global]\n");
    let mut terminal = home.demo(200, 50, &[]);
    ready(&mut terminal).await;

    home.theme("inherits = \"dark\"\n\n[roles]\nacent = \"red\"\n");
    terminal.wait_text("dark.toml:4").await;
    assert!(terminal.text().contains("accent"), "a suggestion:\n{}", terminal.text());
    home.theme("inherits = \"dark\"\n\n[roles]\n\"severity.critical\" = { fg = \"#fedcba\" }\n");
    terminal.wait_text("was read again").await;
    terminal
        .wait("the new colour", |terminal| String::from_utf8_lossy(&terminal.raw).contains("38;2;254;220;186"))
        .await;

    home.keymap("[global]\n\"w\" = \"zom\"\n");
    terminal.wait_text("default.toml:2").await;
    assert!(terminal.text().contains("zoom"), "a suggestion:\n{}", terminal.text());
    home.keymap("[global]\n\"w\" = \"zoom\"\n");
    terminal.wait("the end of the banner", |terminal| !terminal.text().contains("default.toml:2")).await;
    terminal.send("w").await;
    terminal.wait_text("1 Incidents ─ 2 Timeline").await;
    leave(terminal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_window_that_is_closed_or_dragged_ends_well() {
    let home = Home::new("window");
    let mut terminal = home.demo(120, 40, &[]);
    ready(&mut terminal).await;
    for step in 0..60_u16 {
        terminal.resize(20 + step * 13 % 220, 4 + step * 7 % 60);
        terminal.drain(Duration::from_millis(10)).await;
    }
    terminal.resize(80, 24);
    terminal.wait_text("1 Incidents ─ 2 Timeline ─ 3 Panels ─ 4 Runbook").await;
    terminal.hang_up();
    let (code, took) = terminal.exit_unread(PATIENCE).await;
    assert_eq!(code, Some(129));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

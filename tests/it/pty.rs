//! Real programs in a pseudo-terminal: what a person would see (vt100), what was written (bytes), how it ended.
//!
//! Every wait names what it waits for and prints the screen when it does not come.

mod cached;
mod demo;
mod life;
mod recorded;
pub mod room;
mod safety;

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use pty_process::{Command, OwnedReadPty, OwnedWritePty, Size};
use rustix::process::{Pid, Signal};
use rustix::termios::Termios;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;

/// How long a screen may take on a machine that does ten other things.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// A program in a terminal.
pub struct Terminal {
    reader: Option<OwnedReadPty>,
    writer: Option<OwnedWritePty>,
    fd: Option<OwnedFd>,
    child: Child,
    screen: vt100::Parser,
    /// Everything that was written.
    pub raw: Vec<u8>,
    before: Termios,
}

impl Terminal {
    /// Starts a program on a terminal of that size.
    pub fn start(command: Command, columns: u16, rows: u16) -> Self {
        let (pty, pts) = pty_process::open().expect("a pseudo-terminal");
        pty.resize(Size::new(rows, columns)).expect("a size");
        let before = rustix::termios::tcgetattr(pty.as_fd()).expect("terminal attributes");
        let fd = pty.as_fd().try_clone_to_owned().expect("a second handle");
        let child = command.kill_on_drop(true).spawn(pts).expect("the program starts");
        let (reader, writer) = pty.into_split();
        Self {
            reader: Some(reader),
            writer: Some(writer),
            fd: Some(fd),
            child,
            screen: vt100::Parser::new(rows, columns, 0),
            raw: Vec::new(),
            before,
        }
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// The last of what was written, escapes shown.
    fn tail(&self) -> String {
        let from = self.raw.len().saturating_sub(4_000);
        String::from_utf8_lossy(&self.raw[from..]).replace('\x1b', "␛")
    }

    /// The terminal's state.
    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Types.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let writer = self.writer.as_mut().expect("the terminal is open");
        writer.write_all(bytes.as_ref()).await.expect("the terminal takes keys");
    }

    /// Another size, as a window manager gives it.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.writer.as_ref().expect("the terminal is open").resize(Size::new(rows, columns)).expect("a size");
        // A new screen in the modes of the old one, since the program draws everything again: vt100 0.16 can neither
        // shrink a screen whose cursor is beyond the new end nor wrap on one of a single line.
        let mut screen = vt100::Parser::new(rows.max(24), columns.max(80), 0);
        if self.screen.screen().alternate_screen() {
            screen.process(b"\x1b[?1049h\x1b[?25l");
        }
        self.screen = screen;
    }

    /// Takes in what comes next, waiting so long; true when the program closed the terminal.
    pub async fn drain(&mut self, span: Duration) -> bool {
        let mut piece = [0_u8; 16 * 1024];
        let Some(reader) = self.reader.as_mut() else { return true };
        match tokio::time::timeout(span, reader.read(&mut piece)).await {
            Ok(Ok(0) | Err(_)) => true,
            Ok(Ok(count)) => {
                self.raw.extend_from_slice(&piece[..count]);
                self.screen.process(&piece[..count]);
                false
            }
            Err(_) => false,
        }
    }

    /// Waits until the screen shows what is wanted.
    pub async fn wait(&mut self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_there(self) {
            assert!(Instant::now() < until, "waited for {what}; the screen:\n{}", self.text());
            let is_closed = self.drain(Duration::from_millis(50)).await;
            if is_closed && !is_there(self) {
                let status = self.child.try_wait();
                panic!(
                    "waited for {what}, but the program ended: {status:?}; the screen:\n{}\n{}",
                    self.text(),
                    self.tail()
                );
            }
        }
    }

    /// Waits until the screen shows a text.
    pub async fn wait_text(&mut self, text: &str) {
        self.wait(&format!("'{text}'"), |terminal| terminal.text().contains(text)).await;
    }

    /// Lets the program go on for so long and checks that the screen never shows a text.
    pub async fn never_text(&mut self, text: &str, span: Duration) {
        let until = Instant::now() + span;
        while Instant::now() < until {
            self.drain(Duration::from_millis(20)).await;
            assert!(!self.text().contains(text), "'{text}' must not come:\n{}", self.text());
        }
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("the program lives");
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        let id = self.child.id().expect("the program lives");
        Pid::from_raw(i32::try_from(id).expect("a process id")).expect("a process id")
    }

    /// Closes the terminal, as a window or an ssh session does.
    pub fn hang_up(&mut self) {
        self.reader = None;
        self.writer = None;
        self.fd = None;
    }

    /// Waits until the program ended; its exit code, and how long it took.
    pub async fn exit(&mut self, limit: Duration) -> (Option<i32>, Duration) {
        let began = Instant::now();
        loop {
            self.drain(Duration::from_millis(10)).await;
            if let Some(status) = self.child.try_wait().expect("the program can be waited for") {
                let took = began.elapsed();
                self.drain_to_the_end().await;
                return (status.code(), took);
            }
            assert!(began.elapsed() < limit, "the program did not end in {limit:?}; the screen:\n{}", self.text());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Takes in what a program that ended wrote last: its end may be seen before its last bytes are read.
    async fn drain_to_the_end(&mut self) {
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until && !self.drain(Duration::from_millis(50)).await {}
    }

    /// Waits for the end without reading what is written.
    pub async fn exit_unread(&mut self, limit: Duration) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = tokio::time::timeout(limit, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("the program did not end in {limit:?}")).expect("a status");
        (status.code(), began.elapsed())
    }

    /// Checks that the terminal is as it was found: attributes equal, every mode that was set taken back.
    pub fn assert_restored(&self) {
        if let Some(fd) = &self.fd {
            let after = rustix::termios::tcgetattr(fd).expect("terminal attributes");
            assert_eq!(format!("{:?}", self.before), format!("{after:?}"), "stty -g differs");
        }
        let text = String::from_utf8_lossy(&self.raw);
        for mode in ["1049", "2004", "1000", "1002", "1003", "1006", "1004", "2026"] {
            let set = text.rfind(&format!("\x1b[?{mode}h"));
            let back = text.rfind(&format!("\x1b[?{mode}l"));
            assert!(set.is_none() || back > set, "mode {mode} stays set");
        }
        let shown = text.rfind("\x1b[?25h");
        assert!(shown.is_some() && shown > text.rfind("\x1b[?25l"), "the cursor stays hidden");
    }
}

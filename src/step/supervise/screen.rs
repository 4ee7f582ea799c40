//! The terminal of an interactive step: what it shows now, for consoles that attach, and a recording of it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::step::place::{Place, private};
use crate::step::spec::TerminalSize;
use crate::text::emulator::Emulator;

/// Longest recording. A flood is not what a recording is for: the spool has its beginning and its end.
const RECORDING_BYTES: u64 = 32 << 20;

/// Emulator and recorder. Both get the stream after secrets were masked.
pub(super) struct Screen {
    emulator: Emulator,
    size: TerminalSize,
    seen: u64,
    recording: Recording,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Screen({:?}, {} bytes seen)", self.size, self.seen)
    }
}

impl Screen {
    pub(super) fn new(place: &Place, size: TerminalSize, now: Timestamp) -> io::Result<Self> {
        let recording = Recording::create(place, size, now)?;
        Ok(Self { emulator: Emulator::new(size.columns, size.rows), size, seen: 0, recording })
    }

    pub(super) fn take(&mut self, bytes: &[u8], after: Duration) {
        self.seen += bytes.len() as u64;
        self.emulator.take(bytes);
        self.recording.output(bytes, after);
    }

    /// What runs on it draws itself anew after SIGWINCH.
    pub(super) fn resize(&mut self, size: TerminalSize, after: Duration) {
        self.recording.event(after, "r", &format!("{}x{}", size.columns, size.rows));
        self.emulator.resize(size.columns, size.rows);
        self.size = size;
    }

    pub(super) fn mark(&mut self, text: &str, after: Duration) {
        self.recording.event(after, "m", text);
    }

    pub(super) fn flush(&mut self) {
        self.recording.flush();
    }

    /// Size, bytes seen, and what draws the same screen on another emulator.
    pub(super) fn snapshot(&self) -> (TerminalSize, u64, Vec<u8>) {
        let screen = self.emulator.screen();
        let mut state = Vec::new();
        if screen.alternate_screen() {
            state.extend_from_slice(b"\x1b[?1049h");
        }
        state.extend_from_slice(&screen.state_formatted());
        (self.size, self.seen, state)
    }
}

/// An asciicast, version 2: a header and one line an event. Keys are not recorded: passwords are typed.
struct Recording {
    file: Option<BufWriter<File>>,
    written: u64,
    /// Bytes of a character whose rest comes next.
    part: Vec<u8>,
}

impl Recording {
    fn create(place: &Place, size: TerminalSize, now: Timestamp) -> io::Result<Self> {
        let file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(place.recording())?;
        let mut recording = Self { file: Some(BufWriter::new(file)), written: 0, part: Vec::new() };
        let header = serde_json::json!({
            "version": 2, "width": size.columns, "height": size.rows, "timestamp": now.timestamp(),
            "env": { "TERM": "xterm-256color" },
        });
        recording.line(&header);
        Ok(recording)
    }

    fn output(&mut self, bytes: &[u8], after: Duration) {
        let mut all = std::mem::take(&mut self.part);
        all.extend_from_slice(bytes);
        if let Err(error) = std::str::from_utf8(&all)
            && error.error_len().is_none()
        {
            self.part = all.split_off(error.valid_up_to());
        }
        if !all.is_empty() {
            self.event(after, "o", &String::from_utf8_lossy(&all));
        }
    }

    fn event(&mut self, after: Duration, kind: &str, text: &str) {
        if self.written > RECORDING_BYTES {
            self.line(&serde_json::json!([seconds(after), "m", "the recording ends here: it is too long"]));
            self.flush();
            self.file = None;
        }
        self.line(&serde_json::json!([seconds(after), kind, text]));
    }

    fn line(&mut self, value: &serde_json::Value) {
        let Some(file) = &mut self.file else { return };
        let line = format!("{value}\n");
        self.written += line.len() as u64;
        // A full disk ends the recording, not the step.
        if file.write_all(line.as_bytes()).is_err() {
            self.file = None;
        }
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            let _ = file.flush();
        }
    }
}

fn seconds(after: Duration) -> f64 {
    (after.as_secs_f64() * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(folder: &std::path::Path) -> Screen {
        let place = Place::new(folder);
        Screen::new(&place, TerminalSize { columns: 20, rows: 4 }, chrono::DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_late_console_sees_the_same_screen() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = screen(folder.path());
        first.take(b"\x1b[31mred\x1b[0m\r\nprompt> ls", Duration::from_millis(1500));
        let (size, seen, state) = first.snapshot();
        let mut second = vt100::Parser::new(size.rows, size.columns, 0);
        second.process(&state);
        assert_eq!(second.screen().contents(), first.emulator.screen().contents());
        assert_eq!(second.screen().cursor_position(), (1, 10));
        assert_eq!(seen, 24);
    }

    #[test]
    fn a_recording_has_whole_characters_and_no_keys() {
        let folder = tempfile::tempdir().unwrap();
        let mut screen = screen(folder.path());
        let euro = "€".as_bytes();
        screen.take(&euro[..1], Duration::from_millis(10));
        screen.take(&[&euro[1..], b"\xff!"].concat(), Duration::from_millis(20));
        screen.resize(TerminalSize { columns: 100, rows: 30 }, Duration::from_millis(30));
        screen.mark("systemctl status", Duration::from_millis(40));
        screen.flush();
        let text = std::fs::read_to_string(folder.path().join("session.cast")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(r#"{"version":2,"width":20,"height":4,"#), "{text}");
        assert_eq!(lines[1..], [r#"[0.02,"o","€�!"]"#, r#"[0.03,"r","100x30"]"#, r#"[0.04,"m","systemctl status"]"#]);
    }

    #[test]
    fn no_size_and_no_sequence_ends_the_supervisor() {
        let folder = tempfile::tempdir().unwrap();
        let mut screen = screen(folder.path());
        for (columns, rows) in [(0, 0), (1, 1), (2, 2), (1_000, 2), (3, 900), (80, 24)] {
            screen.resize(TerminalSize { columns, rows }.within_reason(), Duration::ZERO);
            screen
                .take("wide 漢字 and \x1b[999;999H tail\r\n\x1b[?1049h\x1b[2J\x1bM\x1b[5L".as_bytes(), Duration::ZERO);
            screen.take(&vec![b'x'; 5_000], Duration::ZERO);
            let _ = screen.snapshot();
        }
    }
}

//! The terminal as we leave it and as we found it. Every mode that is set is taken back, best effort and step by step, on
//! every way out but one: a terminal that is gone is not written to.

mod canvas;
mod writer;

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::buffer::Buffer;

use super::model::Size;
pub use canvas::Canvas;
use writer::Writer;
pub use writer::Written;

/// Alternate screen; wrapped pastes; buttons and drags as numbers (1006), but no motion without a button, which would
/// wake us for nothing; focus; cursor hidden.
const ENTER: &str = "\x1b[?1049h\x1b[?2004h\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?1004h\x1b[?25l\x1b[2J";

/// The same back, last first; the end of a synchronized update in case a frame was cut.
const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?1004l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?1049l";

/// The terminal while the screen is ours.
pub struct Screen {
    canvas: Canvas,
    size: Size,
    writer: Writer,
    /// Shared with the panic hook: whether there is something to take back.
    is_ours: Arc<AtomicBool>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Screen").field("is_ours", &self.is_ours).finish_non_exhaustive()
    }
}

/// Size of the terminal by its own account; 80×24 where it has none (some PTYs say 0×0 at first).
#[must_use]
pub fn size() -> Size {
    let told = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
    match told {
        Ok(told) if told.ws_col > 0 && told.ws_row > 0 => Size { width: told.ws_col, height: told.ws_row },
        _ => Size { width: 80, height: 24 },
    }
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard input is no terminal, or cannot be put into raw mode.
    pub fn open(size: Size) -> io::Result<Self> {
        let is_ours = Arc::new(AtomicBool::new(false));
        restore_on_panic(Arc::clone(&is_ours));
        let mut screen = Self { canvas: Canvas::new(size), size, writer: Writer::start()?, is_ours };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes the terminal (again).
    ///
    /// # Errors
    /// When it cannot be put into raw mode.
    pub fn enter(&mut self) -> io::Result<()> {
        crossterm::terminal::enable_raw_mode()?;
        self.is_ours.store(true, Ordering::SeqCst);
        self.writer.write_now(ENTER.as_bytes());
        self.redraw();
        Ok(())
    }

    /// Gives the terminal back; more than once does no harm.
    pub fn leave(&mut self) {
        if self.is_ours.swap(false, Ordering::SeqCst) {
            self.writer.write_now(LEAVE.as_bytes());
            let _ = crossterm::terminal::disable_raw_mode();
        }
    }

    /// The terminal is gone: nothing is written to it any more, not even on the way out.
    pub fn abandon(&mut self) {
        self.is_ours.store(false, Ordering::SeqCst);
        self.writer.abandon();
    }

    /// The terminal has another size.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.redraw();
    }

    /// The next frame draws every cell.
    pub fn redraw(&mut self) {
        self.canvas.blank(self.size);
    }

    /// Whether the last frame has left us: until then no other is made, since it would be built on one nobody saw.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.writer.is_free()
    }

    /// Makes a frame and hands it to the writer, as one synchronized update in one piece; nothing when nothing changed.
    pub fn draw(&mut self, view: impl FnOnce(&mut Buffer)) {
        let frame = self.canvas.draw(view);
        if !frame.is_empty() {
            self.writer.send(frame);
        }
    }

    /// Waits for the writer's next account.
    ///
    /// Cancel safety: nothing is lost when it is dropped.
    pub async fn written(&mut self) -> Written {
        self.writer.written().await
    }

    /// Rings.
    pub fn bell(&mut self) {
        self.writer.send(b"\x07");
    }

    /// Puts a text into the clipboard of the terminal's own machine (OSC 52).
    pub fn copy(&mut self, text: &str) {
        let mut sequence = String::new();
        let command = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text);
        if crossterm::Command::write_ansi(&command, &mut sequence).is_ok() {
            let mut out = String::new();
            let _ = out.write_str(&sequence);
            self.writer.send(out.as_bytes());
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The screen's thread panicked: the terminal is given back before the report is printed. A panic elsewhere is a fact
/// that the screen will show.
fn restore_on_panic(is_ours: Arc<AtomicBool>) {
    let screen_thread = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen_thread && is_ours.swap(false, Ordering::SeqCst) {
            let _ = io::Write::write_all(&mut io::stdout(), LEAVE.as_bytes());
            let _ = io::Write::flush(&mut io::stdout());
            let _ = crossterm::terminal::disable_raw_mode();
        }
        before(info);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_that_is_set_is_taken_back() {
        let modes = |text: &str, end: char| {
            let mut found: Vec<String> = text
                .split("\x1b[?")
                .skip(1)
                .filter_map(|rest| rest.split_once(end))
                .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
                .map(|(number, _)| number.to_owned())
                .collect();
            found.sort();
            found
        };
        let mut set = modes(ENTER, 'h');
        set.push("2026".to_owned());
        set.sort();
        let mut back: Vec<String> = modes(LEAVE, 'l');
        back.sort();
        assert_eq!(set, back);
        assert!(ENTER.contains("\x1b[?25l") && LEAVE.contains("\x1b[?25h"));
    }
}

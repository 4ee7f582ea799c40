//! From the terminal to [`Input`]: a thread of its own that can be dropped and rebuilt, so that an editor can have the
//! keyboard, and that ends when the terminal is gone.
//!
//! crossterm 0.29 reads for ever from a terminal that hung up (its issue 793), so this thread polls the terminal itself
//! and lets crossterm read only what is there.

use std::io::{self, PipeReader, PipeWriter};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

use super::msg::{Input, Mouse, MouseKind};
use crate::config::keymap::{Chord, Key};

/// How many inputs may wait: a paste is one, and nobody types 256 keys while a frame is made.
pub const INPUT_LANE: usize = 256;

/// How long the way out waits for the reader to stop.
const PATIENCE: Duration = Duration::from_millis(200);

/// What the reader has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Something came.
    Input(Input),
    /// The terminal is gone.
    HungUp,
}

/// Reads the terminal until it is dropped.
#[derive(Debug)]
pub struct Reader {
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Starts to read standard input.
    ///
    /// # Errors
    /// When the system has no pipe or thread left.
    pub fn start(lane: mpsc::Sender<Read>) -> io::Result<Self> {
        let (wait, stop) = io::pipe()?;
        let read = move || {
            if let Ended::HungUp = read_until(&wait, &lane) {
                let _ = lane.blocking_send(Read::HungUp);
            }
        };
        let thread = std::thread::Builder::new().name("input".into()).spawn(read)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Closing our end of the pipe wakes the thread; it reads nothing that was meant for an editor.
        drop(self.stop.take());
        // Half an escape sequence keeps crossterm waiting for the other half; the way out does not wait with it.
        let until = std::time::Instant::now() + PATIENCE;
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && std::time::Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

enum Ended {
    Stopped,
    HungUp,
}

fn read_until(stop: &PipeReader, lane: &mpsc::Sender<Read>) -> Ended {
    let stdin = rustix::stdio::stdin();
    loop {
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut waiting, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Ended::HungUp,
        }
        let [terminal, stopped] = &waiting;
        if !stopped.revents().is_empty() {
            return Ended::Stopped;
        }
        if terminal.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Ended::HungUp;
        }
        if terminal.revents().contains(PollFlags::IN) {
            match take_all() {
                // Bytes are there, and crossterm saw none.
                Ok(inputs) if inputs.is_empty() => rouse(),
                Ok(inputs) => {
                    for input in inputs {
                        if lane.blocking_send(Read::Input(input)).is_err() {
                            return Ended::Stopped;
                        }
                    }
                }
                Err(_) => return Ended::HungUp,
            }
        }
    }
}

/// crossterm learns once that bytes came (mio is edge-triggered) and forgets it when a new size came in the same breath:
/// the key would wait for the next one, while our level-triggered poll spins. Setting the attributes anew wakes it
/// (`n_tty_set_termios` wakes whoever waits to read).
fn rouse() {
    let stdin = rustix::stdio::stdin();
    if let Ok(attributes) = rustix::termios::tcgetattr(stdin) {
        let _ = rustix::termios::tcsetattr(stdin, rustix::termios::OptionalActions::Now, &attributes);
    }
    // Where that does not help, a core is not burnt.
    std::thread::sleep(Duration::from_millis(1));
}

/// Everything that is there now. Keys that come in one piece are a burst.
fn take_all() -> io::Result<Vec<Input>> {
    let mut events = Vec::new();
    while events.len() < INPUT_LANE && crossterm::event::poll(Duration::ZERO)? {
        events.push(crossterm::event::read()?);
    }
    Ok(inputs_of(events))
}

/// Events as inputs; what means nothing to us is left out.
#[must_use]
pub fn inputs_of(events: Vec<Event>) -> Vec<Input> {
    let keys =
        events.iter().filter(|event| matches!(event, Event::Key(key) if key.kind != KeyEventKind::Release)).count();
    let in_burst = keys > 1;
    events.into_iter().filter_map(|event| input_of(event, in_burst)).collect()
}

fn input_of(event: Event, in_burst: bool) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            chord_of(key).map(|chord| Input::Key { chord, in_burst })
        }
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Mouse(mouse) => {
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseKind::Press,
                MouseEventKind::Drag(MouseButton::Left) => MouseKind::Drag,
                MouseEventKind::Up(MouseButton::Left) => MouseKind::Release,
                MouseEventKind::ScrollDown => MouseKind::ScrollDown,
                MouseEventKind::ScrollUp => MouseKind::ScrollUp,
                _ => return None,
            };
            Some(Input::Mouse(Mouse { kind, x: mouse.column, y: mouse.row }))
        }
        Event::FocusGained => Some(Input::Focused(true)),
        Event::FocusLost => Some(Input::Focused(false)),
        // The size is asked for when SIGWINCH comes.
        Event::Key(_) | Event::Resize(..) => None,
    }
}

/// A key event as a chord.
#[must_use]
pub fn chord_of(event: KeyEvent) -> Option<Chord> {
    let mut shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let key = match event.code {
        KeyCode::Char(symbol) => Key::Char(symbol),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => {
            shift = true;
            Key::Tab
        }
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::F(number) => Key::F(number),
        _ => return None,
    };
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    // The terminal has applied shift to a character already; ours carries its case itself.
    let shift = shift && !matches!(key, Key::Char(_));
    Some(Chord { key, ctrl, alt, shift }.normal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn keys_become_the_chords_that_keymaps_write() {
        for (code, modifiers, text) in [
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, "?"),
            (KeyCode::Char('x'), KeyModifiers::CONTROL, "ctrl-x"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::Char(' '), KeyModifiers::NONE, "space"),
            (KeyCode::Enter, KeyModifiers::ALT, "alt-enter"),
        ] {
            assert_eq!(chord_of(KeyEvent::new(code, modifiers)), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn several_keys_in_one_piece_are_a_burst() {
        let plain = |symbol| key(KeyCode::Char(symbol), KeyModifiers::NONE);
        let bursts = |events: Vec<Event>| {
            let flag = |input: &Input| matches!(input, Input::Key { in_burst: true, .. });
            inputs_of(events).iter().map(flag).collect::<Vec<_>>()
        };
        assert_eq!(bursts(vec![plain('y')]), [false]);
        assert_eq!(bursts(vec![plain('y'), key(KeyCode::Enter, KeyModifiers::NONE)]), [true, true]);
        assert_eq!(bursts(vec![plain('y'), Event::FocusGained]), [false, false]);
    }
}

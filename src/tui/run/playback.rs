//! Shows a recorded session: the screen as it was, and a line of the player's own under it.

use std::io;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use super::signals::{Signal, Signals};
use crate::config::keymap::{Chord, Key};
use crate::tui::input::{INPUT_LANE, Read, Reader};
use crate::tui::layout::Area;
use crate::tui::model::Size;
use crate::tui::msg::Input;
use crate::tui::recording::player::Player;
use crate::tui::terminal::{Screen, Written, size};
use crate::tui::view::{self, RenderCache, transport};

/// Between two frames while it plays.
const FRAME: Duration = Duration::from_millis(50);

/// How far an arrow key goes.
const HOP: chrono::Duration = chrono::Duration::seconds(10);

/// Shows a recording until it is left; gives the exit code, as [`super::run`] does.
///
/// # Errors
/// When there is no terminal.
pub async fn play(mut player: Player, mut cache: RenderCache) -> io::Result<i32> {
    let mut signals = Signals::listen()?;
    let mut screen = Screen::open(size())?;
    let (lane, mut inputs) = mpsc::channel(INPUT_LANE);
    let reader = Reader::start(lane)?;
    let (mut here, mut owes_frame, mut last) = (size(), true, Instant::now());
    let code = loop {
        if owes_frame && screen.is_free() {
            screen.draw(|shown| draw(&player, &mut cache, here, shown));
            owes_frame = false;
        }
        // A long pause in the recording is no reason to wake, a busy second none to draw a thousand frames.
        let wait = player.wait().map_or(Duration::from_secs(60), |wait| wait.clamp(FRAME, Duration::from_secs(1)));
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::HungUp => break 129,
                Signal::Terminated => break 143,
                Signal::Quitted => break 131,
                Signal::Interrupted => break 130,
                Signal::Resized => {
                    here = size();
                    screen.resize(here);
                    owes_frame = true;
                }
                Signal::Stopped | Signal::Continued => {}
            },
            read = inputs.recv() => match read {
                None | Some(Read::HungUp) => break 129,
                Some(Read::Input(Input::Key { chord, .. })) => {
                    player.pass(last.elapsed());
                    last = Instant::now();
                    if press(&mut player, chord.normal()) {
                        break 0;
                    }
                    owes_frame = true;
                }
                Some(Read::Input(_)) => {}
            },
            written = screen.written() => if matches!(written, Written::Gone) { break 129 },
            () = tokio::time::sleep(wait) => {
                player.pass(last.elapsed());
                last = Instant::now();
                owes_frame |= player.wait().is_some() || player.is_over();
            }
        }
    };
    if code == 129 {
        screen.abandon();
        std::mem::forget(reader);
    } else {
        drop(reader);
        screen.leave();
    }
    Ok(code)
}

/// True when the player is left.
fn press(player: &mut Player, chord: Chord) -> bool {
    match chord.key {
        Key::Char('q') | Key::Esc => return true,
        Key::Char('c') if chord.ctrl => return true,
        Key::Char(' ') => {
            if player.is_over() {
                player.seek(player.span().0);
            }
            player.is_playing = !player.is_playing;
        }
        Key::Left => player.seek(player.position() - HOP),
        Key::Right => player.seek(player.position() + HOP),
        Key::Char(']' | 'l') => player.forward(),
        Key::Char('[' | 'h') => player.back(),
        Key::Home | Key::Char('g') => player.seek(player.span().0),
        Key::End | Key::Char('G') => player.seek(player.span().1),
        Key::Char('+' | '=') | Key::Up => player.change_speed(true),
        Key::Char('-') | Key::Down => player.change_speed(false),
        _ => {}
    }
    false
}

fn draw(player: &Player, cache: &mut RenderCache, here: Size, shown: &mut Buffer) {
    let model = player.model();
    let mut recorded = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    view::draw(model, cache, &mut recorded);
    let rows = here.height.saturating_sub(1).min(recorded.area.height);
    for y in 0..rows.min(shown.area.height) {
        for x in 0..recorded.area.width.min(shown.area.width) {
            if let (Some(to), Some(from)) = (shown.cell_mut((x, y)), recorded.cell((x, y))) {
                to.clone_from(from);
            }
        }
    }
    let line = Area { x: 0, y: here.height.saturating_sub(1), width: here.width, height: 1 };
    transport::draw(player, cache, line, shown);
}

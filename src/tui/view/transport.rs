//! The player's line under a recorded session: where in it we are, how fast, and its keys.

use ratatui::buffer::Buffer;

use super::RenderCache;
use crate::config::theme::Role;
use crate::tui::layout::Area;
use crate::tui::recording::player::Player;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Pen, Row, clock, words};

/// What the player's keys do.
const KEYS: [(&str, &str); 6] =
    [("space", " play"), ("←→", " 10 s"), ("[ ]", " message"), ("g G", " ends"), ("- +", " speed"), ("q", " leave")];

/// Draws it.
pub fn draw(player: &Player, cache: &mut RenderCache, area: Area, buffer: &mut Buffer) {
    let model = player.model();
    let skin = cache.skin(&model.theme);
    let mut pen = Pen { buffer, skin: &skin };
    let (first, last) = player.span();
    let at = player.position();
    let style = pen.style(Role::BannerDrill);
    pen.ground(area, style);
    let mut row = Row::new(&mut pen, area);
    let state = if player.is_over() {
        "END "
    } else if player.is_playing {
        "PLAY"
    } else {
        "HELD"
    };
    row.gap(1).put(&words!("REPLAY {state} "), Role::BannerDrill);
    row.put(&words!("{} {} ", clock::day(at, model.zone), clock::time(at, model.zone)), Role::BannerDrill);
    let (gone, whole) = (at.signed_duration_since(first), last.signed_duration_since(first));
    row.put(&words!("({} of {}) x{} ", clock::brief(gone), clock::brief(whole), player.speed()), Role::BannerDrill);
    for (key, label) in KEYS {
        if width(key) + width(label) + 2 > row.room() {
            break;
        }
        row.gap(1).put(&key, Role::BannerDrill).put(&label, Role::BannerDrill);
    }
}

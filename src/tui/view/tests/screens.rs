//! Whole screens, glyph by glyph and style by style. The glyphs must be the same in every theme, so only one theme's
//! snapshot holds them; the others hold their styles.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::night::{keys, night, pass};
use crate::config::theme::{Capabilities, ColourDepth};
use crate::domain::fact::Fact;
use crate::domain::source::{ChronoSeconds, Reach, SourceKind};
use crate::tui::export;
use crate::tui::model::Model;
use crate::tui::testing::{after, health, learn, model, press, scene, type_text};
use crate::tui::view::{RenderCache, draw};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (220, 60)];

pub(super) fn drawn_on(model: &Model, capabilities: Capabilities) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    draw(model, &mut RenderCache::new(capabilities), &mut buffer);
    buffer
}

pub(super) fn drawn(model: &Model) -> Buffer {
    drawn_on(model, Capabilities { colours: ColourDepth::True, ..Capabilities::FULL })
}

fn shot(name: &str, model: &Model) {
    insta::assert_snapshot!(name, export::styled(&drawn(model)));
}

#[test]
fn the_room_at_three_sizes_in_every_theme() {
    for (width, height) in SIZES {
        let dark = drawn(&night(width, height, "dark"));
        insta::assert_snapshot!(format!("room_{width}x{height}_dark"), export::styled(&dark));
        for theme in ["light", "high-contrast", "colour-blind", "mono"] {
            let other = drawn(&night(width, height, theme));
            assert_eq!(export::text(&dark), export::text(&other), "{theme} shows other glyphs");
            insta::assert_snapshot!(format!("room_{width}x{height}_{theme}"), export::styles(&other));
        }
    }
}

#[test]
fn terminals_with_fewer_colours_or_no_unicode() {
    let room = night(120, 40, "dark");
    for (name, colours) in [("256", ColourDepth::Ansi256), ("16", ColourDepth::Ansi16), ("none", ColourDepth::Mono)] {
        let buffer = drawn_on(&room, Capabilities { colours, ..Capabilities::FULL });
        insta::assert_snapshot!(format!("room_120x40_{name}_colours"), export::styles(&buffer));
    }
    let dumb = Capabilities { colours: ColourDepth::Mono, is_unicode: false, has_links: false };
    let text = export::text(&drawn_on(&room, dumb));
    insta::assert_snapshot!("room_120x40_ascii", text);
    // What others wrote keeps its letters; everything of ours is ASCII.
    let ours = export::text(&drawn_on(&model(120, 40), dumb));
    assert!(ours.is_ascii(), "{ours}");
}

#[test]
fn every_pane_alone() {
    for (pane, key) in [("incidents", "1"), ("timeline", "2"), ("panels", "3"), ("runbook", "4")] {
        let mut room = night(80, 24, "dark");
        keys(&mut room, key);
        shot(&format!("small_{pane}"), &room);
        let mut room = night(140, 40, "dark");
        keys(&mut room, &format!("{key} z"));
        shot(&format!("zoomed_{pane}"), &room);
    }
}

#[test]
fn everything_that_lies_over_the_panes() {
    let cases = [
        ("help", "?"),
        ("help_end", "? G"),
        ("palette", ":"),
        ("detail", "enter"),
        ("explain", "E"),
        ("problems", "!"),
        ("escalate", "e"),
        ("resolve", "R"),
        ("resolve_many", "* R"),
        ("reassign", "x"),
        ("snooze", "s"),
        ("note", "n"),
        ("declare", "c"),
        ("declare_priority", "c tab tab tab"),
        ("kinds", "2 f"),
        ("runbooks", "4 b"),
        ("entry", "2 k enter"),
        ("marked", "space space"),
    ];
    for (name, pressed) in cases {
        for (width, height) in [(80, 24), (120, 40)] {
            let mut room = night(width, height, "dark");
            press(&mut room, pressed);
            pass(&mut room, 1);
            shot(&format!("over_{name}_{width}x{height}"), &room);
        }
    }
}

#[test]
fn the_filter_while_typing_and_kept() {
    let mut room = night(120, 40, "dark");
    press(&mut room, "/");
    type_text(&mut room, "check");
    shot("filter_typing", &room);
    press(&mut room, "enter");
    shot("filter_kept", &room);
    press(&mut room, "/");
    type_text(&mut room, "nothing-like-it");
    shot("filter_none", &room);
}

#[test]
fn too_small_is_said_and_a_question_is_seen() {
    let mut room = night(59, 15, "dark");
    shot("tiny", &room);
    press(&mut room, "R");
    shot("tiny_question", &room);
}

/// Fresh, ageing, stale, unknown, forbidden, empty: six looks, of the header, of the pane, of the empty list.
#[test]
fn six_freshnesses_are_six_looks() {
    let mut seen: Vec<String> = Vec::new();
    for name in ["fresh", "ageing", "stale", "unknown", "forbidden", "empty"] {
        let mut room = if name == "empty" { model(100, 24) } else { scene(100, 24) };
        let mut told = health("pagerduty", SourceKind::PagerDuty);
        told.every = ChronoSeconds(20);
        match name {
            "ageing" => told.answered_at = Some(after(-38)),
            "stale" => told.answered_at = Some(after(-300)),
            "unknown" => (told.answered_at, told.reach) = (None, Reach::Unasked),
            "forbidden" => told.reach = Reach::Forbidden { failure: super::refused() },
            _ => {}
        }
        let mut other = told.clone();
        (other.id, other.kind) = (crate::tui::testing::source("am"), SourceKind::Alertmanager);
        learn(&mut room, Fact::HealthChanged(told));
        learn(&mut room, Fact::HealthChanged(other));
        shot(&format!("freshness_{name}"), &room);
        // The pane's title alone, without colour, already tells which it is.
        let title: String = export::text(&drawn(&room)).lines().nth(2).unwrap_or_default().chars().take(50).collect();
        assert!(!seen.contains(&title), "{name} looks like another: {title}");
        seen.push(title);
    }
}

#[test]
fn nothing_configured_and_nothing_known_yet() {
    shot("nothing_configured", &model(100, 24));
    let mut room = model(100, 24);
    let mut told = health("pagerduty", SourceKind::PagerDuty);
    (told.answered_at, told.reach) = (None, Reach::Unasked);
    learn(&mut room, Fact::HealthChanged(told));
    shot("nothing_known", &room);
}

#[test]
fn columns_stand_still_while_the_clocks_run() {
    let mut room = night(120, 40, "dark");
    let columns = |model: &Model| -> Vec<Option<usize>> {
        let text = export::text(&drawn(model));
        text.lines().skip(3).step_by(2).take(8).map(|line| line.find("! ").or(line.find("✓ "))).collect()
    };
    let before = columns(&room);
    for _ in 0..70 {
        pass(&mut room, 1);
        assert_eq!(columns(&room), before, "at {}", room.now);
    }
}

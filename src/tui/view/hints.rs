//! The last line: the keys that matter here, from the command table and the keymap in force.

use crate::config::keymap::Keymap;
use crate::config::theme::Role;
use crate::domain::command::CommandId;
use crate::tui::command;
use crate::tui::layout::Area;
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::widgets::pen::width;
use crate::tui::widgets::{Pen, Row, words};

pub(super) fn draw(pen: &mut Pen<'_>, area: Area, model: &Model) {
    let mut row = Row::new(pen, area);
    row.gap(1).right_gap(1);
    if !model.pending.is_empty() {
        row.right(&words!("  {} …", Keymap::sequence(&model.pending)), Role::KeyHint, 20);
    }
    let marks = model.incidents.marks.len();
    if marks > 0 {
        let glyph = row.glyphs().mark;
        row.put(&words!("{glyph} {marks} marked"), Role::Mark).gap(2);
    }
    for (id, key, label) in command::hints(&model.keymap, model.context()) {
        let Some(label) = here(model, id, label) else { continue };
        let (key, label) = (words!("{key}"), words!(" {label}"));
        if width(key.as_str()) + width(label.as_str()) > row.room() {
            break;
        }
        row.put(&key, Role::KeyHint).put(&label, Role::KeyLabel).gap(2);
    }
}

/// What a key does for what is on top, where that has a word of its own; `None` where the key does nothing.
fn here(model: &Model, id: CommandId, label: &'static str) -> Option<&'static str> {
    use CommandId as Id;
    let word = match (model.overlays.last(), id) {
        (None, Id::Open) if model.incidents.is_filtering => "keep",
        (None, Id::Back) if model.incidents.is_filtering => "list all",
        (None, Id::FocusNext) if model.incidents.is_filtering => return None,
        (None, Id::MoveDown) => "next",
        (None, Id::MoveUp) => "previous",
        (None, _) => label,
        (Some(Overlay::Palette(_)), Id::Open) => "run",
        (Some(Overlay::Picker(picker)), Id::FocusNext) if picker.is_many => "pick",
        (Some(Overlay::Picker(_) | Overlay::Declare(_)), Id::Open) => "choose",
        (Some(Overlay::Declare(_)), Id::FocusNext) => "next field",
        (Some(Overlay::Prompt(_)), Id::Open) => "write",
        (Some(Overlay::Prompt(_) | Overlay::Declare(_)), Id::MoveDown | Id::MoveUp) => return None,
        (Some(Overlay::Palette(_) | Overlay::Picker(_) | Overlay::Prompt(_)), Id::FocusNext) => return None,
        (Some(Overlay::Help(_)), Id::Copy | Id::OpenLink) => return None,
        // A question has its own keys, and shows them.
        (Some(Overlay::Confirm(_) | Overlay::Terminal(_)), _) => return None,
        (Some(Overlay::Palette(_) | Overlay::Picker(_)), Id::MoveDown) => "next",
        (Some(Overlay::Palette(_) | Overlay::Picker(_)), Id::MoveUp) => "previous",
        (Some(_), _) => label,
    };
    Some(word)
}

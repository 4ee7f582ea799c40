//! Keys and pastes: whoever is on top has them; chords become commands through the keymap in force.

use super::{Step, commands, overlay};
use crate::config::keymap::{Chord, Condition, Key, Meaning};
use crate::tui::model::Model;
use crate::tui::overlays::Overlay;
use crate::tui::panes::incidents::update as list;
use crate::tui::runs::session;
use crate::tui::toast::Weight;

/// A key.
pub(super) fn press(model: &mut Model, step: &mut Step, chord: Chord, in_burst: bool) {
    model.toasts.read(model.now);
    if let Some(Overlay::Confirm(_)) = model.overlays.last() {
        overlay::press_confirm(model, step, chord, in_burst);
        return;
    }
    if let Some(Overlay::Terminal(_)) = model.overlays.last() {
        return session::press(model, step, chord, in_burst);
    }
    // Where people type, a character is text before it is anything else.
    if model.pending.is_empty() && model.takes_text() && chord.typed().is_some() {
        type_into(model, chord);
        return;
    }
    if is_form_key(model, chord) {
        return;
    }
    // A line end that came in one piece with other characters was pasted: it sends nothing.
    if in_burst && model.takes_text() && chord.key == Key::Enter {
        model.toasts.say(Weight::Info, "Enter came together with other characters: press it again", model.now);
        return;
    }
    model.pending.push(chord);
    let holds = |condition| holds(model, condition);
    match model.keymap.meaning(model.context(), &model.pending, &holds) {
        Meaning::Command(command) => {
            model.pending.clear();
            commands::run(model, step, command);
        }
        Meaning::Pending(_) => {}
        Meaning::Nothing => {
            let was_sequence = model.pending.len() > 1;
            model.pending.clear();
            if !was_sequence && model.takes_text() {
                type_into(model, chord);
            }
        }
    }
}

/// The form's fields that are no text take the arrows.
fn is_form_key(model: &mut Model, chord: Chord) -> bool {
    match model.overlays.last_mut() {
        Some(Overlay::Declare(form)) if !form.takes_text() && model.pending.is_empty() => form.press(chord),
        _ => false,
    }
}

/// What the keymap's conditions ask.
fn holds(model: &Model, condition: Condition) -> bool {
    match condition {
        Condition::Selected => model.selected().is_some(),
        Condition::Marked => !model.incidents.marks.is_empty(),
        Condition::Filtered => model.incidents.found.is_some(),
        Condition::Zoomed => model.zoom,
        Condition::Noticed => model.toasts.shown().iter().any(|toast| toast.weight > Weight::Info),
    }
}

fn type_into(model: &mut Model, chord: Chord) {
    match model.overlays.last_mut() {
        Some(overlay) => {
            if overlay.type_key(chord) {
                overlay::text_changed(model);
            }
        }
        None => {
            if model.incidents.filter.press(chord) {
                list::filter_changed(model);
            }
        }
    }
}

/// A paste is text where people type, and nothing anywhere else: it never acts and never confirms.
pub(super) fn paste(model: &mut Model, step: &mut Step, text: &str) {
    if session::paste(model, step, text) {
        return;
    }
    match model.overlays.last_mut() {
        Some(overlay) if overlay.takes_text() => {
            overlay.paste(text);
            overlay::text_changed(model);
        }
        None if model.incidents.is_filtering => {
            model.incidents.filter.paste(text);
            list::filter_changed(model);
        }
        _ => model.toasts.say(
            Weight::Info,
            "a paste does nothing here: open the filter, a note or the palette first",
            model.now,
        ),
    }
}

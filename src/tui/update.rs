//! The only writer of the model: synchronous, total, without I/O, without a clock.

mod act;
mod commands;
mod input;
mod learned;
mod mouse;
mod overlay;
mod settle;
mod wake;

use super::model::Model;
use super::msg::{Input, Msg, TerminalEffect};
use super::overlays::Overlay;
use super::ports::Reload;
use super::toast::Weight;
use crate::domain::action::Intent;
use crate::domain::effect::Effect;
use crate::domain::time::Timestamp;

/// What came of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Something that can be seen may have changed.
    pub redraw: bool,
    /// What the engine must do.
    pub effects: Vec<Effect>,
    /// What the rim must do.
    pub terminal: Vec<TerminalEffect>,
}

impl Step {
    /// Actions for the engine; what becomes of them is said once for all of them.
    pub(super) fn act(&mut self, model: &mut Model, intents: Vec<Intent>) {
        model.batches.begin(&intents);
        self.effects.extend(intents.into_iter().map(Effect::Act));
    }

    /// Leaves with an exit code.
    pub(super) fn quit(&mut self, code: i32) {
        self.terminal.push(TerminalEffect::Quit(code));
    }
}

/// Takes a message in. Any message in any state.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Step {
    let mut step = Step::default();
    model.now = now;
    // What was learned may move the instant at which something gets old, also where nothing else can be seen of it.
    let is_learned = matches!(msg, Msg::Learned(_));
    match msg {
        Msg::Input(input) => {
            step.redraw = true;
            take_input(model, &mut step, input);
        }
        Msg::Learned(fact) => learned::take(model, &mut step, fact),
        Msg::Reloaded(reload) => {
            step.redraw = true;
            take_reload(model, reload);
        }
        Msg::Woke => step.redraw = wake::is_visible(model, now),
        Msg::Resumed => {
            step.redraw = true;
            step.terminal.push(TerminalEffect::Redraw);
        }
        Msg::Edited { editing, text } => {
            step.redraw = true;
            act::edited(model, &mut step, editing, text);
        }
        Msg::Refused(why) => {
            step.redraw = true;
            model.toasts.say(Weight::Warning, why, now);
        }
        Msg::Slowed(is_slow) => {
            step.redraw = model.is_slow_terminal != is_slow;
            model.is_slow_terminal = is_slow;
        }
    }
    settle::settle(model, &mut step);
    // A clock that was set back must not hold the screen's own back.
    let is_far = model.text_due.is_some_and(|due| due.signed_duration_since(now) > chrono::Duration::minutes(1));
    if step.redraw || is_learned || is_far || model.text_due.is_none() {
        model.text_due = Some(wake::next_text(model, now));
    }
    step
}

fn take_input(model: &mut Model, step: &mut Step, input: Input) {
    if !matches!(input, Input::Resized(_) | Input::Focused(_)) {
        model.incidents.settles_until = None;
    }
    match input {
        Input::Key { chord, in_burst } => input::press(model, step, chord.normal(), in_burst),
        Input::Paste(text) => input::paste(model, step, &text),
        Input::Mouse(mouse) => mouse::take(model, step, mouse),
        Input::Resized(size) => {
            model.size = size;
            super::panes::incidents::update::show_cursor(model);
            super::runs::session::fit(model, step);
        }
        Input::Focused(has) => model.has_focus = has,
    }
}

fn take_reload(model: &mut Model, reload: Reload) {
    let (what, folder, problems) = match reload {
        Reload::Theme(theme, problems) => {
            let theme = std::sync::Arc::new(*theme);
            match model.themes.iter_mut().find(|known| known.name() == theme.name()) {
                Some(known) => *known = std::sync::Arc::clone(&theme),
                None => model.themes.push(std::sync::Arc::clone(&theme)),
            }
            model.theme = theme;
            ("theme", "/themes/", problems)
        }
        Reload::Keymap(keymap, problems) => {
            model.keymap = std::sync::Arc::new(*keymap);
            model.pending.clear();
            ("keymap", "/keymaps/", problems)
        }
    };
    let files: std::collections::BTreeSet<String> = problems.iter().map(|problem| problem.file.clone()).collect();
    // What was wrong before is right now, or is told again: a file without faults names itself nowhere.
    model.problems.retain(|known| !files.contains(&known.file) && !known.file.contains(folder));
    if problems.is_empty() {
        model.toasts.say(Weight::Info, format!("the {what} was read again"), model.now);
    } else {
        model.problems_seen = false;
    }
    model.problems.extend(problems);
    model.problems_seen |= model.problems.is_empty();
}

impl Model {
    /// Puts an overlay on top. The list stands still under a question about its rows.
    pub(super) fn open(&mut self, overlay: Overlay) {
        let is_about_rows = matches!(overlay, Overlay::Confirm(_) | Overlay::Picker(_) | Overlay::Prompt(_));
        if is_about_rows && self.incidents.frozen.is_none() {
            let height = super::panes::incidents::update::height(self);
            let rows = self.incidents.visible(&self.room, height);
            self.incidents.frozen = Some(rows.into_iter().map(|(_, id)| id).collect());
        }
        self.pending.clear();
        self.overlays.push(overlay);
    }

    /// Takes the topmost overlay away.
    pub(super) fn close(&mut self) -> Option<Overlay> {
        let closed = self.overlays.pop();
        let is_about_rows =
            |overlay: &Overlay| matches!(overlay, Overlay::Confirm(_) | Overlay::Picker(_) | Overlay::Prompt(_));
        if !self.overlays.iter().any(is_about_rows) {
            self.incidents.frozen = None;
        }
        closed
    }
}

#[cfg(test)]
mod tests;

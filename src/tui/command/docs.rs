//! What people read of the command table: help page, hint line, Markdown table.

use super::{Command, Danger, Group, command};
use crate::config::keymap::{Context, Keymap};
use crate::domain::command::CommandId;

/// A line of the help page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpLine {
    /// A heading.
    Heading(&'static str),
    /// A command: its keys as people read them, and the command.
    Entry {
        /// Such as `j  down`.
        keys: String,
        /// The command.
        command: Command,
    },
    /// Nothing.
    Gap,
}

/// Where a command's keys are looked up: the first context that has some.
fn home(command: &Command) -> Vec<Context> {
    match command.contexts {
        [] => vec![
            Context::Global,
            Context::Incidents,
            Context::Timeline,
            Context::Panels,
            Context::Runbook,
            Context::Overlay,
            Context::Text,
        ],
        some => some.to_vec(),
    }
}

/// The keys of a command, as people read them: at most `most`, the shortest ones.
fn keys(keymap: &Keymap, command: &Command, most: usize) -> Vec<String> {
    let found = home(command).into_iter().map(|context| keymap.keys(command.id, context)).find(|keys| !keys.is_empty());
    found.unwrap_or_default().iter().take(most).map(|chords| Keymap::sequence(chords)).collect()
}

/// The help page, from the table and the keymap in force.
#[must_use]
pub fn help_lines(keymap: &Keymap) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        if !lines.is_empty() {
            lines.push(HelpLine::Gap);
        }
        lines.push(HelpLine::Heading(group.title()));
        for command in CommandId::ALL.iter().map(|id| command(*id)).filter(|command| command.group == group) {
            lines.push(HelpLine::Entry { keys: keys(keymap, &command, 3).join("  "), command });
        }
    }
    lines
}

/// What the hint line offers in a context, most wanted first: command, key and word.
#[must_use]
pub fn hints(keymap: &Keymap, context: Context) -> Vec<(CommandId, String, &'static str)> {
    use CommandId as Id;
    let wanted: &[CommandId] = match context {
        Context::Incidents | Context::Global => &[
            Id::Acknowledge,
            Id::Escalate,
            Id::Resolve,
            Id::Note,
            Id::Open,
            Id::Filter,
            Id::Help,
            Id::Mark,
            Id::Snooze,
            Id::Reassign,
            Id::Merge,
            Id::Declare,
            Id::Explain,
            Id::Palette,
            Id::Problems,
            Id::FocusNext,
            Id::Zoom,
            Id::Quit,
        ],
        Context::Timeline => &[
            Id::Open,
            Id::FilterTimeline,
            Id::Note,
            Id::Copy,
            Id::OpenLink,
            Id::Help,
            Id::FocusNext,
            Id::Zoom,
            Id::Quit,
        ],
        Context::Panels => {
            &[Id::RangeLonger, Id::RangeShorter, Id::Refresh, Id::Help, Id::Copy, Id::FocusNext, Id::Zoom, Id::Quit]
        }
        Context::Runbook => &[
            Id::Tick,
            Id::ChooseRunbook,
            Id::Copy,
            Id::Help,
            Id::RunStep,
            Id::OpenLink,
            Id::FocusNext,
            Id::Zoom,
            Id::Quit,
            Id::SkipStep,
            Id::CancelStep,
            Id::UndoStep,
            Id::HandRun,
        ],
        Context::Overlay => &[Id::Back, Id::MoveDown, Id::MoveUp, Id::Copy, Id::OpenLink],
        Context::Problems => &[Id::Back, Id::Retry, Id::GiveUp, Id::EditAction, Id::Open, Id::MoveDown, Id::MoveUp],
        Context::Text => &[Id::Open, Id::Back, Id::MoveDown, Id::MoveUp, Id::FocusNext],
    };
    let hint = |id: &CommandId| {
        let keys = keymap.keys(*id, context);
        let names = keys.iter().map(|chords| Keymap::sequence(chords));
        // Where people type, the plain key says more than the chord that does the same.
        let key = if context == Context::Text { names.min_by_key(String::len) } else { names.into_iter().next() };
        key.map(|key| (*id, key, command(*id).short))
    };
    wanted.iter().filter_map(hint).collect()
}

/// The table of keys in Markdown: docs/keys.md, and the README's block.
#[must_use]
pub fn markdown(keymap: &Keymap) -> String {
    let mut out = String::new();
    for group in Group::ALL {
        out.push_str(&format!("\n### {}\n\n| key | command | what it does |\n|---|---|---|\n", group.title()));
        for command in CommandId::ALL.iter().map(|id| command(*id)).filter(|command| command.group == group) {
            let keys: Vec<String> = keys(keymap, &command, 4).iter().map(|keys| cell(keys)).collect();
            let asks = match command.danger {
                Danger::None => "",
                Danger::Confirm => " Asks first.",
                Danger::TypeName => " Asks first; for ten or more a word must be typed.",
            };
            let later = if command.later.is_some() { " *(later)*" } else { "" };
            out.push_str(&format!("| {} | `{}` | {}{asks}{later} |\n", keys.join(" "), command.id, command.help));
        }
    }
    out
}

fn cell(keys: &str) -> String {
    format!("`{}`", keys.replace('|', "\\|"))
}

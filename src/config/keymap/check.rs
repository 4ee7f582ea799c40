//! What cannot work in a keymap although every line of it can be read.

use super::read::{Binding, Place};
use super::{Chord, Condition, Context, Keymap, Meaning, Rule};
use crate::domain::command::CommandId;
use crate::domain::problem::Problem;

/// Sequences that nobody can type because a shorter one answers first.
pub(super) fn shadows(bindings: &[Binding], problems: &mut Vec<Problem>) {
    for long in bindings {
        let meets = |short: &&Binding| {
            let is_asked_first = short.context == long.context || short.context.below() == Some(long.context);
            let always = short.rules.iter().any(|rule| rule.when.is_none());
            let is_shorter = short.chords.len() < long.chords.len() && long.chords.starts_with(&short.chords);
            is_asked_first && always && is_shorter
        };
        let Some(short) = bindings.iter().find(meets) else { continue };
        let short_keys = Keymap::sequence(&short.chords);
        let command = short.rules.first().map_or("", |rule| rule.command.word());
        let keys = Keymap::sequence(&long.chords);
        let message =
            format!("'{keys}' cannot be typed: '{short_keys}' alone is '{command}' in [{}]", short.context.word());
        let fix = format!("take it away with \"{short_keys}\" = \"none\", or choose other keys");
        problems.push(long.place.problem(message, fix, short.context == long.context));
    }
}

/// Help and quit must be reachable from every pane, and leaving from every overlay and text; where a keymap lost them
/// they are put back on keys that every terminal sends.
pub(super) fn keep_reachable(keymap: &mut Keymap, place: &Place, problems: &mut Vec<Problem>) {
    let panes = [Context::Incidents, Context::Timeline, Context::Panels, Context::Runbook];
    let wanted = [
        (CommandId::Quit, &panes[..], Context::Global, Chord::ctrl('c')),
        (CommandId::Help, &panes[..], Context::Global, Chord::plain(super::Key::F(1))),
        (CommandId::Palette, &panes[..], Context::Global, Chord::plain(super::Key::F(2))),
        (CommandId::Back, &[Context::Overlay, Context::Problems][..], Context::Overlay, Chord::plain(super::Key::Esc)),
        (CommandId::Back, &[Context::Text][..], Context::Text, Chord::plain(super::Key::Esc)),
        (CommandId::Open, &[Context::Text][..], Context::Text, Chord::plain(super::Key::Enter)),
    ];
    for (command, contexts, home, chord) in wanted {
        let lost: Vec<Context> =
            contexts.iter().copied().filter(|context| !reaches(keymap, *context, command)).collect();
        if lost.is_empty() {
            continue;
        }
        for context in lost.iter().chain([&home]) {
            let layer = keymap.layers.entry(*context).or_default();
            layer.retain(|chords, _| chords.first() != Some(&chord));
            layer.insert(vec![chord], vec![Rule { command, when: None }]);
        }
        let names: Vec<&str> = lost.iter().map(|context| context.word()).collect();
        let message = format!("no key reaches '{command}' in {}", names.join(", "));
        problems.push(place.problem(message, format!("'{chord}' does until you bind one"), true));
    }
}

/// Whether some sequence means `command` whatever the screen shows.
fn reaches(keymap: &Keymap, context: Context, command: CommandId) -> bool {
    let always = |all: bool| move |_: Condition| all;
    keymap.keys(command, context).iter().any(|chords| {
        [true, false].into_iter().all(|all| keymap.meaning(context, chords, &always(all)) == Meaning::Command(command))
            && (1..chords.len()).all(|length| {
                let prefix = chords.get(..length).unwrap_or_default();
                matches!(keymap.meaning(context, prefix, &always(true)), Meaning::Pending(_))
            })
    })
}

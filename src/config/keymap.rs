//! Keymaps: context → chord sequence → command. Files in `keymaps/*.toml`; user files over the embedded ones.
//!
//! A broken keymap never blocks the start: what cannot be used is left out and told as a [`Problem`], and `help` and
//! `quit` always stay within reach.

pub mod chord;

mod check;
mod read;
mod resolve;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use chord::{Chord, Key};

use crate::domain::command::CommandId;
use crate::domain::problem::Problem;

/// What is in the binary: name and text. The first one is the default.
pub const BUILTIN: [(&str, &str); 3] = [
    ("default", include_str!("../../keymaps/default.toml")),
    ("vim", include_str!("../../keymaps/vim.toml")),
    ("emacs", include_str!("../../keymaps/emacs.toml")),
];

/// Where keys mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Every pane.
    Global,
    /// The incident list, over [`Context::Global`].
    Incidents,
    /// The timeline, over [`Context::Global`].
    Timeline,
    /// The panels, over [`Context::Global`].
    Panels,
    /// The checklist, over [`Context::Global`].
    Runbook,
    /// Help and details: what only is read.
    Overlay,
    /// The problems view, over [`Context::Overlay`].
    Problems,
    /// Where letters are text.
    Text,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Global,
        Self::Incidents,
        Self::Timeline,
        Self::Panels,
        Self::Runbook,
        Self::Overlay,
        Self::Problems,
        Self::Text,
    ];

    /// The word in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Incidents => "incidents",
            Self::Timeline => "timeline",
            Self::Panels => "panels",
            Self::Runbook => "runbook",
            Self::Overlay => "overlay",
            Self::Problems => "problems",
            Self::Text => "text",
        }
    }

    /// The context that is asked when this one does not know a key.
    #[must_use]
    pub fn below(self) -> Option<Self> {
        match self {
            Self::Incidents | Self::Timeline | Self::Panels | Self::Runbook => Some(Self::Global),
            Self::Problems => Some(Self::Overlay),
            Self::Global | Self::Overlay | Self::Text => None,
        }
    }
}

/// What can be asked of the screen before a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// An incident is selected.
    Selected,
    /// Incidents are marked.
    Marked,
    /// The list is filtered.
    Filtered,
    /// A pane is zoomed.
    Zoomed,
    /// A notice waits to be dismissed.
    Noticed,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Selected, Self::Marked, Self::Filtered, Self::Zoomed, Self::Noticed];

    /// The word in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Selected => "selected",
            Self::Marked => "marked",
            Self::Filtered => "filtered",
            Self::Zoomed => "zoomed",
            Self::Noticed => "noticed",
        }
    }
}

/// When a key counts: a condition, and whether it must hold or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// What is asked.
    pub condition: Condition,
    /// The answer that is wanted.
    pub wanted: bool,
}

/// What a sequence does: of several rules the first whose condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The command.
    pub command: CommandId,
    /// When; always without one.
    pub when: Option<When>,
}

/// Sequences and what they do, in one context.
pub type Layer = BTreeMap<Vec<Chord>, Vec<Rule>>;

/// A checked keymap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    name: Arc<str>,
    layers: BTreeMap<Context, Layer>,
}

/// A keymap's text as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeymapFile {
    /// Shown in problems.
    pub file: String,
    /// TOML.
    pub text: String,
}

/// What a sequence of chords means so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing.
    Nothing,
    /// The beginning of these: the next chord, and what it leads to.
    Pending(Vec<(Chord, Leads)>),
    /// A command.
    Command(CommandId),
}

/// What a chord leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// A command.
    To(CommandId),
    /// So many longer sequences.
    On(usize),
}

impl Keymap {
    /// Reads the keymap `name`. `find` answers with a user's file of that name, where there is one. Never fails.
    pub fn load(name: &str, find: &dyn Fn(&str) -> Option<KeymapFile>) -> (Self, Vec<Problem>) {
        resolve::load(name, find)
    }

    /// A keymap of the binary, or the default one.
    #[must_use]
    pub fn builtin(name: &str) -> Self {
        Self::load(name, &|_| None).0
    }

    /// Its name in the config.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything bound in `context` itself.
    pub fn layer(&self, context: Context) -> impl Iterator<Item = (&[Chord], &[Rule])> {
        self.layers.get(&context).into_iter().flatten().map(|(chords, rules)| (chords.as_slice(), rules.as_slice()))
    }

    /// What `chords` mean in `context`. A command of the upper context beats the beginning of a sequence of the lower
    /// one and the other way round.
    #[must_use]
    pub fn meaning(&self, context: Context, chords: &[Chord], holds: &dyn Fn(Condition) -> bool) -> Meaning {
        let mut next = Some(context);
        while let Some(context) = next {
            if let Some(layer) = self.layers.get(&context) {
                let fits = |rule: &&Rule| rule.when.is_none_or(|when| holds(when.condition) == when.wanted);
                if let Some(rule) = layer.get(chords).and_then(|rules| rules.iter().find(fits)) {
                    return Meaning::Command(rule.command);
                }
                if longer(layer, chords).next().is_some() {
                    return Meaning::Pending(self.continuations(context, chords));
                }
            }
            next = context.below();
        }
        Meaning::Nothing
    }

    /// What may follow `chords` in `context` and below, for the popup.
    fn continuations(&self, context: Context, chords: &[Chord]) -> Vec<(Chord, Leads)> {
        let mut found: BTreeMap<Chord, Leads> = BTreeMap::new();
        for context in [Some(context), context.below()].into_iter().flatten() {
            let layer = self.layers.get(&context).into_iter().flat_map(|layer| longer(layer, chords));
            for (sequence, rules) in layer {
                let Some(chord) = sequence.get(chords.len()) else { continue };
                let leads = match (sequence.len() - chords.len(), rules.first()) {
                    (1, Some(rule)) => Leads::To(rule.command),
                    _ => Leads::On(1),
                };
                found
                    .entry(*chord)
                    .and_modify(|known| {
                        if let Leads::On(count) = known {
                            *count += 1;
                        }
                    })
                    .or_insert(leads);
            }
        }
        found.into_iter().collect()
    }

    /// The sequences that reach `command` in `context`, shortest first; those of lower contexts only where no upper one
    /// covers them.
    #[must_use]
    pub fn keys(&self, command: CommandId, context: Context) -> Vec<Vec<Chord>> {
        let mut found: Vec<Vec<Chord>> = Vec::new();
        let mut above: Vec<&Layer> = Vec::new();
        let mut next = Some(context);
        while let Some(context) = next {
            if let Some(layer) = self.layers.get(&context) {
                let reaches = |rules: &Vec<Rule>| rules.iter().any(|rule| rule.command == command);
                let mine = layer.iter().filter(|(_, rules)| reaches(rules)).map(|(chords, _)| chords);
                found.extend(mine.filter(|chords| !above.iter().any(|layer| covers(layer, chords))).cloned());
                above.push(layer);
            }
            next = context.below();
        }
        // Letters before named keys: what the hint line shows is what hands rest on.
        let is_letter = |chords: &Vec<Chord>| chords.iter().all(|chord| chord.typed().is_some());
        found.sort_by_key(|chords| (chords.len(), !is_letter(chords)));
        found
    }

    /// A sequence as people read it: `ctrl-x ctrl-c`.
    #[must_use]
    pub fn sequence(chords: &[Chord]) -> String {
        chords.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The whole keymap as a file: reads back as itself.
    #[must_use]
    pub fn to_toml(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::from("inherits = \"none\"\n");
        for (context, layer) in &self.layers {
            let _ = writeln!(out, "\n[{}]", context.word());
            for (chords, rules) in layer {
                let shown: Vec<String> = rules.iter().map(rule_toml).collect();
                let quoted = toml::Value::String(Self::sequence(chords));
                let _ = match shown.as_slice() {
                    [one] => writeln!(out, "{quoted} = {one}"),
                    many => writeln!(out, "{quoted} = [{}]", many.join(", ")),
                };
            }
        }
        out
    }
}

/// As name and file, since sequences of chords are no keys of a JSON object.
#[derive(serde::Serialize, serde::Deserialize)]
struct Written {
    name: String,
    toml: String,
}

impl serde::Serialize for Keymap {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { name: self.name.to_string(), toml: self.to_toml() }.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Keymap {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { name, toml } = Written::deserialize(deserializer)?;
        let find = |_: &str| Some(KeymapFile { file: name.clone(), text: toml.clone() });
        Ok(Self::load(&name, &find).0)
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::builtin("default")
    }
}

fn longer<'a>(layer: &'a Layer, chords: &'a [Chord]) -> impl Iterator<Item = (&'a Vec<Chord>, &'a Vec<Rule>)> {
    let is_longer = move |sequence: &Vec<Chord>| sequence.starts_with(chords) && sequence.len() > chords.len();
    layer
        .range::<[Chord], _>((std::ops::Bound::Included(chords), std::ops::Bound::Unbounded))
        .take_while(move |(sequence, _)| sequence.starts_with(chords))
        .filter(move |(sequence, _)| is_longer(sequence))
}

/// Whether `layer` answers to `chords` before a lower one is asked.
fn covers(layer: &Layer, chords: &[Chord]) -> bool {
    let always = |rules: &Vec<Rule>| rules.iter().any(|rule| rule.when.is_none());
    let by_prefix = (1..=chords.len()).any(|length| {
        let prefix = chords.get(..length).unwrap_or_default();
        layer.get(prefix).is_some_and(always)
    });
    by_prefix || longer(layer, chords).next().is_some()
}

fn rule_toml(rule: &Rule) -> String {
    match rule.when {
        None => format!("\"{}\"", rule.command),
        Some(when) => {
            let not = if when.wanted { "" } else { "not " };
            format!("{{ command = \"{}\", when = \"{not}{}\" }}", rule.command, when.condition.word())
        }
    }
}

#[cfg(test)]
mod tests;

//! From files to a keymap: parents first, children over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::read::{self, Binding, Place, Sheet, suggestion};
use super::{BUILTIN, Keymap, KeymapFile, check};
use crate::domain::problem::Problem;

pub(super) fn load(name: &str, find: &dyn Fn(&str) -> Option<KeymapFile>) -> (Keymap, Vec<Problem>) {
    let mut problems = Vec::new();
    let Some(sheets) = chain(name, find, &mut problems) else {
        let place = Place { file: "[room] keymap".into(), at: None };
        problems.insert(0, place.problem(format!("there is no keymap '{name}'"), known_fix(name), true));
        return (Keymap::builtin(default_name()), problems);
    };
    let bindings = merge(sheets);
    let mut keymap = Keymap { name: Arc::from(name), layers: BTreeMap::new() };
    for binding in &bindings {
        let layer = keymap.layers.entry(binding.context).or_default();
        layer.insert(binding.chords.clone(), binding.rules.clone());
    }
    let file = find(name).map_or_else(|| builtin_file(name), |file| file.file);
    check::shadows(&bindings, &mut problems);
    check::keep_reachable(&mut keymap, &Place { file, at: None }, &mut problems);
    (keymap, problems)
}

fn default_name() -> &'static str {
    BUILTIN.first().map_or("default", |(name, _)| name)
}

fn known_fix(name: &str) -> String {
    let near = suggestion(name, BUILTIN.iter().map(|(known, _)| *known));
    if !near.is_empty() {
        return near;
    }
    let known: Vec<&str> = BUILTIN.iter().map(|(known, _)| *known).collect();
    format!("there are {}, and files in the keymaps folder", known.join(", "))
}

fn builtin_file(name: &str) -> String {
    format!("built-in keymap '{name}'")
}

fn open_builtin(name: &str) -> Option<KeymapFile> {
    let text = BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)?;
    Some(KeymapFile { file: builtin_file(name), text: text.into() })
}

/// The file and those it inherits from, the oldest last. A user's file without `inherits` starts from the built-in one
/// of its name, else from the default.
fn chain(name: &str, find: &dyn Fn(&str) -> Option<KeymapFile>, problems: &mut Vec<Problem>) -> Option<Vec<Sheet>> {
    let first = find(name).or_else(|| open_builtin(name))?;
    let mut seen = vec![(name.to_owned(), first.file.clone())];
    let mut sheets = vec![read::read(&first, problems)];
    while let Some(sheet) = sheets.last() {
        let child = seen.last().map(|(child, _)| child.clone()).unwrap_or_default();
        let (parent, place) = sheet.inherits.clone().unwrap_or_else(|| {
            let own = BUILTIN.iter().any(|(known, _)| *known == child);
            (if own { child.clone() } else { default_name().to_owned() }, Place::default())
        });
        if parent == "none" {
            break;
        }
        let file =
            if parent == child { open_builtin(&parent) } else { find(&parent).or_else(|| open_builtin(&parent)) };
        let Some(file) = file else {
            let message = format!("there is no keymap '{parent}' to inherit from");
            problems.push(place.problem(message, known_fix(&parent), true));
            break;
        };
        if seen.iter().any(|(_, known)| *known == file.file) {
            let path: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).chain([parent.as_str()]).collect();
            let message = format!("keymaps inherit in a circle: {}", path.join(" → "));
            problems.push(place.problem(message, "take one 'inherits' out".into(), true));
            break;
        }
        sheets.push(read::read(&file, problems));
        seen.push((parent, file.file));
    }
    Some(sheets)
}

/// A child's line replaces its parent's for the same chords; one without rules takes the key away.
fn merge(sheets: Vec<Sheet>) -> Vec<Binding> {
    let mut merged: Vec<Binding> = Vec::new();
    for binding in sheets.into_iter().rev().flat_map(|sheet| sheet.bindings) {
        merged.retain(|known| known.context != binding.context || known.chords != binding.chords);
        merged.push(binding);
    }
    merged.retain(|binding| !binding.rules.is_empty());
    merged
}

//! From files to a theme: parents first, names to colours, what is missing from the dark theme.

use std::sync::Arc;

use super::colour::{Colour, Shade};
use super::read::{self, LookSpec, Place, Sheet, suggestion};
use super::{BUILTIN, Look, Role, Theme, ThemeFile, check};
use crate::domain::problem::Problem;

pub(super) fn load(name: &str, find: &dyn Fn(&str) -> Option<ThemeFile>) -> (Theme, Vec<Problem>) {
    let mut problems = Vec::new();
    let Some(sheets) = chain(name, find, &mut problems) else {
        let place = Place { file: "[room] theme".into(), at: None };
        problems.insert(0, place.problem(format!("there is no theme '{name}'"), known_fix(name), true));
        return (fallback(), problems);
    };
    let merged = merge(sheets);
    let base = if BUILTIN.first().is_some_and(|(known, _)| *known == name) { None } else { Some(fallback()) };
    let place = Place { file: find(name).map_or_else(|| builtin_file(name), |file| file.file), at: None };
    let missing: Vec<&str> =
        Role::ALL.iter().filter(|role| !merged.roles.contains_key(role)).map(|role| role.word()).collect();
    if !missing.is_empty() {
        let message = format!("no look for {}", missing.join(", "));
        problems.push(place.problem(message, "inherit from 'dark' or 'light', or add them".into(), false));
    }
    let look = |role: &Role| match merged.roles.get(role) {
        Some((spec, _)) => resolve(spec, &merged, &mut problems),
        None => base.as_ref().map_or_else(Look::default, |base| base.look(*role)),
    };
    let looks: Vec<Look> = Role::ALL.iter().map(look).collect();
    let theme = Theme { name: Arc::from(name), looks: looks.into() };
    check::check(
        &theme,
        |role| merged.roles.get(&role).map_or_else(|| place.clone(), |(_, at)| at.clone()),
        &mut problems,
    );
    (theme, problems)
}

fn fallback() -> Theme {
    let find = |_: &str| None;
    load(BUILTIN.first().map_or("dark", |(name, _)| name), &find).0
}

fn known_fix(name: &str) -> String {
    let near = suggestion(name, BUILTIN.iter().map(|(known, _)| *known));
    if !near.is_empty() {
        return near;
    }
    let known: Vec<&str> = BUILTIN.iter().map(|(known, _)| *known).collect();
    format!("there are {}, and files in the themes folder", known.join(", "))
}

fn builtin_file(name: &str) -> String {
    format!("built-in theme '{name}'")
}

fn open(name: &str, find: &dyn Fn(&str) -> Option<ThemeFile>) -> Option<ThemeFile> {
    find(name).or_else(|| open_builtin(name))
}

fn open_builtin(name: &str) -> Option<ThemeFile> {
    let text = BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)?;
    Some(ThemeFile { file: builtin_file(name), text: text.into() })
}

/// The file and those it inherits from, the oldest last. A user's `dark.toml` that inherits `dark` means the one in
/// the binary.
fn chain(name: &str, find: &dyn Fn(&str) -> Option<ThemeFile>, problems: &mut Vec<Problem>) -> Option<Vec<Sheet>> {
    let first = open(name, find)?;
    let mut seen = vec![(name.to_owned(), first.file.clone())];
    let mut sheets = vec![read::read(&first, problems)];
    while let Some((parent, place)) = sheets.last().and_then(|sheet| sheet.inherits.clone()) {
        let overrides_itself = seen.last().is_some_and(|(child, _)| *child == parent);
        let file = if overrides_itself { open_builtin(&parent) } else { open(&parent, find) };
        let Some(file) = file else {
            problems.push(place.problem(
                format!("there is no theme '{parent}' to inherit from"),
                known_fix(&parent),
                true,
            ));
            break;
        };
        if seen.iter().any(|(_, known)| *known == file.file) {
            let path: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).chain([parent.as_str()]).collect();
            let message = format!("themes inherit in a circle: {}", path.join(" → "));
            problems.push(place.problem(message, "take one 'inherits' out".into(), true));
            break;
        }
        sheets.push(read::read(&file, problems));
        seen.push((parent, file.file));
    }
    Some(sheets)
}

/// A child's palette also changes what its parents' roles mean, so a theme can be another one in other colours.
fn merge(sheets: Vec<Sheet>) -> Sheet {
    let mut merged = Sheet::default();
    for sheet in sheets.into_iter().rev() {
        merged.palette.extend(sheet.palette);
        merged.roles.extend(sheet.roles);
    }
    merged
}

fn resolve(spec: &LookSpec, sheet: &Sheet, problems: &mut Vec<Problem>) -> Look {
    let mut colour = |named: &Option<(String, Place)>| {
        let (name, place) = named.as_ref()?;
        let found: Option<Shade> = sheet.palette.get(name).copied().or_else(|| Colour::parse(name).map(Shade::of));
        if found.is_none() {
            let fix = suggestion(name, sheet.palette.keys().map(String::as_str));
            problems.push(place.problem(format!("'{name}' is neither in the palette nor a colour"), fix, true));
        }
        found
    };
    Look {
        fg: colour(&spec.fg),
        bg: colour(&spec.bg),
        bold: spec.bold,
        dim: spec.dim,
        italic: spec.italic,
        underline: spec.underline,
        reverse: spec.reverse,
    }
}

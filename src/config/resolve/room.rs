//! `[room]`, `[runbooks]`, `[dashboards]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Around, set};
use crate::config::files::expand;
use crate::config::model::{Config, Trust};
use crate::config::read::{Item, Section};

pub(super) fn room(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("room", "[room]") else { return };
    let room = &mut config.room;
    set(&mut room.name, section.item("name").and_then(|item| item.clean()));
    set(&mut room.operator, section.item("operator").and_then(|item| item.clean()));
    set(&mut room.time_zone, section.item("time_zone").and_then(|item| item.time_zone()));
    set(&mut room.journal, section.item("journal").and_then(|item| journal(&item, around)));
    set(&mut room.theme, section.item("theme").and_then(|item| item.text()));
    set(&mut room.keymap, section.item("keymap").and_then(|item| item.text()));
    if section.has("read_only") {
        // Somebody wanted it; when it cannot be read, doing nothing is the safe guess.
        room.read_only = section.item("read_only").and_then(|item| item.flag()).unwrap_or(true);
    }
    section.finish();
}

fn journal(item: &Item<'_>, around: Around<'_>) -> Option<String> {
    let text = item.text()?;
    if let Some(path) = text.strip_prefix("sqlite:") {
        return Some(format!(
            "sqlite:{}",
            expand(path.trim_start_matches("//"), around.folder, around.environment).display()
        ));
    }
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        // May hold a password: never repeated in a message.
        return Some(text);
    }
    item.error(
        format!("{} is neither a file nor a database", item.what),
        "write \"sqlite:PATH\" or \"postgres://HOST/DATABASE\"",
    );
    None
}

pub(super) fn runbooks(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("runbooks", "[runbooks]") else { return };
    set(&mut config.runbook_dirs, section.item("dirs").and_then(|item| folders(&item, around)));
    let words = [("ask", Trust::Ask), ("never", Trust::Never), ("always", Trust::Always)];
    set(&mut config.runbook_trust, section.item("trust").and_then(|item| item.choice(&words)));
    section.finish();
}

pub(super) fn dashboards(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("dashboards", "[dashboards]") else { return };
    set(&mut config.dashboard_dirs, section.item("dirs").and_then(|item| folders(&item, around)));
    section.finish();
}

fn folders(item: &Item<'_>, around: Around<'_>) -> Option<Vec<PathBuf>> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for item in item.list()? {
        let Some(folder) = item.path(around.folder, around.environment) else { continue };
        if !folder.is_dir() {
            let message = format!("there is no folder '{}'", folder.display());
            item.sheet.warn(&item.span(), message, "create it, or remove it from the list");
        }
        if seen.insert(folder.clone()) {
            found.push(folder);
        }
    }
    Some(found)
}

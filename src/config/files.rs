//! Where our files are, and user files over embedded ones.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::keymap::{Keymap, KeymapFile};
use super::model::Config;
use super::theme::{Theme, ThemeFile};
use crate::dashboard::{self, Dashboard};
use crate::domain::problem::Problem;
use crate::runbook::{self, Runbook};

/// The environment as a function, so that tests and replays do not depend on the process's own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where our files are (XDG on every system).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `warroom` in the configuration folder: config.toml, themes/, keymaps/, runbooks/, dashboards/.
    pub config: PathBuf,
    /// `warroom` in the state folder: journal, log/, crash reports.
    pub state: PathBuf,
}

impl Places {
    /// Finds them: `XDG_CONFIG_HOME` and `XDG_STATE_HOME` when absolute (others are to be ignored, says the
    /// specification), else below the home folder, else below the working folder.
    #[must_use]
    pub fn find(environment: Environment<'_>) -> Self {
        let home = environment("HOME").map(PathBuf::from).or_else(|| etcetera::home_dir().ok()).unwrap_or_default();
        let folder = |name: &str, below_home: &str| {
            let set = environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
            set.unwrap_or_else(|| home.join(below_home)).join("warroom")
        };
        Self { config: folder("XDG_CONFIG_HOME", ".config"), state: folder("XDG_STATE_HOME", ".local/state") }
    }

    /// The configuration file that is read when `--config` names none.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}

/// `path` as written in a file in `folder`: `~` is the home folder, relative paths start at `folder`.
#[must_use]
pub fn expand(path: &str, folder: &Path, environment: Environment<'_>) -> PathBuf {
    match (path.strip_prefix('~'), environment("HOME")) {
        (Some(""), Some(home)) => PathBuf::from(home),
        (Some(rest), Some(home)) if rest.starts_with('/') => Path::new(&home).join(rest.trim_start_matches('/')),
        _ => folder.join(path),
    }
}

/// Largest file of ours that is read; a runbook has at most one mebibyte, the others some kilobytes.
const MOST_BYTES: u64 = 4 << 20;

/// The runbooks of the configured folders, then the built-in ones; of two with one id the first wins.
#[must_use]
pub fn runbooks(config: &Config) -> (Vec<Runbook>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut libraries = Vec::new();
    let mut ids = BTreeSet::new();
    let mut take = |read: runbook::Document, is_users: bool, problems: &mut Vec<Problem>| {
        problems.extend(read.problems);
        libraries.push(read.library);
        for runbook in read.runbooks {
            if ids.insert(runbook.id.clone()) {
                found.push(runbook);
            } else if is_users {
                let message = format!("a runbook with the id '{}' was read before", runbook.id);
                let fix = "give it another id, or remove one; the first one counts".to_owned();
                let file = runbook.origin.as_str().to_owned();
                problems.push(Problem { file, at: None, message, fix, is_error: false });
            }
        }
    };
    let documents = documents(&config.runbook_dirs, &["yaml", "yml", "md"], &mut problems);
    // `NAME.test.yaml` is a runbook's test, not a runbook.
    let is_test = |path: &Path| {
        path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some_and(|word| word == "test"))
    };
    for path in documents.into_iter().filter(|path| !is_test(path)) {
        match read(&path) {
            Ok(bytes) => {
                take(runbook::document(&path.display().to_string(), &bytes), true, &mut problems);
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (file, text) in runbook::builtin::FILES {
        take(runbook::document(file, text.as_bytes()), false, &mut problems);
    }
    problems.extend(runbook::link(&mut found, &libraries));
    (found, problems)
}

/// The dashboards of the configured folders, then the built-in ones; of two with one name the first wins.
#[must_use]
pub fn dashboards(config: &Config) -> (Vec<Dashboard>, Vec<Problem>) {
    let (mut found, mut problems): (Vec<Dashboard>, _) = (Vec::new(), Vec::new());
    for path in documents(&config.dashboard_dirs, &["toml"], &mut problems) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if found.iter().any(|known| known.name == name) {
            continue;
        }
        match text(&path) {
            Ok(text) => {
                let (dashboard, wrong) = dashboard::load::load(&name, &path.display().to_string(), &text);
                problems.extend(wrong);
                found.extend(dashboard);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let (shipped, wrong) = dashboard::builtin::dashboards();
    problems.extend(wrong);
    for dashboard in shipped {
        if !found.iter().any(|known| known.name == dashboard.name) {
            found.push(dashboard);
        }
    }
    (found, problems)
}

/// A file's path and text.
pub type Document = (PathBuf, String);

/// The user's own dashboards and runbooks as they stand on disk, in the order in which they count: for a recording.
#[must_use]
pub fn user_documents(config: &Config) -> (Vec<Document>, Vec<Document>) {
    let texts = |folders: &[PathBuf], endings: &[&str]| {
        let found = documents(folders, endings, &mut Vec::new()).into_iter();
        found.filter_map(|path| Some((path.clone(), text(&path).ok()?))).collect()
    };
    (texts(&config.dashboard_dirs, &["toml"]), texts(&config.runbook_dirs, &["yaml", "yml", "md"]))
}

/// The theme of that name, a user's file over the embedded one.
#[must_use]
pub fn theme(name: &str, places: &Places) -> (Theme, Vec<Problem>) {
    let folder = places.config.join("themes");
    let unreadable = std::cell::RefCell::new(Vec::new());
    let (theme, mut problems) = Theme::load(name, &|name| {
        let path = named(&folder, name)?;
        match text(&path) {
            Ok(text) => Some(ThemeFile { file: path.display().to_string(), text }),
            Err(problem) => {
                unreadable.borrow_mut().push(problem);
                None
            }
        }
    });
    problems.extend(unreadable.into_inner());
    (theme, problems)
}

/// The keymap of that name, a user's file over the embedded one.
#[must_use]
pub fn keymap(name: &str, places: &Places) -> (Keymap, Vec<Problem>) {
    let folder = places.config.join("keymaps");
    let unreadable = std::cell::RefCell::new(Vec::new());
    let (keymap, mut problems) = Keymap::load(name, &|name| {
        let path = named(&folder, name)?;
        match text(&path) {
            Ok(text) => Some(KeymapFile { file: path.display().to_string(), text }),
            Err(problem) => {
                unreadable.borrow_mut().push(problem);
                None
            }
        }
    });
    problems.extend(unreadable.into_inner());
    (keymap, problems)
}

/// What a file below the configuration folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In themes/.
    Theme,
    /// In keymaps/.
    Keymap,
}

/// The user's themes and keymaps that are not in force: they are checked all the same.
#[must_use]
pub fn other_files(config: &Config, places: &Places) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let kinds = [(Kind::Theme, "themes", &config.room.theme), (Kind::Keymap, "keymaps", &config.room.keymap)];
    for (kind, folder, in_force) in kinds {
        for path in below(&places.config.join(folder), &["toml"], &mut Vec::new()) {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if name != *in_force {
                found.push((kind, name));
            }
        }
    }
    found
}

/// The user's file `name.toml` in `folder`, when there is one. A name is a name, never a path.
#[must_use]
pub fn named(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let path = folder.join(format!("{name}.toml"));
    (is_name && path.exists()).then_some(path)
}

/// A user's text file.
///
/// # Errors
/// Why it cannot be read, as a problem of that file.
pub fn text(path: &Path) -> Result<String, Problem> {
    String::from_utf8(read(path)?).map_err(|_cause| problem(path, "the file is not UTF-8", "save it as UTF-8"))
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = std::fs::File::open(path).map_err(|cause| unreadable(path, &cause))?;
    // A named pipe would wait for ever.
    if !file.metadata().is_ok_and(|about| about.is_file()) {
        return Err(problem(path, "this is not a regular file", "remove it, or put the file itself there"));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|cause| unreadable(path, &cause))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(problem(path, "the file is larger than 4 MiB", "split it"));
    }
    Ok(bytes)
}

fn documents(folders: &[PathBuf], endings: &[&str], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    folders.iter().flat_map(|folder| below(folder, endings, problems)).collect()
}

/// The files of a folder with one of these endings, sorted by name, folders below included up to four levels. A folder
/// that is not there is told elsewhere (when it was configured) or is nobody's fault (when it is the default).
fn below(folder: &Path, endings: &[&str], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == ErrorKind::NotFound => continue,
            Err(cause) => {
                problems.push(unreadable(&folder, &cause));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Links to folders are not followed: a loop would never end.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < 4 && !is_hidden {
                    folders.push((path, depth + 1));
                }
            } else if !is_hidden && path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Problem {
    let fix = match cause.kind() {
        ErrorKind::PermissionDenied => "make it readable for you: chmod u+r",
        _ => "look at its disk",
    };
    problem(path, &format!("cannot be read: {cause}"), fix)
}

fn problem(path: &Path, message: &str, fix: &str) -> Problem {
    Problem {
        file: path.display().to_string(),
        at: None,
        message: message.to_owned(),
        fix: fix.to_owned(),
        is_error: true,
    }
}

#[cfg(test)]
mod tests;

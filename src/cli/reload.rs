//! Themes and keymaps that change on disk while the room is open. Works on the watcher's own thread: the screen only
//! gets the finished value, and a full lane makes the watcher wait, never the keys.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::Session;
use crate::config::files;
use crate::config::watch::{Watcher, watch};
use crate::tui::ports::Reload;

/// How many changes may wait; people save files, programs do not.
pub const RELOAD_LANE: usize = 16;

/// Watches the configuration file, themes/ and keymaps/ until the watcher is dropped. `None` when the system cannot
/// watch: then nothing is reloaded, and the log says so.
#[must_use]
pub fn start(session: &Session, reloads: mpsc::Sender<Reload>) -> Option<Watcher> {
    let session = session.clone();
    let file = session.load().config.file.unwrap_or_else(|| session.places.config_file());
    let folders = [session.places.config.clone()];
    let watched = Watched::of(&session, file.clone());
    let started = watch(&folders, &[file], move |paths| watched.tell(&session, paths, &reloads));
    started.map_err(|cause| tracing::warn!(%cause, "files are not watched: changes need a restart")).ok()
}

/// What a change may concern.
struct Watched {
    file: PathBuf,
    themes: PathBuf,
    keymaps: PathBuf,
}

impl Watched {
    fn of(session: &Session, file: PathBuf) -> Self {
        Self { file, themes: session.places.config.join("themes"), keymaps: session.places.config.join("keymaps") }
    }

    fn tell(&self, session: &Session, paths: &BTreeSet<PathBuf>, reloads: &mpsc::Sender<Reload>) {
        let is_config = paths.iter().any(|path| path.file_name() == self.file.file_name());
        let is_theme = is_config || paths.iter().any(|path| path.starts_with(&self.themes));
        let is_keymap = is_config || paths.iter().any(|path| path.starts_with(&self.keymaps));
        if !is_theme && !is_keymap {
            return;
        }
        let room = session.load().config.room;
        if is_theme {
            let (theme, problems) = files::theme(&room.theme, &session.places);
            // An error says that the screen is gone: nobody needs it any more.
            let _ = reloads.blocking_send(Reload::Theme(Box::new(theme), problems));
        }
        if is_keymap {
            let (keymap, problems) = files::keymap(&room.keymap, &session.places);
            let _ = reloads.blocking_send(Reload::Keymap(Box::new(keymap), problems));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::Globals;
    use crate::config::files::Places;

    /// Next reload; the watcher has its own clock, so the wait is real and named.
    fn next(reloads: &mut mpsc::Receiver<Reload>) -> Reload {
        let until = std::time::Instant::now() + Duration::from_secs(10);
        loop {
            match reloads.try_recv() {
                Ok(reload) => return reload,
                Err(mpsc::error::TryRecvError::Empty) if std::time::Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(cause) => panic!("no reload came within 10 s: {cause}"),
            }
        }
    }

    #[test]
    fn a_theme_saved_by_rename_is_reloaded_with_its_problems() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places { config: folder.path().to_path_buf(), state: folder.path().join("state") };
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        std::fs::write(folder.path().join("config.toml"), "[room]\ntheme = \"mine\"\n").unwrap();
        let file = folder.path().join("themes/mine.toml");
        std::fs::write(&file, "inherits = \"dark\"\n").unwrap();
        let session = Session { globals: Globals::default(), places };
        let (sender, mut reloads) = mpsc::channel(RELOAD_LANE);
        let _watcher = start(&session, sender).expect("the system can watch");
        let fresh = folder.path().join("themes/.mine.toml.swp");
        std::fs::write(&fresh, "inherits = \"light\"\n[roles]\nno-such-role = { bold = true }\n").unwrap();
        std::fs::rename(&fresh, &file).unwrap();
        let Reload::Theme(theme, problems) = next(&mut reloads) else { panic!("a theme was saved") };
        assert_eq!(theme.name(), "mine");
        assert!(problems.iter().any(|problem| problem.file.ends_with("mine.toml")), "{problems:?}");
    }
}

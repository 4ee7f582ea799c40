//! Children of the screen: the editor that has the terminal for a while, and the browser. They get the environment that
//! the edge allows and nothing else.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use super::Options;
use crate::tui::msg::Editing;

/// Longest text taken back from an editor; PagerDuty's notes end at 25,000 characters.
const MAX_TEXT_BYTES: u64 = 256 * 1024;

/// An editor that has the terminal.
#[derive(Debug)]
pub(super) struct Away {
    editing: Editing,
    file: PathBuf,
    child: tokio::process::Child,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Back {
    pub editing: Editing,
    pub text: Result<String, String>,
}

impl Away {
    /// Opens the editor on a private file.
    pub fn edit(editing: Editing, text: &str, options: &Options) -> Result<Self, String> {
        let words = shell_words::split(&options.editor).map_err(|error| format!("$EDITOR cannot be read: {error}"))?;
        let (program, arguments) = words.split_first().ok_or("no editor: set $EDITOR")?;
        let file = std::env::temp_dir().join(format!("warroom-{}.md", uuid::Uuid::new_v4()));
        let mut create = fs::OpenOptions::new();
        create.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut create, 0o600);
        let written = create.open(&file).and_then(|mut open| open.write_all(text.as_bytes()));
        written.map_err(|error| format!("no file for the editor in {}: {error}", std::env::temp_dir().display()))?;
        #[expect(clippy::disallowed_methods, reason = "the editor: argument vector, allowed environment only")]
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).arg(&file).env_clear().envs(options.environment.iter().cloned());
        let child = command.spawn().map_err(|error| {
            let _ = fs::remove_file(&file);
            format!("the editor {program} cannot be started: {error}; set $EDITOR")
        })?;
        Ok(Self { editing, file, child })
    }

    fn finish(self, status: std::io::Result<std::process::ExitStatus>) -> Back {
        let text = read_back(&self.file, status);
        let _ = fs::remove_file(&self.file);
        Back { editing: self.editing, text }
    }
}

fn read_back(file: &PathBuf, status: std::io::Result<std::process::ExitStatus>) -> Result<String, String> {
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the editor ended with {status}: nothing was written")),
        Err(error) => return Err(format!("the editor was lost: {error}")),
    }
    let size = fs::metadata(file).map(|data| data.len()).unwrap_or(0);
    if size > MAX_TEXT_BYTES {
        return Err(format!("the text has {size} bytes, more than {MAX_TEXT_BYTES}: nothing was written"));
    }
    let bytes = fs::read(file).map_err(|error| format!("the text cannot be read back: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Waits until the editor is left; for ever when there is none.
///
/// Cancel safety: nothing is lost when it is dropped.
pub(super) async fn back(away: &mut Option<Away>) -> Back {
    let status = match away {
        Some(away) => away.child.wait().await,
        None => std::future::pending().await,
    };
    match away.take() {
        Some(away) => away.finish(status),
        None => std::future::pending().await,
    }
}

/// Opens a page in the browser of this machine and does not wait for it.
pub(super) fn open_link(link: &str, environment: &[(String, String)]) -> Result<(), String> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    #[expect(clippy::disallowed_methods, reason = "the browser: argument vector, allowed environment only")]
    let mut command = tokio::process::Command::new(opener);
    command
        .arg(link)
        .env_clear()
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.spawn() {
        // tokio reaps it when it ends.
        Ok(_) => Ok(()),
        Err(error) => Err(format!("no browser here ({opener}: {error}): {link}")),
    }
}

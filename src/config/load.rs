//! From file, environment and flags to a complete [`Config`]; collects every problem and never fails.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::files::{Environment, Places};
use super::model::Config;
use super::read::place::line_column;
use super::read::{Section, Sheet};
use super::resolve::{self, Around};
use super::{defaults, environment};
use crate::domain::problem::Problem;

/// What command line flags say over the file.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--read-only`.
    pub read_only: bool,
    /// `--theme`.
    pub theme: Option<String>,
    /// `--keymap`.
    pub keymap: Option<String>,
}

/// The layers, lowest first: built in, file, environment, flags.
#[derive(Clone)]
pub struct Inputs<'a> {
    /// `--config`; else `WARROOM_CONFIG`, else the XDG place.
    pub file: Option<PathBuf>,
    /// Where our files are.
    pub places: &'a Places,
    /// The environment.
    pub environment: Environment<'a>,
    /// The flags.
    pub flags: Flags,
}

/// The configuration and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Complete and usable, whatever the file looks like.
    pub config: Config,
    /// In the order of the file.
    pub problems: Vec<Problem>,
}

/// Loads everything. Reads the file; never fails.
#[must_use]
pub fn load(inputs: &Inputs<'_>) -> Loaded {
    let mut config = defaults::config(inputs.places, inputs.environment);
    let named = inputs.file.clone().or_else(|| (inputs.environment)("WARROOM_CONFIG").map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| inputs.places.config_file());
    let mut problems = match std::fs::read(&path) {
        Ok(bytes) => {
            config.file = Some(path.clone());
            over(&mut config, &path, &bytes, inputs.environment)
        }
        // Nobody has to have a file; but one that was named must be there.
        Err(cause) if cause.kind() == ErrorKind::NotFound && named.is_none() => Vec::new(),
        Err(cause) => vec![unreadable(&path, &cause)],
    };
    problems.extend(environment::over(&mut config, inputs.environment));
    set_flags(&mut config, &inputs.flags);
    Loaded { config, problems }
}

/// Lays the text of a file over `config` and returns what is wrong with it.
pub fn over(config: &mut Config, path: &Path, bytes: &[u8], environment: Environment<'_>) -> Vec<Problem> {
    let file = path.display().to_string();
    let (text, mut problems) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, Vec::new()),
        Err(cause) => {
            let (sound, _) = bytes.split_at(cause.valid_up_to());
            let sound = std::str::from_utf8(sound).unwrap_or_default();
            let problem = Problem {
                file: file.clone(),
                at: Some(line_column(sound, sound.len())),
                message: "the file is not UTF-8 from here on".to_owned(),
                fix: "save it as UTF-8; the part before is used".to_owned(),
                is_error: true,
            };
            // Up to the last whole line: half a line would be misread.
            (sound.rsplit_once('\n').map_or("", |(lines, _)| lines), vec![problem])
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let sheet = Sheet::new(&file, text);
    let table = sheet.parse();
    let folder = path.parent().unwrap_or(Path::new(""));
    resolve::apply(config, Section::new(&sheet, "", &table, 0..0), Around { folder, environment });
    drop(table);
    problems.splice(0..0, sheet.into_problems());
    problems
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Problem {
    let (message, fix) = match cause.kind() {
        ErrorKind::NotFound => {
            ("there is no such file", "write one with 'warroom init', or name another with --config")
        }
        ErrorKind::PermissionDenied => ("the file may not be read", "make it yours: chown it and chmod 600"),
        ErrorKind::IsADirectory => ("this is a folder", "name the file in it: --config FOLDER/config.toml"),
        _ => ("the file cannot be read", "look at its disk; the built-in values are used"),
    };
    Problem {
        file: path.display().to_string(),
        at: None,
        message: message.to_owned(),
        fix: fix.to_owned(),
        is_error: true,
    }
}

fn set_flags(config: &mut Config, flags: &Flags) {
    config.room.read_only |= flags.read_only;
    if let Some(theme) = &flags.theme {
        config.room.theme.clone_from(theme);
    }
    if let Some(keymap) = &flags.keymap {
        config.room.keymap.clone_from(keymap);
    }
}

//! The log file: JSON lines in the XDG state folder, rotated by size, secrets masked. Nothing of it ever goes to the
//! screen; a log that cannot be written is told once and never stops the program.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use super::session::environment;
use super::{LogLevel, Session};
use crate::text::redact::SECRETS;

/// A file of this size is put aside: a day at `info`, minutes at `trace`.
const MOST_BYTES: u64 = 8 << 20;

/// Lines that may wait for the disk; the library's own 128,000 take four megabytes before the first is written.
const MOST_WAITING: usize = 4_096;

/// How many are kept beside the current one.
const KEPT: u32 = 4;

/// As [`start`]; what hinders it is one line on standard error.
pub fn start_or_tell(session: &Session) -> Option<WorkerGuard> {
    match start(session) {
        Ok(guard) => Some(guard),
        Err(cause) => {
            let folder = session.log_dir();
            let _ = writeln!(io::stderr(), "warroom: no log is written to {}: {cause}", folder.display());
            None
        }
    }
}

/// Starts logging; the guard writes what is left when it is dropped.
///
/// # Errors
/// When the folder or file cannot be made, or `WARROOM_LOG` cannot be read.
pub fn start(session: &Session) -> io::Result<WorkerGuard> {
    let file = RotatingFile::open(&session.log_dir().join("warroom.log"), MOST_BYTES)?;
    let lines = NonBlockingBuilder::default().buffered_lines_limit(MOST_WAITING);
    let (writer, guard) = lines.finish(Masked(file));
    let filter = filter(session.globals.log_level, environment("WARROOM_LOG").as_deref())?;
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(writer).finish();
    // A second subscriber in one process (tests) keeps the first one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    Ok(guard)
}

/// `WARROOM_LOG` in the syntax of `RUST_LOG`, else the level for our own modules and warnings of others'.
fn filter(level: Option<LogLevel>, variable: Option<&str>) -> io::Result<EnvFilter> {
    let directives = match (level, variable) {
        (None, Some(directives)) => directives.to_owned(),
        (Some(LogLevel::Trace), _) => "trace".to_owned(),
        (level, _) => format!("warn,warroom={}", level.unwrap_or_default().word()),
    };
    EnvFilter::try_new(directives).map_err(|cause| io::Error::other(format!("WARROOM_LOG: {cause}")))
}

impl LogLevel {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Takes secrets out of each record. A record comes in one write, so none is cut in two.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.0.write_all(SECRETS.mask(&String::from_utf8_lossy(record)).as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Appends; at a size it renames `x.log` to `x.log.1`, that to `x.log.2`, and begins anew. Mode 0600 in a folder 0700.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    most: u64,
}

impl RotatingFile {
    /// Opens or makes it.
    ///
    /// # Errors
    /// When folder or file cannot be made.
    pub fn open(path: &Path, most: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_path_buf(), file, size, most })
    }

    fn older(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            // A missing older file is the usual case at first.
            let _ = std::fs::rename(self.older(number), self.older(number + 1));
        }
        std::fs::rename(&self.path, self.older(1))?;
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + bytes.len() as u64 > self.most {
            // A log that cannot be rotated goes on growing rather than being lost.
            let _ = self.rotate();
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that only we can enter.
///
/// # Errors
/// When it cannot be made.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::SecretString;

    use super::*;

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/warroom.log");
        let mut file = RotatingFile::open(&path, 10).unwrap();
        for record in 0..8 {
            file.write_all(format!("record {record}\n").as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(path.with_file_name(name)).unwrap_or_default();
        assert_eq!(read("warroom.log"), "record 7\n");
        assert_eq!(read("warroom.log.1"), "record 6\n");
        assert_eq!(read("warroom.log.4"), "record 3\n");
        assert_eq!(read("warroom.log.5"), "");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/warroom.log");
        RotatingFile::open(&path, 10).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_learned_secret_is_masked_in_a_record() {
        SECRETS.learn(&SecretString::from("canary-in-the-log"));
        let mut written = Vec::new();
        Masked(&mut written).write_all(b"{\"m\":\"token canary-in-the-log\"}\n").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "{\"m\":\"token ***\"}\n");
    }

    #[test]
    fn the_flag_beats_the_variable_and_a_wrong_one_is_told() {
        assert_eq!(filter(None, None).unwrap().to_string(), "warroom=info,warn");
        assert_eq!(filter(Some(LogLevel::Debug), Some("trace")).unwrap().to_string(), "warroom=debug,warn");
        assert_eq!(filter(None, Some("hyper=trace")).unwrap().to_string(), "hyper=trace");
        assert!(filter(None, Some("a=b=c")).is_err());
    }
}

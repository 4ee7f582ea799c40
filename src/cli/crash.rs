//! The error and panic hooks: a crash leaves a report file without secrets, and one sentence on standard error.
//!
//! Panics of worker threads are caught and told by the supervisor; they go to report and log only, since the screen
//! may be up. The terminal is restored by the screen's own hook, which runs before this one.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};

use color_eyre::config::{HookBuilder, Theme};

use super::logs::private_folder;
use super::session::environment;
use crate::config::files::Places;
use crate::text::Clean;
use crate::text::redact::SECRETS;

/// Installs the hooks. Call once, before anything else.
///
/// # Errors
/// When hooks are installed already.
pub fn install() -> color_eyre::Result<()> {
    let (_, eyre) = HookBuilder::blank().theme(Theme::new()).capture_span_trace_by_default(false).into_hooks();
    eyre.install()?;
    let folder = Places::find(&environment).state.join("crash");
    std::panic::set_hook(Box::new(move |info| crashed(info, &folder)));
    no_core_file();
    Ok(())
}

fn crashed(info: &PanicHookInfo<'_>, folder: &Path) {
    let message = message(info);
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(%message, %place, "panicked");
    let written = write_report(folder, &report(&message, &place));
    if std::thread::current().name() != Some("main") {
        return;
    }
    let kept = written.map_or_else(
        |cause| format!("no report could be written ({cause})"),
        |path| format!("please send us {}", path.display()),
    );
    let _ = writeln!(io::stderr(), "warroom: a fault of ours: {message} ({place}); {kept}");
}

fn message(info: &PanicHookInfo<'_>) -> Clean {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Clean::new(SECRETS.mask(text.unwrap_or("no message")))
}

/// What we need to find the fault; neither arguments nor environment, where a token might be.
fn report(message: &Clean, place: &str) -> String {
    let mut report = String::new();
    let thread = std::thread::current();
    let _ = writeln!(report, "warroom {} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    let _ = writeln!(report, "thread {}", thread.name().unwrap_or("without a name"));
    let _ = writeln!(report, "{message}\n{place}\n");
    let _ = writeln!(report, "{}", std::backtrace::Backtrace::force_capture());
    SECRETS.mask(&report)
}

fn write_report(folder: &Path, report: &str) -> io::Result<PathBuf> {
    private_folder(folder)?;
    for number in 1..100_u32 {
        let path = folder.join(format!("crash-{}-{number}.txt", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        // Never over another file, never through a link.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(report.as_bytes())?;
                return Ok(path);
            }
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(cause),
        }
    }
    Err(io::Error::other("too many reports of this process"))
}

/// A core file would hold every token.
fn no_core_file() {
    #[cfg(unix)]
    {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn a_report_says_where_and_hides_secrets() {
        SECRETS.learn(&SecretString::from("canary-in-the-crash"));
        let folder = tempfile::tempdir().unwrap();
        let text = report(&Clean::new("token canary-in-the-crash"), "src/x.rs:1:2");
        let path = write_report(folder.path(), &text).unwrap();
        let again = write_report(folder.path(), &text).unwrap();
        assert_ne!(path, again);
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written.contains("src/x.rs:1:2") && written.contains("token ***"), "{written}");
        assert!(!written.contains("canary-in-the-crash"));
    }
}

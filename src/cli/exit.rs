//! Exit codes, and how an error becomes one sentence on standard error.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use color_eyre::Report;
use tokio::signal::unix::{SignalKind, signal};

use crate::domain::failure::{Failure, FailureKind};
use crate::text::Clean;

/// Done.
pub const DONE: i32 = 0;
/// A source or an action failed.
pub const FAILED: i32 = 1;
/// Wrong usage or configuration.
pub const USAGE: i32 = 2;
/// The terminal went away.
pub const HANGUP: i32 = 129;
/// Ctrl-C.
pub const INTERRUPT: i32 = 130;
/// Asked to end.
pub const TERMINATED: i32 = 143;

/// Wrong usage: exit code 2. Holds one sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(String);

impl Usage {
    /// With this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The process's exit code for one of ours.
#[must_use]
pub fn code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Prints the error as one sentence and gives its exit code.
#[must_use]
pub fn refused(report: &Report) -> ExitCode {
    let (code_of, sentence) = told(report);
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "warroom: {sentence}");
    code(code_of)
}

/// The exit code and the sentence of an error. Causes are joined by colons; the text passes the gate, as parts of it
/// may come from a server.
#[must_use]
pub fn told(report: &Report) -> (i32, Clean) {
    let code = if report.downcast_ref::<Usage>().is_some() {
        USAGE
    } else {
        match report.downcast_ref::<Failure>() {
            Some(failure) if failure.kind == FailureKind::Config => USAGE,
            _ => FAILED,
        }
    };
    (code, Clean::new(format!("{report:#}")))
}

/// Runs `work` until it ends or until a signal does; the terminal's default action would skip the journal's closing.
///
/// # Errors
/// Those of `work`; also when signals cannot be watched.
pub async fn unless_signalled(work: impl Future<Output = color_eyre::Result<i32>>) -> color_eyre::Result<i32> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = hangup.recv() => Ok(HANGUP),
        _ = interrupt.recv() => Ok(INTERRUPT),
        _ = terminate.recv() => Ok(TERMINATED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind) -> Failure {
        Failure {
            kind,
            what: Clean::new("list incidents"),
            target: Clean::new("http://pd"),
            cause: Clean::new("401"),
            remedy: Clean::new("renew the token"),
        }
    }

    #[test]
    fn the_kind_of_an_error_decides_the_code() {
        assert_eq!(told(&Usage::new("give an id").into()), (USAGE, Clean::new("give an id")));
        assert_eq!(told(&failure(FailureKind::Config).into()).0, USAGE);
        let (code, sentence) = told(&failure(FailureKind::Unauthorised).into());
        assert_eq!(code, FAILED);
        assert_eq!(sentence.as_str(), "list incidents http://pd failed: 401; renew the token");
    }

    #[test]
    fn escapes_in_an_error_do_not_reach_the_terminal() {
        let (_, sentence) = told(&Report::msg("server said \u{1b}[2Jgone"));
        assert!(!sentence.as_str().contains('\u{1b}'), "{sentence}");
    }
}
